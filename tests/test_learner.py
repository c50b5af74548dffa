"""ActiveLearner: fit, query and teach, their guarantees and their errors."""

import pickle
import random
import re

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier, is_regressor
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier, SGDRegressor
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils import get_tags
from sklearn.utils._param_validation import InvalidParameterError

from skactive import ActiveLearner
from skactive.exceptions import (
    CapabilityError,
    FrozenModelWarning,
    InvalidReadingError,
    PoolExhaustedError,
    SelectionError,
    TeachError,
    TeachValueError,
)
from skactive.selectors import PowerTop, SoftmaxTop
from skactive.strategies import (
    BADGE,
    BALD,
    Auto,
    Entropy,
    ExpectedErrorReduction,
    KCenterGreedy,
    KMeans,
    LeastConfidence,
    Margin,
    Mixture,
    Prefilter,
    Random,
    ScoreStrategy,
    Strategy,
    Subsample,
)

X, Y = load_iris(return_X_y=True)
ORDER = np.random.RandomState(0).permutation(len(X))
X, Y = X[ORDER], Y[ORDER]
TEXTS = [f"{a} {b}" for a in ("red", "green", "blue") for b in ("cat", "dog", "cow", "hen")]

equal = np.testing.assert_array_equal


def make_learner(strategy=None, model=None, **params):
    """Return an unfitted learner that is repeatable."""
    params = {"random_state": 0, **params}
    return ActiveLearner(GaussianNB() if model is None else model, strategy, **params)


def state(learner):
    """Return all of a learner's state that a caller can see."""
    return (
        learner.predict_proba(X).tolist(),
        np.asarray(learner.X_labeled_).tolist(),
        np.asarray(learner.y_labeled_).tolist(),
        learner.query(X[100:], 5).tolist(),
        learner.seed_,
    )


class Fragile(GaussianNB):
    """A model whose fit raises `error`, if it is set; `partial_fit` after changing the model."""

    error = None

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        result = super().partial_fit(X, y, classes=classes, sample_weight=sample_weight)
        if Fragile.error is not None:
            self.theta_ += 100.0
            raise Fragile.error
        return result

    def fit(self, X, y, sample_weight=None):
        if Fragile.error is not None:
            raise Fragile.error
        return super().fit(X, y, sample_weight)


# The loop ---------------------------------------------------------------------------------------


def test_the_loop_of_the_readme_learns_digits():
    digits, labels = load_digits(return_X_y=True)
    digits, labels = digits[:600], labels[:600]
    learner = ActiveLearner(LogisticRegression(max_iter=1000), Margin(), random_state=0)
    learner.fit(digits[:20], labels[:20])
    before = learner.score(digits, labels)
    pool = np.arange(20, len(digits))
    for _ in range(4):
        picked = pool[learner.query(digits[pool], batch_size=10)]
        learner.teach(digits[picked], labels[picked])
        pool = np.setdiff1d(pool, picked)
    assert len(learner.y_labeled_) == 60
    assert learner.score(digits, labels) > before + 0.1


def test_a_query_is_distinct_positions_best_first():
    learner = make_learner(Margin()).fit(X[:20], Y[:20])
    picked = learner.query(X[20:], 15)
    assert picked.dtype == np.intp
    assert len(set(picked.tolist())) == 15
    scores = learner.score_pool(X[20:])
    assert (np.diff(scores[picked]) <= 0).all()
    assert scores[picked].min() >= np.delete(scores, picked).max()


def test_no_strategy_is_auto():
    learners = [make_learner(strategy).fit(X[:20], Y[:20]) for strategy in (None, Auto(), Margin())]
    picks = [learner.query(X[20:], 10) for learner in learners]
    equal(picks[0], picks[1])
    assert not np.array_equal(picks[0], picks[2])


@pytest.mark.parametrize("strategy", [Random(), KMeans(), BADGE(), Margin(selector=SoftmaxTop())])
@pytest.mark.parametrize("random_state", [0, None], ids=["seeded", "unseeded"])
def test_a_query_is_the_same_until_teach_and_then_another(strategy, random_state):
    learner = make_learner(strategy, random_state=random_state).fit(X[:20], Y[:20])
    first = learner.query(X[30:], 10)
    equal(first, learner.query(X[30:], 10))
    learner.teach(X[20:22], Y[20:22])
    assert not np.array_equal(first, learner.query(X[30:], 10))


def test_an_unseeded_prefit_learner_repeats_its_query_too():
    learner = make_learner(Random(), GaussianNB().fit(X, Y), prefit=True, random_state=None)
    equal(learner.query(X, 10), learner.query(X, 10))


def test_queries_before_the_first_fit_repeat():
    for random_state in (0, np.random.RandomState(0)):
        learner = make_learner(Random(), random_state=random_state)
        equal(learner.query(X, 10), learner.query(X, 10))


@pytest.mark.parametrize(
    "make", [lambda: 3, lambda: np.random.RandomState(3)], ids=["number", "instance"]
)
def test_the_same_random_state_gives_the_same_everything(make):
    def run(random_state):
        model = RandomForestClassifier(5)
        learner = ActiveLearner(model, Random(), random_state=random_state).fit(X[:20], Y[:20])
        picked = learner.query(X[20:], 10)
        learner.teach(X[20:][picked], Y[20:][picked])
        return picked, learner.predict_proba(X), learner.query(X, 10)

    for one, two in zip(run(make()), run(make()), strict=True):
        equal(one, two)
    assert not np.array_equal(run(make())[0], run(4)[0])


