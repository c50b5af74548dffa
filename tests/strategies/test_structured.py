"""Strategies that score rows by their elements: against plain loops, and inside other ones."""

from unittest.mock import patch

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearner, Ragged, reductions, scores
from skactive.adapters import StructuredAdapter, register
from skactive.exceptions import CapabilityError
from skactive.pool import PoolView, _element_readings
from skactive.pool._view import ReadingSource
from skactive.strategies import (
    EPIG,
    MNLP,
    SEALS,
    Aggregate,
    Auto,
    BoxEntropy,
    BoxMargin,
    EnergyWeightedVariance,
    Entropy,
    EpsilonGreedy,
    HypothesisConfidence,
    HypothesisEntropy,
    HypothesisMargin,
    InformationDensity,
    KCenterGreedy,
    KMeans,
    LocalizationStability,
    Margin,
    Mixture,
    PerCost,
    Prefilter,
    Product,
    Random,
    RankedBatch,
    RegionImpurity,
    SampleDisagreement,
    Subsample,
    UHerding,
    WeightedSum,
)
from skactive.testing import FakePool

X, Y = make_multilabel_classification(80, random_state=0)


class LabelByLabel(BaseEstimator):
    """A model of each label, as one that a third party wrote."""

    def fit(self, X, Y):
        self.models_ = [LogisticRegression(C=0.01).fit(X, y) for y in np.asarray(Y).T]
        return self


@register(LabelByLabel)
class LabelByLabelAdapter(StructuredAdapter):
    element = "label"

    def proba(self, Z):
        return np.stack([model.predict_proba(Z) for model in self.model.models_], axis=1)


class Detector(BaseEstimator):
    """Finds as many boxes as X[:, 1] says, by the seed X[:, 0]."""

    def fit(self, X, y):
        return self


@register(Detector)
class DetectorAdapter(StructuredAdapter):
    element = "box"

    def proba(self, Z):
        return [draw(row).dirichlet(np.ones(3), size=row[1]) if row[1] else [] for row in Z]

    def boxes(self, Z):
        return [draw(row).random((row[1], 4)).cumsum(axis=1) for row in Z]


def draw(row):
    return np.random.default_rng(int(row[0]))


def fit(strategy):
    return ActiveLearner(LabelByLabel(), strategy, random_state=0).fit(X[:40], Y[:40])


# -- each against a loop over rows ---------------------------------------------------------------


def score_by_loop(function, *readings, pool, empty=0.0):
    """Score each row alone by a function of the readings of its elements and two offsets."""
    result = np.full(len(pool), empty)
    for i in range(len(pool)):
        elements = pool.take(np.array([i])).elements
        if len(elements):
            values = [getattr(elements, name) for name in readings]
            result[i] = function(*values, [0, len(elements)])[0]
    return result


