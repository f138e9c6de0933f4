"""Any edge table as input of the explorer: Arrow bytes and accompanying facts; and both as one HTML file."""

from __future__ import annotations

import base64
import gzip
import html
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .errors import MagnitudeEdgeError
from .graph_edits import score_column

if TYPE_CHECKING:
    from .pair_evidence import PairEvidence

#: Where ``npm run build:python`` puts the explorer's page and the module that shows it in a notebook.
BUILT = Path(__file__).resolve().parent / "explorer"


def built_file(name: str) -> Path:
    """A file of the built explorer.

    Raises:
        MagnitudeEdgeError: ``process`` if the installation lacks it.
    """
    path = BUILT / name
    if not path.exists():
        raise MagnitudeEdgeError(
            "process",
            f"The explorer is missing from the installation: {path} does not exist (in a checkout, npm run "
            "build:python makes it).",
        )
    return path


@dataclass(frozen=True)
class ExplorerData:
    """A table prepared for the explorer.

    Attributes:
        frame: the table as pandas; row k is row k of the bytes.
        content: Arrow IPC stream; ``src_func`` and ``dst_func`` as dictionaries, the score as ``corr``.
        title: the table's title in the explorer.
        names: of all function nodes by index; ``None`` if only those in the table are known.
        positives: (source, target) names of edges known to be true.
        evidence: provides the evidence behind a score; ``None`` for a table without its model.
    """

    frame: pd.DataFrame
    content: pa.Buffer
    title: str
    names: list[str] | None
    positives: list[tuple[str, str]]
    evidence: PairEvidence | None = None

    def facts(self, version: int = 1, with_kernel: bool = False) -> dict[str, Any]:
        """The facts that accompany the bytes, for JSON.

        Args:
            with_kernel: whether a kernel can provide evidence; ``False`` for a file.
        """
        return {
            "version": version,
            "title": self.title,
            "names": self.names,
            "positives": self.positives,
            "evidence": with_kernel and self.evidence is not None,
        }


def explorer_data(
    table: pd.DataFrame | pa.Table | str | os.PathLike[str],
    names: Sequence[str] | None = None,
    positives: Iterable[tuple[str, str]] | pd.DataFrame = (),
    title: str | None = None,
    evidence: PairEvidence | None = None,
) -> ExplorerData:
    """Prepares a table for the explorer.

    Args:
        table: an edge table: a DataFrame, an Arrow table, or the path of an Arrow, Parquet or CSV file. It needs
            ``src_func``, ``dst_func`` and ``corr`` (or ``score``); other columns of edge tables are shown if present.
        names: names of all function nodes, indexed by ``src_idx`` and ``dst_idx``.
        positives: (source, target) names, or a DataFrame whose first two columns hold them.
        title: default ``"edge table"``, or the file's name.
        evidence: provides the evidence behind a score of this table.

    Raises:
        MagnitudeEdgeError: ``invalid-data`` if the table is not an edge table; ``invalid-argument`` for indices that
            the names do not cover, or positives that are not pairs.
    """
    title = title or (Path(table).name if isinstance(table, (str, os.PathLike)) else "edge table")
    frame = _frame_of(table)
    missing = [name for name in ("src_func", "dst_func") if name not in frame.columns]
    if missing or not {"corr", "score"} & set(frame.columns):
        raise MagnitudeEdgeError(
            "invalid-data",
            f"{title} is not an edge table: it has no column '{missing[0] if missing else 'corr'}' "
            f"(found: {', '.join(map(str, frame.columns)) or 'no columns'}).",
        )
    known = None if names is None else [str(name) for name in names]
    if known is not None:
        _check_indices(frame, known)
    return ExplorerData(frame, _arrow_stream(frame), title, known, _pairs(positives), evidence)


def _frame_of(table: pd.DataFrame | pa.Table | str | os.PathLike[str]) -> pd.DataFrame:
    frame: pd.DataFrame
    if isinstance(table, pd.DataFrame):
        frame = table.copy(deep=False)  # later changes by its owner are not shown
        return frame
    if isinstance(table, pa.Table):
        frame = table.to_pandas()
        frame.attrs = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        return frame
    if isinstance(table, (str, os.PathLike)):
        return _frame_of(_read(Path(table)))
    raise MagnitudeEdgeError(
        "invalid-argument",
        f"The table is a {type(table).__name__}; a DataFrame, an Arrow table or the path of a file was expected.",
    )


