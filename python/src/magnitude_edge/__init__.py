"""Magnitude edge inference for graph structured neural networks: the edges that a trained model's graph lacks."""

from typing import Any

from .errors import MagnitudeEdgeError
from .exploring import explore, export_html
from .graph_edits import add_edges, compare
from .inferer import MagnitudeEdgeInferer
from .one_call import infer
from .plots import plot_heatmap, plot_network, plot_ranking
from .ranking import evaluate_target_ranking
from .recovering import recovery

__all__ = [
    "MagnitudeEdgeError",
    "MagnitudeEdgeInferer",
    "add_edges",
    "compare",
    "evaluate_target_ranking",
    "explore",
    "export_gsnn",
    "export_html",
    "infer",
    "plot_heatmap",
    "plot_network",
    "plot_ranking",
    "recovery",
]


def __getattr__(name: str) -> Any:
    """Loads the exporter on first use: it needs torch, which the rest does not."""
    if name == "export_gsnn":
        from magnitude_edge.export import export_gsnn

        return export_gsnn
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
