"""Expected error reduction against hand-written loops, by refits and by re-weighted draws."""

import re
from itertools import combinations
from math import log

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import spearmanr
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris, make_blobs
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearner
from skactive.adapters import _naive_bayes
from skactive.exceptions import CapabilityError, PoolTooLargeError
from skactive.strategies import EPIG, ExpectedErrorReduction, _cost, _lookahead, _softmax_layer
from skactive.testing import FakePool, parametrize_with_strategy_checks

both_losses = pytest.mark.parametrize("loss", ["log_loss", "zero_one"])


def expected_loss(proba, loss):
    """Loss that a model expects of itself on some rows, on average."""
    if loss == "zero_one":
        return np.mean([1 - max(p) for p in proba])
    return np.mean([-sum(v * log(v) for v in p if v > 0) for p in proba])


def fit_futures(model, X, y, pool):
    """Models by the definition: fit once more for each row of the pool and each label."""
    return [
        [clone(model).fit(np.vstack([X, row]), [*y, label]) for label in np.unique(y)]
        for row in pool
    ]


def expect_losses(model, futures, pool, targets, loss):
    """Scores by the definition: the loss of each future model, by the present probabilities."""
    losses = [
        [expected_loss(future.predict_proba(targets), loss) for future in row] for row in futures
    ]
    return -(model.predict_proba(pool) * losses).sum(axis=1)


def naive_refits(model, X, y, pool, loss):
    """Scores of all rows, for the whole pool."""
    futures = fit_futures(model, X, y, pool)
    return expect_losses(clone(model).fit(X, y), futures, pool, pool, loss)


def score_by_subset(model, X, y, pool, loss):
    """Scores of all rows, for each two targets of the pool."""
    futures, fitted = fit_futures(model, X, y, pool), clone(model).fit(X, y)
    subsets = map(list, combinations(range(len(pool)), 2))
    return [expect_losses(fitted, futures, pool, pool[subset], loss) for subset in subsets]


def naive_reweighting(samples, loss, targets=None):
    """Scores by the definition: weights of the draws for each row and each label."""
    n_draws, n_rows, n_classes = samples.shape
    targets = range(n_rows) if targets is None else targets
    scores = []
    for i in range(n_rows):
        expected = 0.0
        for label in range(n_classes):
            likelihood = [samples[s, i, label] for s in range(n_draws)]
            if sum(likelihood) == 0:
                continue
            weights = [value / sum(likelihood) for value in likelihood]
            future = [sum(w * samples[s, t] for s, w in enumerate(weights)) for t in targets]
            expected += np.mean(likelihood) * expected_loss(future, loss)
        scores.append(-expected)
    return np.array(scores)


class Counting(ClassifierMixin, BaseEstimator):
    """Predicts for every row how often each class was among the labels."""

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.share_ = counts / counts.sum()
        return self

    def predict_proba(self, X):
        return np.tile(self.share_, (len(X), 1))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


# -- by refits ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "expected"), [("log_loss", 0.543554734405955), ("zero_one", 0.25)]
)
def test_published_value(loss, expected):
    learner = ActiveLearner(Counting(), ExpectedErrorReduction(loss=loss))
    learner.fit(np.zeros((4, 1)), ["a", "a", "a", "b"])
    assert_allclose(learner.score_pool(np.zeros((1, 1))), [-expected], rtol=1e-12)


@pytest.mark.no_cover
@both_losses
@pytest.mark.parametrize(
    ("model", "names"),
    [
        (GaussianNB(), [0, 1, 2]),
        (GaussianNB(), [-3, 1, 5]),
        (GaussianNB(), np.array(["x", "yy", "z"], dtype=object)),
        (LogisticRegression(), ["one", "two", "a third"]),
    ],
    ids=["numbers", "negative", "objects", "texts"],
)
def test_refits_are_the_hand_written_loop(loss, model, names):
    X, y = load_iris(return_X_y=True)
    X, y, pool = X[::10], np.asarray(names)[y[::10]], X[3::25]
    learner = ActiveLearner(model, ExpectedErrorReduction(loss=loss), random_state=0).fit(X, y)
    expected = naive_refits(model, X, y, pool, loss)
    assert_allclose(learner.score_pool(pool), expected, rtol=1e-9)
    assert_array_equal(learner.query(pool, 2), np.argsort(-expected)[:2])


