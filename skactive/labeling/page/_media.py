"""Images and sounds in the formats of browsers, encoded by the standard library."""

from __future__ import annotations

import base64
import io
import struct
import wave
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MIME_TYPES", "encode_png", "encode_wav", "make_data_uri", "read_file", "scale_image"]

MIME_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".avif": "image/avif",
    ".svg": "image/svg+xml",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
}
_MAX_SIDE = 1024  # pixels; larger images do not fit on the page
_MIN_SHRUNK_BYTES = 500_000  # larger image files are scaled down, if Pillow is installed
_MAX_FILE_BYTES = 20_000_000
_SHRINKABLE = {"image/png", "image/jpeg", "image/webp", "image/bmp"}


def make_data_uri(kind: str, data: bytes) -> str:
    """Return a data URI."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def read_file(path: Path, kind: str | None = None) -> dict[str, Any]:
    """Return the content of an image or audio file.

    Parameters
    ----------
    path : Path
        The file.
    kind : {"image", "audio"}, default=None
        The expected kind; None accepts both.
    """
    mime = MIME_TYPES.get(path.suffix.lower(), "")
    media = mime.split("/")[0]  # "image" or "audio"
    if not media or media != (kind or media):
        expected = kind or "image or audio"
        raise ValueError(f"{path.name} is not an {expected} file that browsers can show")
    size = path.stat().st_size
    if media == "image" and size > _MIN_SHRUNK_BYTES and mime in _SHRINKABLE:
        mime, data = _shrink_file(path, mime)
    elif size > _MAX_FILE_BYTES:
        raise ValueError(f"{path.name} is too large ({size / 1e6:.0f} MB)")
    else:
        data = path.read_bytes()
    content = {"type": media, "src": make_data_uri(mime, data)}
    return content | {"alt": path.name} if media == "image" else content


def _shrink_file(path: Path, mime: str) -> tuple[str, bytes]:
    """Return the type and the bytes of an image, scaled down if Pillow is installed."""
    try:
        from PIL import Image, ImageOps  # late: optional
    except ImportError:
        return mime, path.read_bytes()
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
    upright.thumbnail((_MAX_SIDE, _MAX_SIDE))
    file = io.BytesIO()
    if _is_transparent(upright):
        upright.convert("RGBA").save(file, "PNG")
        return "image/png", file.getvalue()
    upright.convert("RGB").save(file, "JPEG", quality=90)
    return "image/jpeg", file.getvalue()


def _is_transparent(image: Any) -> bool:
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info


def scale_image(image: Any) -> NDArray[np.uint8]:
    """Return an image as bytes of shape (height, width, 1, 3 or 4), no side above 1,024.

    Parameters
    ----------
    image : array or PIL image
        Of shape (height, width), (height, width, channels) or (channels, height, width). Bytes,
        booleans, and floats from 0 to 1 are shown as they are; other values are rescaled, from the
        minimum (or 0, if that is smaller) to the maximum.
    """
    if hasattr(image, "convert"):  # of Pillow
        color = "RGBA" if _is_transparent(image) else "RGB"
        image = image.convert("L" if image.mode in {"L", "1"} else color)
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
    return _downsample(_to_uint8(pixels))


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


def _downsample(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the means of square blocks of pixels, if a side is too long."""
    step = -(-max(pixels.shape[:2]) // _MAX_SIDE)
    height, width = (length // step for length in pixels.shape[:2])
    if step == 1 or not height or not width:
        return pixels
    # (height, step, width, step, n_channels)
    blocks = pixels[: height * step, : width * step].reshape(height, step, width, step, -1)
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


def encode_wav(samples: Any, rate: Any) -> bytes:
    """Return samples as a WAV file of 16 bits.

    Parameters
    ----------
    samples : array of shape (n_samples,), (n_samples, n_channels) or (n_channels, n_samples)
        Floats from -1 to 1 (all are scaled down if some are louder), or integers over the range of
        their type.
    rate : float
        Samples per second.
    """
    sound = np.asarray(samples)
    if sound.ndim == 2 and sound.shape[0] < sound.shape[1]:
        sound = sound.T
    if sound.size == 0 or sound.ndim > 2 or not 1 <= float(rate) <= 1_000_000:
        raise ValueError(f"a sound needs samples and a rate, got shape {sound.shape}, rate {rate}")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1 if sound.ndim == 1 else sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(round(float(rate)))
        file.writeframes(_to_int16(sound).astype("<i2").tobytes())
    return buffer.getvalue()


def _to_int16(sound: NDArray[Any]) -> NDArray[np.int16]:
    if sound.dtype == np.int16:
        return sound
    if np.issubdtype(sound.dtype, np.integer):
        limits = np.iinfo(sound.dtype)
        middle = (float(limits.max) + float(limits.min) + 1.0) / 2.0
        values = (sound.astype(np.float64) - middle) / (float(limits.max) - middle + 1.0)
    else:
        values = np.nan_to_num(sound.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    loudest = max(1.0, float(np.abs(values).max()))
    return np.rint(values / loudest * 32767.0).astype(np.int16)
