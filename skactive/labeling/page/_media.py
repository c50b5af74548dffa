"""Contents of image and sound files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skactive.labeling.page._images import show_image
from skactive.labeling.page._media_files import escape_name, identify_file
from skactive.labeling.page._pixels import PREVIEW, ImageLimits
from skactive.labeling.page._sounds import show_sound

__all__ = ["show_file"]


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
