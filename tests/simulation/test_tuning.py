"""Searches in a campaign: when one is due, what holds in between, and what the learner is then."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from skactive import ActiveLearner
from skactive.simulation._tuning import Tuner
from skactive.strategies import ExpectedErrorReduction, Random

X, Y = load_iris(return_X_y=True)
ORDER = np.argsort(np.tile(np.arange(50), 3), kind="stable")  # classes in turn: 0, 1, 2, 0, ...
X, Y = X[ORDER], Y[ORDER]
GRID = {"var_smoothing": [1e-9, 0.5]}

equal = np.testing.assert_array_equal


class Counting(GaussianNB):
    """A model of which a search can find the best, and that counts the fits."""

    fits = 0

    def fit(self, X, y, sample_weight=None):
        Counting.fits += 1
        return super().fit(X, y, sample_weight)


@pytest.fixture
def counting():
    """The model that counts, at 0."""
    Counting.fits = 0
    return Counting


def tuner_of(search, every=1, strategy=None):
    return Tuner(ActiveLearner(search, strategy or Random(), random_state=0), every)


def taught(tuner, n, y=Y, **params):
    """Fit on the first rows; tell whether there was a search."""
    tuner.fit(X[:n], y[:n], **params)
    return tuner.tuned


# What can be tuned ------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["incremental", "prefit"])
def test_a_learner_that_does_not_refit_is_refused(setting):
    learner = ActiveLearner(GridSearchCV(GaussianNB(), GRID), **{setting: True})
    message = (
        "retune_every needs a learner that refits: set incremental=False and prefit=False, or "
        "leave retune_every=None."
    )
    with pytest.raises(ValueError) as refused:
        Tuner(learner, 10)
    assert str(refused.value) == message


class Folded(GaussianNB):
    """A model with folds of its own, as LogisticRegressionCV: no search, and no estimator."""

    def __init__(self, cv=5):
        super().__init__()
        self.cv = cv

    def fit(self, X, y):
        if len(y) < self.cv:
            raise ValueError(f"{self.cv} folds take more than {len(y)} rows")
        return super().fit(X, y)


@pytest.mark.parametrize(
    "model",
    [GaussianNB(), GridSearchCV(GaussianNB(), {}, refit=False, cv=2), Folded()],
    ids=["no search", "no refit", "no estimator"],
)
def test_what_finds_no_best_estimator_is_refused(model):
    tuner = tuner_of(model)
    with pytest.raises(ValueError, match="a search that has best_estimator_ after its fit") as said:
        tuner.fit(X[:30], Y[:30])
    assert repr(model) in str(said.value)
    assert tuner.best_params is None
    assert tuner.searched_at is None


def test_a_search_with_nothing_to_fit_in_its_stead_waits_for_labels():
    tuner = tuner_of(Folded())
    tuner.fit(X[:4], Y[:4])
    assert not tuner.tuned
    with pytest.raises(NotFittedError, match="5 folds take more than 4 rows"):
        tuner.learner.predict(X)


# When a search is due ---------------------------------------------------------------------------


def test_a_search_is_due_when_enough_labels_came_since_the_last(counting):
    tuner = tuner_of(GridSearchCV(counting(), GRID, cv=3), every=10)
    counts = [12, 15, 21, 22, 31, 33, 42, 43]
    assert [n for n in counts if taught(tuner, n)] == [12, 22, 33, 43]
    assert counting.fits == 4 * (2 * 3 + 1) + 4
    assert tuner.searched_at == 43


def test_every_label_is_a_search_each_time(counting):
    tuner = tuner_of(GridSearchCV(counting(), GRID, cv=3), every=1)
    assert [n for n in (12, 13, 14) if taught(tuner, n)] == [12, 13, 14]
    assert not taught(tuner, 14)  # of the same labels there is nothing new to find
    assert counting.fits == 3 * 7 + 1


def test_labels_that_came_before_the_first_search_make_it_due():
    tuner = tuner_of(GridSearchCV(GaussianNB(), GRID, cv=KFold(20)), every=1000)
    assert [n for n in (15, 19, 20, 30, 149) if taught(tuner, n)] == [20]
    assert tuner.searched_at == 20


# What holds in between --------------------------------------------------------------------------


def best_of(n, cv=3):
    return GridSearchCV(GaussianNB(), GRID, cv=cv).fit(X[:n], Y[:n])


@pytest.mark.parametrize("n", [15, 60])  # 0.5 and 1e-9 are found
def test_what_was_found_is_kept_as_an_unfitted_clone_with_its_parameters(n):
    tuner = tuner_of(GridSearchCV(GaussianNB(), GRID, cv=3))
    assert taught(tuner, n)
    expected = best_of(n)
    assert tuner.best_params == expected.best_params_
    assert tuner.best.get_params() == expected.best_estimator_.get_params()
    assert type(tuner.best) is GaussianNB
    assert not hasattr(tuner.best, "classes_")
    assert tuner.best is not tuner.learner.estimator_


def test_in_between_the_best_is_refitted_on_all_labels():
    tuner = tuner_of(GridSearchCV(GaussianNB(), GRID, cv=3), every=50)
    assert taught(tuner, 15)
    found = best_of(15).best_params_
    assert found != best_of(60).best_params_  # so that it can be seen which is held
    for n in (30, 45, 60):
        assert taught(tuner, n) is False
        assert tuner.best_params == found
        assert tuner.searched_at == 15
        expected = GaussianNB(**found).fit(X[:n], Y[:n])
        equal(tuner.learner.predict_proba(X), expected.predict_proba(X))
        assert len(tuner.learner.y_labeled_) == n
    assert taught(tuner, 65)
    assert tuner.best_params == best_of(65).best_params_ != found


def test_until_there_is_one_the_model_is_fitted_as_it_is_in_the_search():
    tuner = tuner_of(GridSearchCV(GaussianNB(var_smoothing=0.01), GRID, cv=8))
    assert taught(tuner, 12) is False
    assert tuner.best_params is None
    assert tuner.searched_at is None
    expected = GaussianNB(var_smoothing=0.01).fit(X[:12], Y[:12])
    equal(tuner.learner.predict_proba(X), expected.predict_proba(X))


def test_a_search_that_fails_leaves_what_was_found():
    tuner = tuner_of(GridSearchCV(GaussianNB(), GRID, cv=3), every=5)
    taught(tuner, 12)
    best, found = tuner.best, tuner.best_params
    with pytest.raises(ValueError, match="NaN"):
        tuner.fit(np.where(X[:20] > 5, np.nan, X[:20]), Y[:20])
    assert tuner.best is best
    assert tuner.best_params == found
    assert tuner.searched_at == 12
    assert taught(tuner, 20)


# Too few labels for the folds ---------------------------------------------------------------------


few_of_a_class = pytest.mark.filterwarnings("ignore:The least populated class:UserWarning")


def first_search(search, y=Y, **params):
    """Return at how many labels the first search is: with one less there is none."""
    tuner = tuner_of(search)
    cut = lambda n: {name: value[:n] for name, value in params.items()}  # noqa: E731
    return next(n for n in range(4, 60) if taught(tuner, n, y, **cut(n)))


class Own:
    """A splitter of one's own, that says nothing but its splits."""

    def __init__(self, splitter):
        self.splitter = splitter

    def get_n_splits(self, X=None, y=None, groups=None):
        return self.splitter.get_n_splits()

    def split(self, X, y=None, groups=None):
        return self.splitter.split(X, y, groups)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("cv", "n"),
    [
        # The classes come in turn: the first of three has 5 rows of 13, and 8 of 22.
        (None, 13),
        (5, 13),
        (8, 22),
        (StratifiedKFold(8), 22),
        (RepeatedStratifiedKFold(n_splits=8, n_repeats=2, random_state=0), 22),
        (KFold(8), 8),
        (RepeatedKFold(n_splits=8, n_repeats=20, random_state=0), 8),
        # Of these there may be many more than rows, or nothing is known of them.
        (ShuffleSplit(40, random_state=0), 4),
        (LeaveOneOut(), 4),
        pytest.param(Own(KFold(2)), 4, id="its own"),
    ],
    ids=lambda value: str(value).partition("(")[0] if hasattr(value, "split") else str(value),
)
@few_of_a_class
def test_a_classifiers_search_waits_for_as_many_labels_as_folds(cv, n):
    assert first_search(GridSearchCV(GaussianNB(), GRID, cv=cv)) == n


