"""Image files for browsers, which show them upright and in 8 bits; read by Pillow."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive.labeling.page._formats import Format
from skactive.labeling.page._media_files import (
    MediaError,
    TooLargeError,
    describe_damage,
    describe_lack,
    describe_oddity,
    make_data_uri,
)
from skactive.labeling.page._pixels import PREVIEW, ImageLimits, stretch_to_bytes

__all__ = [
    "READABLE_IMAGES",
    "ImageHeader",
    "check_image",
    "convert_to_array",
    "load_gray",
    "read_header",
    "show_image",
]

_MAX_WHOLE_BYTES = 20_000_000  # of files that are sent as they are
_MAX_LOSSLESS_PIXELS = 262_144  # larger photographs are sent as JPEG
_ORIENTATION, _PHOTOMETRIC = 0x0112, 0x0106  # tags of EXIF and TIFF
# The transpositions that make an image upright, by orientation
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
_PLUGINS = {"HEIC": "HEIF", "JPEG 2000": "JPEG2000", "PNM": "PPM"}
_JPEG = {"JPEG", "MPO"}  # can be decoded at a fraction of their size
_MOVING = {"GIF", "WEBP", "PNG", "AVIF"}
READABLE_IMAGES = {"AVIF", "BMP", "GIF", "JPEG", "JPEG 2000", "PNG", "PNM", "PSD", "TIFF", "WebP"}
_CODECS = {"WEBP": "webp", "AVIF": "avif", "JPEG2000": "jpg_2000"}


class ImageHeader(NamedTuple):
    """Description of an image file.

    Parameters
    ----------
    n_pages : int
        Number of pages of a TIFF file; 1 for other formats.
    is_animated : bool
        Whether it has several frames that browsers play.
    is_deep : bool
        Whether colors have 16 bits, of which Pillow keeps the upper 8, often the empty ones.
    is_negative : bool
        Whether 0 means white in an image of more than 8 bits; in others Pillow sees to it.
    """

    n_pages: int
    is_animated: bool
    is_deep: bool
    is_negative: bool


# Read -------------------------------------------------------------------------------------------


def can_read_image(known: Format) -> bool:
    """Return whether Pillow is installed and reads a format."""
    try:
        from PIL import Image, features  # late: optional
    except ImportError:
        return False
    Image.init()
    plugin = _PLUGINS.get(known.name, known.name.upper())
    codec = _CODECS.get(plugin)
    return plugin in Image.OPEN and (codec is None or bool(features.check(codec)))


def read_header(path: Path, known: Format) -> ImageHeader:
    """Return the description of an image file, without its pixels.

    Raises
    ------
    MediaError
        If it cannot be read, is broken or too large.
    """
    with _open_image(path, known, is_checked=False) as image:
        return _make_header(image)


def check_image(path: Path, known: Format) -> None:
    """Raise a `MediaError` if an image cannot be decoded; one that is not read here may be whole.

    Parameters
    ----------
    path : Path
        The file.
    known : Format
        Its format, which `identify_file` found.
    """
    if can_read_image(known):
        with suppress(TooLargeError), _open_image(path, known) as image:
            image.load()


def load_gray(path: Path, known: Format, side: int) -> Any:
    """Return an upright gray PIL image, with sides of at least `side` if the file has them.

    Raises
    ------
    MediaError
        If it cannot be read, is broken or too large.
    """
    with _open_image(path, known) as image:
        header = _make_header(image)
        image.draft("L", (side, side))  # faster for JPEG
        return _decode(image, header).convert("L")


@contextmanager
def _open_image(path: Path, known: Format, is_checked: bool = True) -> Iterator[Any]:
    """Open an image whose pixels fit into memory; whatever goes wrong is a `MediaError`.

    Decoders notice what is missing, but of damaged PNG files only checksums tell.
    """
    if not can_read_image(known):
        extra = "images" if known.name in READABLE_IMAGES else ""
        raise MediaError(path.name, describe_lack(path.name, known, extra))
    from PIL import Image, UnidentifiedImageError  # late: optional

    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with path.open("rb") as file, Image.open(file) as image:
            if is_checked and image.format == "PNG":
                with Image.open(path) as checked:
                    checked.verify()
            _check_size(image, path, Image.MAX_IMAGE_PIXELS)
            yield image
    except MediaError:
        raise
    except bombs as error:
        raise TooLargeError(path.name, "it has too many pixels") from error
    except UnidentifiedImageError as error:
        raise MediaError(path.name, describe_oddity(known)) from error
    except Exception as error:  # decoders of damaged files raise errors of any kind
        raise MediaError(path.name, describe_damage(error)) from error


def _check_size(image: Any, path: Path, limit: int | None) -> None:
    width, height = image.size
    if limit and width * height > limit and image.format not in _JPEG:
        detail = f"{width:,} x {height:,} pixels, at most {limit // 1_000_000} million are read"
        raise TooLargeError(path.name, detail)


def _make_header(image: Any) -> ImageHeader:
    """Return the header of an image that was not loaded yet."""
    is_tiff = image.format == "TIFF"
    return ImageHeader(
        n_pages=getattr(image, "n_frames", 1) if is_tiff else 1,
        is_animated=image.format in _MOVING and getattr(image, "is_animated", False),
        # The names of raw modes are such as "RGB;16B"
        is_deep=image.mode in {"RGB", "RGBA"} and any(";16" in str(tile[3]) for tile in image.tile),
        is_negative=is_tiff and image.tag_v2.get(_PHOTOMETRIC) == 0 and _has_many_grays(image),
    )


def _decode(image: Any, header: ImageHeader) -> Any:
    """Return the upright pixels of an opened image, in mode L, RGB or RGBA of 8 bits."""
    converted = _convert_colors(_turn_upright(image))
    if not header.is_deep and not header.is_negative:
        return converted
    from PIL import Image  # late: optional

    pixels = np.array(converted)
    colors = pixels[..., :3] if pixels.ndim == 3 else pixels  # without transparency
    colors[...] = stretch_to_bytes(colors) if header.is_deep else 255 - colors
    return Image.fromarray(pixels)


def _has_many_grays(image: Any) -> bool:
    return image.mode in {"I", "F"} or image.mode.startswith("I;16")


def _turn_upright(image: Any) -> Any:
    """Return the loaded image, turned as its EXIF data say."""
    image.load()  # which turns TIFF
    turn = _TURNS.get(_read_orientation(image))
    return image if turn is None else image.transpose(turn)


def _read_orientation(image: Any) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # broken EXIF data do not hide the image
        return 1


def _convert_colors(image: Any) -> Any:
    """Return an image of mode L, RGB or RGBA, 8 bits per channel."""
    if _has_many_grays(image):
        from PIL import Image  # late: optional

        return Image.fromarray(stretch_to_bytes(np.asarray(image)))
    if _is_transparent(image):
        return image.convert("RGBA")
    return image.convert("L" if image.mode in {"1", "L"} else "RGB")


def _is_transparent(image: Any) -> bool:
    modes = {"RGBA", "RGBa", "LA", "La", "PA"}
    return image.mode in modes or "transparency" in image.info


def convert_to_array(image: Any) -> NDArray[np.uint8]:
    """Return the pixels of a PIL image, as browsers would show them."""
    return np.asarray(_convert_colors(image))


# Show -------------------------------------------------------------------------------------------


def show_image(path: Path, known: Format, limits: ImageLimits = PREVIEW) -> dict[str, Any]:
    """Return the source of an image file.

    Parameters
    ----------
    path : Path
        The file.
    known : Format
        Its format, which `identify_file` found.
    limits : ImageLimits
        Larger images are reduced.

    Returns
    -------
    dict
        `src`; if the file was read, also the original `width` and `height`, and whether it was
        `reduced`; a `note` if only the first page or frame is shown.

    Raises
    ------
    MediaError
        If it cannot be read, is broken or too large.
    """
    if known.shown and not can_read_image(known):
        return {"src": _send_file(path, known)}
    with _open_image(path, known) as image:
        header = _make_header(image)
        if _is_sent_whole(image, header, path.stat().st_size, limits):
            width, height = _measure(image)
            image.load()  # a broken file must not get to the page
            source = _send_file(path, known)
            return {"src": source, "width": width, "height": height, "reduced": False}
        return _show_converted_image(image, header, limits) | _describe_part(header)


def _describe_part(header: ImageHeader) -> dict[str, str]:
    """Return a note if a still image shows only a part of a file."""
    if header.is_animated:
        return {"note": "the first frame of an animation"}
    return {"note": f"page 1 of {header.n_pages}"} if header.n_pages > 1 else {}


def _is_sent_whole(image: Any, header: ImageHeader, n_bytes: int, limits: ImageLimits) -> bool:
    """Return whether browsers show a file as it is, in a size that fits."""
    if image.format not in _JPEG | _MOVING:
        return False
    if header.is_animated and n_bytes <= _MAX_WHOLE_BYTES:
        return True
    is_plain = image.mode in {"1", "L", "LA", "P", "PA", "RGB", "RGBA"} and not header.is_deep
    is_upright = image.format in _JPEG or _read_orientation(image) == 1
    return (
        is_plain
        and is_upright
        and n_bytes <= limits.whole_bytes
        and _choose_scale(image, limits) == 1.0
    )


def _send_file(path: Path, known: Format) -> str:
    size = path.stat().st_size
    if size > _MAX_WHOLE_BYTES:
        raise TooLargeError(path.name, f"{size / 1e6:.0f} MB")
    return make_data_uri(known.mime, path.read_bytes())


def _show_converted_image(image: Any, header: ImageHeader, limits: ImageLimits) -> dict[str, Any]:
    """Return the content of an image that is turned upright, converted, and reduced if needed."""
    is_drawing = image.mode in {"1", "P"}
    profile = image.info.get("icc_profile") if image.mode in {"L", "RGB", "RGBA"} else None
    scale, size = _choose_scale(image, limits), _measure(image)
    image.draft(None, _scale(image.size, scale))
    upright = _decode(image, header)
    size = size if image.format in _JPEG else upright.size  # TIFF is measured after it is turned
    small = _resize(upright, _scale(size, scale))
    mime, data = _encode_image(small, is_drawing, profile)
    while len(data) > limits.max_bytes:
        small = _resize(small, _scale(small.size, 0.9 * math.sqrt(limits.max_bytes / len(data))))
        mime, data = _encode_image(small, is_drawing, profile)
    source, is_reduced = make_data_uri(mime, data), small.size != size
    return {"src": source, "width": size[0], "height": size[1], "reduced": is_reduced}


def _choose_scale(image: Any, limits: ImageLimits) -> float:
    """Return the factor by which an image is scaled; below 1 if it cannot be decoded whole."""
    from PIL import Image  # late: optional

    width, height = image.size
    is_huge = width * height > (Image.MAX_IMAGE_PIXELS or math.inf)
    return min(limits.fit(width, height), 0.5 if is_huge else 1.0)


def _measure(image: Any) -> tuple[int, int]:
    """Return the width and height of an image as browsers show it, before it is loaded."""
    width, height = image.size
    is_sideways = image.format in _JPEG and _read_orientation(image) >= 5
    return (height, width) if is_sideways else (width, height)


def _scale(size: tuple[int, int], factor: float) -> tuple[int, int]:
    return max(1, round(factor * size[0])), max(1, round(factor * size[1]))


def _resize(image: Any, size: tuple[int, int]) -> Any:
    from PIL import Image  # late: optional

    if image.size == size:
        return image
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _encode_image(image: Any, is_drawing: bool, profile: bytes | None) -> tuple[str, bytes]:
    """Return the media type and the bytes of an image: PNG, or JPEG for photographs."""
    file = io.BytesIO()
    n_pixels = image.width * image.height
    if is_drawing or image.mode == "RGBA" or n_pixels <= _MAX_LOSSLESS_PIXELS:
        image.save(file, "PNG", icc_profile=profile)
        return "image/png", file.getvalue()
    image.save(file, "JPEG", quality=90, icc_profile=profile)
    return "image/jpeg", file.getvalue()
