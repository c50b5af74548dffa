"""Advice of error messages, taken: what the message says to do is done, and it works."""

import numpy as np
import pytest
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import (
    BaggingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import BayesianRidge, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner
from skactive.exceptions import CapabilityError, InvalidReadingError, PoolTooLargeError
from skactive.selectors._engine import information
from skactive.strategies import (
    BADGE,
    BAIT,
    DOptimal,
    ExpectedErrorReduction,
    KCenterGreedy,
    Margin,
    MaxDet,
    PredictiveStd,
    VOptimal,
)

X = np.random.RandomState(0).normal(size=(40, 8))
Y = np.arange(40) % 3


def query(model, strategy, embedder=None):
    learner = ActiveLearner(model, strategy, embedder=embedder, random_state=0)
    return learner.fit(X[:12], Y[:12]).query(X[12:], 2)


@pytest.mark.parametrize("strategy", [BAIT(), MaxDet(), DOptimal(), VOptimal()], ids=repr)
def test_too_many_dimensions_are_reduced_before_the_model_and_in_the_embedder(
    strategy, monkeypatch
):
    monkeypatch.setattr(information, "_MAX_INVERSE_NUMBERS", 60)
    monkeypatch.setattr(information, "_MAX_TRACE_DIMS", 6)
    advice = "reduce the dimensions by PCA or TruncatedSVD: before the model.*Pipeline, and in the"
    model = LogisticRegression()
    with pytest.raises(PoolTooLargeError, match=advice):
        query(model, strategy)
    for reducer in (PCA(2), TruncatedSVD(2)):
        assert len(query(make_pipeline(reducer, model), strategy)) == 2
    assert len(query(make_pipeline(PCA(2), model), strategy, embedder=PCA(2))) == 2


def test_look_ahead_in_a_wide_layer_refits_reweights_an_ensemble_or_reduces(monkeypatch):
    monkeypatch.setattr("skactive.strategies._softmax_layer._MAX_WEIGHTS", 20)
    newton, model = ExpectedErrorReduction(approximation="newton"), LogisticRegression()
    advice = r"PCA or TruncatedSVD.*approximation=None \(or 'reweight' with an ensemble\)"
    with pytest.raises(CapabilityError, match=advice):
        query(model, newton)
    assert len(query(make_pipeline(PCA(2), model), newton)) == 2
    assert len(query(model, ExpectedErrorReduction())) == 2
    forest = RandomForestClassifier(5, random_state=0)
    assert len(query(forest, ExpectedErrorReduction(approximation="reweight"))) == 2


class TakesTexts(GaussianNB):
    """A model that turns texts into numbers by itself."""

    def fit(self, X, y):
        return super().fit(count_letters(X), y)

    def predict(self, X):
        return super().predict(count_letters(X))

    def predict_proba(self, X):
        return super().predict_proba(count_letters(X))


def count_letters(texts):
    return np.array([[text.count("a"), text.count("b")] for text in texts], dtype=float)


@pytest.mark.parametrize("strategy", [BADGE(), BAIT(), MaxDet()], ids=repr)
def test_gradients_of_rows_that_make_no_matrix_need_a_pipeline_and_no_embedder(strategy):
    texts = ["a" * (i % 5) + "b" * (i % 3) for i in range(20)]
    letters, y = CountVectorizer(analyzer="char"), np.arange(20) // 2 % 3
    with pytest.raises(InvalidReadingError, match="for gradients") as error:
        ActiveLearner(TakesTexts(), strategy).fit(texts[:9], y[:9]).query(texts[9:], 2)
    assert "embedder" not in str(error.value)
    assert "Choose another strategy, or use a Pipeline whose first steps" in str(error.value)
    for model, other in (
        (make_pipeline(letters, LogisticRegression()), strategy),
        (TakesTexts(), Margin()),
    ):
        learner = ActiveLearner(model, other).fit(texts[:9], y[:9])
        assert len(learner.query(texts[9:], 2)) == 2
    with pytest.raises(InvalidReadingError, match="Pass embedder="):
        ActiveLearner(TakesTexts(), KCenterGreedy()).fit(texts[:9], y[:9]).query(texts[9:], 2)
    learner = ActiveLearner(TakesTexts(), KCenterGreedy(), embedder=letters)
    assert len(learner.fit(texts[:9], y[:9]).query(texts[9:], 2)) == 2


@pytest.mark.parametrize(
    ("model", "advice", "better"),
    [
        (Ridge(), r"BaggingRegressor\(Ridge\(\)\)", BaggingRegressor(Ridge())),
        (RandomForestRegressor(1), "n_estimators=10", RandomForestRegressor(10)),
        (
            VotingRegressor([("a", Ridge())]),
            "two members",
            VotingRegressor([("a", Ridge()), ("b", BayesianRidge())]),
        ),
        (
            GridSearchCV(BayesianRidge(), {}, cv=2, refit=False),
            "refit=True of the GridSearchCV",
            GridSearchCV(BayesianRidge(), {}, cv=2),
        ),
        (
            make_pipeline(PCA(2), Ridge()),
            r"BaggingRegressor\(Ridge\(\)\).* \(inside the Pipeline\)",
            make_pipeline(PCA(2), BaggingRegressor(Ridge())),
        ),
    ],
    ids=["ridge", "tree", "voter", "search", "pipeline"],
)
def test_regressors_without_a_deviation_get_one(model, advice, better):
    with pytest.raises(CapabilityError, match=f"PredictiveStd needs std.*{advice}"):
        query(model, PredictiveStd())
    assert len(query(better, PredictiveStd())) == 2
