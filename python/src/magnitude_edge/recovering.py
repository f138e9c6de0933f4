"""Are edges that were hidden from the model found again? A control for a screen."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .errors import MagnitudeEdgeError
from .graph_edits import function_edges, score_column, with_function_edges
from .inferer import MagnitudeEdgeInferer
from .ranking import evaluate_target_ranking

Edge = tuple[str, str]


def recovery(
    model: Any,
    dataloader: Iterable[Any],
    data: Any = None,
    *,
    hidden: float = 0.2,
    repeats: int = 3,
    seed: int = 0,
    crit: Any = None,
    backend: str = "auto",
    **evaluate: Any,
) -> pd.DataFrame:
    """Hides edges between function nodes and reports how the score ranks them, compared with a permuted graph.

    The permuted graph is the control: the model's edges with their ends exchanged at random, so that every node keeps
    its in- and out-degree and no pair is an edge of both. The edges in the hidden ones' places are ranked in the same
    way. A score that reflects more than degrees ranks hidden edges above them.

    With a model, edges are switched off without retraining. The weights still carry traces of them, so the figures are
    an upper bound for a model trained without them; the control is ranked in the same tables. With a function, every
    graph gets its own model, trained without the edges to find: two per repeat.

    Args:
        model: a torch GSNN, the path of a file exported with ``edge_mask=True``, or a function that takes a graph like
            ``data`` and returns a trained torch GSNN.
        dataloader: batches ``(x, y)``; iterated up to twice per repeat, so pass a list or a DataLoader.
        data: see :class:`MagnitudeEdgeInferer`; required with a function.
        hidden: the share of the edges to hide, at least one edge.
        repeats: number of random choices of hidden edges.
        seed: of the choices and permutations.
        crit: a loss that the engine knows; with a function, any.
        **evaluate: options of :meth:`MagnitudeEdgeInferer.evaluate`.

    Returns:
        Two rows per repeat; ``edges`` is ``"hidden"`` or ``"permuted"``. Columns ``repeat``, ``edges``, ``n_positives``
        (fewer for the control if degrees leave an edge no other place), ``auc`` (of positives among all pairs that
        are not edges and have a score), ``mrr``, ``top@k`` within targets; missing if there are no positives.
        If the score finds nothing, both rows are alike: an auc of 0.5.

    Raises:
        MagnitudeEdgeError: ``invalid-argument`` for a model without an edge mask, a function without ``data``, and a
            share outside (0, 1).
    """
    if not 0 < hidden < 1:
        raise MagnitudeEdgeError("invalid-argument", f"hidden is {hidden}, a share between 0 and 1 was expected.")
    trained = callable(model) and not hasattr(model, "state_dict")  # torch modules are callable, too
    if trained and data is None:
        raise MagnitudeEdgeError(
            "invalid-argument", "recovery with a function that trains models needs data, which holds the graph."
        )
    score: _Trained | _Masked = (_Trained if trained else _Masked)(model, data, backend)
    rng = np.random.default_rng(seed)
    rows = []
    with score:
        edges = score.edges
        for repeat in range(repeats):
            at = np.sort(rng.choice(len(edges), max(1, round(hidden * len(edges))), replace=False))
            positives = [edges[k] for k in at]
            table = score.without(edges, positives, dataloader, crit, evaluate)
            rows.append({"repeat": repeat, "edges": "hidden", **_figures(table, positives)})
            permuted = permuted_edges(edges, rng)
            control = [permuted[k] for k in at if permuted[k] not in set(edges)]
            if trained:
                table = score.without(permuted, [permuted[k] for k in at], dataloader, crit, evaluate)
            rows.append({"repeat": repeat, "edges": "permuted", **_figures(table, control)})
    found: pd.DataFrame = pd.DataFrame(rows)
    return found


class _Masked:
    """One trained model whose edges are switched off."""

    def __init__(self, model: Any, data: Any, backend: str):
        self._inferer = _masked_inferer(model, data, backend)
        self.edges = self._inferer.function_edges

    def without(
        self, _edges: list[Edge], hidden: list[Edge], dataloader: Iterable[Any], crit: Any, evaluate: dict[str, Any]
    ) -> pd.DataFrame:
        self._inferer.fit(dataloader, crit, verbose=False, masked_edges=hidden)
        return self._inferer.evaluate(**evaluate)

    def __enter__(self) -> _Masked:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._inferer.close()


class _Trained:
    """A model trained for each graph."""

    def __init__(self, train: Callable[[Any], Any], data: Any, backend: str):
        self._train, self._data, self._backend = train, data, backend
        self._names = [str(name) for name in data.node_names_dict["function"]]
        pairs = dict.fromkeys(map(tuple, function_edges(data).T.tolist()))
        self._own = [pair for pair in pairs if pair[0] == pair[1]]  # self edges stay where they are
        self.edges = [(self._names[i], self._names[j]) for i, j in pairs if i != j]

    def without(
        self, edges: list[Edge], hidden: list[Edge], dataloader: Iterable[Any], crit: Any, evaluate: dict[str, Any]
    ) -> pd.DataFrame:
        place = {name: at for at, name in enumerate(self._names)}
        left = [(place[i], place[j]) for i, j in edges if (i, j) not in set(hidden)]
        graph = with_function_edges(self._data, np.array(left + self._own, dtype=np.int64).reshape(-1, 2).T)
        with MagnitudeEdgeInferer(self._train(graph), graph, backend=self._backend) as inferer:
            inferer.fit(dataloader, crit, verbose=False)
            return inferer.evaluate(**evaluate)

    def __enter__(self) -> _Trained:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass


def permuted_edges(edges: list[Edge], rng: np.random.Generator) -> list[Edge]:
    """A permuted graph: pairs of edges exchange their targets repeatedly, unless that would create a duplicate, an edge
    of the graph itself or a self edge. Every node keeps its in- and out-degree, every position its source. Edges that
    cannot be exchanged stay."""
    forbidden, now = set(edges), list(edges)
    present = set(edges)
    exchanged = 0
    for _ in range(100 * len(now)):
        a, b = rng.integers(len(now), size=2)
        first, second = (now[a][0], now[b][1]), (now[b][0], now[a][1])
        if a == b or any(i == j or (i, j) in forbidden or (i, j) in present for i, j in (first, second)):
            continue
        present -= {now[a], now[b]}
        present |= {first, second}
        now[a], now[b] = first, second
        exchanged += 1
        if exchanged >= 10 * len(now):
            break
    return now


def _masked_inferer(model: Any, data: Any, backend: str) -> MagnitudeEdgeInferer:
    if isinstance(model, (str, Path)):
        return MagnitudeEdgeInferer(model, backend=backend)
    from .export import export_gsnn

    with tempfile.TemporaryDirectory() as folder:
        path = export_gsnn(model, data, Path(folder) / "model.onnx", edge_mask=True).path
        return MagnitudeEdgeInferer(path, backend=backend)


def _figures(table: pd.DataFrame, positives: list[Edge]) -> dict[str, float]:
    if not positives:
        return {"n_positives": 0, "auc": float("nan")}
    _, ranking = evaluate_target_ranking(table, positives)
    among = table[~table["has_edge"] & table[score_column(table)].notna()]
    wanted = set(positives)
    pairs = zip(among["src_func"], among["dst_func"], strict=True)
    positive = np.fromiter((pair in wanted for pair in pairs), bool, len(among))
    ranks = among[score_column(table)].rank().to_numpy()
    hits, others = positive.sum(), (~positive).sum()
    auc = (ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * others) if hits and others else float("nan")
    return {"n_positives": ranking.pop("n_positives"), "auc": float(auc), **ranking}
