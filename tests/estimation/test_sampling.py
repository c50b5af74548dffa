"""Samples of a fixed size: their probabilities are those that were asked for."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skactive.estimation._sampling import draw_rows, inclusion_scale


@pytest.mark.parametrize("n_draws", [1, 3, 7])
def test_the_scale_gives_the_number_of_draws(n_draws):
    sizes = np.array([0.25, 5.0, 1.0, 1.0, 0.5, 9.0, 2.0, 0.25])
    scale = inclusion_scale(sizes, n_draws)
    chances = np.minimum(1.0, scale * sizes)
    assert chances.sum() == pytest.approx(n_draws)
    assert (np.diff(chances[np.argsort(sizes)]) >= -1e-12).all()


def test_all_rows_are_sure():
    assert inclusion_scale(np.array([1.0, 2.0]), 2) == np.inf


def test_rows_are_drawn_with_their_probabilities():
    chances = np.array([0.1, 0.9, 1.0, 0.25, 0.25, 0.5])
    counts = np.zeros(6)
    for seed in range(4000):
        rows = draw_rows(chances, 3, np.random.RandomState(seed))
        assert len(np.unique(rows)) == 3
        counts[rows] += 1
    assert_allclose(counts / 4000, chances, atol=0.03)  # four standard errors
