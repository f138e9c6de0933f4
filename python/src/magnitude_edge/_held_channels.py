"""Channel values of a fit's samples, held here until something needs them: most scores do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._engine import Engine

if TYPE_CHECKING:
    import torch

#: Most bytes held here; the engine keeps as many.
ROOM = 1 << 30


class HeldChannels:
    """Channel values, in sample order, of the samples of which the engine has only magnitudes. They follow the samples
    whose channel values the engine has."""

    def __init__(self) -> None:
        self._batches: list[list[torch.Tensor]] = []
        self._bytes = 0
        self._before = 0

    def go_on(self, before: int) -> None:
        """Further samples follow the ``before`` samples that the engine has."""
        if not self._batches:
            self._before = before

    def take(self, values: Sequence[torch.Tensor]) -> bool:
        """Holds the values of one batch, ``[batch, channels]`` each. Returns whether they fit."""
        size = sum(4 * part.numel() for part in values)
        if self._bytes + size > ROOM:
            return False
        self._batches.append([part.float().cpu() for part in values])
        self._bytes += size
        return True

    def clear(self) -> None:
        self._batches.clear()
        self._bytes = 0

    def forget_after(self, samples: int) -> None:
        """Drops the batches that the engine refused: those after its ``samples`` samples."""
        rows = samples - self._before
        for at, (part, *_) in enumerate(self._batches):
            if rows <= 0:
                del self._batches[at:]
                return
            rows -= len(part)

    def hand_over(self, engine: Engine) -> None:
        """Sends the values to the engine, and keeps none."""
        from ._torch_route import on_host

        batches, self._batches, self._bytes = self._batches[::-1], [], 0
        while batches:
            parts = [on_host(part) for part in batches.pop()]
            engine.call("channelValues", {"size": len(parts[0])}, parts)
