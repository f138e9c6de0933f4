"""One side of the end-to-end benchmark, in a separate process: from a torch model in memory to the DataFrame.

    python bench/python/side.py ours|hooks|command NODES

Prints one JSON object: wall-clock and CPU seconds, including the start of processes, and the peak of memory. ``hooks``
works as the published class does: torch hooks, channels reduced node by node, sums in numpy, one dict per row.
``command`` is the built command from its start to its Parquet file, reading files that exist already.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "export"), str(ROOT / "bench" / "job")]

SAMPLES, BATCH = 2000, 128
#: nodes -> function -> function edges, inputs, outputs. 24 nodes are the bundled example.
SIZES = {600: (2200, 150, 400), 2000: (8000, 300, 400), 4000: (16000, 400, 500)}


def network(nodes: int):
    """A GSNN in evaluation mode, its graph, and batches."""
    from magnitude_edge.export import GraphData
    from reference import GSNN

    rng = np.random.default_rng(0)
    if nodes == 24:
        import make_example

        names, edges, held_out = make_example.network()
        data, options = make_example.partial_graph(names, edges, held_out), make_example.MODEL
    else:
        count, inputs, outputs = SIZES[nodes]
        names = {
            "input": [f"in_{i}" for i in range(inputs)],
            "function": [f"GENE{i}_phospho" for i in range(nodes)],
            "output": [f"out_{i}" for i in range(outputs)],
        }
        among = rng.choice(nodes * nodes, count + nodes, replace=False)
        pairs = np.stack([among // nodes, among % nodes])
        ends = {
            ("input", "to", "function"): np.stack([np.arange(inputs), rng.integers(0, nodes, inputs)]),
            ("function", "to", "function"): pairs[:, pairs[0] != pairs[1]][:, :count],
            ("function", "to", "output"): np.stack([rng.integers(0, nodes, outputs), np.arange(outputs)]),
        }
        data = GraphData(names, {key: torch.from_numpy(index) for key, index in ends.items()})
        options = {"channels": 5, "layers": 6, "norm": "batch"}
    torch.manual_seed(0)
    model = GSNN(data.edge_index_dict, data.node_names_dict, **options).eval()
    inputs, outputs = (len(data.node_names_dict[kind]) for kind in ("input", "output"))
    x, y = torch.randn(SAMPLES, inputs), torch.randn(SAMPLES, outputs)
    return model, data, list(zip(x.split(BATCH), y.split(BATCH), strict=True))


#: Peak MiB of the child processes. For ended ones the system reports at least their parent's.
started_peak = 0.0


def note_peak(pid: int) -> None:
    global started_peak
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    held = [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
    started_peak = max([started_peak, *held])


def ours(model, data, batches) -> pd.DataFrame:
    from magnitude_edge import MagnitudeEdgeInferer

    with MagnitudeEdgeInferer(model, data) as inferer:
        inferer.fit(batches, verbose=False)
        table = inferer.evaluate(variance_floor=1e-12)  # the other side's setting
        note_peak(inferer._engine.pid)
        return table


def hooks(model, data, batches) -> pd.DataFrame:
    from magnitude_edges import Port

    names = data.node_names_dict["function"]
    channels = model.ResBlocks[0].channel_groups
    groups = [(channels == node).nonzero()[:, 0] for node in range(len(names))]

    def magnitudes(value: torch.Tensor) -> np.ndarray:
        value = value.detach().reshape(len(value), -1)
        out = torch.empty(len(value), len(groups))
        for node, group in enumerate(groups):
            out[:, node] = value[:, group].abs().sum(dim=1)
        return out.numpy()

    edges = data.edge_index_dict["function", "to", "function"].T.tolist()
    port = Port(names, len(model.ResBlocks) - 1, [tuple(edge) for edge in edges])
    for x, y in batches:
        kept: list[torch.Tensor] = []

        def keep(_module, inputs, kept=kept):
            inputs[0].retain_grad()
            kept.append(inputs[0])

        handles = [block.norm.register_forward_pre_hook(keep) for block in model.ResBlocks]
        model.zero_grad(set_to_none=True)
        torch.nn.functional.mse_loss(model(x), y).backward()
        for handle in handles:
            handle.remove()
        port.update(np.stack([magnitudes(z) for z in kept[:-1]]), np.stack([magnitudes(z.grad) for z in kept[1:]]))
    return port.evaluate()


def command(model, data, batches) -> Callable[[], pd.DataFrame]:
    from magnitude_edge._engine import find_node
    from magnitude_edge.export import export_gsnn

    folder = Path(tempfile.mkdtemp())
    files = {
        name: str(folder / file) for name, file in {"model": "m.onnx", "data": "d.npz", "out": "e.parquet"}.items()
    }
    export_gsnn(model, data, files["model"])
    x, y = (torch.cat(side).numpy() for side in zip(*batches, strict=True))
    np.savez(files["data"], x=x, y=y)
    options = [word for name, file in files.items() for word in (f"--{name}", file)]
    floor = ["--variance-floor", "1e-12", "--batch-size", str(BATCH)]

    def run() -> pd.DataFrame:
        call = [find_node(), str(ROOT / "dist" / "cli.js"), "infer", *options, *floor]
        with subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                note_peak(process.pid)
                time.sleep(0.01)
        if process.returncode != 0:
            raise SystemExit(f"The command ended with {process.returncode}.")
        return pd.read_parquet(files["out"], columns=["src_func", "dst_func", "corr"])

    return run


def used() -> tuple[float, float]:
    """CPU seconds so far of this process and the children it has ended, and this process's peak memory in MiB."""
    own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in (own, ended))
    return cpu, own.ru_maxrss / 1024


def main() -> None:
    side, nodes = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(2)
    model, data, batches = network(nodes)

    by_name = {"ours": ours, "hooks": hooks}
    work = command(model, data, batches) if side == "command" else lambda: by_name[side](model, data, batches)
    cpu, before = used()
    wall = time.perf_counter()
    table = work()
    wall = time.perf_counter() - wall
    after, peak = used()
    peak = started_peak if side == "command" else peak + started_peak
    top = table[["src_func", "dst_func", "corr"]].head(3).astype(str).agg(" ".join, axis=1).tolist()
    print(
        json.dumps(
            {"wall": wall, "cpu": after - cpu, "peakMiB": peak, "modelMiB": before, "rows": len(table), "top": top}
        )
    )


if __name__ == "__main__":
    main()
