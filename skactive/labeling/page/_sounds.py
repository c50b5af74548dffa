"""Sounds for browsers, which play WAV of 16 bits and some compressed formats."""

from __future__ import annotations

import io
import math
import wave
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive.labeling.page._formats import Format
from skactive.labeling.page._media_files import (
    Fault,
    MediaError,
    TooLargeError,
    describe_damage,
    describe_lack,
    make_data_uri,
)

__all__ = ["READABLE_SOUNDS", "Sound", "encode_wav", "read_sound", "show_sound"]

_MAX_BYTES = 20_000_000  # longer sounds are cut
_MIN_RATE, _PLAYED_RATE = 3000, 8000  # browsers refuse lower rates
_MAX_CHANNELS = 2
READABLE_SOUNDS = {"WAV", "MP3", "FLAC", "Ogg", "AIFF", "AU", "CAF"}  # by libsndfile
_SILENT = Fault("holds no sound", "sound without content", "sounds without content")


class Sound(NamedTuple):
    """Decoded beginning of a sound.

    Parameters
    ----------
    samples : array of shape (n_samples, n_channels)
        Floats from -1 to 1.
    rate : int
        Samples per second.
    n_total : int
        Samples per channel of the whole file.
    """

    samples: NDArray[np.float32]
    rate: int
    n_total: int


# Read -------------------------------------------------------------------------------------------


def find_reader() -> Any:
    """Return the module soundfile, or None if it or its library is missing."""
    try:
        import soundfile  # late: optional
    except (ImportError, OSError):
        return None
    return soundfile


def can_read_sound(known: Format) -> bool:
    """Return whether sounds of a format are decoded here."""
    return known.name in READABLE_SOUNDS and (known.name == "WAV" or find_reader() is not None)


def read_sound(path: Path, known: Format, max_samples: int) -> Sound:
    """Return the beginning of a sound.

    Parameters
    ----------
    path : Path
        The file.
    known : Format
        Its format, which `identify_file` found.
    max_samples : int
        Number of samples per channel.

    Raises
    ------
    MediaError
        If it cannot be read, is broken, or without content.
    """
    reader = find_reader()
    if not can_read_sound(known):
        extra = "audio" if known.name in READABLE_SOUNDS else ""
        raise MediaError(path.name, describe_lack(path.name, known, extra))
    try:
        sound = (_read_wav if reader is None else _read_any)(path, max_samples)
    except Exception as error:  # decoders of damaged files raise errors of any kind
        if reader is None and "Unknown wave file format" in str(error):
            raise MediaError(path.name, describe_lack(path.name, known, "audio")) from error
        raise MediaError(path.name, describe_damage(error)) from error
    if not sound.samples.size:
        raise MediaError(path.name, _SILENT)
    if sound.rate < 1:
        raise MediaError(path.name, describe_damage("its rate is 0"))
    return sound


def _read_any(path: Path, max_samples: int) -> Sound:
    import soundfile  # late: optional

    with path.open("rb") as file, soundfile.SoundFile(file) as sound:
        samples = sound.read(max_samples, "float32", always_2d=True)
        return Sound(samples, sound.samplerate, sound.frames)


def _read_wav(path: Path, max_samples: int) -> Sound:
    """Read a WAV file without soundfile."""
    from scipy.io import wavfile  # late: only sounds need it

    try:
        rate, samples = wavfile.read(path, mmap=True)  # only what is used is read
    except ValueError:  # 24 bits, or a format that the next line names
        rate, samples = wavfile.read(path)
    samples = samples.reshape(len(samples), -1)
    begin = samples[:max_samples]
    if begin.dtype == np.uint8:
        begin = begin.astype(np.int16) - np.int16(128)
    bits = {"u": 8, "i": 8 * samples.dtype.itemsize}.get(samples.dtype.kind, 1)
    return Sound((begin / 2.0 ** (bits - 1)).astype(np.float32), rate, len(samples))


# Show -------------------------------------------------------------------------------------------


def show_sound(path: Path, known: Format) -> dict[str, Any]:
    """Return the source of a sound file.

    Parameters
    ----------
    path : Path
        The file.
    known : Format
        Its format, which `identify_file` found.

    Returns
    -------
    dict
        `src`; of a file that is too long also `reduced` and a `note`.

    Raises
    ------
    MediaError
        If it cannot be read, is broken, or too large.
    """
    size = path.stat().st_size
    if size > _MAX_BYTES and not can_read_sound(known):
        raise TooLargeError(path.name, f"{size / 1e6:.0f} MB")
    if size <= _MAX_BYTES and _is_played(path, known):
        return {"src": make_data_uri(known.mime, path.read_bytes())}
    return _show_converted_sound(path, known)


def _is_played(path: Path, known: Format) -> bool:
    """Return whether browsers play a file as it is."""
    if known.name == "WAV":
        return _is_plain_wav(path)
    if not known.shown or not can_read_sound(known):
        return known.shown
    sound = read_sound(path, known, 1)
    return sound.rate >= _MIN_RATE and sound.samples.shape[1] <= _MAX_CHANNELS


def _is_plain_wav(path: Path) -> bool:
    """Return whether a WAV file holds integers of 8 or 16 bits in one or two channels."""
    try:
        with wave.open(str(path), "rb") as file:
            is_plain = file.getsampwidth() <= 2 and file.getnchannels() <= _MAX_CHANNELS
            return is_plain and file.getframerate() >= _MIN_RATE and bool(file.readframes(1))
    except Exception:  # of any kind; the decoder, which is tried next, says what is wrong
        return False


def _show_converted_sound(path: Path, known: Format) -> dict[str, Any]:
    """Return the content of a sound as WAV, from its beginning if it is too long."""
    n_max = _MAX_BYTES // 2  # of 16 bits
    samples, rate, n_total = read_sound(path, known, n_max)
    if samples.shape[1] > _MAX_CHANNELS or samples.size > n_max:
        samples = samples.mean(axis=1, keepdims=True)
    factor = math.ceil(_PLAYED_RATE / rate) if rate < _MIN_RATE else 1
    shown = samples[: n_max // factor]
    content = {"src": make_data_uri("audio/wav", _pack_wav(*_raise_rate(shown, rate, factor)))}
    if len(shown) == len(samples) and not len(samples) == n_max < n_total:
        return content
    note = f"the first {len(shown) / rate:,.1f} of {n_total / rate:,.1f} seconds"
    return content | {"reduced": True, "note": note}


def _raise_rate(
    samples: NDArray[np.float32], rate: int, factor: int
) -> tuple[NDArray[np.float32], int]:
    if factor == 1:
        return samples, rate
    from scipy.signal import resample_poly  # late: only few sounds need it

    return resample_poly(samples, factor, 1, axis=0), rate * factor


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
    return _pack_wav(sound.reshape(len(sound), -1), round(float(rate)))


def _pack_wav(sound: NDArray[Any], rate: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
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
