"""LabelingSession: the loop for labels that come from people."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, RLock
from typing import Any, Self

import numpy as np

from skactive._utils.fingerprint import describe, describe_model, describe_rows, digest
from skactive._utils.rows import take_rows
from skactive._utils.seeding import derived_seed, draw_seed
from skactive.exceptions import LabelError, PoolChangedError
from skactive.labeling._planner import Plan, Planner, reserved_rows
from skactive.labeling._validation import (
    check_answers,
    check_family,
    check_ids,
    check_known,
    check_label,
    family,
)
from skactive.labeling._worker import BackgroundWorker
from skactive.labeling.hooks._base import SessionEvent, call_hooks, check_hooks
from skactive.labeling.state._events import Event, Ident, Label, keyed_id, new_id
from skactive.labeling.state._leases import LiveLeases
from skactive.labeling.state._progress import Progress, progress_of, records_of
from skactive.labeling.state._queue import Queue
from skactive.labeling.state._state import SessionState
from skactive.labeling.stores import LabelStore, SQLiteLabelStore
from skactive.stopping import Round

__all__ = ["Batch", "LabelingSession"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows to label.

    Parameters
    ----------
    ticket : str
        To be passed back with the answers.
    ids : list of str or int
        Which rows.
    rows : rows in the container of the pool
        The rows themselves.
    """

    ticket: str
    ids: list[Ident]
    rows: Any

    def __len__(self) -> int:
        return len(self.ids)


