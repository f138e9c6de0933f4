"""The reference GSNN against its definition, written out densely."""

import pytest
import torch
from torch import nn

from reference import GSNN
from reference.norms import NORMS, make_norms
from reference.sparse import INITS, SparseLinear, channel_patterns, initial_values
from variants import VARIANTS, build, graph_data, sample

GROUPS = [0, 0, 0, 1, 1, 2, 2, 2, 2]


def dense(layer: SparseLinear) -> torch.Tensor:
    weight = torch.zeros(layer.N, layer.M)
    weight[layer.indices[0], layer.indices[1]] = layer.values.detach()
    return weight


def test_sparse_layer_is_a_matrix_product():
    torch.manual_seed(0)
    indices = torch.tensor([[0, 1, 1, 3, 2], [0, 0, 2, 2, 3]])
    layer = SparseLinear(indices, (4, 5))
    nn.init.normal_(layer.bias)
    x = torch.randn(6, 4)
    expected = x @ dense(layer) + layer.bias.reshape(-1)
    torch.testing.assert_close(layer(x.unsqueeze(-1)).squeeze(-1), expected)


def test_channel_patterns_join_each_edge_to_its_nodes_channels():
    edge_index = torch.tensor([[0, 2, 1], [1, 0, 3]])  # nodes 0 and 1 are functions
    into, out, groups = channel_patterns(edge_index, torch.tensor([2, 3, 0, 0]))
    assert groups.tolist() == [0, 0, 1, 1, 1]
    assert into.T.tolist() == [[0, 2], [0, 3], [0, 4], [1, 0], [1, 1]]
    assert sorted(out.T.tolist()) == [[0, 0], [1, 0], [2, 2], [3, 2], [4, 2]]


@pytest.mark.parametrize("init", INITS)
def test_initial_weights_are_finite_and_scaled(init):
    indices = torch.cartesian_prod(torch.arange(30), torch.arange(30)).T
    values = initial_values(indices, 30, 30, init)
    assert torch.isfinite(values).all()
    expected = {
        "degree_normalized": 1 / 30 / 3**0.5,
        "xavier_uniform": 1 / 30**0.5,
        "xavier_normal": 1 / 30**0.5,
        "kaiming_uniform": 1 / 30**0.5,
        "kaiming_normal": 1 / 30**0.5,
        "uniform": 1 / 3**0.5,
        "normal": 1.0,
        "zeros": 0.0,
    }[init]
    assert float(values.std()) == pytest.approx(expected, rel=0.1)


def test_unknown_init_and_norm_are_named():
    with pytest.raises(ValueError, match=r"init is one of .* got 'glorious'"):
        initial_values(torch.zeros(2, 1, dtype=torch.long), 1, 1, "glorious")
    with pytest.raises(ValueError, match=r"norm is one of .* got 'instance'"):
        make_norms("instance", GROUPS, 4)


def by_group(x, function):
    """Applies a function to the channels of each group separately."""
    groups = torch.tensor(GROUPS)
    out = torch.empty_like(x)
    for group in groups.unique():
        out[:, groups == group] = function(x[:, groups == group])
    return out


@pytest.mark.parametrize(
    ("kind", "definition"),
    [
        ("layer", lambda v: (v - v.mean(1, keepdim=True)) / (v.std(1, keepdim=True) + 1e-2)),
        ("rms", lambda v: v / (v.pow(2).mean(1, keepdim=True) + 1e-6).sqrt()),
        ("softmax", lambda v: v.softmax(1)),
    ],
)
def test_group_norms_follow_their_definition(kind, definition):
    torch.manual_seed(0)
    norm, _ = make_norms(kind, GROUPS, 4)
    x = torch.randn(5, len(GROUPS))
    torch.testing.assert_close(norm(x).squeeze(-1), by_group(x, definition), rtol=1e-5, atol=1e-6)


def test_layer_norm_takes_its_statistics_as_constants():
    torch.manual_seed(0)
    norm, _ = make_norms("layer", GROUPS, 4)
    x = torch.randn(3, len(GROUPS), requires_grad=True)
    cotangent = torch.randn(3, len(GROUPS), 1)
    (gradient,) = torch.autograd.grad(norm(x), x, cotangent)
    deviation = by_group(x.detach(), lambda v: v.std(1, keepdim=True).expand_as(v)) + norm.eps
    torch.testing.assert_close(gradient, cotangent.squeeze(-1) / deviation)


