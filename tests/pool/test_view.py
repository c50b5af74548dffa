"""PoolView: each reading is computed once, on the right rows, checked, and reused by views."""

import tracemalloc
from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, scale

from skactive import ActiveLearner
from skactive.adapters import ModelAdapter, adapt
from skactive.exceptions import CapabilityError, InvalidReadingError
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource
from skactive.strategies import ScoreStrategy
from skactive.testing import FakePool

IRIS, SPECIES = load_iris(return_X_y=True)
ORDER = np.random.RandomState(0).permutation(150)
IRIS, SPECIES = scale(IRIS)[ORDER], SPECIES[ORDER]
NAMES = np.array(["virginica", "ant", "setosa"])[SPECIES]
MODEL = LogisticRegression(max_iter=1000)

N = 12
ROWS = np.column_stack([np.arange(N), np.ones(N)])  # a row's first feature is its number
SAMPLES = np.random.RandomState(0).dirichlet(np.ones(3), size=(5, N))
TABLES = {
    "proba": SAMPLES.mean(axis=0),
    "decision": np.random.RandomState(1).normal(size=(N, 3)),
    "embedding": ROWS * 10,
    "proba_samples": SAMPLES,
}
READINGS = ["proba", "decision", "embedding", "gradient_factors", "proba_samples"]


class Spy(ModelAdapter):
    """Reads random tables and records the numbers of the rows that each method got."""

    joint_samples = True

    def __init__(self, proba=TABLES["proba"], classes=(0, 1, 2)):
        super().__init__(SimpleNamespace(classes_=np.asarray(classes)))
        self.table, self.seen = proba, defaultdict(list)

    def _look(self, method, Z):
        numbers = Z[:, 0].astype(int) // 10
        self.seen[method].append(numbers.tolist())
        return numbers

    def provides(self, reading):
        return reading != "fantasize"

    def prepare(self, X):
        self._look("prepare", X * 10)
        return X * 10

    def proba(self, Z):
        return self.table[self._look("proba", Z)]

    def decision(self, Z):
        return TABLES["decision"][self._look("decision", Z)]

    def features(self, Z):
        self._look("features", Z)
        return Z

    def proba_samples(self, Z, n_samples, seed):
        return SAMPLES[:n_samples, self._look("proba_samples", Z)]


class Says(ModelAdapter):
    """Returns a fixed answer."""

    def __init__(self, answer, classes=None):
        super().__init__(SimpleNamespace(classes_=classes))
        self.answer = answer

    def provides(self, reading):
        return True

    def proba(self, Z):
        return self.answer

    decision = features = proba

    def proba_samples(self, Z, n_samples, seed):
        return self.answer


class Fixed(Says):
    fixed_columns = True


def make_spied_pool(**source):
    spy = Spy()
    return spy, PoolView(ROWS, ReadingSource(spy, **source))


def read(pool, reading):
    return pool.proba_samples() if reading == "proba_samples" else getattr(pool, reading)


def look_up(reading, rows):
    """Look up a reading of rows in the tables, by definition."""
    if reading == "proba_samples":
        return SAMPLES[:, rows]
    if reading != "gradient_factors":
        return TABLES[reading][rows]
    winners = np.eye(3)[TABLES["proba"][rows].argmax(axis=1)]
    return TABLES["proba"][rows] - winners, TABLES["embedding"][rows]


def assert_reads(pool, reading, rows):
    found, wanted = read(pool, reading), look_up(reading, rows)
    pairs = zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]
    for one, other in pairs:
        assert_array_equal(one, other)


# Each reading once, reused by views -------------------------------------------------------------


@pytest.mark.parametrize("reading", READINGS)
def test_reading_is_made_once_and_kept(reading):
    spy, pool = make_spied_pool()
    assert_reads(pool, reading, np.arange(N))
    assert read(pool, reading) is read(pool, reading)
    assert all(calls == [list(range(N))] for calls in spy.seen.values())


def test_all_readings_share_one_preparation():
    spy, pool = make_spied_pool()
    for reading in READINGS:
        read(pool, reading)
    assert len(spy.seen["prepare"]) == len(spy.seen["proba"]) == 1


