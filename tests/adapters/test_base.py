"""The adapter of plain classifiers, and the dispatch from a model to its adapter."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC

from skactive import ActiveLearner, adapters
from skactive.adapters import ModelAdapter, adapt, register
from skactive.adapters._ensemble import ForestAdapter
from skactive.strategies import BALD

X, Y = load_iris(return_X_y=True)


def test_all_is_sorted_and_importable():
    assert adapters.__all__ == sorted(adapters.__all__)
    assert all(hasattr(adapters, name) for name in adapters.__all__)


# A plain classifier -----------------------------------------------------------------------------


def test_plain_classifier_is_read_by_its_own_methods():
    model = LogisticRegression(max_iter=1000).fit(X, Y)
    adapter = adapt(model)
    Z = adapter.prepare(X)
    assert type(adapter) is ModelAdapter
    assert_array_equal(adapter.proba(Z), model.predict_proba(X))
    assert_array_equal(adapter.decision(Z), model.decision_function(X))
    assert adapter.features(Z) is X
    assert adapter.prepare_cold(X[:3])(X) is X
    assert_array_equal(adapter.classes, [0, 1, 2])
    assert (adapter.frozen, adapter.fixed_columns, adapter.joint_samples) == (False,) * 3


PLAIN = {"X", "embedding", "fantasize"}
READINGS = PLAIN | {"proba", "decision", "gradient_factors", "proba_samples", "joint_samples"}


@pytest.mark.parametrize(
    ("model", "more"),
    [
        (LogisticRegression(max_iter=1000), {"proba", "gradient_factors", "decision"}),
        (GaussianNB(), {"proba", "gradient_factors"}),
        (LinearSVC(), {"decision"}),
        (RidgeClassifier(), {"decision"}),
        (SVC(), {"decision"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_plain_classifier_provides_what_it_has_methods_for(model, more):
    adapter = adapt(model.fit(X, Y))
    assert {reading for reading in READINGS if adapter.provides(reading)} == PLAIN | more
    assert not adapter.provides("an unknown reading")


def test_support_vectors_without_probabilities_provide_their_decision():
    with warnings.catch_warnings():  # the parameter is on its way out of scikit-learn
        warnings.simplefilter("ignore", FutureWarning)
        adapter = adapt(SVC(probability=False).fit(X, Y))
    assert not adapter.provides("proba")
    assert_array_equal(adapter.decision(X), adapter.model.decision_function(X))


def test_decision_of_two_classes_has_one_value_a_row():
    assert adapt(LinearSVC().fit(X, Y == 0)).decision(X).shape == (150,)


class Mixed(RegressorMixin):
    """A regressor whose tags cannot be read without BaseEstimator."""


class Typed:
    """A model with the attribute of scikit-learn before there were tags."""

    _estimator_type = "classifier"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (GaussianNB(), "classifier"),
        (SVR(), "regressor"),
        (IsolationForest(), "outlier_detector"),
        (KMeans(), "clusterer"),
        (make_pipeline(StandardScaler(), SVR()), "regressor"),
        (FrozenEstimator(GridSearchCV(make_pipeline(SVR()), {})), "regressor"),
        (BaggingClassifier(object()), "classifier"),
        (Mixed(), "regressor"),
        (Typed(), "classifier"),
        (make_pipeline(StandardScaler(), Typed()), "classifier"),
        (object(), None),
    ],
    ids=lambda part: part if isinstance(part, str) else type(part).__name__,
)
def test_what_a_model_is_comes_from_its_tags(model, expected):
    assert adapt(model).estimator_type == expected


def test_a_decision_by_pairs_is_found_in_what_decides():
    pairs, rest = SVC(decision_function_shape="ovo"), SVC()
    for model, by_pairs in [(pairs, True), (rest, False)]:
        for wrap in (
            lambda m: m,
            lambda m: make_pipeline(StandardScaler(), m),
            lambda m: GridSearchCV(m, {}, cv=2),
            lambda m: StackingClassifier([("a", GaussianNB())], make_pipeline(m), cv=2),
            lambda m: BaggingClassifier(make_pipeline(m), 2),
        ):
            fitted = wrap(model).fit(X, Y)
            assert adapt(fitted).provides("decision") != by_pairs, fitted
            assert (fitted.decision_function(X[:1]).shape[1] == 3) or by_pairs
    assert adapt(OneVsOneClassifier(pairs).fit(X, Y)).provides("decision")  # of its own


def test_unfitted_model_has_no_classes():
    assert adapt(LogisticRegression()).classes is None


def test_plain_classifier_has_no_draws():
    adapter = adapt(GaussianNB().fit(X, Y))
    with pytest.raises(NotImplementedError):
        adapter.proba_samples(X, None, 0)
    assert adapter.n_draws(None) == 20
    assert adapter.n_draws(7) == 7


# Dispatch ---------------------------------------------------------------------------------------


class Model(ClassifierMixin, BaseEstimator):
    """Predicts two equally likely classes for every row."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


