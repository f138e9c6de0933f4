"""Exports a trained PyTorch GSNN as one ONNX file (profile v1) for magnitude-edge."""

import importlib
from typing import TYPE_CHECKING, Any

from .errors import ExportError, ExportNotice
from .graph import GraphData, GsnnGraph

if TYPE_CHECKING:
    from .gsnn import Exported, export_gsnn
    from .joint import export_joint

__all__ = ["ExportError", "ExportNotice", "Exported", "GraphData", "GsnnGraph", "export_gsnn", "export_joint"]


#: What needs the package ``onnx``; loaded on first use.
_WRITERS = {"Exported": "gsnn", "export_gsnn": "gsnn", "export_joint": "joint"}


def __getattr__(name: str) -> Any:
    if name in _WRITERS:
        return getattr(importlib.import_module(f".{_WRITERS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
