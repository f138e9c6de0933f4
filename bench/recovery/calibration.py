"""Whether p-values are calibrated for pairs that are not edges.

For the model as it is; with its targets shuffled among the samples, where gradients still depend on activations through
the model's own predictions; with its gradients shuffled among the samples, where they cannot; and for a model trained
on a graph with the same degrees and other edges.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from all_scores import parents_of
from channel_scores import Regression, of_pairs, wald_p
from channels import Channels
from networks import Network
from scipy.stats import norm

import scores

LEVELS = (0.05, 1e-3)


def permuted_graph(network: Network, seed: int) -> Network:
    """The network with its known edges rewired: every node keeps its degrees, and no true edge is made.

    Pairs of edges (a -> b, c -> d) become (a -> d, c -> b), 20 tries per edge. Inputs, outputs, data and the held-out
    edges stay.
    """
    rng = np.random.default_rng(seed)
    edges = network.known.copy()
    true, present = set(map(tuple, network.between)), set(map(tuple, edges))
    for _ in range(20 * len(edges)):
        first, second = rng.choice(len(edges), 2, replace=False)
        (a, b), (c, d) = edges[first], edges[second]
        new = {(a, d), (c, b)}
        if a == d or c == b or len(new) < 2 or new & present or new & true:
            continue
        present = present - {(a, b), (c, d)} | new
        edges[first, 1], edges[second, 1] = d, b
    return replace(network, between=np.concatenate([edges, network.held_out]))


def fisher_p(r: np.ndarray, freedom) -> np.ndarray:
    """One-sided, as in docs/method.md, "Significance"."""
    return norm.sf(np.arctanh(np.clip(r, -0.9999, 0.9999)) * np.sqrt(np.maximum(freedom, 1)))


def p_values(channels: Channels, known: np.ndarray) -> dict[str, np.ndarray]:
    """``[N, N]`` for the aggregated scores, ``[P, N, N]`` for those of the layer pairs. NaN if there is no score."""
    x, y = channels.magnitudes()
    n = x.shape[1]
    corr = scores.correlations(x, y)
    parents = parents_of(known, channels.nodes)
    partial = scores.partial(x, y, parents)
    conditioned = np.array([len(given) for given in parents])
    regression = scores.regression_t(x, y, 0.3)
    return {
        "corr mean": fisher_p(scores.mean(corr), n - 3),
        "corr, each layer pair": fisher_p(corr, n - 3),
        "partial mean": fisher_p(scores.mean(partial), n - 3 - conditioned),
        "partial, each layer pair": fisher_p(partial, n - 3 - conditioned),
        "regression, each layer pair": norm.sf(regression),
        "channel Wald, layer pairs combined": wald_p(
            [Regression(pair, channels.nodes) for pair in of_pairs(channels.pre, channels.gradients)], 3
        ),
    }


def calibration(channels: Channels, network: Network, true: np.ndarray) -> dict[str, dict[str, float]]:
    """Shares of p below each level among pairs that are neither true edges, nor edges of the model, nor i -> i."""
    none = ~np.eye(channels.nodes, dtype=bool)
    for edges in (network.known, true):
        none[edges[:, 0], edges[:, 1]] = False
    result = {}
    for name, p in p_values(channels, network.known).items():
        values = p[..., none]
        values = values[~np.isnan(values)]
        result[name] = {f"p<{level:g}": float((values < level).mean()) for level in LEVELS}
    return result