def adapter_kind():
    """Return a new class of adapters, as a third party would write it."""
    return type("Theirs", (ModelAdapter,), {})


def test_unknown_model_gets_the_default():
    assert type(adapt(Model())) is ModelAdapter


def test_registered_adapter_serves_the_class_and_its_subclasses():
    kind, theirs = type("Kind", (Model,), {}), adapter_kind()
    child = type("Child", (type("Between", (kind,), {}),), {})
    assert register(kind)(theirs) is theirs
    for cls in (kind, child):
        model = cls()
        assert type(adapt(model)) is theirs
        assert adapt(model).model is model
    assert type(adapt(Model())) is ModelAdapter


def test_nearest_base_class_decides():
    base, far, near = type("Base", (Model,), {}), adapter_kind(), adapter_kind()
    child = type("Child", (base,), {})
    register(base)(far)
    assert type(adapt(child())) is far
    register(child)(near)  # later than the first look-up
    assert type(adapt(child())) is near
    assert type(adapt(base())) is far


def test_subclass_of_a_known_kind_is_served_and_may_get_its_own():
    mine, theirs = type("MyForest", (RandomForestClassifier,), {}), adapter_kind()
    assert type(adapt(mine())) is ForestAdapter
    register(mine)(theirs)
    assert type(adapt(mine())) is theirs
    assert type(adapt(RandomForestClassifier())) is ForestAdapter
    assert type(adapt(ExtraTreesClassifier())) is ForestAdapter


def test_own_method_comes_before_what_is_registered():
    theirs, own = adapter_kind(), adapter_kind()
    kind = type("Kind", (RandomForestClassifier,), {"__skactive_adapter__": lambda self: own(self)})
    register(kind)(theirs)
    assert type(adapt(kind())) is own
    assert type(adapt(type("Child", (kind,), {})())) is own


def test_own_method_on_an_object_that_delegates_attributes_is_not_its_own():
    class Delegating(Model):
        def __getattr__(self, name):
            if name == "__skactive_adapter__":
                return adapter_kind()
            raise AttributeError(name)

    assert type(adapt(Delegating())) is ModelAdapter


def test_third_party_adapter_works_in_a_learner():
    kind = type("Sampler", (Model,), {})

    @register(kind)
    class Sampled(ModelAdapter):
        def provides(self, reading):
            return reading == "proba_samples" or super().provides(reading)

        def proba_samples(self, Z, n_samples, seed):
            first = np.array([[0.5], [0.5]]) + Z[:, 0] * [[0.1], [-0.1]]  # they differ with Z
            return np.stack([first, 1 - first], axis=2)

    rows = np.array([[1.0], [4.0], [2.0]])
    learner = ActiveLearner(kind(), BALD(), random_state=0).fit(rows, [0, 1, 0])
    assert learner.query(rows, 3).tolist() == [1, 2, 0]
