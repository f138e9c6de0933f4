"""Rebuilt form of a whole GSNN: the same function in evaluation mode, in operations that export well."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import ExportError
from ..graph import GsnnModule, homogeneous_kinds
from .blocks import RebuiltBlock
from .products import SparseProduct
from .read import array, finite_array
from .sparse import WeightedGather
from .taps import Taps

SparseLayer = WeightedGather | SparseProduct


class RebuiltGsnn(nn.Module):
    """Rebuilt from the original's indices, values, biases and norm parameters. Shares no tensor with it.

    The published forward pass keeps index tensors as long as the batch and cannot be exported; this one holds
    indices per sample only.

    Args:
        model: a GSNN, ours or the published package's.
        edge_mask: take a second input ``[edges]`` that multiplies the edge features before and after every
            block.
        allow_unknown: copy unknown norms and nonlinearities unchanged instead of refusing them.
        sparse: the class of its sparse layers: gathers, which have an ONNX form, or products, which torch runs faster.
    """

    blocks: Any  #: an ``nn.ModuleList`` of :class:`RebuiltBlock`
    edge_input: torch.Tensor
    reads_input: torch.Tensor

    def __init__(
        self,
        model: GsnnModule,
        edge_mask: bool = False,
        allow_unknown: bool = False,
        sparse: type[SparseLayer] = WeightedGather,
    ):
        super().__init__()
        self.edge_mask = edge_mask
        rebuilt: dict[int, SparseLayer] = {}

        def rebuilt_once(layer: Any, path: str) -> SparseLayer:
            if id(layer) not in rebuilt:
                rebuilt[id(layer)] = rebuilt_sparse(layer, path, sparse)
            return rebuilt[id(layer)]

        self.blocks = nn.ModuleList(
            RebuiltBlock(block, f"ResBlocks.{i}", rebuilt_once, allow_unknown)
            for i, block in enumerate(model.ResBlocks)
        )
        kinds, (source, target) = homogeneous_kinds(model), array(model.edge_index)
        input_of_node = np.cumsum(kinds == "input") - 1
        from_input = kinds[source] == "input"
        self.register_buffer("edge_input", torch.from_numpy(np.where(from_input, input_of_node[source], 0)))
        self.register_buffer("reads_input", torch.from_numpy(from_input.astype(np.float32)))
        self.read_out = read_out(kinds, target, model, sparse)

    def run(
        self, x: torch.Tensor, edge_mask: torch.Tensor | None = None, taps: Taps | None = None
    ) -> tuple[torch.Tensor, Taps]:
        """Inputs ``[batch, inputs]`` to outputs ``[batch, outputs]`` and the values tapped on the way."""
        taps = Taps() if taps is None else taps
        # Through the transpose, whose memory layout the result keeps: see `products`.
        edges = x.t().index_select(0, self.edge_input).t() * self.reads_input
        edges = edges if edge_mask is None else edges * edge_mask
        for block in self.blocks:
            edges = block(edges, taps)
            edges = edges if edge_mask is None else edges * edge_mask
        return self.read_out(edges), taps

    def forward(self, x: torch.Tensor, edge_mask: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
        """The outputs and every tap, flat, in the order of
        :func:`magnitude_edge.export.profile.value_names`."""
        yhat, taps = self.run(x, edge_mask)
        return (yhat, *taps.pre_norm, *taps.activation, *taps.constants)

    def count_constants(self) -> int:
        """The number of values of one pass that are constants to the gradient."""
        x = self.reads_input.new_zeros(1, int(self.edge_input.max()) + 1)
        return len(self.run(x)[1].constants)


def rebuilt_sparse(layer: Any, path: str, sparse: type[SparseLayer]) -> SparseLayer:
    """Rebuilt form of a sparse linear layer, from ``indices [2, entries]``, ``values`` and, if it has one,
    ``bias``."""
    indices, values = array(layer.indices), finite_array(layer.values, f"{path}.values").reshape(-1)
    if indices.shape != (2, values.size):
        raise ExportError("sparse", f"has {values.size} values for indices of shape {list(indices.shape)}", path)
    inputs, outputs = int(layer.N), int(layer.M)
    if values.size and (indices.min() < 0 or indices[0].max() >= inputs or indices[1].max() >= outputs):
        raise ExportError("sparse", f"has indices outside its size [{inputs}, {outputs}]", path)
    bias = getattr(layer, "bias", None)
    bias = None if bias is None else finite_array(bias, f"{path}.bias")
    return sparse(indices, values, (inputs, outputs), bias)


def read_out(kinds: np.ndarray, target: np.ndarray, model: GsnnModule, sparse: type[SparseLayer]) -> SparseLayer:
    """Edges to outputs: the sum over an output's edges, divided by the square root of their number and, if blocks
    are residual, by ``scale`` (the square root of the number of layers)."""
    output_of_node = np.cumsum(kinds == "output") - 1
    into_output = np.flatnonzero(kinds[target] == "output")
    output = output_of_node[target[into_output]]
    outputs = int((kinds == "output").sum())
    weight = 1 / np.sqrt(np.bincount(output, minlength=outputs)[output])
    if model.residual:
        scale = getattr(model, "scale", None)
        weight = weight / (len(model.ResBlocks) ** 0.5 if scale is None else float(scale))
    return sparse(np.stack([into_output, output]), weight, (target.size, outputs))
