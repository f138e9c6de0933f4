"""A stand-in for the published package: a GSNN computed by torch_geometric, as users have it.

It has the attributes and parameters of the reference module but computes differently: message passing over
cached index tensors that grow with the batch, group statistics by torch_geometric's ``scatter``, float32
tensors created inside, blocks that take more arguments and store what they computed. torch.onnx.export
cannot export any of that directly.
"""

import torch
from torch import nn
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import scatter

from reference import GSNN


def batched(indices, size, batch):
    """The indices of ``batch`` disjoint copies of a bipartite graph."""
    offsets = torch.arange(batch).repeat_interleave(indices.shape[1])
    return indices.repeat(1, batch) + torch.stack([offsets * size[0], offsets * size[1]])


class WeightedSum(MessagePassing):
    def __init__(self):
        super().__init__(aggr="add")

    def forward(self, x, edge_index, weight, size):
        return self.propagate(edge_index, x=x, weight=weight, size=size)

    def message(self, x_j, weight):
        return x_j * weight.reshape(-1, 1)


class SparseLinear(nn.Module):
    def __init__(self, reference):
        super().__init__()
        self.N, self.M, self.conv = reference.N, reference.M, WeightedSum()
        self.values = reference.values
        self.register_buffer("indices", reference.indices)
        if hasattr(reference, "bias"):
            self.bias = reference.bias

    def forward(self, x, batched_indices):
        batch = x.shape[0]
        weight = self.values.expand(batch, -1).reshape(-1)
        y = self.conv(x.reshape(-1, 1), batched_indices, weight, (self.N * batch, self.M * batch))
        y = y.reshape(batch, self.M, 1)
        return y + self.bias if hasattr(self, "bias") else y


class GroupLayerNorm(nn.Module):
    def __init__(self, reference):
        super().__init__()
        self.register_buffer("channel_groups", reference.channel_groups)
        self.register_buffer("n_channels", reference.n_channels)
        self.eps, self.gamma, self.beta = reference.eps, reference.gamma, reference.beta

    def forward(self, x):
        x, groups = x.squeeze(-1), self.channel_groups
        mean = scatter(x, groups, dim=1, reduce="mean")
        total = scatter((x - mean[:, groups]) ** 2, groups, dim=1, reduce="sum")
        deviation = (total / (self.n_channels - 1)).sqrt().detach()
        x = (x - mean.detach()[:, groups]) / (deviation[:, groups] + self.eps)
        return (x * self.gamma[groups] + self.beta[groups]).unsqueeze(-1)


class GroupRMSNorm(nn.Module):
    def __init__(self, reference):
        super().__init__()
        self.register_buffer("channel_groups", reference.channel_groups)
        self.eps, self.gamma = reference.eps, reference.gamma

    def forward(self, x):
        x, groups = x.squeeze(-1), self.channel_groups
        rms = (scatter(x**2, groups, dim=1, reduce="mean") + self.eps).sqrt()
        return (x / rms[:, groups] * self.gamma[groups]).unsqueeze(-1)


class SoftmaxGroupNorm(nn.Module):
    def __init__(self, reference):
        super().__init__()
        self.register_buffer("channel_groups", reference.channel_groups)
        self.eps = reference.eps

    def forward(self, x):
        x, groups = x.squeeze(-1), self.channel_groups
        e = (x - scatter(x, groups, dim=1, reduce="max")[:, groups]).exp()
        return (e / (scatter(e, groups, dim=1, reduce="sum")[:, groups] + self.eps)).unsqueeze(-1)


NORMS = {"GroupLayerNorm": GroupLayerNorm, "GroupRMSNorm": GroupRMSNorm, "SoftmaxGroupNorm": SoftmaxGroupNorm}


class ResBlock(nn.Module):
    def __init__(self, reference, lin_in, lin_out):
        super().__init__()
        self.lin_in, self.lin_out = lin_in, lin_out
        own = NORMS.get(type(reference.norm).__name__)
        self.norm = own(reference.norm) if own else reference.norm
        if hasattr(reference, "_edge_norm"):
            self._edge_norm = reference._edge_norm
        for name in ("nonlin", "mlp", "node_attn", "residual_weight"):
            setattr(self, name, getattr(reference, name))
        self.register_buffer("channel_groups", reference.channel_groups)
        self.norm_first, self.residual, self.node_mask = reference.norm_first, reference.residual, None
        self.n_nodes, self.channels_per_node = reference.n_nodes, reference.channels_per_node
        self._store_activations = False

    def forward(self, x, batch_params, node_err=None, fn_activity=None):
        out = self._edge_norm(x) if hasattr(self, "_edge_norm") else x
        out = self.lin_in(out, batch_params[0])
        self._last_pre_norm_activation = out  # a tensor with history: such a module cannot be deep-copied
        out = self.nonlin(self.norm(out)) if self.norm_first else self.norm(self.nonlin(out))
        if self.mlp is not None:
            nodes = out.squeeze(-1).view(-1, self.n_nodes, self.channels_per_node)
            out = self.mlp(nodes).view(-1, self.n_nodes * self.channels_per_node)
        if self.node_attn is not None:
            out = self.node_attn(out)
        out = self.lin_out(out, batch_params[1])
        return out.squeeze(-1) + self.residual_weight.relu() * x if self.residual else out.squeeze(-1)


class PygGSNN(nn.Module):
    """Computes what ``reference`` computes, with its parameters."""

    def __init__(self, reference: GSNN):
        super().__init__()
        for name in (
            "homo_names",
            "layers",
            "norm",
            "residual",
            "checkpoint",
            "add_function_self_edges",
            "scale",
            "num_nodes",
            "edge_channels",
        ):
            setattr(self, name, getattr(reference, name))
        for name in ("input_node_mask", "output_node_mask", "edge_index"):
            self.register_buffer(name, getattr(reference, name))
        made = {}

        def sparse(layer):
            return made.setdefault(id(layer), SparseLinear(layer))

        self.ResBlocks = nn.ModuleList(
            ResBlock(b, sparse(b.lin_in), sparse(b.lin_out)) for b in reference.ResBlocks
        )
        self.node_activity_model = None
        self._B = self._batch_params = None

    def get_batch_params(self, batch):
        if batch != self._B:
            first = self.ResBlocks[0]
            self._B = batch
            self._batch_params = tuple(
                batched(s.indices, (s.N, s.M), batch) for s in (first.lin_in, first.lin_out)
            )
        return self._batch_params

    def forward(self, x, node_mask=None, edge_mask=None, ret_edge_out=False):
        batch = x.shape[0]
        nodes = torch.zeros((batch, self.num_nodes), dtype=torch.float32)
        inputs = self.input_node_mask.nonzero(as_tuple=True)[0].unsqueeze(0).expand(batch, -1)
        x = nodes.scatter_add(1, inputs, x)[:, self.edge_index[0]]
        x = x if edge_mask is None else x * edge_mask
        for block in self.ResBlocks:
            x = block(x, self.get_batch_params(batch))
            x = x if edge_mask is None else x * edge_mask
        x = x / self.scale if self.residual else x
        target = self.edge_index[1]
        into = torch.isin(target, self.output_node_mask.nonzero(as_tuple=True)[0])
        out = torch.zeros(batch, self.num_nodes, dtype=torch.float32)
        out = out.scatter_add(1, target[into].expand(batch, -1), x[:, into])
        degree = torch.bincount(target, minlength=self.num_nodes).clamp_min(1)
        return (out / degree.sqrt())[:, self.output_node_mask]
