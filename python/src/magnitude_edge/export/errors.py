"""Errors of the exporter. Every refusal is an :class:`ExportError` whose message names what is at fault."""

from __future__ import annotations

from ..errors import MagnitudeEdgeError


class ExportError(MagnitudeEdgeError):
    """The model cannot be exported as it stands.

    Attributes:
        code: stable, machine-readable reason, e.g. ``"checkpointing"`` or ``"unknown-module"``.
        path: dotted module path at fault (``"ResBlocks.2.norm"``), or ``None`` when no module is.
    """

    def __init__(self, code: str, message: str, path: str | None = None):
        super().__init__(code, f"{path}: {message}" if path else message, {} if path is None else {"path": path})
        self.path = path


class ExportNotice(UserWarning):
    """Something the exporter did on its own that the caller should know, e.g. switching to evaluation mode."""
