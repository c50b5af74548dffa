"""Values of any kind as plain Python objects, and as texts that no spreadsheet runs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from skactive._utils.text import pluralize
from skactive._utils.values import is_missing
from skactive.labeling._validation import to_builtin

__all__ = ["Cleaner", "quote_formula"]

_PLAIN_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
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
        if is_missing(value):
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


def quote_formula(text: str) -> str:
    """Return a text with an apostrophe before it, if a spreadsheet would read it as a formula.

    Numbers stay as they are. Characters that cannot be seen do not hide what follows them.
    """
    hidden = 0
    while hidden < len(text) and text[hidden] not in _FORMULA_SIGNS:
        if unicodedata.category(text[hidden]) not in {"Cc", "Cf"}:
            return text
        hidden += 1
    if hidden == len(text) or _PLAIN_NUMBER.fullmatch(text):
        return text
    return f"'{text}"