def test_stratified_draws_do_not_wait_for_as_many_rows_as_draws():
    draws = StratifiedShuffleSplit(40, test_size=3, random_state=0)
    assert taught(tuner_of(GridSearchCV(GaussianNB(), GRID, cv=draws)), 9)


def test_a_list_of_splits_is_taken_as_it_is():
    splits = [(np.arange(6), np.arange(6, 12)), (np.arange(6, 12), np.arange(6))] * 10
    tuner = tuner_of(GridSearchCV(GaussianNB(), GRID, cv=splits))
    assert taught(tuner, 12)
    expected = GridSearchCV(GaussianNB(), GRID, cv=splits).fit(X[:12], Y[:12])
    assert tuner.best_params == expected.best_params_


@pytest.mark.parametrize(("cv", "n"), [(None, 5), (7, 7)], ids=str)
@pytest.mark.parametrize("whole", [False, True])
def test_folds_of_a_regressor_are_not_stratified(cv, n, whole):
    target = np.round(10 * X[:, 0]).astype(int) if whole else X[:, 0] + X[:, 1]
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 10.0]}, cv=cv, scoring="neg_mean_squared_error")
    assert first_search(search, target) == n


def test_folds_of_several_labels_are_not_stratified():
    labels = np.column_stack([Y == 0, Y == 2]).astype(int)
    search = GridSearchCV(KNeighborsClassifier(1), {"weights": ["uniform", "distance"]}, cv=9)
    assert first_search(search, labels) == 9