@pytest.mark.parametrize("reading", READINGS)
def test_views_of_views_cut_what_is_known(reading):
    spy, pool = make_spied_pool()
    read(pool, reading)
    calls = {method: len(seen) for method, seen in spy.seen.items()}
    child = pool.take(np.array([7, 2, 9, 4, 0]))
    assert_reads(child.take(slice(1, 4)), reading, [2, 9, 4])
    assert_reads(child.take(slice(None, None, -2)), reading, [0, 9, 7])
    assert_reads(pool.take(slice(3, None)).take([8, 0, 0]), reading, [11, 3, 3])
    assert_reads(pool.take(slice(-4, -1)).take([0, 2]).take([1]), reading, [10])
    assert {method: len(seen) for method, seen in spy.seen.items()} == calls


@pytest.mark.parametrize("reading", READINGS)
def test_view_taken_before_the_reading_asks_about_its_own_rows_only(reading):
    spy, pool = make_spied_pool()
    child = pool.take(np.array([5, 3])).take(np.array([1]))
    assert_reads(child, reading, [3])
    assert all(calls == [[3]] for calls in spy.seen.values())
    assert_reads(pool, reading, np.arange(N))  # and the whole pool is still to be asked


def test_a_part_of_a_part_copies_its_own_rows_of_a_reading_only():
    pool = PoolView(np.ones((20_000, 20)), ReadingSource(adapt(GaussianNB()), fitted=False))
    assert pool.embedding.nbytes == 3_200_000
    part = pool.take(np.arange(1, 20_000, 2))
    tracemalloc.start()
    try:
        assert part.take(slice(0, 30)).embedding.shape == (30, 20)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_view_taken_first_uses_what_the_parent_learns_later():
    spy, pool = make_spied_pool()
    child = pool.take([4, 1])
    read(pool, "proba")
    assert_reads(child, "proba", [4, 1])
    assert len(spy.seen["proba"]) == 1


def test_draws_are_kept_by_their_number():
    spy, pool = make_spied_pool()
    assert pool.proba_samples(2).shape == (2, N, 3)
    assert pool.take([1, 6]).proba_samples(2).shape == (2, 2, 3)
    assert pool.proba_samples().shape == (5, N, 3)
    assert len(spy.seen["proba_samples"]) == 2


def test_gradient_factors_use_the_probabilities_that_are_known_and_leave_them_alone():
    spy, pool = make_spied_pool()
    before = pool.proba.copy()
    factors, _ = pool.gradient_factors
    assert_allclose(factors.sum(axis=1), 0.0, atol=1e-12)
    assert_array_equal(pool.proba, before)
    assert len(spy.seen["proba"]) == 1


def test_labeled_rows_are_read_as_rows_of_their_own():
    y = np.array(["x", "y"])
    spy, pool = make_spied_pool(X_labeled=ROWS[[6, 8]], y_labeled=y)
    assert_reads(pool.labeled, "embedding", [6, 8])
    assert_array_equal(pool.labeled.y, y)
    assert_array_equal(pool.labeled.take([1]).y, ["y"])
    assert pool.labeled is pool.labeled
    assert pool.y is None
    assert spy.seen["features"] == [[6, 8]]


def test_views_read_the_labeled_rows_once_together():
    spy, pool = make_spied_pool(X_labeled=ROWS[:2], y_labeled=np.array([0, 1]))
    for chunk in (slice(0, 6), slice(6, N)):
        assert len(pool.take(chunk).labeled.embedding) == 2
    assert len(spy.seen["features"]) == 1


def test_without_labels_there_is_no_labeled_view():
    assert make_spied_pool()[1].labeled is None


def test_rows_come_in_their_own_container_and_only_when_asked_for():
    frame = pd.DataFrame({"a": [1, 2, 3], "kind": pd.Categorical(["x", "y", "x"])})
    child = PoolView(frame, ReadingSource(Spy())).take(slice(0, 3)).take([2, 0])
    assert len(child) == 2
    assert child._X is None
    pd.testing.assert_frame_equal(child.X, frame.iloc[[2, 0]])


