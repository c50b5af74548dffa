"""Sentences and numbers in the summary of a comparison."""

from __future__ import annotations

import numpy as np

from skactive._utils.array_types import Floats
from skactive._utils.text import pluralize
from skactive.comparison._savings import LabelsSaved
from skactive.comparison._statistics import mean_interval, repeats_to_resolve

__all__ = ["describe_best"]


def describe_best(
    areas: dict[str, Floats],
    savings: dict[str, LabelsSaved],
    baseline: str,
    scoring: str,
    confidence: float,
    unit: str = "labels",
) -> str:
    """Describe what the best strategy saves on one dataset with one model, and how surely.

    Parameters
    ----------
    areas : dict of str to ndarray of shape (n_repeats,)
        Area under the learning curve of each strategy.
    savings : dict of str to LabelsSaved
        Labels saved by each strategy but the baseline.
    baseline : str
        Name of the baseline.
    scoring : str
        Name of the score.
    confidence : float
        Confidence level of the intervals.
    unit : {"labels", "cost"}, default="labels"
        What is saved.
    """
    ranking = sorted(areas, key=lambda name: -areas[name].mean())
    if len(ranking) == 1:
        return f"{ranking[0]} is the only strategy, so it cannot be compared."
    if baseline not in areas:
        return f"{baseline} never succeeded here, so the baseline is missing."
    best = next(name for name in ranking if name != baseline)
    sentences = [describe_saving(savings[best], scoring, confidence, unit)]
    if ranking[0] == baseline:
        sentences.insert(0, f"No strategy does better than {baseline} over the curve.")
    sentences += [
        describe_insignificance(best, rival, areas[best] - areas[rival], confidence)
        for rival in dict.fromkeys([baseline, ranking[1]])
        if rival != best
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def describe_saving(
    saving: LabelsSaved, scoring: str, confidence: float, unit: str = "labels"
) -> str:
    """Describe what a strategy saves; say so if that is nothing."""
    name, baseline = saving.strategy, saving.baseline
    goal = f"{_format_number(saving.target)} {scoring.replace('_', ' ')}"
    if saving.bound == "unknown":
        return f"Neither {name} nor {baseline} reaches {goal} within the budget."
    certainty = _describe_interval(saving, confidence)
    if saving.bound == "at most":
        return (
            f"Nothing is saved: {name} does not reach {goal} within the budget, {baseline} does "
            f"{_describe_amount(saving.baseline_n_labels, unit)} ({certainty})."
        )
    percent = round(100 * saving.saved)
    at_least = "at least " if saving.bound == "at least" else ""
    by_labels = unit == "labels"
    less, much = ("fewer labels", "many labels") if by_labels else ("less", "much")
    more = "more labels" if by_labels else "more"
    size = f"{at_least}{abs(percent)} % {more if percent < 0 else less}"
    if percent == 0:
        size = f"{'at most ' if at_least else ''}as {much}"
    link = "as" if percent == 0 else "than"
    verb = "needs" if by_labels else "costs"
    sentence = f"{name} {verb} {size} {link} {baseline} to reach {goal} ({certainty})."
    if percent <= 0:
        return f"No saving is shown: {sentence}" if at_least else f"Nothing is saved: {sentence}"
    if saving.low <= 0:
        return f"No saving is shown: {sentence[:-2]}, which includes 0)."
    return sentence


def _describe_amount(amount: float, unit: str) -> str:
    return f"with {amount:.0f} labels" if unit == "labels" else f"at a cost of {amount:.0f}"


def _describe_interval(saving: LabelsSaved, confidence: float) -> str:
    """Describe the interval of a saving, and the number of repeats behind it."""
    repeats = pluralize(saving.n_repeats, "repeat")
    if np.isnan(saving.low):
        return f"{repeats}, no interval"
    low, high = (f"{100 * bound:.0f}" for bound in (saving.low, saving.high))
    ends = f"{low} to {high} %"
    if np.isinf(saving.low):
        ends = f"at most {high} %" if saving.high < 1 else "without bounds"
    elif saving.high >= 1:
        ends = f"at least {low} %"
    of_what = "" if saving.saved > 0 else " of the saving"
    return f"{_format_number(100 * confidence)} % interval{of_what} {ends}, {repeats}"


def describe_insignificance(first: str, second: str, differences: Floats, confidence: float) -> str:
    """Report that two strategies are not significantly different, and the repeats needed.

    Return "" if they are.
    """
    n_repeats, interval = len(differences), mean_interval(differences, confidence)
    if n_repeats < 2:
        return (
            f"One repeat cannot show whether {first} and {second} are significantly different: "
            "run several, such as 10."
        )
    if interval.low > 0 or interval.high < 0:
        return ""
    needed = repeats_to_resolve(interval.mean, float(differences.std(ddof=1)), alpha=1 - confidence)
    if np.isfinite(needed):
        remedy = f"about {needed:.0f} repeats would resolve a difference of this size"
    else:
        remedy = "no practical number of repeats would resolve a difference of this size"
    return (
        f"{first} and {second} are not significantly different in {n_repeats} repeats: their mean "
        f"scores over the curve differ by {_format_number(interval.mean)} "
        f"({_format_number(100 * confidence)} % interval {_format_number(interval.low)} to "
        f"{_format_number(interval.high)}); {remedy}."
    )


def _format_number(value: float) -> str:
    """Format a number to three digits, or to whole ones above 1,000."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
