"""Every score against its definition, written out in plain loops, and against its laws."""

import math
import tracemalloc
from itertools import product

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from runs import parametrize_runs
from scipy import sparse
from scipy.spatial.distance import cdist
from scipy.stats import rankdata
from sklearn.metrics import pairwise_distances

from skactive import scores
from skactive.selectors._engine import density as density_engine

FROM_PROBA = [scores.least_confidence, scores.margin, scores.margin_ratio, scores.entropy]
FROM_SAMPLES = [
    scores.consensus_entropy,
    scores.kl_to_consensus,
    scores.mean_standard_deviation,
    scores.mutual_information,
    scores.variation_ratio,
    scores.vote_entropy,
]


def dirichlet(*shape, seed=0, concentration=1.0):
    """Random probabilities over the last axis, some of them exactly 0 and some rows one-hot."""
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.full(shape[-1], concentration), size=shape[:-1])
    proba[rng.random(shape) < 0.2] = 0.0
    lost = proba.sum(axis=-1) == 0
    proba[lost, 0] = 1.0
    return freeze(proba / proba.sum(axis=-1, keepdims=True))


def freeze(array):
    array.flags.writeable = False
    return array


def h(p):
    return -sum(x * math.log(x) for x in p if x > 0)


def brute_proba(name, p):
    first, second = [*sorted(p, reverse=True), 0.0][:2]
    return {
        "least_confidence": 1 - first,
        "margin": 1 - (first - second),
        "margin_ratio": second / first,
        "entropy": h(p),
    }[name]


def brute_samples(name, draws):
    """Take the draws of one row, (n_samples, n_classes)."""
    n_samples, n_classes = draws.shape
    mean = [sum(p[y] for p in draws) / n_samples for y in range(n_classes)]
    votes = [sum(int(np.argmax(p) == y) for p in draws) for y in range(n_classes)]
    divergences = [
        sum(p[y] * math.log(p[y] / mean[y]) for y in range(n_classes) if p[y] > 0) for p in draws
    ]
    return {
        "consensus_entropy": h(mean),
        "kl_to_consensus": sum(divergences) / n_samples,
        "mean_standard_deviation": np.mean([np.std(draws[:, y]) for y in range(n_classes)]),
        "mutual_information": h(mean) - sum(h(p) for p in draws) / n_samples,
        "variation_ratio": 1 - max(votes) / n_samples,
        "vote_entropy": h([v / n_samples for v in votes]),
    }[name]


def test_all_is_sorted_and_complete():
    assert scores.__all__ == sorted(scores.__all__)
    tested = {f.__name__ for f in FROM_PROBA + FROM_SAMPLES}
    assert set(scores.__all__) - tested == {
        "decision_margin",
        "expected_gradient_length",
        "expected_predictive_information_gain",
        "information_density",
    }


# -- definitions -------------------------------------------------------------------------------


