"""Builds the example: simulates a network, trains a GSNN on part of its graph, exports it, scores the rest.

    python export/make_example.py [--train | --seeds 0 1 2 ...]

The converging-tier network has 12 inputs, 24 function nodes and 12 outputs. Each input drives one node of
tier A; node k of tier B is driven by nodes k and k + 1 of tier A; one sink is driven by all of tier B; tier B
and the sink drive one output each. Of its 33 function -> function edges, 16 are held out: the "left" edge
into ten of the tier B nodes and every other edge into the sink. The GSNN never sees them, neither as edges
nor in any choice made in training: weights are fitted to the training samples, and the epoch kept is the one
with the lowest loss on separate samples.

Training is reproducible bit for bit only on identical machines and versions, so the weights behind the
published figures are kept in ``example_weights.npz`` and exported from there; ``--train`` retrains and
replaces them.
The file has an ``edge_mask`` input, so that edges can be switched off in the model.

With ``--seeds`` the whole protocol runs for each seed and prints its scores; nothing is written.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

import oracle
from magnitude_edge.export import GraphData, export_gsnn
from reference import GSNN

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "demo" / "public" / "example"
WEIGHTS = HERE / "example_weights.npz"
WIDTH = 12
SAMPLES, VALIDATION = 2000, 500
NOISE = 0.25
EPOCHS, BATCH, LEARNING_RATE = 60, 64, 5e-3
MODEL = {"channels": 5, "layers": 4, "norm": "batch", "share_layers": True}
SEED = 0


def network() -> tuple[
    dict[str, list[str]], dict[tuple[str, str], list[tuple[str, str]]], list[tuple[str, str]]
]:
    """Node names, true edges by type, and the held-out function -> function edges."""
    names = {
        "input": [f"in{i}" for i in range(WIDTH)],
        "function": [f"f{i}" for i in range(2 * WIDTH)],
        "output": [f"o{i}" for i in range(WIDTH)],
    }
    tier_a, tier_b, sink = names["function"][:WIDTH], names["function"][WIDTH:-1], names["function"][-1]
    merges = [(tier_a[k + side], b) for k, b in enumerate(tier_b) for side in (0, 1)]
    edges = {
        ("input", "function"): list(zip(names["input"], tier_a, strict=True)),
        ("function", "function"): merges + [(b, sink) for b in tier_b],
        ("function", "output"): list(zip([*tier_b, sink], names["output"], strict=True)),
    }
    held_out = [(tier_a[k], tier_b[k]) for k in range(1, WIDTH - 1)] + [(b, sink) for b in tier_b[::2]]
    return names, edges, held_out


def simulate(names: dict, edges: dict, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A linear structural model, as in the published tutorial: inputs are standard normal, every other node
    is the sum of its parents plus normal noise of deviation 0.25.

    Returns:
        ``(x [n, inputs], y [n, outputs])``, outputs standardised.
    """
    values = {name: rng.normal(size=n) for name in names["input"]}
    everything = [edge for group in edges.values() for edge in group]
    for name in (*names["function"], *names["output"]):  # listed in topological order
        parents = [source for source, target in everything if target == name]
        values[name] = sum(values[parent] for parent in parents) + NOISE * rng.normal(size=n)
    x, y = (np.stack([values[name] for name in names[kind]], axis=1) for kind in ("input", "output"))
    return x.astype(np.float32), ((y - y.mean(axis=0)) / y.std(axis=0)).astype(np.float32)


def partial_graph(names: dict, edges: dict, held_out: list) -> GraphData:
    """The graph without the held-out edges."""
    index = {}
    for (source, target), pairs in edges.items():
        kept = [pair for pair in pairs if pair not in set(held_out)]
        index[source, "to", target] = [
            [names[source].index(a) for a, _ in kept],
            [names[target].index(b) for _, b in kept],
        ]
    return GraphData(names, index)


def weights_of(model: GSNN) -> dict[str, torch.Tensor]:
    """Parameters and float buffers by name; shared parameters appear once."""
    named = [*model.named_parameters(), *model.named_buffers()]
    return {name: value.detach() for name, value in named if value.is_floating_point()}


