"""Evaluation with few labels: which rows to label, and an interval from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from skactive._utils.array_types import Floats, Positions
from skactive._utils.input_kinds import check_count, check_number, check_option
from skactive._utils.seeding import Seed, draw_seed
from skactive.estimation._evaluated import Evaluated, make_evaluated
from skactive.estimation._intervals import Estimate, check_confidence
from skactive.estimation._prediction_powered import TARGETS, PoweredMean, fit_power, power_mean
from skactive.estimation._sampling import draw_rows, inclusion_scale

__all__ = ["ActiveEvaluation"]

_MIXES = np.array([0.0, 0.25, 0.5])  # shares of active sampling; weights are at most 2
_ACTIVE_MIX = 0.5
_N_ERRORS = 2.0  # standard errors by which active sampling must be better
_N_BEFORE_WIDTH = 30  # a width is not believed before
_N_BEFORE_ANYTIME = 20  # nor the variance of a confidence sequence, where numbers are not 0 or 1


class ActiveEvaluation:
    r"""Evaluate a model with few labels: it asks for rows, and gives an interval for the score.

    It serves a classifier, a judge (a language model whose verdicts are compared with those of
    people), and the difference of two systems. Nothing may have been trained on these rows.

    Parameters
    ----------
    metric : {"accuracy", "difference", "value"} or callable, default="accuracy"
        The mean that is wanted: the share of rows whose label is `predicted` (for a judge, the
        agreement), the accuracy of the first of two systems minus that of the second, or that of
        the numbers that are taught. A callable takes labels and their rows, and returns a number
        for each: ``metric(labels, rows) -> (n_labels,)``.
    proxy : array-like of shape (n_rows,), or (n_rows, 2) for "difference"
        The expected number of each row of the pool: the predicted probability of being right, of
        each of two systems, or the expected loss. It need not be calibrated.
    predicted : array-like of shape (n_rows,), or (2, n_rows) for "difference", default=None
        The predictions, for "accuracy" and "difference".
    spread : array-like of shape (n_rows,), default=None
        Expected deviation of the number of each row from its proxy, at least 0. None takes it from
        probabilities, and with other metrics takes the size of the proxy.
    sampling : {"auto", "uniform", "active"}, default="auto"
        How rows are drawn. "uniform": all alike. "active": half of the probability in proportion to
        the spread. "auto": alike at first, then with the share that the labels show to be best.
    budget : int, default=200
        Largest number of labels.
    target_width : float, default=None
        Stops as soon as the interval is no wider, from 30 labels on.
    confidence : float, default=0.95
        How often the interval is to contain the true value.
    target : {"population", "pool"}, default="population"
        Whether the value is that of rows like those of the pool, or of the rows of the pool.
    random_state : int, RandomState or None, default=None
        Seed of the draws.

    Attributes
    ----------
    estimate_ : Estimate
        The estimate from all labels so far.
    n_labels_ : int
        Number of labels so far.
    rows_ : ndarray of shape (n_labels,)
        The labeled rows, in the order of the answers.
    mix_ : float
        Share of active sampling in the next query.
    worth_ : float
        Number of labels of rows drawn uniformly, without a proxy, that would give as narrow an
        interval, divided by the number of labels; an estimate.
    stop_reason_ : str or None
        "budget", "target_width" or "pool" (all rows are labeled); None while it goes on.

    Raises
    ------
    ValueError
        If the arrays do not fit each other or the metric, or two systems predict the same for all
        rows.

    Notes
    -----
    Each query draws without replacement with the probability
    :math:`p_i \propto (1 - m) + m\, s_i / \bar s`, where :math:`s_i` is the spread. After several
    queries a row is among the labeled ones with :math:`\pi_i = 1 - \prod_t (1 - p_{ti})`, and the
    estimate is that of :func:`ppi_mean` with these, and with the slope of a regression on the proxy
    as the power, which has no bias where that is calibrated. With "auto" the share m is 0 for the
    first quarter of the budget (at most 50 labels); then it is that of 0, .25 and .5 for which
    :math:`\sum_i e_i^2 / (\pi_i q_{mi})` over the residuals is least, if it is below that of
    uniform sampling by two standard errors. So weights are at most 2, and sampling that does not
    help is not used. The slope does the same for the proxy. Rows for which two systems
    predict the same are known to be 0 and never asked for.

    *When to look.* The interval of `estimate_` is for one look: at the budget, at another number of
    labels that was declared, or where `target_width` stops, since a stop that depends on the width
    alone keeps the confidence as widths get small (Chow and Robbins). Who stops when the *value*
    is good or bad needs ``estimate(anytime=True)``, whose intervals hold all at once, for any
    number of looks (an asymptotic confidence sequence, narrowest at the budget, where it is 1.5
    times as wide).

    For the accuracy the interval is Jeffreys', with the number of labels that uniform sampling
    would need for the same standard error (anytime: Wilson's, with no more labels than there are);
    otherwise it is that of :func:`ppi_mean`. So that errors that happen not to be among few labels
    are allowed for, half a row of the largest weight counts as one: where 5 % of rows were wrong, a
    fifth of these among rows of a proxy of .99, intervals of 100 and 200 labels held in 94 % of 400
    runs, and those of 80 labels in 90 %.

    References
    ----------
    Angelopoulos, Duchi and Zrnic, "PPI++: efficient prediction-powered inference", 2023,
    :doi:`10.48550/arXiv.2311.01453`.

    Zrnic and Candès, "Active statistical inference", ICML 2024, :doi:`10.48550/arXiv.2403.03208`.

    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and
    asymptotic confidence sequences", Annals of Statistics 52, 2024,
    :doi:`10.48550/arXiv.2103.06476`.

    Chow and Robbins, "On the asymptotic theory of fixed-width sequential confidence intervals for
    the mean", Annals of Mathematical Statistics 36, 1965, :doi:`10.1214/aoms/1177700156`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive.estimation import ActiveEvaluation
    >>> X, y = load_digits(return_X_y=True)
    >>> model = GaussianNB().fit(X[:200], y[:200])
    >>> proba, truth = model.predict_proba(X[200:]), y[200:]
    >>> evaluation = ActiveEvaluation(
    ...     proxy=proba.max(axis=1), predicted=model.predict(X[200:]), budget=100, random_state=0
    ... )
    >>> while evaluation.stop_reason_ is None:
    ...     rows = evaluation.query(20)
    ...     evaluation.teach(rows, truth[rows])  # in practice: a person's answers
    >>> estimate = evaluation.estimate_
    >>> bool(estimate.low < model.score(X[200:], truth) < estimate.high)
    True
    """

    def __init__(
        self,
        metric: str | Callable[[Any, Positions], Any] = "accuracy",
        *,
        proxy: Any,
        predicted: Any = None,
        spread: Any = None,
        sampling: str = "auto",
        budget: int = 200,
        target_width: float | None = None,
        confidence: float = 0.95,
        target: str = "population",
        random_state: Seed = None,
    ) -> None:
        self.sampling = check_option("sampling", sampling, ("auto", "uniform", "active"))
        self.target = check_option("target", target, TARGETS)
        self.budget = check_count("budget", budget)
        if target_width is not None:
            check_number("target_width", target_width, 0.0, above=True)
        self.target_width = target_width
        self.confidence = check_confidence(confidence)
        self._evaluated: Evaluated = make_evaluated(metric, proxy, predicted, spread)
        self._seed = draw_seed(random_state)
        n_rows = len(self._evaluated.proxy)
        self._missed = np.ones(n_rows)  # probability that a row has not been drawn so far
        self._is_labeled = np.zeros(n_rows, dtype=bool)
        self._places: list[int] = []  # of the labeled rows among those that may be asked for
        self._values: list[float] = []
        self._pending: Positions | None = None
        self._chances = np.zeros(n_rows)  # of the rows, in the pending query

    # Asking ---------------------------------------------------------------------------------------

    def query(self, batch_size: int = 1) -> Positions:
        """Return the rows to label next.

        Parameters
        ----------
        batch_size : int, default=1
            Number of rows; fewer where the budget or the pool has no more.

        Returns
        -------
        ndarray of shape (n_asked,)
            Distinct positions in the pool. The same call returns the same until ``teach``.

        Raises
        ------
        ValueError
            If it has stopped.
        """
        check_count("batch_size", batch_size)
        if self.stop_reason_ is not None:
            raise ValueError(
                f"The evaluation has stopped ({self.stop_reason_}) with {self.n_labels_} labels: "
                "read estimate_, or begin another with a larger budget."
            )
        left = np.flatnonzero(~self._is_labeled)
        n_draws = min(batch_size, self.budget - self.n_labels_, len(left))
        sizes = self._sizes(self.mix_)
        with np.errstate(invalid="ignore"):
            self._chances = np.minimum(1.0, inclusion_scale(sizes[left], n_draws) * sizes)
        rng = np.random.RandomState(
            np.random.SeedSequence([self._seed, self.n_labels_]).generate_state(1)
        )
        self._pending = left[draw_rows(self._chances[left], n_draws, rng)]
        return self._evaluated.rows[self._pending]

    def teach(self, rows: Any, labels: Any) -> None:
        """Take the labels of the rows that were asked for.

        Parameters
        ----------
        rows : array-like of shape (n_asked,)
            The rows of the last query, all of them, in any order: an evaluation that leaves out the
            rows that are hard to label is wrong.
        labels : array-like of shape (n_asked,)
            Their labels, or with ``metric="value"`` their numbers.

        Raises
        ------
        ValueError
            If other rows were asked for, or labels do not fit them; nothing has changed then.
        """
        asked = np.empty(0, np.intp) if self._pending is None else self._pending
        given = np.asarray(rows)
        if self._pending is None or not np.array_equal(
            np.sort(given, axis=None), np.sort(self._evaluated.rows[asked])
        ):
            raise ValueError(
                f"teach takes all rows of the last query, got {_name_rows(given)} for "
                f"{_name_rows(self._evaluated.rows[asked])}. If a row cannot be labeled, decide "
                "which number it is to count as."
            )
        values = self._evaluated.to_values(labels, given)
        self._missed *= 1.0 - self._chances
        places = np.searchsorted(self._evaluated.rows, given)
        self._is_labeled[places] = True
        self._places += places.tolist()
        self._values += values.tolist()
        self._pending = None

    # Reading --------------------------------------------------------------------------------------

    @property
    def n_labels_(self) -> int:
        return len(self._values)

    @property
    def rows_(self) -> Positions:
        return self._evaluated.rows[np.asarray(self._places, dtype=np.intp)]

    @property
    def estimate_(self) -> Estimate:
        return self.estimate()

    @property
    def stop_reason_(self) -> str | None:
        if self.n_labels_ >= self.budget:
            return "budget"
        if self._is_labeled.all():
            return "pool"
        if self.target_width is not None and self.n_labels_ >= _N_BEFORE_WIDTH:
            estimate = self.estimate()
            if estimate.high - estimate.low <= self.target_width:
                return "target_width"
        return None

    @property
    def mix_(self) -> float:
        if self.sampling == "uniform":
            return 0.0
        if self.sampling == "active":
            return _ACTIVE_MIX
        n_first = max(3, min(50, self.budget // 4))
        return self._choose_mix() if self.n_labels_ >= n_first else 0.0

    @property
    def worth_(self) -> float:
        mean = self._mean()
        n, n_rows = self.n_labels_, self._evaluated.n_rows
        share = len(self._missed) / n_rows
        variance = share * (mean.row_variance + (1.0 - share) * mean.value**2)
        error = share * np.sqrt(mean.pool_variance)
        if not 0.0 < error < np.inf:
            return float("nan")
        # n uniform labels without replacement have the variance v (1 / n - 1 / N).
        return float(1.0 / (error**2 / variance + 1.0 / n_rows) / n)

    def estimate(self, *, anytime: bool = False) -> Estimate:
        """Return the estimate from all labels so far.

        Parameters
        ----------
        anytime : bool, default=False
            Whether the interval is one of those that hold all at once, after any number of labels.

        Returns
        -------
        Estimate
            The estimate; its interval is as wide as the metric allows for less than three labels.

        Raises
        ------
        ValueError
            If there are no labels yet.
        """
        mean = self._mean()
        share = len(self._missed) / self._evaluated.n_rows
        low, high = self._evaluated.low * share, self._evaluated.high * share
        value = min(max(share * mean.value, low), high)
        error = self._error(mean, share)
        if self.target == "pool" and self._is_labeled.all():
            return Estimate(value, value, value, self.n_labels_, "all", self.confidence)
        if anytime:
            ends, method = self._sequence_ends(value, error, mean), "anytime"
        elif self._evaluated.is_share:
            n_worth = _count_worth(value, error, mean.weights)
            ends, method = _jeffreys(value, n_worth, self.confidence), "jeffreys"
        else:
            ends = mean.interval(error / share, self.confidence)
            ends, method = (share * ends[0], share * ends[1]), "ppi"
        low, high = float(max(low, ends[0])), float(min(high, ends[1]))
        return Estimate(float(value), low, high, self.n_labels_, method, self.confidence)

    # Implementation -------------------------------------------------------------------------------

    def _mean(self) -> PoweredMean:
        """Return the mean over the rows that may be asked for."""
        if not self._values:
            raise ValueError("There are no labels yet: query rows and teach their labels first.")
        places = np.asarray(self._places)
        chances = 1.0 - self._missed[places]
        proxy = self._evaluated.proxy
        values = np.asarray(self._values)
        power = fit_power(values, proxy[places], chances) if len(places) > 3 else 0.0
        return power_mean(values, proxy[places], proxy, chances, power)

    def _error(self, mean: PoweredMean, share: float) -> float:
        """Return the standard error for all rows, of which a share may be asked for."""
        variance = share**2 * mean.pool_variance
        if self.target == "population":  # all other rows are 0
            squares = share * (mean.row_variance + mean.value**2)
            variance += (squares - (share * mean.value) ** 2) / self._evaluated.n_rows
        return float(np.sqrt(variance))

    def _sequence_ends(self, value: float, error: float, mean: PoweredMean) -> tuple[float, float]:
        """Return the ends of the confidence sequence; Wilson's where numbers are 0 or 1."""
        factor = _sequence_factor(self.n_labels_ / self.budget, 1.0 - self.confidence)
        if self._evaluated.is_share:
            return _wilson(value, _count_worth(value, error, mean.weights, most=1.0), factor)
        if self.n_labels_ < _N_BEFORE_ANYTIME or np.ptp(mean.weights * mean.residuals) == 0.0:
            return -np.inf, np.inf
        return value - factor * error, value + factor * error

    def _sizes(self, mix: float) -> Floats:
        """Return what the probabilities of a query are proportional to, (n_rows,)."""
        return (1.0 - mix) + mix * self._evaluated.spread

    def _choose_mix(self) -> float:
        """Return the share of active sampling of the least variance, if that is below uniform's."""
        mean = self._mean()
        places = np.asarray(self._places)
        squares = mean.weights * mean.residuals**2  # (n_labels,)
        variances = np.stack([squares / self._sizes(mix)[places] for mix in _MIXES])
        differences = variances - variances[0]  # (n_mixes, n_labels)
        errors = differences.std(axis=1) / np.sqrt(len(places))
        bounds = differences.mean(axis=1) + _N_ERRORS * errors
        return float(_MIXES[np.argmin(bounds)])


def _count_worth(share: float, error: float, weights: Floats, most: float = 5.0) -> float:
    """Return how many uniform labels give a share this standard error.

    Where there is no variance but rounding, the weights say for how many labels they stand; and few
    labels that happen to fit the proxy stand for `most` times as many at most.
    """
    n = float(weights.sum() ** 2 / np.sum(weights**2))
    variance = share * (1.0 - share)
    error = float(np.hypot(error, np.sqrt(0.5) * weights.max() / len(weights)))  # half a row unseen
    return min(variance / error**2, most * n) if variance > 1e-12 and 0.0 < error < np.inf else n


def _jeffreys(share: float, n: float, confidence: float) -> tuple[float, float]:
    """Return Jeffreys' interval for a share of n labels."""
    tail = (1.0 - confidence) / 2.0
    right, wrong = share * n, (1.0 - share) * n
    low = betaincinv(right + 0.5, wrong + 0.5, tail) if right > 0.0 else 0.0
    high = betaincinv(right + 0.5, wrong + 0.5, 1.0 - tail) if wrong > 0.0 else 1.0
    return min(low, share), max(high, share)


def _wilson(share: float, n: float, factor: float) -> tuple[float, float]:
    """Return Wilson's interval for a share of n labels, a factor of standard errors wide."""
    squared = factor**2 / n
    center = (share + squared / 2.0) / (1.0 + squared)
    half = np.sqrt(share * (1.0 - share) * squared + squared**2 / 4.0) / (1.0 + squared)
    return float(center - half), float(center + half)


def _sequence_factor(progress: float, alpha: float) -> float:
    """Return by how many standard errors a confidence sequence reaches to either side.

    Parameters
    ----------
    progress : float
        Number of labels, divided by that at which it is to be narrowest.
    alpha : float
        Chance that any of its intervals fails.
    """
    log = -2.0 * np.log(alpha)
    time = progress * (log + np.log(log) + 1.0)
    return float(np.sqrt(2.0 * (time + 1.0) / time * np.log(np.sqrt(time + 1.0) / alpha)))


def _name_rows(rows: NDArray[Any]) -> str:
    shown = ", ".join(map(str, rows.ravel()[:5].tolist()))
    return f"{rows.size} rows ({shown}{', ...' if rows.size > 5 else ''})" if rows.size else "none"
