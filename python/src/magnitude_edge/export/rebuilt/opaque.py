"""Modules that the exporter does not know, copied unchanged for the joint route."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from ..errors import ExportError

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

    from .taps import Taps


class Opaque(nn.Module):
    """A copy of a module of unknown kind, called with the original's arguments.

    Args:
        path: dotted path of the original, for errors.
        trailing: the original takes ``[batch, channels, 1]`` (what sparse layers return), not ``[batch,
            channels]``.
    """

    def __init__(self, module: nn.Module, path: str, trailing: bool = False):
        super().__init__()
        self.module = copy.deepcopy(module).cpu().eval().requires_grad_(False)
        self.path, self.trailing = path, trailing

    def forward(self, x: torch.Tensor, taps: Taps | None = None) -> torch.Tensor:
        y: torch.Tensor = self.module(x.unsqueeze(-1) if self.trailing else x)
        return y.reshape(x.shape[0], -1) if self.trailing else y


class ScatterMeanGuard(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuses ``scatter_reduce`` with a mean, which torch.onnx writes as a plain scatter, silently and
    wrongly (measured with torch 2.13)."""

    def __init__(self, path: str):
        super().__init__()  # type: ignore[no-untyped-call]
        self.path = path

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if "scatter_reduce" in str(func) and "mean" in args:
            raise ExportError(
                "scatter-mean",
                "uses scatter_reduce with a mean, which torch.onnx exports wrongly; write "
                "it as a sum divided by constant counts",
                self.path,
            )
        return func(*args, **(kwargs or {}))


def refuse_scatter_mean(rebuilt: Any, x: torch.Tensor) -> None:
    """Runs ``rebuilt.run(x)`` once and inspects every operation that unknown modules perform."""
    guards: list[AbstractContextManager[object]] = []
    handles: list[RemovableHandle] = []

    def enter(module: Opaque, _inputs: object) -> None:
        guards.append(ScatterMeanGuard(module.path))
        guards[-1].__enter__()

    def leave(_module: Opaque, _inputs: object, _output: object) -> None:
        guards.pop().__exit__(None, None, None)

    for module in rebuilt.modules():
        if isinstance(module, Opaque):
            handles += [
                module.register_forward_pre_hook(enter),
                module.register_forward_hook(leave, always_call=True),
            ]
    try:
        rebuilt.run(x)
    finally:
        for handle in handles:
            handle.remove()
