"""Users' data as :class:`Samples`, with columns matched by name if the data has names."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ._samples import NodeNames, ParquetSamples, Samples, TableSamples
from .errors import MagnitudeEdgeError

PARQUET = (".parquet", ".pq")
STORES = (".h5ad", ".zarr")


def samples_of(data: Any, names: NodeNames) -> Samples | None:
    """The samples of a source that has both sides; ``None`` for anything else, such as a loader of batches.

    Args:
        data: a table or AnnData with a column per input and output node; a zarr group; paths of Parquet files
            (patterns too), of an ``.h5ad`` file or a ``.zarr`` folder.
    """
    paths = paths_of(data)
    if paths and all(path.suffix in PARQUET for path in paths):
        return ParquetSamples(paths, names)
    if len(paths) == 1 and paths[0].suffix in STORES:
        return _both_sides(StoredMatrix(paths[0]), names, str(paths[0]))
    if paths and any(path.suffix in (*PARQUET, *STORES) for path in paths):
        raise MagnitudeEdgeError(
            "invalid-argument", "Several files must all be Parquet; only one .h5ad or .zarr can be read at a time."
        )
    if _is_named(data):
        return _both_sides(data, names, "The data")
    return None


def two_sided(x: Any, y: Any, names: NodeNames) -> Samples:
    """Samples whose ``x`` and ``y`` come separately.

    Args:
        x, y: each an array in the model's order, or data with names: a table, AnnData, the path of an
            ``.h5ad`` or of AnnData's ``.zarr``.

    Raises:
        MagnitudeEdgeError: ``batch-mismatch`` if columns or rows disagree.
    """
    if _is_of("anndata", "AnnData", x) and _is_of("anndata", "AnnData", y):
        other = np.flatnonzero(x.obs_names.to_numpy() != y.obs_names.to_numpy()) if x.n_obs == y.n_obs else [0]
        if len(other):
            raise MagnitudeEdgeError(
                "batch-mismatch", "x and y hold different samples: their obs_names differ or are in another order."
            )
    return TableSamples([*_side(x, names, "x"), *_side(y, names, "y")])


def paths_of(data: Any) -> list[Path]:
    """Paths, with patterns expanded in name order; empty if ``data`` is something else.

    Raises:
        MagnitudeEdgeError: ``invalid-data`` for a pattern that matches no file.
    """
    given = [data] if isinstance(data, (str, os.PathLike)) else data
    if not isinstance(given, (list, tuple)) or not all(isinstance(path, (str, os.PathLike)) for path in given):
        return []
    paths: list[Path] = []
    for path in map(os.fspath, given):
        found = sorted(glob.glob(path)) if glob.has_magic(path) and not os.path.exists(path) else [path]
        if not found:
            raise MagnitudeEdgeError("invalid-data", f"No file matches '{path}'.")
        paths += map(Path, found)
    return paths


class StoredMatrix:
    """A matrix in an ``.h5ad`` file or a ``.zarr`` folder, sliced by rows; opened on first access, so that it can be
    sent to other processes.

    Args:
        array: ``x`` or ``y`` of a zarr group that is not AnnData's.
    """

    def __init__(self, path: Path, array: str | None = None):
        self.path, self._array = path, array

    @cached_property
    def group(self) -> Any:
        if not self.path.exists():
            raise MagnitudeEdgeError("invalid-data", f"{self.path} does not exist.")
        if self.path.suffix == ".zarr":
            return _package("zarr", "zarr").open_group(str(self.path), mode="r")
        return _package("h5py", "anndata").File(self.path, "r")

    @cached_property
    def _values(self) -> Any:
        return _matrix_in(self.group) if self._array is None else self.group[self._array]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._values.shape)

    def __getitem__(self, rows: slice) -> Any:
        return self._values[rows]

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredMatrix, (self.path, self._array)


#: A matrix and, for each side that it holds, the columns to take; ``None`` for all of them.
Taken = tuple[Any, Sequence[npt.NDArray[np.int64] | None]]


def _both_sides(data: Any, names: NodeNames, source: str) -> TableSamples:
    stored = isinstance(data, StoredMatrix)
    group = data.group if stored else data
    if not _is_group(group) or _holds_anndata(group):
        columns = _column_names(data, source)
        return TableSamples(_taken(data, [names.places(columns, side, source) for side in ("x", "y")]))
    tables: list[Taken] = []
    for side in ("x", "y"):
        if side not in group:
            raise MagnitudeEdgeError("invalid-data", f"{source} is a group without an array '{side}'.")
        held = _dimension_names(group, side)
        places = None if held is None else names.places(held, side, source)
        tables.append((StoredMatrix(data.path, side) if stored else group[side], [places]))
    return TableSamples(tables)


def _side(values: Any, names: NodeNames, side: str) -> list[Taken]:
    if isinstance(values, (str, os.PathLike)) and Path(values).suffix in STORES:
        values = StoredMatrix(Path(values))
    if isinstance(values, StoredMatrix) or _is_named(values):
        return _taken(values, [names.places(_column_names(values, side), side, side)])
    return [(values, [None])]


def _column_names(data: Any, source: str) -> list[str]:
    if isinstance(data, pd.DataFrame):
        return [str(name) for name in data.columns]
    if _is_of("pyarrow", "Table", data):
        return list(data.column_names)
    if _is_of("anndata", "AnnData", data):
        return [str(name) for name in data.var_names]
    group = data.group if isinstance(data, StoredMatrix) else data
    if not _holds_anndata(group):
        raise MagnitudeEdgeError("invalid-data", f"{source} is a group, but not of AnnData: pass its arrays x and y.")
    return [str(name) for name in _package("anndata", "anndata").io.read_elem(group["var"]).index]


def _taken(data: Any, sides: Sequence[npt.NDArray[np.int64]]) -> list[Taken]:
    """Columns of data with names. Those of tables are selected here, since other columns may not be numeric."""
    if isinstance(data, pd.DataFrame):
        return [(data.iloc[:, places].to_numpy(dtype=np.float32), [None]) for places in sides]
    if _is_of("pyarrow", "Table", data):
        return [(data.select(places.tolist()).to_pandas().to_numpy(dtype=np.float32), [None]) for places in sides]
    if isinstance(data, StoredMatrix):
        return [(data, sides)]
    return [(data.X if _is_of("anndata", "AnnData", data) else _matrix_in(data), sides)]


def _matrix_in(group: Any) -> Any:
    """AnnData's ``X`` on disk, dense or sparse."""
    if not _holds_anndata(group) or "X" not in group:
        raise MagnitudeEdgeError("invalid-data", f"{group.name} is not an AnnData group with a matrix X.")
    held = group["X"]
    return held if hasattr(held, "shape") else _package("anndata", "anndata").io.sparse_dataset(held)