CASES = {
    "MNLP": (MNLP(empty=-1.0), scores.mnlp, ["proba"]),
    "confidence": (
        HypothesisConfidence(0.5, empty=-1.0),
        lambda *values: scores.length_normalized_loss(*values, alpha=0.5),
        ["log_likelihood", "lengths"],
    ),
    "entropy": (HypothesisEntropy(empty=-1.0), scores.n_best_entropy, ["log_likelihood"]),
    "margin": (HypothesisMargin(empty=-1.0), scores.n_best_margin, ["log_likelihood"]),
    "texts": (SampleDisagreement(empty=-1.0), scores.sample_disagreement, ["prediction"]),
    "energy": (
        EnergyWeightedVariance(empty=-1.0),
        scores.energy_weighted_variance,
        ["std", "prediction"],
    ),
    "boxes": (
        BoxEntropy(threshold=0.1, empty=-1.0),
        lambda p, b, o: [scores.box_entropy(p, o, boxes=b, threshold=0.1).sum()],
        ["proba", "boxes"],
    ),
    "features": (
        BoxEntropy("features", threshold=0.1, reduction=reductions.maximum, empty=-1.0),
        lambda p, f, o: [scores.box_entropy(p, o, features=f, threshold=0.1).max()],
        ["proba", "embedding"],
    ),
    "regions": (
        RegionImpurity(2, empty=-1.0),
        lambda p, _: [scores.region_impurity(p, 2).mean()],
        ["proba"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_row_is_scored_by_its_elements_alone(case):
    strategy, function, readings = CASES[case]
    pool = FakePool(40)
    expected = score_by_loop(function, *readings, pool=pool, empty=-1.0)
    assert_allclose(strategy.score(FakePool(40)), expected, rtol=1e-10)
    assert (expected == -1.0).any()  # rows without elements
    assert len(np.unique(expected)) > 2


def test_stability_reads_draws_of_boxes():
    pool = FakePool(40)
    samples = pool.elements.box_samples(3)
    elements = pool.elements
    expected = scores.localization_instability(
        elements.proba, elements.boxes, samples, elements.offsets
    )
    assert_allclose(LocalizationStability(n_samples=3).score(FakePool(40)), expected)


def test_box_margins_are_weighted_in_the_order_of_the_classes():
    proba = [[[0.6, 0.4]], [[0.4, 0.6]]]
    pool = FakePool(elements={"proba": proba})
    strategy = Aggregate(BoxMargin([1.0, 3.0]), reductions.total)
    assert_allclose(strategy.score(pool), [0.64, 3 * 0.64])


def make_targets(*labels):
    """Return labels of images in which boxes of these classes are drawn."""
    return [{"boxes": np.zeros((len(row), 4)), "labels": np.array(row, int)} for row in labels]


@pytest.mark.parametrize(
    ("background", "expected"),
    [(False, [7 / 5, 7 / 1, 7 / 1]), (True, [6 / 5, 6 / 1])],  # (N + C) / (N_c + 1)
    ids=["classes", "background"],
)
def test_rare_classes_of_the_labeled_boxes_come_first(background, expected):
    strategy = Aggregate(BoxMargin("balanced", background=background), reductions.total)
    learner = ActiveLearner(Detector(), strategy, random_state=0)
    learner.fit(IMAGES[:3], make_targets([0, 0, 0], [0], []))
    same = Aggregate(BoxMargin(expected, background=background), reductions.total)
    other = ActiveLearner(Detector(), same, random_state=0).fit(
        IMAGES[:3], make_targets([], [], [])
    )
    assert_allclose(learner.score_pool(IMAGES), other.score_pool(IMAGES))
    assert len(np.unique(learner.score_pool(IMAGES))) > 2


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 1], "must be dicts whose 'labels' are integers"),
        (make_targets([0], [3], [1]), "has the class 3, but the model knows 3 classes"),
    ],
    ids=["no boxes", "too many classes"],
)
def test_classes_that_cannot_be_counted_are_an_error(labels, message):
    learner = ActiveLearner(Detector(), Aggregate(BoxMargin("balanced")), random_state=0)
    learner.fit(IMAGES[:3], labels)
    with pytest.raises(ValueError, match=message):
        learner.query(IMAGES)


# -- images without boxes ------------------------------------------------------------------------

IMAGES = np.array([[0, 0], [1, 2], [2, 0], [3, 1], [4, 5]])


@pytest.mark.parametrize(
    "strategy",
    [Aggregate(Margin(), reductions.total, empty=-1.0), BoxEntropy(empty=-1.0), MNLP(empty=-1.0)],
    ids=["Aggregate", "BoxEntropy", "MNLP"],
)
@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4], [0], [2, 0], [1, 0]], ids=str)
def test_rows_without_elements_have_the_stated_score_in_any_pool(strategy, rows):
    learner = ActiveLearner(Detector(), strategy, random_state=0).fit(IMAGES[:1], [0])
    result = learner.score_pool(IMAGES[rows])
    assert_array_equal(result == -1.0, IMAGES[rows, 1] == 0)
    assert_allclose(result, learner.score_pool(IMAGES)[rows])


@pytest.mark.parametrize("strategy", [BoxEntropy(), Aggregate(Entropy())], ids=repr)
def test_single_boxes_are_those_of_the_highest_scores(strategy):
    learner = ActiveLearner(Detector(), strategy, random_state=0).fit(IMAGES[:1], [0])
    rows, places = learner.query_elements(IMAGES, 3)
    known = [np.zeros(n, dtype=bool) for n in IMAGES[:, 1]]
    for row, place in zip(rows, places, strict=True):
        known[row][place] = True
    rest = learner.query_elements(IMAGES, 5, known=known)
    chosen = set(zip(rows.tolist(), places.tolist(), strict=True))
    assert chosen.isdisjoint(zip(*(each.tolist() for each in rest), strict=True))
    if isinstance(strategy, Aggregate):
        entropies = [scores.entropy(draw(r).dirichlet(np.ones(3), r[1])) for r in IMAGES if r[1]]
        best = [entropies[[1, 3, 4].index(row)][place] for row, place in sorted(chosen)]
        assert_allclose(sorted(best), np.sort(np.concatenate(entropies))[-3:])


