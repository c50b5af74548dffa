"""Check image and sound files before they are opened, and name their faults."""

from __future__ import annotations

import base64
import errno
import os
import stat
import unicodedata
from pathlib import Path
from typing import NamedTuple

from skactive._utils.text import take_first_line
from skactive.labeling.page._formats import HEAD_BYTES, Format, detect_format, find_format

__all__ = [
    "Fault",
    "MediaError",
    "TooLargeError",
    "describe_damage",
    "describe_lack",
    "describe_oddity",
    "escape_name",
    "identify_file",
    "is_plain_name",
    "make_data_uri",
    "stat_file",
]


class Fault(NamedTuple):
    """Reason why a file cannot be shown.

    Parameters
    ----------
    sentence : str
        As the end of a sentence that begins with "it".
    one, many : str
        Nouns for one such file, and for several.
    advice : str, default=""
        An imperative.
    """

    sentence: str
    one: str
    many: str
    advice: str = ""


class MediaError(ValueError):
    """A file cannot be shown; the message names it without its folder."""

    def __init__(self, name: str, fault: Fault) -> None:
        advice = f"; {fault.advice}" if fault.advice else ""
        super().__init__(f"{escape_name(name)} cannot be shown: it {fault.sentence}{advice}.")
        self.fault = fault


class TooLargeError(MediaError):
    """A file is too large to be shown here; other programs may show it."""

    def __init__(self, name: str, detail: str) -> None:
        sentence = f"is too large ({detail})"
        super().__init__(name, Fault(sentence, "too large file", "too large files", "make smaller"))


_NO_FILE = Fault("does not exist", "link to nothing", "links to nothing")
_LOOP = Fault("is a link that leads to itself", "link to itself", "links to themselves")
_EMPTY = Fault("is empty", "empty file", "empty files")
_IRREGULAR_KINDS = (
    (stat.S_ISDIR, Fault("is a folder", "folder", "folders")),
    (stat.S_ISFIFO, Fault("is a named pipe", "named pipe", "named pipes")),
    (stat.S_ISSOCK, Fault("is a socket", "socket", "sockets")),
)
_DEVICE = Fault("is a device", "device", "devices")
_VARIED = {"AVIF", "HEIC", "MP3", "MPEG-4 audio"}  # have more beginnings than are known here
_MEDIA_NOUNS = {"image": "an image", "audio": "a sound"}
_TARGETS = {"image": "JPEG or PNG", "audio": "WAV, FLAC or MP3"}


# Faults with details ----------------------------------------------------------------------------


def _make_error_fault(error: OSError) -> Fault:
    if error.errno == errno.ENOENT:
        return _NO_FILE
    if error.errno == errno.ELOOP:
        return _LOOP
    reason = error.strerror or take_first_line(error)
    return Fault("cannot be opened", "unreadable file", "unreadable files", reason)


def describe_damage(detail: object) -> Fault:
    """Return the fault of a file that ends too early or is otherwise broken."""
    reason = take_first_line(detail)[:120].rstrip(".")
    return Fault(f"is damaged ({reason})", "damaged file", "damaged files", "repair or replace")


def describe_oddity(known: Format) -> Fault:
    """Return the fault of a file that begins as it should, but cannot be decoded."""
    sentence = f"is damaged, or an unusual kind of {known.name}"
    advice = f"convert to {_TARGETS[known.media]}"
    return Fault(sentence, "damaged or unusual file", "damaged or unusual files", advice)


def describe_lack(name: str, known: Format, extra: str = "") -> Fault:
    """Return the fault of a format that cannot be read here.

    Parameters
    ----------
    name : str
        Name of the file; files are counted by suffix.
    known : Format
        Its format.
    extra : str, default=""
        Extra of skactive that would read it.
    """
    suffix = Path(name).suffix.lower()
    noun = suffix if suffix in known.suffixes else known.name
    advice = f"convert to {_TARGETS[known.media]}"
    if extra:
        advice = f'pip install --upgrade "skactive[{extra}]", or {advice}'
    sentence = f"has a format that cannot be read here ({known.name})"
    return Fault(sentence, f"{noun} file", f"{noun} files", advice)


def _describe_content(found: str, media: str) -> Fault:
    noun = _MEDIA_NOUNS[media]
    plural = f"files named like {noun.split()[1]}s that are none"
    return Fault(f"is not {noun}{found}", f"file named like {noun} that is none", plural)


# Checks -----------------------------------------------------------------------------------------


def stat_file(path: Path) -> os.stat_result:
    """Return the status of a file with content, links followed; nothing is opened.

    Raises
    ------
    MediaError
        If it is missing, empty, or not a file: opening a named pipe would wait forever.
    """
    try:
        status = path.stat()
    except ValueError as error:  # the name holds a null character
        raise MediaError(path.name, _NO_FILE) from error
    except OSError as error:
        raise MediaError(path.name, _make_error_fault(error)) from error
    if not stat.S_ISREG(status.st_mode):
        kinds = (fault for is_kind, fault in _IRREGULAR_KINDS if is_kind(status.st_mode))
        raise MediaError(path.name, next(kinds, _DEVICE))
    if status.st_size == 0:
        raise MediaError(path.name, _EMPTY)
    return status


def identify_file(path: Path, media: str | None = None) -> Format:
    """Return the format of a file by its first bytes.

    Parameters
    ----------
    path : Path
        The file.
    media : {"image", "audio"}, default=None
        The expected kind; None accepts both.

    Raises
    ------
    MediaError
        If it is not a file of this kind.
    """
    promised = find_format(path.name)
    if promised is None or promised.media not in ({media} if media else _MEDIA_NOUNS):
        raise MediaError(path.name, _describe_content(" by its name", media or "image"))
    stat_file(path)
    if promised.matches is None:
        raise MediaError(path.name, describe_lack(path.name, promised))
    try:
        with path.open("rb") as file:
            found = detect_format(file.read(HEAD_BYTES))
    except OSError as error:
        raise MediaError(path.name, _make_error_fault(error)) from error
    if found is None and promised.name not in _VARIED:
        raise MediaError(path.name, _describe_content("", promised.media))
    if found is not None and found.media != promised.media:
        raise MediaError(path.name, _describe_content(f" but {found.name}", promised.media))
    return found or promised


# Names and addresses ----------------------------------------------------------------------------


def is_plain_name(name: str) -> bool:
    """Return whether a name holds no control character, invisible mark or undecodable byte.

    The joiners of emoji and of some scripts are allowed.
    """
    return not any(
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        and character not in "\u200c\u200d"
        for character in name
    )


def escape_name(name: str) -> str:
    """Return a name in which everything that is not plain is escaped."""
    return "".join(
        c if is_plain_name(c) else c.encode("unicode_escape").decode("ascii") for c in name
    )


def make_data_uri(kind: str, data: bytes) -> str:
    """Return a data URI."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
