"""``skactive status --salvage``: what can still be read of a damaged store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from skactive._utils.text import pluralize
from skactive.cli._errors import CommandError
from skactive.cli._output import print_line
from skactive.cli._project import format_resume_command
from skactive.cli._stored_project import check_store_file
from skactive.exceptions import StoreError
from skactive.labeling import stores
from skactive.labeling.terminal._text import sanitize

__all__ = ["salvage"]


def salvage(path: Path, output: Path | None, *, as_json: bool) -> None:
    """Print what can be read of a store, which stays as it is, and what cannot.

    Parameters
    ----------
    path : Path
        File of the store.
    output : Path or None
        New store for what can be read; None writes nothing.
    as_json : bool
        Whether to print JSON.

    Raises
    ------
    CommandError
        If there is no such file, nothing of it can be read, or the output cannot be written.
    """
    check_store_file(path)
    try:
        found = stores.salvage_store(path, output)  # type: ignore[attr-defined]
    except StoreError as error:
        raise CommandError(str(error)) from error
    if as_json:
        written = None if found.output is None else str(found.output)
        facts = {"n_events": found.n_events, "problems": found.problems, "output": written}
        print_line(json.dumps(facts, indent=2))
        return
    for name, text in _list_findings(path, found):
        print_line(f"{name:<10} {text}")


def _list_findings(path: Path, found: Any) -> list[tuple[str, str]]:
    """Return the lines about what was found: pairs of name and text."""
    lines = [("Readable", pluralize(found.n_events, "event"))]
    for number, problem in enumerate(found.problems):
        lines.append(("" if number else "Left out", sanitize(problem)))
    if not found.problems:
        lines.append(("Left out", "nothing"))
    lines.append(("Original", f"{path}, not changed"))
    if found.output is None:
        lines.append(("Copy", "none; --output COPY writes what can be read to a new store"))
    else:
        lines.append(("Copy", str(found.output)))
        lines.append(("Continue", format_resume_command("label", found.output)))
    return lines
