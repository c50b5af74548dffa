"""Tests for drift on the errors of a model, with the protocol of river's detectors."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

from sklearn.base import BaseEstimator, clone

from skactive._utils.constraints import NONNEGATIVE_REAL, POSITIVE_INT, POSITIVE_REAL
from skactive.exceptions import SkactiveWarning

__all__ = ["DDM", "Drift", "PageHinkley", "check_hooks", "clone_detector", "notify", "watch"]


@dataclass(frozen=True)
class Drift:
    """Drift that was detected.

    Parameters
    ----------
    n_offers : int
        Number of offers before it was detected.
    n_taught : int
        Number of labels taught so far, the lesson that showed it included.
    n_kept : int
        Number of labels that the new model has learned from.
    """

    n_offers: int
    n_taught: int
    n_kept: int


class _Detector(BaseEstimator):
    """Base of the tests: they count the values, and are at work from a number of them on."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"n_min": POSITIVE_INT}
    drift_detected = False
    _n = 0
    _mean = 0.0

    def update(self, x: float) -> None:
        """Take the next value, and set `drift_detected`.

        Parameters
        ----------
        x : float
            Error of a prediction: 0 or 1 of a classifier, a distance of a regressor.
        """
        if not self._n:
            self._validate_params()
        self._n += 1
        self._mean += (x - self._mean) / self._n
        self.drift_detected = self._test(x) and self._n >= self.n_min

    def _test(self, x: float) -> bool:
        """Count a value, and return whether the mean has risen."""
        raise NotImplementedError


class PageHinkley(_Detector):
    r"""Page's test: the values add up to more than their mean explains.

    Parameters
    ----------
    delta : float, default=0.05
        Rise of the mean that is tolerated.
    threshold : float, default=10.0
        Sum at which a drift is detected. Higher detects later, with fewer false alarms.
    n_min : int, default=30
        Number of values before the first detection.

    Attributes
    ----------
    drift_detected : bool
        Whether the last value showed a drift.

    Notes
    -----
    With :math:`m_t = \sum_{i \le t} (x_i - \bar x_i - \delta)`, where :math:`\bar x_i` is the mean
    of the first i values, a drift is detected if :math:`m_t - \min_{i \le t} m_i` exceeds the
    threshold.

    References
    ----------
    Page, "Continuous inspection schemes", Biometrika 41, 1954, :doi:`10.1093/biomet/41.1-2.100`.

    Examples
    --------
    >>> from skactive.streams import PageHinkley
    >>> detector = PageHinkley()
    >>> for n, error in enumerate([0, 0, 0, 1] * 50 + [0, 1, 1, 1] * 50):
    ...     detector.update(error)
    ...     if detector.drift_detected:
    ...         break
    >>> 200 < n < 240
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_Detector._parameter_constraints,
        "delta": NONNEGATIVE_REAL,
        "threshold": POSITIVE_REAL,
    }
    _excess = 0.0  # m_t - min m

    def __init__(self, delta: float = 0.05, threshold: float = 10.0, *, n_min: int = 30) -> None:
        self.delta = delta
        self.threshold = threshold
        self.n_min = n_min

    def _test(self, x: float) -> bool:
        self._excess = max(0.0, self._excess + x - self._mean - self.delta)
        return self._excess > self.threshold


class DDM(_Detector):
    r"""The drift detection method: the error rate rises far above its lowest value.

    Parameters
    ----------
    n_deviations : float, default=3.0
        Number of standard deviations above the lowest error rate at which a drift is detected.
    n_min : int, default=30
        Number of values before the first detection.

    Attributes
    ----------
    drift_detected : bool
        Whether the last value showed a drift.

    Notes
    -----
    With :math:`p_t` the share of errors among the first t predictions and
    :math:`s_t = \sqrt{p_t (1 - p_t) / t}`, a drift is detected if
    :math:`p_t + s_t > p_{min} + 3 s_{min}`, the values at which :math:`p_t + s_t` was lowest from
    the first `n_min` values on. It takes errors of 0 or 1. So that the first error of all is no
    drift, :math:`s_{min}` counts as at least 1 / t.

    References
    ----------
    Gama, Medas, Castillo and Rodrigues, "Learning with drift detection", SBIA 2004,
    :doi:`10.1007/978-3-540-28645-5_29`.

    Examples
    --------
    >>> from skactive.streams import DDM
    >>> detector = DDM()
    >>> for n, error in enumerate([0, 0, 0, 1] * 50 + [0, 1, 1, 1] * 50):
    ...     detector.update(error)
    ...     if detector.drift_detected:
    ...         break
    >>> 200 < n < 260
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_Detector._parameter_constraints,
        "n_deviations": POSITIVE_REAL,
    }
    _lowest = (math.inf, 0.0)  # rate and deviation

    def __init__(self, n_deviations: float = 3.0, *, n_min: int = 30) -> None:
        self.n_deviations = n_deviations
        self.n_min = n_min

    def update(self, x: float) -> None:
        """Take the next error, 0 or 1, and set `drift_detected`.

        Parameters
        ----------
        x : {0, 1}
            Whether a prediction was wrong.
        """
        if x not in (0, 1):
            raise ValueError(
                f"DDM counts predictions that are right (0) or wrong (1), got {x!r}: for other "
                "errors use PageHinkley."
            )
        super().update(x)

    def _test(self, x: float) -> bool:
        if self._n < self.n_min:
            return False
        deviation = math.sqrt(self._mean * (1.0 - self._mean) / self._n)
        if self._mean + deviation <= sum(self._lowest):
            self._lowest = self._mean, deviation
        lowest, least = self._lowest
        limit = lowest + self.n_deviations * max(least, 1.0 / self._n)
        return self._mean + deviation > limit


def clone_detector(detector: Any) -> Any:
    """Return a detector with the same settings that has seen nothing."""
    if isinstance(detector, type):
        raise TypeError(
            f"drift must be an object, got the class {detector.__name__}: write "
            f"{detector.__name__}()."
        )
    if not hasattr(detector, "drift_detected"):
        raise TypeError(
            "drift must have update(x) and an attribute drift_detected, such as PageHinkley(), got "
            f"{detector!r}."
        )
    if isinstance(detector, _Detector):
        detector._validate_params()
    if hasattr(detector, "get_params"):
        return clone(detector)
    make_clone = getattr(detector, "clone", None)  # river's way
    return deepcopy(detector) if make_clone is None else make_clone()


def watch(detector: Any, errors: Iterable[float]) -> tuple[Any, bool]:
    """Return a copy of a detector that has seen errors, and whether it has detected a drift.

    It sees no more after a drift: the later errors are of a model that is given up.
    """
    detector = deepcopy(detector)
    for error in errors:
        detector.update(float(error))
        if detector.drift_detected:
            return detector, True
    return detector, False


def check_hooks(hooks: Sequence[Any]) -> None:
    """Check that hooks can be called."""
    for hook in hooks:
        if not callable(hook):
            raise TypeError(f"hooks must be functions of a Drift, got {hook!r}.")


def notify(hooks: Sequence[Any], drift: Drift) -> None:
    """Call hooks with a drift; their errors become warnings."""
    for hook in hooks:
        try:
            hook(drift)
        except Exception as error:
            warnings.warn(
                f"The hook {hook!r} failed; the stream continues ({type(error).__name__}: "
                f"{error}).",
                SkactiveWarning,
                stacklevel=4,
            )
