"""Writes the fixtures of the TypeScript tests: exports and float64 goldens. Deterministic; run it from anywhere.

    python export/make_fixtures.py [--only NAME ...]

What is written is described in test/fixtures/README.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from variants import VARIANTS, build, sample

from magnitude_edge_export import export_gsnn
from magnitude_edge_export.capture import capture

FIXTURES = Path(__file__).resolve().parent.parent / "test" / "fixtures"
BATCH_SIZES = (5, 1, 3)
LOSSES = {"mse": torch.nn.functional.mse_loss, "l1": torch.nn.functional.l1_loss}
#: Variants written once more through the TorchScript exporter.
TORCHSCRIPT = ("layer-elu", "none-gelu-mlp", "layer-elu-ragged", "attention-signed")


def golden(model, x: torch.Tensor, y: torch.Tensor, batch_sizes) -> dict[str, np.ndarray]:
    """Outputs, losses, activations and gradients of every block, by torch autograd in float64, batch after batch.

    Returns:
        ``x``, ``y`` float32; ``batch_sizes`` int32; ``yhat`` ``[n, outputs]``; ``loss_mse``, ``loss_l1``
        ``[batches]``; ``pre_{l}``, ``post_{l}``, ``grad_pre_{l}``, ``grad_post_{l}`` (of the mse) and
        ``l1_grad_pre_{l}``, ``l1_grad_post_{l}``, all ``[n, channels]`` float64.
    """
    collected: dict[str, list] = {}
    for xb, yb in zip(x.split(list(batch_sizes)), y.split(list(batch_sizes)), strict=True):
        for loss_name, loss in LOSSES.items():
            batch = capture(model, xb, yb, loss, dtype=torch.float64)
            collected.setdefault(f"loss_{loss_name}", []).append(batch.loss.reshape(1))
            prefix = "" if loss_name == "mse" else "l1_"
            for layer in range(len(batch.pre)):
                collected.setdefault(f"{prefix}grad_pre_{layer}", []).append(batch.grad_pre[layer])
                collected.setdefault(f"{prefix}grad_post_{layer}", []).append(batch.grad_post[layer])
                if loss_name == "mse":
                    collected.setdefault(f"pre_{layer}", []).append(batch.pre[layer])
                    collected.setdefault(f"post_{layer}", []).append(batch.post[layer])
            if loss_name == "mse":
                collected.setdefault("yhat", []).append(batch.yhat)
    arrays = {name: torch.cat(parts).numpy() for name, parts in collected.items()}
    return {"x": x.numpy(), "y": y.numpy(), "batch_sizes": np.array(batch_sizes, np.int32), **arrays}


def write_model(name: str, variant: str, dynamo: bool = True, edge_mask: bool = False) -> None:
    model, data = build(variant)
    folder = FIXTURES / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    written = export_gsnn(model, data, folder / "model.onnx", dynamo=dynamo, edge_mask=edge_mask)
    x, y = sample(data, sum(BATCH_SIZES))
    np.savez(folder / "golden.npz", **golden(model, x, y, BATCH_SIZES))
    print(f"models/{name}: {written.size} bytes")


def jobs() -> dict:
    """Everything this script can write: name -> a function without arguments."""
    todo = {name: lambda name=name: write_model(name, name) for name in VARIANTS}
    for name in TORCHSCRIPT:
        todo[f"{name}-torchscript"] = lambda name=name: write_model(f"{name}-torchscript", name, dynamo=False)
    return todo


def main() -> None:
    torch.set_num_threads(1)
    todo = jobs()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=sorted(todo), metavar="NAME", help="write these alone")
    for name in parser.parse_args().only or todo:
        todo[name]()


if __name__ == "__main__":
    main()
