"""Channel values of the samples of a fit, which wait here until something needs them: most scores do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._engine import Engine

if TYPE_CHECKING:
    import torch

#: Bytes that may wait: as many as the engine keeps.
ROOM = 1 << 30


class HeldChannels:
    """Values of samples whose magnitudes the engine has, in their order, after those that it has the values of."""

    def __init__(self) -> None:
        self._batches: list[list[torch.Tensor]] = []
        self._bytes = 0
        self._before = 0

    def go_on(self, before: int) -> None:
        """Further samples come, after so many that the engine has."""
        if not self._batches:
            self._before = before

    def take(self, values: Sequence[torch.Tensor]) -> bool:
        """Keeps the values of one batch, ``[batch, channels]`` each. Returns whether they had room."""
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
        """The engine has so many samples in all: batches after them were refused."""
        rows = samples - self._before
        for at, (part, *_) in enumerate(self._batches):
            if rows <= 0:
                del self._batches[at:]
                return
            rows -= len(part)

    def hand_over(self, engine: Engine) -> None:
        """Gives the engine the values, and keeps none."""
        from ._torch_route import on_host

        batches, self._batches, self._bytes = self._batches[::-1], [], 0
        while batches:
            parts = [on_host(part) for part in batches.pop()]
            engine.call("channelValues", {"size": len(parts[0])}, parts)
