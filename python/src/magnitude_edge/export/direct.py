"""Writes a rebuilt model's ONNX graph node by node, without tracing: some hundred nodes in milliseconds.

One function per module of :mod:`magnitude_edge.export.rebuilt`, in the order of its forward pass;
:func:`magnitude_edge.export.onnx_file.check_file` checks the file against the module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from .errors import ExportError
from .onnx_file import OPSET
from .profile import ValueNames
from .rebuilt import RebuiltGsnn
from .rebuilt.blocks import RebuiltAttention, RebuiltBlock
from .rebuilt.model import SparseLayer
from .rebuilt.norms import Grouped, LayerNorm, NoNorm, RMSNorm, Running, Softmax
from .rebuilt.read import Affine, Mish, Selu, class_name
from .rebuilt.sparse import Groups, WeightedGather

#: The IR version that came with opset 18, so that older readers accept the file.
IR_VERSION = 8


class GraphWriter:
    """Collects nodes and initializers. A tensor that several nodes read is stored once."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._names: dict[tuple[object, ...], str] = {}
        self._held: list[torch.Tensor] = []  # keeps identities valid

    def op(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Appends a node; returns the name of its output, ``name`` or a new one."""
        output = name or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"n{len(self.nodes)}", **attributes))
        return output

    def tensor(self, value: torch.Tensor, *, flat: bool = False) -> str:
        """A buffer as an initializer, float32 or int64; in its own shape, or flattened."""
        key = (id(value), flat)
        if key not in self._names:
            self._held.append(value)
            array = value.detach().cpu().numpy()
            self._names[key] = self._store(array.reshape(-1) if flat else array)
        return self._names[key]

    def number(self, value: float) -> str:
        return self._constant(np.float32(value))

    def shape(self, *extents: int) -> str:
        """Extents or axes; -1 is the batch."""
        return self._constant(np.asarray(extents, np.int64))

    def _constant(self, value: np.ndarray | np.generic) -> str:
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self._names:
            self._names[key] = self._store(np.asarray(value))
        return self._names[key]

    def _store(self, value: np.ndarray) -> str:
        value = value.astype(np.float32) if value.dtype.kind == "f" else value
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name


def write_onnx(rebuilt: RebuiltGsnn, names: ValueNames, sizes: dict[str, int]) -> onnx.ModelProto:
    """The rebuilt model's forward pass as a graph.

    Args:
        rebuilt: in float32.
        names: of the values that the metadata refers to.
        sizes: columns of ``x`` and of the output and, if the rebuilt model takes it, ``edge_mask``; by name.
    """
    writer = GraphWriter()
    write_model(writer, rebuilt, names)

    def value(name: str, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    channels = rebuilt.blocks[0].groups.channels
    inputs = [value("x", "batch", sizes["x"])]
    if rebuilt.edge_mask:
        inputs.append(value("edge_mask", sizes["edge_mask"]))
    outputs = [value(names.output, "batch", sizes[names.output])]
    outputs += [value(name, "batch", channels) for name in (*names.pre_norm, *names.activation)]
    graph = helper.make_graph(writer.nodes, "gsnn", inputs, outputs, writer.initializers)
    opset = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)


def write_model(w: GraphWriter, rebuilt: RebuiltGsnn, names: ValueNames) -> None:
    def masked(value: str) -> str:
        return w.op("Mul", value, "edge_mask") if rebuilt.edge_mask else value

    stops = iter(names.constants)
    edges = w.op("Gather", "x", w.tensor(rebuilt.edge_input), axis=1)
    edges = masked(w.op("Mul", edges, w.tensor(rebuilt.reads_input)))
    for block, pre, post in zip(rebuilt.blocks, names.pre_norm, names.activation, strict=True):
        edges = masked(write_block(w, block, edges, pre, post, stops))
    write_gather(w, rebuilt.read_out, edges, names.output)


def write_block(w: GraphWriter, block: RebuiltBlock, x: str, pre: str, post: str, stops: Iterator[str]) -> str:
    h = write_gather(w, block.lin_in, write_norm(w, block.edge_norm, x, stops), pre)
    steps = [lambda v: write_norm(w, block.norm, v, stops), lambda v: write_layer(w, block.nonlin, v)]
    for step in steps if block.norm_first else reversed(steps):
        h = step(h)
    if block.mlp is not None or block.attention is not None:
        h = write_split(w, block.groups, h)
        h = h if block.mlp is None else write_sequence(w, block.mlp, h)
        h = h if block.attention is None else write_attention(w, block.attention, block.groups, h)
        h = write_join(w, block.groups, h)
    # The value needs a name of its own: without norm and nonlinearity it is `pre`.
    out = write_gather(w, block.lin_out, w.op("Identity", h, name=post))
    return w.op("Add", out, w.op("Mul", w.tensor(block.residual_weight), x)) if block.residual else out


def write_gather(w: GraphWriter, gather: SparseLayer, x: str, name: str | None = None) -> str:
    """See :meth:`WeightedGather.forward`. The last node's output is ``name``."""
    if not isinstance(gather, WeightedGather):
        raise TypeError(f"no ONNX form of {class_name(gather)}")
    parts = []
    for k in range(gather.buckets):
        weight = getattr(gather, f"weight{k}")
        gathered = w.op("Gather", x, w.tensor(getattr(gather, f"index{k}")), axis=1)
        if weight.shape[1] > 1:
            gathered = w.op("Reshape", gathered, w.shape(-1, *weight.shape))
            parts.append(w.op("ReduceSum", w.op("Mul", gathered, w.tensor(weight)), w.shape(-1), keepdims=0))
        else:
            parts.append(w.op("Mul", gathered, w.tensor(weight, flat=True)))
    y = parts[0] if len(parts) == 1 else w.op("Concat", *parts, axis=1)
    if gather.order is not None:
        y = w.op("Gather", y, w.tensor(gather.order), axis=1)
    if gather.bias is not None:
        return w.op("Add", y, w.tensor(gather.bias), name=name)
    return w.op("Identity", y, name=name) if name else y


def write_split(w: GraphWriter, groups: Groups, x: str) -> str:
    return w.op("Reshape", x, w.shape(-1, groups.nodes, groups.sizes)) if groups.uniform else x


def write_join(w: GraphWriter, groups: Groups, h: str) -> str:
    return w.op("Reshape", h, w.shape(-1, groups.channels)) if groups.uniform else h


def write_sum(w: GraphWriter, groups: Groups, h: str) -> str:
    if groups.uniform:
        return w.op("ReduceSum", h, w.shape(-1), keepdims=1)
    return w.op("Gather", write_gather(w, groups.add, h), w.tensor(groups.of_channel), axis=1)


def write_max(w: GraphWriter, groups: Groups, h: str) -> str:
    if groups.uniform:
        return w.op("ReduceMax", h, w.shape(-1), keepdims=1)
    gathered = w.op("Gather", h, w.tensor(groups.padded), axis=1)
    padded = w.op("Reshape", gathered, w.shape(-1, groups.nodes, groups.padded.numel() // groups.nodes))
    largest = w.op("ReduceMax", padded, w.shape(-1), keepdims=0)
    return w.op("Gather", largest, w.tensor(groups.of_channel), axis=1)


def write_size(w: GraphWriter, groups: Groups, less: int = 0) -> str:
    """Channels per node, ``less`` fewer."""
    if groups.uniform:
        return w.number(groups.sizes - less)
    size = w.tensor(groups.size_of_channel)
    return w.op("Sub", size, w.number(less)) if less else size


def write_norm(w: GraphWriter, norm: nn.Module, x: str, stops: Iterator[str]) -> str:
    if isinstance(norm, NoNorm):
        return x
    if isinstance(norm, Running):
        y = w.op("Mul", w.op("Sub", x, w.tensor(norm.mean)), w.tensor(norm.scale))
        return y if norm.shift is None else w.op("Add", y, w.tensor(norm.shift))
    if not isinstance(norm, Grouped):
        raise TypeError(f"no ONNX form of {class_name(norm)}")
    y = write_join(w, norm.groups, write_normalised(w, norm, write_split(w, norm.groups, x), stops))
    y = y if norm.gamma is None else w.op("Mul", y, w.tensor(norm.gamma))
    return y if norm.beta is None else w.op("Add", y, w.tensor(norm.beta))


def write_normalised(w: GraphWriter, norm: Grouped, h: str, stops: Iterator[str]) -> str:
    """What :meth:`normalise` of the three grouped norms computes; constants take the next names of ``stops``."""
    groups, eps = norm.groups, w.number(norm.eps)
    if isinstance(norm, LayerNorm):
        mean = w.op("Div", write_sum(w, groups, h), write_size(w, groups), name=next(stops))
        centred = w.op("Sub", h, mean)
        squares = write_sum(w, groups, w.op("Mul", centred, centred))
        deviation = w.op("Sqrt", w.op("Div", squares, write_size(w, groups, 1)))
        return w.op("Div", centred, w.op("Add", deviation, eps, name=next(stops)))
    if isinstance(norm, RMSNorm):
        mean_square = w.op("Div", write_sum(w, groups, w.op("Mul", h, h)), write_size(w, groups))
        return w.op("Div", h, w.op("Sqrt", w.op("Add", mean_square, eps)))
    if isinstance(norm, Softmax):
        largest = w.op("Identity", write_max(w, groups, h), name=next(stops))
        e = w.op("Exp", w.op("Sub", h, largest))
        return w.op("Div", e, w.op("Add", write_sum(w, groups, e), eps))
    raise TypeError(f"no ONNX form of {class_name(norm)}")


def write_attention(w: GraphWriter, attention: RebuiltAttention, groups: Groups, by_node: str) -> str:
    logits = w.op("Reshape", write_sequence(w, attention.mlp, by_node), w.shape(-1, groups.nodes))
    if attention.passing is not None:
        logits = write_gather(w, attention.passing, logits)
    gate = w.op("Reshape", w.op("Sigmoid", logits), w.shape(-1, groups.nodes, 1))
    return w.op("Mul", by_node, gate)


def write_sequence(w: GraphWriter, layers: nn.Sequential, x: str) -> str:
    for layer in layers:
        x = write_layer(w, layer, x)
    return x


def write_layer(w: GraphWriter, layer: Any, x: str) -> str:
    """An ordinary layer or a nonlinearity, by torch's formulas."""
    if isinstance(layer, Affine):
        y = w.op("MatMul", x, w.tensor(layer.weight))
        return y if layer.bias is None else w.op("Add", y, w.tensor(layer.bias))
    write = LAYERS.get(class_name(layer))
    if write is None:
        raise ExportError("unknown-module", f"{class_name(layer)} has no ONNX form that the exporter knows")
    return write(w, layer, x)


def write_layer_norm(w: GraphWriter, layer: nn.LayerNorm, x: str) -> str:
    scale = torch.ones(layer.normalized_shape) if layer.weight is None else layer.weight
    inputs = [x, w.tensor(scale), *([] if layer.bias is None else [w.tensor(layer.bias)])]
    return w.op("LayerNormalization", *inputs, axis=-len(layer.normalized_shape), epsilon=float(layer.eps))


def write_gelu(w: GraphWriter, layer: nn.GELU, x: str) -> str:
    half = w.op("Mul", x, w.number(0.5))
    if layer.approximate == "tanh":
        cube = w.op("Mul", w.op("Mul", x, x), x)
        inner = w.op("Add", x, w.op("Mul", cube, w.number(0.044715)))
        bent = w.op("Tanh", w.op("Mul", inner, w.number(np.sqrt(2 / np.pi))))
    else:
        bent = w.op("Erf", w.op("Mul", x, w.number(np.sqrt(0.5))))
    return w.op("Mul", half, w.op("Add", bent, w.number(1)))


def write_softplus(w: GraphWriter, layer: nn.Softplus | None, x: str) -> str:
    """Above its threshold torch returns x itself, less than 2.1e-9 away at the default threshold."""
    beta = 1.0 if layer is None else float(layer.beta)
    if layer is not None and float(layer.threshold) < 15:
        raise ExportError(
            "unknown-module",
            f"Softplus has threshold {layer.threshold:g}, which no file can hold: 15 or more is exported faithfully",
        )
    if beta == 1:
        return w.op("Softplus", x)
    return w.op("Div", w.op("Softplus", w.op("Mul", x, w.number(beta))), w.number(beta))


def write_selu(w: GraphWriter, _layer: Selu, x: str) -> str:
    return w.op("Mul", w.op("Elu", x, alpha=1.6732632423543772), w.number(1.0507009873554805))


def write_mish(w: GraphWriter, _layer: Mish, x: str) -> str:
    return w.op("Mul", x, w.op("Tanh", write_softplus(w, None, x)))


def write_clip(w: GraphWriter, layer: nn.Hardtanh, x: str) -> str:
    return w.op("Clip", x, w.number(layer.min_val), w.number(layer.max_val))


LAYERS: dict[str, Callable[..., str]] = {
    "LayerNorm": write_layer_norm,
    "ELU": lambda w, layer, x: w.op("Elu", x, alpha=float(layer.alpha)),
    "CELU": lambda w, layer, x: w.op("Celu", x, alpha=float(layer.alpha)),
    "ReLU": lambda w, _, x: w.op("Relu", x),
    "LeakyReLU": lambda w, layer, x: w.op("LeakyRelu", x, alpha=float(layer.negative_slope)),
    "GELU": write_gelu,
    "SiLU": lambda w, _, x: w.op("Mul", x, w.op("Sigmoid", x)),
    "Softplus": write_softplus,
    "Tanh": lambda w, _, x: w.op("Tanh", x),
    "Sigmoid": lambda w, _, x: w.op("Sigmoid", x),
    "Mish": write_mish,
    "Selu": write_selu,
    "Hardtanh": write_clip,
    "ReLU6": write_clip,
    "Identity": lambda _w, _, x: x,
}
