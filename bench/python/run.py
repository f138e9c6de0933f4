"""Compares the Python package and the command with the published class's way, each from model and data to the edge
table. Sides take turns in one run, each in a process of its own; reports medians and their ratios.

    python bench/python/run.py [--nodes 24,600,2000] [--repeats 3]

Writes bench/results/python.json. Needs ``npm run build``, ``pip install "./python[torch]"`` (or PYTHONPATH=python/src
after ``npm run build:python``) and scipy.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIGURES = ("wall", "cpu", "peakMiB")


def measure(side: str, nodes: int) -> dict:
    done = subprocess.run(
        [sys.executable, str(HERE / "side.py"), side, str(nodes)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", default="24,600,2000")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    results = []
    for nodes in map(int, arguments.nodes.split(",")):
        runs: dict[str, list[dict]] = {"ours": [], "command": [], "hooks": []}
        for _ in range(arguments.repeats):
            for side, taken in runs.items():
                taken.append(measure(side, nodes))
        if len({tuple(run["top"][0].split()[:2]) for taken in runs.values() for run in taken}) > 1:
            sys.exit(f"The sides disagree on the first edge of {nodes} nodes: {runs}")
        median = {s: {f: statistics.median(r[f] for r in taken) for f in FIGURES} for s, taken in runs.items()}
        ratios = {
            side: {figure: median["hooks"][figure] / median[side][figure] for figure in FIGURES}
            for side in ("ours", "command")
        }
        results.append({"nodes": nodes, "repeats": arguments.repeats, **median, "ratios": ratios})
        for side in runs:
            print(nodes, side, *(f"{figure} {value:.2f}" for figure, value in median[side].items()))
        for side, ratio in ratios.items():
            print(nodes, f"hooks / {side}", *(f"{figure} {value:.2f}" for figure, value in ratio.items()), flush=True)
    load = os.getloadavg()[0]
    out = HERE.parent / "results" / "python.json"
    out.write_text(json.dumps({"cores": os.cpu_count(), "load": load, "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
