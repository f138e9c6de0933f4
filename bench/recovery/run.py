"""Trains the benchmark's networks and keeps the figures of every score, one JSON file per network.

    python bench/recovery/run.py [--only TEXT] [--most FUNCTIONS] [--part K/N]

Networks whose file is there already are left out, so that a run can be interrupted and gone on with.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from figures import best_pairs, known_auc, recovery
from networks import Network, Setting, draw, settings
from scipy.stats import norm
from training import channels_of, model_of, train

import scores
from magnitude_edge_export.reference import GSNN

RESULTS = Path(__file__).parent / "results"
MODELS = Path(__file__).parent / "out"  # not committed: scores can be computed again without training
LAMBDAS = (0.3, 1.0, 3.0, 10.0, 30.0)
MAGNITUDE_LAMBDAS = (0.03, 0.1, 0.3, 1.0, 3.0)


def epochs_of(setting: Setting) -> int:
    """About as many steps for every size of data, fewer for large networks."""
    epochs = 80 if setting.functions <= 60 else 60 if setting.functions <= 150 else 40
    return round(epochs * max(0.5, min(2.0, 1500 / setting.samples)))


def all_scores(f: np.ndarray, u: np.ndarray, groups: np.ndarray, network: Network) -> dict[str, np.ndarray]:
    """Every score by name; names end in the aggregation and, where there is one, in lambda."""
    x, y = scores.magnitudes(f, groups), scores.magnitudes(u, groups)
    nodes = x.shape[2]
    parents = [
        np.unique(network.known[(network.known[:, 1] == j) & (network.known[:, 0] != j), 0]) for j in range(nodes)
    ]
    out: dict[str, np.ndarray] = {}
    corr, partial = scores.correlations(x, y), scores.partial(x, y, parents)
    spearman = scores.correlations(scores.ranks(x), scores.ranks(y))
    for name, pairs in (("corr", corr), ("partial", partial), ("spearman", spearman)):
        out[f"{name} mean"], out[f"{name} max"] = scores.mean(pairs), scores.largest(pairs)
    pooled_x, pooled_y = scores.pooled(x), scores.pooled(y)
    out["corr pooled"] = scores.correlations(pooled_x, pooled_y)[0]
    for lam in MAGNITUDE_LAMBDAS:
        out[f"regression mean {lam:g}"] = scores.mean(scores.regression(x, y, lam))
    out["regression pooled 0.3"] = scores.regression(pooled_x, pooled_y, 0.3)[0]
    channel = scores.ChannelScores(f, u, groups)
    for lam, pairs in zip(LAMBDAS, channel.per_pair(LAMBDAS), strict=True):
        out[f"channel mean {lam:g}"] = scores.root_mean_square(pairs)
        if lam == 3:
            with np.errstate(all="ignore"):
                out["channel max 3"] = np.where(
                    np.isnan(pairs).all(0), np.nan, np.nanmax(np.nan_to_num(pairs, nan=-1), 0)
                )
    for lam, score in zip(LAMBDAS, channel.pooled(LAMBDAS), strict=True):
        out[f"channel pooled {lam:g}"] = score
    return out | free_scores(f, groups, network, nodes)


def free_scores(f: np.ndarray, groups: np.ndarray, network: Network, nodes: int) -> dict[str, np.ndarray]:
    """What costs nothing: degrees, and correlation of activations alone."""
    outgoing, incoming = (np.bincount(network.known[:, side], minlength=nodes) for side in (0, 1))
    x = scores.magnitudes(f, groups)
    return {
        "degree": np.outer(outgoing, incoming).astype(float),
        "activations": np.abs(scores.correlations(x[-1:], x[-1:])[0]),
    }


def calibration(f, u, groups, network: Network) -> dict[str, float]:
    """The share of pairs that are no edge at all with p < 0.05 for corr, by Fisher's z."""
    x, y = scores.magnitudes(f, groups), scores.magnitudes(u, groups)
    r = scores.mean(scores.correlations(x, y))
    n = x.shape[1]
    none = ~np.eye(len(r), dtype=bool)
    none[network.between[:, 0], network.between[:, 1]] = False
    values = r[none & ~np.isnan(r)]
    p = norm.sf(np.arctanh(np.clip(values, -0.9999, 0.9999)) * np.sqrt(n - 3))
    return {"p_below_0.05": float((p < 0.05).mean()), "pairs": len(values)}


