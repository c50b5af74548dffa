"""labels_to_reach, by hand."""

import numpy as np
import pytest

from skactive.metrics import labels_to_reach

N_LABELS = [20, 40, 60, 80]


@pytest.mark.parametrize(
    ("scores", "target", "expected"),
    [
        ([0.5, 0.7, 0.8, 0.9], 0.75, 60.0),  # between two rounds: the later one
        ([0.5, 0.7, 0.8, 0.9], 0.7, 40.0),  # exactly reached counts
        ([0.5, 0.7, 0.8, 0.9], 0.3, 20.0),  # at the start
        ([0.5, 0.7, 0.8, 0.9], 0.9, 80.0),  # at the end
        ([0.5, 0.7, 0.8, 0.9], 0.91, np.inf),  # never
        ([0.5, 0.9, 0.6, 0.9], 0.85, 40.0),  # lost again: the first time counts
        ([0.9, 0.5, 0.6, 0.7], 0.7, 20.0),  # falling at first
        ([-3.0, -2.0, -1.0, -0.5], -1.0, 60.0),  # scores whose best is 0
    ],
)
@pytest.mark.parametrize("container", [list, tuple, np.array])
def test_first_round_that_reaches_the_target(scores, target, expected, container):
    reached = labels_to_reach(container(N_LABELS), container(scores), target)
    assert reached == expected
    assert type(reached) is float


def test_one_round():
    assert labels_to_reach([7], [0.4], 0.4) == 7.0
    assert labels_to_reach([7], [0.4], 0.5) == np.inf
