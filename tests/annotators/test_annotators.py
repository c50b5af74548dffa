"""Models and functions as annotators."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from skactive.annotators import FunctionAnnotator, ModelAnnotator

X, y = load_iris(return_X_y=True)


def test_a_model_answers_its_most_probable_class():
    model = LogisticRegression(max_iter=1000).fit(X, y)
    answers = ModelAnnotator(model).annotate(X)
    np.testing.assert_array_equal(answers.labels, model.predict(X))
    np.testing.assert_array_equal(answers.list_confidences(), model.predict_proba(X).max(axis=1))
    assert not answers.abstained.any()


def test_fit_leaves_the_given_model_alone():
    annotator = ModelAnnotator(LogisticRegression(max_iter=1000))
    assert annotator.fit(X, y).annotate(X[:3]).labels.tolist() == [0, 0, 0]
    assert not hasattr(annotator.estimator, "coef_")
    assert not hasattr(clone(annotator), "estimator_")


def test_a_function_abstains_by_none():
    frame = pd.DataFrame({"length": [1.0, 5.0, 9.0]})
    rule = FunctionAnnotator(lambda row: "long" if row["length"] > 4 else None, price=2)
    answers = rule.annotate(frame)
    assert answers.labels.tolist() == [None, "long", "long"]
    assert answers.list_confidences().tolist() == [-np.inf, 1.0, 1.0]
    assert answers.cost.tolist() == [2.0, 2.0, 2.0]


def test_prices_may_depend_on_the_rows():
    rule = FunctionAnnotator(len, price=lambda texts: [len(text) / 10 for text in texts])
    assert rule.estimate_cost(["four", "sixsix"]) == pytest.approx(1.0)


@pytest.mark.parametrize("prices", [[1.0], [1.0, -1.0], [1.0, np.nan]])
def test_wrong_prices_are_refused(prices):
    with pytest.raises(ValueError, match="one finite price >= 0 for each of the 2 rows"):
        FunctionAnnotator(len, price=lambda texts: prices).estimate_cost(["a", "b"])


def test_no_rows():
    assert len(FunctionAnnotator(len).annotate([]).labels) == 0
