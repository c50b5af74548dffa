"""Committees: published values, counts by hand, and members that do not know every class."""

from collections import Counter
from math import log

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearner
from skactive.exceptions import CapabilityError
from skactive.strategies import BALD, ConsensusEntropy, KLDivergence, VoteEntropy
from skactive.testing import FakePool

COMMITTEE = np.array([[[0.3, 0.7], [0.4, 0.6]], [[0.2, 0.8], [0.5, 0.5]]])  # unit vector 2
VOTES = np.eye(3)[np.array([[0, 1, 2], [0, 0, 1], [2, 2, 2]]).T]  # unit vector 3
NAMES = np.array(["setosa", "versicolor", "a virginica"])  # not in the order of their numbers


def entropy(p):
    return -sum(value * log(value) for value in p if value > 0)


def naive_votes(samples):
    """Vote entropy by counting."""
    scores = []
    for row in range(samples.shape[1]):
        counts = Counter(int(np.argmax(member[row])) for member in samples)
        scores.append(entropy([count / len(samples) for count in counts.values()]))
    return scores


def naive_consensus(samples):
    return [entropy(samples[:, row].mean(axis=0)) for row in range(samples.shape[1])]


def naive_kl(samples):
    scores = []
    for row in range(samples.shape[1]):
        mean = samples[:, row].mean(axis=0)
        pairs = [(p, q) for member in samples for p, q in zip(member[row], mean, strict=True)]
        scores.append(sum(p * log(p / q) for p, q in pairs if p > 0) / len(samples))
    return scores


NAIVE = [(VoteEntropy, naive_votes), (ConsensusEntropy, naive_consensus), (KLDivergence, naive_kl)]
families = pytest.mark.parametrize(("kind", "naive"), NAIVE)


class Forgetful(ClassifierMixin, BaseEstimator):
    """Learns from the rows of all labels but one; does not know that there is another."""

    def __init__(self, forgets=0, hard=False):
        self.forgets = forgets
        self.hard = hard

    def fit(self, X, y):
        is_learned = y != self.forgets
        self.model_ = GaussianNB().fit(X[is_learned], y[is_learned])
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)

    def __getattribute__(self, name):
        if name == "predict_proba" and self.hard:
            raise AttributeError(name)
        return super().__getattribute__(name)


def test_published_values():
    pool = FakePool(proba_samples=COMMITTEE)
    expected = [0.00670178182226764, 0.005059389928987596]
    assert_allclose(KLDivergence().score(pool), expected, rtol=1e-10)
    expected = [0.5623351446188083, 0.6881388137135844]
    assert_allclose(ConsensusEntropy().score(pool), expected, rtol=1e-12)
    expected = [1.0986122886681096, 0.6365141682948128, 0.0]
    assert_allclose(VoteEntropy().score(FakePool(proba_samples=VOTES)), expected, rtol=1e-12)


@families
@pytest.mark.parametrize("n_samples", [None, 3])
def test_against_loops(kind, naive, n_samples):
    pool = FakePool(20, n_classes=4, n_draws=7)
    expected = naive(pool.proba_samples()[:n_samples])
    assert_allclose(kind(n_samples=n_samples).score(pool), expected, rtol=1e-10)


def test_the_three_differ_where_they_should():
    level = [[0.5, 0.5]] * 4  # no uncertainty shared by more, no disagreement
    split = [[1, 0], [1, 0], [1, 0], [0, 1]]  # one sure dissenter
    leaning = [[0.51, 0.49], [0.49, 0.51], [0.51, 0.49], [0.49, 0.51]]  # votes split, barely
    pool = FakePool(proba_samples=np.stack([level, split, leaning], axis=1))
    assert_array_equal(KLDivergence().select(pool, 1), [1])
    assert_array_equal(VoteEntropy().select(pool, 1), [2])
    assert ConsensusEntropy().select(pool, 3)[-1] == 1


def lacking_members(model, n_classes):
    members = model.estimators_
    return [member for member in members if len(getattr(member, "classes_", ())) < n_classes]


@families
def test_bagging_whose_members_lack_classes(kind, naive):
    X, y = load_iris(return_X_y=True)
    # Neighbors take no weights, so a member is fitted on its own few rows only.
    neighbors = KNeighborsClassifier(3)
    model = BaggingClassifier(neighbors, 9, max_samples=4, max_features=3, random_state=1)
    learner = ActiveLearner(model, kind(), random_state=0).fit(X[::8], NAMES[y[::8]])
    bagging = learner.estimator_
    assert lacking_members(bagging, 3)
    table = np.zeros((9, len(X), 3))
    pairs = zip(bagging.estimators_, bagging.estimators_features_, strict=True)
    for member, (model, columns) in enumerate(pairs):
        proba = model.predict_proba(X[:, columns])
        for column, label in enumerate(model.classes_):
            table[member, :, label] = proba[:, column]
    assert_allclose(table.mean(axis=0), bagging.predict_proba(X), atol=1e-12)  # the loop is right
    assert_allclose(learner.score_pool(X), naive(table), atol=1e-10)


@families
@pytest.mark.parametrize("labels", [NAMES, np.array([-3, 1, 7])], ids=["names", "numbers"])
def test_voting_whose_members_lack_classes_or_only_vote(kind, naive, labels):
    X, y = load_iris(return_X_y=True)
    members = [
        ("all", LogisticRegression(max_iter=1000)),
        ("some", Forgetful(forgets=0)),
        ("votes", LinearSVC()),
        ("some votes", Forgetful(forgets=2, hard=True)),
    ]
    learner = ActiveLearner(VotingClassifier(members), kind(), random_state=0)
    learner.fit(X[::4], labels[y[::4]])
    voting = learner.estimator_
    assert len(lacking_members(voting, 3)) == 2
    table = np.zeros((4, len(X), 3))
    for member, model in enumerate(voting.estimators_):
        if hasattr(model, "predict_proba"):
            table[member][:, model.classes_] = model.predict_proba(X)
        else:
            table[member, np.arange(len(X)), model.predict(X)] = 1
    assert_allclose(learner.score_pool(X), naive(table), atol=1e-10)


@families
def test_a_declared_class_that_no_member_knows_changes_nothing(kind, naive):
    X, y = load_iris(return_X_y=True)
    X, y = X[:100:2], NAMES[y[:100:2]]
    model = BaggingClassifier(DecisionTreeClassifier(max_depth=1), 7, max_samples=5, random_state=0)
    scores = [
        ActiveLearner(model, kind(), classes=classes, random_state=0).fit(X, y).score_pool(X)
        for classes in (None, NAMES)
    ]
    assert_allclose(*scores, atol=1e-12)
    assert np.ptp(scores[0]) > 0


def test_mean_divergence_and_not_their_sum_or_maximum():
    pool = FakePool(n_draws=8)
    assert_allclose(KLDivergence().score(pool), BALD().score(pool), rtol=1e-10)
    twice = FakePool(proba_samples=np.tile(pool.proba_samples(), (2, 1, 1)))
    assert_allclose(KLDivergence().score(twice), KLDivergence().score(pool), rtol=1e-10)


@pytest.mark.parametrize("kind", [VoteEntropy, ConsensusEntropy, KLDivergence])
def test_one_model_is_no_committee(kind):
    with pytest.raises(CapabilityError, match=f"{kind.__name__} needs proba_samples"):
        ActiveLearner(GaussianNB(), kind()).fit(np.arange(4.0)[:, None], [0, 0, 1, 1])
