"""Short sounds of one class each, read and made log-mel spectrograms."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import stft

from skactive.applications import Task
from skactive.datasets import find_bundled, read_sound_folder

FSDD_NAMES = r"(?P<label>\d)_(?P<speaker>[a-z]+)_(?P<take>\d+)"  # 7_theo_32.wav
TEST_SPEAKERS = ("theo", "yweweler")  # nobody who is tested on was heard in training
TEST_SHARE = 0.25  # of the sounds, where neither speakers nor folders divide them
N_MELS, N_FRAMES = 32, 32


class Sounds(NamedTuple):
    """Sounds, the class of each, their rate, and whether each is for testing."""

    sounds: list[Any]
    labels: NDArray[Any]
    rate: int
    is_test: NDArray[np.bool_]


def read_sounds(folder: Path | None) -> Task:
    """Read sounds and their classes, as spectrograms.

    The folder holds ``fsdd.npz``, or sounds named as those of FSDD (``7_theo_32.wav``), or a folder
    of sounds per class, perhaps below ``train`` and ``test``. None is the bundled slice of FSDD.
    """
    found = find_sounds(folder or find_bundled("fsdd"))
    classes, y = np.unique(found.labels, return_inverse=True)
    test, pool = np.flatnonzero(found.is_test), np.flatnonzero(~found.is_test)
    unheard = np.setdiff1d(y[test], y[pool])
    if len(unheard):
        raise ValueError(
            f"The sounds for testing have classes that no other has: {list(classes[unheard])}."
        )
    X = make_spectrograms(found.sounds, found.rate)
    name = folder.resolve().name if folder else "FSDD"
    source = f"{name}, {len(X)} sounds of {len(classes)} classes"
    return Task(
        X[pool], y[pool], X[test], y[test], source, unit="recordings", details=classes.tolist()
    )


def find_sounds(folder: Path) -> Sounds:
    """Read sounds in the form that a folder has them in."""
    if (folder / "fsdd.npz").is_file():
        return read_archive(folder / "fsdd.npz")
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        return read_parts(folder)
    if folder.is_dir() and any(path.suffix.lower() == ".wav" for path in folder.iterdir()):
        named = read_sound_folder(folder, FSDD_NAMES)
        is_test = np.isin(named.fields["speaker"], TEST_SPEAKERS)
        return Sounds(named.sounds, named.labels, named.rate, is_test)
    found = read_sound_folder(folder)
    is_test = np.random.default_rng(0).random(len(found.labels)) < TEST_SHARE
    return Sounds(found.sounds, found.labels, found.rate, is_test)


def read_archive(path: Path) -> Sounds:
    """Read all of FSDD from one file."""
    data = np.load(path)
    sounds = np.split(data["audio"].astype(np.float32) / 2**15, data["offsets"][1:-1])
    is_test = np.isin(data["speakers"][data["speaker"]], TEST_SPEAKERS)
    return Sounds(sounds, data["y"].astype(str), int(data["rate"]), is_test)


def read_parts(folder: Path) -> Sounds:
    """Read the folders ``train`` and ``test``, each with a folder per class."""
    train, test = (read_sound_folder(folder / part) for part in ("train", "test"))
    if train.rate != test.rate:
        raise ValueError(f"train has {train.rate} Hz, and test {test.rate} Hz: convert one.")
    is_test = np.repeat([False, True], [len(train.labels), len(test.labels)])
    labels = np.concatenate([train.labels, test.labels])
    return Sounds(train.sounds + test.sounds, labels, train.rate, is_test)


# Spectrograms -----------------------------------------------------------------------------------


def make_spectrograms(sounds: list[Any], rate: int) -> NDArray[np.float32]:
    """Return log-mel spectrograms of one size, (n_sounds, 1, N_MELS, N_FRAMES)."""
    width = 2 * round(0.016 * rate)  # 32 ms
    filters = make_mel_filters(rate, width)
    return np.stack([make_spectrogram(sound, width, filters) for sound in sounds])[:, np.newaxis]


def make_spectrogram(sound: Any, width: int, filters: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the log-mel spectrogram of a sound, (N_MELS, N_FRAMES), relative to its mean.

    It is stretched to N_FRAMES, since people speak slowly or quickly; loudness does not matter.
    """
    padded = np.pad(sound, (0, max(0, width - len(sound))))
    _, _, spectrum = stft(padded, nperseg=width, noverlap=width - width // 4)
    power = filters @ np.abs(spectrum) ** 2  # (N_MELS, n)
    logarithms = np.log(power + 1e-5 * power.max() + 1e-12)
    frames = np.linspace(0, power.shape[1] - 1, N_FRAMES)
    stretched = [np.interp(frames, np.arange(power.shape[1]), row) for row in logarithms]
    return (np.array(stretched, dtype=np.float32) - np.float32(logarithms.mean())) / 3


def make_mel_filters(rate: int, width: int) -> NDArray[np.float64]:
    """Return triangles that are equally wide on the mel scale, (N_MELS, width // 2 + 1)."""
    top = 2595 * np.log10(1 + rate / 2 / 700)  # mel of the highest frequency
    corners = 700 * (10 ** (np.linspace(0, top, N_MELS + 2) / 2595) - 1)  # in Hz
    frequencies = np.fft.rfftfreq(width, 1 / rate)
    left, middle, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (
        (frequencies - left) / (middle - left),
        (right - frequencies) / (right - middle),
    )
    return np.maximum(0, np.minimum(rising, falling))
