"""Cost of distributing a fit: one process against 1, 2 and 4 workers of a local Dask cluster, one thread each.

    python bench/python/cluster.py [NODES] [SAMPLES]

Prints a JSON object for each: wall-clock seconds, and CPU seconds of all cores, which do not depend on the load of the
machine; then the bytes of a part's statistics and the seconds of merging two of them.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import side
from distributed import Client, LocalCluster

from magnitude_edge import MagnitudeEdgeInferer


def cpu() -> float:
    """CPU seconds of this process and of the child processes that it has waited for."""
    return sum(os.times()[:4])


def main(nodes: int, samples: int) -> None:
    model, data, batches = side.network(nodes)
    x, y = (np.concatenate([np.asarray(batch[end]) for batch in batches]) for end in (0, 1))
    rows = np.arange(samples) % len(x)
    names = data.node_names_dict
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.parquet"
        frame = pd.DataFrame(np.hstack([x, y])[rows], columns=[*names["input"], *names["output"]])
        frame.to_parquet(path, row_group_size=512)
        with MagnitudeEdgeInferer(model, data, backend="cpu", channels=False) as inferer:
            start, used = time.perf_counter(), cpu()
            with MagnitudeEdgeInferer(model, data, backend="cpu", channels=False) as alone:
                alone.fit(path, verbose=False)
                right = alone.evaluate()
                part = alone._statistics(False)
                alone._take_statistics(part, merge=False)
                merging = time.perf_counter()
                alone._take_statistics(part, merge=True)
                merging = time.perf_counter() - merging
            wall = time.perf_counter() - start - merging
            report("one process", wall, cpu() - used)
            for workers in (1, 2, 4):
                with (
                    LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
                    Client(cluster) as client,
                ):
                    before = sum(client.run(cpu).values())
                    start = time.perf_counter()
                    inferer.fit(path, verbose=False, client=client)
                    wall = time.perf_counter() - start
                    report(f"{workers} workers", wall, sum(client.run(cpu).values()) - before)
                found = inferer.evaluate().merge(right, on=["src_idx", "dst_idx"])
                assert np.nanmax(np.abs(found["corr_x"] - found["corr_y"])) < 1e-12
        print(json.dumps({"statistics MB": round(len(part) / 1e6, 2), "merge s": round(merging, 3)}), flush=True)


def report(what: str, wall: float, seconds: float) -> None:
    load = os.getloadavg()[0]
    print(json.dumps({"fit": what, "clock s": round(wall, 2), "cores s": round(seconds, 2), "load": load}), flush=True)


if __name__ == "__main__":
    given = [int(value) for value in sys.argv[1:3]]
    main(*given, *(600, 4096)[len(given) :])
