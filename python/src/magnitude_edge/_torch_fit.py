"""A fit computed by torch: the engine gets magnitudes, or channel values, which may also be held here until needed."""

from __future__ import annotations

import collections
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._batches import x_and_y
from ._engine import Engine
from ._held_channels import HeldChannels
from ._loss import engine_loss, loss_name
from ._torch_route import TorchModel, on_host, torch_loss

if TYPE_CHECKING:
    import torch

#: Most bytes in flight to the engine, besides those of one batch.
AHEAD = 32 << 20


@dataclass
class TorchFit:
    """One fit.

    Attributes:
        channels: ``"later"``: channel values are held here until something needs them; ``"now"``: the engine gets them
            instead of magnitudes, as long as it keeps them; ``"always"``: even if it does not; ``"never"``.
        held: holds the channel values.
    """

    engine: Engine
    model: TorchModel
    channels: str
    held: HeldChannels

    def run(self, loader: Iterable[Any], crit: Any, *, reset: bool) -> int:
        """Accumulates the batches of a loader.

        Returns:
            The number of samples that the engine holds.
        """
        known = engine_loss(crit)
        said = known.options() if known else {"custom": loss_name(crit)}
        loss = torch_loss(crit, known.name if known else None)
        # Class indices are the only known targets without a number per output node.
        targets = known is not None and known.name != "cross-entropy"
        self._start(said, reset)
        on_their_way: collections.deque[tuple[int, int]] = collections.deque()
        for index, batch in enumerate(loader):
            x, y = x_and_y(batch)
            values = self.model.values(x, y, loss, index=index, targets=targets)
            if self.channels == "later" and not self.held.take(values):
                self.engine.call("endFit")
                self.held.hand_over(self.engine)
                self.channels = "now"
                self._start(said, reset=False)
            on_their_way.append(self._send(values))
            while sum(size for _, size in on_their_way) > AHEAD:
                reply, _ = self.engine.finish(on_their_way.popleft()[0])
                if self.channels == "now" and not reply["channels"]:
                    self.channels = "never"
        for call, _ in on_their_way:
            self.engine.finish(call)
        return int(self.engine.call("endFit")[0]["samples"])

    def _start(self, said: dict[str, Any], reset: bool) -> None:
        if reset:
            self.held.clear()
        started = self.engine.begin("startValues", {"reset": reset, "channelsLater": self.channels == "later", **said})
        if not reset:
            facts, _ = self.engine.finish(started)
            if not facts["channels"] and self.channels != "always":
                self.channels = "never"
        self.held.go_on(0 if reset else facts["samples"])

    def _send(self, values: list[torch.Tensor]) -> tuple[int, int]:
        """Begins the call that sends a batch. Returns the call and its size in bytes."""
        kind = "channels" if self.channels in ("now", "always") else "magnitudes"
        parts = [on_host(part if kind == "channels" else self.model.magnitudes(part)) for part in values]
        call = self.engine.begin("values", {"size": len(parts[0]), "kind": kind}, parts)
        return call, sum(part.nbytes for part in parts)
