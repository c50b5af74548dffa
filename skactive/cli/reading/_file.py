"""Files: their formats, and whether they are what their names promise."""

from __future__ import annotations

import gzip
import os
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast

from skactive.cli._errors import CommandError

__all__ = [
    "TABLE_SUFFIXES",
    "check_column",
    "check_content",
    "check_regular_file",
    "check_uses",
    "find_table_format",
    "import_library",
    "is_table",
    "open_bytes",
]

_TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson")
_BINARY_SUFFIXES = (".parquet", ".xlsx")
TABLE_SUFFIXES = (*_TEXT_SUFFIXES, *_BINARY_SUFFIXES)

_OTHER_SPREADSHEETS = (".xls", ".xlsb", ".xlsm", ".xltx", ".ods", ".fods", ".numbers")
_OTHER_ARCHIVES = (".zip", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz")

# The first bytes of a file, what it then is, and what to do
_SIGNATURES = {
    b"PK\x03\x04": "a zip archive, such as an .xlsx file",
    b"\xd0\xcf\x11\xe0": "an old or protected Excel file: save it as .xlsx, without a password",
    b"PAR1": "a parquet file",
    b"\x1f\x8b": "compressed by gzip",
    b"BZh": "compressed by bzip2: unpack it first",
    b"\xfd7zXZ": "compressed by xz: unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it first",
    b"SQLite format 3": "an SQLite database, such as a file of labels",
    b"%PDF": "a PDF document",
    b"ARROW1": "an Arrow file: save it as .parquet",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"version https://git-lfs": "a pointer to a large file: run git lfs pull",
}
_MARKUP = (b"<!doctype html", b"<html", b"<?xml", b"<table")
_FIRST_BYTES = {".parquet": {b"PAR1"}, ".xlsx": {b"PK\x03\x04"}}


def check_regular_file(path: Path) -> None:
    """Raise an error unless the path is a file that can be read from its beginning again."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        if os.path.islink(path):  # noqa: PTH114 (Path.is_symlink raises errors for long names)
            raise CommandError(f"{path} is a link to a file that does not exist") from error
        if isinstance(error, PermissionError):
            raise CommandError(f"{path} cannot be read: {error.strerror}") from error
        raise CommandError(f"file not found: {path}") from error
    if stat.S_ISDIR(mode):
        raise CommandError(f"file not found: {path} is a folder")
    if not stat.S_ISREG(mode):
        raise CommandError(
            f"{path} is not a file but a pipe, a socket or a device: save its content to a file"
        )


def check_column(name: str, columns: Iterable[str], path: Path, kind: str = "column") -> None:
    """Raise an error that lists the columns, or arrays, if one is missing."""
    columns = list(columns)
    if name not in columns:
        raise CommandError(f"{path.name} has no {kind} {name!r}; it has {', '.join(columns)}")


def check_uses(uses: Mapping[str, Sequence[str]], columns: Collection[str], path: Path) -> None:
    """Raise an error if a column is missing, or two options name it.

    Parameters
    ----------
    uses : mapping of str to sequence of str
        The columns that each option names.
    columns : collection of str
        The columns that there are.
    path : Path
        The file.
    """
    named: dict[str, str] = {}
    for option, names in uses.items():
        for name in names:
            check_column(name, columns, path)
            if named.setdefault(name, option) != option:
                raise CommandError(f"{named[name]} and {option} both name the column {name!r}")


def find_table_format(path: Path) -> str:
    """Return the suffix that names the format of a table: ".csv" of data.CSV and data.csv.gz.

    Raises
    ------
    CommandError
        If no table has such a suffix.
    """
    suffix, inner = path.suffix.lower(), Path(path.stem).suffix.lower()
    if suffix == ".gz" and inner in _TEXT_SUFFIXES:
        return inner
    if suffix in TABLE_SUFFIXES:
        return suffix
    advice = ""
    if suffix in _OTHER_SPREADSHEETS:
        advice = "; open it in a spreadsheet program and save it as .xlsx"
    elif suffix in _OTHER_ARCHIVES or (suffix == ".gz" and inner in TABLE_SUFFIXES):
        advice = "; unpack it first"
    raise CommandError(
        f"cannot read {path.name}: expected one of {', '.join(TABLE_SUFFIXES)}, or a text format "
        f"with .gz{advice}"
    )


def is_table(path: Path) -> bool:
    """Return whether a file has the suffix of a table."""
    try:
        find_table_format(path)
    except CommandError:
        return False
    return True


def import_library(name: str, extra: str, path: Path) -> Any:
    """Return a library that reads a file; raise an error that names its extra if it is missing."""
    try:
        return import_module(name)
    except ImportError as error:
        library = name.partition(".")[0]
        raise CommandError(
            f'reading {path.name} needs {library}: pip install "skactive[{extra}]"'
        ) from error


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacked if its name ends in .gz."""
    if path.suffix.lower() == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")


def check_content(path: Path, suffix: str, start: bytes) -> None:
    """Raise an error if the first bytes show that a file is not what its name promises.

    Parameters
    ----------
    path : Path
        The file.
    suffix : str
        Its format, from `find_table_format`.
    start : bytes
        Its first bytes, unpacked.
    """
    if not start:
        first = "" if suffix in _BINARY_SUFFIXES else ": its first line must name the columns"
        raise CommandError(f"{path.name} is empty" + ("" if "json" in suffix else first))
    expected = _FIRST_BYTES.get(suffix, set())
    for signature, description in _SIGNATURES.items():
        if start.startswith(signature) and signature not in expected:
            raise CommandError(
                f"{path.name} cannot be read: it is not {_name_format(suffix)} but {description}"
                + ("" if ":" in description else "; rename it or choose another file")
            )
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP):
        raise CommandError(
            f"{path.name} cannot be read: it is not {_name_format(suffix)} but a web page or XML; "
            "was the right address downloaded?"
        )
    if expected and not start.startswith(tuple(expected)):
        raise CommandError(
            f"{path.name} cannot be read: it is not {_name_format(suffix)}, or is damaged"
        )


def _name_format(suffix: str) -> str:
    return f"an {suffix} file" if suffix == ".xlsx" else f"a {suffix} file"
