"""The class on top of the engine's process: numbers against the float64 oracle, errors, shutdown."""

import json
import os
import signal

import numpy as np
import pandas as pd
import pytest
import torch

import oracle
from magnitude_edge import MagnitudeEdgeError, MagnitudeEdgeInferer, infer
from variants import build, sample

#: Scores of a float32 model against the float64 oracle: the model's own rounding, on well-conditioned samples.
MODEL_ROUNDING = 2e-5


@pytest.fixture(scope="module")
def fitted(example, loader):
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as inferer:
        assert inferer.fit(loader, verbose=False) == 2000
        yield inferer


def positives(example) -> list[tuple[str, str]]:
    return [tuple(edge) for edge in pd.read_csv(example / "heldout.csv").to_numpy()]


@pytest.mark.parametrize("score", ["corr", "partial"])
def test_example_gives_the_published_scores_and_ranking(fitted, example, score):
    expected = json.loads((example / "expected.json").read_text())[score]
    table = fitted.evaluate(score=score)
    for row, (source, target, value) in zip(table.itertuples(), expected["top"], strict=False):
        assert (row.src_func, row.dst_func) == (source, target)
        assert row.corr == pytest.approx(value, abs=MODEL_ROUNDING)
    _, summary = MagnitudeEdgeInferer.evaluate_target_ranking(table, positives(example))
    for figure in ("n_positives", "mrr", "top@1", "top@3", "top@5"):
        assert summary[figure] == pytest.approx(expected[figure], abs=1e-12)


@pytest.mark.parametrize("name", ["layer-elu", "batch-relu", "attention-signed", "layer-elu-ragged"])
@pytest.mark.parametrize("score", ["corr", "partial"])
def test_torch_models_give_the_oracles_table(name, score):
    model, data = build(name)
    x, y = sample(data, 200)
    batches = list(zip(x.split(64), y.split(64), strict=True))
    magnitudes = oracle.model_magnitudes(model, batches)
    edges = data.edge_index_dict["function", "to", "function"].numpy()
    expected = oracle.edge_table(*magnitudes, edges, data.node_names_dict["function"], score=score)
    with MagnitudeEdgeInferer(model, data, backend="cpu") as inferer:
        assert inferer.fit(batches, torch.nn.MSELoss(), verbose=False) == 200
        found = inferer.evaluate(score=score)
    assert list(found.columns) == list(expected.columns)
    keys = ["src_idx", "dst_idx"]
    joined = found.merge(expected, on=keys, suffixes=("", "_right"), validate="one_to_one")
    assert len(joined) == len(expected)
    np.testing.assert_allclose(joined["corr"], joined["corr_right"], atol=MODEL_ROUNDING)
    assert (joined["has_edge"] == joined["has_edge_right"]).all()
    assert (joined["src_func"] == joined["src_func_right"].astype(str)).all()


def test_columns_have_the_types_of_pandas_users(fitted):
    table = fitted.evaluate(score="partial", top=10)
    kinds = {column: table[column].dtype.kind for column in ("src_idx", "n_cond", "corr", "corr_a0_g1", "has_edge")}
    assert kinds == {"src_idx": "i", "n_cond": "i", "corr": "f", "corr_a0_g1": "f", "has_edge": "b"}
    assert isinstance(table["src_func"].iloc[0], str)
    assert len(table) == 10
    assert table.attrs["n"] == "2000"


def test_one_call_takes_arrays_frames_in_any_order_and_files(fitted, example, samples, loader):
    expected = fitted.evaluate()
    x, y = samples
    names = fitted.node_names
    model = example / "model.onnx"
    shuffled = pd.DataFrame(x, columns=names["input"])[names["input"][::-1]]
    ways = [
        infer(model, x, y, backend="cpu"),
        infer(model, shuffled, pd.DataFrame(y, columns=names["output"]), backend="cpu"),
        infer(model, example / "data.npz", backend="cpu"),
    ]
    for table in ways:
        pd.testing.assert_frame_equal(table, expected)
    with pytest.raises(MagnitudeEdgeError, match="'in1'") as refused:
        infer(model, shuffled.drop(columns="in1"), y, backend="cpu")
    assert refused.value.code == "batch-mismatch"


def test_the_engine_runs_a_file_as_is_fast_for_the_model(fitted, example, loader):
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as inferer:
        assert inferer.fit_file(example / "data.npz", batch_size="auto") == 2000
        pd.testing.assert_frame_equal(in_pairs(inferer.evaluate()), in_pairs(fitted.evaluate()), atol=MODEL_ROUNDING)
        inferer.fit_file(example / "data.npz", batch_size=16)
        small = in_pairs(inferer.evaluate())
        inferer.fit_file(example / "data.npz", batch_size="auto", loss_batch_size=16)
        pd.testing.assert_frame_equal(in_pairs(inferer.evaluate()), small, atol=MODEL_ROUNDING)
    with pytest.raises(MagnitudeEdgeError, match="batch_size 'auto' needs a file that the engine reads"):
        infer(example / "model.onnx", loader, batch_size="auto")