def test_other_rows_are_read_through_the_same_model():
    spy, pool = make_spied_pool()
    read(pool, "proba")
    targets = pool.at(ROWS[[9, 9, 1]], y=[0, 1, 2])
    assert_reads(targets, "proba", [9, 9, 1])
    assert_array_equal(targets.take([2, 0]).y, [2, 0])
    assert len(targets) == 3
    assert spy.seen["proba"] == [list(range(N)), [9, 9, 1]]


@pytest.mark.parametrize("positions", [[-1], [N], [0, 3, 99], np.array([2, -2])])
def test_positions_out_of_range_are_refused(positions):
    with pytest.raises(IndexError, match=r"0 \.\. 11"):
        make_spied_pool()[1].take(positions)


def test_range_of_positions_is_the_view_s_own():
    child = make_spied_pool()[1].take([8, 9])
    with pytest.raises(IndexError, match=r"0 \.\. 1"):
        child.take([5])
    assert len(child.take([])) == 0
    assert child.take([]).proba.shape == (0, 3)


@pytest.mark.parametrize("positions", [np.arange(N) > 8, [1.7]], ids=["mask", "fraction"])
def test_what_is_no_position_is_refused_not_rounded(positions):
    with pytest.raises((IndexError, TypeError)):
        make_spied_pool()[1].take(positions)


# Randomness and chunks --------------------------------------------------------------------------


def test_views_share_one_stream_of_random_numbers():
    _, pool = make_spied_pool(seed=7)
    child, stream = pool.take([3, 1]), np.random.RandomState(7)
    assert child.random_state.uniform() == stream.uniform()
    assert pool.random_state.uniform() == stream.uniform()
    assert child.take([0]).random_state is pool.at(ROWS).random_state is pool.random_state


def test_chunks_obey_working_memory_and_cover_all_rows_once():
    _, pool = make_spied_pool()
    with config_context(working_memory=560 / 2**20):  # 5 rows of 4 x 3 + 2 values of 8 bytes
        chunks = list(pool.chunks())
    assert chunks == [slice(0, 5), slice(5, 10), slice(10, 12)]
    assert list(pool.chunks()) == [slice(0, N)]


def test_chunks_are_shorter_where_there_are_draws_and_never_empty():
    _, pool = make_spied_pool()  # 20 draws: 20 x 96 bytes a row
    with config_context(working_memory=4000 / 2**20):
        assert next(iter(pool.chunks(frozenset({"proba_samples"})))) == slice(0, 2)
        assert next(iter(pool.chunks(frozenset({"joint_samples"})))) == slice(0, 2)
        assert next(iter(pool.chunks(frozenset({"proba"})))) == slice(0, N)
    with config_context(working_memory=0):
        assert list(pool.chunks()) == [slice(i, i + 1) for i in range(N)]


class FirstFeature(ScoreStrategy):
    needs = frozenset({"X"})
    rowwise = True

    def score(self, pool):
        return pool.X[:, 0]


def test_rowwise_strategy_without_need_of_a_model_can_start_cold():
    assert ActiveLearner(MODEL, FirstFeature(), random_state=0).query(ROWS, 2).tolist() == [11, 10]


# What is provided -------------------------------------------------------------------------------


def test_provides_asks_the_model_and_the_learner():
    spy, pool = make_spied_pool(refit=lambda row, label: spy)
    assert all(pool.provides(reading) for reading in [*READINGS, "fantasize", "joint_samples"])
    assert not make_spied_pool()[1].provides("fantasize")
    unfitted = PoolView(ROWS, ReadingSource(Spy(), fitted=False))
    assert unfitted.provides("X")
    assert unfitted.provides("embedding")
    assert not any(unfitted.provides(reading) for reading in READINGS if reading != "embedding")


@pytest.mark.parametrize("reading", ["proba", "decision", "gradient_factors", "proba_samples"])
def test_reading_that_the_model_lacks_is_refused_by_name(reading):
    with pytest.raises(CapabilityError, match=f"'{reading}'"):
        read(PoolView(ROWS, ReadingSource(Spy(), fitted=False)), reading)


