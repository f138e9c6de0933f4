"""One residual block of a GSNN, over edge features."""

from __future__ import annotations

import torch
from torch import nn

from .attention import NodeAttention, NodeMLP
from .norms import make_norms
from .sparse import SparseLinear


class ResBlock(nn.Module):
    """edges -> ``lin_in`` -> channels -> norm and nonlinearity -> [node MLP] -> [node attention] ->
    ``lin_out`` -> edges, plus ``relu(residual_weight)`` times the block's input.

    The *pre-norm* activation is what ``lin_in`` returns; the *post* activation is what ``lin_out`` is given.
    """

    def __init__(
        self,
        lin_in: SparseLinear,
        lin_out: SparseLinear,
        channel_groups: list[int],
        *,
        nonlin: type[nn.Module] = nn.ELU,
        norm: str = "layer",
        norm_first: bool = True,
        affine: bool = True,
        residual: bool = True,
        learn_residual: bool = True,
        dropout: float = 0.0,
        node_mlp: bool = False,
        node_mlp_hidden: int = 16,
        node_attn: bool = False,
        attn_mlp_hidden: int = 16,
        edge_index=None,
        edge_weight=None,
    ):
        super().__init__()
        groups = torch.as_tensor(channel_groups, dtype=torch.long)
        self.register_buffer("channel_groups", groups)
        self.n_nodes = int(groups.max()) + 1
        self.channels_per_node = groups.numel() // self.n_nodes
        if (node_mlp or node_attn) and torch.bincount(groups).unique().numel() != 1:
            raise ValueError("a node MLP or node attention needs the same number of channels in every node")
        self.lin_in, self.lin_out = lin_in, lin_out
        self.norm, edge_norm = make_norms(norm, channel_groups, lin_in.N, affine)
        if edge_norm is not None:
            self._edge_norm = edge_norm
        self.nonlin = nonlin()
        self.norm_first = norm_first
        self.residual = residual
        self.dropout = dropout
        self.residual_weight = nn.Parameter(torch.tensor(1.0)) if learn_residual else 1.0
        self.mlp = NodeMLP(self.channels_per_node, node_mlp_hidden, nonlin, dropout) if node_mlp else None
        self.node_attn = (
            NodeAttention(channel_groups, attn_mlp_hidden, edge_index, edge_weight) if node_attn else None
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Edge features ``[batch, edges]`` to the same."""
        h = self.lin_in(self._edge_norm(x) if hasattr(self, "_edge_norm") else x)
        h = self.nonlin(self.norm(h)) if self.norm_first else self.norm(self.nonlin(h))
        h = nn.functional.dropout(h, self.dropout, self.training)
        if self.mlp is not None:
            h = self.mlp(h.reshape(-1, self.n_nodes, self.channels_per_node)).flatten(1)
        if self.node_attn is not None:
            h = self.node_attn(h)
        out = self.lin_out(h).squeeze(-1)
        if self.residual:
            out = out + torch.relu(torch.as_tensor(self.residual_weight)) * x
        return out
