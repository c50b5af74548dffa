"""The budget of a stream: the share of bought labels in a forgetting window of offers."""

from __future__ import annotations

from skactive._utils.input_kinds import check_number

__all__ = ["Spending"]

# Rounding of sums: a budget of 1 has room for exactly one label at each offer.
_ROUNDING = 1e-9
# Labels that the budget pays for in a window, by default.
_LABELS_PER_WINDOW = 100


class Spending:
    r"""Account of the labels that a stream has bought, with a limit.

    Parameters
    ----------
    budget : float
        Largest share of the offers to buy, above 0 and at most 1.
    window : float, default=None
        Number of offers after which a purchase is all but forgotten; at least ``2 / budget``, so
        that two labels fit in. None: ``100 / budget``, so that 100 labels fit in. A longer window
        lets a quiet stream save more labels for later; a shorter one forgets unused budget sooner,
        so that less of it is spent.

    Attributes
    ----------
    n_offers, n_bought : int
        Number of offers so far, and of those bought.

    Notes
    -----
    The spending is estimated as published, and starts as if the budget had just been spent:

    .. math:: u_t = u_{t-1} \frac{w - 1}{w} + l_t, \qquad u_0 = B w,

    where :math:`l_t` is 1 if offer t is bought, else 0. Here an offer is bought only if
    :math:`u_t \le B w` afterwards; the published rule, :math:`u_{t-1} < B w`, exceeds the budget by
    up to :math:`(1 - B) / w`. Summing :math:`l_t = u_t - u_{t-1} + u_{t-1} / w` gives two bounds
    that hold whatever is offered:

    * of the first n offers at most :math:`B n` are bought, for every n: there is no slack;
    * of any n offers in a row at most :math:`B (n + w)` are bought.

    References
    ----------
    Zliobaite, Bifet, Pfahringer and Holmes, "Active learning with drifting streaming data", IEEE
    Transactions on Neural Networks and Learning Systems 25, 2014,
    :doi:`10.1109/TNNLS.2012.2236570`.

    Examples
    --------
    >>> from skactive.streams import Spending
    >>> spending = Spending(budget=0.25)
    >>> for _ in range(100):
    ...     spending.record(spending.can_buy)  # as much as possible
    >>> spending.n_bought <= 25
    True
    """

    def __init__(self, budget: float, window: float | None = None) -> None:
        self.budget = float(check_number("budget", budget, 0.0, 1.0, above=True))
        self.window = _check_window(self.budget, window)
        self.n_offers = self.n_bought = 0
        self._limit = self._spent = self.budget * self.window

    @property
    def room(self) -> float:
        """Number of labels that could be bought with the next offer, if it had so many."""
        return self._limit - self._spent * (1.0 - 1.0 / self.window)

    @property
    def can_buy(self) -> bool:
        """Whether the budget has room for the label of the next offer."""
        return self.room >= 1.0 - _ROUNDING

    def record(self, buy: bool) -> None:
        """Count an offer.

        Parameters
        ----------
        buy : bool
            Whether it was bought, whether or not its label ever comes.
        """
        self._spent = self._spent * (1.0 - 1.0 / self.window) + buy
        self.n_offers += 1
        self.n_bought += buy


def _check_window(budget: float, window: float | None) -> float:
    if window is None:
        return _LABELS_PER_WINDOW / budget
    window = float(check_number("window", window, 0.0))
    if budget * window < 2.0 - _ROUNDING:
        raise ValueError(
            f"A budget of {budget:g} has no room for two labels in a window of {window:g} offers: "
            f"the window must be at least 2 / budget = {2.0 / budget:g}."
        )
    return window
