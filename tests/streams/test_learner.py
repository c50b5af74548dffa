"""StreamLearner: what it buys, learns and forgets, and what it leaves alone."""

import pickle
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skactive import ActiveLearner
from skactive.exceptions import (
    CapabilityError,
    SkactiveWarning,
    TeachError,
    TeachValueError,
    WaitingClassesWarning,
)
from skactive.strategies import (
    Entropy,
    KCenterGreedy,
    LeastConfidence,
    Margin,
    ScoreStrategy,
    TypiClust,
)
from skactive.streams import (
    DDM,
    DensityFilter,
    FixedUncertainty,
    PageHinkley,
    QuantileFilter,
    RandomPurchase,
    StreamLearner,
    VariableUncertainty,
)

X, Y = make_classification(1500, 8, class_sep=1.5, random_state=0)


class WithoutState:
    def update(self, x):
        pass


class Echo(BaseEstimator):
    """Predicts the last label that it was taught, whatever it is."""

    def fit(self, X, y):
        self.y_ = y
        return self

    partial_fit = fit

    def predict(self, X):
        return [self.y_[-1]] * len(X)


def sgd(strategy=None, **params):
    return ActiveLearner(
        SGDClassifier(loss="log_loss", random_state=0), strategy, incremental=True, **params
    )


def naive_bayes(strategy=None, **params):
    return ActiveLearner(GaussianNB(), strategy, **params)


def start(learner=None, *args, n=20, random_state=0, **params):
    learner = sgd() if learner is None else learner
    return StreamLearner(learner, *args, random_state=random_state, **params).fit(X[:n], Y[:n])


def run(stream, rows, y=Y, X=X):
    """Offer rows one by one and teach what is bought; return the rows that were bought."""
    bought = []
    for i in rows:
        if stream.offer(X[[i]]):
            bought.append(i)
            stream.teach(X[[i]], y[[i]])
    return bought


def state(stream):
    """All that a failed call must not change."""
    return (
        stream.n_offers_,
        stream.n_bought_,
        stream.n_taught_,
        stream.X_labeled_.tolist(),
        stream.y_labeled_.tolist(),
        stream.predict(X[:100]).tolist(),
        stream.predict_proba(X[:20]).tolist(),
        pickle.dumps(stream.buyer_),
    )


# Offers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy",
    [None, VariableUncertainty(), RandomPurchase(), DensityFilter()],
    ids=["default", "variable", "random", "density"],
)
def test_rows_offered_together_are_decided_as_one_by_one(policy):
    together, one_by_one = start(None, policy).offer(X[20:300]), start(None, policy)
    single = [one_by_one.offer(X[[i]]) for i in range(20, 300)]
    assert together.buy.tolist() == [offer.buy for offer in single]
    np.testing.assert_allclose(together.utility, [offer.utility for offer in single])
    np.testing.assert_allclose(together.threshold, [offer.threshold for offer in single])
    assert 0 < together.buy.sum() <= 28
    with pytest.raises(TypeError, match="280 rows"):
        bool(together)


@pytest.mark.parametrize("strategy", [Margin(), LeastConfidence(), Entropy()], ids=str)
def test_utilities_are_those_of_the_strategy(strategy):
    stream = start(sgd(strategy))
    expected = ActiveLearner(stream.learner_.estimator_, strategy, prefit=True).score_pool(X)
    np.testing.assert_allclose(stream.offer(X).utility, expected)
    run(stream, range(20, 200))
    expected = ActiveLearner(stream.learner_.estimator_, strategy, prefit=True).score_pool(X)
    np.testing.assert_allclose(stream.offer(X).utility, expected)


def test_a_learner_without_a_strategy_scores_by_margin():
    assert start(None).offer(X).utility.tolist() == start(sgd(Margin())).offer(X).utility.tolist()


def test_density_filter_reads_the_embedding():
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression())
    texts = ["a good film", "a bad film", "good good good", "bad bad bad"] * 5
    stream = StreamLearner(ActiveLearner(pipeline), DensityFilter(FixedUncertainty(0.0)), budget=1)
    offer = stream.fit(texts, [1, 0] * 10).offer(["good film", "bad film", "a film", "zebra"])
    assert offer.threshold.tolist() == [np.inf, 0.0, 0.0, np.inf]


