"""Planner: from labels to the rows to ask about next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skactive._utils.array_types import Positions
from skactive._utils.fingerprint import describe_rows
from skactive._utils.labels import is_structured, join_labels
from skactive._utils.predictions import flatten_numbers
from skactive._utils.rows import join_rows, n_rows, select_rows, take_rows
from skactive._utils.seeding import derived_seed
from skactive._utils.tags import is_classifier
from skactive.estimation._audit import right_rows
from skactive.exceptions import CapabilityError
from skactive.labeling.state._changes import LabelSnapshot
from skactive.labeling.state._events import Ident, Label
from skactive.labeling.state._state import SessionState
from skactive.strategies import Auto

__all__ = ["Plan", "Planner"]


_MAX_SCORED = 10_000  # rows of a pool that are scored only to be shown
_LEARNER_STREAM = 0x1EA2  # random numbers of a learner without a seed of its own


@dataclass(frozen=True)
class Plan:
    """Rows to ask about, best first, and the model that chose them.

    Parameters
    ----------
    upto : int
        Position of the event at which the plan became due.
    n_labels : int
        Number of labels that the model learned from; 0 without a model.
    ids : list of str or int
        The rows.
    scores : list of float or None
        Their scores among all unlabeled rows, if the query strategy scores rows, and the scores do
        not depend on those of more than 10,000 other rows.
    learner : ActiveLearner or None
        The fitted learner; None while the labels are too few to fit one.
    audit : ndarray of shape (n_audited,)
        1 for labeled audit rows that the model predicts correctly, 0 for the others.
    errors : ndarray of shape (n_audited,)
        The absolute errors of the model on these rows, if labels are numbers; `audit` is then
        empty.
    fit_seconds, query_seconds : float
        Durations.
    again : sequence of str or int, default=()
        Those of the rows that have a label, and are asked about for a further opinion.
    """

    upto: int
    n_labels: int
    ids: list[Ident]
    scores: list[float] | None
    learner: Any
    audit: NDArray[np.float64]
    errors: NDArray[np.float64]
    fit_seconds: float
    query_seconds: float
    again: Sequence[Ident] = ()


class Planner:
    """Fit and query the learner; the order of the labels makes no difference.

    Parameters
    ----------
    learner : ActiveLearner
        The learner; it is never changed.
    X : rows in any container
        The pool.
    ids : sequence of str or int
        Ids of its rows.
    reserved : ndarray of int
        Positions of the audit rows, in the order in which they are handed out.
    batch_size : int
        Number of rows that are chosen as a batch.
    n_ahead : int
        Number of rows in a plan, to hand out while the next plan is made.
    seed : int
        Seed of a learner without one.
    multilabel : bool
        Whether a label is a list of classes.

    Attributes
    ----------
    reserved : ndarray of int
        Positions of the audit rows, which are neither chosen nor learned from, in the order in
        which they are handed out.
    positions : dict of id to int
        Positions of the rows in the pool.
    is_classifier : bool
        Whether labels are classes.
    n_known : int
        Number of labels that the learner had before the session; it keeps them.
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
        self.X, self.ids = X, ids
        self.positions = {ident: position for position, ident in enumerate(ids)}
        rows = np.arange(n_rows(X))
        self.reserved = reserved
        self._candidates = np.setdiff1d(rows, self.reserved)
        self._batch_size, self._n_ahead, self._multilabel = batch_size, n_ahead, multilabel
        self._known_rows, self._known_labels = _get_known(learner, multilabel)
        self._learner = deepcopy(learner) if learner.prefit else clone(learner)
        if self._learner.random_state is None:
            self._learner.set_params(random_state=derived_seed(seed, _LEARNER_STREAM))
        self.is_classifier = is_classifier(self._learner)

    @property
    def n_known(self) -> int:
        """Number of labels that the learner had before the session."""
        return len(self._known_labels)

    @property
    def known_classes(self) -> list[Any]:
        """The classes of these labels."""
        return np.unique(self._known_labels).tolist() if self.is_classifier else []

    def describe_known(self) -> list[str]:
        """Describe the labeled rows that the learner had before the session."""
        if not self.n_known:
            return []
        return [describe_rows(self._known_rows), describe_rows(self._known_labels)]

    def fit(self, labels: dict[Ident, Label], classes: Iterable[Label]) -> Any:
        """Return a learner that has learned labels, or None if they are of one class.

        It has no model while they are too few for it.
        """
        if self._are_too_few(labels):
            return self._learner if self._learner.prefit else None
        if not labels:
            return clone(self._learner).fit(self._known_rows, self._known_labels)
        rows, y = self._take_labeled(labels, classes)
        if self._learner.prefit:
            return deepcopy(self._learner).teach(rows, y)
        if self.n_known:
            rows, y = join_rows(self._known_rows, rows), join_labels(self._known_labels, y)
        return clone(self._learner).fit(rows, y)

    def _take_labeled(
        self, labels: dict[Ident, Label], classes: Iterable[Label]
    ) -> tuple[Any, Any]:
        """Return labeled rows in the order of the pool, and their targets."""
        positions = np.sort([self.positions[ident] for ident in labels])
        y = self._encode([labels[self.ids[position]] for position in positions], classes)
        return take_rows(self.X, positions), y

    def _encode(self, labels: list[Label], classes: Iterable[Label]) -> Any:
        """Return targets: (n_labels,), or if multilabel (n_labels, n_classes) of 0 and 1."""
        if not self._multilabel:
            return np.asarray(labels)
        from sklearn.preprocessing import MultiLabelBinarizer  # late: few sessions need it

        labeled: set[Any] = {c for label in labels for c in label}  # type: ignore[union-attr]
        all_classes: list[Any] = sorted(labeled | set(classes))
        return MultiLabelBinarizer(classes=all_classes).fit_transform(labels)

    def settle(self, state: SessionState, snapshot: LabelSnapshot) -> LabelSnapshot:
        """Return a snapshot whose labels are those to learn from."""
        return snapshot

    def plan(
        self, due: LabelSnapshot, audit_labels: dict[Ident, Label], classes: Sequence[Label]
    ) -> Plan:
        """Fit the learner, and choose the rows to ask about next."""
        began = perf_counter()
        learner = self.fit(due.labels, classes)
        fitted = perf_counter()
        pool = self._find_unlabeled(due)
        order = self._rank(learner, pool)
        learner = _keep_if_fitted(learner)
        scores = self._score(learner, pool, order)
        return Plan(
            due.upto,
            self.n_known + len(due.labels) if learner is not None else 0,
            [self.ids[position] for position in order],
            scores,
            learner,
            self._audit(learner, audit_labels, classes),
            self._measure_errors(learner, audit_labels),
            fitted - began,
            perf_counter() - fitted,
        )

    def _are_too_few(self, labels: dict[Ident, Label]) -> bool:
        if self._multilabel or not self.is_classifier:
            return self.n_known + len(labels) < 2
        return len(set(labels.values()).union(self._known_labels)) < 2

    def _find_unlabeled(self, due: LabelSnapshot) -> Positions:
        answered = [self.positions[ident] for ident in (*due.labels, *due.refused)]
        return np.setdiff1d(self._candidates, np.asarray(answered, dtype=np.intp))

    def _rank(self, learner: Any, pool: Positions) -> Positions:
        """Choose a batch, and after it rows to hand out while the next plan is made."""
        batch = self._query(learner, pool, min(self._batch_size, len(pool)))
        rest = np.setdiff1d(pool, batch)
        n_more = min(self._n_ahead - len(batch), len(rest))
        if n_more <= 0:
            return batch
        return np.concatenate([batch, self._query(learner, rest, n_more)])

    def _query(self, learner: Any, pool: Positions, n: int) -> Positions:
        if n <= 0:
            return pool[:0]
        rows = select_rows(self.X, pool)
        if learner is not None:
            return pool[learner.query(rows, n)]
        try:
            return pool[clone(self._learner).query(rows, n)]
        except (NotFittedError, CapabilityError):  # its strategy needs a model
            return pool[clone(self._learner).set_params(strategy=Auto()).query(rows, n)]

    def _score(self, learner: Any, pool: Positions, order: Positions) -> list[float] | None:
        """Return the scores of chosen rows, as rows of the pool; None without any.

        Most scores compare a row with the others of its pool, so that all are scored; they are left
        out where that takes long.
        """
        if learner is None or not len(order) or not hasattr(learner, "score_pool"):
            return None
        if getattr(learner.strategy, "rowwise", False):
            return list(learner.score_pool(select_rows(self.X, order)).tolist())
        if len(pool) > _MAX_SCORED:
            return None
        scores = learner.score_pool(select_rows(self.X, pool))
        return list(scores[np.searchsorted(pool, order)].tolist())  # the pool is sorted

    def _audit(
        self, learner: Any, audit_labels: dict[Ident, Label], classes: Sequence[Label]
    ) -> NDArray[np.float64]:
        if learner is None or not audit_labels:
            return np.empty(0)
        right = right_rows(learner, *self._take_labeled(audit_labels, classes))
        return np.empty(0) if right is None else right

    def _measure_errors(
        self, learner: Any, audit_labels: dict[Ident, Label]
    ) -> NDArray[np.float64]:
        """Return the absolute errors on the labeled audit rows; none of a classifier."""
        if learner is None or not audit_labels or self.is_classifier or self._multilabel:
            return np.empty(0)
        rows, y = self._take_labeled(audit_labels, ())
        return np.abs(flatten_numbers(learner.predict(rows)).astype(np.float64) - y)


def _keep_if_fitted(learner: Any) -> Any:
    """Return a learner that has a model, or None."""
    return learner if learner is not None and learner._has_model() else None


def _get_known(learner: Any, multilabel: bool) -> tuple[Any, Any]:
    """Return the labeled rows that a fitted learner has; a prefit one keeps its own."""
    if learner.prefit or not hasattr(learner, "estimator_"):
        return None, np.empty(0)
    if multilabel:
        raise ValueError(
            "The learner is fitted, but the names of its classes are not known to a multilabel "
            "session: pass sklearn.base.clone(learner), and its labels as labels=."
        )
    if is_structured(learner.y_labeled_):
        raise ValueError(
            "The learner was fitted to a list, array, set or dict per row, and here people are "
            "asked for one label per row: pass a learner of such labels."
        )
    return learner.X_labeled_, np.asarray(learner.y_labeled_)
