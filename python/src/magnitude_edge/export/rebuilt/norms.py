"""Evaluation-mode forms of the normalisation layers, distinguished by class name and read by attribute.

Formulas: those of the published package's layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import ExportError
from .opaque import Opaque
from .read import array, array_or_none, class_name
from .sparse import Groups
from .taps import Taps


class NoNorm(nn.Module):
    def forward(self, x: torch.Tensor, taps: Taps) -> torch.Tensor:
        return x


class Running(nn.Module):
    """``(x - mean) * scale + shift`` with constants per channel: every norm with running statistics."""

    mean: torch.Tensor
    scale: torch.Tensor
    shift: torch.Tensor | None

    def __init__(
        self, mean: np.ndarray, variance: np.ndarray, eps: float, gamma: np.ndarray | None, beta: np.ndarray | None
    ):
        super().__init__()
        scale = 1 / np.sqrt(variance.astype(np.float64) + eps)
        if gamma is not None:
            scale = scale * gamma
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float64))
        self.register_buffer("scale", torch.as_tensor(scale, dtype=torch.float64))
        self.register_buffer("shift", None if beta is None else torch.as_tensor(beta, dtype=torch.float64))

    def forward(self, x: torch.Tensor, taps: Taps) -> torch.Tensor:
        centred = x - self.mean
        return centred * self.scale if self.shift is None else torch.addcmul(self.shift, centred, self.scale)


class Grouped(nn.Module):
    """Norms whose statistics come from the sample itself, one per function node."""

    gamma: torch.Tensor | None
    beta: torch.Tensor | None

    def __init__(self, groups: Groups, eps: float, gamma: np.ndarray | None, beta: np.ndarray | None):
        super().__init__()
        self.groups, self.eps = groups, eps
        self.register_buffer("gamma", None if gamma is None else torch.as_tensor(gamma))
        self.register_buffer("beta", None if beta is None else torch.as_tensor(beta))

    def normalise(self, h: torch.Tensor, taps: Taps) -> torch.Tensor:
        raise NotImplementedError

    def forward(self, x: torch.Tensor, taps: Taps) -> torch.Tensor:
        y = self.groups.join(self.normalise(self.groups.split(x), taps))
        y = y if self.gamma is None else y * self.gamma
        return y if self.beta is None else y + self.beta


class LayerNorm(Grouped):
    """Mean and standard deviation (over n - 1) are constants to the gradient, as in the original."""

    def normalise(self, h: torch.Tensor, taps: Taps) -> torch.Tensor:
        size = self.groups.size()
        centred = h - taps.constant(self.groups.sum(h) / size)
        deviation = taps.constant((self.groups.sum(centred * centred) / (size - 1)).sqrt() + self.eps)
        return centred / deviation


class RMSNorm(Grouped):
    def normalise(self, h: torch.Tensor, taps: Taps) -> torch.Tensor:
        return h / (self.groups.sum(h * h) / self.groups.size() + self.eps).sqrt()


class Softmax(Grouped):
    """The maximum only stabilises the exponential: its gradient is below eps = 1e-8 of the whole, and is cut."""

    def normalise(self, h: torch.Tensor, taps: Taps) -> torch.Tensor:
        e = (h - taps.constant(self.groups.max(h))).exp()
        return e / (self.groups.sum(e) + self.eps)


GROUPED = {"GroupLayerNorm": LayerNorm, "GroupRMSNorm": RMSNorm, "SoftmaxGroupNorm": Softmax}
RUNNING = ("BatchNorm1d", "SyncBatchNorm", "GroupBatchNorm", "GroupEMANorm", "ChannelEMANorm")


def rebuilt_norm(module: Any, path: str, groups: Groups | None = None, allow_unknown: bool = False) -> nn.Module:
    """The evaluation-mode form of ``module``.

    Args:
        path: dotted path of the module, for errors.
        groups: the channel groups; ``None`` for norms over edge features.
        allow_unknown: copy a norm of unknown kind unchanged.
    """
    kind = class_name(module)
    if kind in ("NoneType", "Identity"):
        return NoNorm()
    if kind in RUNNING:
        return rebuilt_running(module, path)
    if kind in GROUPED and groups is not None:
        of_channel = groups.of_channel.numpy()
        gamma, beta = (array_or_none(getattr(module, name, None)) for name in ("gamma", "beta"))
        return GROUPED[kind](groups, float(module.eps), *(v if v is None else v[of_channel] for v in (gamma, beta)))
    if allow_unknown:
        return Opaque(module, path, trailing=groups is not None)
    raise ExportError(
        "unknown-module",
        f"{kind} is not a normalisation layer that the exporter knows; it knows "
        f"{', '.join([*GROUPED, *RUNNING, 'Identity'])}",
        path,
    )


def rebuilt_running(module: Any, path: str) -> Running:
    """Reads running statistics, per channel or per group (then spread over the channels)."""
    mean, variance = (array_or_none(getattr(module, name, None)) for name in ("running_mean", "running_var"))
    if mean is None or variance is None or not getattr(module, "track_running_stats", True):
        raise ExportError(
            "batch-statistics",
            "normalises by the statistics of the batch even in evaluation mode "
            "(track_running_stats=False), so that a sample's output depends on its batch",
            path,
        )
    gamma, beta = (
        array_or_none(getattr(module, ours, getattr(module, theirs, None)))
        for ours, theirs in (("gamma", "weight"), ("beta", "bias"))
    )
    if hasattr(module, "channel_groups"):
        of_channel = array(module.channel_groups)
        mean, variance = mean[of_channel], variance[of_channel]
        gamma, beta = (v if v is None else v[of_channel] for v in (gamma, beta))
    return Running(mean, variance, float(module.eps), gamma, beta)
