"""Bounds on distances hold in single precision."""

import numpy as np
import pytest

from skactive.selectors._engine.points import Centers, PointSet


@pytest.mark.parametrize("offset", [1e4, 1e5])
def test_bounds_of_single_precision_hold_far_from_the_origin(offset):
    X = (np.random.RandomState(0).normal(size=(500, 4)) + offset).astype(np.float32)
    points = PointSet(X)
    centers = Centers(points)
    for position in (3, 141, 59):
        centers.add_position(position)
    bounds = points.upper_bounds(
        points.copy_block(slice(0, 500)), slice(0, 500), centers, slice(0, 3)
    )
    rows = X.astype(np.float64)
    exact = ((rows[:, np.newaxis] - rows[[3, 141, 59]]) ** 2).sum(axis=2).min(axis=1)
    assert (bounds >= exact).all()