def test_pool_that_cannot_refit_refuses_to_fantasize():
    with pytest.raises(CapabilityError, match="refitted"):
        make_spied_pool()[1].fantasize(0, 1)


# Embedding --------------------------------------------------------------------------------------


FITS = []


class Counting(TransformerMixin, BaseEstimator):
    """Centers rows, and records in FITS the number of rows of each fit."""

    def fit(self, X, y=None):
        FITS.append(len(X))
        self.mean_ = X.mean(axis=0)
        return self

    def transform(self, X):
        return X - self.mean_


@pytest.fixture
def fits():
    FITS.clear()
    return FITS


def test_unfitted_embedder_is_fitted_once_on_pool_and_labeled_rows(fits):
    embedder = Counting()
    _, pool = make_spied_pool(embedder=embedder, X_labeled=ROWS[:3] + 100, y_labeled=[0, 1, 2])
    mean = np.concatenate([ROWS, ROWS[:3] + 100]).mean(axis=0)
    assert_allclose(pool.take([5]).embedding, ROWS[[5]] - mean)
    assert_allclose(pool.labeled.embedding, ROWS[:3] + 100 - mean)
    assert_allclose(pool.embedding, ROWS - mean)
    assert_allclose(pool.at(ROWS[:2]).embedding, ROWS[:2] - mean)
    assert fits == [N + 3]
    assert not hasattr(embedder, "mean_")  # it was cloned


def test_unfitted_embedder_without_labels_is_fitted_on_the_pool(fits):
    _, pool = make_spied_pool(embedder=Counting())
    assert_allclose(pool.embedding, ROWS - ROWS.mean(axis=0))
    assert fits == [N]


def test_fitted_embedder_is_used_as_it_is(fits):
    embedder = Counting().fit(np.array([[1.0, 2.0]]))
    _, pool = make_spied_pool(embedder=embedder, X_labeled=ROWS[:2], y_labeled=[0, 1])
    assert_array_equal(pool.embedding, ROWS - [1.0, 2.0])
    assert_array_equal(pool.labeled.embedding, ROWS[:2] - [1.0, 2.0])
    assert fits == [1]


def test_stateless_embedder_needs_no_fit():
    _, pool = make_spied_pool(embedder=FunctionTransformer(lambda X: X[:, :1] * 3))
    assert_array_equal(pool.embedding, ROWS[:, :1] * 3)


def test_embedder_does_not_stand_in_for_the_features_of_the_last_layer():
    _, pool = make_spied_pool(embedder=FunctionTransformer(lambda X: X - 1))
    assert_array_equal(pool.gradient_factors[1], ROWS * 10)


def test_embedding_of_a_pipeline_is_what_its_last_step_sees():
    model = make_pipeline(StandardScaler(), MODEL).fit(IRIS[:50], SPECIES[:50])
    wanted = (IRIS - IRIS[:50].mean(axis=0)) / IRIS[:50].std(axis=0)
    pool = PoolView(IRIS, ReadingSource(adapt(model)))
    assert_allclose(pool.embedding, wanted, atol=1e-12)
    assert_allclose(pool.gradient_factors[1], wanted, atol=1e-12)
    assert_allclose(pool.proba, model.predict_proba(IRIS))


def test_embedding_of_a_plain_model_is_the_rows():
    pool = PoolView(IRIS[:5].astype(np.float32), ReadingSource(adapt(MODEL)))
    assert_array_equal(pool.embedding, IRIS[:5].astype(np.float32))


def test_cold_pipeline_fits_its_transformers_on_the_pool_once(fits):
    model = make_pipeline(Counting(), FunctionTransformer(lambda X: X * 2), MODEL)
    pool = PoolView(ROWS, ReadingSource(adapt(model), fitted=False))
    wanted = (ROWS - ROWS.mean(axis=0)) * 2
    assert_allclose(pool.take([3, 1]).embedding, wanted[[3, 1]])
    assert_allclose(pool.embedding, wanted)
    assert fits == [N]
    assert not hasattr(model[0], "mean_")


