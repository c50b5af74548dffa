"""Facts that a store keeps in parts: each fact is set once, so what is added gets another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skactive.labeling.stores import LabelStore

__all__ = ["iter_parts", "name_part"]


def name_part(name: str, number: int) -> str:
    """Return the name of a part, numbered from 1."""
    return f"{name} {number}"


def iter_parts(store: LabelStore, name: str) -> Iterator[Any]:
    """Yield the parts of a fact, in the order in which they were stored."""
    number = 1
    while (part := store.fact(name_part(name, number))) is not None:
        yield part
        number += 1
