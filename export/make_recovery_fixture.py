"""Figures of edge recovery (docs/method.md, "Ranking figures") by numpy and scikit-learn, with ties."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

OUT = Path(__file__).parent.parent / "test" / "fixtures" / "recovery" / "figures.json"


def early_precision(values: np.ndarray, labels: np.ndarray, seed: int = 1) -> float:
    """Precision of the first k pairs, for k positives: the mean over many random orders of the ties."""
    rng = np.random.default_rng(seed)
    count = labels.sum()
    found = [labels[np.lexsort((rng.random(len(values)), -values))[:count]].mean() for _ in range(200_000)]
    return float(np.mean(found))


def by_side(scores: np.ndarray, among: np.ndarray, positive: np.ndarray, side: str) -> dict[str, float]:
    ranks = []
    for i, j in np.argwhere(positive):
        own = scores[among[:, j], j] if side == "target" else scores[i, among[i]]
        ranks.append((own > scores[i, j]).sum() + ((own == scores[i, j]).sum() + 1) / 2)
    ranks = np.array(ranks)
    return {
        f"mrr_by_{side}": float((1 / ranks).mean()),
        f"hits@1_by_{side}": float((ranks <= 1).mean()),
        f"hits@3_by_{side}": float((ranks <= 3).mean()),
        f"median_rank_by_{side}": float(np.median(ranks)),
    }


def main() -> None:
    rng = np.random.default_rng(5)
    nodes = 18
    scores = np.round(2 * rng.normal(size=(nodes, nodes))) / 2
    scores[:, 4] = scores[7, 2] = np.nan
    edges = np.argwhere((rng.random((nodes, nodes)) < 0.1) & ~np.eye(nodes, dtype=bool))
    rest = np.argwhere(~np.eye(nodes, dtype=bool))
    rest = np.array([pair for pair in rest if not (edges == pair).all(axis=1).any()])
    positives = rest[rng.choice(len(rest), 20, replace=False)]
    scores[tuple(positives.T)] += 0.5
    # One known edge, and one without a score, among the positives.
    positives = np.concatenate([positives, edges[:1], [[0, 4]]])
    among = ~np.eye(nodes, dtype=bool)
    among[tuple(edges.T)] = False
    among[tuple(positives.T)] = True
    among &= ~np.isnan(scores)
    positive = np.zeros_like(among)
    positive[tuple(positives.T)] = True
    positive &= among
    values, labels = scores[among], positive[among]
    hits = labels.sum()
    figures = {
        "auc": float(roc_auc_score(labels, values)),
        "average_precision": float(average_precision_score(labels, values)),
        "early_precision": early_precision(values, labels),
        **by_side(scores, among, positive, "target"),
        **by_side(scores, among, positive, "source"),
    }
    OUT.parent.mkdir(exist_ok=True)
    content = {
        "scores": [[None if np.isnan(v) else v for v in row] for row in scores.tolist()],
        "edges": edges.tolist(),
        "positives": positives.tolist(),
        "pairs": int(among.sum()),
        "scoredPositives": int(hits),
        "figures": figures,
    }
    OUT.write_text(json.dumps(content) + "\n")


if __name__ == "__main__":
    main()