class Maps(BaseEstimator):
    """Draws a map of 4 x 6 pixels by the seed X[:, 0]."""

    def fit(self, X, y):
        return self


@register(Maps)
class MapsAdapter(StructuredAdapter):
    element = "pixel"

    def proba(self, Z):
        return [draw(row).dirichlet(np.ones(3), (4, 6)) for row in Z]


@pytest.mark.parametrize("reduction", [None, reductions.maximum], ids=["mean", "maximum"])
def test_impurity_of_a_group_is_that_of_its_pixels_in_the_whole_map(reduction):
    strategy = RegionImpurity(reduction=reduction)
    learner = ActiveLearner(Maps(), strategy, random_state=0).fit(IMAGES[:1], [0])
    grid = np.arange(4)[:, np.newaxis] // 2 * 2 + np.arange(6) // 3  # four groups of 2 x 3 pixels
    known = np.zeros((5, 4), dtype=bool)
    known[2, 1:] = True
    rows, places = learner.query_elements(IMAGES, 17, groups=[grid] * 5, known=known)
    expected = {}
    for i in range(5):
        impurity = scores.region_impurity(draw(IMAGES[i]).dirichlet(np.ones(3), (4, 6)), 1)
        for place in np.flatnonzero(~known[i]):
            values = impurity[grid == place]
            expected[i, int(place)] = values.mean() if reduction is None else values.max()
    order = sorted(expected, key=lambda name: -expected[name])
    assert list(zip(rows.tolist(), places.tolist(), strict=True)) == order


# -- inside other strategies ---------------------------------------------------------------------

A = Aggregate(Entropy(), reductions.mean)
MAX = Aggregate(Margin(), reductions.maximum)


