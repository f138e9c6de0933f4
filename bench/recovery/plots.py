"""Plots of the benchmark as small SVG files with text as text."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("svg")
mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "recovery", "font.size": 9, "axes.spines.top": False})
mpl.rcParams.update({"axes.spines.right": False, "font.family": "sans-serif"})

import matplotlib.pyplot as plt  # noqa: E402

COLOURS = {"corr mean": "#777777", "regression mean 0.3": "#d08c2f", "channel mean 3": "#2f6fb0"}
COLOURS |= {"channel pooled 3": "#1f8a5b"}


def save(figure, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)


def plot_networks(networks: list[dict], path: Path) -> None:
    """One point per network and score, by the number of function nodes."""
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 3))
    rng = np.random.default_rng(0)
    for axis, measure, label in zip(axes, ("auc", "ap"), ("AUC", "average precision"), strict=True):
        for shift, (name, colour) in enumerate(COLOURS.items()):
            size = np.array([network["setting"]["functions"] for network in networks])
            jitter = 1 + 0.05 * (shift - 1.5) * 2 + 0.03 * rng.uniform(-1, 1, len(size))
            values = [network["figures"][name][measure] for network in networks]
            axis.plot(size * jitter, values, ".", color=colour, markersize=4, alpha=0.7, label=name)
        axis.set(xscale="log", xlabel="function nodes", ylabel=label)
        axis.set_xticks([24, 60, 150, 300, 600], ["24", "60", "150", "300", "600"])
        axis.minorticks_off()
    axes[1].set_yscale("log")
    axes[0].legend(frameon=False, fontsize=7, loc="lower left")
    save(figure, path)


def plot_lambdas(networks: list[dict], lambdas: tuple[str, ...], path: Path) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 2.6))
    for axis, measure, label in zip(axes, ("auc", "ap"), ("median AUC", "median average precision"), strict=True):
        for aggregation, name in (("mean", "channel mean 3"), ("pooled", "channel pooled 3")):
            having = [n for n in networks if all(f"channel {aggregation} {lam}" in n["figures"] for lam in lambdas)]
            values = [
                np.median([n["figures"][f"channel {aggregation} {lam}"][measure] for n in having]) for lam in lambdas
            ]
            axis.plot(range(len(lambdas)), values, "o-", color=COLOURS[name], markersize=3, label=aggregation)
        axis.set_xticks(range(len(lambdas)), lambdas)
        axis.set(xlabel="lambda", ylabel=label)
    axes[0].legend(frameon=False)
    save(figure, path)


def plot_retraining(retrained: list[dict], path: Path) -> None:
    """One point per run and set of added edges: its loss over that with nothing added."""
    names = [name for name in retrained[0]["loss"] if name != "none"]
    figure, axis = plt.subplots(figsize=(7.2, 2.8))
    rng = np.random.default_rng(0)
    for at, name in enumerate(names):
        values = np.array([run["loss"][name] / run["loss"]["none"] for run in retrained])
        axis.plot(at + rng.uniform(-0.15, 0.15, len(values)), values, ".", color="#2f6fb0", alpha=0.6)
        axis.plot([at - 0.25, at + 0.25], [np.median(values)] * 2, color="black")
    axis.axhline(1, color="#999999", linewidth=0.8)
    axis.set_xticks(range(len(names)), names, fontsize=8)
    axis.set_ylabel("loss over that of none added")
    save(figure, path)
