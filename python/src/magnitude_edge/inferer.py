"""``MagnitudeEdgeInferer``: the interface of the reference class, backed by our engine."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from ._batches import float_rows, x_and_y
from ._engine import Buffer, Engine
from ._held_channels import HeldChannels
from ._loss import known_loss
from ._progress import progress
from ._routes import Routes, check_route, engine_runs
from ._sample_sources import paths_of, samples_of
from ._samples import NodeNames
from ._tables import to_frame
from .errors import MagnitudeEdgeError
from .explorer_data import explorer_data
from .exploring import Pairs, show_widget
from .pair_evidence import PairEvidence
from .ranking import evaluate_target_ranking

if TYPE_CHECKING:
    from distributed import Client

    from .explorer_widget import ExplorerWidget


class MagnitudeEdgeInferer:
    """Finds edges that a trained GSNN's graph lacks, from activation and gradient magnitudes.

    Args:
        model: a trained torch GSNN, or the path or the bytes of an exported ``.onnx`` file.
        data: what the model was built from (``node_names_dict``, ``edge_index_dict``); ``None`` reads both from the
            model. Ignored for a file.
        reduction: norm over the channels of a node, ``"l1"`` or ``"l2"``.
        use_pre_norm: whether to use the values before each block's norm, or the blocks' last activations.
        route: what runs the model. ``"onnx"``: the engine, from a file exported here in a fraction of a second.
            ``"torch"``: the model itself, forward and backward, on its own device; for any loss and any model.
            ``"auto"``: on the CPU, if all modules are known, torch runs a model rebuilt from the parameters, with
            sparse layers as sparse matrix products: several times faster than both, and no other runtime has to start.
            On another device the engine runs it, if it knows the modules and the loss of the fit. Otherwise torch runs
            the model itself.
        channels: whether to keep the samples' channel values, which channel and rank scores need: 8 bytes per channel
            and layer pair of each sample. ``"auto"`` keeps up to 1 GiB of them.
        uncertainty: keeps the samples' magnitudes, so that :meth:`evaluate` can report how certain the scores are.
            ``True``: 10 groups; or a dict of ``groups`` (left out one by one, for standard errors), ``permutations``
            (of targets, for an empirical p; 0), ``seed`` (0) and ``maxBytes`` (limit for the magnitudes; 1 GiB).
        backend: where the statistics are computed: ``"auto"``, ``"webgpu"`` or ``"cpu"``.
        precision: of sums and channel regressions on WebGPU, and of plain correlations on the CPU: ``"exact"``, as
            good as float64, or ``"fast"``, in float32 and quicker.
        threads: maximum number of engine threads; ``None``: one per core.

    The object owns one engine process. It ends with :meth:`close`, on leaving a ``with`` block or with this process.
    Unless torch runs the model itself, its parameters are read once, here: after more training, create a new inferer.

    Attributes:
        route: ``"onnx"`` or ``"torch"``: the route of the last fit or, before the first, the intended one.
        route_reason: why, in words.

    Raises:
        MagnitudeEdgeError: the method refuses the model; ``ExportError`` if the model cannot be exported.
    """

    def __init__(
        self,
        model: Any,
        data: Any = None,
        reduction: str = "l1",
        use_pre_norm: bool = True,
        *,
        route: str = "auto",
        channels: bool | str = "auto",
        backend: str = "auto",
        precision: str = "exact",
        threads: int | None = None,
        uncertainty: bool | Mapping[str, int] = False,
    ) -> None:
        self.reduction, self.use_pre_norm = reduction, use_pre_norm
        self._backend, self._precision = backend, precision
        self._fit_number = 0  # changes with the samples held
        self._channels = channels
        self._uncertainty = dict(uncertainty) if isinstance(uncertainty, Mapping) else bool(uncertainty)
        self._held_channels = HeldChannels()
        check_route(route)
        # First, so that it starts while the model is read.
        self._engine = Engine()
        try:
            channel_count = engine_runs(model, route)
            if channel_count is not None:
                self._engine.post("expectModel", {"channels": channel_count, "threads": threads})
            self._routes = Routes(model, data, route, reduction=reduction, use_pre_norm=use_pre_norm)
            self.route, self.route_reason = self._routes.first
            self._facts = self._open(threads)
        except BaseException:
            self._engine.close()
            raise

    def _open(self, threads: int | None) -> dict[str, Any]:
        """Configures the engine. Waits for the reply only if the engine could refuse the settings."""
        create = {
            "reduction": self.reduction,
            "usePreNorm": self.use_pre_norm,
            "channels": self._channels,
            "backend": self._backend,
            "precision": self._precision,
            "uncertainty": self._uncertainty,
        }
        profile, file = self._routes.profile, self._routes.file
        args = {"create": create, "load": {"name": self._routes.name}, "profile": profile, "threads": threads}
        usual = self.use_pre_norm and self._backend in ("auto", "cpu") and self.reduction in ("l1", "l2")
        usual = usual and self._precision in ("exact", "fast")
        usual = usual and not isinstance(self._uncertainty, dict)
        if profile is None or not usual:
            return self._engine.call("open", args, [] if file is None else [file])[0]
        self._engine.post("open", args)
        return profile

    @property
    def name(self) -> str:
        """The name of the model's file, or of its class."""
        return Path(self._routes.name).name

    @property
    def node_names(self) -> dict[str, list[str]]:
        """Names of the nodes by type: ``"input"``, ``"function"``, ``"output"``."""
        names: dict[str, list[str]] = self._facts["nodeNames"]
        return names

    @property
    def function_edges(self) -> list[tuple[str, str]]:
        """The function -> function edges of the model's graph, (source, target) names, without self edges."""
        names = self._facts["nodeNames"]["function"]
        sources, targets = self._facts["edgeIndex"]["function,function"]
        return [(names[i], names[j]) for i, j in zip(sources, targets, strict=True) if i != j]

    @property
    def diagnostics(self) -> dict[str, Any]:
        """What runs where: backend, workers, warnings."""
        facts: dict[str, Any] = self._engine.call("diagnostics")[0]["diagnostics"]
        return facts

    def fit(
        self,
        dataloader: Any,
        crit: Any = None,
        device: Any = None,
        verbose: bool = True,
        *,
        reset: bool = True,
        masked_edges: Iterable[tuple[str, str]] = (),
        batch_size: int = 128,
        client: Client | None = None,
    ) -> int:
        """Accumulates statistics over batches ``(x, y)``.

        Args:
            dataloader: yields ``(x, y)``: tensors or arrays, ``[batch, inputs]`` and ``[batch, outputs]``. Or samples
                to split into batches here: a DataFrame, an Arrow table or AnnData with a column per input and output
                node, in any order; a zarr group of arrays x and y, or of AnnData; paths of Parquet files (patterns
                too), of an ``.h5ad`` file or a ``.zarr`` folder.
            crit: ``None`` (mean squared error), a name (``"mse"``, ``"l1"``, ``"huber"``, ``"bce-with-logits"``,
                ``"cross-entropy"``), the corresponding torch loss or, with torch models, any callable
                ``crit(prediction, y)`` that returns one number.
            device: for the torch route: the device to run on; the model is moved there and back. ``None`` leaves it
                where it is.
            verbose: prints the route and the reason, and shows a progress bar if tqdm is installed.
            reset: forget earlier samples first; ``False`` adds to them.
            masked_edges: (source, target) names of edges to switch off; for files exported with ``edge_mask=True``.
            batch_size: samples per batch, if they are batched here; the gradients of a mean loss depend on it.
            client: the client of a Dask cluster, to distribute the samples over its workers. ``dataloader`` is then
                paths of files as above, a Dask DataFrame, two Dask arrays ``(x, y)``, or an indexable dataset, which
                is sent to every worker. The batches are the same as without a cluster.

        Returns:
            The number of samples in the statistics.

        Raises:
            MagnitudeEdgeError: ``batch-mismatch``, ``non-finite``, ...; batches before the refused one stay counted.
        """
        self.route, self.route_reason = self._routes.of_loss(crit)
        if verbose:
            print(f"magnitude-edge: route {self.route}: {self.route_reason}", file=sys.stderr)
        if client is not None:
            settings = {"crit": crit, "device": device, "masked_edges": masked_edges}
            return self._fit_on_cluster(client, dataloader, settings, batch_size, verbose, reset)
        self._fit_number += 1
        samples = samples_of(dataloader, NodeNames(self.node_names))
        if samples is not None:
            dataloader = samples.batches(batch_size)
        elif paths_of(dataloader):
            raise MagnitudeEdgeError("invalid-argument", "fit does not read files of this kind: use fit_file.")
        masked = [list(edge) for edge in masked_edges]
        if self.route == "torch":
            if masked:
                raise MagnitudeEdgeError("invalid-argument", "masked_edges needs a file exported with edge_mask=True.")
            return self._fit_in_torch(progress(dataloader, verbose), crit, device, reset)
        options = {"reset": reset, **known_loss(crit).options()}
        self._begin_elsewhere(reset)
        self._engine.call("startFit", options | ({"maskedEdges": masked} if masked else {}))
        with self._ending_fit():
            for batch in progress(dataloader, verbose):
                x, y = (float_rows(side) for side in x_and_y(batch))
                self._engine.call("batch", {"size": len(x)}, [x, y])
        return int(self._engine.call("endFit")[0]["samples"])

    def _fit_in_torch(self, dataloader: Iterable[Any], crit: Any, device: Any, reset: bool) -> int:
        from ._torch_fit import TorchFit

        model = self._routes.torch_model(device)
        channels = "always" if self._uncertainty else {"auto": "later", False: "never"}.get(self._channels, "now")
        with self._ending_fit(), model.on(device):
            return TorchFit(self._engine, model, channels, self._held_channels).run(dataloader, crit, reset=reset)

    def _fit_on_cluster(
        self, client: Client, data: Any, settings: dict[str, Any], batch_size: int, verbose: bool, reset: bool
    ) -> int:
        from ._dask import PartFit, fit_on_cluster

        model, data_of_model, route = self._routes.elsewhere(self.route)
        make = functools.partial(
            MagnitudeEdgeInferer,
            model,
            data_of_model,
            self.reduction,
            self.use_pre_norm,
            route=route,
            channels=self._channels is True,
            backend=self._backend,
            precision=self._precision,
        )
        sums = 2 * 8 * len(self.node_names["function"]) ** 2 * (self._facts["layers"] - 1)
        part = PartFit(settings, batch_size, channels=self._channels is True, statistics_bytes=sums)
        merged = fit_on_cluster(client, data, make, NodeNames(self.node_names), part, verbose)
        return self._take_statistics(merged, merge=not reset)

    @contextlib.contextmanager
    def _ending_fit(self) -> Iterator[None]:
        """Ends the engine's fit after an error of the loader, the model or the loss; earlier batches stay counted."""
        try:
            yield
        except BaseException:
            with contextlib.suppress(MagnitudeEdgeError):  # the original error is the one to report
                self._engine.call("endFit")
            with contextlib.suppress(MagnitudeEdgeError):
                self._held_channels.forget_after(self._engine.call("diagnostics")[0]["samples"])
            raise

    def fit_file(
        self,
        path: str | os.PathLike[str],
        crit: Any = None,
        *,
        batch_size: int | Literal["auto"] = 128,
        loss_batch_size: int | None = None,
        reset: bool = True,
    ) -> int:
        """Like :meth:`fit`, for a file of samples that the engine reads: npz with arrays x and y; Arrow, Parquet or
        CSV with a column per input and output node.

        Args:
            path: the file.
            crit: see :meth:`fit`.
            batch_size: samples that the model runs at once; ``"auto"`` is what is fast for the model.
            loss_batch_size: samples over which a mean loss is taken, if not ``batch_size`` (128 if that is ``"auto"``).
            reset: see :meth:`fit`.

        Raises:
            MagnitudeEdgeError: ``invalid-data``, ``batch-mismatch``, ...
        """
        self._fit_number += 1
        options = {"reset": reset, **known_loss(crit).options()}
        self._begin_elsewhere(reset)
        args = {"name": str(path), "batchSize": batch_size, "fit": options}
        if loss_batch_size is not None:
            args["lossBatchSize"] = loss_batch_size
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
        *,
        correlation: str = "pearson",
        uncertainty: bool | None = None,
    ) -> pd.DataFrame:
        """The edge table: one row per ordered pair of function nodes, best first.

        Args:
            layer_agg: ``"mean"``, ``"max"`` or ``"pooled"``, which treats the observations of all layer pairs as one.
            score: ``"corr"``, ``"partial"``, ``"regression"`` or ``"channel"``.
            ridge: for ``"partial"``, in covariance units.
            lam: lambda of ``"regression"`` (default 0.3) and ``"channel"`` (default 3).
            variance_floor: default ``None``: limits are relative; ``1e-12`` reproduces the reference's NaN.
            correlation: ``"pearson"``, or ``"spearman"`` for rank correlation, which ``"channel"`` refuses.
            uncertainty: whether to add the columns ``corr_se`` (jackknife standard error; ``score_se`` for channel
                scores), ``sign_stability`` (share of the leave-one-group-out scores that have the sign of the score)
                and, with permutations, ``p_empirical``; ``None``: if this was created with ``uncertainty``.
            top, max_q, candidates_only: return fewer rows; p and q still cover all pairs.

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
            "correlation": None if correlation == "pearson" else correlation,
            "uncertainty": uncertainty,
        }
        given = {name: value for name, value in options.items() if value is not None}
        of_channels = score == "channel" or correlation != "pearson"
        _, (file,) = (self._with_channels if of_channels else self._engine).call("evaluate", given)
        return to_frame(file)

    evaluate_target_ranking = staticmethod(evaluate_target_ranking)

    def explore(
        self,
        table: pd.DataFrame | None = None,
        *,
        positives: Pairs = (),
        title: str | None = None,
        height: int = 560,
    ) -> ExplorerWidget:
        """Opens a table of this model in the explorer, as a notebook widget. The widget keeps this object alive: its
        target view uses the samples' channel values to show the magnitudes, or the coefficients, behind a score.

        Args:
            table: from :meth:`evaluate`; default: ``evaluate()``.
            positives, title, height: see :func:`magnitude_edge.explore`; the default title is the model's name.

        Raises:
            ImportError: anywidget is not installed.
            MagnitudeEdgeError: see :meth:`evaluate` and :func:`magnitude_edge.explore`.
        """
        frame = self.evaluate() if table is None else table
        data = explorer_data(
            frame, self.node_names["function"], positives, title or self.name, PairEvidence(self, frame.attrs)
        )
        return show_widget(data, height)

    def pair_magnitudes(
        self, source: str, target: str, samples: int = 2000
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """The magnitudes behind the scores of one pair, sample by sample.

        Args:
            source, target: names of function nodes.
            samples: return at most the first ``samples`` samples.

        Returns:
            Activation magnitudes of the source and gradient magnitudes of the target, ``[layer pairs, samples]`` each.

        Raises:
            MagnitudeEdgeError: ``invalid-argument`` for an unknown name, or if the samples' channel values are not kept
                (``channels``).
        """
        args = {"source": source, "target": target, "samples": samples}
        result, parts = self._with_channels.call("pairMagnitudes", args)
        values = np.stack([np.frombuffer(part, dtype="<f4") for part in parts])
        return values[: result["pairs"]], values[result["pairs"] :]

    def reset_stats(self) -> None:
        """Forgets all samples."""
        self._fit_number += 1
        self._held_channels.clear()
        self._engine.call("resetStats")

    def save_stats(self, path: str | os.PathLike[str], channels: bool | None = None) -> None:
        """Writes the statistics to an Arrow file, atomically.

        Args:
            channels: ``True`` also writes the samples' channel values, 8 bytes per channel and layer pair of each
                sample, so that rank and channel scores can be computed from the file; ``None`` is ``False``.

        Raises:
            MagnitudeEdgeError: ``invalid-argument`` if the channel values are not kept.
        """
        content = self._statistics(bool(channels))
        target = Path(path)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", suffix=".part", delete=False) as scratch:
            scratch.write(content)
        try:
            os.replace(scratch.name, target)
        except OSError:
            os.unlink(scratch.name)
            raise

    def load_stats(self, path: str | os.PathLike[str]) -> None:
        """Replaces the statistics with saved ones of the same graph and settings."""
        self._take_statistics(Path(path).read_bytes(), merge=False)

    def merge_stats(self, path: str | os.PathLike[str]) -> None:
        """Adds saved statistics of other samples."""
        self._take_statistics(Path(path).read_bytes(), merge=True)

    def _statistics(self, channels: bool) -> bytearray:
        _, (content,) = (self._with_channels if channels else self._engine).call("saveStats", {"channels": channels})
        return cast(bytearray, content.obj)

    def _take_statistics(self, content: Buffer, *, merge: bool) -> int:
        self._fit_number += 1
        self._begin_elsewhere(reset=not merge)
        return int(self._engine.call("takeStats", {"merge": merge}, [content])[0]["samples"])

    @property
    def _with_channels(self) -> Engine:
        """The engine, after it has received all channel values held here."""
        self._held_channels.hand_over(self._engine)
        return self._engine

    def _begin_elsewhere(self, reset: bool) -> None:
        """Prepares for samples that reach the engine by another way than the torch route."""
        if reset:
            self._held_channels.clear()
        else:
            self._held_channels.hand_over(self._engine)

    def close(self) -> None:
        """Ends the engine's process. Idempotent."""
        self._engine.close()

    def __enter__(self) -> MagnitudeEdgeInferer:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
