"""Which strategies a model can serve, by its tags, shape and methods; and advice that works."""

import re
import warnings

import numpy as np
import pytest
from home_made import HomeMade
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans as KMeansModel
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    BaggingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import RFE
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Perceptron,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, NuSVC, OneClassSVM
from sklearn.utils import get_tags

from skactive import ActiveLearner
from skactive._needs import can_start_cold, check_needs
from skactive.adapters import ModelAdapter, adapt
from skactive.exceptions import (
    CapabilityError,
    InvalidReadingError,
    TeachValueError,
    UnreadableModelError,
    WaitingClassesWarning,
)
from skactive.strategies import (
    BADGE,
    BALD,
    EPIG,
    IGS,
    Aggregate,
    Auto,
    Entropy,
    ExpectedErrorReduction,
    GSy,
    KCenterGreedy,
    Margin,
    Mixture,
    Random,
    Strategy,
)

X, Y = make_classification(
    90, 6, n_informative=5, n_redundant=0, n_classes=3, class_sep=2.0, random_state=0
)
START, POOL = slice(0, 60), slice(60, 90)
SEVERAL = np.column_stack([Y > 0, Y > 1, Y == 1]).astype(int)
quiet = pytest.mark.filterwarnings("ignore")


def fit(model, strategy, y=Y, **params):
    return ActiveLearner(model, strategy, random_state=0, **params).fit(X[START], y[START])


def run(model, strategy, y=Y, **params):
    """Query, teach and query again."""
    learner = fit(model, strategy, y, **params)
    picked = learner.query(X[POOL], 3)
    rows = np.arange(60, 90)[picked]
    assert len(learner.teach(X[rows], y[rows]).query(X[POOL], 2)) == 2
    return learner


def find_refusal(model, strategy, y=Y, **params):
    with pytest.raises(CapabilityError) as raised:
        fit(model, strategy, y, **params)
    return str(raised.value)


# The check itself -------------------------------------------------------------------------------


class Needing(Strategy):
    def select(self, pool, batch_size):
        return np.arange(batch_size)


def needing(*needs):
    strategy = Needing()
    strategy.needs = frozenset(needs)
    return strategy


class Provides(ModelAdapter):
    def __init__(self, *readings):
        super().__init__(Perceptron())
        self.readings = readings

    def provides(self, reading):
        return reading in self.readings


def test_needs_that_are_met_pass():
    check_needs(needing(), Provides(), refits=False)
    check_needs(needing("proba", "embedding"), Provides("embedding", "proba"), refits=False)
    check_needs(needing("proba|decision"), Provides("decision"), refits=False)
    check_needs(needing("proba|decision"), Provides("proba"), refits=False)
    check_needs(needing("fantasize"), Provides(), refits=True)
    check_needs(object(), Provides(), refits=False)  # a strategy without `needs`


@pytest.mark.parametrize(
    "need",
    ["proba", "proba|decision", "decision", "proba_samples", "joint_samples", "gradient_factors",
     "fantasize", "a_new_one"],
)  # fmt: skip
def test_a_need_that_is_not_met_names_strategy_reading_and_model(need):
    options = need.replace("|", " or ")
    words = f"^Needing needs {options}, which Perceptron does not provide here: .*\\.$"
    with pytest.raises(CapabilityError, match=words):
        check_needs(needing(need, "X"), Provides("X"), refits=False)


def test_only_strategies_that_need_no_model_start_cold():
    assert all(map(can_start_cold, (Random(), KCenterGreedy(), object(), needing("X"))))
    assert not any(map(can_start_cold, (Margin(), BALD(), needing("X", "proba"))))


def test_adapters_of_real_models_meet_the_needs_they_claim():
    forest = RandomForestClassifier(3).fit(X, Y)
    check_needs(EPIG(), adapt(forest), refits=False)
    with pytest.raises(CapabilityError, match="EPIG needs joint_samples"):
        check_needs(EPIG(), adapt(LogisticRegression()), refits=True)


# What a model is, by its tags -------------------------------------------------------------------


class Inheriting(LinearRegression):
    """A regressor that has inherited methods of classifiers, as skorch's has."""

    def predict_proba(self, X):
        return self.predict(X)

    decision_function = predict_proba


class Bare(ClassifierMixin, HomeMade):
    """A classifier by its mixin, but whose tags cannot be read without BaseEstimator."""


