"""Rows to label, as commands read them, and the options that decide how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from skactive.labeling.state._events import Ident

__all__ = ["READING_VERSION", "DataSource", "ReadingOptions"]

# Version 1 kept rows without text, and took all other columns of a table as features.
READING_VERSION = 2


@dataclass(frozen=True)
class ReadingOptions:
    """Options that decide how rows are read.

    Parameters
    ----------
    kind : {"text", "table", "images", "audio"} or None
        Kind of the rows; None infers it from the data.
    text : str or None
        Column of texts, or several, separated by commas; None for a table.
    id : str or None
        Column of ids; None numbers the rows.
    label : str or None
        Column of labels.
    columns : list of str or None
        Columns of features; None takes all others that do not look like ids or labels.
    kinds : dict of str to str or None
        Kinds of the features, by column; None infers them from the data.
    classes : list of str or None
        Declared classes.
    multilabel : bool
        Whether a row may have several classes.
    numbers : bool
        Whether labels are numbers.
    min, max : float or None
        If labels are numbers: the smallest and the largest.
    encoding, separator, sheet : str or None
        How the file is written; None infers it.
    group_duplicates : bool
        Whether rows with equal content are one row of the pool.
    reading : int
        Version of the rules by which rows are read.
    is_new : bool
        Whether options can still be chosen: notes may advise them.
    """

    kind: str | None = None
    text: str | None = None
    id: str | None = None
    label: str | None = None
    columns: list[str] | None = None
    kinds: dict[str, str] | None = None
    classes: list[str] | None = None
    multilabel: bool = False
    numbers: bool = False
    min: float | None = None
    max: float | None = None
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    group_duplicates: bool = False
    reading: int = READING_VERSION
    is_new: bool = True

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, is_new: bool) -> Self:
        """Return the options that are among the settings of a project."""
        names = [option.name for option in fields(cls) if option.name != "is_new"]
        return cls(**{name: settings[name] for name in names}, is_new=is_new)


@dataclass(frozen=True, eq=False)
class DataSource:
    """Rows to label.

    Parameters
    ----------
    kind : {"text", "table", "images", "audio"}
        Kind of the rows.
    rows : list of str or DataFrame
        Texts, features of a table, or names of files relative to the folder.
    ids : list of str or int or None
        Ids of the rows; None numbers them.
    files : str or None
        Of a folder: fingerprint of the names and sizes of its files, 64 characters.
    columns : dict of str to list
        All columns of the file, in the order of the rows.
    notes : list of str
        Lines to print about what was read and left out.
    labels : dict of str or int to label
        Labels that the file holds, by id.
    classes : list of str
        Declared classes, or those of the column of labels.
    kinds : dict of str to str
        Of a table: kind of each feature, "number", "boolean", "date" or "category".
    copies : dict of str or int to str or int
        Ids of rows that are not in the pool, because they repeat a row of the pool, and its id.
    copy_columns : dict of str to list
        All columns of the file, in the order of the copies.
    """

    kind: str
    rows: Any
    ids: list[Ident] | None
    files: str | None = None
    columns: dict[str, list[Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    labels: dict[Ident, Any] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    copies: dict[Ident, Ident] = field(default_factory=dict)
    copy_columns: dict[str, list[Any]] = field(default_factory=dict)
