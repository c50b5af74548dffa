"""Threads for work that NumPy does in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

from skactive.selectors._engine.points import slices

__all__ = ["share_out", "threads"]


_FEW_PAIRS = 10**6  # of rows; with fewer of them threads do not matter


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


@contextmanager
def threads(n_pairs: int) -> Iterator[int]:
    """Keep matrix products to one thread each, and tell how many threads there are for them.

    Products of some thousand rows lose more to waiting for threads than they win; parts of the
    pool are shared out among threads instead, with all that is done to them.
    """
    if n_pairs < _FEW_PAIRS:
        yield 1
        return
    n_threads = max((library["num_threads"] for library in _blas().info()), default=1)
    with _blas().limit(limits=1):
        yield n_threads


def share_out(work: Callable[[int], None], n_parts: int, n_threads: int) -> None:
    """Do some work for each of the parts, which must not touch each other's results."""
    if n_threads == 1:
        for part in range(n_parts):
            work(part)
    else:
        with ThreadPoolExecutor(n_threads) as executor:
            list(executor.map(work, range(n_parts)))


def _split(n_rows: int, n_parts: int) -> Iterator[slice]:
    return slices(n_rows, max(1, -(-n_rows // n_parts)))
