"""Normalisation layers over channel groups: one group per function node.

All take ``[batch, channels]`` or ``[batch, channels, 1]`` and return ``[batch, channels, 1]``. Buffers and
parameters carry the names that the published package uses, so that one exporter reads both.
"""

from __future__ import annotations

import torch
from torch import nn


def group_sum(x: torch.Tensor, groups: torch.Tensor, count: int) -> torch.Tensor:
    """Sums ``x [batch, channels]`` within groups: ``[batch, count]``."""
    return x.new_zeros(x.shape[0], count).index_add(1, groups, x)


class GroupNormBase(nn.Module):
    """Holds the channel -> group map and the optional affine parameters, one pair per group."""

    def __init__(self, channel_groups, eps: float, affine: bool = True, bias: bool = True):
        super().__init__()
        groups = torch.as_tensor(channel_groups, dtype=torch.long)
        self.register_buffer("channel_groups", groups)
        self.register_buffer("n_channels", torch.bincount(groups))
        self.eps = eps
        self.gamma = nn.Parameter(torch.ones(self.groups)) if affine else None
        self.beta = nn.Parameter(torch.zeros(self.groups)) if affine and bias else None

    @property
    def groups(self) -> int:
        return self.n_channels.numel()

    def scale_and_shift(self, x: torch.Tensor) -> torch.Tensor:
        if self.gamma is not None:
            x = x * self.gamma[self.channel_groups]
        if self.beta is not None:
            x = x + self.beta[self.channel_groups]
        return x.unsqueeze(-1)


class GroupLayerNorm(GroupNormBase):
    """Layer norm within each group. The mean and the standard deviation (divided by n - 1) are *detached*:
    gradients treat them as constants. That is part of the model's definition and of its gradients."""

    def __init__(self, channel_groups, eps: float = 1e-2, affine: bool = True):
        super().__init__(channel_groups, eps, affine)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.reshape(x.shape[0], -1)
        mean = (group_sum(x, self.channel_groups, self.groups) / self.n_channels).detach()
        centred = x - mean[:, self.channel_groups]
        variance = group_sum(centred**2, self.channel_groups, self.groups) / (self.n_channels - 1)
        deviation = variance.sqrt().detach()
        return self.scale_and_shift(centred / (deviation[:, self.channel_groups] + self.eps))


class GroupRMSNorm(GroupNormBase):
    """``x / sqrt(mean(x^2) + eps)`` within each group; gradients flow through the statistic."""

    def __init__(self, channel_groups, eps: float = 1e-6, affine: bool = True):
        super().__init__(channel_groups, eps, affine, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.reshape(x.shape[0], -1)
        mean_square = group_sum(x**2, self.channel_groups, self.groups) / self.n_channels
        return self.scale_and_shift(x / (mean_square + self.eps).sqrt()[:, self.channel_groups])


class SoftmaxGroupNorm(GroupNormBase):
    """Softmax within each group, stabilised by the group's maximum."""

    def __init__(self, channel_groups, eps: float = 1e-8):
        super().__init__(channel_groups, eps, affine=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.reshape(x.shape[0], -1)
        index = self.channel_groups.expand(x.shape[0], -1)
        largest = x.new_full((x.shape[0], self.groups), -torch.inf).scatter_reduce(1, index, x, "amax")
        e = (x - largest[:, self.channel_groups]).exp()
        total = group_sum(e, self.channel_groups, self.groups) + self.eps
        return self.scale_and_shift(e / total[:, self.channel_groups])


class RunningGroupNorm(GroupNormBase):
    """Normalises by running statistics, one mean and variance per group.

    ``GroupBatchNorm`` uses the batch's own statistics while training, ``GroupEMANorm`` the running ones
    always; in evaluation mode they are the same function.
    """

    uses_batch_statistics = True

    def __init__(
        self,
        channel_groups,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ):
        super().__init__(channel_groups, eps, affine)
        self.momentum = momentum
        self.track_running_stats = track_running_stats
        self.register_buffer("running_mean", torch.zeros(self.groups))
        self.register_buffer("running_var", torch.ones(self.groups))

    def batch_statistics(self, x: torch.Tensor):
        samples = x.shape[0] * self.n_channels
        mean = group_sum(x, self.channel_groups, self.groups).sum(0) / samples
        squares = (x - mean[self.channel_groups]) ** 2
        return mean, group_sum(squares, self.channel_groups, self.groups).sum(0) / samples

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.reshape(x.shape[0], -1)
        mean, variance = self.running_mean, self.running_var
        if self.training or not self.track_running_stats:
            batch_mean, batch_variance = self.batch_statistics(x)
            if self.track_running_stats:
                self.running_mean = torch.lerp(self.running_mean, batch_mean.detach(), self.momentum)
                self.running_var = torch.lerp(self.running_var, batch_variance.detach(), self.momentum)
            if self.uses_batch_statistics or not self.track_running_stats:
                mean, variance = batch_mean, batch_variance
            else:
                mean, variance = self.running_mean, self.running_var
        normed = (x - mean[self.channel_groups]) / (variance[self.channel_groups] + self.eps).sqrt()
        return self.scale_and_shift(normed)


class GroupBatchNorm(RunningGroupNorm):
    """Batch norm with one statistic per group, over the batch and the group's channels."""


class GroupEMANorm(RunningGroupNorm):
    """Normalises each group by exponential moving averages, in training too."""

    uses_batch_statistics = False


class ChannelEMANorm(RunningGroupNorm):
    """Normalises every channel by its own exponential moving averages, in training too."""

    uses_batch_statistics = False

    def __init__(
        self,
        num_channels: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ):
        super().__init__(range(num_channels), eps, momentum, affine, track_running_stats)
        self.num_channels = num_channels


NORMS = (
    "layer",
    "batch",
    "batch++",
    "edgebatch",
    "groupbatch",
    "softmax",
    "rms",
    "ema",
    "channelema",
    "none",
)


def make_norms(
    kind: str, channel_groups, edges: int, affine: bool = True
) -> tuple[nn.Module, nn.Module | None]:
    """The norm over channels, and the norm over edge features for the kinds that have one."""
    channels = len(channel_groups)
    if kind not in NORMS:
        raise ValueError(f"norm is one of {', '.join(NORMS)}; got {kind!r}")
    over_channels = {
        "layer": lambda: GroupLayerNorm(channel_groups, affine=affine),
        "batch": lambda: nn.BatchNorm1d(channels, eps=1e-3, affine=affine),
        "batch++": lambda: nn.BatchNorm1d(channels, eps=1e-3, affine=affine),
        "groupbatch": lambda: GroupBatchNorm(channel_groups, affine=affine),
        "softmax": lambda: SoftmaxGroupNorm(channel_groups),
        "rms": lambda: GroupRMSNorm(channel_groups, affine=affine),
        "ema": lambda: GroupEMANorm(channel_groups, affine=affine),
        "channelema": lambda: ChannelEMANorm(channels, affine=affine),
    }
    over_edges = {
        "batch++": lambda: nn.BatchNorm1d(edges, eps=1e-3, affine=affine),
        "edgebatch": lambda: nn.BatchNorm1d(edges, eps=1e-3, affine=affine),
        "channelema": lambda: ChannelEMANorm(edges, affine=affine),
    }
    return over_channels.get(kind, nn.Identity)(), over_edges[kind]() if kind in over_edges else None
