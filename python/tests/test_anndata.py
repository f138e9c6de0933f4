"""AnnData, in memory and on disk."""

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from magnitude_edge import MagnitudeEdgeError, MagnitudeEdgeInferer, _samples, infer


@pytest.fixture(scope="module")
def inferer(example):
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as inferer:
        yield inferer


@pytest.fixture(scope="module")
def expected(inferer, loader):
    inferer.fit(loader, verbose=False)
    return inferer.evaluate()


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(_samples, "PIECE", 50_000)


def annotated(values, names, samples: str = "s"):
    obs = pd.DataFrame(index=[f"{samples}{row}" for row in range(values.shape[0])])
    return anndata.AnnData(values, obs=obs, var=pd.DataFrame(index=list(names)))


@pytest.mark.parametrize("layout", [np.asarray, scipy.sparse.csr_matrix], ids=["dense", "sparse"])
def test_one_object_with_both_sides_in_memory_and_on_a_disk(inferer, samples, expected, example, tmp_path, layout):
    names = inferer.node_names
    columns = np.array([*names["output"], "of no node", *names["input"]])
    x, y = samples
    both = annotated(layout(np.hstack([y, np.ones((len(x), 1), "f4"), x])), columns)
    both.write_h5ad(tmp_path / "both.h5ad")
    both.write_zarr(tmp_path / "both.zarr")
    for data in (both, tmp_path / "both.h5ad", tmp_path / "both.zarr", anndata.read_h5ad(tmp_path / "both.h5ad", "r")):
        assert inferer.fit(data, verbose=False) == 2000
        pd.testing.assert_frame_equal(inferer.evaluate(), expected)
    table = infer(example / "model.onnx", str(tmp_path / "both.h5ad"), backend="cpu")
    pd.testing.assert_frame_equal(table, expected)


def test_sides_apart(samples, inferer, expected, example, tmp_path):
    names = inferer.node_names
    x, y = (
        annotated(side[:, ::-1], names[kind][::-1]) for side, kind in zip(samples, ("input", "output"), strict=True)
    )
    y.write_h5ad(tmp_path / "y.h5ad")
    model = example / "model.onnx"
    for right in (y, tmp_path / "y.h5ad", samples[1]):
        pd.testing.assert_frame_equal(infer(model, x, right, backend="cpu"), expected)
    others = annotated(y.X, y.var_names, "other")
    for wrong, says in ((others, "obs_names differ"), (y[::-1], "obs_names differ"), (y[:5], "hold different samples")):
        with pytest.raises(MagnitudeEdgeError, match=says) as refused:
            infer(model, x, wrong, backend="cpu")
        assert refused.value.code == "batch-mismatch"
    with pytest.raises(MagnitudeEdgeError, match="x lacks columns for 1 of 12 input nodes; the first is 'in1'"):
        infer(model, x[:, [name for name in names["input"] if name != "in1"]], y, backend="cpu")
