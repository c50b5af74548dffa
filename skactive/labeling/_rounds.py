"""Rounds: fitting the learner and planning what to ask next, in the background or at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np

from skactive._utils.array_types import Floats
from skactive.estimation._intervals import mean_interval
from skactive.labeling._planner import Plan, Planner
from skactive.labeling._synced import SyncedState
from skactive.labeling._worker import BackgroundWorker
from skactive.labeling.hooks._base import Notifier
from skactive.labeling.state._events import Event, Ident, Label
from skactive.stopping import Round

__all__ = ["Rounds"]


class Rounds:
    """The rounds of a session: makes the plan that is due, and stores it.

    The events of the store decide when a plan is due. It is made of the labels at that position
    of the store, so it is the same whichever session makes it, and when. Nobody waits for it: while
    a plan is made, rows of the plan before it are handed out.

    Parameters
    ----------
    planner : Planner
        Fits the learner and queries it.
    synced : SyncedState
        The state of the session, and its store.
    notifier : Notifier
        Calls the hooks.
    get_classes : callable
        Returns the classes of the session.
    get_cost : callable
        Returns the cost of all labels; None if they have no prices.
    stopping : StoppingCriterion or None
        Updated after each fit.
    seed : int
        Seed that is passed to the stopping criterion.
    background : bool
        Whether to make plans in a thread of their own.

    Attributes
    ----------
    planner : Planner
        The planner.
    latest_model : (dict, ActiveLearner) or None
        The latest model of this session, after the labels that it learned from.
    """

    def __init__(
        self,
        planner: Planner,
        synced: SyncedState,
        notifier: Notifier,
        *,
        get_classes: Callable[[], list[Any]],
        get_cost: Callable[[], float | None],
        stopping: Any,
        seed: int,
        background: bool,
    ) -> None:
        self.planner, self._synced, self._notifier = planner, synced, notifier
        self._get_classes, self._get_cost, self._seed = get_classes, get_cost, seed
        self._reserved = [planner.ids[position] for position in planner.reserved]
        self._monitor = None if stopping is None else stopping.start()
        self._began = time.perf_counter()
        self.latest_model: tuple[dict[Ident, Label], Any] | None = None
        self._worker = BackgroundWorker(self._make_plan) if background else None
        self._planning = Lock()  # one plan at a time
        self._error: Exception | None = None  # of the last fit
        self._failed: int | None = None  # the due plan that could not be made

    # Planning -------------------------------------------------------------------------------------

    @property
    def is_fitting(self) -> bool:
        """True while a plan is being made in the background."""
        return self._worker is not None and self._worker.busy

    @property
    def problem(self) -> str:
        """Error of the last fit; empty if there was none."""
        return f"{type(self._error).__name__}: {self._error}" if self._error else ""

    def ensure_plan(self) -> None:
        """Make the plan without which no rows can be handed out.

        That is the first plan; without a background thread also any other plan that is due.
        """
        with self._synced.latest() as state:
            needs_plan = state.plan is None or (self._worker is None and self._is_due())
        if needs_plan:
            self._make_plan()
            if self._synced.state.plan is None and self._error is not None:
                raise self._error  # nothing can be asked: the learner does not take these rows
        self.wake()

    def wake(self) -> None:
        """Start on a plan that is due, in the background if there is such a thread."""
        if self._worker is not None and self._is_due():
            self._worker.wake()

    def wait(self, timeout: float | None) -> bool:
        """Wait until the plan that is due is made; return whether it is."""
        self.ensure_plan()
        return True if self._worker is None else self._worker.wait(timeout)

    def stop(self) -> None:
        """Begin no further plan."""
        if self._worker is not None:
            self._worker.stop()

    def _is_due(self) -> bool:
        plan, due = self._synced.state.plan, self._synced.state.due
        return plan is None or (plan.value["upto"] < due and self._failed != due)

    def _make_plan(self) -> None:
        """Make and store the plan that is due, unless another session has."""
        with self._planning:
            try:
                with self._synced.latest() as state:
                    if not self._is_due():
                        return
                    due = self.planner.settle(state, state.snapshot_due())
                    audit_labels = self._get_audit_labels()
                    classes = self._get_classes()
                plan = self.planner.plan(due, audit_labels, classes)
                self._store_plan(plan, due.labels)
            except Exception as error:  # rows of the plan before can still be labeled
                if not self._synced.closed:
                    self._error, self._failed = error, self._synced.state.due
                return
        self._error = None

    def _store_plan(self, plan: Plan, labels: dict[Ident, Label]) -> None:
        """Store a plan, and notify the hooks."""
        settings = self._synced.state.settings
        record: dict[str, Any] = {
            "by": settings,
            "upto": plan.upto,
            "n_labels": plan.n_labels,
            "ids": plan.ids,
            "scores": plan.scores,
            "fit_seconds": plan.fit_seconds,
            "query_seconds": plan.query_seconds,
            "audit": [int(plan.audit.sum()), len(plan.audit)] if len(plan.audit) else None,
            "audit_error": _estimate_error(plan.errors),
            "n_audited": len(plan.audit) or len(plan.errors),
            **({"again": list(plan.again)} if plan.again else {}),
            **self._stopping_record(plan, labels),
        }
        with self._synced.lock:
            if self._synced.closed:
                return
            self._synced.append([Event("plan", f"plan:{settings}:{plan.upto}", value=record)])
            if plan.learner is not None:
                self.latest_model = labels, plan.learner
        self._notifier.notify_round(record)

    def _stopping_record(self, plan: Plan, labels: dict[Ident, Label]) -> dict[str, Any]:
        """Update the stopping criterion; return its values, and the reason if it says stop."""
        if self._monitor is None or plan.learner is None:
            return {"stopping": {}, "stop": ""}
        with self._synced.lock:
            cost = self._get_cost()
        unlabeled = [p for ident, p in self.planner.positions.items() if ident not in labels]
        verdict = self._monitor.update(
            Round(
                n_labels=len(labels),
                learner=plan.learner,
                X=self.planner.X,
                pool=np.setdiff1d(unlabeled, self.planner.reserved),
                seed=self._seed,
                audit=plan.audit if self._reserved else None,
                seconds=time.perf_counter() - self._began,
                cost=cost,
            )
        )
        values = {k: None if np.isnan(v) else float(v) for k, v in self._monitor.values().items()}
        return {"stopping": values, "stop": verdict.reason if verdict.stop else ""}

    def _get_audit_labels(self) -> dict[Ident, Label]:
        labels = ((item, self._synced.state.get_label(item)) for item in self._reserved)
        return {item: label for item, label in labels if label is not None}

    # The current model ----------------------------------------------------------------------------

    def fit_now(self) -> Any:
        """Return the learner, fitted to all labels as they are now.

        Raises
        ------
        ValueError
            If the labels are too few to fit it.
        """
        with self._synced.latest() as state:
            now = self.planner.settle(state, state.snapshot_now())
            if self.latest_model is not None and self.latest_model[0] == now.labels:
                return self.latest_model[1]
        learner = self.planner.fit(now.labels, self._get_classes())
        if learner is None:
            raise ValueError(
                f"{len(now.labels)} labels are too few to fit the learner: a classifier needs two "
                "classes. Label more rows."
            )
        if not learner.__sklearn_is_fitted__():
            raise ValueError(f"{learner._waiting_text} Label more rows.")
        self.latest_model = now.labels, learner
        return learner


def _estimate_error(errors: Floats) -> list[float] | None:
    """Return the mean of absolute errors, and its 95 % interval; None if they are too few."""
    low, high = mean_interval(errors)
    if not np.isfinite([low, high]).all():
        return None
    return [float(errors.mean()), max(low, 0.0), high]
