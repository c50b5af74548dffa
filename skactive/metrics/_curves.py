"""Measures of learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from skactive._utils.array_types import Floats
from skactive._utils.input_kinds import check_number, to_numbers

__all__ = [
    "area_under_learning_curve",
    "data_utilization_rate",
    "deficiency",
    "end_quality",
    "find_common_counts",
    "labels_to_reach",
    "start_quality",
    "zhan_area",
]


def area_under_learning_curve(n_labels: Any, scores: Any) -> float:
    r"""Return the mean height of a learning curve over the labels bought, including the start.

    Parameters
    ----------
    n_labels : array-like of shape (n_rounds,)
        Labels known in each round, increasing. Cumulative costs give the area against cost.
    scores : array-like of shape (n_rounds,)
        Score of each round.

    Returns
    -------
    float
        The score of a flat curve of the same area.

    Notes
    -----
    The trapezoid rule over the actual counts, so that rounds are weighted by their size:

    .. math:: \frac{1}{n_T - n_0} \sum_{t=1}^{T} (n_t - n_{t-1}) \frac{a_{t-1} + a_t}{2}

    References
    ----------
    Kottke, Calma, Huseljic, Krempl and Sick, "Challenges of reliable, realistic and comparable
    active learning evaluation", CEUR Workshop Proceedings 1924, 2017, on areas and other measures
    of a learning curve.

    Examples
    --------
    >>> from skactive.metrics import area_under_learning_curve
    >>> round(area_under_learning_curve([10, 20, 40], [0.5, 0.7, 0.8]), 12)
    0.7
    """
    return _mean_height(*_check_rounds(n_labels, scores))


def zhan_area(scores: Any) -> float:
    r"""Return the area under the budget curve as defined in the published tables of a survey.

    Only for comparison with those tables: it omits the start and is too low by a factor of
    :math:`(Q - 1) / Q`, so that short curves look worse. Otherwise use
    :func:`area_under_learning_curve`.

    Parameters
    ----------
    scores : array-like of shape (n_queries,)
        Score after each query of one label, without the start.

    Returns
    -------
    float
        The area, not rounded; the tables show four or five decimals.

    Notes
    -----
    .. math:: \frac{1}{Q} \sum_{t=1}^{Q-1} \frac{a_t + a_{t+1}}{2}

    References
    ----------
    Zhan, Liu, Li and Chan, "A comparative survey: benchmarking for pool-based active learning",
    IJCAI 2021, :doi:`10.24963/ijcai.2021/634`.

    Lu, Li and Lin, "Re-benchmarking pool-based active learning for binary classification", 2023,
    :doi:`10.48550/arXiv.2306.08954`.

    Examples
    --------
    >>> from skactive.metrics import zhan_area
    >>> round(zhan_area([0.5, 0.7, 0.9]), 12)  # 0.6 and 0.8, divided by 3
    0.466666666667
    """
    scores = _check_sequence("scores", scores)
    # Summed from left to right, as by a plain loop: where the digit after the last published
    # decimal is exactly 5, the tables depend on the rounding of that sum (sonar, seed 5: 53/64).
    return float(np.cumsum((scores[:-1] + scores[1:]) / 2)[-1] / len(scores))


def start_quality(n_labels: Any, scores: Any, *, share: float = 0.1) -> float:
    """Return the mean height of the first part of a learning curve.

    Parameters
    ----------
    n_labels : array-like of shape (n_rounds,)
        Labels known in each round, increasing.
    scores : array-like of shape (n_rounds,)
        Score of each round.
    share : float, default=0.1
        Share of the range of labels in the first part; 0 gives the first score, which is the same
        for all strategies that start with the same rows.

    Returns
    -------
    float
        The :func:`area_under_learning_curve` of the part, with scores interpolated linearly at
        its end.

    Examples
    --------
    >>> from skactive.metrics import start_quality
    >>> round(start_quality([0, 10, 20], [0.5, 0.7, 0.9], share=0.5), 12)
    0.6
    """
    counts, scores = _check_rounds(n_labels, scores)
    end = counts[0] + check_number("share", share, 0.0, 1.0) * (counts[-1] - counts[0])
    return _mean_height_between(counts, scores, counts[0], end)


def end_quality(n_labels: Any, scores: Any, *, share: float = 0.1) -> float:
    """Return the mean height of the last part of a learning curve.

    Parameters
    ----------
    n_labels : array-like of shape (n_rounds,)
        Labels known in each round, increasing.
    scores : array-like of shape (n_rounds,)
        Score of each round.
    share : float, default=0.1
        Share of the range of labels in the last part; 0 gives the last score.

    Returns
    -------
    float
        The :func:`area_under_learning_curve` of the part, with scores interpolated linearly at
        its start.

    Examples
    --------
    >>> from skactive.metrics import end_quality
    >>> round(end_quality([0, 10, 20], [0.5, 0.7, 0.9], share=0.5), 12)
    0.8
    """
    counts, scores = _check_rounds(n_labels, scores)
    start = counts[-1] - check_number("share", share, 0.0, 1.0) * (counts[-1] - counts[0])
    return _mean_height_between(counts, scores, start, counts[-1])


def labels_to_reach(n_labels: Any, scores: Any, target: float) -> float:
    """Count the labels after which a learning curve first reaches a score.

    Parameters
    ----------
    n_labels : array-like of shape (n_rounds,)
        Labels known in each round, increasing.
    scores : array-like of shape (n_rounds,)
        Score of each round.
    target : float
        Score to reach.

    Returns
    -------
    float
        Number of labels in the first round whose score is at least `target`; infinity if there is
        none.

    Examples
    --------
    >>> from skactive.metrics import labels_to_reach
    >>> labels_to_reach([20, 40, 60], [0.5, 0.8, 0.9], target=0.75)
    40.0
    """
    counts = _check_sequence("n_labels", n_labels, at_least=1)
    heights = _check_sequence("scores", scores, at_least=1)
    _check_same_length(counts, heights, "scores")
    reached = np.flatnonzero(heights >= check_number("target", target))
    return float(counts[reached[0]]) if len(reached) else np.inf


def data_utilization_rate(
    n_labels: Any,
    scores: Any,
    reference_scores: Any,
    target: float,
    *,
    reference_n_labels: Any = None,
    censored: Literal["limit", "bound"] = "limit",
) -> float:
    r"""Return the number of labels needed to reach a score, as a share of a reference's.

    Values below 1 mean that labels are saved: at 0.6, 40 % of the labels of the reference.

    Parameters
    ----------
    n_labels : array-like of shape (n_rounds,)
        Labels known in each round, increasing.
    scores : array-like of shape (n_rounds,)
        Score of each round.
    reference_scores : array-like
        Scores of the reference, usually random sampling.
    target : float
        Score to reach; usually the mean final score of the reference.
    reference_n_labels : array-like, default=None
        Labels known in each round of the reference; None means `n_labels`.
    censored : {"limit", "bound"}, default="limit"
        How to treat a curve that ends below the target. With "limit", it needs infinitely many
        labels: the rate is infinity if the curve of the strategy ends too early, and 0 if that of
        the reference does. With "bound", it needs as many labels as it has at its end, the fewest
        possible: the true rate is then higher than the returned one if the curve of the strategy
        ends too early, and lower if that of the reference does.

    Returns
    -------
    float
        The rate; NaN if neither curve reaches the target, since the rate is then unknown.

    Notes
    -----
    .. math:: \frac{\min \{n : a(n) \ge \text{target}\}}
        {\min \{n : a_{\text{ref}}(n) \ge \text{target}\}}

    References
    ----------
    Culver, Deng and Scott, "Active learning to maximize area under the ROC curve", ICDM 2006.

    Reitmaier and Sick, "Let us know your decision: pool-based active training of a generative
    classifier with the selection strategy 4DS", Information Sciences 230, 2013,
    :doi:`10.1016/j.ins.2012.11.015`.

    Examples
    --------
    >>> from skactive.metrics import data_utilization_rate
    >>> data_utilization_rate([20, 40, 60, 80], [0.5, 0.8, 0.9, 0.9], [0.5, 0.6, 0.7, 0.8], 0.8)
    0.5
    >>> data_utilization_rate([20, 40, 60, 80], [0.5, 0.8, 0.9, 0.9], [0.5, 0.6, 0.7, 0.8], 0.9)
    0.0
    """
    if not isinstance(censored, str) or censored not in ("limit", "bound"):
        raise ValueError(f"censored must be 'limit' or 'bound', got {censored!r}.")
    target = check_number("target", target)
    other, other_name = n_labels, "n_labels"
    if reference_n_labels is not None:
        other, other_name = reference_n_labels, "reference_n_labels"
    curves = (
        _check_rounds(n_labels, scores),
        _check_rounds(other, reference_scores, "reference_scores", other_name),
    )
    if any(counts[0] <= 0 for counts, _ in curves):
        raise ValueError(
            "A rate requires more than 0 labels in the first round of both curves: n_labels and "
            "reference_n_labels must be above 0."
        )
    needed = [labels_to_reach(*curve, target) for curve in curves]
    if np.isinf(needed).all():
        return np.nan
    if censored == "bound":
        needed = [min(n, counts[-1]) for n, (counts, _) in zip(needed, curves, strict=True)]
    return float(needed[0] / needed[1])


def deficiency(
    n_labels: Any, scores: Any, reference_scores: Any, *, best: float | None = None
) -> float:
    r"""Return how far a curve stays below the best score, as a share of how far a reference does.

    Values below 1 mean that the strategy learns faster than the reference. At 0, it would reach
    the best score at once; below 0, its curve is mostly above what counts as the best score.

    Parameters
    ----------
    n_labels : array-like of shape (n_rounds,)
        Labels known in each round of both, increasing.
    scores : array-like of shape (n_rounds,)
        Score of each round, including the start.
    reference_scores : array-like of shape (n_rounds,)
        Scores of the reference, usually random sampling.
    best : float, default=None
        Score with all labels of the pool. None means the last score of the reference, which is the
        same if the reference labels the whole pool.

    Returns
    -------
    float
        The deficiency of the strategy.

    Raises
    ------
    ValueError
        If the input is not a pair of curves, or the reference is not below the best score on
        balance.

    Notes
    -----
    As defined by Baram, El-Yaniv and Luz, over the rounds after the common start:

    .. math:: \frac{\sum_{t=1}^{T} (n_t - n_{t-1}) (a^* - a_t)}
        {\sum_{t=1}^{T} (n_t - n_{t-1}) (a^* - a^{\text{ref}}_t)}

    They buy one label per round, so that all factors :math:`n_t - n_{t-1}` are 1; in general the
    factors weight rounds by their size. Yanik and Sezgin use the measure with random sampling as
    the reference.

    References
    ----------
    Baram, El-Yaniv and Luz, "Online choice of active learning algorithms", JMLR 5, 2004.

    Yanik and Sezgin, "Active learning for sketch recognition", Computers & Graphics 52, 2015.

    Examples
    --------
    >>> from skactive.metrics import deficiency
    >>> round(deficiency([1, 2, 3, 4], [0.5, 0.7, 0.8, 0.8], [0.5, 0.5, 0.7, 0.8]), 12)
    0.25
    """
    counts, scores = _check_rounds(n_labels, scores)
    _, reference = _check_rounds(n_labels, reference_scores, "reference_scores")
    best = reference[-1] if best is None else check_number("best", best)
    bought = np.diff(counts)
    shortfall = float(bought @ (best - reference[1:]))
    if shortfall <= 0.0:
        raise ValueError(
            f"The reference (reference_scores) is not below best={best:.6g} when summed over "
            "rounds, so it has no deficiency to compare with. Pass the score with all labels as "
            "best."
        )
    return float(bought @ (best - scores[1:])) / shortfall


def _check_sequence(name: str, values: Any, at_least: int = 2) -> Floats:
    """Return a sequence of finite numbers, `at_least` so many, as an array."""
    values = to_numbers(name, values).astype(np.float64, copy=False)
    if values.ndim != 1 or len(values) < at_least:
        raise ValueError(
            f"{name} must be a list of at least {at_least} numbers, got shape {values.shape}."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite numbers, got NaN or infinity.")
    return values


def find_common_counts(counts: Sequence[Any]) -> Floats:
    """Return all label counts, of any curve, that every curve covers.

    Parameters
    ----------
    counts : list of array-like of shape (n_rounds,)
        Label counts of each curve, increasing.

    Returns
    -------
    ndarray of shape (n_points,)
        Where all of the curves can be interpolated.
    """
    grid = np.unique(np.concatenate(counts)).astype(np.float64)
    return grid[(grid >= max(c[0] for c in counts)) & (grid <= min(c[-1] for c in counts))]


def _check_rounds(
    n_labels: Any, scores: Any, name: str = "scores", counts_name: str = "n_labels"
) -> tuple[Floats, Floats]:
    """Return the counts and scores of a curve as arrays."""
    counts, heights = _check_sequence(counts_name, n_labels), _check_sequence(name, scores)
    _check_same_length(counts, heights, name, counts_name)
    if (np.diff(counts) <= 0).any():
        raise ValueError(
            f"{counts_name} must increase from round to round: it is the total number of known "
            "labels."
        )
    return counts, heights


def _check_same_length(
    counts: Floats, scores: Floats, name: str, counts_name: str = "n_labels"
) -> None:
    if len(counts) != len(scores):
        raise ValueError(
            f"{counts_name} and {name} must have the same length, got {len(counts)} and "
            f"{len(scores)}."
        )


def _mean_height(counts: Floats, scores: Floats) -> float:
    """Return the area by the trapezoid rule, divided by the range of the counts."""
    area = np.diff(counts) @ (scores[:-1] + scores[1:]) / 2
    return float(area / (counts[-1] - counts[0]))


def _mean_height_between(counts: Floats, scores: Floats, start: float, end: float) -> float:
    """Return the mean height of a curve between two counts, or its height if they are equal."""
    if not start < end:
        return float(np.interp(start, counts, scores))
    inside = counts[(counts > start) & (counts < end)]
    counts_between = np.concatenate([[start], inside, [end]])
    return _mean_height(counts_between, np.interp(counts_between, counts, scores))
