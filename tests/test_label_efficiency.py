"""Margin beats Random on digits with logistic regression, by what the documentation says."""

import sys
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from skactive.strategies import Margin, Random

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def curves():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from label_efficiency import simulate_curve
    finally:
        sys.path.remove(str(BENCHMARKS))
    with threadpool_limits(limits=1):
        return simulate_curve(Margin()), simulate_curve(Random())


@pytest.mark.no_cover
def test_both_start_from_the_same_labels(curves):
    margin, random = curves
    np.testing.assert_array_equal(margin.n_labels, np.arange(20, 121, 10))
    np.testing.assert_array_equal(margin.scores[:, 0], random.scores[:, 0])


def test_margin_gains_three_points_over_ten_seeds(curves):
    margin, random = curves
    assert margin.scores.shape == (10, 11)
    assert (margin.scores - random.scores).mean() >= 0.03
    assert (margin.mean - random.mean)[-1] >= 0.03