def test_cold_text_pipeline_gives_its_sparse_features():
    texts = ["a cat sat", "a dog ran", "the cat ran"]
    model = make_pipeline(TfidfVectorizer(), MODEL)
    pool = PoolView(texts, ReadingSource(adapt(model), fitted=False))
    assert sp.issparse(pool.embedding)
    wanted = TfidfVectorizer().fit_transform(texts).toarray()
    assert_allclose(pool.take([2, 0]).embedding.toarray(), wanted[[2, 0]])


def test_text_without_embedder_is_refused_with_the_remedy():
    pool = PoolView(["some", "texts"], ReadingSource(adapt(MODEL)))
    with pytest.raises(InvalidReadingError, match=r"embedder=.*Pipeline"):
        _ = pool.embedding


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_embedding_that_is_not_finite_is_refused(bad):
    rows = ROWS.copy()
    rows[3, 1] = bad
    with pytest.raises(InvalidReadingError, match=r"embedding.*(NaN|infinity)"):
        _ = PoolView(rows, ReadingSource(adapt(MODEL))).embedding


# Probabilities are checked ----------------------------------------------------------------------

GOOD = np.array([[0.5, 0.5], [0.2, 0.8]])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([[0.5, 0.5], [2.0, 3.0]], r"1 rows .*sum to 1; the first: \[2\. 3\.\].*softmax"),
        ([[0.5, 0.5], [1.5, -0.5]], r"1 rows .*negative.*\[ 1\.5 -0\.5\]"),
        ([[np.nan, 0.5], [0.5, np.nan]], "2 rows .*not finite"),
        ([[np.inf, -np.inf], [0.5, 0.5]], "1 rows .*not finite"),
        ([[0.5, 0.511], [0.5, 0.5]], "sum to 1"),
        ([0.5, 0.5], r"shape \(2,\); expected 2 dimensions"),
        (GOOD[:, :, np.newaxis], r"shape \(2, 2, 1\); expected 2 dimensions"),
        ([GOOD, GOOD], "several outputs"),
    ],
)
def test_what_is_no_probability_is_refused(answer, message):
    answer = answer if isinstance(answer[0], np.ndarray) else np.array(answer)
    answer = list(answer) if "outputs" in message else answer
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(InvalidReadingError, match="SimpleNamespace .*" + message),
    ):
        _ = PoolView(ROWS[:2], ReadingSource(Says(answer, np.array([0, 1])))).proba


@pytest.mark.parametrize("bad", [GOOD, np.stack([GOOD, GOOD * 2])], ids=["dims", "sums"])
def test_posterior_draws_are_checked_too(bad):
    with pytest.raises(InvalidReadingError):
        PoolView(ROWS[:2], ReadingSource(Says(bad, np.array([0, 1])))).proba_samples()


def test_single_precision_softmax_is_accepted():
    proba = np.full((1, 3000), 1 / 3000, dtype=np.float32)
    pool = PoolView(ROWS[:1], ReadingSource(Says(proba, np.arange(3000))))
    assert_array_equal(pool.proba, proba)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_decision_that_is_not_finite_is_refused(bad):
    with pytest.raises(InvalidReadingError, match="decision_function"):
        _ = PoolView(ROWS[:2], ReadingSource(Says(np.array([0.0, bad])))).decision


@pytest.mark.parametrize(
    ("declared", "known", "columns"),
    [
        (["ant", "bee", "cow", "dog"], ["bee", "dog"], [1, 3]),
        ([-3, -1, 0, 2], [-3, 2], [0, 3]),
        ([False, True], [True], [1]),
        ([0.5, 1.5, 2.5], [1.5, 2.5], [1, 2]),
        ([1, 2], [1, 2], [0, 1]),
    ],
)
def test_columns_are_widened_to_the_declared_classes(declared, known, columns):
    narrow = np.random.RandomState(0).dirichlet(np.ones(len(known)), size=(3, 4))
    wide = np.zeros((3, 4, len(declared)))
    for source, target in enumerate(columns):
        wide[:, :, target] = narrow[:, :, source]
    declared = np.array(declared)
    pool = PoolView(ROWS[:4], ReadingSource(Says(narrow[0], np.array(known)), classes=declared))
    assert_array_equal(pool.proba, wide[0])
    assert_array_equal(pool.classes, declared)
    assert_array_equal(pool.take([2]).gradient_factors[0].shape, (1, len(declared)))
    draws = PoolView(ROWS[:4], ReadingSource(Says(narrow, np.array(known)), classes=declared))
    assert_array_equal(draws.proba_samples(), wide)


