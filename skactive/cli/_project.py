"""Labeling projects: data and settings, from the command line or from an existing store."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skactive import __version__
from skactive.cli._arguments import parse_class_names, parse_positive_int, parse_share
from skactive.cli._errors import CommandError
from skactive.cli._stored_project import check_store_file
from skactive.exceptions import PoolChangedError, StoreError
from skactive.labeling.stores import SQLiteLabelStore

if TYPE_CHECKING:
    from skactive.cli._data_source import DataSource
    from skactive.labeling._session import LabelingSession

__all__ = [
    "LabelingProject",
    "add_project_arguments",
    "format_resume_command",
    "open_project",
    "read_project",
]

MODELS = ("forest", "logistic", "svm")
DEFAULTS: dict[str, Any] = {
    "multilabel": False,
    "batch": 10,
    "model": "logistic",
    "strategy": "Auto",
    "audit": 0.1,
}
_OPTIONS_FROM_STORE = ("text", "id", "images", "audio", "classes", *DEFAULTS, "store")
_SETTINGS = ("kind", "text", "id", "classes", *DEFAULTS, "files")


# Options ----------------------------------------------------------------------------------------


def add_project_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of data and settings, which `read_project` takes.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of a command.
    """
    add = parser.add_argument
    add(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="csv, jsonl or parquet, or a folder of images or WAV files",
    )
    add(
        "--text", metavar="COLUMN", help="column of texts to label (default: label rows of numbers)"
    )
    add("--id", metavar="COLUMN", help="column of row ids (default: row numbers)")
    add("--images", action="store_true", help="label the images of a folder that also holds sounds")
    add(
        "--audio",
        action="store_true",
        help="label the WAV files of a folder that also holds images",
    )
    add("--classes", type=parse_class_names, metavar="A,B", help="classes; more can be added later")
    add("--multilabel", action="store_true", help="allow several classes per row, or none")
    add("--store", type=Path, metavar="DB", help="file for the labels, such as labels.db")
    add(
        "--resume",
        type=Path,
        metavar="DB",
        help="continue with such a file; all other options come from it",
    )
    add(
        "--batch",
        type=parse_positive_int,
        metavar="N",
        help=f"number of labels between two fits ({DEFAULTS['batch']})",
    )
    add("--model", choices=MODELS, help=f"model ({DEFAULTS['model']})")
    add("--strategy", metavar="NAME", help=f"query strategy ({DEFAULTS['strategy']})")
    add(
        "--audit",
        type=parse_share,
        metavar="SHARE",
        help="share of the labels used to measure accuracy: random rows that the model does not "
        f"learn from ({DEFAULTS['audit']}; 0: none)",
    )


