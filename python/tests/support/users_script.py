"""What a user runs today; the test changes only the import line."""

import pickle
import sys

import torch
from torch.utils.data import DataLoader, TensorDataset

from pyg_gsnn import PygGSNN
from torch_inferer import MagnitudeEdgeInferer
from variants import build, sample


def weighted(prediction, target):
    return ((prediction - target) ** 2 * torch.tensor([3.0, 0.1, 1.0])).mean()


if __name__ == "__main__":
    variant, loss, path = sys.argv[1:]
    reference, data = build(variant)
    model = PygGSNN(reference)
    crit = {"none": None, "mse": torch.nn.MSELoss(), "weighted": weighted}[loss]
    loader = DataLoader(TensorDataset(*sample(data, 300)), batch_size=64)
    positives = [("gene_0", "gene_1"), ("gene_4", "gene_2"), ("gene_0", "gene_2"), ("gene_0", "gene_1")]
    results = {}

    inferer = MagnitudeEdgeInferer(model, data, reduction="l1", use_pre_norm=True)
    results["samples"] = inferer.fit(loader, crit, "cpu", verbose=False)
    for score in ("corr", "partial"):
        for layer_agg in ("mean", "max"):
            results[score, layer_agg] = inferer.evaluate(layer_agg=layer_agg, exclude_self=True, score=score)
    results["positional"] = inferer.evaluate("max", False, "partial", 1e-6)
    results["ranking"] = MagnitudeEdgeInferer.evaluate_target_ranking(results["corr", "mean"], positives)
    results["ranking of pairs"] = inferer.evaluate_target_ranking(
        results["partial", "max"], positives, score_col="corr_a0_g1", top_k=(1, 2)
    )
    inferer.reset_stats()
    results["again"] = inferer.fit(dataloader=[next(iter(loader))], crit=crit, device="cpu", verbose=True)
    results["fewer"] = inferer.evaluate()

    other = MagnitudeEdgeInferer(model, data, "l2", False)
    other.fit(loader)
    results["l2"] = other.evaluate()
    with open(path, "wb") as file:
        pickle.dump(results, file)
