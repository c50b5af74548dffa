"""Values of any kind as Python objects, in JSON, and as people write them."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from base64 import b64encode
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from skactive._utils.text import pluralize
from skactive.labeling._validation import to_builtin

__all__ = ["Cleaner", "dump_json", "format_value", "quote_formula"]

# Readers that split texts at any line break would split within a string
_LINE_BREAKS = {ord(mark): f"\\u{ord(mark):04x}" for mark in "\x85\u2028\u2029"}
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_FORMULA_SIGNS = frozenset("=+-@＝＋－＠\t\r\n")  # noqa: RUF001 (spreadsheets read full-width ones)


class Cleaner:
    r"""Convert values to plain ones: None, bool, int, float, str, bytes, dates, lists and dicts.

    Missing values become None. Halves of surrogate pairs, which no file can hold, become a visible
    escape such as ``\ud83d``.

    Attributes
    ----------
    n_escaped : int
        Number of texts with such an escape.
    """

    def __init__(self) -> None:
        self.n_escaped = 0

    def clean(self, value: Any) -> Any:
        """Return a plain value."""
        if type(value) in {int, bool, type(None)}:  # the usual ones first: files may be large
            return value
        value = to_builtin(value)
        if isinstance(value, str):
            return self._escape(str(value))
        if _is_missing(value):
            return None
        if isinstance(value, bool | int | float | bytes | date):  # a datetime is a date
            return value
        if isinstance(value, Mapping):
            return {self.clean(str(name)): self.clean(item) for name, item in value.items()}
        if hasattr(value, "tolist"):  # an array
            value = value.tolist()
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean(item) for item in value]
        return self._escape(str(value))

    def describe(self) -> list[str]:
        """Return a sentence about escaped texts, if there are any."""
        if not self.n_escaped:
            return []
        return [
            f"{pluralize(self.n_escaped, 'text')} with halves of characters that no file can hold "
            "(lone surrogates): they are written as escapes such as \\ud83d."
        ]

    def _escape(self, text: str) -> str:
        if text.isascii():
            return text
        escaped = text.encode("utf-8", "backslashreplace").decode("utf-8")
        self.n_escaped += escaped != text
        return escaped


def _is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, NaT or NA."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, float) and math.isnan(value)


def dump_json(value: Any) -> str:
    """Return plain values in JSON, on one line; infinite numbers are texts, as JSON has none."""
    try:
        text = _dump_strictly(value)
    except ValueError:
        text = _dump_strictly(_spell_infinite(value))
    return text.translate(_LINE_BREAKS)


def _dump_strictly(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=format_value)


def _spell_infinite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _spell_infinite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_spell_infinite(item) for item in value]
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def format_value(value: Any) -> str:
    """Return a plain value as people write it: dates in ISO 8601, lists and objects in JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | dict):
        return dump_json(value)
    return str(value)


def quote_formula(text: str) -> str:
    """Return a text with an apostrophe before it, if a spreadsheet would read it as a formula.

    Numbers stay as they are. Characters that cannot be seen do not hide what follows them.
    """
    hidden = 0
    while hidden < len(text) and text[hidden] not in _FORMULA_SIGNS:
        if unicodedata.category(text[hidden]) not in {"Cc", "Cf"}:
            return text
        hidden += 1
    if hidden == len(text) or _NUMBER.fullmatch(text):
        return text
    return f"'{text}"
