"""Lazy greedy search against plain greedy, for an objective of few words."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skactive.selectors import max_coverage
from skactive.selectors._engine.coverage import Coverage
from skactive.selectors._engine.lazy_greedy import _Shortlist, lazy_greedy


class SetCover:
    """The value of the union of the chosen sets; its bounds may be loose by up to a factor."""

    def __init__(self, sets, values, *, loose=1.0, has_all_bounds=False):
        self.n_rows, self.cheap_bounds, self.has_all_bounds = len(sets), loose > 1.0, has_all_bounds
        self.cells = np.arange(len(sets)) % 3
        self.slack = np.random.default_rng(0).uniform(1.0, loose, len(sets))
        self.sets, self.left = sets, values.copy()
        self.can_bound_some = not has_all_bounds

    def bound_all(self):
        return self.left.sum() * self.slack.max()

    def bounds(self, positions=None):
        positions = np.arange(self.n_rows) if positions is None else positions
        return self.sets[positions] @ self.left * self.slack[positions]

    def gains(self, positions, *, exact):
        gains = self.sets[positions] @ self.left
        return gains if exact else gains * self.slack[positions]

    def add(self, position):
        self.left[self.sets[position]] = 0.0

    def is_exhausted(self):
        return not (self.sets @ self.left).any()


def plain_greedy(sets, values, worth):
    picks, left = [], values.copy()
    while (gains := worth * (sets @ left)).max() > 0:
        picks.append(gains.argmax())
        left[sets[picks[-1]]] = 0.0
    return picks


def some_sets(n_sets=90, n_elements=60):
    """Whole numbers, so that sums are free of rounding; large, so that none tie."""
    rng = np.random.default_rng(1)
    return rng.random((n_sets, n_elements)) < 0.07, rng.integers(1, 10**9, n_elements).astype(float)


@pytest.mark.parametrize(("loose", "has_all_bounds"), [(1.0, False), (1.5, False), (1.5, True)])
@pytest.mark.parametrize("by_worth", [False, True])
@pytest.mark.parametrize("parts", ["whole", "small"])
def test_picks_are_those_of_plain_greedy(parts, by_worth, loose, has_all_bounds, request):
    if parts == "small":
        request.getfixturevalue("small_parts")
    sets, values = some_sets()
    worth = np.random.default_rng(2).random(90) if by_worth else np.ones(90)
    expected = plain_greedy(sets, values, worth)
    objective = SetCover(sets, values, loose=loose, has_all_bounds=has_all_bounds)
    picks = lazy_greedy(objective, worth, 90, np.random.RandomState(0))
    assert 10 < len(expected) < 60  # the rest gains nothing, and is drawn
    assert_array_equal(picks[: len(expected)], expected)
    assert_array_equal(np.sort(picks), np.arange(90))


def test_what_ties_is_taken_in_a_random_order():
    sets, values = np.eye(3, dtype=bool), np.ones(3)
    orders = {
        tuple(lazy_greedy(SetCover(sets, values), np.ones(3), 3, np.random.RandomState(seed)))
        for seed in range(60)
    }
    assert len(orders) == 6


@pytest.mark.parametrize(("n_sets", "batch_size"), [(5, 0), (0, 3)])
def test_where_nothing_is_to_be_chosen_nothing_is_asked(n_sets, batch_size, monkeypatch):
    monkeypatch.setattr(SetCover, "bounds", lambda self: pytest.fail("bounds were asked for"))
    objective = SetCover(*some_sets(n_sets))
    assert lazy_greedy(objective, np.ones(n_sets), batch_size, np.random.RandomState(0)).size == 0


def test_the_shortlist_knows_the_highest_of_bounds_that_fall(small_parts):
    rng = np.random.default_rng(3)
    bounds = rng.integers(1, 40, 100).astype(float)  # many tie
    shortlist = _Shortlist(bounds)
    for _ in range(400):
        best = shortlist.find_best()
        assert best == bounds.argmax()
        bounds[best] -= rng.integers(1, 10)


def test_only_few_candidates_are_asked_again(monkeypatch):
    asked = []
    gains = Coverage.gains

    def counted(self, positions, *, exact):
        asked.append(len(positions))
        return gains(self, positions, exact=exact)

    monkeypatch.setattr(Coverage, "gains", counted)
    rng = np.random.default_rng(11)
    X = 2 * rng.normal(size=(20, 8))[rng.integers(20, size=3000)] + rng.normal(size=(3000, 8))
    max_coverage(X, 50, labeled=X[:50])
    assert sum(asked) < 0.2 * 50 * 3000


def test_candidates_worth_too_little_are_never_looked_at(small_parts):
    sets, values = some_sets()
    worth = np.where(np.arange(90) % 3 == 0, np.random.default_rng(3).uniform(0.9, 1, 90), 1e-6)
    asked = set()

    class Watched(SetCover):
        def bounds(self, positions=None):
            asked.update(positions)
            return super().bounds(positions)

        def gains(self, positions, *, exact):
            asked.update(positions)
            return super().gains(positions, exact=exact)

    objective = Watched(sets, values, loose=1.2)
    picks = lazy_greedy(objective, worth, 5, np.random.RandomState(0))
    assert_array_equal(picks, plain_greedy(sets, values, worth)[:5])
    assert set(picks) <= asked
    assert len(asked) <= 30 + 7  # the worthy ones, and at most the block that they end in
