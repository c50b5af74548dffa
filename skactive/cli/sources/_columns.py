"""Columns of a table: their kinds, and their values as features."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np

from skactive._utils.values import format_value, is_blank
from skactive.cli.sources._cells import clean_text

__all__ = ["Column", "is_without_value", "parse_date", "parse_number"]

_NUMBER = re.compile(
    r"\s*[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?)\s*", re.IGNORECASE | re.ASCII
)
_CODE = re.compile(r"\s*[+-]?0\d.*")  # 007 is a code: as a number it would lose its zeros
_NO_NUMBER = frozenset({"na", "n/a", "#n/a", "nan", "-nan", "null", "none", "<na>"})
_ISO_DATE = re.compile(r"\s*\d{4}-\d\d-\d\d([T ].*)?")
_MAX_CATEGORIES = 10  # that more than half of the rows may have
_MAX_CATEGORY_LENGTH = 40.0  # characters, on average


def parse_number(value: Any) -> float | None:
    """Return the number in a cell, or None; NaN if it is missing."""
    if isinstance(value, str):
        if _NUMBER.fullmatch(value) and not _CODE.fullmatch(value):
            return float(value)
        return float("nan") if _means_no_number(value) else None
    if isinstance(value, Real | Decimal) and not isinstance(value, bool | np.bool_):
        return float(value)
    return float("nan") if is_blank(value) else None


def _means_no_number(text: str) -> bool:
    return not text.strip() or text.strip().lower() in _NO_NUMBER


def parse_date(value: Any) -> float | None:
    """Return the date in a cell as days since 1970, or None; NaN if it is missing."""
    if is_blank(value):
        return float("nan")
    if isinstance(value, str):
        if not _ISO_DATE.fullmatch(value):
            return None
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if not isinstance(value, date):
        return None
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() / 86400


def _parse_boolean(value: Any) -> str | None:
    """Return "true" or "false", or None; "" if it is missing."""
    if is_blank(value):
        return ""
    text = str(value).strip().lower()
    return text if text in {"true", "false"} else None


def _parse_category(value: Any) -> str:
    return clean_text(format_value(value)).strip()


def _write_date(value: Any) -> str | None:
    """Return a date as it is shown, or None if it is none; "" if it is missing."""
    if parse_date(value) is None:
        return None
    return "" if is_blank(value) else str(value).strip()


_PARSERS: dict[str, Callable[[Any], float | str | None]] = {
    "number": parse_number,
    "boolean": _parse_boolean,
    "date": _write_date,
    "category": _parse_category,
}


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a table.

    Parameters
    ----------
    name : str
        Its name.
    values : sequence of object
        Its cells.
    """

    name: str
    values: Sequence[Any]

    @cached_property
    def kind(self) -> str:
        """Kind of the cells: "number", "boolean", "date", "category", "text" or "empty"."""
        present = [value for value in self.values if not is_without_value(value)]
        if not present:
            return "empty"
        for kind in ("number", "boolean", "date"):
            # "NA" is a missing number, but may be a category
            if not self.find_others(kind):
                return kind
        return "text" if self._is_text() else "category"

    @cached_property
    def numbers(self) -> list[float]:
        """Numbers among the cells, without the missing ones."""
        numbers = [parse_number(value) for value in self.values]
        return [number for number in numbers if number is not None and number == number]

    @cached_property
    def texts(self) -> list[str]:
        """Cells that are not missing, as stripped texts."""
        return [_parse_category(value) for value in self.values if not is_blank(value)]

    @cached_property
    def distinct(self) -> set[Any]:
        """Different cells that are not missing: numbers, otherwise texts."""
        return set(self.numbers if self.kind == "number" else self.texts)

    @property
    def is_whole(self) -> bool:
        """True for a column of whole numbers."""
        return self.kind == "number" and all(number.is_integer() for number in self.numbers)

    @property
    def is_unrepeated(self) -> bool:
        """True if no cell occurs twice."""
        n_present = len(self.numbers if self.kind == "number" else self.texts)
        return n_present > 2 and len(self.distinct) == n_present

    def find_others(self, kind: str) -> list[int]:
        """Return the positions of cells that are not of a kind."""
        parse = _PARSERS[kind]
        return [i for i, value in enumerate(self.values) if parse(value) is None]

    def parse(self, kind: str) -> list[float | str | None]:
        """Return the cells as features of a kind: numbers, NaN if missing; otherwise texts."""
        return [_PARSERS[kind](value) for value in self.values]

    def _is_text(self) -> bool:
        """Return whether texts differ too much to be categories."""
        texts, distinct = self.texts, set(self.texts)
        many = len(distinct) > _MAX_CATEGORIES and 2 * len(distinct) > len(texts)
        unrepeated = 2 < len(texts) == len(distinct)
        return many or unrepeated or sum(map(len, distinct)) > _MAX_CATEGORY_LENGTH * len(distinct)


def is_without_value(value: Any) -> bool:
    """Return whether a cell is empty or says that a number is missing, as "NA" does."""
    return is_blank(value) or (isinstance(value, str) and _means_no_number(value))
