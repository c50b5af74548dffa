"""Campaigns: what is labeled and how, from the command line or from the store that keeps it."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skactive import __version__
from skactive.cli._errors import CommandError
from skactive.exceptions import PoolChangedError, StoreError
from skactive.labeling._session import LabelingSession
from skactive.labeling.stores import SQLiteLabelStore

# What reads data and makes models is imported where it is done: the parser must be there at once.
MODELS = ("forest", "logistic", "svm")

__all__ = ["Campaign", "add_campaign_arguments", "open_campaign", "read_campaign"]

DEFAULTS: dict[str, Any] = {
    "multilabel": False,
    "batch": 10,
    "model": "logistic",
    "strategy": "Auto",
    "audit": 0.1,
}
_FROM_STORE = ("text", "id", "images", "audio", "classes", *DEFAULTS, "store")
_MADE_WITH = ("kind", "text", "id", "classes", *DEFAULTS, "files")


# The command line -------------------------------------------------------------------------------


def add_campaign_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is labeled, and how.

    Parameters
    ----------
    parser : ArgumentParser
        Of a command; `open_campaign` takes what it parses, as a dict.
    """
    add = parser.add_argument
    add(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="csv, jsonl or parquet, or a folder of images or WAV files",
    )
    add("--text", metavar="COLUMN", help="the column to read (default: a table of numbers)")
    add("--id", metavar="COLUMN", help="the column that names the rows (default: numbers)")
    add("--images", action="store_true", help="the folder's images, where it holds sounds too")
    add("--audio", action="store_true", help="the folder's WAV files, where it holds images too")
    add("--classes", type=_classes, metavar="A,B", help="the classes; more can be added later")
    add("--multilabel", action="store_true", help="a row may have several classes, or none")
    add("--store", type=Path, metavar="DB", help="where to keep the labels: a new file, labels.db")
    add("--resume", type=Path, metavar="DB", help="go on with such a file; it knows all the rest")
    add(
        "--batch", type=_count, metavar="N", help=f"labels between two models ({_default('batch')})"
    )
    add("--model", choices=MODELS, help=f"what learns ({_default('model')})")
    add("--strategy", metavar="NAME", help=f"what chooses ({_default('strategy')})")
    add(
        "--audit",
        type=_share,
        metavar="SHARE",
        help="share of the labels spent to know how good the model is: rows drawn at random, "
        f"from which it does not learn ({_default('audit')}; 0: none)",
    )


def _default(name: str) -> str:
    return str(DEFAULTS[name])


def _classes(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError("name the classes, parted by commas")
    for name in names:
        if names.count(name) > 1:
            raise argparse.ArgumentTypeError(f"{name!r} is named twice")
        if not name.isprintable():
            raise argparse.ArgumentTypeError(f"{name!r} cannot be shown")
    return names


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"a whole number of at least 1 is needed, got {text!r}")
    return number


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"a share from 0 to below 1 is needed, got {text!r}")
    return number


# Campaigns --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Campaign:
    """What is labeled, and how.

    Parameters
    ----------
    path : Path
        The table, or the folder.
    store : Path
        Where the labels are.
    source : Source
        The rows: `kind` is "text", "table", "images" or "audio"; of a folder, `rows` are the names
        of the files within `path`.
    settings : dict
        What it was made with.
    """

    path: Path
    store: Path
    source: Any
    settings: dict[str, Any]

    def open(self, **options: Any) -> LabelingSession:
        """Return a session; close it in the end.

        Parameters
        ----------
        **options : object
            Further ones of the session: hooks, say.

        Raises
        ------
        CommandError
            If the store cannot be opened, or was made for other rows or with other settings.
        """
        from skactive.cli._models import make_learner
        from skactive.stopping import StabilizingPredictions

        settings = self.settings
        several = settings["multilabel"]
        learner = make_learner(
            self.source,
            self.path,
            settings["model"],
            settings["strategy"],
            settings["classes"],
            several,
        )
        session = self._session(
            learner,
            self.source.rows,
            ids=self.source.ids,
            store=self.store,
            classes=settings["classes"],
            multilabel=several,
            audit_share=settings["audit"],
            refit_every=settings["batch"],
            stopping=None if several else StabilizingPredictions(growth=0.1),
            **options,
        )
        try:
            self._check_settings(session.store.set_fact("campaign", self._kept()))
        except BaseException:
            session.close()
            raise
        return session

    def _session(self, *arguments: Any, **options: Any) -> LabelingSession:
        try:
            return LabelingSession(*arguments, **options)
        except PoolChangedError as error:
            what = str(error).split(". ")[0].partition(": ")[2]
            raise CommandError(
                f"{self.store} was made for other rows than {self.path} holds: {what}; name the "
                "data as they were, or begin another store"
            ) from error
        except StoreError as error:
            raise CommandError(str(error)) from error
        except ValueError as error:  # ids
            raise CommandError(f"{self.path}: {error}") from error

    def _kept(self) -> dict[str, Any]:
        where = self.path.resolve()
        beside = os.path.relpath(where, self.store.resolve().parent)
        return {**self.settings, "path": str(where), "beside": beside, "skactive": __version__}

    def _check_settings(self, made_with: dict[str, Any]) -> None:
        other = [name for name in _MADE_WITH if made_with.get(name) != self.settings[name]]
        if "files" in other:
            raise CommandError(
                f"the files of {self.path} are not those that {self.store} was made for: some "
                "have another name or size; bring them back, or begin another store"
            )
        if other:
            told = ", ".join(f"{name} {made_with.get(name)!r}" for name in other)
            raise CommandError(
                f"{self.store} was made with {told}: go on with it by skactive label "
                f"--resume {shlex.quote(str(self.store))}, or name another --store"
            )


