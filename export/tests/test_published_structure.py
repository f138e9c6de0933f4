"""Models computed by torch_geometric message passing, like the published package's, export unchanged."""

import onnx
import pytest
import torch
from test_export import assert_close, read_metadata, run_file

from magnitude_edge.export import ExportError, export_gsnn
from magnitude_edge.export.capture import capture
from pyg_gsnn import PygGSNN
from variants import VARIANTS, build, sample

#: The published package stores a fixed residual weight as a plain float, on which its own forward pass fails.
NAMES = [name for name in VARIANTS if name != "groupbatch-elu-fixed-residual"]


@pytest.mark.parametrize("name", NAMES)
def test_exports_like_the_reference(name, tmp_path):
    reference, data = build(name)
    model = PygGSNN(reference).eval()
    x, y = sample(data, 4)
    torch.testing.assert_close(model(x), reference(x), rtol=1e-5, atol=1e-6)
    export_gsnn(reference, data, tmp_path / "reference.onnx", dynamo=False)
    export_gsnn(model, data, tmp_path / "pyg.onnx", dynamo=False)
    assert read_metadata(tmp_path / "pyg.onnx") == read_metadata(tmp_path / "reference.onnx")
    ours, theirs = (onnx.load(tmp_path / f"{which}.onnx") for which in ("reference", "pyg"))
    assert ours.graph == theirs.graph
    expected = capture(model, x, y)
    found = run_file(tmp_path / "pyg.onnx", x)
    assert_close(found["yhat"], expected.yhat.numpy(), "yhat")
    assert_close(found["pre2"], expected.pre[2].numpy(), "pre2")


def test_exports_through_torch_export_too(tmp_path):
    reference, data = build("layer-elu")
    model = PygGSNN(reference).eval()
    export_gsnn(model, data, tmp_path / "m.onnx", edge_mask=True, dynamo=True)
    x, _ = sample(data, 5)
    mask = torch.ones(model.edge_index.shape[1])
    mask[2:5] = 0
    found = run_file(tmp_path / "m.onnx", x, edge_mask=mask)
    assert_close(found["yhat"], model(x, edge_mask=mask).detach().numpy(), "yhat")


def test_model_in_training_mode_with_cached_batches_is_read_as_it_is(tmp_path):
    reference, data = build("batch-relu")
    model = PygGSNN(reference).train()
    model(sample(data, 9)[0]).sum().backward()
    statistics = model.ResBlocks[0].norm.running_mean.clone()
    with pytest.warns(UserWarning, match="training mode"):
        export_gsnn(model, None, tmp_path / "m.onnx", dynamo=False)
    assert model.training
    assert torch.equal(model.ResBlocks[0].norm.running_mean, statistics)
    x, _ = sample(data, 3)
    assert_close(run_file(tmp_path / "m.onnx", x)["yhat"], model.eval()(x).detach().numpy(), "yhat")


def test_checkpointing_is_refused(tmp_path):
    reference, data = build("layer-elu")
    model = PygGSNN(reference)
    model.checkpoint = True
    with pytest.raises(ExportError, match="checkpointing"):
        export_gsnn(model, data, tmp_path / "m.onnx")
