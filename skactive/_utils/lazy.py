"""Names of a package that are imported on first use."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Any

__all__ = ["import_name"]


def import_name(
    package: str, name: str, sources: Mapping[str, str], modules: Collection[str] = ()
) -> Any:
    """Import a name of a package, for its ``__getattr__`` (:pep:`562`).

    Parameters
    ----------
    package : str
        Name of the package.
    name : str
        The name.
    sources : mapping of str to str
        Modules that define names, by name.
    modules : collection of str, default=()
        Modules of the package that need no import of their own.

    Raises
    ------
    AttributeError
        If the package has no such name.
    """
    if name in sources:
        value = getattr(import_module(sources[name]), name)
    elif name in modules:
        value = import_module(f"{package}.{name}")
    else:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    setattr(sys.modules[package], name, value)
    return value
