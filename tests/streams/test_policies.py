"""Each policy against a plain loop, and the laws that hold for all."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from skactive.streams import (
    DensityFilter,
    FixedUncertainty,
    PurchasePolicy,
    QuantileFilter,
    RandomPurchase,
    RandomVariableUncertainty,
    Spending,
    Split,
    VariableUncertainty,
)

EVERY = {
    "fixed": FixedUncertainty(0.3),
    "variable": VariableUncertainty(),
    "random variable": RandomVariableUncertainty(),
    "random": RandomPurchase(),
    "split": Split(),
    "split of quantiles": Split(QuantileFilter(), random_share=0.3),
    "quantiles": QuantileFilter(),
    "density": DensityFilter(),
    "density of quantiles": DensityFilter(QuantileFilter(), window=10),
}
every_policy = pytest.mark.parametrize("policy", EVERY.values(), ids=EVERY.keys())


def stream(n, seed=0):
    """Utilities in 0 .. 1, (n,), and rows, (n, 3)."""
    rng = np.random.RandomState(seed)
    return rng.beta(1, 4, size=n), rng.normal(size=(n, 3))


def run(policy, utilities, rows=None, *, budget=0.2, seed=0, **options):
    buyer = policy.start(budget, random_state=seed, **options)
    rows = [None] * len(utilities) if rows is None else rows
    return [buyer.update(u, row) for u, row in zip(utilities, rows, strict=True)]


def bought(offers):
    return np.array([offer.buy for offer in offers])


@every_policy
@settings(max_examples=15, deadline=None)
@given(
    levels=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 60)), min_size=1, max_size=8),
    budget=st.sampled_from([0.01, 0.1, 0.4, 1.0]),
)
def test_no_utilities_make_it_spend_more_than_the_budget(policy, levels, budget):
    utilities = np.concatenate([np.full(n, level) for level, n in levels])
    rows = utilities[:, None] * np.ones(2)
    counts = np.cumsum(bought(run(policy, utilities, rows, budget=budget)))
    assert (counts <= budget * np.arange(1, len(counts) + 1) + 1e-6).all()


@every_policy
@pytest.mark.parametrize("budget", [0.02, 0.1])
def test_the_budget_is_spent_while_there_is_demand(policy, budget):
    utilities, rows = stream(3000)
    share = bought(run(policy, utilities, rows, budget=budget)).mean()
    assert 0.9 * budget < share <= budget


@every_policy
def test_offers_say_what_was_decided(policy):
    utilities, rows = stream(300)
    spending = Spending(0.2)
    for offer, utility in zip(run(policy, utilities, rows), utilities, strict=True):
        assert offer.utility == utility
        assert offer.buy == (spending.can_buy and utility >= offer.threshold) == bool(offer)
        spending.record(offer.buy)


@every_policy
def test_streams_of_one_policy_do_not_know_of_each_other(policy):
    utilities, rows = stream(200)
    before = repr(policy)
    first, second = (run(policy, utilities, rows) for _ in range(2))
    assert first == second
    assert repr(policy) == before
    assert vars(policy).keys() == vars(clone(policy)).keys()


@every_policy
def test_a_pickled_stream_goes_on_where_it_was(policy):
    utilities, rows = stream(300)
    buyer = policy.start(0.2, random_state=0)
    offers = []
    for i, (utility, row) in enumerate(zip(utilities, rows, strict=True)):
        buyer = pickle.loads(pickle.dumps(buyer)) if i == 150 else buyer
        offers.append(buyer.update(utility, row))
    assert offers == run(policy, utilities, rows)


@every_policy
@pytest.mark.parametrize("utility", [math.nan, math.inf])
def test_utilities_that_are_no_numbers_are_refused(policy, utility):
    with pytest.raises(ValueError, match="must be a finite number"):
        policy.start(0.2).update(utility, np.zeros(2))


# One policy each ------------------------------------------------------------------------------


def test_variable_uncertainty_is_the_published_loop():
    utilities, _ = stream(500)
    theta, spending, expected = 1.0, Spending(0.2), []
    for confidence in 1 - utilities:
        buy = False
        if spending.can_buy:
            if confidence <= theta:
                buy, theta = True, theta * (1 - 0.05)
            else:
                theta *= 1 + 0.05
        spending.record(buy)
        expected.append(buy)
    assert bought(run(VariableUncertainty(0.05), utilities)).tolist() == expected


def test_random_variable_uncertainty_multiplies_the_threshold_by_a_normal_number():
    utilities, _ = stream(500)
    rng, theta, spending, expected = np.random.RandomState(7), 1.0, Spending(0.2), []
    for confidence in 1 - utilities:
        below = confidence <= theta * rng.normal(1, 0.5)
        buy = bool(spending.can_buy and below)
        if spending.can_buy:
            theta *= 0.99 if buy else 1.01
        spending.record(buy)
        expected.append(buy)
    policy = RandomVariableUncertainty(spread=0.5)
    assert bought(run(policy, utilities, seed=7)).tolist() == expected
    assert (
        bought(run(RandomVariableUncertainty(spread=0.0), utilities)).tolist()
        == bought(run(VariableUncertainty(), utilities)).tolist()
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=80), st.integers(1, 20))
def test_quantile_filter_is_the_published_formula(levels, window):
    utilities = np.array(levels) / 5
    spending, expected = Spending(0.3), []
    for i in range(len(utilities)):
        recent = utilities[max(0, i + 1 - window) : i + 1]
        threshold = np.quantile(recent, 0.7) - np.ptp(recent) * (spending.room - 1) / 50
        expected.append(threshold)
        spending.record(spending.can_buy and utilities[i] >= threshold)
    offers = run(QuantileFilter(window), utilities, budget=0.3)
    np.testing.assert_allclose([offer.threshold for offer in offers], expected, atol=1e-12)


def test_quantile_filter_takes_any_scale():
    utilities, _ = stream(1000)
    expected = bought(run(QuantileFilter(), utilities))
    for scaled in (utilities * 1024, utilities - 4.0, utilities * 0.25 - 8.0):
        assert (bought(run(QuantileFilter(), scaled)) == expected).mean() > 0.99


def test_quantile_filter_buys_higher_utilities_than_chance():
    utilities, _ = stream(2000)
    means = [
        utilities[bought(run(policy, utilities, budget=0.1))].mean()
        for policy in (QuantileFilter(), VariableUncertainty(), RandomPurchase())
    ]
    assert means[0] > 1.5 * means[1] > 1.5 * means[2]


def test_random_purchases_do_not_depend_on_utilities():
    utilities, _ = stream(500)
    one, other = (bought(run(RandomPurchase(), u)) for u in (utilities, 1 - utilities))
    assert one.tolist() == other.tolist()


def test_split_is_random_and_its_policy_in_the_extremes():
    utilities, _ = stream(1000)
    always = run(Split(random_share=1.0), utilities)
    assert {offer.threshold for offer in always} == {-math.inf, math.inf}
    never = bought(run(Split(QuantileFilter(), random_share=0.0), utilities))
    assert never.tolist() == bought(run(QuantileFilter(), utilities)).tolist()


def test_split_leaves_its_share_to_chance():
    utilities, _ = stream(3000)
    offers = run(Split(random_share=0.25), utilities)
    share = np.mean([math.isinf(offer.threshold) for offer in offers])
    assert share == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("n_neighbors", [1, 3])
def test_density_filter_counts_new_nearest_neighbors(n_neighbors):
    _, rows = stream(150)
    policy = DensityFilter(FixedUncertainty(0.0), window=20, n_neighbors=n_neighbors)
    passed = []
    for t in range(len(rows)):
        count = 0
        for i in range(max(0, t - 20), t):
            # All rows known when row i came, at most 20 before it, and those after it.
            others = [j for j in range(max(0, i - 20), t) if j != i]
            distances = [np.linalg.norm(rows[i] - rows[j]) for j in others]
            count += np.linalg.norm(rows[i] - rows[t]) < min(distances, default=math.inf)
        passed.append(count >= n_neighbors)
    offers = run(policy, np.ones(150), rows, budget=1.0)
    assert bought(offers).tolist() == passed


def test_policies_on_confidence_refuse_other_scales_before_they_count():
    buyer = Split(VariableUncertainty()).start(0.5, random_state=0)
    with pytest.raises(ValueError, match="QuantileFilter"):
        buyer.update(1.7)
    assert buyer.spending.n_offers == 0


def test_density_filter_needs_rows():
    with pytest.raises(ValueError, match="reads the embedding"):
        DensityFilter().start(0.1).update(0.5)


@pytest.mark.parametrize(
    "policy",
    [
        FixedUncertainty("high"),
        VariableUncertainty(1.0),
        QuantileFilter(0),
        Split(random_share=1.5),
        DensityFilter(window=0),
        DensityFilter(Split(VariableUncertainty(0.0))),
    ],
    ids=["threshold", "step", "window", "share", "rows", "part of a part"],
)
def test_bad_hyper_parameters_are_refused_at_the_start(policy):
    with pytest.raises(InvalidParameterError):
        policy.start(0.1)


@pytest.mark.parametrize("policy", ["random", QuantileFilter], ids=["text", "class"])
def test_what_is_no_policy_is_refused(policy):
    with pytest.raises(TypeError, match="policy must be"):
        Split(policy).start(0.1)


def test_own_policies_get_the_budget_and_a_memory():
    class EveryOther(PurchasePolicy):
        def judge(self, candidate, memory):
            memory["n"] = memory.get("n", 0) + 1
            assert candidate.budget == 1.0 <= candidate.room
            return 0.0 if memory["n"] % 2 == 0 else math.inf

    assert bought(run(EveryOther(), [0.1] * 6, budget=1.0)).tolist() == [False, True] * 3
