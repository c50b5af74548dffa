"""Selection among models: the model of votes, few labels where uniform takes many, bad answers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

from skactive.estimation import ActiveModelSelection
from skactive.estimation._vote_model import VoteModel


def make_votes(seed=0, n_rows=600, n_classes=4):
    """Return votes of twelve models and the truth; the last model is the best."""
    rng = np.random.RandomState(seed)
    truth = rng.randint(n_classes, size=n_rows)
    hard = rng.rand(n_rows) < 0.4
    votes = np.tile(truth, (12, 1))
    for model, error in enumerate(np.linspace(0.5, 0.1, 12)):
        wrong = hard & (rng.rand(n_rows) < error)
        votes[model, wrong] = rng.randint(n_classes, size=wrong.sum())
    return votes, truth


def negative_log_posterior(weights, votes, truth, rows, n_classes):
    n_models = len(votes)
    prior = np.linalg.inv(0.25 * np.eye(n_models) + 4.0 / n_models**2)
    rest = weights - 4.0 / n_models
    total = rest @ prior @ rest / 2
    for row in rows:
        scores = [weights[votes[:, row] == c].sum() for c in range(n_classes)]
        total -= scores[truth[row]] - np.log(np.sum(np.exp(scores)))
    return total


def test_the_mode_is_that_of_a_general_optimizer():
    votes, truth = make_votes(n_rows=60)
    rows, model = np.arange(0, 60, 3), VoteModel(votes, 4)
    model.fit(rows, truth[rows])
    best = minimize(
        negative_log_posterior, np.zeros(12), (votes, truth, rows, 4), options={"gtol": 1e-8}
    )
    assert_allclose(model.weights, best.x, atol=1e-4)
    # The draws have the inverse curvature as their covariance.
    curvature = np.empty((12, 12))
    for i, j in np.ndindex(12, 12):
        corners = [
            sign * negative_log_posterior(model.weights + move, votes, truth, rows, 4)
            for sign, move in (
                (1, 0.01 * (np.eye(12)[i] + np.eye(12)[j])),
                (-1, 0.01 * (np.eye(12)[i] - np.eye(12)[j])),
                (-1, 0.01 * (np.eye(12)[j] - np.eye(12)[i])),
                (1, -0.01 * (np.eye(12)[i] + np.eye(12)[j])),
            )
        ]
        curvature[i, j] = sum(corners) / 4e-4
    draws = model.draw_weights(20_000, np.random.RandomState(0))
    assert_allclose(np.cov(draws), np.linalg.inv(curvature), atol=0.015)


def test_accuracies_are_those_of_a_plain_loop():
    votes, _ = make_votes(n_rows=60)
    model = VoteModel(votes, 4)
    weights = model.draw_weights(3, np.random.RandomState(0))
    ((block, proba),) = model.proba(weights)
    counts = model.count_right(block, proba)
    for draw in range(3):
        right = np.zeros(12)
        for row in range(60):
            scores = [weights[votes[:, row] == c, draw].sum() for c in range(4)]
            p = np.exp(scores) / np.sum(np.exp(scores))
            assert_allclose(proba[row, :, draw], p)
            right += p[votes[:, row]]
        assert_allclose(counts[:, draw], right)


def labels_to_best(selection, truth, votes, choose):
    """Return after how many labels the choice is within 2 % of the best."""
    accuracies = (votes == truth).mean(axis=1)
    while accuracies[selection.best_] < accuracies.max() - 0.02 and selection.n_labels_ < 200:
        rows = choose(selection)
        selection.teach(rows, truth[rows])
    return selection.n_labels_


@pytest.mark.no_cover
def test_fewer_labels_than_uniform():
    ours, uniform = [], []
    for seed in range(8):
        votes, truth = make_votes(seed)
        order = np.random.RandomState(seed).permutation(600)
        ours.append(
            labels_to_best(
                ActiveModelSelection(votes, random_state=seed), truth, votes, lambda s: s.query()
            )
        )
        right = np.cumsum((votes == truth)[:, order], axis=1)  # (n_models, n_labels)
        near = (votes == truth).mean(axis=1) >= (votes == truth).mean(axis=1).max() - 0.02
        uniform.append(1 + int(np.argmax(near[right.argmax(axis=0)])))
    assert np.median(ours) <= 10
    assert np.mean(ours) < np.mean(uniform) / 2


def test_it_stops_with_a_good_model():
    votes, truth = make_votes(n_rows=3000)
    selection = ActiveModelSelection(votes, tolerance=0.02, random_state=0)
    while selection.stop_reason_ is None:
        rows = selection.query(5)
        selection.teach(rows, truth[rows])
    accuracies = (votes == truth).mean(axis=1)
    assert selection.stop_reason_ == "confidence"
    assert 20 <= selection.n_labels_ < 150
    assert selection.p_best_ >= 0.95
    assert accuracies[selection.best_] >= accuracies.max() - 0.02
    assert_allclose(selection.accuracies_, accuracies, atol=0.1)


def test_all_labels_give_the_accuracies():
    votes, truth = make_votes(n_rows=50)
    truth[:5] = 9  # a class that no model knows
    selection = ActiveModelSelection(votes, random_state=0)
    selection.teach(np.arange(50), truth)
    assert_allclose(selection.accuracies_, (votes == truth).mean(axis=1))
    assert (selection.stop_reason_, selection.p_best_) == ("pool", 1.0)
    with pytest.raises(ValueError, match="All rows of the pool are labeled"):
        selection.query()


def test_labels_of_any_kind_and_probabilities_give_the_same():
    votes, truth = make_votes()
    names = np.array(["d", "b", "a", "c"])
    given = (
        (ActiveModelSelection(votes, random_state=0), truth),
        (ActiveModelSelection(np.eye(4)[votes], random_state=0), truth),
        (ActiveModelSelection(np.eye(4)[votes], classes=names, random_state=0), names[truth]),
        (ActiveModelSelection(names[votes], random_state=0), names[truth]),
    )
    rows = np.arange(0, 600, 40)
    for selection, labels in given:
        selection.teach(rows, labels[rows])
        assert_allclose(selection.accuracies_, given[0][0].accuracies_, rtol=1e-6)
        assert selection.best_ == given[0][0].best_


def test_a_batch_has_no_two_rows_of_the_same_votes():
    votes, _ = make_votes()
    votes = np.concatenate([votes, votes], axis=1)
    selection = ActiveModelSelection(votes, random_state=0)
    rows = selection.query(40)
    assert_array_equal(rows, selection.query(40))
    assert len(np.unique(rows)) == len(np.unique(votes[:, rows], axis=1).T) == 40
    assert len(np.unique(selection.query(5000))) == 1200


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        ([0, 1], [0], "one per row"),
        ([0, 0], [0, 1], "distinct positions below 600"),
        ([600], [0], "distinct positions below 600"),
        ([5], [0], "labeled already"),
        ([0], ["a"], "texts never equal numbers"),
        ([0], [np.nan], "must not be missing"),
    ],
)
def test_bad_answers_change_nothing(rows, labels, message):
    votes, truth = make_votes()
    selection = ActiveModelSelection(votes, random_state=0)
    selection.teach([5], truth[[5]])
    before = selection.accuracies_
    with pytest.raises(ValueError, match=message):
        selection.teach(rows, labels)
    assert selection.n_labels_ == 1
    assert_array_equal(selection.accuracies_, before)


@pytest.mark.parametrize(
    ("predictions", "settings", "message"),
    [
        (np.zeros((1, 5)), {}, "at least two models"),
        (np.zeros(5), {}, "predictions must be labels"),
        (np.ones((2, 5, 3)), {}, "sum to 1 per row"),
        (np.full((2, 5, 2), 0.5), {"classes": ["a"]}, "2 different labels"),
        ([[0.0, np.nan], [1.0, 0.0]], {}, "must not be missing"),
        (np.zeros((2, 5)), {"tolerance": 2}, "tolerance must lie in"),
    ],
)
def test_bad_settings(predictions, settings, message):
    with pytest.raises(ValueError, match=message):
        ActiveModelSelection(predictions, **settings)