RETRAINED = ("corr mean", "regression mean 0.3", "channel mean 3", "channel pooled 3")


def retraining(setting: Setting, network: Network, found: dict[str, np.ndarray], epochs: int) -> dict:
    """Loss on unseen samples after adding edges to the graph and training again: none, as many random ones, the first
    of a score, the true ones; two seeds."""
    count = len(network.held_out)
    rng = np.random.default_rng(setting.seed)
    noise = rng.random(found["degree"].shape)
    added = {"none": [], "random": best_pairs(noise, network.known, count)}
    added |= {name: best_pairs(found[name], network.known, count) for name in RETRAINED}
    added["true"] = network.held_out
    return {
        "edges": count,
        "loss": {
            name: [train(setting, network, epochs, pairs, seed=seed)[2] for seed in (11, 12)]
            for name, pairs in added.items()
        },
    }


def trained_model(setting: Setting, network: Network, epochs: int) -> tuple[GSNN, float]:
    """The network trained on its known edges, and its loss on unseen samples; trained once, then read from a file."""
    path = MODELS / f"{setting.name}.pt"
    if path.exists():
        state, loss = torch.load(path)
        model = model_of(setting, network)[0]
        model.load_state_dict(state)
        return model.eval(), loss
    model, _, loss = train(setting, network, epochs, seed=setting.seed)
    MODELS.mkdir(exist_ok=True)
    torch.save((model.state_dict(), loss), path)
    return model, loss


def measure(setting: Setting) -> dict:
    started = time.perf_counter()
    network = draw(setting)
    epochs = epochs_of(setting)
    model, loss = trained_model(setting, network, epochs)
    trained = time.perf_counter() - started
    f, u, groups = channels_of(model, network)
    found = all_scores(f, u, groups, network)
    shuffled = channels_of(model, network, np.random.default_rng(setting.seed).permutation(len(f[0])))
    result = {
        "setting": setting.as_dict(),
        "edges": {"known": len(network.known), "held_out": len(network.held_out)},
        "epochs": epochs,
        "loss_on_unseen": loss,
        "figures": {name: recovery(score, network.known, network.held_out) for name, score in found.items()},
        "known_auc": {name: known_auc(score, network.known, network.held_out) for name, score in found.items()},
        "calibration": {
            "trained": calibration(f, u, groups, network),
            "targets_shuffled": calibration(*shuffled, network),
        },
        "seconds": {"training": round(trained, 1), "scores": round(time.perf_counter() - started - trained, 1)},
    }
    if setting.functions <= 150 and setting.seed == 0:
        result["retraining"] = retraining(setting, network, found, epochs)
    return result


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="networks whose name contains this")
    parser.add_argument("--most", type=int, default=10_000, help="networks of at most so many function nodes")
    parser.add_argument("--part", default="0/1", help="every N-th network from the K-th on, for several processes")
    options = parser.parse_args()
    torch.set_num_threads(1)
    part, parts = map(int, options.part.split("/"))
    chosen = [s for s in settings() if options.only in s.name and s.functions <= options.most][part::parts]
    RESULTS.mkdir(exist_ok=True)
    for setting in chosen:
        path = RESULTS / f"{setting.name}.json"
        if path.exists():
            continue
        result = measure(setting)
        path.write_text(json.dumps(rounded(result), indent=1) + "\n")
        figures = result["figures"]
        told = "; ".join(
            f"{name} {figures[name]['auc']:.3f}" for name in ("corr mean", "channel mean 3", "channel pooled 3")
        )
        print(f"{setting.name}: loss {result['loss_on_unseen']:.3f}, AUC {told} ({result['seconds']})", flush=True)


if __name__ == "__main__":
    main()
