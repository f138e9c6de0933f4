"""From a table back to a graph: adds found edges and compares two tables."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from .errors import MagnitudeEdgeError


def score_column(table: pd.DataFrame) -> str:
    """``corr``, or ``score`` if the table has that instead."""
    for column in ("corr", "score"):
        if column in table.columns:
            return column
    raise MagnitudeEdgeError("invalid-argument", "The table has neither a column 'corr' nor a column 'score'.")


def add_edges(data: Any, table: pd.DataFrame, top: int | None = None, max_q: float | None = None) -> Any:
    """Adds found edges to the graph, for a new model.

    Args:
        data: what the model was built from; it is not changed.
        table: an edge table; its first rows that have a score and are not edges of ``data`` are added.
        top: the most edges to add.
        max_q: only edges with q at or below this. At least one of ``top`` and ``max_q`` is needed.

    Returns:
        A copy of ``data`` whose function -> function edges are the old ones, then the new ones in table order. Other
        attributes are those of ``data``.

    Raises:
        MagnitudeEdgeError: ``invalid-argument``; ``graph-mismatch`` for a name that ``data`` does not have.
    """
    if top is None and max_q is None:
        raise MagnitudeEdgeError("invalid-argument", "add_edges needs top or max_q, which say how many edges to add.")
    if top is not None and top < 0:
        raise MagnitudeEdgeError("invalid-argument", f"top is {top}, a whole number of at least 0 was expected.")
    if max_q is not None and ("q_value" not in table.columns or table["q_value"].isna().all()):
        raise MagnitudeEdgeError("invalid-argument", "max_q needs a table with q-values.")
    place = {name: at for at, name in enumerate(data.node_names_dict["function"])}
    old = function_edges(data)
    known = set(map(tuple, old.T.tolist()))
    rows = table[table[score_column(table)].notna()]
    if max_q is not None:
        rows = rows[rows["q_value"] <= max_q]
    added: list[tuple[int, int]] = []
    for source, target in zip(rows["src_func"], rows["dst_func"], strict=True):
        if top is not None and len(added) >= top:
            break
        unknown = next((name for name in (source, target) if name not in place), None)
        if unknown is not None:
            raise MagnitudeEdgeError(
                "graph-mismatch", f"The table's node '{unknown}' is not a function node of the graph."
            )
        edge = (place[source], place[target])
        if edge[0] != edge[1] and edge not in known:
            known.add(edge)
            added.append(edge)
    edges = np.concatenate([old, np.array(added, dtype=old.dtype).reshape(-1, 2).T], axis=1)
    return with_function_edges(data, edges)


def function_edges(data: Any) -> np.ndarray:
    """Function -> function edges of a graph: ``[2, edges]``, indices among the function nodes."""
    held = data.edge_index_dict[_key(data)]
    return np.asarray(held.cpu() if hasattr(held, "cpu") else held)


def with_function_edges(data: Any, edges: np.ndarray) -> Any:
    """A copy of a graph with other function -> function edges, ``[2, edges]``."""
    key = _key(data)
    return _with_edges(data, key, _like(data.edge_index_dict[key], edges))


def _key(data: Any) -> tuple[str, ...]:
    keys: Iterable[tuple[str, ...]] = data.edge_index_dict
    return next(key for key in keys if (key[0], key[-1]) == ("function", "function"))


def compare(table_a: pd.DataFrame, table_b: pd.DataFrame) -> pd.DataFrame:
    """Two tables of the same nodes side by side, one row per pair, the largest change of rank first.

    Returns:
        ``src_func``, ``dst_func``, ``score_a``, ``score_b``, ``rank_a``, ``rank_b`` (1 is best, over all pairs, ties
        at their average; missing if there is no score), ``rank_change`` (positive: better in b).
    """
    sides = []
    for suffix, table in (("a", table_a), ("b", table_b)):
        side = table[["src_func", "dst_func"]].astype(str)
        side[f"score_{suffix}"] = table[score_column(table)].astype(float)
        side[f"rank_{suffix}"] = side[f"score_{suffix}"].rank(ascending=False)
        sides.append(side)
    joined = sides[0].merge(sides[1], on=["src_func", "dst_func"], how="outer", validate="one_to_one")
    joined["rank_change"] = joined["rank_a"] - joined["rank_b"]
    order = joined["rank_change"].abs().sort_values(ascending=False, kind="stable").index
    columns = ["src_func", "dst_func", "score_a", "score_b", "rank_a", "rank_b", "rank_change"]
    ordered: pd.DataFrame = joined.loc[order, columns].reset_index(drop=True)
    return ordered


def _like(held: Any, edges: np.ndarray) -> Any:
    if not hasattr(held, "new_tensor"):
        return edges
    return held.new_tensor(edges)


def _with_edges(data: Any, key: tuple[str, ...], edges: Any) -> Any:
    """A shallow copy of ``data`` with other edges of one type. torch_geometric's HeteroData builds its dictionaries on
    access, so there the store of that type is changed."""
    changed = copy.copy(data)
    if hasattr(data, "edge_stores"):
        changed[key].edge_index = edges
        return changed
    changed.edge_index_dict = {**data.edge_index_dict, key: edges}
    return changed