def test_seeds_repeat_a_stream():
    bought = [
        run(start(None, RandomPurchase(), random_state=seed), range(300)) for seed in (3, 3, 4)
    ]
    assert bought[0] == bought[1] != bought[2]


def test_the_budget_holds_while_the_model_learns():
    stream = start(None, budget=0.05)
    assert len(run(stream, range(20, 520))) == stream.n_bought_
    assert 0.04 * 500 < stream.n_bought_ <= 0.05 * stream.n_offers_ == 25
    assert stream.n_taught_ == 20 + stream.n_bought_


# Lessons --------------------------------------------------------------------------------------


def test_incremental_lessons_are_those_of_partial_fit():
    stream = start()
    bought = run(stream, range(20, 250))
    model = SGDClassifier(loss="log_loss", random_state=0).partial_fit(X[:20], Y[:20], [0, 1])
    for i in bought:
        model.partial_fit(X[[i]], Y[[i]])
    np.testing.assert_allclose(stream.learner_.estimator_.coef_, model.coef_)
    assert stream.y_labeled_.tolist() == Y[[*range(20), *bought]].tolist()


@pytest.mark.parametrize("window", [None, 30, 5])
def test_refits_learn_from_the_window(window):
    stream = start(naive_bayes(), window=window)
    order = [*range(20), *run(stream, range(20, 300))]
    kept = order if window is None else order[-window:]
    np.testing.assert_array_equal(stream.X_labeled_, X[kept])
    model = GaussianNB().fit(X[kept], Y[kept])
    np.testing.assert_allclose(stream.predict_proba(X), model.predict_proba(X))


def test_a_lesson_longer_than_the_window_is_learned_whole():
    stream = start(naive_bayes(), window=30).teach(X[100:150], Y[100:150])
    np.testing.assert_array_equal(stream.X_labeled_, X[100:150])


def test_the_cost_of_a_lesson_does_not_grow():
    stream = start(window=40)
    for i in range(100, 200):
        stream.teach(X[[i]], Y[[i]])
    assert len(stream.learner_.X_labeled_) == 2  # the lesson, and one row to compare it with
    np.testing.assert_array_equal(stream.X_labeled_, X[160:200])


def test_strategies_that_read_labeled_rows_get_those_of_the_window():
    class Far(ScoreStrategy):
        """Scores rows by their distance to the labeled ones."""

        needs = frozenset({"embedding"})

        def score(self, pool):
            gaps = pool.embedding[:, None] - pool.labeled.embedding
            return np.linalg.norm(gaps, axis=2).min(axis=1)

    stream = start(sgd(Far()), window=25)
    for i in range(100, 130):
        stream.teach(X[[i]], Y[[i]])
    gaps = X[200:210, None] - X[105:130]
    expected = np.linalg.norm(gaps, axis=2).min(axis=1)
    np.testing.assert_allclose(stream.offer(X[200:210]).utility, expected)


@pytest.mark.parametrize("learner", [sgd(), naive_bayes()], ids=["incremental", "refit"])
def test_a_label_may_come_later_or_never(learner):
    stream = start(learner, RandomPurchase(), budget=0.2)
    bought = np.flatnonzero(stream.offer(X[20:520]).buy) + 20
    assert 0.17 * 500 < len(bought) <= 100
    late = bought[: len(bought) // 2]
    stream.teach(X[late], Y[late])
    assert (stream.n_offers_, stream.n_bought_) == (500, len(bought))
    assert stream.n_taught_ == 20 + len(late)
    more = stream.offer(X[520:]).buy.sum()
    assert stream.n_bought_ == len(bought) + more <= 0.2 * stream.n_offers_


def test_frames_and_lists_of_labels():
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    stream = StreamLearner(naive_bayes(), budget=1.0, random_state=0)
    stream.fit(frame[:20], Y[:20].tolist())
    assert stream.offer(frame[20:21])
    stream.teach(frame[20:21], [int(Y[20])])
    assert list(stream.X_labeled_.columns) == list(stream.feature_names_in_) == list("abcdefgh")
    with pytest.raises(ValueError, match="columns"):
        stream.offer(frame[20:21].rename(columns={"a": "z"}))
    assert stream.n_offers_ == 1


# Failures -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [X[0], X[:3, :5], X[:0], np.full((1, 8), np.nan), "text", None],
    ids=["vector", "features", "none", "nan", "text", "None"],
)
@pytest.mark.parametrize("learner", [sgd(), naive_bayes()], ids=["incremental", "refit"])
def test_refused_offers_count_nothing(learner, rows):
    stream = start(learner)
    run(stream, range(20, 60))
    before = state(stream)
    with pytest.raises((ValueError, TypeError)):
        stream.offer(rows)
    assert state(stream) == before
    stream.offer(X[[70]])


