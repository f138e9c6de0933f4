"""From a twin to ONNX bytes, and the checks that the file says what the twin computes."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import tempfile
import warnings

import numpy as np
import onnx
import torch
from onnx.reference import ReferenceEvaluator

from .errors import ExportError
from .profile import KEY, ValueNames
from .twin import GsnnTwin

OPSET = 18
#: Largest deviation of the file's values from the twin's, of the largest magnitude, both in float32.
TOLERANCE = 2e-5


def to_onnx(twin: GsnnTwin, inputs: int, edges: int, names: ValueNames, dynamo: bool) -> onnx.ModelProto:
    """Exports the twin with a dynamic batch, every tap a named output.

    Args:
        dynamo: through ``torch.export`` (True) or the older TorchScript tracer (False).
    """
    arguments = [torch.zeros(3, inputs)]
    input_names = ["x"]
    if twin.edge_mask:
        arguments.append(torch.ones(edges))
        input_names.append("edge_mask")
    options = {"input_names": input_names, "output_names": names.all, "opset_version": OPSET, "dynamo": dynamo}
    if dynamo:
        batch = torch.export.Dim("batch", min=1)
        options["dynamic_shapes"] = ({0: batch}, None)[: len(arguments)]
        options["external_data"] = False
    else:
        options["dynamic_axes"] = {name: {0: "batch"} for name in ["x", *names.all]}
    with quiet(), tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        torch.onnx.export(twin, tuple(arguments), path, **options)
        return onnx.load(path)


@contextlib.contextmanager
def quiet():
    """The exporters of torch print progress and deprecation notes; none concerns the caller."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def finish(model: onnx.ModelProto, names: ValueNames, gsnn: dict) -> onnx.ModelProto:
    """Leaves yhat, preNorm and activation as outputs (the stopGradient values become inner ones), drops what only
    debugging needs, fixes the batch dimension's name and writes the metadata."""
    kept = [output for output in model.graph.output if output.name not in set(names.constants)]
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
        if value.name != "edge_mask":
            value.type.tensor_type.shape.dim[0].Clear()
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
    model.producer_name = "magnitude-edge-export"
    onnx.helper.set_model_props(model, {KEY: json.dumps(gsnn, separators=(",", ":"))})
    return model


def check_file(model: onnx.ModelProto, twin: GsnnTwin, inputs: int, edges: int, names: ValueNames) -> None:
    """Every named value is computed in the file and equals the twin's, at two batch sizes.

    Run by the reference evaluator of the onnx package, so that no runtime's own optimisations take part.

    Raises:
        ExportError: code ``"export"``.
    """
    onnx.checker.check_model(model)
    computed = {name for node in model.graph.node for name in node.output}
    lost = [name for name in names.all if name not in computed]
    if lost:
        raise ExportError("export", f"the value {lost[0]} did not survive torch.onnx.export")
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    present = {output.name for output in probe.graph.output}
    for name in names.all:
        if name not in present:
            probe.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    order = [output.name for output in probe.graph.output]
    evaluator = ReferenceEvaluator(probe)
    generator = torch.Generator().manual_seed(7)
    for batch in (1, 4):
        x = torch.randn(batch, inputs, generator=generator)
        feeds, mask = {"x": x.numpy()}, None
        if twin.edge_mask:
            mask = (torch.rand(edges, generator=generator) > 0.3).float()
            feeds["edge_mask"] = mask.numpy()
        with torch.no_grad():
            expected = dict(zip(names.all, twin(x, mask), strict=True))
        for name, value in zip(order, evaluator.run(None, feeds), strict=True):
            reference = expected[name].numpy()
            if value.shape != reference.shape:
                raise ExportError("export", f"the value {name} has shape {list(value.shape)} in the file and "
                                            f"{list(reference.shape)} in torch")
            error = np.abs(value - reference).max() / max(np.abs(reference).max(), 1e-30)
            if not error <= TOLERANCE:
                raise ExportError("export", f"the value {name} of the file differs from torch's by {error:.2g} of its "
                                            f"largest (batch of {batch})")
