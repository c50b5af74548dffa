"""Contents of image and sound files."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from skactive.labeling.page._formats import find_format
from skactive.labeling.page._images import check_image, show_image
from skactive.labeling.page._media_files import escape_name, identify_file, stat_file
from skactive.labeling.page._pixels import PREVIEW, ImageLimits
from skactive.labeling.page._sounds import show_sound

__all__ = ["check_media", "show_file"]


def show_file(
    path: Path, media: str | None = None, limits: ImageLimits = PREVIEW
) -> dict[str, Any]:
    """Return the content of an image or sound file.

    Parameters
    ----------
    path : Path
        The file; a link is followed.
    media : {"image", "audio"}, default=None
        The expected kind; None accepts both.
    limits : ImageLimits
        Larger images are reduced.

    Raises
    ------
    MediaError
        If it cannot be shown.
    """
    known = identify_file(path, media)
    if known.media == "audio":
        return {"type": "audio", "name": escape_name(path.name), **show_sound(path, known)}
    return {"type": "image", "alt": escape_name(path.name), **show_image(path, known, limits)}


def check_media(path: Path) -> None:
    """Check a file before a program of the system opens it, which may read more than this page.

    Parameters
    ----------
    path : Path
        The file. Of images in a format of Pillow all is read, if Pillow is installed; of other
        images and of sounds the first bytes. Files of other kinds need only have content.

    Raises
    ------
    MediaError
        If it is missing, empty, damaged, or not what its name says.
    """
    stat_file(path)
    promised = find_format(path.name)
    if promised is None or promised.matches is None or promised.media not in {"image", "audio"}:
        return
    known = identify_file(path)
    if known.media == "image":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about its size, or its metadata
            check_image(path, known)
