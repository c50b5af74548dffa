"""Open images and sounds with the programs of the system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["make_viewer"]


def make_viewer(folder: Path) -> Callable[[Any], str]:
    """Return a function that opens the file of a row, and returns an error message or nothing.

    Parameters
    ----------
    folder : Path
        Folder of the files.
    """
    processes: list[Any] = []

    def view(row: Any) -> str:
        path = (folder / row[0]).resolve()
        for process in processes:
            process.poll()  # A process that ended stays a zombie until it is polled
        try:
            if _open_file(path, processes):
                return ""
        except OSError as error:
            return f"The file could not be opened: {error.strerror or error}."
        return "No viewer is available here: open the file yourself."

    return view


def _open_file(path: Path, processes: list[Any]) -> bool:
    """Open a file with the system's program for it; return whether one is available."""
    if sys.platform == "win32":
        os.startfile(path)
        return True
    program = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    # Without a display, xdg-open would start a text browser in this terminal.
    has_display = sys.platform == "darwin" or any(
        map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))
    )
    if program is None or not has_display:
        return False
    quiet = subprocess.DEVNULL
    processes.append(
        subprocess.Popen(
            [program, str(path)], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
    )
    return True
