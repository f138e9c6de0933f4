"""Trains a reference GSNN on a drawn network, and gives its channels in float64."""

from __future__ import annotations

import numpy as np
import torch
from networks import Network, Setting
from torch import nn

from magnitude_edge_export import GraphData
from magnitude_edge_export.capture import capture
from magnitude_edge_export.export import function_of_channel
from magnitude_edge_export.reference import GSNN
from magnitude_edge_export.reference.sparse import SparseLinear

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
    """What the model is given: the known edges, and ``added`` ones."""
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
    """Adam on the mean squared error, the epoch of the lowest loss on unseen samples kept; returns that loss, too."""
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


def channels_of(model: GSNN, network: Network, permutation=None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``(activations [L - 1, n, K], gradients [L - 1, n, K], node of each channel [K])`` in float64, batches of 128,
    mean squared error; pre-norm. ``permutation`` reorders the targets among the samples."""
    n = len(network.x) - VALIDATION
    x, y = torch.from_numpy(network.x[:n]), torch.from_numpy(network.y[:n])
    if permutation is not None:
        y = y[torch.from_numpy(permutation)]
    activations, gradients = [], []
    for batch_x, batch_y in zip(x.split(BATCH), y.split(BATCH), strict=True):
        batch = capture(model, batch_x, batch_y, nn.functional.mse_loss, dtype=torch.float64)
        activations.append([layer.numpy() for layer in batch.pre[:-1]])
        gradients.append([layer.numpy() for layer in batch.grad_pre[1:]])
    joined = (
        np.stack([np.concatenate(layer) for layer in zip(*side, strict=True)]) for side in (activations, gradients)
    )
    return *joined, np.asarray(function_of_channel(model))
