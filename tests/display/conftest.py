"""Fixtures for tests of displays."""

import numpy as np
import pytest

from skactive.comparison import Run, StrategyComparison

NAMES = ["Random", *(f"Strategy{'ABCDEFGHIJKLMNOPQRST'[i]}()" for i in range(19))]


def make_comparison(
    n=3, n_repeats=5, models=("SVC",), names=NAMES, apart=0.02, noise=0.01, datasets=("toy",)
):
    """Return a comparison of n strategies, each better than the last by `apart`."""
    rng = np.random.RandomState(0)
    counts, rising = np.array([10, 20, 30, 40, 50]), np.array([0.0, 0.1, 0.15, 0.18, 0.2])
    runs = []
    for dataset in datasets:
        for model in models:
            for repeat in range(n_repeats):
                start = 0.5 + noise * rng.randn()
                for i in range(n):
                    gain = (1 + apart * i * 10) * rising + noise * rng.randn(5) * (counts > 10)
                    seconds = np.zeros(5)
                    run = Run(
                        dataset, model, names[i], repeat, counts, start + gain, seconds, seconds
                    )
                    runs.append(run)
    return StrategyComparison(runs, scoring="balanced_accuracy")


@pytest.fixture
def compared():
    """Make comparisons of a few strategies or many."""
    return make_comparison


@pytest.fixture
def plt():
    """Return pyplot, without a screen; close all figures afterwards."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")
