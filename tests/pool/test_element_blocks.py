"""Elements are read a few rows at a time: what is kept, and what is known of them."""

import numpy as np
import pytest
import sklearn
from memory import measure_peak
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator

from skactive import ActiveLearner, Ragged, reductions, scores
from skactive.adapters import StructuredAdapter, register
from skactive.exceptions import InvalidReadingError, PoolExhaustedError
from skactive.pool import _element_readings
from skactive.strategies import Aggregate, Entropy, Margin, RegionImpurity
from skactive.testing import FakePool


class Maps(BaseEstimator):
    """Predicts maps of probabilities; row i has the seed X[i, 0] and the height X[i, 1]."""

    def __init__(self, width=256, n_classes=19):
        self.width, self.n_classes = width, n_classes

    def fit(self, X, y):
        return self

    def make_map(self, row):
        seed, height = map(int, row)
        proba = np.random.default_rng(seed).random(
            (height, self.width, self.n_classes), dtype=np.float32
        )
        proba /= np.einsum("ijk->ij", proba)[..., np.newaxis]
        return proba


@register(Maps)
class MapsAdapter(StructuredAdapter):
    element = "pixel"
    read = 0

    def proba(self, Z):
        for row in Z:
            MapsAdapter.read += 1
            yield self.model.make_map(row)


def make_rows(heights):
    return np.column_stack([np.arange(len(heights)), heights])


def fit(model, strategy):
    return ActiveLearner(model, strategy, random_state=0).fit(make_rows([4]), [0])


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "strategy",
    [
        Aggregate(Margin(), reductions.TopMean(0.1)),
        Aggregate(Entropy(), reductions.TopMean(0.1)),
        RegionImpurity(),
    ],
    ids=repr,
)
def test_maps_from_an_iterator_are_never_stacked(strategy, monkeypatch):
    monkeypatch.setattr(_element_readings, "_BLOCK_BYTES", 2**20)  # maps are larger
    learner, rows = fit(Maps(), strategy), make_rows([128] * 12)
    one_map = 128 * 256 * 19 * 4
    peak = measure_peak(lambda: learner.score_pool(rows))
    assert peak < 2 * one_map, f"{peak / 1e6:.1f} MB beside maps of {one_map / 1e6:.1f} MB"


def test_single_pixels_of_many_maps_are_chosen_without_stacking_them():
    learner, rows = fit(Maps(width=128), Aggregate(Entropy())), make_rows([64] * 40)
    expected = learner.query_elements(rows, 5)
    one_map = 64 * 128 * 19 * 4
    with sklearn.config_context(working_memory=1):
        peak = measure_peak(lambda: learner.query_elements(rows, 5))
        chosen = learner.query_elements(rows, 5)
    assert peak < 2**25 + 8 * one_map < 40 * one_map * 4  # a block, of rows of 4 bytes
    assert_array_equal(chosen, expected)


def test_a_small_first_reading_is_made_once():
    learner, rows = fit(Maps(width=8), Aggregate(Entropy())), make_rows([3, 4, 5])
    MapsAdapter.read = 0
    learner.query_elements(rows, 5)
    assert MapsAdapter.read == 3


def test_shapes_are_the_axes_of_each_map():
    model, rows = Maps(width=3, n_classes=2), make_rows([2, 4, 1])
    learner = fit(model, RegionImpurity())
    elements = learner._make_view(rows).elements
    assert elements.shapes == [(2, 3), (4, 3), (1, 3)]
    assert elements.take(np.array([0, 7])).shapes == elements.shapes
    assert elements.rows.take(np.array([2, 0])).elements.shapes == [(1, 3), (2, 3)]
    assert FakePool(elements={"proba": [[[1.0, 0.0]] * 2, []]}).elements.shapes == [(2,), (0,)]


def test_region_impurity_reads_maps_of_several_heights():
    model, rows = Maps(width=5, n_classes=3), make_rows([2, 4, 7])
    learner = fit(model, RegionImpurity(reduction=reductions.maximum))
    maps = [scores.region_impurity(model.make_map(row)) for row in rows]
    assert_allclose(learner.score_pool(rows), [each.max() for each in maps], rtol=1e-12)
    picked, places = learner.query_elements(rows, 4)
    flat = np.concatenate([each.ravel() for each in maps])
    got = [maps[row].ravel()[place] for row, place in zip(picked, places, strict=True)]
    assert_allclose(got, np.sort(flat)[::-1][:4])


def test_draws_of_boxes_are_read_taken_and_counted():
    draws = [np.arange(24.0).reshape(2, 3, 4), np.zeros((2, 0, 4)), np.ones((2, 1, 4))]
    pool = FakePool(elements={"box_samples": draws, "proba": [[[1.0]] * 3, [], [[1.0]]]})
    assert pool.elements.box_samples().shape == (2, 4, 4)
    assert_array_equal(pool.elements.take(np.array([3, 1])).box_samples()[:, 1], draws[0][:, 1])
    one_row = pool.take(np.array([2])).elements
    assert_array_equal(one_row.box_samples(), draws[2])
    assert pool.elements.box_samples(1).shape == (1, 4, 4)


def test_one_array_is_not_copied_by_a_ragged_array():
    values = np.ones((4, 3))
    assert Ragged.of([values]).values is values


# -- what does not fit ---------------------------------------------------------------------------


class Given(BaseEstimator):
    """Gives the probabilities that it was made with, and knows two classes."""

    def __init__(self, proba):
        self.proba = proba

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        return self


@register(Given)
class GivenAdapter(StructuredAdapter):
    element = "token"

    def proba(self, Z):
        return [self.model.proba[int(row[0])] for row in Z]


def make_given(*rows):
    learner = ActiveLearner(Given(list(rows)), Aggregate(Margin()), random_state=0)
    return learner.fit(make_rows([1]), [0])


GOOD = [[0.5, 0.5], [0.9, 0.1]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([[0.5, np.nan]], "NaN and infinity come from the model"),
        ([[0.2, 0.3, 0.5]], "3 columns of probability for each token, but has 2 classes"),
        ([[0.7, 0.7]], "do not sum to 1"),
    ],
    ids=["nan", "three", "sum"],
)
def test_elements_that_do_not_fit_are_refused(row, message):
    learner = make_given(GOOD, row)
    assert learner.score_pool(make_rows([1])).shape == (1,)
    with pytest.raises(InvalidReadingError, match=message):
        learner.score_pool(make_rows([1, 1]))


def test_a_mask_that_hides_all_elements_leaves_nothing_to_choose():
    learner, rows = make_given(GOOD, [], GOOD), make_rows([1, 1, 1])
    hidden = [np.ones(n, dtype=bool) for n in (2, 0, 2)]
    with pytest.raises(PoolExhaustedError):
        learner.query_elements(rows, 1, known=hidden)
    hidden[2][1] = False
    assert [each.tolist() for each in learner.query_elements(rows, 1, known=hidden)] == [[2], [1]]


def test_rows_whose_elements_are_in_no_group_are_empty():
    learner, rows = make_given(GOOD, GOOD), make_rows([1, 1])
    groups = [np.array([-1, -1]), np.array([3, 3])]
    assert [each.tolist() for each in learner.query_elements(rows, 1, groups=groups)] == [[1], [0]]
