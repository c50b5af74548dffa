"""From labels to a fitted model: codes, classes that wait, and labels as people have them."""

import datetime
import enum
import pickle
import warnings
from copy import deepcopy
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import skorch
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC, NuSVC

from skactive import ActiveLearner, SimulatedLearner
from skactive.comparison import compare_strategies
from skactive.exceptions import (
    SkactiveWarning,
    TeachValueError,
    TiedScoresWarning,
    WaitingClassesWarning,
)
from skactive.labeling import LabelingSession
from skactive.strategies import GALAXY, ClassBalanced, ExpectedErrorReduction, Margin, Random

X, Y = make_classification(200, 6, n_informative=5, n_redundant=0, n_classes=3, random_state=0)
TEXTS = np.array(["cat", "ant", "bee"])[Y]
FIRST = np.concatenate([np.flatnonzero(label == Y)[:8] for label in range(3)])  # 8 rows a class

equal = np.testing.assert_array_equal


# Models that return something else ---------------------------------------------------------------


class NoReturn(LogisticRegression):
    """Returns None, as home-made models do."""

    def fit(self, X, y):
        super().fit(X, y)


class Historian(SGDClassifier):
    """Returns a history, as nets do."""

    def fit(self, X, y):
        super().fit(X, y)
        return {"loss": [1.0]}

    def partial_fit(self, X, y, classes=None):
        super().partial_fit(X, y, classes=classes)
        return {"loss": [1.0]}


@pytest.mark.parametrize(
    ("model", "incremental"),
    [(NoReturn(), False), (Historian("log_loss"), False), (Historian("log_loss"), True)],
)
def test_the_model_is_the_object_that_was_fitted(model, incremental):
    learner = ActiveLearner(model, Margin(), incremental=incremental, random_state=0)
    learner.fit(X[FIRST], Y[FIRST]).teach(X[:20], Y[:20])
    assert type(learner.estimator_) is type(model)
    assert learner.score(X, Y) > 0.4
    assert len(learner.query(X, 3)) == 3


def test_a_campaign_of_a_model_that_returns_none_has_its_models():
    simulation = SimulatedLearner(ActiveLearner(NoReturn()), budget=30, random_state=0).fit(X, Y)
    assert all(isinstance(model, NoReturn) for model in simulation.estimators_)


class Copying(ClassifierMixin, BaseEstimator):
    """Stays as it is, and returns a fitted copy of itself."""

    def fit(self, X, y):
        fitted = type(self)()
        fitted.inner_ = LogisticRegression().fit(X, y)
        fitted.classes_ = fitted.inner_.classes_
        return fitted

    def predict(self, X):
        return self.inner_.predict(X)

    def predict_proba(self, X):
        return self.inner_.predict_proba(X)


class Factory(BaseEstimator):
    """Returns a model of another class."""

    def fit(self, X, y):
        return LogisticRegression().fit(X, y)


class Outer(LogisticRegression):
    """Returns a model in it, which was fitted to other rows."""

    def fit(self, X, y):
        super().fit(X, y)
        return LogisticRegression().fit(X[:, :1], y)


@pytest.mark.parametrize(
    ("model", "kind"),
    [(Copying(), Copying), (Factory(), LogisticRegression), (Outer(), Outer)],
    ids=["a copy", "another class", "a part"],
)
def test_what_fit_returns_is_the_model_only_if_the_model_is_left_as_it_was(model, kind):
    plain = ActiveLearner(LogisticRegression(), Margin(), random_state=0).fit(X[FIRST], Y[FIRST])
    learner = ActiveLearner(model, Margin(), random_state=0).fit(X[FIRST], Y[FIRST])
    assert type(learner.estimator_) is kind
    equal(learner.predict(X), plain.predict(X))
    equal(learner.query(X, 3), plain.query(X, 3))


# Models that take codes only ---------------------------------------------------------------------


class CodesOnly(ClassifierMixin, BaseEstimator):
    """Takes the labels 0 .. n_classes - 1 without gaps, and nothing else."""

    def fit(self, X, y):
        if not np.array_equal(np.unique(y), np.arange(len(np.unique(y)))):
            raise ValueError("labels must be 0 .. n_classes - 1")
        self.model_ = LogisticRegression().fit(X, y)
        self.classes_ = self.model_.classes_
        self.importance_ = 7
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


