"""Sparse rows of many columns, as texts have them: the picks of dense rows, in little memory."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skactive.selectors import (
    d_optimal,
    dpp_map,
    igs,
    k_center_greedy,
    kmeans_plusplus,
    lcmd,
    ranked_batch,
    robust_k_center_greedy,
    v_optimal,
)
from skactive.selectors._engine import information as design_engine
from skactive.selectors._engine import points as engine

RNG = np.random.default_rng(0)
N_LABELED, N_CLASSES = 60, 3


def make_texts(n_rows, n_columns, n_words=12, dtype=np.float64):
    """Return rows of a few words each, most of them from the common ones."""
    rng = np.random.default_rng(1)
    words = np.minimum((rng.pareto(1.0, (n_rows, n_words)) * 20).astype(int), n_columns - 1)
    starts = np.arange(n_rows + 1) * n_words
    X = sparse.csr_array(
        (rng.random(n_rows * n_words).astype(dtype), words.ravel(), starts),
        shape=(n_rows, n_columns),
    )
    X.sum_duplicates()
    return X


def select_from(X, labeled, proba, n_picks):
    """Return a call of each selector that takes sparse rows, by its name."""
    residual = proba - (proba == proba.max(axis=1, keepdims=True))
    known = {"labeled": labeled, "random_state": 0}
    prediction, targets = proba[:, 0], np.linspace(0, 1, labeled.shape[0])
    return {
        "k-center": lambda: k_center_greedy(X, n_picks, **known),
        "ranked batch": lambda: ranked_batch(X, proba[:, 0], n_picks, **known),
        "robust": lambda: robust_k_center_greedy(X, n_picks, quantile=0.9, **known),
        "lcmd": lambda: lcmd(X, n_picks, **known),
        "igs": lambda: igs(X, prediction, n_picks, targets=targets, **known),
        "k-means++": lambda: kmeans_plusplus(X, n_picks, random_state=0),
        "badge": lambda: kmeans_plusplus((residual, X), n_picks, random_state=0),
        "d-optimal": lambda: d_optimal(X, n_picks, ridge=0.1, **known),
        "d-optimal of gradients": lambda: d_optimal(
            (residual, X),
            n_picks,
            ridge=0.1,
            labeled=(residual[:N_LABELED], labeled),
            random_state=0,
        ),
        "dpp": lambda: dpp_map(X, n_picks, quality=proba[:, 0], random_state=0),
    }


SELECTORS = list(select_from(*[np.ones((2, 2))] * 3, 1))
selectors = pytest.mark.parametrize("name", SELECTORS)


@selectors
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_rows_are_chosen_as_dense_ones(name, dtype, monkeypatch):
    monkeypatch.setattr(engine, "_DENSE_NUMBERS", 4000)  # few centers at a time
    monkeypatch.setattr(engine, "_PRODUCT_BYTES", 2**16)
    monkeypatch.setattr(design_engine, "_MIN_SHORTLIST", 8)
    monkeypatch.setattr(design_engine, "_MAX_PENDING_PICKS", 5)
    if name == "k-means++":
        dtype = np.float64  # proposals of dense rows in single precision come from coarser bounds
    rows = make_texts(500, 700, dtype=dtype)
    proba = np.random.default_rng(2).dirichlet(np.ones(N_CLASSES), 500)
    from_sparse = select_from(rows, rows[:N_LABELED], proba, 30)
    from_dense = select_from(rows.toarray(), rows[:N_LABELED].toarray(), proba, 30)
    assert_array_equal(from_sparse[name](), from_dense[name]())


@selectors
def test_memory_does_not_grow_with_the_columns(name):
    rows = make_texts(3000, 400_000)  # 60 dense rows would take 192 MB
    proba = np.random.default_rng(2).dirichlet(np.ones(N_CLASSES), 3000)
    select = select_from(rows, rows[:N_LABELED], proba, 5)[name]
    tracemalloc.start()
    try:
        select()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6


@pytest.mark.parametrize("dense_numbers", [1, 900, 10**6])
def test_products_do_not_depend_on_how_many_rows_are_made_dense(dense_numbers, monkeypatch):
    monkeypatch.setattr(engine, "_DENSE_NUMBERS", dense_numbers)
    left = make_texts(50, 300)
    right = sparse.vstack([make_texts(20, 300), sparse.csr_array((1, 300)), left[20:36]], "csr")
    products = engine.products((left,), (right,))
    assert_allclose(products, left.toarray() @ right.toarray().T, rtol=1e-13)
    assert engine.products((left[:0],), (right,)).shape == (0, 37)
    assert_array_equal(engine.products((left,), (right[[20]],)), np.zeros((50, 1)))


def test_variance_of_sparse_rows_is_that_of_dense_ones():
    rows = make_texts(200, 40)
    for X, labeled in ((rows, rows[:9]), ((RNG.normal(size=(200, 2)), rows), None)):
        known = {"labeled": labeled, "random_state": 0}
        dense = X.toarray() if labeled is not None else (X[0], rows.toarray())
        expected = v_optimal(
            dense, 12, labeled=None if labeled is None else labeled.toarray(), random_state=0
        )
        assert_array_equal(v_optimal(X, 12, **known), expected)


@pytest.mark.parametrize(("n_left", "n_right"), [(1, 40), (40, 1), (9, 30), (30, 30), (0, 3)])
@pytest.mark.parametrize("n_columns", [30, 5_000])
def test_the_smaller_factor_of_a_sparse_product_is_made_dense(n_left, n_right, n_columns):
    X = make_texts(n_left + n_right, n_columns)
    left, right = X[:n_left], X[n_left:]
    product = engine.products((left,), (right,))
    assert_allclose(product, left.toarray() @ right.toarray().T, rtol=1e-13, atol=1e-15)
    assert_array_equal(product, engine.products((right,), (left,)).T)  # to the bit
    tracemalloc.start()
    engine.products((make_texts(1, 2**17),), (make_texts(400, 2**17),))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**21  # as dense rows, the 400 have 400 x 1,000 numbers
