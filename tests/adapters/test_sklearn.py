"""Pipelines, searches and frozen estimators read through to the model; Gaussian processes."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC

from skactive import ActiveLearner
from skactive.adapters import adapt
from skactive.exceptions import CapabilityError, FrozenModelWarning
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource
from skactive.strategies import BALD, EPIG, KCenterGreedy, Margin

X, Y = load_iris(return_X_y=True)
ORDER = np.random.RandomState(0).permutation(150)
X, Y = X[ORDER], Y[ORDER]
NAMES = np.array(["virginica", "ant", "setosa"])[Y]
LOGISTIC = LogisticRegression(max_iter=1000)
FRAME = pd.DataFrame({"size": [1.0, 2.0, 4.0, 3.0], "kind": ["x", "y", "x", "z"]})
TEXTS = ["a cat sat", "a dog ran", "the cat ran", "dogs and cats"]


def scale(rows, on=X):
    return (rows - on.mean(axis=0)) / on.std(axis=0)


def assert_reads_as(adapter, model, X, features):
    """Assert that the readings of prepared rows equal `model`'s predictions and `features`."""
    Z = adapter.prepare(X)
    assert_allclose(adapter.proba(Z), model.predict_proba(X))
    assert_allclose(adapter.decision(Z), model.decision_function(X))
    assert_array_equal(adapter.classes, model.classes_)
    assert_allclose(adapter.features(Z), features, atol=1e-12)


# Pipelines --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), LOGISTIC),
        make_pipeline(make_pipeline(StandardScaler()), LOGISTIC),
        make_pipeline("passthrough", make_pipeline(StandardScaler(), LOGISTIC)),
        Pipeline([("a", None), ("b", StandardScaler()), ("c", "passthrough"), ("d", LOGISTIC)]),
        make_pipeline(make_pipeline("passthrough", StandardScaler(), None), LOGISTIC),
    ],
    ids=["plain", "nested first", "nested last", "let through", "all"],
)
def test_pipeline_s_features_are_what_its_last_estimator_sees(model):
    assert_reads_as(adapt(model.fit(X, NAMES)), model, X, scale(X))
    cold = adapt(model).prepare_cold(X[:50])(X[50:])
    assert_allclose(cold, scale(X[50:], X[:50]), atol=1e-12)


def test_pipeline_provides_what_its_last_step_provides():
    pipeline = make_pipeline(StandardScaler(), LinearSVC()).fit(X, Y)
    assert not adapt(pipeline).provides("proba")
    assert adapt(pipeline).provides("decision")
    forest = make_pipeline(StandardScaler(), RandomForestClassifier(7, random_state=0)).fit(X, Y)
    adapter = adapt(make_pipeline("passthrough", forest))
    assert adapter.provides("joint_samples")
    assert adapter.n_draws(None) == 7
    assert adapter.n_draws(3) == 3
    draws = adapter.proba_samples(adapter.prepare(X), None, 0)
    assert_allclose(draws.mean(axis=0), forest.predict_proba(X))


def test_cold_pipeline_is_left_unfitted():
    pipeline = make_pipeline(StandardScaler(), LOGISTIC)
    adapt(pipeline).prepare_cold(X)
    assert not hasattr(pipeline[0], "mean_")


def test_texts_become_sparse_features():
    model = make_pipeline(TfidfVectorizer(), LOGISTIC).fit(TEXTS, [0, 1, 0, 1])
    adapter = adapt(model)
    Z = adapter.prepare(TEXTS)
    wanted = TfidfVectorizer().fit_transform(TEXTS).toarray()
    assert sp.issparse(adapter.features(Z))
    assert_allclose(adapter.features(Z).toarray(), wanted)
    assert_allclose(adapter.proba(Z), model.predict_proba(TEXTS))
    assert_allclose(adapter.prepare_cold(TEXTS)(TEXTS[:2]).toarray(), wanted[:2])


def test_frames_pass_through_column_transformers():
    columns = ColumnTransformer(
        [("n", MinMaxScaler(), ["size"]), ("k", OneHotEncoder(sparse_output=False), ["kind"])]
    ).set_output(transform="pandas")
    model = make_pipeline(columns, LOGISTIC).fit(FRAME, [0, 1, 0, 1])
    adapter = adapt(model)
    wanted = [[0, 1, 0, 0], [1 / 3, 0, 1, 0], [1, 1, 0, 0], [2 / 3, 0, 0, 1]]
    assert isinstance(adapter.prepare(FRAME), pd.DataFrame)
    assert_reads_as(adapter, model, FRAME, wanted)
    pool = PoolView(FRAME, ReadingSource(adapter))
    assert_allclose(pool.embedding, wanted)
    assert_allclose(pool.take([2, 0]).proba, model.predict_proba(FRAME)[[2, 0]])


class NeedsLabels(FunctionTransformer):
    """A transformer whose fit requires y, like target encoders of third parties."""

    def fit(self, X, y):
        return super().fit(X)


