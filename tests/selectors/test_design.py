"""Designs against determinants and traces written out, pick by pick."""

import tracemalloc
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import chisquare

from skactive.exceptions import PoolTooLargeError
from skactive.selectors._design import bait, d_optimal, dpp_map, v_optimal
from skactive.selectors._engine import design_rows
from skactive.selectors._engine import fisher as fisher_engine
from skactive.selectors._engine import information as engine

KINDS = [np.asarray, sparse.csr_array, sparse.csr_matrix, sparse.coo_array]
kinds = pytest.mark.parametrize("as_rows", KINDS, ids=lambda kind: kind.__name__)


@pytest.fixture
def small_blocks(monkeypatch):
    """Several blocks and a shortlist shorter than the pool, even with a few dozen rows."""
    monkeypatch.setattr(design_rows, "_ROW_BLOCK_BYTES", 300)
    monkeypatch.setattr(design_rows, "_MIN_PRODUCT_ROWS", 7)
    monkeypatch.setattr(engine, "_MIN_SHORTLIST", 4)
    monkeypatch.setattr(engine, "_MAX_SHORTLIST", 4)
    monkeypatch.setattr(engine, "_MAX_PENDING_PICKS", 6)
    monkeypatch.setattr(fisher_engine, "_SCREENING_ROWS", 4)


def outer(a, h):
    return np.einsum("ic,id->icd", a, h).reshape(-1, a.shape[1] * h.shape[1])


def information(X, ridge, *more):
    rows = np.concatenate([X, *more]) if more else X
    return ridge * np.eye(X.shape[1]) + rows.T @ rows


def plain_greedy(n_rows, batch_size, merit):
    """The row after which `merit` of the rows picked is largest, again and again."""
    picks = []
    for _ in range(batch_size):
        merits = [-np.inf if i in picks else merit([*picks, i]) for i in range(n_rows)]
        picks.append(int(np.argmax(merits)))
    return picks


def plain_d_optimal(X, batch_size, ridge, labeled):
    def merit(picks):
        return np.linalg.slogdet(information(X[picks], ridge, labeled))[1]

    return plain_greedy(len(X), batch_size, merit)


def plain_v_optimal(X, batch_size, ridge, labeled):
    def merit(picks):
        return -np.trace(np.linalg.solve(information(X[picks], ridge, labeled), X.T @ X))

    return plain_greedy(len(X), batch_size, merit)


def fisher(proba, features):
    """Information of each row in all C d dimensions, written out."""
    return [
        np.kron(np.diag(p) - np.outer(p, p), np.outer(h, h))
        for p, h in zip(proba, features, strict=True)
    ]


def plain_bait(proba, features, batch_size, ridge, oversample, labeled):
    blocks = fisher(proba, features)
    known = fisher(*labeled)
    start = ridge * np.eye(len(blocks[0])) + sum(known)
    mean = sum(blocks + known) / len(blocks + known)

    def merit(picks):
        return -np.trace(np.linalg.solve(start + sum(blocks[i] for i in picks), mean))

    picks = plain_greedy(len(proba), int(np.ceil(oversample * batch_size)), merit)
    while len(picks) > batch_size:
        rest = [[i for i in picks if i != out] for out in picks]
        picks = rest[int(np.argmax([merit(left) for left in rest]))]
    return picks


def softmax_data(n_rows, n_classes, n_dims, seed):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(n_classes), n_rows), rng.normal(size=(n_rows, n_dims))


# -- determinants ------------------------------------------------------------------------------


@pytest.mark.no_cover
@pytest.mark.parametrize("ridge", [1e-4, 1.0, 100.0])
@pytest.mark.parametrize("n_labeled", [0, 2, 60])
@pytest.mark.parametrize("batch_size", [2, 30])  # fewer than dimensions, and many more
@kinds
def test_d_optimal_is_its_definition(as_rows, n_labeled, ridge, batch_size, small_blocks):
    rng = np.random.default_rng(0)
    X, labeled = rng.normal(size=(40, 6)), rng.normal(size=(n_labeled, 6))
    picks = d_optimal(as_rows(X), batch_size, ridge=ridge, labeled=as_rows(labeled))
    assert_array_equal(picks, plain_d_optimal(X, batch_size, ridge, labeled))


