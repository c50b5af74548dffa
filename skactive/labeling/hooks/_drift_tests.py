"""Tests of drift: whether what comes now has the distribution of what came first."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

__all__ = [
    "Kappa",
    "Levels",
    "Windows",
    "agreement_test",
    "class_test",
    "cohen_kappa",
    "speed_test",
]

Value = TypeVar("Value")
Classes = tuple[Hashable, ...]  # of a row: one, or several
Pair = tuple[Hashable, Hashable]  # what two annotators said of a row


class Levels:
    r"""Levels for tests without end, whose sum is the chance that any of them is a false alarm.

    Parameters
    ----------
    alpha : float
        That chance.

    Notes
    -----
    The k-th test gets :math:`\alpha / (k (k + 1))`; the sum over all k is :math:`\alpha`. By the
    union bound the tests may depend on each other in any way.
    """

    def __init__(self, alpha: float) -> None:
        self.alpha, self.n_tests = alpha, 0

    def next(self) -> float:
        """Return the level of the next test."""
        self.n_tests += 1
        return self.alpha / (self.n_tests * (self.n_tests + 1))


class Windows(Generic[Value]):
    """The first values of a stream, and the newest ones, as many, when they are all there.

    Parameters
    ----------
    size : int
        How many values a window has.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._first: list[Value] = []
        self._newest: list[Value] = []

    def add(self, value: Value) -> tuple[list[Value], list[Value]] | None:
        """Take a value in; return both windows where it fills the newest, which begins anew."""
        if len(self._first) < self.size:
            self._first.append(value)
            return None
        self._newest.append(value)
        if len(self._newest) < self.size:
            return None
        newest, self._newest = self._newest, []
        return self._first, newest

    def restart(self, first: list[Value]) -> None:
        """Compare with these from now on."""
        self._first = first


class Kappa(NamedTuple):
    """Cohen's kappa with its 95 % interval; NaN where both know but one class."""

    value: float
    low: float
    high: float


def speed_test(first: Sequence[float], newest: Sequence[float]) -> tuple[float, float]:
    """Test whether answers take longer, or less long, than at first.

    Parameters
    ----------
    first, newest : sequence of float
        Seconds of each answer, above 0.

    Returns
    -------
    p_value : float
        Mann and Whitney's rank test, two-sided.
    ratio : float
        How many times as long the newest take: Hodges and Lehmann's estimate on the log scale, the
        median of the ratios of all pairs.
    """
    from scipy.stats import mannwhitneyu  # late: half a second

    p_value = mannwhitneyu(newest, first, alternative="two-sided").pvalue
    ratio = np.exp(np.median(np.subtract.outer(np.log(newest), np.log(first))))
    return (float(p_value) if np.isfinite(p_value) else 1.0), float(ratio)


def class_test(
    first: Sequence[Classes], newest: Sequence[Classes]
) -> tuple[float, Hashable, float, float]:
    """Test whether any class is more or less frequent than at first.

    Parameters
    ----------
    first, newest : sequence of tuple
        The classes of each row.

    Returns
    -------
    p_value : float
        Fisher's exact test of each class against all others, the smallest times the number of
        tests (Bonferroni).
    label : hashable
        The class that it is of.
    before, now : float
        Its share in the two windows.
    """
    from scipy.stats import fisher_exact  # late: half a second

    classes = sorted({label for row in (*first, *newest) for label in row}, key=str)
    counts = {c: (sum(c in row for row in first), sum(c in row for row in newest)) for c in classes}
    n, m = len(first), len(newest)
    p_values = {c: fisher_exact([[a, b], [n - a, m - b]]).pvalue for c, (a, b) in counts.items()}
    if not p_values:
        return 1.0, None, 0.0, 0.0
    label = min(p_values, key=lambda c: p_values[c])
    # Of two classes, one a row, each says what the other says.
    n_tests = 1 if len(classes) == 2 and _one_each((*first, *newest)) else len(classes)
    p_value = min(1.0, float(p_values[label]) * n_tests)
    return p_value, label, counts[label][0] / n, counts[label][1] / m


