"""Statistics of paired comparisons: pure functions on arrays, random only by a seed.

Scores are arrays of shape (n_blocks, n_methods): one row per repeat or dataset, in which all
methods had the same conditions. Higher scores are always better.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import chdtrc, fdtrc, nctdtr, ndtr, ndtri, stdtr, stdtrit

from skactive._utils.array_types import Floats
from skactive._utils.seeding import Seed, make_random_state

__all__ = [
    "Friedman",
    "Interval",
    "PairedEffect",
    "Wilcoxon",
    "average_ranks",
    "bootstrap_means",
    "bootstrap_tail",
    "friedman",
    "friedman_of_ranks",
    "holm",
    "mean_interval",
    "nemenyi_critical_difference",
    "paired_effect",
    "paired_t_test",
    "paired_wilcoxon",
    "penalty_matrix",
    "rank_blocks",
    "repeats_to_resolve",
]


_MAX_EXACT_DIFFERENCES = 200  # signed ranks of more have an approximate (normal) distribution
_MAX_REPEATS = 100_000  # more are not practical


class Interval(NamedTuple):
    """A mean with its confidence interval; NaN bounds if a single value allows none."""

    mean: float
    low: float
    high: float


class Friedman(NamedTuple):
    """Result of :func:`friedman`.

    Attributes
    ----------
    average_ranks : ndarray of shape (n_methods,)
        Mean rank of each method; 1 is the best.
    chi2 : float
        Friedman's statistic.
    p_chi2 : float
        Its p-value.
    f : float
        The less conservative statistic of Iman and Davenport.
    p_value : float
        Its p-value: the one to quote.
    n_blocks : int
        Number of repeats or datasets.
    """

    average_ranks: Floats
    chi2: float
    p_chi2: float
    f: float
    p_value: float
    n_blocks: int


class Wilcoxon(NamedTuple):
    """Result of :func:`paired_wilcoxon`: the smaller sum of signed ranks, and its p-value."""

    statistic: float
    p_value: float


class PairedEffect(NamedTuple):
    """Result of :func:`paired_effect`; above 0 if the first of the two is better."""

    cohen_d_z: float
    rank_biserial: float


# Ranks over blocks ------------------------------------------------------------------------------


def rank_blocks(scores: Any) -> Floats:
    """Rank the methods within each block; the highest score has rank 1, ties their mean rank.

    Parameters
    ----------
    scores : array-like of shape (n_blocks, n_methods)
        Higher is better.

    Returns
    -------
    ndarray of shape (n_blocks, n_methods)
        Ranks.
    """
    from scipy.stats import rankdata  # late: it takes half a second

    return rankdata(-np.asarray(scores, dtype=np.float64), axis=1)


def average_ranks(scores: Any) -> Floats:
    """Return the mean rank of each method over the blocks; 1 is the best.

    Parameters
    ----------
    scores : array-like of shape (n_blocks, n_methods)
        Higher is better.

    Returns
    -------
    ndarray of shape (n_methods,)
        Ties have their mean rank.

    Examples
    --------
    >>> from skactive.comparison._statistics import average_ranks
    >>> average_ranks([[0.9, 0.8, 0.8], [0.7, 0.9, 0.5]])
    array([1.5 , 1.75, 2.75])
    """
    return rank_blocks(scores).mean(axis=0)


def friedman(scores: Any) -> Friedman:
    r"""Test whether all methods rank alike.

    Parameters
    ----------
    scores : array-like of shape (n_blocks, n_methods)
        Higher is better; at least two blocks and two methods.

    Returns
    -------
    Friedman
        Statistics, p-values and mean ranks.

    Notes
    -----
    With mean ranks :math:`R_j` of k methods on N blocks, and c the mean variance of the ranks
    within a block as a share of what it is without ties, :math:`(k^2 - 1) / 12`:

    .. math:: \chi^2 = \frac{12 N}{c\,k (k + 1)} \sum_j \left(R_j - \frac{k + 1}{2}\right)^2,
        \qquad F = \frac{(N - 1) \chi^2}{N (k - 1) - \chi^2}

    with k - 1, and k - 1 and (k - 1)(N - 1), degrees of freedom.

    References
    ----------
    Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, 2006; there
    ties are not corrected for (c = 1).

    Examples
    --------
    >>> from skactive.comparison._statistics import friedman
    >>> result = friedman([[3, 2, 1], [3, 2, 1], [3, 1, 2], [2, 3, 1]])
    >>> round(result.chi2, 6), round(result.f, 6)
    (4.5, 3.857143)
    """
    ranks = rank_blocks(scores)
    n_blocks, n_methods = ranks.shape
    untied = (n_methods**2 - 1) / 12
    return friedman_of_ranks(ranks.mean(axis=0), n_blocks, spread=ranks.var(axis=1).mean() / untied)


def friedman_of_ranks(ranks: Any, n_blocks: int, *, spread: float = 1.0) -> Friedman:
    """Test whether all methods rank alike, from their mean ranks; see :func:`friedman`.

    Parameters
    ----------
    ranks : array-like of shape (n_methods,)
        Mean rank of each method.
    n_blocks : int
        Number of blocks.
    spread : float, default=1.0
        The factor c that corrects for ties; 1 does not correct.

    Returns
    -------
    Friedman
    """
    ranks = np.asarray(ranks, dtype=np.float64)
    k = len(ranks)
    if spread <= 0.0:  # all methods tie on all blocks
        return Friedman(ranks, 0.0, 1.0, 0.0, 1.0, n_blocks)
    deviation = ((ranks - (k + 1) / 2) ** 2).sum()
    chi2 = float(12 * n_blocks * deviation / (spread * k * (k + 1)))
    rest = n_blocks * (k - 1) - chi2
    f = (n_blocks - 1) * chi2 / rest if rest > 1e-9 * n_blocks else np.inf  # the same order in all
    p_value = fdtrc(k - 1, (k - 1) * (n_blocks - 1), f) if np.isfinite(f) else 0.0
    return Friedman(ranks, chi2, float(chdtrc(k - 1, chi2)), float(f), float(p_value), n_blocks)


def nemenyi_critical_difference(n_methods: int, n_blocks: int, alpha: float = 0.05) -> float:
    r"""Return the smallest significant difference between any two mean ranks, by Nemenyi's test.

    Parameters
    ----------
    n_methods : int
        Number of methods, at least 2.
    n_blocks : int
        Number of repeats or datasets.
    alpha : float, default=0.05
        Chance of finding a difference between any two methods that are alike.

    Returns
    -------
    float
        A difference of ranks.

    Notes
    -----
    With q the upper quantile of the studentized range of k groups and infinite degrees of freedom:

    .. math:: \frac{q_\alpha}{\sqrt 2} \sqrt{\frac{k (k + 1)}{6 N}}

    References
    ----------
    Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, 2006.

    Examples
    --------
    >>> from skactive.comparison._statistics import nemenyi_critical_difference
    >>> round(nemenyi_critical_difference(4, 14), 2)
    1.25
    """
    from scipy.stats import studentized_range  # late: it takes half a second

    quantile = studentized_range.ppf(1 - alpha, n_methods, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(n_methods * (n_methods + 1) / (6 * n_blocks)))


# Two methods ------------------------------------------------------------------------------------


def holm(p_values: Any) -> Floats:
    r"""Adjust p-values of several tests by the Holm-Bonferroni correction.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        In any order.

    Returns
    -------
    ndarray of shape (n_tests,)
        Adjusted, in the order of the input: reject if at most the level.

    Notes
    -----
    The correction controls the family-wise error rate: the chance of any false rejection. In this
    step-down procedure the i-th smallest of m becomes
    :math:`\max_{j \le i} \min(1, (m - j + 1) p_{(j)})`.

    References
    ----------
    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6, 1979.

    Examples
    --------
    >>> from skactive.comparison._statistics import holm
    >>> holm([0.01, 0.04, 0.03, 0.005])
    array([0.03, 0.06, 0.06, 0.02])
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    order, n_tests = np.argsort(p_values, kind="stable"), len(p_values)
    stepped = np.minimum(1.0, p_values[order] * np.arange(n_tests, 0, -1))
    adjusted = np.empty(n_tests)
    adjusted[order] = np.maximum.accumulate(stepped)
    return adjusted


