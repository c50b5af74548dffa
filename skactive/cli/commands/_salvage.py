"""``skactive status --salvage``: what can still be read of a damaged store."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from skactive._utils.sanitizing import sanitize
from skactive._utils.text import pluralize
from skactive.cli._errors import CommandError
from skactive.cli._output import print_line
from skactive.cli._paths import check_parent
from skactive.cli.projects._project_options import format_resume_command
from skactive.cli.projects._recorded import read_recorded
from skactive.cli.reading import check_regular_file
from skactive.exceptions import StoreError
from skactive.labeling.stores import Salvage, salvage_store

__all__ = ["salvage"]


def salvage(path: Path, output: Path | None, *, as_json: bool) -> None:
    """Copy what can be read of a store, which stays as it is, and print what cannot.

    Parameters
    ----------
    path : Path
        File of the store.
    output : Path or None
        New store for what can be read; None adds ``-salvaged`` to the name.
    as_json : bool
        Whether to print JSON.

    Raises
    ------
    CommandError
        If there is no such file, nothing of it can be read, or the output cannot be written.
    """
    check_regular_file(path)
    check_parent(output or path)
    try:
        found = salvage_store(path, output)
    except StoreError as error:
        raise CommandError(str(error)) from error
    if as_json:
        facts = asdict(found) | {"output": str(found.output)}
        print_line(json.dumps(facts, indent=2))
        return
    for name, text in _list_findings(path, found):
        print_line(f"{name:<10} {text}")


def _list_findings(path: Path, found: Salvage) -> Iterator[tuple[str, str]]:
    """Yield the lines about what was found: pairs of name and text."""
    yield "Readable", pluralize(found.n_events, "event")
    for number, problem in enumerate(found.problems or ["nothing"]):
        yield "" if number else "Left out", sanitize(problem)
    yield "Original", f"{path}, not changed"
    yield "Copy", str(found.output)
    if read_recorded(found.output).settings is not None:
        yield "Continue", format_resume_command("label", found.output)
        return
    # It never had them, or they could not be read
    store = shlex.quote(str(found.output))
    yield "Continue", f"skactive label FILE ... --store {store}, with the options of the start"
