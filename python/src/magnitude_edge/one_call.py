"""``infer``: from arrays, tables or a file to the edge table in one call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

import pandas as pd

from ._sample_sources import STORES, two_sided
from ._samples import NodeNames
from .errors import MagnitudeEdgeError
from .inferer import MagnitudeEdgeInferer


def infer(
    model: Any,
    x: Any,
    y: Any = None,
    data: Any = None,
    score: str = "corr",
    *,
    crit: Any = None,
    batch_size: int | Literal["auto"] = 128,
    reduction: str = "l1",
    use_pre_norm: bool = True,
    route: str = "auto",
    backend: str = "auto",
    precision: str = "exact",
    uncertainty: bool | Mapping[str, int] = False,
    verbose: bool = False,
    **evaluate: Any,
) -> pd.DataFrame:
    """Fits and evaluates in one call.

    Args:
        model: a trained torch GSNN, or the path of an exported ``.onnx`` file.
        x: ``[samples, inputs]``: an array, tensor or zarr array in the model's order; or a DataFrame, an Arrow table,
            AnnData or the path of an ``.h5ad`` with a column per input node, in any order. Or, without ``y``, the path
            of a data file (npz, Arrow, Parquet, CSV, h5ad, zarr), or one of these that has the output nodes as well.
        y: ``[samples, outputs]``, in the same forms as ``x``.
        data: see :class:`MagnitudeEdgeInferer`.
        crit: the loss, see :meth:`MagnitudeEdgeInferer.fit`.
        route, backend, precision, uncertainty: see :class:`MagnitudeEdgeInferer`.
        batch_size: samples per batch; the gradients of a mean loss depend on it. For a file that the engine reads (npz,
            Arrow, Parquet, CSV), ``"auto"`` takes the mean over 128 samples and runs as many as is fast for the model.
        **evaluate: further options of :meth:`MagnitudeEdgeInferer.evaluate`.

    Returns:
        The edge table, see :meth:`MagnitudeEdgeInferer.evaluate`.

    Raises:
        MagnitudeEdgeError: ``batch-mismatch`` if columns or rows disagree, and whatever fit and evaluate raise.
    """
    read_by_engine = y is None and isinstance(x, (str, os.PathLike)) and Path(x).suffix not in STORES
    if batch_size == "auto" and not read_by_engine:
        raise MagnitudeEdgeError("invalid-argument", "batch_size 'auto' needs a file that the engine reads.")
    settings: dict[str, Any] = {"route": route, "backend": backend, "precision": precision, "uncertainty": uncertainty}
    with MagnitudeEdgeInferer(model, data, reduction, use_pre_norm, **settings) as inferer:
        if read_by_engine:
            inferer.fit_file(x, crit, batch_size=batch_size)
        elif y is not None:
            samples = two_sided(x, y, NodeNames(inferer.node_names))
            inferer.fit(samples.batches(cast(int, batch_size)), crit, verbose=verbose)
        else:
            inferer.fit(x, crit, verbose=verbose, batch_size=cast(int, batch_size))
        return inferer.evaluate(score=score, **evaluate)
