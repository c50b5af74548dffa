"""Measure memory and time of one query by each rowwise strategy on 1e6 x 10 probabilities.

The model looks its probabilities up in a table. The peak is the memory that tracemalloc traces,
without that table; the time is of a second query, without tracemalloc.
"""

from __future__ import annotations

import time
import tracemalloc

import numpy as np

from skactive.strategies import Entropy, LeastConfidence, Margin, MarginRatio
from skactive.testing import FakePool

N_ROWS, N_CLASSES, BATCH = 10**6, 10, 100


def make_pool(proba):
    return FakePool(proba=proba, n_labeled=0, n_draws=1, n_dims=1)


def main():
    proba = np.random.RandomState(0).dirichlet(np.ones(N_CLASSES), size=N_ROWS)
    print(f"{N_ROWS:.0e} x {N_CLASSES} probabilities: {proba.nbytes / 2**20:.0f} MiB")
    print(f"{'strategy':<16} {'peak MiB above':>14} {'seconds':>8}")
    for strategy in (LeastConfidence(), Margin(), MarginRatio(), Entropy()):
        view = make_pool(proba)
        tracemalloc.start()
        strategy.select(view, BATCH)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        view = make_pool(proba)
        began = time.perf_counter()
        strategy.select(view, BATCH)
        seconds = time.perf_counter() - began
        print(f"{type(strategy).__name__:<16} {peak:>14.0f} {seconds:>8.3f}")


if __name__ == "__main__":
    main()
