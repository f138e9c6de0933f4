"""Edge tables as they come from the engine, as the DataFrames that users expect."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa


def to_frame(file: memoryview) -> pd.DataFrame:
    """An Arrow file as a DataFrame: names as plain strings, whole numbers as int64, scores as float64. The schema's
    metadata stands in ``frame.attrs``."""
    table = pa.ipc.open_file(pa.py_buffer(file)).read_all()
    frame = table.to_pandas()
    for column in frame.columns:
        kind = frame[column].dtype
        if isinstance(kind, pd.CategoricalDtype):
            frame[column] = frame[column].astype(kind.categories.dtype)
        elif kind.kind == "i":
            frame[column] = frame[column].astype("int64")
        elif kind.kind == "f":
            frame[column] = frame[column].astype("float64")
    frame.attrs = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    return frame
