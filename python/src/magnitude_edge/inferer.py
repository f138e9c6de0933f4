"""``MagnitudeEdgeInferer``: the reference class's face, our engine behind it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ._engine import Engine
from ._loss import NAMES, Loss, engine_loss
from ._tables import to_frame
from .errors import MagnitudeEdgeError
from .exploring import explore
from .ranking import evaluate_target_ranking

if TYPE_CHECKING:
    from .explorer_widget import ExplorerWidget


class MagnitudeEdgeInferer:
    """Finds edges that a trained GSNN's graph lacks, from activation and gradient magnitudes.

    Args:
        model: a trained torch GSNN, or the path of an exported ``.onnx`` file.
        data: what the model was built from (``node_names_dict``, ``edge_index_dict``); ``None`` reads both from the
            model. Not used with a path.
        reduction: norm over the channels of a node, ``"l1"`` or ``"l2"``.
        use_pre_norm: values before each block's norm, or the blocks' last activations.
        backend: where the statistics are computed: ``"auto"``, ``"webgpu"`` or ``"cpu"``.

    One process of the engine belongs to the object; :meth:`close`, leaving a ``with`` block or the end of this process
    ends it. The model's parameters are read once, here: train on, and make another one.

    Raises:
        MagnitudeEdgeError: for a model that the method refuses; ``ExportError`` for one that cannot be exported.
    """

    def __init__(
        self,
        model,
        data=None,
        reduction: str = "l1",
        use_pre_norm: bool = True,
        *,
        backend: str = "auto",
    ):
        self.reduction, self.use_pre_norm = reduction, use_pre_norm
        content = _model_bytes(model, data)
        self._engine = Engine()
        try:
            create = {"reduction": reduction, "usePreNorm": use_pre_norm, "backend": backend}
            name = str(model) if isinstance(model, (str, os.PathLike)) else type(model).__name__
            self._facts, _ = self._engine.call("open", {"create": create, "load": {"name": name}}, [content])
        except BaseException:
            self._engine.close()
            raise

    @property
    def node_names(self) -> dict[str, list[str]]:
        """Names of the nodes by type: ``"input"``, ``"function"``, ``"output"``."""
        return self._facts["nodeNames"]

    @property
    def diagnostics(self) -> dict[str, Any]:
        """What runs where: backend, workers, warnings."""
        return self._engine.call("diagnostics")[0]["diagnostics"]

    def fit(self, dataloader: Iterable, crit=None, device=None, verbose: bool = True, *, reset: bool = True) -> int:
        """Accumulates statistics over batches ``(x, y)``.

        Args:
            dataloader: gives ``(x, y)``: tensors or arrays, ``[batch, inputs]`` and ``[batch, outputs]``.
            crit: ``None`` (mean squared error), a name (``"mse"``, ``"l1"``, ``"huber"``, ``"bce-with-logits"``,
                ``"cross-entropy"``), or the torch loss that one of them stands for.
            device: taken for the reference's sake; the engine chooses.
            verbose: a progress bar, where tqdm is installed.
            reset: forget earlier samples first; ``False`` goes on.

        Returns:
            The samples that the statistics hold.

        Raises:
            MagnitudeEdgeError: ``batch-mismatch``, ``non-finite``, ...; batches before the one refused stay counted.
        """
        loss = _known_loss(crit)
        self._engine.call("startFit", {"reset": reset, **loss.options()})
        try:
            for batch in _progress(dataloader, verbose):
                x, y = (_float_rows(side) for side in _pair(batch))
                self._engine.call("batch", {"size": len(x)}, [x, y])
        except BaseException as error:
            if not isinstance(error, MagnitudeEdgeError):
                self._end_quietly()
            raise
        return int(self._engine.call("endFit")[0]["samples"])

    def fit_file(self, path: str | os.PathLike, crit=None, *, batch_size: int = 128, reset: bool = True) -> int:
        """As :meth:`fit`, over a file of samples that the engine reads: npz with arrays x and y; Arrow, Parquet or
        CSV with a column per input and output node.

        Raises:
            MagnitudeEdgeError: ``invalid-data``, ``batch-mismatch``, ...
        """
        options = {"reset": reset, **_known_loss(crit).options()}
        args = {"name": str(path), "batchSize": batch_size, "fit": options}
        return int(self._engine.call("fitFile", args, [Path(path).read_bytes()])[0]["samples"])

    def evaluate(
        self,
        layer_agg: str = "mean",
        exclude_self: bool = True,
        score: str = "corr",
        ridge: float = 1e-8,
        lam: float | None = None,
        variance_floor: float | None = None,
        top: int | None = None,
        max_q: float | None = None,
        candidates_only: bool = False,
    ) -> pd.DataFrame:
        """The edge table: one row per ordered pair of function nodes, best first.

        Args:
            layer_agg: ``"mean"``, ``"max"`` or, for some scores, ``"pooled"``.
            score: ``"corr"``, ``"partial"``, ``"regression"`` or ``"channel"``.
            ridge: of ``"partial"``, in covariance units.
            lam: lambda of ``"regression"`` (default 0.3) and ``"channel"`` (default 3).
            variance_floor: default ``None``: limits are relative; ``1e-12`` gives the reference's NaN.
            top, max_q, candidates_only: fewer rows back; p and q are over all pairs all the same.

        Raises:
            MagnitudeEdgeError: ``too-few-samples``, ``invalid-argument``.
        """
        options = {
            "layerAgg": layer_agg,
            "excludeSelf": exclude_self,
            "score": score,
            "ridge": ridge,
            "lambda": lam,
            "varianceFloor": variance_floor,
            "top": top,
            "maxQ": max_q,
            "candidatesOnly": candidates_only,
        }
        given = {name: value for name, value in options.items() if value is not None}
        _, (file,) = self._engine.call("evaluate", given)
        return to_frame(file)

    evaluate_target_ranking = staticmethod(evaluate_target_ranking)

    def explore(self, table: pd.DataFrame | None = None, **options: Any) -> ExplorerWidget:
        """The explorer as a notebook widget, with a table of this model in it.

        Args:
            table: of :meth:`evaluate`, whose defaults give it where it is left out.
            **options: ``positives``, ``title`` and ``height`` of :func:`magnitude_edge.explore`.

        Raises:
            ImportError: without anywidget.
            MagnitudeEdgeError: as :meth:`evaluate` and :func:`magnitude_edge.explore`.
        """
        return explore(self.evaluate() if table is None else table, names=self.node_names["function"], **options)

    def reset_stats(self) -> None:
        """Forgets all samples."""
        self._engine.call("resetStats")

    def save_stats(self, path: str | os.PathLike) -> None:
        """Writes the statistics held, as an Arrow file; whole or not at all."""
        _, (content,) = self._engine.call("saveStats")
        target = Path(path)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", suffix=".part", delete=False) as scratch:
            scratch.write(content)
        try:
            os.replace(scratch.name, target)
        except OSError:
            os.unlink(scratch.name)
            raise

    def load_stats(self, path: str | os.PathLike) -> None:
        """Replaces the statistics held by saved ones of the same graph and settings."""
        self._take_stats(path, merge=False)

    def merge_stats(self, path: str | os.PathLike) -> None:
        """Adds saved statistics over other samples."""
        self._take_stats(path, merge=True)

    def _take_stats(self, path: str | os.PathLike, *, merge: bool) -> None:
        self._engine.call("takeStats", {"merge": merge}, [Path(path).read_bytes()])

    def close(self) -> None:
        """Ends the engine's process. Idempotent."""
        self._engine.close()

    def __enter__(self) -> MagnitudeEdgeInferer:
        return self

    def __exit__(self, *_exception) -> None:
        self.close()

    def _end_quietly(self) -> None:
        """After an error of the loader: what came before it stays counted, and the engine waits for no more."""
        with contextlib.suppress(MagnitudeEdgeError):  # the loader's error is the one to tell
            self._engine.call("endFit")


