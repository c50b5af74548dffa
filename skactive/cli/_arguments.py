"""Types of command-line arguments: each turns a text into a value, or says what was expected."""

from __future__ import annotations

import csv
from argparse import ArgumentTypeError
from codecs import lookup
from collections.abc import Iterable
from io import StringIO
from math import isfinite
from pathlib import Path
from unicodedata import normalize

__all__ = [
    "ESTIMATOR_NAMES",
    "SEPARATOR_NAMES",
    "TABLE_FORMATS",
    "join_names",
    "normalize_name",
    "parse_class_names",
    "parse_columns",
    "parse_encoding",
    "parse_estimators",
    "parse_finite",
    "parse_interval",
    "parse_n_jobs",
    "parse_port",
    "parse_positive_int",
    "parse_seed",
    "parse_separator",
    "parse_share",
    "parse_strategies",
    "read_class_names",
    "split_names",
]

SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
TABLE_FORMATS = "csv, tsv, txt, json, jsonl, parquet, xlsx"
ESTIMATOR_NAMES = ("forest", "logistic", "mlp", "svm")

_MAX_SEED = 2**32 - 1
_MAX_PORT = 2**16 - 1
_MIN_INTERVAL, _MAX_INTERVAL = 0.1, 86400.0  # seconds


def parse_positive_int(text: str) -> int:
    """Return an integer >= 1."""
    if (number := _to_int(text)) is None or number < 1:
        raise ArgumentTypeError(f"expected an integer >= 1, got {text!r}")
    return number


def parse_n_jobs(text: str) -> int:
    """Return an integer other than 0."""
    if not (number := _to_int(text)):
        raise ArgumentTypeError(f"expected an integer other than 0, got {text!r}")
    return number


def parse_seed(text: str) -> int:
    """Return an integer from 0 to 2**32 - 1."""
    if (number := _to_int(text)) is None or not 0 <= number <= _MAX_SEED:
        raise ArgumentTypeError(f"expected an integer from 0 to {_MAX_SEED}, got {text!r}")
    return number


def parse_port(text: str) -> int:
    """Return an integer from 0 to 65535."""
    if (number := _to_int(text)) is None or not 0 <= number <= _MAX_PORT:
        raise ArgumentTypeError(f"expected a port from 0 to {_MAX_PORT}, got {text!r}")
    return number


def parse_share(text: str) -> float:
    """Return a number >= 0 and < 1."""
    if (number := _to_float(text)) is None or not 0 <= number < 1:
        raise ArgumentTypeError(f"expected a number >= 0 and < 1, got {text!r}")
    return number


def parse_finite(text: str) -> float:
    """Return a finite number; an integer if it is one."""
    if (number := _to_float(text)) is None or not isfinite(number):
        raise ArgumentTypeError(f"expected a number, such as 0.5, got {text!r}")
    return int(number) if number.is_integer() else number


def parse_interval(text: str) -> float:
    """Return a number of seconds, from 0.1 to below a day."""
    if (number := _to_float(text)) is None or not _MIN_INTERVAL <= number < _MAX_INTERVAL:
        raise ArgumentTypeError(
            f"expected seconds >= {_MIN_INTERVAL} and < {_MAX_INTERVAL:.0f}, got {text!r}"
        )
    return number


def parse_class_names(text: str) -> tuple[str, ...]:
    """Return distinct printable names, separated by commas; quotes enclose commas."""
    return _check_class_names(split_names(text), "separate class names by commas")


def read_class_names(path: Path) -> tuple[str, ...]:
    """Return the distinct printable names that a text file holds, one on each line."""
    try:
        names = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ArgumentTypeError(f"{path} is not in UTF-8: convert it ({error.reason})") from error
    except OSError as error:
        raise ArgumentTypeError(f"{path} cannot be read: {error.strerror}") from error
    advice = f"{path} is empty: write a class on each line"
    return _check_class_names(tuple(name for name in names if name.strip()), advice)


def _check_class_names(names: tuple[str, ...], advice: str) -> tuple[str, ...]:
    """Return names of classes as they are stored, or say what is wrong with them."""
    names = tuple(normalize_name(name) for name in names)
    if not names:
        raise ArgumentTypeError(advice)
    for name in names:
        if names.count(name) > 1:
            raise ArgumentTypeError(f"{name!r} occurs more than once")
        if not name.isprintable():
            raise ArgumentTypeError(f"{name!r} contains unprintable characters: remove them")
    return names


def normalize_name(name: str) -> str:
    """Return the name of a class as it is stored: without space around it, composed (NFC)."""
    return normalize("NFC", name.strip())


def parse_columns(text: str) -> list[str]:
    """Return distinct names of columns, separated by commas; quotes enclose commas."""
    names = split_names(text)
    if not names:
        raise ArgumentTypeError("separate names of columns by commas")
    for name in names:
        if names.count(name) > 1:
            raise ArgumentTypeError(f"{name!r} occurs more than once")
    return list(names)


def parse_separator(text: str) -> str:
    """Return the character that separates cells, from itself or its name."""
    by_name = {name: character for character, name in SEPARATOR_NAMES.items()} | {r"\t": "\t"}
    separator = by_name.get(text.lower(), text)
    if len(separator) != 1 or separator in '"\r\n\0' or separator.isalnum():
        raise ArgumentTypeError(
            f"expected one character, such as ';', or one of {', '.join(by_name)}; got {text!r}"
        )
    return separator


def parse_encoding(text: str) -> str:
    """Return the name of an encoding of text."""
    try:
        b"".decode(text)
        "".encode(text)
        return lookup(text).name
    except (LookupError, ValueError) as error:  # a name with a null character
        raise ArgumentTypeError(
            f"unknown encoding {text!r}: expected one such as utf-8, utf-16, cp1252 or shift_jis"
        ) from error


def parse_strategies(text: str) -> tuple[str, ...]:
    """Return names of strategies, separated by commas."""
    names = split_names(text)
    if not names:
        raise ArgumentTypeError("name at least one strategy")
    return names


def parse_estimators(text: str) -> tuple[str, ...]:
    """Return distinct names of estimators, separated by commas."""
    names = tuple(dict.fromkeys(split_names(text)))
    unknown = [name for name in names if name not in ESTIMATOR_NAMES]
    if unknown or not names:
        raise ArgumentTypeError(
            f"invalid choice: {', '.join(map(repr, unknown)) or repr(text)} (choose from "
            f"{', '.join(ESTIMATOR_NAMES)})"
        )
    return names


def split_names(text: str) -> tuple[str, ...]:
    """Return the names in a text, separated by commas; quotes enclose commas."""
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise ArgumentTypeError(
            f"cannot read {text!r} ({error}): separate names by commas, and enclose a name that "
            "contains a comma by quotes, as in '\"yes, please\",no'"
        ) from error
    return tuple(name.strip() for row in rows for name in row if name.strip())


def join_names(names: Iterable[str]) -> str:
    """Return names separated by commas, as `split_names` reads them."""
    output = StringIO()
    csv.writer(output, lineterminator="").writerow(names)
    return output.getvalue()


def _to_int(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _to_float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
