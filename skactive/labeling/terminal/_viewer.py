"""Open images and sounds with the programs of the system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

from skactive.labeling.page._media import check_media
from skactive.labeling.page._media_files import MediaError

__all__ = ["UnopenedFileError", "Viewer", "make_viewer"]


class UnopenedFileError(Exception):
    """The file of a row is missing or broken, or its program failed."""


class Viewer(Protocol):
    """Interface that shows rows outside of the terminal."""

    def open(self, row: Any) -> str:
        """Show a row; return a message about it, or nothing. Raise `UnopenedFileError`."""

    def check(self) -> None:
        """Raise `UnopenedFileError` if the row that was opened last could not be shown."""


class FileViewer:
    """Open the files of rows with the system's programs for them.

    Parameters
    ----------
    folder : Path
        Folder of the files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Any] = []
        self._last: Any = None  # the process of the row that was opened last

    def open(self, row: Any) -> str:
        """Open the file of a row.

        Parameters
        ----------
        row : sequence of one str
            Name of the file, relative to the folder.

        Returns
        -------
        str
            Empty, or that no program is available.

        Raises
        ------
        UnopenedFileError
            If the file is missing or broken; the message says so.
        """
        self._last = None
        # A process that ended stays a zombie until it is polled
        self._running = [process for process in self._running if process.poll() is None]
        path = self._folder / row[0]
        try:
            check_media(path)
            is_open = self._start(path.resolve())
        except MediaError as error:
            raise UnopenedFileError(str(error)) from error
        except (OSError, RuntimeError) as error:  # a RuntimeError where links go in a circle
            reason = getattr(error, "strerror", None) or error
            raise UnopenedFileError(f"The file could not be opened: {reason}.") from error
        return "" if is_open else "No viewer is available here: open the file yourself."

    def check(self) -> None:
        """Raise `UnopenedFileError` if the program of the last file has ended with an error."""
        code = None if self._last is None else self._last.poll()
        if code:
            raise UnopenedFileError(f"The file could not be opened: its program failed ({code}).")

    def _start(self, path: Path) -> bool:
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
        self._last = subprocess.Popen(
            [program, str(path)], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
        self._running.append(self._last)
        return True


def make_viewer(folder: Path) -> Viewer:
    """Return a viewer of the files in a folder.

    Parameters
    ----------
    folder : Path
        The folder.
    """
    return FileViewer(folder)
