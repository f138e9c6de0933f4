"""Trains a reference GSNN on a drawn network."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from networks import Network, Setting
from torch import nn

from magnitude_edge.export import GraphData
from reference import GSNN
from reference.sparse import SparseLinear

MODELS = Path(__file__).parent / "out"
BATCH = 128
VALIDATION = 500
LEARNING_RATE = 5e-3


class SparseProduct(torch.autograd.Function):
    """``y[:, dst] += values x[:, src]`` as a product with a compressed sparse matrix, features first.

    The same function as :class:`SparseLinear`, without its intermediate of one column per entry.
    """

    @staticmethod
    def forward(ctx, x, values, indices, size):
        inputs, outputs = size
        source, target = indices
        x = x.T.contiguous()
        ctx.save_for_backward(x, values, indices)
        ctx.size = size
        return torch.sparse.mm(torch.sparse_coo_tensor(torch.stack([target, source]), values, (outputs, inputs)), x).T

    @staticmethod
    def backward(ctx, gradient):
        x, values, indices = ctx.saved_tensors
        inputs, outputs = ctx.size
        source, target = indices
        gradient = gradient.T.contiguous()
        into_x = torch.sparse.mm(torch.sparse_coo_tensor(indices, values, (inputs, outputs)), gradient).T
        return into_x, (x[source] * gradient[target]).sum(1), None, None


def fast_forward(self: SparseLinear, x: torch.Tensor) -> torch.Tensor:
    y = SparseProduct.apply(x.reshape(x.shape[0], self.N), self.values, self.indices, (self.N, self.M))
    return (y + self.bias.reshape(-1)).unsqueeze(-1)


def graph_of(network: Network, functions: int, added=()) -> GraphData:
    """The graph given to the model: the known edges, and ``added`` ones."""
    between = np.concatenate([network.known, np.asarray(added, np.int64).reshape(-1, 2)])
    names = {
        "input": [f"in{i}" for i in range(network.inputs)],
        "function": [f"f{i}" for i in range(functions)],
        "output": [f"o{i}" for i in range(network.outputs)],
    }
    edges = {
        ("input", "to", "function"): network.into,
        ("function", "to", "function"): between,
        ("function", "to", "output"): network.out_of,
    }
    return GraphData(names, {kind: torch.from_numpy(np.ascontiguousarray(pairs.T)) for kind, pairs in edges.items()})


def model_of(setting: Setting, network: Network, added=()) -> tuple[GSNN, GraphData]:
    """An untrained model on the known edges and ``added`` ones."""
    data = graph_of(network, setting.functions, added)
    options = {"share_layers": setting.share_layers, "node_mlp": setting.node_mlp, "norm": setting.norm}
    return GSNN(data.edge_index_dict, data.node_names_dict, setting.channels, setting.layers, **options), data


def train(setting: Setting, network: Network, epochs: int, added=(), seed: int = 0) -> tuple[GSNN, GraphData, float]:
    """Adam on the mean squared error; keeps the epoch of the lowest loss on unseen samples, and returns that loss."""
    torch.manual_seed(seed)
    model, data = model_of(setting, network, added)
    for module in model.modules():
        if isinstance(module, SparseLinear):
            module.forward = fast_forward.__get__(module)
    x, y = torch.from_numpy(network.x), torch.from_numpy(network.y)
    (x, unseen_x), (y, unseen_y) = (side.split([len(x) - VALIDATION, VALIDATION]) for side in (x, y))
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    best, best_state = float("inf"), None
    for _ in range(max(1, round(epochs * setting.trained))):
        model.train()
        for batch in torch.randperm(len(x)).split(BATCH):
            optimiser.zero_grad()
            nn.functional.mse_loss(model(x[batch]), y[batch]).backward()
            optimiser.step()
        schedule.step()
        model.eval()
        with torch.no_grad():
            loss = float(nn.functional.mse_loss(model(unseen_x), unseen_y))
        if loss < best:
            best, best_state = loss, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(best_state)
    for module in model.modules():
        if isinstance(module, SparseLinear):
            del module.forward
    return model.eval(), data, best


def epochs_of(setting: Setting) -> int:
    """40 for 1,500 samples, and about as many steps for others."""
    return round(40 * max(0.5, min(2.0, 1500 / setting.samples)))


def trained_model(setting: Setting, network: Network, kept_as: str) -> tuple[GSNN, float]:
    """The model trained on the network's known edges, and its loss on unseen samples. Trained once, then read from
    ``out/``, which is not committed: scores can be recomputed without training."""
    path = MODELS / f"{kept_as}.pt"
    if path.exists():
        state, loss = torch.load(path)
        model = model_of(setting, network)[0]
        model.load_state_dict(state)
        return model.eval(), loss
    model, _, loss = train(setting, network, epochs_of(setting), seed=setting.seed)
    MODELS.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    torch.save((model.state_dict(), loss), unfinished)
    os.replace(unfinished, path)
    return model, loss
