"""LabelStudioBridge: people label in Label Studio, in the order of a session."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from skactive._utils.fingerprint import digest
from skactive._utils.predictions import flatten_numbers
from skactive._utils.rows import take_rows
from skactive.exceptions import BridgeError, SkactiveWarning
from skactive.labeling.label_studio._annotations import AnnotationImporter, PullResult
from skactive.labeling.label_studio._client import Client
from skactive.labeling.label_studio._config import (
    Control,
    Render,
    infer_kind,
    is_generated_config,
    is_generated_number_config,
    make_config,
    make_content,
    make_number_config,
)
from skactive.labeling.label_studio._project import (
    Project,
    create_project,
    fetch_emails,
    find_project,
)
from skactive.labeling.label_studio._tasks import TaskIndex
from skactive.labeling.state._events import Ident, new_id
from skactive.labeling.state._progress import Progress

__all__ = ["LabelStudioBridge", "PullResult"]


@dataclass(frozen=True)
class _ServedOrder:
    """The rows that Label Studio serves first, and the round that chose them."""

    round: int
    ids: tuple[Ident, ...]


@dataclass(frozen=True)
class _Link:
    """A project that was found or created, with what the bridge needs to use it."""

    project: Project
    control: Control
    tasks: TaskIndex
    importer: AnnotationImporter


class LabelStudioBridge:
    """Connect a session with a project of Label Studio, in which people label.

    The bridge pushes the pool as tasks, one per row, and the session's order as scores of
    predictions: with "Uncertainty sampling", Label Studio serves the lowest score first. It pulls
    annotations by polling. Either side may be stopped and restarted: the row of a task is read
    from the task (``data["id"]``), and the annotations pulled so far from the session's store.

    Annotators are identified by their email address, and the seconds per answer are the lead time
    of the annotation. A task that is skipped there is skipped in the session. A changed annotation
    relabels its row. A deleted annotation undoes the answer (the store keeps its history), unless
    its task is deleted, too: then the label stays.

    No webhooks are set up: by default Label Studio refuses addresses on the same machine or
    network.

    Parameters
    ----------
    session : LabelingSession
        The session to label. Its classes become the choices: declare them (``classes=``). If its
        learner is a regressor, people enter numbers; the tasks in order have the numbers that the
        model predicts, which a new project does not show.
    url : str
        The address of Label Studio, such as "http://localhost:8080".
    token : str
        A personal access token or a legacy token, from Account & Settings there. It is never shown
        in an error or a log.
    project : int, default=None
        The number of an existing project that has choices in its labeling configuration, or for
        numbers a ``<Number>``; its tasks are matched by ``data["id"]``. None finds the project that
        a bridge with the same pool and title created earlier, or creates one.
    title : str, default="Active learning"
        The title of a new project; 3 to 50 characters.
    label_config : str, default=None
        The labeling configuration of a new project; None generates one for texts, addresses of
        images or sounds, or tables, with the session's classes.
    render : callable, default=None
        ``render(row, id)`` returns how to show a row: a text, the address of an image or a sound,
        or a dict, which is shown as a table (with a `label_config` or in an existing project, it is
        the task's data). None shows texts, and rows of frames as tables.
    n_ordered : int, default=50
        Number of rows to put in order at a time. The order is written again after each new model,
        and when half of the rows are answered. If a project has several members (not in the
        Community Edition), Label Studio draws at random among these rows.
    timeout : float, default=30.0
        Seconds to wait for a response of the server.

    Attributes
    ----------
    project_id : int or None
        The number of the project; None before the first request.

    Raises
    ------
    BridgeError
        By all methods, if the server cannot be reached, refuses the token, or has no such project.

    Notes
    -----
    Tested with Label Studio 1.23.2. Rows in order there are not leased: the terminal or a notebook
    may ask about the same row at the same time, and both answers are kept.

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
        self._project_number, self._label_config, self._render = project, label_config, render
        self._emails: dict[int, str] = {}
        self._link: _Link | None = None
        self._order: _ServedOrder | None = None

    @property
    def project_id(self) -> int | None:
        """The number of the project; None before the first request."""
        return self._project_number if self._link is None else self._link.project.id

    # Push, pull, order ----------------------------------------------------------------------------

    def push(self) -> int:
        """Add the rows that are not tasks yet.

        It may be interrupted at any time and called again: no row becomes two tasks.

        Returns
        -------
        int
            Number of missing rows.
        """
        return self._open().tasks.push()

    def pull(self) -> PullResult:
        """Import the annotations made since the last call; at the first call, all of them.

        Returns
        -------
        PullResult
        """
        return self._open().importer.pull()

    def write_order(self) -> int:
        """Let Label Studio serve the next rows of the session, in the session's order.

        The score of a row is its rank divided by the number of rows; the lowest is served first.
        Each order is a new model version, so that Label Studio switches to it at once.

        Returns
        -------
        int
            Number of rows in order.
        """
        link = self._open()
        self._offer_classes(link.project, link.control)
        self.session.peek()  # makes the first round, if necessary
        n_rounds, by_row = self.session.progress().n_rounds, link.tasks.by_row
        ids = [ident for ident in self._next_rows() if ident in by_row]
        if ids:
            version = f"skactive-{n_rounds}-{new_id()[:8]}"
            scores = {by_row[ident][0]: rank / len(ids) for rank, ident in enumerate(ids, 1)}
            link.project.add_predictions(scores, version, self._predict_numbers(link, ids))
            link.project.serve_version(version)
            link.project.remove_other_versions(version)
        self._order = _ServedOrder(n_rounds, tuple(ids))
        return len(ids)

    def _predict_numbers(self, link: _Link, ids: Sequence[Ident]) -> dict[int, list[Any]]:
        """Return the numbers that the latest model predicts, as results by task; else nothing."""
        fitted = self.session.latest_model
        if not self.session.labels_are_numbers or fitted is None or fitted[1] is None:
            return {}
        rows = take_rows(self.session.X, [self.session.positions[ident] for ident in ids])
        numbers = flatten_numbers(fitted[1].predict(rows)).tolist()
        return {
            link.tasks.by_row[ident][0]: [link.control.write_number(number)]
            for ident, number in zip(ids, numbers, strict=True)
            if math.isfinite(number)
        }

    def _next_rows(self) -> list[Ident]:
        """Return the next rows of the session; those that somebody skipped come last."""
        skipped = self._open().importer.rows(skipped=True)
        ids = self.session.peek(self.n_ordered + len(skipped))
        return sorted(ids, key=skipped.__contains__)[: self.n_ordered]

    def _is_order_due(self) -> bool:
        """Return whether there is a new model, or few of the rows in order are left."""
        if self._order is None or self._order.round != self.session.progress().n_rounds:
            return True
        candidates = set(self._next_rows())
        answered = self._open().importer.rows()
        # Rows that were answered or leased outside of Label Studio must not be served.
        if any(ident not in candidates and ident not in answered for ident in self._order.ids):
            return bool(candidates)
        n_left = sum(ident in candidates for ident in self._order.ids)
        return 2 * n_left < min(len(self._order.ids), len(candidates) + 1)

    # The loop -------------------------------------------------------------------------------------

    def run(
        self,
        poll_seconds: float = 5.0,
        until: Callable[[Progress], bool] | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> Progress:
        """Push, then pull and order in a loop.

        The loop waits while a server that it has reached is down. Ctrl+C stops it at any time;
        nothing is lost.

        Parameters
        ----------
        poll_seconds : float, default=5.0
            Seconds between two polls.
        until : callable, default=None
            Called with the session's progress; returns whether to stop. None stops when all rows
            are answered.
        tell : callable, default=None
            Called with one line per event. None warns of problems, and reports nothing else.

        Returns
        -------
        Progress
            The progress of the session at the end.
        """
        if not poll_seconds > 0:
            raise ValueError(f"poll_seconds must be above 0, got {poll_seconds!r}.")
        reporter = _Reporter(tell)
        is_pushed = False
        while True:
            start = time.monotonic()
            try:
                if not is_pushed:
                    reporter.report_push(self.push(), self.project_id)
                    is_pushed = True
                self._poll(reporter, poll_seconds)
                reporter.is_down = False
            except BridgeError as error:
                if not error.passing or self._link is None:  # never reached: a wrong address?
                    raise
                reporter.report_outage(error)
            progress: Progress = self.session.progress()
            reporter.report_progress(progress)
            if (until is not None and until(progress)) or _is_done(progress):
                return progress
            time.sleep(max(0.0, poll_seconds - (time.monotonic() - start)))

    def _poll(self, reporter: _Reporter, poll_seconds: float) -> None:
        result = self.pull()
        reporter.report_pull(result)
        if result.n_new:
            self.session.wait(poll_seconds)  # Most models are fitted within that time
        if self._is_order_due():
            reporter.report_order(self.write_order())

    # The project ----------------------------------------------------------------------------------

    def _open(self) -> _Link:
        """Return the project; find or create it at the first call."""
        if self._link is None:
            self._link = self._link_project(self._find_project() or self._create_project())
        return self._link

    def _find_project(self) -> Project | None:
        if self._project_number is not None:
            return Project.fetch(self._client, self._project_number)
        return find_project(self._client, self._make_mark())

    def _create_project(self) -> Project:
        settings = {
            "title": self.title,
            "description": "Tasks come in the order of a learner "
            f"(skactive {self._make_mark()}: leave this mark, the project is found by it).",
            "label_config": self._label_config or self._make_config(),
            "sampling": "Uncertainty sampling",
            "show_collab_predictions": False,
            "enable_empty_annotation": bool(self.session.multilabel),
        }
        try:
            return create_project(self._client, settings)
        except BridgeError as error:
            # The project may have been created although the response was lost.
            project = find_project(self._client, self._make_mark()) if error.passing else None
            if project is None:
                raise
            return project

    def _link_project(self, project: Project) -> _Link:
        is_number = self.session.labels_are_numbers
        noun, tag = ("number", "Number") if is_number else ("choices", "Choices")
        control = Control.from_config(project.config, tag)
        if control is None:
            raise BridgeError(
                f"Project {project.id} has no {noun} in its labeling configuration: add "
                f"<{tag}> to it in Label Studio, or name no project, so that one is created."
            )
        self._emails = fetch_emails(self._client)
        self._offer_classes(project, control)
        is_generated = self._is_generated(project, control)

        def make_data(ident: Ident) -> dict[str, Any]:
            content = self._make_content(ident)
            is_data = isinstance(content, dict) and not is_generated
            return content if is_data else {control.value: content}

        def read_label(result: Any) -> Any:
            if self.session.labels_are_numbers:
                return control.read_number(result)
            return control.read(
                result, self.session.classes, multilabel=bool(self.session.multilabel)
            )

        tasks = TaskIndex(self.session.ids, project, make_data, self._make_mark())
        importer = AnnotationImporter(self.session, project, tasks, read_label, self._get_email)
        return _Link(project, control, tasks, importer)

    def _offer_classes(self, project: Project, control: Control) -> None:
        """Add new classes of the session to the choices, or warn if the project has its own."""
        if self.session.labels_are_numbers:
            self._update_range(project, control)
            return
        offered, names = project.choices(control.name), list(map(str, self.session.classes))
        missing = [name for name in names if name not in offered]
        if missing and self._is_generated(project, control):
            choices = [*offered, *missing]
            config = make_config(control.value, choices, multilabel=self.session.multilabel)
            project.update(label_config=config)
        elif missing:
            warnings.warn(
                f"Project {project.id} does not offer {missing!r}, which are classes of the "
                "session: add them to its labeling configuration.",
                SkactiveWarning,
                stacklevel=3,
            )

    def _update_range(self, project: Project, control: Control) -> None:
        if self._is_generated(project, control):
            config = make_number_config(control.value, self.session.value_range)
            if project.settings.get("label_config") != config:
                project.update(label_config=config)

    def _is_generated(self, project: Project, control: Control) -> bool:
        config = project.settings.get("label_config") or ""
        if self.session.labels_are_numbers:
            return is_generated_number_config(config, control.value)
        return is_generated_config(
            config,
            control.value,
            project.choices(control.name),
            multilabel=self.session.multilabel,
        )

    def _make_config(self) -> str:
        kind = infer_kind(self._make_content(self.session.ids[0])) if self.session.ids else "text"
        if self.session.labels_are_numbers:
            return make_number_config(kind, self.session.value_range)
        if not self.session.classes:
            raise ValueError(
                "Label Studio needs the classes before the first label: pass classes= to the "
                "session."
            )
        return make_config(kind, self.session.classes, multilabel=self.session.multilabel)

    def _make_content(self, ident: Ident) -> Any:
        return make_content(self.session.X, self.session.positions[ident], ident, self._render)

    def _make_mark(self) -> str:
        """Return a short identifier of the pool and the title."""
        pool = self.session.store.fact("pool")
        return digest([pool["ids"], pool["rows"], self.title])[:12]

    def _get_email(self, user: Any) -> str | None:
        """Return the email address of a user, given by number or as a dict."""
        if isinstance(user, dict):
            return user.get("email") or f"user {user.get('id')}"
        if user is None:
            return None
        if user not in self._emails:  # a new user
            self._emails = fetch_emails(self._client)
        return self._emails.setdefault(user, f"user {user}")


def _is_done(progress: Progress) -> bool:
    return progress.n_labeled + progress.n_unknown >= progress.n_rows


class _Reporter:
    """Report the progress of the loop, and each problem once."""

    def __init__(self, tell: Callable[[str], None] | None) -> None:
        self._report = tell or _ignore_line
        self._warn = tell or _warn
        self._problems: set[str] = set()
        self._reasons: set[str] = set()
        self.is_down = False

    def report_push(self, n: int, project: int | None) -> None:
        self._report(f"Project {project}: {n} rows added as tasks.")

    def report_pull(self, result: PullResult) -> None:
        if result.n_new:
            self._report(
                f"{result.n_labels} labels, {result.n_skips} skipped, {result.n_changed} changed, "
                f"{result.n_withdrawn} undone."
            )
        for problem in result.problems.values():
            if problem not in self._problems:
                self._problems.add(problem)
                self._warn(f"Not imported: {problem}.")

    def report_order(self, n: int) -> None:
        self._report(f"{n} rows in order.")

    def report_outage(self, error: BridgeError) -> None:
        if not self.is_down:
            self._warn(f"{error} Waiting for the server.")
        self.is_down = True

    def report_progress(self, progress: Progress) -> None:
        for reason in (progress.stop_reason, progress.problem):
            if reason and reason not in self._reasons:
                self._reasons.add(reason)
                self._report(reason)


def _ignore_line(line: str) -> None:
    """Report nothing."""


def _warn(line: str) -> None:
    warnings.warn(line, SkactiveWarning, stacklevel=5)
