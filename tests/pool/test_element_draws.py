"""Draws of large maps are made and dropped one after the other."""

import numpy as np
import pytest
from memory import measure_peak
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator

from skactive import ActiveLearner, Ragged, scores
from skactive.adapters import StructuredAdapter
from skactive.exceptions import InvalidReadingError
from skactive.pool import PoolView, _element_readings
from skactive.pool._view import ReadingSource
from skactive.strategies import (
    BALD,
    Aggregate,
    BatchBALD,
    ConsensusEntropy,
    Entropy,
    KLDivergence,
    MeanStd,
    VariationRatio,
    VoteEntropy,
)
from skactive.testing import parametrize_with_adapter_checks

N_CLASSES, N_DRAWS = 19, 20
STRATEGIES = [
    BALD(),
    BALD(n_samples=3),
    VariationRatio(),
    VoteEntropy(),
    MeanStd(),
    KLDivergence(),
    ConsensusEntropy(),
    Entropy(n_samples=4),
]


class Segmenter(BaseEstimator):
    """Draws maps of probabilities; row i has the seed X[i, 0] and the height X[i, 1]."""

    def __init__(self, width=4, one_by_one=True):
        self.width, self.one_by_one = width, one_by_one

    def fit(self, X, y):
        return self

    def draw(self, row, number):
        shape = (int(row[1]), self.width, N_CLASSES)
        rng = np.random.default_rng([int(row[0]), number])
        proba = rng.random(shape, dtype=np.float32)
        np.exp(4 * proba, out=proba)
        proba /= np.einsum("ijk->ij", proba)[..., np.newaxis]
        return proba

    def __skactive_adapter__(self):
        return (OneByOne if self.one_by_one else AtOnce)(self)


class OneByOne(StructuredAdapter):
    element = "pixel"
    joint_samples = True

    def iter_draws(self, Z, n_samples, seed):
        for number in range(self.n_draws(n_samples)):
            yield (self.model.draw(row, seed % 1000 + number) for row in Z)


class AtOnce(StructuredAdapter):
    element = "pixel"
    joint_samples = True

    def proba_samples(self, Z, n_samples, seed):
        numbers = range(seed % 1000, seed % 1000 + self.n_draws(n_samples))
        return [np.stack([self.model.draw(row, number) for number in numbers]) for row in Z]


ROWS = np.column_stack([np.arange(9), [3, 0, 5, 1, 2, 7, 0, 4, 3]])


def fit(strategy, **params):
    return ActiveLearner(Segmenter(**params), strategy, random_state=0).fit(ROWS[:1], [0])


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
def test_draws_one_by_one_score_as_draws_at_once(strategy):
    one_by_one, at_once = (fit(Aggregate(strategy), one_by_one=each) for each in (True, False))
    assert_allclose(one_by_one.score_pool(ROWS), at_once.score_pool(ROWS), atol=1e-6)
    known = [np.arange(4 * height) % 3 == 0 for height in ROWS[:, 1]]
    for settings in ({}, {"known": known}):
        found = one_by_one.query_elements(ROWS, 4, **settings)
        assert_array_equal(found, at_once.query_elements(ROWS, 4, **settings))


def test_the_score_of_a_map_is_that_of_all_of_its_draws():
    scored = fit(Aggregate(BALD())).score_pool(ROWS)
    seed = fit(Aggregate(BALD()))._make_view(ROWS)._source.seed % 1000
    for row, score in zip(ROWS, scored, strict=True):
        draws = np.stack([Segmenter().draw(row, seed + number) for number in range(N_DRAWS)])
        flat = draws.reshape(N_DRAWS, -1, N_CLASSES).astype(np.float64)
        expected = scores.mutual_information(flat).mean() if row[1] else 0.0
        assert score == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
