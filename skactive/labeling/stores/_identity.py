"""The file behind an open store: whether it is still the one under its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir

from skactive.exceptions import StoreError

__all__ = ["FileIdentity"]


class FileIdentity:
    """The device and inode of a file, compared with those of the file that has its name now.

    Parameters
    ----------
    path : Path
        The file, which exists.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._device_inode = _read_identity(path)

    def is_lost(self) -> bool:
        """Return whether the file was moved, deleted or replaced."""
        return _read_identity(self._path) != self._device_inode

    def make_error(self, rescue: Callable[[Path], None]) -> StoreError:
        """Return the error to raise for a file that was moved, deleted or replaced.

        Parameters
        ----------
        rescue : callable
            Copies the open file to a path that it is passed, if it has no name any more.
        """
        happened = "replaced by another file" if self._path.exists() else "moved or deleted"
        return StoreError(
            f"{self._path} was {happened} while it was open, so this call was not stored in it. "
            f"{self._find_labels(rescue)}"
        )

    def _find_labels(self, rescue: Callable[[Path], None]) -> str:
        """Return where the labels are; a file without a name is copied to a new one."""
        if (moved := self._find_present_path()) is not None:
            return f"The labels before are in {moved}: move it back, or open it there."
        for copy in _list_rescue_paths(self._path):
            with suppress(OSError, StoreError):
                rescue(copy)
                return f"The labels before were copied to {copy}: open it to continue."
        return "The labels before can still be copied, by the method backup of the open store."

    def _find_present_path(self) -> Path | None:
        """Return the name that the open file has now, on systems that can tell."""
        for link in _list_open_files():
            with suppress(OSError):
                target = link.readlink()
                if _read_identity(target) == self._device_inode:
                    return target
        return None


def _read_identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _list_open_files() -> list[Path]:
    try:
        return list(Path("/proc/self/fd").iterdir())
    except OSError:
        return []


def _list_rescue_paths(path: Path) -> Iterator[Path]:
    """Yield new paths for a copy: beside the lost file, then in the folder for temporary files."""
    for folder in (path.parent, Path(gettempdir())):
        copies = (folder / f"{path.stem}-rescued-{n}{path.suffix}" for n in range(1, 1000))
        if folder.is_dir():
            yield next(copy for copy in copies if not copy.exists())
