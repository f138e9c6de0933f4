"""Magnitude edge inference in plain numpy and scipy: two passes, float64, one formula after the other.

The independent oracle for every faster implementation. Nothing here is streamed, tiled or approximated: first
means, then covariances of centred magnitudes. Symbols: n samples, N function nodes, P adjacent layer pairs;
pair p correlates activation magnitudes of layer p with gradient magnitudes of layer p + 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular
from scipy.special import erfc

from magnitude_edge.export.capture import capture
from magnitude_edge.export.source import function_of_channel

#: A variance at or below this share of the mean of squares is rounding error: the node is constant.
CONSTANT_SHARE = 1e-14
#: A residual variance at or below this share of the variance counts as zero.
EXPLAINED_SHARE = 1e-12


def node_magnitudes(z: np.ndarray, groups: Sequence[int], nodes: int, reduction: str = "l1") -> np.ndarray:
    """``[n, channels]`` to ``[n, nodes]``: the l1 or l2 norm over each node's channels."""
    z, groups = np.asarray(z, np.float64), np.asarray(groups)
    per_channel = {"l1": np.abs, "l2": np.square}[reduction](z)
    sums = np.stack([per_channel[:, groups == node].sum(axis=1) for node in range(nodes)], axis=1)
    return sums if reduction == "l1" else np.sqrt(sums)


def model_magnitudes(
    model, batches: Iterable, *, reduction: str = "l1", use_pre_norm: bool = True, loss=None
):
    """Magnitudes of every layer over all batches, by torch autograd in float64.

    Args:
        batches: ``(x, y)`` tensors ``[batch, inputs]``, ``[batch, outputs]``; the loss is taken per batch.
        loss: a torch loss; default: mean squared error.

    Returns:
        ``(x, y)``, each ``[P, n, N]``: activation magnitudes of layers 0..P-1, gradient magnitudes of layers
        1..P.
    """
    import torch

    groups = function_of_channel(model)
    nodes = max(groups) + 1
    activations, gradients = [], []
    for x, y in batches:
        batch = capture(model, x, y, loss or torch.nn.functional.mse_loss, dtype=torch.float64)
        z, g = (batch.pre, batch.grad_pre) if use_pre_norm else (batch.post, batch.grad_post)
        activations.append([node_magnitudes(layer.numpy(), groups, nodes, reduction) for layer in z[:-1]])
        gradients.append([node_magnitudes(layer.numpy(), groups, nodes, reduction) for layer in g[1:]])
    return tuple(
        np.stack([np.concatenate(layer) for layer in zip(*side, strict=True)])
        for side in (activations, gradients)
    )


