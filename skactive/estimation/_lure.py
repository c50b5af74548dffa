"""Estimates of a model's loss from rows that were picked with known probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.special import stdtrit

from skactive._utils.array_types import Floats
from skactive.estimation._intervals import Estimate, check_confidence
from skactive.selectors import PowerTop, SoftmaxTop, SoftrankTop

__all__ = ["lure_estimate", "lure_weights", "proposal_probabilities"]


def lure_weights(proposal: Any, n_pool: int) -> Floats:
    r"""Return the weights that remove the bias of rows picked one after another.

    Parameters
    ----------
    proposal : array-like of shape (n_picks,)
        Probability with which each row was picked, among the rows that were left at that time.
    n_pool : int
        Number of rows before the first pick.

    Returns
    -------
    ndarray of shape (n_picks,)
        One weight per pick, in the order of the picks; all 1 for uniform draws.

    Raises
    ------
    ValueError
        If the probabilities are not in 0 .. 1 (0 excluded), or there are more of them than rows.

    Notes
    -----
    The leveled unbiased risk estimator, of :math:`M` picks from :math:`N` rows:

    .. math:: v_m = 1 + \frac{N - M}{N - m} \left( \frac{1}{(N - m + 1) q_m} - 1 \right)

    References
    ----------
    Farquhar, Gal and Rainforth, "On statistical bias in active learning: how and when to fix it",
    ICLR 2021, :doi:`10.48550/arXiv.2101.11665`.

    Examples
    --------
    >>> from skactive.estimation import lure_weights
    >>> lure_weights([0.3, 0.2, 0.25, 0.1], n_pool=10).round(4)
    array([0.5556, 0.6667, 0.5714, 1.4286])
    """
    q = _check_proposal(proposal, n_pool)
    n_left = n_pool - np.arange(len(q))  # N - m + 1: number of rows left at each pick
    ratio = (n_pool - len(q)) / np.maximum(n_left - 1, 1)  # the very last row has weight 1
    return 1.0 + ratio * (1.0 / (n_left * q) - 1.0)


def lure_estimate(losses: Any, proposal: Any, n_pool: int, confidence: float = 0.95) -> Estimate:
    r"""Estimate the mean loss over a pool from rows that were picked with known probabilities.

    Parameters
    ----------
    losses : array-like of shape (n_picks,)
        Loss (or score) of one model at each picked row.
    proposal : array-like of shape (n_picks,)
        Probability with which each row was picked, among the rows that were left at that time
        (:func:`proposal_probabilities`). That of every row left must have been above 0.
    n_pool : int
        Number of rows before the first pick.
    confidence : float, default=0.95
        How often the interval is to contain the true value.

    Returns
    -------
    Estimate
        The estimate, with an approximate interval ("lure"); see the notes.

    Raises
    ------
    ValueError
        If losses and probabilities differ in number or are out of range.

    Warnings
    --------
    The losses must be those of a model that was *not trained on these rows*: one that stays fixed
    while it is tested (active testing), a committee, or an older model. The weights correct for the
    choice of the rows, not for having trained on them.

    Notes
    -----
    The estimate :math:`\hat R = \frac{1}{M} \sum_m v_m \ell_m`, with :func:`lure_weights`, is the
    mean :math:`\frac{1}{M} \sum_m c_m a_m` of estimates that are each unbiased, given the earlier
    picks:

    .. math:: a_m = \frac{1}{N} \left( \frac{\ell_m}{q_m} + \sum_{t < m} \ell_t \right), \qquad
        c_m = \frac{N (N - M)}{(N - m)(N - m + 1)}

    So :math:`c_m (a_m - R)` is a martingale difference, and the interval is Student's, with
    :math:`M - 1` degrees of freedom and the variance
    :math:`\frac{1}{M (M - 1)} \sum_m c_m^2 (a_m - \hat R)^2`. It is too narrow where a few picks
    carry most of the weight.

    References
    ----------
    Farquhar, Gal and Rainforth, "On statistical bias in active learning: how and when to fix it",
    ICLR 2021, :doi:`10.48550/arXiv.2101.11665`.

    Kossen, Farquhar, Gal and Rainforth, "Active testing: sample-efficient model evaluation", ICML
    2021, :doi:`10.48550/arXiv.2103.05331`.

    Examples
    --------
    >>> from skactive.estimation import lure_estimate
    >>> estimate = lure_estimate([1.0, 0.0, 1.0, 0.0], [0.3, 0.2, 0.25, 0.1], n_pool=10)
    >>> round(estimate.value, 4), estimate.n
    (0.2817, 4)
    """
    q = _check_proposal(proposal, n_pool)
    losses = np.asarray(losses, dtype=np.float64)
    if losses.shape != q.shape:
        raise ValueError(
            f"losses and proposal must be of one length, got {losses.shape} and {q.shape}."
        )
    value = float(np.mean(lure_weights(q, n_pool) * losses))
    error = _lure_error(losses, q, n_pool, value)
    freedom = max(len(q) - 1, 1)
    half = float(stdtrit(freedom, (1.0 + check_confidence(confidence)) / 2.0)) * error
    return Estimate(value, value - half, value + half, len(q), "lure", confidence)


def proposal_probabilities(
    selector: PowerTop | SoftmaxTop | SoftrankTop,
    scores: Any,
    picks: Any,
    random_state: int | None = None,
) -> Floats:
    r"""Return the probability of each pick of a stochastic selector, among the rows left by then.

    Parameters
    ----------
    selector : PowerTop, SoftmaxTop or SoftrankTop
        The selector.
    scores : array-like of shape (n_rows,)
        The scores that it was given.
    picks : array-like of int
        Its picks, in its order.
    random_state : int, default=None
        The seed that it was given. Only `SoftrankTop` with tied scores needs it, since it ranks
        ties at random.

    Returns
    -------
    ndarray of shape (n_picks,)
        Probabilities for :func:`lure_weights`. Batches of one campaign may be concatenated, if each
        was picked from all rows left.

    Raises
    ------
    TypeError
        If the selector is of another kind: plain top-k is not stochastic.
    ValueError
        If the picks are not distinct positions, are impossible in this order, or if ties need the
        seed.

    Notes
    -----
    The highest of log-potentials :math:`\beta \phi_i` with Gumbel noise are draws without
    replacement, one after another: with :math:`L_m` the rows left,

    .. math:: q_m = \frac{e^{\beta \phi_{i_m}}}{\sum_{j \in L_m} e^{\beta \phi_j}}

    `PowerTop` never draws a row of score 0 while another is left, and no weight corrects for that:
    then the estimate is for the rows that score above 0.

    References
    ----------
    Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron and Gal (2021),
    :doi:`10.48550/arXiv.2106.12059`, for the selectors.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.estimation import proposal_probabilities
    >>> from skactive.selectors import PowerTop
    >>> proposal_probabilities(PowerTop(), np.array([1.0, 2.0, 1.0]), picks=[1, 0])
    array([0.5, 0.5])
    """
    if not isinstance(selector, PowerTop | SoftmaxTop | SoftrankTop):
        raise TypeError(
            "selector must be PowerTop, SoftmaxTop or SoftrankTop, got "
            f"{type(selector).__name__}. Uniform draws have 1 / (n_pool - np.arange(n_picks))."
        )
    scores, picks = np.asarray(scores, dtype=np.float64), np.asarray(picks)
    if len(np.unique(picks)) != len(picks) or not np.isin(picks, np.arange(len(scores))).all():
        raise ValueError(f"picks must be distinct positions of the {len(scores)} scores.")
    potential = selector.beta * _log_potential(selector, scores, random_state)
    return _sequential_softmax(potential, picks.astype(np.intp))


# Implementation ---------------------------------------------------------------------------------


def _check_proposal(proposal: Any, n_pool: int) -> Floats:
    q = np.asarray(proposal, dtype=np.float64)
    if q.ndim != 1 or not 1 <= len(q) <= n_pool:
        raise ValueError(
            f"proposal must be a list of 1 .. n_pool={n_pool} probabilities, got shape {q.shape}."
        )
    if not ((q > 0) & (q <= 1 + 1e-12)).all():
        raise ValueError("proposal must be probabilities above 0 and at most 1, one for each pick.")
    return q


def _lure_error(losses: Floats, q: Floats, n_pool: int, value: float) -> float:
    """Return the standard error by the martingale differences; infinity for a single pick."""
    n = len(q)
    if n == n_pool:
        return 0.0
    if n == 1:
        return np.inf
    n_left = n_pool - np.arange(n)
    earlier = np.cumsum(losses) - losses  # sum of the losses of earlier picks
    estimates = (losses / q + earlier) / n_pool  # a_m of the docstring, (n_picks,)
    levels = n_pool * (n_pool - n) / ((n_left - 1.0) * n_left)  # c_m
    return float(np.sqrt(np.sum((levels * (estimates - value)) ** 2) / (n * (n - 1))))


def _log_potential(selector: Any, scores: Floats, seed: int | None) -> Floats:
    """Return the log-potentials to which the selector added its noise."""
    if isinstance(selector, SoftrankTop) and len(np.unique(scores)) < len(scores):
        if seed is None:
            raise ValueError(
                "Some scores are tied, and SoftrankTop ranks them at random: pass the random_state "
                "(a number) that it picked with."
            )
        rng = RandomState(seed)
        rng.gumbel(size=len(scores))  # the selector draws its noise before it ranks
        return selector._log_potential(scores, rng)
    return selector._log_potential(scores, RandomState(0))


def _sequential_softmax(potential: Floats, picks: NDArray[np.intp]) -> Floats:
    """Return each pick's share of the potential that is left when it is picked."""
    unpicked = np.delete(potential, picks)
    # From the last pick backwards: sums grow, while subtracting picked rows would cancel digits.
    backwards = np.concatenate(
        [[np.logaddexp.reduce(unpicked, initial=-np.inf)], potential[picks][::-1]]
    )
    total = np.logaddexp.accumulate(backwards)[:0:-1]
    n_left = len(potential) - np.arange(len(picks))
    is_uniform = np.isneginf(total)  # only rows of potential 0 are left
    with np.errstate(invalid="ignore"):
        q = np.where(is_uniform, 1.0 / n_left, np.exp(potential[picks] - total))
    if not (q > 0).all():
        raise ValueError(
            "A pick has probability 0 at its place: pass the picks in the order of the draws, and "
            "the scores that they were drawn with."
        )
    return np.minimum(q, 1.0)
