"""Arrays as images: scaled to bytes and to the page, and encoded by the standard library."""

from __future__ import annotations

import math
import struct
import zlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive.labeling.page._media_files import make_data_uri

__all__ = ["FULL", "PREVIEW", "ImageLimits", "encode_png", "show_pixels", "stretch_to_bytes"]


class ImageLimits(NamedTuple):
    """Largest image that is sent.

    Parameters
    ----------
    side : int
        Longest side in pixels, unless the image is thin.
    thin_side : int
        A short side is not reduced below this,
    long_side : int
        as long as the long one is not above this.
    whole_bytes : int
        Files up to this size are sent as they are.
    max_bytes : int
        Encoded images are reduced until they have this size.
    """

    side: int
    thin_side: int
    long_side: int
    whole_bytes: int
    max_bytes: int

    def fit(self, width: int, height: int) -> float:
        """Return the factor, at most 1, by which the sides of an image are scaled."""
        short, long = sorted((width, height))
        thin = min(self.long_side / long, self.thin_side / short)
        return min(1.0, max(self.side / long, thin))


PREVIEW = ImageLimits(1024, 256, 4096, 500_000, 4_000_000)
FULL = ImageLimits(65_000, 1, 65_000, 10_000_000, 10_000_000)  # JPEG has sides up to 65,535


def show_pixels(image: Any, limits: ImageLimits = PREVIEW) -> dict[str, Any]:
    """Return the source of an array as an image, its size, and whether it was reduced.

    Parameters
    ----------
    image : array
        Of shape (height, width), (height, width, channels) or (channels, height, width). Bytes,
        booleans, and floats from 0 to 1 are shown as they are; other values are rescaled, from the
        minimum (or 0, if that is smaller) to the maximum.
    limits : ImageLimits
        Larger images are reduced.
    """
    pixels = _to_uint8(_arrange_channels(image))
    height, width = pixels.shape[:2]
    step = math.ceil(1.0 / limits.fit(width, height))
    # PNG seldom saves more than three quarters
    step = max(step, math.ceil(math.sqrt(pixels.nbytes / (4 * limits.max_bytes))))
    data = encode_png(_reduce(pixels, step))
    while len(data) > limits.max_bytes:
        step = max(step + 1, math.ceil(step * math.sqrt(len(data) / limits.max_bytes)))
        data = encode_png(_reduce(pixels, step))
    source = make_data_uri("image/png", data)
    return {"src": source, "width": width, "height": height, "reduced": step > 1}


def _arrange_channels(image: Any) -> NDArray[Any]:
    """Return an image as an array of shape (height, width, 1, 3 or 4)."""
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim == 3 and pixels.shape[2] not in {1, 3, 4} and pixels.shape[0] in {1, 3, 4}:
        pixels = np.moveaxis(pixels, 0, 2)
    if pixels.ndim != 3 or pixels.shape[2] not in {1, 3, 4} or 0 in pixels.shape:
        raise ValueError(
            "an image must have the shape (height, width) or (height, width, 1, 3 or 4), got "
            f"shape {np.shape(image)}"
        )
    return pixels


def _to_uint8(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == bool:
        return pixels.astype(np.uint8) * np.uint8(255)
    values = np.nan_to_num(pixels.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = min(values.min(), 0.0), values.max()
    if low < 0 or high > 1 or not np.issubdtype(pixels.dtype, np.floating):
        values = (values - low) / ((high - low) or 1.0)
    return np.rint(values * 255).astype(np.uint8)


def stretch_to_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return pixels of more than 8 bits as bytes, from the darkest (0) to the brightest (255).

    Floats from 0 to 1 keep their brightness. Missing values become dark.
    """
    values = pixels.astype(np.float32)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if pixels.dtype.kind == "f" and low >= 0.0 and high <= 1.0:
        low, high = 0.0, 1.0
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    return np.rint((values - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8)


def _reduce(pixels: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Return the means of blocks of `step` by `step` pixels; thinner images keep one pixel."""
    if step == 1:
        return pixels
    down, across = (min(step, length) for length in pixels.shape[:2])
    height, width = pixels.shape[0] // down, pixels.shape[1] // across
    # (height, down, width, across, n_channels)
    blocks = pixels[: height * down, : width * across].reshape(height, down, width, across, -1)
    return np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return pixels of shape (height, width, 1, 3 or 4) as a PNG file."""
    height, width, channels = pixels.shape
    color = {1: 0, 3: 2, 4: 6}[channels]  # gray, RGB, RGB with transparency
    # Each line begins with the number of its filter: 0, none.
    lines = np.zeros((height, 1 + width * channels), dtype=np.uint8)
    lines[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _make_png_chunk(name, data)
        for name, data in (
            (b"IHDR", header),
            (b"IDAT", zlib.compress(lines.tobytes(), 6)),
            (b"IEND", b""),
        )
    )


def _make_png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
