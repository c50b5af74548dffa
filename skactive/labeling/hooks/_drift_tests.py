"""Tests for drift: whether new values have the distribution of the first ones."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from skactive._utils.agreement import cohen_kappa

__all__ = [
    "AlphaSpending",
    "Kappa",
    "Windows",
    "agreement_test",
    "class_test",
    "kappa_interval",
    "speed_test",
]

Value = TypeVar("Value")
Classes = tuple[Hashable, ...]  # the classes of a row
Pair = tuple[Hashable, Hashable]  # the labels of a row by two annotators


class AlphaSpending:
    r"""Alpha spending for an unbounded sequence of tests.

    Parameters
    ----------
    alpha : float
        Bound on the chance that any of the tests is a false alarm.

    Notes
    -----
    The k-th test has the level :math:`\alpha / (k (k + 1))`; the levels of all k add up to
    :math:`\alpha`. By the union bound the tests may depend on each other in any way.
    """

    def __init__(self, alpha: float) -> None:
        self.alpha, self.n_tests = alpha, 0

    def next_level(self) -> float:
        """Return the level of the next test."""
        self.n_tests += 1
        return self.alpha / (self.n_tests * (self.n_tests + 1))


class Windows(Generic[Value]):
    """Two windows of a stream: its first values as the reference, and its newest values.

    Parameters
    ----------
    size : int
        Number of values per window.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._first: list[Value] = []
        self._newest: list[Value] = []

    def add(self, value: Value) -> tuple[list[Value], list[Value]] | None:
        """Add a value; return both windows if that fills the newest, which is then emptied."""
        if len(self._first) < self.size:
            self._first.append(value)
            return None
        self._newest.append(value)
        if len(self._newest) < self.size:
            return None
        newest, self._newest = self._newest, []
        return self._first, newest

    def restart(self, first: list[Value]) -> None:
        """Use `first` as the reference from now on."""
        self._first = first


class Kappa(NamedTuple):
    """Cohen's kappa with its interval; NaN if both annotators use one and the same class."""

    value: float
    low: float
    high: float


def speed_test(first: Sequence[float], newest: Sequence[float]) -> tuple[float, float]:
    """Test whether the time per answer has changed.

    Parameters
    ----------
    first, newest : sequence of float
        Seconds per answer, above 0.

    Returns
    -------
    p_value : float
        P-value of the two-sided Mann-Whitney rank test.
    ratio : float
        Factor by which the time has changed: the Hodges-Lehmann estimate on the log scale, that is,
        the median of the ratios of all pairs.
    """
    from scipy.stats import mannwhitneyu  # late: half a second

    p_value = mannwhitneyu(newest, first, alternative="two-sided").pvalue
    ratio = np.exp(np.median(np.subtract.outer(np.log(newest), np.log(first))))
    return (float(p_value) if np.isfinite(p_value) else 1.0), float(ratio)


def class_test(
    first: Sequence[Classes], newest: Sequence[Classes]
) -> tuple[float, Hashable, float, float]:
    """Test whether the frequency of any class has changed.

    Parameters
    ----------
    first, newest : sequence of tuple
        The classes of each row.

    Returns
    -------
    p_value : float
        Smallest p-value of Fisher's exact test of each class against all others, times the number
        of tests (Bonferroni).
    label : hashable
        The class with this p-value.
    before, now : float
        Share of this class in the two windows.
    """
    from scipy.stats import fisher_exact  # late: half a second

    classes = sorted({label for row in (*first, *newest) for label in row}, key=str)
    counts = {c: (sum(c in row for row in first), sum(c in row for row in newest)) for c in classes}
    n, m = len(first), len(newest)
    p_values = {c: fisher_exact([[a, b], [n - a, m - b]]).pvalue for c, (a, b) in counts.items()}
    if not p_values:
        return 1.0, None, 0.0, 0.0
    label = min(p_values, key=lambda c: p_values[c])
    # With two classes, one per row, both tests are the same test.
    n_tests = 1 if len(classes) == 2 and _have_one_class((*first, *newest)) else len(classes)
    p_value = min(1.0, float(p_values[label]) * n_tests)
    return p_value, label, counts[label][0] / n, counts[label][1] / m