@pytest.mark.parametrize("declared", [[0, 1, 9], [0, 1], [0, 1, 2, 3]])
def test_class_of_the_model_that_is_not_declared_is_refused(declared):
    adapter = Says(np.full((2, 3), 1 / 3), np.array([0, 1, 5]))
    with pytest.raises(InvalidReadingError, match="classes="):
        _ = PoolView(ROWS[:2], ReadingSource(adapter, classes=np.array(declared))).proba


def test_columns_that_do_not_belong_to_the_model_s_classes_are_refused():
    adapter = Says(GOOD, np.array([0, 1, 2]))
    with pytest.raises(InvalidReadingError, match=r"2 columns .* 3 classes .*classes="):
        _ = PoolView(ROWS[:2], ReadingSource(adapter)).proba


def test_fixed_columns_must_be_as_many_as_the_classes():
    labels = {"X_labeled": ROWS[:3], "y_labeled": np.array([4, 1, 7])}
    with pytest.raises(InvalidReadingError, match=r"2 columns .* 3 classes are among .*classes="):
        _ = PoolView(ROWS[:2], ReadingSource(Fixed(GOOD, np.array([1, 7])), **labels)).proba
    declared = ReadingSource(Fixed(GOOD, np.array([1, 7])), classes=np.array([1, 4, 7]), **labels)
    with pytest.raises(InvalidReadingError, match=r"2 columns .* 3 classes are declared"):
        _ = PoolView(ROWS[:2], declared).proba


def test_fixed_columns_are_those_of_the_declared_classes_or_the_labels():
    labels = {"X_labeled": ROWS[:2], "y_labeled": np.array([7, 1])}
    for source in (
        ReadingSource(Fixed(GOOD, np.array([1])), **labels),
        ReadingSource(Fixed(GOOD, np.array([1])), classes=np.array([1, 7])),
    ):
        pool = PoolView(ROWS[:2], source)
        assert_array_equal(pool.proba, GOOD)
        assert_array_equal(pool.classes, [1, 7])


# Fantasies --------------------------------------------------------------------------------------


def learner_and_pool(y, **params):
    learner = ActiveLearner(MODEL, random_state=0).fit(IRIS[:30], y[:30], **params)
    return learner, learner._make_view(IRIS[100:])


@pytest.mark.parametrize("y", [SPECIES, SPECIES - 2, NAMES], ids=["ints", "negative", "strings"])
def test_fantasy_is_the_model_refitted_with_one_more_label(y):
    learner, pool = learner_and_pool(y)
    before = pool.proba
    for label in np.unique(y):
        more = np.append(np.arange(30), 104)
        by_hand = LogisticRegression(max_iter=1000).fit(IRIS[more], np.append(y[:30], label))
        fantasy = pool.fantasize(4, label)
        assert_allclose(fantasy.proba, by_hand.predict_proba(IRIS[100:]), atol=1e-12)
        assert np.abs(fantasy.proba - before).max() > 1e-3
        assert_array_equal(fantasy.labeled.X[-1], IRIS[104])
        assert fantasy.labeled.y[-1] == label
        assert len(fantasy.labeled) == 31
    assert_array_equal(pool.proba, before)
    assert len(pool.labeled) == len(learner.y_labeled_) == 30


def test_fantasy_weighs_the_imagined_row_by_one():
    weights = np.linspace(0.1, 3, 30)
    _, pool = learner_and_pool(SPECIES, sample_weight=weights)
    more = np.append(np.arange(30), 107)
    by_hand = LogisticRegression(max_iter=1000).fit(
        IRIS[more], np.append(SPECIES[:30], 1), np.append(weights, 1.0)
    )
    assert_allclose(pool.fantasize(7, 1).proba, by_hand.predict_proba(IRIS[100:]), atol=1e-12)


