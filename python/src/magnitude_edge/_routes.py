"""Which of the two routes runs a model: the engine, from an exported file, or torch."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._loss import engine_loss, known_loss, loss_name
from .errors import MagnitudeEdgeError

if TYPE_CHECKING:
    from ._torch_route import TorchModel

ROUTES = ("auto", "onnx", "torch")


def check_route(wanted: str) -> None:
    if wanted not in ROUTES:
        raise MagnitudeEdgeError("invalid-argument", f"route is {wanted!r}, one of {', '.join(ROUTES)} was expected.")


def engine_runs(model: Any, wanted: str) -> int | None:
    """The number of channels of a torch GSNN that the engine will run; ``None`` otherwise, also for files."""
    if isinstance(model, (str, os.PathLike, bytes)) or wanted == "torch" or (wanted == "auto" and is_on_cpu(model)):
        return None
    from .export.errors import ExportError
    from .export.unwrap import unwrap

    try:
        return len(unwrap(model).ResBlocks[0].channel_groups)
    except (ExportError, AttributeError, LookupError, TypeError):
        return None  # whoever reads the model reports what is wrong with it


def is_on_cpu(model: Any) -> bool:
    return all(parameter.device.type == "cpu" for parameter in getattr(model, "parameters", tuple)())


class Routes:
    """The ways in which a model can be run.

    Args:
        model: a torch GSNN, or the path or the bytes of an exported file.
        wanted: ``"auto"``, ``"onnx"`` or ``"torch"``.

    Attributes:
        first: the route for a loss that the engine knows, and why.
        file: the exported file; ``None`` if torch runs the model.
        profile: describes to the engine a model that it does not run; ``None`` if it runs it.
    """

    def __init__(self, model: Any, data: Any, wanted: str, *, reduction: str, use_pre_norm: bool):
        self._model, self._data, self._wanted = model, data, wanted
        self._settings = (reduction, use_pre_norm)
        self._rebuilt: TorchModel | None = None
        self.file: bytes | None = None
        self.profile: dict[str, Any] | None = None
        self.is_file = isinstance(model, (str, os.PathLike, bytes))
        self.name = str(model) if isinstance(model, (str, os.PathLike)) else type(model).__name__
        self.first = self._choose()

    def _choose(self) -> tuple[str, str]:
        asked = "it was asked for"
        if self.is_file:
            if self._wanted == "torch":
                raise MagnitudeEdgeError("invalid-argument", f"The route torch needs the torch model, not {self.name}.")
            self.file = self._model if isinstance(self._model, bytes) else Path(self._model).read_bytes()
            return "onnx", "the model is a file"
        if self._wanted == "torch":
            self.profile = self._own.profile
            return "torch", asked
        from .export.errors import ExportError

        try:
            if self._wanted == "auto" and is_on_cpu(self._model):
                from ._torch_route import RebuiltModel

                self._rebuilt = RebuiltModel(self._model, self._data, *self._settings)
                self.profile = self._rebuilt.profile
                return "torch", "the model is on the CPU, where torch needs no other runtime to start"
            from .export.gsnn import gsnn_model

            self.file = gsnn_model(self._model, self._data)[0].SerializeToString()
        except ExportError as error:
            if self._wanted == "onnx" or not error.torch_takes_it:
                raise
            self.profile = self._own.profile
            return "torch", f"the model has no exact ONNX form: {error.reason}"
        return "onnx", asked if self._wanted == "onnx" else "the engine knows the model's modules and the loss"

    def of_loss(self, crit: Any) -> tuple[str, str]:
        """The route of a fit, and why.

        Raises:
            MagnitudeEdgeError: ``invalid-argument`` for a loss that the requested route does not support.
        """
        if isinstance(crit, str) or not callable(crit):
            known_loss(crit)
        if self._wanted == "torch" or engine_loss(crit) is not None:
            return self.first
        if self._wanted == "onnx" or self.is_file:
            known_loss(crit)
        return "torch", f"the engine does not know the loss {loss_name(crit)}"

    def torch_model(self, device: Any) -> TorchModel:
        """What torch runs: the rebuilt model if there is one, the model itself if a device other than the CPU is
        requested."""
        return self._rebuilt if self._rebuilt and (device is None or str(device) == "cpu") else self._own

    @cached_property
    def _own(self) -> TorchModel:
        from ._torch_route import OwnModel

        return OwnModel(self._model, self._data, *self._settings)

    def elsewhere(self, route: str) -> tuple[Any, Any, str]:
        """``(model, data, route)`` for an inferer in another process."""
        return (self.file, None, route) if route == "onnx" else (self._model, self._data, self._wanted)