@pytest.mark.parametrize("batch_size", [4, 25])
@pytest.mark.parametrize("n_labeled", [0, 3, 40])
@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array])
def test_d_optimal_of_factors_is_that_of_their_outer_products(
    as_rows, n_labeled, batch_size, small_blocks
):
    rng = np.random.default_rng(1)
    a, h = rng.normal(size=(30, 3)), rng.normal(size=(30, 4))
    a_known, h_known = rng.normal(size=(n_labeled, 3)), rng.normal(size=(n_labeled, 4))
    picks = d_optimal((a, as_rows(h)), batch_size, ridge=0.1, labeled=(a_known, as_rows(h_known)))
    assert_array_equal(
        picks, plain_d_optimal(outer(a, h), batch_size, 0.1, outer(a_known, h_known))
    )


def test_weights_go_in_as_factors():
    rng = np.random.default_rng(2)
    X, p = rng.normal(size=(25, 3)), rng.random(25)
    roots = np.sqrt(p * (1 - p))[:, None]
    assert_array_equal(d_optimal((roots, X), 10), plain_d_optimal(roots * X, 10, 1.0, X[:0]))


def test_the_shortlist_changes_no_pick():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(3000, 8)) * rng.lognormal(size=(3000, 1))
    inverse, leverages, picks = np.eye(8) / 0.1, None, []
    for _ in range(400):
        leverages = np.einsum("ij,ij->i", X @ inverse, X)
        leverages[picks] = -1
        picks.append(int(np.argmax(leverages)))
        inverse = np.linalg.inv(information(X[picks], 0.1))
    assert_array_equal(d_optimal(X, 400, ridge=0.1), picks)


@given(
    X=arrays(float, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=st.integers(-2, 2)),
    n_labeled=st.integers(0, 3),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=60)
def test_grids_full_of_ties(X, n_labeled, seed):
    picks = d_optimal(X, 12, labeled=X[:n_labeled], random_state=seed)
    for i, pick in enumerate(picks):
        inverse = np.linalg.inv(information(X[picks[:i]], 1.0, X[:n_labeled]))
        leverages = np.einsum("ij,ij->i", X @ inverse, X)
        assert leverages[pick] >= np.delete(leverages, picks[:i]).max() * (1 - 1e-8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_MIN_SHORTLIST", 4)  # the shortlist decides no tie
        patch.setattr(engine, "_MAX_SHORTLIST", 4)
        assert_array_equal(d_optimal(X, 12, labeled=X[:n_labeled], random_state=seed), picks)


def test_single_precision_rows_are_multiplied_in_double():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, 5)).astype(np.float32) + 10
    labeled = rng.normal(size=(9, 5)).astype(np.float32) + 10
    picks = d_optimal(X, 30, ridge=1e-6, labeled=labeled)
    expected = plain_d_optimal(X.astype(float), 30, 1e-6, labeled.astype(float))
    assert_array_equal(picks, expected)


def test_short_rows_keep_their_order():
    X = np.array([[1e-9], [3e-9], [2e-9]])  # 1 + g is 1 for all of them
    assert_array_equal(d_optimal(X, 3), [1, 2, 0])


def plain_dpp(X, quality, batch_size, ridge):
    kernel = np.outer(quality, quality) * (X @ X.T + ridge * np.eye(len(X)))

    def merit(picks):
        return np.linalg.slogdet(kernel[np.ix_(picks, picks)])[1]

    return plain_greedy(len(X), batch_size, merit)


