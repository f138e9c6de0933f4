"""Other processes than the engine's: workers of a DataLoader, owners that are killed, many fits without a leak."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from torch.utils.data import DataLoader, TensorDataset

from magnitude_edge import MagnitudeEdgeInferer
from variants import build, sample

#: Number of fits; the long form, `MAGNITUDE_EDGE_FITS=1000`, stays within the same limits.
FITS = int(os.environ.get("MAGNITUDE_EDGE_FITS", "300"))


def workers_of(loader) -> list[int]:
    return [worker.pid for worker in loader._iterator._workers]


def pipes_of(process: int | str) -> set[str]:
    """The pipes that a process holds open, by their names in the kernel."""
    found = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        try:
            found.add(os.readlink(descriptor))
        except FileNotFoundError:  # the descriptor of the listing itself
            continue
    return {name for name in found if name.startswith("pipe:")}


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("route", ["onnx", "torch"])
def test_workers_of_a_loader_change_nothing_and_keep_no_engine(route):
    model, data = build("layer-elu")
    samples = TensorDataset(*sample(data, 300))
    with MagnitudeEdgeInferer(model, data, route=route, backend="cpu") as inferer:
        inferer.fit(DataLoader(samples, batch_size=64), verbose=False)
        right = inferer.evaluate(score="partial")
        # Its workers are forked while the engine runs, and live as long as the loader.
        loader = DataLoader(
            samples, batch_size=64, num_workers=2, persistent_workers=True, multiprocessing_context="fork"
        )
        for _ in range(2):
            assert inferer.fit(loader, verbose=False) == 300
            pd.testing.assert_frame_equal(inferer.evaluate(score="partial"), right)
        assert all(alive(worker) for worker in workers_of(loader))
        engines = pipes_of(inferer._engine.pid)
        assert len(engines) >= 3
        assert not any(engines & pipes_of(worker) for worker in workers_of(loader))
        start = time.monotonic()
        inferer.close()
    assert inferer._engine._process.returncode == 0  # ended by itself: a killed one has -9
    assert time.monotonic() - start < 8  # after 10 s it is killed
    assert all(alive(worker) for worker in workers_of(loader))


class Broken(TensorDataset):
    def __getitem__(self, at):
        if at == 200:
            raise OSError("sample 200 cannot be read")
        return super().__getitem__(at)


def test_an_exception_in_a_loaders_worker_comes_through_and_leaves_a_usable_engine():
    model, data = build("layer-elu")
    samples = sample(data, 300)
    with MagnitudeEdgeInferer(model, data, backend="cpu") as inferer:
        loader = DataLoader(Broken(*samples), batch_size=64, num_workers=2, multiprocessing_context="fork")
        with pytest.raises(OSError, match="sample 200 cannot be read"):
            inferer.fit(loader, verbose=False)
        assert inferer.evaluate(top=1).attrs["n"] == str(3 * 64)  # the batches before the one with the sample
        assert inferer.fit(DataLoader(TensorDataset(*samples), batch_size=64), verbose=False) == 300


OWNER = """
import os, signal, sys, time
from magnitude_edge import MagnitudeEdgeInferer
inferer = MagnitudeEdgeInferer(sys.argv[1], backend="cpu")
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
print(inferer._engine.pid, child, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_engine_ends_with_a_killed_owner_whose_forked_process_lives(example):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", OWNER, example / "model.onnx"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as owner:
        engine, forked = map(int, owner.stdout.readline().split())
        assert owner.wait(60) == -signal.SIGKILL
    try:
        end = time.monotonic() + 30
        while alive(engine) and time.monotonic() < end:
            time.sleep(0.05)
        assert not alive(engine)
        assert alive(forked)
    finally:
        os.kill(forked, signal.SIGKILL)
        if alive(engine):
            os.kill(engine, signal.SIGKILL)


def resident(pid: int | str) -> float:
    """Memory in use, MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.parametrize("route", ["onnx", "torch", "auto"])
def test_many_fits_leave_nothing_behind(route):
    model, data = build("layer-elu")
    x, y = sample(data, 1024)
    batches = list(zip(x.split(512), y.split(512), strict=True))
    engines, own = np.zeros(FITS), np.zeros(FITS)
    with MagnitudeEdgeInferer(model, data, route=route, backend="cpu") as inferer:
        engine = inferer._engine.pid

        def held():
            return pipes_of("self"), children(), len(os.listdir(f"/proc/{engine}/fd"))

        for fit in range(FITS):
            inferer.fit(batches, verbose=False)
            inferer.evaluate(score="partial")
            if fit == 0:
                first = held()
            assert held() == first
            engines[fit], own[fit] = resident(engine), resident("self")
    # What keeping the channel values of each fit would add after the heap has settled: 69 and 230 MB for 300 and 1,000
    # fits. The engine's heap goes up and down by 25 MB between collections, however many fits there are.
    settled = FITS // 3
    kept = (FITS - settled) * len(x) * len(model.ResBlocks[0].channel_groups) * 2 * (len(model.ResBlocks) - 1) * 4 / 1e6
    for memory in (engines, own):
        assert memory[-1] - memory[settled] < kept / 2


def test_many_engines_leave_nothing_behind(example):
    def held():
        return len(os.listdir("/proc/self/fd")), children(), threading.active_count()

    def more_than_before():
        (files, processes, threads), (files_then, processes_then, threads_then) = held(), before
        return files > files_then or threads > threads_then or bool(processes - processes_then)

    before = held()
    for _ in range(max(2, FITS // 20)):
        MagnitudeEdgeInferer(example / "model.onnx", backend="cpu").close()
        dropped = MagnitudeEdgeInferer(example / "model.onnx", backend="cpu")
        pid = dropped._engine.pid
        del dropped
        assert not alive(pid)
    end = time.monotonic() + 10  # the thread that reads messages ends after its process
    # Processes started by earlier tests may end meanwhile.
    while more_than_before() and time.monotonic() < end:
        time.sleep(0.05)
    assert not more_than_before(), (before, held())
