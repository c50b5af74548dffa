"""Checks of files that commands are to write."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from skactive.cli._errors import CommandError

__all__ = ["check_output", "check_parent"]


def check_parent(path: Path) -> None:
    """Raise an error if a file cannot be made, since its folder does not exist."""
    if not path.absolute().parent.is_dir():
        raise CommandError(f"folder not found: {path.parent}; create it first, for {path.name}")


def check_output(output: Path, suffixes: Sequence[str], noun: str) -> Path:
    """Return the path to write to, with a suffix; raise an error if it cannot be written to.

    Parameters
    ----------
    output : Path
        As the user named it; without a suffix it gets the first one.
    suffixes : sequence of str
        Kinds of files that can be written.
    noun : str
        Name of the output in errors.
    """
    path = output if output.suffix else output.with_suffix(suffixes[0])
    if path.suffix.lower() not in suffixes:
        raise CommandError(f"the {noun} is written as {' or '.join(suffixes)}, not {output.name}")
    if output.is_dir() or path.is_dir():
        raise CommandError(f"the {noun} needs a file name, but {output} is a folder")
    check_parent(path)
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise CommandError(f"the {noun} cannot be written: no permission to write {path}")
    return path