REGRESSORS = [
    Inheriting(),
    make_pipeline(StandardScaler(), Inheriting()),
    GridSearchCV(Inheriting(), {"fit_intercept": [True]}, cv=2),
    TransformedTargetRegressor(Inheriting()),
    FrozenEstimator(Inheriting().fit(X, Y)),
    SVR(),
    RandomForestRegressor(3),
]


@pytest.mark.parametrize("model", REGRESSORS, ids=lambda model: repr(model)[:30])
@pytest.mark.parametrize("strategy", [Entropy(), Margin(), BALD(), BADGE()], ids=repr)
def test_strategies_of_classes_refuse_regressors_and_recommend_what_works(model, strategy):
    words = find_refusal(model, strategy)
    assert "regressor" in words
    assert "Calibrated" not in words
    assert "Bagging" not in words
    assert re.findall(r"IGS|GSy|KCenterGreedy|Auto", words) == [
        "IGS",
        "GSy",
        "KCenterGreedy",
        "Auto",
    ]
    assert "Margin" not in words.removeprefix("Margin")


@pytest.mark.parametrize("model", REGRESSORS, ids=lambda model: repr(model)[:30])
@pytest.mark.parametrize("strategy", [IGS(), GSy(), KCenterGreedy(), Auto()], ids=repr)
@quiet
def test_what_is_recommended_for_regressors_works(model, strategy):
    run(model, strategy)


def test_the_default_covers_the_pool_for_a_regressor_with_probabilities():
    view = fit(Inheriting(), None)._make_view(X[POOL])
    assert not any(map(view.provides, ("proba", "decision", "gradient_factors")))
    picked = fit(Inheriting(), Auto()).query(X[POOL], 3)
    np.testing.assert_array_equal(picked, fit(LinearRegression(), Auto()).query(X[POOL], 3))


@pytest.mark.parametrize(
    "model",
    [IsolationForest(n_estimators=3), OneClassSVM(), KMeansModel(3), GaussianMixture(3)],
    ids=repr,
)
def test_models_that_are_no_classifiers_serve_strategies_of_rows_only(model):
    words = find_refusal(model, Margin())
    assert "no classifier" in words
    assert "KCenterGreedy" in words
    for strategy in (KCenterGreedy(), Random(), Auto()):
        run(model, strategy)


@pytest.mark.parametrize("model", [HomeMade(), Bare()], ids=["untagged", "bare"])
@pytest.mark.parametrize("strategy", [Margin(), BADGE(), ExpectedErrorReduction(n_targets=3)])
def test_home_made_classifiers_need_no_base_class(model, strategy):
    learner = run(model, strategy)
    assert learner.predict(X[POOL]).shape == (30,)
    assert learner.predict_proba(X[POOL]).shape == (30, 3)
    assert is_classifier(learner) == isinstance(model, Bare)


@pytest.mark.parametrize("strategy", [IGS(), GSy(), Mixture([("a", IGS()), ("b", Random())])])
@pytest.mark.parametrize(
    "model",
    [GaussianNB(), make_pipeline(StandardScaler(), LinearSVC()), HomeMade(),
     OutputCodeClassifier(LinearSVC())],
)  # fmt: skip
def test_greedy_sampling_refuses_classifiers_and_recommends_what_works(model, strategy):
    words = find_refusal(model, strategy)
    assert ("Margin" in words) != isinstance(model, OutputCodeClassifier)
    for other in (Margin(), KCenterGreedy(), Auto()):
        if type(other).__name__ in words:
            run(model, other)
    run(Ridge(), strategy)


# Several labels per row -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        OneVsRestClassifier(LogisticRegression()),
        OneVsRestClassifier(LinearSVC()),
        RidgeClassifier(),
        MLPClassifier((3,), max_iter=3),
        RandomForestClassifier(3),
        KNeighborsClassifier(),
        MultiOutputClassifier(GaussianNB()),
        ClassifierChain(LogisticRegression()),
        make_pipeline(StandardScaler(), RidgeClassifier()),
    ],
    ids=lambda model: repr(model)[:40],
)
@quiet
def test_several_labels_per_row_are_refused_at_fit_but_for_strategies_of_rows(model):
    for strategy in (Margin(), Auto(), None):
        words = find_refusal(model, strategy, SEVERAL)
        assert "one label per row" in words
        assert "(60, 3)" in words
        assert "KCenterGreedy" in words
        assert "Aggregate(Margin())" in words or isinstance(strategy, Margin)
        assert "query_elements" in words or not isinstance(strategy, Margin)
    run(model, Aggregate(Margin()), SEVERAL)
    for strategy in (KCenterGreedy(), Random()):
        run(model, strategy, SEVERAL)