def paired_wilcoxon(a: Any, b: Any) -> Wilcoxon:
    """Test by signed ranks whether paired samples differ, two-sided.

    Parameters
    ----------
    a, b : array-like of shape (n_pairs,)
        Scores of the two methods.

    Returns
    -------
    Wilcoxon
        The smaller of the two sums of ranks, and the p-value: 1 if all pairs are equal.

    Notes
    -----
    Pairs without a difference are left out. Up to 200 differences the p-value is exact, tied
    differences included: all choices of signs are counted. With more it is the normal
    approximation, whose variance is that of the signed ranks as they are.

    Examples
    --------
    >>> from skactive.comparison._statistics import paired_wilcoxon
    >>> paired_wilcoxon([5, 6, 7, 9, 8], [1, 1, 1, 1, 1])
    Wilcoxon(statistic=0.0, p_value=0.0625)
    """
    ranks, signs = _rank_differences(a, b)
    if not len(ranks):
        return Wilcoxon(0.0, 1.0)
    positive = float(ranks[signs > 0].sum())
    statistic = min(positive, float(ranks.sum()) - positive)
    if len(ranks) <= _MAX_EXACT_DIFFERENCES:
        tail = _compute_sign_distribution(ranks)[: round(2 * statistic) + 1].sum()
    else:
        tail = ndtr((statistic - ranks.sum() / 2) / np.sqrt((ranks**2).sum() / 4))
    return Wilcoxon(statistic, min(1.0, 2 * float(tail)))


