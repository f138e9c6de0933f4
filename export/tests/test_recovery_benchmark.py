"""The recovery benchmark runs with the current exporter; its figures are those of ``magnitude-edge rank``."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _benchmark_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "bench" / "recovery"))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        path = getattr(sys.modules[name], "__file__", None)
        if path is not None and Path(path).parent == ROOT / "bench" / "recovery":
            del sys.modules[name]


@pytest.mark.parametrize("module", ["run", "retrain", "report", "model_file"])
def test_every_script_finds_what_it_imports(module):
    assert callable(importlib.import_module(module).main)


def test_figures_are_those_of_scikit_learn_and_leave_out_pairs_without_a_score():
    of = json.loads((ROOT / "test" / "fixtures" / "recovery" / "figures.json").read_text())
    scores = np.array(of["scores"], dtype=float)
    positives = np.array(of["positives"])
    # Held-out edges do not count as known.
    known = np.array([edge for edge in of["edges"] if edge not in of["positives"]])
    found = importlib.import_module("figures").recovery(scores, known, positives)
    right = of["figures"]
    names = {
        "auc": "auc",
        "ap": "average_precision",
        "mrr": "mrr_by_target",
        "mrr_by_source": "mrr_by_source",
    }
    for ours, theirs in {**names, "median_rank": "median_rank_by_target"}.items():
        assert found[ours] == pytest.approx(right[theirs], rel=1e-12)
    # The fixture's value is the mean over many random orders.
    assert found["early"] == pytest.approx(right["early_precision"], abs=1e-3)
    assert found["missing"] == len(positives) - of["scoredPositives"]
    possible = ~np.eye(len(scores), dtype=bool)
    possible[tuple(known.T)] = False
    assert found["unscored"] == (possible & np.isnan(scores)).sum() == possible.sum() - of["pairs"]


def test_a_small_network_is_drawn_trained_and_scored(tmp_path, monkeypatch):
    """A whole run, with little training."""
    run, networks = importlib.import_module("run"), importlib.import_module("networks")
    monkeypatch.setattr(importlib.import_module("training"), "MODELS", tmp_path)
    # Seed 1: neither permuted graphs nor GRNBoost2.
    setting = networks.Setting("tiers", 24, seed=1, samples=300, trained=0.02)
    result = run.measure(setting)
    figures = result["figures"]["channel mean 3"]
    assert 0 <= figures["auc"] <= 1
    assert figures["missing"] == 0
    assert figures["unscored"] > 0
    assert "channel mean 3" in result["known_auc"]
    assert "partial mean" not in result["known_auc"]
