"""Tables and plots of the stored results: RESULTS.md and plots/*.svg, from results/ and retrained/ alone.

    python bench/recovery/report.py

Needs numpy and matplotlib. Intervals are 95 % percentile intervals of the median over networks, 2,000 bootstrap samples
of networks; for differences, of the median of the paired differences.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from plots import plot_lambdas, plot_networks, plot_retraining

HERE = Path(__file__).parent
MEASURES = {"auc": "AUC", "ap": "average precision", "mrr": "MRR", "top@20": "top@20", "median_rank": "median rank"}
REAL_SIZE = 150  # function nodes
MAIN = (
    "corr mean",
    "partial mean",
    "spearman mean",
    "regression mean 0.3",
    "channel mean 3",
    "channel pooled 3",
    "degree",
    "activations",
    "GRNBoost2",
)
LAMBDAS = ("0.3", "1", "3", "10", "30", "inf")


def read(folder: str) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted((HERE / folder).glob("*.json"))]


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Median and its 95 % bootstrap interval."""
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(values, (2000, len(values))), axis=1)
    return (float(np.median(values)), *np.percentile(medians, (2.5, 97.5)))


def number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 20 else f"{value:.3g}" if abs(value) >= 1 else f"{value:.3f}"


def with_interval(values) -> str:
    median, low, high = interval(np.asarray(values, float))
    return f"{number(median)} ({number(low)} to {number(high)})"


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def of(networks: list[dict], score: str, measure: str) -> np.ndarray:
    return np.array([network["figures"][score][measure] for network in networks if score in network["figures"]])


def main_table(networks: list[dict], names=MAIN) -> str:
    rows = []
    for name in names:
        having = [network for network in networks if name in network["figures"]]
        if having:
            count = "" if len(having) == len(networks) else f" ({len(having)} networks)"
            rows.append([name + count, *(with_interval(of(having, name, measure)) for measure in MEASURES)])
    return table(["score", *MEASURES.values()], rows)


def differences(networks: list[dict], pairs: list[tuple[str, str]]) -> str:
    """Paired over networks; and the share of networks in which the first has the higher AUC."""
    rows = []
    for first, second in pairs:
        both = [n for n in networks if first in n["figures"] and second in n["figures"]]
        if not both:
            continue
        by = {measure: of(both, first, measure) - of(both, second, measure) for measure in ("auc", "ap", "mrr")}
        better = f"{(by['auc'] > 0).sum()} of {len(both)}"
        rows.append([f"{first} - {second}", *(with_interval(values) for values in by.values()), better])
    return table(["difference", "AUC", "average precision", "MRR", "better by AUC in"], rows)


def groups(networks: list[dict]) -> list[tuple[str, list[dict]]]:
    """By size, family and norm, and by each setting varied alone."""

    def where(**wanted):
        return [n for n in networks if all(n["setting"][key] == value for key, value in wanted.items())]

    named = [(f"{size} functions", where(functions=size)) for size in (24, 60, 150, 300, 600)]
    named += [(family, where(family=family)) for family in ("tiers", "scale-free", "small-world", "feedback")]
    norms = sorted({n["setting"]["norm"] for n in networks}, key=lambda norm: (norm not in ("batch", "layer"), norm))
    named += [(f"norm {norm}", where(norm=norm)) for norm in norms]
    named += [(f"{samples} samples", where(samples=samples)) for samples in (300, 6000)]
    named += [(f"noise {noise:g}", where(noise=noise)) for noise in (0.05, 1.0)]
    named += [("layers not shared", where(share_layers=False)), ("node MLP", where(node_mlp=True))]
    return [*named, ("trained for a tenth", where(trained=0.1)), ("held out at fixed roles", where(held_out="roles"))]


def group_table(networks: list[dict]) -> str:
    names = ("corr mean", "regression mean 0.3", "channel mean 3", "channel pooled 3")
    header = ["networks", "", *(f"{name}: AUC, AP" for name in names)]
    rows = []
    for label, members in groups(networks):
        if members:
            cells = [
                f"{number(np.median(of(members, name, 'auc')))}, {number(np.median(of(members, name, 'ap')))}"
                for name in names
            ]
            rows.append([label, str(len(members)), *cells])
    return table(header, rows)


