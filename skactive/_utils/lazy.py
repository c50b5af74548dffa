"""Names of a package that are imported on first use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any

__all__ = ["make_lazy"]


def make_lazy(
    package: str, sources: Mapping[str, str], modules: Collection[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the functions ``__getattr__`` and ``__dir__`` of a package (:pep:`562`).

    Parameters
    ----------
    package : str
        Name of the package.
    sources : mapping of str to str
        Modules that define the names, by name.
    modules : collection of str, default=()
        Modules of the package that need no import of their own.
    """
    namespace = vars(sys.modules[package])

    def get_attribute(name: str) -> Any:
        if name in sources:
            namespace[name] = getattr(import_module(sources[name]), name)
            return namespace[name]
        if name in modules:
            return import_module(f"{package}.{name}")  # becomes an attribute by its import
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def list_names() -> list[str]:
        return sorted({*namespace, *sources, *modules})

    return get_attribute, list_names