@few_of_a_class
def test_folds_by_group_and_class_are_stratified():
    search = GridSearchCV(GaussianNB(), GRID, cv=StratifiedGroupKFold(6))
    assert first_search(search, groups=np.arange(150)) == 16


# Parameters of the fit --------------------------------------------------------------------------


class Search(ClassifierMixin, BaseEstimator):
    """Finds its model as it is, and keeps what it was fitted with."""

    seen: list = []  # noqa: RUF012

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y, **params):
        Search.seen.append(params)
        weight = {name: value for name, value in params.items() if name == "sample_weight"}
        self.best_estimator_ = clone(self.estimator).fit(X, y, **weight)
        self.best_params_, self.classes_ = {"found": len(y)}, self.best_estimator_.classes_
        return self

    def predict(self, X):
        return self.best_estimator_.predict(X)


def test_groups_are_passed_to_the_search_only_and_weights_to_both(monkeypatch):
    monkeypatch.setattr(Search, "seen", [])
    weight, groups = np.linspace(0.1, 5.0, 150), np.arange(150)
    tuner = tuner_of(Search(GaussianNB()), every=10)
    for n in (12, 15, 22):
        tuner.fit(X[:n], Y[:n], sample_weight=weight[:n], groups=groups[:n])
        expected = GaussianNB().fit(X[:n], Y[:n], weight[:n])  # takes no groups
        equal(tuner.learner.predict_proba(X), expected.predict_proba(X))
    assert [sorted(params) for params in Search.seen] == [["groups", "sample_weight"]] * 2
    for params, n in zip(Search.seen, (12, 22), strict=True):
        equal(params["groups"], groups[:n])
        equal(params["sample_weight"], weight[:n])
    assert tuner.best_params == {"found": 22}


def test_groups_make_the_folds():
    search = GridSearchCV(GaussianNB(), GRID, cv=GroupKFold(3))
    tuner, groups = tuner_of(search, every=10), np.arange(150) // 3 % 4
    tuned = [n for n in (12, 15, 24) if taught(tuner, n, groups=groups[:n])]
    assert tuned == [12, 24]
    expected = clone(search).fit(X[:24], Y[:24], groups=groups[:24])
    assert tuner.best_params == expected.best_params_


# The learner after a search ---------------------------------------------------------------------


def test_after_a_search_the_learner_is_one_of_the_model_found():
    tuner = tuner_of(GridSearchCV(GaussianNB(), GRID, cv=3), every=5)
    for n, tuned in ((12, True), (14, False), (20, True)):
        assert taught(tuner, n) is tuned
        learner = tuner.learner
        assert type(learner.estimator) is type(learner.estimator_) is GaussianNB
        assert learner.estimator is tuner.best
        assert learner.estimator_.get_params() == tuner.best.get_params()
        assert isinstance(tuner.search, GridSearchCV)
        assert not hasattr(tuner.search, "best_params_")


def test_the_model_after_a_search_is_the_one_that_it_refitted(counting):
    tuner = tuner_of(GridSearchCV(counting(), GRID, cv=3))
    taught(tuner, 12)
    assert counting.fits == 7  # and none on top
    expected = best_of(12).best_estimator_
    equal(tuner.learner.predict_proba(X), expected.predict_proba(X))


def test_queries_that_imagine_labels_refit_the_best_and_do_not_search(counting):
    search = GridSearchCV(counting(), GRID, cv=3)
    tuner = tuner_of(search, every=1000, strategy=ExpectedErrorReduction())
    taught(tuner, 15)
    left = X[100:105]
    fits = counting.fits
    chosen = tuner.learner.query(left)
    assert counting.fits - fits == 5 * 3  # rows by labels
    plain = ActiveLearner(GaussianNB(**tuner.best_params), ExpectedErrorReduction(), random_state=0)
    equal(chosen, plain.fit(X[:15], Y[:15]).query(left))