def lambda_table(networks: list[dict], aggregation: str) -> str:
    """Over the networks that have results for all lambdas."""
    names = {lam: f"channel {aggregation} {lam}" for lam in LAMBDAS}
    having = [network for network in networks if set(names.values()) <= network["figures"].keys()]
    rows = [[lam, *(with_interval(of(having, names[lam], m)) for m in ("auc", "ap", "mrr"))] for lam in LAMBDAS]
    return table([f"lambda, {aggregation} ({len(having)} networks)", "AUC", "average precision", "MRR"], rows)


def calibration_table(networks: list[dict]) -> str:
    networks = [network for network in networks if "calibration" in network]
    situations = ("trained", "targets_shuffled", "gradients_shuffled", "graph_permuted")
    rows = []
    for name in networks[0]["calibration"]["trained"]:
        for level in ("p<0.05", "p<0.001"):
            cells = []
            for situation in situations:
                having = [n["calibration"][situation][name][level] for n in networks if situation in n["calibration"]]
                cells.append(f"{np.median(having):.3g}")
            rows.append([name, level, *cells])
    having = sum("graph_permuted" in network["calibration"] for network in networks)
    header = ["score", "share with", "as trained", "targets shuffled", "gradients shuffled"]
    return table([*header, f"graph permuted ({having} networks)"], rows)


def permuted_table(networks: list[dict]) -> str:
    having = [network for network in networks if "graph_permuted" in network]
    names = having[0]["graph_permuted"]["figures"] if having else ()
    rows = [
        [
            name,
            with_interval(of(having, name, "auc")),
            with_interval([network["graph_permuted"]["figures"][name]["auc"] for network in having]),
        ]
        for name in names
    ]
    return table(["score", f"AUC with the graph ({len(having)} networks)", "with the permuted graph"], rows)


def absorption_table(networks: list[dict], retrained: list[dict]) -> str:
    rows = []
    for name in ("corr mean", "regression mean 0.3", "channel mean 3", "channel pooled 3"):
        known = with_interval([network["known_auc"][name] for network in networks])
        pairs = np.array([run["auc_before_and_after_adding_true"][name] for run in retrained]).reshape(-1, 2)
        rows.append([name, known, *(with_interval(side) if len(side) else "" for side in pairs.T)])
    runs = f"({len(retrained)} runs)"
    header = ["score", "AUC of known edges", f"AUC of held-out edges {runs}", "of the same, added and trained again"]
    return table(header, rows)


def retraining_table(retrained: list[dict]) -> str:
    """Loss relative to that with nothing added, by size."""
    names = list(retrained[0]["loss"])
    sizes = sorted({run["setting"]["functions"] for run in retrained})
    rows = []
    for name in names:
        cells = []
        for size in [*sizes, None]:
            runs = [run for run in retrained if size in (None, run["setting"]["functions"])]
            cells.append(with_interval([run["loss"][name] / run["loss"]["none"] for run in runs]))
        share = np.median([run["true_among_added"][name] / run["edges"] for run in retrained])
        rows.append([name, *cells, f"{share:.0%}"])
    runs = [sum(run["setting"]["functions"] == size for run in retrained) for size in sizes]
    header = [f"{size} functions ({count} runs)" for size, count in zip(sizes, runs, strict=True)]
    return table(["added", *header, "all", "true edges among them"], rows)


def file_table(files: list[dict]) -> str:
    rows = []
    for name in MAIN:
        for file in files:
            if name in file["figures"]:
                figures = file["figures"][name]
                rows.append([name, file["name"], *(number(figures[measure]) for measure in MEASURES)])
    return table(["score", "network", *MEASURES.values()], rows)


def variants(networks: list[dict]) -> list[tuple[str, str]]:
    """All channel variants tried, each compared with lambda 3 of the same aggregation."""
    grid = {f"channel {aggregation} {lam}" for aggregation in ("mean", "pooled") for lam in LAMBDAS}
    names = dict.fromkeys(name for network in networks for name in network["figures"] if name.startswith("channel"))
    tried = [name for name in names if name not in grid and not name.endswith((" 0.3", " 1", " 10", " 30", " inf"))]
    return [(name, "channel pooled 3" if "pooled" in name else "channel mean 3") for name in tried]