@pytest.mark.parametrize("transformer", [NeedsLabels(), SelectKBest(k=1)], ids=["own", "sklearn"])
def test_transformer_that_needs_labels_cannot_start_cold_and_the_error_helps(transformer):
    pipeline = make_pipeline(transformer, LOGISTIC)
    name = type(transformer).__name__
    with pytest.raises(CapabilityError, match=f"{name} cannot be fitted on unlabeled.*embedder="):
        adapt(pipeline).prepare_cold(X)


# Searches ---------------------------------------------------------------------------------------

PIPELINE = Pipeline([("scale", StandardScaler()), ("last", LOGISTIC)])
GRID = {"last__C": [0.1, 1.0], "scale__with_std": [True]}
SEARCHES = [
    GridSearchCV(PIPELINE, GRID, cv=2),
    RandomizedSearchCV(PIPELINE, GRID, n_iter=1, cv=2, random_state=0),
]


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: type(search).__name__)
def test_search_is_read_through_its_best_pipeline(search):
    assert_allclose(adapt(search).prepare_cold(X)(X[:9]), scale(X[:9]), atol=1e-12)
    search.fit(X, NAMES)
    assert adapt(search).inner.model is search.best_estimator_
    assert_reads_as(adapt(search), search, X, scale(X))


def test_search_in_a_pipeline_and_learner():
    model = make_pipeline(PCA(2, random_state=0), SEARCHES[0])
    learner = ActiveLearner(model, Margin(), random_state=0).fit(X[:60], NAMES[:60])
    fitted = learner.estimator_
    proba = np.sort(fitted.predict_proba(X[60:]), axis=1)
    assert learner.query(X[60:]) == np.argmin(proba[:, -1] - proba[:, -2])
    assert adapt(fitted).features(adapt(fitted).prepare(X[60:])).shape == (90, 2)


# Frozen estimators ------------------------------------------------------------------------------


def test_frozen_estimator_predicts_by_what_it_froze_and_says_so():
    model = PIPELINE.fit(X, NAMES)
    for wrapped in (FrozenEstimator(model), make_pipeline("passthrough", FrozenEstimator(model))):
        adapter = adapt(wrapped)
        assert adapter.frozen
        assert_reads_as(adapter, model, X, scale(X))
    assert not adapt(model).frozen


def test_frozen_estimator_has_its_features_before_any_fit():
    frozen = FrozenEstimator(make_pipeline(StandardScaler(), LOGISTIC).fit(X[:50], Y[:50]))
    assert_allclose(adapt(frozen).prepare_cold(X)(X), scale(X, X[:50]), atol=1e-12)
    unfitted = FrozenEstimator(make_pipeline(StandardScaler(), LogisticRegression()))
    assert_allclose(adapt(unfitted).prepare_cold(X)(X), scale(X), atol=1e-12)


def test_frozen_transformer_leaves_the_pipeline_to_learn():
    scaler = FrozenEstimator(StandardScaler().fit(X[:50]))
    model = make_pipeline(scaler, LOGISTIC).fit(X, NAMES)
    assert not adapt(model).frozen
    assert_reads_as(adapt(model), model, X, scale(X, X[:50]))


def test_frozen_model_that_is_calibrated_still_learns():
    model = CalibratedClassifierCV(FrozenEstimator(LinearSVC().fit(X[:50], Y[:50])), cv=3)
    assert not adapt(model).frozen
    assert not adapt(model.fit(X[50:], Y[50:])).frozen


def test_teaching_a_frozen_model_warns_and_leaves_it():
    learner = ActiveLearner(FrozenEstimator(PIPELINE.fit(X, Y))).fit(X[:9], Y[:9])
    before = learner.predict_proba(X)
    with pytest.warns(FrozenModelWarning, match="FrozenEstimator is frozen"):
        learner.teach(X[9:20], 2 - Y[9:20])
    assert_array_equal(learner.predict_proba(X), before)
    assert len(learner.y_labeled_) == 20


# Gaussian processes -----------------------------------------------------------------------------


def process(y, rows=X, **params):
    params = {"kernel": 1.5 * RBF(1.0), "optimizer": None, "random_state": 0} | params
    return GaussianProcessClassifier(**params).fit(rows[:40], y[:40])


@pytest.mark.parametrize("y", [Y, NAMES, NAMES == "ant", Y - 1], ids=["3", "str", "bool", "neg"])
@pytest.mark.parametrize("n_samples", [None, 400])
def test_mean_of_draws_is_the_probability(y, n_samples):
    model = process(y)
    draws = adapt(model).proba_samples(X, n_samples, seed=3)
    assert draws.shape == (n_samples or 100, 150, len(model.classes_))
    assert_allclose(draws.sum(axis=2), 1.0)
    assert_allclose(draws.mean(axis=0), model.predict_proba(X), atol=0.02)


