"""Measures whether adding the edges that a score finds helps. One JSON file per network and seed in ``retrained/``.

    PYTHONPATH=export:python/src python bench/recovery/retrain.py [--seed 11] [--only TEXT] [--most FUNCTIONS]
                                                                  [--part K/N]

As many edges as were held out are added to the graph: none, random ones, the first of each score, the true ones. Each
time the network is trained again, and the lowest loss on unseen samples is kept. Slow: uses only networks generated
with seed 0, of 24 to 150 functions, and skips those that already have a file. The model with the true edges then scores
these edges, which shows what a score makes of an edge that the model already uses ("absorption").
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from all_scores import all_scores
from channels import channels_of
from figures import best_pairs, recovery
from networks import Network, Setting, draw
from run import chosen_settings, write
from training import epochs_of, train, trained_model

RETRAINED = Path(__file__).parent / "retrained"
MOST = 150
ADDED = ("corr mean", "regression mean 0.3", "channel mean 3", "channel pooled 3")


def edges_to_add(setting: Setting, network: Network, found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """``[k, 2]`` by name, with k the number of held-out edges; "none" is empty."""
    count = len(network.held_out)
    noise = np.random.default_rng(setting.seed).random(found["degree"].shape)
    chosen = {"none": np.empty((0, 2), int), "random": best_pairs(noise, network.known, count)}
    chosen |= {name: best_pairs(found[name], network.known, count) for name in ADDED}
    return chosen | {"true": network.held_out}


def measure(setting: Setting, seed: int) -> dict:
    network = draw(setting)
    model, _ = trained_model(setting, network, setting.name)
    found = all_scores(channels_of(model, network), network.known)
    held_out = set(map(tuple, network.held_out))
    loss, true_among = {}, {}
    for name, pairs in edges_to_add(setting, network, found).items():
        retrained, _, loss[name] = train(setting, network, epochs_of(setting), pairs, seed=seed)
        true_among[name] = sum(tuple(pair) in held_out for pair in pairs)
    # The true edges are added last. Known edges do not count in the figures of either model.
    with_true = all_scores(channels_of(retrained, network), network.between)
    return {
        "setting": setting.as_dict(),
        "seed": seed,
        "edges": len(network.held_out),
        "true_among_added": true_among,
        "loss": loss,
        "auc_before_and_after_adding_true": {
            name: [recovery(scores[name], network.known, network.held_out)["auc"] for scores in (found, with_true)]
            for name in ADDED
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=11, help="seed of the initial weights and the order of the samples")
    options, chosen = chosen_settings(parser)
    for setting in chosen:
        path = RETRAINED / f"{setting.name}-seed{options.seed}.json"
        if setting.functions > MOST or setting.seed != 0 or path.exists():
            continue
        result = measure(setting, options.seed)
        write(path, result)
        told = ", ".join(f"{name} {loss:.3f}" for name, loss in result["loss"].items())
        print(f"{setting.name}: {told}", flush=True)


if __name__ == "__main__":
    main()
