"""Scores per cost; Aggregate itself is tested with the elements of pools."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner, scores
from skactive.exceptions import CapabilityError
from skactive.strategies import Aggregate, Margin, PerCost
from skactive.testing import FakePool


@pytest.mark.parametrize("exponent", [0.0, 0.5, 2.0])
def test_scores_are_divided_by_a_power_of_the_costs(exponent):
    costs = np.random.RandomState(0).uniform(1, 9, size=30)
    pool = FakePool(costs=costs)
    expected = scores.margin(pool.proba) / costs**exponent
    np.testing.assert_allclose(PerCost(Margin(), exponent).score(pool), expected)
    part = np.array([4, 2, 9])
    np.testing.assert_allclose(PerCost(Margin(), exponent).score(pool.take(part)), expected[part])


def test_costs_are_checked():
    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(LogisticRegression(max_iter=1000), PerCost(), random_state=0)
    learner.fit(X[::15], y[::15])
    for costs, message in [
        (np.ones(3), r"shape \(3,\)"),
        (np.zeros(150), "0.0 among them"),
        (np.full(150, np.nan), "nan among them"),
    ]:
        with pytest.raises(ValueError, match=message):
            learner.query(X, 2, costs=costs)
    dear = np.ones(150)
    dear[learner.query(X, 5)] = 1e6
    assert not set(learner.query(X, 5)) & set(learner.query(X, 5, costs=dear))


def test_a_model_of_one_label_per_row_needs_no_aggregate():
    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(make_pipeline(LogisticRegression()), Aggregate(Margin()))
    advice = r"use the strategy that is in Aggregate\(...\) alone.*\(inside the Pipeline\)"
    with pytest.raises(CapabilityError, match=advice):
        learner.fit(X[::15] / 5, y[::15])


def test_a_score_without_a_name_is_kept_in_explanations():
    pool = FakePool(costs=np.arange(1.0, 31.0))
    parts = PerCost(Aggregate(Margin())).explain(FakePool(elements={"proba": [[[0.6, 0.4]]]}))
    assert list(parts) == ["score before costs", "cheapness", "score"]
    assert list(PerCost(Margin()).explain(pool)) == ["uncertainty", "cheapness", "score"]


class Counting(Margin):
    """Counts the rows that it scores."""

    n_scored = 0

    def score(self, pool):
        Counting.n_scored += len(pool)
        return super().score(pool)


@pytest.mark.parametrize("method", ["score", "score_in_chunks", "explain"])
def test_the_pool_is_scored_once(method, monkeypatch):
    monkeypatch.setattr(Counting, "n_scored", 0)
    with config_context(working_memory=0.002):
        getattr(PerCost(Counting()), method)(FakePool(costs=np.arange(1.0, 31.0)))
    assert Counting.n_scored == 30


def test_negative_scores_are_refused_in_explanations_too():
    pool = FakePool(allowed={"decision"}, costs=np.ones(30))
    for method in ("score", "explain"):
        with pytest.raises(ValueError, match="gives negative scores"):
            getattr(PerCost(Margin()), method)(pool)