@pytest.mark.parametrize(
    "names",
    [np.array(["cat", "ant", "bee"]), np.array([5, 9, 2]), np.array([-1, 1, 0]), [True, False]],
    ids=["texts", "gaps", "negative", "truth values"],
)
def test_labels_are_encoded_for_a_model_that_takes_codes_only_and_decoded(names):
    y = np.asarray(names)[Y % len(names)]
    learner = ActiveLearner(CodesOnly(), Margin(), classes=np.unique(y), random_state=0)
    plain = ActiveLearner(LogisticRegression(), Margin(), classes=np.unique(y), random_state=0)
    learner.fit(X[FIRST], y[FIRST])
    plain.fit(X[FIRST], y[FIRST])
    equal(learner.predict(X), plain.predict(X))
    equal(learner.classes_, plain.classes_)
    equal(learner.predict_proba(X), plain.predict_proba(X))
    assert learner.score(X, y) == plain.score(X, y)
    equal(learner.query(X, 5), plain.query(X, 5))
    assert learner.estimator_.importance_ == 7


def test_classes_that_come_later_get_a_code():
    two = FIRST[Y[FIRST] != 0]
    learner = ActiveLearner(CodesOnly(), Margin(), random_state=0).fit(X[two], TEXTS[two])
    equal(learner.classes_, ["ant", "bee"])
    learner.teach(X[FIRST], TEXTS[FIRST])
    equal(learner.classes_, ["ant", "bee", "cat"])
    assert "cat" in learner.predict(X)


def test_a_search_over_a_model_of_codes_keeps_its_best_parameters():
    search = GridSearchCV(CodesOnly(), {}, cv=2)
    learner = ActiveLearner(search, Margin(), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        learner.fit(X[FIRST], TEXTS[FIRST])
    assert learner.estimator_.best_params_ == {}
    assert set(learner.predict(X)) <= set(TEXTS)


def test_imagined_labels_are_encoded_too():
    learner = ActiveLearner(CodesOnly(), ExpectedErrorReduction(), random_state=0)
    plain = ActiveLearner(LogisticRegression(), ExpectedErrorReduction(), random_state=0)
    picks = [model.fit(X[FIRST], TEXTS[FIRST]).query(X[100:120], 3) for model in (learner, plain)]
    equal(*picks)


def test_codes_do_not_hide_what_is_wrong_with_the_labels():
    with pytest.raises(ValueError, match="continuous"):
        ActiveLearner(LogisticRegression()).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="could not convert string"):
        ActiveLearner(LinearRegression(), Random()).fit(X, TEXTS)


@pytest.mark.parametrize(
    "names",
    [
        np.array([b"x", b"y", b"z"]),
        np.array([datetime.date(2020 + year, 1, 1) for year in range(3)]),
        np.array([Decimal(1), Decimal(3), Decimal(5)]),
        np.array(["2020", "2021", "2022"], dtype="M8[Y]"),
        np.array([5, 7, 9], dtype=object),
        np.array([False, True], dtype=object),
    ],
    ids=["bytes", "dates", "decimals", "datetimes", "objects of int", "objects of bool"],
)
@pytest.mark.parametrize("model", [LogisticRegression(), CodesOnly()], ids=["plain", "codes"])
def test_labels_of_types_that_models_do_not_take_are_encoded_and_decoded(model, names):
    codes = Y % len(names)
    y = names[codes]
    plain = ActiveLearner(LogisticRegression(), Margin(), random_state=0)
    plain.fit(X[FIRST], codes[FIRST])
    learner = ActiveLearner(model, Margin(), random_state=0)
    one = FIRST[codes[FIRST] == 0][:2]
    with pytest.warns(WaitingClassesWarning):
        learner.fit(X[one], y[one])
    equal(learner.predict(X), names[np.zeros(200, dtype=int)])
    learner.fit(X[FIRST], y[FIRST])
    predicted = learner.predict(X)
    equal(predicted, names[plain.predict(X)])
    assert type(predicted.tolist()[0]) is type(names.tolist()[0])  # True and no 1
    equal(learner.query(X, 4), plain.query(X, 4))


