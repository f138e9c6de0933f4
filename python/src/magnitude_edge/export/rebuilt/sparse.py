"""Sparse products and group sums as gathers and sums: no scatter, and indices independent of the batch.

A sparse layer with a fixed pattern is, for every output, a short weighted sum of inputs. Outputs are sorted
into buckets of similar in-degree; each bucket is one gather, one product and one sum, and padding costs at
most a factor of two. Nothing depends on the batch size, results are deterministic, and every operation has a
plain ONNX form.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


class WeightedGather(nn.Module):
    """``y[b, t] = sum over entries (s, t) of values[entry] x[b, s] + bias[t]``.

    Args:
        indices: integer ``[2, entries]``, (source, target).
        values: ``[entries]``.
        shape: numbers of sources and of targets; targets without entries get the bias.
        bias: ``[outputs]`` or ``None``.
    """

    order: torch.Tensor | None
    bias: torch.Tensor | None

    def __init__(self, indices: np.ndarray, values: np.ndarray, shape: tuple[int, int], bias: np.ndarray | None = None):
        super().__init__()
        table = GatherTable(indices, values, shape[1])
        self.buckets = len(table.buckets)
        for k, (index, weight) in enumerate(table.buckets):
            self.register_buffer(f"index{k}", torch.from_numpy(index.reshape(-1)))
            self.register_buffer(f"weight{k}", torch.from_numpy(weight))
        self.register_buffer("order", None if table.order is None else torch.from_numpy(table.order))
        self.register_buffer("bias", None if bias is None else torch.as_tensor(bias).reshape(-1))

    def forward(
        self, x: torch.Tensor, onto: torch.Tensor | None = None, times: torch.Tensor | float = 1.0
    ) -> torch.Tensor:
        """``[batch, inputs]`` to ``[batch, outputs]``, plus ``times * onto``, with ``onto`` of the output's shape."""
        parts = []
        for k in range(self.buckets):
            weight = getattr(self, f"weight{k}")
            gathered = x.index_select(1, getattr(self, f"index{k}"))
            if weight.shape[1] == 1:
                parts.append(gathered * weight.reshape(-1))
            else:
                parts.append((gathered.reshape(-1, *weight.shape) * weight).sum(-1))
        y = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
        if self.order is not None:
            y = y.index_select(1, self.order)
        y = y if self.bias is None else y + self.bias
        return y if onto is None else y + times * onto


class GatherTable:
    """Entries laid out per target, targets bucketed by in-degree (buckets end at powers of two).

    Attributes:
        buckets: per bucket ``(index int64 [targets, width], weight [targets, width])``. Padding repeats the
            first source of the target with weight zero.
        order: int64 ``[outputs]``, position of each target in the concatenated buckets; ``None`` if they are in
            order already.
    """

    def __init__(self, indices: np.ndarray, values: np.ndarray, outputs: int):
        source, target = np.asarray(indices, dtype=np.int64)
        by_target = np.argsort(target, kind="stable")
        source, target, values = source[by_target], target[by_target], np.asarray(values)[by_target]
        degree = np.bincount(target, minlength=outputs)
        first = np.cumsum(degree) - degree
        bucket_of = np.ceil(np.log2(np.maximum(degree, 1))).astype(int)
        self.buckets, members = [], []
        for bucket in np.unique(bucket_of):
            rows = np.flatnonzero(bucket_of == bucket)
            width = max(int(degree[rows].max()), 1)
            slot = np.arange(width)
            used = slot < degree[rows, None]
            entry = np.where(used, first[rows, None] + slot, first[rows, None]).clip(max=max(source.size - 1, 0))
            if source.size:
                index, weight = source[entry], np.where(used, values[entry], 0)
            else:
                index, weight = np.zeros((rows.size, width), np.int64), np.zeros((rows.size, width))
            self.buckets.append((index, weight.astype(np.asarray(values).dtype)))
            members.append(rows)
        place = np.argsort(np.concatenate(members))
        self.order = None if np.array_equal(place, np.arange(outputs)) else place


class Groups(nn.Module):
    """Sums and maxima over the channels of each function node.

    When every node has the same number of consecutive channels, values take the shape ``[batch, nodes,
    channels]`` between :meth:`split` and :meth:`join` and reductions are plain ones over the last axis;
    ragged nodes stay ``[batch, channels]`` and each reduction is a gather, returned per channel.
    Reductions broadcast against split values in both cases.

    Attributes:
        sizes: channels per node if they are uniform, else 0.
    """

    of_channel: torch.Tensor
    padded: torch.Tensor
    size_of_channel: torch.Tensor
    add: WeightedGather

    def __init__(self, channel_groups: np.ndarray):
        super().__init__()
        groups = np.asarray(channel_groups, dtype=np.int64)
        self.channels = groups.size
        self.nodes = int(groups.max()) + 1
        sizes = np.bincount(groups, minlength=self.nodes)
        per_node = groups.size // self.nodes
        self.uniform = bool(np.array_equal(groups, np.repeat(np.arange(self.nodes), per_node)))
        self.register_buffer("of_channel", torch.from_numpy(groups))
        self.sizes = per_node if self.uniform else 0
        if not self.uniform:
            members = np.stack([np.arange(groups.size), groups])
            self.add = WeightedGather(members, np.ones(groups.size, np.float32), (groups.size, self.nodes))
            padded = [np.resize(np.flatnonzero(groups == node), sizes.max()) for node in range(self.nodes)]
            self.register_buffer("padded", torch.from_numpy(np.concatenate(padded)))
            self.register_buffer("size_of_channel", torch.from_numpy(sizes[groups].astype(np.float32)))

    def split(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(-1, self.nodes, self.sizes) if self.uniform else x

    def join(self, h: torch.Tensor) -> torch.Tensor:
        return h.reshape(-1, self.channels) if self.uniform else h

    def size(self) -> torch.Tensor | float:
        return float(self.sizes) if self.uniform else self.size_of_channel

    def sum(self, h: torch.Tensor) -> torch.Tensor:
        if self.uniform:
            return h.sum(-1, keepdim=True)
        by_node: torch.Tensor = self.add(h)
        return by_node.index_select(1, self.of_channel)

    def max(self, h: torch.Tensor) -> torch.Tensor:
        if self.uniform:
            return h.amax(-1, keepdim=True)
        padded = h.index_select(1, self.padded).reshape(-1, self.nodes, self.padded.numel() // self.nodes)
        return padded.amax(-1).index_select(1, self.of_channel)
