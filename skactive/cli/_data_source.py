"""Rows to label, as commands read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from skactive.labeling.state._events import Ident

__all__ = ["DataSource"]


@dataclass(frozen=True, eq=False)
class DataSource:
    """Rows to label.

    Parameters
    ----------
    kind : {"text", "table", "images", "audio"}
        Kind of the rows.
    rows : list of str or DataFrame
        Texts, numbers of a table, or names of files relative to the folder.
    ids : list of str or int or None
        Ids of the rows; None numbers them.
    files : str or None
        Of a folder: fingerprint of the names and sizes of its files, 64 characters.
    notes : list of str
        Lines to print: what was read, what was left out, and what looks odd.
    """

    kind: str
    rows: Any
    ids: list[Ident] | None
    files: str | None = None
    notes: list[str] = field(default_factory=list)