def test_utilities_of_another_scale_are_refused_before_any_is_counted():
    stream = start(ActiveLearner(LinearSVC()), VariableUncertainty())
    with pytest.raises(ValueError, match=r"must lie in 0 \.\. 1, got -"):
        stream.offer(X)
    assert stream.n_offers_ == 0
    assert start(ActiveLearner(LinearSVC()), QuantileFilter()).offer(X).buy.any()


@pytest.mark.parametrize(
    ("rows", "labels", "error"),
    [
        (X[:2], [0, 7], TeachError),
        (X[:2], [0], TeachValueError),
        (X[:2], [0, None], TeachValueError),
        (X[:2], None, TeachValueError),
        (X[:2, :4], [0, 1], TeachValueError),
        (X[0], [0], TeachValueError),
        (np.full((1, 8), np.nan), [0], TeachValueError),
    ],
    ids=["new class", "too few", "missing", "None", "features", "vector", "nan"],
)
def test_failed_lessons_change_nothing(rows, labels, error):
    stream = start(sgd(), drift=DDM())
    run(stream, range(20, 100))
    before = state(stream)
    with pytest.raises(error, match="as it was before, with"):
        stream.teach(rows, labels)
    assert state(stream) == before
    stream.teach(X[[100]], Y[[100]])


def test_a_new_class_is_learned_by_a_refit_and_advice_is_given_without_one():
    stream = start(naive_bayes()).teach(X[100:105], [7] * 5)
    assert stream.classes_.tolist() == [0, 1, 7]
    with pytest.raises(TeachError, match="declare all of them"):
        start().teach(X[100:105], [7] * 5)
    stream = start(sgd(classes=[0, 1, 7])).teach(X[100:105], [7] * 5)
    assert stream.classes_.tolist() == [0, 1, 7]


def test_a_failed_fit_leaves_the_stream():
    stream = start()
    run(stream, range(20, 60))
    before = state(stream)
    with pytest.raises(ValueError, match="y to be passed"):
        stream.fit(X, None)
    with pytest.raises(ValueError, match="at least 2 / budget"):
        stream.set_params(budget_window=5).fit(X, Y)
    assert state(stream) == before


def test_strategies_that_do_not_score_rows_are_refused():
    with pytest.raises(CapabilityError, match=r"scores each row, which TypiClust does not"):
        start(ActiveLearner(LogisticRegression(), TypiClust()))


def test_a_class_is_no_policy():
    with pytest.raises(TypeError, match=r"write QuantileFilter\(\)"):
        start(None, QuantileFilter)


def test_offers_need_a_fit():
    with pytest.raises(NotFittedError):
        StreamLearner(sgd()).offer(X[:1])
    assert StreamLearner(sgd()).teach(X[:20], Y[:20]).n_taught_ == 20


def test_a_stream_may_begin_with_one_class():
    rows = [*np.flatnonzero(Y == 0)[:10]]
    with pytest.warns(WaitingClassesWarning):
        stream = StreamLearner(ActiveLearner(LogisticRegression()), budget=0.5).fit(
            X[rows], Y[rows]
        )
    offer = stream.offer(X[:100])
    assert np.isnan(offer.utility).all()
    assert 45 < offer.buy.sum() <= 50
    stream.teach(X[:20], Y[:20])
    assert np.isfinite(stream.offer(X[:100]).utility).all()
    assert stream.y_labeled_.tolist() == [0] * 10 + Y[:20].tolist()


# Drift ----------------------------------------------------------------------------------------