@pytest.mark.parametrize(
    "strategy", [Entropy(), BALD(), EPIG(), BADGE(), ExpectedErrorReduction()], ids=repr
)
def test_every_reading_of_one_label_per_row_is_refused(strategy):
    assert "(60, 3)" in find_refusal(RandomForestClassifier(3), strategy, SEVERAL)


def test_the_tags_say_which_learners_take_several_labels():
    for strategy, takes in [(Margin(), False), (None, False), (Random(), True)]:
        tags = get_tags(ActiveLearner(RandomForestClassifier(), strategy))
        assert tags.target_tags.multi_output == tags.classifier_tags.multi_label == takes
    assert get_tags(ActiveLearner(RandomForestRegressor(), Auto())).target_tags.multi_output


def test_a_fitted_model_of_several_labels_is_refused_without_its_rows():
    model = RandomForestClassifier(3).fit(X, SEVERAL)
    learner = ActiveLearner(model, Margin(), prefit=True)
    with pytest.raises(CapabilityError, match="several labels per row"):
        learner.query(X[POOL], 2)


def test_several_numbers_per_row_and_a_column_of_labels_are_welcome():
    numbers = np.column_stack([X[:, 0], X[:, 1]])
    for strategy in (IGS(), Auto()):
        run(Ridge(), strategy, numbers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's, about the column
        run(GaussianNB(), Margin(), Y[:, np.newaxis])


# Advice that works ------------------------------------------------------------------------------


VOTERS = [("a", LogisticRegression()), ("b", GaussianNB())]
HARD = [("a", LinearSVC()), ("b", GaussianNB())]
SOFT = [("a", CalibratedClassifierCV(LinearSVC(), cv=3)), ("b", GaussianNB())]
SCALED = StandardScaler()
GRID = {"C": [0.5, 1.0]}


class Predicting(ClassifierMixin, BaseEstimator):
    """A classifier that only predicts."""

    def fit(self, X, y):
        self.inner_ = GaussianNB().fit(X, y)
        self.classes_ = self.inner_.classes_
        return self

    def predict(self, X):
        return self.inner_.predict(X)


def calibrate(model):
    return CalibratedClassifierCV(model, cv=3)


# Model, strategy, words of the advice, and models and strategies that take it.
ADVICE = [
    (LinearSVC(), Entropy(), r"CalibratedClassifierCV\(LinearSVC\(\), cv=3\).*Margin$",
     [(calibrate(LinearSVC()), Entropy()), (LinearSVC(), Margin())]),
    (RidgeClassifier(), BADGE(), r"CalibratedClassifierCV\(RidgeClassifier\(\), cv=3\).*Margin$",
     [(calibrate(RidgeClassifier()), BADGE()), (RidgeClassifier(), Margin())]),
    (Perceptron(), Entropy(), r"CalibratedClassifierCV\(Perceptron\(\), cv=3\).*Margin$",
     [(calibrate(Perceptron()), Entropy()), (Perceptron(), Margin())]),
    (SGDClassifier(), Entropy(), r'loss="log_loss".*CalibratedClassifierCV\(SGDClassifier',
     [(SGDClassifier(loss="log_loss"), Entropy()), (calibrate(SGDClassifier()), Entropy()),
      (SGDClassifier(), Margin())]),
    (SVC(), Entropy(), r"CalibratedClassifierCV\(SVC\(\), cv=3\).*Margin$",
     [(calibrate(SVC()), Entropy()), (SVC(), Margin())]),
    (SVC(decision_function_shape="ovo"), Margin(), r'decision_function_shape="ovr"$',
     [(SVC(decision_function_shape="ovr"), Margin())]),
    (SVC(decision_function_shape="ovo"), Entropy(), r'Calibrated.*Margin with .*shape="ovr"$',
     [(calibrate(SVC(decision_function_shape="ovo")), Entropy()), (SVC(), Margin())]),
    (NuSVC(nu=0.2, decision_function_shape="ovo"), Margin(), r'decision_function_shape="ovr"$',
     [(NuSVC(nu=0.2), Margin())]),
    (RFE(SVC(kernel="linear", decision_function_shape="ovo")), Margin(), r'shape="ovr"$',
     [(RFE(SVC(kernel="linear")), Margin())]),
    (StackingClassifier(VOTERS, SVC(decision_function_shape="ovo"), cv=2), Margin(), 'ovr"$',
     [(StackingClassifier(VOTERS, SVC(), cv=2), Margin())]),
    (VotingClassifier(VOTERS), Margin(), r'set voting="soft"$',
     [(VotingClassifier(VOTERS, voting="soft"), Margin())]),
    (VotingClassifier(HARD), Margin(), r'voting="soft" and wrap LinearSVC in Calibrated',
     [(VotingClassifier(SOFT, voting="soft"), Margin())]),
    (VotingClassifier(HARD, voting="soft"), Margin(), r"Wrap LinearSVC in Calibrated",
     [(VotingClassifier(SOFT, voting="soft"), Margin())]),
    (GaussianProcessClassifier(multi_class="one_vs_one"), Margin(), r'multi_class="one_vs_rest"$',
     [(GaussianProcessClassifier(multi_class="one_vs_rest"), Margin())]),
    (GaussianProcessClassifier(multi_class="one_vs_one"), BALD(), r'multi_class="one_vs_rest"$',
     [(GaussianProcessClassifier(multi_class="one_vs_rest"), BALD())]),
    (GaussianProcessClassifier(), EPIG(), r"BaggingClassifier\(GaussianProcessClassifier\(\)\)",
     [(BaggingClassifier(GaussianProcessClassifier(), 3), EPIG())]),
    (GridSearchCV(LogisticRegression(), GRID, refit=False, cv=2), Margin(), r"refit=True of the G",
     [(GridSearchCV(LogisticRegression(), GRID, refit=True, cv=2), Margin())]),
    (GridSearchCV(make_pipeline(SCALED, SVC()), {"svc__C": [1, 2]}, refit=False, cv=2), BALD(),
     r"refit=True", [(GridSearchCV(make_pipeline(SCALED, LogisticRegression()), {
         "logisticregression__C": [1, 2]}, cv=2), Margin())]),
    (make_pipeline(SCALED, LinearSVC()), Entropy(), r"LinearSVC in Pipeline.*inside the Pipeline",
     [(make_pipeline(SCALED, calibrate(LinearSVC())), Entropy()),
      (make_pipeline(SCALED, LinearSVC()), Margin())]),
    (GridSearchCV(LinearSVC(), GRID, cv=2), Entropy(), r"inside the GridSearchCV",
     [(GridSearchCV(calibrate(LinearSVC()), {"estimator__C": [1, 2]}, cv=2), Entropy())]),
    (make_pipeline(SCALED, LogisticRegression()), BALD(), r"BaggingClassifier\(Log.*inside the P",
     [(make_pipeline(SCALED, BaggingClassifier(LogisticRegression(), 3)), BALD()),
      (make_pipeline(SCALED, RandomForestClassifier(3)), BALD())]),
    (GaussianNB(), EPIG(), r"BaggingClassifier\(GaussianNB\(\)\) or RandomForestClassifier",
     [(BaggingClassifier(GaussianNB(), 3), EPIG())]),
    (RandomForestClassifier(1), BALD(), r"n_estimators=10",
     [(RandomForestClassifier(10), BALD())]),
    (CalibratedClassifierCV(LinearSVC(), ensemble=False, cv=3), BALD(), r"ensemble=True",
     [(CalibratedClassifierCV(LinearSVC(), ensemble=True, cv=2), BALD())]),
    (VotingClassifier(VOTERS[:1]), BALD(), r"two members", [(VotingClassifier(VOTERS), BALD())]),
    (Predicting(), Margin(), r"BaggingClassifier\(Predicting\(\)\), whose members vote.*KCenter",
     [(BaggingClassifier(Predicting(), 3), Margin()), (Predicting(), KCenterGreedy())]),
    (Predicting(), ExpectedErrorReduction(n_targets=3), r"BaggingClassifier\(Predicting",
     [(BaggingClassifier(Predicting(), 3), ExpectedErrorReduction(n_targets=3))]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "strategy", "words", "remedies"), ADVICE, ids=lambda part: repr(part)[:40]
)
@quiet
def test_the_advice_suits_the_model_and_works(model, strategy, words, remedies):
    refusal = find_refusal(model, strategy)
    assert re.search(words.removesuffix("$") + ("\\.$" if words.endswith("$") else ""), refusal)
    for other_model, other_strategy in remedies:
        run(other_model, other_strategy)


@quiet
def test_labels_imagined_without_the_labeled_rows_and_with_parameters_per_row():
    strategy = ExpectedErrorReduction(n_targets=3)
    prefit = ActiveLearner(GaussianNB().fit(X, Y), strategy, prefit=True)
    with pytest.raises(CapabilityError, match="call fit with the labeled rows first"):
        prefit.query(X[POOL], 2)
    assert len(prefit.fit(X[START], Y[START]).query(X[POOL], 2)) == 2

    class Grouped(LogisticRegression):
        def fit(self, X, y, groups=None, sample_weight=None):
            return super().fit(X, y, sample_weight)

    learner = ActiveLearner(Grouped(), strategy, random_state=0)
    with pytest.raises(CapabilityError, match="no parameter with one value per row but sample_we"):
        learner.fit(X[START], Y[START], groups=np.arange(60))
    learner.fit(X[START], Y[START], sample_weight=np.ones(60)).query(X[80:], 2)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (LogisticRegression(), "such as SGDClassifier"),
        (make_pipeline(SCALED, LogisticRegression()), "such as SGDClassifier"),
        (make_pipeline(SCALED, GaussianNB()), "give the learner the last step alone, GaussianNB"),
    ],
    ids=["model", "pipeline", "pipeline that ends well"],
)
def test_incremental_teaching_without_partial_fit_is_refused_at_once(model, words):
    learner = ActiveLearner(model, Margin(), incremental=True, random_state=0)
    for call in (lambda: learner.fit(X[START], Y[START]), lambda: learner.query(X, 2)):
        with pytest.raises(CapabilityError, match=words):
            call()
    run(model, Margin(), incremental=False)


