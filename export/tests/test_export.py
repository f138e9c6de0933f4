"""The exported file against the model: values by onnxruntime, metadata, modes, refusals."""

import copy
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from magnitude_edge.export import ExportError, ExportNotice, GraphData, export_gsnn
from magnitude_edge.export.capture import capture
from reference import GSNN
from variants import VARIANTS, build, graph_data, sample

#: Written directly, through torch.export, through TorchScript.
ROUTES = [None, True, False]
#: torch.export takes seconds per model: these cover every norm, the rest goes through TorchScript.
DYNAMO = ("layer-elu", "none-gelu-mlp", "softmax-gelutanh-ragged", "attention-signed", "channelema-mish")


def cases():
    return [(name, route) for name in VARIANTS for route in (None, False)] + [(name, True) for name in DYNAMO]


def run_file(path, x, names=None, **feeds):
    """Outputs of the file by onnxruntime; inner values of ``names`` are made outputs for this run."""
    model = onnx.load(path)
    present = {output.name for output in model.graph.output}
    for name in names or []:
        if name not in present:
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {"x": x.numpy(), **{k: v.numpy() for k, v in feeds.items()}}
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds), strict=True))


def read_metadata(path) -> dict:
    return json.loads(
        {p.key: p.value for p in onnx.load(path, load_external_data=False).metadata_props}["gsnn"]
    )


def assert_close(found, expected, what):
    scale = max(float(np.abs(expected).max()), 1e-6)
    assert found.shape == expected.shape, what
    assert float(np.abs(found - expected).max()) / scale < 1e-5, what


@pytest.mark.parametrize(("name", "dynamo"), cases())
def test_file_gives_the_models_values_at_every_batch_size(name, dynamo, tmp_path):
    model, data = build(name)
    path = tmp_path / "m.onnx"
    export_gsnn(model, data, path, dynamo=dynamo)
    for batch in (1, 6):
        x, y = sample(data, batch)
        expected = capture(model, x, y, dtype=torch.float64)
        found = run_file(path, x)
        assert_close(found["yhat"], expected.yhat.numpy(), "yhat")
        for layer in range(3):
            assert_close(found[f"pre{layer}"], expected.pre[layer].numpy(), f"pre{layer}")
            assert_close(found[f"post{layer}"], expected.post[layer].numpy(), f"post{layer}")


