"""The torch route: forward and backward passes by torch, with the blocks' values reduced on the same device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch

from .errors import MagnitudeEdgeError
from .export.capture import differentiable, left_as_found, watched_blocks
from .export.graph import GsnnGraph, GsnnModule
from .export.profile import structure
from .export.rebuilt.products import SparseProduct
from .export.source import function_of_channel, prepare, refuse_few_layers
from .export.unwrap import unwrap

LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "mse": torch.nn.functional.mse_loss,
    "l1": torch.nn.functional.l1_loss,
    "huber": torch.nn.functional.huber_loss,
    "bce-with-logits": torch.nn.functional.binary_cross_entropy_with_logits,
    "cross-entropy": torch.nn.functional.cross_entropy,
}

Floats = np.ndarray[Any, np.dtype[np.float32]]

#: The prediction of one batch, and the value of every block.
Watched = tuple[torch.Tensor, Sequence[torch.Tensor]]


class TorchModel(ABC):
    """A GSNN that torch runs.

    Args:
        profile: describes it to the engine.
        groups: the function node of every channel.
    """

    def __init__(self, profile: dict[str, Any], groups: list[int], reduction: str, use_pre_norm: bool):
        self.profile, self.reduction, self.use_pre_norm = profile, reduction, use_pre_norm
        self._nodes = max(groups) + 1
        self._groups = torch.tensor(groups)
        each = len(groups) // self._nodes
        #: Channels per node, if all nodes have the same number of consecutive ones; else 0.
        self._each = each if groups == [node for node in range(self._nodes) for _ in range(each)] else 0

    @property
    @abstractmethod
    def _like(self) -> torch.Tensor:
        """A tensor with the device and dtype of the computation."""

    @abstractmethod
    def on(self, device: Any) -> AbstractContextManager[None]:
        """Moves the model to another device within the context; ``None`` leaves it where it is."""

    @abstractmethod
    def _run(self, x: torch.Tensor) -> AbstractContextManager[Watched]:
        """The forward pass; within the context its graph can be differentiated."""

    def values(
        self, x: Any, y: Any, loss: Callable[..., Any], *, index: int, targets: bool = False
    ) -> list[torch.Tensor]:
        """One batch, on the device that ran it: the activations of blocks 0 to L-2, then the gradients of blocks 1 to
        L-1, ``[batch, channels]`` each.

        Args:
            x: ``[batch, inputs]``.
            y: whatever ``loss(prediction, y)`` takes.
            index: of the batch, for messages.
            targets: whether ``y`` has one number per output node.

        Raises:
            MagnitudeEdgeError: ``batch-mismatch``, ``non-finite``; ``invalid-argument`` for a loss that is not one
                number. Exceptions of the model and the loss propagate.
        """
        like = self._like
        x = self._side(torch.as_tensor(x).to(like.device, like.dtype), "input", index)
        y = torch.as_tensor(y).to(like.device)
        if targets:
            y = self._side(y.to(like.dtype), "output", index)
            if len(y) != len(x):
                raise MagnitudeEdgeError("batch-mismatch", f"Batch {index}: x has {len(x)} rows, but y has {len(y)}.")
        with self._run(x) as (prediction, blocks):
            value = loss(prediction, y.clone() if y.is_inference() else y)
            if not (torch.is_tensor(value) and value.numel() == 1):
                given = list(value.shape) if torch.is_tensor(value) else type(value).__name__
                raise MagnitudeEdgeError("invalid-argument", f"The loss gave {given}; one number was expected.")
            gradients = torch.autograd.grad(value, blocks[1:], allow_unused=True, materialize_grads=True)
        return [z.detach().reshape(len(x), -1) for z in (*blocks[:-1], *gradients)]

    def _side(self, values: torch.Tensor, kind: str, index: int) -> torch.Tensor:
        """``[batch, nodes of that kind]``, checked; axes after the first are flattened."""
        names = self.profile["nodeNames"][kind]
        values = values.reshape(len(values), -1) if values.ndim != 2 else values
        if values.shape[1] != len(names):
            raise MagnitudeEdgeError(
                "batch-mismatch",
                f"Batch {index}: {'x' if kind == 'input' else 'y'} is {list(values.shape)}, but the model has "
                f"{len(names)} {kind} nodes.",
                {"batch": index},
            )
        wrong = ~torch.isfinite(values)
        if wrong.any():
            sample, node = (int(at) for at in wrong.nonzero()[0])
            found = str(float(values[sample, node])).replace("nan", "NaN").replace("inf", "Infinity")
            raise MagnitudeEdgeError(
                "non-finite",
                f"Batch {index} holds {found} for {kind} node '{names[node]}' in sample {sample}: every value must be "
                "finite; the statistics of earlier batches are unchanged.",
                {"batch": index, "node": names[node], "type": kind, "sample": sample},
            )
        return values

    def magnitudes(self, held: torch.Tensor) -> torch.Tensor:
        """``[batch, channels]`` to ``[batch, nodes]`` in float64: the norm over each node's channels."""
        power = torch.abs if self.reduction == "l1" else torch.square
        if self._each:
            # One channel of every node at a time, to avoid a float64 copy of all of them.
            by_node = held.reshape(-1, self._nodes, self._each)
            sums = power(by_node[:, :, 0].double())
            for channel in range(1, self._each):
                sums += power(by_node[:, :, channel].double())
        else:
            per_channel = power(held.double())
            sums = per_channel.new_zeros(len(held), self._nodes)
            sums.index_add_(1, self._groups.to(held.device), per_channel)
        return sums if self.reduction == "l1" else sums.sqrt()


