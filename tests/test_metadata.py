"""Fit parameters, sample weights above all, are joined, routed, and required if missing."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearner, SimulatedLearner
from skactive.exceptions import CapabilityError
from skactive.strategies import ExpectedErrorReduction, Margin, Random

X, Y = load_iris(return_X_y=True)
ORDER = np.random.RandomState(0).permutation(len(X))
X, Y = X[ORDER], Y[ORDER]
WEIGHT = np.random.RandomState(1).uniform(0.05, 5.0, 150)

equal = np.testing.assert_array_equal


def make_learner(model=None, strategy=None, **params):
    return ActiveLearner(
        model or LogisticRegression(max_iter=500), strategy, random_state=0, **params
    )


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


# Without routing: all parameters go to the model's fit -----------------------------------------


@pytest.mark.parametrize("container", [np.asarray, list], ids=["array", "list"])
def test_weights_are_joined_and_weigh(container):
    learner = make_learner().fit(X[:30], Y[:30], sample_weight=container(WEIGHT[:30]))
    learner.teach(X[30:40], Y[30:40], sample_weight=container(WEIGHT[30:40]))
    learner.teach(X[40:50], Y[40:50], sample_weight=container(WEIGHT[40:50]))
    plain = LogisticRegression(max_iter=500)
    weighted = plain.fit(X[:50], Y[:50], WEIGHT[:50]).coef_
    equal(learner.estimator_.coef_, weighted)
    assert not np.allclose(weighted, plain.fit(X[:50], Y[:50]).coef_, rtol=0.01)


def test_weights_in_a_series_are_joined():
    pandas = pytest.importorskip("pandas")
    weight = pandas.Series(WEIGHT, index=np.arange(150)[::-1])
    learner = make_learner().fit(X[:30], Y[:30], sample_weight=weight[:30])
    learner.teach(X[30:40], Y[30:40], sample_weight=weight[30:40])
    expected = LogisticRegression(max_iter=500).fit(X[:40], Y[:40], WEIGHT[:40])
    equal(learner.estimator_.coef_, expected.coef_)


@pytest.mark.parametrize("incremental", [False, True])
def test_weights_missing_in_teach_are_asked_for(incremental):
    learner = make_learner(GaussianNB(), incremental=incremental).fit(
        X[:30], Y[:30], sample_weight=WEIGHT[:30]
    )
    before = learner.predict_proba(X)
    with pytest.raises(ValueError, match=r"sample_weight was given to fit .* not to teach.*both"):
        learner.teach(X[30:40], Y[30:40])
    equal(learner.predict_proba(X), before)
    assert len(learner.y_labeled_) == 30


def test_weights_missing_in_fit_are_asked_for():
    learner = make_learner().fit(X[:30], Y[:30])
    with pytest.raises(ValueError, match=r"sample_weight was given to teach .* not to fit.*both"):
        learner.teach(X[30:40], Y[30:40], sample_weight=WEIGHT[30:40])
    assert len(learner.y_labeled_) == 30


def test_weights_of_one_row_are_one_value_a_row():
    learner = make_learner(GaussianNB()).fit(X[:30], Y[:30], sample_weight=WEIGHT[:30])
    learner.teach(X[30:31], Y[30:31], sample_weight=WEIGHT[30:31])
    expected = GaussianNB().fit(X[:31], Y[:31], WEIGHT[:31])
    equal(learner.predict_proba(X), expected.predict_proba(X))


def test_fit_forgets_weights():
    learner = make_learner().fit(X[:30], Y[:30], sample_weight=WEIGHT[:30]).fit(X[:30], Y[:30])
    learner.teach(X[30:40], Y[30:40])
    equal(learner.estimator_.coef_, LogisticRegression(max_iter=500).fit(X[:40], Y[:40]).coef_)


def test_incremental_teaching_weighs_the_new_rows():
    learner = make_learner(GaussianNB(), incremental=True)
    learner.fit(X[:30], Y[:30], sample_weight=WEIGHT[:30])
    learner.teach(X[30:40], Y[30:40], sample_weight=WEIGHT[30:40])
    expected = GaussianNB().partial_fit(X[:30], Y[:30], [0, 1, 2], WEIGHT[:30])
    expected.partial_fit(X[30:40], Y[30:40], sample_weight=WEIGHT[30:40])
    equal(learner.predict_proba(X), expected.predict_proba(X))


def test_a_pipelines_parameters_carry_their_steps_name():
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    name = "logisticregression__sample_weight"
    learner = make_learner(pipeline).fit(X[:30], Y[:30], **{name: WEIGHT[:30]})
    learner.teach(X[30:40], Y[30:40], **{name: WEIGHT[30:40]})
    expected = pipeline.fit(X[:40], Y[:40], **{name: WEIGHT[:40]})
    equal(learner.predict_proba(X), expected.predict_proba(X))


class Noting(ClassifierMixin, BaseEstimator):
    """A model that accepts parameters of every kind and records them."""

    def fit(self, X, y, sample_weight=None, groups=None, mode=None, table=None):
        self.classes_ = np.unique(y)
        self.noted_ = {
            "sample_weight": sample_weight,
            "groups": groups,
            "mode": mode,
            "table": table,
        }
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def test_of_parameters_that_are_not_one_value_a_row_the_newer_holds():
    learner = make_learner(Noting(), Random()).fit(X[:30], Y[:30], mode="slow", table={"a": 1})
    learner.teach(X[30:40], Y[30:40], mode="fast")
    noted = learner.estimator_.noted_
    assert noted["mode"] == "fast"
    assert noted["table"] == {"a": 1}


# Imagined rows ----------------------------------------------------------------------------------


def test_an_imagined_row_weighs_one():
    weight = WEIGHT[:12]
    learner = make_learner(GaussianNB(), ExpectedErrorReduction(loss="zero_one"))
    learner.fit(X[:12], Y[:12], sample_weight=weight)
    pool, expected = X[20:24], np.zeros(4)
    now = GaussianNB().fit(X[:12], Y[:12], weight).predict_proba(pool)
    for row in range(4):
        for label in range(3):
            rows, labels = np.r_[X[:12], pool[row : row + 1]], np.r_[Y[:12], label]
            then = GaussianNB().fit(rows, labels, np.r_[weight, 1.0]).predict_proba(pool)
            expected[row] -= now[row, label] * (1 - then.max(axis=1)).mean()
    np.testing.assert_allclose(learner.score_pool(pool), expected, rtol=1e-9)


def test_another_parameter_of_one_value_a_row_cannot_be_imagined():
    learner = make_learner(Noting(), ExpectedErrorReduction())
    with pytest.raises(CapabilityError, match="sample_weight"):
        learner.fit(X[:12], Y[:12], groups=np.arange(12))
    assert not hasattr(learner, "estimator_")
    make_learner(Noting(), ExpectedErrorReduction()).fit(X[:12], Y[:12], mode="fast")


# Routed -----------------------------------------------------------------------------------------


def test_what_the_model_requests_is_routed_to_it(routing):
    model = LogisticRegression(max_iter=500).set_fit_request(sample_weight=True)
    learner = make_learner(model).fit(X[:30], Y[:30], sample_weight=WEIGHT[:30])
    learner.teach(X[30:40], Y[30:40], sample_weight=WEIGHT[30:40])
    expected = LogisticRegression(max_iter=500).fit(X[:40], Y[:40], WEIGHT[:40])
    equal(learner.estimator_.coef_, expected.coef_)


def test_what_the_model_does_not_request_is_refused(routing):
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        make_learner().fit(X[:30], Y[:30], sample_weight=WEIGHT[:30])


def test_what_the_model_declines_is_dropped_or_refused(routing):
    model = LogisticRegression(max_iter=500).set_fit_request(sample_weight=False)
    with pytest.raises(TypeError, match="sample_weight"):
        make_learner(model).fit(X[:30], Y[:30], sample_weight=WEIGHT[:30])


def test_an_alias_is_followed(routing):
    model = LogisticRegression(max_iter=500).set_fit_request(sample_weight="trust")
    learner = make_learner(model).fit(X[:30], Y[:30], trust=WEIGHT[:30])
    learner.teach(X[30:40], Y[30:40], trust=WEIGHT[30:40])
    expected = LogisticRegression(max_iter=500).fit(X[:40], Y[:40], WEIGHT[:40])
    equal(learner.estimator_.coef_, expected.coef_)


def test_routing_goes_through_a_pipeline(routing):
    def pipeline():
        last = LogisticRegression().set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        return make_pipeline(scaler, last)

    learner = make_learner(pipeline()).fit(X[:30], Y[:30], sample_weight=WEIGHT[:30])
    learner.teach(X[30:40], Y[30:40], sample_weight=WEIGHT[30:40])
    expected = pipeline().fit(X[:40], Y[:40], sample_weight=WEIGHT[:40])
    equal(learner.predict_proba(X), expected.predict_proba(X))


def test_incremental_teaching_is_routed_to_partial_fit(routing):
    model = GaussianNB().set_partial_fit_request(sample_weight=True)
    learner = make_learner(model, incremental=True)
    learner.fit(X[:30], Y[:30], sample_weight=WEIGHT[:30])
    learner.teach(X[30:40], Y[30:40], sample_weight=WEIGHT[30:40])
    expected = GaussianNB().partial_fit(X[:30], Y[:30], [0, 1, 2], WEIGHT[:30])
    expected.partial_fit(X[30:40], Y[30:40], sample_weight=WEIGHT[30:40])
    equal(learner.predict_proba(X), expected.predict_proba(X))


def test_incremental_teaching_keeps_to_declared_classes_where_metadata_are_routed(routing):
    model = SGDClassifier(loss="log_loss").set_partial_fit_request(sample_weight=True)
    learner = make_learner(model, incremental=True, classes=[0, 1, 2])
    two = np.flatnonzero(Y < 2)[:20]
    learner.fit(X[two], Y[two], sample_weight=WEIGHT[two])
    equal(learner.classes_, [0, 1, 2])


def test_imagined_rows_are_routed_too(routing):
    model = GaussianNB().set_fit_request(sample_weight=True)
    learner = make_learner(model, ExpectedErrorReduction()).fit(
        X[:12], Y[:12], sample_weight=WEIGHT[:12]
    )
    with config_context(enable_metadata_routing=False):
        plain = make_learner(GaussianNB(), ExpectedErrorReduction())
        plain.fit(X[:12], Y[:12], sample_weight=WEIGHT[:12])
        expected = plain.score_pool(X[20:23])
    equal(learner.score_pool(X[20:23]), expected)


def make_simulation(model):
    learner = ActiveLearner(model, Margin())
    return SimulatedLearner(learner, budget=30, n_initial=20, random_state=0)


def test_routing_goes_through_a_simulation(routing):
    model = GaussianNB().set_fit_request(sample_weight=True)
    simulation = make_simulation(model).fit(X, Y, sample_weight=WEIGHT)
    for fitted, n_labels in zip(simulation.estimators_, simulation.n_labels_, strict=True):
        known = np.sort(simulation.queried_[:n_labels])
        expected = GaussianNB().fit(X[known], Y[known], WEIGHT[known])
        equal(fitted.predict_proba(X), expected.predict_proba(X))


def test_a_simulation_refuses_what_is_not_requested(routing):
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        make_simulation(GaussianNB()).fit(X, Y, sample_weight=WEIGHT)


def test_routing_goes_through_cross_validation(routing):
    model = GaussianNB().set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
    params = {"sample_weight": WEIGHT}
    weighted, plain = (
        cross_validate(make_learner(each), X, Y, cv=3, params=given, return_estimator=True)
        for each, given in ((model, params), (GaussianNB(), {}))
    )
    one, other = (result["estimator"][0].predict_proba(X) for result in (weighted, plain))
    assert not np.allclose(one, other)
