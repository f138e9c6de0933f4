"""Builds the gallery's pathway model: simulated signalling with textbook names, a GSNN trained on part of it.

    python export/make_pathway.py

Eight ligands drive 28 signalling molecules, which drive 12 readouts. The edges are those that textbooks draw
between growth factor, cytokine and morphogen signalling; **the data are simulated** (each node is tanh of
the weighted sum of its parents, plus noise), so that the truth is known. The edges of `HELD_OUT`, crosstalk
between the pathways, drive the simulation and are withheld from the model.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

import make_example
from magnitude_edge.export import export_gsnn
from reference import GSNN

OUT = Path(__file__).resolve().parent.parent / "docs" / "examples"
SAMPLES, VALIDATION = 1000, 300
NOISE = 0.1
MODEL = {"channels": 4, "layers": 7, "norm": "layer", "share_layers": True}
RECEPTORS = {
    "EGF": "EGFR",
    "HGF": "MET",
    "IGF1": "IGF1R",
    "TNF": "TNFRSF1A",
    "IFNG": "IFNGR1",
    "TGFB1": "TGFBR2",
    "WNT3A": "FZD1",
    "DLL1": "NOTCH1",
}
# Signed weights of the simulation, in topological order of their targets.
SIGNALLING = """
GRB2: EGFR 1, MET 0.8
IRS1: IGF1R 1.2
KRAS: GRB2 1.2
PIK3CA: IRS1 1, GRB2 0.6, KRAS 0.8
RAF1: KRAS 1.3
MAP2K1: RAF1 1.3
MAPK1: MAP2K1 1.3
AKT1: PIK3CA 1.3
MTOR: AKT1 1.2
TRADD: TNFRSF1A 1.2
IKBKB: TRADD 1.1, AKT1 0.9
NFKB1: IKBKB 1.3
JAK1: IFNGR1 1.2
STAT1: JAK1 1.2
SMAD3: TGFBR2 1.2, MAPK1 -0.9
GSK3B: FZD1 -1, AKT1 -0.9
CTNNB1: GSK3B -1.3
MDM2: AKT1 1, NFKB1 -0.8
TP53: MDM2 -1.3
MYC: MAPK1 0.9, CTNNB1 0.9
"""
HELD_OUT = [
    ("KRAS", "PIK3CA"),
    ("AKT1", "IKBKB"),
    ("MAPK1", "SMAD3"),
    ("AKT1", "GSK3B"),
    ("NFKB1", "MDM2"),
    ("CTNNB1", "MYC"),
]
READOUTS = {
    "DUSP6": "MAPK1",
    "RPS6": "MTOR",
    "IL6": "NFKB1",
    "CXCL10": "STAT1",
    "SERPINE1": "SMAD3",
    "AXIN2": "CTNNB1",
    "HES1": "NOTCH1",
    "CDKN1A": "TP53",
    "CCND1": "MYC",
    "BAD": "AKT1",
    "PTK2": "MET",
    "SOCS1": "JAK1",
}


def network() -> tuple[dict, dict, dict[tuple[str, str], float]]:
    """Node names, edges by type, and the weights of edges between functions."""
    weights = {}
    order = list(RECEPTORS.values())
    for line in SIGNALLING.strip().splitlines():
        target, parents = line.split(": ")
        order.append(target)
        for parent in parents.split(", "):
            source, weight = parent.split()
            weights[source, target] = float(weight)
    names = {"input": list(RECEPTORS), "function": order, "output": list(READOUTS)}
    edges = {
        ("input", "function"): list(RECEPTORS.items()),
        ("function", "function"): list(weights),
        ("function", "output"): [(source, target) for target, source in READOUTS.items()],
    }
    return names, edges, weights


def simulate(names: dict, edges: dict, weights: dict, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``(x [n, inputs], y [n, outputs])``, outputs standardised."""
    rng = np.random.default_rng(seed)
    values = {name: rng.normal(size=n) for name in names["input"]}
    everything = [edge for group in edges.values() for edge in group]
    for name in (*names["function"], *names["output"]):
        parents = [source for source, target in everything if target == name]
        total = sum(weights.get((parent, name), 1.0) * values[parent] for parent in parents)
        values[name] = np.tanh(total) + NOISE * rng.normal(size=n)
    x, y = (np.stack([values[name] for name in names[kind]], axis=1) for kind in ("input", "output"))
    return x.astype(np.float32), ((y - y.mean(axis=0)) / y.std(axis=0)).astype(np.float32)


def main() -> None:
    torch.set_num_threads(1)
    names, edges, weights = network()
    x, y = (torch.from_numpy(side) for side in simulate(names, edges, weights, SAMPLES + VALIDATION, seed=0))
    data = make_example.partial_graph(names, edges, HELD_OUT)
    make_example.SAMPLES, make_example.VALIDATION, make_example.MODEL = SAMPLES, VALIDATION, MODEL
    model, loss = make_example.train(data, x, y, seed=0)
    assert isinstance(model, GSNN)
    results = make_example.evaluate(model, data, x[:SAMPLES], y[:SAMPLES], HELD_OUT)
    print(f"validation loss {loss:.4f}; {make_example.describe(results)}")
    OUT.mkdir(parents=True, exist_ok=True)
    export_gsnn(model, data, OUT / "pathway.onnx")
    np.savez(OUT / "pathway.npz", x=x[:SAMPLES].numpy(), y=y[:SAMPLES].numpy())
    rows = "".join(f"{source},{target}\n" for source, target in HELD_OUT)
    (OUT / "pathway-heldout.csv").write_text("src,dst\n" + rows)


if __name__ == "__main__":
    main()
