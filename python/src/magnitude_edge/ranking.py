"""How well a table ranks known edges: any DataFrame with ``src_func``, ``dst_func`` and a score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from .errors import MagnitudeEdgeError


def evaluate_target_ranking(
    df: pd.DataFrame,
    positive_edges: Iterable[tuple[str, str]],
    score_col: str | None = None,
    top_k: Sequence[int] = (1, 3, 5),
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Ranks positive edges among all scored sources of their targets.

    Args:
        df: an edge table; rows with equal scores rank in table order, those without a score do not rank.
        positive_edges: (source, target) names; duplicates count once.
        score_col: default: ``corr``, or ``score`` if the table has that instead.
        top_k: a positive is recovered at k when its rank is at most k.

    Returns:
        ``(detail, summary)``. One row of ``detail`` per positive, by source and target: ``src_func``,
        ``dst_func``, ``score``, ``rank`` (missing if it does not rank), ``n_candidates``, ``reciprocal_rank``
        (0 if it does not rank), ``top@k``. ``summary``: ``n_positives``, ``mrr``, the rate of each ``top@k``.

    Raises:
        MagnitudeEdgeError: ``no-positives`` if there are no positive edges or none joins two nodes of the table,
            ``invalid-argument`` for a column that the table lacks or a k below 1.
    """
    if score_col is None:
        score_col = "corr" if "corr" in df.columns or "score" not in df.columns else "score"
    for column in ("src_func", "dst_func", score_col):
        if column not in df.columns:
            raise MagnitudeEdgeError("invalid-argument", f"The table has no column '{column}'.")
    if any(int(k) != k or k < 1 for k in top_k):
        raise MagnitudeEdgeError(
            "invalid-argument", f"top_k is {list(top_k)}, whole numbers of at least 1 were expected."
        )
    positives = sorted({(str(source), str(target)) for source, target in positive_edges})
    if not positives:
        raise MagnitudeEdgeError("no-positives", "The ranking needs at least one positive edge, but there are none.")
    known = set(df["src_func"].unique()) | set(df["dst_func"].unique())
    if not any(source in known and target in known for source, target in positives):
        source, target = positives[0]
        raise MagnitudeEdgeError(
            "no-positives",
            f"None of the {len(positives)} positive edges joins two nodes of the table: "
            f"the first is {source} -> {target}.",
        )
    wanted = df[df["dst_func"].isin({target for _, target in positives}) & df[score_col].notna()]
    by_target = {
        target: (rows["src_func"].to_numpy(dtype=object), rows[score_col].to_numpy(dtype=float))
        for target, rows in wanted.groupby(wanted["dst_func"].astype(str), sort=False)
    }
    ranked = [_rank(source, *by_target.get(target, (np.empty(0, object), np.empty(0)))) for source, target in positives]
    ranks = np.array([np.inf if rank is None else rank for rank, _, _ in ranked])
    detail = pd.DataFrame(
        {
            "src_func": [source for source, _ in positives],
            "dst_func": [target for _, target in positives],
            "score": [score for _, score, _ in ranked],
            "rank": pd.array([rank for rank, _, _ in ranked], dtype="Int64"),
            "n_candidates": [candidates for _, _, candidates in ranked],
            "reciprocal_rank": 1 / ranks,
            **{f"top@{k}": ranks <= k for k in top_k},
        }
    )
    summary = {"n_positives": len(positives), "mrr": float((1 / ranks).mean())}
    return detail, summary | {f"top@{k}": float((ranks <= k).mean()) for k in top_k}


def _rank(source: str, sources: np.ndarray, scores: np.ndarray) -> tuple[int | None, float, int]:
    """``(rank, score, candidates)``; of equal scores the earlier row ranks first."""
    found = np.flatnonzero(sources == source)
    if not len(found):
        return None, float("nan"), len(sources)
    at = found[0]
    ahead = (scores > scores[at]).sum() + (scores[:at] == scores[at]).sum()
    return int(ahead) + 1, float(scores[at]), len(sources)
