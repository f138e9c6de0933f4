"""Ranking, comparison and graph edits in plain pandas, against the oracle and results by hand."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

import oracle
from magnitude_edge import MagnitudeEdgeError, add_edges, compare, evaluate_target_ranking
from magnitude_edge._tables import to_frame
from magnitude_edge.export import GraphData


def random_table(seed: int, nodes: int = 9) -> pd.DataFrame:
    """Scores with ties and NaN, best first, as the engine orders them."""
    rng = np.random.default_rng(seed)
    pairs = [(i, j) for i in range(nodes) for j in range(nodes) if i != j]
    scores = rng.integers(-4, 5, len(pairs)) / 4
    frame = pd.DataFrame(
        {
            "src_func": [f"f{i}" for i, _ in pairs],
            "dst_func": [f"f{j}" for _, j in pairs],
            "corr": np.where(rng.random(len(pairs)) < 0.1, np.nan, scores),
        }
    )
    frame["q_value"] = np.linspace(0, 1, len(pairs))
    return frame.sort_values("corr", ascending=False, kind="stable", ignore_index=True)


def test_frames_take_numbers_from_the_file_itself_where_it_may_be_written_to():
    names = pa.array(["b", "a"])
    indices = pa.array([0, 1, 1, 0], pa.int32())
    table = pa.table(
        {
            "src_func": pa.DictionaryArray.from_arrays(indices, names),
            "src_idx": indices,
            "corr": pa.array([0.5, 0.25, float("nan"), -0.5]),
            "has_edge": pa.array([True, False, True, False]),
            "p_value": pa.array([0.1, None, 0.3, 0.4]),
        }
    ).replace_schema_metadata({"n": "7"})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    read_only = sink.getvalue().to_pybytes()
    file = bytearray(read_only)
    shared, copied = to_frame(memoryview(file)), to_frame(memoryview(read_only))
    pd.testing.assert_frame_equal(shared, copied)
    assert shared.attrs == {"n": "7"}
    assert shared["src_func"].tolist() == ["b", "a", "a", "b"]
    assert shared["src_idx"].dtype == np.int64
    assert shared["corr"].dtype == np.float64
    assert np.isnan(shared["p_value"][1])
    assert shared["has_edge"].tolist() == [True, False, True, False]
    of_file = np.frombuffer(file, np.uint8)
    assert np.shares_memory(shared["corr"].to_numpy(), of_file)
    for frame in (shared, copied):
        frame["corr"] += 1
        assert frame["corr"].tolist()[:2] == [1.5, 1.25]


@pytest.mark.parametrize("seed", range(5))
def test_ranking_agrees_with_the_oracle(seed):
    table = random_table(seed)
    rng = np.random.default_rng(seed + 100)
    chosen = table.sample(7, random_state=seed)
    edges = [(row.src_func, row.dst_func) for row in chosen.itertuples()] * 2
    top_k = sorted(rng.choice(np.arange(1, 8), 3, replace=False).tolist())
    detail, summary = evaluate_target_ranking(table, edges, top_k=top_k)
    right, right_summary = oracle.target_ranking(table, edges, top_k)
    pd.testing.assert_frame_equal(detail, right, check_dtype=False)
    assert summary == pytest.approx(right_summary)


def test_ranking_refuses_what_it_cannot_mean():
    table = random_table(0)
    for edges, options, code in (
        ([], {}, "no-positives"),
        ([("F1", "F2")], {}, "no-positives"),
        ([("f1", "f2")], {"score_col": "partial"}, "invalid-argument"),
        ([("f1", "f2")], {"top_k": [0]}, "invalid-argument"),
    ):
        with pytest.raises(MagnitudeEdgeError) as refused:
            evaluate_target_ranking(table, edges, **options)
        assert refused.value.code == code


def graph() -> GraphData:
    names = {"input": ["in0"], "function": [f"f{i}" for i in range(9)], "output": ["o0"]}
    edges = {
        ("input", "to", "function"): torch.tensor([[0], [0]]),
        ("function", "to", "function"): torch.tensor([[0, 1], [1, 2]]),
        ("function", "to", "output"): torch.tensor([[2], [0]]),
    }
    return GraphData(names, edges)


def test_edges_are_added_to_a_copy_in_table_order():
    table, data = random_table(3), graph()
    changed = add_edges(data, table, top=4)
    before = data.edge_index_dict["function", "to", "function"]
    after = changed.edge_index_dict["function", "to", "function"]
    assert before.tolist() == [[0, 1], [1, 2]]
    assert after.shape == (2, 6)
    assert after.dtype == before.dtype
    assert after[:, :2].tolist() == before.tolist()
    scored = table[table["corr"].notna()]
    candidates = [
        (int(row.src_func[1:]), int(row.dst_func[1:]))
        for row in scored.itertuples()
        if (row.src_func, row.dst_func) not in (("f0", "f1"), ("f1", "f2"))
    ]
    assert [tuple(edge) for edge in after[:, 2:].T.tolist()] == candidates[:4]
    few = add_edges(data, table, max_q=0.05).edge_index_dict["function", "to", "function"]
    assert few.shape[1] - 2 == len([edge for edge in candidates if _q(table, edge) <= 0.05])


def _q(table: pd.DataFrame, edge: tuple[int, int]) -> float:
    row = table[(table["src_func"] == f"f{edge[0]}") & (table["dst_func"] == f"f{edge[1]}")]
    return float(row["q_value"].iloc[0])


def test_edges_of_torch_geometrics_data_are_added_to_a_copy():
    from torch_geometric.data import HeteroData

    plain, data = graph(), HeteroData()
    for key, index in plain.edge_index_dict.items():
        data[key].edge_index = index
    data.node_names_dict = plain.node_names_dict
    changed = add_edges(data, random_table(3), top=2)
    assert changed.edge_index_dict["function", "to", "function"].shape == (2, 4)
    assert data.edge_index_dict["function", "to", "function"].shape == (2, 2)


def test_adding_needs_a_number_and_known_names():
    with pytest.raises(MagnitudeEdgeError, match="top or max_q"):
        add_edges(graph(), random_table(0))
    other = random_table(0).replace({"f3": "g3"})
    with pytest.raises(MagnitudeEdgeError, match="'g3'") as refused:
        add_edges(graph(), other, top=100)
    assert refused.value.code == "graph-mismatch"


def test_comparison_ranks_side_by_side():
    a, b = random_table(1, nodes=4), random_table(2, nodes=4).rename(columns={"corr": "score"})
    found = compare(a, b)
    assert len(found) == 12
    changes = found["rank_change"].abs().to_numpy()
    known = changes[~np.isnan(changes)]
    assert (np.diff(known) <= 0).all()
    row = found.iloc[0]
    assert row["rank_change"] == row["rank_a"] - row["rank_b"]
    pair = (a["src_func"] == row["src_func"]) & (a["dst_func"] == row["dst_func"])
    assert a.loc[pair, "corr"].iloc[0] == row["score_a"]
