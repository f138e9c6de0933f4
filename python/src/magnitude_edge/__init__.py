"""Magnitude edge inference for graph structured neural networks: the edges that a trained model's graph lacks."""

from .errors import MagnitudeEdgeError
from .graph_edits import add_edges, compare
from .inferer import MagnitudeEdgeInferer
from .one_call import infer
from .ranking import evaluate_target_ranking

__all__ = [
    "MagnitudeEdgeError",
    "MagnitudeEdgeInferer",
    "add_edges",
    "compare",
    "evaluate_target_ranking",
    "infer",
]
