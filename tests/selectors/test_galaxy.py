"""Bisection against its definition, and how fast it finds where a label changes."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skactive.selectors import galaxy


def shortest_stretches(scores, labeled_scores, labels):
    """Return the rows in the middle of the shortest stretches between labels that differ."""
    n_rows, found = len(scores), {}
    everything = np.concatenate([scores, labeled_scores])
    for k in range(scores.shape[1]):
        order = np.argsort(everything[:, k])
        for i in range(len(order)):
            for j in range(i + 2, len(order)):
                between = order[i + 1 : j]
                if order[i] < n_rows or order[j] < n_rows or (between >= n_rows).any():
                    continue
                one, other = labels[order[[i, j]] - n_rows] == k
                if one != other:
                    found.setdefault(j - i, set()).add(int(order[(i + j) // 2]))
    return found[min(found)] if found else set()


@pytest.mark.parametrize("seed", range(20))
def test_the_next_row_is_in_the_middle_of_the_shortest_stretch(seed):
    rng = np.random.default_rng(seed)
    scores, labeled = rng.random((30, 3)), rng.random((6, 3))
    labels = np.array([0, 1, 2, 0, 1, 2])
    picks = galaxy(
        scores, scores.argmax(axis=1), 1, labeled_scores=labeled, labels=labels, random_state=seed
    )
    assert picks[0] in shortest_stretches(scores, labeled, labels)


@pytest.mark.parametrize("seed", range(10))
def test_in_a_batch_the_prediction_stands_for_the_label(seed):
    rng = np.random.default_rng(seed)
    scores, labeled = rng.random((30, 3)), rng.random((4, 3))
    labels, predicted = np.array([0, 1, 2, 0]), rng.integers(3, size=30)
    picks = galaxy(scores, predicted, 8, labeled_scores=labeled, labels=labels, random_state=seed)
    left = np.arange(30)
    for pick in picks:
        expected = shortest_stretches(scores[left], labeled, labels)
        if not expected:
            break
        assert pick in left[sorted(expected)]
        labeled = np.concatenate([labeled, scores[[pick]]])
        labels = np.append(labels, predicted[pick])
        left = left[left != pick]


@pytest.mark.parametrize("change", [0.03, 0.5, 0.98])
def test_with_true_labels_a_change_is_found_in_a_logarithm_of_the_rows(change):
    scores = np.random.default_rng(0).random(1000)
    truth = np.where(scores > change, 0, 1)
    known = [int(scores.argmin()), int(scores.argmax())]
    n_labels = 0
    while True:
        below = scores[known][truth[known] == 1].max()
        above = scores[known][truth[known] == 0].min()
        if not ((scores > below) & (scores < above)).any():
            break
        left = np.setdiff1d(np.arange(1000), known)
        pick = galaxy(
            scores[left, None],
            truth[left],
            1,
            labeled_scores=scores[known, None],
            labels=truth[known],
            random_state=0,
        )
        known.append(int(left[pick[0]]))
        n_labels += 1
    assert n_labels <= 10  # 2 ** 10 > 1000


def test_when_the_change_is_known_the_rows_around_it_come_nearest_first():
    scores = np.arange(10.0)[:, None]
    labeled, labels = np.array([[4.4], [4.6]]), np.array([1, 0])
    picks = galaxy(scores, np.zeros(10, int), 6, labeled_scores=labeled, labels=labels)
    assert_array_equal(np.sort(picks.reshape(3, 2)), [[4, 5], [3, 6], [2, 7]])


def test_ties_are_broken_at_random():
    scores, rng = np.zeros((6, 1)), np.random.RandomState(0)
    labeled, labels = np.array([[-1.0], [1.0]]), np.array([1, 0])
    picks = [
        galaxy(
            scores, np.zeros(6, int), 1, labeled_scores=labeled, labels=labels, random_state=rng
        )[0]
        for _ in range(200)
    ]
    assert set(picks) == set(range(6))


@pytest.mark.parametrize("labels", [[], [0], [0, 0, 0]], ids=str)
@pytest.mark.parametrize("batch_size", [0, 1, 7, 12, 20])
def test_without_two_labels_there_is_nothing_to_bisect(labels, batch_size):
    scores = np.random.default_rng(0).random((12, 2))
    picks = galaxy(
        scores,
        np.zeros(12, int),
        batch_size,
        labeled_scores=scores[: len(labels)],
        labels=np.array(labels, dtype=int),
        random_state=0,
    )
    assert len(set(picks.tolist())) == min(batch_size, 12)