@pytest.mark.parametrize(
    "strategy",
    [
        Prefilter(A, KMeans(), factor=3),
        Prefilter(MNLP(), KCenterGreedy(), factor=3),
        Mixture([("doubt", A), ("random", Random())]),
        UHerding(uncertainty=A),
        Auto(uncertainty=A),
        InformationDensity(A),
        RankedBatch(A),
        WeightedSum([("mean", A), ("max", MAX)]),
        Product([("mean", A), ("mnlp", MNLP())]),
        PerCost(A),
        Subsample(A, n_candidates=20),
        EpsilonGreedy(A, epsilon=0.5),
        SEALS(A, n_neighbors=5),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_compositions_take_scores_of_elements(strategy):
    picks = fit(strategy).query(X[40:], 4)
    assert len(set(picks.tolist())) == 4


def test_compositions_use_the_scores_of_the_rows():
    mean, largest = fit(A).score_pool(X[40:]), fit(MAX).score_pool(X[40:])
    by_loop = [
        np.mean([scores.entropy(np.atleast_2d(p))[0] for p in row])
        for row in LabelByLabelAdapter(LabelByLabel().fit(X[:40], Y[:40])).proba(X[40:])
    ]
    assert_allclose(mean, by_loop)
    product = fit(Product([("a", A), ("b", MAX)]))
    assert_allclose(product.score_pool(X[40:]), mean * largest)
    picks = fit(Prefilter(A, KCenterGreedy(), factor=2)).query(X[40:], 3)
    assert set(picks) <= set(np.argsort(-mean)[:6])
    assert_allclose(fit(PerCost(A)).score_pool(X[40:]), mean)


def test_auto_and_herding_weigh_rows_by_the_doubt_of_their_elements():
    """Rows are in two places alike, and only those of one place are uncertain."""
    rng = np.random.default_rng(0)
    places = np.repeat([[0.0], [9.0]], 15, axis=0) + rng.normal(size=(30, 1))
    sure, torn = [[0.999, 0.001]] * 2, [[0.5, 0.5]] * 2
    pool = {"embedding": places, "elements": {"proba": [sure] * 15 + [torn] * 15}}
    for strategy in (Auto(uncertainty=A), UHerding(uncertainty=A)):
        picks = strategy.select(FakePool(n_labeled=0, **pool), 4)
        assert (picks >= 15).sum() >= 3, strategy


def test_elements_are_chosen_per_cost():
    learner, costs = fit(PerCost(A)), np.ones_like(Y[40:], dtype=float)
    rows, labels = fit(A).query_elements(X[40:], 1)
    assert_array_equal(learner.query_elements(X[40:], 1, costs=costs), (rows, labels))
    costs[rows[0], labels[0]] = 100.0
    assert learner.query_elements(X[40:], 1, costs=costs) != (rows, labels)
    with pytest.raises(CapabilityError, match="scores rows by all of their labels together"):
        fit(MNLP()).query_elements(X[40:], 1)


@pytest.mark.parametrize("strategy", [BoxEntropy(), RegionImpurity()], ids=repr)
def test_elements_that_raise_the_score_are_named(strategy):
    pool, rows = FakePool(), np.array([11, 3, 20])
    elements = pool.elements
    scored = strategy.score_elements(elements)
    explained = strategy.explain_elements(pool, rows)
    for row, named in zip(rows, explained, strict=True):
        own = scored[elements.offsets[row] : elements.offsets[row + 1]]
        assert list(named.values()) == sorted(own, reverse=True)[:5]
        assert all(own[int(name.removeprefix("token "))] == named[name] for name in named)
    around = PerCost(Prefilter(strategy, Random()).prefilter)
    assert around.explain_elements(pool, rows) == explained
    assert Subsample(strategy).explain_elements(pool, rows) == explained
    assert Subsample(Margin()).explain_elements(pool, rows) is None


@pytest.mark.parametrize("strategy", [RegionImpurity(), RegionImpurity(radius=2)], ids=repr)
def test_groups_of_pixels_have_the_mean_impurity_of_their_pixels(strategy):
    rng = np.random.RandomState(0)
    maps = [rng.dirichlet(np.ones(3), size=(4, 5)), rng.dirichlet(np.ones(3), size=(2, 3))]
    groups = [np.arange(20).reshape(4, 5) % 4 * 3 - 3, np.array([[7, 7, 1], [-1, 1, 1]])]

    class Maps(StructuredAdapter):
        element = "pixel"

        def proba(self, Z):
            return [maps[row] for row in Z[:, 0]]

    pool = PoolView(np.arange(2)[:, np.newaxis], ReadingSource(adapter=Maps(None)))
    view = pool.elements.grouped(groups)
    impurity = [scores.region_impurity(each, strategy.radius) for each in maps]
    expected = [
        values[number == group].mean()
        for values, number in zip(impurity, groups, strict=True)
        for group in np.unique(number[number >= 0])
    ]
    found = strategy.score(view)
    assert_allclose(found, expected)
    part = np.array([4, 0, 2])
    assert_allclose(strategy.score(view.take(part)), found[part])
    assert strategy.select(view, 1) == np.argmax(expected)


def test_information_on_target_elements_does_not_depend_on_order_or_blocks():
    targets = np.array([[3], [11], [20]])
    order = np.random.RandomState(1).permutation(30)
    for strategy in (Aggregate(EPIG(targets=targets)), Aggregate(EPIG(n_targets=1000))):
        expected = strategy.score(FakePool())
        assert_allclose(strategy.score(FakePool().reordered(order)), expected[order], atol=1e-14)
        for memory, n_bytes in ((0.0, 1), (0.002, 100), (0.01, 2**25)):
            small = patch.object(_element_readings, "_BLOCK_BYTES", n_bytes)
            with config_context(working_memory=memory), small:
                assert_allclose(strategy.score(FakePool()), expected, atol=1e-14)
                picks = strategy.select(FakePool(), 5)
            assert_array_equal(picks, strategy.select(FakePool(), 5))


def test_drawn_target_elements_are_those_of_the_seed_for_any_blocks():
    strategy = Aggregate(EPIG(n_targets=5))
    expected = strategy.score(FakePool(query_seed=3))
    with config_context(working_memory=0.0):
        assert_allclose(strategy.score(FakePool(query_seed=3)), expected, atol=1e-14)
    assert not np.allclose(strategy.score(FakePool(query_seed=4)), expected)


def test_targets_without_elements_are_refused():
    lengths = np.array([2, 0, 3, 0])
    proba = np.full((5, 2), 0.5)
    pool = FakePool(elements={"proba": Ragged(proba, np.append(0, np.cumsum(lengths)))})
    with pytest.raises(ValueError, match="targets of EPIG have no elements"):
        Aggregate(EPIG(targets=np.array([[1], [3]]))).score(pool)


# -- texts ----------------------------------------------------------------------------------------


def test_an_unknown_measure_is_refused_before_labels_are_paid_for():
    with pytest.raises(ValueError, match="measure must be"):
        fit(SampleDisagreement("meteor"))