@pytest.mark.parametrize(
    "kind", [k for k in NORMS if k not in ("layer", "rms", "softmax", "none", "edgebatch")]
)
def test_running_norms_learn_their_statistics_and_then_stand_still(kind):
    torch.manual_seed(0)
    norm, _ = make_norms(kind, GROUPS, 4)
    x = 2 + 3 * torch.randn(400, len(GROUPS))
    for _ in range(80):
        norm(x.unsqueeze(-1))
    norm.eval()
    y = norm(x.unsqueeze(-1)).detach()
    assert float(y.mean()) == pytest.approx(0, abs=0.05)
    assert float(y.std()) == pytest.approx(1, abs=0.05)
    torch.testing.assert_close(norm(x[:1].unsqueeze(-1)).detach(), y[:1])


def test_output_is_the_sum_of_its_edges_by_the_root_of_their_number():
    data = graph_data()
    torch.manual_seed(0)
    model = GSNN(data.edge_index_dict, data.node_names_dict, channels=2, layers=2).eval()
    x, _ = sample(data, 4)
    seen = []
    model.ResBlocks[1].register_forward_hook(lambda *args: seen.append(args[2]))
    yhat = model(x)
    into = (
        model.edge_index[1] == len(data.node_names_dict["function"]) + len(data.node_names_dict["input"]) + 2
    )
    assert int(into.sum()) == 3
    torch.testing.assert_close(yhat[:, 2], seen[0][:, into].sum(1) / 3**0.5 / 2**0.5)


def test_edge_mask_of_zero_is_the_graph_without_the_edge():
    model, data = build("none-elu-no-bias-no-residual")
    x, _ = sample(data, 3)
    mask = torch.ones(model.E)
    into_gene_2 = model.edge_index[1] == 2
    mask[into_gene_2] = 0
    seen = []
    model.ResBlocks[1].lin_in.register_forward_hook(lambda *args: seen.append(args[2].squeeze(-1)))
    model(x, edge_mask=mask)
    assert float(seen[-1][:, model.ResBlocks[0].channel_groups == 2].detach().abs().max()) == 0


def test_pruning_drops_small_weights_in_every_layer():
    model, data = build("groupbatch-tanh-unshared")
    before = [block.lin_in.values.numel() for block in model.ResBlocks]
    removed = model.prune(0.2)
    after = [block.lin_in.values.numel() for block in model.ResBlocks]
    assert removed > 0
    assert all(a < b for a, b in zip(after, before, strict=True))
    assert torch.isfinite(model(sample(data, 2)[0])).all()


@pytest.mark.parametrize("name", VARIANTS)
def test_a_step_down_the_gradient_lowers_the_loss_of_every_variant(name):
    model, data = build(name)
    x, y = sample(data, 16)
    model, x, y = model.double(), x.double(), y.double()
    parameters = list(model.parameters())
    loss = nn.functional.mse_loss(model(x), y)
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                parameter -= 1e-2 * gradient
    assert nn.functional.mse_loss(model(x), y).item() < loss.item()


def test_checkpointing_changes_memory_and_not_the_result():
    data = graph_data()
    x, y = sample(data, 5)
    gradients = []
    for checkpoint in (False, True):
        torch.manual_seed(0)
        model = GSNN(data.edge_index_dict, data.node_names_dict, channels=2, layers=3, checkpoint=checkpoint)
        nn.functional.mse_loss(model(x), y).backward()
        gradients.append(model.ResBlocks[0].lin_in.values.grad)
    torch.testing.assert_close(*gradients)


def test_ragged_nodes_refuse_a_shared_mlp():
    data = graph_data()
    with pytest.raises(ValueError, match="same number of channels"):
        GSNN(
            data.edge_index_dict,
            data.node_names_dict,
            channels=[1, 2, 3, 4, 5, 6, 7],
            layers=2,
            node_mlp=True,
        )
