"""Files of a folder, and the labels that their folders or names give them."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["find_labeled_files"]


def find_labeled_files(
    folder: str | Path, suffixes: set[str], kind: str, pattern: str | None
) -> list[tuple[Path, dict[str, str]]]:
    """Find the files of a folder, sorted, with what their names say.

    Parameters
    ----------
    folder : str or Path
        The folder; what is hidden in it is left alone.
    suffixes : set of str
        Suffixes of the files, in lower case.
    kind : str
        What they are, in the plural, for messages.
    pattern : str or None
        A regular expression with a group ``label``, which the name of each file matches, without
        its suffix; None: a file is in the folder of its class.

    Returns
    -------
    list of (Path, dict of str to str)
        The files, and the groups of their names, ``label`` among them.

    Raises
    ------
    NotADirectoryError
        If there is no such folder.
    ValueError
        If it has no such files, or names do not match, or files are in no folder of a class.
    """
    root = Path(folder)
    if not root.is_dir():
        raise NotADirectoryError(f"{root} is no folder.")
    paths = sorted(
        path
        for path in root.rglob("*")
        if path.suffix.lower() in suffixes and not _is_hidden(path.relative_to(root))
    )
    if not paths:
        raise ValueError(
            f"{root} has no {kind} ({', '.join(sorted(suffixes))}), nor have its folders."
        )
    if pattern is None:
        return [(path, {"label": _find_class(path.relative_to(root), kind)}) for path in paths]
    return [(path, _match_name(path, pattern)) for path in paths]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _find_class(path: Path, kind: str) -> str:
    if len(path.parts) < 2:
        raise ValueError(
            f"{path} is in no folder of a class: put {kind} into one folder per class, or pass "
            "pattern= if their names hold the class."
        )
    return path.parts[0]


def _match_name(path: Path, pattern: str) -> dict[str, str]:
    found = re.fullmatch(pattern, path.stem)
    if found is None or "label" not in found.groupdict():
        raise ValueError(
            f"The name {path.name!r} does not match {pattern!r} with a group (?P<label>...): move "
            "the file, or change the pattern."
        )
    return found.groupdict()
