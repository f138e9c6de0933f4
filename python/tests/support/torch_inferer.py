"""The class that our users have, written straight from the method's page: torch hooks, a loop over nodes, raw sums, one
dictionary per row. Slow and plain, and independent of the package and of the oracle."""

import numpy as np
import pandas as pd
import torch
from scipy.special import erfc


class MagnitudeEdgeInferer:
    def __init__(self, model, data, reduction="l1", use_pre_norm=True):
        self.model, self.reduction, self.use_pre_norm = model, reduction, use_pre_norm
        self.names = list(data.node_names_dict["function"])
        edges = torch.as_tensor(data.edge_index_dict["function", "to", "function"]).cpu().numpy()
        self.edges = set(zip(edges[0].tolist(), edges[1].tolist(), strict=True))
        groups = torch.as_tensor(model.ResBlocks[0].channel_groups)
        self.channels = [torch.nonzero(groups == node).flatten() for node in range(len(self.names))]
        self.reset_stats()

    def reset_stats(self):
        pairs, nodes = len(self.model.ResBlocks) - 1, len(self.names)
        self.n = 0
        self.sum_x, self.sum_y, self.sum_x2, self.sum_y2 = np.zeros((4, pairs, nodes))
        self.sum_xy, self.sum_xx = np.zeros((2, pairs, nodes, nodes))

    def fit(self, dataloader, crit=None, device="cpu", verbose=True):
        self.reset_stats()
        self.model.eval().to(device)
        crit = crit or torch.nn.MSELoss()
        for number, (x, y) in enumerate(dataloader):
            activations, gradients = self._batch(x.to(device), y.to(device), crit)
            self.n += len(x)
            for p in range(len(activations) - 1):
                a, g = activations[p], gradients[p + 1]
                self.sum_x[p] += a.sum(axis=0)
                self.sum_y[p] += g.sum(axis=0)
                self.sum_x2[p] += (a**2).sum(axis=0)
                self.sum_y2[p] += (g**2).sum(axis=0)
                self.sum_xy[p] += a.T @ g
                self.sum_xx[p] += a.T @ a
            if verbose:
                print(f"batch {number}: {self.n} samples")
        return self.n

    def _batch(self, x, y, crit):
        held, hooks = [], []
        for block in self.model.ResBlocks:
            if self.use_pre_norm:
                hooks.append(block.lin_in.register_forward_hook(lambda module, args, out: held.append(out)))
            else:
                hooks.append(block.lin_out.register_forward_pre_hook(lambda module, args: held.append(args[0])))
            if block.lin_in is self.model.ResBlocks[-1].lin_in:
                break  # the remaining blocks share it: one hook sees them all
        loss = crit(self.model(x), y)
        gradients = torch.autograd.grad(loss, held)
        for hook in hooks:
            hook.remove()
        return [self._magnitudes(z) for z in held], [self._magnitudes(g) for g in gradients]

    def _magnitudes(self, values):
        values = values.detach().reshape(len(values), -1).double()
        norm = {"l1": 1, "l2": 2}[self.reduction]
        columns = [torch.linalg.vector_norm(values[:, own], ord=norm, dim=1) for own in self.channels]
        return torch.stack(columns, dim=1).cpu().numpy()

    def evaluate(self, layer_agg="mean", exclude_self=True, score="corr", ridge=1e-8):
        nodes = len(self.names)
        parents = [sorted(i for i, j in self.edges if j == target and i != target) for target in range(nodes)]
        scores = np.stack([self._scores(p, score, parents, ridge) for p in range(len(self.sum_x))])
        rows = []
        for i in range(nodes):
            for j in range(nodes):
                if i == j and exclude_self:
                    continue
                row = {"src_func": self.names[i], "dst_func": self.names[j], "src_idx": i, "dst_idx": j}
                row["corr"] = _aggregate(scores[:, i, j], layer_agg)
                row["has_edge"] = (i, j) in self.edges
                if score == "partial":
                    row["n_cond"] = len(parents[j])
                row |= {f"corr_a{p}_g{p + 1}": scores[p, i, j] for p in range(len(scores))}
                row["p_value"] = p_value(row["corr"], self.n, len(parents[j]) if score == "partial" else 0)
                rows.append(row)
        table = pd.DataFrame(rows)
        table["q_value"] = q_values(table["p_value"].to_numpy())
        order = ["corr", "src_idx", "dst_idx"]
        return table.sort_values(order, ascending=[False, True, True], na_position="last").reset_index(drop=True)

    def _scores(self, p, score, parents, ridge):
        n = self.n
        mean_x, mean_y = self.sum_x[p] / n, self.sum_y[p] / n
        var_x = np.maximum(self.sum_x2[p] / n - mean_x**2, 0)
        var_y = np.maximum(self.sum_y2[p] / n - mean_y**2, 0)
        s_xy = self.sum_xy[p] / n - np.outer(mean_x, mean_y)
        s_xx = self.sum_xx[p] / n - np.outer(mean_x, mean_x)
        no_x = var_x <= 1e-14 * self.sum_x2[p] / n
        no_y = var_y <= 1e-14 * self.sum_y2[p] / n
        result = np.full_like(s_xy, np.nan)
        for j in range(len(var_y)):
            known = parents[j] if score == "partial" else []
            k = s_xx[np.ix_(known, known)] + ridge * np.eye(len(known))
            left_y, weights, singular = var_y[j], np.zeros((0, len(var_x))), False
            if known:
                weights = np.linalg.solve(k, s_xx[known])
                left_y = var_y[j] - s_xy[known, j] @ np.linalg.solve(k, s_xy[known, j])
                pivots = np.diag(np.linalg.cholesky(k)) ** 2
                singular = pivots.min() <= len(known) * 2.0**-52 * k.diagonal().max()
            if no_y[j] or singular or not left_y > 1e-12 * var_y[j]:
                continue
            for i in range(len(var_x)):
                left_x = var_x[i] - s_xx[i, known] @ weights[:, i]
                if no_x[i] or left_x <= 1e-12 * var_x[i] or i in known or (known and i == j):
                    continue
                numerator = s_xy[i, j] - weights[:, i] @ s_xy[known, j]
                result[i, j] = np.clip(numerator / np.sqrt(left_x * left_y), -1, 1)
        return result

    @staticmethod
    def evaluate_target_ranking(res, positive_edges, score_col="corr", top_k=(1, 3, 5)):
        rows = []
        for source, target in sorted(set(positive_edges)):
            candidates = res[(res["dst_func"] == target) & res[score_col].notna()]
            candidates = candidates.sort_values(score_col, ascending=False, kind="stable")
            place = candidates["src_func"].tolist().index(source) if source in set(candidates["src_func"]) else None
            row = {"src_func": source, "dst_func": target}
            row["score"] = np.nan if place is None else candidates[score_col].iloc[place]
            row["rank"] = None if place is None else place + 1
            row["n_candidates"] = len(candidates)
            row["reciprocal_rank"] = 0.0 if place is None else 1 / (place + 1)
            row |= {f"top@{k}": place is not None and place < k for k in top_k}
            rows.append(row)
        detail = pd.DataFrame(rows).astype({"rank": "Int64"})
        summary = {"n_positives": len(detail), "mrr": float(detail["reciprocal_rank"].mean())}
        return detail, summary | {f"top@{k}": float(detail[f"top@{k}"].mean()) for k in top_k}


def _aggregate(scores, how):
    known = scores[~np.isnan(scores)]
    if not len(known):
        return np.nan
    return known.mean() if how == "mean" else known[np.abs(known).argmax()]


def p_value(r, n, conditions):
    df = n - 3 - conditions
    if np.isnan(r) or df < 2:
        return 1.0
    return float(0.5 * erfc(np.arctanh(np.clip(r, -0.9999, 0.9999)) * np.sqrt(max(df, 1)) / np.sqrt(2)))


def q_values(p):
    """Benjamini and Hochberg's, by definition: the minimum, over all p at or above it, of p times m over its rank."""
    return np.array(
        [min(1.0, (p[p >= own] * len(p) / [(p <= other).sum() for other in p[p >= own]]).min()) for own in p]
    )
