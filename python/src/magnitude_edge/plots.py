"""Plots of tables, by matplotlib and networkx, which ``pip install magnitude-edge[plots]`` installs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .errors import MagnitudeEdgeError
from .graph_edits import score_column

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_heatmap(
    table: pd.DataFrame, nodes: Sequence[str] | None = None, ax: Axes | None = None, **imshow: Any
) -> Axes:
    """Plots scores as ``[source, target]``, with known edges marked by a dot.

    Args:
        nodes: names, in the order of both axes; default: all, by index.
        ax: matplotlib axes to draw into; default: new ones.
        **imshow: options of ``Axes.imshow``.

    Returns:
        The axes.

    Raises:
        MagnitudeEdgeError: ``invalid-argument`` for a name that the table lacks.
    """
    order = list(nodes) if nodes is not None else _names(table)
    place = {name: at for at, name in enumerate(order)}
    unknown = [name for name in order if name not in set(_names(table))]
    if unknown:
        raise MagnitudeEdgeError("invalid-argument", f"The table has no node '{unknown[0]}'.")
    rows = table[table["src_func"].isin(order) & table["dst_func"].isin(order)]
    at = rows["src_func"].map(place).to_numpy(dtype=int), rows["dst_func"].map(place).to_numpy(dtype=int)
    scores = np.full((len(order), len(order)), np.nan)
    scores[at] = rows[score_column(table)]
    limit = np.nanmax(np.abs(scores), initial=0) or 1
    ax = _axes(ax)
    image = ax.imshow(scores, **{"cmap": "RdBu_r", "vmin": -limit, "vmax": limit, **imshow})
    known = rows["has_edge"].to_numpy(dtype=bool)
    ax.plot(at[1][known], at[0][known], ".k", markersize=2)
    ax.set(xlabel="target", ylabel="source")
    if len(order) <= 60:
        ax.set_xticks(range(len(order)), order, rotation=90)
        ax.set_yticks(range(len(order)), order)
    ax.figure.colorbar(image, ax=ax, label=score_column(table))
    return ax


def plot_ranking(detail: pd.DataFrame, ax: Axes | None = None, **plot: Any) -> Axes:
    """Plots the share of the positive edges that rank at k or better, over k.

    Args:
        detail: the first value that ``evaluate_target_ranking`` returns.
        ax, **plot: as for :func:`plot_heatmap`; options of ``Axes.step``.
    """
    ranks = np.sort(detail["rank"].dropna().to_numpy(dtype=int))
    ax = _axes(ax)
    share = np.arange(1, len(ranks) + 1) / len(detail)
    ax.step(ranks, share, **{"where": "post", **plot})
    ax.set(xlabel="rank within the target", ylabel="share of the positive edges", ylim=(0, 1.02))
    return ax


def plot_network(table: pd.DataFrame, top: int = 20, ax: Axes | None = None, **draw: Any) -> Axes:
    """Plots the best ``top`` pairs that are not known edges (red), and the known edges (grey) among their nodes.

    Args:
        ax, **draw: as for :func:`plot_heatmap`; options of ``networkx.draw_networkx``.
    """
    import networkx as nx

    score = score_column(table)
    ranked = table[table[score].notna()].sort_values(score, ascending=False, kind="stable")
    found = ranked[~ranked["has_edge"]].head(top)
    nodes = sorted({*found["src_func"], *found["dst_func"]})
    known = table[table["has_edge"] & table["src_func"].isin(nodes) & table["dst_func"].isin(nodes)]
    graph = nx.DiGraph()
    graph.add_nodes_from(nodes)
    for rows, colour in ((known, "0.7"), (found, "tab:red")):
        graph.add_edges_from(zip(rows["src_func"], rows["dst_func"], strict=True), color=colour)
    ax = _axes(ax)
    colours = list(nx.get_edge_attributes(graph, "color").values())
    options = {"pos": nx.circular_layout(graph), "edge_color": colours, "node_size": 200, "font_size": 8, **draw}
    nx.draw_networkx(graph, ax=ax, **options)
    ax.set_axis_off()
    return ax


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    axes: Axes = plt.subplots(layout="constrained")[1]
    return axes


def _names(table: pd.DataFrame) -> list[str]:
    """All node names, by index."""
    sides = [
        table[[f"{side}_idx", f"{side}_func"]].drop_duplicates().set_axis(["index", "name"], axis=1)
        for side in ("src", "dst")
    ]
    return [str(name) for name in pd.concat(sides).drop_duplicates("index").sort_values("index")["name"]]
