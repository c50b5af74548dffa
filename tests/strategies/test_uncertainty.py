"""Uncertainty strategies on tables with known answers, and on models with decision functions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris, make_moons
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from skactive import ActiveLearner
from skactive.exceptions import CapabilityError
from skactive.strategies import ConsensusEntropy, Entropy, LeastConfidence, Margin, MarginRatio
from skactive.testing import FakePool

UNIT = [[0.2, 0.5, 0.3], [0.1, 0.7, 0.2]]  # unit vector 1
ALL = [LeastConfidence(), Margin(), MarginRatio(), Entropy()]
by_name = pytest.mark.parametrize("strategy", ALL, ids=lambda strategy: type(strategy).__name__)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (LeastConfidence(), [0.5, 0.3]),
        (Margin(), [0.8, 0.5]),
        (MarginRatio(), [0.3 / 0.5, 0.2 / 0.7]),
        (Entropy(), [1.0296530140645737, 0.8018185525433373]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_published_values(strategy, expected):
    assert_allclose(strategy.score(FakePool(proba=UNIT)), expected, rtol=1e-14)


@by_name
def test_a_certain_row_comes_last_and_a_level_row_first(strategy):
    pool = FakePool(proba=[[0, 1, 0], [1 / 3, 1 / 3, 1 / 3], [0.25, 0.7, 0.05], [0.1, 0.5, 0.4]])
    assert strategy.score(pool)[0] == 0.0  # exactly, and not NaN
    assert_array_equal(strategy.select(pool, 4), [1, 3, 2, 0])


def test_the_four_differ_where_they_should():
    # Two classes nearly tie; uncertainty over all classes; the most probable class least probable.
    pool = FakePool(
        proba=[
            [0.49, 0.51, 0.00, 0.00, 0.00],
            [0.55, 0.1125, 0.1125, 0.1125, 0.1125],
            [0.40, 0.30, 0.30, 0.00, 0.00],
        ]
    )
    assert Margin().select(pool, 1)[0] == 0
    assert MarginRatio().select(pool, 1)[0] == 0
    assert Entropy().select(pool, 1)[0] == 1
    assert LeastConfidence().select(pool, 1)[0] == 2


def test_of_equal_gaps_the_ratio_takes_the_one_between_more_probable_classes():
    pool = FakePool(proba=[[0.3, 0.2, 0.2, 0.2, 0.1], [0.56, 0.44, 0, 0, 0]])
    assert_array_equal(Margin().select(pool, 2), [0, 1])  # gaps 0.1 and 0.12
    assert_array_equal(MarginRatio().select(pool, 2), [1, 0])  # ratios 0.67 and 0.79


@by_name
def test_two_classes_rank_by_the_distance_from_one_half(strategy):
    pool = FakePool(50, n_classes=2)
    assert_array_equal(strategy.select(pool, 50), np.argsort(np.abs(pool.proba[:, 0] - 0.5)))


def test_margin_of_a_binary_decision_function():
    pool = FakePool(decision=[-2.0, 0.5, 0.1, -0.3, 7.0], allowed={"decision"})
    assert_array_equal(Margin().score(pool), [-2.0, -0.5, -0.1, -0.3, -7.0])
    assert_array_equal(Margin().select(pool, 3), [2, 3, 1])


def test_margin_of_a_decision_function_of_several_classes():
    table = [[3.0, 1.0, -1.0], [0.0, 0.5, 0.25], [-5.0, -9.0, -5.5]]
    pool = FakePool(decision=table, allowed={"decision"})
    assert_array_equal(Margin().score(pool), [-2.0, -0.25, -0.5])
    assert_array_equal(Margin().select(pool, 3), [1, 2, 0])


def test_margin_prefers_probabilities_where_there_are_both():
    proba = [[0.9, 0.1], [0.6, 0.4]]
    assert_array_equal(Margin().select(FakePool(proba=proba, decision=[0.0, 9.0]), 1), [1])


def test_margin_with_an_rbf_svc_ranks_by_the_distance_to_the_boundary():
    X, y = make_moons(200, noise=0.3, random_state=0)
    learner = ActiveLearner(SVC(kernel="rbf", gamma="auto", C=1.0), Margin(), random_state=0)
    learner.fit(X[:40], y[:40])
    expected = np.abs(SVC(gamma="auto").fit(X[:40], y[:40]).decision_function(X[40:]))
    assert_array_equal(learner.query(X[40:], 160), np.argsort(expected))


@pytest.mark.parametrize("model", [LinearSVC(), RidgeClassifier(), SVC()])
def test_margin_with_decision_functions_of_three_classes(model):
    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(make_pipeline(StandardScaler(), model), Margin(), random_state=0)
    learner.fit(X[::5], y[::5])
    ordered = np.sort(learner.decision_function(X), axis=1)
    assert_allclose(learner.score_pool(X), ordered[:, -2] - ordered[:, -1], rtol=1e-12)


@pytest.mark.parametrize("strategy", [LeastConfidence(), MarginRatio(), Entropy()])
def test_the_others_need_probabilities(strategy):
    learner = ActiveLearner(LinearSVC(), strategy)
    with pytest.raises(CapabilityError, match=f"{type(strategy).__name__} needs proba"):
        learner.fit(np.arange(4.0)[:, None], [0, 0, 1, 1])


@by_name
def test_a_declared_class_without_a_label_counts_for_nothing(strategy):
    X, y = load_iris(return_X_y=True)
    X, y = X[:100:3], np.array(["a", "c", "b"])[y][:100:3]
    seen = ActiveLearner(LogisticRegression(), strategy).fit(X, y)
    declared = ActiveLearner(LogisticRegression(), strategy, classes=["a", "b", "c"]).fit(X, y)
    assert_allclose(declared.score_pool(X), seen.score_pool(X), rtol=1e-12)


@pytest.mark.parametrize("kind", [LeastConfidence, Margin, MarginRatio, Entropy])
def test_with_samples_the_mean_of_the_draws_is_scored(kind):
    pool = FakePool(40, n_classes=4)
    mean = pool.proba_samples()[:3].mean(axis=0)
    expected = kind().score(FakePool(proba=mean))
    assert_allclose(kind(n_samples=3).score(pool), expected, rtol=1e-12)
    assert_array_equal(Entropy(n_samples=3).score(pool), ConsensusEntropy(n_samples=3).score(pool))


@pytest.mark.parametrize("kind", [LeastConfidence, Margin, MarginRatio, Entropy])
def test_needs_follow_n_samples(kind):
    assert kind.needs == kind().needs == kind().set_params(n_samples=None).needs
    assert kind(n_samples=5).needs == {"proba_samples"}
    X, y = load_iris(return_X_y=True)
    with pytest.raises(CapabilityError, match="RandomForestClassifier"):
        ActiveLearner(LogisticRegression(max_iter=500), kind(n_samples=5)).fit(X, y)
    learner = ActiveLearner(RandomForestClassifier(20, random_state=0), kind(n_samples=5))
    assert len(learner.fit(X[::10], y[::10]).query(X, 3)) == 3


def test_a_margin_of_draws_differs_from_that_of_a_net_without_dropout():
    """Where draws disagree, their mean is less sure than one prediction."""
    sure, divided = [0.9, 0.1], [[0.9, 0.1], [0.1, 0.9]]
    pool = FakePool(proba=[sure, sure], proba_samples=[[sure, row] for row in divided])
    assert_allclose(Margin().score(pool), [0.2, 0.2])
    assert_allclose(Margin(n_samples=2).score(pool), [0.2, 1.0])


# -- costs of wrong decisions --------------------------------------------------------------------

COSTS = np.array([[0, 1, 4], [9, 0, 2], [3, 7, 0]])
RANDOM_PROBA = np.random.RandomState(3).dirichlet(np.ones(3), 300)


def test_scores_with_costs_are_those_of_each_sum_written_out():
    pool = FakePool(proba=RANDOM_PROBA, allowed={"proba"})
    sums = [[sum(p[y] * COSTS[y, k] for y in range(3)) for k in range(3)] for p in RANDOM_PROBA]
    first, second = np.sort(sums)[:, :2].T
    assert_allclose(LeastConfidence(cost_matrix=COSTS).score(pool), first, rtol=1e-13)
    assert_allclose(
        Margin(cost_matrix=COSTS.tolist()).score(pool), 9 - (second - first), rtol=1e-13
    )


@pytest.mark.parametrize("kind", [LeastConfidence, Margin], ids=lambda kind: kind.__name__)
def test_costs_of_1_change_nothing_and_other_costs_do(kind):
    pool = FakePool(proba=RANDOM_PROBA)
    assert_allclose(kind(cost_matrix=1 - np.eye(3)).score(pool), kind().score(pool), atol=1e-15)
    assert (kind(cost_matrix=COSTS).select(pool, 9) != kind().select(pool, 9)).any()


def test_costs_of_a_class_that_is_rarely_true_move_the_doubt_towards_it():
    p = np.linspace(0.0, 1.0, 101)
    pool = FakePool(proba=np.column_stack([1 - p, p]))
    # To overlook class 1 costs 9, a false alarm 1: the decisions tie where 9 p = 1 - p.
    for strategy in (
        LeastConfidence(cost_matrix=[[0, 1], [9, 0]]),
        Margin(cost_matrix=[[0, 1], [9, 0]]),
    ):
        assert p[strategy.select(pool, 1)[0]] == 0.1


def test_costs_need_probabilities():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(CapabilityError, match="Margin needs proba, which LinearSVC"):
        ActiveLearner(LinearSVC(), Margin(cost_matrix=COSTS)).fit(X, y)


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ([[0, 1, 1], [1, 0, 1]], "must be square"),
        ([[0, -1], [1, 0]], "at least 0"),
        ([["a", "b"], ["c", "d"]], "must be an array of numbers"),
        (3, "cost_matrix"),
    ],
)
def test_wrong_costs_are_refused_before_labels_are_bought(costs, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises((TypeError, ValueError), match=message):
        ActiveLearner(LogisticRegression(), LeastConfidence(cost_matrix=costs)).fit(X, y)


def test_costs_are_for_the_declared_classes():
    X, y = load_iris(return_X_y=True)
    known = y < 2
    model = LogisticRegression(max_iter=500)
    learner = ActiveLearner(model, Margin(cost_matrix=COSTS)).fit(X[known], y[known])
    with pytest.raises(ValueError, match=r"for 3 classes, and these have 2.*classes=\[...\]"):
        learner.query(X)
    learner.set_params(classes=[0, 1, 2]).fit(X[known], y[known])
    assert len(learner.query(X, batch_size=5)) == 5
