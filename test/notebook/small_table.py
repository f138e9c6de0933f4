"""Edge tables for the tests of the widget: all ordered pairs of some nodes, best first."""

import numpy as np
import pandas as pd


def table_of(nodes: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    source, target = np.nonzero(~np.eye(nodes, dtype=bool))
    order = rng.permutation(len(source))
    source, target = source[order], target[order]
    frame = pd.DataFrame(
        {
            "src_func": [f"n{k}" for k in source],
            "dst_func": [f"n{k}" for k in target],
            "src_idx": source,
            "dst_idx": target,
            "corr": np.sort(rng.uniform(-1, 1, len(source)))[::-1],
            "has_edge": rng.random(len(source)) < 0.1,
            "p_value": rng.random(len(source)),
        }
    )
    frame["q_value"] = frame["p_value"]
    frame.attrs = {"score": "corr", "layerAgg": "mean", "n": "100"}
    return frame
