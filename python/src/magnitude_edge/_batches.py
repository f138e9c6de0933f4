"""Splits what a loader yields into the two sides of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import MagnitudeEdgeError


def x_and_y(batch: Any) -> tuple[Any, Any]:
    """The two sides of a loader's batch: a pair, or a dict of ``x`` and ``y``."""
    if isinstance(batch, dict) and {"x", "y"} <= set(batch):
        return batch["x"], batch["y"]
    if isinstance(batch, (tuple, list)) and len(batch) >= 2:
        return batch[0], batch[1]
    raise MagnitudeEdgeError("invalid-argument", f"The loader gave a {type(batch).__name__}; (x, y) was expected.")


def float_rows(values: Any) -> npt.NDArray[np.float32]:
    """``[batch, columns]``, float32 in row-major order; axes after the first are flattened."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    array = np.ascontiguousarray(values, dtype=np.float32)
    return array.reshape(len(array), -1) if array.ndim != 2 else array
