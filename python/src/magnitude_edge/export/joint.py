"""The joint route: one ONNX file that holds the forward pass, the loss and its gradients, differentiated by
torch.

:func:`~magnitude_edge.export.gsnn.export_gsnn` leaves differentiation to the reader; this writes what
``torch.func.grad`` computes. It accepts models with nonlinearities or norms that the exporter does not know,
and it is an independent check of a reader's own gradients. The price is a fixed loss, a larger file and
operators such as ScatterND.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional as F

from .errors import ExportError
from .graph import GsnnModule
from .gsnn import Exported, note_training_mode, refuse_missing_folder, write
from .onnx_file import check_file, finish, to_onnx
from .profile import joint_names, metadata
from .rebuilt import RebuiltGsnn
from .rebuilt.opaque import refuse_scatter_mean
from .rebuilt.taps import ShiftedTaps
from .source import Source, prepare
from .unwrap import unwrap

LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "huber": F.huber_loss,
    "bce-with-logits": F.binary_cross_entropy_with_logits,
    "cross-entropy": F.cross_entropy,
}


def export_joint(
    model: GsnnModule, data: Any, path: str | os.PathLike[str], *, loss: str = "mse", reduction: str = "mean"
) -> Exported:
    """Writes forward pass, loss and gradients of a GSNN as one ONNX file with inputs ``x`` and ``y``.

    Metadata: ``"joint": true``, ``"target": "y"``, ``"loss": "loss"`` (the value's name), ``"lossKind"`` and
    ``"lossReduction"``, ``"gradPreNorm"`` and ``"gradActivation"`` (value names, one per block), in addition to
    those of every profile-v1 file.

    Args:
        model, data, path: as for :func:`~magnitude_edge.export.gsnn.export_gsnn`.
        loss: one of ``mse``, ``l1``, ``huber``, ``bce-with-logits``, ``cross-entropy`` (targets are
            probabilities).
        reduction: ``"mean"`` (torch's: over all elements, for cross-entropy over samples) or ``"sum"``.

    Raises:
        ExportError: as for ``export_gsnn``, but modules of unknown kind are copied; code ``"scatter-mean"``
            if one of them uses a ``scatter_reduce`` mean, ``"export"`` if torch.onnx cannot write an
            operator faithfully.
    """
    if loss not in LOSSES or reduction not in ("mean", "sum"):
        raise ExportError(
            "loss",
            f"loss must be one of {', '.join(LOSSES)} with reduction mean or sum; got {loss!r} with {reduction!r}",
        )
    model = unwrap(model)
    refuse_missing_folder(path)
    note_training_mode(model)
    source = prepare(model, data, allow_unknown=True)
    refuse_scatter_mean(source.rebuilt, source.example(2)["x"])
    names = joint_names(source.layers)
    step = Traced(Step(source.rebuilt, len(source.groups), loss, reduction), source)
    gsnn = metadata(
        model,
        source.graph,
        names.forward,
        source.groups,
        joint=True,
        target="y",
        loss=names.loss,
        lossKind=loss,
        lossReduction=reduction,
        gradPreNorm=names.grad_pre_norm,
        gradActivation=names.grad_activation,
    )
    try:
        proto = to_onnx(step, feed(source, 5), names.all, dynamo=True)
    except torch.onnx.OnnxExporterError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise ExportError("export", f"torch.onnx cannot write this model's gradients: {reason}") from error
    proto = finish(proto, gsnn, inner=[], unbatched=(names.loss,))
    check_file(proto, step, names.all, (feed(source, batch) for batch in (1, 4)))
    return write(proto, gsnn, path)


def feed(source: Source, batch: int) -> dict[str, torch.Tensor]:
    """Random inputs and targets; targets lie in (0, 1), which every loss accepts."""
    generator = torch.Generator().manual_seed(100 + batch)
    return source.example(batch) | {"y": torch.rand(batch, source.outputs, generator=generator)}


class Step(nn.Module):
    """``(x, y) -> (yhat, loss, pre-norm..., activation..., their gradients...)``.

    Gradients with respect to inner values are those with respect to shifts added to them, taken at zero.
    """

    def __init__(self, rebuilt: RebuiltGsnn, channels: int, loss: str, reduction: str):
        super().__init__()
        self.rebuilt, self.channels, self.loss, self.reduction = rebuilt, channels, loss, reduction

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
        def objective(shifts: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
            yhat, taps = self.rebuilt.run(x, taps=ShiftedTaps(shifts=shifts))
            value = LOSSES[self.loss](yhat, y, reduction=self.reduction)
            return value, (yhat, value, *taps.pre_norm, *taps.activation)

        shifts = tuple(x.new_zeros(x.shape[0], self.channels) for _ in range(2 * len(self.rebuilt.blocks)))
        gradients, values = torch.func.grad(objective, has_aux=True)(shifts)
        return (*values, *gradients)


class Traced(nn.Module):
    """A step as plain operators, with its tensors as buffers: torch.export refuses ``torch.func.grad``
    itself."""

    def __init__(self, step: Step, source: Source):
        super().__init__()
        tensors = dict(step.named_parameters()) | dict(step.named_buffers())

        def apart(x: torch.Tensor, y: torch.Tensor, *values: torch.Tensor) -> Any:
            replaced = dict(zip(tensors, values, strict=True))
            return torch.func.functional_call(step, replaced, (x, y), tie_weights=False)

        # Equal sizes share one symbol while tracing: the batch must not be taken for another axis.
        taken = {size for tensor in tensors.values() for size in tensor.shape} | {
            step.channels,
            source.outputs,
        }
        batch = next(size for size in range(5, 10_000) if size not in taken)
        values = [tensor.detach() for tensor in tensors.values()]
        self.graph = make_fx(apart, tracing_mode="symbolic")(*feed(source, batch).values(), *values)
        drop_unused(self.graph)
        self.count = len(values)
        for i, value in enumerate(values):
            self.register_buffer(f"tensor{i}", value)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
        values: tuple[torch.Tensor, ...] = self.graph(x, y, *(getattr(self, f"tensor{i}") for i in range(self.count)))
        return values


def drop_unused(graph: torch.fx.GraphModule) -> None:
    """Removes operators whose results are unused, and the tensors that only they held: tracing through
    ``torch.func.grad`` leaves size queries on wrapped tensors behind, which torch.export does not accept."""
    graph.graph.eliminate_dead_code()
    used = {node.target for node in graph.graph.nodes if node.op == "get_attr"}
    for name in [name for name, value in vars(graph).items() if torch.is_tensor(value) and name not in used]:
        delattr(graph, name)
    for name in [name for name in graph._buffers if name not in used]:
        delattr(graph, name)
    graph.recompile()