FLIPPED = np.where(np.arange(1500) < 250, Y, 1 - Y)  # from row 250 on, classes have changed places
STREAM, LATER = range(100, 420), slice(420, 1500)


@pytest.mark.parametrize("detector", [PageHinkley(), DDM()], ids=["page", "ddm"])
@pytest.mark.parametrize("incremental", [False, True])
def test_a_drift_is_found_and_the_old_rows_are_forgotten(incremental, detector):
    learner, seen = naive_bayes(incremental=incremental), []
    watching = start(
        learner, RandomPurchase(), budget=0.4, drift=detector, n_recent=20, hooks=[seen.append]
    )
    plain = start(learner, RandomPurchase(), budget=0.4)
    for stream in (watching, plain):
        run(stream, STREAM, FLIPPED)
    assert watching.drifts_ == seen
    assert plain.drifts_ == []
    assert seen[0].n_kept == 20
    assert 150 <= seen[0].n_offers < 250
    scores = [stream.score(X[LATER], FLIPPED[LATER]) for stream in (watching, plain)]
    assert scores[0] > 0.75 > scores[1] + 0.1
    assert len(watching.y_labeled_) < watching.n_taught_ - 60


class Alarm:
    """Detects a drift in each lesson."""

    drift_detected = True

    def update(self, x):
        """Take an error."""


def test_classes_outlive_a_drift():
    stream = start(drift=Alarm(), n_recent=5).teach(X[Y == 0][:10], [0] * 10)
    assert stream.y_labeled_.tolist() == [0] * 5
    assert stream.classes_.tolist() == [0, 1]
    stream.teach(X[Y == 1][:10], [1] * 10)  # the class that the last rows did not have
    assert stream.classes_.tolist() == [0, 1]
    assert [drift.n_taught for drift in stream.drifts_] == [30, 40]


def test_failed_lessons_change_nothing_if_a_drift_is_found():
    stream = start(naive_bayes(classes=[0, 1]), drift=Alarm(), n_recent=5)
    before = state(stream)
    stream.set_params(learner=ActiveLearner(GaussianNB(priors=[2, 3])))
    with pytest.raises(TeachValueError, match="priors"):
        stream.teach(X[20:40], Y[20:40])
    assert state(stream) == before
    assert stream.drifts_ == []


def test_detectors_are_copied():
    detector = PageHinkley()
    stream = start(naive_bayes(), RandomPurchase(), budget=0.4, drift=detector)
    run(stream, STREAM, FLIPPED)
    assert stream.drifts_
    assert vars(detector) == vars(PageHinkley())
    again = clone(stream).fit(X[:20], Y[:20])
    run(again, STREAM, FLIPPED)
    assert again.drifts_ == stream.drifts_


def test_a_failing_hook_is_a_warning_and_the_others_are_called():
    seen = []
    hooks = [lambda drift: 1 / 0, seen.append]
    stream = start(naive_bayes(), RandomPurchase(), budget=0.4, drift=DDM(), hooks=hooks)
    with pytest.warns(SkactiveWarning, match="ZeroDivisionError"):
        run(stream, STREAM, FLIPPED)
    assert len(seen) == len(stream.drifts_) > 0


def test_detectors_of_river_find_drifts():
    drift = pytest.importorskip("river.drift")
    stream = start(naive_bayes(), RandomPurchase(), budget=0.4, drift=drift.ADWIN(), n_recent=20)
    run(stream, STREAM, FLIPPED)
    assert any(150 <= found.n_offers < 300 for found in stream.drifts_)
    assert stream.score(X[LATER], FLIPPED[LATER]) > 0.75


def test_regressors_are_watched_by_their_absolute_errors():
    class Size(ScoreStrategy):
        """Scores rows by the size of what is predicted."""

        needs = frozenset({"prediction"})

        def score(self, pool):
            return np.abs(pool.prediction)

    y = X[:, 0] * np.where(np.arange(1500) < 250, 1.0, -3.0)
    learner = ActiveLearner(Ridge(), Size())
    stream = StreamLearner(learner, budget=0.4, drift=PageHinkley(), n_recent=5, random_state=0)
    run(stream.fit(X[:20], y[:20]), STREAM, y)
    assert 150 <= stream.drifts_[0].n_offers < 200
    plain = StreamLearner(learner, budget=0.4, random_state=0).fit(X[:20], y[:20])
    run(plain, STREAM, y)
    assert stream.score(X[LATER], y[LATER]) > plain.score(X[LATER], y[LATER]) + 0.1


