"""``export_gsnn``: a trained GSNN in, one profile-v1 ONNX file out."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from .check import check_twin
from .errors import ExportError, ExportNotice
from .graph import GsnnGraph, homogeneous_kinds
from .onnx_file import check_file, finish, to_onnx
from .profile import metadata, value_names
from .twin import GsnnTwin

REQUIRED = ("ResBlocks", "edge_index", "input_node_mask", "output_node_mask", "homo_names", "residual", "norm")


@dataclass(frozen=True)
class Exported:
    """What was written: the path, the ``gsnn`` metadata and the file's size in bytes."""

    path: Path
    metadata: dict
    size: int


def export_gsnn(model: nn.Module, data, path: str | os.PathLike, *, edge_mask: bool = False,
                dynamo: bool = True) -> Exported:
    """Writes a trained GSNN as one self-contained ONNX file, checked against the model before it is written.

    The model is read, not changed: it is exported in evaluation mode, and its own modes are restored after. The
    file is float32, opset 18, with a dynamic batch; block values are named ``pre{l}`` and ``post{l}``.

    Args:
        model: a GSNN, of this package's :class:`~magnitude_edge_export.reference.GSNN` or of the published package.
        data: what holds ``node_names_dict`` and ``edge_index_dict``; ``None`` reads both from the model.
        path: the file to write; replaced whole, or left alone when the export fails.
        edge_mask: give the file a second input ``edge_mask``, float32 ``[edges]``, that multiplies edge features.
            Metadata ``edgeMask`` names it and ``edgeMaskEdges`` lists its edges as [sources, targets], numbered
            function nodes first, then inputs, then outputs.
        dynamo: export through ``torch.export``; ``False`` takes the older TorchScript route.

    Raises:
        ExportError: the model, or its agreement with ``data``, does not allow a faithful export.
    """
    refuse_unfit(model)
    graph = GsnnGraph.from_model(model) if data is None else GsnnGraph.from_data(data)
    graph.check_against(model)
    groups = function_of_channel(model)
    if any(module.training for module in model.modules()):
        warnings.warn("the model is in training mode; it is exported in evaluation mode", ExportNotice, stacklevel=2)

    twin = GsnnTwin(model, edge_mask).double().eval()
    inputs, outputs = len(graph.names["input"]), len(graph.names["output"])
    check_twin(model, twin, inputs, outputs)
    twin.float()

    edges = int(model.edge_index.shape[1])
    layers, constants = len(model.ResBlocks), count_constants(twin, inputs, edges)
    names = value_names(layers, constants)
    extra = {}
    if edge_mask:
        extra = {"edgeMask": "edge_mask", "edgeMaskEdges": model.edge_index.tolist()}
    proto = to_onnx(twin, inputs, edges, names, dynamo)
    proto = finish(proto, names, metadata(model, graph, names, groups, **extra))
    check_file(proto, twin, inputs, edges, names)
    return write(proto.SerializeToString(), path, metadata(model, graph, names, groups, **extra))


def refuse_unfit(model: nn.Module) -> None:
    """Refuses what no file can stand for, before any work is done."""
    missing = [name for name in REQUIRED if not hasattr(model, name)]
    if missing:
        raise ExportError("not-a-gsnn", f"{type(model).__name__} has no {missing[0]}: a GSNN was expected")
    if len(model.ResBlocks) < 2:
        raise ExportError("layers", f"edge inference compares adjacent blocks; the model has {len(model.ResBlocks)} "
                                    "and at least 2 are needed", "ResBlocks")
    if getattr(model, "checkpoint", False):
        raise ExportError("checkpointing", "the model uses gradient checkpointing, which recomputes activations; "
                                           "set model.checkpoint = False", "checkpoint")
    if getattr(model, "node_activity_model", None) is not None:
        raise ExportError("node-activity", "node activity takes a second input x_fn, for which the file has no place",
                          "node_activity_model")


def function_of_channel(model: nn.Module) -> list[int]:
    """``channelGroups`` of the profile: the function node (counted among function nodes) of every channel."""
    kinds = homogeneous_kinds(model)
    functions = np.flatnonzero(kinds == "function")
    place = {int(node): i for i, node in enumerate(functions)}
    nodes = model.ResBlocks[0].channel_groups.tolist()
    strangers = [node for node in nodes if node not in place]
    if strangers:
        raise ExportError("channels", f"channels belong to node {strangers[0]}, which is no function node",
                          "ResBlocks.0.channel_groups")
    bare = set(place) - set(nodes)
    if bare:
        raise ExportError("channels", f"function node {model.homo_names[min(bare)]!r} has no channels",
                          "ResBlocks.0.channel_groups")
    for i, block in enumerate(model.ResBlocks):
        if block.channel_groups.tolist() != nodes:
            raise ExportError("channels", "differs from that of ResBlocks.0", f"ResBlocks.{i}.channel_groups")
    return [place[node] for node in nodes]


def count_constants(twin: GsnnTwin, inputs: int, edges: int) -> int:
    x = twin.reads_input.new_zeros(1, inputs)
    _, taps = twin.run(x, twin.reads_input.new_ones(edges) if twin.edge_mask else None)
    return len(taps.constants)


def write(content: bytes, path: str | os.PathLike, gsnn: dict) -> Exported:
    """Writes beside the target and renames, so that a failure leaves no half file."""
    target = Path(path)
    scratch = target.with_name(target.name + ".part")
    try:
        scratch.write_bytes(content)
        os.replace(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)
    return Exported(target, gsnn, len(content))