def left_out(networks: list[dict]) -> str:
    """How many held-out edges have no score, in words."""
    missing = [network["figures"]["channel mean 3"]["missing"] for network in networks]
    held_out = sum(network["edges"]["held_out"] for network in networks)
    return (
        "Pairs without a score do not compete, as in `magnitude-edge rank`, nor do held-out edges without one: for "
        f"channel (mean) {sum(missing)} of {held_out}, in {sum(count > 0 for count in missing)} networks.\n"
    )


def main() -> None:
    networks, retrained, files = read("results"), read("retrained"), read("results/files")
    large = [network for network in networks if network["setting"]["functions"] >= REAL_SIZE]
    main_pairs = [
        ("channel mean 3", "corr mean"),
        ("channel pooled 3", "corr mean"),
        ("channel pooled 3", "channel mean 3"),
        ("channel max 3", "channel mean 3"),
        ("regression mean 0.3", "corr mean"),
        ("channel mean 3", "regression mean 0.3"),
        ("corr pooled", "corr mean"),
        ("corr max", "corr mean"),
        ("partial mean", "corr mean"),
        ("spearman mean", "corr mean"),
        ("channel mean 3", "degree"),
        ("channel mean 3", "activations"),
        ("channel mean 3", "GRNBoost2"),
    ]
    lambda_pairs = [
        (f"channel {aggregation} {lam}", f"channel {aggregation} 3")
        for aggregation in ("mean", "pooled")
        for lam in LAMBDAS
        if lam != "3"
    ]
    parts = [
        "# Recovery of held-out edges\n",
        "Made by `python bench/recovery/report.py` from the JSON files beside it. [README.md](README.md) says what "
        "they are, how to measure them again and what they show. Numbers are medians over networks, with 95 % "
        "bootstrap intervals.\n",
        left_out(networks),
        f"## All {len(networks)} networks\n",
        main_table(networks),
        f"## The {len(large)} networks of {REAL_SIZE} to 600 functions\n",
        main_table(large),
        "## Paired differences\n\nOver all networks:\n",
        differences(networks, main_pairs),
        f"Over those of {REAL_SIZE} to 600 functions:\n",
        differences(large, main_pairs),
        "![AUC and average precision of each network](plots/networks.svg)\n",
        "## Lambda\n\n`inf` means no regression at all: the gradient of the weights of an edge that is not there.\n",
        lambda_table(networks, "mean"),
        lambda_table(networks, "pooled"),
        differences(networks, lambda_pairs),
        f"Over those of {REAL_SIZE} to 600 functions:\n",
        differences(large, lambda_pairs),
        "![Average precision and AUC by lambda](plots/lambda.svg)\n",
        "## By kind of network\n",
        group_table(networks),
        "## Variants that were tried\n\nOver all networks that have them:\n",
        differences(networks, variants(networks)),
        f"Over those of {REAL_SIZE} to 600 functions:\n",
        differences(large, variants(networks)),
        "## Calibration of p\n\nShares of the pairs that are not edges, neither true ones nor in the model's graph:\n",
        calibration_table(networks),
        "The same held-out edges, in a model that was trained on a graph with the same degrees and other edges:\n",
        permuted_table(networks),
        "## Edges that the model already uses\n\nAUC against pairs that are not edges at all:\n",
        absorption_table(networks, retrained),
    ]
    if retrained:
        parts += [
            "## Adding edges and training again\n\nLoss on unseen samples, relative to that with nothing added:\n",
            retraining_table(retrained),
            "![Loss after adding edges](plots/retraining.svg)\n",
        ]
    if files:
        parts += ["## Model files, by the command\n", file_table(files)]
    (HERE / "RESULTS.md").write_text("\n".join(parts))
    plot_networks(networks, HERE / "plots" / "networks.svg")
    plot_lambdas(networks, LAMBDAS, HERE / "plots" / "lambda.svg")
    if retrained:
        plot_retraining(retrained, HERE / "plots" / "retraining.svg")


if __name__ == "__main__":
    main()
