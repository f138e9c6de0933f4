"""How the C library reuses freed memory in Dask's worker processes."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

#: Parameters of glibc's ``mallopt``.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
#: Blocks of up to LARGE bytes (glibc's own limit) reuse freed memory, of which KEPT bytes are kept.
LARGE, KEPT = 32 << 20, 64 << 20


@contextmanager
def large_blocks_kept() -> Iterator[None]:
    """Within this context, large blocks reuse freed memory.

    Dask starts its workers with ``MALLOC_TRIM_THRESHOLD_``, so that they return memory early. This also keeps glibc
    from adapting to the size of short-lived blocks: the system then maps and zeroes every tensor of a batch anew, which
    takes as long as the model. Without that variable, or with another C library, this does nothing.
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
