"""A fit of many samples over Dask in which a worker is killed, compared with an undisturbed one and with the command.

    npm run bench -- stream --folder FOLDER
    python bench/python/cluster_killed.py FOLDER [WORKERS]

Reads what the first left there: the network, the samples and the command's statistics of them. Workers (4) are
processes of one thread each; one of them is killed (SIGKILL) at a random moment of the second fit. Writes
bench/results/cluster-killed.json: whether the statistics of the two fits are the same bytes, and how far the tables are
from the command's.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
from distributed import Client, LocalCluster

from magnitude_edge import MagnitudeEdgeInferer

RESULT = Path(__file__).resolve().parents[1] / "results" / "cluster-killed.json"


def rss_mib(pid: int) -> int:
    """Peak resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def fit(
    inferer: MagnitudeEdgeInferer,
    client: Client,
    folder: Path,
    kill_after: float | None,
) -> tuple[dict, bytes]:
    """Runs a fit; a worker is killed ``kill_after`` seconds after the start. Returns facts about the run, and the
    statistics."""
    killed: dict = {}

    def kill() -> None:
        pids = client.run(os.getpid)
        worker = random.choice(sorted(pids))
        held, doing = (seen(workers=[worker])[worker] for seen in (client.has_what, client.processing))
        os.kill(pids[worker], signal.SIGKILL)
        killed.update(
            after_s=round(kill_after, 1),
            statistics_held=len(held),
            tasks_given=len(doing),
        )

    timer = threading.Timer(kill_after, kill) if kill_after is not None else None
    start, used = time.perf_counter(), sum(os.times()[:4])
    if timer:
        timer.start()
    samples = inferer.fit(folder / "d.parquet", verbose=False, client=client)
    seconds = time.perf_counter() - start
    if timer:
        timer.join()
    peaks = [rss_mib(pid) for pid in client.run(os.getpid, on_error="ignore").values()]
    own = round(sum(os.times()[:4]) - used, 1)
    facts = {
        "samples": samples,
        "seconds": round(seconds, 1),
        "client_core_s": own,
        "worker_peak_MiB": max(peaks),
    }
    return {**facts, "killed": killed, "load": os.getloadavg()[0]}, bytes(inferer._statistics(False))


def main(folder: Path, workers: int) -> None:
    result: dict = {"workers": workers, "fits": []}
    with MagnitudeEdgeInferer(folder / "m.onnx", backend="cpu", channels=False) as inferer:
        inferer.load_stats(folder / "whole.arrow")
        wanted = inferer.evaluate()
        found = []
        for disturbed in (False, True):
            with (
                LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
                Client(cluster) as client,
            ):
                after = random.uniform(0.2, 0.8) * result["fits"][0]["seconds"] if disturbed else None
                facts, statistics = fit(inferer, client, folder, after)
            result["fits"].append(facts)
            found.append(statistics)
            print(json.dumps(facts), flush=True)
            pairs = inferer.evaluate().merge(wanted, on=["src_idx", "dst_idx"], validate="one_to_one")
            same_missing = bool((pairs["corr_x"].isna() == pairs["corr_y"].isna()).all())
            facts["from_the_command"] = float(np.nanmax(np.abs(pairs["corr_x"] - pairs["corr_y"])))
            facts["same_pairs_scored"] = same_missing and len(pairs) == len(wanted)
    result["statistics_equal"] = found[0] == found[1]
    print(json.dumps(result, indent=2))
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 4)
