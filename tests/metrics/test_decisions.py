"""Decisions by expected cost, and what they cost, by brute force and by hand."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive.comparison import compare_strategies
from skactive.exceptions import CapabilityError
from skactive.metrics import (
    make_cost_scorer,
    mean_misclassification_cost,
    minimize_expected_cost,
)
from skactive.strategies import Margin, Random

RNG = np.random.RandomState(0)
PROBA = RNG.dirichlet(np.ones(4), 9000)  # more rows than are decided at a time
COSTS = RNG.uniform(0, 9, size=(4, 4)) * (1 - np.eye(4))
MODEL = make_pipeline(StandardScaler(), LogisticRegression())


def test_decisions_are_those_of_each_sum_written_out():
    for row in (0, 1, 4095, 4096, 8999):
        expected = [sum(PROBA[row, y] * COSTS[y, k] for y in range(4)) for k in range(4)]
        assert minimize_expected_cost(PROBA, COSTS)[row] == np.argmin(expected)
    assert_array_equal(minimize_expected_cost(PROBA, 1 - np.eye(4)), PROBA.argmax(axis=1))


def test_no_decisions_cost_less_than_those_by_the_true_probabilities():
    y = (RNG.uniform(size=(9000, 1)) > PROBA.cumsum(axis=1)).sum(axis=1)
    cost = mean_misclassification_cost(y, minimize_expected_cost(PROBA, COSTS), COSTS)
    others = [PROBA.argmax(axis=1), minimize_expected_cost(PROBA, COSTS.T), *np.eye(4, 9000)]
    assert cost < min(
        mean_misclassification_cost(y, other.astype(int), COSTS, labels=range(4))
        for other in others
    )


def test_mean_cost_by_hand():
    true, decided = ["b", "a", "c", "c"], ["a", "a", "b", "c"]
    costs = [[0, 1, 2], [4, 0, 8], [16, 32, 0]]  # rows true: b as a 4, c as b 32
    assert mean_misclassification_cost(true, decided, costs) == 36 / 4
    # In another order of the classes, the same entries stand for other errors: b as a is 2.
    assert mean_misclassification_cost(true, decided, costs, labels=["b", "c", "a"]) == (2 + 4) / 4
    weighted = mean_misclassification_cost(true, decided, costs, sample_weight=[3, 1, 0, 0])
    assert weighted == 3


def test_where_each_error_costs_1_it_is_the_error_rate():
    true, decided = RNG.randint(4, size=(2, 99)) - 1
    cost = mean_misclassification_cost(true, decided, 1 - np.eye(4))
    assert cost == pytest.approx(1 - accuracy_score(true, decided), abs=1e-15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cost_matrix": [[0, 1]]}, r"cost_matrix must be square.*got shape \(1, 2\)"),
        ({"cost_matrix": [[0]]}, "at least two"),
        ({"cost_matrix": [[0, -1], [1, 0]]}, "at least 0, got -1: subtract the smallest"),
        ({"cost_matrix": [[0, np.nan], [1, 0]]}, "cost_matrix must be finite"),
        ({"cost_matrix": 1 - np.eye(3)}, "for 3 classes, but 2 classes occur: name all of them"),
        ({"labels": [0, 1, 2]}, "for 2 classes, but labels has 3"),
        ({"labels": [1, 1]}, "labels must be different"),
        ({"labels": [0, 2]}, r"y_true must be among the classes of the costs, \[0, 2\], got 1"),
        ({"labels": ["0", "1"]}, r"among the classes of the costs, \['0', '1'\], got 0"),
        ({"y_pred": [0, 1]}, "y_true and y_pred must have the same length, got 3 and 2"),
        ({"y_pred": [[0, 1, 1]]}, "y_pred must have one label per row, got shape"),
        ({"y_true": [0, 1, np.nan], "labels": [0, 1]}, "y_true must be among .* got nan"),
        ({"sample_weight": [0, 0, 0]}, "sample_weight must have one weight for each of the 3 rows"),
        ({"sample_weight": [1, 1]}, "got 2 whose sum is 2"),
    ],
)
def test_wrong_input_is_named(change, message):
    right = {"y_true": [0, 1, 1], "y_pred": [0, 0, 1], "cost_matrix": [[0, 1], [1, 0]]}
    with pytest.raises(ValueError, match=message):
        mean_misclassification_cost(**{**right, **change})


def test_costs_for_another_number_of_classes_are_refused():
    with pytest.raises(ValueError, match="it is for 3 classes, and these have 4"):
        minimize_expected_cost(PROBA, 1 - np.eye(3))


# -- scorers -----------------------------------------------------------------------------------


def test_a_scorer_decides_by_expected_cost_or_takes_predictions():
    X, y = load_breast_cancer(return_X_y=True)
    model, costs = MODEL.fit(X[::3], y[::3]), np.array([[0, 20], [1, 0]])
    proba = model.predict_proba(X)
    by_hand = np.where(20 * proba[:, 0] <= proba[:, 1], 1, 0)  # 1 only if malignant is unlikely
    assert make_cost_scorer(costs)(model, X, y) == -np.mean(costs[y, by_hand])
    plain = make_cost_scorer(costs, decide="predict")
    assert plain(model, X, y) == -np.mean(costs[y, model.predict(X)])


def test_labels_are_the_order_of_the_matrix_whichever_classes_a_model_has_seen():
    X, y = load_wine(return_X_y=True)
    names = np.array(["c", "a", "b"])[y]
    costs, order = 1 - np.eye(3), ["c", "a", "b"]
    costs[0] *= 7  # to miss "c"
    model = MODEL.fit(X[y < 2], names[y < 2])
    with pytest.raises(ValueError, match="for 3 classes, and these have 2"):
        make_cost_scorer(costs)(model, X, names)
    decided = np.where(7 * model.predict_proba(X)[:, 1] > model.predict_proba(X)[:, 0], "c", "a")
    expected = -np.mean((decided != names) * np.where(names == "c", 7.0, 1.0))
    scorer = make_cost_scorer(costs, labels=order)
    assert scorer(model, X, names) == pytest.approx(expected)
    for copy in (pickle.loads(pickle.dumps(scorer)), clone(scorer)):
        assert copy(model, X, names) == scorer(model, X, names)


def test_a_scorer_refuses_what_it_cannot_score():
    X, y = load_breast_cancer(return_X_y=True)
    scorer = make_cost_scorer([[0, 1], [1, 0]])
    with pytest.raises(CapabilityError, match="predict_proba, which RidgeClassifier does not have"):
        scorer(RidgeClassifier().fit(X, y), X, y)
    assert make_cost_scorer([[0, 1], [1, 0]], decide="predict")(RidgeClassifier().fit(X, y), X, y)
    with pytest.raises(ValueError, match="decide must be 'expected_cost' or 'predict'"):
        make_cost_scorer([[0, 1], [1, 0]], decide="cost")
    with pytest.raises(ValueError, match="for 2 classes, but labels has 3"):
        make_cost_scorer([[0, 1], [1, 0]], labels=[0, 1, 2])
    with pytest.raises(ValueError, match=r"the model's classes must be among .*\[1, 2\], got 0"):
        make_cost_scorer([[0, 1], [1, 0]], labels=[1, 2])(MODEL.fit(X, y), X, y)


def test_a_scorer_serves_a_grid_search_and_a_comparison(tmp_path):
    X, y = load_breast_cancer(return_X_y=True)
    costs = [[0, 10], [1, 0]]
    scorer = make_cost_scorer(costs, labels=[0, 1])
    grid = GridSearchCV(LogisticRegression(max_iter=500), {"C": [1e-6, 1.0]}, scoring=scorer, cv=2)
    X = StandardScaler().fit_transform(X)
    assert grid.fit(X, y).best_params_ == {"C": 1.0}
    comparison = compare_strategies(
        LogisticRegression(),
        {"random": Random(), "costs": Margin(cost_matrix=costs)},
        X,
        y,
        scoring=scorer,
        budget=40,
        n_repeats=2,
        folder=tmp_path / "runs",
        random_state=0,
    )
    scores = np.concatenate([run.scores for run in comparison.runs])
    assert (scores <= 0).all()
    assert np.ptp(scores) > 0
    assert comparison.scoring == "minus the mean cost"
