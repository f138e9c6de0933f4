"""Writes the fixtures of the TypeScript tests: exports and float64 goldens. Deterministic; run it from
anywhere.

    python export/make_fixtures.py [--only NAME ...]

test/fixtures/README.md describes the files.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

import oracle
from magnitude_edge.export import export_gsnn, export_joint
from magnitude_edge.export.capture import capture
from statistics_cases import CASES, solved
from variants import VARIANTS, build, sample

FIXTURES = Path(__file__).resolve().parent.parent / "test" / "fixtures"
BATCH_SIZES = (5, 1, 3)
LOSSES = {"mse": torch.nn.functional.mse_loss, "l1": torch.nn.functional.l1_loss}
#: Variants also written as joint files, and those with golden edge tables. All are also written through the
#: TorchScript exporter, with the golden of the variant.
JOINT = ("layer-elu", "attention-signed")
EDGES = ("layer-elu", "batch-relu", "layer-elu-ragged")


def golden(model, x: torch.Tensor, y: torch.Tensor, batch_sizes, **inputs) -> dict[str, np.ndarray]:
    """Outputs, losses, activations and gradients of every block, by torch autograd in float64, batch after
    batch.

    Returns:
        ``x``, ``y`` float32; ``batch_sizes`` int32; ``yhat`` ``[n, outputs]``; ``loss_mse``, ``loss_l1``
        ``[batches]``; ``pre_{l}``, ``post_{l}``, ``grad_pre_{l}``, ``grad_post_{l}`` (of the mse) and
        ``l1_grad_pre_{l}``, ``l1_grad_post_{l}``, all ``[n, channels]`` float64.
    """
    collected: dict[str, list] = {}
    for xb, yb in zip(x.split(list(batch_sizes)), y.split(list(batch_sizes)), strict=True):
        for loss_name, loss in LOSSES.items():
            batch = capture(model, xb, yb, loss, dtype=torch.float64, **inputs)
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
    print(f"models/{name}: {written.size} bytes")
    if not dynamo:
        return
    x, y = sample(data, sum(BATCH_SIZES))
    masked = {}
    if edge_mask:
        masked["edge_mask"] = (torch.rand(model.E, generator=torch.Generator().manual_seed(3)) > 0.25).float()
    arrays = golden(model, x, y, BATCH_SIZES, **masked)
    np.savez(folder / "golden.npz", **arrays, **{k: v.numpy() for k, v in masked.items()})


def write_joint(name: str, variant: str) -> None:
    """A joint export (forward, mse and its gradients in one file) with the golden of its variant."""
    model, data = build(variant)
    folder = FIXTURES / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    written = export_joint(model, data, folder / "model.onnx")
    np.savez(folder / "golden.npz", **golden(model, *sample(data, sum(BATCH_SIZES)), BATCH_SIZES))
    print(f"models/{name}: {written.size} bytes")


def edge_options(pre_only: bool) -> list[dict]:
    """The parameters of the golden edge tables: the defaults, then one or more changes at a time."""
    default = {
        "score": "corr",
        "layerAgg": "mean",
        "reduction": "l1",
        "usePreNorm": True,
        "ridge": 1e-8,
        "loss": "mse",
        "excludeSelf": True,
    }
    changes = [
        {},
        {"layerAgg": "max"},
        {"reduction": "l2"},
        {"layerAgg": "max", "reduction": "l2"},
        {"loss": "l1"},
        {"excludeSelf": False},
    ]
    changes += [] if pre_only else [{"usePreNorm": False}, {"usePreNorm": False, "reduction": "l2"}]
    both = [{**default, "score": score, **change} for score in ("corr", "partial") for change in changes]
    return [
        *both,
        {**default, "score": "partial", "ridge": 0.0},
        {**default, "score": "partial", "ridge": 0.1},
    ]


def edge_file(options: dict) -> str:
    """``edges-corr.arrow`` for the defaults, else a name that states the changes."""
    default = edge_options(True)[0]
    words = {
        "layerAgg": "{}",
        "reduction": "{}",
        "usePreNorm": "post",
        "ridge": "ridge-{}",
        "loss": "loss-{}",
        "excludeSelf": "with-self",
    }
    said = [word.format(options[name]) for name, word in words.items() if options[name] != default[name]]
    return "-".join(["edges", options["score"], *said]) + ".arrow"


def write_edges(name: str, batch_sizes=(32, 32, 32, 11)) -> None:
    """Golden edge tables of one model, from torch float64 gradients and the oracle; ``edges.json`` lists
    them."""
    model, data = build(name)
    folder = FIXTURES / "models" / name
    x, y = sample(data, sum(batch_sizes), seed=2)
    np.savez(folder / "edges-data.npz", x=x.numpy(), y=y.numpy(), batch_sizes=np.array(batch_sizes, np.int32))
    batches = list(zip(x.split(list(batch_sizes)), y.split(list(batch_sizes)), strict=True))
    edges = data.edge_index_dict["function", "to", "function"].numpy()
    names = data.node_names_dict["function"]
    pre_only = model.norm not in ("batch", "groupbatch", "none")
    index = []
    for options in edge_options(pre_only):
        magnitudes = oracle.model_magnitudes(
            model,
            batches,
            reduction=options["reduction"],
            use_pre_norm=options["usePreNorm"],
            loss=LOSSES[options["loss"]],
        )
        refuse_borderline(name, magnitudes)
        table = oracle.edge_table(
            *magnitudes,
            edges,
            names,
            score=options["score"],
            layer_agg=options["layerAgg"],
            ridge=options["ridge"],
            exclude_self=options["excludeSelf"],
        )
        stated = {**options, "n": len(x), "N": len(names), "P": len(magnitudes[0])}
        oracle.write_arrow(table, folder / edge_file(options), {**stated, "backend": "oracle"})
        index.append({"file": edge_file(options), **stated})
    (folder / "edges.json").write_text(json.dumps(index, indent=2) + "\n")
    print(f"models/{name}: {len(index)} edge tables")


def refuse_borderline(name: str, magnitudes) -> None:
    """Refuses variances close to the method's limit (a share of the mean of squares), where single and double
    precision could disagree about what is NaN."""
    shares = np.concatenate(
        [(side.var(axis=1) / np.square(side).mean(axis=1).clip(1e-300)).ravel() for side in magnitudes]
    )
    borderline = shares[(shares > 1e-20) & (shares < 1e-11)]
    if borderline.size:
        raise SystemExit(f"{name}: variances at the edge of what counts as zero: {borderline}")


def write_statistics(name: str) -> None:
    folder = FIXTURES / "statistics"
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"{name}.npz", **solved(CASES[name]()))
    print(f"statistics/{name}: {(folder / f'{name}.npz').stat().st_size} bytes")


def jobs() -> dict:
    """Everything this script can write: name -> a function without arguments."""
    todo = {name: lambda name=name: write_model(name, name) for name in VARIANTS}
    for name in EDGES:
        todo[f"{name}-edges"] = lambda name=name: write_edges(name)
    for name in JOINT:
        todo[f"{name}-joint"] = lambda name=name: write_joint(f"{name}-joint", name)
    for name in CASES:
        todo[f"statistics-{name}"] = lambda name=name: write_statistics(name)
    todo["layer-elu-mask"] = lambda: write_model("layer-elu-mask", "layer-elu", edge_mask=True)
    for name in VARIANTS:
        todo[f"{name}-torchscript"] = lambda name=name: write_model(f"{name}-torchscript", name, dynamo=False)
    return todo


def main() -> None:
    torch.set_num_threads(1)
    todo = jobs()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=sorted(todo), metavar="NAME", help="write these alone")
    for name in parser.parse_args().only or todo:
        todo[name]()


if __name__ == "__main__":
    main()
