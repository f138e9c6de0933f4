"""Do edges come back that are hidden from the model? A control for a screen, on a model with an edge mask."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from .errors import MagnitudeEdgeError
from .graph_edits import score_column
from .inferer import MagnitudeEdgeInferer
from .ranking import evaluate_target_ranking

Edge = tuple[str, str]


def recovery(
    model,
    dataloader: Iterable,
    data=None,
    *,
    hidden: float = 0.2,
    repeats: int = 3,
    seed: int = 0,
    crit=None,
    backend: str = "auto",
    **evaluate,
) -> pd.DataFrame:
    """Hides edges between function nodes, by the model's edge mask, and looks where the score ranks them.

    Edges are switched off in the trained model, which is not trained again: how the model was changed by them shows, so
    that the figures are an upper bound of what a model trained without them would give.

    Args:
        model: a torch GSNN, or the path of a file exported with ``edge_mask=True``.
        dataloader: batches ``(x, y)``; gone through once for each repeat, so a list or a DataLoader, no generator.
        data: as of :class:`MagnitudeEdgeInferer`.
        hidden: the share of the edges to hide, at least one edge.
        repeats: so many choices of hidden edges.
        seed: of the choices.
        crit: a loss that the engine knows.
        **evaluate: options of :meth:`MagnitudeEdgeInferer.evaluate`.

    Returns:
        Two rows per repeat. ``edges`` is ``"hidden"``, or ``"permuted"``: a control of as many pairs into the same
        targets, whose sources are drawn from those that are no edge. Columns ``repeat``, ``edges``, ``n_positives``,
        ``auc`` (of positives among all pairs that are no edge and have a score), ``mrr``, ``top@k`` within targets.
        Where the score finds nothing both rows are alike: an auc of 0.5.

    Raises:
        MagnitudeEdgeError: ``invalid-argument`` for a model without an edge mask and for a share outside (0, 1).
    """
    if not 0 < hidden < 1:
        raise MagnitudeEdgeError("invalid-argument", f"hidden is {hidden}, a share between 0 and 1 was expected.")
    rng = np.random.default_rng(seed)
    rows = []
    with _inferer(model, data, backend) as inferer:
        edges = inferer.function_edges
        names = inferer.node_names["function"]
        for repeat in range(repeats):
            chosen = rng.choice(len(edges), max(1, round(hidden * len(edges))), replace=False)
            positives = [edges[at] for at in sorted(chosen)]
            inferer.fit(dataloader, crit, verbose=False, masked_edges=positives)
            table = inferer.evaluate(**evaluate)
            control = _permuted(positives, set(edges), names, rng)
            for kind, pairs in (("hidden", positives), ("permuted", control)):
                rows.append({"repeat": repeat, "edges": kind, **_figures(table, pairs)})
    return pd.DataFrame(rows)


def _inferer(model, data, backend: str) -> MagnitudeEdgeInferer:
    if isinstance(model, (str, Path)):
        return MagnitudeEdgeInferer(model, backend=backend)
    from .export import export_gsnn

    with tempfile.TemporaryDirectory() as folder:
        path = export_gsnn(model, data, Path(folder) / "model.onnx", edge_mask=True).path
        return MagnitudeEdgeInferer(path, backend=backend)


def _permuted(positives: list[Edge], edges: set[Edge], names: list[str], rng: np.random.Generator) -> list[Edge]:
    """As many pairs into the same targets that are no edges; a target whose sources are all edges gives none."""
    taken = set(edges)
    pairs = []
    for _, target in positives:
        free = [source for source in names if source != target and (source, target) not in taken]
        if free:
            pairs.append((free[rng.integers(len(free))], target))
            taken.add(pairs[-1])
    return pairs


def _figures(table: pd.DataFrame, positives: list[Edge]) -> dict[str, float]:
    _, ranking = evaluate_target_ranking(table, positives)
    among = table[~table["has_edge"] & table[score_column(table)].notna()]
    wanted = set(positives)
    pairs = zip(among["src_func"], among["dst_func"], strict=True)
    positive = np.fromiter((pair in wanted for pair in pairs), bool, len(among))
    ranks = among[score_column(table)].rank().to_numpy()
    hits, others = positive.sum(), (~positive).sum()
    auc = (ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * others) if hits and others else float("nan")
    return {"n_positives": ranking.pop("n_positives"), "auc": float(auc), **ranking}
