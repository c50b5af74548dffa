"""Columns that look like ids, labels or texts: they become features only if they are named."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from skactive.cli._arguments import join_names
from skactive.cli._errors import CommandError
from skactive.cli.sources._cells import format_rows
from skactive.cli.sources._columns import Column
from skactive.cli.sources._file_labels import MAX_CLASSES

__all__ = ["check_features", "check_named_features", "find_unused_labels"]

_ID_NAME = re.compile(
    r"((.*[_\-. ])?(id|ids|uuid|guid)|id[_\-. ].*|index|idx|row(_?(number|no|nr))?|unnamed: \d+)",
    re.IGNORECASE,
)
_CAMEL_ID = re.compile(r".*[a-z](Id|ID)")
_LABEL_NAMES = frozenset(
    {"label", "labels", "target", "targets", "class", "classes", "gold", "category", "categories",
     "annotation", "annotations"}
)  # fmt: skip


class _Suspicion(NamedTuple):
    """A column that is no feature unless it is named.

    Parameters
    ----------
    text : str
        What it looks like, and why.
    option : str
        Option that takes it as that; "" if there is none.
    """

    text: str
    option: str


def check_features(
    columns: Sequence[Column],
    path: Path,
    lines: Sequence[int],
    *,
    classes: Collection[str] | None,
    given: Collection[str],
    numbers: bool = False,
) -> None:
    """Raise an error if columns look like ids, labels or texts.

    Parameters
    ----------
    columns : sequence of Column
        Columns that would become features.
    path : Path
        Their file.
    lines : sequence of int
        Lines of the rows in the file.
    classes : collection of str or None
        Declared classes.
    given : collection of str
        Options that were given already: "id", "label".
    numbers : bool, default=False
        Whether labels are numbers.
    """
    found = {column.name: _suspect(column, columns, lines, classes, numbers) for column in columns}
    suspicions = {name: suspicion for name, suspicion in found.items() if suspicion is not None}
    if not suspicions:
        return
    named = "; ".join(f"{name!r} {suspicion.text}" for name, suspicion in suspicions.items())
    raise CommandError(f"{path.name}: {named}. {_suggest_options(suspicions, columns, given)}")


def check_named_features(columns: Sequence[Column], path: Path, lines: Sequence[int]) -> None:
    """Raise an error if columns that were named as features hold texts or nothing."""
    for column in columns:
        if column.kind == "empty":
            raise CommandError(f"{path.name}: column {column.name!r} is empty: leave it out")
        suspicion = _suspect_mixture(column, lines) or _suspect_text(column)
        if suspicion is not None and column.kind == "text":
            advice = f" or label texts by --text {shlex.quote(column.name)}"
            raise CommandError(
                f"{path.name}: {column.name!r} {suspicion.text}, and cannot be a feature: leave it "
                f"out of --columns{advice if suspicion.option else ''}"
            )


def _suggest_options(
    suspicions: Mapping[str, _Suspicion], columns: Sequence[Column], given: Collection[str]
) -> str:
    """Return what to do about suspicious columns: options that can be passed as they are."""
    options: dict[str, str] = {}
    for name, suspicion in suspicions.items():
        if suspicion.option and suspicion.option not in given:
            options.setdefault(suspicion.option, f"--{suspicion.option} {shlex.quote(name)}")
    passed = " ".join(options[name] for name in ("text", "id", "label") if name in options)
    start = "To label texts, pass" if "text" in options else "Pass"
    parts = [f"{start} {passed}"] if passed else []
    features = [column.name for column in columns if column.name not in suspicions]
    if features or not parts:
        names = shlex.quote(join_names(features)) if features else "A,B"
        parts.append(f"{'or name' if parts else 'Name'} the features: --columns {names}")
    return ", ".join(parts)


def _suspect(
    column: Column,
    columns: Sequence[Column],
    lines: Sequence[int],
    classes: Collection[str] | None,
    numbers: bool,
) -> _Suspicion | None:
    """Return why a column should not become a feature, or None."""
    checks = (
        _suspect_label(column, columns, classes, numbers),
        _suspect_mixture(column, lines),
        _suspect_id(column),
        _suspect_text(column),
    )
    return next((suspicion for suspicion in checks if suspicion is not None), None)


# Ids --------------------------------------------------------------------------------------------


def _suspect_id(column: Column) -> _Suspicion | None:
    reason = next(_find_id_reasons(column), None)
    if reason is None:
        return None
    usable = len(column.texts) == len(column.values) and column.is_unrepeated
    return _Suspicion(f"looks like an id ({reason})", "id" if usable else "")


def _find_id_reasons(column: Column) -> Iterator[str]:
    if _ID_NAME.fullmatch(column.name.strip()) or _CAMEL_ID.fullmatch(column.name):
        yield "by its name"
    if column.is_whole and column.is_unrepeated:
        first = column.numbers[0]
        in_order = column.numbers == [first + i for i in range(len(column.numbers))]
        yield "whole numbers in order" if in_order else "whole numbers, all different"
    if column.kind == "text" and column.is_unrepeated and not _has_sentences(column):
        yield "texts, all different"


def _has_sentences(column: Column) -> bool:
    """Return whether most texts have several words."""
    return 2 * sum(" " in text for text in column.texts) > len(column.texts)


# Labels -----------------------------------------------------------------------------------------


def _suspect_label(
    column: Column, columns: Sequence[Column], classes: Collection[str] | None, numbers: bool
) -> _Suspicion | None:
    reason = _find_label_reason(column, classes)
    if reason is None or _is_coordinate(column, columns):
        return None
    return _Suspicion(
        f"looks like labels ({reason})", "label" if _may_be_labels(column, classes, numbers) else ""
    )


def _find_label_reason(column: Column, classes: Collection[str] | None) -> str | None:
    if column.kind == "empty":
        return None
    if classes and column.distinct and _name_classes(column) <= set(classes):
        return "its values are classes"
    words = re.findall("[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", column.name).lower())
    named = column.name.strip().lower() == "y" or _LABEL_NAMES & set(words[-1:])
    return "by its name" if named else None


def _name_classes(column: Column) -> set[str]:
    """Return the different cells as they would be named as classes."""
    return {f"{cell:.15g}" if isinstance(cell, float) else cell for cell in column.distinct}


def _may_be_labels(column: Column, classes: Collection[str] | None, numbers: bool) -> bool:
    if numbers:
        return column.kind == "number"
    if classes:
        return _name_classes(column) <= set(classes)
    n_classes = len(column.distinct)
    return 1 < n_classes <= MAX_CLASSES and 2 * n_classes <= len(column.texts)


def _is_coordinate(column: Column, columns: Sequence[Column]) -> bool:
    """Return whether a column is the y of a pair x, y of fractional numbers."""
    names = {other.name.lower() for other in columns}
    fractional = column.kind == "number" and not column.is_whole
    return column.name.lower() == "y" and "x" in names and fractional


def find_unused_labels(
    columns: Sequence[Column], classes: Collection[str] | None, *, numbers: bool = False
) -> str | None:
    """Return the name of a column that looks like labels and could be used as such, or None."""
    for column in columns:
        if _find_label_reason(column, classes) and _may_be_labels(column, classes, numbers):
            return column.name
    return None


# Texts ------------------------------------------------------------------------------------------


def _suspect_mixture(column: Column, lines: Sequence[int]) -> _Suspicion | None:
    """Return a suspicion if a few cells of a column of numbers are none."""
    others = column.find_others("number") if column.kind in {"text", "category"} else []
    if not 0 < len(others) < len(column.texts) / 2:
        return None
    example = f"{column.values[others[0]]!r} in {format_rows(others[:1], lines)}"
    return _Suspicion(f"holds numbers, but also {example} (correct or empty such cells)", "")


def _suspect_text(column: Column) -> _Suspicion | None:
    if column.kind != "text":
        return None
    return _Suspicion(f"is text ({len(column.distinct):,} different values)", "text")
