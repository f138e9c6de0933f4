"""Measures the scores of a model file as the command computes them, one JSON file per model in ``results/files/``.

    npm run build && python bench/recovery/model_file.py MODEL.onnx DATA.npz HELDOUT.csv --name NAME --tables FOLDER

Runs ``magnitude-edge infer`` for channel scores, ``evaluate`` on its statistics for the others, and ``rank``. Pairs
without a score do not compete. Tables stay in the folder, and existing ones are not made again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

from run import RESULTS, write

COMMAND = ["node", str(Path(__file__).parents[2] / "dist" / "cli.js")]
SCORES = ("channel mean", "channel pooled", "corr mean", "partial mean", "regression mean")
FIGURES = {
    "auc": "auc",
    "ap": "average_precision",
    "mrr": "mrr_by_target",
    "mrr_by_source": "mrr_by_source",
    "top@20": "hits@20_by_target",
    "median_rank": "median_rank_by_target",
}
LAMBDAS = {"channel": " 3", "regression": " 0.3"}


def command(*arguments: str) -> dict:
    return json.loads(subprocess.run([*COMMAND, *arguments, "--json"], check=True, capture_output=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "data", "held_out"):
        parser.add_argument(name)
    parser.add_argument("--name", required=True, help="name of the file in results/files/")
    parser.add_argument("--tables", required=True, type=Path)
    options = parser.parse_args()
    options.tables.mkdir(parents=True, exist_ok=True)
    statistics = str(options.tables / f"{options.name}-statistics.arrow")
    figures = {}
    for name in SCORES:
        score, aggregation = name.split()
        table = options.tables / f"{options.name}-{score}-{aggregation}.arrow"
        wanted = ("--score", score, "--layer-agg", aggregation, "--out", str(table))
        if not Path(statistics).exists():
            source = ("--model", options.model, "--data", options.data)
            command("infer", *source, *wanted, "--stats-out", statistics)
        elif not table.exists():
            command("evaluate", "--stats", statistics, *wanted)
        ranked = ("--edges", str(table), "--positives", options.held_out, "--top-k", "5,20", "--bootstrap", "0")
        found = command("rank", *ranked)["recovery"]
        figures[name + LAMBDAS.get(score, "")] = {ours: found["figures"][theirs] for ours, theirs in FIGURES.items()}
    write(RESULTS / "files" / f"{options.name}.json", {"name": options.name, "figures": figures})


if __name__ == "__main__":
    main()
