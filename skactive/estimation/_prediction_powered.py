"""Means of labels that are known for few rows, with a proxy of them that is known for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skactive._utils.array_types import Floats
from skactive._utils.input_kinds import check_number, check_numbers, check_option
from skactive.estimation._intervals import Estimate, check_confidence, hall_ratios

__all__ = ["PoweredMean", "fit_power", "power_mean", "ppi_mean", "read_vector"]

TARGETS = ("population", "pool")


def ppi_mean(
    y: Any,
    proxy: Any,
    proxy_all: Any,
    *,
    power: float | str = "auto",
    probabilities: Any = None,
    target: str = "population",
    confidence: float = 0.95,
) -> Estimate:
    r"""Estimate a mean from few labeled rows and a proxy of all rows: prediction-powered inference.

    The proxy may be anything that is cheap: what a model predicts, the verdict of a language model.
    The better it predicts the labels, the narrower is the interval; it need not be right.

    Parameters
    ----------
    y : array-like of shape (n_labeled,)
        The numbers whose mean is wanted: labels, losses, or 1 where a prediction is right, else 0.
    proxy : array-like of shape (n_labeled,)
        The proxy of the labeled rows, in the order of `y`.
    proxy_all : array-like of shape (n_rows,)
        The proxy of all rows of the pool, the labeled ones included, in any order.
    power : "auto" or float, default="auto"
        Share of the proxy that is used: 0 is the mean of `y` alone, 1 trusts the proxy up to a
        constant. "auto" is the value of the least estimated variance.
    probabilities : array-like of shape (n_labeled,), default=None
        Probability with which each labeled row came into the sample, above 0 and at most 1. It must
        have been above 0 for all rows of the pool. None: all rows had the same.
    target : {"population", "pool"}, default="population"
        Whether the mean is that of the distribution that the pool was drawn from, or of the rows of
        the pool.
    confidence : float, default=0.95
        How often the interval is to contain the mean.

    Returns
    -------
    Estimate
        The estimate, with an approximate interval ("ppi"). It is infinite for less than three rows,
        and where the proxy explains all rows exactly.

    Raises
    ------
    ValueError
        If the vectors are not finite or do not fit, or probabilities or the power are out of range.

    Notes
    -----
    With the weights :math:`w_i = 1 / \pi_i` of the sample, scaled to the sum 1, the estimate is

    .. math:: \hat\theta = \sum_i w_i y_i
              + \lambda \Big( \bar f - \sum_i w_i f_i \Big), \qquad
              \hat\lambda = \frac{\sum_i w_i (y_i - \bar y_w)(f_i - \bar f_w)}
              {\frac{1}{N - 1} \sum_j (f_j - \bar f)^2}

    where :math:`\bar f` is the mean of the proxy of all N rows. The residuals
    :math:`e_i = y_i - \bar y_w - \lambda (f_i - \bar f_w)` give the squared standard error for the
    pool, :math:`\frac{n}{n - 2} \sum_i (1 - \pi_i) w_i^2 e_i^2`, and for the population that plus
    the variance of `y` divided by N. For rows of equal probabilities it is the estimator of PPI++
    (Angelopoulos, Duchi and Zrnic): these write :math:`\lambda (N - n) / N` for the power, since
    they compare with the rows without label alone, and clip it to 0 .. 1, which is not done here: a
    proxy on another scale needs another factor. With probabilities it is the estimator of active
    inference (Zrnic and Candès) with weights that sum to 1.

    The interval is that of :func:`mean_interval`, with n - 2 degrees of freedom. Few rows with
    large weights make it too narrow; weights up to two are harmless.

    References
    ----------
    Angelopoulos, Bates, Fannjiang, Jordan and Zrnic, "Prediction-powered inference", Science 382,
    2023, :doi:`10.1126/science.adi6000`.

    Angelopoulos, Duchi and Zrnic, "PPI++: efficient prediction-powered inference", 2023,
    :doi:`10.48550/arXiv.2311.01453`.

    Zrnic and Candès, "Active statistical inference", ICML 2024, :doi:`10.48550/arXiv.2403.03208`.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.estimation import mean_interval, ppi_mean
    >>> rng = np.random.RandomState(0)
    >>> y = rng.normal(size=5000)
    >>> proxy = y + 0.5 * rng.normal(size=5000)
    >>> estimate = ppi_mean(y[:100], proxy[:100], proxy)
    >>> round(estimate.low, 2), round(estimate.high, 2)
    (-0.08, 0.12)
    >>> low, high = mean_interval(y[:100])  # without the proxy
    >>> round(low, 2), round(high, 2)
    (-0.14, 0.26)
    """
    level = check_confidence(confidence)
    check_option("target", target, TARGETS)
    numbers, known = read_vector("y", y), read_vector("proxy", proxy)
    all_rows = read_vector("proxy_all", proxy_all)
    _check_lengths(len(numbers), len(known), len(all_rows))
    chances = _check_probabilities(probabilities, len(numbers), len(all_rows))
    mean = power_mean(numbers, known, all_rows, chances, _check_power(power))
    low, high = mean.interval(mean.error(target), level)
    return Estimate(mean.value, low, high, len(numbers), "ppi", level)


@dataclass(frozen=True)
class PoweredMean:
    """A prediction-powered mean, and what its intervals are made of.

    Attributes
    ----------
    value : float
        The estimate.
    power : float
        Factor of the proxy.
    residuals : ndarray of shape (n_labeled,)
        Labels minus their linear prediction by the proxy; their weighted sum is 0.
    weights : ndarray of shape (n_labeled,)
        Weights of the rows, whose mean is 1.
    pool_variance : float
        Squared standard error of the mean of the pool; infinite for less than three rows.
    row_variance : float
        Variance of the labels.
    n_rows : int
        Number of rows of the pool.
    """

    value: float
    power: float
    residuals: Floats
    weights: Floats
    pool_variance: float
    row_variance: float
    n_rows: int

    def error(self, target: str) -> float:
        """Return the standard error for the mean of the pool, or of the population."""
        extra = self.row_variance / self.n_rows if target == "population" else 0.0
        return float(np.sqrt(self.pool_variance + extra))

    def interval(self, error: float, confidence: float) -> tuple[float, float]:
        """Return the interval for a standard error, infinite if no residual differs from 0."""
        influences = self.weights * self.residuals
        if not np.isfinite(error) or np.ptp(influences) == 0.0:
            return -np.inf, np.inf
        ratios = hall_ratios(influences, len(influences) - 2, confidence)
        low, high = (self.value - error * ratios).tolist()
        return low, high


def power_mean(
    y: Floats, proxy: Floats, proxy_all: Floats, probabilities: Floats, power: float | None
) -> PoweredMean:
    """Estimate the mean of `y` as :func:`ppi_mean` does, of vectors that were checked.

    Parameters
    ----------
    y, proxy, probabilities : ndarray of shape (n_labeled,)
        Labels, proxy and probabilities of the labeled rows, at least one.
    proxy_all : ndarray of shape (n_rows,)
        The proxy of all rows.
    power : float or None
        The factor of the proxy; None tunes it.
    """
    n = len(y)
    w = 1.0 / probabilities
    w /= w.mean()
    y_mean, proxy_mean = float(np.mean(w * y)), float(np.mean(w * proxy))
    y_rest, proxy_rest = y - y_mean, proxy - proxy_mean
    if power is None:
        spread = float(proxy_all.var(ddof=1)) if len(proxy_all) > 1 else 0.0
        power = float(np.mean(w * y_rest * proxy_rest)) / spread if spread > 0.0 else 0.0
    residuals = y_rest - power * proxy_rest
    total = float(np.sum((1.0 - probabilities) * (w * residuals) ** 2))
    return PoweredMean(
        value=y_mean + power * (float(proxy_all.mean()) - proxy_mean),
        power=power,
        residuals=residuals,
        weights=w,
        pool_variance=total / (n * (n - 2)) if n > 2 else np.inf,
        row_variance=float(np.mean(w * y_rest**2)),
        n_rows=len(proxy_all),
    )


def read_vector(name: str, values: Any) -> Floats:
    """Return a vector of finite numbers, or raise."""
    vector = np.asarray(check_numbers(name, values), dtype=np.float64)
    if vector.ndim != 1:
        raise ValueError(f"{name} must be of shape (n_rows,), got shape {vector.shape}.")
    return vector


def fit_power(y: Floats, proxy: Floats, probabilities: Floats) -> float:
    """Return the slope of `y` on the proxy over the labeled rows, 0 if the proxy is constant.

    Unlike the tuned power, which divides by the variance over all rows, it gives no bias where `y`
    is linear in the proxy; the tuned one gives one of order 1 / n where the proxy is skewed.
    """
    w = 1.0 / probabilities
    rest = proxy - np.average(proxy, weights=w)
    spread = float(np.sum(w * rest**2))
    return float(np.sum(w * rest * y)) / spread if spread > 1e-12 * w.sum() else 0.0


# Implementation ---------------------------------------------------------------------------------


def _check_lengths(n: int, n_proxy: int, n_rows: int) -> None:
    if n == 0:
        raise ValueError("y is empty: label some rows first.")
    if n_proxy != n:
        raise ValueError(f"y and proxy must be of one length, got {n} and {n_proxy}.")
    if n_rows < n:
        raise ValueError(
            f"proxy_all must hold the proxy of all rows, the {n} labeled ones included, got "
            f"{n_rows}."
        )


def _check_power(power: float | str) -> float | None:
    """Return the power, or None for that of the least variance."""
    if not isinstance(power, str):
        return float(check_number("power", power))
    if power != "auto":
        raise ValueError(f"power must be 'auto' or a number, got {power!r}.")
    return None


def _check_probabilities(probabilities: Any, n: int, n_rows: int) -> Floats:
    """Return the probability of each labeled row, (n,); all the same where none are given."""
    if probabilities is None:
        return np.full(n, n / n_rows)
    chances = read_vector("probabilities", probabilities)
    if len(chances) != n:
        raise ValueError(f"probabilities must be one per labeled row, {n}, got {len(chances)}.")
    if not ((chances > 0.0) & (chances <= 1.0)).all():
        raise ValueError(
            "probabilities must be above 0 and at most 1: those with which the labeled rows came "
            f"into the sample, got values from {chances.min():g} to {chances.max():g}."
        )
    return chances
