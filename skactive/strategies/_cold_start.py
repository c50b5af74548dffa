"""Cold starts: somebody else's probabilities stand in for the model until labels are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive import scores
from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import HasMethods
from skactive._utils.constraints import POSITIVE_INT_OR_NONE, STRATEGY
from skactive.strategies._auto import Auto
from skactive.strategies._base import ScoreStrategy, Strategy
from skactive.strategies._zero_shot import (
    calibrate,
    find_classes,
    locate_labels,
    read_zero_shot,
)

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["ColdStart"]

_LABELS_PER_CLASS = 10  # from which the model is on its own, by default


class ColdStart(Strategy):
    r"""Choose by zero-shot probabilities until there are labels enough, then by a strategy.

    With few labels or none, rows are chosen as :class:`Auto` does, by coverage of uncertain rows,
    where the uncertainty is the margin of

    .. math:: q'_c(x) \propto q_c(x)^{a} \, e^{b_c}

    with :math:`q` the zero-shot probabilities. The slope a and the offsets b are 1 and 0 before
    the first label, and then the most probable ones given the labels: a source that the labels
    contradict gets a slope near 0, so that all rows count as uncertain and the pool is covered.
    From `n_labels` labels on, if the model can be read, the strategy chooses, and the source is
    not asked any more.

    **When:** a language model, the similarity of images and the names of classes, or a model of
    another task knows something about the classes before the first label. **When not:** the
    source costs money per row and keeps no cache: it is asked for the whole pool at each query.

    Parameters
    ----------
    proba : callable, or an object with `predict_proba` or `annotate`
        ``proba(X)`` returns zero-shot probabilities of the rows `X`, (n_rows, n_classes). Or an
        estimator that is frozen (``sklearn.frozen.FrozenEstimator``: copies of a strategy forget
        what other estimators have learned), or an annotator whose answers have probabilities. To
        use an array, look rows up in it by something that they carry: ``lambda X: table[X.index]``.
    strategy : Strategy, default=None
        Chooses once there are enough labels; None uses :class:`Auto`.
    n_labels : int, default=None
        Number of labeled rows from which `strategy` chooses; None takes ten per class.
    classes : array-like of shape (n_classes,), default=None
        The classes of the columns, in their order. None takes ``proba.classes_``, else those of the
        learner, sorted; while these are not as many as the columns, labels do not calibrate.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017,
    :doi:`10.48550/arXiv.1706.04599`, have this calibration with a slope per class as vector
    scaling; it is here with one slope and a prior, as there are few labels.

    Examples
    --------
    >>> from scipy.special import softmax
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import ColdStart, Margin
    >>> X, y = load_iris(return_X_y=True)
    >>> centers = np.array([[5, 3.4, 1.5, 0.2], [6, 2.8, 4.3, 1.3], [6.6, 3, 5.6, 2]])  # a guess
    >>> def guess(X):
    ...     return softmax(-np.square(X[:, np.newaxis] - centers).sum(axis=2), axis=1)
    >>> learner = ActiveLearner(LogisticRegression(), ColdStart(guess, Margin()), random_state=0)
    >>> start = learner.query(X, batch_size=4)  # before any row is labeled
    >>> np.unique(y[start])
    array([1, 2])
    """

    one_label_only = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "proba": [HasMethods(["predict_proba"]), HasMethods(["annotate"]), callable],
        "strategy": [*STRATEGY, None],
        "n_labels": POSITIVE_INT_OR_NONE,
        "classes": ["array-like", None],
    }

    def __init__(
        self,
        proba: Any,
        strategy: Strategy | None = None,
        *,
        n_labels: int | None = None,
        classes: Any = None,
    ) -> None:
        self.proba = proba
        self.strategy = strategy
        self.n_labels = n_labels
        self.classes = classes

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """The embedding and the rows; what the strategy needs, or the rows alone."""
        later = (f"{need}|X" if need != "X" else need for need in self.fitted_needs)
        return frozenset({"X", "embedding", *later})

    @property
    def fitted_needs(self) -> frozenset[str]:
        """The readings that the strategy needs of a fitted model."""
        return self._get_strategy().needs - {"X", "embedding"}

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """True if the strategy is randomized."""
        return self._get_strategy().randomized

    def parts(self) -> list[Any]:
        """Return the strategy that chooses once there are enough labels."""
        return [self._get_strategy()]

    def _name_parts(self) -> dict[str, Any]:
        return {"strategy": self._get_strategy()}

    def _get_strategy(self) -> Strategy:
        return Auto() if self.strategy is None else self.strategy

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Let the strategy choose, or before it :class:`Auto` by the zero-shot margins."""
        return self._choose_strategy(pool).select(pool, batch_size)

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return what the choice of the strategy whose turn it is depends on."""
        return self._choose_strategy(pool).explain(pool)

    def _choose_strategy(self, pool: PoolView) -> Strategy:
        if self._has_enough_labels(pool):
            return self._get_strategy()
        return Auto(uncertainty=_ZeroShotMargin(self.proba, self.classes))

    def _has_enough_labels(self, pool: PoolView) -> bool:
        """Return whether there are enough labels, and a model that the strategy can read."""
        if pool.labeled is None:
            return False
        n_classes = len(find_classes(self.proba, self.classes, pool.classes))
        enough = self.n_labels or _LABELS_PER_CLASS * max(2, n_classes)
        return len(pool.labeled) >= enough and all(
            any(pool.provides(option) for option in need.split("|")) for need in self.fitted_needs
        )


class _ZeroShotMargin(ScoreStrategy):
    """Score rows by 1 minus the margin of zero-shot probabilities, calibrated by the labels."""

    needs = frozenset({"X"})
    score_name = "zero-shot uncertainty"

    def __init__(self, proba: Any, classes: Any) -> None:
        super().__init__()
        self.proba = proba
        self.classes = classes

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Return 1 minus the margin of each row, (n_rows,)."""
        proba = read_zero_shot(self.proba, pool.X)
        if proba.shape[1] == 1:  # of one class there is no doubt
            return np.zeros(len(pool))
        return scores.margin(self._calibrate(proba, pool))

    def _calibrate(self, proba: Floats, pool: PoolView) -> Floats:
        known = pool.classes
        classes = find_classes(self.proba, self.classes, known)
        if len(classes) != proba.shape[1]:
            if classes is known:
                return proba  # it is not known yet which class each column is of
            raise ValueError(
                f"classes has {len(classes)} entries, but proba gives {proba.shape[1]} columns: "
                "list the class of each column, in order."
            )
        if (labeled := pool.labeled) is None:
            return proba
        rows, columns = locate_labels(labeled.y, classes)
        return calibrate(proba, read_zero_shot(self.proba, labeled.take(rows).X), columns)
