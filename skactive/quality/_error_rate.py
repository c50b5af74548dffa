"""The share of wrong labels, from rows that people checked in two strata."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from skactive.estimation import Estimate

__all__ = ["estimate_share"]

_N_DRAWS = 20_000


def estimate_share(strata: Iterable[tuple[int, int, int]], confidence: float) -> Estimate:
    """Estimate the share of rows that are wrong.

    Parameters
    ----------
    strata : iterable of (int, int, int)
        Of each stratum the number of rows, of rows checked, and of wrong ones among these.
    confidence : float
        Confidence level of the interval.

    Returns
    -------
    Estimate
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence!r}.")
    rng = np.random.default_rng(0)  # a fixed seed: the interval is a function of the counts
    total, n_checked, n_rows, value = np.zeros(_N_DRAWS), 0, 0, 0.0
    for size, checked, wrong in strata:
        rates = rng.beta(wrong + 0.5, checked - wrong + 0.5, _N_DRAWS)
        total += wrong + rng.binomial(size - checked, rates)
        value += size * wrong / checked if checked else size * 0.5
        n_checked, n_rows = n_checked + checked, n_rows + size
    tail = (1 - confidence) / 2
    low, high = np.quantile(total / n_rows, [tail, 1 - tail])
    value /= n_rows
    return Estimate(
        value, float(min(low, value)), float(max(high, value)), n_checked, "jeffreys", confidence
    )
