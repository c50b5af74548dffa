"""Open sets: some rows belong to no class, and people answer that they are unknown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.constraints import STRATEGY, UNIT_INTERVAL
from skactive._utils.labels import is_structured
from skactive._utils.values import is_missing
from skactive.selectors import top
from skactive.selectors._engine.nearest_centers import AllDistances
from skactive.selectors._engine.points import canonical
from skactive.strategies._base import Strategy
from skactive.strategies._rules import RuleStrategy

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["OpenSet"]


class OpenSet(RuleStrategy):
    r"""Let a strategy choose, and ask last for rows like those called unknown.

    The purity of a row compares its distances, in the embedding z, to the nearest labeled row that
    is unknown and to the nearest that is known:

    .. math::
        p(x) = \frac{d_u(x)}{d_u(x) + d_k(x)}, \qquad
        d_u(x) = \min_{y_l = \text{unknown}} \lVert z(x) - z_l \rVert, \quad
        d_k(x) = \min_{y_l \ne \text{unknown}} \lVert z(x) - z_l \rVert

    Rows with :math:`p(x) < 1/2`, nearer to an unknown row than to a known one, come last: the inner
    strategy chooses among all others, and when these do not fill the batch, among them and the
    purest of the last. Until rows of both kinds are labeled, it chooses among all.

    **When:** part of the pool is rubbish, or of classes that nobody wants, and labels for it are
    wasted; plain uncertainty even prefers it. `unknown` stays a label like any other: the model
    learns it as a class of its own, which helps it to tell rubbish apart when it is used. To use a
    model of the known classes alone, fit one to the rows with other labels at the end. Needs an
    embedding and the readings of the inner strategy.

    Parameters
    ----------
    strategy : Strategy
        Chooses among the candidates.
    unknown : label
        The label that people give to rows of no class, as it appears in `y`.
    strictness : float, default=1.0
        Share of the rows nearer to an unknown row that come last, those of the lowest purity, from
        0 to 1. A lower one buys fewer known rows, but misses fewer that look unknown
        (``benchmarks/README.md`` has figures).

    References
    ----------
    Ning, Zhao, Li and Huang, "Active learning for open-set annotation", CVPR 2022,
    :doi:`10.48550/arXiv.2201.06758`, choose the rows of the highest purity, measured by a net;
    Park, Shin, Bang, Lee, Song and Lee, "Meta-Query-Net: resolving purity-informativeness dilemma
    in open-set active learning", NeurIPS 2022, :doi:`10.48550/arXiv.2210.07805`, learn how to weigh
    it against informativeness. This is a plain form of both, for any model.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import OpenSet, Random
    >>> X, y = load_digits(return_X_y=True)
    >>> y = np.where(y > 4, "none", y.astype(str))  # digits above 4 belong to no class
    >>> strategy = OpenSet(Random(), unknown="none")
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), strategy, random_state=0)
    >>> picks = learner.fit(X[:100], y[:100]).query(X[100:], batch_size=100)
    >>> print(f"{np.mean(y[100:] != 'none'):.1f}, {np.mean(y[100:][picks] != 'none'):.1f}")
    0.5, 0.9
    """

    reads = frozenset({"embedding"})
    one_label_only = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "strategy": STRATEGY,
        "strictness": UNIT_INTERVAL,
    }

    def __init__(self, strategy: Strategy, unknown: Any, *, strictness: float = 1.0) -> None:
        self.strategy = strategy
        self.unknown = unknown
        self.strictness = strictness

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Leave out the rows of the lowest purity, and let the strategy choose among the others."""
        if (labeled := pool.labeled) is None:
            return self.strategy.select(pool, batch_size)
        is_unknown = _find_label(labeled.y, self.unknown)
        if is_unknown.all() or not is_unknown.any():
            return self.strategy.select(pool, batch_size)
        purity = _measure_purity(pool.embedding, labeled.embedding, is_unknown)
        n_last = math.floor(round(self.strictness * np.count_nonzero(purity < 0.5), 6))
        n_candidates = max(batch_size, len(pool) - n_last)
        candidates = np.sort(top(purity, n_candidates, pool.random_state))
        return candidates[self.strategy.select(pool.take(candidates), batch_size)]


def _measure_purity(X: Any, labeled: Any, is_unknown: NDArray[np.bool_]) -> Floats:
    """Return the purity of each row of `X`, shape (n_rows,)."""
    labeled = canonical(labeled)
    to_unknown, to_known = (
        np.sqrt(AllDistances(X, labeled=labeled[kind]).bound) for kind in (is_unknown, ~is_unknown)
    )
    total = to_unknown + to_known
    # A row that equals a known and an unknown one is as pure as impure.
    return np.divide(to_unknown, total, out=np.full(len(total), 0.5), where=total > 0)


def _find_label(y: Any, label: Any) -> NDArray[np.bool_]:
    """Return which labels are `label`, shape (n_labeled,)."""
    labels = np.asarray(y)
    if labels.ndim != 1 or is_structured(labels):
        kind = f"labels of shape {labels.shape}" if labels.ndim != 1 else "several in each row"
        raise ValueError(
            f"OpenSet needs one label per row, got {kind}: use its inner strategy alone."
        )
    if np.ndim(label) or is_missing(label) or isinstance(label, Set | Mapping):
        raise ValueError(
            f"OpenSet(unknown={label!r}) must be one label, as it appears in y: give all rows of "
            "no class the same label."
        )
    if labels.dtype.kind == "M":
        return _find_date(labels, label)
    values = labels.tolist()
    if isinstance(values[0], str) != isinstance(label, str):
        raise ValueError(
            f"OpenSet(unknown={label!r}) can be none of the labels, which are like {values[0]!r}: "
            "set unknown to the label of rows that belong to no class, as it appears in y."
        )
    return np.array([value == label for value in values], dtype=bool)


def _find_date(labels: NDArray[Any], label: Any) -> NDArray[np.bool_]:
    try:
        return labels == np.datetime64(label)
    except ValueError:
        raise ValueError(
            f"OpenSet(unknown={label!r}) can be none of the labels, which are dates: set unknown "
            "to the date of rows that belong to no class, as it appears in y."
        ) from None
