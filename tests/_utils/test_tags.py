"""The type of a model: by its tags, and of models without tags by what they have."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skactive import ActiveLearner, SimulatedLearner
from skactive._utils.tags import find_estimator_type, is_classifier
from skactive.labeling import LabelingSession
from skactive.stopping import StabilizingPredictions
from skactive.strategies import Margin


class HomeMade:
    """A classifier without a base class, whose `fit` returns nothing."""

    def get_params(self, deep=True):
        return {}

    def fit(self, X, y):
        self.inner_ = GaussianNB().fit(X, y)
        self.classes_ = self.inner_.classes_

    def predict(self, X):
        return self.inner_.predict(X)

    def predict_proba(self, X):
        return self.inner_.predict_proba(X)


class Predictor:
    """Something of which only predictions are known."""

    def predict(self, X):
        return np.zeros(len(X))


@pytest.mark.parametrize("wrap", [lambda model: model, ActiveLearner, make_pipeline])
def test_models_with_and_without_tags(wrap):
    assert is_classifier(wrap(LinearSVC()))
    assert is_classifier(wrap(HomeMade()))
    assert find_estimator_type(wrap(Ridge())) == "regressor"
    assert not is_classifier(wrap(Ridge()))
    assert not is_classifier(wrap(Predictor()))


def test_a_classifier_without_tags_stops_and_is_audited_as_with_them(tmp_path):
    X, y = load_iris(return_X_y=True)

    def play(model):
        learner = ActiveLearner(model, Margin(), random_state=0)
        options = {"budget": 80, "stopping": StabilizingPredictions(), "audit_share": 0.2}
        return SimulatedLearner(learner, random_state=0, **options).fit(X, y)

    home_made, usual = play(HomeMade()), play(GaussianNB())
    assert_array_equal(home_made.queried_, usual.queried_)
    assert home_made.stop_reason_ == usual.stop_reason_
    audits = [[record["audit_score"] for record in p.history_] for p in (home_made, usual)]
    assert audits[0] == audits[1]
    learner = ActiveLearner(HomeMade(), Margin(), random_state=0)
    with LabelingSession(learner, X, store=tmp_path / "labels.db", background=False) as session:
        session.submit(dict.fromkeys(session.next_batch(5).ids, "only"))
        assert session.next_batch(3).ids  # one class is too few, and the labeling goes on
