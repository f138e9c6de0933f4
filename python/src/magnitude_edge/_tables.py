"""Edge tables from the engine as the DataFrames that users expect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.pandas_compat  # imported here, or the first table would wait for it

#: Column types in the frame, by the kind of their numbers.
KINDS = {"i": np.dtype(np.int64), "f": np.dtype(np.float64)}

#: From this number of rows on, threads convert the columns.
MANY_ROWS = 100_000


def to_frame(file: memoryview) -> pd.DataFrame:
    """An Arrow file as a DataFrame: names as plain strings, integers as int64, scores as float64. The schema's metadata
    goes to ``frame.attrs``.

    Args:
        file: owned by the frame from here on: if it is writable, float64 columns are views of it.
    """
    table = pa.ipc.open_file(pa.py_buffer(file)).read_all()
    names = table.column_names
    with ThreadPoolExecutor(max_workers=2) as threads:
        # Most of the time goes into new memory, which two threads can wait for in parallel.
        in_turn = threads.map if len(table) >= MANY_ROWS else map
        columns = dict(zip(names, in_turn(lambda name: _column(table.column(name), file), names), strict=True))
    frame: pd.DataFrame = pd.DataFrame(columns, copy=False)
    frame.attrs = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    return frame


def _column(column: Any, file: memoryview) -> Any:
    """The column's values, writable and copied at most once."""
    if pa.types.is_dictionary(column.type):
        # Decoded by Arrow, whose strings pandas (from 3 on) uses unchanged.
        column = column.cast(pa.large_string())
    if pa.types.is_large_string(column.type):
        return column.to_pandas()
    values = column.to_numpy()
    if not values.flags.writeable and values.dtype == np.float64:
        values = _within(file, values)
    return values.astype(KINDS.get(values.dtype.kind, values.dtype), copy=not values.flags.writeable)


def _within(file: memoryview, values: np.ndarray) -> np.ndarray:
    """The same values as a writable view of the file, since Arrow's are read-only; unchanged if they lie elsewhere or
    the file is not writable."""
    if file.readonly or not values.flags.c_contiguous:
        return values
    offset = values.ctypes.data - np.frombuffer(file, np.uint8).ctypes.data
    if not 0 <= offset <= file.nbytes - values.nbytes:
        return values
    return np.frombuffer(file, values.dtype, len(values), offset)
