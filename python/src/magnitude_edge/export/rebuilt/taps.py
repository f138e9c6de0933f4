"""Named intermediate values of the rebuilt model's forward pass."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch


@dataclass
class Taps:
    """Values of one forward pass, in the order in which they are computed. The pass continues with what each
    method returns."""

    pre_norm: list[torch.Tensor] = field(default_factory=list)
    activation: list[torch.Tensor] = field(default_factory=list)
    constants: list[torch.Tensor] = field(default_factory=list)

    def tap_pre_norm(self, value: torch.Tensor) -> torch.Tensor:
        self.pre_norm.append(value)
        return value

    def tap_activation(self, value: torch.Tensor) -> torch.Tensor:
        self.activation.append(value)
        return value

    def constant(self, value: torch.Tensor) -> torch.Tensor:
        """Cuts the gradient at ``value``. ONNX has no such cut, so the value's name goes into
        ``stopGradient``, and whatever uses it must use what is returned here."""
        value = value.detach()
        self.constants.append(value)
        return value


@dataclass
class ShiftedTaps(Taps):
    """Adds a shift to every tapped value: at zero, the gradient with respect to a shift is that with respect to its
    value.

    Attributes:
        shifts: pre-norm shifts of all blocks, then activation shifts, ``[batch, channels]`` each.
    """

    shifts: tuple[torch.Tensor, ...] = ()

    def tap_pre_norm(self, value: torch.Tensor) -> torch.Tensor:
        shift = self.shifts[len(self.pre_norm)]
        return super().tap_pre_norm(value + shift)

    def tap_activation(self, value: torch.Tensor) -> torch.Tensor:
        shift = self.shifts[len(self.shifts) // 2 + len(self.activation)]
        return super().tap_activation(value + shift)
