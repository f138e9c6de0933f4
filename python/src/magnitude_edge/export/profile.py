"""The ``gsnn`` metadata of ONNX profile v1 and the names of the values it refers to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .graph import GsnnGraph, GsnnModule

VERSION = 1
KEY = "gsnn"


@dataclass(frozen=True)
class ValueNames:
    """Names of the rebuilt model's outputs, in the order in which its forward returns them."""

    pre_norm: list[str]
    activation: list[str]
    constants: list[str]
    output: str = "yhat"

    @property
    def all(self) -> list[str]:
        return [self.output, *self.pre_norm, *self.activation, *self.constants]


@dataclass(frozen=True)
class JointNames:
    """Names of the outputs of a joint export, in the order in which its step returns them."""

    forward: ValueNames
    grad_pre_norm: list[str]
    grad_activation: list[str]
    loss: str = "loss"

    @property
    def all(self) -> list[str]:
        values = [self.forward.output, self.loss, *self.forward.pre_norm, *self.forward.activation]
        return [*values, *self.grad_pre_norm, *self.grad_activation]


def joint_names(layers: int) -> JointNames:
    return JointNames(
        value_names(layers, 0),
        [f"gradPre{i}" for i in range(layers)],
        [f"gradPost{i}" for i in range(layers)],
    )


def value_names(layers: int, constants: int) -> ValueNames:
    return ValueNames(
        [f"pre{i}" for i in range(layers)],
        [f"post{i}" for i in range(layers)],
        [f"stop{i}" for i in range(constants)],
    )


def structure(model: GsnnModule, graph: GsnnGraph, channel_groups: list[int]) -> dict[str, Any]:
    """The metadata that does not depend on what runs the model: graph, blocks, the function node of every channel."""
    return {
        "version": VERSION,
        "layers": len(model.ResBlocks),
        "norm": str(model.norm),
        "checkpoint": False,
        "channelGroups": channel_groups,
        **graph.to_profile(),
    }


def metadata(
    model: GsnnModule, graph: GsnnGraph, names: ValueNames, channel_groups: list[int], **extra: Any
) -> dict[str, Any]:
    """The metadata of one model, ready for JSON.

    Args:
        graph: :class:`magnitude_edge.export.graph.GsnnGraph`.
        channel_groups: function node of every channel.
        **extra: further keys, e.g. ``edgeMask``.
    """
    return {
        **structure(model, graph, channel_groups),
        "input": "x",
        "output": names.output,
        "preNorm": names.pre_norm,
        "activation": names.activation,
        "stopGradient": names.constants,
        **extra,
    }
