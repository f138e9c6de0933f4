"""Per-node parts of a residual block that share their weights across nodes: the node MLP and node
attention."""

from __future__ import annotations

import torch
from torch import nn

from .norms import group_sum


class NodeMLP(nn.Module):
    """A two-layer perceptron applied to every node's channel vector: ``[batch, nodes, channels]`` to the
    same."""

    def __init__(self, channels: int, hidden: int, nonlin: type[nn.Module], dropout: float = 0.0):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden),
            nn.LayerNorm(hidden),
            nonlin(),
            nn.Dropout(dropout),
            nn.Linear(hidden, channels),
            nn.Dropout(dropout),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.mlp(x)


class SignedMessagePassing(nn.Module):
    """Sums a scalar per node over the incoming function -> function edges, weighted by the edges' signs.

    Attributes:
        edge_index: int64 ``[2, edges]``, homogeneous, function nodes first.
        edge_weight: float ``[edges]``.
    """

    def __init__(self, edge_weight: torch.Tensor, edge_index: torch.Tensor):
        super().__init__()
        self.register_buffer("edge_weight", edge_weight.float())
        self.register_buffer("edge_index", edge_index.long())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[batch, function nodes]`` to the same."""
        nodes = x.shape[1]
        between_functions = (self.edge_index < nodes).all(0)
        source, target = self.edge_index[:, between_functions]
        return group_sum(x[:, source] * self.edge_weight[between_functions], target, nodes)


class NodeAttention(nn.Module):
    """Multiplies every node's channels by one gate in (0, 1), computed from those channels by a shared MLP
    and, when the edges carry signs, passed once along them."""

    def __init__(self, channel_groups, channels: int = 16, edge_index=None, edge_weight=None):
        super().__init__()
        groups = torch.as_tensor(channel_groups, dtype=torch.long)
        self.register_buffer("channel_groups", groups)
        self.n_nodes = int(groups.max()) + 1
        self.channels_per_node = groups.numel() // self.n_nodes
        signed = edge_index is not None and edge_weight is not None
        self.signed_message_passing = (
            SignedMessagePassing(edge_weight, edge_index) if signed else nn.Identity()
        )
        self.mlp = nn.Sequential(
            nn.Linear(self.channels_per_node, channels),
            nn.ELU(),
            nn.LayerNorm(channels),
            nn.Linear(channels, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[batch, channels]`` (or with a trailing 1) to ``[batch, channels]``."""
        by_node = x.reshape(x.shape[0], self.n_nodes, self.channels_per_node)
        logits = self.signed_message_passing(self.mlp(by_node).squeeze(-1))
        return (by_node * logits.sigmoid().unsqueeze(-1)).flatten(1)
