"""Inputs of `npm run bench -- stream` and cluster_killed.py: a network of 1,000 function nodes, and samples as Parquet.

    python bench/python/stream_inputs.py FOLDER [SAMPLES]

Writes FOLDER/m.onnx (3 layers of 2 channels, layer norm, 2,500 edges between functions, 5 from each of 150 inputs, 8 to
each of 80 outputs) and FOLDER/d.parquet (row groups of 10,000). A target follows two inputs and noise.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "export"))

NODES, EDGES, GROUP_ROWS = 1000, 2500, 10_000
#: Number of nodes, and of edges per node
INPUTS, OUTPUTS = (150, 5), (80, 8)


def network():
    """A GSNN in evaluation mode and its graph."""
    from magnitude_edge.export import GraphData
    from reference import GSNN

    rng = np.random.default_rng(0)

    def functions_of(ends: tuple[int, int]) -> np.ndarray:
        count, edges = ends
        return np.stack([rng.choice(NODES, edges, replace=False) for _ in range(count)]).ravel()

    among = rng.choice(NODES * NODES, EDGES + NODES, replace=False)
    pairs = np.stack(np.divmod(among, NODES))
    edges = {
        ("input", "to", "function"): np.stack([np.repeat(np.arange(INPUTS[0]), INPUTS[1]), functions_of(INPUTS)]),
        ("function", "to", "function"): pairs[:, pairs[0] != pairs[1]][:, :EDGES],
        ("function", "to", "output"): np.stack([functions_of(OUTPUTS), np.repeat(np.arange(OUTPUTS[0]), OUTPUTS[1])]),
    }
    counts = {"input": INPUTS[0], "function": NODES, "output": OUTPUTS[0]}
    names = {kind: [f"{kind}_{i}" for i in range(count)] for kind, count in counts.items()}
    data = GraphData(names, {kind: torch.from_numpy(index) for kind, index in edges.items()})
    torch.manual_seed(0)
    return GSNN(data.edge_index_dict, data.node_names_dict, channels=2, layers=3).eval(), data


def main(folder: Path, samples: int) -> None:
    from magnitude_edge.export import export_gsnn

    folder.mkdir(parents=True, exist_ok=True)
    model, data = network()
    export_gsnn(model, data, folder / "m.onnx")
    inputs, outputs = (data.node_names_dict[end] for end in ("input", "output"))
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, len(inputs), (2, len(outputs)))
    schema = pa.schema([(name, pa.float32()) for name in [*inputs, *outputs]])
    with pq.ParquetWriter(folder / "d.parquet", schema) as writer:
        for start in range(0, samples, GROUP_ROWS):
            rows = min(GROUP_ROWS, samples - start)
            x = rng.standard_normal((rows, len(inputs)), dtype=np.float32)
            noise = rng.standard_normal((rows, len(outputs)), dtype=np.float32)
            y = np.tanh(x[:, first]) * x[:, second] + noise / 2
            writer.write_table(pa.table([*x.T.copy(), *y.T.copy()], schema=schema))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
