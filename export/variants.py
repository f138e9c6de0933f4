"""The GSNN variants that fixtures, tests and the table of exports share: small graphs, fixed seeds, every
option.

Parameters and running statistics are moved away from their initial values, so that no norm is the identity by
chance.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn

from magnitude_edge.export import GraphData
from reference import GSNN


@dataclass(frozen=True)
class Variant:
    """One model: its options, the graph it is built on, and what is done to it afterwards."""

    options: dict = field(default_factory=dict)
    graph: str = "small"
    pruned: bool = False
    signed: bool = False


NONLINEARITIES = {
    "elu": nn.ELU,
    "relu": nn.ReLU,
    "leakyrelu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "gelutanh": lambda: nn.GELU(approximate="tanh"),
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "mish": nn.Mish,
    "selu": nn.SELU,
}

#: name -> variant. The first part of a name is the norm, the second the nonlinearity, the rest what is
#: special.
VARIANTS: dict[str, Variant] = {
    "layer-elu": Variant(),
    "batch-relu": Variant({"norm": "batch", "nonlin": nn.ReLU}),
    "none-gelu-mlp": Variant({"norm": "none", "nonlin": nn.GELU, "node_mlp": True, "node_mlp_hidden": 5}),
    "groupbatch-tanh-unshared": Variant({"norm": "groupbatch", "nonlin": nn.Tanh, "share_layers": False}),
    "softmax-elu-after": Variant({"norm": "softmax", "norm_first": False}),
    "rms-silu": Variant({"norm": "rms", "nonlin": nn.SiLU}),
    "attention-signed": Variant({"norm": "layer", "node_attn": True, "attn_mlp_hidden": 6}, signed=True),
    "layer-elu-ragged": Variant({"channels": [3, 2, 4, 2, 5, 3, 2]}),
    "batchpp-sigmoid": Variant({"norm": "batch++", "nonlin": nn.Sigmoid}),
    "edgebatch-leakyrelu": Variant({"norm": "edgebatch", "nonlin": nn.LeakyReLU}),
    "ema-softplus": Variant({"norm": "ema", "nonlin": nn.Softplus}),
    "channelema-mish": Variant({"norm": "channelema", "nonlin": nn.Mish}),
    "rms-selu-ragged-after": Variant(
        {"norm": "rms", "nonlin": nn.SELU, "norm_first": False, "channels": [1, 2, 4, 2, 5, 3, 2]}
    ),
    "softmax-gelutanh-ragged": Variant(
        {"norm": "softmax", "nonlin": NONLINEARITIES["gelutanh"], "channels": [3, 2, 4, 2, 5, 3, 2]}
    ),
    "layer-gelu-edge-channels": Variant({"nonlin": nn.GELU, "edge_channels": 3}),
    "none-elu-no-bias-no-residual": Variant(
        {"norm": "none", "bias": False, "residual": False, "init": "uniform"}
    ),
    "groupbatch-elu-fixed-residual": Variant({"norm": "groupbatch", "learn_residual": False}),
    "layer-elu-pruned": Variant({"share_layers": False}, pruned=True),
    "layer-elu-cyclic": Variant({"add_function_self_edges": False}, graph="cyclic"),
    "attention-mlp-groupbatch": Variant({"norm": "groupbatch", "node_attn": True, "node_mlp": True}),
}


def graph_data(kind: str = "small") -> GraphData:
    """``small``: 4 inputs, 7 functions, 3 outputs, self edge and cycle included, 1 to 3 edges per output.
    ``cyclic``: one ring through all functions."""
    names = {
        "input": [f"in_{i}" for i in range(4)],
        "function": [f"gene_{i}" for i in range(7)],
        "output": [f"out_{i}" for i in range(3)],
    }
    between = {
        "small": [
            (0, 2),
            (1, 2),
            (0, 3),
            (1, 3),
            (2, 4),
            (3, 4),
            (2, 5),
            (4, 6),
            (5, 6),
            (6, 0),
            (3, 6),
            (5, 5),
        ],
        "cyclic": [(i, (i + 1) % 7) for i in range(7)] + [(3, 0), (0, 3)],
    }[kind]
    edges = {
        ("input", "to", "function"): [(0, 0), (1, 0), (1, 1), (2, 1), (3, 5), (2, 3)],
        ("function", "to", "function"): between,
        ("function", "to", "output"): [(4, 0), (5, 1), (6, 1), (4, 2), (5, 2), (6, 2)],
    }
    return GraphData(names, {key: torch.tensor(pairs).T for key, pairs in edges.items()})


def build(name: str, layers: int = 3, seed: int = 0) -> tuple[GSNN, GraphData]:
    """The model of a variant, in evaluation mode, and its graph."""
    variant = VARIANTS[name]
    data = graph_data(variant.graph)
    torch.manual_seed(seed)
    options = {"channels": 3, "layers": layers, **variant.options}
    if variant.signed:
        options["edge_weight_dict"] = {
            key: torch.randint(0, 2, (index.shape[1],)) * 2.0 - 1.0
            for key, index in data.edge_index_dict.items()
        }
    model = GSNN(data.edge_index_dict, data.node_names_dict, **options)
    perturb(model)
    if variant.pruned:
        model.prune(0.15)
    return model.eval(), data


@torch.no_grad()
def perturb(model: nn.Module) -> None:
    """Moves norm parameters, biases, residual weights and running statistics away from their initial
    values."""
    for name, parameter in model.named_parameters():
        if name.endswith(("values", "mlp.0.weight", "mlp.4.weight", "mlp.3.weight")):
            continue
        parameter.add_(0.25 * torch.randn_like(parameter))
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.copy_(0.3 * torch.randn_like(buffer))
        elif name.endswith("running_var"):
            buffer.copy_(0.5 + torch.rand_like(buffer))


def sample(data: GraphData, n: int, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Random inputs ``[n, inputs]`` and targets ``[n, outputs]``, float32."""
    generator = torch.Generator().manual_seed(seed)
    shapes = (n, len(data.node_names_dict["input"])), (n, len(data.node_names_dict["output"]))
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)
