"""Trains the benchmark's networks and keeps the figures of every score, one JSON file per network.

    PYTHONPATH=export:python/src python bench/recovery/run.py [--only TEXT] [--most FUNCTIONS] [--part K/N]

Needs the packages in ``requirements.txt``. Networks that already have a file are skipped, so that an interrupted run
can be resumed; without the files in ``results/`` everything is measured again. ``retrain.py`` adds edges and trains
again, ``model_file.py`` measures model files, ``report.py`` makes the tables and plots.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from all_scores import LARGE, all_scores
from calibration import calibration, permuted_graph
from channels import Channels, channels_of
from figures import known_auc, recovery
from grnboost import grnboost
from networks import Network, Setting, draw, settings
from training import MODELS, epochs_of, trained_model

from reference import GSNN

RESULTS = Path(__file__).parent / "results"
GRNBOOST_MOST = 60  # function nodes; takes minutes at that size
CONTROLS_MOST = 60  # function nodes of networks that are trained on a permuted graph as well
CONTROLS = ("corr mean", "partial mean", "regression mean 0.3", "channel mean 3", "channel pooled 3")


def boosted(setting: Setting, channels: Channels) -> dict[str, np.ndarray]:
    if setting.functions > GRNBOOST_MOST or setting.seed != 0 or setting.norm != "batch":
        return {}
    path = MODELS / f"{setting.name}-grnboost.npy"
    if not path.exists():
        np.save(path, grnboost(channels.magnitudes()[0][-1]))
    return {"GRNBoost2": np.load(path)}


def controls(setting: Setting, network: Network, model: GSNN, channels: Channels) -> dict:
    """Calibration of p, and the recovery of the same held-out edges by a model of a permuted graph."""
    if setting.functions > LARGE or setting.seed != 0:
        return {}
    order = np.random.default_rng(setting.seed).permutation(channels.pre.shape[1])
    result = {
        "trained": calibration(channels, network, network.between),
        "targets_shuffled": calibration(channels_of(model, network, order), network, network.between),
        "gradients_shuffled": calibration(
            replace(channels, gradients=channels.gradients[:, order]), network, network.between
        ),
    }
    if setting.functions > CONTROLS_MOST or setting.norm != "batch":
        return {"calibration": result}
    permuted = permuted_graph(network, setting.seed)
    model, loss = trained_model(setting, permuted, f"{setting.name}-permuted")
    of_permuted = channels_of(model, permuted)
    result["graph_permuted"] = calibration(of_permuted, permuted, network.between)
    found = all_scores(of_permuted, permuted.known)
    return {
        "calibration": result,
        "graph_permuted": {
            "loss_on_unseen": loss,
            "figures": {name: recovery(found[name], permuted.known, network.held_out) for name in CONTROLS},
        },
    }


def measure(setting: Setting) -> dict:
    started = time.perf_counter()
    network = draw(setting)
    model, loss = trained_model(setting, network, setting.name)
    channels = channels_of(model, network)
    found = all_scores(channels, network.known) | boosted(setting, channels)
    return {
        "setting": setting.as_dict(),
        "edges": {"known": len(network.known), "held_out": len(network.held_out)},
        "epochs": epochs_of(setting),
        "loss_on_unseen": loss,
        "figures": {name: recovery(score, network.known, network.held_out) for name, score in found.items()},
        "known_auc": {
            name: known_auc(score, network.known, network.held_out)
            for name, score in found.items()
            # Partial scores of known parents do not exist.
            if not np.isnan(score[tuple(network.known.T)]).all()
        },
        **controls(setting, network, model, channels),
        "seconds": time.perf_counter() - started,
    }


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def write(path: Path, result: dict) -> None:
    """JSON with one line per score: small, with readable diffs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for key, value in rounded(result).items():
        if isinstance(value, dict) and key != "setting":
            inner = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in value.items())
            lines.append(f" {json.dumps(key)}: {{\n{inner}\n }}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def chosen_settings(parser: argparse.ArgumentParser) -> tuple[argparse.Namespace, list[Setting]]:
    parser.add_argument("--only", default="", help="only networks whose name contains this")
    parser.add_argument("--most", type=int, default=10_000, help="only networks with at most this many function nodes")
    parser.add_argument("--part", default="0/1", help="every N-th network from the K-th on, to share among processes")
    options = parser.parse_args()
    torch.set_num_threads(1)
    part, parts = map(int, options.part.split("/"))
    chosen = [s for s in settings() if options.only in s.name and s.functions <= options.most][part::parts]
    return options, chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for setting in chosen_settings(parser)[1]:
        path = RESULTS / f"{setting.name}.json"
        if path.exists():
            continue
        result = measure(setting)
        write(path, result)
        names = ("corr mean", "channel mean 3", "channel pooled 3")
        told = "; ".join(f"{name} {result['figures'][name]['auc']:.3f}" for name in names)
        print(f"{setting.name}: loss {result['loss_on_unseen']:.3f}, AUC {told}", flush=True)


if __name__ == "__main__":
    main()
