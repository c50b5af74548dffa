"""Where the folders of the applications are: in the repository, or in the installed package."""

from __future__ import annotations

from pathlib import Path

__all__ = ["find_applications"]

_PACKAGE = Path(__file__).resolve().parent


def find_applications() -> dict[str, Path]:
    """Return the folders of the applications that come with the package.

    Returns
    -------
    dict of str to Path
        The folder of each application by its name, sorted; it has a ``run.py`` and a ``model.py``.

    Examples
    --------
    >>> from skactive.applications import find_applications
    >>> all((folder / "run.py").is_file() for folder in find_applications().values())
    True
    """
    for root in (_PACKAGE / "code", _PACKAGE.parent.parent / "applications"):
        found = {path.parent.name: path.parent for path in sorted(root.glob("*/run.py"))}
        if found:
            return found
    return {}
