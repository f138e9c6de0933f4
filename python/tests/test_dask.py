"""A fit over a cluster of four worker processes: the same statistics, whichever process dies meanwhile."""

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
from dask import array, dataframe
from distributed import Client, LocalCluster

from magnitude_edge import MagnitudeEdgeError, MagnitudeEdgeInferer
from magnitude_edge._samples import NodeNames, ParquetSamples
from variants import build, sample

#: Merged statistics against those of one reader: float64 sums about different pivots. Measured: 2e-15 in a correlation.
SUMMATION = 1e-12


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=4, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def inferer(example, loader):
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu") as inferer:
        yield inferer


@pytest.fixture(scope="module")
def expected(inferer, loader):
    inferer.fit(loader, verbose=False)
    return inferer.evaluate(score="partial")


@pytest.fixture(scope="module")
def frame(inferer, samples):
    names = inferer.node_names
    columns = [*names["input"], *names["output"]]
    return pd.DataFrame(np.hstack(samples), columns=columns)[columns[::-1]]


def same(table: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Compares rows by pair: those with equal scores may be in another order."""
    keys = ["src_idx", "dst_idx"]
    pd.testing.assert_frame_equal(
        table.sort_values(keys, ignore_index=True),
        expected.sort_values(keys, ignore_index=True),
        rtol=1e-9,  # of p and q, whose exponents magnify the rounding of a score
        atol=SUMMATION,
    )


@pytest.fixture(scope="module")
def dealt(client, inferer, frame):
    """The table of an undisturbed fit over the cluster."""
    inferer.fit(frame, verbose=False, client=client)
    return inferer.evaluate(score="partial")


class Numbered:
    """A dataset in which an incident may happen when a sample is read for the first time by any process."""

    def __init__(self, samples, incidents: dict[int, str], flags: Path):
        self.x, self.y = samples
        self.incidents, self.flags = incidents, flags

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, at: int):
        incident = self.incidents.get(at)
        flag = self.flags / str(at)
        if incident is not None and not flag.exists():
            flag.touch()
            if incident == "worker dies":
                os.kill(os.getpid(), signal.SIGKILL)
            elif incident == "engine dies":
                for engine in engines():
                    os.kill(engine, signal.SIGKILL)
            else:
                time.sleep(3)
        return self.x[at], self.y[at]


def engines() -> list[int]:
    """The engine processes that this process has started."""
    children = [
        int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()
    ]
    return [pid for pid in children if b"serve" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_any_kind_of_samples_gives_the_table_of_one_reader(client, inferer, samples, frame, expected, dealt, tmp_path):
    same(dealt, expected)
    x, y = samples
    for half, rows in enumerate((slice(0, 1100), slice(1100, None))):
        frame.iloc[rows].to_parquet(tmp_path / f"part-{half}.parquet", row_group_size=300)
    arrays = array.from_array(x, chunks=(500, 3)), array.from_array(y, chunks=(400, 3))
    partitions = dataframe.from_pandas(frame, npartitions=3)
    unknown = tuple(partitions[inferer.node_names[kind]].to_dask_array() for kind in ("input", "output"))
    kinds = [tmp_path / "part-*.parquet", Numbered(samples, {}, tmp_path), arrays, partitions, unknown]
    for data in kinds:
        assert inferer.fit(data, verbose=False, client=client) == 2000
        same(inferer.evaluate(score="partial"), expected)


def test_batches_of_parts_are_those_of_one_reader(inferer, frame, tmp_path):
    path = tmp_path / "samples.parquet"
    frame.to_parquet(path, row_group_size=300)
    samples = ParquetSamples([path, path], NodeNames(inferer.node_names))
    x = frame[inferer.node_names["input"]].to_numpy(np.float32)
    x = np.concatenate([x, x])
    for size, batch in ((700, 128), (1, 64), (100_000, 128), (1, 100_000)):
        parts = samples.parts(size, batch)
        assert [start for start, _ in parts] == [0, *(stop for _, stop in parts[:-1])]
        assert parts[-1][1] == 4000
        batches = [piece for part in parts for piece, _ in samples.batches(batch, *part)]
        assert [len(piece) for piece in batches] == [min(batch, 4000 - at) for at in range(0, 4000, batch)]
        np.testing.assert_array_equal(np.concatenate(batches), x)


def test_the_result_does_not_depend_on_the_workers(inferer, frame, dealt):
    with (
        LocalCluster(n_workers=1, threads_per_worker=3, dashboard_address=None) as cluster,
        Client(cluster) as other,
    ):
        inferer.fit(frame, verbose=False, client=other)
    pd.testing.assert_frame_equal(inferer.evaluate(score="partial"), dealt, check_exact=True)


@pytest.mark.parametrize("incident", ["worker dies", "engine dies"])
def test_a_part_whose_worker_dies_is_done_again_and_counts_once(client, inferer, samples, dealt, tmp_path, incident):
    data = Numbered(samples, dict.fromkeys((130, 700, 1500), incident), tmp_path)
    assert inferer.fit(data, verbose=False, client=client) == 2000
    assert len(list(tmp_path.iterdir())) == 3
    pd.testing.assert_frame_equal(inferer.evaluate(score="partial"), dealt, check_exact=True)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_fit_leaves_nothing_running(client, inferer, samples, tmp_path):
    def interrupt():
        while not (tmp_path / "900").exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        inferer.fit(Numbered(samples, {900: "waits"}, tmp_path), verbose=False, client=client)
    thread.join()
    assert not any(client.run(engines).values())
    assert not any(name.startswith("magnitude-edge") for names in client.run(plugins).values() for name in names)


def plugins(dask_worker) -> list[str]:
    return list(dask_worker.plugins)


def test_goes_on_from_samples_held_and_brings_channel_values(client, example, samples, loader):
    x, y = samples
    arrays = array.from_array(x[1024:], chunks=(256, 3)), array.from_array(y[1024:], chunks=(256, 3))
    with MagnitudeEdgeInferer(example / "model.onnx", backend="cpu", channels=True) as inferer:
        inferer.fit(loader, verbose=False)
        expected = inferer.evaluate(score="channel")
        inferer.fit(loader[:8], verbose=False)
        assert inferer.fit(arrays, verbose=False, client=client, reset=False) == 2000
        same(inferer.evaluate(score="channel"), expected)


def test_the_torch_route_with_any_loss(client):
    model, data = build("layer-elu")
    x, y = sample(data, 300)

    def crit(prediction, wanted):
        return ((prediction - wanted) ** 4).mean()

    with MagnitudeEdgeInferer(model, data, backend="cpu") as inferer:
        inferer.fit([(x[at : at + 64], y[at : at + 64]) for at in range(0, 300, 64)], crit, verbose=False)
        expected = inferer.evaluate()
        arrays = array.from_array(x.numpy(), chunks=128), array.from_array(y.numpy(), chunks=128)
        assert inferer.fit(arrays, crit, verbose=False, batch_size=64, client=client) == 300
        assert inferer.route == "torch"
        pairs = inferer.evaluate().merge(expected, on=["src_idx", "dst_idx"], validate="one_to_one")
    # Workers have other numbers of threads, and torch's order of float32 sums depends on that number.
    np.testing.assert_allclose(pairs["corr_x"], pairs["corr_y"], atol=2e-5)


def test_what_cannot_be_dealt_out_is_refused(client, inferer, frame, loader, tmp_path):
    inferer.fit(loader[:2], verbose=False)
    for data, says in ((loader, "of a list cannot be distributed"), (tmp_path / "samples.npz", "samples.npz")):
        with pytest.raises(MagnitudeEdgeError, match=says) as refused:
            inferer.fit(data, verbose=False, client=client)
        assert refused.value.code == "invalid-argument"
    bad = frame.copy()
    bad.iloc[700, 2] = np.nan
    with pytest.raises(MagnitudeEdgeError, match=r"Samples 512 to 1023: Batch 1 .* sample 60") as refused:
        inferer.fit(bad, verbose=False, client=client)
    assert (refused.value.code, refused.value.details["sample"]) == ("non-finite", 60)
    assert inferer.evaluate().attrs["n"] == "256"


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own ways")
def test_workers_take_large_blocks_from_memory_that_was_freed():
    # A process with Dask's setting: counts the 4 KiB pages that the system maps for forty arrays of 1.5 MB.
    script = """
import resource
import torch
from magnitude_edge._allocator import large_blocks_kept
def mapped():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(40):
        torch.ones(375_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
mapped()
outside = mapped()
with large_blocks_kept():
    mapped()
    print(outside, mapped())
"""
    environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    outside, within = map(int, ran.stdout.split())
    each = 1_500_000 // 4096
    assert outside > 20 * each
    assert within < each
