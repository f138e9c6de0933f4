"""The typed graph of a GSNN: node names and edges, read from a data object or from the model itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .errors import ExportError

#: A module with the attributes of a GSNN: the published package's class, or any other that has them.
GsnnModule = Any

NODE_TYPES = ("input", "function", "output")
EDGE_TYPES = (("input", "function"), ("function", "function"), ("function", "output"))


class GraphData:
    """The minimum a GSNN needs to know about its graph, under the names the published package uses.

    Args:
        node_names_dict: names per node type, keys ``"input"``, ``"function"``, ``"output"``.
        edge_index_dict: int64 tensors ``[2, edges]`` (sources, targets), each indexed within its node type,
            keys ``(source type, "to", target type)``.
    """

    def __init__(
        self, node_names_dict: Mapping[str, Iterable[object]], edge_index_dict: Mapping[tuple[str, str, str], Any]
    ):
        self.node_names_dict = {kind: [str(name) for name in node_names_dict[kind]] for kind in NODE_TYPES}
        self.edge_index_dict = {
            key: torch.as_tensor(index, dtype=torch.long).reshape(2, -1) for key, index in edge_index_dict.items()
        }


@dataclass(frozen=True)
class GsnnGraph:
    """Node names and deduplicated edges. ``edges[(source type, target type)]`` is int64 ``[2, edges]``."""

    names: dict[str, list[str]]
    edges: dict[tuple[str, str], np.ndarray]

    @classmethod
    def from_data(cls, data: Any) -> GsnnGraph:
        """Reads any object with ``node_names_dict`` and ``edge_index_dict`` (torch_geometric HeteroData
        too)."""
        for attribute in ("node_names_dict", "edge_index_dict"):
            if not hasattr(data, attribute):
                raise ExportError("data", f"the data object ({type(data).__name__}) has no {attribute}")
        missing = [kind for kind in NODE_TYPES if kind not in data.node_names_dict]
        if missing:
            raise ExportError(
                "data",
                f"node_names_dict has no {missing[0]!r} nodes; it holds {sorted(data.node_names_dict)}",
            )
        names = {kind: [str(name) for name in data.node_names_dict[kind]] for kind in NODE_TYPES}
        by_ends = {(key[0], key[-1]): value for key, value in data.edge_index_dict.items()}
        absent = [ends for ends in EDGE_TYPES if ends not in by_ends]
        if absent:
            raise ExportError("data", f"edge_index_dict has no {absent[0]} edges; it holds {sorted(by_ends)}")
        graph = cls(names, {ends: _unique_edges(_as_array(by_ends[ends])) for ends in EDGE_TYPES})
        graph._check_ranges()
        return graph

    @classmethod
    def from_model(cls, model: GsnnModule) -> GsnnGraph:
        """Reads ``homo_names``, ``edge_index`` and the node masks of the model. Self edges that the model
        appended itself (``add_function_self_edges``) are left out."""
        kinds = homogeneous_kinds(model)
        within = np.zeros(len(kinds), dtype=np.int64)
        names = {}
        for kind in NODE_TYPES:
            members = np.flatnonzero(kinds == kind)
            within[members] = np.arange(members.size)
            names[kind] = [str(model.homo_names[i]) for i in members]
        edge_index = _as_array(model.edge_index)
        if getattr(model, "add_function_self_edges", False):
            edge_index = edge_index[:, : edge_index.shape[1] - len(names["function"])]
        source, target = edge_index
        edges = {}
        for ends in EDGE_TYPES:
            of_type = (kinds[source] == ends[0]) & (kinds[target] == ends[1])
            edges[ends] = _unique_edges(np.stack([within[source[of_type]], within[target[of_type]]]))
        return cls(names, edges)

    def check_against(self, model: GsnnModule) -> None:
        """Raises :class:`ExportError` if this graph and the model's own disagree, stating both."""
        own = GsnnGraph.from_model(model)
        for kind in NODE_TYPES:
            if self.names[kind] != own.names[kind]:
                difference = next(
                    ((a, b) for a, b in zip(self.names[kind], own.names[kind], strict=False) if a != b), None
                )
                detail = f"; first difference {difference[0]!r} against {difference[1]!r}" if difference else ""
                raise ExportError(
                    "graph",
                    f"the data has {len(self.names[kind])} {kind} nodes, the model {len(own.names[kind])}{detail}",
                )
        for ends in EDGE_TYPES:
            ours, theirs = (set(map(tuple, g.edges[ends].T.tolist())) for g in (self, own))
            if ours != theirs:
                raise ExportError(
                    "graph",
                    f"the {ends[0]} -> {ends[1]} edges of the data ({len(ours)}) and of "
                    f"the model ({len(theirs)}) differ in {len(ours ^ theirs)} edges",
                )

    def _check_ranges(self) -> None:
        for kind in NODE_TYPES:
            if len(set(self.names[kind])) != len(self.names[kind]):
                raise ExportError("data", f"{kind} node names are not unique")
        for (source, target), index in self.edges.items():
            for side, row in ((source, index[0]), (target, index[1])):
                if row.size and (row.min() < 0 or row.max() >= len(self.names[side])):
                    raise ExportError(
                        "data",
                        f"{source} -> {target} edges name {side} node {int(row.max())}; "
                        f"there are {len(self.names[side])}",
                    )

    def to_profile(self) -> dict[str, Any]:
        """The ``nodeNames`` and ``edgeIndex`` entries of the ``gsnn`` metadata."""
        return {
            "nodeNames": self.names,
            "edgeIndex": {",".join(ends): index.tolist() for ends, index in self.edges.items()},
        }


def homogeneous_kinds(model: GsnnModule) -> np.ndarray:
    """Node type of every homogeneous node, from the model's masks: array of str ``[nodes]``."""
    is_input = _as_array(model.input_node_mask).astype(bool)
    is_output = _as_array(model.output_node_mask).astype(bool)
    return np.where(is_input, "input", np.where(is_output, "output", "function"))


def _as_array(index: Any) -> np.ndarray:
    return index.detach().cpu().numpy() if hasattr(index, "detach") else np.asarray(index)


def _unique_edges(index: np.ndarray) -> np.ndarray:
    """Drops repeated columns, keeping the first of each: edge channels repeat edges, the graph does not."""
    index = np.asarray(index, dtype=np.int64).reshape(2, -1)
    _, first = np.unique(index, axis=1, return_index=True)
    return index[:, np.sort(first)]
