"""A user's script, run with the class that it imports and, with that line changed, with ours."""

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import oracle
from magnitude_edge import MagnitudeEdgeInferer
from variants import build, sample

SUPPORT = Path(__file__).parent / "support"
sys.path.insert(0, str(SUPPORT))

from torch_inferer import MagnitudeEdgeInferer as TorchInferer  # noqa: E402
from torch_inferer import p_value, q_values  # noqa: E402

#: A float32 model run by torch and by the engine: the distance of either from float64, on well-conditioned samples (if
#: magnitudes vary by a hundredth of their mean, as without a norm, float32 itself has fewer digits of a score).
MODEL_ROUNDING = 2e-5
THEIRS = "from torch_inferer import MagnitudeEdgeInferer\n"
OURS = "from magnitude_edge import MagnitudeEdgeInferer\n"


def run(script: str, *arguments: str, folder: Path) -> dict:
    """Runs the script in its own process, in which nothing of the other run is loaded."""
    source, result = folder / "script.py", folder / "result.pickle"
    source.write_text(script)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, source, *arguments, result], env=environment, check=True, timeout=300)
    return pickle.loads(result.read_bytes())


@pytest.fixture(
    scope="module",
    params=[("layer-elu", "mse"), ("batch-relu", "none"), ("batch-relu", "weighted")],
    ids=lambda param: "-".join(param),
)
def results(request, tmp_path_factory) -> tuple[dict, dict]:
    script = (SUPPORT / "users_script.py").read_text()
    assert script.count(THEIRS) == 1
    if request.param[0] == "layer-elu":  # magnitudes after a layer norm are refused; the reference computes them
        script = script.replace(
            'MagnitudeEdgeInferer(model, data, "l2", False)', 'MagnitudeEdgeInferer(model, data, "l2")'
        )
    return tuple(
        run(text, *request.param, folder=tmp_path_factory.mktemp("run"))
        for text in (script, script.replace(THEIRS, OURS))
    )


def tables(results) -> list[tuple[str, pd.DataFrame, pd.DataFrame]]:
    theirs, ours = results
    return [(str(key), table, ours[key]) for key, table in theirs.items() if isinstance(table, pd.DataFrame)]


def test_columns_types_and_counts_are_the_same(results):
    theirs, ours = results
    assert list(theirs) == list(ours)
    assert (theirs["samples"], theirs["again"]) == (ours["samples"], ours["again"]) == (300, 64)
    assert len(tables(results)) == 7
    for key, right, found in tables(results):
        assert found.columns.tolist() == right.columns.tolist(), key
        pd.testing.assert_series_equal(found.dtypes, right.dtypes, obj=key)
        pd.testing.assert_index_equal(found.index, right.index, exact=True)


def test_values_are_the_same_to_float32(results):
    for key, right, found in tables(results):
        keys = ["src_func", "dst_func", "src_idx", "dst_idx"]
        both = right.merge(found, on=keys, suffixes=("", "_ours"), validate="one_to_one")
        assert len(both) == len(right) == len(found)
        for column in (c for c in right.columns if c.startswith("corr")):
            np.testing.assert_allclose(both[f"{column}_ours"], both[column], atol=MODEL_ROUNDING, err_msg=key)
        for column in ("has_edge", *(["n_cond"] if "n_cond" in right.columns else [])):
            assert (both[f"{column}_ours"] == both[column]).all(), (key, column)
        n = 64 if key == "fewer" else 300
        conditions = found["n_cond"] if "n_cond" in found.columns else [0] * len(found)
        p = [p_value(r, n, count) for r, count in zip(found["corr"], conditions, strict=True)]
        np.testing.assert_allclose(found["p_value"], p, rtol=1e-9)
        np.testing.assert_allclose(found["q_value"], q_values(found["p_value"].to_numpy()), rtol=1e-12)


def test_the_order_is_the_same_but_for_scores_that_float32_does_not_tell_apart(results):
    for key, right, found in tables(results):
        scores = right.set_index(["src_func", "dst_func"])["corr"]
        in_our_order = scores.loc[list(zip(found["src_func"], found["dst_func"], strict=True))].to_numpy()
        known = in_our_order[: scores.notna().sum()]
        assert not np.isnan(known).any(), key
        assert (known[:-1] - known[1:] > -2 * MODEL_ROUNDING).all(), key
        assert (found["corr"].isna() == right["corr"].isna()).all(), key


def test_rankings_are_the_same(results):
    theirs, ours = results
    for key in ("ranking", "ranking of pairs"):
        (right, right_summary), (found, summary) = theirs[key], ours[key]
        pd.testing.assert_frame_equal(found, right, check_exact=False, atol=MODEL_ROUNDING, rtol=0)
        assert list(summary) == list(right_summary)
        assert summary == pytest.approx(right_summary)


@pytest.mark.parametrize("route", ["onnx", "torch"])
def test_where_magnitudes_hardly_vary_float32_has_few_digits_in_both(route):
    """Without a norm, an activation of this variant varies by 2e-5 of its mean. float32 has a step of 2^-23 of the
    mean, so a score is off by up to the quotient of the two, in ours and in the plain class (measured: 0.7e-4 and
    2.1e-4). In float64 the plain class returns the oracle's scores."""
    model, data = build("none-gelu-mlp")
    x, y = sample(data, 300)
    batches = list(zip(x.split(64), y.split(64), strict=True))
    edges = data.edge_index_dict["function", "to", "function"].numpy()
    names = data.node_names_dict["function"]
    activations, gradients = oracle.model_magnitudes(model, batches, reduction="l2", use_pre_norm=False)
    right = oracle.edge_table(activations, gradients, edges, names, score="corr")
    with MagnitudeEdgeInferer(model, data, "l2", False, route=route, backend="cpu") as ours:
        ours.fit(batches, verbose=False)
        found = {"ours": ours.evaluate()}
    plain = TorchInferer(model, data, "l2", False)
    plain.fit(batches, verbose=False)
    exact = TorchInferer(copy.deepcopy(model).double(), data, "l2", False)
    exact.fit([(x.double(), y.double()) for x, y in batches], verbose=False)
    found |= {"plain": plain.evaluate(), "exact": exact.evaluate()}
    for who, table in found.items():
        both = right.merge(table, on=["src_idx", "dst_idx"], suffixes=("", "_found"), validate="one_to_one")
        for p in range(len(activations)):
            variation = activations[p].std(axis=0) / activations[p].mean(axis=0)
            step = 0 if who == "exact" else 2.0**-23
            allowed = (1e-7 if who == "exact" else MODEL_ROUNDING) + step / variation[both["src_idx"]]
            error = (both[f"corr_a{p}_g{p + 1}"] - both[f"corr_a{p}_g{p + 1}_found"]).abs()
            assert (error.isna() | (error <= allowed)).all(), (who, p)