def _rank_differences(a: Any, b: Any) -> tuple[Floats, Floats]:
    """Rank the sizes of the nonzero differences; return the ranks with the signs."""
    differences = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    differences = differences[differences != 0]
    sizes = -np.abs(differences)  # the smallest has rank 1
    return rank_blocks(sizes[None])[0], np.sign(differences)


def _compute_sign_distribution(ranks: Floats) -> Floats:
    """Return the probability of each sum of positive ranks, doubled as tied ranks may be halves."""
    doubled = np.rint(2 * ranks).astype(np.intp)
    chances = np.zeros(doubled.sum() + 1)
    chances[0] = 1.0
    for rank in doubled:
        shifted = np.zeros_like(chances)  # as if this rank were positive
        shifted[rank:] = chances[:-rank]
        chances = (chances + shifted) / 2
    return chances


def paired_effect(a: Any, b: Any) -> PairedEffect:
    r"""Return two effect sizes of the difference of paired samples.

    Parameters
    ----------
    a, b : array-like of shape (n_pairs,)
        Scores of the two methods.

    Returns
    -------
    PairedEffect
        Cohen's :math:`d_z`, the mean of the differences divided by their standard deviation
        (infinite if they are all the same, NaN for a single pair), and the rank-biserial
        correlation for matched pairs, in -1 .. 1.

    Notes
    -----
    With sums :math:`W_+` and :math:`W_-` of the ranks of the differences' sizes, those of 0 left
    out, the latter is :math:`(W_+ - W_-) / (W_+ + W_-)`; 0 where all pairs are equal.

    References
    ----------
    Lakens, "Calculating and reporting effect sizes to facilitate cumulative science", Frontiers in
    Psychology 4, 2013, :doi:`10.3389/fpsyg.2013.00863`.

    Kerby, "The simple difference formula: an approach to teaching nonparametric correlation",
    Comprehensive Psychology 3, 2014, :doi:`10.2466/11.IT.3.1`.

    Examples
    --------
    >>> from skactive.comparison._statistics import paired_effect
    >>> effect = paired_effect([3, 4, 8], [1, 3, 9])
    >>> round(effect.cohen_d_z, 6), round(effect.rank_biserial, 6)
    (0.436436, 0.5)
    """
    differences = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    ranks, signs = _rank_differences(a, b)
    biserial = float((ranks * signs).sum() / ranks.sum()) if len(ranks) else 0.0
    if len(differences) < 2:
        return PairedEffect(np.nan, biserial)
    mean, deviation = differences.mean(), differences.std(ddof=1)
    if deviation > 0:
        return PairedEffect(float(mean / deviation), biserial)
    return PairedEffect(float(np.sign(mean) * np.inf) if mean else 0.0, biserial)


