"""``infer``: from arrays, tables or a file to the edge table in one call."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pandas as pd

from .errors import MagnitudeEdgeError
from .inferer import MagnitudeEdgeInferer


def infer(
    model,
    x,
    y=None,
    data=None,
    score: str = "corr",
    *,
    crit=None,
    batch_size: int = 128,
    reduction: str = "l1",
    use_pre_norm: bool = True,
    route: str = "auto",
    backend: str = "auto",
    verbose: bool = False,
    **evaluate,
) -> pd.DataFrame:
    """Fits and evaluates in one call.

    Args:
        model: a trained torch GSNN, or the path of an exported ``.onnx`` file.
        x: ``[samples, inputs]``: an array or tensor in the model's order, or a DataFrame or Arrow table with a column
            per input node, in any order. Or, without ``y``, the path of a data file (npz, Arrow, Parquet, CSV), or a
            table that has the output nodes' columns as well.
        y: ``[samples, outputs]``, as ``x``.
        data: as of :class:`MagnitudeEdgeInferer`.
        crit: the loss, as of :meth:`MagnitudeEdgeInferer.fit`.
        route: as of :class:`MagnitudeEdgeInferer`.
        batch_size: samples in a batch; the gradients of a mean loss depend on it.
        **evaluate: further options of :meth:`MagnitudeEdgeInferer.evaluate`.

    Returns:
        The edge table, as of :meth:`MagnitudeEdgeInferer.evaluate`.

    Raises:
        MagnitudeEdgeError: ``batch-mismatch`` for columns or rows that disagree, and all that fit and evaluate raise.
    """
    with MagnitudeEdgeInferer(model, data, reduction, use_pre_norm, route=route, backend=backend) as inferer:
        if y is None and isinstance(x, (str, os.PathLike)):
            inferer.fit_file(x, crit, batch_size=batch_size)
        else:
            batches = list(_batches(inferer, x, x if y is None else y, batch_size))
            inferer.fit(batches, crit, verbose=verbose)
        return inferer.evaluate(score=score, **evaluate)


def _batches(inferer: MagnitudeEdgeInferer, x, y, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    sides = [
        _columns(values, inferer.node_names[kind], kind, name)
        for values, kind, name in ((x, "input", "x"), (y, "output", "y"))
    ]
    rows = [len(side) for side in sides]
    if rows[0] != rows[1]:
        raise MagnitudeEdgeError("batch-mismatch", f"x holds {rows[0]} samples, but y holds {rows[1]}.")
    for start in range(0, rows[0], size):
        yield tuple(side[start : start + size] for side in sides)


def _columns(values, names: list[str], kind: str, argument: str):
    """An array in the model's order: tables by column name, all else as it is."""
    if hasattr(values, "to_pandas") and hasattr(values, "column_names"):
        values = values.to_pandas()
    if not isinstance(values, pd.DataFrame):
        return values
    missing = [name for name in names if name not in values.columns]
    if missing:
        raise MagnitudeEdgeError(
            "batch-mismatch",
            f"{argument} lacks {len(missing)} columns of the {len(names)} {kind} nodes, the first is '{missing[0]}'.",
            {"missing": missing},
        )
    return values[names].to_numpy(dtype=np.float32)
