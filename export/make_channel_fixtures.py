"""Channel values and their scores (docs/method.md, "Channel scores"), by numpy in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np

FIXTURES = Path(__file__).parent.parent / "test" / "fixtures" / "channels"
CONSTANT = 1e-14


def values(seed: int, pairs: int, n: int, sizes: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Correlated activations x, gradients u that depend on a few of them in units far from 1, and the node of
    each channel; a node's channels are not consecutive."""
    rng = np.random.default_rng(seed)
    nodes = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    channels = len(nodes)
    x = rng.normal(size=(pairs, n, 4)) @ rng.normal(size=(4, channels)) + rng.normal(
        size=(pairs, n, channels)
    )
    x = 1.5 + x * rng.uniform(0.1, 5, channels)
    mix = rng.normal(size=(channels, channels)) * (rng.uniform(size=(channels, channels)) < 0.2)
    u = 1e-5 * ((x - x.mean((0, 1))) @ mix + rng.normal(size=(pairs, n, channels)) + 0.5)
    return x.astype(np.float32), u.astype(np.float32), nodes.astype(np.int32)


def regression(f: np.ndarray, u: np.ndarray, lam: float) -> np.ndarray:
    """B = (F'F/n + lambda I)^-1 F'U/n."""
    n = len(f)
    return np.linalg.solve(f.T @ f / n + lam * np.eye(f.shape[1]), f.T @ u / n)


def norms(b: np.ndarray, sources: np.ndarray, targets: np.ndarray, count: int) -> np.ndarray:
    """||B_ij||_F / sqrt(columns of j), NaN if i or j has no column."""
    scores = np.full((count, count), np.nan)
    for i in range(count):
        for j in range(count):
            block = b[np.ix_(sources == i, targets == j)]
            if block.size:
                scores[i, j] = np.linalg.norm(block) / np.sqrt(block.shape[1])
    return scores


def standardized(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centred and divided by the standard deviation, 0 if constant; and which channels vary."""
    kept = x.var(0) > CONSTANT * (x * x).mean(0)
    return np.where(kept, (x - x.mean(0)) / np.where(kept, x.std(0), 1), 0), kept


def solved(x: np.ndarray, u: np.ndarray, nodes: np.ndarray, lam: float = 3.0) -> dict[str, np.ndarray]:
    count = nodes.max() + 1
    pairs = []
    for layer_x, layer_u in zip(x.astype(np.float64), u.astype(np.float64), strict=True):
        f, kept = standardized(layer_x)
        rms = np.sqrt((layer_u**2).mean(0))
        b = regression(f[:, kept], layer_u[:, rms > 0] / rms[rms > 0], lam)
        pairs.append(norms(b, nodes[kept], nodes[rms > 0], count))
    parts = [standardized(layer) for layer in x.astype(np.float64)]
    kept = np.any([varies for _, varies in parts], axis=0)
    f = np.concatenate([part for part, _ in parts])[:, kept]
    all_u = u.astype(np.float64).reshape(-1, u.shape[2])
    rms = np.sqrt((all_u**2).mean(0))
    b = regression(f, all_u[:, rms > 0] / rms[rms > 0], lam)
    squares = np.stack(pairs) ** 2
    there = ~np.isnan(squares)
    with np.errstate(invalid="ignore"):
        mean = np.sqrt(np.where(there, squares, 0).sum(0) / there.sum(0))
    largest = np.where(there.any(0), np.where(there, pairs, -1).max(0), np.nan)
    return {
        "x": x,
        "u": u,
        "nodes": nodes,
        "lambda": np.array([lam]),
        "pairs": np.stack(pairs),
        "mean": mean,
        "max": largest,
        "pooled": norms(b, nodes[kept], nodes[rms > 0], count),
    }


def constant() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Constant activations: a node's in every pair, a node's in the first pair only, one channel of another.
    Zero gradients likewise, and one that is constant but not zero, which counts."""
    x, u, nodes = values(5, 2, 60, [3, 3, 2, 4, 1])
    x[:, :, nodes == 4], x[0][:, nodes == 2] = 0.7, -3.25
    x[0][:, np.flatnonzero(nodes == 3)[0]] = 1e4
    u[:, :, nodes == 1], u[1][:, nodes == 0] = 0, 0
    u[:, :, np.flatnonzero(nodes == 3)[1]] = 0
    u[1][:, np.flatnonzero(nodes == 2)[0]] = 2e-6
    return x, u, nodes


CASES = {
    "more-samples": lambda: solved(*values(1, 3, 90, [3] * 8)),
    "fewer-samples": lambda: solved(*values(2, 2, 17, [3] * 9)),
    "ragged": lambda: solved(*values(3, 2, 40, [1, 4, 2, 7, 3, 1, 5]), lam=0.5),
    "constant-channels": lambda: solved(*constant()),
}


def main() -> None:
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for name, make in CASES.items():
        np.savez(FIXTURES / f"{name}.npz", **make())


if __name__ == "__main__":
    main()