def test_fantasy_of_a_view_counts_positions_in_the_view():
    _, pool = learner_and_pool(NAMES)
    child = pool.take([20, 4])
    assert_array_equal(child.fantasize(1, "ant").proba, pool.fantasize(4, "ant").proba[[20, 4]])


def test_fantasy_on_a_fantasy_is_refused():
    _, pool = learner_and_pool(SPECIES)
    fantasy = pool.fantasize(0, 1)
    assert not fantasy.provides("fantasize")
    with pytest.raises(CapabilityError):
        fantasy.fantasize(1, 1)


def test_fantasy_of_an_incremental_model_leaves_the_model_alone():
    model = SGDClassifier(loss="log_loss", random_state=0)
    learner = ActiveLearner(model, incremental=True, random_state=0).fit(IRIS[:30], SPECIES[:30])
    coefficients = learner.estimator_.coef_.copy()
    pool = learner._make_view(IRIS[100:])
    assert np.abs(pool.fantasize(0, 2).proba - pool.proba).max() > 0
    assert_array_equal(learner.estimator_.coef_, coefficients)


@pytest.mark.parametrize("y", [SPECIES, NAMES], ids=["ints", "strings"])
@pytest.mark.parametrize("kind", [list, pd.Series], ids=["list", "series"])
def test_fantasy_takes_labels_from_any_container(y, kind):
    wanted = learner_and_pool(y)[1].fantasize(4, y[0]).proba
    learner = ActiveLearner(MODEL, random_state=0).fit(IRIS[:30], kind(y[:30]))
    assert_allclose(learner._make_view(IRIS[100:]).fantasize(4, y[0]).proba, wanted, atol=1e-12)


def naive_bayes(rows=IRIS[100:], n_classes=3, params=None, **options):
    known = np.flatnonzero(SPECIES[:40] < n_classes)
    learner = ActiveLearner(GaussianNB(), random_state=0, **options)
    return learner.fit(IRIS[known], NAMES[known], **(params or {}))._make_view(rows)


def test_fantasies_all_at_once_are_those_one_by_one():
    pool = naive_bayes().take([20, 4, 7])
    targets = pool.at(IRIS[50:60])
    met = []
    for block, column, logits in pool.fantasized_logits(targets):
        assert logits.shape == (3, 3, 10)
        proba = np.exp(logits - np.logaddexp.reduce(logits, axis=0))
        for position, row in zip(range(3)[block], proba.transpose(1, 2, 0), strict=True):
            future = pool.fantasize(position, pool.classes[column])
            assert_allclose(row, future.at(IRIS[50:60]).proba, rtol=1e-10, atol=1e-14)
            met.append((position, column))
        logits[:] = np.nan  # they may be changed
    assert sorted(met) == [(row, column) for row in range(3) for column in range(3)]


@pytest.mark.parametrize(
    "options",
    [
        {"incremental": True},
        {"params": {"sample_weight": np.ones(40)}},
        {"params": {"sample_weight": None}},
        {"classes": ["ant", "setosa", "virginica", "wasp"]},
        {"classes": ["ant", "setosa", "virginica"], "n_classes": 2},
    ],
    ids=["incremental", "weights", "no weights", "a class unseen", "a class without a row"],
)
def test_fantasies_all_at_once_only_where_refits_are_plain(options):
    pool = naive_bayes(**options)
    assert pool.provides("fantasize")
    assert pool.fantasized_logits(pool) is None


def test_fantasies_all_at_once_only_by_models_that_have_them():
    _, pool = learner_and_pool(NAMES)
    assert pool.fantasized_logits(pool) is None
    fantasy = naive_bayes().fantasize(0, "ant")
    assert fantasy.fantasized_logits(fantasy) is None
    assert FakePool().fantasized_logits(FakePool()) is None
    with pytest.raises(AssertionError, match="fantasize"):
        FakePool(allowed={"proba"}).fantasized_logits(FakePool())