def test_without_a_random_state_learners_differ():
    first, second = (
        make_learner(Random(), random_state=None).fit(X[:20], Y[:20]) for _ in range(2)
    )
    assert not np.array_equal(first.query(X, 20), second.query(X, 20))


def test_a_random_state_instance_gives_each_fit_a_seed_of_its_own():
    learner = make_learner(Random(), random_state=np.random.RandomState(0))
    first = learner.fit(X[:20], Y[:20]).query(X, 20)
    assert not np.array_equal(first, learner.fit(X[:20], Y[:20]).query(X, 20))


def test_a_random_state_that_is_none_of_the_kinds_is_refused():
    with pytest.raises(ValueError, match="random_state"):
        make_learner(random_state="seven").fit(X[:20], Y[:20])


def test_a_random_state_seeds_what_is_unseeded_in_the_model():
    def proba(model, random_state):
        learner = ActiveLearner(model, random_state=random_state).fit(X[:30], Y[:30])
        return learner.teach(X[30:40], Y[30:40]).predict_proba(X)

    for unseeded in (
        RandomForestClassifier(5),
        make_pipeline(StandardScaler(), RandomForestClassifier(5)),
    ):
        equal(proba(unseeded, 0), proba(unseeded, 0))
        assert not np.array_equal(proba(unseeded, 0), proba(unseeded, 1))


def test_a_random_state_of_the_model_is_kept():
    model = RandomForestClassifier(5, random_state=7)
    learner = ActiveLearner(model, random_state=0).fit(X[:30], Y[:30])
    assert learner.estimator_.random_state == 7
    equal(learner.predict_proba(X), clone(model).fit(X[:30], Y[:30]).predict_proba(X))


@pytest.mark.parametrize(
    "strategy",
    [Random(), Margin(), KMeans(), BADGE(), BALD(), Subsample(Entropy(), n_candidates=50)],
    ids=repr,
)
def test_the_loop_leaves_global_random_state_alone(strategy):
    torch = pytest.importorskip("torch")
    before = np.random.get_state(legacy=False), random.getstate(), torch.get_rng_state()
    learner = make_learner(strategy, RandomForestClassifier(5)).fit(X[:20], Y[:20])
    learner.query(X[20:], 5)
    learner.teach(X[20:30], Y[20:30])
    np.testing.assert_equal(np.random.get_state(legacy=False), before[0])
    assert random.getstate() == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])


def test_unseeded_members_of_a_committee_draw_different_rows():
    bags = [(name, BaggingClassifier(GaussianNB(), n_estimators=1)) for name in "ab"]
    learner = make_learner(Random(), VotingClassifier(bags)).fit(X[:20], Y[:20])
    first, second = (bag.estimators_samples_[0] for bag in learner.estimator_.estimators_)
    assert not np.array_equal(first, second)


def test_an_unseeded_query_draws_nothing_from_numpys_global_state():
    learner = make_learner(Random(), random_state=None).fit(X[:20], Y[:20])
    before = np.random.get_state(legacy=False)
    learner.query(X, 5)
    np.testing.assert_equal(np.random.get_state(legacy=False), before)


def test_more_rows_than_the_pool_holds_are_refused_and_the_message_counts_them():
    learner = make_learner().fit(X[:20], Y[:20])
    with pytest.raises(PoolExhaustedError, match=r"4 rows .* 3 left"):
        learner.query(X[20:23], 4)
    with pytest.raises(PoolExhaustedError, match="0 left"):
        learner.query(X[:0])
    assert sorted(learner.query(X[20:23], 3)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("batch_size", "error"),
    [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)],
)
def test_a_batch_size_that_is_no_count_is_refused(batch_size, error):
    with pytest.raises(error, match="batch_size"):
        make_learner().fit(X[:20], Y[:20]).query(X, batch_size)


def test_a_batch_size_may_be_numpys():
    assert len(make_learner().fit(X[:20], Y[:20]).query(X, np.int64(3))) == 3


# The cold start ---------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", [Margin(), BALD(), BADGE(), Subsample(Margin())], ids=repr)
def test_a_strategy_that_needs_a_model_names_those_that_do_not(strategy):
    with pytest.raises(NotFittedError) as raised:
        make_learner(strategy).query(X)
    message = str(raised.value)
    assert message.startswith(type(strategy).__name__)
    assert all(name in message for name in ("Random", "KMeans", "KCenterGreedy"))
    assert "Margin" not in message.split("cold:")[1]


class Length(ScoreStrategy):
    """A score that needs no model."""

    needs = frozenset({"embedding"})
    rowwise = True

    def score(self, pool):
        return np.linalg.norm(pool.embedding, axis=1)


@pytest.mark.parametrize("model", [GaussianNB(), Ridge()], ids=repr)
def test_a_score_that_takes_no_model_needs_no_classes(model):
    longest = np.linalg.norm(X, axis=1).argmax()
    assert make_learner(Length(), model).query(X)[0] == longest
    assert make_learner(Length(), model).fit(X[:20], Y[:20]).query(X)[0] == longest


