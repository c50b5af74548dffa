"""Find all files of a folder, through links to other folders."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from skactive.labeling.page._media_files import Fault, escape_name

__all__ = ["LeftOut", "list_names", "walk_files"]

_N_NAMES = 3  # per reason
_HIDDEN_FILE = Fault("is hidden", "hidden file", "hidden files")
_HIDDEN_FOLDER = Fault("is hidden", "hidden folder", "hidden folders")
_AGAIN = Fault(
    "was read before",
    "link to a folder that is read anyway",
    "links to folders that are read anyway",
)
_OUTER = Fault(
    "holds this folder", "link to a folder around this one", "links to folders around this one"
)


class LeftOut:
    """Files and folders that are left out, by reason."""

    def __init__(self) -> None:
        self.n_files = 0
        self._names: dict[tuple[str, str, str], list[str]] = defaultdict(list)

    def add(self, name: str, fault: Fault, is_file: bool = True) -> None:
        """Count a file, or a folder."""
        self.n_files += is_file
        self._names[fault.one, fault.many, fault.advice].append(name)

    def notes(self) -> list[str]:
        """Return these lines as sentences of their own."""
        return [f"Left out: {line}" for line in self.lines()]

    def lines(self) -> list[str]:
        """Return a line per reason, the most frequent first: "2 empty files (a.png, b.png)"."""
        ordered = sorted(self._names.items(), key=lambda item: (-len(item[1]), item[0]))
        return [_format_reason(*reason, sorted(names)) for reason, names in ordered]


def _format_reason(one: str, many: str, advice: str, names: list[str]) -> str:
    line = f"{len(names):,} {one if len(names) == 1 else many} ({list_names(names)})"
    return f"{line}: {advice}" if advice else line


def list_names(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    listed = ", ".join(map(escape_name, names[:_N_NAMES]))
    n_more = len(names) - _N_NAMES
    return f"{listed} and {n_more:,} more" if n_more > 0 else listed


def walk_files(root: Path, left_out: LeftOut) -> Iterator[str]:
    """Yield the names, relative to a folder, of all that is in it and in its subfolders.

    Links to folders are followed, but each folder is read once, so loops end; a folder that holds
    the root is not read at all, as this could be the whole disk.

    Parameters
    ----------
    root : Path
        The folder.
    left_out : LeftOut
        Gets what is hidden, and folders that cannot be read.

    Raises
    ------
    OSError
        If the root cannot be read.
    """
    around = {_identify(folder) for folder in root.resolve().parents}
    read: set[tuple[int, int]] = set()
    folders, links = [""], list[str]()
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        try:
            entries = _open_folder(root / folder, read, around)
        except _NotReadError as error:
            left_out.add(folder, error.fault, is_file=False)
            continue
        except OSError as error:
            if not folder:
                raise
            left_out.add(folder, _describe_closed(error), is_file=False)
            continue
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            is_folder = os.path.isdir(entry.path)  # noqa: PTH112 (False where links form a loop)
            if entry.name.startswith("."):
                left_out.add(name, _HIDDEN_FOLDER if is_folder else _HIDDEN_FILE, not is_folder)
            elif is_folder:
                (links if entry.is_symlink() else folders).append(name)
            else:
                yield name


class _NotReadError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence)
        self.fault = fault


def _open_folder(
    path: Path, read: set[tuple[int, int]], around: set[tuple[int, int]]
) -> list[os.DirEntry[str]]:
    """Return the sorted entries of a folder, or raise if it is not to be read."""
    identity = _identify(path)
    if identity in read or identity in around:
        raise _NotReadError(_AGAIN if identity in read else _OUTER)
    with os.scandir(path) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    read.add(identity)
    return listed


def _identify(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _describe_closed(error: OSError) -> Fault:
    reason = error.strerror or type(error).__name__
    one, many = "folder that cannot be opened", "folders that cannot be opened"
    return Fault(f"cannot be opened ({reason})", one, many, reason)
