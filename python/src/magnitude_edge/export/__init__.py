"""Exports a trained PyTorch GSNN as one ONNX file (profile v1) for magnitude-edge."""

from .errors import ExportError, ExportNotice
from .graph import GraphData, GsnnGraph
from .gsnn import Exported, export_gsnn
from .joint import export_joint

__all__ = ["ExportError", "ExportNotice", "Exported", "GraphData", "GsnnGraph", "export_gsnn", "export_joint"]