COLD = [Random(), KMeans(), KCenterGreedy(), Subsample(KCenterGreedy()), Mixture([("r", Random())])]


@pytest.mark.parametrize("strategy", COLD, ids=lambda strategy: type(strategy).__name__)
def test_a_learner_that_knows_nothing_can_start(strategy):
    learner = make_learner(strategy)
    picked = learner.query(X, 12)
    assert len(set(picked.tolist())) == 12
    assert not hasattr(learner, "estimator_")
    learner.teach(X[picked], Y[picked])
    assert len(learner.query(X, 3)) == 3


@pytest.mark.parametrize("strategy", [Random(), KMeans(), KCenterGreedy()], ids=repr)
def test_a_cold_start_on_texts_goes_through_the_transformers(strategy):
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    picked = make_learner(strategy, model).query(TEXTS, 4)
    assert len(set(picked.tolist())) == 4


def test_a_cold_start_measures_distances_after_the_scaler():
    rows = np.column_stack([np.r_[np.arange(9.0), 20.0], np.r_[1000.0, np.zeros(9)]])
    rows[:, 1] /= 1e6  # the outlier of column 1 is far away only once columns are scaled
    model = make_pipeline(StandardScaler(), LogisticRegression())
    assert 0 in make_learner(KCenterGreedy(), model).query(rows, 3)
    assert 0 not in make_learner(KCenterGreedy(), LogisticRegression()).query(rows, 2)


def test_rows_of_no_numbers_need_an_embedder_and_the_message_says_so():
    with pytest.raises(InvalidReadingError, match="embedder="):
        make_learner(KMeans()).query(TEXTS, 4)
    picked = make_learner(KMeans(), embedder=TfidfVectorizer()).query(TEXTS, 4)
    assert len(set(picked.tolist())) == 4


# Teaching ---------------------------------------------------------------------------------------


def test_teach_before_fit_is_fit():
    equal(
        make_learner().teach(X[:20], Y[:20]).predict_proba(X),
        make_learner().fit(X[:20], Y[:20]).predict_proba(X),
    )


@pytest.mark.parametrize("model", [LogisticRegression(), RandomForestClassifier(5)], ids=repr)
def test_teach_is_a_fit_on_all_rows(model):
    taught = make_learner(model=model).fit(X[:20], Y[:20]).teach(X[20:30], Y[20:30])
    taught.teach(X[30:40], Y[30:40])
    at_once = make_learner(model=model).fit(X[:40], Y[:40])
    equal(taught.predict_proba(X), at_once.predict_proba(X))
    equal(taught.X_labeled_, X[:40])
    equal(taught.y_labeled_, Y[:40])


def test_fit_forgets_what_was_learned():
    learner = make_learner().fit(X[:20], Y[:20]).teach(X[20:40], Y[20:40]).fit(X[50:80], Y[50:80])
    equal(learner.X_labeled_, X[50:80])
    equal(learner.predict_proba(X), make_learner().fit(X[50:80], Y[50:80]).predict_proba(X))


def test_the_model_that_was_passed_is_not_touched():
    model, strategy = GaussianNB(), Margin()
    learner = make_learner(strategy, model).fit(X[:20], Y[:20])
    learner.teach(X[20:30], Y[20:30]).query(X, 2)
    assert not hasattr(model, "classes_")
    assert learner.estimator is model
    assert learner.strategy is strategy
    assert vars(strategy) == vars(Margin())


@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize("error", [RuntimeError("told to fail"), MemoryError("told to fail")])
def test_a_refit_that_fails_leaves_the_learner_as_it_was(error, incremental, monkeypatch):
    learner = make_learner(Random(), Fragile(), incremental=incremental).fit(X[:20], Y[:20])
    before = state(learner)
    monkeypatch.setattr(Fragile, "error", error)
    with pytest.raises(TeachError, match=r"told to fail.*as it was before, with 20 lab") as raised:
        learner.teach(X[20:30], Y[20:30])
    assert raised.value.__cause__ is error
    assert state(learner) == before
    monkeypatch.setattr(Fragile, "error", None)
    assert len(learner.teach(X[20:30], Y[20:30]).y_labeled_) == 30


ROW_FAULTS = {
    "fewer features": (X[20:30, :3], Y[20:30], r"rows of shape \(3,\)"),
    "an undeclared class": (X[20:30], np.full(10, 7), r"does not declare: \[7\]"),
    "labels of another kind": (X[20:30], np.full(10, "a"), "one type"),
    "fewer labels": (X[20:30], Y[20:29], "inconsistent"),
    "no labels": (X[20:30], None, "y=None"),
}


@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize("fault", ROW_FAULTS)
def test_rows_that_cannot_be_taught_raise_a_teach_error_that_is_a_value_error(fault, incremental):
    rows, labels, message = ROW_FAULTS[fault]
    classes = None if fault == "labels of another kind" else [0, 1, 2]
    learner = make_learner(Random(), incremental=incremental, classes=classes).fit(X[:20], Y[:20])
    before = state(learner)
    with pytest.raises(TeachError, match=f"cannot be taught.*{message}.*with 20 lab") as raised:
        learner.teach(rows, labels)
    assert isinstance(raised.value, ValueError)
    assert type(raised.value.__cause__) is ValueError
    assert state(learner) == before


