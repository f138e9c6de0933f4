"""What the C library does with memory that is freed, in the processes of Dask's workers."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

#: Parameters of glibc's ``mallopt``.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
#: Blocks up to this size are taken from freed memory, glibc's own limit; and so much of it is kept.
LARGE, KEPT = 32 << 20, 64 << 20


@contextmanager
def large_blocks_kept() -> Iterator[None]:
    """Has large blocks taken from memory that was freed before, within.

    Dask starts its workers with ``MALLOC_TRIM_THRESHOLD_``, so that they give memory back early. It also keeps glibc
    from learning how large the blocks are that come and go: every tensor of a batch is then mapped anew and filled
    with zeros by the system, which takes as long as the model. Nothing happens elsewhere, or with another C library.
    """
    early = os.environ.get("MALLOC_TRIM_THRESHOLD_")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if early and os.name == "posix" else None
    if early is None or mallopt is None:
        yield
        return
    mallopt(MMAP_THRESHOLD, LARGE)
    mallopt(TRIM_THRESHOLD, KEPT)
    try:
        yield
    finally:
        mallopt(MMAP_THRESHOLD, 128 << 10)  # as Dask's setting leaves it
        mallopt(TRIM_THRESHOLD, int(early))
