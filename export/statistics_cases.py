"""Raw magnitudes to test accumulators and score kernels with: easy ones and numerically hard ones.

Every case is a dict with ``x``, ``y`` float32 ``[P, n, N]``, ``parents`` (one ascending array per target),
``ridge`` and ``variance_floor``. Scores are computed in float64 from the float32 values.
"""

from __future__ import annotations

import numpy as np

import oracle


def base(seed: int, pairs: int = 2, n: int = 300, nodes: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Correlated positive magnitudes: x mixes shared factors, each y depends on a few x."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(pairs, n, 6))
    x = np.abs(factors @ rng.normal(size=(6, nodes)) + 0.7 * rng.normal(size=(pairs, n, nodes))) + 0.2
    weights = rng.normal(size=(nodes, nodes)) * (rng.uniform(size=(nodes, nodes)) < 0.15)
    return x, np.abs(x @ weights + 0.8 * rng.normal(size=(pairs, n, nodes))) + 0.1


def random_parents(seed: int, nodes: int, most: int) -> list[np.ndarray]:
    """0 to ``most`` parents per target, never itself."""
    rng = np.random.default_rng(seed)
    return [
        np.sort(rng.choice(np.delete(np.arange(nodes), j), rng.integers(0, most + 1), replace=False))
        for j in range(nodes)
    ]


def case(x, y, parents, ridge: float = 1e-8, variance_floor: float | None = None) -> dict:
    return {
        "x": x.astype(np.float32),
        "y": y.astype(np.float32),
        "parents": parents,
        "ridge": ridge,
        "variance_floor": variance_floor,
    }


def well_conditioned() -> dict:
    return case(*base(1), random_parents(1, 24, 5))


def no_parents() -> dict:
    return case(*base(2, n=200), [np.array([], np.int64)] * 24)


def hub() -> dict:
    """One target with 30 parents, one with none, the rest few: N = 40."""
    parents = random_parents(3, 40, 3)
    parents[7] = np.sort(np.random.default_rng(3).choice(np.delete(np.arange(40), 7), 30, replace=False))
    parents[8] = np.array([], np.int64)
    return case(*base(3, n=400, nodes=40, pairs=1), parents)


def large_mean() -> dict:
    """mean / sd = 1000 in every column."""
    x, y = base(4)
    spread = [(side - side.mean(axis=1, keepdims=True)) / side.std(axis=1, keepdims=True) for side in (x, y)]
    return case(*(1000 + side for side in spread), random_parents(4, 24, 4))


def ill_conditioned() -> dict:
    """Sets of three parents whose covariance has condition number 1e6: two of them almost equal."""
    x, y = base(5)
    rng = np.random.default_rng(5)
    parents = random_parents(5, 24, 3)
    for j, (a, b, c) in {3: (0, 1, 2), 10: (5, 6, 7), 20: (11, 12, 13)}.items():
        x[:, :, [a, c]] += 2
        deviation = x[:, :, a].std(axis=1, keepdims=True)
        x[:, :, b] = x[:, :, a] + 2e-3 * deviation * rng.normal(size=x.shape[:2])
        parents[j] = np.array([a, b, c])
    return case(x, y, parents, ridge=0.0)


def constant_nodes() -> dict:
    """Sources, targets and parents that never vary, some of them zero."""
    x, y = base(6, n=200)
    x[:, :, 4], x[0, :, 9], y[:, :, 11], y[1, :, 2] = 3.25, 0.0, 0.0, 7.5
    parents = random_parents(6, 24, 4)
    parents[15] = np.array([4, 8])
    parents[16] = np.array([9])
    return case(x, y, parents)


def duplicate_parents(ridge: float) -> dict:
    """Two parents with the same column: a ridge makes the covariance regular; without it the target is
    NaN."""
    x, y = base(7, n=200)
    x[:, :, 6] = x[:, :, 5]
    parents = random_parents(7, 24, 3)
    parents[12] = np.array([5, 6])
    parents[13] = np.array([1, 5, 6])
    return case(x, y, parents, ridge)


def few_samples() -> dict:
    """n = 6: degrees of freedom below two for targets with two parents and more."""
    return case(*base(8, n=6, nodes=12), random_parents(8, 12, 3))


def explained_target() -> dict:
    """A target that is an exact multiple of its only parent: nothing is left to explain, so the column is
    NaN."""
    x, y = base(9, n=200)
    y[:, :, 9] = 2 * x.astype(np.float32)[:, :, 3]
    parents = random_parents(9, 24, 3)
    parents[9] = np.array([3])
    return case(x, y, parents, ridge=0.0)


def units(variance_floor: float | None = None) -> dict:
    """Gradient magnitudes from 1e-30 to 1e17, activations from 1e-9, constant only under a floor; and nodes
    that vary in their last digits alone, which count as constant in every unit."""
    x, y = base(10, n=150, nodes=24)
    x[:, :, :6] *= 1e-9
    y *= 10.0 ** (2 * np.arange(24) - 30)
    x[:, :, 8] = 3 * (1 + 5e-8 * (np.arange(150) % 2))
    y[:, :, [3, 20]] = y[:, :1, [3, 20]] * (1 + 5e-8 * (np.arange(150) % 2)[:, None])
    y[0, :, 5] = np.where(np.arange(150) < 100, 0, y[0, :, 5])
    return case(x, y, random_parents(10, 24, 3), variance_floor=variance_floor)


CASES = {
    "well-conditioned": well_conditioned,
    "no-parents": no_parents,
    "hub-parents": hub,
    "mean-sd-1e3": large_mean,
    "condition-1e6": ill_conditioned,
    "constant-nodes": constant_nodes,
    "duplicate-parents-ridge": lambda: duplicate_parents(1e-8),
    "duplicate-parents-no-ridge": lambda: duplicate_parents(0.0),
    "few-samples": few_samples,
    "explained-target": explained_target,
    "units": units,
    "units-floor": lambda: units(1e-12),
}


def solved(raw: dict) -> dict[str, np.ndarray]:
    """The case with the oracle's results, as arrays for one npz file; see test/fixtures/README.md."""
    x, y = raw["x"].astype(np.float64), raw["y"].astype(np.float64)
    parents, n = raw["parents"], x.shape[1]
    n_cond = np.array([len(s) for s in parents], np.int32)
    floor = raw["variance_floor"]
    corr = np.stack([oracle.correlation(*pair, floor) for pair in zip(x, y, strict=True)])
    partial = np.stack(
        [oracle.partial_correlation(*pair, parents, raw["ridge"], floor) for pair in zip(x, y, strict=True)]
    )
    arrays = {
        "x": raw["x"],
        "y": raw["y"],
        "ridge": np.array([raw["ridge"]]),
        **({} if floor is None else {"variance_floor": np.array([floor])}),
        "n_cond": n_cond,
        "parents": np.concatenate(parents).astype(np.int32),
        "parent_offsets": np.concatenate([[0], np.cumsum(n_cond)]).astype(np.int32),
        "corr": corr,
        "partial": partial,
    }
    for name, scores, conditions in (("corr", corr, 0), ("partial", partial, n_cond)):
        for how in ("mean", "max"):
            arrays[f"{name}_{how}"] = oracle.aggregate(scores, how)
            arrays[f"p_{name}_{how}"] = oracle.p_values(arrays[f"{name}_{how}"], n, conditions)
    return arrays
