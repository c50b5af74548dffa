"""Write files completely or not at all."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

__all__ = ["is_standard_output", "publish_file", "remove_leftovers", "write_atomically"]

# Of a fixed length: the name of the file itself may be as long as names can be.
_TEMPORARY_NAME = re.compile(r"\.skactive-[0-9a-f]{32}\.tmp")
_LEFTOVER_SECONDS = 86_400.0  # no program takes a day to write a file


def write_atomically(
    path: Path, write: Callable[[BinaryIO], object], *, private: bool = False
) -> None:
    """Write a file so that it is complete and on disk, or as it was before.

    A link is followed, not replaced. A pipe, a device, or the standard output of this process
    cannot be replaced: it is written to directly, once the content is complete.

    Parameters
    ----------
    path : Path
        The file; an existing one is replaced and keeps its mode.
    write : callable
        Takes a binary file that can be read and sought in, and writes the content.
    private : bool, default=False
        Whether only the owner may read it (mode 0600), for files that hold rows or labels and are
        not meant for others. If not, a new file has the mode that the umask gives it.

    Raises
    ------
    OSError
        If it cannot be written; `path`, if it existed, is as it was.
    """
    status = _find_status(path)
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if status is None or (stat.S_ISREG(status.st_mode) and not is_standard_output(path)):
        _replace_file(Path(os.path.realpath(path)), write, status, private)
        return
    content = BytesIO()
    write(content)
    with _open_directly(path) as file:
        file.write(content.getbuffer())


def publish_file(temporary: Path, path: Path) -> None:
    """Give a complete file its name, durably, unless the name is taken.

    Parameters
    ----------
    temporary : Path
        The file, in the same folder; it may stay there under its old name, too.
    path : Path
        Its new name.

    Raises
    ------
    FileExistsError
        If the name is taken; that file is as it was.
    OSError
        If the file cannot be moved.
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.rename(path)
    _sync_folder(path.parent)


def is_standard_output(path: Path) -> bool:
    """Return whether a path is the standard output of this process, such as /dev/stdout."""
    try:
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError, AttributeError):  # it is closed, or none
        return False


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files that programs killed more than a day ago left in a folder."""
    with suppress(OSError):
        for path in folder.iterdir():
            if _TEMPORARY_NAME.fullmatch(path.name):
                with suppress(OSError):
                    if time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS:
                        path.unlink()


def _find_status(path: Path) -> os.stat_result | None:
    """Return the status of an existing file, which must be writable; None for a new one."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return status


def _replace_file(
    target: Path,
    write: Callable[[BinaryIO], object],
    status: os.stat_result | None,
    private: bool,
) -> None:
    """Write a temporary file beside the target, and move it there."""
    temporary = target.with_name(f".skactive-{uuid4().hex}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(temporary, flags, 0o600 if private else 0o666)  # less the umask
    except OSError as error:  # names the file that was asked for
        raise OSError(error.errno, error.strerror, str(target)) from error
    try:
        with os.fdopen(handle, "w+b") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if status is not None and not private:
            temporary.chmod(stat.S_IMODE(status.st_mode))
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Put the new name on disk, where folders can be opened."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _open_directly(path: Path) -> BinaryIO:
    if not is_standard_output(path):
        return path.open("wb")
    sys.stdout.flush()
    return os.fdopen(os.dup(sys.stdout.fileno()), "wb")  # at its position, after what it has
