"""Jackknife errors, compared with leaving out the groups by hand."""

import numpy as np
import pandas as pd
import pytest
from test_routes import MODEL_ROUNDING, batches_of, expected, fitted, scores

import oracle
from magnitude_edge import MagnitudeEdgeError, MagnitudeEdgeInferer, infer
from variants import build, sample

GROUPS, SAMPLES = 4, 200


def by_hand(model, data, batches, score) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Jackknife over equal blocks (Efron and Tibshirani 1993, chapter 11); the share of its scores that have the sign
    of the score of all samples; and where none of these is so small that rounding may change its sign."""
    x, y = oracle.model_magnitudes(model, batches)
    group = np.arange(SAMPLES) // (SAMPLES // GROUPS)
    without = np.stack(
        [expected(model, data, batches, score, (x[:, group != left], y[:, group != left])) for left in range(GROUPS)]
    )
    spread = (without - without.mean(axis=0)) ** 2
    whole = expected(model, data, batches, score, (x, y))
    error = np.sqrt((GROUPS - 1) / GROUPS * spread.sum(axis=0))
    stable = (np.sign(without) == np.sign(whole)).mean(axis=0)
    return error, stable, np.abs([*without, whole]).min(axis=0) > MODEL_ROUNDING


@pytest.mark.parametrize("route", ["auto", "onnx"])
def test_errors_are_those_of_leaving_groups_out(route):
    model, data = build("layer-elu")
    batches = batches_of(data, SAMPLES)
    with fitted(model, data, batches, route=route, uncertainty={"groups": GROUPS}) as inferer:
        for score in ("corr", "partial"):
            error, stable, clear = by_hand(model, data, batches, score)
            table = inferer.evaluate(score=score).sort_values(["src_idx", "dst_idx"])
            assert list(table.columns[-2:]) == ["corr_se", "sign_stability"]
            # Each score is off by at most the model's rounding, and so is their spread.
            np.testing.assert_allclose(table["corr_se"], error, atol=2 * MODEL_ROUNDING)
            assert clear.sum() >= 10  # the others have a constant node, and no score
            np.testing.assert_array_equal(table["sign_stability"][clear], stable[clear])
        plain = inferer.evaluate(uncertainty=False)
        assert "corr_se" not in plain.columns
        assert "score_se" in inferer.evaluate(score="channel", top=3).columns


def test_where_errors_come_from_and_what_they_need():
    model, data = build("layer-elu")
    x, y = sample(data, SAMPLES)
    asked = {"groups": 5, "permutations": 19, "seed": 3}
    table = infer(model, x, y, data, backend="cpu", uncertainty=asked)
    assert list(table.columns[-3:]) == ["corr_se", "sign_stability", "p_empirical"]
    assert (table.attrs["groups"], table.attrs["permutations"], table.attrs["seed"]) == ("5", "19", "3")
    pd.testing.assert_frame_equal(table, infer(model, x, y, data, backend="cpu", uncertainty=asked))
    with pytest.raises(MagnitudeEdgeError, match="groups"):
        MagnitudeEdgeInferer(model, data, backend="cpu", uncertainty={"groups": 1})
    # Also without kept channel values: the engine computes magnitudes itself from what torch sends.
    with fitted(model, data, batches_of(data, SAMPLES), channels=False, uncertainty=True) as inferer:
        np.testing.assert_array_equal(scores(inferer.evaluate()), scores(inferer.evaluate(uncertainty=False)))
    with (
        fitted(model, data, batches_of(data, SAMPLES)) as inferer,
        pytest.raises(MagnitudeEdgeError, match="ncertainty"),
    ):
        inferer.evaluate(uncertainty=True)
