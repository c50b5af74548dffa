"""Labels saved against random choice, where it is known how many they are."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from runs import parametrize_runs
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner, SimulatedLearner
from skactive.estimation import (
    Estimate,
    SavingsEstimate,
    _savings,
    audit,
    clopper_pearson,
    estimate_savings,
)
from skactive.strategies import Margin

X, Y = load_digits(return_X_y=True)


def accuracy_by_the_book(n):
    return 0.97 - 0.3 * (n / 20.0) ** -0.7


class LearnsByTheBook(ClassifierMixin, BaseEstimator):
    """Right on as many rows as a law of the number of training rows says.

    The first column of X holds what a row takes to be predicted right, the second its label.
    """

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.accuracy_ = accuracy_by_the_book(len(X))
        return self

    def predict(self, X):
        right = X[:, 0] < self.accuracy_
        return np.where(right, X[:, 1], 1 - X[:, 1]).astype(int)


@pytest.mark.no_cover
@pytest.mark.parametrize("n_audit", [200, 10**6])
@parametrize_runs("n_seeds", 8, 20)
def test_saved_labels_hold_by_the_book(n_audit, n_seeds):
    needed, held = 300, 0
    truth = accuracy_by_the_book(needed)
    for seed in range(n_seeds):
        rng = np.random.RandomState(seed)
        y = rng.randint(2, size=150)
        X = np.column_stack([rng.rand(150), y])
        right = rng.binomial(n_audit, truth)
        interval = clopper_pearson(right, n_audit)
        score = Estimate(right / n_audit, *interval, n_audit, "clopper-pearson", 0.95)
        saved = estimate_savings(
            LearnsByTheBook(), X, y, n_labels=120, score=score, random_state=seed
        )
        held += saved.low <= needed <= saved.high
        assert saved.n_random > 30  # not what no random subset could reach
    assert held >= 0.85 * n_seeds


@pytest.mark.no_cover
def test_saved_labels_on_digits():
    model = LogisticRegression(max_iter=500)
    n_random = np.array([40, 60, 80, 100, 140, 200, 280, 400])
    rng = np.random.RandomState(0)
    scores = np.zeros(len(n_random))
    for _ in range(4):
        rows = rng.permutation(len(X))
        rows, test = rows[:400], rows[1000:]
        for i, n in enumerate(n_random):
            part = rows[:n]
            scores[i] += model.fit(X[part] / 16, Y[part]).score(X[test] / 16, Y[test]) / 4
    rows = rng.permutation(len(X))
    start, audited, pool, test = rows[:20], rows[20:100], rows[100:700], rows[1000:]
    pool = np.concatenate([start, pool])
    simulation = SimulatedLearner(ActiveLearner(model, Margin()), budget=90, random_state=0)
    simulation.fit(X[pool] / 16, Y[pool], initial=np.arange(20))
    needed = np.interp(simulation.score(X[test] / 16, Y[test]), scores, n_random)
    assert 90 < needed < 400
    known = np.concatenate([start, audited])
    saved = estimate_savings(
        model,
        X[known] / 16,
        Y[known],
        n_labels=90,
        score=audit(simulation, X[audited] / 16, Y[audited]),
        random_state=0,
    )
    assert saved.low <= needed <= saved.high


@pytest.mark.no_cover
def test_more_random_rows_say_more():
    X, y = load_iris(return_X_y=True)
    rows = np.random.RandomState(0).permutation(150)
    score = Estimate(0.9, 0.85, 0.93, 200, "clopper-pearson", 0.95)
    few, many = (
        estimate_savings(
            GaussianNB(), X[rows[:n]], y[rows[:n]], n_labels=30, score=score, random_state=0
        )
        for n in (12, 150)
    )
    assert few.high == np.inf
    assert many.low < many.n_random < few.high
    again = estimate_savings(
        GaussianNB(), X[rows[:12]], y[rows[:12]], n_labels=30, score=score, random_state=0
    )
    assert again == few


def test_scores_are_drawn_within_the_interval_as_often_as_it_says():
    score = Estimate(0.9, 0.8, 0.93, 60, "clopper-pearson", 0.95)
    drawn = _savings._draw_estimate(score, 20_000, np.random.RandomState(0))
    found = np.quantile(drawn, [0.025, 0.5, 0.975])
    assert_allclose(found, [score.low, score.value, score.high], atol=0.003)


def test_share_saved():
    saved = SavingsEstimate(60, 100.0, 50.0, np.inf, 0.9)
    assert saved.share == pytest.approx(0.4)
    assert_allclose(saved.share_interval, [-0.2, 1.0])


@pytest.mark.parametrize(
    ("rows", "n_labels", "message"),
    [
        (slice(0, 9), 30, "at least 10 are needed"),
        (slice(0, 40), 30, "one class only"),
        (slice(0, 150), 0, "n_labels must be an integer >= 1"),
    ],
)
def test_saved_labels_from_too_little(rows, n_labels, message):
    X, y = load_iris(return_X_y=True)
    score = Estimate(0.9, 0.8, 0.95, 100, "clopper-pearson", 0.95)
    with pytest.raises(ValueError, match=message):
        estimate_savings(GaussianNB(), X[rows], y[rows], n_labels=n_labels, score=score)