@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize("error", [ValueError("told to fail"), TypeError("told to fail")])
def test_a_failed_refit_is_a_value_error_only_where_the_model_raises_one(
    error, incremental, monkeypatch
):
    learner = make_learner(Random(), Fragile(), incremental=incremental).fit(X[:20], Y[:20])
    monkeypatch.setattr(Fragile, "error", error)
    with pytest.raises(TeachError, match=r"told to fail.*as it was before") as raised:
        learner.teach(X[20:30], Y[20:30])
    assert raised.value.__cause__ is error
    assert isinstance(raised.value, ValueError) == isinstance(error, ValueError)
    assert isinstance(raised.value, TeachValueError) == isinstance(error, ValueError)
    copied = pickle.loads(pickle.dumps(raised.value))
    assert type(copied) is type(raised.value)
    assert str(copied) == str(raised.value)


@pytest.mark.parametrize("incremental", [False, True])
def test_an_interrupted_refit_leaves_the_learner_as_it_was(incremental, monkeypatch):
    learner = make_learner(Random(), Fragile(), incremental=incremental).fit(X[:20], Y[:20])
    before = state(learner)
    monkeypatch.setattr(Fragile, "error", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        learner.teach(X[20:30], Y[20:30])
    assert state(learner) == before


def test_a_fit_that_fails_leaves_the_learner_as_it_was(monkeypatch):
    learner = make_learner(Random(), Fragile()).fit(X[:20], Y[:20])
    before = state(learner)
    monkeypatch.setattr(Fragile, "error", RuntimeError("told to fail"))
    with pytest.raises(RuntimeError, match="told to fail"):
        learner.fit(X[20:40], Y[20:40])
    assert state(learner) == before


def test_rows_and_labels_must_be_as_many():
    learner = make_learner().fit(X[:20], Y[:20])
    for verb in (learner.fit, learner.teach):
        with pytest.raises(ValueError, match="inconsistent"):
            verb(X[:5], Y[:4])
    assert len(learner.y_labeled_) == 20


def test_the_callers_arrays_are_not_changed():
    rows, labels, pool = X[:20].copy(), Y[:20].copy(), X[20:].copy()
    for array in (rows, labels, pool):
        array.flags.writeable = False
    learner = make_learner(BADGE(), RandomForestClassifier(5)).fit(rows, labels)
    learner.query(pool, 5)
    learner.teach(pool[:5], labels[:5])
    equal(rows, X[:20])
    equal(labels, Y[:20])
    equal(pool, X[20:])


@pytest.mark.parametrize("verb", ["fit", "teach"])
def test_arrays_changed_after_the_call_do_not_change_the_learner(verb):
    learner = make_learner(Random())
    if verb == "teach":
        learner.fit(X[:10], Y[:10])
    start = 0 if verb == "fit" else 10
    rows, labels = X[start:20].copy(), Y[start:20].copy()
    getattr(learner, verb)(rows, labels)
    before = state(learner)
    rows[:], labels[:] = 0, 0
    assert state(learner) == before
    expected = make_learner(Random()).fit(X[:25], Y[:25]).predict_proba(X)
    equal(learner.teach(X[20:25], Y[20:25]).predict_proba(X), expected)


def test_arrays_changed_after_fit_do_not_change_a_model_that_keeps_its_rows():
    rows = X[:20].copy()
    learner = make_learner(model=KNeighborsClassifier(3, algorithm="brute")).fit(rows, Y[:20])
    before = learner.predict(X)
    rows[:] = 0
    equal(learner.predict(X), before)


def test_weights_changed_after_fit_do_not_change_the_refit():
    weight = np.linspace(0.1, 1.0, 30)
    given = weight[:20].copy()
    learner = make_learner().fit(X[:20], Y[:20], sample_weight=given)
    given[:] = np.where(Y[:20] == 0, 100.0, 0.0)
    learner.teach(X[20:30], Y[20:30], sample_weight=weight[20:])
    equal(learner.predict_proba(X), GaussianNB().fit(X[:30], Y[:30], weight).predict_proba(X))


def test_arrays_changed_after_the_first_lesson_of_a_prefit_learner_do_not_change_it():
    rows, labels = X[20:30].copy(), Y[20:30].copy()
    learner = make_learner(model=GaussianNB().fit(X[:20], Y[:20]), prefit=True, incremental=True)
    learner.teach(rows, labels)
    rows[:], labels[:] = 0, 0
    equal(learner.X_labeled_, X[20:30])
    equal(learner.y_labeled_, Y[20:30])


# Classes ----------------------------------------------------------------------------------------


def test_a_class_that_turns_up_in_teach_joins():
    two = np.flatnonzero(Y < 2)[:20]
    learner = make_learner().fit(X[two], Y[two])
    equal(learner.classes_, [0, 1])
    learner.teach(X[Y == 2][:5], Y[Y == 2][:5])
    equal(learner.classes_, [0, 1, 2])
    assert learner.predict_proba(X).shape == (150, 3)
    assert len(learner.query(X, 4)) == 4


class Reader(Strategy):
    """Remembers what it read: the probabilities of the last query."""

    needs = frozenset({"proba"})
    read: list = []  # noqa: RUF012

    def select(self, pool, batch_size):
        Reader.read[:] = [pool.proba, pool.classes]
        return np.arange(batch_size)


@pytest.mark.parametrize("names", [[0, 1, 2], [-7, 3, 5], ["a", "bb", "ccc"]], ids=str)
def test_declared_classes_have_a_column_each(names):
    names = np.array(names)
    some = np.flatnonzero(Y != 1)[:20]
    learner = make_learner(Reader(), classes=names[::-1]).fit(X[some], names[Y[some]])
    learner.query(X, 1)
    proba, classes = Reader.read
    equal(classes, names)
    equal(proba[:, [0, 2]], learner.predict_proba(X))
    equal(proba[:, 1], 0.0)


def test_labels_that_are_not_declared_are_refused():
    learner = make_learner(classes=[0, 1])
    with pytest.raises(ValueError, match=r"does not declare: \[2\]; declared are \[0, 1\]"):
        learner.fit(X[:20], Y[:20])
    learner = make_learner(classes=[0, 1]).fit(X[Y < 2][:20], Y[Y < 2][:20])
    with pytest.raises(ValueError, match=r"\[2\]"):
        learner.teach(X[Y == 2], Y[Y == 2])
    assert len(learner.y_labeled_) == 20


def test_classes_declared_twice_are_refused():
    with pytest.raises(ValueError, match="distinct"):
        make_learner(classes=[0, 1, 1, 2]).fit(X[:20], Y[:20])


@pytest.mark.parametrize("declared", [[0, 2], [1, 2, 3], [0, 1, 7]], ids=str)
def test_a_prefit_model_that_knows_a_class_not_declared_is_refused(declared):
    learner = make_learner(Entropy(), GaussianNB().fit(X, Y), prefit=True, classes=declared)
    with pytest.raises(ValueError, match="declare"):
        learner.query(X)


# Incremental and prefit -------------------------------------------------------------------------


def sgd(**params):
    return SGDClassifier(loss="log_loss", random_state=0, **params)


def test_incremental_teaching_is_partial_fit_on_the_new_rows():
    learner = (
        make_learner(model=sgd(), incremental=True).fit(X[:40], Y[:40]).teach(X[40:50], Y[40:50])
    )
    expected = sgd().partial_fit(X[:40], Y[:40], classes=[0, 1, 2]).partial_fit(X[40:50], Y[40:50])
    equal(learner.estimator_.coef_, expected.coef_)
    equal(learner.X_labeled_, X[:50])
    assert len(learner.query(X[50:], 3)) == 3


def test_incremental_teaching_of_classes_declared():
    two = np.flatnonzero(Y < 2)[:20]
    learner = make_learner(model=sgd(), incremental=True, classes=[0, 1, 2]).fit(X[two], Y[two])
    equal(learner.classes_, [0, 1, 2])
    learner.teach(X[Y == 2][:5], Y[Y == 2][:5])
    equal(np.unique(learner.y_labeled_), [0, 1, 2])


def test_incremental_teaching_of_a_class_not_declared_fails_and_changes_nothing():
    two = np.flatnonzero(Y < 2)[:20]
    learner = make_learner(Random(), sgd(), incremental=True).fit(X[two], Y[two])
    before = state(learner)
    with pytest.raises(TeachError, match="classes"):
        learner.teach(X[Y == 2][:5], Y[Y == 2][:5])
    assert state(learner) == before


def test_incremental_teaching_of_a_regressor():
    model = SGDRegressor(random_state=0)
    learner = make_learner(Random(), model, incremental=True).fit(X[:20], Y[:20] + 0.5)
    learner.teach(X[20:30], Y[20:30] + 0.5)
    expected = clone(model).partial_fit(X[:20], Y[:20] + 0.5)
    equal(learner.predict(X), expected.partial_fit(X[20:30], Y[20:30] + 0.5).predict(X))


def test_a_prefit_model_is_queried_at_once_and_used_as_it_is():
    model = GaussianNB().fit(X[:40], Y[:40])
    learner = make_learner(Margin(), model, prefit=True)
    equal(learner.predict_proba(X), model.predict_proba(X))
    equal(learner.query(X[40:], 5), make_learner(Margin()).fit(X[:40], Y[:40]).query(X[40:], 5))
    assert learner.n_features_in_ == 4
    equal(learner.classes_, [0, 1, 2])


def test_a_prefit_model_refuses_to_forget_its_rows_and_names_the_remedies():
    learner = make_learner(model=GaussianNB().fit(X[:40], Y[:40]), prefit=True)
    with pytest.raises(ValueError, match=r"Call fit with those rows.*incremental=True"):
        learner.teach(X[40:50], Y[40:50])


def test_fit_tells_a_prefit_learner_its_rows_and_teach_refits_on_all():
    model = GaussianNB().fit(X[:40], Y[:40])
    learner = make_learner(model=model, prefit=True).fit(X[:40], Y[:40])
    assert learner.estimator_ is model
    learner.teach(X[40:50], Y[40:50])
    equal(learner.predict_proba(X), GaussianNB().fit(X[:50], Y[:50]).predict_proba(X))
    equal(model.class_count_.sum(), 40)


def test_a_prefit_model_that_is_taught_incrementally_is_a_copy():
    model = GaussianNB().fit(X[:40], Y[:40])
    before = model.predict_proba(X)
    learner = make_learner(model=model, prefit=True, incremental=True).teach(X[40:50], Y[40:50])
    equal(model.predict_proba(X), before)
    expected = GaussianNB().fit(X[:40], Y[:40]).partial_fit(X[40:50], Y[40:50])
    equal(learner.predict_proba(X), expected.predict_proba(X))


def test_prefit_takes_a_fitted_model():
    learner = make_learner(model=GaussianNB(), prefit=True)
    for use in (lambda: learner.fit(X, Y), lambda: learner.query(X), lambda: learner.predict(X)):
        with pytest.raises(NotFittedError):
            use()


def test_teaching_a_frozen_model_warns_and_keeps_the_rows():
    model = FrozenEstimator(GaussianNB().fit(X[:40], Y[:40]))
    learner = make_learner(model=model).fit(X[:40], Y[:40])
    before = learner.predict_proba(X)
    with pytest.warns(FrozenModelWarning, match="FrozenEstimator"):
        learner.teach(X[40:50], Y[40:50])
    equal(learner.predict_proba(X), before)
    assert len(learner.y_labeled_) == 50


# What is refused before labels are paid for -----------------------------------------------------


@pytest.mark.parametrize("strategy", [Margin, KMeans, Random])
def test_a_class_in_place_of_an_object_is_refused_and_the_message_says_what_to_write(strategy):
    name = strategy.__name__
    with pytest.raises(TypeError, match=rf"got the class {name}: write {name}\(\)"):
        make_learner(strategy).fit(X[:20], Y[:20])


@pytest.mark.parametrize(
    "strategy",
    [
        Subsample(Margin),
        Prefilter(Margin, KMeans()),
        Prefilter(Margin(), KMeans),
        Mixture([("a", Margin)]),
        Mixture([("a", "margin")]),
    ],
    ids=["Subsample", "Prefilter's score", "Prefilter", "Mixture", "Mixture of names"],
)
def test_a_part_that_is_no_strategy_is_refused_at_fit(strategy):
    with pytest.raises((TypeError, ValueError), match=r"(?i)strateg|prefilter"):
        make_learner(strategy).fit(X[:20], Y[:20])


@pytest.mark.parametrize("strategy", ["margin", 3, len], ids=str)
def test_what_is_no_strategy_is_refused(strategy):
    with pytest.raises(TypeError, match="must be a skactive Strategy"):
        make_learner(strategy).fit(X[:20], Y[:20])


WRONG = {
    "n_candidates": Subsample(Margin(), n_candidates=0),
    "selector": Margin(selector="best"),
    "loss": ExpectedErrorReduction(loss="hinge"),
    "n_samples": Subsample(BALD(n_samples=0)),
    "factor": Mixture([("a", Random()), ("b", Prefilter(Margin(), KMeans(), factor=0.5))]),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_hyper_parameter_of_a_strategy_is_refused_at_fit(name):
    with pytest.raises(InvalidParameterError, match=f"'{name}' parameter"):
        make_learner(WRONG[name], RandomForestClassifier(5)).fit(X[:20], Y[:20])


@pytest.mark.parametrize("shares", [[1.0], [0, 0], [1, -1]], ids=str)
def test_wrong_shares_are_refused_at_fit(shares):
    with pytest.raises(ValueError, match="shares must be 2 finite numbers"):
        make_learner(Mixture([("a", Random()), ("b", Margin())], shares=shares)).fit(X[:20], Y[:20])


@pytest.mark.parametrize("name", ["incremental", "prefit"])
def test_a_wrong_hyper_parameter_of_the_learner_is_refused_at_fit(name):
    with pytest.raises(InvalidParameterError, match=name):
        make_learner(**{name: "yes"}).fit(X[:20], Y[:20])


UNABLE = [
    (LinearSVC(), Entropy(), "CalibratedClassifierCV"),
    (LogisticRegression(), BALD(), "BaggingClassifier"),
    (Ridge(), Margin(), "Ridge"),
    (LinearSVC(), Mixture([("a", Random()), ("b", Entropy())]), "CalibratedClassifierCV"),
    (make_pipeline(StandardScaler(), LinearSVC()), LeastConfidence(), "CalibratedClassifierCV"),
]


@pytest.mark.parametrize(("model", "strategy", "remedy"), UNABLE, ids=lambda part: repr(part)[:40])
def test_a_model_that_cannot_serve_the_strategy_is_refused_at_the_end_of_fit(
    model, strategy, remedy
):
    learner = make_learner(strategy, model)
    with pytest.raises(CapabilityError, match=remedy):
        learner.fit(X[:20], Y[:20])
    with pytest.raises(NotFittedError):
        learner.predict(X)
    assert not hasattr(learner, "X_labeled_")


def test_a_refused_fit_leaves_a_fitted_learner_as_it_was():
    learner = make_learner(Random()).fit(X[:20], Y[:20])
    before = state(learner)
    learner.set_params(strategy=BALD())
    with pytest.raises(CapabilityError):
        learner.fit(X[20:40], Y[20:40])
    assert state(learner.set_params(strategy=Random())) == before


def test_margin_does_with_a_decision_function():
    learner = make_learner(Margin(), LinearSVC()).fit(X[:40], Y[:40])
    decision = np.sort(learner.decision_function(X), axis=1)
    gap = decision[:, -1] - decision[:, -2]
    equal(np.sort(learner.query(X, 10)), np.sort(np.argsort(gap, kind="stable")[:10]))


def test_an_embedder_is_a_transformer():
    with pytest.raises(TypeError, match="FunctionTransformer"):
        make_learner(KMeans(), embedder=lambda rows: rows).query(X)


@pytest.mark.parametrize("fitted", [True, False])
def test_diversity_is_measured_on_the_embedder(fitted):
    embedder = FunctionTransformer(lambda rows: rows[:, :1]) if not fitted else PCA(1).fit(X)
    learner = make_learner(KCenterGreedy(), embedder=embedder).fit(X[:20], Y[:20])
    z = embedder.transform(X) if fitted else X[:, :1]
    gap = np.abs(z - z[:20].T).min(axis=1)
    assert np.isclose(gap[learner.query(X, 1)[0]], gap.max())


@pytest.mark.parametrize("verb", ["query", "teach"])
def test_rows_of_other_features_are_refused(verb):
    learner = make_learner().fit(X[:20], Y[:20])
    arguments = (X[20:30, :3],) if verb == "query" else (X[20:30, :3], Y[20:30])
    with pytest.raises(ValueError, match=r"rows of shape \(3,\).* have shape \(4,\)"):
        getattr(learner, verb)(*arguments)
    assert len(learner.y_labeled_) == 20


@pytest.mark.parametrize("verb", ["query", "teach"])
def test_columns_in_another_order_are_refused(verb):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    learner = make_learner().fit(frame[:20], Y[:20])
    other = frame[20:30][list("bacd")]
    with pytest.raises(ValueError, match="same columns in the same order"):
        getattr(learner, verb)(*((other,) if verb == "query" else (other, Y[20:30])))


class Answers(Strategy):
    """Returns a fixed answer."""

    def __init__(self, answer=None):
        self.answer = answer

    def select(self, pool, batch_size):
        return self.answer


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([1, 1], "twice"),
        ([0, 150], "0 .. 149"),
        ([-1, 0], "0 .. 149"),
        ([1, 2, 3], "2 positions"),
        ([[1, 2]], "one dimension"),
        ([0.5, 1.5], "integers"),
        ([True, False], "integers"),
    ],
    ids=str,
)
def test_an_answer_that_cannot_be_right_is_refused_and_names_the_strategy(answer, message):
    with pytest.raises(SelectionError, match=rf"Answers.*{re.escape(message)}"):
        make_learner(Answers(answer)).fit(X[:20], Y[:20]).query(X, 2)