def agreement_test(first: Sequence[Pair], newest: Sequence[Pair]) -> float:
    r"""Test whether the agreement of two annotators beyond chance has fallen.

    Parameters
    ----------
    first, newest : sequence of (hashable, hashable)
        Labels of each row by the two annotators.

    Returns
    -------
    float
        One-sided p-value.

    Notes
    -----
    With the influence :math:`\psi_i` of each pair on the kappa of both windows together (see
    :func:`kappa_interval`), the difference of the windows' means of :math:`\psi` is, to first
    order, the difference of their kappas. If the pairs were assigned to the windows at random, its
    mean would be 0 and its variance :math:`s^2_\psi (1 / n_1 + 1 / n_2)`; the p-value is that of
    the normal distribution. One more disagreement changes kappa by about
    :math:`1 / (n (1 - p_e))`; the difference is reduced by this amount first (a continuity
    correction), so that a few disagreements are not overstated.
    """
    by_chance, influence = _linearize_kappa(*_encode([*first, *newest]))
    variance = influence.var(ddof=1) * (1 / len(first) + 1 / len(newest))
    if not variance > 0:
        return 1.0
    fall = influence[: len(first)].mean() - influence[len(first) :].mean()
    fall -= 1 / (min(len(first), len(newest)) * (1 - by_chance))
    return float(ndtr(-fall / np.sqrt(variance)))


def kappa_interval(pairs: Sequence[Pair], confidence: float = 0.95) -> Kappa:
    r"""Return Cohen's kappa with its confidence interval.

    Parameters
    ----------
    pairs : sequence of (hashable, hashable)
        Labels of each row by the two annotators.
    confidence : float, default=0.95
        Confidence of the interval.

    Returns
    -------
    Kappa

    Notes
    -----
    With the observed agreement :math:`p_o` and the agreement by chance :math:`p_e = \sum_c
    p_{c\cdot} p_{\cdot c}`, kappa is :math:`(p_o - p_e) / (1 - p_e)`. A pair (i, j) has the
    influence

    .. math:: \psi = \frac{1[i = j] - p_o}{1 - p_e}
              - \frac{(1 - p_o)(p_{\cdot i} + p_{j \cdot} - 2 p_e)}{(1 - p_e)^2}

    and the standard error is :math:`\sqrt{\overline{\psi^2} / n}` (Fleiss, Cohen and Everitt).

    References
    ----------
    Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
    Measurement 20, 1960.

    Fleiss, Cohen and Everitt, "Large sample standard errors of kappa and weighted kappa",
    Psychological Bulletin 72, 1969.
    """
    a, b = _encode(pairs)
    kappa = cohen_kappa(a, b, undefined=np.nan)
    _, influence = _linearize_kappa(a, b)
    half = float(ndtri((1 + confidence) / 2) * np.sqrt(np.mean(influence**2) / len(pairs)))
    return Kappa(kappa, max(-1.0, kappa - half), min(1.0, kappa + half))


def _linearize_kappa(a: NDArray[np.intp], b: NDArray[np.intp]) -> tuple[float, NDArray[np.float64]]:
    """Return the agreement by chance, and the influence of each pair on kappa, (n_pairs,)."""
    n_classes = int(max(a.max(), b.max())) + 1
    shares_a, shares_b = (np.bincount(codes, minlength=n_classes) / len(a) for codes in (a, b))
    same = (a == b).astype(np.float64)  # (n_pairs,)
    observed, by_chance = float(same.mean()), float(shares_a @ shares_b)
    beyond_chance = 1 - by_chance
    if beyond_chance < 1e-12:  # one class only: kappa is undefined
        return 1.0, np.zeros(len(a))
    change = shares_b[a] + shares_a[b] - 2 * by_chance
    influence = (same - observed) / beyond_chance - (1 - observed) * change / beyond_chance**2
    return by_chance, influence


def _encode(pairs: Sequence[Pair]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the labels of the two annotators as codes, (n_pairs,) each, by first appearance."""
    codes: dict[Any, int] = {}
    encoded = [[codes.setdefault(label, len(codes)) for label in pair] for pair in pairs]
    a, b = np.asarray(encoded, dtype=np.intp).T
    return a, b


def _have_one_class(rows: Sequence[Classes]) -> bool:
    return all(len(row) == 1 for row in rows)
