"""A Graph Structured Neural Network: the reference module that fixtures are trained with.

Written from the published description of the model (attributes and mathematics), with the same attribute
names, so that the exporter reads this module and the published one alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from .blocks import ResBlock
from .sparse import SparseLinear, channel_patterns


class GSNN(nn.Module):
    """A network whose computation follows a given graph of input, function and output nodes.

    Features live on edges. Each of ``layers`` residual blocks lets every function node read its incoming
    edges and write its outgoing ones; the outputs read the edges into them, summed and divided by the square
    root of the in-degree.

    Args:
        edge_index_dict: int64 ``[2, edges]`` per ``(source type, "to", target type)``; not changed.
        node_names_dict: names per node type.
        channels: hidden channels per function node: one number, or one per function node.
        edge_channels: how many parallel features each function -> function edge carries.
        edge_weight_dict: edge signs for node attention, keyed as ``edge_index_dict``, ``[edges]`` each.
        checkpoint: gradient checkpointing while training. Activations are then not kept for edge inference.
        **block: options of :class:`ResBlock`.
    """

    def __init__(
        self,
        edge_index_dict: Mapping,
        node_names_dict: Mapping,
        channels: int | Sequence[int],
        layers: int,
        *,
        share_layers: bool = True,
        add_function_self_edges: bool = True,
        bias: bool = True,
        init: str = "degree_normalized",
        edge_channels: int = 1,
        checkpoint: bool = False,
        norm: str = "layer",
        residual: bool = True,
        edge_weight_dict: Mapping | None = None,
        **block,
    ):
        super().__init__()
        functions, inputs, outputs = (len(node_names_dict[kind]) for kind in ("function", "input", "output"))
        self.homo_names = [
            *node_names_dict["function"],
            *node_names_dict["input"],
            *node_names_dict["output"],
        ]
        self.num_nodes = functions + inputs + outputs
        self.layers, self.channels, self.norm = layers, channels, norm
        self.share_layers, self.residual, self.checkpoint = share_layers, residual, checkpoint
        self.add_function_self_edges, self.edge_channels = add_function_self_edges, edge_channels

        node = torch.arange(self.num_nodes)
        self.register_buffer("input_node_mask", (node >= functions) & (node < functions + inputs))
        self.register_buffer("output_node_mask", node >= functions + inputs)
        edge_index, edge_weight = homogeneous_edges(
            edge_index_dict, functions, inputs, edge_channels, add_function_self_edges, edge_weight_dict
        )
        self.register_buffer("edge_index", edge_index)
        self.E = edge_index.shape[1]

        per_node = torch.zeros(self.num_nodes, dtype=torch.long)
        per_node[:functions] = torch.as_tensor(channels, dtype=torch.long)
        in_indices, out_indices, groups = channel_patterns(edge_index, per_node)
        hidden = groups.numel()

        def sparse_pair():
            return (
                SparseLinear(in_indices, (self.E, hidden), bias, init),
                SparseLinear(out_indices, (hidden, self.E), bias, init),
            )

        shared = sparse_pair() if share_layers else None
        self.ResBlocks = nn.ModuleList(
            ResBlock(
                *(shared or sparse_pair()),
                groups.tolist(),
                norm=norm,
                residual=residual,
                edge_index=edge_index,
                edge_weight=edge_weight,
                **block,
            )
            for _ in range(layers)
        )
        self.scale = torch.tensor(float(layers) ** 0.5)

    def forward(self, x: torch.Tensor, edge_mask: torch.Tensor | None = None) -> torch.Tensor:
        """Inputs ``[batch, inputs]`` to outputs ``[batch, outputs]``.

        ``edge_mask``, ``[edges]`` or ``[batch, edges]``, multiplies the edge features before and after every
        block.
        """
        nodes = x.new_zeros(x.shape[0], self.num_nodes)
        nodes[:, self.input_node_mask] = x
        source, target = self.edge_index
        edges = nodes[:, source]
        if edge_mask is not None:
            edges = edges * edge_mask
        for block in self.ResBlocks:
            if self.checkpoint and self.training:
                edges = checkpoint(block, edges, use_reentrant=False)
            else:
                edges = block(edges)
            if edge_mask is not None:
                edges = edges * edge_mask
        if self.residual:
            edges = edges / self.scale
        in_degree = torch.bincount(target, minlength=self.num_nodes).clamp_min(1)
        sums = edges.new_zeros(x.shape[0], self.num_nodes).index_add(1, target, edges)
        return (sums / in_degree.to(x.dtype).sqrt())[:, self.output_node_mask]

    @torch.no_grad()
    def prune(self, threshold: float = 1e-2) -> int:
        """Drops the weights below ``threshold`` in every layer; returns how many. Shared layers are pruned
        once."""
        removed = 0
        for name in ("lin_in", "lin_out"):
            layers = list(dict.fromkeys(getattr(block, name) for block in self.ResBlocks))
            keep = torch.stack([layer.values.abs() for layer in layers]).amax(0) >= threshold
            removed += int((~keep).sum()) * len(layers)
            for layer in layers:
                layer.prune(keep)
        return removed


def homogeneous_edges(
    edge_index_dict: Mapping,
    functions: int,
    inputs: int,
    edge_channels: int,
    self_edges: bool,
    edge_weight_dict: Mapping | None,
):
    """All edges in one numbering (function, input, output nodes): function -> function edges first (repeated
    ``edge_channels`` times), then input -> function, function -> output, and the added self edges (of weight
    1).

    Returns:
        ``(edge_index [2, edges], edge_weight [edges] or None)``
    """
    kinds = (("function", "to", "function"), ("input", "to", "function"), ("function", "to", "output"))
    offsets = ((0, 0), (functions, 0), (0, functions + inputs))
    repeats = (edge_channels, 1, 1)
    index = [
        (torch.as_tensor(edge_index_dict[kind]).long() + torch.tensor(offset).unsqueeze(1)).repeat(1, times)
        for kind, offset, times in zip(kinds, offsets, repeats, strict=True)
    ]
    weight = (
        [
            torch.as_tensor(edge_weight_dict[kind]).float().repeat(times)
            for kind, times in zip(kinds, repeats, strict=True)
        ]
        if edge_weight_dict is not None
        else None
    )
    if self_edges:
        index.append(torch.arange(functions).repeat(2, 1))
        if weight is not None:
            weight.append(torch.ones(functions))
    return torch.cat(index, 1), torch.cat(weight) if weight is not None else None