@pytest.mark.parametrize("ridge", [1e-5, 1e-3, 1.0])
@pytest.mark.parametrize("batch_size", [3, 30])
@kinds
def test_dpp_is_the_determinant_of_its_kernel(as_rows, ridge, batch_size, small_blocks):
    rng = np.random.default_rng(5)
    X, quality = rng.normal(size=(40, 5)), rng.random(40)
    picks = dpp_map(as_rows(X), batch_size, quality=quality, ridge=ridge)
    assert_array_equal(picks, plain_dpp(X, quality, batch_size, ridge))
    picks = dpp_map(as_rows(X), batch_size, ridge=ridge)
    assert_array_equal(picks, plain_dpp(X, np.ones(40), batch_size, ridge))


def test_dpp_with_little_ridge_takes_the_row_farthest_from_the_span():
    rng = np.random.default_rng(6)
    X, picks = rng.normal(size=(30, 6)), []
    for _ in range(6):
        basis = np.linalg.qr(X[picks].T)[0] if picks else np.zeros((6, 1))
        residual = np.square(X - X @ basis @ basis.T).sum(axis=1)
        picks.append(int(np.argmax(residual)))
    assert_array_equal(dpp_map(X, 6, ridge=1e-8), picks)


def test_rows_without_quality_come_last_and_by_diversity():
    X = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    for seed in range(10):
        picks = dpp_map(X, 4, quality=np.array([0.0, 1.0, 0.0, 0.0]), random_state=seed)
        assert_array_equal(picks[:2], [1, 2])


# -- traces ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ridge", [1e-4, 1.0, 100.0])
@pytest.mark.parametrize("n_labeled", [0, 2, 60])
@kinds
def test_v_optimal_is_its_definition(as_rows, n_labeled, ridge, small_blocks):
    rng = np.random.default_rng(7)
    X, labeled = rng.normal(size=(30, 4)) * [5, 2, 1, 0.3], rng.normal(size=(n_labeled, 4))
    picks = v_optimal(as_rows(X), 20, ridge=ridge, labeled=as_rows(labeled))
    assert_array_equal(picks, plain_v_optimal(X, 20, ridge, labeled))


def test_v_optimal_of_factors_is_that_of_their_outer_products(small_blocks):
    rng = np.random.default_rng(8)
    a, h = rng.normal(size=(30, 2)), rng.normal(size=(30, 3))
    picks = v_optimal((a, h), 15, ridge=0.5, labeled=(a[:4] + 1, h[:4] - 1))
    expected = plain_v_optimal(outer(a, h), 15, 0.5, outer(a[:4] + 1, h[:4] - 1))
    assert_array_equal(picks, expected)


def test_the_crowd_wins_the_trace_and_the_rim_the_determinant():
    X = np.array([[1.0, 0.0]] * 50 + [[0.0, 1.2]])
    assert v_optimal(X, 1)[0] != 50
    assert d_optimal(X, 1)[0] == 50


@pytest.mark.parametrize("oversample", [1.0, 1.3, 2.0])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("n_labeled", [0, 4, 50])
def test_bait_is_its_definition(n_classes, n_labeled, oversample, small_blocks):
    proba, features = softmax_data(24, n_classes, 3, seed=n_classes)
    known = softmax_data(n_labeled, n_classes, 3, seed=9)
    for ridge in (0.01, 1.0):
        picks = bait(proba, features, 8, ridge=ridge, oversample=oversample, labeled=known)
        assert_array_equal(picks, plain_bait(proba, features, 8, ridge, oversample, known))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_bait_on_sparse_rows_is_bait_on_dense_ones(kind):
    proba, features = softmax_data(24, 3, 4, seed=0)
    features = np.where(features > 0, features, 0)
    known = softmax_data(5, 3, 4, seed=1)
    picks = bait(proba, features, 6, labeled=known)
    assert_array_equal(bait(proba, kind(features), 6, labeled=(known[0], kind(known[1]))), picks)


