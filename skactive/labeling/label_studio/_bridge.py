"""LabelStudioBridge: people label in Label Studio, a session decides what they are asked."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from skactive._utils.fingerprint import digest
from skactive.exceptions import BridgeError, SkactiveWarning
from skactive.labeling.label_studio._annotations import AnnotationImporter, Pulled
from skactive.labeling.label_studio._client import Client
from skactive.labeling.label_studio._config import (
    Control,
    Render,
    content_of,
    is_made_here,
    kind_of,
    make_config,
)
from skactive.labeling.label_studio._project import Project, created, found, users
from skactive.labeling.label_studio._tasks import Tasks
from skactive.labeling.state._events import Ident, new_id
from skactive.labeling.state._progress import Progress

__all__ = ["LabelStudioBridge", "Pulled"]


@dataclass(frozen=True)
class _Order:
    """The rows that Label Studio was told to serve, and by which round."""

    round: int
    ids: tuple[Ident, ...]


@dataclass(frozen=True)
class _Link:
    """What there is of a project, once it is found or made."""

    project: Project
    control: Control
    tasks: Tasks
    inbox: AnnotationImporter


class LabelStudioBridge:
    """Connects a session with a project of Label Studio, in which people label.

    The pool goes there as tasks, each once; the session's order as scores of predictions, lowest
    first, by which Label Studio serves tasks under "Uncertainty sampling"; annotations come back
    by polling. Either side may be stopped and started again: which task is which row is read
    from the tasks (``data["id"]``), and which annotations are known from the session's store.

    Annotators are known by their e-mail address, their seconds by the annotation's lead time. A
    task that is skipped there is skipped in the session. An annotation that changes relabels its
    row; one that is deleted, while its task stays, is taken back (the store keeps what it was).
    Where the task itself is deleted, the label stays.

    Webhooks are not needed, and none is set up: Label Studio refuses addresses on the same machine
    or network by default.

    Parameters
    ----------
    session : LabelingSession
        What is labeled. Its classes become the choices: declare them (``classes=``).
    url : str
        Where Label Studio is: "http://localhost:8080".
    token : str
        From Account & Settings there: a personal access token, or a legacy token. No error and no
        log shows it.
    project : int, default=None
        The number of a project that is there, with choices among its labels; its tasks are
        matched by ``data["id"]``. None finds the project that a bridge with the same pool and
        title made earlier, or makes one.
    title : str, default="Active learning"
        Of a project that is made; 3 to 50 characters.
    label_config : str, default=None
        Labeling configuration of a project that is made; None makes one for texts, images or
        sounds by their address, or tables, with the session's classes.
    render : callable, default=None
        ``render(row, id)`` returns what is shown of a row: a text, the address of an image or a
        sound, or a dict, which is shown as a table (with a `label_config`, or in a project that
        was there: the fields of the task's data). None shows texts, and rows of frames as tables.
    n_ordered : int, default=50
        How many rows are put in order at a time. The order is written anew when there is a new
        model, or half of them are answered. Where Label Studio knows several members of a
        project (not in the Community Edition), it draws at random among these.
    timeout : float, default=30.0
        Seconds to wait for an answer of the server.

    Attributes
    ----------
    project_id : int or None
        The number of the project; None until it was asked for.

    Raises
    ------
    BridgeError
        By all methods, if the server cannot be reached, refuses the token, has no such project.

    Notes
    -----
    Tried with Label Studio 1.23.2. Rows in order there are not handed out: the terminal or a
    notebook may ask about the same row at the same time, and both answers are kept.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skactive import ActiveLearner
    >>> from skactive.labeling import LabelingSession
    >>> from skactive.labeling.label_studio import LabelStudioBridge
    >>> texts = ["a fine film", "so dull", "what a delight", "a waste of time"]
    >>> learner = ActiveLearner(make_pipeline(TfidfVectorizer(), LogisticRegression()))
    >>> session = LabelingSession(learner, texts, classes=["good", "bad"])
    >>> bridge = LabelStudioBridge(session, "http://localhost:8080", token="0123abcd")
    >>> bridge.run(until=lambda progress: progress.n_labeled >= 100)  # doctest: +SKIP
    >>> session.close()
    """

    def __init__(
        self,
        session: Any,
        url: str,
        token: str,
        project: int | None = None,
        *,
        title: str = "Active learning",
        label_config: str | None = None,
        render: Render | None = None,
        n_ordered: int = 50,
        timeout: float = 30.0,
    ) -> None:
        if not 3 <= len(title) <= 50:
            raise ValueError(f"title must have 3 to 50 characters, got {title!r}.")
        if n_ordered < 1:
            raise ValueError(f"n_ordered must be at least 1, got {n_ordered!r}.")
        self.session, self.title, self.n_ordered = session, title, n_ordered
        self._client = Client(url, token, timeout=timeout)
        self._number, self._config, self._render = project, label_config, render
        self._users: dict[int, str] = {}
        self._link: _Link | None = None
        self._order: _Order | None = None

    @property
    def project_id(self) -> int | None:
        """The number of the project; None until it was asked for."""
        return self._number if self._link is None else self._link.project.id

    # The three parts ------------------------------------------------------------------------------

    def push(self) -> int:
        """Add those rows as tasks that are not there yet.

        It may be stopped at any moment and called again: no row becomes two tasks.

        Returns
        -------
        int
            How many there were to add.
        """
        return self._opened().tasks.push()

    def pull(self) -> Pulled:
        """Take over what was annotated since the last call; at the first call, all there is.

        Returns
        -------
        Pulled
        """
        return self._opened().inbox.pull()

    def write_order(self) -> int:
        """Have Label Studio serve the rows that the session would hand out next, in that order.

        The score of a row's prediction is its rank divided by the number of rows; the lowest is
        served first. Each order is a model version of its own, so that Label Studio goes over to
        it at once.

        Returns
        -------
        int
            How many rows are in order.
        """
        link = self._opened()
        self._see_to_classes(link.project, link.control)
        self.session.peek()  # makes the first round, if there is none
        n_rounds, by_row = self.session.progress().n_rounds, link.tasks.by_row
        ids = [ident for ident in self._next_rows() if ident in by_row]
        if ids:
            version = f"skactive-{n_rounds}-{new_id()[:8]}"
            scores = {by_row[ident][0]: rank / len(ids) for rank, ident in enumerate(ids, 1)}
            link.project.predict(scores, version)
            link.project.serve(version)
            link.project.forget_versions(but=version)
        self._order = _Order(n_rounds, tuple(ids))
        return len(ids)

    def _next_rows(self) -> list[Ident]:
        """Return what the session would hand out next; what somebody skipped comes last."""
        skipped = self._opened().inbox.rows(skipped=True)
        ids = self.session.peek(self.n_ordered + len(skipped))
        return sorted(ids, key=skipped.__contains__)[: self.n_ordered]

    def _is_order_due(self) -> bool:
        """Tell whether there is a new model, or the rows in order are nearly used up."""
        if self._order is None or self._order.round != self.session.progress().n_rounds:
            return True
        still_open = set(self._next_rows())
        answered = self._opened().inbox.rows()
        # Rows that were answered elsewhere, or are in flight there, are not to be served.
        if any(i not in still_open and i not in answered for i in self._order.ids):
            return bool(still_open)
        left = sum(ident in still_open for ident in self._order.ids)
        return 2 * left < min(len(self._order.ids), len(still_open) + 1)

    # The loop -------------------------------------------------------------------------------------

    def run(
        self,
        poll_seconds: float = 5.0,
        until: Callable[[Progress], bool] | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> Progress:
        """Push, then pull and order again and again.

        While the server is down, it waits for it. Ctrl+C ends it at any moment; nothing is lost.

        Parameters
        ----------
        poll_seconds : float, default=5.0
            How often to ask.
        until : callable, default=None
            Given the session's progress, tells whether to stop. None goes on until all rows are
            answered.
        tell : callable, default=None
            Given a line about each thing that happens. None: problems are warnings, and the rest
            is silent.

        Returns
        -------
        Progress
            Of the session at the end.
        """
        if not poll_seconds > 0:
            raise ValueError(f"poll_seconds must be above 0, got {poll_seconds!r}.")
        teller = Reporter(tell)
        pushed = False
        while True:
            began = time.monotonic()
            try:
                if not pushed:
                    teller.pushed(self.push(), self.project_id)
                    pushed = True
                self._turn(teller, poll_seconds)
                teller.is_down = False
            except BridgeError as error:
                if not error.passing:
                    raise
                teller.down(error)
            progress: Progress = self.session.progress()
            teller.progress(progress)
            if (until is not None and until(progress)) or _is_done(progress):
                return progress
            time.sleep(max(0.0, poll_seconds - (time.monotonic() - began)))

    def _turn(self, teller: Reporter, patience: float) -> None:
        pulled = self.pull()
        teller.pulled(pulled)
        if pulled.n_new:
            self.session.wait(patience)  # most models are there at once
        if self._is_order_due():
            teller.ordered(self.write_order())

    # The project ----------------------------------------------------------------------------------

    def _opened(self) -> _Link:
        """Return the project with all that belongs to it: found, or made."""
        if self._link is None:
            self._link = self._linked(self._asked_for() or self._created())
        return self._link

    def _asked_for(self) -> Project | None:
        if self._number is not None:
            return Project.of(self._client, self._number)
        return found(self._client, self._mark())

    def _created(self) -> Project:
        settings = {
            "title": self.title,
            "description": f"Tasks come in the order of a learner (skactive {self._mark()}: leave "
            "this mark, the project is found by it).",
            "label_config": self._config or self._made_config(),
            "sampling": "Uncertainty sampling",
            "show_collab_predictions": False,
            "enable_empty_annotation": bool(self.session.multilabel),
        }
        try:
            return created(self._client, settings)
        except BridgeError as error:
            # It may have been made, and the answer lost.
            project = found(self._client, self._mark()) if error.passing else None
            if project is None:
                raise
            return project

    def _linked(self, project: Project) -> _Link:
        control = Control.of(project.parsed)
        if control is None:
            raise BridgeError(
                f"Project {project.id} has no choices in its labeling configuration: add "
                "<Choices> to it in Label Studio, or leave project= out to have one made."
            )
        self._users = users(self._client)
        self._see_to_classes(project, control)
        nested = self._is_made_here(project, control)

        def fields(ident: Ident) -> dict[str, Any]:
            content = self._content(ident)
            plain = isinstance(content, dict) and not nested
            return content if plain else {control.value: content}

        tasks = Tasks(self.session.ids, project, fields, self._mark())

        def read(result: Any) -> Any:
            return control.read(
                result, self.session.classes, multilabel=bool(self.session.multilabel)
            )

        inbox = AnnotationImporter(self.session, project, tasks, read, self._email)
        return _Link(project, control, tasks, inbox)

    def _see_to_classes(self, project: Project, control: Control) -> None:
        """Offer classes that were added to the session as choices."""
        there, names = project.choices(control.name), list(map(str, self.session.classes))
        missing = [name for name in names if name not in there]
        if missing and self._is_made_here(project, control):
            all_names = [*there, *missing]
            config = make_config(control.value, all_names, multilabel=self.session.multilabel)
            project.change(label_config=config)
        elif missing:
            warnings.warn(
                f"Project {project.id} does not offer {missing!r}, which the session knows: add "
                "them to its labeling configuration.",
                SkactiveWarning,
                stacklevel=3,
            )

    def _is_made_here(self, project: Project, control: Control) -> bool:
        return is_made_here(
            project.about.get("label_config") or "",
            control.value,
            project.choices(control.name),
            multilabel=self.session.multilabel,
        )

    def _made_config(self) -> str:
        if not self.session.classes:
            raise ValueError(
                "Label Studio needs the classes before the first label: pass classes= to the "
                "session."
            )
        kind = kind_of(self._content(self.session.ids[0])) if self.session.ids else "text"
        return make_config(kind, self.session.classes, multilabel=self.session.multilabel)

    def _content(self, ident: Ident) -> Any:
        return content_of(self.session.X, self.session.positions[ident], ident, self._render)

    def _mark(self) -> str:
        """Return what tells this pool under this title from others."""
        pool = self.session.store.fact("pool")
        return digest([pool["ids"], pool["rows"], self.title])[:12]

    def _email(self, who: Any) -> str | None:
        """Return the address of a user, given as a number or with all that is known of them."""
        if isinstance(who, dict):
            return who.get("email") or f"user {who.get('id')}"
        if who is None:
            return None
        if who not in self._users:  # somebody who is new there
            self._users = users(self._client)
        return self._users.setdefault(who, f"user {who}")


def _is_done(progress: Progress) -> bool:
    return progress.n_labeled + progress.n_unknown >= progress.n_rows


class Reporter:
    """Says what a loop does, each thing once."""

    def __init__(self, tell: Callable[[str], None] | None) -> None:
        self._say = tell or _silent
        self._warn = tell or _warn
        self._problems: set[str] = set()
        self._reasons: set[str] = set()
        self.is_down = False

    def pushed(self, n: int, project: int | None) -> None:
        self._say(f"Project {project}: {n} rows added as tasks.")

    def pulled(self, pulled: Pulled) -> None:
        if pulled.n_new:
            self._say(
                f"{pulled.n_labels} labels, {pulled.n_skips} skipped, {pulled.n_changed} changed, "
                f"{pulled.n_withdrawn} taken back."
            )
        for problem in pulled.problems.values():
            if problem not in self._problems:
                self._problems.add(problem)
                self._warn(f"Not taken over: {problem}.")

    def ordered(self, n: int) -> None:
        self._say(f"{n} rows in order.")

    def down(self, error: BridgeError) -> None:
        if not self.is_down:
            self._warn(f"{error} Waiting for it.")
        self.is_down = True

    def progress(self, progress: Progress) -> None:
        for reason in (progress.stop_reason, progress.problem):
            if reason and reason not in self._reasons:
                self._reasons.add(reason)
                self._say(reason)


def _silent(line: str) -> None:
    """Say nothing."""


def _warn(line: str) -> None:
    warnings.warn(line, SkactiveWarning, stacklevel=5)
