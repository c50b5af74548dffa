"""Words and numbers of what a comparison says."""

from __future__ import annotations

import numpy as np

from skactive.comparison._runs import Floats
from skactive.comparison._savings import LabelsSaved
from skactive.comparison._statistics import mean_interval, repeats_to_resolve

__all__ = ["counted", "saving_sentence", "unresolved"]


def saving_sentence(saving: LabelsSaved, scoring: str, confidence: float) -> str:
    """Say what a strategy saves; honest where that is nothing."""
    name, other = saving.strategy, saving.baseline
    goal = f"{_number(saving.target)} {scoring.replace('_', ' ')}"
    if saving.bound == "unknown":
        return f"Neither {name} nor {other} reaches {goal} within the budget."
    certainty = _interval_text(saving, confidence)
    if saving.bound == "at most":
        return (
            f"Nothing is saved: {name} does not reach {goal} within the budget, {other} does with "
            f"{saving.baseline_n_labels:.0f} labels ({certainty})."
        )
    percent = round(100 * saving.saved)
    least = "at least " if saving.bound == "at least" else ""
    size = f"{least}{abs(percent)} % {'more' if percent < 0 else 'fewer'} labels"
    if percent == 0:
        size = "at most as many labels" if least else "as many labels"
    link = "as" if percent == 0 else "than"
    sentence = f"{name} needs {size} {link} {other} to reach {goal} ({certainty})."
    if percent <= 0:
        return f"No saving is shown: {sentence}" if least else f"Nothing is saved: {sentence}"
    if saving.low <= 0:
        return f"No saving is shown: {sentence[:-2]}, which includes 0)."
    return sentence


def _interval_text(saving: LabelsSaved, confidence: float) -> str:
    """Say the interval of what is saved, and on how many repeats it rests."""
    repeats = counted(saving.n_repeats, "repeat")
    if np.isnan(saving.low):
        return f"{repeats}, no interval"
    low, high = (f"{100 * bound:.0f}" for bound in (saving.low, saving.high))
    ends = f"{low} to {high} %"
    if np.isinf(saving.low):
        ends = f"at most {high} %" if saving.high < 1 else "without bounds"
    elif saving.high >= 1:
        ends = f"at least {low} %"
    of = "" if saving.saved > 0 else " of the saving"
    return f"{_number(100 * confidence)} % interval{of} {ends}, {repeats}"


def unresolved(first: str, second: str, differences: Floats, confidence: float) -> str:
    """Say that two strategies cannot be told apart, and how many repeats would; "" if they can."""
    n_repeats, interval = len(differences), mean_interval(differences, confidence)
    if n_repeats < 2:
        return f"One repeat cannot tell {first} from {second}: run several, 10 say."
    if interval.low > 0 or interval.high < 0:
        return ""
    needed = repeats_to_resolve(interval.mean, float(differences.std(ddof=1)), alpha=1 - confidence)
    if np.isfinite(needed):
        remedy = f"about {needed:.0f} repeats would resolve a difference of this size"
    else:
        remedy = "no number of repeats in reach would resolve a difference of this size"
    return (
        f"{n_repeats} repeats cannot tell {first} from {second}: their mean scores over the curve "
        f"differ by {_number(interval.mean)} ({_number(100 * confidence)} % interval "
        f"{_number(interval.low)} to {_number(interval.high)}); {remedy}."
    )


def _number(value: float) -> str:
    """Return a number as people write it."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def counted(n: int, noun: str) -> str:
    """Write a number of things."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{n} {noun if n == 1 else plural}"