def test_two_labels_of_either_sign_stay_two():
    X, y = make_blobs(30, centers=2, cluster_std=4, random_state=0)
    y = 2 * y - 1
    learner = ActiveLearner(GaussianNB(), ExpectedErrorReduction(), random_state=0)
    expected = naive_refits(GaussianNB(), X[:12], y[:12], X[12:], "log_loss")
    assert_allclose(learner.fit(X[:12], y[:12]).score_pool(X[12:]), expected, rtol=1e-9)
    assert_array_equal(learner.classes_, [-1, 1])


@both_losses
def test_targets_are_drawn_from_the_pool_as_many_as_asked(loss):
    X, y = load_iris(return_X_y=True)
    X = X[:, :2]  # in which the classes overlap, so that no two rows tie
    X, y, pool = X[::10], y[::10], X[3::37]
    by_subset = score_by_subset(GaussianNB(), X, y, pool, loss)
    met = set()
    for seed in range(12):
        strategy = ExpectedErrorReduction(loss=loss, n_targets=2)
        learner = ActiveLearner(GaussianNB(), strategy, random_state=seed).fit(X, y)
        scores = learner.score_pool(pool)
        fits = [number for number, wanted in enumerate(by_subset) if np.allclose(scores, wanted)]
        assert len(fits) == 1
        met.update(fits)
    assert len(met) > 2


def test_a_class_of_no_probability_is_not_imagined():
    X, y = load_iris(return_X_y=True)
    asked = []

    class Spy(DecisionTreeClassifier):
        def fit(self, X, y, **params):
            asked.append(len(y))
            return super().fit(X, y, **params)

    tree = Spy(random_state=0)
    learner = ActiveLearner(tree, ExpectedErrorReduction(), random_state=0).fit(X[::10], y[::10])
    asked.clear()
    learner.score_pool(X[3::30])
    assert asked == [16] * 5  # one fit a row: its one class of probability 1


def test_the_learner_is_not_changed_by_what_it_imagines():
    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(GaussianNB(), ExpectedErrorReduction(), random_state=0)
    learner.fit(X[::10], y[::10])
    model, before = learner.estimator_, learner.predict_proba(X)
    learner.query(X[3::30], 2)
    assert learner.estimator_ is model
    assert_array_equal(learner.predict_proba(X), before)
    assert len(learner.y_labeled_) == len(learner.X_labeled_) == 15


def test_imagined_rows_have_weight_one_beside_those_of_the_labels():
    X, y = load_iris(return_X_y=True)
    X, y, pool = X[::10], y[::10], X[3::37]
    weight = np.linspace(0.5, 3, len(y))
    learner = ActiveLearner(GaussianNB(), ExpectedErrorReduction(), random_state=0)
    learner.fit(X, y, sample_weight=weight)
    expected = []
    for row, proba in zip(pool, learner.predict_proba(pool), strict=True):
        futures = [
            GaussianNB().fit(np.vstack([X, row]), [*y, label], sample_weight=[*weight, 1.0])
            for label in range(3)
        ]
        losses = [expected_loss(future.predict_proba(pool), "log_loss") for future in futures]
        expected.append(-proba @ losses)
    assert_allclose(learner.score_pool(pool), expected, rtol=1e-9)


@pytest.mark.parametrize("container", [list, pd.Series], ids=["list", "series"])
def test_labels_in_other_containers(container):
    X, y = load_iris(return_X_y=True)
    X, y, pool = X[::10], np.array(["a", "b", "c"])[y[::10]], X[3::37]
    learner = ActiveLearner(GaussianNB(), ExpectedErrorReduction(), random_state=0)
    learner.fit(X, container(y.tolist()))
    expected = naive_refits(GaussianNB(), X, y, pool, "log_loss")
    assert_allclose(learner.score_pool(pool), expected, rtol=1e-9)


def test_rows_in_a_frame():
    X, y = load_iris(return_X_y=True, as_frame=True)
    learner = ActiveLearner(GaussianNB(), ExpectedErrorReduction(), random_state=0)
    learner.fit(X[::10], y[::10].to_numpy())
    arrays = X[::10].to_numpy(), y[::10].to_numpy(), X[3::37].to_numpy()
    expected = naive_refits(GaussianNB(), *arrays, "log_loss")
    assert_allclose(learner.score_pool(X[3::37]), expected, rtol=1e-9)


