"""Lines of text files, also compressed ones, with their numbers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["is_json_lines", "iter_json_lines", "iter_lines", "parse_json_line"]


def iter_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file in UTF-8 without their ends, and their numbers, from 1.

    Parameters
    ----------
    path : Path
        A file of text; with ``.gz`` behind it, a compressed one.

    Raises
    ------
    ValueError
        If a line is not in UTF-8, or the compressed file is damaged.
    """
    opener: Any = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rb") as file:
        try:
            for number, line in enumerate(file, start=1):
                encoding = "utf-8-sig" if number == 1 else "utf-8"
                yield number, line.decode(encoding).rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"line {number} of {path} is not in UTF-8 ({error.reason}): save the file in it."
            ) from error
        except (EOFError, gzip.BadGzipFile) as error:
            raise ValueError(f"{path} is damaged: {error}.") from error


def is_json_lines(path: Path) -> bool:
    """Return whether the name of a file says that each line is JSON."""
    return path.name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson"))


def iter_json_lines(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield the values of some columns on each line of JSON, and the number of the line.

    Parameters
    ----------
    path : Path
        A file with an object on each line; empty lines are left out.
    columns : tuple of str
        Names of the columns.

    Raises
    ------
    ValueError
        If a line is no object, or lacks a column.
    """
    for number, line in iter_lines(path):
        if not line.strip():
            continue
        row = parse_json_line(line, number, path)
        if missing := [name for name in columns if name not in row]:
            raise ValueError(
                f"line {number} of {path} has no {', '.join(map(repr, missing))}: its columns are "
                f"{', '.join(map(repr, row))}."
            )
        yield number, tuple(row[name] for name in columns)


def parse_json_line(line: str, number: int, path: Path) -> dict[str, Any]:
    """Return the object on a line of JSON; an error names the line and the file."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {number} of {path} is no JSON: {error}.") from error
    if not isinstance(row, dict):
        raise ValueError(f"line {number} of {path} must be an object, got {line.strip()[:60]}.")
    return row
