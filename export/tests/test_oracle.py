"""The oracle against textbook definitions computed another way."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from scipy import stats

import oracle
from variants import build, sample

rng = np.random.default_rng(0)


def magnitudes(n=200, nodes=6, pairs=2, seed=0):
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(nodes, nodes))
    x = np.abs(rng.normal(size=(pairs, n, nodes)) @ mix)
    return x, np.abs(0.4 * x @ rng.normal(size=(nodes, nodes)) + rng.normal(size=(pairs, n, nodes)))


EDGES = np.array([[0, 1, 2, 3, 0, 4, 4], [3, 3, 3, 4, 4, 5, 4]])


def test_norms_over_ragged_channels():
    z = np.array([[3.0, -4.0, 1.0, -2.0, 2.0]])
    groups = [0, 0, 1, 2, 2]
    np.testing.assert_allclose(oracle.node_magnitudes(z, groups, 3, "l1"), [[7, 1, 4]])
    np.testing.assert_allclose(oracle.node_magnitudes(z, groups, 3, "l2"), [[5, 1, np.sqrt(8)]])


def test_correlation_is_pearsons():
    x, y = (side[0] for side in magnitudes())
    expected = np.corrcoef(x.T, y.T)[:6, 6:]
    np.testing.assert_allclose(oracle.correlation(x, y), expected, atol=1e-13)


def test_partial_correlation_is_that_of_the_residuals():
    x, y = (side[0] for side in magnitudes())
    parents = oracle.parents_of(EDGES, 6)
    found = oracle.partial_correlation(x, y, parents, ridge=0)
    for j in range(6):
        design = np.column_stack([np.ones(len(x)), x[:, parents[j]]])
        project = np.eye(len(x)) - design @ np.linalg.pinv(design)
        for i in range(6):
            if i in parents[j] or (i == j and len(parents[j])):
                assert np.isnan(found[i, j])
            else:
                expected = np.corrcoef(project @ x[:, i], project @ y[:, j])[0, 1]
                assert found[i, j] == pytest.approx(expected, abs=1e-11)


def test_constant_nodes_give_nan_and_no_warning():
    x, y = (side[0].copy() for side in magnitudes())
    x[:, 1], y[:, 2] = 5.0, 0.0
    for r in (oracle.correlation(x, y), oracle.partial_correlation(x, y, [np.array([], int)] * 6)):
        assert np.isnan(r[1]).all()
        assert np.isnan(r[:, 2]).all()
        assert np.isfinite(np.delete(np.delete(r, 1, 0), 2, 1)).all()


def reference_scores(x, y, parents, ridge=1e-8, eps=1e-12):
    """Plain and partial correlations by the published class's formula: from raw sums, with a fixed eps."""
    n = len(x)
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    var_x, var_y = (x**2).mean(axis=0) - mean_x**2, (y**2).mean(axis=0) - mean_y**2
    s_xy, s_xx = x.T @ y / n - np.outer(mean_x, mean_y), x.T @ x / n - np.outer(mean_x, mean_x)
    corr = np.clip(s_xy / np.maximum(np.sqrt(np.outer(var_x, var_y).clip(0)), eps), -1, 1)
    corr[var_x <= eps, :], corr[:, var_y <= eps] = np.nan, np.nan
    partial = np.full_like(corr, np.nan)
    for j, s in enumerate(parents):
        if len(s) == 0:
            partial[:, j] = corr[:, j]
            continue
        inverse = np.linalg.inv(s_xx[np.ix_(s, s)] + ridge * np.eye(len(s)))
        vy = var_y[j] - s_xy[s, j] @ inverse @ s_xy[s, j]
        if vy <= eps:
            continue
        vx = var_x - np.einsum("is,st,it->i", s_xx[:, s], inverse, s_xx[:, s])
        num = s_xy[:, j] - s_xx[:, s] @ inverse @ s_xy[s, j]
        partial[:, j] = np.clip(num / np.maximum(np.sqrt(np.maximum(vx, 0) * vy), eps), -1, 1)
        partial[vx <= eps, j], partial[s, j], partial[j, j] = np.nan, np.nan, np.nan
    return corr, partial