def test_incremental_teaching_in_the_ways_that_are_recommended():
    run(SGDClassifier(), Margin(), incremental=True)
    rows = StandardScaler().fit_transform(X)
    learner = ActiveLearner(GaussianNB(), Margin(), incremental=True, random_state=0)
    learner.fit(rows[START], Y[START]).teach(rows[POOL], Y[POOL])
    assert len(learner.query(rows, 2)) == 2


class Incremental(HomeMade):
    """A classifier of no base class whose first lesson must list the classes."""

    def partial_fit(self, X, y, classes=None):
        if not hasattr(self, "inner_"):
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit")
            self.inner_ = SGDClassifier(loss="log_loss", random_state=0)
        self.inner_.partial_fit(X, y, classes)
        self.classes_ = self.inner_.classes_
        return self


@pytest.mark.parametrize(
    "model",
    [SGDClassifier(), GaussianNB(), MLPClassifier((3,), max_iter=3), Incremental()],
    ids=["SGD", "naive Bayes", "MLP", "untagged"],
)
def test_a_class_that_partial_fit_cannot_add_is_to_be_declared(model):
    two, third = np.flatnonzero(Y < 2)[:40], np.flatnonzero(Y == 2)[:3]
    learner = ActiveLearner(model, Random(), incremental=True, random_state=0)
    learner.fit(X[two], Y[two])
    with pytest.raises(
        TeachValueError, match=r"\[2\] to \[0 1\]: declare all .*classes=\[\.\.\.\]"
    ):
        learner.teach(X[third], Y[third])
    declared = clone(learner).set_params(classes=[0, 1, 2]).fit(X[two], Y[two])
    assert len(declared.teach(X[third], Y[third]).query(X, 2)) == 2
    refitted = ActiveLearner(clone(model), Margin(), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few steps
        if not isinstance(model, Incremental):
            assert len(refitted.fit(X[two], Y[two]).teach(X[third], Y[third]).classes_) == 3


# Methods that fail ------------------------------------------------------------------------------


class Gives(GaussianNB):
    """A classifier whose probabilities are changed."""

    def __init__(self, change=None):
        super().__init__()
        self.change = change

    def predict_proba(self, X):
        return self.change(super().predict_proba(X))


def fail(proba):
    raise NotImplementedError("no probabilities today")


LOGITS = np.array([[3.0, -1.0, 0.5]])
BROKEN = {
    "failing": (fail, "NotImplementedError: no probabilities today"),
    "short": (lambda p: p[:-1], "1 rows of probability for 2 rows"),
    "one dimension": (lambda p: p[:, 1], r"numpy.column_stack\(\[1 - p, p\]\)"),
    "one column": (lambda p: p[:, 1:2] * 0.9, r"numpy.column_stack\(\[1 - p, p\]\)"),
    "transposed": (lambda p: p.T, "transposed"),
    "logits": (lambda p: LOGITS.repeat(len(p), axis=0), "logits: return scipy.special.softmax"),
    "percentages": (lambda p: 100 * p, "divide them by 100"),
    "sigmoids": (lambda p: np.full_like(p, 0.7), "probability of its own"),
    "NaN": (lambda p: p * np.nan, "NaN and infinity"),
    "texts": (lambda p: ["x"] * len(p), "no array of numbers"),
    "several outputs": (lambda p: [p, p], "several outputs"),
}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("strategy", [Margin(), BADGE(), None], ids=repr)
def test_probabilities_that_are_none_are_refused_at_fit_and_named(fault, strategy):
    change, words = BROKEN[fault]
    with pytest.raises(UnreadableModelError, match=words) as raised:
        fit(Gives(change), strategy)
    assert isinstance(raised.value, InvalidReadingError)
    assert "torch" not in str(raised.value)
    run(Gives(change), KCenterGreedy())


@pytest.mark.parametrize(
    ("fault", "mend"),
    [
        ("one dimension", lambda p: np.column_stack([1 - p, p])),
        ("percentages", lambda p: p / 100),
        ("transposed", np.transpose),
        ("logits", lambda p: np.exp(p) / np.exp(p).sum(axis=1, keepdims=True)),
        ("sigmoids", lambda p: p / p.sum(axis=1, keepdims=True)),
    ],
)
@quiet
def test_the_advice_on_probabilities_works(fault, mend):
    change, _ = BROKEN[fault]
    y = Y > 0 if "one" in fault else Y
    run(Gives(lambda p: mend(change(p))), Margin(), y)


def test_decisions_by_pairs_of_classes_are_refused_by_their_number_of_columns():
    class Pairs(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def decision_function(self, X):
            return np.ones((len(X), 6))

    with pytest.raises(CapabilityError, match="6 columns for 4 classes"):
        fit(Pairs(), Margin(), np.arange(90) % 4)


def test_the_trial_reading_uses_two_rows_once_and_no_random_numbers():
    asked = []

    def count(proba):
        asked.append(len(proba))
        return proba

    before = np.random.get_state()[1].copy()
    fit(Gives(count), Mixture([("a", Margin()), ("b", Entropy())]))
    assert asked == [2, 2]  # once for each need, "proba" and "proba|decision"
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_too_few_rows_for_the_neighbors_are_no_reason_to_refuse_the_labels():
    learner = ActiveLearner(KNeighborsClassifier(5), Margin(), random_state=0)
    with pytest.warns(WaitingClassesWarning, match="n_neighbors"):
        learner.fit(X[:3], Y[:3])
    assert len(learner.teach(X[3:60], Y[3:60]).query(X[POOL], 2)) == 2


def test_a_model_that_drops_the_axis_of_a_lone_row_is_read():
    assert len(run(Gives(np.squeeze), Margin()).y_labeled_) == 63
    with pytest.warns(WaitingClassesWarning, match="not numbers"):  # one row has no variance
        ActiveLearner(Gives(np.squeeze), Random()).fit(X[:1], Y[:1])


# Rounding ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda p: np.where(p < 1e-3, -1e-12, p), None),
        (lambda p: p.round(2), None),
        (lambda p: p.tolist(), None),
        (lambda p: p.astype(np.float32), None),
        (lambda p: np.full_like(p, 0.33), 1 / 3),
        (lambda p: (p > 0.5).astype(int) if len(p) else p, None),
    ],
)
@quiet
def test_rounded_probabilities_are_mended(change, expected):
    learner = fit(Gives(change), Margin())
    view = learner._make_view(X[POOL])
    np.testing.assert_allclose(view.proba.sum(axis=1), 1.0, atol=1e-3)
    assert view.proba.min() >= 0.0
    if expected is not None:
        np.testing.assert_allclose(view.proba, expected)
    assert len(learner.query(X[POOL], 3)) == 3


def test_a_frame_of_probabilities_is_read():
    pd = pytest.importorskip("pandas")
    run(Gives(pd.DataFrame), Margin())


@pytest.mark.parametrize(
    "wrong", [lambda p: p * 0.98, lambda p: p + 0.01, lambda p: p * 0 + [-1e-5, 1 + 1e-5, 0]]
)
def test_what_is_more_than_rounding_is_refused(wrong):
    with pytest.raises(UnreadableModelError, match="do not sum to 1"):
        fit(Gives(wrong), Margin())
