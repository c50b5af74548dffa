"""ExpectedAccuracy: the accuracy on rows without labels, from calibrated confidences."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from skactive._utils.array_types import Floats
from skactive._utils.input_kinds import check_count, check_numbers
from skactive.estimation import Estimate
from skactive.estimation._intervals import check_confidence

__all__ = ["ExpectedAccuracy"]


class ExpectedAccuracy:
    r"""Estimate the accuracy on new rows without labels, from a model's confidence in them.

    Rows of known labels say how often the model is right at each level of confidence; new rows are
    then expected to be right as often. If they are harder, confidences fall, and the estimate does.

    Parameters
    ----------
    confidences : array-like of shape (n_audited,)
        Confidence of the model in its predictions for audited rows: rows drawn at random that it
        was not trained on. Any number that is higher for predictions that are more often right.
    right : array-like of shape (n_audited,)
        1 or True where the prediction was right, else 0.
    n_bins : int, default=10
        Number of levels of confidence, with the same number of audited rows each; fewer where
        confidences are tied.
    confidence : float, default=0.95
        How often the interval is to contain the expected accuracy.

    Raises
    ------
    ValueError
        If there are fewer than two audited rows per level, or `right` is not 0 or 1.

    Warnings
    --------
    It assumes that a row of the same confidence is right as often as before. If labels change their
    meaning, or the model is sure of rows of a new kind, it notices nothing: audit some new rows.

    Notes
    -----
    With :math:`n_b` audited rows in the level b, of which :math:`k_b` were right, and the share
    :math:`q_b` of the m new rows in it,

    .. math:: \hat a = \sum_b q_b r_b, \quad r_b = \frac{k_b + 1/2}{n_b + 1}, \qquad
        \hat s^2 = \sum_b q_b^2 \frac{r_b (1 - r_b)}{n_b + 2} + \frac{\hat a (1 - \hat a)}{m}

    The interval is normal, and cut at 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.labeling.hooks import ExpectedAccuracy
    >>> rng = np.random.RandomState(0)
    >>> confidences = rng.rand(500)
    >>> expected = ExpectedAccuracy(confidences, rng.rand(500) < confidences)
    >>> estimate = expected.estimate(rng.rand(400) ** 2)  # the model is less sure of these
    >>> bool(estimate.low < 1 / 3 < estimate.high)
    True
    """

    def __init__(
        self, confidences: Any, right: Any, *, n_bins: int = 10, confidence: float = 0.95
    ) -> None:
        check_count("n_bins", n_bins)
        self.confidence = check_confidence(confidence)
        values, hits = _read("confidences", confidences), _read("right", right)
        if len(values) != len(hits):
            raise ValueError(
                f"confidences and right must be of one length, got {len(values)} and {len(hits)}."
            )
        if len(values) < 2 * n_bins or not np.isin(hits, (0.0, 1.0)).all():
            raise ValueError(
                f"At least {2 * n_bins} audited rows are needed for n_bins={n_bins}, with right "
                f"being 0 or 1; got {len(values)} rows."
            )
        inner = np.quantile(values, np.arange(1, n_bins) / n_bins)
        self._edges = np.unique(inner)
        bins = np.searchsorted(self._edges, values, side="right")
        counts = np.bincount(bins, minlength=len(self._edges) + 1)
        n_right = np.bincount(bins, weights=hits, minlength=len(self._edges) + 1)
        self._rates: Floats = (n_right + 0.5) / (counts + 1.0)
        self._variances: Floats = self._rates * (1.0 - self._rates) / (counts + 2.0)

    def estimate(self, confidences: Any) -> Estimate:
        """Estimate the accuracy on new rows.

        Parameters
        ----------
        confidences : array-like of shape (n_rows,)
            Confidence of the model in its predictions for them, at least one.

        Returns
        -------
        Estimate
            The expected accuracy, by the method "calibrated"; its `n` is the number of new rows.
        """
        values = _read("confidences", confidences)
        if len(values) == 0:
            raise ValueError("confidences is empty: it has one number per new row.")
        bins = np.searchsorted(self._edges, values, side="right")
        shares = np.bincount(bins, minlength=len(self._rates)) / len(values)
        value = float(shares @ self._rates)
        variance = float(shares**2 @ self._variances) + value * (1.0 - value) / len(values)
        half = float(ndtri((1.0 + self.confidence) / 2.0)) * variance**0.5
        low, high = max(0.0, value - half), min(1.0, value + half)
        return Estimate(value, low, high, len(values), "calibrated", self.confidence)


def _read(name: str, values: Any) -> Floats:
    vector = np.asarray(check_numbers(name, values), dtype=np.float64)
    if vector.ndim != 1:
        raise ValueError(f"{name} must be of shape (n_rows,), got shape {vector.shape}.")
    return vector
