"""Tables sent to the explorer, what it sends back, and the exported file."""

import base64
import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from magnitude_edge import MagnitudeEdgeError, explore, export_html
from magnitude_edge.explorer_data import explorer_data
from magnitude_edge.explorer_widget import PIECE, ExplorerWidget


def table_of(nodes: int = 6, seed: int = 0) -> tuple[pd.DataFrame, list[str]]:
    """All ordered pairs of nodes, best first, one without a score."""
    rng = np.random.default_rng(seed)
    names = [f"gene {k}" for k in range(nodes)]
    pairs = np.array([(i, j) for i in range(nodes) for j in range(nodes) if i != j])
    score = np.sort(rng.normal(size=len(pairs)).astype(np.float32))[::-1].astype(float)
    score[-1] = np.nan
    frame = pd.DataFrame(
        {
            "src_func": [names[i] for i in pairs[:, 0]],
            "dst_func": [names[j] for j in pairs[:, 1]],
            "src_idx": pairs[:, 0],
            "dst_idx": pairs[:, 1],
            "corr": score,
            "has_edge": rng.random(len(pairs)) < 0.2,
            "p_value": rng.random(len(pairs)),
        }
    )
    frame.attrs = {"score": "corr", "n": "100"}
    return frame, names


def read(content: pa.Buffer) -> pa.Table:
    return pa.ipc.open_stream(content).read_all()


class Recorded(ExplorerWidget):
    """Records what is sent to the page, since there is no kernel to deliver it."""

    def __init__(self, *arguments):
        self.sent: list[tuple[dict, list[bytes]]] = []
        super().__init__(*arguments)

    def send(self, content, buffers=None):
        self.sent.append((content, [bytes(part) for part in buffers or []]))


def test_the_table_arrives_as_it_is():
    frame, names = table_of()
    data = explorer_data(frame, names, [("gene 1", "gene 2")], "mine")
    found = read(data.content)
    assert found.schema.metadata == {b"score": b"corr", b"n": b"100"}
    for name in frame.columns:
        column = found[name].combine_chunks()
        values = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        np.testing.assert_array_equal(np.asarray(values.to_pandas()), frame[name].to_numpy())
    # Doubles that float32 cannot represent stay doubles; integers have the index type of edge tables.
    types = {name: str(found.schema.field(name).type) for name in ("corr", "p_value", "src_idx", "has_edge")}
    assert types == {"corr": "float", "p_value": "double", "src_idx": "int32", "has_edge": "bool"}
    facts = {"version": 3, "title": "mine", "names": names, "positives": [("gene 1", "gene 2")], "evidence": False}
    assert data.facts(3) == facts


def test_tables_of_all_kinds_are_taken(tmp_path):
    frame, _ = table_of()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    with pa.ipc.new_file(tmp_path / "t.arrow", table.schema) as writer:
        writer.write_table(table)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    expected = read(explorer_data(frame).content)
    for given in (table, *(tmp_path / f"t.{ending}" for ending in ("parquet", "arrow", "csv", "tsv"))):
        found = read(explorer_data(given).content)
        assert found.column_names == expected.column_names
        np.testing.assert_allclose(found["p_value"].to_numpy(), expected["p_value"].to_numpy(), rtol=1e-15)
    assert explorer_data(tmp_path / "t.csv").title == "t.csv"


def test_a_score_of_another_name_is_shown_as_the_score():
    frame, _ = table_of()
    frame["score_a0_g1"] = frame["corr"]
    other = frame.rename(columns={"corr": "score"})
    assert {"corr", "corr_a0_g1"} <= set(read(explorer_data(other).content).column_names)
    assert "score" not in read(explorer_data(other).content).column_names


def test_what_is_no_table_is_refused_in_one_sentence(tmp_path):
    frame, names = table_of()
    for given, options, sentence in (
        (frame.drop(columns="dst_func"), {}, "edge table is not an edge table: it has no column 'dst_func'"),
        (frame.drop(columns="corr"), {}, "no column 'corr'"),
        ([1, 2], {}, "a list; a DataFrame, an Arrow table or the path of a file was expected"),
        (frame, {"names": names[:3]}, "src_idx ranges from 0 to 5, but there are 3 names"),
        (frame, {"names": names[::-1]}, "Row 0 has the src_func 'gene 0', but the name with its src_idx is 'gene 5'"),
        (frame, {"positives": ["ab"]}, "positive edge 'ab' is not a pair"),
    ):
        with pytest.raises(MagnitudeEdgeError, match=re.escape(sentence)):
            explore(given, **options)
    with pytest.raises(FileNotFoundError):
        explore(tmp_path / "none.csv")


