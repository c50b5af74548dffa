"""Images and sounds as a browser takes them, by the standard library."""

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

__all__ = ["MEDIA", "data_uri", "file_content", "png", "scaled", "wav"]

MEDIA = {
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
_LONGEST_SIDE = 1024  # pixels: what a page has room for
_LARGE_FILE = 500_000  # bytes: from here on an image is made smaller, if Pillow is there
_LARGEST_FILE = 20_000_000
_SHRUNK = {"image/png", "image/jpeg", "image/webp", "image/bmp"}


def data_uri(kind: str, data: bytes) -> str:
    """Return data as an address that holds them."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def file_content(path: Path, kind: str | None = None) -> dict[str, Any]:
    """Return the content of a file with an image or a sound.

    Parameters
    ----------
    path : Path
        The file.
    kind : {"image", "audio"}, default=None
        What it must be.
    """
    mime = MEDIA.get(path.suffix.lower(), "")
    found = mime.split("/")[0]
    if not found or found != (kind or found):
        wanted = kind or "image or audio"
        raise ValueError(f"{path.name} is no {wanted} file that browsers know")
    size = path.stat().st_size
    if found == "image" and size > _LARGE_FILE and mime in _SHRUNK:
        mime, data = _shrunk(path, mime)
    elif size > _LARGEST_FILE:
        raise ValueError(f"{path.name} is too large ({size / 1e6:.0f} MB)")
    else:
        data = path.read_bytes()
    source = {"type": found, "src": data_uri(mime, data)}
    return source | {"alt": path.name} if found == "image" else source


def _shrunk(path: Path, mime: str) -> tuple[str, bytes]:
    """Return an image file no larger than a page needs; as it is where Pillow is missing."""
    try:
        from PIL import Image, ImageOps  # late: optional
    except ImportError:
        return mime, path.read_bytes()
    with Image.open(path) as image:
        turned = ImageOps.exif_transpose(image)
    turned.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    made = io.BytesIO()
    clear = turned.mode in {"RGBA", "LA", "PA"} or "transparency" in turned.info
    if clear:
        turned.convert("RGBA").save(made, "PNG")
    else:
        turned.convert("RGB").save(made, "JPEG", quality=90)
    return ("image/png" if clear else "image/jpeg"), made.getvalue()


def scaled(image: Any) -> NDArray[np.uint8]:
    """Return an image as bytes, shape (height, width, 1, 3 or 4), no side above 1,024.

    Parameters
    ----------
    image : array or image of Pillow's
        Of shape (height, width) or (height, width, channels); (channels, height, width) is turned
        round. Bytes, truth values, and numbers from 0 to 1 are taken as they are; other numbers
        are stretched, from the smallest (or 0, if that is smaller) to the largest.
    """
    if hasattr(image, "convert"):
        clear = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
        image = image.convert("L" if image.mode in {"L", "1"} else "RGBA" if clear else "RGB")
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim == 3 and pixels.shape[2] not in {1, 3, 4} and pixels.shape[0] in {1, 3, 4}:
        pixels = np.moveaxis(pixels, 0, 2)
    if pixels.ndim != 3 or pixels.shape[2] not in {1, 3, 4} or 0 in pixels.shape:
        raise ValueError(
            "an image is an array of shape (height, width) or (height, width, 1, 3 or 4), got "
            f"shape {np.shape(image)}"
        )
    return _fewer(_as_bytes(pixels))


def _as_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == bool:
        return pixels.astype(np.uint8) * np.uint8(255)
    values = np.nan_to_num(pixels.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = min(values.min(), 0.0), values.max()
    if low < 0 or high > 1 or not np.issubdtype(pixels.dtype, np.floating):
        values = (values - low) / ((high - low) or 1.0)
    return np.rint(values * 255).astype(np.uint8)


def _fewer(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the means of blocks of pixels, where an image is larger than a page."""
    step = -(-max(pixels.shape[:2]) // _LONGEST_SIDE)
    height, width = (length // step for length in pixels.shape[:2])
    if step == 1 or not height or not width:
        return pixels
    blocks = pixels[: height * step, : width * step].reshape(height, step, width, step, -1)
    return np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return pixels, shape (height, width, 1, 3 or 4), as a PNG file."""
    height, width, channels = pixels.shape
    color = {1: 0, 3: 2, 4: 6}[channels]  # gray, RGB, RGB with transparency
    lines = np.zeros((height, 1 + width * channels), dtype=np.uint8)  # each begins with filter 0
    lines[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, data)
        for name, data in (
            (b"IHDR", header),
            (b"IDAT", zlib.compress(lines.tobytes(), 6)),
            (b"IEND", b""),
        )
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def wav(samples: Any, rate: Any) -> bytes:
    """Return samples as a WAV file of 16 bits.

    Parameters
    ----------
    samples : array of shape (n_samples,) or (n_samples, n_channels)
        Floats from -1 to 1 (louder ones are all made quieter), or whole numbers over the range of
        their type. Of shape (n_channels, n_samples) they are turned round.
    rate : float
        Samples a second.
    """
    sound = np.asarray(samples)
    if sound.ndim == 2 and sound.shape[0] < sound.shape[1]:
        sound = sound.T
    if sound.size == 0 or sound.ndim > 2 or not 1 <= float(rate) <= 1_000_000:
        raise ValueError(f"a sound needs samples and a rate, got shape {sound.shape}, rate {rate}")
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1 if sound.ndim == 1 else sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(round(float(rate)))
        file.writeframes(_as_shorts(sound).astype("<i2").tobytes())
    return made.getvalue()


def _as_shorts(sound: NDArray[Any]) -> NDArray[np.int16]:
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
