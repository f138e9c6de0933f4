"""Scores at the level of channels (docs/method.md), and attempts to improve them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import chi2

from scores import standardised


@dataclass(frozen=True)
class Observations:
    """Regressors ``f [n, K]`` of mean 0 and deviation 1, and responses ``u [n, K]`` of root mean square 1; channels
    that are left out are zero throughout."""

    f: np.ndarray
    u: np.ndarray

    @property
    def used_sources(self) -> np.ndarray:
        return self.f.any(axis=0)

    @property
    def used_targets(self) -> np.ndarray:
        return self.u.any(axis=0)


def unit(u: np.ndarray, axes) -> np.ndarray:
    size = np.sqrt((u**2).mean(axis=axes, keepdims=True))
    return np.divide(u, size, out=np.zeros_like(u), where=size > 0)


def of_pairs(f: np.ndarray, u: np.ndarray) -> list[Observations]:
    """``f, u [P, n, K]``: one regression per layer pair."""
    pairs = zip(f, u, strict=True)
    return [Observations(np.nan_to_num(standardised(fp)), unit(up, 0)) for fp, up in pairs]


def of_all_pairs(f: np.ndarray, u: np.ndarray) -> list[Observations]:
    """One regression over the observations of all layer pairs."""
    channels = f.shape[2]
    f, u = np.nan_to_num(standardised(f)), unit(u, (0, 1))
    return [Observations(f.reshape(-1, channels), u.reshape(-1, channels))]


def weighted(f: np.ndarray, u: np.ndarray, power: float) -> list[Observations]:
    """Per layer pair, samples weighted by the norm of their gradients to the ``power``."""
    pairs = []
    for fp, up in zip(f, unit(u, 1), strict=True):
        norm = np.sqrt((up**2).sum(axis=1))
        weight = np.where(norm > 0, np.maximum(norm, 1e-3 * norm.max()) ** power, 0)
        root = np.sqrt(weight / weight.mean())[:, None]
        mean = (root**2 * fp).mean(axis=0)
        scaled = unit(root * (fp - mean), 0) * np.isfinite(standardised(fp)).all(axis=0)
        pairs.append(Observations(scaled, unit(root * up, 0)))
    return pairs


class Regression:
    """Ridge regression of all of ``u`` on all of ``f``, for any lambda from one eigendecomposition: of ``f'f/n`` or of
    ``ff'/n``, whichever is smaller."""

    def __init__(self, observations: Observations, nodes: int):
        self.observations, self.nodes = observations, nodes
        self.n, channels = observations.f.shape
        self.channels = channels // nodes

    @cached_property
    def gradient(self) -> np.ndarray:
        return self.observations.f.T @ self.observations.u / self.n

    @cached_property
    def decomposition(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Eigenvalues and eigenvectors of ``f'f/n``, and the gradient in their basis."""
        f, n = self.observations.f, self.n
        if f.shape[1] <= n:
            values, vectors = np.linalg.eigh(f.T @ f / n)
            return values, vectors, vectors.T @ self.gradient
        values, left = np.linalg.eigh(f @ f.T / n)
        kept = values > 1e-12 * values[-1]
        values, left = values[kept], left[:, kept]
        scale = np.sqrt(values / n)
        return values, f.T @ left / (n * scale), scale[:, None] * (left.T @ self.observations.u)

    def solution(self, lam: float) -> np.ndarray:
        """``B [K, K]``; for an infinite lambda, lambda times B."""
        if np.isinf(lam):
            return self.gradient
        values, vectors, inner = self.decomposition
        return vectors @ (inner / (values + lam)[:, None])

    def blocks(self, b: np.ndarray) -> np.ndarray:
        """``[N, C, N, C]``"""
        return b.reshape(self.nodes, self.channels, self.nodes, self.channels)

    def without_score(self) -> np.ndarray:
        used = (self.observations.used_sources, self.observations.used_targets)
        sources, targets = (side.reshape(self.nodes, -1).any(axis=1) for side in used)
        return ~np.outer(sources, targets)

    def norms(self, b: np.ndarray) -> np.ndarray:
        """``||B_ij||_F / sqrt(channels of j left)``, NaN if i or j has none left."""
        left = np.maximum(self.observations.used_targets.reshape(self.nodes, -1).sum(axis=1), 1)
        result = np.sqrt((self.blocks(b) ** 2).sum(axis=(1, 3)) / left)
        result[self.without_score()] = np.nan
        return result

    def singular_values(self, b: np.ndarray) -> np.ndarray:
        """The largest singular value of each block, NaN likewise."""
        blocks = self.blocks(b).swapaxes(1, 2)
        result = np.stack([np.linalg.svd(row, compute_uv=False)[:, 0] for row in blocks])
        result[self.without_score()] = np.nan
        return result

    def source_covariances(self, lam: float) -> np.ndarray:
        """``n`` times the covariance of the rows of B under no relation, ``[N, C, C]``: blocks of ``A C A``."""
        values, vectors, _ = self.decomposition
        half = vectors * (np.sqrt(values.clip(0)) / (values + lam))
        half = half.reshape(self.nodes, self.channels, -1)
        return half @ half.swapaxes(1, 2)

    def target_covariances(self) -> np.ndarray:
        """Covariances of the gradient channels of each node, ``[N, C, C]``."""
        u = self.observations.u - self.observations.u.mean(axis=0)
        blocks = u.reshape(self.n, self.nodes, self.channels).transpose(1, 2, 0)
        return blocks @ blocks.swapaxes(1, 2) / self.n

    def wald(self, lam: float) -> tuple[np.ndarray, np.ndarray]:
        """``n tr(D_i^-1 B_ij S_j^-1 B_ij')`` and its degrees of freedom, each ``[N, N]``."""
        left, left_rank = inverse_roots(self.source_covariances(lam))
        right, right_rank = inverse_roots(self.target_covariances())
        b = self.blocks(self.solution(lam)).transpose(0, 2, 1, 3)
        white = left[:, None] @ b @ right[None]
        statistic = self.n * (white**2).sum(axis=(2, 3))
        statistic[self.without_score()] = np.nan
        return statistic, np.outer(left_rank, right_rank)

    def t_values(self, lam: float) -> np.ndarray:
        """B over the standard errors of its entries."""
        errors = [
            np.sqrt(np.diagonal(side, axis1=1, axis2=2).reshape(-1))
            for side in (self.source_covariances(lam), self.target_covariances())
        ]
        error = np.outer(*errors)
        return np.divide(self.solution(lam), error, out=np.zeros_like(error), where=error > 0)


class SingleRegression(Regression):
    """The same with a Cholesky factor per lambda: cheaper for one lambda of many channels. In float32."""

    def __init__(self, observations: Observations, nodes: int):
        single = (side.astype(np.float32) for side in (observations.f, observations.u))
        super().__init__(Observations(*single), nodes)

    def solution(self, lam: float) -> np.ndarray:
        if np.isinf(lam):
            return self.gradient
        f, u, n = self.observations.f, self.observations.u, np.float32(self.n)
        if f.shape[1] <= self.n:
            system = f.T @ f / n + np.float32(lam) * np.eye(f.shape[1], dtype=f.dtype)
            return cho_solve(cho_factor(system, overwrite_a=True), self.gradient)
        system = f @ f.T / n + np.float32(lam) * np.eye(self.n, dtype=f.dtype)
        return f.T @ cho_solve(cho_factor(system, overwrite_a=True), u / n)


def inverse_roots(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pseudo-inverse square roots of symmetric ``[N, C, C]``, and their ranks."""
    values, vectors = np.linalg.eigh(matrices)
    kept = values > 1e-10 * values[:, -1:].clip(1e-300)
    roots = np.where(kept, 1 / np.sqrt(np.where(kept, values, 1)), 0)
    return (vectors * roots[:, None]) @ vectors.swapaxes(1, 2), kept.sum(axis=1)


def wald_p(pairs: list[Regression], lam: float) -> np.ndarray:
    """p of the Wald statistics, combined over the layer pairs by Cauchy's rule."""
    cauchy = []
    for pair in pairs:
        statistic, freedom = pair.wald(lam)
        with np.errstate(invalid="ignore"):
            p = chi2.sf(statistic, freedom).clip(1e-300, 1 - 1e-12)
        cauchy.append(np.where(p < 1e-8, 1 / (np.pi * p), np.tan((0.5 - p) * np.pi)))
    mean = np.nanmean(cauchy, axis=0)
    return np.where(mean > 1e7, 1 / (np.pi * np.maximum(mean, 1)), 0.5 - np.arctan(mean) / np.pi)


def root_mean_square(pairs: list[np.ndarray]) -> np.ndarray:
    """Root mean square over the layer pairs that have a score."""
    count = np.sum([~np.isnan(pair) for pair in pairs], axis=0)
    total = np.sum([np.nan_to_num(pair) ** 2 for pair in pairs], axis=0)
    return np.where(count > 0, np.sqrt(total / np.maximum(count, 1)), np.nan)


def largest(pairs: list[np.ndarray]) -> np.ndarray:
    best = np.max([np.nan_to_num(pair, nan=-1) for pair in pairs], axis=0)
    return np.where(best < 0, np.nan, best)


def product_corrected(score: np.ndarray) -> np.ndarray:
    """Subtracts what the mean scores of a source and a target predict together (the average product correction of
    coupling matrices)."""
    off = np.where(np.eye(len(score), dtype=bool), np.nan, score)
    with np.errstate(invalid="ignore"):
        rows, columns = np.nanmean(off, axis=1, keepdims=True), np.nanmean(off, axis=0, keepdims=True)
    return score - rows * columns / np.nanmean(off)


def divided(score: np.ndarray) -> np.ndarray:
    """Divides by the root mean square of the source's scores and of the target's."""
    off = np.where(np.eye(len(score), dtype=bool), np.nan, score) ** 2
    rows, columns = np.nanmean(off, axis=1, keepdims=True), np.nanmean(off, axis=0, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return score / np.sqrt(rows * columns / np.nanmean(off))
