"""Text files: open them in their encoding, and find what is wrong where they cannot be decoded."""

from __future__ import annotations

import codecs
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from skactive.cli._errors import CommandError
from skactive.cli.reading._cells import count_line_ends
from skactive.cli.reading._file import check_content, open_bytes
from skactive.cli.reading._guess import guess_encoding
from skactive.cli.reading._table import shorten

__all__ = ["choose_encoding", "explain_read_errors", "find_marked_encoding", "open_text"]

# A longer mark that begins with a shorter one comes first
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SAMPLE_SIZE = 2**20  # bytes


def find_marked_encoding(start: bytes) -> str | None:
    """Return the encoding that a byte order mark at the start of a file names, if there is one."""
    return next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)


def choose_encoding(path: Path, suffix: str, encoding: str | None) -> tuple[str, list[str]]:
    """Return the encoding in which to read a file, and notes about it.

    Parameters
    ----------
    path : Path
        A text file, or one compressed by gzip.
    suffix : str
        Its format, from `find_table_format`.
    encoding : str or None
        The encoding that the user named; None for UTF-8, or what a byte order mark says.

    Raises
    ------
    CommandError
        If there is no such encoding, or a byte order mark contradicts it.
    """
    with explain_read_errors(path, None), open_bytes(path) as file:
        start = file.read(_SAMPLE_SIZE)
    check_content(path, suffix, start)
    by_mark = find_marked_encoding(start)
    if encoding is None:
        notes = [f"read as {by_mark.upper()}"] if by_mark not in {None, "utf-8-sig"} else []
        return by_mark or "utf-8", notes
    name = _check_encoding(encoding)
    if name == "utf-8":
        name = "utf-8-sig"
    if by_mark and not name.startswith(by_mark.removesuffix("-sig")):
        raise CommandError(
            f"{path.name} begins with the mark of {by_mark.removesuffix('-sig').upper()}, so it is "
            f"not in {encoding}: leave out the encoding"
        )
    # With its mark, such a file knows its byte order
    return by_mark or name, [] if by_mark else _compare_with_utf8(start, name)


def _check_encoding(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)  # some codecs are not for texts
    except (LookupError, ValueError, TypeError, UnicodeError) as error:
        raise CommandError(
            f"unknown encoding {encoding!r}: expected a name such as utf-8, cp1252, cp1251, "
            "shift_jis or gb18030"
        ) from error
    return name


def _compare_with_utf8(start: bytes, encoding: str) -> list[str]:
    """Return a note if a file that shall be read in another encoding looks like UTF-8."""
    if encoding.startswith("utf") or start.isascii():
        return []
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start)  # may end in a character
    except UnicodeDecodeError:
        return []
    word = re.search(r"\w*[^\x00-\x7f]+\w*", text)
    example = word.group() if word else ""
    as_asked = example.encode().decode(encoding, "replace")
    return [
        f"read as {encoding}, but it is also valid UTF-8, which has {shorten(example, 20)!r} "
        f"instead of {shorten(as_asked, 20)!r}"
    ]


def open_text(path: Path, encoding: str) -> TextIO:
    """Open a text file, with its line ends as they are."""
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, newline="")


@contextmanager
def explain_read_errors(path: Path, encoding: str | None) -> Iterator[None]:
    """Turn errors of reading and decoding into one line that says what to do.

    Parameters
    ----------
    path : Path
        The file that is read.
    encoding : str or None
        Its encoding; None if it is not decoded.
    """
    try:
        yield
    except UnicodeError as error:
        raise CommandError(_explain_bytes(path, encoding or "utf-8")) from error
    except (EOFError, zlib.error) as error:
        raise CommandError(f"{path.name} cannot be read: it is cut short or damaged") from error
    except OSError as error:
        reason = error.strerror or "it is not compressed by gzip, or is damaged"
        raise CommandError(f"{path.name} cannot be read: {reason}") from error


def _count_utf8(data: bytes) -> tuple[int, int]:
    """Return the number of bytes that are not in UTF-8, and of characters beyond ASCII that are."""
    text = data.decode("utf-8", "replace")
    n_wrong = text.count("\ufffd")
    return n_wrong, len(text) - len(text.encode("ascii", "ignore")) - n_wrong


def _explain_bytes(path: Path, encoding: str) -> str:
    """Return the message for a file that is not in an encoding: where, and in which it may be."""
    with open_bytes(path) as file:
        data = file.read()
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        start, wrong = error.start, data[error.start : error.start + 1]
    except UnicodeError as error:
        return f"{path.name} is not in {encoding.upper()}: {error}"
    else:
        return f"{path.name} is not in {encoding.upper()}"
    line = count_line_ends(data[:start].decode(encoding, "replace")) + 1
    name = "UTF-8" if encoding.startswith("utf-8") else encoding
    where = f"{path.name} is not in {name}: byte 0x{wrong.hex()} in line {line}"
    n_wrong, n_right = _count_utf8(data)
    if name == "UTF-8" and n_right > n_wrong:  # another encoding would misread the rest
        return f"{where}; the rest mostly is: write the text there again, and save it as UTF-8"
    guess = guess_encoding(data)
    if guess is None or guess.name == encoding:
        return f"{where}; find out its encoding and name it by --encoding, or save it as UTF-8"
    return (
        f"{where}; it looks like {guess.name} ({shorten(guess.example, 40)!r}): pass --encoding "
        f"{guess.name}, or save it as UTF-8"
    )
