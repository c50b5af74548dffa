"""LabelingSession: active learning with labels that people give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from skactive._utils.fingerprint import describe, describe_model, digest
from skactive._utils.seeding import draw_seed
from skactive.exceptions import LabelError
from skactive.labeling._classes import SessionClasses
from skactive.labeling._handing_out import Batch, HandingOut
from skactive.labeling._numbers import ANY_NUMBER, ValueRange, check_range
from skactive.labeling._overlap import OverlapPlanner, check_overlap, make_planner
from skactive.labeling._planner import Planner
from skactive.labeling._pool import check_pool, draw_audit
from skactive.labeling._reading_answers import ReadingAnswers
from skactive.labeling._recorder import Recorder
from skactive.labeling._rounds import Rounds
from skactive.labeling._routing import RoutingRows
from skactive.labeling._spending import Spending, SpendingMeter, Spent, record_spending
from skactive.labeling._synced import SyncedState
from skactive.labeling._taking_answers import TakingAnswers
from skactive.labeling._validation import check_ids, check_pool_rows
from skactive.labeling.hooks._base import Notifier, check_hooks
from skactive.labeling.state._codes import RowCodes
from skactive.labeling.state._events import Ident, Label, new_id
from skactive.labeling.state._leases import LiveLeases
from skactive.labeling.state._progress import Progress, progress_of
from skactive.labeling.state._queue import Queue
from skactive.labeling.state._shapes import MAX_SEED, check_seed
from skactive.labeling.state._state import SessionState
from skactive.labeling.stores._open import open_store

if TYPE_CHECKING:
    from skactive.labeling._hours import HoursForecast

__all__ = ["Batch", "LabelingSession"]


class LabelingSession(HandingOut, TakingAnswers, RoutingRows, ReadingAnswers):
    """Active learning with labels that people give, in any order and over weeks.

    The session owns the pool and works with ids. It hands out rows, takes answers and keeps them in
    a store, and refits the learner in the background, while there is always a next row. Several
    sessions, in several processes, may share a store. What is asked next depends on the store
    alone: after a crash, a new session continues where the last one was, and no label is lost.

    Parameters
    ----------
    learner : ActiveLearner
        The model and its query strategy. It is never changed; see the attribute `learner`. If it is
        fitted, it keeps its labeled rows, and the labels of the session are added to them.
    X : rows in any container
        The pool.
    ids : sequence of str or int, default=None
        A unique id per row. None numbers the rows from 0.
    store : LabelStore, str or Path, default=None
        Where labels are kept: a store, or the path of a file for a
        :class:`~skactive.labeling.SQLiteLabelStore`. None uses a temporary file, which is deleted
        with the session.
    labels : mapping of id to label, or sequence of shape (n_rows,), default=None
        Labels to begin with; they are added for rows without a label in the store. None, NaN and
        NA mean that a row has no label.
    classes : sequence, default=None
        The classes. Other labels are refused, unless :meth:`add_class` adds them. None: every new
        label is a new class.
    multilabel : bool, default=False
        Whether a label is a list of classes.
    value_range : (float or None, float or None), default=None
        If the learner is a regressor: the smallest and the largest label, such as (0, 100); None
        is no limit. Labels outside are refused.
    overlap : {"when it pays"}, default=None
        Whether labeled rows are handed to further people for a second opinion, where that is worth
        more than a new row: where the answer of an average annotator is expected to tell more about
        the label, as in :class:`~skactive.crowds.ActiveLab`, and could change it. The model then
        learns from the consensus of all answers (:class:`~skactive.crowds.OneCoin`), and each plan
        takes five more fits. Labels are classes, and the model has ``predict_proba``. None hands
        out each row until it has a label.
    stopping : StoppingCriterion, default=None
        Criterion that is updated after each fit; see :mod:`skactive.stopping`. It only advises:
        labeling may continue. Its memory of earlier rounds starts empty with each session.
    audit_share : float, default=0.0
        Share of the rows that is drawn at random for an audit, and share of the rows handed out
        that belong to it. The model does not learn from audit rows; they measure its accuracy.
    spending : Spending, default=None
        Prices of labels and hours, and a budget: see the attribute `spent`. The session says when
        the budget is used up, and labeling may continue. None: what the store has.
    refit_every : int, default=10
        Number of changed labels after which the learner is refitted.
    n_ahead : int, default=100
        Number of rows that each model chooses, so that rows can be handed out while the next model
        is fitted. The first `refit_every` of them are chosen as a batch of their own.
    lease_seconds : float, default=1800
        Time for which rows that were handed out are reserved for the person who got them.
    background : bool, default=True
        Whether to fit in a background thread. If not, :meth:`next_batch` waits for the fit.
    hooks : sequence of objects, default=()
        Callbacks; see :mod:`skactive.labeling.hooks`.
    accept_changes : bool, default=False
        Whether rows of the pool may have other contents than when the store was made: a text of
        which an error was corrected, say. Rows may be added in any case, with a warning.
    random_state : int or None, default=None
        Seed of the audit sample, and of a learner without a seed of its own. None draws one. The
        store keeps the seed that was set first.

    Attributes
    ----------
    ids : list of str or int
        Ids of the rows of the pool.
    store : LabelStore
        The store that keeps the labels.
    audit_ids : frozenset of str or int
        Ids of the audit rows.
    seed : int
        Seed of the audit sample and of the fallback order.
    value_range : (float or None, float or None)
        The smallest and the largest number that may be a label.
    spending : Spending or None
        The prices and the budget, also those that an earlier session set.

    Raises
    ------
    PoolChangedError
        If the store was made for other rows, and these are not the same with some added.
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
        labels: Mapping[Ident, Any] | Sequence[Any] | None = None,
        classes: Sequence[Any] | None = None,
        multilabel: bool = False,
        value_range: Sequence[float | None] | None = None,
        overlap: str | None = None,
        stopping: Any = None,
        audit_share: float = 0.0,
        spending: Spending | None = None,
        refit_every: int = 10,
        n_ahead: int = 100,
        lease_seconds: float = 1800.0,
        background: bool = True,
        hooks: Sequence[Any] = (),
        accept_changes: bool = False,
        random_state: int | None = None,
    ) -> None:
        _check_session_settings(audit_share, refit_every, n_ahead, lease_seconds)
        check_overlap(overlap)
        if (seed := draw_seed(random_state)) > MAX_SEED:  # a store keeps the seed for good
            raise ValueError(f"random_state must be at most 2**32 - 1, got {random_state!r}.")
        self.X = X = check_pool_rows(X, ids)
        self.ids = check_ids(ids, X)
        self.multilabel, self.lease_seconds = multilabel, lease_seconds
        self.value_range = check_range(value_range)
        self.hooks = check_hooks(hooks)
        self._name = new_id()
        self.store, self._remove_temporary = open_store(store)
        try:
            ids_digest, grown = check_pool(self.store, self.ids, X, accept_changes=accept_changes)
            self.seed = check_seed(self.store.set_fact("seed", seed))
            self.spending = record_spending(self.store, spending)
            planner = make_planner(
                overlap,
                self.store,
                learner,
                X=X,
                ids=self.ids,
                reserved=draw_audit(self.ids, grown, audit_share, self.seed),
                batch_size=refit_every,
                n_ahead=n_ahead,
                seed=self.seed,
                multilabel=multilabel,
            )
            settings = [
                describe_model(learner),
                describe(learner.strategy),
                audit_share,
                refit_every,
                n_ahead,
                *planner.describe_known(),
                *([] if overlap is None else [overlap]),
            ]
            self._start(
                planner,
                settings=digest(settings),
                ids_digest=ids_digest,
                refit_every=refit_every,
                classes=classes,
                stopping=stopping,
                background=background,
            )
            if labels is not None:
                self._recorder.add_labels(labels, self.ids)
        except BaseException:
            self.store.close()
            self._remove_temporary()
            raise

    def _start(
        self,
        planner: Planner,
        *,
        settings: str,
        ids_digest: str,
        refit_every: int,
        classes: Sequence[Any] | None,
        stopping: Any,
        background: bool,
    ) -> None:
        """Derive the state from the store, and connect the parts that work on it."""
        reserved = [self.ids[position] for position in planner.reserved]
        self.audit_ids = frozenset(reserved)
        state = SessionState(
            settings,
            rows=RowCodes(self.ids, planner.positions),
            audit=reserved,
            refit_every=refit_every,
            counts_opinions=isinstance(planner, OverlapPlanner),
        )
        self._synced = SyncedState(self.store, state, digest([settings, ids_digest, self.seed]))
        are_numbers = not planner.is_classifier and not self.multilabel
        _check_range_applies(self.value_range, are_numbers)
        self._classes = SessionClasses(classes, self._synced, are_numbers=are_numbers)
        self._leases = LiveLeases(state)
        self._queue = Queue(state, self._leases, self.ids, reserved, self.seed)
        notifier = Notifier(self.hooks, state, self.audit_ids)
        self._meter = SpendingMeter(self.spending or Spending(), self.store)
        self._rounds = Rounds(
            planner,
            self._synced,
            notifier,
            get_classes=self._classes.list_all,
            get_cost=self._meter.read_money,
            stopping=stopping,
            seed=self.seed,
            background=background,
        )
        self._recorder = Recorder(
            self._synced,
            self._rounds,
            notifier,
            self._classes,
            multilabel=self.multilabel,
            value_range=self.value_range if are_numbers else None,
        )
        self._synced.load()
        self._classes.check_stored()
        self._classes.check_known(planner.known_classes)

    # Models and progress --------------------------------------------------------------------------

    @property
    def classes(self) -> list[Any]:
        """The classes: declared, then added, then all others among the labels, sorted."""
        return self._classes.list_all()

    @property
    def learner(self) -> Any:
        """The learner, fitted to all labels as they are now; the same until a label changes.

        Raises
        ------
        ValueError
            If the labels are too few to fit it.
        """
        return self._rounds.fit_now()

    def predict(self, X: Any) -> Any:
        """Predict with the learner, fitted to all labels as they are now.

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
        """Return the progress of the session.

        Returns
        -------
        Progress
        """
        with self._synced.latest() as state:
            progress = progress_of(
                state, self._leases, n_rows=len(self.ids), has_classes=not self._classes.are_numbers
            )
            reasons = (progress.stop_reason, self._meter.describe_end())
            return replace(
                progress,
                stop_reason="; ".join(filter(None, reasons)),
                fitting=self._rounds.is_fitting,
                problem=self._rounds.problem,
            )

    @property
    def spent(self) -> Spent:
        """Cost of the answers so far, in money and hours."""
        with self._synced.lock:
            return self._meter.read()

    def forecast_hours(self, n: int | None = None) -> HoursForecast:
        """Forecast how long people will take for rows that have no label.

        A :class:`~skactive.costs.CostModel` learns from the answers whose time was recorded, how
        much longer long texts take, say.

        Parameters
        ----------
        n : int, default=None
            Number of rows; None: all.

        Returns
        -------
        HoursForecast

        Raises
        ------
        ValueError
            If fewer than 20 answers have a recorded time.
        """
        from skactive.labeling._hours import forecast_hours  # late: it takes scikit-learn

        records = self.records()
        done = {record["id"] for record in records if record["kind"] != "skip"}
        left = [position for ident, position in self.positions.items() if ident not in done]
        return forecast_hours(records, self.X, self.positions, left, n)

    @property
    def latest_model(self) -> tuple[dict[Ident, Label], Any] | None:
        """The labels that the latest model of this session learned from, and its learner.

        None until this session has fitted a model; this does not wait for a fit.
        """
        return self._rounds.latest_model

    @property
    def n_events(self) -> int:
        """Number of events in the store: it grows whenever something is stored."""
        with self._synced.latest() as state:
            return state.position

    @property
    def rounds(self) -> list[dict[str, Any]]:
        """The stored plans, one per round, in order: :attr:`history` without pandas."""
        with self._synced.latest() as state:
            return [event.value for event in self.store.get_events(state.plan_positions)]

    @property
    def history(self) -> Any:
        """The rounds as a DataFrame, one row per model: labels, seconds, audit, stopping."""
        from skactive.labeling._export import rounds_to_frame

        with self._synced.latest() as state:
            return rounds_to_frame(self.store.get_events(state.plan_positions))

    def widget(self, **options: Any) -> Any:
        """Return a widget for labeling in a notebook.

        Parameters
        ----------
        **options : dict
            Parameters of :class:`~skactive.labeling.widget.LabelingWidget`: ``render``,
            ``annotator``, ``title`` and others.

        Returns
        -------
        LabelingWidget
        """
        from skactive.labeling.widget import LabelingWidget  # late: anywidget

        return LabelingWidget(self, **options)

    # Closing --------------------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the model that is due is fitted and has chosen rows.

        Parameters
        ----------
        timeout : float, default=None
            Seconds to wait at most; None waits as long as it takes.

        Returns
        -------
        bool
            False if the time ran out.
        """
        return self._rounds.wait(timeout)

    def close(self) -> None:
        """Give back the rows in flight, and close the store."""
        self._rounds.stop()
        with self._synced.lock:
            if self._synced.closed:
                return
            try:
                self._give_back()
                self._synced.save()
            finally:
                self._synced.close()
                self._remove_temporary()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_range_applies(value_range: ValueRange, are_numbers: bool) -> None:
    if value_range != ANY_NUMBER and not are_numbers:
        raise LabelError(
            f"value_range={value_range!r} is for numbers, but the labels of this session are "
            "classes: leave it out, or pass a regressor."
        )


def _check_session_settings(
    audit_share: float, refit_every: int, n_ahead: int, lease_seconds: float
) -> None:
    if not 0 <= audit_share < 1:
        raise ValueError(f"audit_share must be at least 0 and below 1, got {audit_share!r}.")
    for name, value in (("refit_every", refit_every), ("n_ahead", n_ahead)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value!r}.")
    if not lease_seconds > 0:
        raise ValueError(f"lease_seconds must be above 0, got {lease_seconds!r}.")
