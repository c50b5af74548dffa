"""Characters that show that a text was cut or damaged before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from skactive._utils.text import pluralize
from skactive._utils.values import format_value
from skactive.cli._errors import CommandError
from skactive.cli.reading._table import Table, format_lines, shorten

__all__ = ["check_characters", "describe_damaged_texts"]

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
            raise CommandError(f"a name in {path.name} holds half a character: {name!a}")
        for position, text in _find_beyond_ascii(values):
            if _SURROGATE.search(text):
                raise CommandError(
                    f"{table.name_place(position)} of {path.name} holds half a character in "
                    f"{shorten(name, 30)!r}: {ascii(text)[:60]}; write both halves, as in "
                    r"\ud83d\ude00, or remove it"
                )


def describe_damaged_texts(table: Table) -> list[str]:
    """Return notes about texts that look cut or damaged by an earlier conversion.

    Parameters
    ----------
    table : Table
        Columns as they were read.
    """
    notes = []
    for name, values in table.columns.items():
        column = shorten(name, 30)
        damaged = [
            (position, match)
            for position, text in _find_beyond_ascii(values)
            if (match := _DAMAGE.search(text))
        ]
        if damaged:
            position, match = damaged[0]
            example = shorten(match.string[max(match.start() - 10, 0) : match.end() + 10])
            notes.append(
                f"damaged by an earlier conversion: {pluralize(len(damaged), 'text')} of "
                f"{column!r} ({table.name_place(position)}: {example!r})"
            )
        cut = _find_cut(values)
        if cut:
            places = [table.lines[i] for i in cut] if table.lines else [i + 1 for i in cut]
            where = format_lines(places, "line" if table.lines else "row")
            notes.append(
                f"probably cut: {pluralize(len(cut), 'text')} of {column!r} with {_CELL_LIMIT} "
                f"characters, the limit of a spreadsheet ({where})"
            )
    return notes


def _find_cut(values: Sequence[Any]) -> list[int]:
    """Return the positions of texts as long as the cells of spreadsheets can be."""
    kinds = set(map(type, values))
    if str not in kinds or (kinds == {str} and _CELL_LIMIT not in map(len, values)):
        return []
    return [i for i, v in enumerate(values) if isinstance(v, str) and len(v) == _CELL_LIMIT]


def _find_beyond_ascii(values: Sequence[Any]) -> Iterator[tuple[int, str]]:
    """Yield texts, and what is written of lists and objects, that are not ASCII."""
    kinds = set(map(type, values))
    if kinds == {str} and all(map(str.isascii, values)):  # a fifth of the time of the loop
        return
    if not kinds & {str, list, dict}:
        return
    for position, value in enumerate(values):
        if isinstance(value, str | list | dict):
            text = format_value(value)
            if not text.isascii():
                yield position, text
