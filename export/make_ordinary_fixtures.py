"""Writes the gradient builder's fixtures that are unrelated to GSNNs: ordinary models and losses.

    python export/make_ordinary_fixtures.py

``test/fixtures/ordinary/<model>/model.onnx`` (torch.onnx.export, dynamic batch) and ``golden.npz``:
``input``, ``target`` float32, ``output``, ``loss``, ``grad_input`` and ``grad:<parameter>`` float64, by torch
autograd in float64. ``test/fixtures/losses/losses.npz``: predictions, targets and for each loss its value and
gradient.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

FIXTURES = Path(__file__).resolve().parent.parent / "test" / "fixtures"


class TransformerBlock(nn.Module):
    """Pre-norm multi-head self-attention with a causal mask, and a GELU feed-forward part."""

    def __init__(self, width: int = 16, heads: int = 4):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        split = self.qkv(self.norm1(x)).reshape(batch, length, 3, self.heads, width // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4).unbind(0)
        scores = torch.einsum("bhid,bhjd->bhij", q, k) / (width // self.heads) ** 0.5
        later = torch.triu(torch.ones(length, length, dtype=torch.bool), 1)
        mixed = scores.masked_fill(later, -1e9).softmax(-1) @ v
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


def models() -> dict[str, tuple[nn.Module, torch.Tensor]]:
    mlp = nn.Sequential(
        nn.Linear(6, 12), nn.SiLU(), nn.BatchNorm1d(12), nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 3)
    )
    cnn = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(6),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, stride=2, padding=1, groups=2),
        nn.LeakyReLU(0.1),
        nn.AvgPool2d(3, 2, 1),
        nn.ConvTranspose2d(8, 4, 2, stride=2),
        nn.Hardswish(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 5),
        nn.LogSoftmax(-1),
    )
    return {
        "mlp": (mlp, torch.randn(7, 6)),
        "cnn": (cnn, torch.randn(3, 2, 12, 10)),
        "transformer": (TransformerBlock(), torch.randn(2, 5, 16)),
    }


def forget_stack_traces(path: Path) -> None:
    """Drops the stack trace that the exporter records for each node: it holds paths of one machine."""
    model = onnx.load(path)
    for nodes in (model.graph.node, *(function.node for function in model.functions)):
        for node in nodes:
            kept = [entry for entry in node.metadata_props if not entry.key.endswith("stack_trace")]
            del node.metadata_props[:]
            node.metadata_props.extend(kept)
    onnx.save(model, path)


def write_model(name: str, model: nn.Module, x: torch.Tensor) -> None:
    folder = FIXTURES / "ordinary" / name
    folder.mkdir(parents=True, exist_ok=True)
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 1.5)
    # Exporters merge equal parameters: make all of them differ.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.eval()
    torch.onnx.export(
        model,
        (x,),
        folder / "model.onnx",
        dynamo=True,
        input_names=["input"],
        output_names=["output"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        external_data=False,
        verbose=False,
    )
    forget_stack_traces(folder / "model.onnx")
    model, wide = model.double(), x.double().requires_grad_()
    yhat = model(wide)
    target = torch.randn(yhat.shape)
    loss = F.mse_loss(yhat, target.double())
    loss.backward()
    gradients = {f"grad:{key}": value.grad.numpy() for key, value in model.named_parameters()}
    np.savez(
        folder / "golden.npz",
        input=x.numpy(),
        target=target.numpy(),
        loss=loss.detach().numpy(),
        output=yhat.detach().numpy(),
        grad_input=wide.grad.numpy(),
        **gradients,
    )


def write_losses() -> None:
    prediction = 2 * torch.randn(6, 4)
    targets = {"values": 2 * torch.randn(6, 4), "probabilities": torch.rand(6, 4).softmax(-1)}
    labels, weights = torch.randint(0, 4, (6,)), torch.tensor([0.5, 2.0, 1.0, 0.0])
    missing = torch.rand(6, 4) < 0.3
    missing_rows = torch.tensor([False, True, False, False, True, False])
    arrays = {
        "prediction": prediction.numpy(),
        "labels": labels.numpy(),
        "weights": weights.numpy(),
        "missing": missing.numpy().astype(np.float32),
        "missing_rows": missing_rows.numpy().astype(np.float32),
        **{key: value.numpy() for key, value in targets.items()},
    }

    def record(name: str, loss) -> None:
        wide = prediction.double().requires_grad_()
        value = loss(wide)
        value.backward()
        arrays[f"loss:{name}"], arrays[f"grad:{name}"] = value.detach().numpy(), wide.grad.numpy()

    elementwise = {
        "mse": F.mse_loss,
        "l1": F.l1_loss,
        "huber": F.huber_loss,
        "bce-with-logits": F.binary_cross_entropy_with_logits,
    }
    for reduction in ("mean", "sum"):
        reduce = torch.mean if reduction == "mean" else torch.sum
        for name, loss in elementwise.items():
            y = targets["probabilities" if name == "bce-with-logits" else "values"].double()
            record(
                f"{name}:{reduction}",
                lambda p, loss=loss, y=y, reduction=reduction: loss(p, y, reduction=reduction),
            )
            record(
                f"{name}:{reduction}:weights",
                lambda p, loss=loss, y=y, reduce=reduce: reduce(weights * loss(p, y, reduction="none")),
            )
            record(
                f"{name}:{reduction}:missing",
                lambda p, loss=loss, y=y, reduction=reduction: loss(
                    p[~missing], y[~missing], reduction=reduction
                ),
            )
        y, w = targets["probabilities"].double(), weights.double()
        record(
            f"cross-entropy:{reduction}",
            lambda p, y=y, reduction=reduction: F.cross_entropy(p, y, reduction=reduction),
        )
        record(
            f"cross-entropy:{reduction}:weights",
            lambda p, y=y, w=w, reduction=reduction: F.cross_entropy(p, y, w, reduction=reduction),
        )
        record(
            f"cross-entropy:{reduction}:missing",
            lambda p, y=y, reduction=reduction: F.cross_entropy(
                p[~missing_rows], y[~missing_rows], reduction=reduction
            ),
        )
        record(f"cross-entropy:{reduction}:labels", lambda p: F.cross_entropy(p, labels, reduction=reduction))  # noqa: B023
    (FIXTURES / "losses").mkdir(exist_ok=True)
    np.savez(FIXTURES / "losses" / "losses.npz", **arrays)


if __name__ == "__main__":
    torch.manual_seed(0)
    for key, (network, example) in models().items():
        write_model(key, network, example)
    write_losses()
