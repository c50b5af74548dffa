"""Hybrids: BADGE against explicit gradients, density and ranked batches against plain loops."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from runs import parametrize_runs
from scipy import sparse
from scipy.stats import chisquare
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from skactive import ActiveLearner
from skactive import scores as pure
from skactive.scores import _embedding
from skactive.selectors import kmeans_plusplus, top
from skactive.strategies import (
    BADGE,
    Entropy,
    InformationDensity,
    LeastConfidence,
    Margin,
    RankedBatch,
)
from skactive.testing import FakePool


def gradients(proba, features):
    """Gradient of the log loss at the likeliest label, one long row each."""
    rows = []
    for p, h in zip(proba, features, strict=True):
        residual = p - np.eye(len(p))[np.argmax(p)]
        rows.append(np.outer(residual, h).ravel())
    return np.array(rows)


# -- BADGE -------------------------------------------------------------------------------------


def test_badge_published_length():
    pool = FakePool(proba=[[0.2, 0.5, 0.3]], embedding=[[1, 2]])
    residual, features = pool.gradient_factors
    assert_allclose(residual, [[0.2, -0.5, 0.3]])
    assert_allclose(np.square(np.outer(residual, features)).sum(), 1.9)


@pytest.mark.parametrize("seed", range(5))
def test_badge_is_k_means_plusplus_on_explicit_gradients(seed):
    pool = FakePool(40, n_classes=4, seed=seed, query_seed=seed)
    explicit = gradients(pool.proba, pool.embedding)
    lengths = np.linalg.norm(explicit, axis=1)
    rng = np.random.RandomState(seed)
    longest = top(lengths, 1, rng)[0]
    assert longest == np.argmax(lengths)
    expected = kmeans_plusplus(explicit, 12, first=longest, random_state=rng)
    assert_array_equal(BADGE().select(pool, 12), expected)


def test_badge_starts_with_the_longest_gradient_whatever_the_seed():
    pool = FakePool(25)
    longest = np.argmax(np.linalg.norm(gradients(pool.proba, pool.embedding), axis=1))
    firsts = {
        BADGE().select(pool.reordered(np.arange(25), query_seed=seed), 3)[0] for seed in range(20)
    }
    assert firsts == {longest}


def test_badge_takes_the_label_out_of_the_gradient():
    # Were the gradient -p instead of p - onehot, the certain rows of long features would lead.
    proba = [[1, 0, 0], [0, 1, 0], [0.4, 0.3, 0.3], [0.1, 0.5, 0.4]]
    pool = FakePool(proba=proba, embedding=[[90, 0], [0, 90], [1, 0], [0, 1]])
    for seed in range(10):
        picks = BADGE().select(pool.reordered(np.arange(4), query_seed=seed), 3)
        assert picks[0] == 2
        assert 3 in picks  # the certain rows both lie at 0, so only one of them is drawn


@parametrize_runs("n_seeds", 800, 4000)
def test_badge_picks_by_the_squared_distance_to_the_nearest_pick(n_seeds):
    proba = [[0.6, 0.4], [0.7, 0.3], [0.8, 0.2], [0.4, 0.6], [0.55, 0.45]]
    pool = FakePool(proba=proba, embedding=[[2, 1], [1, -1], [0, 2], [1, 1], [4, 0]])
    explicit = gradients(pool.proba, pool.embedding)
    first = np.argmax(np.linalg.norm(explicit, axis=1))
    squared = np.square(explicit[:, None] - explicit[None]).sum(axis=2)
    law = np.zeros((5, 5))
    for second in range(5):
        if second != first:
            nearest = np.minimum(squared[first], squared[second])
            law[second] = squared[first, second] / squared[first].sum() * nearest / nearest.sum()
    counts = np.zeros((5, 5))
    for seed in range(n_seeds):
        picks = BADGE().select(pool.reordered(np.arange(5), query_seed=seed), 3)
        assert picks[0] == first
        counts[picks[1], picks[2]] += 1
    assert_allclose(law.sum(), 1.0)
    assert_array_equal(counts[law == 0], 0)
    assert chisquare(counts[law > 0], n_seeds * law[law > 0]).pvalue > 1e-3


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix, sparse.csc_array])
def test_badge_on_sparse_rows_is_badge_on_dense_ones(kind):
    X, y = load_iris(return_X_y=True)
    X = np.where(X > 2, X, 0)
    model = LogisticRegression(max_iter=1000).fit(X[::10], y[::10])
    dense, thin = (ActiveLearner(model, BADGE(), prefit=True, random_state=0) for _ in "ab")
    picks = dense.fit(X[::10], y[::10]).query(X, 10)
    assert_array_equal(thin.fit(kind(X)[::10], y[::10]).query(kind(X), 10), picks)
    lengths = np.linalg.norm(gradients(model.predict_proba(X), X), axis=1)
    assert_allclose(lengths[picks[0]], lengths.max())


def test_badge_looks_at_no_labeled_row_and_has_no_center_at_the_origin():
    # With the origin as a center, the row near it could hardly ever be drawn second.
    proba = [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]
    pool = FakePool(proba=proba, embedding=[[10, 0], [0.1, 0], [9.9, 0]])
    seconds = [
        BADGE().select(pool.reordered(np.arange(3), query_seed=seed), 2)[1] for seed in range(300)
    ]
    assert seconds.count(1) > 290


# -- density -----------------------------------------------------------------------------------


def naive_density(Z):
    return np.array([np.mean([1 / (1 + np.linalg.norm(z - other)) for other in Z]) for z in Z])


@pytest.mark.parametrize("beta", [0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("uncertainty", [None, Margin(), LeastConfidence()])
def test_density_is_uncertainty_times_a_power_of_mean_similarity(beta, uncertainty):
    pool = FakePool(25)
    scores = (uncertainty or Entropy()).score(pool)
    expected = scores * naive_density(pool.embedding) ** beta
    scores = InformationDensity(uncertainty, beta=beta).score(pool)
    assert_allclose(scores, expected, rtol=1e-9)


def test_density_of_a_large_pool_is_estimated_by_a_sample_of_the_query(monkeypatch):
    monkeypatch.setattr(_embedding, "_MAX_EXACT_ROWS", 50)
    pool, entropy = FakePool(100), Entropy().score(FakePool(100))
    exact = entropy * pure.information_density(pool.embedding, max_reference=None)
    expected = entropy * pure.information_density(pool.embedding, max_reference=20, random_state=3)
    same_query = FakePool(100, query_seed=3)
    assert_allclose(InformationDensity(max_reference=20).score(same_query), expected, rtol=1e-12)
    assert np.abs(expected - exact).max() > 1e-3
    for enough in (None, 100):
        scores = InformationDensity(max_reference=enough).score(FakePool(100))
        assert_allclose(scores, exact, rtol=1e-12)


def test_density_prefers_the_crowd_to_the_outlier():
    pool = FakePool(proba=np.full((4, 2), 0.5), embedding=[[0, 0], [0.1, 0], [0, 0.1], [9, 9]])
    assert InformationDensity().select(pool, 4)[-1] == 3


def test_density_with_a_negative_uncertainty_still_prefers_the_crowd():
    decision = [-1.0, 1.0, 1.0, 1.0, -3.0]
    Z = [[0, 0], [0.1, 0], [0, 0.1], [9, 9], [0.1, 0.1]]
    pool = FakePool(decision=decision, embedding=Z, allowed={"decision", "embedding"})
    scores = InformationDensity(Margin()).score(pool)
    shifted = 3.0 - np.abs(decision)  # scores of -|d| start at 0
    assert_allclose(scores, shifted * naive_density(np.array(Z, dtype=float)), rtol=1e-9)
    assert scores[3] < scores[:3].min()
    assert scores[4] == 0


def test_density_through_a_support_vector_machine():
    X, y = load_iris(return_X_y=True)
    X, y = X[50:], y[50:]
    learner = ActiveLearner(SVC(), InformationDensity(Margin())).fit(X[::6], y[::6])
    uncertainty = -np.abs(learner.decision_function(X))
    expected = (uncertainty - uncertainty.min()) * naive_density(X)
    assert_allclose(learner.score_pool(X), expected, rtol=1e-7, atol=1e-12)


# -- ranked batches ----------------------------------------------------------------------------


def naive_ranked(Z, uncertainty, labeled, batch_size):
    """The formula, with a list of the rows that are left and one of those known."""
    remaining, chosen, picks = list(range(len(Z))), [np.asarray(z) for z in labeled], []
    for _ in range(batch_size):
        alpha = len(remaining) / (len(remaining) + len(chosen))
        merits = []
        for row in remaining:
            similarity = 1 / (1 + min(np.linalg.norm(Z[row] - z) for z in chosen))
            merits.append(alpha * (1 - similarity) + (1 - alpha) * uncertainty[row])
        picks.append(remaining.pop(int(np.argmax(merits))))
        chosen.append(Z[picks[-1]])
    return picks


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_labeled", [1, 6, 90])
@pytest.mark.parametrize("uncertainty", [None, Margin()])
def test_ranked_batch_is_the_plain_loop(seed, n_labeled, uncertainty):
    pool = FakePool(20, n_labeled=n_labeled, seed=seed)
    scores = (uncertainty or LeastConfidence()).score(pool)
    expected = naive_ranked(pool.embedding, scores, pool.labeled.embedding, 20)
    assert_array_equal(RankedBatch(uncertainty).select(pool, 20), expected)


def test_ranked_batch_of_a_logistic_regression():
    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(LogisticRegression(max_iter=1000), RankedBatch())
    pool = X[1::3]
    picks = learner.fit(X[::10], y[::10]).query(pool, 12)
    uncertainty = 1 - learner.predict_proba(pool).max(axis=1)
    assert_array_equal(picks, naive_ranked(pool, uncertainty, X[::10], 12))


def test_ranked_batch_turns_from_diversity_to_uncertainty_as_labels_come_in():
    proba, Z = [[0.5, 0.5], [1, 0]], [[0.0], [3.0]]  # row 0: uncertain; row 1: far from the labels
    picks = [
        naive_ranked(np.array(Z), [0.5, 0], [[0.1]] * n_labeled, 1)[0] for n_labeled in (1, 50)
    ]
    assert picks == [1, 0]
    for n_labeled, expected in zip((1, 50), picks, strict=True):
        model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
        model.coef_, model.intercept_ = np.array([[-100.0]]), np.array([0.0])
        assert_allclose(model.predict_proba(Z), proba, atol=1e-9)
        learner = ActiveLearner(model, RankedBatch(), prefit=True)
        learner.fit([[0.1]] * n_labeled, [0] * n_labeled)
        assert learner.query(Z)[0] == expected


def test_ranked_batch_without_labeled_rows_gives_distinct_rows():
    pool = FakePool(15, n_labeled=0)
    picks = RankedBatch().select(pool, 15)
    assert sorted(picks) == list(range(15))
    # After the first row, the most uncertain one, the formula holds again.
    uncertainty, Z, first = LeastConfidence().score(pool), pool.embedding, picks[0]
    assert first == uncertainty.argmax()
    remaining = np.delete(np.arange(15), first)
    assert_array_equal(
        picks[1:], remaining[naive_ranked(Z[remaining], uncertainty[remaining], [Z[first]], 14)]
    )
