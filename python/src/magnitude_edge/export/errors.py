"""Errors of the exporter. Every refusal is an :class:`ExportError` whose message names what is at fault."""

from __future__ import annotations

from ..errors import MagnitudeEdgeError

#: Codes of models that the exporter refuses but torch itself can run.
TAKEN_BY_TORCH = ("attention", "checkpointing", "dtype", "export", "ragged", "sparse", "differs", "unknown-module")


class ExportError(MagnitudeEdgeError):
    """The model cannot be exported as it stands.

    Attributes:
        code: stable, machine-readable reason, e.g. ``"checkpointing"`` or ``"unknown-module"``.
        path: dotted module path at fault (``"ResBlocks.2.norm"``), or ``None`` when no module is.
        reason: the message without the hint at a way out.
        torch_takes_it: whether torch itself can run the model.
    """

    def __init__(self, code: str, message: str, path: str | None = None):
        self.reason = f"{path}: {message}" if path else message
        self.torch_takes_it = code in TAKEN_BY_TORCH
        hint = ". MagnitudeEdgeInferer(..., route='torch') takes the model as it is" if self.torch_takes_it else ""
        super().__init__(code, self.reason + hint, {} if path is None else {"path": path})
        self.path = path


class ExportNotice(UserWarning):
    """Something the exporter did on its own that the caller should know about, e.g. switching to evaluation mode."""