def test_draws_of_groups_are_the_means_over_their_members(strategy):
    groups = [np.arange(4 * height) // 5 for height in ROWS[:, 1]]
    one_by_one, at_once = (
        PoolView(ROWS, ReadingSource(Segmenter(one_by_one=each).__skactive_adapter__()))
        for each in (True, False)
    )
    found, expected = (
        strategy.score_in_chunks(pool.elements.grouped(groups)) for pool in (one_by_one, at_once)
    )
    assert_allclose(found, expected, atol=1e-6)


def test_other_strategies_read_the_same_draws_at_once():
    one_by_one, at_once = (
        PoolView(ROWS, ReadingSource(Segmenter(one_by_one=each).__skactive_adapter__(), seed=3))
        for each in (True, False)
    )
    samples = one_by_one.elements.proba_samples(5)
    assert_array_equal(samples, at_once.elements.proba_samples(5))
    assert_array_equal(list(one_by_one.elements.iter_draws(5)), samples)
    assert_array_equal(list(at_once.elements.iter_draws(5)), samples)
    picks = (BatchBALD(n_samples=5).select(each.elements, 3) for each in (one_by_one, at_once))
    assert_array_equal(*picks)


def test_a_part_of_the_elements_has_its_part_of_each_draw():
    elements = PoolView(ROWS, ReadingSource(OneByOne(Segmenter()))).elements
    whole = elements.proba_samples(3)
    n_elements = len(elements)
    fresh = PoolView(ROWS, ReadingSource(OneByOne(Segmenter()))).elements
    for part in (np.array([40, 3, 17]), np.arange(5), np.arange(n_elements)[::-1]):
        assert_array_equal(list(fresh.take(part).iter_draws(3)), whole[:, part])


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "strategy", [BALD(), VariationRatio(), MeanStd(), Entropy(n_samples=20)], ids=repr
)
def test_the_draws_of_a_map_are_never_held_at_once(strategy, monkeypatch):
    monkeypatch.setattr(_element_readings, "_BLOCK_BYTES", 2**20)  # maps are larger
    learner, rows = fit(Aggregate(strategy), width=128), np.column_stack([range(3), [128] * 3])
    one_draw = 128 * 128 * N_CLASSES * 4
    peak = measure_peak(lambda: learner.score_pool(rows))
    assert peak < 9 * one_draw < N_DRAWS * one_draw, f"{peak / one_draw:.1f} draws"


def test_few_small_rows_are_drawn_together(monkeypatch):
    n_rows_read = []

    class Counting(OneByOne):
        def iter_draws(self, Z, n_samples, seed):
            n_rows_read.append(len(Z))
            return super().iter_draws(Z, n_samples, seed)

    pool = PoolView(ROWS, ReadingSource(Counting(Segmenter())))
    Aggregate(BALD()).score(pool)
    assert n_rows_read == [1, 1, 2, 2, 4, 4, 2, 2]  # one draw to count the pixels, and all
    monkeypatch.setattr(_element_readings, "_BLOCK_BYTES", 1)
    n_rows_read.clear()
    Aggregate(BALD()).score(PoolView(ROWS, ReadingSource(Counting(Segmenter()))))
    assert max(n_rows_read) == 1


@pytest.mark.parametrize(
    ("draws", "message"),
    [
        ([[[[0.5, 0.5]]], [[[0.5, 0.5], [0.5, 0.5]]]], "2 pixels of row 0 as a draw, but 1 before"),
        ([[[[0.5, 0.7]]]], "do not sum to 1"),
    ],
    ids=["another number of pixels", "no probabilities"],
)
def test_draws_that_do_not_fit_are_refused(draws, message):
    class Wrong(StructuredAdapter):
        element = "pixel"

        def iter_draws(self, Z, n_samples, seed):
            return ([np.array(row) for row in draw] for draw in draws)

    pool = PoolView(ROWS[:1], ReadingSource(Wrong(Segmenter())))
    for read in (Aggregate(BALD()).score, lambda pool: pool.elements.proba_samples()):
        with pytest.raises(InvalidReadingError, match=message):
            read(pool)


def test_draws_may_be_ragged():
    class Joined(OneByOne):
        def iter_draws(self, Z, n_samples, seed):
            for draw in super().iter_draws(Z, n_samples, seed):
                yield Ragged.of([proba.reshape(-1, N_CLASSES) for proba in draw])

    joined, expected = (
        PoolView(ROWS, ReadingSource(kind(Segmenter()))).elements for kind in (Joined, OneByOne)
    )
    assert_array_equal(joined.proba_samples(), expected.proba_samples())


@parametrize_with_adapter_checks([(Segmenter().fit(ROWS, ROWS), ROWS)])
def test_a_model_that_yields_draws_passes_the_checks_of_adapters(model, X, check):
    check(model, X)
