"""Check images and sounds before they are opened elsewhere."""

from __future__ import annotations

import warnings
from pathlib import Path

__all__ = ["find_fault"]

# First bytes of the formats, whatever the suffix says: most programs look at these alone.
_IMAGE_SIGNS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"BM",
    b"II*\0",
    b"MM\0*",
)
_SOUND_SIGNS = (b"fLaC", b"OggS", b"ID3", b"RIFF", b"RF64", b"FORM")
_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"}
_SOUND_SUFFIXES = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3"}
_N_FIRST = 64  # bytes


def find_fault(path: Path) -> str:
    """Return why a file cannot be shown; empty if no fault is found.

    Parameters
    ----------
    path : Path
        An image or a sound. Of images in a format of Pillow all is read, if Pillow is installed; of
        others and of sounds the first bytes. Files with other suffixes need only exist.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    if not path.is_file():
        return "it does not exist any more" if not path.exists() else "it is not a file"
    with path.open("rb") as file:
        first = file.read(_N_FIRST)
    suffix = path.suffix.lower()
    if not first:
        return "it is empty"
    if suffix in _IMAGE_SUFFIXES:
        return _find_image_fault(path, first)
    if suffix in _SOUND_SUFFIXES and not _begins_like_sound(first):
        return "it is broken, or not a sound"
    return ""


def _find_image_fault(path: Path, first: bytes) -> str:
    is_webp = first[:4] == b"RIFF" and first[8:12] == b"WEBP"
    is_other = first[4:8] == b"ftyp"  # of AVIF and HEIF, which Pillow may lack
    if not (is_webp or is_other or first.startswith(_IMAGE_SIGNS)):
        return "it is broken, or not an image"
    return "" if is_other else _decode(path)


def _decode(path: Path) -> str:
    try:
        from PIL import Image  # late: optional
    except ImportError:
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about its size, or its metadata
            with Image.open(path) as image:
                image.load()
    except Image.DecompressionBombError:  # large, not broken
        return ""
    except Exception as error:  # the decoders raise errors of many kinds
        return f"it is broken ({error})"
    return ""


def _begins_like_sound(first: bytes) -> bool:
    is_mpeg = len(first) > 1 and first[0] == 0xFF and first[1] & 0xE0 == 0xE0
    # Some mp3 files begin with zeros, which players pass over
    return is_mpeg or first.startswith(_SOUND_SIGNS) or first[4:8] == b"ftyp" or not any(first)
