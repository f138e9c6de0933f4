"""Finds the GSNN inside the wrappers of training frameworks."""

from __future__ import annotations

from torch import nn

from .errors import ExportError
from .graph import GsnnModule

REQUIRED = ("ResBlocks", "edge_index", "input_node_mask", "output_node_mask", "homo_names", "residual", "norm")
#: Attributes in which torch.compile, and DataParallel, DistributedDataParallel and AveragedModel keep what they wrap.
WRAPPED = ("_orig_mod", "module")


def unwrap(model: object) -> GsnnModule:
    """The GSNN itself: ``model``, what a torch wrapper holds, or the only GSNN among a module's submodules (those of a
    LightningModule, say).

    Raises:
        ExportError: ``not-a-gsnn``, also if a module holds several.
    """
    kind = type(model).__name__
    if not isinstance(model, nn.Module):
        raise ExportError("not-a-gsnn", f"{kind} is not a torch module: a GSNN was expected")
    for name in WRAPPED:
        inner = model._modules.get(name)
        if inner is not None:
            return unwrap(inner)
    if is_gsnn(model):
        return model
    found = {name: child for name, child in model.named_modules() if is_gsnn(child)}
    if len(found) > 1:
        raise ExportError("not-a-gsnn", f"{kind} holds {len(found)} GSNNs ({', '.join(found)}): pass one of them")
    if not found:
        missing = next(name for name in REQUIRED if not hasattr(model, name))
        raise ExportError("not-a-gsnn", f"{kind} has no {missing}: a GSNN was expected")
    return next(iter(found.values()))


def is_gsnn(model: nn.Module) -> bool:
    return all(hasattr(model, name) for name in REQUIRED)
