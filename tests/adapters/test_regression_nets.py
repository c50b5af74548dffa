"""Nets and boosters that regress: their draws, and strategies that read them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_diabetes
from sklearn.ensemble import BaggingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearner
from skactive.adapters import adapt
from skactive.exceptions import CapabilityError
from skactive.strategies import IGS, ExpectedModelChangeRegression, PredictiveStd, ThompsonSampling

X, y = load_diabetes(return_X_y=True)
X = StandardScaler().fit_transform(X).astype(np.float32)[:90]
y = ((y - y.mean()) / y.std()).astype(np.float32)[:90]


@pytest.fixture
def make_net():
    torch, skorch = pytest.importorskip("torch"), pytest.importorskip("skorch")

    def make(n_outputs=1, p=0.5):
        torch.manual_seed(0)
        parts = [torch.nn.Linear(10, 16), torch.nn.ReLU(), torch.nn.Dropout(p)]
        module = torch.nn.Sequential(*parts, torch.nn.Linear(16, n_outputs))
        return skorch.NeuralNetRegressor(module, max_epochs=3, lr=0.05, train_split=None, verbose=0)

    return make


def test_draws_of_a_net_are_dropout_draws_of_numbers(make_net):
    net = make_net().fit(X, y[:, np.newaxis])
    adapter = adapt(net)
    draws = adapter.prediction_samples(X, 200, seed=0)
    assert draws.shape == (200, 90)
    assert_allclose(adapter.prediction(X), net.predict(X)[:, 0])
    error = 4 * draws.std(axis=0).max() / np.sqrt(200)
    # After the dropout there is a linear layer only.
    assert_allclose(draws.mean(axis=0), adapter.prediction(X), atol=error)
    some = adapter.prediction_samples(X[5:8], 200, seed=0)
    assert_allclose(some, draws[:, 5:8], atol=1e-6)
    assert adapter.std(X, 0).shape == (90,)


def test_a_net_of_two_outputs_keeps_them(make_net):
    net = make_net(2).fit(X, np.column_stack([y, -y]))
    assert adapt(net).prediction_samples(X, 3, seed=0).shape == (3, 90, 2)
    assert adapt(net).std(X, 0).shape == (90, 2)


@pytest.mark.parametrize(
    "strategy",
    [PredictiveStd(), ExpectedModelChangeRegression(), IGS(), ThompsonSampling()],
    ids=lambda strategy: type(strategy).__name__,
)
def test_nets_in_pipelines_serve_the_strategies(make_net, strategy):
    learner = ActiveLearner(make_pipeline(StandardScaler(), make_net()), strategy, random_state=0)
    picked = learner.fit(X[:30], y[:30, np.newaxis]).query(X[30:], 4)
    assert len(set(picked.tolist())) == 4
    learner.teach(X[30:][picked], y[30:, np.newaxis][picked])
    assert len(learner.y_labeled_) == 34


def test_a_net_without_dropout_is_refused_with_the_remedy(make_net):
    with pytest.raises(CapabilityError, match="add dropout layers to its module"):
        ActiveLearner(make_net(p=0.0), PredictiveStd()).fit(X, y[:, np.newaxis])
    adapter = adapt(make_net().fit(X, y[:, np.newaxis]))
    assert not adapter.provides("proba_samples")


@pytest.mark.parametrize(
    ("package", "name", "params"),
    [
        ("xgboost", "XGBRegressor", {"n_jobs": 1, "verbosity": 0}),
        ("lightgbm", "LGBMRegressor", {"n_jobs": 1, "verbosity": -1, "min_child_samples": 5}),
    ],
    ids=["xgboost", "lightgbm"],
)
def test_bagged_boosters_draw_their_members(package, name, params):
    booster = getattr(pytest.importorskip(package), name)(n_estimators=5, **params)
    model = BaggingRegressor(booster, 3, random_state=0)
    learner = ActiveLearner(model, PredictiveStd(), random_state=0).fit(X[:40], y[:40])
    members = [member.predict(X) for member in learner.estimator_.estimators_]
    assert_allclose(learner.score_pool(X), np.std(members, axis=0, dtype=float), atol=1e-6)
    with pytest.raises(CapabilityError, match=rf"BaggingRegressor\({name}\(\)\)"):
        ActiveLearner(booster, PredictiveStd()).fit(X[:40], y[:40])
