"""``export_gsnn``: a trained GSNN in, one profile-v1 ONNX file out."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from .direct import write_onnx
from .errors import ExportError, ExportNotice
from .graph import GsnnModule
from .onnx_file import check_file, finish, to_onnx
from .profile import metadata, value_names
from .source import prepare
from .unwrap import unwrap


@dataclass(frozen=True)
class Exported:
    """What was written: the path, the ``gsnn`` metadata and the file's size in bytes."""

    path: Path
    metadata: dict[str, Any]
    size: int


def export_gsnn(
    model: GsnnModule, data: Any, path: str | os.PathLike[str], *, edge_mask: bool = False, dynamo: bool | None = None
) -> Exported:
    """Writes a trained GSNN as one self-contained ONNX file, checked against the model before it is written.

    The model is not changed: it is exported in evaluation mode, and its own modes are restored afterwards.
    The file is float32, opset 18, with a dynamic batch; block values are named ``pre{l}`` and ``post{l}``.

    Args:
        model: a GSNN of the published package, or one with its structure and attribute names, or a wrapper of one
            (DataParallel, AveragedModel, torch.compile, a LightningModule).
        data: an object with ``node_names_dict`` and ``edge_index_dict``; ``None`` reads both from the model.
        path: the file to write; replaced atomically, or left alone if the export fails.
        edge_mask: give the file a second input ``edge_mask``, float32 ``[edges]``, that multiplies edge
            features. Metadata ``edgeMask`` names it and ``edgeMaskEdges`` lists its edges as [sources,
            targets], numbered function nodes first, then inputs, then outputs.
        dynamo: ``None`` writes the file directly, in a tenth of a second for 600 function nodes. ``True`` goes through
            ``torch.export``, ``False`` through the older TorchScript exporter: seconds each, for comparison.

    Raises:
        ExportError: the model cannot be exported faithfully, or disagrees with ``data``.
    """
    refuse_missing_folder(path)
    note_training_mode(model)
    return write(*gsnn_model(model, data, edge_mask=edge_mask, dynamo=dynamo), path)


def gsnn_model(
    model: GsnnModule, data: Any, *, edge_mask: bool = False, dynamo: bool | None = None
) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """The ONNX model that :func:`export_gsnn` writes, and its ``gsnn`` metadata."""
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


def note_training_mode(model: GsnnModule) -> None:
    """Warns the caller's caller if the model is in training mode."""
    if any(module.training for module in unwrap(model).modules()):
        warnings.warn("the model is in training mode; it is exported in evaluation mode", ExportNotice, stacklevel=3)


def refuse_missing_folder(path: str | os.PathLike[str]) -> None:
    folder = Path(path).parent
    if not folder.is_dir():
        raise ExportError("path", f"{path} cannot be written: there is no folder {folder}")


def write(proto: onnx.ModelProto, gsnn: dict[str, Any], path: str | os.PathLike[str]) -> Exported:
    """Writes next to the target and renames, so that a failure leaves no partial file."""
    content = proto.SerializeToString()
    target = Path(path)
    scratch = target.with_name(target.name + ".part")
    try:
        scratch.write_bytes(content)
        os.replace(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)
    return Exported(target, gsnn, len(content))
