"""Edge tables as they come from the engine, as the DataFrames that users expect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

#: What columns are in the frame, by the kind of their numbers.
KINDS = {"i": np.dtype(np.int64), "f": np.dtype(np.float64)}


def to_frame(file: memoryview) -> pd.DataFrame:
    """An Arrow file as a DataFrame: names as plain strings, whole numbers as int64, scores as float64. The schema's
    metadata stands in ``frame.attrs``."""
    table = pa.ipc.open_file(pa.py_buffer(file)).read_all()
    frame: pd.DataFrame = pd.DataFrame({name: _column(table.column(name)) for name in table.column_names}, copy=False)
    frame.attrs = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    return frame


def _column(column: Any) -> Any:
    """Values of their own, copied once."""
    if pa.types.is_dictionary(column.type):
        # Decoded by Arrow, whose strings pandas takes as they are (from 3 on).
        column = column.cast(pa.large_string())
    if pa.types.is_large_string(column.type):
        return column.to_pandas()
    values = column.to_numpy()
    return values.astype(KINDS.get(values.dtype.kind, values.dtype), copy=not values.flags.writeable)
