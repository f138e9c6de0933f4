"""Torch's losses and their names in the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import MagnitudeEdgeError

NAMES = ("mse", "l1", "huber", "bce-with-logits", "cross-entropy")
MODULES = {
    "MSELoss": "mse",
    "L1Loss": "l1",
    "HuberLoss": "huber",
    "SmoothL1Loss": "huber",
    "BCEWithLogitsLoss": "bce-with-logits",
    "CrossEntropyLoss": "cross-entropy",
}
FUNCTIONS = {
    "mse_loss": "mse",
    "l1_loss": "l1",
    "huber_loss": "huber",
    "smooth_l1_loss": "huber",
    "binary_cross_entropy_with_logits": "bce-with-logits",
    "cross_entropy": "cross-entropy",
}
#: Attributes of torch's modules that must have these values: with others it is a different loss.
DEFAULTS = {
    "delta": 1.0,
    "beta": 1.0,
    "weight": None,
    "pos_weight": None,
    "label_smoothing": 0.0,
    "ignore_index": -100,
}


@dataclass(frozen=True)
class Loss:
    """A loss that the engine knows."""

    name: str
    reduction: str = "mean"

    def options(self) -> dict[str, str]:
        return {"loss": self.name, "lossReduction": self.reduction}


def engine_loss(crit: Any) -> Loss | None:
    """The engine's loss for ``crit``, ``None`` if it has none.

    Args:
        crit: ``None`` (mean squared error), a name, or a loss of torch: a module or a function of
            ``torch.nn.functional``.
    """
    if crit is None:
        return Loss("mse")
    if isinstance(crit, str):
        return Loss(crit) if crit in NAMES else None
    kind = type(crit)
    if kind.__module__.startswith("torch.nn.modules"):
        name = MODULES.get(kind.__name__)
        usual = all(_same(getattr(crit, key, default), default) for key, default in DEFAULTS.items())
        reduction = getattr(crit, "reduction", "mean")
        return Loss(name, reduction) if name and usual and reduction in ("mean", "sum") else None
    if getattr(crit, "__module__", "") in ("torch.nn.functional", "torch._C._nn"):
        name = FUNCTIONS.get(getattr(crit, "__name__", ""))
        return Loss(name) if name else None
    return None


def known_loss(crit: Any) -> Loss:
    """Like :func:`engine_loss`.

    Raises:
        MagnitudeEdgeError: ``invalid-argument`` if the engine has none.
    """
    loss = engine_loss(crit)
    if loss is None:
        raise MagnitudeEdgeError(
            "invalid-argument",
            f"crit is {loss_name(crit)!r}, but the engine knows only {', '.join(NAMES)} and torch's losses of these "
            "names. Others need the torch model: MagnitudeEdgeInferer(model, data, route='torch').",
        )
    return loss


def loss_name(crit: Any) -> str:
    """The name of a loss in messages and provenance."""
    return getattr(crit, "__name__", None) or (crit if isinstance(crit, str) else type(crit).__name__)


def _same(value: Any, default: Any) -> bool:
    return value is default if default is None else bool(value == default)