def covariance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Covariances of the columns of ``a [n, i]`` and ``b [n, j]``, divided by n: ``[i, j]``."""
    return (a - a.mean(axis=0)).T @ (b - b.mean(axis=0)) / len(a)


def constant(values: np.ndarray, variance_floor: float | None = None) -> np.ndarray:
    """Which columns of ``values [n, N]`` count as constant: ``[N]``. A correlation does not depend on the
    unit, so neither does this, unless a floor replaces the relative limit."""
    if variance_floor is None:
        return values.var(axis=0) <= CONSTANT_SHARE * np.square(values).mean(axis=0)
    return values.var(axis=0) <= variance_floor


def correlation(x: np.ndarray, y: np.ndarray, variance_floor: float | None = None) -> np.ndarray:
    """Pearson correlation of every column of ``x [n, N]`` with every column of ``y [n, N]``: ``[source,
    target]``."""
    unknown = constant(x, variance_floor)[:, None] | constant(y, variance_floor)
    deviations = np.sqrt(np.outer(x.var(axis=0), y.var(axis=0)))
    r = np.clip(covariance(x, y) / np.where(unknown, 1, deviations), -1, 1)
    return np.where(unknown, np.nan, r)


def cholesky(k: np.ndarray) -> np.ndarray | None:
    """The lower factor of ``k [s, s]``; ``None`` if a pivot is at most ``s * 2^-52`` times the largest
    diagonal entry."""
    size = len(k)
    smallest = size * 2.0**-52 * k.diagonal().max()
    factor = np.zeros_like(k)
    for i in range(size):
        pivot = k[i, i] - factor[i, :i] @ factor[i, :i]
        if not pivot > smallest:
            return None
        factor[i, i] = np.sqrt(pivot)
        factor[i + 1 :, i] = (k[i + 1 :, i] - factor[i + 1 :, :i] @ factor[i, :i]) / factor[i, i]
    return factor


def partial_correlation(
    x: np.ndarray,
    y: np.ndarray,
    parents: Sequence[np.ndarray],
    ridge: float = 1e-8,
    variance_floor: float | None = None,
):
    """Correlation of ``x_i`` with ``y_j`` given the parents of j: ``[source, target]``.

    Args:
        x, y: ``[n, N]``.
        parents: per target, its parents (without itself, ascending).
        ridge: added to the diagonal of the parents' covariance.
        variance_floor: replaces the relative limits: no score if a residual variance is at or below it.
    """
    s_xx, s_xy = covariance(x, x), covariance(x, y)
    var_x, var_y = x.var(axis=0), y.var(axis=0)
    plain = correlation(x, y, variance_floor)
    constant_x, constant_y = constant(x, variance_floor), constant(y, variance_floor)
    share, floor = (EXPLAINED_SHARE, 0.0) if variance_floor is None else (0.0, variance_floor)
    out = np.full_like(plain, np.nan)
    for j, s in enumerate(parents):
        if len(s) == 0:
            out[:, j] = plain[:, j]
            continue
        if constant_y[j]:
            continue
        factor = cholesky(s_xx[np.ix_(s, s)] + ridge * np.eye(len(s)))
        if factor is None:
            continue
        w_y = solve_triangular(factor, s_xy[s, j], lower=True)
        w_x = solve_triangular(factor, s_xx[s, :], lower=True)
        vy = var_y[j] - w_y @ w_y
        if not np.isfinite(vy) or vy <= share * var_y[j] + floor:
            continue
        vx = var_x - (w_x**2).sum(axis=0)
        numerator = s_xy[:, j] - w_x.T @ w_y
        unknown = constant_x | (vx <= share * var_x + floor)
        r = np.clip(numerator / np.sqrt(np.where(unknown, 1, vx) * vy), -1, 1)
        r[unknown | ~np.isfinite(r)] = np.nan
        r[s] = np.nan
        r[j] = np.nan
        out[:, j] = r
    return out


def aggregate(scores: np.ndarray, layer_agg: str = "mean") -> np.ndarray:
    """``[P, N, N]`` to ``[N, N]``, NaN scores left out: their mean, or the one of largest magnitude with its
    sign (the first of a tie). NaN if every pair is NaN."""
    known = ~np.isnan(scores)
    count = known.sum(axis=0)
    if layer_agg == "mean":
        total = np.where(known, scores, 0).sum(axis=0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)
    if layer_agg != "max":
        raise ValueError(f"layer_agg is 'mean' or 'max'; got {layer_agg!r}")
    best = np.where(known, np.abs(scores), -1).argmax(axis=0)
    return np.take_along_axis(scores, best[None], axis=0)[0]


def p_values(r: np.ndarray, n: int, n_cond: np.ndarray | int = 0) -> np.ndarray:
    """One-sided p-values of H0 ``r <= 0`` by Fisher's z, from the tail of the normal distribution."""
    df = n - 3 - np.broadcast_to(n_cond, r.shape)
    z = np.arctanh(np.clip(r, -0.9999, 0.9999)) * np.sqrt(np.maximum(df, 1))
    return np.where(np.isnan(r) | (df < 2), 1.0, 0.5 * erfc(z / np.sqrt(2)))


def q_values(p: np.ndarray) -> np.ndarray:
    """Benjamini and Hochberg's step-up false discovery rates."""
    order = np.argsort(p, kind="stable")
    ranked = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.empty_like(p)
    q[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1)
    return q


def parents_of(edges: np.ndarray, nodes: int) -> list[np.ndarray]:
    """Parents of every node from function -> function edges ``[2, edges]``: ascending, unique, without
    itself."""
    source, target = np.asarray(edges, np.int64).reshape(2, -1)
    return [np.unique(source[(target == j) & (source != j)]) for j in range(nodes)]


