"""Numbers as labels: read from a text that somebody typed, and checked against a range.

The script of the page reads texts by the same rules (page/script/numbers.js).
"""

from __future__ import annotations

import math
import re
from typing import Any, TypeAlias

from skactive.exceptions import LabelError

__all__ = [
    "ANY_NUMBER",
    "ValueRange",
    "begins_number",
    "check_number",
    "check_range",
    "describe_range",
    "parse_number",
]

ValueRange: TypeAlias = tuple[float | None, float | None]

ANY_NUMBER: ValueRange = (None, None)

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?", re.IGNORECASE)
_COMMA = re.compile(r"(?P<sign>[+-]?)(?P<whole>[0-9]*),(?P<rest>[0-9]+)(?:e[+-]?[0-9]+)?", re.I)
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
_MAX_EXACT = 2**53  # integers up to here are exact in double precision, and in JavaScript
_MAX_QUOTED = 40  # characters


def check_range(value_range: Any) -> ValueRange:
    """Return the smallest and the largest label that are allowed; None for no limit."""
    if value_range is None:
        return ANY_NUMBER
    limits = tuple(value_range) if isinstance(value_range, tuple | list) else ()
    if len(limits) != 2 or not all(limit is None or _is_finite(limit) for limit in limits):
        raise LabelError(
            "value_range must be the smallest and the largest label, such as (0, 100), or None "
            f"for no limit, as in (0, None); got {value_range!r}."
        )
    low, high = limits
    if low is not None and high is not None and not low < high:
        raise LabelError(
            f"value_range must begin with the smaller limit, got {value_range!r}: pass the "
            "smallest label first, and a larger one."
        )
    return low, high


def describe_range(value_range: ValueRange) -> str:
    """Return a range in words: "from 0 to 100"; empty without limits."""
    low, high = value_range
    if low is None:
        return "" if high is None else f"at most {high}"
    return f"at least {low}" if high is None else f"from {low} to {high}"


def check_number(value: Any, value_range: ValueRange) -> int | float:
    """Return a number as it is stored: finite, in double precision, and within the range."""
    if not _is_finite(value):
        raise LabelError(
            f"A label must be a finite number, got {_quote(value)}. Nothing was stored."
        )
    number: int | float = float(value) if abs(value) > _MAX_EXACT else value
    low, high = value_range
    if (low is not None and number < low) or (high is not None and number > high):
        raise LabelError(
            f"{number} is out of range: the labels of this session are "
            f"{describe_range(value_range)}. Nothing was stored."
        )
    return number


def parse_number(text: str, value_range: ValueRange = ANY_NUMBER) -> int | float:
    """Return the number that somebody typed, or raise an error that says what to write.

    A decimal comma is read as a point, unless it may separate thousands: "3,7" is 3.7, but "1,234"
    is refused.
    """
    typed = text.strip().replace("\u2212", "-")  # the minus sign of typography
    if not typed:
        raise LabelError("Type a number.")
    written = _replace_comma(typed)
    if not _NUMBER.fullmatch(written):
        raise LabelError(
            f"{_quote(text)} is not a number: write it with the digits 0 to 9 and at most one "
            "decimal point, without units or separators, such as 3.7, -2 or 1e3."
        )
    number = float(written)
    if math.isinf(number):
        raise LabelError(f"{_quote(text)} is too large: write a number below 1e308.")
    if number == 0 and re.search("[1-9]", re.split("e", written, flags=re.IGNORECASE)[0]):
        raise LabelError(f"{_quote(text)} is too small to differ from 0: write 0.")
    is_exact = number.is_integer() and abs(number) <= _MAX_EXACT
    return check_number(int(number) if is_exact else number, value_range)


def begins_number(character: str) -> bool:
    """Return whether a character may be the first of a number."""
    return len(character) == 1 and character in "0123456789+-.,\u2212"


def _replace_comma(typed: str) -> str:
    """Return a number with a point for its decimal comma; refuse one that may be read twice."""
    match = _COMMA.fullmatch(typed)
    if match is None:
        return typed
    sign, whole, rest = match["sign"], match["whole"], match["rest"]
    if _THOUSANDS.fullmatch(f"{whole},{rest}"):
        large, small = f"{sign}{whole}{rest}", f"{sign}{whole}.{rest}"
        raise LabelError(
            f"{typed} may mean {large} or {small}: write {large} for the one, {small} or "
            f"{sign}{whole},{rest}0 for the other."
        )
    return typed.replace(",", ".")


def _is_finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond double precision
        return False


def _quote(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer of too many digits to be written
        return "an integer of thousands of digits"
    return text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…"
