"""Characters that show that a text was cut or damaged before."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from skactive._utils.text import pluralize
from skactive.cli._errors import CommandError
from skactive.cli.reading._table import Table, format_lines, shorten
from skactive.cli.reading._values import format_value

__all__ = ["check_characters", "describe_damage"]

_SURROGATE = re.compile("[\ud800-\udfff]")
# The sign for what could not be decoded, and UTF-8 that was read in another encoding
_AS_CP1252 = "\xa0-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"  # noqa: RUF001 (they are meant)
_DAMAGE = re.compile(f"\ufffd|[ÂÃ][{_AS_CP1252}]|â€|ï»¿|\ufeff")
_CELL_LIMIT = 32_767  # characters that a cell of a spreadsheet holds


def check_characters(table: Table, path: Path) -> None:
    """Raise an error if a name or a text holds half a character, which no file can hold.

    Parameters
    ----------
    table : Table
        Columns as they were read.
    path : Path
        For messages.
    """
    for name, values in table.columns.items():
        if _SURROGATE.search(name):
            raise CommandError(f"a name in {path.name} holds half a character: {shorten(name)!r}")
        for position, value in enumerate(values):
            if value is None or (isinstance(value, str) and value.isascii()):
                continue
            if isinstance(value, str | list | dict) and _SURROGATE.search(format_value(value)):
                raise CommandError(
                    f"{table.name_place(position)} of {path.name} holds half a character in "
                    f"{shorten(name, 30)!r}: {ascii(format_value(value))[:60]}; write both halves, "
                    r"as in \ud83d\ude00, or remove it"
                )


def describe_damage(table: Table) -> list[str]:
    """Return notes about texts that look cut or damaged by an earlier conversion.

    Parameters
    ----------
    table : Table
        Columns as they were read.
    """
    return [
        note for name, values in table.columns.items() for note in _describe(table, name, values)
    ]


def _describe(table: Table, name: str, values: list[Any]) -> list[str]:
    notes = []
    found = [
        (position, match)
        for position, value in enumerate(values)
        if isinstance(value, str) and not value.isascii() and (match := _DAMAGE.search(value))
    ]
    if found:
        position, match = found[0]
        example = shorten(match.string[max(match.start() - 10, 0) : match.end() + 10])
        notes.append(
            f"damaged by an earlier conversion: {pluralize(len(found), 'text')} of "
            f"{shorten(name, 30)!r} ({table.name_place(position)}: {example!r})"
        )
    cut = [
        i for i, value in enumerate(values) if isinstance(value, str) and len(value) == _CELL_LIMIT
    ]
    if cut:
        places = [table.lines[i] for i in cut] if table.lines else [i + 1 for i in cut]
        where = format_lines(places, "line" if table.lines else "row")
        notes.append(
            f"probably cut: {pluralize(len(cut), 'text')} of {shorten(name, 30)!r} with "
            f"{_CELL_LIMIT} characters, the limit of a spreadsheet ({where})"
        )
    return notes