# Projects ---------------------------------------------------------------------------------------


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
    """

    path: Path
    store: Path
    source: DataSource
    settings: dict[str, Any]

    def open(self, **options: Any) -> LabelingSession:
        """Return a session, which the caller closes.

        Parameters
        ----------
        **options : object
            Further parameters of `LabelingSession`, such as hooks.

        Raises
        ------
        CommandError
            If the store cannot be opened, or was created for other rows or with other settings.
        """
        from skactive.cli._learners import make_learner  # late: the parser must be fast
        from skactive.stopping import StabilizingPredictions

        settings = self.settings
        multilabel = settings["multilabel"]
        learner = make_learner(
            self.source,
            self.path,
            settings["model"],
            settings["strategy"],
            settings["classes"],
            multilabel,
        )
        session = self._open_session(
            learner,
            self.source.rows,
            ids=self.source.ids,
            store=self.store,
            classes=settings["classes"],
            multilabel=multilabel,
            audit_share=settings["audit"],
            refit_every=settings["batch"],
            stopping=None if multilabel else StabilizingPredictions(growth=0.1),
            **options,
        )
        try:
            self._check_settings(session.store.set_fact("campaign", self._describe()))
        except BaseException:
            session.close()
            raise
        return session

    def _open_session(self, *arguments: Any, **options: Any) -> LabelingSession:
        from skactive.labeling._session import LabelingSession  # late: the parser must be fast

        try:
            return LabelingSession(*arguments, **options)
        except PoolChangedError as error:
            reason = str(error).split(". ")[0].partition(": ")[2]
            raise CommandError(
                f"{self.store} was created for other rows than {self.path} holds: {reason}; pass "
                "the original data, or another --store"
            ) from error
        except StoreError as error:
            raise CommandError(str(error)) from error
        except ValueError as error:  # ids
            raise CommandError(f"{self.path}: {error}") from error

    def _describe(self) -> dict[str, Any]:
        """Return what the store records: the settings, and the path from two starting points."""
        path = self.path.resolve()
        from_store = os.path.relpath(path, self.store.resolve().parent)
        return {**self.settings, "path": str(path), "beside": from_store, "skactive": __version__}

    def _check_settings(self, recorded: dict[str, Any]) -> None:
        changed = [name for name in _SETTINGS if recorded.get(name) != self.settings[name]]
        if "files" in changed:
            raise CommandError(
                f"the files of {self.path} are not those that {self.store} was created for: some "
                "have another name or size; restore them, or use another --store"
            )
        if changed:
            settings = ", ".join(f"{name} {recorded.get(name)!r}" for name in changed)
            raise CommandError(
                f"{self.store} was created with {settings}: continue with "
                f"{format_resume_command('label', self.store)}, or use another --store"
            )


def format_resume_command(command: str, store: Path, *arguments: str) -> str:
    """Return the shell command that continues with a store."""
    return shlex.join(["skactive", command, "--resume", str(store), *arguments])


def open_project(options: Mapping[str, Any], **session_options: Any) -> LabelingSession:
    """Return the session of a project, which the caller closes.

    Parameters
    ----------
    options : mapping
        Options of `add_project_arguments`, parsed; others are ignored.
    **session_options : object
        Further parameters of `LabelingSession`.

    Raises
    ------
    CommandError
        If it cannot be opened; then no file was created or changed.
    """
    return read_project(options).open(**session_options)


def read_project(options: Mapping[str, Any]) -> LabelingProject:
    """Return a project with its rows.

    Parameters
    ----------
    options : mapping
        Options of `add_project_arguments`, parsed; others are ignored.

    Raises
    ------
    CommandError
        If an option is missing or wrong, or the data cannot be read.
    """
    from skactive.cli._sources import read_source  # late: the parser must be fast

    options = {
        name: value for name, value in options.items() if value is not None and value is not False
    }
    resumed = "resume" in options
    path, store, settings = _resolve_resumed(options) if resumed else _resolve_new(options)
    folder_kind = settings["kind"] if settings["kind"] in {"images", "audio"} else None
    source = read_source(path, folder_kind, settings["text"], settings["id"])
    if not resumed:  # otherwise it was opened for its settings
        _check_store(store)
    return LabelingProject(
        path, store, source, {**settings, "kind": source.kind, "files": source.files}
    )


def _resolve_new(options: dict[str, Any]) -> tuple[Path, Path, dict[str, Any]]:
    """Return data, store and settings of the command line."""
    if "file" not in options:
        raise CommandError(
            "name the data to label, a table or a folder, or continue with --resume labels.db"
        )
    path = Path(options["file"])
    if not path.exists():
        raise CommandError(f"file not found: {path}")
    if "classes" not in options:
        raise CommandError("name the classes: --classes a,b,c")
    if len(options["classes"]) < 2 and not options.get("multilabel"):
        raise CommandError("one class leaves nothing to learn: name two or more by --classes")
    if "store" not in options:
        raise CommandError("name a file for the labels: --store labels.db")
    if "images" in options and "audio" in options:
        raise CommandError("--images and --audio cannot be combined")
    kind = next((name for name in ("images", "audio") if name in options), None)
    settings = {name: options.get(name, default) for name, default in DEFAULTS.items()}
    settings |= {"kind": kind, "text": options.get("text"), "id": options.get("id")}
    return path, Path(options["store"]), settings | {"classes": list(options["classes"])}


def _resolve_resumed(options: dict[str, Any]) -> tuple[Path, Path, dict[str, Any]]:
    """Return data, store and settings that a store records."""
    store = Path(options["resume"])
    for name in _OPTIONS_FROM_STORE:
        if name in options:
            raise CommandError(f"--{name} cannot be combined with --resume")
    recorded = _read_settings(store)
    if "file" in options:
        path = Path(options["file"])
    else:
        path = Path(recorded["path"])
        from_store = store.resolve().parent / recorded["beside"]
        path = path if path.exists() or not from_store.exists() else from_store
    if not path.exists():
        raise CommandError(
            f"data not found: {path}; if they were moved, name them: skactive label FILE --resume "
            f"{shlex.quote(str(store))}; skactive export writes the labels without the data"
        )
    return path, store, {name: recorded[name] for name in _SETTINGS}


def _read_settings(path: Path) -> dict[str, Any]:
    """Return the settings that a store records."""
    check_store_file(path)
    try:
        store = SQLiteLabelStore(path)
        recorded = store.fact("campaign")
        store.close()
    except StoreError as error:
        raise CommandError(str(error)) from error
    if recorded is None:
        raise CommandError(
            f"{path} was not created by skactive label: name its data, skactive label FILE "
            f"--classes ... --store {shlex.quote(str(path))}"
        )
    return dict(recorded)


def _check_store(path: Path) -> None:
    """Raise an error if a path cannot be a store, before models are fitted."""
    if path.is_dir():
        raise CommandError(f"{path} is a folder: name a file for the labels")
    if path.exists():
        check_store_file(path)
        try:
            SQLiteLabelStore(path).close()
        except StoreError as error:
            raise CommandError(str(error)) from error
    elif not path.absolute().parent.is_dir():
        raise CommandError(f"folder not found: {path.parent}; create it first, for {path.name}")
