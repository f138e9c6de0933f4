"""Rebuilt form of one residual block."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..errors import ExportError
from .norms import rebuilt_norm
from .read import array, class_name, finite_array, rebuilt_nonlinearity, rebuilt_sequential
from .sparse import Groups, WeightedGather
from .taps import Taps

if TYPE_CHECKING:
    from .model import SparseLayer


class RebuiltAttention(nn.Module):
    """One sigmoid gate per node; its logits are optionally passed along signed edges first."""

    def __init__(self, attention: Any, nodes: int, path: str):
        super().__init__()
        self.mlp = rebuilt_sequential(attention.mlp, f"{path}.mlp")
        passing = attention.signed_message_passing
        self.passing = None
        if class_name(passing) == "SignedMessagePassing":
            index, weight = array(passing.edge_index), array(passing.edge_weight)
            between = (index < nodes).all(axis=0)
            if between.size != weight.size:
                raise ExportError(
                    "attention",
                    f"has {weight.size} edge weights for {between.size} edges",
                    f"{path}.signed_message_passing",
                )
            self.passing = WeightedGather(index[:, between], weight[between], (nodes, nodes))
        elif class_name(passing) != "Identity":
            raise ExportError(
                "unknown-module",
                f"{class_name(passing)} is not a message passing that the exporter "
                "knows; it knows SignedMessagePassing, Identity",
                f"{path}.signed_message_passing",
            )

    def forward(self, by_node: torch.Tensor) -> torch.Tensor:
        """``[batch, nodes, channels]`` to the same."""
        logits = self.mlp(by_node).squeeze(-1)
        if self.passing is not None:
            logits = self.passing(logits)
        gated: torch.Tensor = by_node * logits.sigmoid().unsqueeze(-1)
        return gated


class RebuiltBlock(nn.Module):
    """``lin_in``, norm and nonlinearity, node MLP, node attention, ``lin_out``, residual.

    Args:
        block: the original.
        path: its dotted path, for errors.
        sparse: returns the rebuilt form of a sparse layer, one per layer object, so that shared layers stay shared.
        allow_unknown: copy unknown norms and nonlinearities unchanged.
    """

    residual_weight: torch.Tensor

    def __init__(self, block: Any, path: str, sparse: Callable[[Any, str], SparseLayer], allow_unknown: bool = False):
        super().__init__()
        self.lin_in = sparse(block.lin_in, f"{path}.lin_in")
        self.lin_out = sparse(block.lin_out, f"{path}.lin_out")
        self.groups = Groups(array(block.channel_groups))
        self.edge_norm = rebuilt_norm(getattr(block, "_edge_norm", None), f"{path}._edge_norm", None, allow_unknown)
        self.norm = rebuilt_norm(block.norm, f"{path}.norm", self.groups, allow_unknown)
        self.nonlin = rebuilt_nonlinearity(block.nonlin, f"{path}.nonlin", allow_unknown)
        self.norm_first = bool(block.norm_first)
        mlp, attention = getattr(block, "mlp", None), getattr(block, "node_attn", None)
        if (mlp is not None or attention is not None) and not self.groups.uniform:
            raise ExportError(
                "ragged",
                "a node MLP or node attention needs the same number of consecutive channels in every node",
                path,
            )
        self.mlp = None
        if mlp is not None:
            self.mlp = rebuilt_sequential(getattr(mlp, "mlp", mlp), f"{path}.mlp.mlp", allow_unknown)
        self.attention = (
            None if attention is None else RebuiltAttention(attention, self.groups.nodes, f"{path}.node_attn")
        )
        self.residual = bool(block.residual)
        weight = torch.as_tensor(block.residual_weight)
        finite_array(weight, f"{path}.residual_weight")
        self.register_buffer("residual_weight", weight.detach().cpu().relu())

    def forward(self, x: torch.Tensor, taps: Taps) -> torch.Tensor:
        """Edge features ``[batch, edges]`` to the same."""
        h = taps.tap_pre_norm(self.lin_in(self.edge_norm(x, taps)))
        h = self.nonlin(self.norm(h, taps)) if self.norm_first else self.norm(self.nonlin(h), taps)
        if self.mlp is not None or self.attention is not None:
            h = self.groups.split(h)
            h = h if self.mlp is None else self.mlp(h)
            h = h if self.attention is None else self.attention(h)
            h = self.groups.join(h)
        h = taps.tap_activation(h)
        y: torch.Tensor = self.lin_out(h, onto=x, times=self.residual_weight) if self.residual else self.lin_out(h)
        return y
