"""Progress bars by tqdm, if it is installed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar, cast

T = TypeVar("T")


def progress(work: Iterable[T], verbose: bool, unit: str = "batch", total: int | None = None) -> Iterable[T]:
    """Returns ``work``, with a progress bar if ``verbose`` and tqdm is installed."""
    if not verbose:
        return work
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return work
    return cast(Iterable[T], tqdm(work, desc="fit", unit=unit, total=total))
