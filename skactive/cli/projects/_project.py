"""Labeling projects: data and settings, from the command line or from an existing store."""

from __future__ import annotations

import os
import shlex
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skactive import __version__
from skactive.cli._errors import CommandError
from skactive.cli._paths import check_parent
from skactive.cli.projects._growth import check_files, get_sizes, note_new_rows
from skactive.cli.projects._project_options import (
    DEFAULTS,
    check_resumed_options,
    format_resume_command,
    resolve_settings,
)
from skactive.cli.projects._recorded import (
    Recorded,
    add_part,
    complete_settings,
    read_parts,
    read_recorded,
)
from skactive.cli.projects._spending_options import resolve_spending
from skactive.cli.reading import check_regular_file
from skactive.exceptions import PoolChangedError, SkactiveWarning, StoreError

if TYPE_CHECKING:
    from skactive.cli.sources._data_source import DataSource
    from skactive.labeling._session import LabelingSession
    from skactive.labeling._spending import Spending

__all__ = [
    "LabelingProject",
    "read_project",
]

# Those that a store was created with; others are derived from the data.
_SETTINGS = (
    "kind", "text", "id", "label", "columns", "classes", *DEFAULTS, "min", "max", "encoding",
    "separator", "sheet", "group_duplicates",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class LabelingProject:
    """Data and settings of a labeling project.

    Parameters
    ----------
    path : Path
        The table or folder.
    store : Path
        File of the labels.
    source : DataSource
        Rows to label.
    settings : dict
        Settings that the store records.
    recorded : Recorded
        Facts that the store held when the rows were read.
    accept_changes : bool
        Whether to continue although the content of rows has changed.
    spending : Spending or None
        Prices and budget; None: those that the store has.
    """

    path: Path
    store: Path
    source: DataSource
    settings: dict[str, Any]
    recorded: Recorded
    accept_changes: bool = False
    spending: Spending | None = None

    def open(
        self, *, report: Callable[[str], None] | None = None, **options: Any
    ) -> LabelingSession:
        """Return a session, which the caller closes.

        Parameters
        ----------
        report : callable, default=None
            Gets lines about what was read, and about changes of the rows.
        **options : object
            Further parameters of `LabelingSession`, such as hooks.

        Raises
        ------
        CommandError
            If the store cannot be opened, or was created for other rows or with other settings.
        """
        report = report or _discard_line
        for note in self.source.notes:
            report(note)
        session, changes = self._open_session({**self._make_session_options(), **options})
        try:
            self._record(session.store)
            for change in changes:
                report(f"Warning: {change}")
        except BaseException as error:
            session.close()
            if isinstance(error, StoreError):
                raise CommandError(str(error)) from error
            raise
        return session

    def _make_session_options(self) -> dict[str, Any]:
        """Return the parameters of the session that follow from the settings."""
        from skactive.stopping import StabilizingPredictions  # late: the parser must be fast

        settings, numbers = self.settings, self.settings["numbers"]
        advises = not (settings["multilabel"] or numbers)  # kappa is of single classes
        options = {
            "ids": self.source.ids,
            "store": self.store,
            "labels": self._choose_labels(),
            "classes": None if numbers else settings["classes"],
            "multilabel": settings["multilabel"],
            "value_range": (settings["min"], settings["max"]),
            "audit_share": settings["audit"],
            "spending": self.spending,
            "refit_every": settings["batch"],
            "stopping": StabilizingPredictions(growth=0.1) if advises else None,
        }
        return options | ({"accept_changes": True} if self.accept_changes else {})

    def _make_learner(self) -> Any:
        from skactive.cli.learners._learners import make_learner  # late: the parser must be fast

        names = ("model", "strategy", "classes", "multilabel", "numbers")
        return make_learner(self.source, self.path, *(self.settings[name] for name in names))

    def _open_session(self, options: Mapping[str, Any]) -> tuple[LabelingSession, list[str]]:
        """Return a session, and its warnings about rows whose content has changed."""
        from skactive.labeling._session import LabelingSession  # late: the parser must be fast

        learner = self._make_learner()
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                session = LabelingSession(learner, self.source.rows, **options)
        except PoolChangedError as error:
            raise CommandError(self._explain(error)) from error
        except StoreError as error:
            raise CommandError(str(error)) from error
        except ValueError as error:  # ids
            raise CommandError(f"{self.path}: {error}") from error
        own = [w for w in caught if issubclass(w.category, SkactiveWarning)]
        for other in caught:
            if other not in own:
                warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
        # Rows that are new are among the notes
        return session, [str(w.message) for w in own] if self.accept_changes else []

    def _explain(self, error: PoolChangedError) -> str:
        """Return why the rows are refused, and what to do."""
        text = str(error)
        reason = (text.partition(": ")[2] or text).split(". ")[0].rstrip(".")
        resume = format_resume_command("label", self.store, "--accept-changes")
        numbered = self.settings["id"] is None and self.settings["files"] is None
        where = " (as they have no ids, rows can be added at the end only)" if numbered else ""
        return (
            f"{self.store} was created for other rows than {self.path} holds: {reason}; restore "
            f"rows that were removed or moved{where}, accept corrected ones by {resume}, or use "
            "another --store"
        )

    def _choose_labels(self) -> dict[Any, Any] | None:
        """Return the labels of the file for rows that never had an answer."""
        known, renamed = self.recorded.items, self.recorded.renamed
        return {
            ident: [renamed.get(c, c) for c in label]
            if isinstance(label, list)
            else renamed.get(label, label)
            for ident, label in self.source.labels.items()
            if ident not in known
        } or None

    def _record(self, store: Any) -> None:
        """Record the settings, which must be those of the start, and the rows."""
        with store.exclusive():
            recorded = complete_settings(store.set_fact("campaign", self._describe()))
            _check_recorded_settings(recorded, self.settings, self.store)
            add_part(store, "rows", {"n": len(self.source.rows)})
            add_part(store, "files", get_sizes(self.path, self.source))
            gone = dict.fromkeys(read_parts(store, "copies"))  # rows that repeat none any more
            add_part(store, "copies", gone | self.source.copies)

    def _describe(self) -> dict[str, Any]:
        """Return what the store records: the settings, and the path from two starting points."""
        path = self.path.resolve()
        from_store = os.path.relpath(path, self.store.resolve().parent)
        return {**self.settings, "path": str(path), "beside": from_store, "skactive": __version__}


def _discard_line(line: str) -> None:
    """Do nothing with a line."""


def read_project(options: Mapping[str, Any]) -> LabelingProject:
    """Return a project with its rows.

    Parameters
    ----------
    options : mapping
        Parsed options of a command; those that are not of projects are ignored.

    Raises
    ------
    CommandError
        If an option is missing or wrong, or the data cannot be read.
    """
    from skactive.cli.sources._data_source import READING_VERSION, ReadingOptions
    from skactive.cli.sources._read import read_source  # late: the parser must be fast

    options = {
        name: value for name, value in options.items() if value is not None and value is not False
    }
    resumed = "resume" in options
    path, store, recorded = _find_resumed(options) if resumed else _find_new(options)
    known = recorded.settings or {}
    settings = dict(known) if resumed else resolve_settings(options, known)
    settings["reading"] = known.get("reading", READING_VERSION)
    reading = ReadingOptions.from_settings(settings, is_new=not known)
    if recorded.classes:
        reading = replace(reading, classes=recorded.classes)
    source = read_source(path, reading)
    settings |= {"kind": source.kind, "kinds": settings["kinds"] or source.kinds or None}
    settings |= {"classes": settings["classes"] or source.classes, "files": source.files}
    if known:
        _check_recorded_settings(known, settings, store)
    project = LabelingProject(
        path,
        store,
        source,
        settings,
        recorded,
        accept_changes="accept_changes" in options,
        spending=resolve_spending(options, recorded.spending),
    )
    check_files(path, source, store, recorded, accept_changes=project.accept_changes)
    source.notes.extend(_note_classes(settings["classes"]))
    source.notes.extend(note_new_rows(source, recorded))
    return project


# New and resumed projects -----------------------------------------------------------------------


def _find_new(options: Mapping[str, Any]) -> tuple[Path, Path, Recorded]:
    """Return data and store of the command line, and the facts of the store."""
    if "file" not in options:
        raise CommandError(
            "name the data to label, a table or a folder, or continue with --resume labels.db"
        )
    path = Path(options["file"])
    if not path.exists():
        raise CommandError(f"file not found: {path}")
    if "store" not in options:
        raise CommandError("name a file for the labels: --store labels.db")
    store = Path(options["store"])
    if store.is_dir():
        raise CommandError(f"{store} is a folder: name a file for the labels")
    if store.exists():
        return path, store, read_recorded(store)
    check_parent(store)
    return path, store, Recorded()


def _find_resumed(options: Mapping[str, Any]) -> tuple[Path, Path, Recorded]:
    """Return data and store that a store names, and its facts."""
    check_resumed_options(options)
    store = Path(options["resume"])
    check_regular_file(store)
    recorded = read_recorded(store)
    if recorded.settings is None:
        raise CommandError(
            f"{store} was not created by skactive label: name its data, skactive label FILE "
            f"--classes ... --store {shlex.quote(str(store))}"
        )
    if "file" in options:
        path = Path(options["file"])
    else:
        path = Path(recorded.settings["path"])
        from_store = store.resolve().parent / recorded.settings["beside"]
        path = path if path.exists() or not from_store.exists() else from_store
    if not path.exists():
        raise CommandError(
            f"data not found: {path}; if they were moved, name them: skactive label FILE --resume "
            f"{shlex.quote(str(store))}; skactive export writes the labels without the data"
        )
    return path, store, recorded


def _check_recorded_settings(
    recorded: Mapping[str, Any], settings: Mapping[str, Any], store: Path
) -> None:
    """Raise an error if a store was created with other settings."""
    changed = [name for name in _SETTINGS if recorded.get(name) != settings[name]]
    if changed:
        created = ", ".join(f"{name} {recorded.get(name)!r}" for name in changed)
        raise CommandError(
            f"{store} was created with {created}: continue with "
            f"{format_resume_command('label', store)}, or use another --store"
        )


def _note_classes(classes: list[str]) -> list[str]:
    """Return lines about classes that are easily confused."""
    by_fold: dict[str, list[str]] = {}
    for name in classes:
        by_fold.setdefault(name.casefold(), []).append(name)
    alike = [names for names in by_fold.values() if len(names) > 1]
    return [f"Classes that differ only by case: {', '.join(names)}" for names in alike]