# scikit-learn's conventions ----------------------------------------------------------------------


def test_pools_are_scored_only_by_strategies_that_score():
    assert hasattr(make_learner(Margin()), "score_pool")
    assert not hasattr(make_learner(KMeans()), "score_pool")
    scores = make_learner(Entropy()).fit(X[:20], Y[:20]).score_pool(X[20:])
    assert scores.shape == (130,)
    assert scores.dtype == np.float64


METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function", "score"]


@pytest.mark.parametrize("model", [LogisticRegression(), LinearSVC(), GaussianNB(), Ridge()])
def test_methods_exist_where_the_model_has_them_before_and_after_fit(model):
    expected = [hasattr(model, method) for method in METHODS]
    learner = make_learner(Random(), model)
    assert [hasattr(learner, method) for method in METHODS] == expected
    learner.fit(X[:20], Y[:20])
    assert [hasattr(learner, method) for method in METHODS] == expected
    fitted = clone(model).fit(X[:20], Y[:20])
    for method, there in zip(METHODS, expected, strict=True):
        if there and method != "score" and not isinstance(model, LinearSVC):
            equal(getattr(learner, method)(X), getattr(fitted, method)(X))


def test_predictions_before_fit_say_that_there_is_no_fit():
    learner = make_learner()
    for method in (learner.predict, learner.predict_proba):
        with pytest.raises(NotFittedError, match="ActiveLearner"):
            method(X)
    assert not hasattr(learner, "n_features_in_")