def _read(path: Path) -> pa.Table | pd.DataFrame:
    with path.open("rb") as file:
        start = file.read(6)
    if start.startswith(b"PAR1"):
        import pyarrow.parquet

        return pyarrow.parquet.read_table(path)
    if start == b"ARROW1":
        return pa.ipc.open_file(path).read_all()
    if start.startswith(b"\xff\xff\xff\xff"):
        return pa.ipc.open_stream(path).read_all()
    return pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",")


def _check_indices(frame: pd.DataFrame, names: list[str]) -> None:
    """Checks that names and indices identify the same nodes."""
    for side in ("src", "dst"):
        if f"{side}_idx" not in frame.columns:
            raise MagnitudeEdgeError("invalid-argument", f"names need a table with the column '{side}_idx'.")
        index = frame[f"{side}_idx"].to_numpy()
        if len(index) and (index.min() < 0 or index.max() >= len(names)):
            raise MagnitudeEdgeError(
                "invalid-argument",
                f"{side}_idx ranges from {index.min()} to {index.max()}, but there are {len(names)} names.",
            )
        told = np.asarray(names, dtype=object)[index]
        other = np.flatnonzero(told != frame[f"{side}_func"].astype(str).to_numpy(dtype=object))
        if len(other):
            raise MagnitudeEdgeError(
                "invalid-argument",
                f"Row {other[0]} has the {side}_func '{frame[f'{side}_func'].iloc[other[0]]}', "
                f"but the name with its {side}_idx is '{told[other[0]]}'.",
            )


def _arrow_stream(frame: pd.DataFrame) -> pa.Buffer:
    """The columns that the explorer reads. Doubles that float32 represents exactly are sent as such: half the bytes."""
    columns = {}
    score = score_column(frame)
    for column in frame.columns:
        series = frame[column]
        # The explorer knows every score by one name, also those of the layer pairs.
        name = str(column) if score == "corr" else re.sub(r"^score(?=$|_a\d+_g\d+$)", "corr", str(column))
        if name in ("src_func", "dst_func"):
            columns[name] = pa.array(series.astype(str), pa.string()).dictionary_encode()
        elif pd.api.types.is_bool_dtype(series):
            columns[name] = pa.array(series, pa.bool_(), from_pandas=True)
        elif pd.api.types.is_numeric_dtype(series):
            columns[name] = _numbers(series)
    metadata = {str(key): str(value) for key, value in frame.attrs.items()}
    table = pa.table(columns).replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _numbers(series: pd.Series) -> pa.Array:
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    if pd.api.types.is_integer_dtype(series) and not series.isna().any():
        return pa.array(series.to_numpy(dtype=np.int32))
    small = values.astype(np.float32)
    return pa.array(small if np.array_equal(small, values, equal_nan=True) else values)


def _pairs(positives: Iterable[tuple[str, str]] | pd.DataFrame) -> list[tuple[str, str]]:
    rows = positives.iloc[:, :2].to_numpy().tolist() if isinstance(positives, pd.DataFrame) else list(positives)
    for row in rows:
        if isinstance(row, str) or len(row) != 2:
            raise MagnitudeEdgeError(
                "invalid-argument", f"The positive edge {row!r} is not a pair of names (source, target)."
            )
    return [(str(source), str(target)) for source, target in rows]


def write_html(data: ExplorerData, path: str | os.PathLike[str]) -> Path:
    """Writes the explorer with the table in it as one file that opens without a server and without a network.

    Returns:
        The path.
    """
    page = built_file("explorer.html").read_text(encoding="utf-8")
    packed = base64.b64encode(gzip.compress(data.content, compresslevel=6, mtime=0)).decode()
    # A "<" in the facts could end the script element early.
    facts = json.dumps(data.facts()).replace("<", "\\u003c")
    inside = (
        f'<script type="application/json" id="facts">{facts}</script>\n'
        f'    <script type="application/octet-stream" id="table">{packed}</script>'
    )
    page = page.replace("<title>magnitude-edge explorer</title>", f"<title>{html.escape(data.title)}</title>", 1)
    before, after = page.split("<!--table-->", 1)
    target = Path(path)
    target.write_text(f"{before}{inside}{after}", encoding="utf-8")
    return target
