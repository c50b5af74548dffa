"""Sounds, and their labels from folders or names."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive.datasets._class_folders import find_labeled_files

__all__ = ["LabeledSounds", "read_sound", "read_sound_folder"]

_SUFFIXES = {".aif", ".aiff", ".au", ".caf", ".flac", ".mp3", ".ogg", ".wav"}
_UNKNOWN = 0x7FFF0000  # sizes of data that were not known when the header was written


class LabeledSounds(NamedTuple):
    """Sounds, and what is known of each.

    Attributes
    ----------
    sounds : list of ndarray of shape (n_samples,)
        Samples from -1 to 1, single precision.
    labels : ndarray of str, shape (n_sounds,)
        The class of each.
    fields : dict of str to ndarray of str
        What else the names say, by the name of the group.
    rate : int
        Samples per second.
    names : list of str
        The files, relative to the folder.
    """

    sounds: list[NDArray[np.float32]]
    labels: NDArray[np.str_]
    fields: dict[str, NDArray[np.str_]]
    rate: int
    names: list[str]


def read_sound(path: str | Path) -> tuple[NDArray[np.float32], int]:
    """Read a sound file as one channel.

    Parameters
    ----------
    path : str or Path
        A WAV file; with soundfile installed (the extra ``audio``) also FLAC, MP3, Ogg and others.

    Returns
    -------
    samples : ndarray of shape (n_samples,)
        From -1 to 1, single precision; the mean of several channels.
    rate : int
        Samples per second.

    Raises
    ------
    ValueError
        If the file is damaged, empty, or of a kind that cannot be read.
    FileNotFoundError
        If there is none.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"No such file: {file}")
    try:
        _check_end(file)
        samples, rate = _decode(file)
    except Exception as error:  # decoders of damaged files raise errors of any kind
        raise ValueError(f"{file} cannot be read as a sound: {error}") from error
    if not samples.size or not np.isfinite(samples).all():
        raise ValueError(f"{file} holds no sound: it is empty, or damaged.")
    return samples.reshape(len(samples), -1).mean(axis=1).astype(np.float32), rate


def read_sound_folder(folder: str | Path, pattern: str | None = None) -> LabeledSounds:
    r"""Read the sounds of a folder with their labels.

    Parameters
    ----------
    folder : str or Path
        A folder with one folder per class (``dog/1.wav``); or, with a pattern, any folder.
    pattern : str, default=None
        A regular expression for names without suffix, with a group ``label`` and any others:
        ``r"(?P<label>\d)_(?P<speaker>\w+)_(?P<take>\d+)"`` reads ``7_ann_3.wav``.

    Returns
    -------
    LabeledSounds
        Sorted by the names of folders and files.

    Raises
    ------
    NotADirectoryError
        If there is no such folder.
    ValueError
        If it has no sounds, one cannot be read, rates differ, or a name does not match.

    Examples
    --------
    >>> from skactive.datasets import find_bundled, read_sound_folder
    >>> pattern = r"(?P<label>\d)_(?P<speaker>\w+)_(?P<take>\d+)"
    >>> digits = read_sound_folder(find_bundled("fsdd"), pattern)
    >>> len(digits.sounds), digits.rate, sorted(set(digits.labels))[:3]
    (420, 8000, [np.str_('0'), np.str_('1'), np.str_('2')])
    """
    files = find_labeled_files(folder, _SUFFIXES, "sounds", pattern)
    sounds: list[NDArray[np.float32]] = []
    rates: dict[int, Path] = {}
    for path, _ in files:
        samples, rate = read_sound(path)
        sounds.append(samples)
        rates.setdefault(rate, path)
    if len(rates) > 1:
        found = ", ".join(f"{rate} Hz ({path.name})" for rate, path in sorted(rates.items()))
        raise ValueError(f"The sounds have several rates: {found}. Resample them to one.")
    columns = {name: np.array([said[name] for _, said in files]) for name in files[0][1]}
    labels = columns.pop("label")
    names = [path.relative_to(folder).as_posix() for path, _ in files]
    return LabeledSounds(sounds, labels, columns, next(iter(rates)), names)


def _check_end(path: Path) -> None:
    """Raise if a WAV file ends before its samples do, which decoders pass over."""
    with path.open("rb") as file:
        if file.read(12)[8:] != b"WAVE":
            return
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            n_left = path.stat().st_size - file.tell()
            if name == b"data" and n_left < size < _UNKNOWN:
                raise ValueError(f"it ends after {n_left} of {size} bytes of samples")
            file.seek(size + size % 2, 1)


def _decode(path: Path) -> tuple[NDArray[Any], int]:
    """Return samples from -1 to 1, (n_samples,) or (n_samples, n_channels), and the rate."""
    try:
        import soundfile  # late: an extra
    except (ImportError, OSError):
        return _decode_wav(path)
    return soundfile.read(path, dtype="float32")


def _decode_wav(path: Path) -> tuple[NDArray[Any], int]:
    from scipy.io import wavfile  # late: only sounds need it

    if path.suffix.lower() != ".wav":
        raise ValueError('only WAV is read without soundfile: pip install "skactive[audio]"')
    rate, samples = wavfile.read(path)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128, rate
    if samples.dtype.kind == "i":
        return samples / np.float32(2.0 ** (8 * samples.dtype.itemsize - 1)), rate
    return samples, rate