def test_objects_without_an_order_are_an_error_whose_advice_works():
    class Color(enum.Enum):
        RED, BLUE = 1, 2

    y = [list(Color)[label % 2] for label in Y]
    learner = ActiveLearner(LogisticRegression())
    with pytest.raises(ValueError, match="objects of type Color, which have no order"):
        learner.fit(X, y)
    equal(learner.fit(X, [color.name for color in y]).classes_, ["BLUE", "RED"])


def test_a_model_of_codes_is_an_estimator_like_others():
    encoded = ActiveLearner(CodesOnly(), Margin()).fit(X[FIRST], TEXTS[FIRST]).estimator_
    for copy in (pickle.loads(pickle.dumps(encoded)), deepcopy(encoded)):
        equal(copy.predict(X), encoded.predict(X))
    names = np.array(["x", "a"])[Y % 2]  # a clone forgets the labels
    assert clone(encoded).fit(X, names).score(X, names) > 0.7
    learner = ActiveLearner(encoded, Margin(), prefit=True, random_state=0)
    learner.fit(X[FIRST], TEXTS[FIRST]).teach(X[:2], ["dog", "dog"])
    equal(learner.classes_, ["ant", "bee", "cat", "dog"])


def test_labels_of_validation_rows_are_encoded_like_those_to_learn_from():
    xgboost = pytest.importorskip("xgboost")
    model = xgboost.XGBClassifier(n_estimators=5, n_jobs=1, early_stopping_rounds=2, verbosity=0)
    rest = np.setdiff1d(np.arange(200), FIRST)
    losses = []
    for y in (Y, np.array(["a", "b", "c"])[Y]):
        learner = ActiveLearner(model, Margin(), random_state=0)
        learner.fit(X[FIRST], y[FIRST], eval_set=[(X[rest], y[rest])], verbose=False)
        losses.append(learner.estimator_.evals_result()["validation_0"]["mlogloss"])
    equal(*losses)
    two = FIRST[Y[FIRST] > 0]  # validation rows of a class without labels cannot be judged
    learner.fit(X[two], y[two], eval_set=[(X[rest], y[rest])], verbose=False)
    only = rest[Y[rest] > 0]
    plain = ActiveLearner(model, Margin(), random_state=0)
    plain.fit(X[two], Y[two] - 1, eval_set=[(X[only], Y[only] - 1)], verbose=False)
    equal(*(each.estimator_.evals_result()["validation_0"]["logloss"] for each in (learner, plain)))


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(6, 3)

    def forward(self, x):
        return self.linear(x.float())


def make_net():
    return skorch.NeuralNetClassifier(
        Net,
        criterion=torch.nn.CrossEntropyLoss,
        max_epochs=40,
        lr=0.1,
        verbose=0,
        train_split=None,
    )


@pytest.mark.parametrize(("y", "classes"), [(TEXTS, ["ant", "bee", "cat"]), (Y + 1, [1, 2, 3])])
@pytest.mark.parametrize("incremental", [False, True])
def test_a_net_has_one_output_per_declared_class_whatever_their_names(y, classes, incremental):
    two = FIRST[y[FIRST] != classes[1]]  # the second class has no label yet
    learner = ActiveLearner(
        make_net(), Margin(), classes=classes, incremental=incremental, random_state=0
    )
    learner.fit(X[two], y[two])
    equal(learner.classes_, classes)
    assert classes[1] not in learner.predict(X[two])
    learner.teach(X[FIRST], y[FIRST])
    assert learner.score(X[FIRST], y[FIRST]) > 0.5
    assert len(learner.query(X, 2)) == 2


