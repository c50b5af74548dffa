"""The small sets that come with the package, each with its license."""

from __future__ import annotations

from pathlib import Path

__all__ = ["find_bundled"]

_PACKAGE = Path(__file__).resolve().parent
_ROOTS = (_PACKAGE / "bundled", _PACKAGE.parent.parent / "notebooks" / "data")


def find_bundled(name: str) -> Path:
    """Return the folder of a small set that comes with the package.

    Parameters
    ----------
    name : str
        Name of the set.

    Returns
    -------
    Path
        A folder of its files, with ``LICENSE.md``: origin and license.

    Raises
    ------
    FileNotFoundError
        If there is none of this name.
    """
    for root in _ROOTS:
        if (root / name / "LICENSE.md").is_file():
            return root / name
    found = sorted({path.parent.name for root in _ROOTS for path in root.glob("*/LICENSE.md")})
    raise FileNotFoundError(f"no bundled data named {name!r}: choose one of {found}.")
