"""Sentences: to quote, and honest."""

import numpy as np
import pytest

from skactive.comparison import StrategyComparison
from skactive.comparison._statistics import repeats_to_resolve

RANDOM = [0.5, 0.6, 0.7, 0.8, 0.9]
FASTER = [0.5, 0.8, 0.9, 0.95, 0.95]
SLOWER = [0.5, 0.55, 0.6, 0.65, 0.7]


def test_a_sentence_to_quote(toy, noisy):
    assert toy({"Random": RANDOM, "Faster": FASTER}).summary() == (
        "Faster needs 40 % fewer labels than Random to reach 0.9 accuracy (95 % interval 40 to "
        "40 %, 5 repeats)."
    )
    text = noisy().summary(target=0.8, confidence=0.9)
    assert text.startswith("Faster needs 50 % fewer labels than Random ")
    assert "to reach 0.8 score (90 % interval " in text
    assert text.endswith(" %, 8 repeats).")


@pytest.mark.parametrize(
    ("curves", "target", "text"),
    [
        (
            {"Random": RANDOM, "Faster": FASTER},
            0.925,
            "Faster needs at least 30 % fewer labels than Random to reach 0.925 accuracy (95 % "
            "interval at least 30 %, 5 repeats).",
        ),
        (
            {"Random": RANDOM, "Slower": SLOWER},
            0.8,
            "No strategy does better than Random over the curve. Nothing is saved: Slower does not "
            "reach 0.8 accuracy within the budget, Random does with 40 labels (95 % interval of "
            "the saving at most -25 %, 5 repeats).",
        ),
        (
            {"Random": RANDOM, "Slower": SLOWER},
            0.7,
            "No strategy does better than Random over the curve. Nothing is saved: Slower needs "
            "67 % more labels than Random to reach 0.7 accuracy (95 % interval of the saving -67 "
            "to -67 %, 5 repeats).",
        ),
        (
            {"Random": RANDOM, "Faster": FASTER},
            0.99,
            "Neither Faster nor Random reaches 0.99 accuracy within the budget.",
        ),
        (
            {"Random": RANDOM, "Faster": FASTER},
            0.3,
            "Nothing is saved: Faster needs as many labels as Random to reach 0.3 accuracy (95 % "
            "interval of the saving 0 to 0 %, 5 repeats).",
        ),
        ({"Only": RANDOM}, None, "Only is the only strategy, so it cannot be compared."),
    ],
    ids=["at least", "at most", "more", "neither", "at once", "alone"],
)
def test_honest_sentences(curves, target, text, toy):
    assert toy(curves).summary(target) == text


def test_an_interval_that_includes_0_is_said_to(a_run):
    rng = np.random.default_rng(1)
    runs = [a_run("Random", r, RANDOM + rng.normal(0, 0.03, 5)) for r in range(5)]
    slightly = np.array(RANDOM) + 0.01
    runs += [a_run("Slightly", r, slightly + rng.normal(0, 0.03, 5)) for r in range(5)]
    comparison = StrategyComparison(runs, scoring="roc_auc")
    assert comparison.labels_saved(target=0.75)[0].saved > 0
    text = comparison.summary(target=0.75)
    assert text.startswith("No saving is shown: Slightly needs ")
    assert ", which includes 0)." in text
    assert "0.75 roc auc" in text
    assert "Slightly and Random are not significantly different in 5 repeats: their mean" in text
    assert "repeats would resolve a difference of this size." in text


def test_repeats_that_would_resolve_the_difference(a_run):
    steps = [0.03, -0.01, 0.02, -0.02]  # mean 0.005, deviation 0.0238
    runs = [a_run("Random", r, np.full(5, 0.5)) for r in range(4)]
    runs += [a_run("Other", r, np.full(5, 0.5 + step)) for r, step in enumerate(steps)]
    text = StrategyComparison(runs).summary()
    assert "differ by 0.005 (95 % interval -0.0329 to 0.0429); about 180 repeats would" in text
    assert repeats_to_resolve(0.005, np.std(steps, ddof=1)) == 180


def test_the_next_best_is_named_where_it_may_be_as_good(toy):
    curves = {"Random": SLOWER, "First": FASTER, "Second": FASTER}
    text = toy(curves, noise=0.02).summary()
    assert "First and Second are not significantly different in 5 repeats" in text
    assert "no practical number of repeats" in text
    assert "and Random are" not in text


def test_one_repeat_has_no_interval(toy):
    text = toy({"Random": RANDOM, "Faster": FASTER}, n_repeats=1).summary()
    assert "(1 repeat, no interval)" in text
    assert (
        "One repeat cannot show whether Faster and Random are significantly different: run" in text
    )
