"""Bayesian optimization: scores against their definitions, and searches for a maximum."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import BayesianRidge, Ridge

from skactive import ActiveLearner
from skactive.exceptions import CapabilityError, InvalidReadingError
from skactive.strategies import (
    ExpectedImprovement,
    ProbabilityOfImprovement,
    ThompsonSampling,
    UpperConfidenceBound,
)
from skactive.strategies._optimization import _log_unit_improvement
from skactive.testing import FakePool

IMPROVEMENTS = [ExpectedImprovement, ProbabilityOfImprovement]
ALL = [*IMPROVEMENTS, UpperConfidenceBound, ThompsonSampling]
by_name = {"ids": lambda value: value.__name__}


def best_of(pool, maximize):
    return max(pool.labeled.y) if maximize else min(pool.labeled.y)


@pytest.mark.parametrize("maximize", [True, False])
@pytest.mark.parametrize("xi", [0.0, 0.4])
def test_expected_improvement_is_its_integral(maximize, xi):
    pool, sign = FakePool(12), 1 if maximize else -1
    scores = ExpectedImprovement(maximize=maximize, xi=xi).score(pool)
    best = best_of(pool, maximize)
    for score, mean, std in zip(scores, pool.prediction, pool.std, strict=True):

        def gain(value, mean=mean, std=std):
            return (sign * (value - best) - xi) * norm.pdf(value, mean, std)

        start, far = best + sign * xi, mean + sign * 40 * std
        ends = sorted([start, max(start, far) if maximize else min(start, far)])
        assert_allclose(np.exp(score), quad(gain, *ends, epsabs=0, limit=200)[0], rtol=1e-5)


@pytest.mark.parametrize("maximize", [True, False])
def test_probability_of_improvement_is_that_of_a_normal_number(maximize):
    pool, sign = FakePool(12), 1 if maximize else -1
    scores = ProbabilityOfImprovement(maximize=maximize, xi=0.2).score(pool)
    reached = best_of(pool, maximize) + sign * 0.2
    law = norm(pool.prediction, pool.std)
    better = law.sf(reached) if maximize else law.cdf(reached)
    assert_allclose(np.exp(scores), better, rtol=1e-9)


def test_the_unit_improvement_has_many_digits_far_out():
    mpmath = pytest.importorskip("mpmath")
    z = -np.array([1e9, 1e8, 6.8e7, 1e5, 300.0, 38.0, 5.0, 1.001, 0.999, 0.0, -3.0, -50.0])
    with mpmath.workdps(60):
        exact = [mpmath.log(v * mpmath.ncdf(v) + mpmath.npdf(v)) for v in map(mpmath.mpf, z[4:])]
    assert_allclose(_log_unit_improvement(z)[4:], np.array(exact, dtype=float), rtol=1e-9)
    tail = -0.5 * z[:4] ** 2 - 0.5 * np.log(2 * np.pi) - 2 * np.log(-z[:4])  # phi(z) / z^2
    assert_allclose(_log_unit_improvement(z)[:4], tail, rtol=1e-12)


@pytest.mark.parametrize("kind", IMPROVEMENTS, **by_name)
def test_rows_are_in_order_where_an_improvement_is_very_unlikely(kind):
    means = -np.linspace(100, 200, 11)  # 1e-2000 and less
    pool = FakePool(prediction=means, std=np.full(11, 0.1))
    assert_array_equal(kind().select(pool, 11), np.arange(11))


@pytest.mark.parametrize("kind", IMPROVEMENTS, **by_name)
def test_certain_rows_are_compared_by_their_gain(kind):
    best = best_of(FakePool(3), True)
    prediction = best + np.array([-1.0, 0.0, 0.5, 2.0, -0.5])
    pool = FakePool(prediction=prediction, std=[0.0, 0.0, 0.0, 0.0, 0.3])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = kind().score(pool)
    assert np.isfinite(scores).all()
    assert set(np.argsort(-scores)[:2].tolist()) == {2, 3}
    assert np.argsort(-scores)[2] == 4  # a known row that is no better comes last
    if kind is ExpectedImprovement:
        assert_allclose(np.exp(scores[[2, 3]]), [0.5, 2.0])


def test_noisy_labels_are_compared_by_their_predictions():
    rows = np.linspace(0, 1, 30)[:, np.newaxis]
    y = np.sin(4 * rows[:, 0]) + np.random.RandomState(0).normal(0, 0.3, 30)
    model = GaussianProcessRegressor(RBF(0.3), alpha=0.1, optimizer=None)
    for noisy in (False, True):
        strategy = ExpectedImprovement(noisy=noisy)
        learner = ActiveLearner(model, strategy, random_state=0).fit(rows, y)
        best = max(learner.predict(rows)) if noisy else max(y)
        gap, std = learner.predict([[0.5]])[0] - best, learner._make_view([[0.5]]).std[0]
        value = gap * norm.cdf(gap / std) + std * norm.pdf(gap / std)
        assert_allclose(np.exp(learner.score_pool([[0.5]])), value)


def test_confidence_bounds():
    pool = FakePool(12)
    upper = UpperConfidenceBound(kappa=1.5).score(pool)
    lower = UpperConfidenceBound(kappa=1.5, maximize=False).score(pool)
    assert_allclose(upper, pool.prediction + 1.5 * pool.std)
    assert_allclose(lower, -pool.prediction + 1.5 * pool.std)
    greedy = UpperConfidenceBound(kappa=0).select(FakePool(12), 12)
    assert_array_equal(greedy, np.argsort(-pool.prediction))


@pytest.mark.parametrize("maximize", [True, False])
def test_each_thompson_pick_is_the_best_of_its_draw(maximize):
    pool = FakePool(20, n_draws=4)
    draws = pool.prediction_samples(9) * (1 if maximize else -1)
    expected = []
    for turn in range(9):
        order = np.argsort(-draws[turn % 4])
        expected.append(next(row for row in order if row not in expected))
    assert_array_equal(ThompsonSampling(maximize=maximize).select(pool, 9), expected)


def test_thompson_picks_change_with_the_labels_and_with_the_seed():
    rows = np.linspace(0, 1, 60)[:, np.newaxis]
    model = BayesianRidge()
    picks = {
        int(
            ActiveLearner(model, ThompsonSampling(), random_state=seed)
            .fit(rows[20:40], np.random.RandomState(0).normal(size=20))
            .query(rows)[0]
        )
        for seed in range(20)
    }
    assert picks == {0, 59}  # a line is highest at one of its ends


@pytest.mark.parametrize("kind", ALL, **by_name)
@pytest.mark.parametrize("maximize", [True, False])
def test_optimum_is_found_with_few_labels(kind, maximize):
    rows = np.linspace(0, 1, 200)[:, np.newaxis]
    y = np.exp(-np.square((rows[:, 0] - 0.73) / 0.1)) + 0.6 * np.sin(9 * rows[:, 0])
    model = GaussianProcessRegressor(RBF(0.1), alpha=1e-6, optimizer=None)
    strategy = kind(maximize=maximize)
    if kind is ProbabilityOfImprovement:
        strategy.set_params(xi=0.02)
    learner = ActiveLearner(model, strategy, random_state=0)
    labeled = [0, 70, 199]
    learner.fit(rows[labeled], y[labeled])
    for _ in range(15):
        pool = np.setdiff1d(np.arange(200), labeled)
        labeled += pool[learner.query(rows[pool])].tolist()
        learner.teach(rows[labeled[-1:]], y[labeled[-1:]])
    regret = y.max() - max(y[labeled]) if maximize else min(y[labeled]) - y.min()
    assert regret < 0.01 * np.ptp(y)


@pytest.mark.parametrize("kind", ALL, **by_name)
def test_models_that_cannot_serve_are_refused_at_fit(kind):
    rows, y = np.random.RandomState(0).normal(size=(20, 2)), np.arange(20.0)
    with pytest.raises(CapabilityError, match=r"BaggingRegressor\(Ridge\(\)\)"):
        ActiveLearner(Ridge(), kind()).fit(rows, y)
    with pytest.raises(CapabilityError, match="needs numbers as predictions"):
        ActiveLearner(RandomForestClassifier(5), kind()).fit(rows, y > 9)
    learner = ActiveLearner(RandomForestRegressor(5, random_state=0), kind(), random_state=0)
    learner.fit(rows, np.column_stack([y, y]))
    with pytest.raises(InvalidReadingError, match="one number per row, got 2 outputs"):
        learner.query(rows)
