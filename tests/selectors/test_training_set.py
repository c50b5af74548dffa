"""select_training_set: equal to a plain greedy search, and what is left out."""

import numpy as np
import pytest
from scipy import sparse

from skactive.exceptions import SkactiveWarning
from skactive.selectors import _training_set, k_center_greedy, select_training_set


def cosines(Z, others):
    """Cosines of all pairs, (n_rows, n_others)."""
    Z, others = (M / np.linalg.norm(M, axis=1, keepdims=True) for M in (Z, others))
    return Z @ others.T


def select_plainly(Z, k, weights, *, codes=None, room=None, near_duplicates=0.97):
    """Evaluate the gains of all rows for each pick, as the docstring writes them."""
    codes = np.zeros(len(Z), int) if codes is None else codes
    room = np.array([k]) if room is None else np.array(room)
    unit = Z / np.linalg.norm(Z, axis=1, keepdims=True)
    picks, nearest = [], np.full(len(Z), -1.0)
    while len(picks) < k:
        is_open = (room[codes] > 0) & (nearest < near_duplicates)
        is_open[picks] = False
        gains = np.where(is_open, weights * (1.0 - nearest), 0.0)
        if gains.max() <= 0.0:
            break
        picks.append(int(gains.argmax()))
        room[codes[picks[-1]]] -= 1
        nearest = np.maximum(nearest, unit @ unit[picks[-1]])
    return picks


@pytest.fixture(scope="module")
def blobs():
    """Return 10,000 rows in 30 clumps, of which a third are copies of others."""
    rng = np.random.RandomState(0)
    Z = rng.normal(size=(30, 16))[rng.randint(30, size=10_000)]
    Z = Z + 0.5 * rng.normal(size=Z.shape)
    Z[:3000] = 1.5 * Z[rng.randint(3000, 10_000, size=3000)]
    return Z


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_picks_are_those_of_a_plain_search(blobs, dtype):
    rng = np.random.RandomState(1)
    quality, targets = rng.uniform(size=len(blobs)), rng.normal(size=(4, 16))
    groups, Z = rng.choice(list("abcde"), len(blobs)), blobs.astype(dtype)
    room = {"a": 200, "b": 100, "c": 50, "d": 0, "e": 10}
    weights = quality * np.maximum(cosines(Z, targets).max(axis=1), 0.0)
    codes = np.searchsorted(list(room), groups)
    picks = select_training_set(Z, 300, quality=quality, random_state=0)
    double = Z.astype(np.float64)
    np.testing.assert_array_equal(picks, select_plainly(double, 300, quality))
    with pytest.warns(SkactiveWarning, match="Only 360 rows of the 500"):
        picks = select_training_set(
            Z, 500, quality=quality, towards=targets, groups=groups, per_group=room, random_state=0
        )
    expected = select_plainly(double, 500, weights, codes=codes, room=list(room.values()))
    if dtype == np.float64:
        np.testing.assert_array_equal(picks, expected)
    else:  # relevance in single precision decides between rows that are as good but for rounding
        assert len(set(picks.tolist()) & set(expected)) >= 355
    assert np.unique(groups[picks], return_counts=True)[1].tolist() == [200, 100, 50, 10]


def test_few_rows_at_a_time_and_sparse_rows_change_nothing(blobs, monkeypatch):
    Z = np.where(np.abs(blobs[::4]) > 0.8, blobs[::4], 0.0)
    quality = np.random.RandomState(2).uniform(size=len(Z))
    options = {"quality": quality, "towards": Z[:50], "random_state": 0}
    expected = select_training_set(Z, 200, **options)
    in_csr = options | {"towards": sparse.csr_array(Z[:50])}
    np.testing.assert_array_equal(select_training_set(sparse.csr_array(Z), 200, **in_csr), expected)
    monkeypatch.setattr(_training_set, "_LEAST_WIDTH", 3)
    monkeypatch.setattr(_training_set, "_PRODUCTS_AT_ONCE", 500)
    for share in (0.0, 1.0):
        monkeypatch.setattr(_training_set, "_MAX_SHARE", share)
        np.testing.assert_array_equal(select_training_set(Z, 200, **options), expected)
    order = np.random.RandomState(3).permutation(len(Z))
    options["quality"] = quality[order]
    moved = select_training_set(Z[order], 200, **options)
    np.testing.assert_array_equal(order[moved], expected)


def test_without_quality_it_is_farthest_first_traversal(blobs):
    Z = blobs[3000:5000] / np.linalg.norm(blobs[3000:5000], axis=1, keepdims=True)
    picks = select_training_set(Z, 40, random_state=0)
    expected = k_center_greedy(Z, 39, labeled=Z[picks[:1]], random_state=0)
    np.testing.assert_array_equal(picks[1:], expected)
    firsts = {int(select_training_set(Z, 1, random_state=seed)[0]) for seed in range(5)}
    assert len(firsts) > 1  # all rows tie at first


def test_near_duplicates_and_copies_are_left_out(blobs):
    Z = blobs[:4000]
    with pytest.warns(SkactiveWarning, match="the others are near duplicates"):
        picks = select_training_set(Z, 4000, near_duplicates=0.9, random_state=0)
    similar = cosines(Z[picks], Z[picks]) - 2.0 * np.eye(len(picks))
    assert similar.max() < 0.9
    assert cosines(Z, Z[picks]).max(axis=1).min() >= 0.9 - 1e-9  # no other row could come
    with pytest.warns(SkactiveWarning):
        picks = select_training_set(Z, 4000, near_duplicates=1.0, random_state=0)
    n_distinct = len(np.unique(np.round(Z / np.linalg.norm(Z, axis=1, keepdims=True), 9), axis=0))
    assert len(picks) == n_distinct


def test_rows_without_quality_relevance_or_direction_are_left_out():
    Z = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 0.0], [1.0, 2.0]])
    quality = np.array([1.0, 0.0, 1.0, 1.0, 1.0])
    with pytest.warns(SkactiveWarning, match="of the 5 rows, 3 have no quality"):
        picks = select_training_set(Z, 5, quality=quality, towards=Z[:1], random_state=0)
    assert picks.tolist() == [0, 4]
    assert select_training_set(Z, 0).tolist() == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"groups": [0] * 5}, "groups and per_group go together, got groups and per_group=None"),
        ({"per_group": 2}, "go together, got no groups and per_group=2"),
        ({"groups": [0] * 4, "per_group": 2}, "one group for each of the 5 rows, got shape .4,."),
        ({"groups": list("aabbc"), "per_group": {"a": 1}}, "no number for the groups .'b', 'c'."),
        ({"groups": [0] * 5, "per_group": -1}, "per_group must be"),
        ({"groups": list("aaaab"), "per_group": {"a": 1, "b": 0.5}}, "per_group.'b'. must be"),
        ({"towards": np.ones((2, 3))}, "towards must have the columns of embedding, got 3 for 2"),
        ({"near_duplicates": 0.0}, "near_duplicates must lie in"),
        ({"quality": np.ones(4)}, "quality"),
        ({"quality": -np.ones(5)}, "quality"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_wrong_input_is_refused(options, said):
    with pytest.raises((ValueError, TypeError), match=said):
        select_training_set(np.eye(5)[:, :2] + 1.0, 2, **options)
