"""Agreement of annotators beyond chance, with intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import stdtrit

from skactive._utils.array_types import Floats
from skactive.crowds._answers import Answers
from skactive.estimation import Estimate

__all__ = ["agreement"]

_KINDS = ("krippendorff", "fleiss", "cohen")
_LEVELS = ("nominal", "ordinal", "interval")


def agreement(
    answers: Answers,
    kind: str = "krippendorff",
    *,
    level: str = "nominal",
    between: tuple[Any, Any] | None = None,
    confidence: float = 0.95,
) -> Estimate:
    r"""Measure how far annotators agree beyond chance: 1 is always, 0 as chance would have it.

    Parameters
    ----------
    answers : Answers
        The answers; items with a single one do not count.
    kind : {"krippendorff", "fleiss", "cohen"}, default="krippendorff"
        Krippendorff's alpha [1]_ for any number of annotators and answers; Fleiss' kappa [2]_; or
        Cohen's kappa [3]_ of two annotators.
    level : {"nominal", "ordinal", "interval"}, default="nominal"
        How far two answers of Krippendorff's alpha differ: 0 or 1; by the number of answers between
        them; or by the square of their difference.
    between : (annotator, annotator), default=None
        The two annotators of Cohen's kappa; None: there are only two.
    confidence : float, default=0.95
        Confidence level of the interval.

    Returns
    -------
    Estimate
        Value and interval. NaN if all answers are the same, so that chance agrees as well; the
        interval also if there are fewer than three items.

    Raises
    ------
    ValueError
        If a setting is unknown, no item has two answers, numbers are asked for of texts, or Cohen's
        kappa has no two annotators.

    Notes
    -----
    The interval is that of the jackknife over items, with Student's t [4]_: items are drawn, the
    annotators are these.

    References
    ----------
    .. [1] K. Krippendorff (2004). "Reliability in content analysis: some common misconceptions and
       recommendations." Human Communication Research 30(3), 411-433.
       :doi:`10.1111/j.1468-2958.2004.tb00738.x`
    .. [2] J. L. Fleiss (1971). "Measuring nominal scale agreement among many raters." Psychological
       Bulletin 76(5), 378-382. :doi:`10.1037/h0031619`
    .. [3] J. Cohen (1960). "A coefficient of agreement for nominal scales." Educational and
       Psychological Measurement 20(1), 37-46. :doi:`10.1177/001316446002000104`
    .. [4] B. Efron and C. Stein (1981). "The jackknife estimate of variance." The Annals of
       Statistics 9(3), 586-596. :doi:`10.1214/aos/1176345462`

    Examples
    --------
    >>> from skactive.crowds import Answers, agreement
    >>> rows = [["a", "a"], ["b", "b"], ["a", "b"], ["b", "b"], ["a", "a"], ["b", "b"]]
    >>> round(agreement(Answers.from_matrix(rows)).value, 3)
    0.686
    """
    _check_settings(kind, level, confidence)
    if kind == "cohen":
        return _jackknife(*_compute_cohen(_cross_tabulate(answers, between)), confidence)
    votes = answers.count_votes()
    votes = votes[votes.sum(axis=1) >= 2]
    if not len(votes):
        raise ValueError("No item has two answers: agreement needs answers to the same items.")
    distances = _measure_distances(level, answers.classes, votes)
    compute = _compute_alpha if kind == "krippendorff" else _compute_fleiss
    return _jackknife(*compute(votes, distances), np.ones(len(votes)), confidence)


def _check_settings(kind: str, level: str, confidence: float) -> None:
    for name, value, known in (("kind", kind, _KINDS), ("level", level, _LEVELS)):
        if value not in known:
            raise ValueError(f"{name} must be one of {list(known)}, got {value!r}.")
    if level != "nominal" and kind != "krippendorff":
        raise ValueError(f"level={level!r} is for kind='krippendorff' only, got kind={kind!r}.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence!r}.")


# Statistics: the value, and the values if each item is left out -----------------------------------


def _compute_alpha(votes: Floats, distances: Floats) -> tuple[float, Floats]:
    """Return alpha of votes (n_items, n_classes), and without each item, (n_items,)."""
    pairs, chance, chance_left = _compare_pairs(votes, distances)
    sizes = votes.sum(axis=1)
    observed, n = pairs / (sizes - 1), sizes.sum()
    value = 1 - _divide((n - 1) * observed.sum(), chance)
    left = 1 - _divide((n - sizes - 1) * (observed.sum() - observed), chance_left)
    return float(value), left


def _compute_fleiss(votes: Floats, distances: Floats) -> tuple[float, Floats]:
    """Return kappa of votes (n_items, n_classes), and without each item, (n_items,)."""
    pairs, chance, chance_left = _compare_pairs(votes, distances)
    sizes = votes.sum(axis=1)
    observed, n = pairs / (sizes * (sizes - 1)), sizes.sum()
    value = 1 - _divide(observed.mean() * n**2, chance)
    rest = (observed.sum() - observed) / max(len(votes) - 1, 1)
    return float(value), 1 - _divide(rest * (n - sizes) ** 2, chance_left)


def _compare_pairs(votes: Floats, distances: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the distances of all pairs of answers: within items, in all, in all but one item."""
    totals = votes.sum(axis=0)
    pairs = ((votes @ distances) * votes).sum(axis=1)
    chance = totals @ distances @ totals
    return pairs, chance, chance - 2 * votes @ (distances @ totals) + pairs


