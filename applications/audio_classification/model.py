"""Short sounds of one kind each: data, log-mel spectrograms, and a small convolutional net."""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.signal import stft
from skorch import NeuralNetClassifier
from torch import nn

from skactive import ActiveLearner
from skactive.applications import Task
from skactive.datasets import find_bundled, read_sound_folder

NAMES = r"(?P<label>\d)_(?P<speaker>\w+)_(?P<take>\d+)"  # of the spoken digits
TEST_SPEAKERS = ("lucas", "yweweler")  # nobody is heard in both parts
N_MELS, N_FRAMES, N_FFT = 32, 40, 512


def read_sounds(folder: Path | None) -> Task:
    """Read sounds and their classes, as spectrograms.

    A folder has ``train`` and ``test``, each with a folder of sounds per class, or a file
    ``fsdd.npz``. Without one, these are 420 spoken digits, of which two speakers are for testing.
    """
    if folder is not None and (folder / "fsdd.npz").is_file():
        return read_digits(*read_archive(folder / "fsdd.npz"), "spoken digits (FSDD)")
    if folder is None:
        found = read_sound_folder(find_bundled("fsdd"), NAMES)
        source = "420 spoken digits (FSDD)"
        return read_digits(found.sounds, found.labels, found.fields["speaker"], found.rate, source)
    train, test = (read_sound_folder(folder / part) for part in ("train", "test"))
    if train.rate != test.rate:
        raise ValueError(f"Training sounds have {train.rate} Hz, test sounds {test.rate}.")
    classes, y = np.unique(train.labels, return_inverse=True)
    strange = set(test.labels) - set(classes)
    if strange:
        raise ValueError(f"{folder / 'test'} has classes that train lacks: {sorted(strange)}.")
    X, X_test = (make_spectrograms(part.sounds, part.rate) for part in (train, test))
    y_test = np.searchsorted(classes, test.labels)
    source = f"{folder.name}, {len(classes)} classes"
    return Task(X, y, X_test, y_test, source, unit="recordings", details=classes)


def read_archive(path: Path) -> tuple[list[Any], Any, Any, int]:
    """Return sounds, digits, speakers and the rate of the whole set."""
    data = np.load(path)
    ends, audio = data["offsets"], data["audio"] / np.float32(32768)
    sounds = [audio[begin:end] for begin, end in pairwise(ends)]
    return sounds, data["y"].astype(str), data["speakers"][data["speaker"]], int(data["rate"])


def read_digits(sounds: list[Any], labels: Any, speakers: Any, rate: int, source: str) -> Task:
    """Split spoken digits by speaker."""
    X, y = make_spectrograms(sounds, rate), np.asarray(labels).astype(np.int64)
    is_test = np.isin(speakers, TEST_SPEAKERS)
    parts = X[~is_test], y[~is_test], X[is_test], y[is_test]
    return Task(*parts, source, unit="recordings", details=np.arange(10))


# Spectrograms -----------------------------------------------------------------------------------


def make_spectrograms(sounds: list[Any], rate: int) -> Any:
    """Return log-mel spectrograms, (n_sounds, 1, N_MELS, N_FRAMES).

    Frames of 25 ms, every 12.5 ms, are stretched to N_FRAMES, so that fast and slow sounds are
    alike. Each frequency has mean 0 over time, which takes away voice and microphone.
    """
    filters = make_mel_filters(rate)
    return np.stack([make_spectrogram(sound, rate, filters) for sound in sounds])


def make_spectrogram(sound: Any, rate: int, filters: Any) -> Any:
    """Return the log-mel spectrogram of one sound, (1, N_MELS, N_FRAMES)."""
    size = int(0.025 * rate)
    _, _, spectrum = stft(sound, nperseg=size, noverlap=size // 2, nfft=N_FFT)
    power = np.abs(spectrum) ** 2
    mels = np.log(filters @ power + 1e-6 * power.max() + 1e-12)
    mels -= mels.mean(axis=1, keepdims=True)
    mels /= mels.std() + 1e-6
    times = np.linspace(0, mels.shape[1] - 1, N_FRAMES)
    frames = [np.interp(times, np.arange(mels.shape[1]), row) for row in mels]
    return np.array(frames, dtype=np.float32)[None]


def make_mel_filters(rate: int) -> Any:
    """Return triangles evenly spaced on the mel scale, (N_MELS, N_FFT / 2 + 1)."""
    top = 2595 * np.log10(1 + rate / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, N_MELS + 2) / 2595) - 1)  # in Hz
    frequencies = np.linspace(0, rate / 2, N_FFT // 2 + 1)
    left, middle, right = (corners[i : i + N_MELS, None] for i in range(3))
    rising, falling = (
        (frequencies - left) / (middle - left),
        (right - frequencies) / (right - middle),
    )
    return np.maximum(0, np.minimum(rising, falling))


# The model --------------------------------------------------------------------------------------


class SoundNet(nn.Module):
    """Two convolutions and two dense layers, with dropout."""

    def __init__(self, n_classes: int, width: int = 16) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d((4, 5)),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(40 * width, 64),
            nn.ReLU(),
            nn.Dropout(0.5),
        )
        self.last = nn.Linear(64, n_classes)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the logits, (n_rows, n_classes)."""
        return self.last(self.features(X))


class NetOfSteps(NeuralNetClassifier):
    """A net that takes a number of steps, whatever the number of rows."""

    def __init__(self, *args: Any, n_steps: int = 300, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.n_steps = n_steps

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **params: Any) -> Any:
        """Train for as many epochs as the steps take."""
        epochs = ceil(self.n_steps / ceil(len(X) / self.batch_size))
        return super().fit_loop(X, y, epochs=epochs, **params)


def make_model(task: Task) -> ActiveLearner:
    """Make a learner with the net for the sounds of a task, with all classes declared."""
    n_classes = len(task.details)
    net = NetOfSteps(
        SoundNet,
        module__n_classes=n_classes,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=2e-3,
        n_steps=240,
        batch_size=32,
        iterator_train__shuffle=True,
        iterator_valid__batch_size=512,
        train_split=None,
        verbose=0,
    )
    return ActiveLearner(net, classes=np.arange(n_classes))
