"""Activations and gradients of a trained model, channel by channel."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import torch
from networks import Network
from torch import nn
from training import BATCH, VALIDATION

from magnitude_edge_export.capture import capture
from magnitude_edge_export.export import function_of_channel
from magnitude_edge_export.reference import GSNN

SIDES = (("pre", 0, ""), ("post", 0, ""), ("pre", 1, ".grad"))


@dataclass(frozen=True)
class Channels:
    """Of layer pair p, activations of block p and gradients of block p + 1, float64 ``[P, n, K]``.

    Attributes:
        pre, post: activations before the block's norm, and as ``lin_out`` is given them.
        gradients: of the loss by the pre-norm activations; batches of 128, mean squared error.
        nodes: function nodes; node i has the channels ``i K / nodes`` to ``(i + 1) K / nodes``.
    """

    pre: np.ndarray
    post: np.ndarray
    gradients: np.ndarray
    nodes: int

    @property
    def channels(self) -> int:
        """Of one node."""
        return self.pre.shape[2] // self.nodes

    def magnitudes(self) -> tuple[np.ndarray, np.ndarray]:
        """``(x, y)``, each ``[P, n, N]``: the l1 norms over the channels of each node."""
        return tuple(
            np.abs(z).reshape(*z.shape[:2], self.nodes, self.channels).sum(axis=3) for z in (self.pre, self.gradients)
        )

    def summed(self) -> np.ndarray:
        """Post activations added up over the blocks so far: what an edge with one weight for all blocks would carry,
        since blocks add to what they are given."""
        return np.cumsum(self.post, axis=0)


def joined(batches: list[list[np.ndarray]]) -> np.ndarray:
    """One list of blocks per batch to ``[blocks, n, K]``."""
    return np.stack([np.concatenate(block) for block in zip(*batches, strict=True)]).astype(np.float64)


def equal_groups(groups: list[int]) -> int:
    """The number of nodes, all with as many channels, one node after the other."""
    nodes = max(groups) + 1
    if not np.array_equal(groups, np.repeat(np.arange(nodes), len(groups) // nodes)):
        raise ValueError("expected as many channels for every node, one node after the other")
    return nodes


def channels_of(model: GSNN, network: Network, permutation: np.ndarray | None = None) -> Channels:
    """On the training samples, model in float64. ``permutation`` reorders the targets among the samples."""
    n = len(network.x) - VALIDATION
    x, y = torch.from_numpy(network.x[:n]), torch.from_numpy(network.y[:n])
    if permutation is not None:
        y = y[torch.from_numpy(permutation)]
    pre, post, gradients = [], [], []
    for batch_x, batch_y in zip(x.split(BATCH), y.split(BATCH), strict=True):
        batch = capture(model, batch_x, batch_y, nn.functional.mse_loss, dtype=torch.float64)
        pre.append([layer.numpy() for layer in batch.pre[:-1]])
        post.append([layer.numpy() for layer in batch.post[:-1]])
        gradients.append([layer.numpy() for layer in batch.grad_pre[1:]])
    return Channels(joined(pre), joined(post), joined(gradients), equal_groups(function_of_channel(model)))


def read_model_file(model: str) -> tuple[list[str], int, np.ndarray]:
    """Names of the function nodes, blocks, and the function -> function edges ``[k, 2]`` of a model file of the profile
    (docs/onnx-profile.md)."""
    import onnx

    profile = json.loads({entry.key: entry.value for entry in onnx.load(model).metadata_props}["gsnn"])
    equal_groups(profile["channelGroups"])
    edges = np.array(profile["edgeIndex"]["function,function"]).T
    return profile["nodeNames"]["function"], profile["layers"], np.unique(edges, axis=0)


def channels_of_file(training_graph: str, x: np.ndarray, y: np.ndarray, blocks: int, nodes: int) -> Channels:
    """From the training graph that ``magnitude-edge train-graph MODEL --wrt pre1,...`` writes; the model in float32."""
    import onnxruntime

    session = onnxruntime.InferenceSession(training_graph, providers=["CPUExecutionProvider"])
    mask = {entry.name: np.ones(entry.shape, np.float32) for entry in session.get_inputs() if entry.name == "edge_mask"}
    sides = [[f"{kind}{block + shift}{end}" for block in range(blocks - 1)] for kind, shift, end in SIDES]
    batches = [
        [session.run(names, {"x": x[at : at + BATCH], "target": y[at : at + BATCH], **mask}) for names in sides]
        for at in range(0, len(x), BATCH)
    ]
    return Channels(*(joined(list(side)) for side in zip(*batches, strict=True)), nodes)
