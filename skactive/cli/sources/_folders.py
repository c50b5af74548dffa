"""Read a folder of images or sounds to label."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from skactive._utils.fingerprint import digest
from skactive.cli._errors import CommandError
from skactive.cli.sources._data_source import DataSource
from skactive.cli.sources._folder_walk import LeftOut, list_names, walk_files
from skactive.labeling.page._formats import Format, find_format
from skactive.labeling.page._images import READABLE_IMAGES, read_header
from skactive.labeling.page._media_files import (
    Fault,
    MediaError,
    identify_file,
    is_plain_name,
    stat_file,
)
from skactive.labeling.page._sounds import READABLE_SOUNDS, read_sound

__all__ = ["read_folder"]

_MEDIA = {"images": "image", "audio": "audio"}
_NOUNS = {"images": ("image", "images"), "audio": ("sound", "sounds")}
_ODD_NAME = Fault(
    "has an odd name",
    "file with control characters, invisible marks or invalid bytes in its name",
    "files with control characters, invisible marks or invalid bytes in their names",
    "rename",
)
_VIDEO = Fault("is a video", "video", "videos", "extract images or the sound")
_OTHER = Fault("is another file", "other file", "other files")


@dataclass
class _Census:
    """Files of a folder that can be labeled, with their sizes, and what is said about the rest."""

    kind: str
    sizes: dict[str, int] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    misnamed: list[str] = field(default_factory=list)

    def add(self, root: Path, name: str) -> None:
        """Add a file, or raise a `MediaError` if it cannot be read."""
        path = root / name
        known = identify_file(path, _MEDIA[self.kind])
        if self.kind == "images":
            if read_header(path, known).n_pages > 1:
                self.pages.append(name)
        else:
            read_sound(path, known, max_samples=1)
        if known is not find_format(name):
            self.misnamed.append(f"{name} ({known.name})")
        self.sizes[name] = stat_file(path).st_size

    def lines(self) -> list[str]:
        """Return what is odd about the files that are read."""
        lines = []
        if self.pages:
            lines.append(f"Only the first page is shown of {list_names(self.pages)}")
        if self.misnamed:
            lines.append(f"Read although the suffix is another: {list_names(self.misnamed)}")
        return lines


def read_folder(path: Path, kind: str | None, column: str | None) -> DataSource:
    """Read the names of the images or sounds of a folder, its subfolders and linked folders.

    Only the beginning of each file is read. Files that cannot be shown or learned from are left
    out, and the notes of the source say which and why.

    Parameters
    ----------
    path : Path
        The folder.
    kind : {"images", "audio"} or None
        Which files to read; None decides by their suffixes.
    column : str or None
        A column that was asked for, which is a mistake.

    Raises
    ------
    CommandError
        If there is nothing to label, or images and sounds but no `kind`.
    """
    if column is not None:
        raise CommandError(f"{path} is a folder: it has no column {column!r}")
    left_out = LeftOut()
    try:
        names = sorted(walk_files(path, left_out))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}") from error
    kind = kind or _infer_kind(path, names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about oddities in the metadata of files
        census = _take_census(path, kind, names, left_out)
    if not census.sizes:
        raise CommandError(_describe_nothing(path, kind, left_out))
    files = sorted(census.sizes)
    notes = [_count_files(kind, len(files), left_out.n_files), *left_out.notes(), *census.lines()]
    fingerprint = digest([(name, census.sizes[name]) for name in files])
    return DataSource(kind, files, list(files), fingerprint, notes=notes)


def _take_census(root: Path, kind: str, names: Iterable[str], left_out: LeftOut) -> _Census:
    census = _Census(kind)
    for name in names:
        fault = _judge_name(root, name, kind)
        if fault is None:
            try:
                census.add(root, name)
            except MediaError as error:
                fault = error.fault
        if fault is not None:
            left_out.add(name, fault)
    return census


def _judge_name(root: Path, name: str, kind: str) -> Fault | None:
    """Return why a file is left out whatever is in it; None if it may be read."""
    known = find_format(name)
    if known is not None and known.media == _MEDIA[kind]:
        return None if is_plain_name(name) else _ODD_NAME
    if not os.path.isfile(root / name):  # noqa: PTH113 (False if it cannot be reached)
        try:
            stat_file(root / name)
        except MediaError as error:
            return error.fault
    if known is None or known.media not in {*_MEDIA.values(), "video"}:
        return _OTHER
    return _VIDEO if known.media == "video" else _describe_other_kind(kind)


def _describe_other_kind(kind: str) -> Fault:
    other = "audio" if kind == "images" else "images"
    return Fault("is of the other kind", *_NOUNS[other], f"choose them by --{other}")


def _infer_kind(path: Path, names: Iterable[str]) -> str:
    known = {known for known in map(find_format, names) if known is not None}
    readable = {"images": READABLE_IMAGES, "audio": READABLE_SOUNDS}
    present = [kind for kind in _MEDIA if any(one.name in readable[kind] for one in known)]
    if len(present) > 1:
        raise CommandError(f"{path} holds images and sounds: choose by --images or --audio")
    return present[0] if present else _infer_unread_kind(known)


def _infer_unread_kind(known: Iterable[Format]) -> str:
    return "audio" if {one.media for one in known} == {"audio"} else "images"


def _count_files(kind: str, n_read: int, n_left_out: int) -> str:
    noun = _NOUNS[kind][n_read != 1]
    n_files = n_read + n_left_out
    return f"{n_read:,} {noun} of {n_files:,} files" if n_left_out else f"{n_read:,} {noun}"


def _describe_nothing(path: Path, kind: str, left_out: LeftOut) -> str:
    readable = sorted(READABLE_IMAGES if kind == "images" else READABLE_SOUNDS)
    lines = "; ".join(left_out.lines())
    reason = f"left out: {lines}" if lines else "it is empty"
    return f"{path} holds no {_NOUNS[kind][0]} that can be read ({', '.join(readable)}); {reason}"