def test_an_incremental_learner_imagines_by_partial_fits():
    X, y = load_iris(return_X_y=True)
    X, y, pool = X[::10], y[::10], X[3::37]
    model = GaussianNB()
    learner = ActiveLearner(model, ExpectedErrorReduction(), incremental=True, random_state=0)
    expected = naive_refits(model, X, y, pool, "log_loss")  # near: naive Bayes is exact either way
    assert_allclose(learner.fit(X, y).score_pool(pool), expected, rtol=1e-4)


# -- in closed form ----------------------------------------------------------------------------


@pytest.fixture
def fits(monkeypatch):
    """The sizes of the sets that naive Bayes is fitted to."""
    sizes, fit = [], GaussianNB.fit
    monkeypatch.setattr(
        GaussianNB,
        "fit",
        lambda self, X, y, **rest: sizes.append(len(y)) or fit(self, X, y, **rest),
    )
    return sizes


@pytest.mark.no_cover
@both_losses
@pytest.mark.parametrize("n_targets", [None, 40])
def test_naive_bayes_is_not_refitted(loss, n_targets, fits):
    X, y = make_blobs(90, centers=3, cluster_std=4, random_state=0)
    X, y, pool = X[:30], y[:30], X[30:]
    strategy = ExpectedErrorReduction(loss=loss, n_targets=n_targets)
    learner = ActiveLearner(GaussianNB(), strategy, random_state=0).fit(X, y)
    fits.clear()
    scores = learner.score_pool(pool)
    assert fits == []
    learner.estimator = make_pipeline(StandardScaler(with_mean=False, with_std=False), GaussianNB())
    expected = learner.fit(X, y).score_pool(pool)
    assert fits.count(31) == 60 * 3  # behind a scaler, which a label may change, it is
    assert_allclose(scores, expected, rtol=1e-11)


@pytest.mark.parametrize(
    ("params", "weights"),
    [({"incremental": True}, {}), ({"classes": [0, 1, 2, 3]}, {}), ({}, {"sample_weight": 2.0})],
    ids=["incremental", "classes", "weights"],
)
def test_naive_bayes_that_is_taught_in_another_way_is_refitted(params, weights, fits, monkeypatch):
    X, y = make_blobs(50, centers=3, cluster_std=4, random_state=0)
    monkeypatch.setattr(_naive_bayes.NaiveBayesAdapter, "fantasized_logits", None)  # not called
    learner = ActiveLearner(GaussianNB(), ExpectedErrorReduction(), random_state=0, **params)
    learner.fit(X[:30], y[:30], **{name: np.full(30, value) for name, value in weights.items()})
    fits.clear()
    assert np.isfinite(learner.score_pool(X[30:])).all()
    assert len(fits) == (0 if "incremental" in params else 60)


def test_a_prefit_naive_bayes_is_imagined_on_the_labeled_rows():
    X, y = make_blobs(80, centers=3, cluster_std=4, random_state=0)
    model = GaussianNB().fit(X[50:], y[50:])
    learner = ActiveLearner(model, ExpectedErrorReduction(), prefit=True, random_state=0)
    learner.fit(X[:12], y[:12])
    refits = [
        [GaussianNB().fit([*X[:12], row], [*y[:12], label]) for label in range(3)]
        for row in X[12:30]
    ]
    losses = [
        [expected_loss(future.predict_proba(X[12:30]), "log_loss") for future in futures]
        for futures in refits
    ]
    expected = -(model.predict_proba(X[12:30]) * losses).sum(axis=1)
    assert_allclose(learner.score_pool(X[12:30]), expected, rtol=1e-11)


def test_a_pool_with_too_many_pairs_is_refused_before_the_work():
    learner = ActiveLearner(GaussianNB(), ExpectedErrorReduction(), random_state=0)
    learner.fit(np.arange(8.0).reshape(4, 2), [0, 1, 0, 1])
    with pytest.raises(PoolTooLargeError, match=r"60000 rows x 60000 targets.* or set n_targets="):
        learner.query(np.random.default_rng(0).normal(size=(60_000, 2)))


