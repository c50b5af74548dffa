"""Confidence intervals of shares and means, and the estimates that hold them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import betaincinv, stdtrit

from skactive._utils.array_types import Floats

__all__ = ["Estimate", "check_confidence", "clopper_pearson", "hall_ratios", "mean_interval"]

_MIN_SKEWNESS = 1e-7  # below it the cube root would lose digits, and changes none that are seen


class Estimate(NamedTuple):
    """An estimate with its interval.

    Attributes
    ----------
    value : float
        The estimate.
    low, high : float
        The interval; infinite if the data do not bound it.
    n : int
        Number of labeled rows that it is based on.
    method : str
        Kind of interval: "clopper-pearson", "hall" (of :func:`mean_interval`), "lure",
        "jackknife", "jeffreys", "calibrated", "ppi" (of :func:`ppi_mean`) or "anytime" (of
        :class:`ActiveEvaluation`), or "all" where all rows are labeled.
    confidence : float
        How often such intervals contain the true value.
    """

    value: float
    low: float
    high: float
    n: int
    method: str
    confidence: float


def clopper_pearson(n_right: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    r"""Return the exact confidence interval for the success rate of independent trials.

    Parameters
    ----------
    n_right : int
        Number of successes, 0 .. `n`.
    n : int
        Number of trials; with 0 the interval is 0 .. 1.
    confidence : float, default=0.95
        How often, at least, the interval contains the true rate, whatever it is; above 0 and
        below 1.

    Returns
    -------
    low, high : float
        The interval, both ends in 0 .. 1.

    Raises
    ------
    ValueError
        If the counts are not integers with ``0 <= n_right <= n``, or `confidence` is not between 0
        and 1.

    Notes
    -----
    The rates that neither one-sided test at level :math:`\alpha / 2` rejects. With
    :math:`B^{-1}(q; a, b)` the quantile of the beta distribution:

    .. math:: \left[ B^{-1}(\alpha / 2; k, n - k + 1),\ B^{-1}(1 - \alpha / 2; k + 1, n - k) \right]

    References
    ----------
    Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26, 1934.

    Examples
    --------
    >>> from skactive.estimation import clopper_pearson
    >>> low, high = clopper_pearson(45, 50)
    >>> round(low, 3), round(high, 3)
    (0.782, 0.967)
    """
    _check_counts(n_right, n)
    tail = (1.0 - check_confidence(confidence)) / 2.0
    low = betaincinv(n_right, n - n_right + 1, tail) if n_right > 0 else 0.0
    high = betaincinv(n_right + 1, n - n_right, 1.0 - tail) if n_right < n else 1.0
    return float(low), float(high)


def mean_interval(values: Any, confidence: float = 0.95) -> tuple[float, float]:
    r"""Return a confidence interval for the mean of a distribution that may be skewed.

    Parameters
    ----------
    values : array-like of shape (n_values,)
        Independent values with this distribution, such as the errors of rows drawn at random.
    confidence : float, default=0.95
        How often the interval is to contain the mean; above 0 and below 1.

    Returns
    -------
    low, high : float
        The interval; infinite for less than two values, or values that are all the same.

    Raises
    ------
    ValueError
        If `values` is not a vector of finite numbers, or `confidence` is not between 0 and 1.

    Notes
    -----
    Errors are skewed, so that Student's interval is too low: the few large ones that would raise it
    are often not among the values. Hall's transformation of Student's ratio :math:`T` takes the
    skewness :math:`\hat\gamma` of the values into account. It is monotone, and its inverse gives
    the interval, with the standard error :math:`s / \sqrt n` and the quantile :math:`t` of
    Student's distribution with :math:`n - 1` degrees of freedom in place of the normal one:

    .. math::
        \left[ \bar x - \tfrac{s}{\sqrt n}\, g^{-1}(t),\
        \bar x - \tfrac{s}{\sqrt n}\, g^{-1}(-t) \right], \qquad
        g^{-1}(t) = \frac{3}{a} \left( \sqrt[3]{1 + a t - a^2 / 6} - 1 \right), \qquad
        a = \frac{\hat\gamma}{\sqrt n}

    Without skewness it is Student's interval. In 20,000 simulated samples of squared normal errors,
    intervals of confidence 0.95 held the mean in 93 % of the samples of 10 and in 95 % of those of
    50, where Student's held it in 86 % and 92 %; the bootstrap of Student's ratio does as well, but
    needs random numbers. With 5 values, 90 % held.

    References
    ----------
    Hall, "On the removal of skewness by transformation", Journal of the Royal Statistical Society,
    Series B 54, 1992.

    Hesterberg, "What teachers should know about the bootstrap: resampling in the undergraduate
    statistics curriculum", 2014, :doi:`10.48550/arXiv.1411.5279`, on Student's interval of skewed
    data.

    Examples
    --------
    >>> from skactive.estimation import mean_interval
    >>> low, high = mean_interval([0.1, 0.3, 0.2, 2.5, 0.4, 0.2, 0.1, 0.8])
    >>> round(low, 2), round(high, 2)
    (0.12, 2.93)
    """
    level, x = check_confidence(confidence), np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise ValueError(f"values must be a vector of finite numbers, got {values!r}.")
    n = len(x)
    if n < 2 or np.ptp(x) == 0:
        return -np.inf, np.inf
    mean, error = x.mean(), x.std(ddof=1) / np.sqrt(n)
    low, high = (mean - error * hall_ratios(x, n - 1, level)).tolist()
    return low, high


def hall_ratios(values: Floats, freedom: int, confidence: float) -> Floats:
    """Return the two quantiles of the ratio of a mean's error and its standard error, (2,).

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        What is averaged, not all the same.
    freedom : int
        Degrees of freedom of the standard error.
    confidence : float
        Confidence of the interval, whose ends are the mean minus these ratios times its error.
    """
    a = np.mean(((values - values.mean()) / values.std()) ** 3) / np.sqrt(len(values))
    t = stdtrit(freedom, (1.0 + confidence) / 2.0) * np.array([1.0, -1.0])
    if abs(a) < _MIN_SKEWNESS:
        return np.asarray(t)
    return np.asarray(3.0 / a * (np.cbrt(1.0 + a * t - a**2 / 6.0) - 1.0))


def check_confidence(confidence: float) -> float:
    """Return a confidence, or raise if it does not lie between 0 and 1."""
    if not 0.0 < confidence < 1.0:
        raise ValueError(
            f"confidence must lie between 0 and 1, got {confidence!r}: 0.95 stands for 95 %."
        )
    return float(confidence)


def _check_counts(n_right: int, n: int) -> None:
    if int(n) != n or int(n_right) != n_right or not 0 <= n_right <= n:
        raise ValueError(
            f"n_right and n must be integers with 0 <= n_right <= n, got {n_right!r} and {n!r}."
        )
