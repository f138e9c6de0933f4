"""Sparse layers as sparse matrix products, for torch to run: several times faster than gathers and scatters.

A batch is best passed as the transpose of a contiguous ``[columns, batch]``: then every product reads and writes whole
rows, and the operations between them keep that memory layout.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import nn


class SparseProduct(nn.Module):
    """What :class:`~.sparse.WeightedGather` computes, as a product with a CSR matrix.

    Args:
        indices: integer ``[2, entries]``, (source, target); duplicate entries are summed.
        values: ``[entries]``.
        shape: numbers of sources and of targets.
        bias: one number per target, or ``None``.
    """

    matrix: torch.Tensor
    transposed: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, indices: np.ndarray, values: np.ndarray, shape: tuple[int, int], bias: np.ndarray | None = None):
        super().__init__()
        source, target = np.asarray(indices, dtype=np.int64)
        inputs, outputs = shape
        self.register_buffer("matrix", compressed_rows(target, source, np.asarray(values), (outputs, inputs)))
        self.register_buffer("transposed", compressed_rows(source, target, np.asarray(values), (inputs, outputs)))
        self.register_buffer("bias", None if bias is None else torch.as_tensor(bias).reshape(-1))

    def forward(
        self, x: torch.Tensor, onto: torch.Tensor | None = None, times: torch.Tensor | float = 1.0
    ) -> torch.Tensor:
        """``[batch, inputs]`` to ``[batch, outputs]``, plus ``times * onto``, with ``onto`` of the output's shape."""
        onto = None if onto is None else onto.t().contiguous()
        columns: torch.Tensor = _Product.apply(  # type: ignore[no-untyped-call]
            self, x.t().contiguous(), onto, float(times)
        )
        return columns.t()


class _Product(torch.autograd.Function):
    """The product of a layer's matrix, a constant, and ``[inputs, batch]``."""

    @staticmethod
    def forward(
        ctx: Any, layer: SparseProduct, x: torch.Tensor, onto: torch.Tensor | None, times: float
    ) -> torch.Tensor:
        ctx.layer, ctx.times = layer, times
        bias = None if layer.bias is None else layer.bias.unsqueeze(1)
        if onto is not None:
            out = onto * times if bias is None else torch.add(bias, onto, alpha=times)
        elif bias is not None:
            out = bias.repeat(1, x.shape[1])
        else:
            return torch.mm(layer.matrix, x)
        return torch.addmm(out, layer.matrix, x, out=out)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = gradients
        of_x = torch.mm(ctx.layer.transposed, gradient) if ctx.needs_input_grad[1] else None
        of_onto = gradient * ctx.times if ctx.needs_input_grad[2] and ctx.times != 1 else gradient
        return None, of_x, of_onto if ctx.needs_input_grad[2] else None, None


def compressed_rows(row: np.ndarray, column: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> torch.Tensor:
    """A CSR matrix with sorted rows and columns, and 32-bit indices, which the products need."""
    place, entry = np.unique(row * shape[1] + column, return_inverse=True)
    summed = np.bincount(entry.reshape(-1), weights=values.reshape(-1), minlength=place.size).astype(values.dtype)
    ends = np.concatenate([[0], np.cumsum(np.bincount(place // shape[1], minlength=shape[0]))])
    rows, columns = (torch.from_numpy(part.astype(np.int32)) for part in (ends, place % shape[1]))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta state")
        return torch.sparse_csr_tensor(rows, columns, torch.from_numpy(summed), shape, check_invariants=False)
