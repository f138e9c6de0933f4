"""A fit distributed over a Dask cluster: each task fits a part of the samples, others merge statistics in a tree.

The statistics of a part are the result of its task alone, so Dask's own scheduling repeats a part whose worker has
died, and it counts once. The model is sent to each worker once, with a plugin that keeps one engine process there while
the fit lasts, also on workers that join later.
"""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from dask.delayed import delayed
from distributed import Client, Future, Worker, WorkerPlugin, as_completed, get_worker

from ._allocator import large_blocks_kept
from ._progress import progress
from ._sample_sources import paths_of, samples_of
from ._samples import Batch, DatasetSamples, NodeNames, Samples, TableSamples
from .errors import MagnitudeEdgeError

if TYPE_CHECKING:
    from .inferer import MagnitudeEdgeInferer

#: Limits of the samples per part, and the number of parts aimed at between them.
SMALLEST, LARGEST, PARTS = 512, 8192, 32
#: Most bytes of statistics per sample of a part, unless the part is the largest allowed: to write, send and merge 29 MB
#: of them takes as long as 1,200 samples of 600 nodes (docs/scale.md).
STATISTICS_BYTES = 8192
#: Statistics that one task merges. Number and order are fixed, so the result does not depend on which worker is faster.
BRANCHES = 4


