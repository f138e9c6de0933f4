"""The explorer in a notebook: an anywidget widget that reports its selection and filters back to Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NoReturn

import anywidget
import numpy as np
import pandas as pd
import traitlets

from .errors import MagnitudeEdgeError
from .explorer_data import ExplorerData, built_file, write_html

#: Bytes per message. Notebook servers accept larger ones from a kernel, but block everything else meanwhile.
PIECE = 4_000_000


class ExplorerWidget(anywidget.AnyWidget):
    """A table in the explorer: heatmap, table, network, target and significance, with one selection.

    Created by :func:`magnitude_edge.explore`. Bytes are sent to the page in pieces, when a view asks for them, and are
    not saved with the notebook. Evidence of a pair is requested from the engine when the target view shows it.

    Attributes:
        selected: names of the selection: none, a node, or source and target. Assign to select; ``observe`` to follow.
        height: of the view, in CSS pixels.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)
    height = traitlets.Int(560).tag(sync=True)

    def __init__(self, data: ExplorerData, height: int = 560):
        self._data = data
        self._version = 1
        self._rows: np.ndarray | None = None
        self._arriving: tuple[str, dict[int, bytes]] = ("", {})
        super().__init__(_esm=built_file("widget.js").read_text(encoding="utf-8"), height=height)
        self.on_msg(self._receive)

    @property
    def edges(self) -> pd.DataFrame:
        """The rows that pass the filters, in the order shown. All rows before anything is shown."""
        frame = self._data.frame
        rows: pd.DataFrame = frame.copy() if self._rows is None else frame.iloc[self._rows]
        return rows

    @property
    def selection(self) -> pd.DataFrame:
        """The selected rows: the one of a pair, those into a node; none if nothing is selected."""
        frame = self._data.frame
        rows: pd.DataFrame = frame.iloc[:0]
        if self.selected:
            rows = frame[frame["dst_func"].astype(str) == self.selected[-1]]
        if len(self.selected) > 1:
            rows = rows[rows["src_func"].astype(str) == self.selected[0]]
        picked: pd.DataFrame = rows.copy()
        return picked

    def show(self, data: ExplorerData) -> None:
        """Replaces the table. Filters stay, and so does the selection if the table has its names."""
        self._data = data
        self._version += 1
        self._rows = None
        self.send({"kind": "changed"})

    def export_html(self, path: str | os.PathLike[str]) -> Path:
        """Writes the same view as one HTML file with the table in it: it needs no server, no network and no Python.

        Returns:
            The path.
        """
        return write_html(self._data, path)

    def __await__(self) -> NoReturn:
        raise MagnitudeEdgeError(
            "invalid-argument",
            "The widget cannot be awaited: its messages are processed only after the cell has ended, so the cell would "
            "wait forever. Read widget.selection and widget.edges in the next cell.",
        )

    def _receive(self, _widget: Any, message: dict[str, Any], buffers: list[memoryview]) -> None:
        if message.get("kind") == "ask":
            self._answer(message["what"], message["token"], message)
        elif message.get("kind") == "rows":
            self._take_rows(message, buffers)

    def _answer(self, what: str, token: str, asked: dict[str, Any]) -> None:
        content: memoryview
        facts: dict[str, Any] | None = None
        if what == "page":
            content = memoryview(built_file("explorer.html").read_bytes())
        elif what == "table":
            content, facts = memoryview(self._data.content), self._data.facts(self._version, with_kernel=True)
        elif self._data.evidence is not None:
            facts, found = self._data.evidence.answer(asked)
            content = memoryview(found)
        else:
            return
        pieces = max(1, -(-len(content) // PIECE))
        for piece in range(pieces):
            message = {"kind": "piece", "token": token, "piece": piece, "pieces": pieces}
            if piece == 0 and facts is not None:
                message["facts"] = facts
            self.send(message, [content[piece * PIECE : (piece + 1) * PIECE]])

    def _take_rows(self, message: dict[str, Any], buffers: list[memoryview]) -> None:
        """Row numbers, little endian, in pieces. Those of a replaced table or superseded by later ones are dropped."""
        if message["version"] != self._version:
            return
        if message["rows"] is None:
            self._rows = None
            return
        if self._arriving[0] != message["token"]:
            self._arriving = (message["token"], {})
        parts = self._arriving[1]
        parts[message["piece"]] = bytes(buffers[0]) if buffers else b""
        if len(parts) < message["pieces"]:
            return
        rows = np.frombuffer(b"".join(parts[piece] for piece in range(message["pieces"])), dtype="<u4")
        self._arriving = ("", {})
        if len(rows) == message["rows"]:
            self._rows = rows.astype(np.int64)