def test_the_html_repr_names_the_parts_before_and_after_fit():
    learner = make_learner(Subsample(Entropy()), LogisticRegression(), embedder=PCA(2))
    for html in (learner._repr_html_(), learner.fit(X[:20], Y[:20])._repr_html_()):
        for part in ("ActiveLearner", "LogisticRegression", "Subsample", "Entropy", "PCA"):
            assert part in html
    assert "Auto" in make_learner(None)._repr_html_()


def test_repr_can_be_read():
    learner = ActiveLearner(GaussianNB(), Margin(selector=PowerTop(beta=2.0)), random_state=0)
    expected = (
        "ActiveLearner(estimator=GaussianNB(), random_state=0, "
        "strategy=Margin(selector=PowerTop(beta=2.0)))"
    )
    assert re.sub(r"\s+", " ", repr(learner)) == expected


def test_clones_are_unfitted_twins():
    learner = make_learner(Subsample(Margin(), n_candidates=40), classes=[0, 1, 2]).fit(
        X[:20], Y[:20]
    )
    twin = clone(learner)
    assert not hasattr(twin, "X_labeled_")
    assert repr(twin) == repr(learner)
    equal(twin.fit(X[:20], Y[:20]).query(X, 5), learner.query(X, 5))


@pytest.mark.parametrize("strategy", [Margin(), BADGE(), ExpectedErrorReduction(n_targets=5)])
def test_a_pickled_learner_goes_on_as_the_original(strategy):
    learner = make_learner(strategy).fit(X[:20], Y[:20])
    twin = pickle.loads(pickle.dumps(learner))
    equal(twin.query(X[140:], 3), learner.query(X[140:], 3))
    for each in (learner, twin):
        each.teach(X[20:30], Y[20:30])
    assert twin.predict_proba(X).tolist() == learner.predict_proba(X).tolist()
    equal(twin.query(X[140:], 3), learner.query(X[140:], 3))


