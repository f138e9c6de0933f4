"""Times the port on magnitudes that bench/job/run.mjs wrote, and torch on the example's model. Prints one JSON object.

python bench/job/port.py evaluate JOB.json
python bench/job/port.py fit JOB.json
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
from magnitude_edges import Port


def timed(work) -> tuple[dict, object]:
    """Wall-clock seconds, and CPU seconds of all cores, which are comparable even on a busy machine."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}, result


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def evaluate(job: dict) -> dict:
    nodes, pairs, samples, batch = (job[key] for key in ("nodes", "pairs", "samples", "batch"))
    x, y = (np.memmap(job[side], np.float32, "r", shape=(pairs, samples, nodes)) for side in ("x", "y"))
    port = Port([f"f{i}" for i in range(nodes)], pairs, job["edges"])

    def accumulate():
        for first in range(0, samples, batch):
            port.update(np.array(x[:, first : first + batch]), np.array(y[:, first : first + batch]))

    accumulated, _ = timed(accumulate)
    evaluated = []
    for _ in range(job["repeats"]):
        taken, table = timed(lambda: port.evaluate(job["score"]))
        evaluated.append(taken)
        peak = peak_mib()
        corr = np.full((nodes, nodes), np.nan)
        corr[table["src_idx"], table["dst_idx"]] = table["corr"]
        del table
    corr.tofile(job["out"])
    return {"accumulate": [accumulated], "evaluate": evaluated, "peakMiB": peak}


def fit(job: dict) -> dict:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "export"))
    import torch
    from make_example import MODEL, network, partial_graph

    from reference import GSNN

    torch.set_num_threads(job["threads"])
    torch.manual_seed(0)
    names, edges, held_out = network()
    data = partial_graph(names, edges, held_out)
    model = GSNN(data.edge_index_dict, data.node_names_dict, **MODEL).eval()
    arrays = np.load(job["data"])
    x, y = torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"])
    channels = torch.as_tensor(model.ResBlocks[0].channel_groups)
    function_nodes = sorted(set(channels.tolist()))
    groups = [(channels == node).nonzero()[:, 0] for node in function_nodes]
    function_edges = data.edge_index_dict["function", "to", "function"]

    def magnitudes(value):
        value = value.detach().reshape(len(value), -1)
        out = torch.empty(len(value), len(groups))
        for node, group in enumerate(groups):
            out[:, node] = value[:, group].abs().sum(dim=1)
        return out.numpy()

    def run():
        port = Port(
            names["function"], len(model.ResBlocks) - 1, list(zip(*np.asarray(function_edges).tolist(), strict=True))
        )
        for first in range(0, len(x), job["batch"]):
            kept = []
            hooks = [
                block.norm.register_forward_pre_hook(lambda _m, z, kept=kept: kept.append(z[0]) or z[0].retain_grad())
                for block in model.ResBlocks
            ]
            loss = torch.nn.functional.mse_loss(model(x[first : first + job["batch"]]), y[first : first + job["batch"]])
            model.zero_grad(set_to_none=True)
            loss.backward()
            for hook in hooks:
                hook.remove()
            port.update(np.stack([magnitudes(z) for z in kept[:-1]]), np.stack([magnitudes(z.grad) for z in kept[1:]]))
        return port

    run()
    return {"fit": [timed(run)[0] for _ in range(job["repeats"])], "peakMiB": peak_mib()}


command, job_file = sys.argv[1:]
print(json.dumps({"evaluate": evaluate, "fit": fit}[command](json.loads(Path(job_file).read_text()))))
