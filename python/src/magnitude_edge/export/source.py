"""Reads a model for export or for running in rebuilt form, refuses unfit ones, and checks the rebuild."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .check import check_rebuilt
from .errors import ExportError
from .graph import GsnnGraph, GsnnModule, homogeneous_kinds
from .rebuilt import RebuiltGsnn
from .rebuilt.model import SparseLayer
from .rebuilt.sparse import WeightedGather

#: Parameter types that can be exported: others have no faithful float32 form, or none that can be checked.
DTYPES = (torch.float32, torch.float64)


@dataclass(frozen=True)
class Source:
    """A model fit for export: its graph, the function node of every channel, and its checked rebuild."""

    graph: GsnnGraph
    groups: list[int]
    rebuilt: RebuiltGsnn
    edges: int

    @property
    def layers(self) -> int:
        return len(self.rebuilt.blocks)

    @property
    def outputs(self) -> int:
        return len(self.graph.names["output"])

    @property
    def sizes(self) -> dict[str, int]:
        """Columns of the file's inputs and of its output."""
        return {"x": len(self.graph.names["input"]), "yhat": self.outputs, "edge_mask": self.edges}

    def example(self, batch: int) -> dict[str, torch.Tensor]:
        """Random inputs of the file, by name."""
        generator = torch.Generator().manual_seed(batch)
        feed = {"x": torch.randn(batch, len(self.graph.names["input"]), generator=generator)}
        if self.rebuilt.edge_mask:
            feed["edge_mask"] = (torch.rand(self.edges, generator=generator) > 0.3).float()
        return feed


@torch.inference_mode(False)
def prepare(
    model: GsnnModule,
    data: Any,
    *,
    edge_mask: bool = False,
    allow_unknown: bool = False,
    sparse: type[SparseLayer] = WeightedGather,
    dtype: torch.dtype = torch.float32,
) -> Source:
    """Refuses what cannot be exported, rebuilds the model and checks the rebuild against the original.

    Args:
        allow_unknown: copy nonlinearities and norms that the exporter does not know unchanged.
        sparse: the class of the rebuilt model's sparse layers.
        dtype: of the returned rebuild, whatever it was checked in.
    """
    refuse_unfit(model)
    graph = GsnnGraph.from_model(model) if data is None else GsnnGraph.from_data(data)
    graph.check_against(model)
    groups = function_of_channel(model)
    rebuilt = RebuiltGsnn(model, edge_mask, allow_unknown, sparse).double().eval()
    check_rebuilt(model, rebuilt, len(graph.names["input"]), len(graph.names["output"]))
    return Source(graph, groups, rebuilt.to(dtype), int(model.edge_index.shape[1]))


def refuse_unfit(model: GsnnModule) -> None:
    """Refuses what no file can represent, before any work is done."""
    refuse_few_layers(model)
    for name, tensor in model.named_parameters():
        if tensor.dtype not in DTYPES:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise ExportError("dtype", f"is {kind}, but the file holds float32: export a copy made with .float()", name)
    if getattr(model, "checkpoint", False):
        raise ExportError(
            "checkpointing",
            "the model uses gradient checkpointing, which recomputes activations; set model.checkpoint = False",
            "checkpoint",
        )
    if getattr(model, "node_activity_model", None) is not None:
        raise ExportError(
            "node-activity",
            "node activity takes a second input x_fn, which the file cannot represent",
            "node_activity_model",
        )


def refuse_few_layers(model: GsnnModule) -> None:
    if len(model.ResBlocks) < 2:
        raise ExportError(
            "layers",
            f"edge inference compares adjacent blocks; the model has {len(model.ResBlocks)}, but at least 2 are needed",
            "ResBlocks",
        )


def function_of_channel(model: GsnnModule) -> list[int]:
    """``channelGroups`` of the profile: the function node (counted among function nodes) of every channel."""
    kinds = homogeneous_kinds(model)
    functions = np.flatnonzero(kinds == "function")
    place = {int(node): i for i, node in enumerate(functions)}
    nodes = model.ResBlocks[0].channel_groups.tolist()
    strangers = [node for node in nodes if node not in place]
    if strangers:
        raise ExportError(
            "channels",
            f"channels belong to node {strangers[0]}, which is not a function node",
            "ResBlocks.0.channel_groups",
        )
    bare = set(place) - set(nodes)
    if bare:
        raise ExportError(
            "channels",
            f"function node {model.homo_names[min(bare)]!r} has no channels",
            "ResBlocks.0.channel_groups",
        )
    for i, block in enumerate(model.ResBlocks):
        if block.channel_groups.tolist() != nodes:
            raise ExportError("channels", "differs from that of ResBlocks.0", f"ResBlocks.{i}.channel_groups")
    return [place[node] for node in nodes]
