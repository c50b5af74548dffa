"""Boosters, whose labels are encoded: campaigns, labels as people have them, and sessions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits

from skactive import ActiveLearner, SimulatedLearner
from skactive.labeling import LabelingSession
from skactive.strategies import Auto, Margin, VoteEntropy

X, Y = load_digits(n_class=4, return_X_y=True)
X, Y = X[:300], Y[:300]
NAMES = np.array(["zero", "one", "two", "three"])
LABELS = {
    "codes": np.arange(4),
    "gaps": np.array([2, 3, 7, 40]),
    "negative": np.array([-5, -2, 0, 3]),
    "text": NAMES,
}
SMALL = {"n_estimators": 5, "random_state": 0}
BOOSTERS = {
    "XGBClassifier": ("xgboost", {"n_jobs": 1, "verbosity": 0, "max_depth": 3}),
    "LGBMClassifier": (
        "lightgbm",
        {"n_jobs": 1, "verbosity": -1, "num_leaves": 8, "min_child_samples": 5},
    ),
    "CatBoostClassifier": (
        "catboost",
        {"thread_count": 1, "verbose": False, "allow_writing_files": False, "depth": 3},
    ),
}


@pytest.fixture(params=BOOSTERS)
def booster(request):
    package, params = BOOSTERS[request.param]
    reason = f"needs {package}" + ("; make test-catboost installs it" * (package == "catboost"))
    return getattr(pytest.importorskip(package, reason=reason), request.param)(**SMALL, **params)


@pytest.mark.parametrize("kind", LABELS)
def test_campaigns_run_through_and_predict_the_labels_they_were_given(booster, kind):
    y = LABELS[kind][Y]
    learner = ActiveLearner(booster, Margin())
    for seed in range(3):
        campaign = SimulatedLearner(
            learner, budget=40, n_initial=10, batch_size=15, random_state=seed
        ).fit(X, y)
        assert len(set(campaign.queried_)) == 40
        assert campaign.n_labels_[-1] == 40
        assert set(campaign.predict(X)) <= set(y)
        assert campaign.score(X, y) > 0.5


@pytest.mark.parametrize("kind", LABELS)
def test_the_names_of_the_labels_change_nothing_else(booster, kind):
    order = LABELS[kind]
    ranks = np.argsort(np.argsort(order))  # classes are coded in their sorted order
    named = ActiveLearner(booster, Margin(), random_state=0).fit(X[:60], order[Y[:60]])
    coded = ActiveLearner(booster, Margin(), random_state=0).fit(X[:60], ranks[Y[:60]])
    assert_array_equal(named.classes_, np.sort(order))
    assert_allclose(named.predict_proba(X), coded.predict_proba(X))
    assert_array_equal(named.predict(X), np.sort(order)[coded.predict(X)])
    assert named.predict(X).shape == (300,)
    assert_array_equal(named.query(X[60:], 10), coded.query(X[60:], 10))


@pytest.mark.filterwarnings("ignore::skactive.exceptions.WaitingClassesWarning")
def test_classes_come_one_after_another(booster):
    y = NAMES[Y]
    learner = ActiveLearner(booster, Margin(), random_state=0)
    learner.fit(X[Y == 0][:5], y[Y == 0][:5])  # one class alone
    known = {"zero"}
    for code in (1, 2, 3):
        rows = X[code == Y]
        assert len(set(learner.query(rows, 10))) == 10
        learner.teach(rows[:10], y[code == Y][:10])
        known.add(str(NAMES[code]))
        assert set(learner.classes_) == known
        assert set(learner.predict(rows)) <= known
    assert len(learner.y_labeled_) == 35
    assert learner.score(X, y) > 0.6


def test_declared_classes_have_columns_before_they_are_seen(booster):
    learner = ActiveLearner(booster, Margin(), classes=NAMES, random_state=0)
    seen = Y[:60] < 3
    learner.fit(X[:60][seen], NAMES[Y[:60][seen]])
    view = learner._make_view(X)
    assert_array_equal(view.classes, np.sort(NAMES))
    assert view.proba.shape == (300, 4)
    assert_array_equal(view.proba[:, 1], np.zeros(300))  # "three" has not been seen
    assert len(set(learner.query(X, 10))) == 10
    learner.teach(X[:60][~seen], NAMES[Y[:60][~seen]])
    assert learner.score(X, NAMES[Y]) > 0.7


def test_a_committee_of_boosters_votes(booster):
    from sklearn.ensemble import BaggingClassifier

    committee = BaggingClassifier(booster, 3, random_state=0)
    learner = ActiveLearner(committee, VoteEntropy(), random_state=0)
    learner.fit(X[:60], NAMES[Y[:60]])
    scores = learner.score_pool(X[60:])
    votes = np.array([model.predict(X[60:]).reshape(-1) for model in committee_of(learner)])
    shares = np.array([(votes == code).mean(axis=0) for code in np.unique(votes)])
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = -np.nansum(shares * np.log(shares), axis=0)
    assert_allclose(scores, expected, atol=1e-9)


def committee_of(learner):
    return learner.estimator_.estimators_


def test_predictions_of_the_pool_are_one_label_per_row(booster):
    learner = ActiveLearner(booster, Auto(), random_state=0).fit(X[:60], NAMES[Y[:60]])
    assert learner.predict(X).shape == (300,)
    view = learner._make_view(X[60:])
    assert_array_equal(view.prediction, learner.predict(X[60:]))


def test_sessions_ask_and_learn_text_labels(booster, tmp_path):
    learner = ActiveLearner(booster, Margin())
    options = {"store": tmp_path / "labels.db", "background": False, "random_state": 0}
    with LabelingSession(learner, X, refit_every=15, n_ahead=15, **options) as session:
        for _ in range(4):
            batch = session.next_batch(15)
            session.submit({ident: str(NAMES[Y[ident]]) for ident in batch.ids})
        session.next_batch(1)
        assert session.progress().n_learned == 60
        assert set(session.learner.predict(X)) <= set(NAMES)
        assert session.learner.score(X, NAMES[Y]) > 0.7
