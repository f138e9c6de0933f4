"""Every score of one model file of the profile, beside its held-out edges.

    npm run build && PYTHONPATH=export python bench/recovery/from_file.py MODEL.onnx DATA.npz HELDOUT.csv --name NAME

The training graph comes from ``magnitude-edge train-graph``, activations and gradients from onnxruntime in float32,
scores are computed in float64. With ``--scores64 FILE.npz`` (matrices ``channel`` and ``regression``) the largest
difference to those is told.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from all_scores import all_scores
from channels import channels_of_file, read_model_file
from figures import known_auc, recovery
from run import RESULTS, write

COMMAND = Path(__file__).parents[2] / "dist" / "cli.js"
SAME = {"channel": "channel mean 3", "regression": "regression mean 0.3"}


def training_graph(model: str, blocks: int, out: str) -> None:
    names = ",".join(f"pre{block}" for block in range(1, blocks))
    subprocess.run(
        ["node", COMMAND, "train-graph", model, "--out", out, "--wrt", names], check=True, capture_output=True
    )


def read_edges(path: str, nodes: list[str]) -> np.ndarray:
    index = {name: i for i, name in enumerate(nodes)}
    with open(path, newline="") as file:
        rows = list(csv.reader(file))[1:]
    return np.array([[index[source], index[target]] for source, target in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "data", "held_out"):
        parser.add_argument(name)
    parser.add_argument("--name", required=True, help="of the file in results/")
    parser.add_argument("--scores64")
    options = parser.parse_args()
    nodes, blocks, known = read_model_file(options.model)
    held_out, data = read_edges(options.held_out, nodes), np.load(options.data)
    with tempfile.TemporaryDirectory() as folder:
        graph = f"{folder}/training.onnx"
        training_graph(options.model, blocks, graph)
        channels = channels_of_file(graph, data["x"], data["y"], blocks, len(nodes))
    found = all_scores(channels, known)
    write(
        RESULTS / "files" / f"{options.name}.json",
        {
            "name": options.name,
            "functions": len(nodes),
            "edges": {"known": len(known), "held_out": len(held_out)},
            "figures": {name: recovery(score, known, held_out) for name, score in found.items()},
            "known_auc": {name: known_auc(score, known, held_out) for name, score in found.items()},
        },
    )
    if options.scores64:
        for name, right in np.load(options.scores64).items():
            off = np.nanmax(np.abs(found[SAME[name]] - right)) / np.nanmax(np.abs(right))
            print(f"{SAME[name]}: within {off:.1e} of the largest score of {options.scores64}")


if __name__ == "__main__":
    main()