def _holds_anndata(group: Any) -> bool:
    return bool(group.attrs.get("encoding-type") == "anndata")


def _dimension_names(group: Any, array: str) -> list[str] | None:
    """Names of an array's columns as xarray writes them: an array named after the second dimension."""
    held = group[array]
    dimensions = held.attrs.get("_ARRAY_DIMENSIONS") or getattr(held.metadata, "dimension_names", None)
    if not dimensions or len(dimensions) != 2 or dimensions[1] not in group:
        return None
    return [str(name) for name in group[dimensions[1]][:]]


def _is_named(data: Any) -> bool:
    tables = isinstance(data, pd.DataFrame) or _is_of("pyarrow", "Table", data)
    return tables or _is_of("anndata", "AnnData", data) or _is_group(data)


def _is_group(data: Any) -> bool:
    return _is_of("zarr", "Group", data) or _is_of("h5py", "Group", data)


def _is_of(module: str, name: str, data: Any) -> bool:
    """Whether ``data`` is an instance of an optional package's class: never, if the package was not loaded."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(data, getattr(loaded, name))


def _package(name: str, extra: str) -> Any:
    try:
        return __import__(name)
    except ImportError as error:
        raise ImportError(f"This needs {name}: pip install 'magnitude-edge[{extra}]'.", name=name) from error