class LabelingSession:
    """Labels from people, in any order, from several of them, over weeks; none is lost.

    The session owns the pool, and works in ids. It hands out rows, takes answers, keeps them in a
    store, and refits the learner in the background, while there is always a next row. Several
    sessions, in several processes, may share a store. What is asked next follows from the store
    alone: after a crash, a session opened anew goes on where the last one was.

    Parameters
    ----------
    learner : ActiveLearner
        What learns, and chooses. It is never changed; see the attribute `learner`.
    X : rows in any container
        The pool.
    ids : sequence of str or int, default=None
        A unique name for each row. None numbers them from 0.
    store : LabelStore, str or Path, default=None
        Where labels are kept: a store, or the path of a file for a
        :class:`~skactive.labeling.SQLiteLabelStore`. None keeps them in a temporary file that goes
        with the session.
    labels : mapping of id to label, default=None
        Labels that are known already; those of rows that the store has no label for are added.
    classes : sequence, default=None
        The classes there are; then other labels are refused, unless :meth:`add_class` adds them.
        None: a class is new with its first label.
    multilabel : bool, default=False
        Whether a label is a list of classes.
    stopping : StoppingCriterion, default=None
        Asked after each fit when to stop; see :mod:`skactive.stopping`. People may go on. What it
        remembers of earlier rounds begins anew with each session.
    audit_share : float, default=0.0
        Share of the rows that is drawn at random for an audit. So many of the rows handed out are
        of these; the model does not learn from them, they tell how good it is.
    refit_every : int, default=10
        After so many changed labels the learner is fitted anew.
    n_ahead : int, default=100
        How many rows each model chooses, so that there are some while the next one is fitted. The
        first `refit_every` of them are chosen as a batch of their own.
    lease_seconds : float, default=1800
        How long rows that were handed out are kept for whoever got them.
    background : bool, default=True
        Whether to fit in a thread of its own. If not, :meth:`next_batch` waits for the fit.
    hooks : sequence of objects, default=()
        Told of what happens; see :mod:`skactive.labeling.hooks`.
    random_state : int or None, default=None
        Seed of the audit and of a learner that has none. None: drawn once, and kept in the store.

    Attributes
    ----------
    ids : list of str or int
        Of the rows of the pool.
    store : LabelStore
        Where labels are kept.
    audit_ids : frozenset of str or int
        The rows of the audit.
    seed : int
        What the audit and the order of last resort are drawn from.

    Raises
    ------
    PoolChangedError
        If the store was made for other rows.
    StoreError
        If the store cannot be opened.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.labeling import LabelingSession
    >>> X, y = load_iris(return_X_y=True)
    >>> with LabelingSession(ActiveLearner(LogisticRegression(max_iter=500)), X) as session:
    ...     for _ in range(4):
    ...         batch = session.next_batch(5, annotator="ann")
    ...         answers = {row: int(y[row]) for row in batch.ids}  # in real life: a person's
    ...         stored = session.submit(answers, ticket=batch.ticket, annotator="ann")
    ...     session.learner.score(X, y) > 0.8
    True
    """

    def __init__(
        self,
        learner: Any,
        X: Any,
        *,
        ids: Any = None,
        store: Any = None,
        labels: Mapping[Ident, Any] | None = None,
        classes: Sequence[Any] | None = None,
        multilabel: bool = False,
        stopping: Any = None,
        audit_share: float = 0.0,
        refit_every: int = 10,
        n_ahead: int = 100,
        lease_seconds: float = 1800.0,
        background: bool = True,
        hooks: Sequence[Any] = (),
        random_state: int | None = None,
    ) -> None:
        _check_numbers(audit_share, refit_every, n_ahead, lease_seconds)
        self.X, self.ids = X, check_ids(ids, X)
        self.multilabel, self.lease_seconds = multilabel, lease_seconds
        self.hooks = check_hooks(hooks)
        self._name, self._lock = new_id(), RLock()
        self._declared = (
            None if classes is None else [check_label(c, multilabel=False) for c in classes]
        )
        self.store, self._temporary = _opened(store)
        try:
            self._check_pool()
            self.seed = int(self.store.set_fact("seed", draw_seed(random_state)))
            reserved = reserved_rows(len(self.ids), audit_share, self.seed)
            self._reserved = [self.ids[position] for position in reserved]
            self.audit_ids = frozenset(self._reserved)
            self._planner = Planner(
                learner,
                X,
                self.ids,
                reserved=reserved,
                batch_size=refit_every,
                n_ahead=n_ahead,
                seed=derived_seed(self.seed, 0x1EA2),
                multilabel=multilabel,
            )
            self._settings = digest(
                [
                    describe_model(learner),
                    describe(learner.strategy),
                    audit_share,
                    refit_every,
                    n_ahead,
                ]
            )
            self._ledger = SessionState(
                self._settings,
                learned=set(self.ids) - set(self._reserved) if self._reserved else None,
                every=refit_every,
            )
            self._leases = LiveLeases(self._ledger)
            self._queue = Queue(self._ledger, self._leases, self.ids, self._reserved, self.seed)
            self._monitor = None if stopping is None else stopping.start()
            self._began, self._stopped = time.perf_counter(), False
            self._fitted: tuple[dict[Ident, Label], Any] | None = None  # from what, and the learner
            self._background = BackgroundWorker(self._make_plan) if background else None
            self._planning = Lock()
            self._error: Exception | None = None  # of the last fit
            self._failed: int | None = None  # the due plan that could not be made
            self._closed = False
            self._sync()
            if labels is not None:
                self._add_known(labels)
        except BaseException:
            self.store.close()
            self._temporary()
            raise

    # Handing out ----------------------------------------------------------------------------------

    def next_batch(self, n: int = 1, annotator: str | None = None) -> Batch:
        """Hand out rows that nobody else has, best first.

        Rows that the same annotator was given by a session that is gone (the laptop was closed)
        come first. Until there is a first model the learner's strategy chooses without one, or
        ``Auto()`` where it cannot. Later a call never waits for a fit (with ``background=True``).

        Parameters
        ----------
        n : int, default=1
            How many rows; there may be fewer left.
        annotator : str, default=None
            For whom. Rows that they skipped do not come again to them.

        Returns
        -------
        Batch
            Empty where nothing is left for this annotator.

        Raises
        ------
        StoreError
            If the lease cannot be stored.
        """
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}.")
        self._ensure_plan()
        with self._lock:
            with self._exclusive():
                events, chosen = self._next(n, annotator)
                lease = self._lease_of(chosen, annotator)
                self.store.append([*events, lease] if chosen else events)
            self._sync()
        positions = [self.positions[item] for item in chosen]
        return Batch(lease.id, chosen, take_rows(self.X, positions))

    def peek(self, n: int = 1, annotator: str | None = None) -> list[Ident]:
        """Return the ids that :meth:`next_batch` would hand out now, without handing them out.

        Parameters
        ----------
        n : int, default=1
            How many rows.
        annotator : str, default=None
            For whom.

        Returns
        -------
        list of str or int
        """
        self._ensure_plan()
        with self._lock:
            self._sync()
            return self._next(n, annotator)[1]

    def release(self, ticket: str, ids: Iterable[Ident] | None = None) -> None:
        """Give back rows that were handed out and will not be answered.

        Parameters
        ----------
        ticket : str
            Of the batch.
        ids : iterable of str or int, default=None
            Which rows of it; None is all.
        """
        with self._lock:
            self._check_ticket(ticket)
            given = None if ids is None else [check_known(i, self.positions) for i in ids]
            self.store.append([Event("release", new_id(), ticket=ticket, value=given)])
            self._sync()

    # Taking answers -------------------------------------------------------------------------------

    def submit(
        self,
        answers: Mapping[Ident, Any],
        *,
        ticket: str | None = None,
        annotator: str | None = None,
        seconds: float | None = None,
        key: str | None = None,
    ) -> int:
        """Store labels; they are on disk when the call returns.

        Answers may be partial, late, out of order, and for rows that were never handed out. They
        are stored together or not at all. The same answer sent twice is stored once: under a
        ticket, an answer that was given before, even if another came later (use :meth:`relabel` to
        go back to it); without one, an answer that holds already. With a `key` it is the key that
        counts.

        Parameters
        ----------
        answers : mapping of id to label
            A label is a text, a number or a truth value; with ``multilabel=True`` a list of them.
        ticket : str, default=None
            Of the batch that they belong to.
        annotator : str, default=None
            Who answered.
        seconds : float, default=None
            How long each answer took.
        key : str, default=None
            A name for this submission: another one of this name changes nothing.

        Returns
        -------
        int
            How many answers were new.

        Raises
        ------
        LabelError
            If an id is not in the pool, or a label cannot be right; nothing was stored.
        StoreError
            If they cannot be stored (the disk is full, say); nothing was.
        """
        return self._store_labels(answers, ticket, annotator, seconds, key, again=False)

    def relabel(
        self,
        answers: Mapping[Ident, Any],
        *,
        annotator: str | None = None,
        seconds: float | None = None,
        key: str | None = None,
    ) -> int:
        """Change labels that were given; the last answer counts.

        Parameters
        ----------
        answers : mapping of id to label
            As in :meth:`submit`.
        annotator : str, default=None
            Who changes them.
        seconds : float, default=None
            How long each answer took.
        key : str, default=None
            A name for this submission: another one of this name changes nothing.

        Returns
        -------
        int
            How many labels changed.
        """
        return self._store_labels(answers, None, annotator, seconds, key, again=True)

    def skip(
        self,
        ids: Iterable[Ident],
        *,
        ticket: str | None = None,
        annotator: str | None = None,
        key: str | None = None,
    ) -> int:
        """Leave rows to others: they do not come again to this annotator.

        Parameters
        ----------
        ids : iterable of str or int
            The rows.
        ticket : str, default=None
            Of the batch that they belong to.
        annotator : str, default=None
            Who skips them.
        key : str, default=None
            A name for this submission: another one of this name changes nothing.

        Returns
        -------
        int
            How many of these answers were new.
        """
        return self._store_refusals("skip", ids, ticket, annotator, key)

    def mark_unknown(
        self,
        ids: Iterable[Ident],
        *,
        ticket: str | None = None,
        annotator: str | None = None,
        key: str | None = None,
    ) -> int:
        """Say that rows cannot be labeled: they do not come again to anybody.

        Parameters
        ----------
        ids : iterable of str or int
            The rows.
        ticket : str, default=None
            Of the batch that they belong to.
        annotator : str, default=None
            Who says so.
        key : str, default=None
            A name for this submission: another one of this name changes nothing.

        Returns
        -------
        int
            How many of these answers were new.
        """
        return self._store_refusals("unknown", ids, ticket, annotator, key)

    def undo(self, annotator: str | None = None, *, key: str | None = None) -> Ident | None:
        """Take back the last answer of an annotator; what they said of the row before holds again.

        Parameters
        ----------
        annotator : str, default=None
            Who.
        key : str, default=None
            A name for this call: another one of this name changes nothing, and has the same answer.

        Returns
        -------
        str or int or None
            The row; None where there is nothing to take back.
        """
        with self._lock:
            with self._exclusive():
                own_id = new_id() if key is None else f"undo:{key}"
                if (again := self._ledger.undone_by(own_id)) is not None:
                    return again
                last = self._ledger.last_of(annotator)
                if last is None:
                    return None
                event = Event("undo", own_id, item=last.item, annotator=annotator, target=last.id)
                self.store.append([event])
            self._sync()
        self._changed()
        return last.item

    def add_class(self, label: Any) -> None:
        """Add a class to those that were declared.

        Parameters
        ----------
        label : str, int, float or bool
            The class; of the kind of those that there are.

        Raises
        ------
        LabelError
            If it cannot be one.
        """
        checked = check_label(label, multilabel=False)
        with self._lock:
            self._sync()
            check_family(checked, self._kind())
            self.store.append([Event("class", new_id(), value=checked)])
            self._sync()

    # What is known --------------------------------------------------------------------------------

    @property
    def classes(self) -> list[Any]:
        """The classes declared and added, then others that were given as labels, in order."""
        with self._lock:
            self._sync()
            known = dict.fromkeys([*(self._declared or []), *self._ledger.classes])
            return [*known, *sorted(self._ledger.counts("class").keys() - known.keys())]

    @property
    def learner(self) -> Any:
        """The learner, fitted to all labels as they are now; the same until one changes.

        Raises
        ------
        ValueError
            If the labels are too few to fit it.
        """
        with self._lock:
            self._sync()
            now = self._ledger.now()
            if self._fitted is not None and self._fitted[0] == now.labels:
                return self._fitted[1]
        learner = self._planner.fitted(now.labels, self.classes)
        if learner is None:
            raise ValueError(
                f"{len(now.labels)} labels are too few to fit the learner: a classifier needs two "
                "classes. Label more rows."
            )
        self._fitted = now.labels, learner
        return learner

    def predict(self, X: Any) -> Any:
        """Predict by the learner, fitted to all labels as they are now.

        Parameters
        ----------
        X : rows in the container of the pool
            Any rows.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        return self.learner.predict(X)

    def progress(self) -> Progress:
        """Return how far the session is.

        Returns
        -------
        Progress
        """
        with self._lock:
            self._sync()
            known = progress_of(self._ledger, self._leases, n_rows=len(self.ids))
            fitting = self._background is not None and self._background.busy
            problem = f"{type(self._error).__name__}: {self._error}" if self._error else ""
            return replace(known, fitting=fitting, problem=problem)

    def get_answer(self, ident: Ident, annotator: str | None = None) -> Event | None:
        """Return what an annotator last said of a row.

        Parameters
        ----------
        ident : str or int
            The row.
        annotator : str, default=None
            Who.

        Returns
        -------
        Event or None
            With ``kind`` and ``value``, among others; None where they said nothing.
        """
        with self._lock:
            self._sync()
            return self._ledger.get_answer(ident, annotator)

    def last_answer(self, annotator: str | None = None) -> Event | None:
        """Return the last answer of an annotator, which :meth:`undo` would take back.

        Parameters
        ----------
        annotator : str, default=None
            Who.

        Returns
        -------
        Event or None
        """
        with self._lock:
            self._sync()
            return self._ledger.last_of(annotator)

    @property
    def positions(self) -> dict[Ident, int]:
        """Where each row is in the pool, by its id."""
        return self._planner.positions

    @property
    def is_classifier(self) -> bool:
        """Whether labels are classes, and not amounts."""
        return self._planner.is_classifier

    @property
    def latest_model(self) -> tuple[dict[Ident, Label], Any] | None:
        """The labels that the latest model of this session learned from, and the learner.

        It waits for nothing; None until this session has fitted a model.
        """
        return self._fitted

    @property
    def rounds(self) -> list[dict[str, Any]]:
        """What is known of each model, in order; :attr:`history` without pandas."""
        with self._lock:
            self._sync()
            return [event.value for event in self._ledger.rounds]

    def records(self) -> list[dict[str, Any]]:
        """Return the answers that hold, one a row and annotator, in the order in which they came.

        Returns
        -------
        list of dict
            With the keys ``id``, ``kind`` ("label", "skip", "unknown"), ``label``, ``annotator``,
            ``time`` (seconds since 1970), ``seconds``, ``round``, ``score``, ``ticket``.
        """
        with self._lock:
            self._sync()
            return records_of(self._ledger)

    @property
    def labels(self) -> Any:
        """The answers that hold, as a DataFrame: :meth:`records` with times in UTC."""
        from skactive.labeling._export import answers_frame

        return answers_frame(self.records())

    @property
    def history(self) -> Any:
        """A DataFrame with a row for each model: labels, seconds, audit, stopping."""
        from skactive.labeling._export import rounds_frame

        with self._lock:
            self._sync()
            return rounds_frame(self._ledger.rounds)

    def export(self, path: Any, kind: str | None = None) -> Path:
        """Write the answers that hold into a file.

        Parameters
        ----------
        path : str or Path
            The file.
        kind : {"csv", "jsonl", "parquet", "label-studio"}, default=None
            None goes by the ending: .csv, .jsonl, .parquet, .json.

        Returns
        -------
        Path
            The file.
        """
        from skactive.labeling._export import export  # late: few sessions need it

        return export(self.records(), Path(path), kind)

    def widget(self, **options: Any) -> Any:
        """Return a page for labeling in the notebook.

        Parameters
        ----------
        **options : dict
            ``render``, ``annotator``, ``title`` and others of
            :class:`~skactive.labeling.widget.LabelingWidget`.

        Returns
        -------
        LabelingWidget
        """
        from skactive.labeling.widget import LabelingWidget  # late: anywidget

        return LabelingWidget(self, **options)

    # The life of a session ------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the model that is due is fitted and has chosen.

        Parameters
        ----------
        timeout : float, default=None
            Seconds; None waits as long as it takes.

        Returns
        -------
        bool
            Whether it is done.
        """
        self._ensure_plan()
        if self._background is None:
            return True
        self._changed()
        return self._background.wait(timeout)

    def close(self) -> None:
        """Give back what is in flight, and let go of the store."""
        if self._background is not None:
            self._background.stop()
        with self._lock:
            if self._closed:
                return
            mine = [lease for lease in self._leases if lease.session == self._name]
            events = [
                Event("release", new_id(), ticket=lease.ticket)
                for lease in mine
                if self._ledger.pending(lease)
            ]
            if events:
                self.store.append(events)
            self._closed = True
            self.store.close()
        self._temporary()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The store ------------------------------------------------------------------------------------

    def _check_pool(self) -> None:
        pool = {
            "n_rows": len(self.ids),
            "ids": digest(self.ids),
            "rows": describe_rows(self.X),
        }
        made_for = self.store.set_fact("pool", pool)
        for what, explanation in (
            ("n_rows", f"it has {made_for['n_rows']} rows, these are {pool['n_rows']}"),
            ("ids", "the ids differ, or their order does"),
            ("rows", "the ids are the same, but the rows are not"),
        ):
            if made_for[what] != pool[what]:
                raise PoolChangedError(
                    f"The store was made for another pool: {explanation}. Pass the rows as they "
                    "were, or begin another store; export the labels of this one and pass them as "
                    "labels= to take them along."
                )

    def _sync(self) -> None:
        """Take in what was stored since, by this session or others."""
        self._ledger.apply(self.store.events(self._ledger.seq))

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Decide on what is stored, with all others kept out; what is stored is taken in later."""
        with self.store.exclusive():
            self._sync()
            yield

    def _check_ticket(self, ticket: str | None) -> None:
        if ticket is None or ticket in self._ledger.leases:
            return
        self._sync()
        if ticket not in self._ledger.leases:
            raise LabelError(
                f"There is no ticket {ticket!r} in this store. Nothing was stored. Answers without "
                "a ticket are taken too."
            )

    def _add_known(self, labels: Mapping[Ident, Any]) -> None:
        known = {k: v for k, v in dict(labels).items() if self._ledger.label_of(k) is None}
        if known:
            self._store_labels(known, None, None, None, None, again=False)

    def _store_labels(
        self,
        answers: Any,
        ticket: str | None,
        annotator: str | None,
        seconds: float | None,
        key: str | None,
        *,
        again: bool,
    ) -> int:
        with self._lock:
            checked = check_answers(
                answers,
                self.positions,
                classes=None if self._declared is None else self.classes,
                kind=self._kind(),
                multilabel=self.multilabel,
            )
            return self._store("label", checked, ticket, annotator, seconds, key, given=not again)

    def _store_refusals(
        self,
        kind: str,
        ids: Iterable[Ident],
        ticket: str | None,
        annotator: str | None,
        key: str | None,
    ) -> int:
        if isinstance(ids, str):
            raise LabelError(f"Pass a list of ids, got the text {ids!r}. Nothing was stored.")
        with self._lock:
            known = {check_known(ident, self.positions): None for ident in ids}
            return self._store(kind, known, ticket, annotator, None, key, given=True)

    def _store(
        self,
        kind: str,
        answers: Mapping[Ident, Any],
        ticket: str | None,
        annotator: str | None,
        seconds: float | None,
        key: str | None,
        *,
        given: bool,
    ) -> int:
        """Store answers that are checked; tell those who wait for them."""
        if answers:
            self._check_ticket(ticket)
        with self._exclusive():
            plan = self._ledger.plan
            new = [
                Event(
                    kind,
                    new_id() if key is None else keyed_id(key, item),
                    item=item,
                    annotator=annotator,
                    value=label,
                    ticket=ticket,
                    seconds=None if seconds is None else float(seconds),
                    round=None if plan is None else plan.value["n_labels"],
                    score=self._ledger.scores.get(item),
                )
                for item, label in answers.items()
                if key is not None
                or not self._is_known(kind, item, label, ticket, annotator, given)
            ]
            new = [event for event in new if not self._ledger.knows(event.id)]
            self.store.append(new)
        self._sync()
        self._tell_labels(new, annotator, seconds)
        self._changed()
        return len(new)

    def _is_known(
        self,
        kind: str,
        item: Ident,
        label: Any,
        ticket: str | None,
        annotator: str | None,
        given: bool,
    ) -> bool:
        """Tell whether an answer says nothing new."""
        holds = self._ledger.get_answer(item, annotator)
        if holds is not None and (holds.kind, holds.value) == (kind, label):
            return True
        if not given or ticket is None:
            return False
        return self._ledger.was_given(kind, item, label, ticket, annotator)

    def _kind(self) -> str | None:
        """Return of what kind the labels are that are stored."""
        if self._declared:
            return family(self._declared[0])
        return next((family(label) for label in self._ledger.counts("class")), None)

    # What comes next ------------------------------------------------------------------------------

    def _next(self, n: int, annotator: str | None) -> tuple[list[Event], list[Ident]]:
        """Return what is next for an annotator, and what takes it from leases of their own."""
        events = self._taken_over(annotator)
        mine = [item for event in events for item in event.value]
        return events, [*mine, *self._queue.next(n - len(mine), annotator, besides=mine)][:n]

    def _taken_over(self, annotator: str | None) -> list[Event]:
        """Take rows from leases that the annotator has of sessions that are gone."""
        if annotator is None:
            return []
        return [
            Event("release", new_id(), ticket=lease.ticket, value=pending)
            for lease in self._leases
            if lease.annotator == annotator and lease.session != self._name
            if (pending := self._ledger.pending(lease))
        ]

    def _lease_of(self, items: list[Ident], annotator: str | None) -> Event:
        now = time.time()
        value = {"items": items, "session": self._name, "expires": now + self.lease_seconds}
        return Event("lease", new_id(), annotator=annotator, value=value, time=now)

    # Models ---------------------------------------------------------------------------------------

    def _changed(self) -> None:
        """See to it that a model that is due is made."""
        if self._background is not None and self._is_due():
            self._background.wake()

    def _is_due(self) -> bool:
        plan, due = self._ledger.plan, self._ledger.due
        return plan is None or (plan.value["upto"] < due and self._failed != due)

    def _ensure_plan(self) -> None:
        """Make what must be there before rows are handed out: the first plan, at least."""
        with self._lock:
            self._sync()
            now = self._ledger.plan is None or (self._background is None and self._is_due())
        if now:
            self._make_plan()
            if self._ledger.plan is None and self._error is not None:
                raise self._error  # nothing can be asked: the learner does not take these rows
        self._changed()

    def _make_plan(self) -> None:
        """Fit, choose, and store what was chosen, unless somebody else has."""
        with self._planning:
            try:
                with self._lock:
                    self._sync()
                    if not self._is_due():
                        return
                    due, audited, classes = self._ledger.at_due(), self._audited(), self.classes
                plan = self._planner.plan(due, audited, classes)
                self._keep(plan, due.labels)
            except Exception as error:  # the rows that are there still can be labeled
                if not self._closed:
                    self._error, self._failed = error, self._ledger.due
                return
        self._error = None

    def _keep(self, plan: Plan, labels: dict[Ident, Label]) -> None:
        """Store a plan, and tell the hooks."""
        record: dict[str, Any] = {
            "by": self._settings,
            "upto": plan.upto,
            "n_labels": plan.n_labels,
            "ids": plan.ids,
            "scores": plan.scores,
            "fit_seconds": plan.fit_seconds,
            "query_seconds": plan.query_seconds,
            "audit": [int(plan.audit.sum()), len(plan.audit)] if len(plan.audit) else None,
            **self._judged(plan, labels),
        }
        with self._lock:
            if self._closed:
                return
            self.store.append([Event("plan", f"plan:{self._settings}:{plan.upto}", value=record)])
            self._sync()
            if plan.learner is not None:
                self._fitted = labels, plan.learner
        self._tell_round(record)

    def _judged(self, plan: Plan, labels: dict[Ident, Label]) -> dict[str, Any]:
        """Ask the stopping criterion."""
        if self._monitor is None or plan.learner is None:
            return {"stopping": {}, "stop": ""}
        left = [p for i, p in self.positions.items() if i not in labels]
        verdict = self._monitor.update(
            Round(
                n_labels=len(labels),
                learner=plan.learner,
                X=self.X,
                pool=np.setdiff1d(left, self._planner.reserved),
                seed=self.seed,
                audit=plan.audit if self._reserved else None,
                seconds=time.perf_counter() - self._began,
            )
        )
        readings = {k: None if np.isnan(v) else float(v) for k, v in self._monitor.values().items()}
        return {"stopping": readings, "stop": verdict.reason if verdict.stop else ""}

    def _audited(self) -> dict[Ident, Label]:
        found = ((item, self._ledger.label_of(item)) for item in self._reserved)
        return {item: event.value for item, event in found if event is not None}

    # Hooks ----------------------------------------------------------------------------------------

    def _tell_labels(
        self, new: Sequence[Event], annotator: str | None, seconds: float | None
    ) -> None:
        if new and self.hooks:
            self._tell(
                "on_labels",
                ids=tuple(event.item for event in new),
                labels={event.item: event.value for event in new if event.kind == "label"},
                annotator=annotator,
                audited=tuple(event.item for event in new if event.item in self.audit_ids),
                seconds=0.0 if seconds is None else float(seconds),
            )

    def _tell_round(self, record: dict[str, Any]) -> None:
        metrics = {"n_learned": float(record["n_labels"]), **_numbers(record["stopping"])}
        if record["audit"]:
            right, n = record["audit"]
            metrics |= {"audit_n": float(n), "audit_score": right / n}
        chosen = {
            "ids": tuple(record["ids"]),
            "scores": record["scores"] and tuple(record["scores"]),
        }
        if record["n_labels"]:
            self._tell("on_fit_end", metrics=metrics, seconds=record["fit_seconds"])
        self._tell("on_query_end", metrics=metrics, seconds=record["query_seconds"], **chosen)
        both = record["fit_seconds"] + record["query_seconds"]
        self._tell("on_round_end", metrics=metrics, seconds=both, **chosen)
        if record["stop"] and not self._stopped:
            self._stopped = True
            self._tell("on_stop", metrics=metrics, reason=record["stop"])

    def _tell(self, name: str, **about: Any) -> None:
        event = SessionEvent(name, len(self._ledger.rounds), self._ledger.n_labels, **about)
        call_hooks(self.hooks, event)


def _numbers(readings: dict[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in readings.items() if value is not None}


def _opened(store: Any) -> tuple[Any, Callable[[], None]]:
    """Return a store, and what does away with it when the session ends."""
    if store is None:
        from tempfile import TemporaryDirectory  # late: few sessions are not kept

        folder = TemporaryDirectory(prefix="skactive-")
        return SQLiteLabelStore(Path(folder.name) / "labels.db"), folder.cleanup
    if isinstance(store, str | Path):
        return SQLiteLabelStore(store), lambda: None
    if not isinstance(store, LabelStore):
        raise TypeError(
            f"store must be a path or a LabelStore (see skactive.labeling), got {store!r}."
        )
    return store, lambda: None


def _check_numbers(
    audit_share: float, refit_every: int, n_ahead: int, lease_seconds: float
) -> None:
    if not 0 <= audit_share < 1:
        raise ValueError(f"audit_share must be at least 0 and below 1, got {audit_share!r}.")
    for name, value in (("refit_every", refit_every), ("n_ahead", n_ahead)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value!r}.")
    if not lease_seconds > 0:
        raise ValueError(f"lease_seconds must be above 0, got {lease_seconds!r}.")