def paired_t_test(differences: Any) -> Floats:
    """Return two-sided p-values of the paired t-test.

    Parameters
    ----------
    differences : array-like of shape (..., n_pairs)
        Of paired scores.

    Returns
    -------
    ndarray of shape (...)
        1 for a single pair, and if all differences are 0; 0 if all are equal and nonzero.
    """
    differences = np.asarray(differences, dtype=np.float64)
    n_pairs, mean = differences.shape[-1], differences.mean(axis=-1)
    if n_pairs < 2:
        return np.ones(mean.shape)
    error = differences.std(axis=-1, ddof=1) / np.sqrt(n_pairs)
    t = np.divide(np.abs(mean), error, out=np.full_like(mean, np.inf), where=error > 0)
    return np.where(mean == 0, 1.0, 2 * stdtr(n_pairs - 1, -t))


def penalty_matrix(curves: Any, alpha: float = 0.05) -> Floats:
    r"""Return the share of rounds in which each method beats each other one.

    Parameters
    ----------
    curves : array-like of shape (n_methods, n_repeats, n_rounds)
        Scores at the same label counts; the repeats are paired.
    alpha : float, default=0.05
        Level of the two-sided paired t-tests.

    Returns
    -------
    ndarray of shape (n_methods, n_methods)
        Cell (i, j) is the share of rounds in which i is significantly better than j. The matrices
        of several experiments may be added. The mean of a column is the share of rounds in which
        a method is beaten: lower is better.

    Notes
    -----
    Each round in which i beats j adds :math:`1 / n_\text{rounds}` to cell (i, j). With five
    repeats and 5 % a round counts where :math:`|t| > 2.776`.

    References
    ----------
    Ash, Zhang, Krishnamurthy, Langford and Agarwal, "Deep batch active learning by diverse,
    uncertain gradient lower bounds", ICLR 2020, :doi:`10.48550/arXiv.1906.03671`.

    Examples
    --------
    >>> from skactive.comparison._statistics import penalty_matrix
    >>> better = [[0.8, 0.91], [0.7, 0.93], [0.9, 0.92]]
    >>> worse = [[0.7, 0.81], [0.8, 0.82], [0.9, 0.83]]
    >>> penalty_matrix([better, worse])
    array([[0. , 0.5],
           [0. , 0. ]])
    """
    curves = np.asarray(curves, dtype=np.float64)
    # Rounded, because equal shares of test rows may differ in their last bits.
    differences = np.round(curves[:, None] - curves[None], 12)  # (method, method, repeat, round)
    beaten = paired_t_test(np.moveaxis(differences, 2, 3)) < alpha
    return np.mean(beaten & (differences.mean(axis=2) > 0), axis=2)


# Curves -----------------------------------------------------------------------------------------


# Intervals --------------------------------------------------------------------------------------


def mean_interval(values: Any, confidence: float = 0.95) -> Interval:
    r"""Return a mean with its t interval.

    Parameters
    ----------
    values : array-like of shape (n_values,)
        One value for each repeat.
    confidence : float, default=0.95
        Share of such intervals that contain the true mean.

    Returns
    -------
    Interval
        NaN bounds for a single value.

    Notes
    -----
    .. math:: \bar x \pm t_{n-1} \frac{s}{\sqrt n}
    """
    values = np.asarray(values, dtype=np.float64)
    mean, n = float(values.mean()), len(values)
    if n < 2:
        return Interval(mean, np.nan, np.nan)
    half = stdtrit(n - 1, (1 + confidence) / 2) * values.std(ddof=1) / np.sqrt(n)
    return Interval(mean, float(mean - half), float(mean + half))