# scikit-learn ---------------------------------------------------------------------------------


def test_a_pickled_stream_goes_on_where_it_was():
    stream, other = (start(None, VariableUncertainty(), drift=DDM()) for _ in range(2))
    run(stream, range(20, 100))
    run(other, range(20, 100))
    other = pickle.loads(pickle.dumps(other))
    assert run(stream, range(100, 200)) == run(other, range(100, 200))


def test_the_learner_that_is_passed_does_not_change():
    learner = sgd()
    before = repr(learner)
    run(start(learner, QuantileFilter()), range(20, 100))
    assert repr(learner) == before
    assert not hasattr(learner, "estimator_")


def test_nothing_warns_along_the_way():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(start(naive_bayes(), window=50, drift=DDM()), range(20, 100))


# What is refused at `fit`, lessons without rows, labels of any kind ------------------------------


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"drift": PageHinkley}, TypeError, r"got the class PageHinkley: write PageHinkley\(\)"),
        ({"drift": PageHinkley(threshold=-1)}, ValueError, "threshold"),
        ({"drift": WithoutState()}, TypeError, "an attribute drift_detected"),
        ({"hooks": ["print"]}, TypeError, "hooks must be functions of a Drift, got 'print'"),
        ({"learner": sgd(prefit=True)}, ValueError, "set prefit=False"),
    ],
    ids=["class", "threshold", "attribute", "hook", "prefit"],
)
def test_what_would_fail_in_a_lesson_is_refused_at_fit(params, error, message):
    with pytest.raises(error, match=message):
        start(**params)


@pytest.mark.parametrize("learner", [sgd(), naive_bayes()], ids=["incremental", "refitted"])
def test_a_lesson_without_rows_changes_nothing(learner):
    stream = start(learner, budget=0.01)
    offer = stream.offer(X[20:25])
    assert not offer.buy.any()
    before = state(stream)
    assert stream.teach(X[20:25][offer.buy], Y[20:25][offer.buy]) is stream
    assert state(stream) == before


LABELS = {
    "tags": [["N"] * (i % 3) for i in range(40)],
    "boxes": [np.full((i % 3, 5), 0.5) for i in range(40)],
    "maps": np.zeros((40, 2, 2), dtype=int),
    "dicts": [{"name": i % 3} for i in range(40)],
    "texts": ["word " * (i % 3) for i in range(40)],
}
PLAIN = {"maps", "texts"}  # held in an array


@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_kind_are_learned_from_a_stream(kind, incremental):
    y = LABELS[kind]
    learner = ActiveLearner(Echo(), KCenterGreedy(), incremental=incremental)
    stream = StreamLearner(learner, budget=1.0, drift=DDM(), window=8, random_state=0)
    stream.fit(X[:10], y[:10])
    for i in range(10, 40):
        assert stream.offer(X[[i]])
        stream.teach(X[[i]], y[i : i + 1])
    np.testing.assert_equal(list(stream.y_labeled_), list(y[32:]))
    assert type(stream.learner_.estimator_.y_) is (np.ndarray if kind in PLAIN else list)


def test_threads_that_offer_and_teach_at_once_lose_no_count():
    stream = start(naive_bayes(incremental=True), RandomPurchase(), budget=0.5)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda rows: run(stream, rows), np.split(np.arange(400), 8)))
    finally:
        sys.setswitchinterval(interval)
    assert stream.n_offers_ == 400
    assert stream.n_bought_ == stream.n_taught_ - 20 == len(stream.y_labeled_) - 20 <= 200


def test_a_hook_may_offer_and_teach():
    offers = []
    stream = start(
        drift=PageHinkley(threshold=0.1, n_min=1),
        hooks=[lambda drift: offers.append(stream.offer(X[[0]]))],
    )
    stream.teach(X[20:60], np.where(np.arange(40) < 20, Y[20:60], 1 - Y[20:60]))
    assert len(offers) == len(stream.drifts_) == 1