def in_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """The table without the order of near ties."""
    return table.sort_values(["src_idx", "dst_idx"]).reset_index(drop=True)


def test_statistics_save_load_and_merge(example, loader, fitted, tmp_path):
    expected = fitted.evaluate()
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as inferer:
        inferer.fit(loader[:8], verbose=False)
        inferer.save_stats(tmp_path / "first.arrow")
        inferer.fit(loader[8:], verbose=False)
        inferer.merge_stats(tmp_path / "first.arrow")
        merged = inferer.evaluate()
        inferer.load_stats(tmp_path / "first.arrow")
        assert inferer.evaluate().attrs["n"] == str(8 * 128)
    pd.testing.assert_frame_equal(merged, expected, rtol=1e-9)


def test_statistics_with_channel_values_give_ranks_and_channel_scores(example, loader, fitted, tmp_path):
    path = tmp_path / "stats.arrow"
    asked = ({"score": "channel"}, {"correlation": "spearman"}, {"score": "partial"})
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as inferer:
        fitted.save_stats(path, channels=True)
        inferer.load_stats(path)
        for options in asked:
            pd.testing.assert_frame_equal(inferer.evaluate(**options), fitted.evaluate(**options), rtol=1e-6, atol=1e-7)
        with_channels = path.stat().st_size
        for options in ({}, {"channels": None}, {"channels": False}):
            fitted.save_stats(path, **options)
            assert path.stat().st_size < with_channels / 4
        inferer.load_stats(path)
        for options in asked[:2]:
            with pytest.raises(MagnitudeEdgeError, match="channel values"):
                inferer.evaluate(**options)
    with MagnitudeEdgeInferer(example / "model.onnx", channels=False, backend="cpu") as inferer:
        inferer.fit(loader[:1], verbose=False)
        with pytest.raises(MagnitudeEdgeError) as refused:
            inferer.save_stats(path, channels=True)
        assert refused.value.code == "invalid-argument"


def test_refused_batches_say_why_and_keep_what_came_before(example, loader):
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as inferer:
        bad = loader[3][0].copy()
        bad[5, 2] = np.nan
        with pytest.raises(MagnitudeEdgeError, match=r"Batch 3 holds NaN .* sample 5") as refused:
            inferer.fit([*loader[:3], (bad, loader[3][1])], verbose=False)
        assert refused.value.code == "non-finite"
        assert refused.value.details["batch"] == 3
        assert inferer.evaluate().attrs["n"] == str(3 * 128)
        with pytest.raises(MagnitudeEdgeError) as refused:
            inferer.fit([(loader[0][0], loader[0][1][:, :3])], verbose=False)
        assert refused.value.code == "batch-mismatch"
        assert inferer.fit(loader[:2], verbose=False) == 256


def test_an_exception_of_the_loader_comes_through(example, loader):
    def failing():
        yield loader[0]
        yield loader[1]
        raise RuntimeError("disk on fire")

    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as inferer:
        with pytest.raises(RuntimeError, match="disk on fire"):
            inferer.fit(failing(), verbose=False)
        assert inferer.fit(loader[2:4], verbose=False, reset=False) == 4 * 128


@pytest.mark.usefixtures("interruptible")
def test_interrupting_a_fit_leaves_a_usable_engine(example, loader):
    def interrupted():
        yield loader[0]
        os.kill(os.getpid(), signal.SIGINT)
        yield loader[1]

    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as inferer:
        with pytest.raises(KeyboardInterrupt):
            inferer.fit(interrupted(), verbose=False)
        assert inferer.fit(loader[:2], verbose=False) == 256


def test_a_killed_engine_is_told(example, loader):
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as inferer:
        inferer.fit(loader[:1], verbose=False)
        os.kill(inferer._engine.pid, signal.SIGKILL)
        with pytest.raises(MagnitudeEdgeError, match="ended with status -9") as refused:
            inferer.evaluate()
        assert refused.value.code == "process"


def test_two_engines_at_once_and_a_forked_process(example, loader, fitted):
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as other:
        other.fit(loader[:4], verbose=False)
        assert other.evaluate().attrs["n"] == "512"
        assert fitted.evaluate().attrs["n"] == "2000"
        child = os.fork()
        if child == 0:
            try:
                other.evaluate()
                os._exit(1)
            except MagnitudeEdgeError as error:
                other.close()  # must not end the parent's engine
                os._exit(0 if error.code == "process" else 2)
        assert os.waitpid(child, 0)[1] == 0
        assert other.evaluate().attrs["n"] == "512"


