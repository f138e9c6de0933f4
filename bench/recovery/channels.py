"""Activations and gradients of a trained model, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from networks import Network
from torch import nn
from training import BATCH, VALIDATION

from magnitude_edge.export.capture import capture
from magnitude_edge.export.source import function_of_channel
from reference import GSNN


@dataclass(frozen=True)
class Channels:
    """For layer pair p, activations of block p and gradients of block p + 1, float64 ``[P, n, K]``.

    Attributes:
        pre, post: activations before the block's norm, and as passed to ``lin_out``.
        gradients: of the loss by the pre-norm activations; batches of 128, mean squared error.
        nodes: function nodes; node i has the channels ``i K / nodes`` to ``(i + 1) K / nodes``.
    """

    pre: np.ndarray
    post: np.ndarray
    gradients: np.ndarray
    nodes: int

    @property
    def channels(self) -> int:
        """Channels per node."""
        return self.pre.shape[2] // self.nodes

    def magnitudes(self) -> tuple[np.ndarray, np.ndarray]:
        """``(x, y)``, each ``[P, n, N]``: the l1 norms over the channels of each node."""
        return tuple(
            np.abs(z).reshape(*z.shape[:2], self.nodes, self.channels).sum(axis=3) for z in (self.pre, self.gradients)
        )

    def summed(self) -> np.ndarray:
        """Post activations added up over the blocks so far: what an edge with one weight for all blocks would carry,
        since blocks add to their input."""
        return np.cumsum(self.post, axis=0)


def joined(batches: list[list[np.ndarray]]) -> np.ndarray:
    """One list of blocks per batch, concatenated to ``[blocks, n, K]``."""
    return np.stack([np.concatenate(block) for block in zip(*batches, strict=True)]).astype(np.float64)


def equal_groups(groups: list[int]) -> int:
    """The number of nodes, which must have equal numbers of channels, one node after the other."""
    nodes = max(groups) + 1
    if not np.array_equal(groups, np.repeat(np.arange(nodes), len(groups) // nodes)):
        raise ValueError("expected the same number of channels for every node, one node after the other")
    return nodes


def channels_of(model: GSNN, network: Network, permutation: np.ndarray | None = None) -> Channels:
    """Channels on the training samples, model in float64. ``permutation`` reorders the targets among the samples."""
    n = len(network.x) - VALIDATION
    x, y = torch.from_numpy(network.x[:n]), torch.from_numpy(network.y[:n])
    if permutation is not None:
        y = y[torch.from_numpy(permutation)]
    pre, post, gradients = [], [], []
    for batch_x, batch_y in zip(x.split(BATCH), y.split(BATCH), strict=True):
        batch = capture(model, batch_x, batch_y, nn.functional.mse_loss, dtype=torch.float64)
        pre.append([layer.numpy() for layer in batch.pre[:-1]])
        post.append([layer.numpy() for layer in batch.post[:-1]])
        gradients.append([layer.numpy() for layer in batch.grad_pre[1:]])
    return Channels(joined(pre), joined(post), joined(gradients), equal_groups(function_of_channel(model)))
