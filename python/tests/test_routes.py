"""The two routes: the same result on every variant, and which of them is taken."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

import oracle
from magnitude_edge import MagnitudeEdgeError, MagnitudeEdgeInferer, infer
from magnitude_edge.export import ExportError
from variants import VARIANTS, build, sample

#: Scores of a float32 model against the float64 oracle: the model's own rounding, on well-conditioned samples.
MODEL_ROUNDING = 2e-5


def batches_of(data, n=200, size=64):
    x, y = sample(data, n)
    return list(zip(x.split(size), y.split(size), strict=True))


def scores(table) -> np.ndarray:
    column = "corr" if "corr" in table.columns else "score"
    return table.sort_values(["src_idx", "dst_idx"])[column].to_numpy()


def expected(model, data, batches, score, magnitudes=None, **options) -> np.ndarray:
    magnitudes = magnitudes or oracle.model_magnitudes(model, batches, **options)
    edges = data.edge_index_dict["function", "to", "function"].numpy()
    return scores(oracle.edge_table(*magnitudes, edges, data.node_names_dict["function"], score=score))


def float32_rounding(magnitudes) -> float:
    """The effect on a score of rounding magnitudes to float32, 6e-8 of each: the larger, the less a node varies around
    its mean; a conditioning set may double it on each side."""
    relative = [np.sqrt((side**2).mean(axis=1) / np.maximum(side.var(axis=1), 1e-300)) for side in magnitudes]
    return 4 * 6e-8 * max(float(spread[spread < 1e6].max()) for spread in relative)


def fitted(model, data, batches, crit=None, **options) -> MagnitudeEdgeInferer:
    inferer = MagnitudeEdgeInferer(model, data, backend="cpu", **options)
    inferer.fit(batches, crit, verbose=False)
    return inferer


def doubled(batches):
    return [(x.double(), y.double()) for x, y in batches]


@pytest.mark.parametrize("name", VARIANTS)
def test_both_routes_give_the_oracles_scores(name):
    model, data = build(name)
    batches = batches_of(data)
    with (
        fitted(model, data, batches, route="onnx") as onnx,
        fitted(model, data, batches, route="torch") as torch32,
        fitted(copy.deepcopy(model).double(), data, doubled(batches), route="torch") as torch64,
        fitted(model, data, batches) as auto,
        fitted(copy.deepcopy(model).double(), data, doubled(batches)) as auto64,
    ):
        assert (onnx.route, torch32.route, auto.route) == ("onnx", "torch", "torch")
        assert auto.route_reason == "the model is on the CPU, where torch needs no other runtime to start"
        magnitudes = oracle.model_magnitudes(model, batches)
        for score in ("corr", "partial"):
            right = expected(model, data, batches, score, magnitudes)
            limit = float32_rounding(magnitudes)
            for exact in (torch64, auto64):
                np.testing.assert_allclose(scores(exact.evaluate(score=score)), right, atol=limit)
            # A float32 model may be off by 1e-3 of a score. If torch's own is off by more than others (the gates of one
            # variant: 2.8e-4 on one processor, less on another), the engine's may be, too.
            own = scores(torch32.evaluate(score=score))
            error = np.nanmax(np.abs(own - right))
            assert error < 1e-3
            rounding = np.maximum(MODEL_ROUNDING, 4 * error)
            for other in (onnx, auto):
                np.testing.assert_allclose(scores(other.evaluate(score=score)), own, atol=rounding)
        channel, *others = (scores(inferer.evaluate(score="channel")) for inferer in (torch32, onnx, auto))
        for other in others:
            np.testing.assert_allclose(other, channel, atol=rounding)


@pytest.mark.parametrize("room", [1 << 30, 40_000])
def test_channel_values_wait_here_until_they_are_asked_for(monkeypatch, room):
    """If only some of the samples fit, the rest goes to the engine at once; either way nothing else changes."""
    monkeypatch.setattr("magnitude_edge._held_channels.ROOM", room)
    model, data = build("layer-elu")
    batches = batches_of(data, 320)
    with fitted(model, data, batches, channels=True) as at_once, fitted(model, data, batches[:2]) as later:
        assert later.fit(batches[2:], verbose=False, reset=False) == 320
        before = later.evaluate()
        for options in ({"score": "channel"}, {"correlation": "spearman"}):
            np.testing.assert_allclose(
                scores(later.evaluate(**options)), scores(at_once.evaluate(**options)), atol=MODEL_ROUNDING
            )
        pd.testing.assert_frame_equal(later.evaluate(), before)
        names = later.node_names["function"][:2]
        np.testing.assert_array_equal(later.pair_magnitudes(*names)[0], at_once.pair_magnitudes(*names)[0])
        # Neither contains the refused batch.
        x, y = batches[0]
        spoilt = y.clone()
        spoilt[3, 0] = np.nan
        with pytest.raises(MagnitudeEdgeError, match=r"Batch 1 holds NaN for output node '.*' in sample 3"):
            later.fit([(x, y), (x, spoilt)], verbose=False)
        at_once.fit([(x, y)], verbose=False)
        assert later.evaluate(top=1).attrs["n"] == "64"
        np.testing.assert_allclose(
            *(scores(inferer.evaluate(score="channel")) for inferer in (later, at_once)), atol=MODEL_ROUNDING
        )


@pytest.mark.parametrize(("reduction", "use_pre_norm"), [("l2", True), ("l1", False), ("l2", False)])
@pytest.mark.parametrize("channels", ["auto", False])
def test_reduction_and_side_of_the_norm(reduction, use_pre_norm, channels):
    """With channels=False torch reduces, otherwise the engine does: the magnitudes are the same."""
    model, data = build("batch-relu")
    batches = batches_of(data)
    magnitudes = oracle.model_magnitudes(model, batches, reduction=reduction, use_pre_norm=use_pre_norm)
    right = expected(model, data, batches, "corr", magnitudes)
    options = {"reduction": reduction, "use_pre_norm": use_pre_norm, "channels": channels, "route": "torch"}
    with fitted(model.double(), data, doubled(batches), **options) as inferer:
        np.testing.assert_allclose(scores(inferer.evaluate()), right, atol=float32_rounding(magnitudes))
        if channels is False:
            with pytest.raises(MagnitudeEdgeError, match="channel values"):
                inferer.evaluate(score="channel")


def weighted(prediction, target):
    return ((prediction - target) ** 2 * torch.tensor([3.0, 0.1, 1.0])).sum()


def test_a_loss_of_ones_own_is_differentiated_by_torch(capsys):
    model, data = build("layer-elu")
    batches = batches_of(data)
    right = expected(model, data, batches, "corr", loss=weighted)
    with MagnitudeEdgeInferer(model, data, backend="cpu") as inferer:
        assert inferer.route_reason.startswith("the model is on the CPU")
        inferer.fit(batches, weighted, verbose=True)
        assert inferer.route == "torch"
        assert inferer.route_reason == "the engine does not know the loss weighted"
        assert "route torch: the engine does not know the loss weighted" in capsys.readouterr().err
        table = inferer.evaluate()
        assert table.attrs["loss"] == "custom:weighted"
        np.testing.assert_allclose(scores(table), right, atol=MODEL_ROUNDING)
        with pytest.raises(MagnitudeEdgeError, match="custom:weighted, but mse"):
            inferer.fit(batches, verbose=False, reset=False)
        inferer.fit(batches, verbose=False)
        assert inferer.route_reason.startswith("the model is on the CPU")
        assert inferer.evaluate(top=1).attrs["loss"] == "mse"


class Sine(nn.Module):
    def forward(self, x):
        return torch.sin(x)


def test_a_module_without_an_onnx_form_is_run_by_torch():
    model, data = build("layer-elu")
    model.ResBlocks[1].nonlin = Sine()
    batches = batches_of(data)
    with fitted(model, data, batches) as inferer:
        assert inferer.route == "torch"
        assert "ResBlocks.1.nonlin: Sine is not a nonlinearity" in inferer.route_reason
        assert inferer.evaluate(top=1).attrs["loss"] == "mse"
        right = expected(model, data, batches, "partial")
        np.testing.assert_allclose(scores(inferer.evaluate(score="partial")), right, atol=MODEL_ROUNDING)
    with pytest.raises(ExportError, match="route='torch'"):
        MagnitudeEdgeInferer(model, data, route="onnx")


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision_goes_through_torch(kind):
    model, data = build("batch-relu")
    batches = batches_of(data, 32, 32)
    with pytest.raises(ExportError, match=r"is b?float16, but the file holds float32.*route='torch'") as refused:
        MagnitudeEdgeInferer(copy.deepcopy(model).to(kind), data, route="onnx")
    assert refused.value.code == "dtype"
    with fitted(copy.deepcopy(model).to(kind), data, batches) as inferer:
        assert inferer.route == "torch"
        assert np.isfinite(inferer.evaluate()["corr"]).any()


def test_checkpointing_goes_through_torch_without_it():
    model, data = build("layer-elu")
    batches = batches_of(data)
    with fitted(model, data, batches, route="torch") as plain:
        right = scores(plain.evaluate())
    model.checkpoint = True
    with fitted(model.train(), data, batches) as inferer:
        assert inferer.route == "torch"
        np.testing.assert_array_equal(scores(inferer.evaluate()), right)
    assert model.checkpoint is True


def test_what_the_routes_refuse(example):
    model, data = build("layer-elu")
    for options, match in (
        ({"route": "cuda"}, "auto, onnx, torch"),
        ({"route": "torch", "data": None, "model": example / "model.onnx"}, "needs the torch model"),
        ({"route": "torch", "model": nn.Linear(2, 2)}, "a GSNN was expected"),
        ({"route": "torch", "model": build("layer-elu", layers=1)[0]}, "at least 2"),
        ({"route": "torch", "model": build("layer-elu-cyclic")[0]}, "edges of the data"),
    ):
        with pytest.raises(MagnitudeEdgeError, match=match):
            MagnitudeEdgeInferer(**{"model": model, "data": data, **options})
    with MagnitudeEdgeInferer(model, data, route="torch", backend="cpu") as inferer:
        x, y = sample(data, 8)
        for batch, crit, match in (
            ((x[:, :2], y), None, "Batch 0: x is .* 4 input nodes"),
            ((x, y), lambda a, b: a - b, "The loss gave .* one number was expected"),
            ((x, y), "median", "crit is 'median'"),
            ((x * np.nan, y), None, "NaN"),
        ):
            with pytest.raises(MagnitudeEdgeError, match=match):
                inferer.fit([batch], crit, verbose=False)
        assert inferer.fit([(x, y)], verbose=False) == 8


def test_infer_takes_a_route():
    model, data = build("layer-elu")
    x, y = sample(data, 100)
    tables = [infer(model, x, y, data=data, route=route, backend="cpu") for route in ("onnx", "torch")]
    np.testing.assert_allclose(*(scores(table) for table in tables), atol=MODEL_ROUNDING)


@pytest.mark.filterwarnings("ignore:An input array is constant", "ignore:Mean of empty slice")
def test_spearman_is_scipys_of_the_magnitudes():
    """Ranks of float32 magnitudes: swapping two neighbours changes a coefficient by 12 / (n (n^2 - 1)), 1.5e-6 here,
    and rounding swaps few of 200."""
    model, data = build("layer-elu")
    batches = doubled(batches_of(data))
    x, y = oracle.model_magnitudes(model.double(), batches)
    pairs = [
        [[spearmanr(source, target).statistic for target in y_p.T] for source in x_p.T]
        for x_p, y_p in zip(x, y, strict=True)
    ]
    with fitted(model, data, batches, route="torch") as inferer:
        table = inferer.evaluate(correlation="spearman")
        pearson = inferer.evaluate()
    assert table.attrs["correlation"] == "spearman"
    i, j = table["src_idx"], table["dst_idx"]
    for p, right in enumerate(np.array(pairs)):
        np.testing.assert_allclose(table[f"corr_a{p}_g{p + 1}"], right[i, j], atol=1e-5)
    np.testing.assert_allclose(table["corr"], np.nanmean(pairs, axis=0)[i, j], atol=1e-5)
    assert np.nanmax(np.abs(scores(table) - scores(pearson))) > 0.01


def test_the_explorer_takes_what_torch_ran():
    model, data = build("layer-elu")
    with fitted(model, data, batches_of(data), weighted, channels=False) as inferer:
        assert inferer.route == "torch"
        widget = inferer.explore(title="own loss")
        pd.testing.assert_frame_equal(widget.edges, inferer.evaluate())
        assert widget._data.names == data.node_names_dict["function"]