def test_the_engine_ends_with_its_owner(example):
    inferer = MagnitudeEdgeInferer(example / "model.onnx", backend="cpu")
    process = inferer._engine._process
    inferer.close()
    inferer.close()
    assert process.poll() == 0
    with pytest.raises(MagnitudeEdgeError, match="ended"):
        inferer.evaluate()


@pytest.mark.parametrize(
    "crit", [None, "mse", torch.nn.MSELoss(), torch.nn.functional.mse_loss], ids=["none", "name", "module", "function"]
)
def test_losses_that_stand_for_one_another(example, loader, crit):
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as inferer:
        inferer.fit(loader[:2], crit, verbose=False)
        assert inferer.evaluate(top=1).attrs["loss"] == "mse"


@pytest.mark.parametrize("crit", ["median", torch.nn.HuberLoss(delta=2.0), lambda a, b: a.sum()])
def test_other_losses_are_refused_before_anything_is_forgotten(fitted, loader, crit):
    with pytest.raises(MagnitudeEdgeError) as refused:
        fitted.fit(loader, crit, verbose=False)
    assert refused.value.code == "invalid-argument"
    assert fitted.evaluate(top=1).attrs["n"] == "2000"


def test_the_explorer_has_the_models_table_and_all_its_nodes(fitted, example):
    widget = fitted.explore(positives=positives(example), title="example")
    pd.testing.assert_frame_equal(widget.edges, fitted.evaluate())
    assert widget._data.names == fitted.node_names["function"]
    assert widget._data.facts()["positives"] == positives(example)
    few = fitted.evaluate(score="partial", top=5)
    pd.testing.assert_frame_equal(fitted.explore(few).edges, few)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # nodes that are constant in a layer
def test_magnitudes_of_a_pair_have_the_correlations_of_its_row(fitted):
    for row in fitted.evaluate(top=3).itertuples():
        x, y = fitted.pair_magnitudes(row.src_func, row.dst_func)
        assert x.shape == y.shape == (3, 2000)
        found = [np.corrcoef(of_source, of_target)[0, 1] for of_source, of_target in zip(x, y, strict=True)]
        # The magnitudes are rounded to float32.
        np.testing.assert_allclose(found, [row.corr_a0_g1, row.corr_a1_g2, row.corr_a2_g3], atol=1e-6)
    assert fitted.pair_magnitudes("f4", "f16", samples=10)[0].shape == (3, 10)
    with pytest.raises(MagnitudeEdgeError, match="no function node named 'f99'"):
        fitted.pair_magnitudes("f4", "f99")


def asked(widget, **request) -> tuple[dict, list]:
    """The widget's reply to a page that asks for evidence."""
    sent = []
    widget.send = lambda message, buffers=None: sent.append((message, [bytes(part) for part in buffers or []]))
    widget._receive(widget, {"kind": "ask", "token": "t", **request}, [])
    ((message, buffers),) = sent
    return message, buffers


def test_the_widget_has_the_evidence_of_the_models_pairs(example, loader):
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as inferer:
        inferer.fit(loader, verbose=False)
        widget = inferer.explore()
        assert asked(widget, what="table")[0]["facts"]["evidence"]
        assert widget._data.title == "model.onnx"
        message, (content,) = asked(widget, what="magnitudes", source=4, target=16)
        x, y = inferer.pair_magnitudes("f4", "f16")
        assert message["facts"] == {"pairs": 3}
        np.testing.assert_array_equal(np.frombuffer(content, "<f4").reshape(2, 3, 2000), [x, y])

        channel = inferer.explore(inferer.evaluate(score="channel", lam=2))
        row = channel.edges.iloc[0]
        message, (content,) = asked(channel, what="block", source=row.src_idx, target=row.dst_idx, layerPair=1)
        block = np.frombuffer(content).reshape(len(message["facts"]["sourceChannels"]), -1)
        assert np.sqrt((block**2).sum() / block.shape[1]) == pytest.approx(row.score_a1_g2, rel=1e-6)  # kept as float32

        inferer.fit(loader[:2], verbose=False)
        message, buffers = asked(widget, what="magnitudes", source=4, target=16)
        assert "call explore() again" in message["facts"]["refusal"]["message"]
        assert buffers == [b""]
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu", channels=False) as inferer:
        inferer.fit(loader[:2], verbose=False)
        message, _ = asked(inferer.explore(), what="magnitudes", source=4, target=16)
        assert "channel values" in message["facts"]["refusal"]["message"]
