"""Checks of files that commands are to write."""

from __future__ import annotations

from pathlib import Path

from skactive.cli._errors import CommandError

__all__ = ["check_parent"]


def check_parent(path: Path) -> None:
    """Raise an error if a file cannot be made, since its folder does not exist."""
    if not path.absolute().parent.is_dir():
        raise CommandError(f"folder not found: {path.parent}; create it first, for {path.name}")
