"""Planner: from labels to the rows to ask about next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError

from skactive._utils.rows import n_rows, take_rows
from skactive._utils.seeding import derived_seed
from skactive.estimation._audit import right_rows
from skactive.exceptions import CapabilityError
from skactive.labeling.state._events import Ident, Label
from skactive.labeling.state._state import Due
from skactive.strategies import Auto

__all__ = ["Plan", "Planner", "reserved_rows"]

Positions = NDArray[np.intp]


@dataclass(frozen=True)
class Plan:
    """Rows to ask about, best first, and the model that asks.

    Parameters
    ----------
    upto : int
        The place of the event by which it became due.
    n_labels : int
        How many labels the model learned from; 0 where there is no model yet.
    ids : list of str or int
        The rows.
    scores : list of float or None
        What the strategy gave them, where it scores rows.
    learner : ActiveLearner or None
        The fitted learner, or None while the labels do not allow one.
    audit : ndarray of shape (n_audited,)
        Which rows of the audit it predicts rightly: 1 or 0.
    fit_seconds, query_seconds : float
        What it took.
    """

    upto: int
    n_labels: int
    ids: list[Ident]
    scores: list[float] | None
    learner: Any
    audit: NDArray[np.float64]
    fit_seconds: float
    query_seconds: float


class Planner:
    """Fits the learner to labels and lets it choose; a function of the labels, not their order.

    Parameters
    ----------
    learner : ActiveLearner
        It is never changed.
    X : rows in any container
        The pool.
    ids : sequence of str or int
        Of its rows.
    reserved : ndarray of int
        Positions of the rows of the audit, which are never chosen nor learned from.
    batch_size : int
        How many rows are chosen as a batch.
    n_ahead : int
        How many rows a plan holds in all, for while the next one is made.
    seed : int
        For a learner that has none.
    multilabel : bool
        Whether each label is a set of classes.
    """

    def __init__(
        self,
        learner: Any,
        X: Any,
        ids: Sequence[Ident],
        *,
        reserved: Positions,
        batch_size: int,
        n_ahead: int,
        seed: int,
        multilabel: bool,
    ) -> None:
        self.X, self.ids, self.reserved = X, ids, reserved
        self.positions = {ident: position for position, ident in enumerate(ids)}
        self._batch_size, self._n_ahead, self._multilabel = batch_size, n_ahead, multilabel
        self._learner = deepcopy(learner) if learner.prefit else clone(learner)
        if self._learner.random_state is None:
            self._learner.set_params(random_state=seed)
        self.is_classifier = is_classifier(self._learner)
        self._free = np.setdiff1d(np.arange(n_rows(X)), reserved)

    def fitted(self, labels: dict[Ident, Label], classes: Iterable[Label]) -> Any:
        """Return a learner fitted to labels, or None where they are too few for it."""
        if self._too_few(labels):
            return self._learner if self._learner.prefit else None
        rows, y = self._labeled(labels, classes)
        if self._learner.prefit:
            return deepcopy(self._learner).teach(rows, y)
        return clone(self._learner).fit(rows, y)

    def _labeled(self, labels: dict[Ident, Label], classes: Iterable[Label]) -> tuple[Any, Any]:
        """Return rows in the order of the pool, and their labels as a model takes them."""
        positions = np.sort([self.positions[ident] for ident in labels])
        y = self._targets([labels[self.ids[position]] for position in positions], classes)
        return take_rows(self.X, positions), y

    def _targets(self, labels: list[Label], classes: Iterable[Label]) -> Any:
        """Return one label each, or a column of 0 and 1 for each class."""
        if not self._multilabel:
            return np.asarray(labels)
        from sklearn.preprocessing import MultiLabelBinarizer  # late: few sessions need it

        given: set[Any] = {each for label in labels for each in label}  # type: ignore[union-attr]
        known: list[Any] = sorted(given | set(classes))
        return MultiLabelBinarizer(classes=known).fit_transform(labels)

    def plan(self, due: Due, audited: dict[Ident, Label], classes: Sequence[Label]) -> Plan:
        """Return what to ask about after some answers."""
        began = perf_counter()
        learner = self.fitted(due.labels, classes)
        fitted = perf_counter()
        pool = self._pool(due)
        order = self._order(learner, pool)
        scores = self._scores(learner, order)
        return Plan(
            due.upto,
            len(due.labels) if learner is not None else 0,
            [self.ids[position] for position in order],
            scores,
            learner,
            self._audit(learner, audited, classes),
            fitted - began,
            perf_counter() - fitted,
        )

    def _too_few(self, labels: dict[Ident, Label]) -> bool:
        if self._multilabel or not self.is_classifier:
            return len(labels) < 2
        return len(set(labels.values())) < 2

    def _pool(self, due: Due) -> Positions:
        answered = [self.positions[ident] for ident in (*due.labels, *due.refused)]
        return np.setdiff1d(self._free, np.asarray(answered, dtype=np.intp))

    def _order(self, learner: Any, pool: Positions) -> Positions:
        """Choose a batch, and after it rows for while nothing newer is there."""
        first = self._chosen(learner, pool, min(self._batch_size, len(pool)))
        rest = np.setdiff1d(pool, first)
        ahead = min(self._n_ahead - len(first), len(rest))
        if ahead <= 0:
            return first
        return np.concatenate([first, self._chosen(learner, rest, ahead)])

    def _chosen(self, learner: Any, pool: Positions, n: int) -> Positions:
        if n <= 0:
            return pool[:0]
        rows = take_rows(self.X, pool)
        if learner is not None:
            return pool[learner.query(rows, n)]
        try:
            return pool[clone(self._learner).query(rows, n)]
        except (NotFittedError, CapabilityError):  # its strategy needs a model
            return pool[clone(self._learner).set_params(strategy=Auto()).query(rows, n)]

    def _scores(self, learner: Any, order: Positions) -> list[float] | None:
        if learner is None or not len(order) or not hasattr(learner, "score_pool"):
            return None
        return [float(score) for score in learner.score_pool(take_rows(self.X, order))]

    def _audit(
        self, learner: Any, audited: dict[Ident, Label], classes: Sequence[Label]
    ) -> NDArray[np.float64]:
        if learner is None or not audited:
            return np.empty(0)
        right = right_rows(learner, *self._labeled(audited, classes))
        return np.empty(0) if right is None else right


def reserved_rows(n: int, share: float, seed: int) -> Positions:
    """Draw the rows of the audit, in the order in which they are asked about."""
    order = np.random.RandomState(derived_seed(seed, 0xA0D1)).permutation(n)
    return order[: round(share * n)]