def edge_table(
    x: np.ndarray,
    y: np.ndarray,
    edges: np.ndarray,
    names: Sequence[str],
    *,
    score: str = "corr",
    layer_agg: str = "mean",
    ridge: float = 1e-8,
    variance_floor: float | None = None,
    exclude_self: bool = True,
) -> pd.DataFrame:
    """The whole method on magnitudes ``x``, ``y`` ``[P, n, N]``: one row per ordered pair, best first.

    Columns as the method names them: src_func, dst_func, src_idx, dst_idx, corr, has_edge, [n_cond],
    corr_a{p}_g{p+1}, p_value, q_value.
    """
    pairs, n, nodes = x.shape
    parents = parents_of(edges, nodes)
    if score == "partial":
        scores = np.stack(
            [partial_correlation(x[p], y[p], parents, ridge, variance_floor) for p in range(pairs)]
        )
    elif score == "corr":
        scores = np.stack([correlation(x[p], y[p], variance_floor) for p in range(pairs)])
    else:
        raise ValueError(f"score is 'corr' or 'partial'; got {score!r}")
    combined = aggregate(scores, layer_agg)
    n_cond = np.array([len(s) for s in parents]) if score == "partial" else np.zeros(nodes, int)

    source, target = (index.ravel() for index in np.indices((nodes, nodes)))
    if exclude_self:
        source, target = source[source != target], target[source != target]
    present = np.zeros((nodes, nodes), bool)
    present[tuple(np.asarray(edges, np.int64).reshape(2, -1))] = True
    labels = pd.Categorical.from_codes(np.arange(nodes), list(names))
    columns = {
        "src_func": labels.take(source),
        "dst_func": labels.take(target),
        "src_idx": source.astype(np.int32),
        "dst_idx": target.astype(np.int32),
        "corr": combined[source, target],
        "has_edge": present[source, target],
    }
    if score == "partial":
        columns["n_cond"] = n_cond[target].astype(np.int32)
    columns |= {f"corr_a{p}_g{p + 1}": scores[p][source, target] for p in range(pairs)}
    columns["p_value"] = p_values(columns["corr"], n, n_cond[target])
    columns["q_value"] = q_values(columns["p_value"])
    return pd.DataFrame(columns).sort_values(
        ["corr", "src_idx", "dst_idx"], ascending=[False, True, True], na_position="last", ignore_index=True
    )


def target_ranking(
    table: pd.DataFrame, positives: Iterable[tuple[str, str]], top_k: Sequence[int] = (1, 3, 5)
):
    """The rank of each positive edge among the scored sources of its target.

    Returns:
        ``(detail, summary)``: a frame with one row per positive edge, and n_positives, mrr and top@k rates.

    Raises:
        ValueError: no positive edges.
    """
    positives = sorted(set(positives))
    if not positives:
        raise ValueError("no positive edges to rank")
    rows = []
    for source, target in positives:
        candidates = table[(table["dst_func"] == target) & table["corr"].notna()]
        place = np.flatnonzero(candidates["src_func"] == source)
        rank = int(place[0]) + 1 if place.size else None
        rows.append(
            {
                "src_func": source,
                "dst_func": target,
                "score": float(candidates["corr"].iloc[rank - 1]) if rank else np.nan,
                "rank": rank,
                "n_candidates": len(candidates),
                "reciprocal_rank": 1 / rank if rank else 0.0,
                **{f"top@{k}": rank is not None and rank <= k for k in top_k},
            }
        )
    detail = pd.DataFrame(rows).astype({"rank": "Int64"})
    summary = {"n_positives": len(detail), "mrr": float(detail["reciprocal_rank"].mean())}
    summary |= {f"top@{k}": float(detail[f"top@{k}"].mean()) for k in top_k}
    return detail, summary


def roc_auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the ROC curve, ties counted half (the Mann-Whitney statistic)."""
    greater = (positive[:, None] > negative[None, :]).mean()
    return float(greater + 0.5 * (positive[:, None] == negative[None, :]).mean())


def held_out_auc(table: pd.DataFrame, held_out: Iterable[tuple[str, str]]) -> float:
    """ROC AUC of held-out edges against pairs that are not edges; excludes kept edges and NaN scores."""
    held_out = set(held_out)
    is_held = np.array([pair in held_out for pair in zip(table["src_func"], table["dst_func"], strict=True)])
    known = table["corr"].notna().to_numpy()
    score = table["corr"].to_numpy()
    return roc_auc(score[is_held & known], score[~is_held & ~table["has_edge"].to_numpy() & known])


def write_arrow(table: pd.DataFrame, path, metadata: dict) -> None:
    """Writes an edge table as an Arrow IPC file; ``metadata`` becomes string schema metadata."""
    import pyarrow as pa

    names = pa.dictionary(pa.int32(), pa.utf8())
    fields = [
        pa.field(c, names if c in ("src_func", "dst_func") else pa.from_numpy_dtype(table[c].dtype))
        for c in table.columns
    ]
    schema = pa.schema(fields, metadata={k: str(v) for k, v in metadata.items()})
    arrays = [
        pa.DictionaryArray.from_arrays(
            pa.array(table[f.name].cat.codes, pa.int32()),
            pa.array(list(table[f.name].cat.categories), pa.utf8()),
        )
        if f.type == names
        else pa.array(table[f.name].to_numpy(), f.type, from_pandas=False)
        for f in fields
    ]
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
