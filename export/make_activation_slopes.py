"""Writes the exact slopes of activations, and those that torch computes in float32.

    python export/make_activation_slopes.py

``test/fixtures/activations/<case>.onnx``: one activation of ``x``, or a gate of ``x`` times ``a``, in the
operators that torch's exporters write, or in ONNX's own operator. ``slopes.npz``: the grid ``x`` and, for
each case, the slope (for a gate its value, which is the gradient of ``a``), computed with 240 digits and
rounded to float64, since formulas like 1 - tanh(x)^2 lose digits in float64, too; and the slope by torch's
autograd in float32 (``<case>.torch``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import mpmath as mp
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch.nn import functional as F

TARGET = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "activations"
Nodes = list[onnx.NodeProto]


def op(kind: str, inputs: str, output: str = "y", **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, inputs.split(), [output], **attributes)


GELU: Nodes = [
    op("Div", "x root2", "z"),
    op("Erf", "z", "e"),
    op("Add", "e one", "d"),
    op("Mul", "x half", "h"),
    op("Mul", "h d"),
]
GELU_TANH: Nodes = [
    op("Pow", "x three", "cube"),
    op("Mul", "cube bend", "c"),
    op("Add", "x c", "s"),
    op("Mul", "s root", "u"),
    op("Tanh", "u", "t"),
    op("Add", "t one", "d"),
    op("Mul", "x half", "h"),
    op("Mul", "h d"),
]
PAIR: Nodes = [
    op("Unsqueeze", "x last", "column"),
    op("Mul", "column zero", "rest"),
    op("Concat", "column rest", "pair", axis=1),
]
FIRST: Nodes = [op("Gather", "all index", "y", axis=1)]
CONSTANTS = {
    "root2": math.sqrt(2),
    "one": 1.0,
    "half": 0.5,
    "three": 3.0,
    "bend": 0.044715,
    "root": math.sqrt(2 / math.pi),
    "zero": 0.0,
}


def pair(x: torch.Tensor) -> torch.Tensor:
    return torch.stack([x, torch.zeros_like(x)], dim=1)


def gate(kind: str) -> Nodes:
    return [op(kind, "x", "g"), op("Mul", "a g")]


Activation = Callable[[torch.Tensor], torch.Tensor]
Exact = Callable[[mp.mpf], mp.mpf]


def sigmoid(x: mp.mpf) -> mp.mpf:
    return 1 / (1 + mp.exp(-x))


def softplus(x: mp.mpf) -> mp.mpf:
    return mp.log1p(mp.exp(x))


def elu(left: float, factor: float = 1, right: float = 1) -> Exact:
    return lambda x: right * x if x > 0 else left * mp.expm1(factor * x)


def gelu(x: mp.mpf) -> mp.mpf:
    return x * mp.ncdf(x)


def gelu_tanh(x: mp.mpf) -> mp.mpf:
    return x * sigmoid(2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))


def hard_sigmoid(x: mp.mpf) -> mp.mpf:
    return min(max(x / 6 + mp.mpf(1) / 2, mp.mpf(0)), mp.mpf(1))


SELU_ALPHA, SELU_GAMMA = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946

# name: (nodes, torch's function, the function itself, operator set)
CASES: dict[str, tuple[Nodes, Activation, Exact, int]] = {
    "elu": ([op("Elu", "x")], F.elu, elu(1), 18),
    "elu-alpha": ([op("Elu", "x", alpha=1.5)], lambda x: F.elu(x, 1.5), elu(1.5), 18),
    "selu": ([op("Selu", "x")], F.selu, elu(SELU_ALPHA * SELU_GAMMA, 1, SELU_GAMMA), 18),
    "celu": ([op("Celu", "x", alpha=0.5)], lambda x: F.celu(x, 0.5), elu(0.5, 2), 18),
    "sigmoid": ([op("Sigmoid", "x")], torch.sigmoid, sigmoid, 18),
    "silu": ([op("Sigmoid", "x", "s"), op("Mul", "x s")], F.silu, lambda x: x * sigmoid(x), 18),
    "silu-swish": ([op("Swish", "x")], F.silu, lambda x: x * sigmoid(x), 24),
    "softplus": ([op("Softplus", "x")], F.softplus, softplus, 18),
    "mish": (
        [op("Softplus", "x", "p"), op("Tanh", "p", "t"), op("Mul", "x t")],
        F.mish,
        lambda x: x * mp.tanh(softplus(x)),
        18,
    ),
    "mish-op": ([op("Mish", "x")], F.mish, lambda x: x * mp.tanh(softplus(x)), 18),
    "tanh": ([op("Tanh", "x")], torch.tanh, mp.tanh, 18),
    "tanhshrink": ([op("Tanh", "x", "t"), op("Sub", "x t")], F.tanhshrink, lambda x: x - mp.tanh(x), 18),
    "gelu": (GELU, F.gelu, gelu, 18),
    "gelu-op": ([op("Gelu", "x")], F.gelu, gelu, 20),
    "gelu-tanh": (GELU_TANH, lambda x: F.gelu(x, approximate="tanh"), gelu_tanh, 18),
    "gelu-tanh-op": (
        [op("Gelu", "x", approximate="tanh")],
        lambda x: F.gelu(x, approximate="tanh"),
        gelu_tanh,
        20,
    ),
    "hardswish": ([op("HardSwish", "x")], F.hardswish, lambda x: x * hard_sigmoid(x), 18),
    "hardsigmoid": ([op("HardSigmoid", "x", alpha=1 / 6)], F.hardsigmoid, hard_sigmoid, 18),
    "logsigmoid": ([op("Sigmoid", "x", "s"), op("Log", "s")], F.logsigmoid, lambda x: -softplus(-x), 18),
    "logsigmoid-softplus": (
        [op("Neg", "x", "n"), op("Softplus", "n", "p"), op("Neg", "p")],
        F.logsigmoid,
        lambda x: -softplus(-x),
        18,
    ),
    "softsign": ([op("Softsign", "x")], F.softsign, lambda x: x / (1 + abs(x)), 18),
    "softmax": (
        [*PAIR, op("Softmax", "pair", "all", axis=1), *FIRST],
        lambda x: pair(x).softmax(1)[:, 0],
        sigmoid,
        18,
    ),
    "log-softmax": (
        [*PAIR, op("LogSoftmax", "pair", "all", axis=1), *FIRST],
        lambda x: pair(x).log_softmax(1)[:, 0],
        lambda x: -softplus(-x),
        18,
    ),
    "sigmoid-gate": (gate("Sigmoid"), torch.sigmoid, sigmoid, 18),
    "softplus-gate": (gate("Softplus"), F.softplus, softplus, 18),
    "tanh-gate": (gate("Tanh"), torch.tanh, mp.tanh, 18),
}


def model(nodes: Nodes, opset: int) -> onnx.ModelProto:
    read = {name for node in nodes for name in node.input}
    constants = [helper.make_tensor(n, TensorProto.FLOAT, [], [v]) for n, v in CONSTANTS.items() if n in read]
    if "last" in read:
        constants.append(helper.make_tensor("last", TensorProto.INT64, [1], [1]))
        constants.append(helper.make_tensor("index", TensorProto.INT64, [], [0]))
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch"]) for n in ("x", "a") if n in read]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch"])]
    graph = helper.make_graph(nodes, "activation", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def slope(activation: Activation, x: torch.Tensor, gated: bool) -> np.ndarray:
    if gated:
        return activation(x).numpy()
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(activation(x).sum(), x)
    return gradient.numpy()


def exact_slope(function: Exact, x: torch.Tensor, gated: bool) -> np.ndarray:
    """Central differences with 240 digits and steps of 1e-60: far more accurate than float64."""
    step = mp.mpf(10) ** -60
    values = []
    for point in x.tolist():
        at = mp.mpf(point)
        values.append(function(at) if gated else (function(at + step) - function(at - step)) / (2 * step))
    return np.array([float(value) for value in values])


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    mp.mp.dps = 240
    # Avoids the kinks at 0 and 3.
    grid = torch.arange(-30 + 1 / 16, 30, 1 / 8, dtype=torch.float32)
    arrays: dict[str, np.ndarray] = {"x": grid.numpy()}
    for name, (nodes, activation, exact, opset) in CASES.items():
        gated = name.endswith("-gate")
        arrays[name] = exact_slope(exact, grid, gated)
        arrays[f"{name}.torch"] = slope(activation, grid, gated)
        in_double = slope(activation, grid.double(), gated)
        if not np.allclose(arrays[name], in_double, rtol=1e-7, atol=1e-14):
            raise AssertionError(f"{name} is another function than torch's")
        onnx.save(model(nodes, opset), TARGET / f"{name}.onnx")
    np.savez(TARGET / "slopes.npz", **arrays)


if __name__ == "__main__":
    main()
