"""GRNBoost2 (arboreto) on activation magnitudes: the result of a method for expression data.

Each function node is regressed on all others by stochastic gradient boosting with arboreto's own settings; the score of
i -> j is the importance of i for j. Runs without its Dask client, one target after the other.
"""

from __future__ import annotations

import numpy as np


def grnboost(x: np.ndarray) -> np.ndarray:
    """``x [n, N]`` to ``[source, target]``; pairs that arboreto does not name have importance 0."""
    from arboreto.core import DEMON_SEED, EARLY_STOP_WINDOW_LENGTH, SGBM_KWARGS, infer_partial_network

    names = [str(node) for node in range(x.shape[1])]
    score = np.zeros((x.shape[1], x.shape[1]))
    for target in range(x.shape[1]):
        links = infer_partial_network(
            "GBM", SGBM_KWARGS, x, names, names[target], x[:, target], False, EARLY_STOP_WINDOW_LENGTH, DEMON_SEED
        )
        score[links["TF"].astype(int), target] = links["importance"]
    return score