# -- by re-weighted draws ----------------------------------------------------------------------


@both_losses
@pytest.mark.parametrize("n_samples", [None, 3])
def test_reweighting_is_the_naive_loop(loss, n_samples):
    pool = FakePool(12, n_classes=3, n_draws=6)
    strategy = ExpectedErrorReduction(loss=loss, approximation="reweight", n_samples=n_samples)
    expected = naive_reweighting(pool.proba_samples()[:n_samples], loss)
    assert_allclose(strategy.score(pool), expected, rtol=1e-10)


@both_losses
def test_reweighting_on_targets_drawn_from_the_pool(loss):
    pool = FakePool(6, n_draws=5)
    samples = pool.proba_samples()
    by_subset = [naive_reweighting(samples, loss, subset) for subset in combinations(range(6), 2)]
    met = set()
    for seed in range(60):
        strategy = ExpectedErrorReduction(loss=loss, approximation="reweight", n_targets=2)
        scores = strategy.score(pool.reordered(np.arange(6), query_seed=seed))
        fits = [number for number, wanted in enumerate(by_subset) if np.allclose(scores, wanted)]
        assert len(fits) == 1
        met.update(fits)
    assert len(met) > 10


@both_losses
def test_blocks_do_not_change_the_scores(loss):
    strategy = ExpectedErrorReduction(loss=loss, approximation="reweight")
    expected = strategy.score(FakePool(40))
    for working_memory in (1e-6, 0.02, 0.1):
        with config_context(working_memory=working_memory):
            assert_allclose(strategy.score(FakePool(40)), expected, rtol=1e-12)


def test_reweighting_with_a_class_that_no_draw_allows():
    samples = FakePool(10, n_classes=2).proba_samples()
    wide = np.concatenate([samples, np.zeros((8, 10, 1))], axis=2)
    strategy = ExpectedErrorReduction(approximation="reweight")
    expected = naive_reweighting(samples, "log_loss")
    assert_allclose(strategy.score(FakePool(proba_samples=wide)), expected, rtol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_epig_is_the_fall_of_the_expected_log_loss(seed):
    pool = FakePool(15, n_draws=6, seed=seed)
    prior = expected_loss(pool.proba_samples().mean(axis=0), "log_loss")
    after = -ExpectedErrorReduction(approximation="reweight").score(pool)
    assert_allclose(EPIG(n_targets=15).score(pool), prior - after, atol=1e-12)


@both_losses
def test_reweighting_ranks_much_like_refitting(loss):
    X, y = make_blobs(40, centers=2, cluster_std=3, random_state=0)  # two blobs that overlap
    one = LogisticRegression()
    scores = []
    many = BaggingClassifier(one, 25, random_state=0)
    for approximation, model in ((None, one), ("reweight", many)):
        strategy = ExpectedErrorReduction(loss=loss, approximation=approximation)
        learner = ActiveLearner(model, strategy, random_state=0).fit(X[:15], y[:15])
        scores.append(learner.score_pool(X[15:]))
    assert spearmanr(*scores).statistic > 0.5


# -- by Newton steps ---------------------------------------------------------------------------


def score_rows(model, X, y, pool, **params):
    learner = ActiveLearner(model, ExpectedErrorReduction(**params), random_state=0)
    return learner.fit(X, y).score_pool(pool)


@pytest.mark.no_cover
@both_losses
@pytest.mark.parametrize(
    ("n_classes", "n_labeled", "C"), [(3, 30, 1.0), (3, 60, 0.1), (2, 30, 1.0)]
)
def test_steps_rank_as_refits_do(loss, n_classes, n_labeled, C):
    X, y = make_blobs(n_labeled + 30, centers=n_classes, cluster_std=3, random_state=0)
    X, y, pool = X[:n_labeled], y[:n_labeled], X[n_labeled:]
    model = LogisticRegression(C=C, max_iter=1000, tol=1e-6)
    expected = naive_refits(model, X, y, pool, loss)
    scores = score_rows(model, X, y, pool, loss=loss, approximation="newton", ridge=1 / C)
    assert spearmanr(scores, expected).statistic > 0.98
    assert_allclose(scores, expected, atol=0.05 * np.ptp(expected))


@pytest.mark.no_cover
@both_losses
@pytest.mark.parametrize("n_classes", [2, 3])
def test_many_steps_are_the_refits(loss, n_classes, monkeypatch):
    monkeypatch.setattr(_softmax_layer, "_N_STEPS", 60)
    X, y = load_iris(return_X_y=True)
    X, y = X[y >= 3 - n_classes], y[y >= 3 - n_classes]
    X, y, pool = X[::10], y[::10], X[3::12]
    model = LogisticRegression(C=0.5, max_iter=5000, tol=1e-10)
    expected = naive_refits(model, X, y, pool, loss)
    scores = score_rows(model, X, y, pool, loss=loss, approximation="newton", ridge=2.0)
    assert_allclose(scores, expected, atol=2e-5)
    wrong = score_rows(model, X, y, pool, loss=loss, approximation="newton", ridge=0.5)
    assert np.abs(wrong - expected).max() > 1e-4


@pytest.mark.no_cover
def test_steps_on_targets_drawn_from_the_pool():
    X, y = load_iris(return_X_y=True)
    X, y, pool = X[::10], y[::10], X[3::37]
    model = LogisticRegression(solver="newton-cholesky", tol=1e-6)
    by_subset = score_by_subset(model, X, y, pool, "log_loss")
    scores = score_rows(model, X, y, pool, approximation="newton", n_targets=2)
    errors = [np.abs(scores - expected).max() for expected in by_subset]
    assert sorted(errors)[0] < 3e-3 < sorted(errors)[1]


def test_steps_on_sparse_rows_and_behind_transformers():
    X, y = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(with_mean=False), LogisticRegression(max_iter=1000))
    dense = score_rows(model, X[::10], y[::10], X[3::12], approximation="newton")
    thin = sparse.csr_array(X)
    spread = score_rows(model, thin[::10], y[::10], thin[3::12], approximation="newton")
    assert_allclose(spread, dense, rtol=1e-6)
    Z = StandardScaler(with_mean=False).fit(X[::10]).transform(X)
    bare = score_rows(model[-1], Z[::10], y[::10], Z[3::12], approximation="newton")
    assert_allclose(bare, dense, rtol=1e-6)


