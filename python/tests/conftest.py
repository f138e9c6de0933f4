"""Paths of the tests' data, and one thread for torch, so that results are reproducible."""

import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "export"))
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def example() -> Path:
    """The folder of the bundled example: model.onnx, data.npz, heldout.csv, expected.json."""
    return ROOT / "demo" / "public" / "example"


@pytest.fixture(scope="session")
def samples(example) -> tuple[np.ndarray, np.ndarray]:
    with np.load(example / "data.npz") as arrays:
        return arrays["x"], arrays["y"]


@pytest.fixture(scope="session")
def loader(samples) -> list[tuple[np.ndarray, np.ndarray]]:
    x, y = samples
    return [(x[k : k + 128], y[k : k + 128]) for k in range(0, len(x), 128)]


@pytest.fixture
def interruptible():
    """SIGINT raises KeyboardInterrupt, even if the tests run in the background of a shell that ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
