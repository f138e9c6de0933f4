"""X^T Y by widely used libraries, in GFLOP/s of 2 N^2 n operations: numpy's OpenBLAS and, if there is an NVIDIA GPU,
torch's cuBLAS without TensorFloat-32. Prints one JSON object.

    python bench/kernels/blas.py SAMPLES NODES[,NODES...]
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import numpy as np
import torch

RUNS = 7


def rate(operations: float, multiply, finish=lambda: None) -> float:
    """GFLOP/s at the median of some runs; the first run starts thread pools and chooses kernels, and is not counted."""
    taken = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        multiply()
        finish()
        taken.append(time.perf_counter() - start)
    return operations / statistics.median(taken[1:]) / 1e9


def main() -> None:
    samples = int(sys.argv[1])
    random = np.random.default_rng(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    rows = []
    for nodes in map(int, sys.argv[2].split(",")):
        operations = 2 * nodes**2 * samples
        x, y = (random.random((samples, nodes)) for _ in range(2))
        row = {"nodes": nodes, "numpy": {}, "cuda": {}}
        for name in ("float32", "float64"):
            a, b = x.astype(name), y.astype(name)
            row["numpy"][name] = rate(operations, lambda: a.T @ b)
            if torch.cuda.is_available():
                c, d = torch.from_numpy(a).cuda(), torch.from_numpy(b).cuda()
                row["cuda"][name] = rate(operations, lambda: c.T @ d, torch.cuda.synchronize)
        rows.append(row)
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    print(json.dumps({"gpu": gpu, "rows": rows}))


main()