@both_losses
def test_blocks_do_not_change_the_steps(loss, monkeypatch):
    strategy = ExpectedErrorReduction(loss=loss, approximation="newton")
    expected = strategy.score(FakePool(40))
    monkeypatch.setattr(_lookahead, "_FUTURES_BLOCK_BYTES", 1)
    assert_allclose(strategy.score(FakePool(40)), expected, rtol=1e-9)


def test_steps_of_a_layer_that_is_too_wide():
    pool = FakePool(10, n_classes=3, n_dims=2000)
    with pytest.raises(CapabilityError, match="3 classes x 2001 inputs"):
        ExpectedErrorReduction(approximation="newton").score(pool)


@pytest.mark.parametrize("approximation", [None, "newton", "reweight"])
def test_a_pool_that_would_take_hours_is_refused(approximation, monkeypatch):
    monkeypatch.setattr(_lookahead, "_MAX_FUTURES", 10**8)  # as 40,000 rows and 1e10
    strategy = ExpectedErrorReduction(approximation=approximation, max_seconds=0.1)
    with pytest.raises(PoolTooLargeError, match=r"Subsample or Prefilter.*, or set") as raised:
        strategy.score(FakePool(4_000, n_draws=2))
    assert isinstance(raised.value, ValueError)
    if approximation is not None:  # few targets are no trouble
        few = ExpectedErrorReduction(approximation=approximation, n_targets=2)
        assert few.score(FakePool(4_000, n_draws=2)).shape == (4_000,)


def test_newton_steps_that_would_take_hours_are_refused(monkeypatch):
    monkeypatch.setattr(_lookahead, "_MAX_NEWTON_WORK", 10**9)
    few = ExpectedErrorReduction(approximation="newton", n_targets=2)
    pool = FakePool(500, n_dims=60, n_classes=10, n_labeled=50)
    with pytest.raises(PoolTooLargeError, match=r"Newton steps for 500 rows.*Subsample"):
        few.score(pool)
    assert few.score(pool.take(slice(0, 3))).shape == (3,)


