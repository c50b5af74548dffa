"""Threads for work that NumPy does in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

from skactive.selectors._engine.points import slices

__all__ = ["MIN_THREADED_PAIRS", "limit_blas_threads", "run_parts", "split_evenly"]

MIN_THREADED_PAIRS = 10**6  # pairs of rows below which threads cost more than they save


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


@contextmanager
def limit_blas_threads(n_pairs: int) -> Iterator[int]:
    """Limit matrix products to one thread each, and yield the number of threads to use instead.

    In products of some thousand rows, threads spend more time waiting than they save; parts of the
    pool are shared out among threads instead, with everything that is done to them.
    """
    if n_pairs < MIN_THREADED_PAIRS:
        yield 1
        return
    # As many threads as BLAS would use, so that users' limits hold.
    n_threads = max((library["num_threads"] for library in _blas().info()), default=1)
    with _blas().limit(limits=1):
        yield n_threads


def run_parts(work: Callable[[int], None], n_parts: int, n_threads: int) -> None:
    """Call `work` for each part; parts must not write to each other's results."""
    if n_threads == 1:
        for part in range(n_parts):
            work(part)
    else:
        with ThreadPoolExecutor(n_threads) as executor:
            list(executor.map(work, range(n_parts)))


def split_evenly(n_rows: int, n_parts: int) -> Iterator[slice]:
    """Cut rows into at most `n_parts` slices of nearly the same size."""
    return slices(n_rows, max(1, -(-n_rows // n_parts)))
