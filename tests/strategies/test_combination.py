"""Sums and products of scores: their formulas, their parameters, and what they refuse."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV

from skactive import ActiveLearner, SimulatedLearner
from skactive.exceptions import SelectionError
from skactive.strategies import (
    BADGE,
    DOptimal,
    Entropy,
    EpsilonGreedy,
    InformationDensity,
    KMeans,
    LeastConfidence,
    Margin,
    Mixture,
    Product,
    WeightedSum,
)
from skactive.testing import FakePool

X, Y = load_iris(return_X_y=True)
PARTS = [("entropy", Entropy()), ("badge", BADGE())]


def scale_to_unit(scores):
    return (scores - scores.min()) / (scores.max() - scores.min())


SCALES = {None: np.asarray, "min_max": scale_to_unit, "rank": lambda s: rankdata(s) / len(s)}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("weights", [None, [2.0, 0.5], [1, 0]])
def test_formulas(scale, weights):
    pool = FakePool(25)
    first, second = (SCALES[scale](strategy.score(pool)) for _, strategy in PARTS)
    w, v = weights or (1, 1)
    strategy = WeightedSum(PARTS, weights=weights, scale=scale)
    assert_allclose(strategy.score(pool), w * first + v * second)
    assert_array_equal(strategy.select(pool, 3), np.argsort(-strategy.score(pool))[:3])
    product = Product(PARTS, weights=weights, scale=scale)
    assert_allclose(product.score(pool), first**w * second**v)


def test_by_default_units_do_not_matter():
    """Ranks ignore monotone changes of a score; products ignore factors."""
    proba = np.random.default_rng(0).dirichlet([1, 1, 1], 30)
    Z = np.random.default_rng(1).normal(size=(30, 4))
    for kind in (WeightedSum, Product):
        picks = [
            kind(PARTS).select(FakePool(proba=proba, embedding=scale * Z), 8)
            for scale in (1.0, 1e4)
        ]
        assert_array_equal(*picks)


def test_ties_share_their_ranks_and_a_score_that_is_constant_says_nothing():
    pool = FakePool(proba=[[0.5, 0.5], [0.5, 0.5], [0.9, 0.1]], embedding=np.ones((3, 2)))
    assert_allclose(WeightedSum([("m", Margin())]).score(pool), [2.5 / 3, 2.5 / 3, 1 / 3])
    constant = FakePool(proba=[[0.5, 0.5], [0.6, 0.4]], decision=[1.0, 2.0])
    parts = [("margin", Margin()), ("flat", InformationDensity(beta=0.0))]
    score = Product(parts, scale="min_max").score(FakePool(proba=[[0.5, 0.5], [0.6, 0.4]]))
    assert score[0] > score[1]
    flat = [("margin", Margin()), ("none", LeastConfidence())]
    certain = FakePool(proba=[[1.0, 0.0], [0.0, 1.0]])
    assert_array_equal(Product(flat, scale="min_max").score(certain), [1.0, 1.0])
    assert len(WeightedSum(flat).select(constant, 2)) == 2


def test_a_negative_weight_prefers_low_scores():
    pool = FakePool(proba=[[0.5, 0.5], [0.9, 0.1], [0.7, 0.3]])
    strategy = WeightedSum([("margin", Margin())], weights=[-1])
    assert_array_equal(strategy.select(pool, 3), [1, 2, 0])


def test_a_product_refuses_negative_scores_and_the_remedies_work():
    model = RidgeClassifier()
    parts = [("margin", Margin()), ("again", Margin())]
    learner = ActiveLearner(model, Product(parts), random_state=0).fit(X[::10], Y[::10])
    with pytest.raises(SelectionError, match=r"'margin' \(Margin\) gives -.*scale='rank'"):
        learner.query(X, 3)
    plain = ActiveLearner(model, Margin(), random_state=0).fit(X[::10], Y[::10])
    best = set(plain.query(np.unique(X, axis=0), 3))
    for strategy in (
        Product(parts, scale="rank"),
        Product(parts, scale="min_max"),
        WeightedSum(parts),
    ):
        learner.set_params(strategy=strategy)
        assert set(learner.query(np.unique(X, axis=0), 3)) == best


@pytest.mark.parametrize("kind", [WeightedSum, Product])
@pytest.mark.parametrize(
    ("strategies", "weights", "message"),
    [
        ([], None, "one or more"),
        ([Margin()], None, r"\(name, strategy\)"),
        ([("a", KMeans())], None, "'a' is KMeans.*does not score rows.*Mixture"),
        ([("a", EpsilonGreedy(Margin()))], None, "does not score rows"),
        ([("a", Margin()), ("a", Entropy())], None, "unique"),
        ([("a__b", Margin())], None, "__"),
        (PARTS, [1.0], "2 finite numbers"),
        (PARTS, [1.0, np.nan], "2 finite numbers"),
        (PARTS, ["a", "b"], "2 finite numbers"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_at_fit(kind, strategies, weights, message):
    learner = ActiveLearner(LogisticRegression(), kind(strategies, weights=weights))
    with pytest.raises(ValueError, match=message):
        learner.fit(X[::10], Y[::10])


def test_exponents_below_zero_are_refused():
    learner = ActiveLearner(LogisticRegression(), Product(PARTS, weights=[1, -1]))
    with pytest.raises(ValueError, match="at least 0"):
        learner.fit(X[::10], Y[::10])


def test_parts_have_names_and_can_be_searched():
    strategy = WeightedSum([("margin", Margin()), ("density", InformationDensity())])
    strategy.set_params(density__beta=2.0, margin=Entropy(), weights=[1, 3])
    assert strategy.get_params()["density__beta"] == 2.0
    assert isinstance(clone(strategy).strategies[0][1], Entropy)
    assert strategy.needs == {"proba", "embedding"}
    assert WeightedSum([("m", Margin(n_samples=3))]).needs == {"proba_samples"}
    simulation = SimulatedLearner(
        ActiveLearner(LogisticRegression(max_iter=500), strategy), budget=16, n_initial=10
    )
    grid = {"learner__strategy__weights": [[1, 0], [0, 1]]}
    search = GridSearchCV(simulation, grid, cv=2, error_score="raise").fit(X, Y)
    assert search.best_params_["learner__strategy__weights"] in grid["learner__strategy__weights"]


@pytest.mark.parametrize("kind", [WeightedSum, Product])
def test_by_default_uncertain_rows_unlike_the_labeled_ones_are_chosen(kind):
    parts = [("margin", Margin()), ("novelty", DOptimal())]
    assert_allclose(kind().score(FakePool()), kind(parts).score(FakePool()))
    assert kind().needs == {"proba|decision", "embedding"}
    learner = ActiveLearner(LogisticRegression(), kind(weights=[1, 2, 3]))
    with pytest.raises(ValueError, match="2 finite numbers"):
        learner.fit(X[::10], Y[::10])


def test_combinations_can_be_combined():
    inner = Product([("entropy", Entropy()), ("badge", BADGE())])
    pool = FakePool()
    outer = WeightedSum([("inner", inner), ("margin", Margin())], scale=None)
    assert_allclose(outer.score(pool), inner.score(pool) + Margin().score(pool))
    nested = InformationDensity(inner, beta=0.0)
    assert_allclose(nested.score(pool), inner.score(pool))


@pytest.mark.parametrize("weights", [[1, [2, 3]], [[1], [2, 3]]])
def test_ragged_weights_are_refused(weights):
    parts = [("margin", Margin()), ("entropy", Entropy())]
    for strategy in (WeightedSum(parts, weights=weights), Product(parts, weights=weights)):
        with pytest.raises(ValueError, match="weights must be 2 finite numbers"):
            strategy._validate_params()
    with pytest.raises(ValueError, match="shares must be 2 finite numbers"):
        Mixture(parts, shares=weights)._validate_params()
