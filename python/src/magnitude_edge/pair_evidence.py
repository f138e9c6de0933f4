"""The evidence behind the score of one pair, for the explorer: the engine computes it when a view shows that pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import MagnitudeEdgeError

if TYPE_CHECKING:
    from .inferer import MagnitudeEdgeInferer


class PairEvidence:
    """Evidence behind the scores in one table.

    Args:
        inferer: holds the model and the samples behind the table; kept alive by this object.
        attributes: of the table (``frame.attrs``): how it was scored.
    """

    def __init__(self, inferer: MagnitudeEdgeInferer, attributes: Mapping[Any, Any]):
        self._inferer, self._fit = inferer, inferer._fit_number
        self._names = inferer.node_names["function"]
        self._pooled = attributes.get("layerAgg") == "pooled"
        self._lam = attributes.get("lambda")

    def answer(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Facts and bytes. Refusals are reported in the facts.

        Args:
            request: ``what`` is ``"magnitudes"`` or ``"block"``, ``source`` and ``target`` are indices of nodes; a
                block has a ``layerPair``.
        """
        try:
            if self._inferer._fit_number != self._fit:
                raise MagnitudeEdgeError(
                    "invalid-argument", "The samples have changed since this table was made: call explore() again."
                )
            source, target = (self._names[int(request[end])] for end in ("source", "target"))
            if request["what"] == "block":
                return self._block(source, target, request["layerPair"])
            x, y = self._inferer.pair_magnitudes(source, target)
            return {"pairs": len(x)}, np.concatenate([x.ravel(), y.ravel()]).tobytes()
        except MagnitudeEdgeError as error:
            return {"refusal": {"code": error.code, "message": str(error)}}, b""

    def _block(self, source: str, target: str, layer_pair: int | None) -> tuple[dict[str, Any], bytes]:
        options: dict[str, Any] = {} if self._lam is None else {"lambda": float(self._lam)}
        options |= {"layerAgg": "pooled"} if self._pooled else {"layerPair": layer_pair}
        args = {"source": source, "target": target, "options": options}
        result, (values,) = self._inferer._with_channels.call("channelBlock", args)
        return result["blocks"][0], bytes(values)
