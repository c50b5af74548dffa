"""Images and sounds: shown by the programs that the system has for them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["viewer_of"]


def viewer_of(folder: Path) -> Callable[[Any], str]:
    """Return what opens the file of a row, and says what came of it.

    Parameters
    ----------
    folder : Path
        Where the files are.
    """
    opened: list[Any] = []  # processes that ended are cleared away when they are looked at

    def view(row: Any) -> str:
        path = (folder / row[0]).resolve()
        for process in opened:
            process.poll()
        try:
            if _opens(path, opened):
                return ""
        except OSError as error:
            return f"It could not be opened: {error.strerror or error}."
        return "There is no viewer here: open the file by yourself."

    return view


def _opens(path: Path, opened: list[Any]) -> bool:
    """Open a file by the system's program for it; tell whether there is one."""
    if sys.platform == "win32":
        os.startfile(path)
        return True
    program = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    # Without a screen xdg-open would take the terminal for a browser of text.
    shown = sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    if program is None or not shown:
        return False
    quiet = subprocess.DEVNULL
    opened.append(
        subprocess.Popen(
            [program, str(path)], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
    )
    return True
