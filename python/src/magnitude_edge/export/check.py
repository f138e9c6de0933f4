"""Checks the rebuilt model against the original: outputs, activations and gradients, before any file is written."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from .capture import Capture, Loss, capture, differentiable, differentiate
from .errors import ExportError
from .graph import GsnnModule
from .rebuilt import RebuiltGsnn

#: Largest deviation allowed, relative to the largest magnitude of the tensor compared.
TOLERANCE = {torch.float64: 1e-7, torch.float32: 5e-5}
SEED = 20_240_601


def capture_rebuilt(
    rebuilt: RebuiltGsnn,
    x: torch.Tensor,
    y: torch.Tensor,
    loss: Loss = nn.functional.mse_loss,
    edge_mask: torch.Tensor | None = None,
) -> Capture:
    """:func:`capture` for a rebuilt model, whose forward pass returns what hooks catch in the original."""
    with torch.enable_grad():
        yhat, taps = rebuilt.run(differentiable(x), edge_mask)
        return differentiate(yhat, y, loss, taps.pre_norm, taps.activation)


def check_rebuilt(
    model: GsnnModule, rebuilt: RebuiltGsnn, inputs: int, outputs: int, batches: Iterable[int] = (1, 5)
) -> None:
    """Compares both on random batches, in float64 if the original allows it, else in float32. Leaves the rebuilt model
    in the type of the comparison.

    Raises:
        ExportError: code ``"differs"`` when they differ, naming the first value that does; ``"original"`` when
            the original itself fails or gives NaN.
    """
    generator = torch.Generator().manual_seed(SEED)
    mask = (torch.rand(model.edge_index.shape[1], generator=generator) > 0.3).float() if rebuilt.edge_mask else None
    for batch in batches:
        x = torch.randn(batch, inputs, generator=generator)
        y = torch.randn(batch, outputs, generator=generator)
        reference, dtype = reference_capture(model, x, y, mask)
        rebuilt.to(dtype)
        ours = capture_rebuilt(rebuilt, x.to(dtype), y.to(dtype), edge_mask=None if mask is None else mask.to(dtype))
        compare(reference, ours, dtype)


def reference_capture(
    model: GsnnModule, x: torch.Tensor, y: torch.Tensor, mask: torch.Tensor | None
) -> tuple[Capture, torch.dtype]:
    """The original's capture and the type it was computed in."""
    device = model.edge_index.device
    extra: dict[str, Any] = {} if mask is None else {"edge_mask": mask.expand(x.shape[0], -1).to(device)}
    x, y = x.to(device), y.to(device)
    for dtype in (torch.float64, torch.float32):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return capture(model, x, y, dtype=dtype, **extra), dtype
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            failure = error  # the published model creates float32 tensors inside and cannot run in float64
    raise ExportError("original", f"the model itself fails on random inputs [{x.shape[0]}, {x.shape[1]}]: {failure}")


def compare(reference: Capture, ours: Capture, dtype: torch.dtype) -> None:
    pairs = [("yhat", reference.yhat, ours.yhat)]
    for field, label in (
        ("pre", "pre-norm activation"),
        ("post", "activation"),
        ("grad_pre", "gradient of the pre-norm activation"),
        ("grad_post", "gradient of the activation"),
    ):
        a, b = getattr(reference, field), getattr(ours, field)
        if len(a) != len(b):
            raise ExportError("differs", f"the model calls {len(a)} sparse layers, its blocks name {len(b)}")
        pairs += [(f"{label} of ResBlocks.{i}", *pair) for i, pair in enumerate(zip(a, b, strict=True))]
    for name, expected, found in pairs:
        expected, found = expected.cpu().double(), found.double()
        if not torch.isfinite(expected).all():
            raise ExportError("original", f"the model itself gives NaN or infinite values ({name}) on random inputs")
        if expected.shape != found.shape:
            raise ExportError(
                "differs", f"{name}: shape {list(expected.shape)} in the model, {list(found.shape)} rebuilt"
            )
        error = float((expected - found).abs().max() / expected.abs().max().clamp_min(1e-30))
        if not error <= TOLERANCE[dtype] and float((expected - found).abs().max()) > 1e-12:
            raise ExportError(
                "differs",
                f"the rebuilt model does not reproduce the original: {name} differs by "
                f"{error:.2g} of its largest value (allowed {TOLERANCE[dtype]:.0e}). The model "
                "computes something that its attributes do not show",
            )
