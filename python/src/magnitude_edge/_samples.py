"""Samples read by rows, from the tables, Parquet files and torch datasets that ``_sample_sources`` opens."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from .errors import MagnitudeEdgeError

Floats = npt.NDArray[np.float32]
Batch = tuple[Floats, Floats]

#: Bytes read at once.
PIECE = 32 << 20


class NodeNames:
    """The columns that a model needs.

    Attributes:
        input, output: names of its nodes, in its order.
    """

    def __init__(self, node_names: dict[str, list[str]]):
        self.input, self.output = node_names["input"], node_names["output"]
        self._shared = set(self.input) & set(self.output)

    def places(self, columns: Sequence[str], side: str, source: str) -> npt.NDArray[np.int64]:
        """Column indices of the nodes of one side, found by name or as ``x:name``, ``y:name``; nodes that are both
        input and output need the prefix.

        Args:
            side: ``"x"`` or ``"y"``.
            source: the table's name in messages.

        Raises:
            MagnitudeEdgeError: ``batch-mismatch`` for a node without a column, ``invalid-data`` for one with two.
        """
        place = {str(column): at for at, column in enumerate(columns)}
        if len(place) < len(columns):
            twice = next(name for at, name in enumerate(map(str, columns)) if place[name] != at)
            raise MagnitudeEdgeError("invalid-data", f"{source} has more than one column '{twice}'.")
        names = self.input if side == "x" else self.output
        found = [place.get(f"{side}:{name}", None if name in self._shared else place.get(name)) for name in names]
        missing = [name for name, at in zip(names, found, strict=True) if at is None]
        if missing:
            kind = "input" if side == "x" else "output"
            raise MagnitudeEdgeError(
                "batch-mismatch",
                f"{source} lacks columns for {len(missing)} of {len(names)} {kind} nodes; the first is '{missing[0]}'.",
                {"missing": missing},
            )
        return np.array(found, dtype=np.int64)


class Samples(ABC):
    """Samples in a fixed order, never shuffled. Data on disk is opened where it is read, so that the object can be sent
    to other processes."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """The number of samples."""

    @abstractmethod
    def batches(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[Batch]:
        """``(x, y)`` of the samples from ``start`` up to ``stop``, ``size`` at a time."""

    def parts(self, size: int, batch_size: int) -> list[tuple[int, int]]:
        """Ranges of about ``size`` samples. All but the last hold whole batches, so that the batches are the same as
        those of a single reader."""
        step = batch_size * math.ceil(size / batch_size)
        return [(start, min(start + step, self.rows)) for start in range(0, self.rows, step)]


class TableSamples(Samples):
    """Rows of one or two tables that can be sliced: arrays, tensors, sparse matrices, arrays of HDF5 or zarr.

    Args:
        tables: each with the columns to take as ``x``, as ``y`` or as both; ``None`` takes all.
    """

    def __init__(self, tables: Sequence[tuple[Any, Sequence[npt.NDArray[np.int64] | None]]]):
        self._tables = tables
        rows = [int(values.shape[0]) if hasattr(values, "shape") else len(values) for values, _ in tables]
        if len(set(rows)) > 1:
            raise MagnitudeEdgeError("batch-mismatch", f"x holds {rows[0]} samples, but y holds {rows[1]}.")
        self._rows = rows[0]

    @property
    def rows(self) -> int:
        return self._rows

    def batches(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[Batch]:
        stop = self.rows if stop is None else stop
        columns = sum(math.prod(getattr(values, "shape", (0, 1))[1:]) for values, _ in self._tables)
        piece = size * max(1, PIECE // max(1, 8 * columns * size))
        for first in range(start, stop, piece):
            x, y = self._read(first, min(first + piece, stop))
            for at in range(0, len(x), size):
                yield x[at : at + size], y[at : at + size]

    def _read(self, start: int, stop: int) -> Batch:
        x, y = (
            np.ascontiguousarray(rows if columns is None else rows[:, columns], dtype=np.float32)
            for values, sides in self._tables
            for rows in [_dense(values[start:stop])]
            for columns in sides
        )
        return x, y


def _dense(values: Any) -> npt.NDArray[Any]:
    if hasattr(values, "detach"):  # torch
        values = values.detach().cpu().numpy()
    elif hasattr(values, "toarray"):  # scipy.sparse
        values = values.toarray()
    rows: npt.NDArray[Any] = np.asarray(values)
    return rows.reshape(len(rows), -1) if rows.ndim != 2 else rows


class ParquetSamples(Samples):
    """Rows of Parquet files, one file after the other, streamed by row groups."""

    def __init__(self, paths: Sequence[Path], names: NodeNames):
        self._paths = paths
        self._groups: list[tuple[int, int]] = []  # (file, row group)
        self._ends: list[int] = []
        self._columns: list[tuple[list[str], list[str]]] = []
        for at, path in enumerate(paths):
            footer = pq.read_metadata(path)
            header = footer.schema.to_arrow_schema().names
            x, y = (names.places(header, side, str(path)) for side in ("x", "y"))
            self._columns.append(([header[k] for k in x], [header[k] for k in y]))
            rows = [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
            self._groups += [(at, group) for group in range(len(rows))]
            before = self.rows
            self._ends += [before + end for end in accumulate(rows)]

    @property
    def rows(self) -> int:
        return self._ends[-1] if self._ends else 0

    def parts(self, size: int, batch_size: int) -> list[tuple[int, int]]:
        """Ranges of whole row groups, rounded up to whole batches: no row group is read in full by several readers."""
        parts, start = [], 0
        for end in self._ends:
            stop = min(batch_size * math.ceil(end / batch_size), self.rows)
            if stop - start >= size or (end == self.rows and stop > start):
                parts.append((start, stop))
                start = stop
        return parts

    def batches(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[Batch]:
        left = (self.rows if stop is None else stop) - start
        waiting: list[Batch] = []
        for x, y in self._pieces(start, size):
            x, y = x[:left], y[:left]
            left -= len(x)
            waiting.append((x, y))
            held = sum(len(piece) for piece, _ in waiting)
            if held >= size or left == 0:
                x, y = (np.concatenate(side) for side in zip(*waiting, strict=True))
                whole = held if left == 0 else held - held % size
                for at in range(0, whole, size):
                    yield x[at : min(at + size, whole)], y[at : min(at + size, whole)]
                waiting = [(x[whole:], y[whole:])]
            if left == 0:
                return

    def _pieces(self, start: int, size: int) -> Iterator[Batch]:
        first = 0
        for (at, group), end in zip(self._groups, self._ends, strict=True):
            skip = max(0, start - first)
            first = end
            if end <= start:
                continue
            x, y = self._columns[at]
            with pq.ParquetFile(self._paths[at]) as file:
                for piece in file.iter_batches(size, row_groups=[group], columns=list(dict.fromkeys([*x, *y]))):
                    if skip < piece.num_rows:
                        rows = piece.slice(skip)
                        yield _matrix(rows, x, self._paths[at]), _matrix(rows, y, self._paths[at])
                    skip = max(0, skip - piece.num_rows)


def _matrix(rows: Any, columns: list[str], path: Path) -> Floats:
    values = np.empty((rows.num_rows, len(columns)), dtype=np.float32)
    for at, name in enumerate(columns):
        column = rows.column(name)
        if column.null_count:
            raise MagnitudeEdgeError("invalid-data", f"{path}, column '{name}' has empty rows, numbers were expected.")
        values[:, at] = column.to_numpy(zero_copy_only=False)
    return values


class DatasetSamples(Samples):
    """A torch dataset that returns ``(x, y)`` of one sample by index."""

    def __init__(self, dataset: Any):
        self._dataset = dataset

    @property
    def rows(self) -> int:
        return len(self._dataset)

    def batches(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[Batch]:
        stop = self.rows if stop is None else stop
        for first in range(start, stop, size):
            samples = [self._dataset[at] for at in range(first, min(first + size, stop))]
            x, y = ([np.asarray(sample[side], dtype=np.float32).ravel() for sample in samples] for side in (0, 1))
            yield np.stack(x), np.stack(y)
