"""Cells of one row as they are written, to find a stray quote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["QuoteFault", "count_line_ends", "find_loose_quotes", "find_quote_fault", "split_lines"]

_QUOTED = re.compile(r'"(?:[^"]++|"")*+"')
_LINE_END = re.compile(r"\r\n|\r|\n")


class QuoteFault(NamedTuple):
    """A quote that is out of place."""

    reason: str
    offset: int  # of the quote in the text of the row


class _Cell(NamedTuple):
    start: int
    text: str  # with its quotes
    fault: str | None  # reason why it does not end as it should


def count_line_ends(text: str) -> int:
    r"""Return the number of line ends in a text: \n, \r or \r\n."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def split_lines(text: str) -> list[str]:
    """Return the lines of a text, without their ends."""
    return _LINE_END.split(text)


def find_quote_fault(text: str, separator: str) -> QuoteFault | None:
    """Return the first quoted cell of a row that is not closed at its end.

    Parameters
    ----------
    text : str
        The row, with its line ends.
    separator : str
        Character between cells.
    """
    for cell in _split_cells(text, separator):
        if cell.fault is not None:
            return QuoteFault(cell.fault, cell.start)
    return None


def find_loose_quotes(text: str, separator: str) -> tuple[int, QuoteFault | None]:
    """Count the cells without enclosing quotes that hold quotes, and return the first odd one.

    Pairs of quotes, as in ``he said "yes"``, and inches, as in ``a 5" screen``, are nothing odd.

    Parameters
    ----------
    text : str
        The row, with its line ends.
    separator : str
        Character between cells.
    """
    n_loose, fault = 0, None
    for cell in _split_cells(text, separator):
        if cell.text.startswith('"') or '"' not in cell.text:
            continue
        n_loose += 1
        first = cell.text.index('"')
        if fault is not None:
            continue
        if not cell.text[:first].strip():
            fault = QuoteFault("a space stands before a quote", cell.start + first)
        elif cell.text.count('"') % 2 and not cell.text[first - 1].isdigit():
            fault = QuoteFault("a quote opens inside a cell", cell.start + first)
    return n_loose, fault


def _split_cells(text: str, separator: str) -> Iterator[_Cell]:
    plain = re.compile(rf"[^{re.escape(separator)}\r\n]*")
    position = 0
    while True:
        is_quoted = text.startswith('"', position)
        match = (_QUOTED if is_quoted else plain).match(text, position)
        if match is None:
            yield _Cell(position, text[position:], "a quote opens and is never closed")
            return
        end = match.end()
        at_end = end == len(text) or text[end] in "\r\n"
        fault = None
        if is_quoted and not at_end and text[end] != separator:
            fault = "a cell goes on after its closing quote"
        yield _Cell(position, match.group(), fault)
        if at_end or fault is not None:
            return
        position = end + 1
