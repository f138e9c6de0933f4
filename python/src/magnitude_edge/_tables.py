"""Edge tables as they come from the engine, as the DataFrames that users expect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.pandas_compat  # which the first table would wait for

#: What columns are in the frame, by the kind of their numbers.
KINDS = {"i": np.dtype(np.int64), "f": np.dtype(np.float64)}

#: Rows from which columns are converted by threads.
MANY_ROWS = 100_000


def to_frame(file: memoryview) -> pd.DataFrame:
    """An Arrow file as a DataFrame: names as plain strings, whole numbers as int64, scores as float64. The schema's
    metadata stands in ``frame.attrs``.

    Args:
        file: nobody else's. Where it may be written to, float64 columns stay where they are in it.
    """
    table = pa.ipc.open_file(pa.py_buffer(file)).read_all()
    names = table.column_names
    with ThreadPoolExecutor(max_workers=2) as threads:
        # Most of the time is new memory's, and two threads wait for it side by side.
        in_turn = threads.map if len(table) >= MANY_ROWS else map
        columns = dict(zip(names, in_turn(lambda name: _column(table.column(name), file), names), strict=True))
    frame: pd.DataFrame = pd.DataFrame(columns, copy=False)
    frame.attrs = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    return frame


def _column(column: Any, file: memoryview) -> Any:
    """Values of their own, copied once at most."""
    if pa.types.is_dictionary(column.type):
        # Decoded by Arrow, whose strings pandas takes as they are (from 3 on).
        column = column.cast(pa.large_string())
    if pa.types.is_large_string(column.type):
        return column.to_pandas()
    values = column.to_numpy()
    if not values.flags.writeable and values.dtype == np.float64:
        values = _within(file, values)
    return values.astype(KINDS.get(values.dtype.kind, values.dtype), copy=not values.flags.writeable)


def _within(file: memoryview, values: np.ndarray) -> np.ndarray:
    """The same values as an array over the file itself, since Arrow gives them for reading only; as they are where they
    lie elsewhere, or the file may not be written to."""
    if file.readonly or not values.flags.c_contiguous:
        return values
    offset = values.ctypes.data - np.frombuffer(file, np.uint8).ctypes.data
    if not 0 <= offset <= file.nbytes - values.nbytes:
        return values
    return np.frombuffer(file, values.dtype, len(values), offset)
