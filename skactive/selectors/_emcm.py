"""Batches that change a linear model most, as it learns the labels that a committee imagines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.input_kinds import check_callable, check_draws
from skactive._utils.public_input import check_input
from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._engine.design_rows import DesignRows, squared_row_norms
from skactive.selectors._engine.information import draw_best

if TYPE_CHECKING:
    from skactive.selectors._engine.points import Matrix

__all__ = ["emcm", "measure_change"]

# Changes below this share of the first pick's are rounding errors.
_ROUNDING = 1e-12


@check_input(gaps=check_draws, selector=check_callable)
def emcm(
    X: Matrix,
    gaps: NDArray[Any],
    batch_size: int,
    *,
    selector: Callable[..., Positions] | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows one by one whose imagined labels change a linear model most.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Features of the linear model, without the constant one of its intercept.
    gaps : ndarray of shape (n_draws, n_rows) or (n_draws, n_rows, n_outputs)
        Predictions of each member of a committee, or of each draw from the posterior, less that of
        the model.
    batch_size : int
        Number of rows to select.
    selector : callable, default=None
        ``selector(changes, 1, random_state)`` returns the place of each pick; None takes the
        largest change. :class:`PowerTop` draws the picks.
    random_state : int, RandomState or None, default=None
        Breaks ties, and seeds the selector.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Raises
    ------
    ValueError
        If the numbers of rows differ.

    Notes
    -----
    With :math:`h_i = (1, x_i)` and :math:`d_k(i)` the gap of draw k, each pick maximizes the mean
    length of the gradient of the squared error, where draw k imagines the label,

    .. math:: i^* = \arg\max_i \frac{1}{K} \sum_{k=1}^{K}
        \lvert d_k(i) \rvert \, \lVert h_i \rVert

    and the model takes a step along it for every draw (each has its own copy of the model), before
    the next pick:

    .. math:: d_k(i) \leftarrow d_k(i) - \alpha \, d_k(i^*) \, h_{i^*}^\top h_i, \qquad
        \alpha = 1 / \lVert h_{i^*} \rVert^2

    The step is as long as it takes to fit the imagined label, so a duplicate of a pick does not
    come next. Once no row changes the model, the rest is drawn at random (but the picks of a
    selector are its own). A pick takes ``n_draws + n_dims`` steps per row, and memory is a copy of
    the gaps.

    References
    ----------
    Cai, Zhang and Zhang (2017), :doi:`10.1109/TNNLS.2016.2542184`, which simulate the steps of the
    sequential policy. The length of the step is a choice of ours.

    Examples
    --------
    Rows 0 and 1 would teach the same, row 2 something else:

    >>> import numpy as np
    >>> X = np.array([[3.0, 0.0], [2.9, 0.0], [0.0, 1.0]])
    >>> gaps = np.array([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]])
    >>> emcm(X, gaps, batch_size=2)
    array([0, 2])
    """
    _check_rows(X, gaps)
    rng = make_random_state(random_state)
    choose = _take_best if selector is None else selector
    model, rest = _ImaginedModel(X, gaps), np.arange(X.shape[0])
    picks: list[int] = []
    while len(picks) < min(batch_size, X.shape[0]):
        if picks:
            model.learn(picks[-1])
        place = int(choose(model.changes()[rest], 1, random_state=rng)[0])
        picks.append(int(rest[place]))
        rest = np.delete(rest, place)
    return np.array(picks, dtype=np.intp)


def measure_change(X: Matrix, gaps: Floats) -> Floats:
    """Return the mean length of the gradient over the draws, shape (n_rows,)."""
    return _mean_lengths(gaps) * np.sqrt(1.0 + squared_row_norms(X))


def _mean_lengths(gaps: Floats) -> Floats:
    """Return the mean length of the gaps over the draws, shape (n_rows,)."""
    lengths = (np.abs(gap) if gap.ndim == 1 else np.linalg.norm(gap, axis=1) for gap in gaps)
    return np.asarray(sum(lengths), dtype=np.float64) / len(gaps)


def _take_best(changes: Floats, n: int, random_state: RandomState) -> list[int]:
    return [draw_best(changes, random_state)]


def _check_rows(X: Matrix, gaps: NDArray[Any]) -> None:
    if gaps.shape[1] != X.shape[0]:
        raise ValueError(
            f"gaps must have an entry for each row of X on the second axis, got {gaps.shape[1]} "
            f"for {X.shape[0]} rows."
        )


class _ImaginedModel:
    """Gaps between the committee and a linear model, a copy of which learns from each draw."""

    def __init__(self, X: Matrix, gaps: NDArray[Any]) -> None:
        self._rows = DesignRows(X)
        self._gaps = np.array(gaps, dtype=np.float64)  # a copy
        self._squared_norms = 1.0 + squared_row_norms(X)
        self._floor = 0.0
        self._floor = _ROUNDING * float(self.changes().max(initial=0.0))

    def changes(self) -> Floats:
        """Return the expected length of the next gradient, by row, shape (n_rows,)."""
        changes = _mean_lengths(self._gaps) * np.sqrt(self._squared_norms)
        changes[changes <= self._floor] = 0.0
        return changes

    def learn(self, pick: int) -> None:
        """Take the steps that fit the labels which the draws imagine for a row."""
        weights = self._multiply(pick) / self._squared_norms[pick]  # (n_rows,)
        for gap in self._gaps:  # (n_rows,) or (n_rows, n_outputs), changed in place
            gap -= np.multiply.outer(weights, gap[pick].copy())

    def _multiply(self, pick: int) -> Floats:
        """Return the inner product of each row with one of them, shape (n_rows,)."""
        products = np.empty(self._rows.n_rows)
        for block, product in self._rows.multiply(self._rows.build_row(pick)[:, np.newaxis]):
            products[block] = product[:, 0]
        return 1.0 + products
