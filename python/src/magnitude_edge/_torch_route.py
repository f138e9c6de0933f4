"""The torch route: the model's own forward and backward pass, what its blocks hold reduced where it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from .errors import MagnitudeEdgeError
from .export.capture import differentiable, left_as_found, watched_blocks
from .export.graph import GsnnGraph, homogeneous_kinds
from .export.gsnn import function_of_channel, refuse_few_layers
from .export.profile import structure
from .export.unwrap import unwrap

LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "mse": torch.nn.functional.mse_loss,
    "l1": torch.nn.functional.l1_loss,
    "huber": torch.nn.functional.huber_loss,
    "bce-with-logits": torch.nn.functional.binary_cross_entropy_with_logits,
    "cross-entropy": torch.nn.functional.cross_entropy,
}


class TorchModel:
    """A GSNN that torch runs.

    Args:
        model: a GSNN, or what wraps one.
        data: what it was built from; ``None`` reads the graph from the model.

    Raises:
        ExportError: for what is no GSNN, has fewer than two blocks, or disagrees with ``data``.
    """

    def __init__(self, model, data, reduction: str, use_pre_norm: bool):
        self.model = unwrap(model)
        self.reduction, self.use_pre_norm = reduction, use_pre_norm
        refuse_few_layers(self.model)
        graph = GsnnGraph.from_model(self.model) if data is None else GsnnGraph.from_data(data)
        graph.check_against(self.model)
        groups = function_of_channel(self.model)
        self.profile = structure(self.model, graph, groups)
        self._inputs = int((homogeneous_kinds(self.model) == "input").sum())
        self._groups = torch.tensor(groups)
        self._nodes = max(groups) + 1

    @property
    def device(self) -> torch.device:
        return next(iter(self.model.parameters())).device

    @contextmanager
    def on(self, device) -> Iterator[None]:
        """The model on another device within, and back after; ``None`` leaves it where it is."""
        home = self.device
        if device is None or torch.device(device) == home:
            yield
            return
        self.model.to(device)
        try:
            yield
        finally:
            self.model.to(home)

    def values(self, x, y, loss: Callable, *, index: int, channels: bool) -> list[np.ndarray]:
        """One batch: float32 values of the activations of blocks 0 to L-2, then of the gradients of blocks 1 to L-1.

        Args:
            x: ``[batch, inputs]``.
            y: whatever ``loss(prediction, y)`` takes.
            index: of the batch, for messages.
            channels: ``[batch, channels]`` each, else magnitudes ``[batch, nodes]``.

        Raises:
            MagnitudeEdgeError: ``batch-mismatch``; ``invalid-argument`` for a loss that is not one number; what the
                model and the loss raise comes through.
        """
        parameter = next(iter(self.model.parameters()))
        x = torch.as_tensor(x).to(parameter.device, parameter.dtype)
        x = x.reshape(len(x), -1) if x.ndim != 2 else x
        if x.shape[1] != self._inputs:
            raise MagnitudeEdgeError(
                "batch-mismatch", f"Batch {index}: x is {list(x.shape)}, and the model has {self._inputs} input nodes."
            )
        y = torch.as_tensor(y).to(parameter.device)
        with left_as_found(self.model), watched_blocks(self.model) as (pre, post):
            prediction = self.model(differentiable(x))
            value = loss(prediction, y.clone() if y.is_inference() else y)
            if not (torch.is_tensor(value) and value.numel() == 1):
                given = list(value.shape) if torch.is_tensor(value) else type(value).__name__
                raise MagnitudeEdgeError("invalid-argument", f"The loss gave {given}; one number was expected.")
            blocks = pre if self.use_pre_norm else post
            gradients = torch.autograd.grad(value, blocks[1:], allow_unused=True, materialize_grads=True)
        held = torch.stack([z.detach().reshape(len(x), -1) for z in (*blocks[:-1], *gradients)])
        return list((held if channels else self._magnitudes(held)).float().cpu().numpy())

    def _magnitudes(self, held: torch.Tensor) -> torch.Tensor:
        """``[values, batch, channels]`` to ``[values, batch, nodes]``: the norm over each node's channels."""
        held = held.to(torch.promote_types(held.dtype, torch.float32))
        per_channel = held.abs() if self.reduction == "l1" else held.square()
        sums = held.new_zeros(*held.shape[:2], self._nodes)
        sums.index_add_(2, self._groups.to(held.device), per_channel)
        return sums if self.reduction == "l1" else sums.sqrt()


def torch_loss(crit: Any, name: str | None) -> Callable:
    """What differentiates: ``crit`` itself, or torch's loss of that name."""
    return crit if callable(crit) else LOSSES[name or "mse"]
