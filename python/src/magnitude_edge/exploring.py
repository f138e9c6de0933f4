"""``explore`` and ``export_html``: any edge table in the explorer, in a notebook or as a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd
import pyarrow as pa

from .explorer_data import ExplorerData, explorer_data, write_html

if TYPE_CHECKING:
    from .explorer_widget import ExplorerWidget

Table: TypeAlias = "pd.DataFrame | pa.Table | str | os.PathLike[str]"
Pairs: TypeAlias = "Iterable[tuple[str, str]] | pd.DataFrame"


def explore(
    table: Table,
    *,
    names: Sequence[str] | None = None,
    positives: Pairs = (),
    title: str | None = None,
    height: int = 560,
) -> ExplorerWidget:
    """Opens a table in the explorer, as a notebook widget.

    Args:
        table: an edge table: a DataFrame, an Arrow table, or the path of an Arrow, Parquet or CSV file.
        names: names of all function nodes, indexed by ``src_idx`` and ``dst_idx``; without them, nodes that appear in
            no row are on no axis.
        positives: (source, target) names of edges known to be true, or a DataFrame of them; they are marked, and
            ranked in a view of their own.
        title: the table's title.
        height: of the view, in CSS pixels.

    Returns:
        The widget; leave it at the end of a cell to show it. ``widget.selection`` and ``widget.edges`` are the selected
        and the shown rows, as DataFrames; read them in a later cell.

    Raises:
        ImportError: anywidget is not installed (``pip install 'magnitude-edge[widget]'``).
        MagnitudeEdgeError: ``invalid-data`` if the table is not an edge table; ``invalid-argument``.
    """
    return show_widget(explorer_data(table, names, positives, title), height)


def show_widget(data: ExplorerData, height: int) -> ExplorerWidget:
    """The widget of a prepared table.

    Raises:
        ImportError: anywidget is not installed.
    """
    try:
        from .explorer_widget import ExplorerWidget
    except ImportError as error:
        if error.name not in ("anywidget", "traitlets", "ipywidgets"):
            raise
        raise ImportError(
            f"explore needs {error.name}: pip install 'magnitude-edge[widget]'. "
            "export_html writes the same view as a file without it.",
            name=error.name,
        ) from error
    return ExplorerWidget(data, height)


def export_html(
    table: Table,
    path: str | os.PathLike[str],
    *,
    names: Sequence[str] | None = None,
    positives: Pairs = (),
    title: str | None = None,
) -> Path:
    """Writes the explorer with a table in it as one HTML file, which opens from disk without a server or a network.

    Args:
        path: the file to write.
        table, names, positives, title: see :func:`explore`.

    Returns:
        The path.

    Raises:
        MagnitudeEdgeError: ``invalid-data`` if the table is not an edge table; ``invalid-argument``.
    """
    return write_html(explorer_data(table, names, positives, title), path)