def test_a_view_gets_page_and_table_in_pieces():
    frame, names = table_of(nodes=500)
    widget = Recorded(explorer_data(frame, names))
    widget._receive(widget, {"kind": "ask", "what": "table", "token": "t1"}, [])
    sent = widget.sent
    assert len(sent) == -(-len(memoryview(widget._data.content)) // PIECE) > 1
    assert [message["piece"] for message, _ in sent] == list(range(len(sent)))
    assert {(message["token"], message["pieces"]) for message, _ in sent} == {("t1", len(sent))}
    assert sent[0][0]["facts"]["version"] == 1
    assert all("facts" not in message for message, _ in sent[1:])
    assert max(len(part) for _, (part,) in sent) <= PIECE
    assert b"".join(part for _, (part,) in sent) == widget._data.content.to_pybytes()
    json.dumps([message for message, _ in sent])
    sent.clear()
    widget._receive(widget, {"kind": "ask", "what": "page", "token": "p1"}, [])
    assert b"".join(part for _, (part,) in sent).startswith(b"<!doctype html>")


def rows_message(rows: np.ndarray, *, token="r", version=1, piece=0, pieces=1, total=None) -> tuple[dict, list[bytes]]:
    head = {"kind": "rows", "token": token, "version": version, "piece": piece, "pieces": pieces}
    return {**head, "rows": len(rows) if total is None else total}, [rows.astype("<u4").tobytes()]


def test_rows_on_show_come_back():
    frame, _ = table_of()
    widget = Recorded(explorer_data(frame))
    pd.testing.assert_frame_equal(widget.edges, frame)
    rows = np.array([7, 3, 11, 0, 2])
    # In pieces that arrive out of order, and with an unfinished message superseded by a later one.
    second = rows_message(rows[3:], token="b", piece=1, pieces=2, total=5)
    widget._receive(widget, *second)
    assert len(widget.edges) == len(frame)
    widget._receive(widget, *rows_message(rows[:3], token="b", piece=0, pieces=2, total=5))
    pd.testing.assert_frame_equal(widget.edges, frame.iloc[rows])
    widget._receive(widget, *rows_message(rows[:1], token="c", piece=0, pieces=2, total=4))
    widget._receive(widget, *rows_message(rows[:2], token="d"))
    pd.testing.assert_frame_equal(widget.edges, frame.iloc[rows[:2]])
    taken = widget.edges
    taken["corr"] = 0.0
    pd.testing.assert_frame_equal(widget.edges, frame.iloc[rows[:2]])
    widget._receive(widget, *rows_message(np.array([], dtype=int), token="e"))
    assert len(widget.edges) == 0
    widget._receive(widget, {**rows_message(rows)[0], "rows": None}, [])
    pd.testing.assert_frame_equal(widget.edges, frame)


def test_another_table_takes_the_place():
    first, second = table_of()[0], table_of(nodes=4, seed=1)[0]
    widget = Recorded(explorer_data(first))
    widget._receive(widget, *rows_message(np.array([1])))
    widget.show(explorer_data(second))
    assert widget.sent[-1][0] == {"kind": "changed"}
    # The page's late rows of the previous table are ignored.
    widget._receive(widget, *rows_message(np.array([20])))
    pd.testing.assert_frame_equal(widget.edges, second)


def test_the_selection_is_rows_of_the_table():
    frame, names = table_of()
    widget = explore(frame, names=names)
    assert len(widget.selection) == 0
    assert list(widget.selection.columns) == list(frame.columns)
    widget.selected = ["gene 2", "gene 4"]
    pair = frame[(frame["src_func"] == "gene 2") & (frame["dst_func"] == "gene 4")]
    pd.testing.assert_frame_equal(widget.selection, pair)
    widget.selected = ["gene 4"]
    pd.testing.assert_frame_equal(widget.selection, frame[frame["dst_func"] == "gene 4"])


def test_nobody_waits_for_a_widget():
    widget = explore(table_of()[0])

    async def cell():
        await widget

    with pytest.raises(MagnitudeEdgeError, match="in the next cell"):
        cell().send(None)


def embedded(page: str, name: str) -> str:
    return re.search(rf'<script type="[^"]+" id="{name}">(.*?)</script>', page, re.DOTALL)[1]


def test_a_file_for_a_colleague_holds_page_and_table(tmp_path):
    frame, _ = table_of()
    names = ["</script><b>" if name == "gene 0" else name for name in table_of()[1]]
    frame = frame.replace({"gene 0": "</script><b>"})
    widget = explore(frame, names=names, positives=pd.DataFrame([names[:2]]), title="a < b")
    path = widget.export_html(tmp_path / "edges.html")
    page = path.read_text()
    assert (
        page == export_html(frame, tmp_path / "2.html", names=names, positives=[names[:2]], title="a < b").read_text()
    )
    assert "<title>a &lt; b</title>" in page
    content = gzip.decompress(base64.b64decode(embedded(page, "table")))
    assert content == explorer_data(frame).content.to_pybytes()
    facts = json.loads(embedded(page, "facts"))
    assert facts == {
        "version": 1,
        "title": "a < b",
        "names": names,
        "positives": [names[:2]],
        "evidence": False,
    }
    # Nothing in it loads from elsewhere, and its policy forbids that.
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", page)
    assert "default-src 'none'" in page


def test_without_anywidget_the_message_says_what_to_install():
    script = """
import sys
from pathlib import Path
sys.modules["anywidget"] = None
import pandas as pd
from magnitude_edge import explore
try:
    explore(pd.DataFrame({"src_func": ["a"], "dst_func": ["b"], "corr": [0.5]}))
except ImportError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "pip install 'magnitude-edge[widget]'" in said


def test_notebooks_are_kept_without_outputs():
    notebooks = list((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
    assert notebooks
    for notebook in notebooks:
        code = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
        assert code
        assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code), notebook.name
