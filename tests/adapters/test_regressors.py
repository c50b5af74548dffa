"""Deviations and draws of regressors, against the models' own and against their law."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    RandomForestRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import ARDRegression, BayesianRidge, LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skactive.adapters import adapt
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource

X, y = load_diabetes(return_X_y=True)
X, y = StandardScaler().fit_transform(X)[:120], (y[:120] - y.mean()) / y.std()
Y = np.column_stack([y, X[:, 0] * y])
FRAME = pd.DataFrame(X, columns=list("abcdefghij"))
PROCESS = GaussianProcessRegressor(ConstantKernel(2.0) * RBF(3.0), alpha=0.1, optimizer=None)
FOREST = RandomForestRegressor(6, max_depth=3, random_state=0)
by_name = {"ids": lambda value: value if isinstance(value, str) else type(value).__name__}


def view(model, rows=X, seed=0):
    return PoolView(rows, ReadingSource(adapt(model), seed=seed))


class Spread(RegressorMixin, BaseEstimator):
    """A model of somebody else, which returns standard deviations."""

    def fit(self, X, y):
        self.mean_ = np.mean(y, axis=0)
        return self

    def predict(self, X, return_std=False):
        mean = np.full(len(X), self.mean_)
        return (mean, 1.0 + np.abs(X[:, 0])) if return_std else mean


# Members ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        FOREST,
        ExtraTreesRegressor(5, max_depth=3, random_state=0),
        BaggingRegressor(Ridge(), 5, random_state=0),
        BaggingRegressor(DecisionTreeRegressor(), 5, max_features=0.5, random_state=0),
        VotingRegressor([("ridge", Ridge()), ("tree", DecisionTreeRegressor(random_state=0))]),
    ],
    **by_name,
)
@pytest.mark.parametrize("rows", [X, FRAME], ids=["array", "frame"])
def test_members_average_to_the_prediction(model, rows):
    model.fit(rows, y)
    pool = view(model, rows)
    draws = pool.prediction_samples()
    assert draws.shape == (len(model.estimators_), 120)
    assert_allclose(draws.mean(axis=0), model.predict(rows))
    assert_allclose(pool.std, draws.std(axis=0))
    assert adapt(model).joint_samples


def test_fewer_draws_are_some_of_the_members():
    pool = view(FOREST.fit(X, y), seed=3)
    every, some = pool.prediction_samples(), pool.prediction_samples(2)
    places = [int(np.flatnonzero((every == draw).all(axis=1))[0]) for draw in some]
    assert len(set(places)) == 2
    assert_array_equal(pool.take(slice(5, 9)).prediction_samples(2), some[:, 5:9])


def test_a_forest_of_several_outputs():
    model = RandomForestRegressor(6, max_depth=3, random_state=0).fit(X, Y)
    draws = view(model).prediction_samples()
    assert draws.shape == (6, 120, 2)
    assert_allclose(draws.mean(axis=0), model.predict(X))
    assert view(model).std.shape == (120, 2)


def test_bagged_models_that_predict_columns_are_flat():
    class Column(LinearRegression):
        def predict(self, X):
            return super().predict(X)[:, np.newaxis]

    model = BaggingRegressor(Ridge(), 3, random_state=0).fit(X, y)
    model.estimators_ = [Column().fit(X[k::3], y[k::3]) for k in range(3)]
    assert view(model).prediction_samples().shape == (3, 120)


# Models that return standard deviations -----------------------------------------------------------


def test_the_deviation_of_a_process_is_its_own():
    model = PROCESS.fit(X[:40], y[:40])
    assert_allclose(view(model).std, model.predict(X, return_std=True)[1], rtol=1e-9)


@pytest.mark.parametrize("normalize_y", [False, True])
@pytest.mark.parametrize("targets", [y, Y], ids=["one", "two"])
def test_the_deviation_of_a_process_leaves_out_white_noise(normalize_y, targets):
    kernel = ConstantKernel(2.0) * RBF(3.0)
    options = {"optimizer": None, "normalize_y": normalize_y}
    noisy = GaussianProcessRegressor(kernel + WhiteKernel(0.3), alpha=0.0, **options)
    clean = GaussianProcessRegressor(kernel, alpha=0.3, **options)
    stds = [view(model.fit(X[:40], targets[:40])).std for model in (noisy, clean)]
    assert_allclose(stds[0], stds[1], rtol=1e-6)
    assert stds[0].shape == targets.shape


def test_a_process_that_knows_labels_exactly_gives_no_warning():
    model = GaussianProcessRegressor(RBF(30.0), alpha=1e-12, optimizer=None).fit(X[:40], y[:40])
    assert (view(model, X[:40]).std < 1e-3).all()


@pytest.mark.parametrize("model", [PROCESS, Spread(), BayesianRidge(), ARDRegression()], **by_name)
def test_draws_of_each_row_have_its_mean_and_deviation(model):
    pool = view(model.fit(X[:40], y[:40]))
    draws = pool.prediction_samples(4000)
    error = 4 / np.sqrt(4000)
    assert_allclose(draws.mean(axis=0), pool.prediction, atol=error * pool.std.max())
    assert_allclose(draws.std(axis=0), pool.std, rtol=error)
    assert_array_equal(pool.take(np.array([7, 3])).prediction_samples(4000), draws[:, [7, 3]])
    other = view(model, seed=1).prediction_samples(4000)
    assert not np.array_equal(other, draws)


def test_a_single_draw_of_a_process_is_not_its_mean():
    PROCESS.fit(X[:40], y[:40])
    pool = view(PROCESS, X[50:51])
    draws = [view(PROCESS, X[50:51], seed).prediction_samples(1)[0, 0] for seed in range(200)]
    z = (draws - pool.prediction) / pool.std
    assert_allclose([z.mean(), z.std()], [0.0, 1.0], atol=0.3)


@pytest.mark.parametrize("model", [BayesianRidge(), ARDRegression()], **by_name)
def test_the_deviation_of_a_bayesian_linear_model_leaves_out_the_noise(model):
    own = model.fit(X[:40], y[:40]).predict(X, return_std=True)[1]
    assert_allclose(np.square(view(model).std), np.square(own) - 1.0 / model.alpha_, rtol=1e-8)


def test_draws_of_a_bayesian_linear_model_are_linear():
    pool = view(BayesianRidge().fit(X[:40], y[:40]))
    design = np.column_stack([np.ones(120), X])
    draws = pool.prediction_samples(5)
    weights, *_ = np.linalg.lstsq(design, draws.T, rcond=None)
    assert_allclose(design @ weights, draws.T, atol=1e-10)


# Wrappers -----------------------------------------------------------------------------------------


def test_draws_of_transformed_targets_are_transformed_back():
    inner = BaggingRegressor(Ridge(), 5, random_state=0)
    model = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), inner), func=np.arcsinh, inverse_func=np.sinh
    ).fit(X, y)
    pool, members = view(model), model.regressor_[-1].estimators_
    expected = np.sinh([m.predict(model.regressor_[:-1].transform(X)) for m in members])
    assert_allclose(pool.prediction_samples(), expected)
    assert_allclose(pool.std, expected.std(axis=0))
    assert_allclose(pool.prediction, model.predict(X))


def test_the_deviation_is_in_the_units_of_the_targets():
    model = TransformedTargetRegressor(PROCESS, transformer=StandardScaler())
    small, large = (view(model.fit(X[:40], scale * y[:40])).std for scale in (1.0, 1000.0))
    assert_allclose(large, 1000.0 * small)


@pytest.mark.parametrize("member", [PROCESS, FOREST, BayesianRidge()], **by_name)
def test_a_regressor_per_output_has_the_deviation_of_each(member):
    model = MultiOutputRegressor(member).fit(X[:40], Y[:40])
    pool = view(model)
    for k, fitted in enumerate(model.estimators_):
        assert_allclose(pool.std[:, k], view(fitted).std)
    assert pool.prediction_samples(4).shape == (4, 120, 2)


@pytest.mark.parametrize("wrap", ["pipeline", "search", "search of a pipeline"])
def test_wrapped_models_give_what_the_model_in_them_gives(wrap):
    model = BayesianRidge()
    model = model if wrap == "search" else make_pipeline(StandardScaler(), model)
    model = model if wrap == "pipeline" else GridSearchCV(model, {}, cv=2)
    pool = view(model.fit(X[:40], y[:40]))
    bare = StandardScaler().fit(X[:40])
    plain = BayesianRidge().fit(bare.transform(X[:40]), y[:40])
    expected = view(plain, bare.transform(X)) if "pipeline" in wrap else None
    expected = view(BayesianRidge().fit(X[:40], y[:40])) if expected is None else expected
    assert_allclose(pool.std, expected.std)
    assert_allclose(pool.prediction_samples(3), expected.prediction_samples(3))


# What is promised ---------------------------------------------------------------------------------

WITHOUT = [
    Ridge(),
    KNeighborsRegressor(),
    GradientBoostingRegressor(n_estimators=3),
    StackingRegressor([("ridge", Ridge()), ("tree", DecisionTreeRegressor())]),
    RandomForestRegressor(1),
    BaggingRegressor(n_estimators=1),
    VotingRegressor([("ridge", Ridge())]),
    MultiOutputRegressor(Ridge()),
    TransformedTargetRegressor(),
    GridSearchCV(BayesianRidge(), {}, cv=2, refit=False),
]
WITH = [
    FOREST,
    BaggingRegressor(Ridge()),
    VotingRegressor([("ridge", Ridge()), ("tree", DecisionTreeRegressor())]),
    PROCESS,
    BayesianRidge(),
    ARDRegression(),
    Spread(),
    MultiOutputRegressor(BayesianRidge()),
    TransformedTargetRegressor(BayesianRidge(), transformer=StandardScaler()),
    make_pipeline(StandardScaler(), BayesianRidge()),
]


@pytest.mark.parametrize("model", [*WITH, *WITHOUT], **by_name)
@pytest.mark.parametrize("reading", ["std", "prediction_samples"])
def test_models_promise_what_they_give_once_they_are_fitted(model, reading):
    targets = Y if isinstance(model, MultiOutputRegressor) else y
    fitted = adapt(model.fit(X, targets))
    assert fitted.provides(reading) == any(model is each for each in WITH)
    assert not fitted.provides("proba")
    assert not fitted.provides("proba_samples")


@pytest.mark.parametrize(
    "model", [RandomForestRegressor(), GaussianProcessRegressor(), BayesianRidge()], **by_name
)
def test_models_that_are_not_fitted_promise_nothing(model):
    assert not adapt(model).provides("std")
    assert not adapt(model).provides("prediction_samples")


def test_classifiers_promise_no_numbers():
    from sklearn.ensemble import RandomForestClassifier

    adapter = adapt(RandomForestClassifier(5).fit(X, y > 0))
    assert adapter.provides("proba_samples")
    assert not adapter.provides("prediction_samples")
    assert not adapter.provides("std")


def test_chunks_do_not_change_deviations():
    from sklearn import config_context

    for model in (PROCESS.fit(X[:40], y[:40]), FOREST.fit(X, y)):
        whole = view(model).std
        with config_context(working_memory=0.01):
            assert_allclose(view(model).std, whole, rtol=1e-12)
