"""Models that are wrapped, in training, under inference mode or with caches: read, and left as they were found."""

import copy

import numpy as np
import pytest
import torch
from test_routes import MODEL_ROUNDING, batches_of, fitted, scores
from torch import nn

from magnitude_edge import MagnitudeEdgeInferer, export_gsnn
from magnitude_edge.export import ExportError, ExportNotice
from magnitude_edge.export.unwrap import unwrap
from pyg_gsnn import PygGSNN
from variants import build, sample


def published(name="batch-relu"):
    """A model that computes and caches as the published class does."""
    reference, data = build(name)
    return PygGSNN(reference), data


def snapshot(model) -> dict:
    """Everything a user could notice: attributes by identity, tensors by value, gradients, hooks."""
    return {
        "attributes": [
            {key: id(value) for key, value in vars(module).items() if key != "training"} for module in model.modules()
        ],
        "training": [module.training for module in model.modules()],
        "values": {key: value.clone() for key, value in model.state_dict().items()},
        "gradients": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "hooks": [len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) for m in model.modules()],
        "needs": [p.requires_grad for p in model.parameters()],
        "random": torch.get_rng_state(),
    }


def assert_same(before: dict, after: dict):
    for key in ("attributes", "training", "hooks", "needs"):
        assert before[key] == after[key], key
    assert all(torch.equal(value, after["values"][key]) for key, value in before["values"].items())
    for a, b in zip(before["gradients"], after["gradients"], strict=True):
        assert (a is None) == (b is None)
        assert a is None or torch.equal(a, b)
    assert torch.equal(before["random"], after["random"])


def in_use(model, data):
    """Mixed flags, gradients, a frozen parameter, caches of another batch size made in inference mode."""
    model.train()
    model.ResBlocks[1].norm.eval()
    model(sample(data, 5)[0]).sum().backward()
    next(model.parameters()).requires_grad_(False)
    with torch.inference_mode():
        model(sample(data, 64)[0])
    return model


@pytest.mark.parametrize("route", ["onnx", "torch"])
def test_a_model_in_use_is_read_and_left_as_it_was(route):
    model, data = published()
    batches = batches_of(data)
    in_use(model, data)
    fresh, _ = published()
    fresh.load_state_dict(model.state_dict())
    with fitted(fresh.eval(), data, batches, route=route) as inferer:
        right = scores(inferer.evaluate())
    before = snapshot(model)
    with torch.inference_mode(), fitted(model, data, batches, route=route) as inferer:
        np.testing.assert_allclose(scores(inferer.evaluate()), right, atol=1e-7)
    assert_same(before, snapshot(model))


def test_random_losses_and_failures_leave_it_as_it_was():
    model, data = published()
    in_use(model, data)
    batches = batches_of(data)
    before = snapshot(model)

    def noisy(prediction, target):
        return ((prediction - target + torch.randn_like(target)) ** 2).mean()

    def failing(prediction, target):
        raise ZeroDivisionError("a fault of the loss")

    def interrupted(prediction, target):
        raise KeyboardInterrupt

    with MagnitudeEdgeInferer(model, data, backend="cpu") as inferer:
        inferer.fit(batches, noisy, verbose=False)
        assert_same(before, snapshot(model))
        for crit, error in ((failing, ZeroDivisionError), (interrupted, KeyboardInterrupt)):
            with pytest.raises(error):
                inferer.fit(batches, crit, verbose=False)
            assert_same(before, snapshot(model))
        assert inferer.fit(batches, noisy, verbose=False) == 200


def test_an_export_that_fails_leaves_it_as_it_was(tmp_path):
    model, data = published()
    in_use(model, data)
    model.ResBlocks[1].register_forward_hook(lambda _m, _i, out: 1.01 * out)
    before = snapshot(model)
    with pytest.warns(ExportNotice), pytest.raises(ExportError) as refused, torch.inference_mode():
        export_gsnn(model, data, tmp_path / "m.onnx")
    assert refused.value.code == "differs"
    assert_same(before, snapshot(model))


class Task(nn.Module):
    """The structure of a LightningModule: the model among the children."""

    def __init__(self, *models):
        super().__init__()
        self.nets = nn.ModuleList(models)
        self.loss = nn.MSELoss()


WRAPPERS = {
    "DataParallel": nn.DataParallel,
    "AveragedModel": torch.optim.swa_utils.AveragedModel,
    "compiled": lambda model: torch.compile(model, backend="eager"),
    "LightningModule": Task,
    "both": lambda model: nn.DataParallel(torch.compile(model, backend="eager")),
}


@pytest.mark.parametrize("route", ["onnx", "torch"])
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrapped_models_are_unwrapped(wrapper, route):
    model, data = build("batch-relu")
    batches = batches_of(data)
    with fitted(model, data, batches, route=route) as inferer:
        right = scores(inferer.evaluate())
    wrapped = WRAPPERS[wrapper](model)
    with fitted(wrapped, data, batches, route=route) as inferer:
        np.testing.assert_allclose(scores(inferer.evaluate()), right, atol=1e-7)


def test_models_compiled_in_place_and_by_block():
    model, data = build("batch-relu")
    batches = batches_of(data)
    with fitted(model, data, batches, route="torch") as inferer:
        right = scores(inferer.evaluate())
    in_place, by_block = copy.deepcopy(model), copy.deepcopy(model)
    in_place.compile(backend="eager")
    in_place(batches[0][0])
    by_block.ResBlocks = nn.ModuleList(torch.compile(block, backend="eager") for block in by_block.ResBlocks)
    for compiled in (in_place, by_block):
        for route in ("onnx", "torch"):
            with fitted(compiled, data, batches, route=route) as inferer:
                np.testing.assert_allclose(scores(inferer.evaluate()), right, atol=MODEL_ROUNDING)


def test_what_cannot_be_unwrapped_is_told():
    model, _ = build("batch-relu")
    with pytest.raises(ExportError, match=r"Task holds 2 GSNNs \(nets.0, nets.1\): pass one of them"):
        unwrap(Task(model, copy.deepcopy(model)))
    with pytest.raises(ExportError, match="Task has no ResBlocks"):
        unwrap(Task())
    with pytest.raises(ExportError, match="dict is not a torch module"):
        unwrap({"state_dict": {}})


def test_a_missing_folder_is_told_before_any_work(tmp_path):
    model, data = build("batch-relu")
    with pytest.raises(ExportError, match="cannot be written: there is no folder") as refused:
        export_gsnn(model, data, tmp_path / "nowhere" / "m.onnx")
    assert refused.value.code == "path"