class OwnModel(TorchModel):
    """The model itself, watched by hooks.

    Args:
        model: a GSNN, or a wrapper of one.
        data: what it was built from; ``None`` reads the graph from the model.

    Raises:
        ExportError: the model is not a GSNN, has fewer than two blocks, or disagrees with ``data``.
    """

    def __init__(self, model: GsnnModule, data: Any, reduction: str, use_pre_norm: bool):
        self.model = unwrap(model)
        refuse_few_layers(self.model)
        graph = GsnnGraph.from_model(self.model) if data is None else GsnnGraph.from_data(data)
        graph.check_against(self.model)
        groups = function_of_channel(self.model)
        super().__init__(structure(self.model, graph, groups), groups, reduction, use_pre_norm)

    @property
    def _like(self) -> torch.Tensor:
        return first_parameter(self.model)

    @contextmanager
    def on(self, device: Any) -> Iterator[None]:
        home = self._like.device
        if device is None or torch.device(device) == home:
            yield
            return
        self.model.to(device)
        try:
            yield
        finally:
            self.model.to(home)

    @contextmanager
    def _run(self, x: torch.Tensor) -> Iterator[Watched]:
        with left_as_found(self.model), watched_blocks(self.model) as (pre, post):
            yield self.model(differentiable(x)), pre if self.use_pre_norm else post


class RebuiltModel(TorchModel):
    """The model rebuilt from its parameters, with sparse layers as products, on the CPU. It is checked against the
    model and shares no tensor with it.

    Args:
        model, data: as for :class:`OwnModel`.

    Raises:
        ExportError: as in the exporter.
    """

    def __init__(self, model: GsnnModule, data: Any, reduction: str, use_pre_norm: bool):
        model = unwrap(model)
        with one_thread_less():
            source = prepare(model, data, sparse=SparseProduct, dtype=first_parameter(model).dtype)
        self._rebuilt = source.rebuilt
        profile = structure(model, source.graph, source.groups)
        super().__init__(profile, source.groups, reduction, use_pre_norm)

    @property
    def _like(self) -> torch.Tensor:
        return self._rebuilt.reads_input

    def on(self, device: Any) -> AbstractContextManager[None]:
        return one_thread_less()

    @contextmanager
    def _run(self, x: torch.Tensor) -> Iterator[Watched]:
        # A loss may draw random numbers.
        with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng([]):
            # The batch is the last axis in memory, as the products need it.
            prediction, taps = self._rebuilt.run(differentiable(x.t().contiguous()).t())
            yield prediction, taps.pre_norm if self.use_pre_norm else taps.activation


@contextmanager
def one_thread_less() -> Iterator[None]:
    """Leaves one of torch's threads to the engine, which works at the same time: threads in excess of the cores wait
    for each other, and torch's wait busily."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads - 1))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def on_host(values: torch.Tensor) -> Floats:
    """Row-major float32."""
    return values.float().cpu().contiguous().numpy()


def first_parameter(model: GsnnModule) -> torch.Tensor:
    parameter: torch.Tensor = next(iter(model.parameters()))
    return parameter


def torch_loss(crit: Any, name: str | None) -> Callable[..., Any]:
    """The loss to differentiate: ``crit`` itself, or torch's loss of that name."""
    return crit if callable(crit) else LOSSES[name or "mse"]