@pytest.mark.parametrize("score", FROM_PROBA)
@pytest.mark.parametrize("n_classes", [1, 2, 3, 11])
def test_definition_from_proba(score, n_classes):
    proba = dirichlet(50, n_classes)
    expected = [brute_proba(score.__name__, p) for p in proba]
    assert_allclose(score(proba), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("score", FROM_SAMPLES)
@pytest.mark.parametrize(("n_samples", "n_classes"), [(1, 3), (4, 1), (5, 2), (7, 6)])
def test_definition_from_samples(score, n_samples, n_classes):
    samples = dirichlet(n_samples, 40, n_classes)
    expected = [brute_samples(score.__name__, samples[:, i]) for i in range(40)]
    assert_allclose(score(samples), expected, rtol=1e-12, atol=1e-14)


def test_unit_vector_of_one_model():
    proba = np.array([[0.2, 0.5, 0.3], [0.1, 0.7, 0.2]])
    assert_allclose(scores.least_confidence(proba), [0.5, 0.3], rtol=1e-14)
    assert_allclose(scores.margin(proba), [0.8, 0.5], rtol=1e-14)
    assert_allclose(scores.margin_ratio(proba), [0.6, 2 / 7], rtol=1e-14)
    assert_allclose(scores.entropy(proba), [1.0296530140645737, 0.8018185525433373], rtol=1e-14)


def test_unit_vector_of_a_committee():
    samples = np.array([[[0.3, 0.7], [0.4, 0.6]], [[0.2, 0.8], [0.5, 0.5]]])
    bald = [0.00670178182226764, 0.005059389928987596]
    assert_allclose(scores.kl_to_consensus(samples), bald, rtol=1e-13)
    assert_allclose(scores.mutual_information(samples), bald, rtol=1e-12)
    expected = [0.5623351446188083, 0.6881388137135884]
    assert_allclose(scores.consensus_entropy(samples), expected, rtol=1e-14)


def test_unit_vector_of_hard_votes():
    votes = np.eye(3)[np.transpose([[0, 1, 2], [0, 0, 1], [2, 2, 2]])]
    expected = [1.0986122886681096, 0.6365141682948128, 0.0]
    assert_allclose(scores.vote_entropy(votes), expected, rtol=1e-14)
    assert_allclose(scores.variation_ratio(votes), [2 / 3, 1 / 3, 0], rtol=1e-14)


def test_a_member_that_is_torn_votes_for_its_first_class():
    samples = np.array([[[0.5, 0.5]], [[0.0, 1.0]]])
    assert_allclose(scores.vote_entropy(samples), np.log(2))


def test_decision_margin():
    decision = np.array([-2.0, 0.0, 0.5])
    assert_array_equal(scores.decision_margin(decision), [-2, 0, -0.5])
    assert_array_equal(scores.decision_margin(decision[:, None]), [-2, 0, -0.5])
    rows = np.random.default_rng(0).normal(size=(30, 4))
    top = np.sort(rows, axis=1)
    assert_array_equal(scores.decision_margin(rows), -(top[:, -1] - top[:, -2]))


@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array, sparse.coo_matrix])
def test_expected_gradient_length_is_that_of_the_gradients(as_rows):
    proba, embedding = dirichlet(20, 4), np.random.default_rng(1).normal(size=(20, 5))
    embedding[0] = 0.0
    expected = [
        sum(p[y] * np.linalg.norm(np.outer(p - np.eye(4)[y], x)) for y in range(4))
        for p, x in zip(proba, embedding, strict=True)
    ]
    result = scores.expected_gradient_length(proba, as_rows(embedding))
    assert_allclose(result, expected, rtol=1e-12, atol=1e-14)


def test_the_gradient_factors_have_the_published_norm():
    residual, embedding = np.array([0.2, 0.5, 0.3]) - [0, 1, 0], np.array([1.0, 2.0])
    assert_allclose(np.square(np.outer(residual, embedding)).sum(), 1.9)
    # Of the three terms of the expectation, the likeliest label's has this norm.
    others = sum(
        p * np.linalg.norm(np.array([0.2, 0.5, 0.3]) - np.eye(3)[y]) * np.sqrt(5)
        for y, p in ((0, 0.2), (2, 0.3))
    )
    length = scores.expected_gradient_length(np.array([[0.2, 0.5, 0.3]]), embedding[None])
    assert_allclose(length, 0.5 * np.sqrt(1.9) + others)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "cityblock"])
@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array])
def test_information_density(metric, as_rows):
    X = np.random.default_rng(2).normal(size=(60, 3))
    expected = np.mean(1 / (1 + pairwise_distances(X, metric=metric)), axis=1)
    result = scores.information_density(as_rows(X), metric=metric)
    assert_allclose(result, expected, rtol=1e-10)


def test_information_density_keeps_to_working_memory_and_leaves_distances_alone():
    X = np.random.default_rng(3).normal(size=(1500, 2))
    whole = scores.information_density(X)
    tracemalloc.start()
    with sklearn.config_context(working_memory=1):
        chunked = scores.information_density(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_allclose(chunked, whole, rtol=1e-9)
    assert peak < 6e6  # all pairs would be 18 MB
    distances = freeze(pairwise_distances(X[:20]))
    result = scores.information_density(distances, metric="precomputed")
    assert_allclose(result, scores.information_density(X[:20]), rtol=1e-9)


def density(X):
    """The definition, with distances of differences, in double precision."""
    return np.mean(1 / (1 + cdist(X.astype(np.float64), X.astype(np.float64))), axis=1)


def clouds(n_rows, n_dims, seed=0):
    rng = np.random.default_rng(seed)
    centers = 4 * rng.normal(size=(5, n_dims))
    return rng.normal(size=(n_rows, n_dims)) + centers[rng.integers(5, size=n_rows)]


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_information_density_by_blocks(size, dtype, rtol, monkeypatch):
    monkeypatch.setattr(density_engine, "_PAIR_BLOCK_ROWS", size)
    monkeypatch.setattr(density_engine, "_CHUNK_MEGABYTES", 0 if size < 16 else 16)
    X = clouds(150, 12).astype(dtype)
    assert_allclose(scores.information_density(X), density(X), rtol=rtol)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "few", [1.0, 0.0], ids=["close pairs one by one", "close pairs in double precision"]
)
@pytest.mark.parametrize("far", [0.0, 3e4])
def test_information_density_of_close_rows_is_not_rounding(dtype, few, far, monkeypatch):
    monkeypatch.setattr(density_engine, "_MAX_PATCHED_SHARE", few)
    rng = np.random.default_rng(1)
    X = np.repeat(clouds(40, 3), 5, axis=0) + 1e-3 * rng.normal(size=(200, 3))
    X = np.vstack([X, X[:50], [[1e3, 0, 0]]]).astype(dtype)  # and rows twice, and an outlier
    X += dtype(far)
    # In single precision a product of numbers of some 1e3 would be wrong by 0.1; in double
    # precision duplicates would lie 1e-7 apart, as they do in scikit-learn.
    single_or_rounded = dtype == np.float32 or few == 0.0
    rtol = 1e-6 if single_or_rounded else 1e-11
    assert_allclose(scores.information_density(X), density(X), rtol=rtol)


