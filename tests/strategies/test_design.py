"""Designs through a pool: what a strategy hands to its selector, against plain linear algebra."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearner
from skactive.exceptions import PoolTooLargeError
from skactive.selectors._engine import fisher as fisher_engine
from skactive.strategies import BAIT, DPP, DOptimal, Entropy, Margin, MaxDet, Subsample, VOptimal
from skactive.testing import FakePool, parametrize_with_strategy_checks

STRATEGIES = [
    BAIT(),
    BAIT(ridge=1e-4, oversample=1),
    BAIT(weight="batch_size", reference="pool"),
    DOptimal(),
    DPP(),
    DPP(Entropy(), beta=0.5, ridge=0.1),
    MaxDet(),
    MaxDet(ridge=1.0),
    VOptimal(),
]


@pytest.mark.no_cover
@parametrize_with_strategy_checks(STRATEGIES)
def test_strategy(strategy, check):
    check(strategy)


def greedy(n_rows, batch_size, merit):
    picks = []
    for _ in range(batch_size):
        merits = [-np.inf if i in picks else merit([*picks, i]) for i in range(n_rows)]
        picks.append(int(np.argmax(merits)))
    return picks


def prior(X, labeled, ridge):
    """Precision with which a linear design starts."""
    return ridge * np.square(X).sum(axis=1).mean() * np.eye(X.shape[1]) + labeled.T @ labeled


def gradients(pool):
    a, h = pool.gradient_factors
    return np.einsum("ic,id->icd", a, h).reshape(len(a), -1)


def fisher(pool):
    _, features = pool.gradient_factors
    return [
        np.kron(np.diag(p) - np.outer(p, p), np.outer(h, h))
        for p, h in zip(pool.proba, features, strict=True)
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_labeled", [0, 3, 40])
def test_d_optimal_looks_at_embedding_and_labeled_rows(seed, n_labeled):
    pool = FakePool(25, seed=seed, n_labeled=n_labeled)
    Z, labeled = pool.embedding, pool.labeled.embedding if n_labeled else np.empty((0, 4))
    for ridge in (1e-3, 1.0):
        start = prior(Z, labeled, ridge)
        expected = greedy(25, 12, lambda i, A=start: np.linalg.slogdet(A + Z[i].T @ Z[i])[1])
        assert_array_equal(DOptimal(ridge=ridge).select(pool, 12), expected)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_labeled", [0, 3, 40])
def test_v_optimal_looks_at_embedding_and_labeled_rows(seed, n_labeled):
    pool = FakePool(25, seed=seed, n_labeled=n_labeled)
    Z, labeled = pool.embedding, pool.labeled.embedding if n_labeled else np.empty((0, 4))
    for ridge in (1e-3, 1.0):
        start = prior(Z, labeled, ridge)

        def merit(i, A=start):
            return -np.trace(Z @ np.linalg.inv(A + Z[i].T @ Z[i]) @ Z.T)

        assert_array_equal(VOptimal(ridge=ridge).select(pool, 12), greedy(25, 12, merit))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_labeled", [0, 3, 40])
def test_max_det_looks_at_gradients_and_those_of_labeled_rows(seed, n_labeled):
    pool = FakePool(25, seed=seed, n_labeled=n_labeled)
    G, labeled = gradients(pool), gradients(pool.labeled) if n_labeled else np.empty((0, 12))
    start = prior(G, labeled, 1e-3)
    expected = greedy(25, 12, lambda i: np.linalg.slogdet(start + G[i].T @ G[i])[1])
    assert_array_equal(MaxDet().select(pool, 12), expected)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("uncertainty", [None, Entropy()])
@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0])
def test_dpp_is_greedy_on_the_determinant_of_its_kernel(seed, uncertainty, beta):
    pool = FakePool(25, seed=seed)
    quality = (uncertainty or Margin()).score(pool) ** beta
    directions = pool.embedding / np.linalg.norm(pool.embedding, axis=1, keepdims=True)
    kernel = np.outer(quality, quality) * (directions @ directions.T + 0.01 * np.eye(25))
    expected = greedy(25, 12, lambda i: np.linalg.slogdet(kernel[np.ix_(i, i)])[1])
    assert_array_equal(DPP(uncertainty, beta=beta, ridge=0.01).select(pool, 12), expected)


def test_dpp_takes_scores_below_zero_and_rows_without_a_direction():
    decision = [-3.0, 0.1, 0.2, 0.3]
    Z = [[1, 0], [2, 0], [0, 1], [0, 0]]
    pool = FakePool(decision=decision, embedding=Z, allowed={"decision", "embedding"})
    picks = DPP(Margin()).select(pool, 4)
    assert_array_equal(picks[:2], [1, 2])  # uncertain and at right angles
    assert picks[3] == 0  # the surest row, whose shifted uncertainty is 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_labeled", [0, 3, 40])
@pytest.mark.parametrize("oversample", [1, 2])
@pytest.mark.parametrize("reference", ["all", "pool"])
@pytest.mark.parametrize("weight", [1.0, "batch_size"])
def test_bait_is_forward_and_backward_on_the_trace(seed, n_labeled, oversample, reference, weight):
    pool = FakePool(20, seed=seed, n_labeled=n_labeled)
    blocks, labeled = fisher(pool), fisher(pool.labeled) if n_labeled else []
    start = 0.1 * np.eye(12) + sum(labeled)
    total = sum(blocks) + (sum(labeled) if reference == "all" else 0)
    w = 5 if weight == "batch_size" else 1

    def merit(i):
        return -np.trace(np.linalg.solve(start + w * sum(blocks[j] for j in i), total))

    expected = greedy(20, 5 * oversample, merit)
    while len(expected) > 5:
        rest = [[i for i in expected if i != out] for out in expected]
        expected = max(rest, key=merit)
    strategy = BAIT(ridge=0.1, oversample=oversample, reference=reference, weight=weight)
    picks = strategy.select(pool, 5)
    assert_array_equal(picks, expected)


def test_bait_takes_no_row_of_which_the_model_is_sure():
    proba = np.array([[1, 0, 0], [0, 1, 0], [0.4, 0.3, 0.3], [0.1, 0.5, 0.4]])
    pool = FakePool(proba=proba, embedding=[[90, 0], [0, 90], [1, 0], [0, 1]], n_labeled=0)
    assert set(BAIT().select(pool, 2)) == set(MaxDet().select(pool, 2)) == {2, 3}


def test_the_scale_of_embeddings_does_not_matter_where_the_ridge_is_a_share():
    pool = FakePool(30, n_labeled=0)
    proba, Z = pool.proba, pool.embedding
    for strategy in (DOptimal(), VOptimal(), MaxDet(), DPP()):
        expected = strategy.select(pool, 10)
        for scale in (1e-5, 1e5):
            scaled = FakePool(proba=proba, embedding=scale * Z, n_labeled=0)
            assert_array_equal(strategy.select(scaled, 10), expected)


@pytest.mark.parametrize("strategy", [BAIT(), DPP(), DOptimal(), MaxDet(), VOptimal()], ids=repr)
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix, sparse.csc_array])
def test_sparse_rows_are_chosen_as_dense_ones(strategy, kind):
    X, y = load_iris(return_X_y=True)
    X = np.where(X > 2, X, 0) + 0.01 * np.arange(150)[:, None]  # without duplicates
    model = LogisticRegression(max_iter=1000).fit(X[::10], y[::10])
    dense, thin = (ActiveLearner(model, strategy, prefit=True, random_state=0) for _ in "ab")
    picks = dense.fit(X[::10], y[::10]).query(X, 10)
    assert_array_equal(thin.fit(kind(X)[::10], y[::10]).query(kind(X), 10), picks)


@pytest.mark.parametrize(
    ("strategy", "ridge"), [(DPP(), 0.0), (DOptimal(), 0.0), (MaxDet(), -1), (BAIT(), 0.0)]
)
def test_a_ridge_of_zero_is_refused(strategy, ridge):
    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(LogisticRegression(), strategy.set_params(ridge=ridge))
    with pytest.raises(ValueError, match="ridge"):
        learner.fit(X, y)


def test_a_pool_too_large_for_bait_is_refused_and_the_remedy_works(monkeypatch):
    monkeypatch.setattr(fisher_engine, "_MAX_FISHER_NUMBERS", 2 * 4 * 20)
    pool = FakePool(30)
    with pytest.raises(PoolTooLargeError, match="Subsample"):
        BAIT().select(pool, 3)
    assert len(Subsample(BAIT(), n_candidates=20).select(pool, 3)) == 3
