"""Scores of several labels per row against plain loops, and what they refuse."""

import math

import numpy as np
import pytest

from skactive import scores
from skactive.scores import borda_margin, entropy_distance, hamming_risk, separation_margin

RNG = np.random.RandomState(0)
PRESENCE = RNG.uniform(size=(12, 5))


@pytest.mark.parametrize("n_present", [0, 2, 5, np.arange(12) % 4], ids=str)
def test_hamming_risk_is_the_number_of_labels_expected_to_be_wrong(n_present):
    counts = np.broadcast_to(n_present, 12)
    expected = []
    for row, count in zip(PRESENCE, counts, strict=True):
        predicted = sorted(range(5), key=lambda j: -row[j])[:count]
        expected.append(sum(1 - p if j in predicted else p for j, p in enumerate(row)))
    np.testing.assert_allclose(hamming_risk(PRESENCE, n_present), expected)


def test_hamming_risk_is_the_published_loss_reduction():
    f, predicted = 2 * PRESENCE - 1, np.where(PRESENCE > 0.5, 1, -1)
    reduction = ((1 - predicted * f) / 2).sum(axis=1)
    risk = hamming_risk(PRESENCE, (PRESENCE > 0.5).sum(axis=1))
    np.testing.assert_allclose(risk, reduction)


@pytest.mark.parametrize(
    ("row", "expected"),
    [([0.9, 0.6, 0.3, 0.1], 0.3), ([0.4, 0.2], 0.6), ([0.9, 0.7], 0.7), ([0.5, 0.5], 0.5)],
)
def test_the_separation_margin_lies_between_the_least_sure_labels(row, expected):
    np.testing.assert_allclose(separation_margin(np.array([row])), [1 / expected])


def test_borda_counts_the_rows_of_larger_margins():
    margins = np.abs(2 * PRESENCE - 1)
    expected = [
        np.mean([(margins[:, j] > margins[i, j]).sum() / 11 for j in range(5)]) for i in range(12)
    ]
    np.testing.assert_allclose(borda_margin(PRESENCE), expected)
    np.testing.assert_array_equal(borda_margin(PRESENCE[:1]), [1.0])
    # Presence and absence of a label are equally sure: ties share their points.
    np.testing.assert_allclose(borda_margin(np.array([[0.1], [0.9], [0.5]])), [0.25, 0.25, 1.0])


def entropy_of(counts):
    return -sum(c / sum(counts) * math.log(c / sum(counts)) for c in counts if c)


def test_entropy_distances_are_those_of_contingency_tables():
    first, second = RNG.randint(2, size=(9, 5)), RNG.randint(2, size=(7, 5))
    second[0], second[1], first[0] = 1 - first[1], first[2], 0
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            table = [sum((x, y) == pair for x, y in zip(a, b, strict=True)) for pair in PAIRS]
            joint = entropy_of(table)
            parts = entropy_of([sum(a), 5 - sum(a)]) + entropy_of([sum(b), 5 - sum(b)])
            expected = 0.0 if joint == 0 else (2 * joint - parts) / joint
            if all(a != b):
                expected = 1.0
            got = entropy_distance(first.astype(float), second.astype(float))[i, j]
            assert got == pytest.approx(expected, abs=1e-12)


PAIRS = [(1, 1), (1, 0), (0, 1), (0, 0)]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("borda_margin", [[0.2, 0.4]], "shape"),
        ("separation_margin", [[[0.2, 1.4]]], "from 0 to 1"),
        ("separation_margin", [[[0.2, np.nan]]], "finite"),
        ("hamming_risk", [[[0.2, 0.4]], [1, 1]], "2 entries for 1 rows"),
        ("hamming_risk", [[[0.2, 0.4]], -1], "at least 0"),
        ("entropy_distance", [[[0, 0.5]], [[0, 1]]], "0 or 1"),
        ("entropy_distance", [[[0, 1]], [[0, 1, 1]]], "same labels"),
    ],
)
def test_what_is_no_presence_is_refused(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(scores, name)(*arguments)


def test_rows_without_labels_have_scores():
    none = np.empty((3, 0))
    np.testing.assert_array_equal(hamming_risk(none, 2), [0, 0, 0])
    np.testing.assert_array_equal(separation_margin(none), [1, 1, 1])
    np.testing.assert_array_equal(borda_margin(none), [1, 1, 1])
    np.testing.assert_array_equal(entropy_distance(none, none[:2]), np.zeros((3, 2)))