@pytest.mark.parametrize("batch", [128, 2000])
def test_a_floor_gives_the_nan_of_the_reference_to_the_pair(batch):
    # Gradients of a mean over batch times outputs: the larger the batch, the more the reference loses.
    x, y = (side[0].copy() for side in magnitudes(nodes=24))
    y *= 10 ** np.linspace(-5, 0, 24) / (batch * 200) * 128 * 200 * 1e-2
    parents = [np.array([], int)] * 6 + [np.array([(j + 1) % 24, (j + 2) % 24]) for j in range(6, 24)]
    corr, partial = reference_scores(x, y, parents)
    np.testing.assert_allclose(oracle.correlation(x, y, 1e-12), corr, atol=1e-9)
    np.testing.assert_allclose(oracle.partial_correlation(x, y, parents, 1e-8, 1e-12), partial, atol=1e-9)
    assert 0 < np.isnan(corr).all(axis=0).sum() < 24
    assert not np.isnan(oracle.correlation(x, y)).any()


@pytest.mark.parametrize("unit", [1e-20, 1e-6, 1e12])
def test_scores_do_not_depend_on_the_unit_of_the_gradients(unit):
    x, y = (side[0].copy() for side in magnitudes())
    y[:, 2] = 3.0
    parents = oracle.parents_of(EDGES, 6)
    for score in (oracle.correlation, lambda x, y: oracle.partial_correlation(x, y, parents)):
        np.testing.assert_allclose(score(x, unit * y), score(x, y), atol=1e-9)


def test_identical_parents_need_a_ridge():
    x, y = (side[0].copy() for side in magnitudes())
    x[:, 1] = x[:, 0]
    parents = [np.array([], int)] * 5 + [np.array([0, 1])]
    assert np.isnan(oracle.partial_correlation(x, y, parents, ridge=0)[:, 5]).all()
    alone = oracle.partial_correlation(x, y, [np.array([], int)] * 5 + [np.array([0])], ridge=0)
    with_ridge = oracle.partial_correlation(x, y, parents, ridge=1e-8)
    np.testing.assert_allclose(with_ridge[2:5, 5], alone[2:5, 5], atol=1e-6)


def test_aggregation_leaves_nan_out_and_keeps_the_sign():
    nan = np.nan
    scores = np.array([[[0.2, nan, -0.5, nan]], [[-0.4, 0.3, 0.5, nan]]])
    np.testing.assert_allclose(oracle.aggregate(scores, "mean"), [[-0.1, 0.3, 0.0, nan]], atol=1e-15)
    np.testing.assert_allclose(oracle.aggregate(scores, "max"), [[-0.4, 0.3, -0.5, nan]])
    with pytest.raises(ValueError, match="'mean' or 'max'"):
        oracle.aggregate(scores, "median")


def test_p_values_come_from_the_tail():
    r = np.array([0.0, 0.5, 0.99, np.nan, -0.9])
    expected = stats.norm.sf(np.arctanh(np.clip(r, -0.9999, 0.9999)) * np.sqrt(97))
    found = oracle.p_values(r, 100)
    np.testing.assert_allclose(found[[0, 1, 2, 4]], expected[[0, 1, 2, 4]], rtol=1e-10)
    assert found[2] < 1e-100
    assert found[3] == 1
    assert (oracle.p_values(r, 6, 2) == 1).all()


def test_q_values_are_benjamini_hochbergs():
    p = rng.uniform(size=50) ** 2
    np.testing.assert_allclose(oracle.q_values(p), stats.false_discovery_control(p, method="bh"), atol=1e-15)


