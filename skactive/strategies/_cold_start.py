"""Cold starts: somebody else's probabilities tell the classes apart until labels are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import HasMethods
from skactive._utils.constraints import POSITIVE_INT_OR_NONE, STRATEGY
from skactive.strategies._auto import Auto
from skactive.strategies._base import ScoreStrategy, Strategy
from skactive.strategies._mixture import assign_columns
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
    r"""Balance the classes by zero-shot probabilities until there are labels enough for a strategy.

    With few labels or none, each slot of a batch goes to the class with the fewest labels, known or
    expected, as in :class:`ClassBalanced`; the class of a row is the most probable one by

    .. math:: q'_c(x) \propto q_c(x)^{a} \, e^{b_c}

    with :math:`q` the zero-shot probabilities. The slope a and the offsets b are 1 and 0 before
    the first label, and then the most probable ones given the labels, so that a source that prefers
    some classes wrongly is corrected. Among the rows of one class those are chosen that cover them,
    as :class:`Auto` does without a model. From `n_labels` labels on, if the model can be read, the
    strategy chooses, and the source is not asked any more.

    **When:** a language model, the similarity of images and the names of classes, or a model of
    another task knows something about the classes before the first label. On AG News it is worth
    much at 20 labels, and no more than :class:`Auto` at 200 (``benchmarks/cold_start.py``).
    **When not:** the source costs money per row and keeps no cache: it is asked for the whole pool
    at each query.

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

    Notes
    -----
    Not the rows that the source doubts: these are the hard ones, of few classes, from which a small
    model learns least while it has few labels. On AG News, with a source that is right in .80, they
    gave an accuracy of .47 at 40 labels, random rows .63, and this choice .75.

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
    >>> start = learner.query(X, batch_size=6)  # before any row is labeled
    >>> np.bincount(y[start])
    array([2, 2, 2])
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
        """Let the strategy choose, or before it cover the rows of each zero-shot class."""
        if self._has_enough_labels(pool):
            return self._get_strategy().select(pool, batch_size)
        predicted, n_labels = self._predict(pool)
        n_candidates = np.bincount(predicted, minlength=len(n_labels))
        columns = assign_columns(n_labels, n_candidates, batch_size, pool.random_state)
        picks = np.empty(batch_size, dtype=np.intp)
        for column in np.unique(columns):
            members, slots = np.flatnonzero(predicted == column), np.flatnonzero(columns == column)
            picks[slots] = members[_COVER.select(pool.take(members), len(slots))]
        return picks

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return what the strategy depends on, or before it the coverage that each row adds.

        It is the coverage of rows of the same zero-shot class.
        """
        if self._has_enough_labels(pool):
            return self._get_strategy().explain(pool)
        predicted, _ = self._predict(pool)
        gains = np.empty(len(pool))
        for column in np.unique(predicted):
            members = np.flatnonzero(predicted == column)
            gains[members] = _COVER.explain(pool.take(members))["score"]
        return {"added coverage": gains}

    def _has_enough_labels(self, pool: PoolView) -> bool:
        """Return whether there are enough labels, and a model that the strategy can read."""
        if pool.labeled is None:
            return False
        n_classes = len(find_classes(self.proba, self.classes, pool.classes))
        enough = self.n_labels or _LABELS_PER_CLASS * max(2, n_classes)
        return len(pool.labeled) >= enough and all(
            any(pool.provides(option) for option in need.split("|")) for need in self.fitted_needs
        )

    def _predict(self, pool: PoolView) -> tuple[Positions, Positions]:
        """Return the most probable column of each row, (n_rows,), and the labels of each column.

        While it is not known which class each column is of, no labels are counted.
        """
        proba, known = read_zero_shot(self.proba, pool.X), pool.classes
        n_labels = np.zeros(proba.shape[1], dtype=np.intp)
        classes = find_classes(self.proba, self.classes, known)
        if len(classes) != len(n_labels) and classes is not known:
            raise ValueError(
                f"classes has {len(classes)} entries, but proba gives {len(n_labels)} columns: "
                "list the class of each column, in order."
            )
        if pool.labeled is not None and len(classes) == len(n_labels):
            rows, columns = locate_labels(pool.labeled.y, classes)
            labeled = read_zero_shot(self.proba, pool.labeled.take(rows).X)
            proba = calibrate(proba, labeled, columns)
            n_labels += np.bincount(columns, minlength=len(n_labels))
        return proba.argmax(axis=1), n_labels


class _Flat(ScoreStrategy):
    """Score all rows the same: for coverage alone, whatever a model says."""

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Return ones, (n_rows,)."""
        return np.ones(len(pool))


_COVER = Auto(uncertainty=_Flat())
