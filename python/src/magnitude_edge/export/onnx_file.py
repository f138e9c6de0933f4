"""From a rebuilt model to ONNX bytes, and the checks that the file computes what the rebuilt model does."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import onnx
import torch
from onnx.reference import ReferenceEvaluator

from .errors import ExportError
from .profile import KEY

Feeds = Iterable[dict[str, torch.Tensor]]
OPSET = 18
#: Largest deviation of the file's values from the rebuilt model's, relative to the largest magnitude; both in float32.
TOLERANCE = 2e-5


def to_onnx(
    module: torch.nn.Module,
    inputs: dict[str, torch.Tensor],
    outputs: list[str],
    dynamo: bool,
    static: tuple[str, ...] = (),
) -> onnx.ModelProto:
    """Exports a module whose outputs become graph outputs of the given names.

    Args:
        inputs: example inputs by name, in the order of the module's arguments; the first axis is the batch.
        static: names of inputs without a batch axis.
        dynamo: through ``torch.export`` (True) or the older TorchScript tracer (False).
    """
    options: dict[str, Any] = {
        "input_names": list(inputs),
        "output_names": outputs,
        "opset_version": OPSET,
        "dynamo": dynamo,
    }
    batched = [name for name in inputs if name not in static]
    if dynamo:
        batch = torch.export.Dim("batch", min=1)
        options["dynamic_shapes"] = tuple({0: batch} if name in batched else None for name in inputs)
        options["external_data"] = False
    else:
        options["dynamic_axes"] = {name: {0: "batch"} for name in [*batched, *outputs]}
    with quiet(), tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        torch.onnx.export(module, tuple(inputs.values()), path, **options)
        return onnx.load(path)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silences torch's exporters, whose progress and deprecation notes do not concern the caller."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def finish(
    model: onnx.ModelProto, gsnn: dict[str, Any], inner: list[str], unbatched: tuple[str, ...] = ()
) -> onnx.ModelProto:
    """Drops debugging information, names the batch dimension and writes the metadata.

    Args:
        inner: outputs that become inner values of the graph.
        unbatched: inputs and outputs without a batch axis.
    """
    kept = [output for output in model.graph.output if output.name not in set(inner)]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for holder in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del holder.metadata_props[:]
        holder.doc_string = ""
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    for value in (*model.graph.input, *kept):
        if value.name not in unbatched:
            value.type.tensor_type.shape.dim[0].Clear()
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
    model.producer_name = "magnitude-edge-export"
    onnx.helper.set_model_props(model, {KEY: json.dumps(gsnn, separators=(",", ":"))})
    return model


def check_file(model: onnx.ModelProto, module: torch.nn.Module, names: list[str], feeds: Feeds) -> None:
    """Checks that the file computes every named value and that it equals the module's, for all feeds.

    Uses the reference evaluator of the onnx package, so that no runtime's optimisations are involved.

    Args:
        names: the module's outputs in order, each a value of the graph.
        feeds: inputs by name, one dict per run.

    Raises:
        ExportError: code ``"export"``.
    """
    onnx.checker.check_model(model)
    computed = {name for node in model.graph.node for name in node.output}
    lost = [name for name in names if name not in computed]
    if lost:
        raise ExportError("export", f"the value {lost[0]} did not survive torch.onnx.export")
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    evaluator = ReferenceEvaluator(probe)
    for feed in feeds:
        with torch.no_grad():
            expected = module(*feed.values())
        found = evaluator.run(None, {name: value.numpy() for name, value in feed.items()})
        for name, value, reference in zip(names, found, expected, strict=True):
            compare(name, np.asarray(value), reference.detach().numpy())


def compare(name: str, found: np.ndarray, expected: np.ndarray) -> None:
    if found.shape != expected.shape:
        raise ExportError(
            "export",
            f"the value {name} has shape {list(found.shape)} in the file and {list(expected.shape)} in torch",
        )
    error = np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30)
    if not error <= TOLERANCE and np.abs(found - expected).max() > 1e-9:
        raise ExportError(
            "export",
            f"the value {name} of the file differs from torch's by {error:.2g} of its largest "
            f"(shape {list(found.shape)})",
        )
