"""Every score of the benchmark, in float64, from the channels of a trained model (docs/method.md).

All return ``[source, target]`` matrices. ``f`` and ``u`` are the activation and gradient channels ``[P, n, K]``,
``groups [K]`` the function node of each channel.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import rankdata

CONSTANT = 1e-14


def magnitudes(z: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The l1 norm per node: ``[P, n, N]``."""
    member = (groups[:, None] == np.arange(groups.max() + 1)).astype(float)
    return np.abs(z) @ member


def standardised(x: np.ndarray) -> np.ndarray:
    """Columns centred and divided by their deviation; constant ones are NaN."""
    mean = x.mean(axis=-2, keepdims=True)
    variance = x.var(axis=-2, keepdims=True)
    constant = variance <= CONSTANT * (x**2).mean(axis=-2, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(constant, np.nan, (x - mean) / np.sqrt(variance))


def correlations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Per pair of layers ``[P, N, N]``."""
    x, y = standardised(x), standardised(y)
    return x.swapaxes(1, 2) @ y / x.shape[1]


def mean(pairs: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.nanmean(pairs, axis=0)


def largest(pairs: np.ndarray) -> np.ndarray:
    size = np.where(np.isnan(pairs), -1, np.abs(pairs))
    return np.take_along_axis(pairs, size.argmax(axis=0)[None], axis=0)[0]


def partial(x: np.ndarray, y: np.ndarray, parents: list[np.ndarray], ridge: float = 1e-8) -> np.ndarray:
    """Correlations given the target's known parents, ``[P, N, N]``; relative limits."""
    result = correlations(x, y)
    n = x.shape[1]
    for p in range(len(x)):
        xc, yc = x[p] - x[p].mean(axis=0), y[p] - y[p].mean(axis=0)
        cov, var_x, var_y = xc.T @ xc / n, xc.var(axis=0), yc.var(axis=0)
        for j, given in enumerate(parents):
            if not len(given):
                continue
            k = cov[np.ix_(given, given)] + ridge * np.eye(len(given))
            s_y = xc[:, given].T @ yc[:, j] / n
            try:
                solved = cho_solve(cho_factor(k), np.column_stack([cov[given], s_y]))
            except np.linalg.LinAlgError:
                result[p][:, j] = np.nan
                continue
            weights, alpha = solved[:, :-1], solved[:, -1]
            v_y = var_y[j] - s_y @ alpha
            v_x = var_x - np.einsum("ki,ki->i", cov[given], weights)
            with np.errstate(invalid="ignore", divide="ignore"):
                r = (xc.T @ yc[:, j] / n - cov[:, given] @ alpha) / np.sqrt(np.maximum(v_x, 0) * v_y)
            bad = (v_x <= 1e-12 * var_x) | (not v_y > 1e-12 * var_y[j])
            result[p][:, j] = np.where(bad, np.nan, np.clip(r, -1, 1))
            result[p][given, j] = result[p][j, j] = np.nan
    return result


def regression(x: np.ndarray, y: np.ndarray, lam: float) -> np.ndarray:
    """Ridge regression of all targets on all sources, magnitudes: ``[P, N, N]``, signed."""
    x, y = standardised(x), standardised(y)
    n = x.shape[1]
    result = np.full((len(x), x.shape[2], y.shape[2]), np.nan)
    for p in range(len(x)):
        i, j = ~np.isnan(x[p][0]), ~np.isnan(y[p][0])
        xi = x[p][:, i]
        beta = np.linalg.solve(xi.T @ xi / n + lam * np.eye(i.sum()), xi.T @ y[p][:, j] / n)
        result[p][np.ix_(i, j)] = beta
    return result


def block_norms(b: np.ndarray, rows: np.ndarray, columns: np.ndarray, nodes: int) -> np.ndarray:
    """``||B_ij||_F / sqrt(channels of j left)``; NaN where either side has none left."""
    left, right = np.eye(nodes)[rows], np.eye(nodes)[columns]
    squares = left.T @ b**2 @ right
    counts = right.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = np.sqrt(squares / counts)
    scores[left.sum(axis=0) == 0] = np.nan
    return scores


class ChannelScores:
    """Channel regressions of all targets on all sources, for several lambdas from one eigendecomposition per pair."""

    def __init__(self, f: np.ndarray, u: np.ndarray, groups: np.ndarray):
        self.groups, self.nodes = groups, int(groups.max()) + 1
        self.f = standardised(f)
        self.u = u
        self.n = f.shape[1]

    def pair(self, p: int, lambdas) -> list[np.ndarray]:
        size = np.sqrt((self.u[p] ** 2).mean(axis=0))
        return self._solve(self.f[p], self.u[p], size, lambdas, self.n)

    def per_pair(self, lambdas) -> np.ndarray:
        """``[lambdas, P, N, N]``."""
        return np.stack([self.pair(p, lambdas) for p in range(len(self.f))], axis=1)

    def pooled(self, lambdas) -> list[np.ndarray]:
        """One regression over the observations of all pairs."""
        f = self.f.reshape(-1, self.f.shape[2])
        f = np.where(np.isnan(f), 0, f)
        size = np.sqrt((self.u**2).mean(axis=(0, 1)))
        missing = np.isnan(self.f[:, 0]).all(axis=0)
        f[:, missing] = np.nan
        return self._solve(f, self.u.reshape(-1, self.u.shape[2]), size, lambdas, len(f))

    def _solve(self, f, u, size, lambdas, n) -> list[np.ndarray]:
        left, right = ~np.isnan(f[0]), size > 0
        f, u = f[:, left], u[:, right] / size[right]
        if f.shape[1] <= n:
            values, vectors = np.linalg.eigh(f.T @ f / n)
            inner, outer = vectors.T @ (f.T @ u / n), vectors
        else:
            values, vectors = np.linalg.eigh(f @ f.T / n)
            inner, outer = vectors.T @ u / n, f.T @ vectors
        return [
            block_norms(outer @ (inner / (values + lam)[:, None]), self.groups[left], self.groups[right], self.nodes)
            for lam in lambdas
        ]


def root_mean_square(pairs: np.ndarray) -> np.ndarray:
    """``[..., P, N, N]`` over the pairs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.sqrt(np.nanmean(pairs**2, axis=-3))


def ranks(x: np.ndarray) -> np.ndarray:
    """Average ranks over samples, for Spearman's correlation."""
    return rankdata(x, axis=1)


def pooled(x: np.ndarray) -> np.ndarray:
    """The observations of all pairs of layers as those of one, each pair standardised by itself."""
    z = standardised(x)
    return np.where(np.isnan(z), 0, z).reshape(1, -1, x.shape[2])
