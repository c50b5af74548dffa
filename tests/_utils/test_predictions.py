"""Predictions as one label per row, of models that give a column."""

import numpy as np
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearner, SimulatedLearner
from skactive._utils.predictions import flatten_labels
from skactive.stopping import StabilizingPredictions
from skactive.strategies import Margin

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


class InAColumn(GaussianNB):
    """A classifier whose predictions have the shape (n_rows, 1), as CatBoost's have."""

    def predict(self, X):
        return super().predict(X)[:, np.newaxis]


def test_a_learner_and_its_pool_predict_one_label_per_row():
    for model in (InAColumn(), make_pipeline(StandardScaler(), InAColumn())):
        learner = ActiveLearner(model, Margin(), random_state=0).fit(X[::5], NAMES[::5])
        usual = GaussianNB().fit(X[::5], NAMES[::5]).predict(X)
        assert_array_equal(learner.predict(X), usual)
        assert_array_equal(learner._make_view(X).prediction, usual)


def test_criteria_that_compare_predictions_take_columns():
    def play(model):
        learner = ActiveLearner(model, Margin())
        options = {"budget": 60, "stopping": StabilizingPredictions(), "random_state": 0}
        return SimulatedLearner(learner, **options).fit(X, NAMES)

    assert play(InAColumn()).stop_reason_ == play(GaussianNB()).stop_reason_


def test_other_columns_stay_as_they_are():
    numbers = LinearRegression().fit(X, X[:, :1])
    assert flatten_labels(numbers.predict(X), numbers).shape == (150, 1)
    outputs = MultiOutputClassifier(GaussianNB()).fit(X, Y[:, np.newaxis])
    assert flatten_labels(outputs.predict(X), outputs).shape == (150, 1)
    assert flatten_labels([1, 2], GaussianNB()) == [1, 2]
