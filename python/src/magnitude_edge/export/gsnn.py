"""``export_gsnn``: a trained GSNN in, one profile-v1 ONNX file out."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch

from .check import check_rebuilt
from .direct import write_onnx
from .errors import ExportError, ExportNotice
from .graph import GsnnGraph, GsnnModule, homogeneous_kinds
from .onnx_file import check_file, finish, to_onnx
from .profile import metadata, value_names
from .rebuilt import RebuiltGsnn
from .unwrap import unwrap

#: What the file's numbers are made from: other types have no faithful float32 form, or none that can be checked.
DTYPES = (torch.float32, torch.float64)


@dataclass(frozen=True)
class Exported:
    """What was written: the path, the ``gsnn`` metadata and the file's size in bytes."""

    path: Path
    metadata: dict
    size: int


def export_gsnn(
    model: GsnnModule, data, path: str | os.PathLike, *, edge_mask: bool = False, dynamo: bool | None = None
) -> Exported:
    """Writes a trained GSNN as one self-contained ONNX file, checked against the model before it is written.

    The model is read, not changed: it is exported in evaluation mode, and its own modes are restored after.
    The file is float32, opset 18, with a dynamic batch; block values are named ``pre{l}`` and ``post{l}``.

    Args:
        model: a GSNN of the published package or of its structure and attribute names, or what wraps one
            (DataParallel, AveragedModel, torch.compile, a LightningModule).
        data: what holds ``node_names_dict`` and ``edge_index_dict``; ``None`` reads both from the model.
        path: the file to write; replaced whole, or left alone when the export fails.
        edge_mask: give the file a second input ``edge_mask``, float32 ``[edges]``, that multiplies edge
            features. Metadata ``edgeMask`` names it and ``edgeMaskEdges`` lists its edges as [sources,
            targets], numbered function nodes first, then inputs, then outputs.
        dynamo: ``None`` writes the file directly, in a tenth of a second. ``True`` goes through
            ``torch.export``, ``False`` through the older TorchScript exporter: seconds each, for comparison.

    Raises:
        ExportError: the model, or its agreement with ``data``, does not allow a faithful export.
    """
    refuse_missing_folder(path)
    note_training_mode(model)
    return write(*gsnn_model(model, data, edge_mask=edge_mask, dynamo=dynamo), path)


def gsnn_model(
    model: GsnnModule, data, *, edge_mask: bool = False, dynamo: bool | None = None
) -> tuple[onnx.ModelProto, dict]:
    """What :func:`export_gsnn` writes, and its ``gsnn`` metadata."""
    model = unwrap(model)
    source = prepare(model, data, edge_mask=edge_mask)
    names = value_names(source.layers, source.rebuilt.count_constants())
    extra = {"edgeMask": "edge_mask", "edgeMaskEdges": model.edge_index.tolist()} if edge_mask else {}
    gsnn = metadata(model, source.graph, names, source.groups, **extra)
    if dynamo is None:
        proto = write_onnx(source.rebuilt, names, source.sizes)
    else:
        proto = to_onnx(source.rebuilt, source.example(3), names.all, dynamo, static=("edge_mask",))
    proto = finish(proto, gsnn, inner=names.constants, unbatched=("edge_mask",))
    check_file(proto, source.rebuilt, names.all, (source.example(batch) for batch in (1, 4)))
    return proto, gsnn


@dataclass(frozen=True)
class Source:
    """A model fit for export: its graph, the function node of every channel, and its checked float32 rebuild."""

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
def prepare(model: GsnnModule, data, *, edge_mask: bool = False, allow_unknown: bool = False) -> Source:
    """Refuses what cannot be exported, rebuilds the model and holds the rebuilt one to the original.

    Args:
        allow_unknown: copy nonlinearities and norms that the exporter does not know as they are.
    """
    refuse_unfit(model)
    graph = GsnnGraph.from_model(model) if data is None else GsnnGraph.from_data(data)
    graph.check_against(model)
    groups = function_of_channel(model)
    rebuilt = RebuiltGsnn(model, edge_mask, allow_unknown).double().eval()
    check_rebuilt(model, rebuilt, len(graph.names["input"]), len(graph.names["output"]))
    return Source(graph, groups, rebuilt.float(), int(model.edge_index.shape[1]))


def refuse_unfit(model: GsnnModule) -> None:
    """Refuses what no file can stand for, before any work is done."""
    refuse_few_layers(model)
    for name, tensor in model.named_parameters():
        if tensor.dtype not in DTYPES:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise ExportError("dtype", f"is {kind}, and the file holds float32: export a copy made by .float()", name)
    if getattr(model, "checkpoint", False):
        raise ExportError(
            "checkpointing",
            "the model uses gradient checkpointing, which recomputes activations; set model.checkpoint = False",
            "checkpoint",
        )
    if getattr(model, "node_activity_model", None) is not None:
        raise ExportError(
            "node-activity",
            "node activity takes a second input x_fn, for which the file has no place",
            "node_activity_model",
        )


def refuse_few_layers(model: GsnnModule) -> None:
    if len(model.ResBlocks) < 2:
        raise ExportError(
            "layers",
            f"edge inference compares adjacent blocks; the model has {len(model.ResBlocks)} and at least 2 are needed",
            "ResBlocks",
        )


def note_training_mode(model: GsnnModule) -> None:
    """Says to the caller's caller what is not as it may be expected."""
    if any(module.training for module in unwrap(model).modules()):
        warnings.warn("the model is in training mode; it is exported in evaluation mode", ExportNotice, stacklevel=3)


def refuse_missing_folder(path: str | os.PathLike) -> None:
    folder = Path(path).parent
    if not folder.is_dir():
        raise ExportError("path", f"{path} cannot be written: there is no folder {folder}")


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
            f"channels belong to node {strangers[0]}, which is no function node",
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


def write(proto: onnx.ModelProto, gsnn: dict, path: str | os.PathLike) -> Exported:
    """Writes beside the target and renames, so that a failure leaves no half file."""
    content = proto.SerializeToString()
    target = Path(path)
    scratch = target.with_name(target.name + ".part")
    try:
        scratch.write_bytes(content)
        os.replace(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)
    return Exported(target, gsnn, len(content))
