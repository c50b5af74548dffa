import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from skactive.quality import find_duplicates, find_leakage


def make_rows(seed=0, n=60):
    """Return rows of which 0 and 7 are equal, 3 and 9 scaled, 1 and 20 near."""
    X = np.random.default_rng(seed).normal(size=(n, 12))
    X[7], X[9], X[20] = X[0], 2.5 * X[3], X[1] + 0.05
    return X


@pytest.mark.parametrize("make", [np.asarray, sp.csr_array, sp.csr_matrix, pd.DataFrame])
def test_pairs_are_those_of_plain_loops(make):
    X = make_rows()
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    distances = 1 - unit @ unit.T
    expected = {
        (i, j): distances[i, j]
        for i in range(60)
        for j in range(i + 1, 60)
        if distances[i, j] <= 0.2
    }
    found = find_duplicates(make(X), threshold=0.2)
    assert set(map(tuple, found.pairs.tolist())) == set(expected)
    np.testing.assert_allclose(
        found.distances, [expected[tuple(pair)] for pair in found.pairs], atol=1e-9
    )
    assert (np.diff(found.distances) >= -1e-9).all()


def test_threshold_zero_finds_copies_only():
    found = find_duplicates(make_rows(), threshold=0)
    assert [group.tolist() for group in found.groups] == [[0, 7], [3, 9]]


def test_groups_join_chains_of_pairs():
    angles = np.deg2rad([0, 4, 8, 90, 93])
    found = find_duplicates(np.stack([np.cos(angles), np.sin(angles)], axis=1), threshold=0.003)
    assert [group.tolist() for group in found.groups] == [[0, 1, 2], [3, 4]]


def test_order_of_rows_does_not_matter():
    X = make_rows()
    order = np.random.default_rng(1).permutation(60)
    first, second = find_duplicates(X), find_duplicates(X[order])
    assert {frozenset(group) for group in first.groups} == {
        frozenset(order[group]) for group in second.groups
    }


def test_texts_that_differ_in_little_are_alike():
    texts = ["The quick brown fox jumps over the lazy dog", "Something else altogether"]
    texts += ["the quick brown fox jumps over the lazy dog.", "THE QUICK BROWN FOX JUMPED"]
    for given in (texts, np.array(texts), pd.Series(texts)):
        assert [group.tolist() for group in find_duplicates(given).groups] == [[0, 2]]


def test_empty_rows_are_alike():
    assert find_duplicates([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]).groups[0].tolist() == [0, 2]
    assert find_duplicates(["", "a fox ran", "?"]).groups[0].tolist() == [0, 2]
    assert find_duplicates(["", "!", "?"]).groups[0].tolist() == [0, 1, 2]


def test_leaks_are_pairs_of_both_sets():
    X = make_rows()
    found = find_leakage(X[:15], X[15:], threshold=0.05)
    assert found.pairs.tolist() == [[1, 5]]
    assert find_leakage(["a fox ran"], ["a fox ran", "a hen sat"]).pairs.tolist() == [[0, 0]]


def test_mistakes_are_refused():
    with pytest.raises(ValueError, match=r"threshold must be a cosine distance in \[0, 1\)"):
        find_duplicates([[1.0]], threshold=1.5)
    with pytest.raises(ValueError, match="same number of columns, got shapes"):
        find_leakage([[1.0, 2.0]], [[1.0]])
    with pytest.raises(ValueError, match="texts or matrices"):
        find_duplicates([1.0, 2.0])
