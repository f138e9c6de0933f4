"""A straight numpy/pandas port of docs/method.md, as people run the method today: the baseline for the library.

Products of each batch in single precision, sums in double, scores column by column, and one dict per row of the table.
Written for readability, not for speed; nothing is slow on purpose.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import erfc

EPS = 1e-12


class Port:
    """Sufficient statistics of N function nodes and P layer pairs, and the edge table computed from them."""

    def __init__(self, names: list[str], pairs: int, edges: list[tuple[int, int]]):
        self.names, self.pairs, n = names, pairs, len(names)
        self.edges = {(names[i], names[j]) for i, j in edges}
        self.parents = [np.array(sorted({i for i, k in edges if k == j and i != j}), dtype=int) for j in range(n)]
        self.n = 0
        self.sum_x, self.sum_y, self.sum_x2, self.sum_y2 = (np.zeros((pairs, n)) for _ in range(4))
        self.sum_xy, self.sum_xx = (np.zeros((pairs, n, n)) for _ in range(2))

    def update(self, x: np.ndarray, y: np.ndarray) -> None:
        """Adds a batch of float32 magnitudes, ``[P, B, N]`` each."""
        self.n += x.shape[1]
        for p in range(self.pairs):
            a, g = x[p], y[p]
            self.sum_x[p] += a.sum(axis=0)
            self.sum_y[p] += g.sum(axis=0)
            self.sum_x2[p] += (a**2).sum(axis=0)
            self.sum_y2[p] += (g**2).sum(axis=0)
            self.sum_xy[p] += a.T @ g
            self.sum_xx[p] += a.T @ a

    def _moments(self, p: int):
        mean_x, mean_y = self.sum_x[p] / self.n, self.sum_y[p] / self.n
        var_x = np.maximum(self.sum_x2[p] / self.n - mean_x**2, 0)
        var_y = np.maximum(self.sum_y2[p] / self.n - mean_y**2, 0)
        s_xy = self.sum_xy[p] / self.n - np.outer(mean_x, mean_y)
        return mean_x, var_x, var_y, s_xy

    def correlations(self) -> np.ndarray:
        out = np.empty_like(self.sum_xy)
        for p in range(self.pairs):
            _, var_x, var_y, s_xy = self._moments(p)
            r = s_xy / np.maximum(np.sqrt(np.outer(var_x, var_y)), EPS)
            r[var_x <= EPS, :] = np.nan
            r[:, var_y <= EPS] = np.nan
            out[p] = np.clip(r, -1, 1)
        return out

    def partial_correlations(self, ridge: float = 1e-8) -> np.ndarray:
        out = np.full_like(self.sum_xy, np.nan)
        for p in range(self.pairs):
            mean_x, var_x, var_y, s_xy = self._moments(p)
            s_xx = self.sum_xx[p] / self.n - np.outer(mean_x, mean_x)
            for j, parents in enumerate(self.parents):
                vy = var_y[j]
                if len(parents) == 0:
                    if vy > EPS:
                        r = s_xy[:, j] / np.maximum(np.sqrt(var_x * vy), EPS)
                        out[p, :, j] = np.where(var_x <= EPS, np.nan, np.clip(r, -1, 1))
                    continue
                k = s_xx[np.ix_(parents, parents)] + ridge * np.eye(len(parents))
                try:
                    alpha = np.linalg.solve(k, s_xy[parents, j])
                    explained = np.linalg.solve(k, s_xx[parents, :])
                except np.linalg.LinAlgError:
                    continue
                vy = vy - s_xy[parents, j] @ alpha
                if not np.isfinite(vy) or vy <= EPS:
                    continue
                vx = var_x - np.einsum("ik,ki->i", s_xx[:, parents], explained)
                numerator = s_xy[:, j] - s_xx[:, parents] @ alpha
                r = np.clip(numerator / np.maximum(np.sqrt(np.maximum(vx, 0) * vy), EPS), -1, 1)
                r[(vx <= EPS) | ~np.isfinite(r)] = np.nan
                r[parents] = np.nan
                r[j] = np.nan
                out[p, :, j] = r
        return out

    def evaluate(self, score: str = "corr", ridge: float = 1e-8) -> pd.DataFrame:
        """The edge table of all ordered pairs of different nodes, mean over the layer pairs."""
        per_pair = self.correlations() if score == "corr" else self.partial_correlations(ridge)
        with np.errstate(all="ignore"):
            counted = (~np.isnan(per_pair)).sum(axis=0)
            mean = np.where(counted > 0, np.nansum(per_pair, axis=0) / counted, np.nan)
        rows = []
        for i, source in enumerate(self.names):
            for j, target in enumerate(self.names):
                if i == j:
                    continue
                row = {"src_func": source, "dst_func": target, "src_idx": i, "dst_idx": j, "corr": mean[i, j],
                       "has_edge": (source, target) in self.edges}
                if score == "partial":
                    row["n_cond"] = len(self.parents[j])
                for p in range(self.pairs):
                    row[f"corr_a{p}_g{p + 1}"] = per_pair[p, i, j]
                rows.append(row)
        table = pd.DataFrame(rows)
        conditioned = table["n_cond"].to_numpy() if score == "partial" else 0
        table["p_value"] = p_values(table["corr"].to_numpy(), self.n, conditioned)
        table["q_value"] = benjamini_hochberg(table["p_value"].to_numpy())
        return table.sort_values("corr", ascending=False, na_position="last", kind="stable").reset_index(drop=True)


def p_values(r: np.ndarray, n: int, conditioned) -> np.ndarray:
    df = n - 3 - np.broadcast_to(conditioned, r.shape)
    z = np.arctanh(np.clip(r, -0.9999, 0.9999)) * np.sqrt(np.maximum(df, 1))
    p = 0.5 * erfc(z / np.sqrt(2))
    return np.where(np.isnan(r) | (df < 2), 1.0, p)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    order = np.argsort(p)
    stepped = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.empty_like(p)
    q[order] = np.clip(np.minimum.accumulate(stepped[::-1])[::-1], 0, 1)
    return q
