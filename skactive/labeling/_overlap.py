"""Second opinions: which labeled rows are asked about again, and what is learned from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skactive._utils.array_types import Floats, Positions
from skactive._utils.rows import take_rows
from skactive._utils.seeding import draw_seed
from skactive.crowds import ActiveLab, Answers, OneCoin
from skactive.crowds._purchases import measure_information
from skactive.labeling._planner import Plan, Planner
from skactive.labeling.state._changes import LabelSnapshot
from skactive.labeling.state._events import Ident, Label
from skactive.labeling.state._opinions import list_opinions
from skactive.labeling.state._state import SessionState
from skactive.labeling.stores import LabelStore

__all__ = ["OverlapPlanner", "check_overlap", "make_planner"]

_WHEN_IT_PAYS = "when it pays"
_CHUNK = 1_000  # events in memory at a time


def check_overlap(overlap: Any) -> None:
    """Check the parameter of a session."""
    if overlap not in {None, _WHEN_IT_PAYS}:
        raise ValueError(f"overlap must be None or {_WHEN_IT_PAYS!r}, got {overlap!r}.")


def make_planner(overlap: str | None, store: LabelStore, learner: Any, **settings: Any) -> Planner:
    """Return the planner of a session."""
    if overlap is None:
        return Planner(learner, **settings)
    planner = OverlapPlanner(learner, store=store, **settings)
    if settings["multilabel"] or not planner.is_classifier:
        raise ValueError(
            f"overlap={overlap!r} is for one class per row, but here a label is "
            f"{'a list of classes' if settings['multilabel'] else 'a number'}: leave it out."
        )
    if learner.prefit or not hasattr(learner.estimator, "predict_proba"):
        raise ValueError(
            f"overlap={overlap!r} needs a model with predict_proba that is fitted anew, to predict "
            "rows that it has not learned from: choose another model, set prefit=False, or leave "
            "overlap out."
        )
    return planner


@dataclass(frozen=True)
class SettledSnapshot(LabelSnapshot):
    """Labels that are the consensus of all answers, and these answers; items are positions."""

    answers: Answers | None = None


class OverlapPlanner(Planner):
    """A planner that learns from the consensus, and asks about labeled rows again.

    Second opinions are ranked among the new rows of the plan by the information that the answer of
    an average annotator would give about the label; those that could not change the label are
    left out.

    Parameters
    ----------
    learner, **settings
        As of a Planner.
    store : LabelStore
        The store of the session.
    """

    def __init__(self, learner: Any, *, store: LabelStore, **settings: Any) -> None:
        super().__init__(learner, **settings)
        self._store, self._past = store, SessionState(None)

    def settle(self, state: SessionState, snapshot: LabelSnapshot) -> SettledSnapshot:
        """Return a snapshot whose labels are the consensus of all answers at its position."""
        at = state if snapshot.upto == state.position else self._replay(snapshot.upto)
        answers, labels = self._collect(at), dict(snapshot.labels)
        if answers is not None:
            crowd = OneCoin(smoothing=1.0).fit(answers)
            n_given = np.bincount(answers.item_codes)
            for place in np.flatnonzero(n_given > 1).tolist():
                item = self.ids[crowd.items_[place]]
                if item in labels:
                    labels[item] = crowd.labels_[place].item()
        return SettledSnapshot(snapshot.upto, labels, snapshot.refused, answers)

    def plan(
        self, due: LabelSnapshot, audit_labels: dict[Ident, Label], classes: Sequence[Label]
    ) -> Plan:
        """Fit the learner, and choose new rows and second opinions to ask for next."""
        plan = super().plan(due, audit_labels, classes)
        if not _has_answers(due) or plan.learner is None:
            return plan
        began = perf_counter()
        plan = self._add_opinions(plan, due.answers)
        return replace(plan, query_seconds=plan.query_seconds + perf_counter() - began)

    def _replay(self, upto: int) -> SessionState:
        """Return the state of the session as it was at an earlier position of the store."""
        if self._past.position > upto:
            self._past = SessionState(None)
        while self._past.position < upto:
            n_events = min(_CHUNK, upto - self._past.position)  # positions have no gaps
            self._past.apply(self._store.events(self._past.position, n_events))
        return self._past

    def _collect(self, state: SessionState) -> Answers | None:
        """Return the labels that people gave to rows of the pool outside of the audit."""
        reserved = set(self.reserved.tolist())
        given = [
            (position, annotator or "", label)
            for item, annotator, label in list_opinions(state)
            if (position := self.positions.get(item)) is not None and position not in reserved
        ]
        return Answers(*zip(*given, strict=True)) if given else None

    def _add_opinions(self, plan: Plan, answers: Answers) -> Plan:
        """Put second opinions into a plan, where they are worth more than the next new row."""
        new = np.array([self.positions[item] for item in plan.ids], dtype=np.intp)
        worth, could_change = self._measure_worth(answers, new)
        n_answered = len(answers.items)
        again = np.flatnonzero(could_change[:n_answered])
        again = again[np.argsort(-worth[again], kind="stable")][: self._n_ahead]
        order = _merge(worth[n_answered:], worth[again])
        scores: list[Any] = [None] * len(new) if plan.scores is None else list(plan.scores)
        second = [self.ids[row] for row in answers.items[again].tolist()]
        ids, values = [*plan.ids, *second], [*scores, *[None] * len(second)]
        return replace(
            plan,
            ids=[ids[place] for place in order],
            scores=None if plan.scores is None else [values[place] for place in order],
            again=second,
        )

    def _measure_worth(self, answers: Answers, new: Positions) -> tuple[Floats, NDArray[np.bool_]]:
        """Return what an answer tells about answered and new rows, and where it could change them.

        Both of shape (n_answered + n_new,).
        """
        rows = take_rows(self.X, np.concatenate([answers.items, new]))
        local = Answers(
            answers.item_codes,
            answers.annotators[answers.annotator_codes],
            answers.classes[answers.label_codes],
        )
        model = clone(self._learner).set_params(classes=None)  # it is fitted to codes
        seed = draw_seed(clone(model).random_state)
        lab = ActiveLab(model, random_state=seed).fit(rows, local)
        if np.isnan(lab.annotator_accuracy_).any():  # all consensus labels are alike
            return np.zeros(len(lab.proba_)), np.zeros(len(lab.proba_), dtype=bool)
        accuracy = np.average(lab.annotator_accuracy_, weights=np.bincount(local.annotator_codes))
        first, second = -np.sort(-lab.proba_, axis=1)[:, :2].T
        other = (1 - accuracy) / (lab.proba_.shape[1] - 1)
        could_change = second * accuracy > first * other
        return measure_information(lab.proba_, float(accuracy)), could_change


def _has_answers(snapshot: LabelSnapshot) -> TypeGuard[Any]:
    return isinstance(snapshot, SettledSnapshot) and snapshot.answers is not None


def _merge(new: Floats, again: Floats) -> list[int]:
    """Return the order of new rows, then second opinions, that keeps that of each.

    A second opinion comes before the next new row if it is worth more.
    """
    order, taken = [], 0
    for place, worth in enumerate(new.tolist()):
        while taken < len(again) and again[taken] > worth:
            order.append(len(new) + taken)
            taken += 1
        order.append(place)
    return [*order, *range(len(new) + taken, len(new) + len(again))]