def test_parameters_of_the_parts_can_be_set():
    learner = make_learner(
        Mixture([("uncertainty", Margin()), ("audit", Random())]), LogisticRegression()
    )
    selector = SoftmaxTop()
    learner.set_params(
        estimator__C=0.5, strategy__uncertainty__selector=selector, strategy__shares=[0.9, 0.1]
    )
    params = learner.get_params()
    assert params["estimator__C"] == 0.5
    assert params["strategy__uncertainty__selector"] is selector
    assert params["strategy__shares"] == [0.9, 0.1]
    learner.set_params(strategy__audit=KMeans())
    assert isinstance(learner.strategy.strategies[1][1], KMeans)


def test_a_strategy_set_on_a_fitted_learner_is_the_one_asked():
    learner = make_learner(Margin()).fit(X[:20], Y[:20])
    learner.set_params(strategy=Entropy())
    equal(learner.score_pool(X), make_learner(Entropy()).fit(X[:20], Y[:20]).score_pool(X))


class Sparse(ClassifierMixin, BaseEstimator):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.non_deterministic = True
        return tags


def test_tags_are_those_of_the_model():
    assert is_classifier(make_learner())
    assert not is_regressor(make_learner())
    assert is_regressor(make_learner(Random(), Ridge()))
    tags = get_tags(make_learner(model=Sparse()))
    assert tags.input_tags.sparse
    assert tags.non_deterministic
    assert tags.target_tags.required
    assert not get_tags(make_learner()).input_tags.sparse