def open_campaign(options: Mapping[str, Any], **session_options: Any) -> LabelingSession:
    """Return the session that options of the command line ask for.

    Parameters
    ----------
    options : mapping
        What a parser with `add_campaign_arguments` parsed; others are left aside.
    **session_options : object
        Further ones of the session.

    Returns
    -------
    LabelingSession
        Close it in the end.

    Raises
    ------
    CommandError
        If it cannot be opened; then no file was made or changed.
    """
    return read_campaign(options).open(**session_options)


def read_campaign(options: Mapping[str, Any]) -> Campaign:
    """Return the campaign that options of the command line ask for, with its rows.

    Parameters
    ----------
    options : mapping
        As of `open_campaign`.

    Raises
    ------
    CommandError
        If something is missing, or is not what it should be.
    """
    from skactive.cli._sources import read_source  # late: reads data

    given = {k: value for k, value in options.items() if value is not None and value is not False}
    path, store, settings = _resumed(given) if "resume" in given else _begun(given)
    folder = settings["kind"] if settings["kind"] in {"images", "audio"} else None
    source = read_source(path, folder, settings["text"], settings["id"])
    if "resume" not in given:  # else it was opened, to read what it was made with
        _check_header(store)
    return Campaign(path, store, source, {**settings, "kind": source.kind, "files": source.files})


def _begun(given: dict[str, Any]) -> tuple[Path, Path, dict[str, Any]]:
    if "file" not in given:
        raise CommandError(
            "name what is to be labeled, a table or a folder, or go on with --resume labels.db"
        )
    path = Path(given["file"])
    if not path.exists():
        raise CommandError(f"there is no file {path}")
    if "classes" not in given:
        raise CommandError("name the classes: --classes a,b,c")
    if len(given["classes"]) < 2 and not given.get("multilabel"):
        raise CommandError("one class leaves nothing to learn: name two or more by --classes")
    if "store" not in given:
        raise CommandError("say where to keep the labels: --store labels.db")
    if "images" in given and "audio" in given:
        raise CommandError("--images or --audio, not both")
    kind = next((name for name in ("images", "audio") if name in given), None)
    settings = {name: given.get(name, default) for name, default in DEFAULTS.items()}
    settings |= {"kind": kind, "text": given.get("text"), "id": given.get("id")}
    return path, Path(given["store"]), settings | {"classes": list(given["classes"])}


def _resumed(given: dict[str, Any]) -> tuple[Path, Path, dict[str, Any]]:
    store = Path(given["resume"])
    for name in _FROM_STORE:
        if name in given:
            raise CommandError(f"--resume takes all from the store: leave out --{name}")
    made_with = _campaign_of(store)
    if "file" in given:
        path = Path(given["file"])
    else:
        path = Path(made_with["path"])
        beside = store.resolve().parent / made_with["beside"]
        path = path if path.exists() or not beside.exists() else beside
    if not path.exists():
        raise CommandError(
            f"there is no {path} any more: if it was moved, name it: skactive label FILE --resume "
            f"{shlex.quote(str(store))}; skactive export gives the labels without it"
        )
    return path, store, {name: made_with[name] for name in _MADE_WITH}


def _campaign_of(path: Path) -> dict[str, Any]:
    """Return what a store was made with."""
    if not path.is_file():
        raise CommandError(f"there is no file {path}")
    try:
        store = SQLiteLabelStore(path)
        made_with = store.fact("campaign")
        store.close()
    except StoreError as error:
        raise CommandError(str(error)) from error
    if made_with is None:
        raise CommandError(
            f"{path} was not made by skactive label: name its data, skactive label FILE --classes "
            f"... --store {shlex.quote(str(path))}"
        )
    return dict(made_with)


def _check_header(store: Path) -> None:
    """Refuse what is no store before models are made."""
    if store.is_dir():
        raise CommandError(f"{store} is a folder: name a file for the labels")
    if store.exists():
        try:
            SQLiteLabelStore(store).close()
        except StoreError as error:
            raise CommandError(str(error)) from error
    elif not store.absolute().parent.is_dir():
        raise CommandError(f"there is no folder {store.parent}: make it first, for {store.name}")
