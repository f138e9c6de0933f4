"""Scores at the level of magnitudes, in float64 (docs/method.md): ``x`` and ``y`` are ``[P, n, N]``, scores
``[source, target]``."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import rankdata

CONSTANT = 1e-14


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
    """Ridge regression of all targets on all sources, on magnitudes: ``[P, N, N]``, signed."""
    x, y = standardised(x), standardised(y)
    n = x.shape[1]
    result = np.full((len(x), x.shape[2], y.shape[2]), np.nan)
    for p in range(len(x)):
        i, j = ~np.isnan(x[p][0]), ~np.isnan(y[p][0])
        xi = x[p][:, i]
        beta = np.linalg.solve(xi.T @ xi / n + lam * np.eye(i.sum()), xi.T @ y[p][:, j] / n)
        result[p][np.ix_(i, j)] = beta
    return result


def regression_t(x: np.ndarray, y: np.ndarray, lam: float) -> np.ndarray:
    """The same divided by its standard errors, from ``sigma^2 / n A C A`` with ``A = (C + lam I)^-1``."""
    x, y = standardised(x), standardised(y)
    n = x.shape[1]
    result = np.full((len(x), x.shape[2], y.shape[2]), np.nan)
    for p in range(len(x)):
        i, j = ~np.isnan(x[p][0]), ~np.isnan(y[p][0])
        c = x[p][:, i].T @ x[p][:, i] / n
        r = x[p][:, i].T @ y[p][:, j] / n
        a = np.linalg.inv(c + lam * np.eye(len(c)))
        beta = a @ r
        residual = 1 - 2 * (beta * r).sum(axis=0) + (beta * (c @ beta)).sum(axis=0)
        result[p][np.ix_(i, j)] = beta / np.sqrt(np.outer(np.diag(a @ c @ a), residual) / n)
    return result


def ranks(x: np.ndarray) -> np.ndarray:
    """Average ranks over samples, for Spearman's correlation."""
    return rankdata(x, axis=1)


def pooled(x: np.ndarray) -> np.ndarray:
    """The observations of all pairs of layers as those of one, each pair standardised separately."""
    z = standardised(x)
    return np.where(np.isnan(z), 0, z).reshape(1, -1, x.shape[2])