def test_the_last_step_of_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), make_learner(model=LogisticRegression()))
    plain = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:40], Y[:40])
    equal(pipeline.fit(X[:40], Y[:40]).predict_proba(X), plain.predict_proba(X))
    equal(pipeline.classes_, [0, 1, 2])


def test_in_cross_validation_it_is_its_model():
    equal(cross_val_score(make_learner(), X, Y, cv=3), cross_val_score(GaussianNB(), X, Y, cv=3))


def test_a_regressor_is_taught_too():
    learner = make_learner(KCenterGreedy(), Ridge()).fit(X[:20], Y[:20] * 1.5)
    picked = learner.query(X[20:], 5)
    learner.teach(X[20:][picked], Y[20:][picked] * 1.5)
    rows = np.r_[np.arange(20), 20 + picked]
    equal(learner.predict(X), Ridge().fit(X[rows], Y[rows] * 1.5).predict(X))


COLD_NAMES = (
    "cold: Auto, ClusterBalanced, DiscriminativeAL, DOptimal, FacilityLocation, "
    "FacilityLocationMutualInformation, GSx, KCenterGreedy, KMeans, LCMD, LightweightCoreset, "
    "MaxHerding, ProbCover, Random, RobustKCenterGreedy, TypiClust, VOptimal."
)


def test_the_error_names_just_the_strategies_that_can_start_cold():
    with pytest.raises(NotFittedError, match=re.escape(COLD_NAMES) + "$"):
        ActiveLearner(GaussianNB(), Margin()).query(X)


def test_teach_without_labels_is_refused():
    learner = ActiveLearner(GaussianNB(), random_state=0).fit(X[:10], Y[:10])
    with pytest.raises(ValueError, match="got y=None"):
        learner.teach(X[10:12], None)
    assert len(learner.y_labeled_) == 10


@pytest.mark.no_cover
def test_a_query_seeds_what_it_fits_and_leaves_global_state_alone():
    pipeline = make_pipeline(TruncatedSVD(2, algorithm="randomized"), GaussianNB())
    cold = ActiveLearner(pipeline, KCenterGreedy())
    embedded = ActiveLearner(
        GaussianNB(), KCenterGreedy(), embedder=PCA(2, svd_solver="randomized")
    ).fit(X[:20], Y[:20])
    forest = RandomForestClassifier(15, max_depth=2)  # fewer might say the same of all rows
    ahead = ActiveLearner(forest, ExpectedErrorReduction(n_targets=5)).fit(X[:20], Y[:20])
    for learner in (cold, embedded, ahead):
        before = np.random.get_state(legacy=False)
        first = learner.query(X[20:32], 5)
        np.testing.assert_equal(np.random.get_state(legacy=False), before)
        np.testing.assert_array_equal(learner.query(X[20:32], 5), first)