def test_bait_where_probabilities_are_zero_or_one():
    proba, features = softmax_data(24, 4, 3, seed=2)
    proba[:8] = np.eye(4)[np.arange(8) % 4]
    proba[8:12] = [0.0, 0.5, 0.0, 0.5]
    known = proba[:3], features[:3]
    picks = bait(proba, features, 5, ridge=0.1, labeled=known)
    assert_array_equal(picks, plain_bait(proba, features, 5, 0.1, 2.0, known))
    assert (picks >= 8).all()  # a certain row tells nothing


def test_the_published_code_on_its_own_terms():
    """Factors sqrt(p_c) (e_c - p) kron h; the information of all rows, labeled ones included.

    With N rows labeled or chosen, labeled rows weigh 1 / N and chosen rows batch_size / N.
    """
    proba, features = softmax_data(30, 3, 3, seed=3)
    known, n_known, batch_size, lamb = softmax_data(6, 3, 3, seed=4), 6, 4, 0.2

    def embeddings(proba, features):
        C = proba.shape[1]
        residual = np.sqrt(proba)[:, :, None] * (np.eye(C) - proba[:, None])
        return np.einsum("nkc,nd->nkcd", residual, features).reshape(len(proba), C, -1)

    X, start = embeddings(proba, features), embeddings(*known)
    both = np.concatenate([X, start])
    pool_fisher = np.einsum("nki,nkj->ij", both, both) / len(both)
    n_all = n_known + batch_size
    inverse = np.linalg.inv(lamb * np.eye(9) + np.einsum("nki,nkj->ij", start, start) / n_all)
    X, picks = X * np.sqrt(batch_size / n_all), []
    for _ in range(2 * batch_size):
        small = np.linalg.inv(np.eye(3) + X @ inverse @ X.transpose(0, 2, 1))
        both = X @ inverse @ pool_fisher @ inverse @ X.transpose(0, 2, 1)
        gains = np.trace(both @ small, axis1=1, axis2=2)
        gains[picks] = -1
        picks.append(int(np.argmax(gains)))
        x = X[picks[-1]]
        inverse -= inverse @ x.T @ np.linalg.inv(np.eye(3) + x @ inverse @ x.T) @ x @ inverse
    while len(picks) > batch_size:
        x = X[picks]
        small = np.linalg.inv(-np.eye(3) + x @ inverse @ x.transpose(0, 2, 1))
        both = x @ inverse @ pool_fisher @ inverse @ x.transpose(0, 2, 1)
        out = picks.pop(int(np.argmin(-np.trace(both @ small, axis1=1, axis2=2))))
        x = X[out]
        inverse -= inverse @ x.T @ np.linalg.inv(-np.eye(3) + x @ inverse @ x.T) @ x @ inverse
    options = {"ridge": lamb * n_all, "weight": batch_size, "labeled": known}
    assert_array_equal(bait(proba, features, batch_size, **options), picks)


@given(st.integers(1, 6), st.data())
@settings(deadline=None, max_examples=60)
def test_factors_of_the_information_of_any_probabilities(n_classes, data):
    weights = data.draw(arrays(float, n_classes, elements=st.sampled_from([0, 1e-300, 1, 2, 7])))
    p = weights / weights.sum() if weights.sum() > 0 else np.eye(n_classes)[0]
    factor = fisher_engine._multiply_by_factor(p[None], np.eye(n_classes)[None])[0].T  # (C, C-1)
    assert factor.shape == (n_classes, n_classes - 1)
    assert_allclose(factor @ factor.T, np.diag(p) - np.outer(p, p), atol=1e-14)


# -- limits ------------------------------------------------------------------------------------


