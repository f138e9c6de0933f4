"""Samples from AnnData, zarr and Parquet: matched by name, read in pieces, the same table as from plain arrays."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import zarr

from magnitude_edge import MagnitudeEdgeError, MagnitudeEdgeInferer, _samples, infer


@pytest.fixture(scope="module")
def inferer(example):
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as inferer:
        yield inferer


@pytest.fixture(scope="module")
def expected(inferer, loader):
    inferer.fit(loader, verbose=False)
    return inferer.evaluate()


@pytest.fixture(scope="module")
def frame(inferer, samples):
    """Columns in another order than the model's."""
    names = inferer.node_names
    frame = pd.DataFrame(np.hstack(samples), columns=[*names["input"], *names["output"]])
    return frame[frame.columns[::-1]]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Splits the 2,000 samples into several pieces, of whole batches."""
    monkeypatch.setattr(_samples, "PIECE", 50_000)


def fitted(inferer, data, **options):
    assert inferer.fit(data, verbose=False, **options) == 2000
    return inferer.evaluate()


def test_a_table_with_more_columns_and_parquet_files(inferer, frame, expected, tmp_path):
    told = frame.assign(plate="p1")
    told.iloc[:1100].to_parquet(tmp_path / "a.parquet", row_group_size=300)
    told.iloc[1100:].to_parquet(tmp_path / "b.parquet", row_group_size=1000)
    for data in (
        told,
        pa.Table.from_pandas(told),
        tmp_path / "*.parquet",
        [tmp_path / "a.parquet", tmp_path / "b.parquet"],
    ):
        pd.testing.assert_frame_equal(fitted(inferer, data), expected)


def test_a_zarr_group_of_arrays(inferer, samples, frame, expected, example, tmp_path):
    x, y = samples
    names = inferer.node_names
    for name in ("plain.zarr", "named.zarr"):
        group = zarr.open_group(str(tmp_path / name), mode="w")
        for side, held, columns in (("x", x, names["input"]), ("y", y, names["output"])):
            named = name == "named.zarr"
            values = held[:, ::-1] if named else held
            array = group.create_array(side, shape=values.shape, chunks=(300, values.shape[1]), dtype="float32")
            array[:] = values
            if named:  # as xarray writes it
                array.attrs["_ARRAY_DIMENSIONS"] = ["sample", f"{side}_node"]
                nodes = group.create_array(f"{side}_node", shape=(len(columns),), dtype="str")
                nodes[:] = np.array(columns[::-1])
        for data in (group, tmp_path / name):
            pd.testing.assert_frame_equal(fitted(inferer, data), expected)
        pd.testing.assert_frame_equal(infer(example / "model.onnx", tmp_path / name, backend="cpu"), expected)
    plain = zarr.open_group(str(tmp_path / "plain.zarr"), mode="r")
    pd.testing.assert_frame_equal(infer(example / "model.onnx", plain["x"], plain["y"], backend="cpu"), expected)


def test_names_that_do_not_fit_are_told(inferer, frame, tmp_path):
    group = zarr.open_group(str(tmp_path / "half.zarr"), mode="w")
    group.create_array("x", shape=(4, 12), dtype="float32")
    twice = pd.concat([frame, frame[["in1"]]], axis=1)
    refusals = [
        (
            frame.drop(columns=["in1", "in2"]),
            "batch-mismatch",
            "lacks columns for 2 of 12 input nodes; the first is 'in1'",
        ),
        (twice, "invalid-data", "more than one column 'in1'"),
        (tmp_path / "half.zarr", "invalid-data", "half.zarr is a group without an array 'y'"),
        (tmp_path / "none.zarr", "invalid-data", "none.zarr does not exist"),
        (str(tmp_path / "*.parquet"), "invalid-data", r"No file matches '.*\*\.parquet'"),
        ([tmp_path / "half.zarr", tmp_path / "b.parquet"], "invalid-argument", "must all be Parquet"),
        (tmp_path / "samples.npz", "invalid-argument", "use fit_file"),
    ]
    for data, code, says in refusals:
        with pytest.raises(MagnitudeEdgeError, match=says) as refused:
            inferer.fit(data, verbose=False)
        assert refused.value.code == code


def test_nodes_that_are_input_and_output_need_a_side(inferer):
    names = _samples.NodeNames({"input": ["a", "b"], "output": ["b", "c"]})
    columns = ["y:b", "c", "x:b", "a"]
    assert names.places(columns, "x", "t").tolist() == [3, 2]
    assert names.places(columns, "y", "t").tolist() == [0, 1]
    with pytest.raises(MagnitudeEdgeError, match="the first is 'b'"):
        names.places(["a", "b", "c"], "x", "t")