def test_draws_of_two_classes_have_the_law_of_the_latent_value():
    model = process(NAMES == "ant")
    if not hasattr(model, "latent_mean_and_variance"):
        pytest.skip("scikit-learn < 1.7 keeps the latent value to itself")
    mean, variance = model.latent_mean_and_variance(X)
    draws = logit(adapt(model).proba_samples(X, 2000, seed=0)[:, :, 1])
    assert_allclose(draws.mean(axis=0), mean, atol=1e-9)
    assert_allclose(draws.var(axis=0), variance, rtol=1e-2)
    assert variance.min() > 0.05  # so the comparison is about something
    ranks = draws[:, 0].argsort()
    assert (np.diff(draws[ranks, 5]) > 0).all()  # rows share their random numbers, as documented


@pytest.mark.parametrize("y", [Y, Y == 1], ids=["three classes", "two classes"])
def test_draws_of_a_row_depend_on_the_seed_and_not_on_other_rows(y):
    adapter, some = adapt(process(y)), np.array([140, 3, 77])
    draws = adapter.proba_samples(X, 50, seed=4)
    assert_allclose(adapter.proba_samples(X[some], 50, seed=4), draws[:, some], rtol=1e-9)
    assert np.abs(adapter.proba_samples(X, 50, seed=5) - draws).max() > 0.01


def test_draws_of_three_classes_have_the_law_of_independent_processes():
    if not hasattr(GaussianProcessClassifier, "latent_mean_and_variance"):
        pytest.skip("scikit-learn < 1.7 keeps the latent value to itself")
    latent = np.array([process(c == Y).latent_mean_and_variance(X[:20]) for c in range(3)])
    means, deviations = latent[:, 0], np.sqrt(latent[:, 1])  # (n_classes, n_rows)
    normal = np.random.RandomState(0).normal(size=(20000, 3, 1))
    wanted = expit(means + normal * deviations)
    wanted /= wanted.sum(axis=1, keepdims=True)
    draws = adapt(process(Y)).proba_samples(X[:20], 2000, seed=0)
    assert_allclose(draws.mean(axis=0), wanted.mean(axis=0).T, atol=0.01)
    assert_allclose(draws.std(axis=0), wanted.std(axis=0).T, atol=0.01)


def test_process_reads_frames_as_arrays():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = GaussianProcessClassifier(1.5 * RBF(1.0), optimizer=None).fit(frame[:40], Y[:40])
    draws = adapt(model).proba_samples(frame, 50, seed=0)
    assert_allclose(draws, adapt(process(Y)).proba_samples(X, 50, seed=0))


def test_process_with_the_default_kernel_can_be_drawn_from():
    model = process(Y == 1, kernel=None)
    draws = adapt(model).proba_samples(X, 400, seed=0)
    assert_allclose(draws.mean(axis=0), model.predict_proba(X), atol=0.02)


def test_one_against_one_has_no_draws():
    model = process(Y, multi_class="one_vs_one")
    assert not adapt(model).provides("proba_samples")
    assert adapt(process(Y == 1, multi_class="one_vs_one")).provides("proba_samples")
    with pytest.raises(CapabilityError, match="BALD needs proba_samples"):
        ActiveLearner(model, BALD()).fit(X[:40], Y[:40])


def test_unfitted_process_has_no_draws_yet():
    assert not adapt(GaussianProcessClassifier()).provides("proba_samples")
    with pytest.raises(NotFittedError):
        ActiveLearner(GaussianProcessClassifier(), BALD()).query(X)


@pytest.mark.parametrize("y", [Y, Y == 1], ids=["three classes", "two classes"])
def test_draws_serve_bald_but_not_epig(y):
    model = GaussianProcessClassifier(1.5 * RBF(1.0), optimizer=None)
    adapter = adapt(process(y))
    assert adapter.provides("proba_samples")
    assert not adapter.provides("joint_samples")
    for wrapped in (model, make_pipeline(StandardScaler(), model)):
        with pytest.raises(CapabilityError, match="EPIG needs joint_samples"):
            ActiveLearner(wrapped, EPIG()).fit(X[:40], y[:40])
        learner = ActiveLearner(wrapped, BALD(), random_state=0).fit(X[:40], y[:40])
        assert len(set(learner.query(X[40:], 3))) == 3


def test_a_frozen_step_starts_cold_as_it_was_fitted():
    frozen = FrozenEstimator(StandardScaler().fit(X[:10]))
    features = adapt(make_pipeline(frozen, LogisticRegression())).prepare_cold(X[10:])
    assert_allclose(features(X[:5]), frozen.transform(X[:5]))


def test_a_search_without_a_refit_provides_the_rows_alone():
    search = GridSearchCV(make_pipeline(StandardScaler(), SVC()), {"svc__C": [1, 2]}, refit=False)
    adapter = adapt(search.fit(X, Y))
    assert not any(map(adapter.provides, ("proba", "decision", "prediction", "proba_samples")))
    assert adapter.features(adapter.prepare(X)) is X
    learner = ActiveLearner(search, KCenterGreedy(), random_state=0).fit(X[::5], Y[::5])
    plain = ActiveLearner(SVC(), KCenterGreedy(), random_state=0).fit(X[::5], Y[::5])
    assert_array_equal(learner.query(X, 3), plain.query(X, 3))
