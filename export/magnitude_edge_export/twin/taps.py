"""What the twin's forward pass sets aside under a name."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch


@dataclass
class Taps:
    """Values of one forward pass, in the order in which they are computed."""

    pre_norm: list[torch.Tensor] = field(default_factory=list)
    activation: list[torch.Tensor] = field(default_factory=list)
    constants: list[torch.Tensor] = field(default_factory=list)

    def constant(self, value: torch.Tensor) -> torch.Tensor:
        """Cuts the gradient at ``value``. ONNX has no such cut, so the value's name goes into ``stopGradient``,
        and whatever uses it must use what is returned here."""
        value = value.detach()
        self.constants.append(value)
        return value