@pytest.mark.no_cover
@parametrize_with_strategy_checks(
    [
        ExpectedErrorReduction(approximation="newton"),
        ExpectedErrorReduction(approximation="newton", loss="zero_one", n_targets=10),
        ExpectedErrorReduction(approximation="reweight"),
    ]
)
def test_checks(strategy, check):
    check(strategy)


# -- the cost of refits ------------------------------------------------------------------------


class Clock:
    """Stands still but for the seconds that each refit takes, one after the other."""

    def __init__(self, *seconds):
        self.now, self.seconds, self.n_refits = 0.0, seconds, 0

    def __call__(self):
        return self.now

    def refit(self, fantasize):
        def timed(*args):
            self.now += self.seconds[min(self.n_refits, len(self.seconds) - 1)]
            self.n_refits += 1
            return fantasize(*args)

        return timed


def score_timed(monkeypatch, *seconds, n_rows=400, **params):
    """Score a pool of 400 rows and 3 classes, 1200 refits, which take so many seconds each."""
    clock, pool = Clock(*seconds), FakePool(n_rows)
    monkeypatch.setattr(_cost, "perf_counter", clock)
    pool.fantasize = clock.refit(pool.fantasize)
    try:
        return ExpectedErrorReduction(n_targets=2, **params).score(pool), clock
    except PoolTooLargeError as error:
        return error, clock


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ((0.9,), "about 18 minutes for this pool: 1,200 refits of 0.9 s, .*n_candidates=222 "),
        ((40.0,), "about 13 hours .*of 40 s.*n_candidates=5 "),
        ((0.5001,), "about 10 minutes"),
        ((3600.0,), "about 50 days.* Not even one row fits"),
    ],
)
def test_refits_that_would_take_too_long_are_refused_with_an_estimate(monkeypatch, seconds, words):
    error, clock = score_timed(monkeypatch, *seconds)
    assert re.search(words, str(error)), error
    assert clock.n_refits == (1 if seconds[0] > 5 else 3)


def test_a_slow_first_refit_does_not_count(monkeypatch):
    scores, clock = score_timed(monkeypatch, 4.0, 0.001)
    assert clock.n_refits == 1200
    fast, _ = score_timed(monkeypatch, 1e-9)
    assert_array_equal(scores, fast)  # the time changes nothing


def test_the_number_of_candidates_in_the_message_fits_the_limit(monkeypatch):
    error, _ = score_timed(monkeypatch, 0.9)
    n_candidates = int(re.search(r"n_candidates=(\d+)", str(error))[1])
    assert isinstance(score_timed(monkeypatch, 0.9, n_rows=n_candidates)[0], np.ndarray)
    error, _ = score_timed(monkeypatch, 0.9, n_rows=n_candidates + 1)
    assert isinstance(error, PoolTooLargeError)
    scores, _ = score_timed(monkeypatch, 0.9, max_seconds=1081)
    assert len(scores) == 400


def test_without_a_limit_it_goes_on_with_a_progress_bar(monkeypatch, capsys):
    limited, _ = score_timed(monkeypatch, 1e-9)
    scores, clock = score_timed(monkeypatch, 3600.0, max_seconds=None)
    assert clock.n_refits == 1200
    assert_array_equal(scores, limited)
    assert "ExpectedErrorReduction" in capsys.readouterr().err


# -- what it needs -----------------------------------------------------------------------------


def test_what_it_needs_is_said_at_fit():
    X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    with pytest.raises(CapabilityError, match="needs joint_samples"):
        ActiveLearner(GaussianNB(), ExpectedErrorReduction(approximation="reweight")).fit(X, y)
    with pytest.raises(CapabilityError, match="gradient_factors"):
        ActiveLearner(LinearSVC(), ExpectedErrorReduction(approximation="newton")).fit(X, y)
    with pytest.raises(ValueError, match="'approximation' parameter"):
        ActiveLearner(GaussianNB(), ExpectedErrorReduction(approximation="guess")).fit(X, y)
    with pytest.raises(CapabilityError, match="needs proba"):
        ActiveLearner(SGDClassifier(), ExpectedErrorReduction()).fit(X, y)
    with pytest.raises(ValueError, match="'loss' parameter"):
        ActiveLearner(GaussianNB(), ExpectedErrorReduction(loss="hinge")).fit(X, y)
