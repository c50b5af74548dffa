"""Shared by the tests of compositions: a strategy that is watched, and pools with many seeds."""

import numpy as np
import pytest

from skactive.strategies import ScoreStrategy, Strategy


class Spy(Strategy):
    """Lets a strategy choose, and notes the rows offered, the number asked and the rows chosen."""

    def __init__(self, strategy, notes):
        self.strategy = strategy
        self.notes = notes

    @property
    def needs(self):
        return self.strategy.needs

    @property
    def randomized(self):
        return self.strategy.randomized

    def select(self, pool, batch_size):
        picks = self.strategy.select(pool, batch_size)
        rows = pool._raw()[:, 0]
        self.notes.append((rows.tolist(), batch_size, rows[picks].tolist()))
        return picks


class ByNumber(ScoreStrategy):
    """Scores a row by its number in the whole pool: the last rows first."""

    needs = frozenset({"X"})

    def score(self, pool):
        return pool.X[:, 0].astype(float)


@pytest.fixture
def by_number():
    """A strategy that prefers the last rows of the whole pool."""
    return ByNumber()


@pytest.fixture
def spy():
    """The class of a strategy that notes what another one is asked and answers."""
    return Spy


@pytest.fixture
def vary_seed():
    """Yields the same pool with the random numbers of each of several queries."""

    def vary(pool, n_seeds):
        for seed in range(n_seeds):
            yield pool.reordered(np.arange(len(pool)), query_seed=seed)

    return vary
