"""How well a score finds the held-out edges among all pairs that are not known edges."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def candidates(nodes: int, known: np.ndarray) -> np.ndarray:
    """``[source, target]`` flags: neither self pairs nor known edges."""
    flags = ~np.eye(nodes, dtype=bool)
    flags[known[:, 0], known[:, 1]] = False
    return flags


def average_ranks(value: np.ndarray, edges: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Rank of each edge ``[source, target]`` among the candidates of its target (1 = best, ties at their mean)."""
    ranks = []
    for i, j in edges:
        column = value[among[:, j], j]
        ranks.append((column > value[i, j]).sum() + ((column == value[i, j]).sum() + 1) / 2)
    return np.array(ranks)


def recovery(score: np.ndarray, known: np.ndarray, held_out: np.ndarray) -> dict[str, float]:
    """Figures of the held-out edges among all pairs that are not known edges and have a score.

    AUC, average precision (tied pairs are counted together, so that their order does not matter), early precision (at
    as many pairs as positives; tied pairs count as on average in random order); by target, known edges filtered out and
    ties at their average rank: mean reciprocal rank, top@k, median rank; the mean reciprocal rank by source. Pairs
    without a score do not compete, as in ``magnitude-edge rank``: ``missing`` counts the held-out edges among them,
    ``unscored`` all of them.
    """
    possible = candidates(len(score), known)
    among = possible & ~np.isnan(score)
    scored = among[held_out[:, 0], held_out[:, 1]]
    positives = held_out[scored]
    positive = np.zeros_like(among)
    positive[positives[:, 0], positives[:, 1]] = True
    all_values, labels = score[among], positive[among]
    hits, count = labels.sum(), len(labels)
    rank = rankdata(all_values)
    auc = (rank[labels].sum() - hits * (hits + 1) / 2) / (hits * (count - hits))
    # Numbers of pairs, and of positives, that score at least as high as each positive.
    at_least = count - rankdata(all_values, method="min")[labels] + 1
    found = hits - rankdata(all_values[labels], method="min") + 1
    last = np.sort(all_values)[count - hits]
    above, tied = all_values > last, all_values == last
    early = labels[above].sum() + labels[tied].sum() * (hits - above.sum()) / tied.sum()
    by_target = average_ranks(score, positives, among)
    by_source = average_ranks(score.T, positives[:, ::-1], among.T)
    return {
        "auc": float(auc),
        "ap": float((found / at_least).mean()),
        "early": float(early / hits),
        "mrr": float((1 / by_target).mean()),
        "mrr_by_source": float((1 / by_source).mean()),
        "top@5": float((by_target <= 5).mean()),
        "top@20": float((by_target <= 20).mean()),
        "median_rank": float(np.median(by_target)),
        "missing": int((~scored).sum()),
        "unscored": int((possible & ~among).sum()),
    }


def best_pairs(score: np.ndarray, known: np.ndarray, count: int) -> np.ndarray:
    """The first pairs of a score that are not known edges."""
    among = candidates(len(score), known)
    value = np.where(among & ~np.isnan(score), score, -np.inf)
    order = np.argsort(-value, axis=None, kind="stable")[:count]
    return np.stack(np.unravel_index(order, value.shape), axis=1)


def known_auc(score: np.ndarray, known: np.ndarray, held_out: np.ndarray) -> float:
    """AUC of the known edges against pairs that are not edges at all: what a score says of edges already in use. Only
    pairs with a score count."""
    inside = score[known[:, 0], known[:, 1]]
    outside = score[candidates(len(score), np.concatenate([known, held_out]))]
    inside, outside = (side[~np.isnan(side)] for side in (inside, outside))
    rank = rankdata(np.concatenate([inside, outside]))
    hits, others = len(inside), len(outside)
    return float((rank[:hits].sum() - hits * (hits + 1) / 2) / (hits * others))
