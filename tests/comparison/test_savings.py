"""Labels saved: by hand, where curves end too soon, and how often intervals hold."""

import numpy as np
import pytest

from skactive.comparison import LabelsSaved, StrategyComparison

RANDOM = [0.5, 0.6, 0.7, 0.8, 0.9]
FASTER = [0.5, 0.8, 0.9, 0.95, 0.95]
SLOWER = [0.5, 0.55, 0.6, 0.65, 0.7]


def test_labels_saved_by_hand(toy):
    (saving,) = toy({"Random": RANDOM, "Faster": FASTER}).labels_saved()
    assert isinstance(saving, LabelsSaved)
    assert saving.target == pytest.approx(0.9)
    assert (saving.n_labels, saving.baseline_n_labels) == (30.0, 50.0)
    assert saving.saved == pytest.approx(0.4)
    assert (saving.low, saving.high) == pytest.approx((0.4, 0.4))
    assert saving.bound == "exact"
    assert saving.n_repeats == 5


def test_labels_are_counted_on_the_line_between_rounds(toy):
    (saving,) = toy({"Random": RANDOM, "Faster": FASTER}).labels_saved(target=0.65)
    assert saving.n_labels == pytest.approx(15.0)
    assert saving.baseline_n_labels == pytest.approx(25.0)
    (at_start,) = toy({"Random": RANDOM, "Faster": FASTER}).labels_saved(target=0.4)
    assert (at_start.n_labels, at_start.saved) == (10.0, 0.0)


def test_a_baseline_that_ends_too_soon_gives_a_lower_bound(toy):
    (saving,) = toy({"Random": RANDOM, "Faster": FASTER}).labels_saved(target=0.925)
    assert saving.bound == "at least"
    assert saving.n_labels == pytest.approx(35.0)
    assert saving.baseline_n_labels == np.inf
    assert saving.saved == pytest.approx(0.3)
    assert (saving.low, saving.high) == (pytest.approx(0.3), 1.0)


def test_a_strategy_that_ends_too_soon_gives_an_upper_bound(toy):
    (saving,) = toy({"Random": RANDOM, "Slower": SLOWER}).labels_saved(target=0.8)
    assert saving.bound == "at most"
    assert saving.saved == pytest.approx(1 - 50 / 40)
    assert (saving.low, saving.high) == (-np.inf, pytest.approx(-0.25))


def test_nothing_is_known_where_neither_gets_there(toy):
    (saving,) = toy({"Random": RANDOM, "Slower": SLOWER}).labels_saved(target=0.99)
    assert saving.bound == "unknown"
    assert np.isnan(saving.saved)
    assert (saving.low, saving.high) == (-np.inf, 1.0)


def test_intervals_hold_the_true_saving(a_run):
    """Parallel curves: with a target at the end of the baseline's, 10 labels of 50 are saved."""
    rng = np.random.default_rng(0)
    covered = []
    for seed in range(60):
        noise = rng.normal(0, 0.03, (2, 8, 5))
        line = np.linspace(0.3, 0.8, 6)
        runs = [a_run("Random", r, line[:5] + noise[0, r]) for r in range(8)]
        runs += [a_run("Shifted", r, line[1:] + noise[1, r]) for r in range(8)]
        (saving,) = StrategyComparison(runs).labels_saved(target=0.6, random_state=seed)
        covered.append(saving.low <= 0.25 <= saving.high)  # 30 labels instead of 40
        assert saving.low < saving.high
    assert np.mean(covered) >= 0.9


def test_the_end_of_the_baseline_is_read_anew_in_each_draw(toy):
    """A shift of all curves of a repeat changes no saving."""
    (saving,) = toy({"Random": RANDOM, "Faster": FASTER}, noise=0.2).labels_saved()
    assert (saving.low, saving.saved, saving.high) == pytest.approx((0.4, 0.4, 0.4))
    (fixed,) = toy({"Random": RANDOM, "Faster": FASTER}, noise=0.2).labels_saved(target=0.9)
    assert fixed.low < 0.4 < fixed.high


def test_baseline_target_and_seed_may_be_given(noisy):
    comparison = noisy()
    savings = comparison.labels_saved(baseline="Slower", target=0.65)
    assert {saving.strategy for saving in savings} == {"Random", "Faster"}
    assert comparison.labels_saved() == comparison.labels_saved()
    assert comparison.labels_saved(random_state=1) != comparison.labels_saved()
    with pytest.raises(ValueError, match="unknown baseline"):
        comparison.labels_saved(baseline="other")
    with pytest.raises(ValueError, match="confidence"):
        comparison.labels_saved(confidence=95)
    with pytest.raises(ValueError, match="target"):
        comparison.labels_saved(target=np.nan)