@dataclass(frozen=True)
class PartFit:
    """How the samples of a part are fitted.

    Attributes:
        fit: arguments of :meth:`MagnitudeEdgeInferer.fit`.
        channels: whether the statistics include the samples' channel values.
        statistics_bytes: of a part, without channel values.
    """

    fit: dict[str, Any]
    batch_size: int
    channels: bool
    statistics_bytes: int

    def samples(self, rows: int) -> int:
        """The approximate number of samples per part, given ``rows`` in all."""
        return min(LARGEST, max(SMALLEST, rows // PARTS, self.statistics_bytes // STATISTICS_BYTES))


def fit_on_cluster(
    client: Client,
    data: Any,
    make: Callable[..., MagnitudeEdgeInferer],
    names: NodeNames,
    part: PartFit,
    verbose: bool,
) -> memoryview:
    """Statistics of all samples.

    Args:
        data: see :meth:`MagnitudeEdgeInferer.fit` with a client.
        make: creates the inferer of a worker, which may use ``threads`` threads.

    Raises:
        MagnitudeEdgeError: ``invalid-argument`` for data that cannot be distributed; what a fit raises.
    """
    if client.asynchronous:
        raise MagnitudeEdgeError("invalid-argument", "fit waits for its result, so it needs a synchronous Client.")
    blocks = _blocks(client, data, names, part.batch_size)
    source = None if blocks else _samples(data, names)
    run = uuid.uuid4().hex[:12]
    plugin = f"magnitude-edge-{run}"
    client.register_plugin(_WorkerEngine(make, source), name=plugin)
    waiting: set[Future[bytearray]] = set()
    try:
        if source is None:
            fit = delayed(_fit_blocks, pure=False)
            tasks = [fit(plugin, part, x, y, dask_key_name=f"fit-{run}-{at}") for at, (x, y) in enumerate(blocks)]
            parts = client.compute(tasks)  # type: ignore[no-untyped-call]
        else:
            ranges = source.parts(part.samples(source.rows), part.batch_size)
            parts = [
                client.submit(_fit_range, plugin, part, start, stop, key=f"fit-{run}-{at}")
                for at, (start, stop) in enumerate(ranges)
            ]
        if not parts:
            raise MagnitudeEdgeError("too-few-samples", "The data holds no samples.")
        root = _merged_in_a_tree(client, parts, plugin, part.channels, run)
        waiting = {root, *parts}
        done = progress(as_completed(parts), verbose, unit="part", total=len(parts))  # type: ignore[no-untyped-call]
        parts.clear()  # releases them here; the cluster keeps statistics until they are merged
        for future in done:
            waiting.discard(future)
            if future.status == "error":
                raise cast(BaseException, future.exception())
        return memoryview(root.result())
    except BaseException:
        for future in waiting:  # Dask's cancel stumbles over merges that only the last one needs
            future.release()  # type: ignore[no-untyped-call]
        raise
    finally:
        # ends the engines, whatever they are doing
        client.unregister_worker_plugin(plugin)  # type: ignore[no-untyped-call]


def _merged_in_a_tree(
    client: Client, parts: Sequence[Future[bytearray]], plugin: str, channels: bool, run: str
) -> Future[bytearray]:
    level, height = list(parts), 0
    while len(level) > 1:
        groups = [level[at : at + BRANCHES] for at in range(0, len(level), BRANCHES)]
        # Merges have priority over fits, so that statistics do not pile up.
        level = [
            client.submit(_merge, plugin, group, channels, key=f"merge-{run}-{height}-{at}", priority=10)
            for at, group in enumerate(groups)
        ]
        height += 1
    return level[0]


def _samples(data: Any, names: NodeNames) -> Samples:
    source = samples_of(data, names)
    if source is not None:
        return source
    if hasattr(data, "__getitem__") and hasattr(data, "__len__") and not isinstance(data, (list, tuple, dict, str)):
        return DatasetSamples(data)
    what = f"of {paths_of(data)[0]}" if paths_of(data) else f"of a {type(data).__name__}"
    raise MagnitudeEdgeError(
        "invalid-argument",
        f"The samples {what} cannot be distributed. With a client, fit takes paths of Parquet files, an .h5ad or a "
        ".zarr, a Dask DataFrame, two Dask arrays (x, y), or a dataset whose samples can be indexed "
        "(for a DataLoader, pass its dataset).",
    )


def _blocks(client: Client, data: Any, names: NodeNames, batch_size: int) -> list[tuple[Any, Any]]:
    """``(x, y)`` blocks of Dask collections, each of whole batches; empty for other data."""
    if hasattr(data, "map_partitions") and hasattr(data, "columns"):
        lengths = tuple(client.compute(data.map_partitions(len)).result())  # type: ignore[no-untyped-call]
        sides = [
            data.iloc[:, names.places(data.columns, side, "The data").tolist()].to_dask_array(lengths=lengths)
            for side in ("x", "y")
        ]
    elif isinstance(data, tuple) and len(data) == 2 and all(hasattr(side, "rechunk") for side in data):
        sides = [side.compute_chunk_sizes() if math.isnan(sum(side.shape)) else side for side in data]
    else:
        return []
    if sides[0].shape[0] != sides[1].shape[0]:
        raise MagnitudeEdgeError(
            "batch-mismatch", f"x holds {sides[0].shape[0]} samples, but y holds {sides[1].shape[0]}."
        )
    rows = batch_size * max(1, round(max(sides[0].chunks[0], default=0) / batch_size))
    x, y = (side.rechunk((rows, -1)).to_delayed().ravel() for side in sides)
    return list(zip(x, y, strict=True))


class _WorkerEngine(WorkerPlugin):
    """One inferer per worker, created by the first task; runs one task at a time."""

    def __init__(self, make: Callable[..., MagnitudeEdgeInferer], source: Samples | None):
        self._make, self.source = make, source

    def setup(self, worker: Worker) -> None:
        self._threads = worker.state.nthreads
        self._turn = threading.Lock()
        self._inferer: MagnitudeEdgeInferer | None = None
        self._ended = False
        self._memory = ExitStack()
        self._memory.enter_context(large_blocks_kept())

    def teardown(self, worker: Worker) -> None:
        self._ended = True
        self._memory.close()
        if self._inferer is not None:
            self._inferer._engine.kill()  # a task may be waiting for it
            self._inferer.close()

    def run(self, work: Callable[[MagnitudeEdgeInferer], bytearray]) -> bytearray:
        """Runs work that starts from scratch; retries once if the engine's process died."""
        with self._turn:
            try:
                return work(self._opened())
            except MagnitudeEdgeError as error:
                if error.code != "process" or self._ended:
                    raise
            self._opened().close()
            self._inferer = None
            return work(self._opened())

    def _opened(self) -> MagnitudeEdgeInferer:
        if self._ended:
            raise MagnitudeEdgeError("process", "The fit has ended.")
        if self._inferer is None:
            self._inferer = self._make(threads=self._threads)
        return self._inferer


def _plugin(name: str) -> _WorkerEngine:
    return cast(_WorkerEngine, get_worker().plugins[name])


def _fit_range(name: str, part: PartFit, start: int, stop: int) -> bytearray:
    plugin = _plugin(name)
    source = plugin.source
    assert source is not None
    try:
        return plugin.run(lambda inferer: _statistics(inferer, source.batches(part.batch_size, start, stop), part))
    except MagnitudeEdgeError as error:
        raise MagnitudeEdgeError(error.code, f"Samples {start} to {stop - 1}: {error}", error.details) from error


def _fit_blocks(name: str, part: PartFit, x: Any, y: Any) -> bytearray:
    samples = TableSamples([(x, [None]), (y, [None])])
    return _plugin(name).run(lambda inferer: _statistics(inferer, samples.batches(part.batch_size), part))


def _statistics(inferer: MagnitudeEdgeInferer, batches: Iterable[Batch], part: PartFit) -> bytearray:
    inferer.fit(batches, verbose=False, **part.fit)
    return inferer._statistics(part.channels)


def _merge(name: str, statistics: Sequence[bytearray], channels: bool) -> bytearray:
    def merge(inferer: MagnitudeEdgeInferer) -> bytearray:
        for at, content in enumerate(statistics):
            inferer._take_statistics(content, merge=at > 0)
        return inferer._statistics(channels)

    return _plugin(name).run(merge)