def test_dimensions_have_a_limit_and_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setattr(engine, "_MAX_INVERSE_NUMBERS", 20)
    monkeypatch.setattr(engine, "_MAX_TRACE_DIMS", 5)
    monkeypatch.setattr(fisher_engine, "_MAX_FISHER_NUMBERS", 79)
    X, proba = np.eye(10), np.full((10, 3), 1 / 3)
    assert len(d_optimal(X, 2)) == 2
    for select in (d_optimal, dpp_map):
        with pytest.raises(PoolTooLargeError, match=r"10 x 3 numbers.*PCA"):
            select(X, 3)
    with pytest.raises(PoolTooLargeError, match=r"10 x 10 numbers.*PCA"):
        v_optimal(X, 1)
    with pytest.raises(PoolTooLargeError, match=r"6 x 6 numbers.*at most 5.*PCA"):
        bait(proba, X[:, :3], 1)
    with pytest.raises(PoolTooLargeError, match=r"2\^2 numbers for each of 10 rows.*Subsample"):
        bait(proba, X[:, :2], 1)
    assert len(bait(proba[:9], X[:9, :2], 1)) == 1


def test_no_array_of_rows_by_batch_or_of_rows_by_classes_times_dims():
    n_rows, rng = 20_000, np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 20)).astype(np.float32)
    a = rng.normal(size=(n_rows, 30)).astype(np.float32)
    proba = rng.dirichlet(np.ones(4), n_rows)
    cases = [
        (partial(d_optimal, X), 100, 16),
        (partial(dpp_map, X), 100, 16),
        (partial(d_optimal, (a, X), labeled=(a[:50], X[:50])), 60, 30),
        (partial(v_optimal, X), 100, 16),
        (partial(bait, proba, X), 5, 2 * 9 + 8),
    ]
    for select, batch_size, n_numbers in cases:
        tracemalloc.start()
        select(batch_size=batch_size)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 * n_numbers * n_rows + 16 * 2**20, select


# -- what all of them share --------------------------------------------------------------------


def bait_of(X, batch_size, **options):
    n_rows = len(X[0]) if isinstance(X, tuple) else X.shape[0]
    proba = np.column_stack([np.linspace(0.1, 0.9, n_rows), np.linspace(0.9, 0.1, n_rows)])
    return bait(proba, X, batch_size, **options)


def qualities(X, batch_size, **options):
    n_rows = len(X[0]) if isinstance(X, tuple) else X.shape[0]
    return dpp_map(X, batch_size, quality=np.arange(n_rows), **options)


SELECTORS = [d_optimal, dpp_map, qualities, v_optimal, bait_of]
selectors = pytest.mark.parametrize("select", SELECTORS, ids=lambda select: select.__name__)


@selectors
def test_a_permuted_pool_gives_the_permuted_picks(select):
    rng = np.random.default_rng(1)
    X, order = rng.normal(size=(300, 6)), rng.permutation(300)
    proba = rng.dirichlet(np.ones(3), 300)
    if select is bait_of:
        first, second = bait(proba, X, 10), bait(proba[order], X[order], 10)
    elif select in (dpp_map, qualities):
        first = dpp_map(X, 40, quality=proba[:, 0])
        second = dpp_map(X[order], 40, quality=proba[order, 0])
    else:
        first, second = select(X, 40), select(X[order], 40)
    assert_array_equal(order[second], first)


@pytest.mark.parametrize("select", [d_optimal, v_optimal])
def test_scaling_rows_and_ridge_together_changes_nothing(select):
    X = np.random.default_rng(2).normal(size=(50, 4))
    picks = select(X, 20, ridge=0.5)
    for scale in (1e-6, 1e6):
        assert_array_equal(select(scale * X, 20, ridge=0.5 * scale**2), picks)


@pytest.mark.no_cover
@pytest.mark.parametrize("select", [d_optimal, dpp_map, v_optimal])
def test_ties_are_broken_at_random(select):
    X, rng = np.zeros((4, 2)), np.random.RandomState(0)
    picks = np.array([select(X, 2, random_state=rng) for _ in range(3000)])
    for column in picks.T:
        assert chisquare(np.bincount(column)).pvalue > 1e-3
    assert (np.diff(picks, axis=1) != 0).all()


