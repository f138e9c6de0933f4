"""The joint route: gradients in the file against torch autograd, unknown modules, refusals."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from magnitude_edge.export import ExportError, export_gsnn, export_joint
from magnitude_edge.export.capture import capture
from variants import build, sample


class Sine(nn.Module):
    """A nonlinearity that the exporter does not know."""

    def forward(self, x):
        return torch.sin(x) + 0.3 * x


class ScatterMeanNorm(nn.Module):
    """Divides each channel by its group's mean square, with the one operator that torch.onnx gets wrong."""

    def __init__(self, groups):
        super().__init__()
        self.register_buffer("groups", groups)

    def forward(self, x):
        x = x.squeeze(-1)
        index = self.groups.expand(x.shape[0], -1)
        mean = x.new_zeros(x.shape[0], int(self.groups.max()) + 1).scatter_reduce(1, index, x**2, "mean")
        return (x / (mean[:, self.groups] + 1)).unsqueeze(-1)


def check_gradients(model, data, path, loss, batch):
    x, y = sample(data, batch)
    y = y.sigmoid()
    expected = capture(model, x, y, loss, dtype=torch.float64)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(None, {"x": x.numpy(), "y": y.numpy()}), strict=True))
    assert float(found["loss"]) == pytest.approx(float(expected.loss), rel=1e-5)
    np.testing.assert_allclose(found["yhat"], expected.yhat, atol=1e-5)
    for layer in range(len(model.ResBlocks)):
        for name, value in (
            (f"gradPre{layer}", expected.grad_pre[layer]),
            (f"gradPost{layer}", expected.grad_post[layer]),
            (f"pre{layer}", expected.pre[layer]),
            (f"post{layer}", expected.post[layer]),
        ):
            error = np.abs(found[name] - value.numpy()).max() / max(float(value.abs().max()), 1e-30)
            assert error < 1e-5, (name, batch)


@pytest.mark.parametrize(
    ("name", "kind", "reduction", "loss"),
    [
        ("layer-elu", "mse", "mean", F.mse_loss),
        ("rms-silu", "l1", "sum", lambda a, b: F.l1_loss(a, b, reduction="sum")),
        ("attention-signed", "bce-with-logits", "mean", F.binary_cross_entropy_with_logits),
        ("batch-relu", "cross-entropy", "mean", F.cross_entropy),
    ],
)
def test_file_gives_torchs_gradients(name, kind, reduction, loss, tmp_path):
    model, data = build(name, layers=2)
    gsnn = export_joint(model, data, tmp_path / "j.onnx", loss=kind, reduction=reduction).metadata
    written = {p.key: p.value for p in onnx.load(tmp_path / "j.onnx").metadata_props}["gsnn"]
    assert json.loads(written) == gsnn
    assert gsnn["joint"] is True
    assert (gsnn["target"], gsnn["loss"], gsnn["lossKind"], gsnn["lossReduction"]) == (
        "y",
        "loss",
        kind,
        reduction,
    )
    assert gsnn["gradPreNorm"] == ["gradPre0", "gradPre1"]
    assert gsnn["gradActivation"] == ["gradPost0", "gradPost1"]
    for batch in (1, 6):
        check_gradients(model, data, tmp_path / "j.onnx", loss, batch)


def test_a_nonlinearity_without_a_rule_takes_this_route(tmp_path):
    model, data = build("none-gelu-mlp", layers=2)
    for block in model.ResBlocks:
        block.nonlin = Sine()
    model.eval()
    with pytest.raises(ExportError, match=r"^ResBlocks\.0\.nonlin: Sine"):
        export_gsnn(model, data, tmp_path / "m.onnx")
    export_joint(model, data, tmp_path / "j.onnx")
    check_gradients(model, data, tmp_path / "j.onnx", F.mse_loss, 5)


def test_scatter_reduce_mean_is_refused_by_path(tmp_path):
    model, data = build("layer-elu", layers=2)
    model.ResBlocks[1].norm = ScatterMeanNorm(model.ResBlocks[1].channel_groups)
    model.eval()
    with pytest.raises(ExportError, match=r"^ResBlocks\.1\.norm: uses scatter_reduce with a mean") as caught:
        export_joint(model, data, tmp_path / "j.onnx")
    assert caught.value.code == "scatter-mean"
    assert not list(tmp_path.iterdir())


def test_unknown_losses_are_named(tmp_path):
    model, data = build("layer-elu", layers=2)
    with pytest.raises(ExportError, match=r"loss must be one of mse, l1, huber.*; got 'hinge' with 'mean'"):
        export_joint(model, data, tmp_path / "j.onnx", loss="hinge")