def kept(data: GraphData, x, y) -> tuple[GSNN, float]:
    """The model of the published figures, and its loss on the validation samples."""
    model = GSNN(data.edge_index_dict, data.node_names_dict, **MODEL).eval()
    places = weights_of(model)
    with np.load(WEIGHTS) as values:
        if set(values.files) != set(places):
            raise SystemExit(f"{WEIGHTS.name} is not of this model: train anew with --train")
        for name in values.files:
            places[name].copy_(torch.from_numpy(values[name]))
    with torch.no_grad():
        return model, float(nn.functional.mse_loss(model(x[SAMPLES:]), y[SAMPLES:]))


def train(data: GraphData, x, y, seed: int, verbose: bool = True) -> tuple[GSNN, float]:
    """Adam on the mean squared error; keeps the epoch of lowest validation loss, and returns that loss."""
    torch.manual_seed(seed)
    model = GSNN(data.edge_index_dict, data.node_names_dict, **MODEL)
    (x, held_x), (y, held_y) = (side.split([SAMPLES, VALIDATION]) for side in (x, y))
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    best, best_state = float("inf"), None
    for epoch in range(EPOCHS):
        model.train()
        for batch in torch.randperm(SAMPLES).split(BATCH):
            optimiser.zero_grad()
            nn.functional.mse_loss(model(x[batch]), y[batch]).backward()
            optimiser.step()
        model.eval()
        with torch.no_grad():
            loss = float(nn.functional.mse_loss(model(held_x), held_y))
        if loss < best:
            best, best_state = loss, {name: value.clone() for name, value in model.state_dict().items()}
        if verbose and epoch % 10 == 9:
            print(f"epoch {epoch + 1}: validation loss {loss:.4f}")
    model.load_state_dict(best_state)
    return model, best


def evaluate(model: GSNN, data: GraphData, x, y, held_out: list) -> dict:
    """AUC, MRR and top@k of the held-out edges, for both scores, by the oracle."""
    batches = list(zip(x.split(128), y.split(128), strict=True))
    magnitudes = oracle.model_magnitudes(model, batches)
    edges = data.edge_index_dict["function", "to", "function"].numpy()
    results = {}
    for score in ("corr", "partial"):
        table = oracle.edge_table(*magnitudes, edges, data.node_names_dict["function"], score=score)
        _, summary = oracle.target_ranking(table, held_out)
        top = [[row.src_func, row.dst_func, row.corr] for row in table.head(10).itertuples()]
        results[score] = {"auc": oracle.held_out_auc(table, held_out), **summary, "top": top}
    return results


def run(seed: int, *, trained: bool = True, verbose: bool = True):
    names, edges, held_out = network()
    x, y = simulate(names, edges, SAMPLES + VALIDATION, np.random.default_rng(seed))
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    data = partial_graph(names, edges, held_out)
    model, loss = train(data, x, y, seed, verbose) if trained else kept(data, x, y)
    x, y = x[:SAMPLES], y[:SAMPLES]
    return model, data, x, y, held_out, loss, evaluate(model, data, x, y, held_out)


def describe(results: dict) -> str:
    return "; ".join(
        f"{score} AUC {r['auc']:.3f} MRR {r['mrr']:.3f} top@1 {r['top@1']:.3f} top@3 {r['top@3']:.3f}"
        for score, r in results.items()
    )


def write(model, data, x, y, held_out, loss, results) -> None:
    EXAMPLE.mkdir(parents=True, exist_ok=True)
    export_gsnn(model, data, EXAMPLE / "model.onnx", edge_mask=True)
    np.savez(EXAMPLE / "data.npz", x=x.numpy(), y=y.numpy())
    (EXAMPLE / "heldout.csv").write_text("src,dst\n" + "".join(f"{a},{b}\n" for a, b in held_out))
    expected = {
        "batchSize": 128,
        "samples": len(x),
        "validationLoss": loss,
        "source": "torch float64",
        **results,
    }
    (EXAMPLE / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds", nargs="+", type=int, help="run the protocol for these seeds; write nothing"
    )
    parser.add_argument("--train", action="store_true", help="train anew and replace the weights kept")
    options = parser.parse_args()
    for seed in options.seeds or [SEED]:
        trained = options.train or bool(options.seeds)
        model, *parts, loss, results = run(seed, trained=trained, verbose=options.train)
        print(f"seed {seed}: validation loss {loss:.4f}; {describe(results)}")
        if options.seeds:
            continue
        if options.train:
            np.savez(WEIGHTS, **{name: value.numpy() for name, value in weights_of(model).items()})
        write(model, *parts, loss, results)


if __name__ == "__main__":
    main()