def test_information_density_of_equal_rows_is_one():
    for dtype in (np.float32, np.float64):
        assert_array_equal(scores.information_density(np.full((700, 3), 0.1, dtype)), 1.0)
        assert_array_equal(scores.information_density(np.ones((1, 3), dtype)), 1.0)


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_information_density_of_numbers_that_single_precision_cannot_square(scale):
    X = (clouds(50, 3) * scale).astype(np.float32)
    assert_allclose(scores.information_density(X), density(X), rtol=1e-6)


def test_information_density_takes_little_memory_and_leaves_its_rows_alone():
    X = freeze(clouds(3000, 16).astype(np.float32))
    tracemalloc.start()
    scores.information_density(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6  # all pairs would be 36 MB


def test_information_density_is_exact_up_to_its_limit_and_by_request(monkeypatch):
    X = clouds(120, 3)
    exact = density(X)
    assert_allclose(scores.information_density(X, max_reference=10), exact, rtol=1e-12)
    monkeypatch.setattr(scores, "_MAX_EXACT_ROWS", 50)
    for enough in (None, 120, 500):
        result = scores.information_density(X, max_reference=enough, random_state=0)
        assert_allclose(result, exact, rtol=1e-12)
    assert np.ptp(scores.information_density(X, max_reference=10, random_state=0) - exact) > 1e-3


@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_sampled_density_is_that_of_the_others_drawn(as_rows, dtype, monkeypatch):
    monkeypatch.setattr(scores, "_MAX_EXACT_ROWS", 50)
    monkeypatch.setattr(density_engine, "_PAIR_BLOCK_ROWS", 32)
    X = clouds(100, 3).astype(dtype)
    similarity = 1 / (1 + pairwise_distances(X.astype(np.float64)))
    drawn = np.random.RandomState(5).permutation(100)[:40]
    expected = [
        (1 + 99 * np.mean([similarity[row, other] for other in drawn if other != row])) / 100
        for row in range(100)
    ]
    result = scores.information_density(as_rows(X), max_reference=40, random_state=5)
    assert_allclose(result, expected, rtol=1e-6 if dtype == np.float32 else 1e-7)
    one = scores.information_density(as_rows(X), max_reference=1, random_state=5)
    assert np.isfinite(one).all()


@pytest.mark.no_cover
@parametrize_runs("n_seeds", 300, 2000)
def test_a_sampled_density_is_unbiased_with_the_stated_error(n_seeds, monkeypatch):
    monkeypatch.setattr(scores, "_MAX_EXACT_ROWS", 50)
    X = clouds(300, 2)
    X[:150] = X[0]  # similarities of 1 and near 0: an error as large as it can be
    X[150:, 0] += 1e4
    exact, m = density(X), 30
    estimates = np.array(
        [
            scores.information_density(X, max_reference=m, random_state=seed)
            for seed in range(n_seeds)
        ]
    )
    errors = estimates - exact
    stated = np.sqrt(exact * (1 - exact) / (m - 1))
    assert (np.abs(errors.mean(axis=0)) < 5 * stated / np.sqrt(n_seeds)).all()
    deviation = np.sqrt((errors**2).mean(axis=0))
    assert (deviation < stated * (1 + 2.24 / np.sqrt(n_seeds))).all()
    assert deviation.max() > 0.8 * stated.max()  # and the bound is not idle
    for epsilon in (0.1, 0.2, np.sqrt(np.log(40) / (2 * (m - 1)))):
        bound = 2 * np.exp(-2 * (m - 1) * epsilon**2)
        assert ((np.abs(errors) > epsilon).mean(axis=0) < bound + 0.02).all()
    assert 1.0 * np.sqrt(np.log(40) / (2 * 999)) < 0.043  # what the docstring says of m = 1000
    assert 0.5 / np.sqrt(999) < 0.016


def test_a_sample_never_touches_global_randomness_and_follows_its_seed(monkeypatch):
    monkeypatch.setattr(scores, "_MAX_EXACT_ROWS", 50)
    X, state = clouds(100, 3), np.random.get_state()[1].copy()
    one, two, other = (
        scores.information_density(X, max_reference=9, random_state=seed) for seed in (1, 1, 2)
    )
    assert_array_equal(one, two)
    assert np.abs(one - other).max() > 1e-3
    scores.information_density(X, max_reference=9)
    assert_array_equal(np.random.get_state()[1], state)


# -- expected predictive information gain ------------------------------------------------------


def brute_epig(samples, targets):
    n_samples, n_rows, n_classes = samples.shape
    gain = np.zeros(n_rows)
    for i, j in product(range(n_rows), range(targets.shape[1])):
        for y, z in product(range(n_classes), repeat=2):
            joint = np.mean([samples[s, i, y] * targets[s, j, z] for s in range(n_samples)])
            apart = samples[:, i, y].mean() * targets[:, j, z].mean()
            if joint > 0:
                gain[i] += joint * math.log(joint / apart)
    return gain / targets.shape[1]


def test_epig_is_the_mean_mutual_information_with_the_targets():
    samples, targets = dirichlet(6, 9, 3, seed=1), dirichlet(6, 5, 3, seed=2)
    result = scores.expected_predictive_information_gain(samples, targets)
    assert_allclose(result, brute_epig(samples, targets), rtol=1e-10, atol=1e-14)


def test_epig_is_the_fall_of_expected_log_loss_when_draws_are_reweighted():
    samples, targets = dirichlet(6, 9, 3, seed=3), dirichlet(6, 5, 3, seed=4)
    before = scores.consensus_entropy(targets).mean()
    fall = []
    for p in np.moveaxis(samples, 1, 0):  # (n_samples, n_classes) of one row
        after = 0.0
        for y, probability in enumerate(p.mean(axis=0)):
            if probability > 0:
                weights = p[:, y] / p[:, y].sum()
                posterior = np.einsum("s,smc->mc", weights, targets)
                after += probability * np.mean([h(q) for q in posterior])
        fall.append(before - after)
    result = scores.expected_predictive_information_gain(samples, targets)
    assert_allclose(result, fall, rtol=1e-10, atol=1e-13)


@given(working_memory=st.floats(1e-6, 0.1), n_targets=st.integers(1, 7))
@settings(deadline=None, max_examples=30)
def test_epig_does_not_depend_on_the_block_size(working_memory, n_targets):
    samples, targets = dirichlet(5, 40, 3, seed=5), dirichlet(5, n_targets, 3, seed=6)
    whole = scores.expected_predictive_information_gain(samples, targets)
    with sklearn.config_context(working_memory=working_memory):
        blocked = scores.expected_predictive_information_gain(samples, targets)
    assert_allclose(blocked, whole, rtol=1e-12, atol=1e-15)


def test_epig_keeps_to_working_memory():
    samples, targets = dirichlet(5, 1000, 4, seed=5), dirichlet(5, 200, 4, seed=6)
    tracemalloc.start()
    with sklearn.config_context(working_memory=4):
        scores.expected_predictive_information_gain(samples, targets)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6  # all joints would be 26 MB


def test_epig_of_a_row_with_itself_is_at_most_its_entropy():
    certain = np.eye(3)[[[0], [1], [2]]]
    assert_allclose(scores.expected_predictive_information_gain(certain, certain), np.log(3))


# -- laws --------------------------------------------------------------------------------------


@given(arrays(float, st.integers(1, 30), elements=st.integers(0, 1000)))
def test_two_classes_rank_alike(thousandths):
    proba = np.column_stack([thousandths, 1000 - thousandths]) / 1000
    ranks = [rankdata(np.round(score(proba), 12)) for score in FROM_PROBA]
    for other in ranks[1:]:
        assert_array_equal(ranks[0], other)


samples_of_any_shape = st.tuples(
    st.integers(1, 6), st.integers(1, 8), st.integers(1, 5), st.integers(0, 10**6)
).map(lambda args: dirichlet(*args[:3], seed=args[3], concentration=0.5))


@given(samples_of_any_shape)
@settings(deadline=None)
def test_kl_to_consensus_is_mutual_information(samples):
    kl, bald = scores.kl_to_consensus(samples), scores.mutual_information(samples)
    assert_allclose(kl, bald, atol=1e-14)
    assert (bald >= 0).all()


def test_information_is_never_negative():
    proba = dirichlet(500, 7)
    agreed = np.stack([proba, proba, proba])
    unclipped = scores.consensus_entropy(agreed) - scores.entropy(proba)
    assert unclipped.min() < 0  # else this test says nothing
    assert scores.mutual_information(agreed).min() == 0
    assert scores.expected_predictive_information_gain(agreed, agreed[:, :20]).min() == 0


@given(samples_of_any_shape, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_permuted_rows_give_permuted_scores(samples, random):
    order = random.sample(range(samples.shape[1]), samples.shape[1])
    for score in FROM_SAMPLES:
        assert_array_equal(score(samples[:, order]), score(samples)[order])
    for score in FROM_PROBA:
        assert_array_equal(score(samples[0][order]), score(samples[0])[order])


@pytest.mark.parametrize("score", FROM_PROBA)
@pytest.mark.parametrize("n_classes", [2, 10, 300])
def test_a_row_scores_alike_alone_and_among_others_to_the_last_bit(score, n_classes):
    proba = dirichlet(700, n_classes)
    chunks = [score(proba[i:j]) for i, j in ((0, 1), (1, 300), (300, 699), (699, 700))]
    assert_array_equal(np.concatenate(chunks), score(proba))


@pytest.mark.parametrize("n_classes", [1, 2, 5])
def test_one_hot_rows_have_exactly_no_uncertainty(n_classes):
    proba = np.eye(n_classes)
    for score in FROM_PROBA:
        assert_array_equal(score(proba), 0.0)
    for score in FROM_SAMPLES:
        assert_array_equal(score(np.stack([proba, proba, proba])), 0.0)
    assert_array_equal(scores.expected_gradient_length(proba, proba), 0.0)


def test_uniform_rows_have_the_largest_scores():
    proba = np.full((3, 4), 0.25)
    assert_array_equal(scores.least_confidence(proba), 0.75)
    assert_array_equal(scores.margin(proba), 1.0)
    assert_array_equal(scores.margin_ratio(proba), 1.0)
    assert_allclose(scores.entropy(proba), np.log(4))


def test_float32_is_scored_in_float64():
    samples = dirichlet(4, 30, 5).astype(np.float32)
    X = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    calls = [
        *((score, samples[0]) for score in FROM_PROBA),
        *((score, samples) for score in FROM_SAMPLES),
        (scores.decision_margin, X),
        (scores.decision_margin, X[:, 0]),
        (scores.expected_gradient_length, samples[0], X),
        (scores.expected_gradient_length, samples[0], sparse.csr_array(X)),
        (scores.expected_predictive_information_gain, samples, samples[:, :7]),
    ]
    for score, *args in calls:
        result = score(*args)
        assert result.dtype == np.float64
        assert_allclose(result, score(*(a.astype(np.float64) for a in args)), rtol=1e-12)
    assert scores.information_density(X).dtype == np.float64


@pytest.mark.parametrize("score", FROM_PROBA)
def test_no_rows_give_no_scores(score):
    assert score(np.empty((0, 3))).shape == (0,)


def test_memory_order_does_not_matter():
    samples = dirichlet(4, 30, 5)
    for score in FROM_SAMPLES:
        assert_allclose(score(np.asfortranarray(samples)), score(samples), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("score", FROM_PROBA)
def test_a_million_rows_take_little_memory(score):
    proba = np.full((10**6, 10), 0.1)
    tracemalloc.start()
    score(proba)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16e6  # the answer itself is 8 MB, a copy of the input 80 MB


@pytest.mark.parametrize("score", FROM_SAMPLES)
def test_committees_are_read_one_member_at_a_time(score):
    samples = np.full((50, 20_000, 5), 0.2)
    tracemalloc.start()
    score(samples)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * samples[0].nbytes  # all members would be 50 times


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("max_reference", [None, 50])
def test_density_of_sparse_rows_is_that_of_dense_ones(dtype, max_reference, monkeypatch):
    monkeypatch.setattr(scores, "_MAX_EXACT_ROWS", 200)
    rng = np.random.RandomState(0)
    X = rng.randint(1, 5, size=(300, 400)) * (rng.uniform(size=(300, 400)) < rng.beta(0.2, 4, 400))
    X[:40], X[50:60] = X[0], 0  # duplicates, and empty rows
    X = X.astype(dtype)
    options = {"max_reference": max_reference, "random_state": 0}
    expected = scores.information_density(X.astype(np.float64), **options)
    for as_rows in (sparse.csr_array, sparse.csr_matrix, sparse.coo_array):
        found = scores.information_density(as_rows(X), **options)
        np.testing.assert_allclose(found, expected, rtol=1e-6 if dtype == np.float32 else 1e-11)
