"""``skactive backup``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from skactive._utils.files import publish_file
from skactive._utils.text import pluralize
from skactive.cli._errors import CommandError
from skactive.cli._output import print_line
from skactive.cli._paths import check_parent
from skactive.exceptions import StoreError

__all__ = ["add_backup_arguments", "run_backup"]


def add_backup_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``skactive backup``.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    """
    parser.add_argument(
        "store", type=Path, metavar="DB", help="file of the labels, such as labels.db"
    )
    parser.add_argument("copy", type=Path, metavar="COPY", help="file to write; it must be new")


def run_backup(options: dict[str, Any]) -> None:
    """Copy all that a store holds so far to a new file, and read the copy to check it.

    Parameters
    ----------
    options : dict
        Parsed options.

    Raises
    ------
    CommandError
        If the store cannot be read, or the copy exists already or cannot be written; then there is
        no copy.
    """
    from skactive.cli.projects._stored_project import read_store  # late: the parser must be fast

    copy = options["copy"]
    _check_new(copy)
    # Complete and checked before it gets its name, so that no copy is half a copy.
    temporary = copy.with_name(f".skactive-{uuid4().hex}.db")
    try:
        _copy(options["store"], temporary)
        with read_store(temporary) as project:
            n_labels, n_events = project.progress().n_labeled, project.state.position
        _name_copy(temporary, copy)
    finally:
        for leftover in copy.parent.glob(f"{temporary.name}*"):
            leftover.unlink()
    print_line(
        f"{copy} holds {pluralize(n_labels, 'label')}, in {pluralize(n_events, 'event')}; each was "
        "read back and is intact"
    )


def _check_new(copy: Path) -> None:
    """Raise an error if the copy cannot be written under its name."""
    if os.path.lexists(copy):
        raise CommandError(f"{copy} exists already: name a new file for the copy")
    check_parent(copy)


def _copy(store: Path, copy: Path) -> None:
    from skactive.cli.reading import check_regular_file
    from skactive.labeling.stores import SQLiteLabelStore

    check_regular_file(store)
    try:
        source = SQLiteLabelStore(store, read_only=True)
        try:
            source.backup(copy)
        finally:
            source.close()
    except StoreError as error:
        raise CommandError(str(error)) from error


def _name_copy(temporary: Path, copy: Path) -> None:
    try:
        publish_file(temporary, copy)
    except FileExistsError:  # made by another process meanwhile
        raise CommandError(f"{copy} exists already: name a new file for the copy") from None
    except OSError as error:
        raise CommandError(f"{copy} cannot be written: {error.strerror or error}") from error
