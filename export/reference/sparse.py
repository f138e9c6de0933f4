"""Sparse linear layer over a fixed pattern, and the patterns of a GSNN."""

from __future__ import annotations

import torch
from torch import nn

INITS = (
    "degree_normalized",
    "xavier_uniform",
    "xavier_normal",
    "kaiming_uniform",
    "kaiming_normal",
    "uniform",
    "normal",
    "zeros",
)


class SparseLinear(nn.Module):
    """``y[b, dst] = sum values[e] x[b, src] + bias[dst]`` over the entries e = (src, dst) of a fixed pattern.

    Attributes:
        indices: int64 ``[2, entries]``, (src, dst) of every non-zero weight.
        values: float ``[entries]``, the weights.
        bias: float ``[outputs, 1]``; absent when ``bias=False``.
        N, M: inputs and outputs.
    """

    def __init__(
        self, indices: torch.Tensor, size: tuple[int, int], bias: bool = True, init: str = "degree_normalized"
    ):
        super().__init__()
        self.N, self.M = (int(n) for n in size)
        self.register_buffer("indices", indices.long())
        self.values = nn.Parameter(initial_values(self.indices, self.N, self.M, init))
        if bias:
            self.bias = nn.Parameter(torch.zeros(self.M, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``x`` is ``[batch, N]`` or ``[batch, N, 1]``; returns ``[batch, M, 1]``."""
        x = x.reshape(x.shape[0], self.N)
        source, target = self.indices
        messages = x[:, source] * self.values
        y = messages.new_zeros(x.shape[0], self.M).index_add(1, target, messages)
        if hasattr(self, "bias"):
            y = y + self.bias.reshape(-1)
        return y.unsqueeze(-1)

    def prune(self, keep: torch.Tensor) -> None:
        """Keeps only the entries ``keep`` (int64 or bool over the entries)."""
        self.values = nn.Parameter(self.values.detach()[keep])
        self.indices = self.indices[:, keep]


def initial_values(indices: torch.Tensor, inputs: int, outputs: int, init: str) -> torch.Tensor:
    """Random weights whose scale follows the fan-in and fan-out of each entry (Glorot, He, or GCN style
    ``D^-1/2 A D^-1/2``)."""
    source, target = indices
    fan_in = torch.bincount(target, minlength=outputs)[target].float()
    fan_out = torch.bincount(source, minlength=inputs)[source].float()
    scale = {
        "degree_normalized": (fan_in * fan_out).rsqrt(),
        "xavier_uniform": (6 / (fan_in + fan_out)).sqrt(),
        "xavier_normal": (2 / (fan_in + fan_out)).sqrt(),
        "kaiming_uniform": (3 / fan_in).sqrt(),
        "kaiming_normal": fan_in.rsqrt(),
        "uniform": torch.ones_like(fan_in),
        "normal": torch.ones_like(fan_in),
        "zeros": torch.zeros_like(fan_in),
    }
    if init not in scale:
        raise ValueError(f"init is one of {', '.join(INITS)}; got {init!r}")
    draw = torch.randn(fan_in.shape) if init.endswith("normal") else torch.rand(fan_in.shape) * 2 - 1
    return draw * scale[init]


def channel_patterns(edge_index: torch.Tensor, channels: torch.Tensor):
    """The sparse patterns of ``lin_in`` and ``lin_out``.

    Every edge into a function node reaches all of the node's channels; every channel of a function node
    reaches all edges out of it.

    Args:
        edge_index: int64 ``[2, edges]``, homogeneous, function nodes first.
        channels: int64 ``[nodes]``, channels of every node (0 for input and output nodes).

    Returns:
        ``(in_indices [2, k], out_indices [2, k], channel_groups [channels])``
    """
    first = torch.cumsum(channels, 0) - channels
    source, target = edge_index

    def expand(nodes: torch.Tensor):
        """For every edge, the channels of ``nodes[edge]``: (edge ids, channel ids)."""
        counts = channels[nodes]
        edges = torch.repeat_interleave(torch.arange(nodes.numel()), counts)
        offset = torch.arange(edges.numel()) - torch.repeat_interleave(
            torch.cumsum(counts, 0) - counts, counts
        )
        return edges, first[nodes][edges] + offset

    in_edges, in_channels = expand(target)
    out_edges, out_channels = expand(source)
    groups = torch.repeat_interleave(torch.arange(channels.numel()), channels)
    return torch.stack([in_edges, in_channels]), torch.stack([out_channels, out_edges]), groups
