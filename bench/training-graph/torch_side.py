"""Torch's side of the training-graph benchmark: creates the model, exports it, and times forward + backward.

``python torch_side.py NODES OUT_DIR`` writes ``NODES.onnx`` and ``NODES.npz`` and prints one JSON line. The model is
the reference GSNN in its message-passing form (gather, multiply, index_add), 5 layers, 8 channels, average in-degree 8
and, from 1,000 nodes on, one hub of in-degree 500. Timed: one batch of 128, MSE, gradients of all block activations.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

from magnitude_edge.export import GraphData, export_gsnn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "export"))
from reference import GSNN

BATCH, LAYERS, CHANNELS, IN_DEGREE, HUB, RUNS, WARM_UP_SECONDS = 128, 5, 8, 8, 500, 15, 4


def random_graph(nodes: int, seed: int = 0) -> GraphData:
    """Distinct random edges between function nodes; a twentieth as many inputs and outputs, each on separate nodes."""
    rng = np.random.default_rng(seed)
    ends = max(4, nodes // 20)
    degree = np.full(nodes, min(IN_DEGREE, nodes // 3))
    if nodes >= 2 * HUB:
        degree[nodes // 2] = HUB
    between = [(s, t) for t in range(nodes) for s in rng.choice(nodes, degree[t], replace=False) if s != t]
    edges = {
        ("input", "to", "function"): [(i, int(t)) for i in range(ends) for t in rng.choice(nodes, 2, replace=False)],
        ("function", "to", "function"): between,
        ("function", "to", "output"): [(int(s), i) for i in range(ends) for s in rng.choice(nodes, 2, replace=False)],
    }
    names = {
        "input": [f"in_{i}" for i in range(ends)],
        "function": [f"gene_{i}" for i in range(nodes)],
        "output": [f"out_{i}" for i in range(ends)],
    }
    return GraphData(names, {kind: torch.tensor(np.array(pairs).T) for kind, pairs in edges.items()})


def step(model: GSNN, x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
    """One forward + backward: gradients of the loss with respect to every block's pre-norm activation."""
    kept = []
    handles = [
        layer.register_forward_hook(lambda _m, _i, out: kept.append(out))
        for layer in dict.fromkeys(block.lin_in for block in model.ResBlocks)
    ]
    loss = torch.nn.functional.mse_loss(model(x), y)
    gradients = torch.autograd.grad(loss, kept[1:])
    for handle in handles:
        handle.remove()
    return list(gradients)


def timed(model: GSNN, x: torch.Tensor, y: torch.Tensor) -> float:
    """Seconds of one step."""
    start = time.perf_counter()
    step(model, x, y)
    return time.perf_counter() - start


def main(nodes: int, out: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(2)
    data = random_graph(nodes)
    model = GSNN(data.edge_index_dict, data.node_names_dict, channels=CHANNELS, layers=LAYERS).eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    export_gsnn(model, data, out / f"{nodes}.onnx")
    x = torch.randn(BATCH, len(data.node_names_dict["input"])).requires_grad_()
    y = torch.randn(BATCH, len(data.node_names_dict["output"]))
    gradients = step(model, x, y)
    np.savez(
        out / f"{nodes}.npz",
        x=x.detach().numpy(),
        y=y.numpy(),
        **{f"grad_pre_{layer + 1}": g.reshape(BATCH, -1).numpy() for layer, g in enumerate(gradients)},
    )
    cold = [timed(model, x, y) for _ in range(16)]
    warm = time.perf_counter() + WARM_UP_SECONDS
    while time.perf_counter() < warm:
        step(model, x, y)
    seconds = [timed(model, x, y) for _ in range(RUNS)]
    print(
        json.dumps(
            {
                "nodes": nodes,
                "edges": int(model.edge_index.shape[1]),
                "seconds": statistics.median(seconds),
                "cold": statistics.median(cold),
                "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "torch": torch.__version__,
                "threads": torch.get_num_threads(),
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