@pytest.mark.parametrize("dynamo", ROUTES)
def test_file_keeps_to_the_profile(dynamo, tmp_path):
    model, data = build("layer-elu")
    path = tmp_path / "m.onnx"
    written = export_gsnn(model, data, path, dynamo=dynamo)
    file, gsnn = onnx.load(path, load_external_data=False), read_metadata(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.onnx"]
    assert gsnn == written.metadata
    assert written.size == path.stat().st_size
    assert (gsnn["version"], gsnn["layers"], gsnn["norm"], gsnn["checkpoint"]) == (1, 3, "layer", False)
    assert (gsnn["input"], gsnn["output"]) == ("x", "yhat")
    assert gsnn["preNorm"] == ["pre0", "pre1", "pre2"]
    assert gsnn["activation"] == ["post0", "post1", "post2"]
    assert gsnn["channelGroups"] == [c // 3 for c in range(21)]
    assert gsnn["nodeNames"] == data.node_names_dict
    for (source, _, target), index in data.edge_index_dict.items():
        assert gsnn["edgeIndex"][f"{source},{target}"] == index.tolist()
    assert file.opset_import[0].version == 18
    assert all(
        not t.HasField("data_location") or t.data_location == onnx.TensorProto.DEFAULT
        for t in file.graph.initializer
    )
    computed = {name for node in file.graph.node for name in node.output}
    assert {*gsnn["preNorm"], *gsnn["activation"], *gsnn["stopGradient"]} <= computed
    for value in (*file.graph.input, *file.graph.output):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch"


@pytest.mark.parametrize("dynamo", ROUTES)
@pytest.mark.parametrize("name", ["layer-elu", "layer-elu-ragged"])
def test_stopped_values_are_the_ones_that_are_used(name, dynamo, tmp_path):
    """Each block has a detached mean and a detached deviation: replacing the values in the file by other
    numbers must change its output, or the reader would cut the gradient where nothing flows."""
    model, data = build(name)
    path = tmp_path / "m.onnx"
    gsnn = export_gsnn(model, data, path, dynamo=dynamo).metadata
    assert len(gsnn["stopGradient"]) == 2 * len(model.ResBlocks)
    x, _ = sample(data, 3)
    before = run_file(path, x)["yhat"]
    for stopped in gsnn["stopGradient"]:
        file = onnx.load(path)
        for node in file.graph.node:
            for i, output in enumerate(node.output):
                if output == stopped:
                    node.output[i] = "moved"
        position = next(i for i, node in enumerate(file.graph.node) if "moved" in node.output)
        scale = onnx.helper.make_tensor("scale", onnx.TensorProto.FLOAT, [], [1.5])
        file.graph.initializer.append(scale)
        file.graph.node.insert(position + 1, onnx.helper.make_node("Mul", ["moved", "scale"], [stopped]))
        onnx.save(file, tmp_path / "moved.onnx")
        assert np.abs(run_file(tmp_path / "moved.onnx", x)["yhat"] - before).max() > 1e-4, stopped


def test_shared_layers_share_their_weights_in_the_file(tmp_path):
    numbers = {}
    for share in (True, False):
        data = graph_data()
        torch.manual_seed(0)
        model = GSNN(
            data.edge_index_dict, data.node_names_dict, channels=16, layers=4, share_layers=share
        ).eval()
        export_gsnn(model, data, tmp_path / "m.onnx", dynamo=False)
        initializers = onnx.load(tmp_path / "m.onnx").graph.initializer
        numbers[share] = sum(np.prod(t.dims) for t in initializers if t.data_type == onnx.TensorProto.FLOAT)
    assert numbers[False] > 3 * numbers[True]


@pytest.mark.parametrize("dynamo", ROUTES)
def test_edge_mask_scores_a_graph_without_the_edge(dynamo, tmp_path):
    model, data = build("layer-elu")
    path = tmp_path / "m.onnx"
    gsnn = export_gsnn(model, data, path, edge_mask=True, dynamo=dynamo).metadata
    assert gsnn["edgeMask"] == "edge_mask"
    assert gsnn["edgeMaskEdges"] == model.edge_index.tolist()
    x, y = sample(data, 5)
    mask = torch.ones(model.E)
    mask[:3] = 0
    expected = capture(model, x, y, dtype=torch.float64, edge_mask=mask)
    found = run_file(path, x, edge_mask=mask)
    assert_close(found["yhat"], expected.yhat.numpy(), "yhat")
    assert_close(found["pre2"], expected.pre[2].numpy(), "pre2")


def test_model_is_left_as_it_was(tmp_path):
    model, data = build("batch-relu")
    model.train()
    model.ResBlocks[1].norm.eval()
    before = copy.deepcopy(model.state_dict())
    with pytest.warns(ExportNotice, match="training mode; it is exported in evaluation mode"):
        export_gsnn(model, data, tmp_path / "m.onnx", dynamo=False)
    assert model.training
    assert model.ResBlocks[0].norm.training
    assert not model.ResBlocks[1].norm.training
    after = model.state_dict()
    assert {k: v.dtype for k, v in after.items()} == {k: v.dtype for k, v in before.items()}
    assert all(torch.equal(v, before[k]) for k, v in after.items())
    assert all(p.grad is None for p in model.parameters())


def test_graph_can_come_from_the_model_alone(tmp_path):
    model, data = build("layer-gelu-edge-channels")
    with_data = export_gsnn(model, data, tmp_path / "a.onnx", dynamo=False).metadata
    alone = export_gsnn(model, None, tmp_path / "b.onnx", dynamo=False).metadata
    assert alone["nodeNames"] == with_data["nodeNames"]
    for key, index in with_data["edgeIndex"].items():
        assert set(zip(*alone["edgeIndex"][key], strict=True)) == set(zip(*index, strict=True))


def refused(code, match, model, data, tmp_path):
    model.eval()
    path = tmp_path / "m.onnx"
    with pytest.raises(ExportError, match=match) as caught:
        export_gsnn(model, data, path, dynamo=False)
    assert caught.value.code == code
    assert not list(tmp_path.iterdir()), "a refused export leaves nothing behind"


class Strange(nn.Module):
    def forward(self, x):
        return torch.sin(x)


def test_unknown_modules_are_named_by_their_path(tmp_path):
    model, data = build("layer-elu")
    model.ResBlocks[1].nonlin = Strange()
    refused(
        "unknown-module",
        r"^ResBlocks\.1\.nonlin: Strange is not a nonlinearity",
        model.eval(),
        data,
        tmp_path,
    )
    model, data = build("layer-elu")
    model.ResBlocks[2].norm = nn.InstanceNorm1d(21)
    refused("unknown-module", r"^ResBlocks\.2\.norm: InstanceNorm1d is not", model.eval(), data, tmp_path)
    model, data = build("none-gelu-mlp")
    model.ResBlocks[0].mlp.mlp[2] = Strange()
    refused("unknown-module", r"^ResBlocks\.0\.mlp\.mlp\.2: Strange", model, data, tmp_path)
    model, data = build("attention-signed")
    model.ResBlocks[0].node_attn.signed_message_passing = Strange()
    refused("unknown-module", r"^ResBlocks\.0\.node_attn\.signed_message_passing", model, data, tmp_path)


def test_checkpointing_is_refused(tmp_path):
    model, data = build("layer-elu")
    model.checkpoint = True
    refused("checkpointing", "gradient checkpointing", model, data, tmp_path)


def test_batch_statistics_are_refused(tmp_path):
    model, data = build("groupbatch-tanh-unshared")
    model.ResBlocks[1].norm.track_running_stats = False
    refused(
        "batch-statistics",
        r"^ResBlocks\.1\.norm: normalises by the statistics of the batch",
        model,
        data,
        tmp_path,
    )


def test_node_activity_is_refused(tmp_path):
    model, data = build("layer-elu")
    model.node_activity_model = nn.Linear(1, 1)
    refused("node-activity", "second input x_fn", model, data, tmp_path)


def test_one_block_is_refused(tmp_path):
    model, data = build("layer-elu", layers=1)
    refused("layers", "the model has 1, but at least 2 are needed", model, data, tmp_path)


def test_other_models_are_refused(tmp_path):
    refused("not-a-gsnn", "Linear has no ResBlocks", nn.Linear(2, 2), graph_data(), tmp_path)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    model, data = build("layer-elu")
    model.ResBlocks[0].lin_out.values.data[3] = float("nan")
    refused(
        "non-finite",
        r"^ResBlocks\.0\.lin_out\.values: holds 1 NaN or infinite values of",
        model,
        data,
        tmp_path,
    )


def test_a_hidden_computation_is_found_out(tmp_path):
    """A model whose forward does more than its attributes show must not be exported as if it did not."""
    model, data = build("layer-elu")
    model.ResBlocks[1].register_forward_hook(lambda _m, _i, out: 1.01 * out)
    refused("differs", "does not reproduce the original: .*ResBlocks.2|yhat", model, data, tmp_path)


def test_a_detached_gradient_is_found_out(tmp_path):
    """The same outputs with other gradients must be refused too."""
    model, data = build("rms-silu")

    class Detached(type(model.ResBlocks[0].norm)):
        def forward(self, x):
            return super().forward(x.detach()) + 0 * x

    Detached.__name__ = "GroupRMSNorm"
    model.ResBlocks[1].norm.__class__ = Detached
    refused("differs", "gradient of the", model, data, tmp_path)


def test_a_function_node_without_channels_is_refused(tmp_path):
    data = graph_data()
    torch.manual_seed(0)
    model = GSNN(
        data.edge_index_dict, data.node_names_dict, channels=[2, 2, 0, 2, 2, 2, 2], layers=2, norm="none"
    )
    refused("channels", "function node 'gene_2' has no channels", model.eval(), data, tmp_path)


def test_data_that_disagrees_with_the_model_is_refused(tmp_path):
    model, data = build("layer-elu")
    fewer = GraphData(
        {**data.node_names_dict, "input": ["in_0", "in_1", "in_2"]},
        {**data.edge_index_dict, ("input", "to", "function"): torch.tensor([[0], [0]])},
    )
    refused("graph", "the data has 3 input nodes, the model 4", model, fewer, tmp_path)
    other = GraphData(
        data.node_names_dict,
        {**data.edge_index_dict, ("function", "to", "function"): torch.tensor([[0], [1]])},
    )
    refused(
        "graph",
        r"function -> function edges of the data \(1\) and of the model \(12\) differ",
        model,
        other,
        tmp_path,
    )
    refused("data", "has no node_names_dict", model, object(), tmp_path)
    outside = GraphData(
        data.node_names_dict, {**data.edge_index_dict, ("function", "to", "output"): torch.tensor([[9], [0]])}
    )
    refused("data", "name function node 9; there are 7", model, outside, tmp_path)


def test_a_failing_export_leaves_the_older_file_alone(tmp_path):
    model, data = build("layer-elu")
    path = tmp_path / "m.onnx"
    path.write_bytes(b"older")
    model.checkpoint = True
    with pytest.raises(ExportError):
        export_gsnn(model, data, path)
    assert path.read_bytes() == b"older"
