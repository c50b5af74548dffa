"""Fixtures of the tests of coverage: rows in clumps, and small blocks."""

import numpy as np
import pytest

from skactive.selectors._engine import cells, lazy_greedy, similarity


@pytest.fixture
def blobs():
    """Return a function that makes clumps of rows in single precision."""

    def make(n_rows, n_dims, n_blobs=10, seed=15):
        rng = np.random.default_rng(seed)
        centers = 4 * rng.normal(size=(n_blobs, n_dims))
        rows = centers[rng.integers(n_blobs, size=n_rows)] + rng.normal(size=(n_rows, n_dims))
        return rows.astype(np.float32)

    return make


@pytest.fixture
def small_parts(monkeypatch):
    """Use many cells, blocks, shortlists and refreshes on few rows."""
    monkeypatch.setattr(similarity, "_SIMILARITY_BYTES", 2**10)
    monkeypatch.setattr(cells, "_ROWS_PER_CELL", 9)
    monkeypatch.setattr(cells, "_MIN_PAIRS", 0)
    monkeypatch.setattr(lazy_greedy, "_SHORTLIST_SIZE", 12)
    monkeypatch.setattr(lazy_greedy, "_BOUNDED_AT_ONCE", 5)
    monkeypatch.setattr(lazy_greedy, "_EXACT_AT_ONCE", 2)
    monkeypatch.setattr(lazy_greedy, "_WORTHY_AT_ONCE", 7)