def agreement_test(first: Sequence[Pair], newest: Sequence[Pair]) -> float:
    r"""Test whether two annotators agree less, beyond chance, than at first.

    Parameters
    ----------
    first, newest : sequence of (hashable, hashable)
        What the two said of each row.

    Returns
    -------
    float
        The p-value, one-sided.

    Notes
    -----
    With the influence :math:`\psi_i` of each pair on the kappa of both windows together (see
    :func:`cohen_kappa`), the difference of the windows' means of :math:`\psi` is, to first order,
    that of their kappas. Were the pairs dealt out to the windows at random, its mean would be 0
    and its variance :math:`s^2_\psi (1 / n_1 + 1 / n_2)`; the p-value is that of the normal
    distribution. One disagreement more or less changes kappa by about :math:`1 / (n (1 - p_e))`;
    by so much the difference is made smaller first (a correction for continuity), so that few
    disagreements do not seem more than they are.
    """
    a, b = _coded([*first, *newest])
    _, by_chance, influence = _linear_kappa(a, b)
    variance = influence.var(ddof=1) * (1 / len(first) + 1 / len(newest))
    if not variance > 0:
        return 1.0
    fall = influence[: len(first)].mean() - influence[len(first) :].mean()
    fall -= 1 / (min(len(first), len(newest)) * (1 - by_chance))
    return float(ndtr(-fall / np.sqrt(variance)))


def cohen_kappa(pairs: Sequence[Pair], confidence: float = 0.95) -> Kappa:
    r"""Return Cohen's kappa with its interval.

    Parameters
    ----------
    pairs : sequence of (hashable, hashable)
        What the two said of each row.
    confidence : float, default=0.95
        Of the interval.

    Returns
    -------
    Kappa

    Notes
    -----
    With the share of agreement :math:`p_o` and that by chance :math:`p_e = \sum_c p_{c\cdot}
    p_{\cdot c}`, kappa is :math:`(p_o - p_e) / (1 - p_e)`. A pair (i, j) has the influence

    .. math:: \psi = \frac{1[i = j] - p_o}{1 - p_e}
              - \frac{(1 - p_o)(p_{\cdot i} + p_{j \cdot} - 2 p_e)}{(1 - p_e)^2}

    and the standard error is :math:`\sqrt{\overline{\psi^2} / n}`, that of Fleiss, Cohen and
    Everitt.

    References
    ----------
    Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
    Measurement 20, 1960.

    Fleiss, Cohen and Everitt, "Large sample standard errors of kappa and weighted kappa",
    Psychological Bulletin 72, 1969.
    """
    kappa, _, influence = _linear_kappa(*_coded(pairs))
    half = float(ndtri((1 + confidence) / 2) * np.sqrt(np.mean(influence**2) / len(pairs)))
    return Kappa(kappa, max(-1.0, kappa - half), min(1.0, kappa + half))


def _linear_kappa(
    a: NDArray[np.intp], b: NDArray[np.intp]
) -> tuple[float, float, NDArray[np.float64]]:
    """Return kappa, the agreement by chance, and the influence of each pair."""
    n_classes = int(max(a.max(), b.max())) + 1
    of_a, of_b = (np.bincount(labels, minlength=n_classes) / len(a) for labels in (a, b))
    same = (a == b).astype(np.float64)
    observed, by_chance = float(same.mean()), float(of_a @ of_b)
    left = 1 - by_chance
    if left < 1e-12:  # one class only: there is nothing to agree on
        return np.nan, 1.0, np.zeros(len(a))
    change = of_b[a] + of_a[b] - 2 * by_chance
    influence = (same - observed) / left - (1 - observed) * change / left**2
    return (observed - by_chance) / left, by_chance, influence


def _coded(pairs: Sequence[Pair]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    codes: dict[Any, int] = {}
    coded = [[codes.setdefault(label, len(codes)) for label in pair] for pair in pairs]
    a, b = np.asarray(coded, dtype=np.intp).T
    return a, b


def _one_each(rows: Sequence[Classes]) -> bool:
    return all(len(row) == 1 for row in rows)