def _compute_cohen(table: Floats) -> tuple[float, Floats, Floats]:
    """Return kappa of a table of counts, without an item of each cell, and the cells' counts."""
    n, same = table.sum(), np.eye(len(table))
    first, second = table.sum(axis=1), table.sum(axis=0)
    chance = first @ second
    value = 1 - _divide(n * (n - np.trace(table)), n**2 - chance)
    rest = n - 1 - (np.trace(table) - same)  # disagreements that are left, (n_classes, n_classes)
    chance_left = chance - second[:, None] - first[None, :] + same
    left = 1 - _divide((n - 1) * rest, (n - 1) ** 2 - chance_left)
    return float(value), left.ravel(), table.ravel()


def _divide(numerator: Any, denominator: Any) -> Any:
    """Divide; NaN where chance leaves no disagreement."""
    denominator = np.asarray(denominator, dtype=np.float64)
    undefined = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    return np.divide(numerator, denominator, out=undefined, where=denominator > 0)


# Their interval -----------------------------------------------------------------------------------


def _jackknife(value: float, left: Floats, counts: Floats, confidence: float) -> Estimate:
    """Return the estimate, from the values without one of each `counts` items."""
    left, counts = left[counts > 0], counts[counts > 0]
    n = counts.sum()
    half = np.nan
    if n > 2:
        mean = counts @ left / n
        variance = (n - 1) / n * (counts @ (left - mean) ** 2)
        half = stdtrit(n - 1, (1 + confidence) / 2) * np.sqrt(variance)
    return Estimate(
        value, float(value - half), float(min(value + half, 1.0)), int(n), "jackknife", confidence
    )


def _measure_distances(level: str, classes: Any, votes: Floats) -> Floats:
    """Return the squared distance of each pair of classes, (n_classes, n_classes)."""
    if level == "nominal":
        return 1.0 - np.eye(len(classes))
    if level == "ordinal":
        totals = votes.sum(axis=0)
        ranks = np.cumsum(totals) - totals / 2
        return (ranks[:, None] - ranks[None, :]) ** 2
    if classes.dtype.kind not in "iufb":
        raise ValueError(
            f"level='interval' needs numbers as labels, got {classes.tolist()[:5]}: use 'nominal' "
            "or 'ordinal'."
        )
    numbers = classes.astype(np.float64)
    return (numbers[:, None] - numbers[None, :]) ** 2


def _cross_tabulate(answers: Answers, between: tuple[Any, Any] | None) -> Floats:
    """Count the pairs of answers of two annotators to the same items, (n_classes, n_classes)."""
    names = answers.annotators.tolist()
    chosen = names if between is None else list(between)
    if len(chosen) != 2 or any(name not in names for name in chosen):
        raise ValueError(
            f"kind='cohen' compares two annotators, got {chosen[:5]}: pass between=(first, second) "
            f"of {names[:5]}, or use kind='krippendorff'."
        )
    codes = []
    for name in chosen:
        of_name = answers.annotator_codes == names.index(name)
        labels = np.full(len(answers.items), -1)
        labels[answers.item_codes[of_name]] = answers.label_codes[of_name]
        if of_name.sum() > (labels >= 0).sum():
            raise ValueError(
                f"Annotator {name!r} answered an item twice: keep one answer, or use "
                "kind='krippendorff'."
            )
        codes.append(labels)
    both = (codes[0] >= 0) & (codes[1] >= 0)
    if not both.any():
        raise ValueError(f"{chosen[0]!r} and {chosen[1]!r} have no item in common.")
    n_classes = len(answers.classes)
    cells = codes[0][both] * n_classes + codes[1][both]
    counts = np.bincount(cells, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes).astype(np.float64)
