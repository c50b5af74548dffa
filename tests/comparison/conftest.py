"""Fixtures for tests of comparisons: small ones on iris, and results made by hand."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from skactive.comparison import Run, StrategyComparison, compare_strategies
from skactive.strategies import Margin, Random

X, Y = load_iris(return_X_y=True)
MODEL = GaussianNB(var_smoothing=0.1)  # smooth: no probabilities of 0 and 1, so no ties
SMALL = {"budget": 20, "batch_size": 5, "n_initial": 5, "n_repeats": 3, "random_state": 0}
COUNTS = np.array([10, 20, 30, 40, 50])
RANDOM = [0.5, 0.6, 0.7, 0.8, 0.9]
FASTER = [0.5, 0.8, 0.9, 0.95, 0.95]
SLOWER = [0.5, 0.55, 0.6, 0.65, 0.7]
NOISE = np.random.default_rng(0).normal(0, 0.02, (3, 8, 5))


class Counted(Random):
    """Random, and counts its queries; may raise what it is told at a certain one."""

    calls = 0
    raises_at = None
    error = RuntimeError

    def select(self, pool, batch_size):
        Counted.calls += 1
        if Counted.calls == Counted.raises_at:
            raise Counted.error("told to")
        return super().select(pool, batch_size)


@pytest.fixture
def counted():
    """The strategy that counts, at 0."""
    Counted.calls, Counted.raises_at, Counted.error = 0, None, RuntimeError
    return Counted


class Noted(GaussianNB):
    """Keeps the rows that it was fitted on and scored on."""

    notes: list = []  # noqa: RUF012

    def fit(self, X, y):
        Noted.notes.append(("fit", X.copy()))
        return super().fit(X, y)

    def score(self, X, y):
        Noted.notes.append(("score", X.copy()))
        return super().score(X, y)


@pytest.fixture
def noted():
    """The model that keeps rows, and has none yet."""
    Noted.notes.clear()
    return Noted


def a_small_comparison(strategies=None, learner=None, **params):
    strategies = [Random(), Margin()] if strategies is None else strategies
    learner = MODEL if learner is None else learner
    return compare_strategies(learner, strategies, X, Y, **{**SMALL, **params})


@pytest.fixture
def compared():
    """Compares Random and Margin on iris, in short."""
    return a_small_comparison


def scores_by_campaign(comparison):
    return {
        (run.dataset, run.model, run.strategy, run.repeat): (
            run.n_labels.tolist(),
            run.scores.tolist(),
        )
        for run in comparison.runs
    }


@pytest.fixture
def scores_of():
    """Gives all that must not depend on how a comparison was played."""
    return scores_by_campaign


# Results made by hand ---------------------------------------------------------------------------


def made_run(
    strategy, repeat, scores=(0.5, 0.6, 0.7, 0.8, 0.9), *, model="SVC", dataset="toy", n=COUNTS
):
    scores = np.asarray(scores, dtype=float)
    seconds = np.full(len(scores), 0.1)
    return Run(dataset, model, strategy, repeat, np.asarray(n), scores, seconds, 2 * seconds)


@pytest.fixture
def a_run():
    """Makes a run of the scores given."""
    return made_run


@pytest.fixture
def toy():
    """Makes curves that are shifted by the same noise in each repeat."""

    def make(curves, noise=0.0, n_repeats=5, **params):
        shifts = np.linspace(-noise, noise, n_repeats)
        return StrategyComparison(
            [
                made_run(name, repeat, np.asarray(curve) + shifts[repeat])
                for name, curve in curves.items()
                for repeat in range(n_repeats)
            ],
            scoring="accuracy",
            **params,
        )

    return make


@pytest.fixture
def noisy():
    """Makes curves of three strategies, each with its own noise."""

    def make():
        curves = {"Random": RANDOM, "Faster": FASTER, "Slower": SLOWER}
        return StrategyComparison(
            [
                made_run(name, repeat, np.asarray(curve) + NOISE[i, repeat])
                for i, (name, curve) in enumerate(curves.items())
                for repeat in range(8)
            ]
        )

    return make