def _model_bytes(model, data) -> bytes:
    if isinstance(model, (str, os.PathLike)):
        return Path(model).read_bytes()
    from magnitude_edge.export import export_gsnn

    with tempfile.TemporaryDirectory() as folder:
        return export_gsnn(model, data, Path(folder) / "model.onnx").path.read_bytes()


def _known_loss(crit) -> Loss:
    loss = engine_loss(crit)
    if loss is None:
        told = getattr(crit, "__name__", None) or (crit if isinstance(crit, str) else type(crit).__name__)
        raise MagnitudeEdgeError(
            "invalid-argument",
            f"crit is {told!r}; the engine has {', '.join(NAMES)} and torch's losses of these names.",
        )
    return loss


def _pair(batch) -> tuple:
    if isinstance(batch, dict) and {"x", "y"} <= set(batch):
        return batch["x"], batch["y"]
    if isinstance(batch, (tuple, list)) and len(batch) >= 2:
        return batch[0], batch[1]
    raise MagnitudeEdgeError("invalid-argument", f"The loader gave a {type(batch).__name__}; (x, y) was expected.")


def _float_rows(values) -> np.ndarray:
    """``[batch, columns]``, float32 in row-major order; a trailing axis of one is dropped."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    array = np.ascontiguousarray(values, dtype=np.float32)
    return array.reshape(len(array), -1) if array.ndim != 2 else array


def _progress(dataloader: Iterable, verbose: bool) -> Iterable:
    if not verbose:
        return dataloader
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return dataloader
    return tqdm(dataloader, desc="fit", unit="batch")
