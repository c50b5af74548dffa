"""``skactive demo --application NAME``: plays the code of an application as it is."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skactive.applications import find_applications
from skactive.cli._errors import CommandError

__all__ = ["play_application"]

_OPTIONS = {  # of the demo, and what the script of an application calls them
    "data": "--data",
    "n_seeds": "--seeds",
    "budget": "--budget",
    "batch_size": "--batch-size",
    "n_initial": "--initial",
    "output": "--picture",
}
_REFUSED = {"target": "--target", "strategies": "--strategies", "estimator": "--estimator"}


def play_application(name: str, options: Mapping[str, Any]) -> None:
    """Run the script of an application.

    Parameters
    ----------
    name : str
        Name of the application, with "_" or "-".
    options : mapping of str to object
        The options of the command that were given.

    Raises
    ------
    CommandError
        If there is no such application, an option does not go with it, its data cannot be read, or
        a library that it needs is not installed.
    """
    folders = find_applications()
    folder = folders.get(name.replace("-", "_"))
    if folder is None:
        raise CommandError(f"no application named {name!r}: choose one of {', '.join(folders)}")
    refused = [option for key, option in _REFUSED.items() if key in options]
    if refused:
        raise CommandError(
            f"{', '.join(refused)} cannot be used with --application, which has its own: edit a "
            f"copy of {folder / 'run.py'} instead"
        )
    arguments = [
        text
        for key, option in _OPTIONS.items()
        if key in options
        for text in (option, str(options[key]))
    ]
    with _running_as_script(folder / "run.py", arguments):
        try:
            runpy.run_path(str(folder / "run.py"), run_name="__main__")
        except ModuleNotFoundError as error:
            raise CommandError(
                f"{name} needs {error.name}, which is not installed: see {folder / 'README.md'}"
            ) from error
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error


@contextmanager
def _running_as_script(script: Path, arguments: list[str]) -> Iterator[None]:
    """Set what Python sets when it runs a script: its arguments, and its folder to import from."""
    argv, modules = sys.argv, set(sys.modules)
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, str(script.parent))
    try:
        yield
    finally:
        sys.argv = argv
        sys.path.remove(str(script.parent))
        for stem in {path.stem for path in script.parent.glob("*.py")} - modules:
            sys.modules.pop(stem, None)
