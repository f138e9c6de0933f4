"""Reading the original module's tensors."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import ExportError
from .opaque import Opaque

#: Nonlinearities that export as plain ONNX operators. SELU and Mish are restated below.
NONLINEARITIES = (
    "ELU",
    "ReLU",
    "LeakyReLU",
    "GELU",
    "SiLU",
    "Softplus",
    "Tanh",
    "Sigmoid",
    "Mish",
    "SELU",
    "CELU",
    "Hardtanh",
    "ReLU6",
    "Identity",
)
PLAIN_LAYERS = ("Linear", "LayerNorm", "Dropout")


def class_name(module: object) -> str:
    return type(module).__name__


def array(tensor: torch.Tensor) -> np.ndarray:
    """A copy of a tensor as numpy."""
    values: np.ndarray = tensor.detach().cpu().numpy().copy()
    return values


def array_or_none(tensor: torch.Tensor | None) -> np.ndarray | None:
    return None if tensor is None else array(tensor)


def finite_array(tensor: torch.Tensor, path: str) -> np.ndarray:
    values = array(tensor)
    if not np.isfinite(values).all():
        bad = int(values.size - np.isfinite(values).sum())
        raise ExportError("non-finite", f"holds {bad} NaN or infinite values of {values.size}", path)
    return values


class Selu(nn.Module):
    """SELU as a scaled ELU (Klambauer et al. 2017, the constants of torch)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.elu(x, alpha=1.6732632423543772) * 1.0507009873554805


class Mish(nn.Module):
    """``x tanh(softplus(x))`` (Misra 2019)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.tanh(nn.functional.softplus(x))


class Affine(nn.Module):
    """``x W + b`` over the last axis. Written as a product because ``linear`` under ``torch.func.grad`` fixes
    the batch size while tracing (torch 2.13)."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, linear: Any):
        super().__init__()
        self.register_buffer("weight", linear.weight.detach().t().contiguous().cpu())
        self.register_buffer("bias", None if linear.bias is None else linear.bias.detach().clone().cpu())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.matmul(x, self.weight)
        return y if self.bias is None else y + self.bias


def rebuilt_nonlinearity(module: nn.Module, path: str, allow_unknown: bool = False) -> nn.Module:
    """A copy of a nonlinearity, never in place; an unknown one is refused or, on request, copied unchanged."""
    kind = class_name(module)
    if allow_unknown and kind not in NONLINEARITIES:
        return Opaque(module, path)
    if kind not in NONLINEARITIES:
        raise ExportError(
            "unknown-module",
            f"{kind} is not a nonlinearity that the exporter knows; it knows {', '.join(NONLINEARITIES)}",
            path,
        )
    if kind == "SELU":
        return Selu()
    if kind == "Mish":
        return Mish()
    rebuilt: Any = copy.deepcopy(module)
    if hasattr(rebuilt, "inplace"):
        rebuilt.inplace = False
    nonlinearity: nn.Module = rebuilt
    return nonlinearity


def rebuilt_sequential(module: nn.Module, path: str, allow_unknown: bool = False) -> nn.Sequential:
    """A copy of a stack of ordinary layers, without dropout."""
    layers = list(module) if isinstance(module, nn.Sequential) else [module]
    kept = []
    for i, layer in enumerate(layers):
        at, kind = f"{path}.{i}", class_name(layer)
        if kind == "Dropout":
            continue
        if kind in PLAIN_LAYERS:
            for name, parameter in layer.named_parameters():
                finite_array(parameter, f"{at}.{name}")
            kept.append(Affine(layer) if kind == "Linear" else copy.deepcopy(layer).cpu())
        else:
            kept.append(rebuilt_nonlinearity(layer, at, allow_unknown))
    return nn.Sequential(*kept).requires_grad_(False)
