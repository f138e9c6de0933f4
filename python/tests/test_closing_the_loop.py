"""Hidden edges and their control; pictures of tables."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from magnitude_edge import (
    MagnitudeEdgeError,
    evaluate_target_ranking,
    plot_heatmap,
    plot_network,
    plot_ranking,
    recovery,
)

matplotlib.use("Agg")


def test_hidden_edges_rank_and_permuted_ones_do_not(example, loader):
    found = recovery(example / "model.onnx", loader, hidden=0.3, repeats=2, backend="cpu")
    assert found["edges"].tolist() == ["hidden", "permuted"] * 2
    assert (found["n_positives"] == found["n_positives"].iloc[0]).all()
    mean = found.groupby("edges")["auc"].mean()
    # 5 hidden edges of 17, twice: the standard error of a meaningless auc is about 0.1.
    assert abs(mean["permuted"] - 0.5) < 0.35
    assert found.columns.tolist() == ["repeat", "edges", "n_positives", "auc", "mrr", "top@1", "top@3", "top@5"]
    again = recovery(example / "model.onnx", loader, hidden=0.3, repeats=2, backend="cpu")
    pd.testing.assert_frame_equal(found, again)
    with pytest.raises(MagnitudeEdgeError, match="between 0 and 1"):
        recovery(example / "model.onnx", loader, hidden=2)


def small_table() -> pd.DataFrame:
    rows = [(i, j, 0.1 * i - 0.2 * j, (i, j) == (0, 1)) for i in range(4) for j in range(4) if i != j]
    frame = pd.DataFrame(rows, columns=["src_idx", "dst_idx", "corr", "has_edge"])
    frame.insert(0, "dst_func", [f"f{j}" for j in frame["dst_idx"]])
    frame.insert(0, "src_func", [f"f{i}" for i in frame["src_idx"]])
    return frame.sort_values("corr", ascending=False, kind="stable", ignore_index=True)


def test_the_heatmap_shows_every_score_in_its_place():
    table = small_table()
    shown = plot_heatmap(table).images[0].get_array().filled(np.nan)
    for row in table.itertuples():
        assert shown[row.src_idx, row.dst_idx] == row.corr
    assert np.isnan(np.diag(shown)).all()
    part = plot_heatmap(table, nodes=["f3", "f1"])
    assert part.images[0].get_array()[0, 1] == table.query("src_idx == 3 and dst_idx == 1")["corr"].item()
    assert [label.get_text() for label in part.get_xticklabels()] == ["f3", "f1"]
    with pytest.raises(MagnitudeEdgeError, match="'f9'"):
        plot_heatmap(table, nodes=["f9"])


def test_the_ranking_and_the_network_show_what_the_tables_say():
    table = small_table()
    detail, _ = evaluate_target_ranking(table, [("f0", "f1"), ("f3", "f0")])
    x, y = plot_ranking(detail).lines[0].get_data()
    assert list(x) == [1, 3]
    assert list(y) == [0.5, 1.0]
    axes = plot_network(table, top=2)
    assert {text.get_text() for text in axes.texts} >= {"f3", "f0"}
