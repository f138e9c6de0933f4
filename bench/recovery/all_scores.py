"""Every score of the benchmark, by name: score, aggregation over the layer pairs, lambda."""

from __future__ import annotations

import numpy as np
from channel_scores import (
    Regression,
    SingleRegression,
    divided,
    largest,
    of_all_pairs,
    of_pairs,
    product_corrected,
    root_mean_square,
    weighted,
)
from channels import Channels

import scores

LAMBDAS = (0.3, 1.0, 3.0, 10.0, 30.0)
LARGE = 150  # function nodes
LARGE_LAMBDAS = {"channel": (1.0, 3.0, 10.0, np.inf), "channel post": (3.0,)}
MAGNITUDE_LAMBDAS = (0.03, 0.1, 0.3, 1.0, 3.0)


def parents_of(known: np.ndarray, nodes: int) -> list[np.ndarray]:
    """Known parents of each function node, without itself."""
    return [np.unique(known[(known[:, 1] == j) & (known[:, 0] != j), 0]) for j in range(nodes)]


def all_scores(channels: Channels, known: np.ndarray) -> dict[str, np.ndarray]:
    """``[source, target]`` matrices; ``known [k, 2]``, the function -> function edges of the model."""
    return magnitude_scores(channels, known) | free_scores(channels, known) | channel_scores(channels)


def magnitude_scores(channels: Channels, known: np.ndarray) -> dict[str, np.ndarray]:
    x, y = channels.magnitudes()
    parents = parents_of(known, channels.nodes)
    out: dict[str, np.ndarray] = {}
    corr, partial = scores.correlations(x, y), scores.partial(x, y, parents)
    spearman = scores.correlations(scores.ranks(x), scores.ranks(y))
    for name, pairs in (("corr", corr), ("partial", partial), ("spearman", spearman)):
        out[f"{name} mean"], out[f"{name} max"] = scores.mean(pairs), scores.largest(pairs)
    pooled_x, pooled_y = scores.pooled(x), scores.pooled(y)
    out["corr pooled"] = scores.correlations(pooled_x, pooled_y)[0]
    for lam in MAGNITUDE_LAMBDAS:
        out[f"regression mean {lam:g}"] = scores.mean(scores.regression(x, y, lam))
    out["regression max 0.3"] = scores.largest(scores.regression(x, y, 0.3))
    out["regression pooled 0.3"] = scores.regression(pooled_x, pooled_y, 0.3)[0]
    return out


def free_scores(channels: Channels, known: np.ndarray) -> dict[str, np.ndarray]:
    """Scores that need no gradient: degrees in the known graph, and correlations of activation magnitudes alone."""
    outgoing, incoming = (np.bincount(known[:, side], minlength=channels.nodes) for side in (0, 1))
    x = channels.magnitudes()[0]
    return {
        "degree": np.outer(outgoing, incoming).astype(float),
        "activations": np.abs(scores.correlations(x[-1:], x[-1:])[0]),
    }


def channel_scores(channels: Channels) -> dict[str, np.ndarray]:
    """Large networks get fewer variants, in float32: some lambdas, no summed activations, no sample weights."""
    large = channels.nodes > LARGE
    out: dict[str, np.ndarray] = {}
    forms = {"channel": channels.pre, "channel post": channels.post}
    if not large:
        forms["channel summed post"] = channels.summed()
    for name, f in forms.items():
        for aggregation, observations in (("mean", of_pairs), ("pooled", of_all_pairs)):
            kind, lambdas = (SingleRegression, LARGE_LAMBDAS[name]) if large else (Regression, (*LAMBDAS, np.inf))
            regressions = [kind(pair, channels.nodes) for pair in observations(f, channels.gradients)]
            for lam in lambdas:
                pairs = [regression.norms(regression.solution(lam)) for regression in regressions]
                out[f"{name} {aggregation} {lam:g}"] = root_mean_square(pairs)
                if lam == 3 and aggregation == "mean":
                    out[f"{name} max 3"] = largest(pairs)
            if not large and name == "channel":
                out |= scaled_otherwise(regressions, aggregation)
    for name, power in () if large else (("by", 1), ("against", -1)):
        regressions = [Regression(pair, channels.nodes) for pair in weighted(channels.pre, channels.gradients, power)]
        pairs = [regression.norms(regression.solution(3)) for regression in regressions]
        out[f"channel weighted {name} gradient mean 3"] = root_mean_square(pairs)
    for aggregation in ("mean", "pooled"):
        out[f"channel product-corrected {aggregation} 3"] = product_corrected(out[f"channel {aggregation} 3"])
        out[f"channel divided {aggregation} 3"] = divided(out[f"channel {aggregation} 3"])
    return out


def scaled_otherwise(regressions: list[Regression], aggregation: str) -> dict[str, np.ndarray]:
    """Sizes of a block other than its Frobenius norm, at lambda 3."""
    out = {
        f"channel t {aggregation} 3": [r.norms(r.t_values(3)) for r in regressions],
        f"channel Wald {aggregation} 3": [np.sqrt(r.wald(3)[0]) for r in regressions],
        f"channel singular {aggregation} 3": [r.singular_values(r.solution(3)) for r in regressions],
    }
    return {name: root_mean_square(pairs) for name, pairs in out.items()}
