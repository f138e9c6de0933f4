"""The package's exception, which carries a code."""

from __future__ import annotations

from typing import Any


class MagnitudeEdgeError(ValueError):
    """The one exception that this package raises on purpose.

    Attributes:
        code: stable, for programs to compare: the codes of the JavaScript library (``batch-mismatch``,
            ``non-finite``, ``too-few-samples``, ``graph-mismatch``, ``no-positives``, ...), and ``process`` if
            the engine's process could not be started or has ended.
        details: further facts, such as the batch or the node at fault.
    """

    def __init__(self, code: str, message: str, details: dict[str, Any] | None = None):
        super().__init__(message)
        self.code = code
        self.details = details or {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, str(self), self.details)