@pytest.mark.parametrize("select", [d_optimal, dpp_map, v_optimal])
def test_distinct_points_come_before_duplicates(select, small_blocks):
    X = np.tile(np.random.default_rng(3).normal(size=(4, 6)), (8, 1))
    for seed in range(10):
        picks = select(X, 4, ridge=1e-3, random_state=seed)
        assert len(np.unique(picks % 4)) == 4
    firsts = {int(select(X, 1, random_state=seed)[0]) for seed in range(40)}
    assert len(firsts) > 4
    assert len({first % 4 for first in firsts}) == 1


@pytest.mark.no_cover
@pytest.mark.parametrize("oversample", [1.0, 2.0])
def test_bait_breaks_ties_at_random(oversample):
    proba, features = np.full((5, 3), 1 / 3), np.ones((5, 2))
    rng = np.random.RandomState(0)
    picks = [bait(proba, features, 1, oversample=oversample, random_state=rng) for _ in range(1000)]
    assert chisquare(np.bincount(np.ravel(picks), minlength=5)).pvalue > 1e-3
    single = [bait(proba[:, :1], features, 2, random_state=seed)[0] for seed in range(50)]
    assert set(single) == set(range(5))  # one class: nothing to learn


def test_sparse_rows_with_repeated_entries_are_read_but_not_rewritten():
    data, indices = np.array([1.0, 2.0, 4.0, 3.0]), np.array([1, 1, 2, 0])
    X = sparse.csr_array((data, indices, np.array([0, 2, 4])), shape=(2, 3))
    state = design_rows.DesignRows(X)
    assert_allclose(state.squared_norms(), [9, 25])
    assert_array_equal(X.data, [1, 2, 4, 3])
    assert_array_equal(X.indices, [1, 1, 2, 0])


@pytest.mark.parametrize("n_classes", [None, 3])
def test_many_labeled_sparse_rows_need_memory_for_their_products_only(n_classes):
    # 160 labeled rows use some 4,000 columns: the dense form would be 160 x 4,000 numbers a class.
    rng = np.random.default_rng(0)
    X = sparse.random_array((460, 30_000), density=1e-3, rng=rng, format="csr")
    pool, labeled = X[:300], X[300:]
    a = None if n_classes is None else rng.random((460, n_classes)) - 0.5
    rows = [
        X if a is None else (a[part], X)
        for X, part in ((pool, np.s_[:300]), (labeled, np.s_[300:]))
    ]
    tracemalloc.start()
    picks = d_optimal(rows[0], 20, ridge=0.1, labeled=rows[1], random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 160 * 4_000 * 8
    weights = np.ones((460, 460)) if a is None else a @ a.T
    gram = weights * (X @ X.T).toarray()  # determinants of the rows alone, by Sylvester's identity
    chosen = list(range(300, 460))
    for pick in picks:
        inverse = np.linalg.inv(gram[np.ix_(chosen, chosen)] + 0.1 * np.eye(len(chosen)))
        across = gram[:300, chosen]
        gains = np.diag(gram)[:300] - np.einsum("ij,jk,ik->i", across, inverse, across)
        gains[[row for row in chosen if row < 300]] = -np.inf
        assert gains[pick] == pytest.approx(gains.max(), rel=1e-9)
        chosen.append(int(pick))


@pytest.mark.parametrize("as_factors", [False, True])
@pytest.mark.parametrize("n_labeled", [0, 3])
def test_sparse_rows_without_any_entry(as_factors, n_labeled):
    empty, labeled = sparse.csr_array((5, 40)), sparse.csr_array((3, 40))

    def as_rows(X):
        return (np.ones((X.shape[0], 2)), X) if as_factors else X

    picks = d_optimal(as_rows(empty), 4, labeled=as_rows(labeled[:n_labeled]), random_state=0)
    assert len(set(picks.tolist())) == 4
