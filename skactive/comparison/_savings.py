"""Labels saved: from the mean curves over repeats, with a bootstrap interval."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skactive._utils.array_types import Floats
from skactive.comparison._statistics import bootstrap_means, bootstrap_tail

__all__ = ["LabelsSaved", "compute_saving"]

_BOUNDS = {  # by whether the strategy, and the baseline, end before the target
    (False, False): "exact",
    (False, True): "at least",
    (True, False): "at most",
    (True, True): "unknown",
}


class LabelsSaved(NamedTuple):
    """Labels that a strategy saves against a baseline.

    Attributes
    ----------
    dataset, model, strategy, baseline : str
        Names of what is compared.
    target : float
        The score to reach.
    n_labels, baseline_n_labels : float
        Labels with which the mean curves reach it; infinity if they do not.
    saved : float
        Share of the baseline's labels that the strategy saves; below 0 it needs more. NaN if
        neither reaches the target.
    bound : {"exact", "at least", "at most", "unknown"}
        Kind of number that `saved` is. "at least": the baseline does not reach the target, and
        counts as if it did with its last label. "at most": the strategy does not, and counts
        likewise.
    low, high : float
        Confidence interval of the true share; -infinity or 1 if it has no bound, NaN for a
        single repeat.
    n_repeats : int
        Number of repeats.
    """

    dataset: str
    model: str
    strategy: str
    baseline: str
    target: float
    n_labels: float
    baseline_n_labels: float
    saved: float
    bound: str
    low: float
    high: float
    n_repeats: int


def compute_saving(
    names: tuple[str, str, str, str],
    counts: Floats,
    pair: Floats,
    target: float | None,
    confidence: float,
    draws: dict[str, Any],
) -> LabelsSaved:
    """Compare the curves of a strategy and a baseline, (n_repeats, 2, n_points)."""
    mean = pair.mean(axis=0)
    goal = mean[1, -1] if target is None else np.float64(target)
    needed, reference = (_find_crossings(counts, mean[i], goal) for i in (0, 1))
    share, _, _ = _compute_share_saved(needed, reference, counts[-1])
    bound = _BOUNDS[bool(np.isinf(needed)), bool(np.isinf(reference))]
    low = high = np.nan
    if len(pair) > 1:
        means = bootstrap_means(pair, **draws)  # (n_resamples, 2, n_points)
        goals = means[:, 1, -1] if target is None else goal
        # (n_resamples,)
        drawn_needed, drawn_reference = (
            _find_crossings(counts, means[:, i], goals) for i in (0, 1)
        )
        _, least, most = _compute_share_saved(drawn_needed, drawn_reference, counts[-1])
        tail = bootstrap_tail(len(pair), confidence)
        low, high = np.quantile(least, tail, method="lower"), np.quantile(most, 1 - tail)
    return LabelsSaved(
        *names,
        target=float(goal),
        n_labels=float(needed),
        baseline_n_labels=float(reference),
        saved=float(share),
        bound=bound,
        low=float(low),
        high=float(high),
        n_repeats=len(pair),
    )


def _find_crossings(counts: Floats, curves: Floats, target: Any) -> Floats:
    """Return the labels with which curves (..., n_points) first reach a target, or infinity."""
    reached = curves >= np.asarray(target)[..., None]
    after = reached.argmax(axis=-1)
    before = np.maximum(after - 1, 0)
    high = np.take_along_axis(curves, after[..., None], -1)[..., 0]
    low = np.take_along_axis(curves, before[..., None], -1)[..., 0]
    rising = (after > 0) & (high > low)
    share = np.divide(target - low, high - low, out=np.ones_like(high), where=rising)
    labels = counts[before] + share * (counts[after] - counts[before])
    return np.where(reached.any(axis=-1), labels, np.inf)


def _compute_share_saved(
    needed: Floats, reference: Floats, last: float
) -> tuple[Floats, Floats, Floats]:
    """Return the share saved, and the least and most that it can be if curves end too soon."""
    late, reference_late = np.isinf(needed), np.isinf(reference)
    share = 1 - np.minimum(needed, last) / np.minimum(reference, last)
    least, most = np.where(late, -np.inf, share), np.where(reference_late, 1.0, share)
    return np.where(late & reference_late, np.nan, share), least, most