@pytest.mark.parametrize(
    "names", [["no", "yes"], [False, True], [0, 1], [-1, 1], [0.0, 1.0]], ids=str
)
def test_a_net_of_one_output_unit_takes_any_two_classes(names):
    class Unit(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(6, 1)

        def forward(self, x):
            return self.linear(x.float()).squeeze(-1)

    net = skorch.NeuralNetBinaryClassifier(Unit, lr=0.1, verbose=0, train_split=None)
    plain = ActiveLearner(net, Margin(), random_state=0).fit(X[FIRST], (Y[FIRST] > 0) * 1.0)
    y = np.array(names)[(Y > 0).astype(int)]
    one = FIRST[Y[FIRST] == 0]
    learner = ActiveLearner(net, Margin(), classes=names, random_state=0).fit(X[one], y[one])
    assert set(learner.predict(X[one]).tolist()) == {names[0]}
    learner.fit(X[FIRST], y[FIRST])
    equal(learner.predict(X), np.array(names)[plain.predict(X)])
    equal(learner.query(X, 2), plain.query(X, 2))


# Classes that wait --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        SVC(),
        LinearSVC(),
        HistGradientBoostingClassifier(max_iter=2),
        CalibratedClassifierCV(LogisticRegression(), cv=2),
        make_pipeline(StandardScaler(), LogisticRegression()),
        CodesOnly(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_labels_of_one_class_are_kept_and_rows_are_chosen_until_there_are_two(model):
    one = np.flatnonzero(Y == 1)[:6]
    learner = ActiveLearner(model, Margin(), random_state=0)
    with pytest.warns(WaitingClassesWarning, match="cannot be fitted yet"):
        learner.fit(X[one], Y[one])
    equal(learner.y_labeled_, Y[one])
    equal(learner.waiting_classes_, [1])
    assert not hasattr(learner, "estimator_")
    equal(learner.predict(X), np.ones(200))  # the only class that is known
    rest = np.setdiff1d(np.arange(200), one)
    assert len(set(learner.query(X[rest], 5).tolist())) == 5
    rows = np.setdiff1d(FIRST, one)
    learner.teach(X[rows], Y[rows])
    assert len(learner.y_labeled_) == len(one) + len(rows)
    assert len(learner.waiting_classes_) == 0
    assert learner.score(X[FIRST], Y[FIRST]) > 0.3


@pytest.mark.parametrize(
    ("model", "n"),
    [
        (QuadraticDiscriminantAnalysis(), 1),
        (QuadraticDiscriminantAnalysis(), 2),
        (NuSVC(nu=0.1), 1),
        (AdaBoostClassifier(LogisticRegression(), n_estimators=2), 3),
        (LogisticRegression(class_weight={0: 1.0, 1: 2.0, 2: 1.0}), 1),
        (make_pipeline(StandardScaler(), LinearSVC(class_weight={0: 1.0, 1: 2.0, 2: 1.0})), 2),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("as_frame", [False, True], ids=["array", "frame"])
def test_models_that_need_rows_that_differ_wait_too(model, n, as_frame):
    rows = pd.DataFrame(X) if as_frame else X
    one = np.flatnonzero(Y == 1)[:n]
    learner = ActiveLearner(model, Margin(), random_state=0)
    with pytest.warns(WaitingClassesWarning):
        learner.fit(rows.iloc[one] if as_frame else rows[one], Y[one])
    assert len(learner.query(rows, 2)) == 2
    rest = np.setdiff1d(np.arange(80), one)
    learner.teach(rows.iloc[rest] if as_frame else rows[rest], Y[rest])
    equal(learner.classes_, [0, 1, 2])


def test_variances_of_one_row_wait_for_more():
    for incremental in (False, True):
        learner = ActiveLearner(GaussianNB(), Margin(), incremental=incremental, random_state=0)
        with pytest.warns(WaitingClassesWarning, match="not numbers"):
            learner.fit(X[:1], Y[:1])
        assert len(learner.query(X, 2)) == 2
        equal(learner.teach(X[FIRST], Y[FIRST]).classes_, [0, 1, 2])


@pytest.mark.parametrize("names", [np.arange(6), np.array(list("abcdef"))], ids=["ints", "texts"])
def test_rows_wait_until_there_are_groups_enough(names):
    search = GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, cv=GroupKFold(3))
    for n in (1, 10):
        learner = ActiveLearner(search, Margin(), random_state=0)
        with pytest.warns(WaitingClassesWarning):
            learner.fit(X[:n], Y[:n], groups=names[np.arange(n) % 2])
        learner.teach(X[n:60], Y[n:60], groups=names[np.arange(n, 60) % 6])
        assert len(learner.waiting_classes_) == 0
        assert len(learner.query(X, 2)) == 2


def test_several_labels_per_row_wait_until_each_has_two_values():
    y = np.column_stack([Y > 0, Y > 1]).astype(int)
    learner = ActiveLearner(MultiOutputClassifier(LogisticRegression()), Random(), random_state=0)
    with pytest.warns(WaitingClassesWarning, match="so few labels"):
        learner.fit(X[Y == 2][:3], y[Y == 2][:3])
    with pytest.raises(NotFittedError):
        learner.predict(X)
    assert len(learner.query(X, 2)) == 2
    assert learner.teach(X[:40], y[:40]).predict(X).shape == (200, 2)
    assert len(learner.y_labeled_) == 43


def test_what_one_class_does_not_give_is_an_error_that_names_the_reason():
    learner = ActiveLearner(LogisticRegression(), Margin(), random_state=0)
    with pytest.warns(WaitingClassesWarning):
        learner.fit(X[:1], Y[:1])
    for method in (learner.score_pool, learner.decision_function):
        with pytest.raises(NotFittedError, match="LogisticRegression cannot be fitted yet"):
            method(X)
    equal(learner.predict_proba(X), np.ones((200, 1)))
    assert learner.score(X, Y) == (Y[0] == Y).mean()
    with pytest.warns(WaitingClassesWarning):
        pipeline = make_pipeline(StandardScaler(), learner).fit(X[:1], Y[:1])
    equal(pipeline.predict(X), learner.predict(X))


def test_one_class_is_predicted_for_rows_in_any_container():
    learner = ActiveLearner(LogisticRegression(), Random())
    with pytest.warns(WaitingClassesWarning):
        learner.fit(X[:2], ["a", "a"])
    assert learner.predict({"left": X[:7], "right": X[:7]}).tolist() == ["a"] * 7


def test_a_fit_that_succeeds_is_the_only_one_and_trials_are_small():
    sizes = []

    class Counting(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            sizes.append(len(y))
            if np.unique(y, return_counts=True)[1].min() < 5:
                raise ValueError("too few")
            return super().fit(X, y)

    X_many, y_many = np.tile(X, (3, 1)), np.tile(Y, 3)
    learner = ActiveLearner(Counting(), Margin(), random_state=0).fit(X_many, y_many)
    assert sizes == [600]
    rows = np.append(np.flatnonzero(y_many < 2), np.flatnonzero(y_many == 2)[:1])
    with pytest.warns(WaitingClassesWarning):
        learner.fit(X_many[rows], y_many[rows])
    n = len(rows)
    assert sizes[1:] == [n, n - 1, 90]  # all rows, the larger classes, 30 rows of each class


def test_a_bad_row_beyond_those_of_the_trial_is_an_error():
    model = CalibratedClassifierCV(LinearSVC(), cv=5)
    rows = np.append(np.flatnonzero(Y < 2), np.flatnonzero(Y == 2)[:1])
    for bad_row in (len(rows) - 2, len(rows) - 1):
        bad = X[rows].copy()
        bad[bad_row, 0] = np.nan
        learner = ActiveLearner(model, Margin())
        with pytest.raises(ValueError, match="5-fold"):  # as no number of rows would mend it
            learner.fit(bad, Y[rows])
        assert not hasattr(learner, "y_labeled_")


def test_rows_chosen_without_a_model_are_unlike_those_labeled_before():
    blobs = np.repeat([[0.0, 0.0], [9.0, 9.0]], 20, axis=0) + np.random.RandomState(0).normal(
        size=(40, 2)
    )
    learner = ActiveLearner(LogisticRegression(), Margin(), random_state=0)
    with pytest.warns(WaitingClassesWarning):
        learner.fit(blobs[:10], np.zeros(10, dtype=int))
    assert learner.query(blobs[10:], 1)[0] >= 10  # in the other blob


@pytest.mark.parametrize(
    "model",
    [
        CalibratedClassifierCV(LinearSVC(), cv=3),
        SGDClassifier(loss="log_loss", early_stopping=True),
        QuadraticDiscriminantAnalysis(),
        GridSearchCV(CalibratedClassifierCV(LogisticRegression(), cv=3), {}, cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_new_class_of_one_row_waits_for_more(model):
    two = np.concatenate([np.flatnonzero(label == Y)[:30] for label in (0, 1)])
    new = np.flatnonzero(Y == 2)
    learner = ActiveLearner(model, Margin(), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        learner.fit(X[two], TEXTS[two])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        learner.teach(X[new[:1]], TEXTS[new[:1]])
    (warning,) = (w for w in caught if issubclass(w.category, WaitingClassesWarning))
    assert "is fitted without the classes that have too few labels: 'bee'" in str(warning.message)
    equal(learner.classes_, ["ant", "cat"])
    equal(learner.waiting_classes_, ["bee"])
    assert len(learner.y_labeled_) == 61
    for strategy in (Margin(), ClassBalanced(Margin()), GALAXY(), Random()):
        assert len(learner.set_params(strategy=strategy).query(X[new[1:]], 2)) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        learner.teach(X[new[1:20]], TEXTS[new[1:20]])
    equal(learner.classes_, ["ant", "bee", "cat"])
    assert len(learner.waiting_classes_) == 0


def test_smaller_classes_wait_first():
    counts = {0: 1, 1: 4, 2: 8}
    rows = np.concatenate([np.flatnonzero(label == Y)[:n] for label, n in counts.items()])
    learner = ActiveLearner(CalibratedClassifierCV(LinearSVC(), cv=4), Margin(), random_state=0)
    with pytest.warns(WaitingClassesWarning, match="without the classes .*: 0 "):
        learner.fit(X[rows], Y[rows])
    equal(learner.classes_, [1, 2])


def test_weights_stay_with_their_rows_when_some_wait():
    seen = []

    class Weighing(LogisticRegression):
        def fit(self, X, y, sample_weight):
            if np.unique(y, return_counts=True)[1].min() < 2:
                raise ValueError("too few")
            seen.append((X, sample_weight))
            return super().fit(X, y, sample_weight)

    rows = np.append(FIRST[Y[FIRST] != 2], np.flatnonzero(Y == 2)[:1])
    with pytest.warns(WaitingClassesWarning):
        ActiveLearner(Weighing(), Margin()).fit(X[rows], Y[rows], sample_weight=X[rows, 0] ** 2)
    for fitted_rows, weights in seen:
        equal(weights, fitted_rows[:, 0] ** 2)


@pytest.mark.parametrize("model", [KNeighborsClassifier(5), KNeighborsRegressor(5)])
def test_a_model_that_cannot_predict_from_so_few_rows_waits_too(model):
    learner = ActiveLearner(model, Random(), random_state=0)
    with pytest.warns(WaitingClassesWarning, match="n_neighbors"):
        learner.fit(X[:3], Y[:3])
    assert len(learner.query(X, 2)) == 2
    assert learner.teach(X[3:9], Y[3:9]).predict(X).shape == (200,)


def test_a_covariance_waits_for_rows_of_two_classes():
    one = np.flatnonzero(Y == 1)[:4]
    learner = ActiveLearner(QuadraticDiscriminantAnalysis(), Margin(), random_state=0)
    with pytest.warns(WaitingClassesWarning):
        learner.fit(X[one], Y[one])
    assert len(learner.query(X, 2)) == 2


def test_what_more_rows_do_not_mend_is_the_models_error():
    bad = X.copy()
    bad[3, 0] = np.nan
    for rows in (slice(0, 40), Y == 1):
        with pytest.raises(ValueError, match="NaN"):
            ActiveLearner(LogisticRegression(), Margin()).fit(bad[rows], Y[rows])
    learner = ActiveLearner(LogisticRegression(), Margin()).fit(X[FIRST], Y[FIRST])
    with pytest.raises(TeachValueError, match="NaN"):
        learner.teach(bad[:10], Y[:10])
    assert len(learner.y_labeled_) == len(FIRST)


def test_a_model_that_is_fine_with_one_class_is_fitted_to_it():
    one = np.flatnonzero(Y == 1)[:6]
    learner = ActiveLearner(RandomForestClassifier(5), Margin(), random_state=0)
    learner.fit(X[one], Y[one])
    equal(learner.classes_, [1])
    with pytest.warns(TiedScoresWarning):
        learner.query(X, 2)


def test_an_incremental_learner_waits_for_a_second_class():
    one = np.flatnonzero(Y == 1)[:3]
    learner = ActiveLearner(SGDClassifier(loss="log_loss"), Margin(), incremental=True)
    with pytest.warns(WaitingClassesWarning):
        learner.fit(X[one], Y[one])
    learner.teach(X[FIRST], Y[FIRST])
    equal(learner.classes_, [0, 1, 2])
    assert len(learner.y_labeled_) == len(one) + len(FIRST)


def test_a_fit_forgets_a_model_that_the_new_labels_do_not_give():
    learner = ActiveLearner(LogisticRegression(), Margin()).fit(X[FIRST], Y[FIRST])
    with pytest.warns(WaitingClassesWarning):
        learner.fit(X[:2], [1, 1])
    assert not hasattr(learner, "estimator_")


def test_without_a_model_for_two_classes_nothing_is_predicted():
    learner = ActiveLearner(CalibratedClassifierCV(LinearSVC(), cv=5), Margin())
    with pytest.warns(WaitingClassesWarning):
        learner.fit(X[:6], Y[:6])
    with pytest.raises(NotFittedError, match="labels of 0, 1, 2 are kept"):
        learner.predict(X)


@pytest.mark.parametrize("seed", range(10))
def test_campaigns_of_a_model_that_needs_five_rows_of_each_class_run_through(seed):
    model = CalibratedClassifierCV(LinearSVC(), cv=5)
    simulation = SimulatedLearner(ActiveLearner(model, Margin()), budget=40, random_state=seed)
    simulation.fit(X, Y)
    assert simulation.n_labels_[-1] == 40
    assert len(set(simulation.queried_.tolist())) == 40
    assert len(simulation.estimators_) == len(simulation.n_labels_)
    waiting = [record.get("waiting_classes", []) for record in simulation.history_]
    known = [set(model.classes_) for model in simulation.estimators_]
    for classes, left_out, n in zip(known, waiting, simulation.n_labels_, strict=True):
        assert classes | set(left_out) == set(Y[simulation.queried_[:n]])


def test_a_budget_that_gives_no_model_is_an_error_that_says_so():
    model = CalibratedClassifierCV(LinearSVC(), cv=20)
    with pytest.raises(ValueError, match="budget of 30 labels is spent before there is a model"):
        SimulatedLearner(ActiveLearner(model, Margin()), budget=30, random_state=0).fit(X, Y)


def test_strategies_are_compared_from_the_first_model_on():
    comparison = compare_strategies(
        CalibratedClassifierCV(LinearSVC(), cv=5),
        {"Margin": Margin(), "Random": Random()},
        X,
        Y,
        budget=40,
        cv=2,
        random_state=0,
    )
    assert not comparison.failures
    starts = [run.n_labels[0] for run in comparison.runs]
    assert starts[: len(starts) // 2] == starts[len(starts) // 2 :]  # the same for both


def test_a_session_goes_on_while_classes_wait(tmp_path):
    learner = ActiveLearner(CalibratedClassifierCV(LinearSVC(), cv=5), Margin(), random_state=0)
    store = tmp_path / "labels.db"
    session = LabelingSession(learner, X, store=store, random_state=0, background=False)
    asked = []
    with session, warnings.catch_warnings():
        warnings.simplefilter("ignore", WaitingClassesWarning)
        for _ in range(40):
            (row,) = session.next_batch(1).ids
            asked.append(row)
            session.submit({row: int(Y[row])})
        assert session.predict(X).shape == (200,)
    assert len(set(asked)) == 40


# Labels as people have them -----------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize(
    "column",
    [
        TEXTS[:, None],
        pd.DataFrame({"label": TEXTS}),
        pd.Series(TEXTS),
        TEXTS.tolist(),
        [[label] for label in TEXTS],
        pd.Series(pd.Categorical(TEXTS)),
    ],
    ids=["column", "frame", "series", "list", "list of lists", "categories"],
)
def test_a_column_of_labels_is_a_vector_of_labels(column):
    def take(rows):
        return column.iloc[rows] if hasattr(column, "iloc") else [column[row] for row in rows]

    for strategy in (GALAXY(), ClassBalanced(Margin()), ExpectedErrorReduction()):
        learner = ActiveLearner(QuadraticDiscriminantAnalysis(), strategy, random_state=0)
        plain = clone(learner)
        plain.fit(X[FIRST], TEXTS[FIRST]).teach(X[:5], TEXTS[:5])
        learner.fit(X[FIRST], take(FIRST)).teach(X[:5], take(range(5)))
        equal(learner.y_labeled_, plain.y_labeled_)
        equal(learner.query(X[50:60], 3), plain.query(X[50:60], 3))


@pytest.mark.parametrize(
    "y",
    [
        np.where(np.arange(200) < 50, Y, np.nan),
        [int(label) if row < 50 else None for row, label in enumerate(Y)],
        [label if row < 50 else None for row, label in enumerate(TEXTS)],
        pd.array(np.where(np.arange(200) < 50, Y, None), dtype="Int64"),
        pd.Series(TEXTS).where(np.arange(200) < 50),
        pd.Series(pd.Categorical(pd.Series(TEXTS).where(np.arange(200) < 50))),
    ],
    ids=["NaN", "None", "None among texts", "NA", "series", "categories"],
)
def test_missing_labels_are_an_error_whose_advice_works(y):
    learner = ActiveLearner(LogisticRegression(), Margin())
    with pytest.raises(ValueError, match="150 of 200 labels are missing"):
        learner.fit(X, y)
    with pytest.raises(ValueError, match=r"The label of row \d+ is missing"):
        SimulatedLearner(learner, budget=20).fit(X, y)
    known = ~pd.isna(y)
    learner.fit(X[known], np.asarray(y)[known].tolist())
    with pytest.raises(TeachValueError, match="missing"):
        learner.teach(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
def test_masked_labels_are_missing_and_sparse_ones_are_a_column():
    learner = ActiveLearner(LogisticRegression(), Margin(), random_state=0)
    y = np.ma.array(Y, mask=np.arange(200) >= 50)
    for fit in (learner.fit, SimulatedLearner(learner, budget=20).fit):
        with pytest.raises(ValueError, match="150 of 200 labels are masked"):
            fit(X, y)
    known = ~np.ma.getmaskarray(y)
    equal(learner.fit(X[known], y[known]).y_labeled_, Y[:50])
    column = sp.csr_matrix(Y[:, None])
    runs = [SimulatedLearner(learner, budget=20, random_state=0).fit(X, y) for y in (Y, column)]
    equal(*(run.queried_ for run in runs))


def test_minus_one_beside_counts_is_learnt_as_a_class_with_one_warning():
    y = np.where(np.arange(200) < 50, Y, -1)
    learner = ActiveLearner(LogisticRegression(), Margin())
    with pytest.warns(SkactiveWarning, match="150 of 200 labels are -1"):
        learner.fit(X, y)
    equal(learner.classes_, [-1, 0, 1, 2])
    learner.fit(X, y).teach(X, y)  # no second warning
    for others in (np.where(Y > 0, 1, -1), Y - 3.5, np.where(Y > 0, 1, -2)):
        ActiveLearner(LogisticRegression(), Margin()).fit(X, others.round().astype(int))
    ActiveLearner(LogisticRegression(), Margin(), classes=[-1, 0, 1, 2]).fit(X, y)


def test_numbers_and_texts_in_one_list_are_an_error():
    for y in (["a", 1, "b"], np.array(["a", 1, "b"], dtype=object)):
        with pytest.raises(ValueError, match="mixes texts and numbers"):
            ActiveLearner(LogisticRegression()).fit(X[:3], y)


def test_a_single_label_is_an_error_whose_advice_works():
    learner = ActiveLearner(LogisticRegression()).fit(X[:40], Y[:40])
    with pytest.raises(TeachValueError, match=r"pass X\[\[i\]\] and \[1\]"):
        learner.teach(X[40], np.int64(1))
    learner.teach(X[[40]], [1])
    assert len(learner.y_labeled_) == 41


def test_names_of_columns_that_are_as_many_as_the_rows_are_passed_as_they_are():
    class Named(LogisticRegression):
        def fit(self, X, y, names=None):
            self.names_ = names
            return super().fit(X, y)

    learner = ActiveLearner(Named(), Margin()).fit(X[:6], [0, 1, 0, 1, 0, 1], names=list("abcdef"))
    learner.teach(X[6:12], Y[6:12])
    assert learner.estimator_.names_ == list("abcdef")
    simulation = SimulatedLearner(ActiveLearner(Named()), budget=5, n_initial=4, random_state=0)
    simulation.fit(X[:6], [0, 1, 0, 1, 0, 1], names=list("abcdef"))
    assert simulation.estimators_[-1].names_ == list("abcdef")


def test_a_model_is_an_object_with_fit():
    with pytest.raises(TypeError, match="got 'lr' of type str"):
        ActiveLearner("lr").query(X, 2)
    with pytest.raises(TypeError, match=r"write LogisticRegression\(\)"):
        ActiveLearner(LogisticRegression).fit(X, Y)
