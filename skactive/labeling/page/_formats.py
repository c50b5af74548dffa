"""Formats of images and sounds: their suffixes, their first bytes, and who can show them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import NamedTuple

__all__ = ["HEAD_BYTES", "Format", "detect_format", "find_format", "list_suffixes"]

HEAD_BYTES = 4096  # enough for the comments before the first element of an SVG


class Format(NamedTuple):
    """Format of image or sound files.

    Parameters
    ----------
    name : str
        As people call it.
    mime : str
        Media type for browsers.
    suffixes : tuple of str
        In lower case.
    matches : callable or None
        Returns whether the first bytes of a file are those of this format; None if it is known by
        its suffix alone, and nothing here reads it.
    shown : bool
        Whether browsers show or play it.
    """

    name: str
    mime: str
    suffixes: tuple[str, ...]
    matches: Callable[[bytes], bool] | None
    shown: bool = False

    @property
    def media(self) -> str:
        """Kind of the content: "image", "audio", "video" or another."""
        return self.mime.split("/")[0]


def detect_format(head: bytes) -> Format | None:
    """Return the format of a file by its first bytes; None if it is unknown."""
    return next((f for f in _MEDIA_FORMATS if f.matches is not None and f.matches(head)), None)


def find_format(name: str | PurePath) -> Format | None:
    """Return the format that the suffix of a file name promises; None if it is unknown."""
    return _FORMAT_OF_SUFFIX.get(PurePath(name).suffix.lower())


def list_suffixes(media: str) -> list[str]:
    """Return the sorted suffixes of a kind of content."""
    return sorted(suffix for suffix, known in _FORMAT_OF_SUFFIX.items() if known.media == media)


# First bytes ------------------------------------------------------------------------------------


def _begins(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(beginnings)


def _is_riff(kind: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[:4] in {b"RIFF", b"RIFX", b"RF64", b"BW64"} and head[8:12] == kind


def _has_brand(*brands: bytes) -> Callable[[bytes], bool]:
    """Return a check for files of the MPEG-4 family, which begin with the names of their kinds."""

    def matches(head: bytes) -> bool:
        length = int.from_bytes(head[:4], "big")
        listed = {head[8:12], *(head[i : i + 4] for i in range(16, min(length, 256), 4))}
        return head[4:8] == b"ftyp" and not listed.isdisjoint(brands)

    return matches


def _is_mp3(head: bytes) -> bool:
    if head.startswith(b"ID3"):
        return True
    # 11 bits of one, MPEG 1, 2 or 2.5, layer 2 or 3, and neither of the invalid rates
    return (
        len(head) > 3
        and head[0] == 0xFF
        and head[1] & 0xE0 == 0xE0
        and head[1] & 0x18 != 0x08
        and head[1] & 0x06 in {0x02, 0x04}
        and head[2] & 0xF0 not in {0x00, 0xF0}
        and head[2] & 0x0C != 0x0C
    )


def _is_flac(head: bytes) -> bool:
    return head.startswith(b"fLaC") or (head.startswith(b"ID3") and b"fLaC" in head)


def _is_aac(head: bytes) -> bool:
    return len(head) > 2 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0


def _is_pnm(head: bytes) -> bool:
    return (
        head[:1] == b"P" and head[1:2].isdigit() and head[2:3] in {b" ", b"\n", b"\r", b"\t", b"#"}
    )


def _strip_text(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()


def _is_svg(head: bytes) -> bool:
    text = _strip_text(head)
    return text.startswith(b"<svg") or (
        text.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in text
    )


def _is_html(head: bytes) -> bool:
    return _strip_text(head).startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def _is_aiff(head: bytes) -> bool:
    return head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}


_JPEG_2000 = _begins(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
_JPEG_XL = _begins(b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a")
_HEIC = _has_brand(b"heic", b"heix", b"hevc", b"mif1", b"msf1")
_RAW_SUFFIXES = (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".raw", ".rw2")
_VIDEO_SUFFIXES = (".3gp", ".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv")

# The first that matches counts.
_MEDIA_FORMATS = (
    Format("PNG", "image/png", (".png", ".apng"), _begins(b"\x89PNG\r\n\x1a\n"), True),
    Format(
        "JPEG", "image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), _begins(b"\xff\xd8\xff"), True
    ),
    Format("GIF", "image/gif", (".gif",), _begins(b"GIF87a", b"GIF89a"), True),
    Format("WebP", "image/webp", (".webp",), _is_riff(b"WEBP"), True),
    Format("AVIF", "image/avif", (".avif", ".avifs"), _has_brand(b"avif", b"avis"), True),
    Format("BMP", "image/bmp", (".bmp", ".dib"), _begins(b"BM"), True),
    Format("SVG", "image/svg+xml", (".svg",), _is_svg, True),
    Format(
        "TIFF", "image/tiff", (".tif", ".tiff"), _begins(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    ),
    Format("JPEG 2000", "image/jp2", (".jp2", ".j2k", ".jpx", ".jpf"), _JPEG_2000),
    Format("PNM", "image/x-portable-anymap", (".ppm", ".pgm", ".pbm", ".pnm"), _is_pnm),
    Format("HEIC", "image/heic", (".heic", ".heif", ".hif"), _HEIC),
    Format("JPEG XL", "image/jxl", (".jxl",), _JPEG_XL),
    Format("PSD", "image/vnd.adobe.photoshop", (".psd", ".psb"), _begins(b"8BPS")),
    Format("raw photograph", "image/x-raw", _RAW_SUFFIXES, None),
    Format("image", "image/x-other", (".dcm", ".eps", ".ico", ".jxr", ".tga"), None),
    Format("WAV", "audio/wav", (".wav", ".wave"), _is_riff(b"WAVE"), True),
    Format("FLAC", "audio/flac", (".flac",), _is_flac, True),
    Format("MP3", "audio/mpeg", (".mp3",), _is_mp3, True),
    Format("Ogg", "audio/ogg", (".ogg", ".oga", ".opus"), _begins(b"OggS"), True),
    Format("AIFF", "audio/aiff", (".aif", ".aiff", ".aifc"), _is_aiff),
    Format("AU", "audio/basic", (".au", ".snd"), _begins(b".snd")),
    Format("CAF", "audio/x-caf", (".caf",), _begins(b"caff")),
    Format("MPEG-4 audio", "audio/mp4", (".m4a", ".m4b"), _has_brand(b"M4A ", b"M4B "), True),
    Format("AAC", "audio/aac", (".aac",), _is_aac, True),
    Format("WMA", "audio/x-ms-wma", (".wma",), _begins(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")),
    Format("sound", "audio/x-other", (".amr", ".ape", ".mid", ".midi", ".ra", ".wv"), None),
    Format("video", "video/x-other", _VIDEO_SUFFIXES, _begins(b"\x1a\x45\xdf\xa3")),
    Format("HTML", "text/html", (), _is_html),
    Format("PDF", "application/pdf", (), _begins(b"%PDF-")),
    Format("ZIP", "application/zip", (), _begins(b"PK\x03\x04")),
)
_FORMAT_OF_SUFFIX = {suffix: known for known in _MEDIA_FORMATS for suffix in known.suffixes}