@pytest.mark.parametrize("score", ["corr", "partial"])
def test_table_has_every_pair_once_sorted(score):
    x, y = magnitudes()
    x[:, :, 5] = 1.0
    table = oracle.edge_table(x, y, EDGES, list("abcdef"), score=score)
    assert len(table) == 30
    assert ("n_cond" in table) == (score == "partial")
    known = table["corr"].notna()
    assert known.iloc[: known.sum()].all()
    assert (np.diff(table["corr"][known]) <= 0).all()
    unknown = table[~known]
    assert (np.diff(unknown["src_idx"] * 6 + unknown["dst_idx"]) > 0).all()
    assert (table.loc[~known, "p_value"] == 1).all()
    edges = {tuple(pair) for pair in EDGES.T}
    assert all(row.has_edge == ((row.src_idx, row.dst_idx) in edges) for row in table.itertuples())
    with_self = oracle.edge_table(x, y, EDGES, list("abcdef"), score=score, exclude_self=False)
    assert len(with_self) == 36
    assert with_self.set_index(["src_idx", "dst_idx"]).loc[(4, 4), "has_edge"]


def test_ranking_counts_only_scored_sources():
    x, y = magnitudes()
    table = oracle.edge_table(x, y, EDGES, list("abcdef"), score="partial")
    best = table[(table["dst_func"] == "f") & table["corr"].notna()].iloc[0]
    detail, summary = oracle.target_ranking(table, [(best["src_func"], "f"), ("a", "d")])
    assert detail["src_func"].tolist() == sorted([best["src_func"], "a"])
    ranked = detail[detail["dst_func"] == "f"].iloc[0]
    unranked = detail[detail["dst_func"] == "d"].iloc[0]
    assert (ranked["rank"], ranked["reciprocal_rank"], ranked["n_candidates"]) == (1, 1.0, 4)
    assert (unranked["reciprocal_rank"], unranked["n_candidates"]) == (0.0, 2)
    assert not unranked["top@5"]
    assert np.isnan(unranked["score"])
    assert summary == {"n_positives": 2, "mrr": 0.5, "top@1": 0.5, "top@3": 0.5, "top@5": 0.5}
    with pytest.raises(ValueError, match="no positive edges"):
        oracle.target_ranking(table, [])


def test_auc_counts_ties_half():
    assert oracle.roc_auc(np.array([1.0, 0.0]), np.array([0.0, -1.0])) == pytest.approx(7 / 8)


def test_model_magnitudes_follow_the_batches():
    """The loss is a mean over the batch: halving the batch doubles the gradients."""
    model, data = build("layer-elu")
    x, y = sample(data, 8)
    whole, whole_gradients = oracle.model_magnitudes(model, [(x, y)])
    halves, half_gradients = oracle.model_magnitudes(model, zip(x.split(4), y.split(4), strict=True))
    assert whole.shape == (2, 8, 7)
    np.testing.assert_allclose(halves, whole, rtol=1e-12)
    np.testing.assert_allclose(half_gradients, 2 * whole_gradients, rtol=1e-9, atol=1e-15)
    summed = oracle.model_magnitudes(model, [(x, y)], loss=lambda a, b: (a - b).square().sum())[1]
    np.testing.assert_allclose(summed, 24 * whole_gradients, rtol=1e-9, atol=1e-15)
    assert torch.is_grad_enabled()


def test_arrow_file_keeps_types_and_metadata(tmp_path):
    x, y = magnitudes()
    table = oracle.edge_table(x, y, EDGES, list("abcdef"), score="partial")
    oracle.write_arrow(table, tmp_path / "e.arrow", {"n": 200, "score": "partial"})
    read = pa.ipc.open_file(tmp_path / "e.arrow").read_all()
    assert read.schema.field("src_func").type == pa.dictionary(pa.int32(), pa.utf8())
    assert [str(read.schema.field(c).type) for c in ("src_idx", "corr", "has_edge", "n_cond", "p_value")] == [
        "int32",
        "double",
        "bool",
        "int32",
        "double",
    ]
    assert read.schema.metadata == {b"n": b"200", b"score": b"partial"}
    assert read["corr"].null_count == 0
    assert read.column("src_func").to_pylist() == table["src_func"].tolist()
