"""Budgets of labels, cost and time."""

import numpy as np
import pytest

from skactive.stopping import Budget, CostBudget, Round, TimeLimit


@pytest.mark.parametrize(
    ("criterion", "before", "there", "reason"),
    [
        (Budget(30), Round(29), Round(30), "30 labels were bought, of 30"),
        (Budget(30), Round(20, audit=np.ones(9)), Round(20, audit=np.ones(11)), "31 labels"),
        (CostBudget(30), Round(29), Round(30), "the labels cost 30, of 30"),
        (CostBudget(0.5), Round(99, cost=0.4), Round(1, cost=0.5), "the labels cost 0.5, of 0.5"),
        (CostBudget(12345), Round(12344), Round(12346), "the labels cost 12346, of 12345"),
        (TimeLimit(60), Round(1, seconds=59.99), Round(1, seconds=60.0), "60 s have passed, of 60"),
    ],
    ids=str,
)
def test_what_it_has_cost(criterion, before, there, reason, play):
    _, verdicts = play(criterion, [before, there])
    assert [verdict.stop for verdict in verdicts] == [False, True]
    assert reason in verdicts[1].reason


def test_large_numbers_are_written_out():
    verdict = CostBudget(123456).start().update(Round(1, cost=9876543.0))
    assert verdict.reason == "the labels cost 9876543, of 123456"
