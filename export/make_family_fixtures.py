"""Further scores of magnitudes (docs/method.md: regression, Spearman's correlations, pooled magnitudes), by
numpy and scipy in float64, for some of the cases of test/fixtures/statistics and one with ties."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.stats import norm, spearmanr

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "bench" / "recovery"))
import scores as family  # noqa: E402

STATISTICS = ROOT / "test" / "fixtures" / "statistics"
OUT = ROOT / "test" / "fixtures" / "family"
LAMBDA = 0.3


def spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """scipy's, per pair of layers."""
    nodes = x.shape[2]
    return np.stack([spearmanr(a, b).statistic[:nodes, nodes:] for a, b in zip(x, y, strict=True)])


def errors(x: np.ndarray, y: np.ndarray, size: int) -> np.ndarray:
    """Standard errors of regression scores, sigma^2/size A C A written out; per pair of layers."""
    x, y = family.standardised(x), family.standardised(y)
    result = np.full((len(x), x.shape[2], y.shape[2]), np.nan)
    for p in range(len(x)):
        i, j = ~np.isnan(x[p][0]), ~np.isnan(y[p][0])
        c = np.corrcoef(x[p][:, i].T)
        r = x[p][:, i].T @ y[p][:, j] / x.shape[1]
        a = np.linalg.inv(c + LAMBDA * np.eye(len(c)))
        beta = a @ r
        variance = 1 - 2 * (beta * r).sum(axis=0) + (beta * (c @ beta)).sum(axis=0)
        result[p][np.ix_(i, j)] = np.sqrt(np.outer(np.diag(a @ c @ a), variance) / size)
    return result


def of_largest(values: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Values of the pair of layers with the largest score, the first of a tie."""
    size = np.where(np.isnan(scores), -1, np.abs(scores))
    return np.take_along_axis(values, size.argmax(axis=0)[None], axis=0)[0]


def p_values(scores: np.ndarray, error: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(scores), 1, norm.sf(scores / error))


def solved(x: np.ndarray, y: np.ndarray, parents: list[np.ndarray]) -> dict[str, np.ndarray]:
    n = x.shape[1]
    beta, error = family.regression(x, y, LAMBDA), errors(x, y, n)
    both = family.pooled(x), family.pooled(y)
    rank_x, rank_y = family.ranks(x), family.ranks(y)
    pooled_beta, pooled_error = family.regression(*both, LAMBDA)[0], errors(*both, n)[0]
    return {
        "regression": beta,
        "regression_mean": family.mean(beta),
        "regression_max": family.largest(beta),
        "error_mean": family.mean(error),
        "error_max": of_largest(error, beta),
        "p_mean": p_values(family.mean(beta), family.mean(error)),
        "spearman": spearman(x, y),
        "spearman_partial": family.partial(rank_x, rank_y, parents),
        "spearman_regression": family.regression(rank_x, rank_y, LAMBDA),
        "pooled_corr": family.correlations(*both)[0],
        "pooled_partial": family.partial(*both, parents)[0],
        "pooled_regression": pooled_beta,
        "pooled_error": pooled_error,
    }


def main() -> None:
    OUT.mkdir(exist_ok=True)
    for case in ["well-conditioned", "constant-nodes", "tied"]:
        source = "well-conditioned" if case == "tied" else case
        with np.load(STATISTICS / f"{source}.npz") as arrays:
            given = {name: arrays[name] for name in ["x", "y", "parents", "parent_offsets", "ridge"]}
        if case == "tied":
            for name in ["x", "y"]:
                step = np.std(given[name], axis=1, keepdims=True) / 2
                given[name] = (np.round(given[name] / step) * step).astype(np.float32)
            # Constant in one pair of layers, and in both.
            given["x"][0, :, 3] = given["y"][1, :, 5] = 2
            given["x"][:, :, 7] = given["y"][:, :, 9] = 3
        x, y = given["x"].astype(np.float64), given["y"].astype(np.float64)
        offsets = given["parent_offsets"]
        parents = [given["parents"][a:b] for a, b in pairwise(offsets)]
        np.savez(
            OUT / f"{case}.npz", **given, **{name: v.copy() for name, v in solved(x, y, parents).items()}
        )


if __name__ == "__main__":
    main()
