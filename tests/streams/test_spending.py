"""The budget of a stream, against adversaries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skactive.streams import Spending

budgets = st.floats(0.01, 1.0)
wishes = st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=12)


def buy(spending, wishes):
    """Buy what is wanted and affordable; return whether each offer was bought."""
    bought = []
    for wanted, n in wishes:
        for _ in range(n):
            bought.append(wanted and spending.can_buy)
            spending.record(bought[-1])
    return np.array(bought, dtype=int)


@settings(max_examples=60, deadline=None)
@given(budgets, st.floats(2.0, 50.0), wishes)
def test_never_more_than_the_budget_is_spent_whatever_is_wanted(budget, labels, wishes):
    spending = Spending(budget, labels / budget)
    bought = np.concatenate([[0], np.cumsum(buy(spending, wishes))])  # among the first n offers
    n = np.arange(len(bought))
    assert (bought <= budget * n + 1e-6).all()
    assert spending.n_bought == bought[-1]
    assert spending.n_offers == n[-1]


@settings(max_examples=60, deadline=None)
@given(budgets, st.floats(2.0, 50.0), wishes)
def test_any_stretch_of_offers_exceeds_the_budget_by_at_most_a_window(budget, labels, wishes):
    window = labels / budget
    bought = np.concatenate([[0], np.cumsum(buy(Spending(budget, window), wishes))])
    n = np.arange(len(bought))
    stretch, length = bought[:, None] - bought, n[:, None] - n
    allowed = budget * (length + window) + 1e-6
    assert (stretch <= allowed)[length > 0].all()


@settings(max_examples=40, deadline=None)
@given(budgets, st.floats(2.0, 50.0), wishes)
def test_spending_is_the_published_forgetting_sum(budget, labels, wishes):
    window = labels / budget
    spending = Spending(budget, window)
    bought = buy(spending, wishes)
    spent = budget * window
    for label in bought:
        spent = spent * (window - 1) / window + label
    assert spending.room == pytest.approx(budget * window - spent * (window - 1) / window)


@pytest.mark.parametrize("budget", [0.01, 0.05, 0.1, 0.2, 0.4, 1.0])
def test_steady_demand_spends_nearly_all(budget):
    spending = Spending(budget)
    n = int(100 / budget)
    assert buy(spending, [(True, n)]).sum() >= 0.98 * budget * n


def test_quiet_time_is_saved_for_later():
    spending = Spending(0.1, 100)
    assert buy(spending, [(False, 1000), (True, 20)]).sum() > 9


@pytest.mark.parametrize("budget", [0.0, -0.1, 1.5, float("nan")])
def test_budget_must_be_a_share(budget):
    with pytest.raises(ValueError, match=r"budget must lie in 0 .. 1"):
        Spending(budget)


def test_window_must_have_room_for_labels():
    with pytest.raises(ValueError, match=r"must be at least 2 / budget = 40"):
        Spending(0.05, 30)
    assert buy(Spending(0.05, 40), [(True, 400)]).sum() >= 0.6 * 20