def bootstrap_means(values: Any, *, n_resamples: int = 2000, random_state: Seed = None) -> Floats:
    """Return means over repeats that are drawn with replacement.

    Parameters
    ----------
    values : array-like of shape (n_repeats, ...)
        Values of each repeat; they are drawn together, so that pairs stay pairs.
    n_resamples : int, default=2000
        Number of draws.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.

    Returns
    -------
    ndarray of shape (n_resamples, ...)
        Means over `n_repeats` draws.
    """
    values = np.asarray(values, dtype=np.float64)
    n = len(values)
    random_state = make_random_state(random_state)
    counts = random_state.multinomial(n, np.full(n, 1 / n), size=n_resamples)  # per repeat
    return np.tensordot(counts / n, values, axes=1)


def bootstrap_tail(n_repeats: int, confidence: float = 0.95) -> float:
    r"""Return the share of bootstrap draws to cut off at each end.

    Parameters
    ----------
    n_repeats : int
        Number of repeats, at least 2.
    confidence : float, default=0.95
        Share of such intervals that should contain the truth.

    Returns
    -------
    float
        Between 0 and (1 - confidence) / 2.

    Notes
    -----
    The expanded percentile interval: few repeats give draws that vary too little, so their
    intervals reach further out, as far as t intervals do for a mean:

    .. math:: \Phi\left(-\sqrt{n / (n - 1)}\; t_{n-1}\right)

    References
    ----------
    Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69,
    2015.
    """
    t = stdtrit(n_repeats - 1, (1 + confidence) / 2)
    return float(ndtr(-np.sqrt(n_repeats / (n_repeats - 1)) * t))


def repeats_to_resolve(
    difference: float, deviation: float, *, alpha: float = 0.05, power: float = 0.8
) -> float:
    r"""Return the number of repeats that a paired t-test needs to detect a mean difference.

    Parameters
    ----------
    difference : float
        Mean of the differences.
    deviation : float
        Their standard deviation.
    alpha : float, default=0.05
        Level of the two-sided test.
    power : float, default=0.8
        Probability of detecting the difference.

    Returns
    -------
    float
        An integer >= 2; infinity if more than 100,000 are needed.

    Notes
    -----
    The smallest n with

    .. math:: P\left(|T| > t_{n-1,\,1-\alpha/2}\right) \ge \text{power}

    where T has the noncentral t distribution with n - 1 degrees of freedom and noncentrality
    :math:`\sqrt n` difference / deviation. The search begins at the number for a known deviation,
    :math:`((z_{1-\alpha/2} + z_\text{power}) \cdot \text{deviation} / \text{difference})^2`, which
    is never more.

    Examples
    --------
    >>> from skactive.comparison._statistics import repeats_to_resolve
    >>> repeats_to_resolve(0.5, 1.0)
    34.0
    """
    if difference == 0:
        return np.inf
    effect = abs(difference) / deviation if deviation > 0 else np.inf
    lower_bound = ((ndtri(1 - alpha / 2) + ndtri(power)) / effect) ** 2  # of a known deviation
    if lower_bound > _MAX_REPEATS:
        return np.inf
    n = max(2, int(lower_bound))
    while n < lower_bound + 10 and _compute_power(n, effect, alpha) < power:
        n += 1
    return float(n)


def _compute_power(n: int, effect: float, alpha: float) -> float:
    """Return the probability that a two-sided paired t-test of `n` pairs detects an effect."""
    shift, critical = np.sqrt(n) * effect, stdtrit(n - 1, 1 - alpha / 2)
    if shift > critical + 10:  # certain, and too far out for the distribution's series
        return 1.0
    # Beyond 5 the wrong tail has no weight, and the series may fail there.
    wrong_tail = nctdtr(n - 1, shift, -critical) if shift < 5 else 0.0
    return float(1 - nctdtr(n - 1, shift, critical) + wrong_tail)
