"""Read a folder of images or sounds to label."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from skactive._utils.fingerprint import digest
from skactive.cli._data_source import DataSource
from skactive.cli._errors import CommandError

__all__ = ["read_folder"]

_MEDIA_SUFFIXES = {
    "images": (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"),
    "audio": (".wav",),
}
_UNSUPPORTED_AUDIO = (".aac", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wma")


def read_folder(path: Path, kind: str | None, column: str | None) -> DataSource:
    if column is not None:
        raise CommandError(f"{path} is a folder: it has no column {column!r}")
    names = sorted(_walk_files(path))
    by_kind = {
        kind: [name for name in names if name.lower().endswith(suffixes)]
        for kind, suffixes in _MEDIA_SUFFIXES.items()
    }
    kind = kind or _infer_kind(path, by_kind)
    files = by_kind[kind]
    if not files:
        other = [name for name in names if name.lower().endswith(_UNSUPPORTED_AUDIO)]
        advice = f"; convert the others ({other[0]}, ...) to WAV" if other else ""
        raise CommandError(f"{path} holds no {' '.join(_MEDIA_SUFFIXES[kind])} file{advice}")
    for name in files:
        if not name.isprintable():
            raise CommandError(f"{name!r} in {path} contains unprintable characters: rename it")
    sizes = [(name, (path / name).stat().st_size) for name in files]
    return DataSource(kind, files, list(files), digest(sizes))


def _infer_kind(path: Path, by_kind: dict[str, list[str]]) -> str:
    present = [kind for kind, names in by_kind.items() if names]
    if len(present) > 1:
        raise CommandError(f"{path} holds images and sounds: choose by --images or --audio")
    return present[0] if present else "images"


def _walk_files(path: Path) -> Iterable[str]:
    """Yield all files in a folder and its subfolders, except hidden ones."""
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield (Path(folder) / name).relative_to(path).as_posix()
