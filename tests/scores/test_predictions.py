"""Every score against its definition, written out in plain loops, and against its laws."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from probabilities import dirichlet, h
from scipy import sparse
from scipy.stats import rankdata

from skactive import scores

FROM_PROBA = [scores.least_confidence, scores.margin, scores.margin_ratio, scores.entropy]
FROM_SAMPLES = [
    scores.consensus_entropy,
    scores.kl_to_consensus,
    scores.mean_standard_deviation,
    scores.mutual_information,
    scores.variation_ratio,
    scores.vote_entropy,
]


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
    assert tested < set(scores.__all__)


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
