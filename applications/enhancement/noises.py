"""Noises of several kinds, and their mixture with speech at a given level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Generator = np.random.Generator

MAINS = 50.0  # Hz
N_VOICES = 4  # of the babble
CLICKS_PER_SECOND = 20


def make_white(n: int, rate: int, generator: Generator, voices: Sequence[Any]) -> Floats:
    """Return noise of equal power at all frequencies, such as the hiss of an amplifier, (n,)."""
    return generator.normal(size=n)


def make_pink(n: int, rate: int, generator: Generator, voices: Sequence[Any]) -> Floats:
    """Return noise whose power falls as 1 / frequency, such as wind and traffic, (n,)."""
    spectrum = np.fft.rfft(generator.normal(size=n))
    frequencies = np.fft.rfftfreq(n, 1 / rate)
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(frequencies, 20.0)), n)


def make_babble(n: int, rate: int, generator: Generator, voices: Sequence[Any]) -> Floats:
    """Return some other recordings at once, each repeated from a random place on, (n,)."""
    chosen = generator.choice(len(voices), N_VOICES, replace=False)
    starts = generator.random(N_VOICES)
    total = np.zeros(n)
    for i, start in zip(chosen, starts, strict=True):
        voice = np.asarray(voices[i], dtype=np.float64)
        places = (np.arange(n) + int(start * len(voice))) % len(voice)
        total += voice[places] / np.sqrt(np.mean(voice**2))
    return total


def make_hum(n: int, rate: int, generator: Generator, voices: Sequence[Any]) -> Floats:
    """Return the mains and their harmonics, as badly shielded cables have them, (n,)."""
    orders = np.arange(1, 21)[:, np.newaxis]
    sizes = generator.exponential(size=orders.shape) / np.sqrt(orders)
    phases = generator.uniform(0, 2 * np.pi, orders.shape)
    times = np.arange(n) / rate
    return np.sum(sizes * np.sin(2 * np.pi * MAINS * orders * times + phases), axis=0)


def make_clicks(n: int, rate: int, generator: Generator, voices: Sequence[Any]) -> Floats:
    """Return bursts of a millisecond or two, such as bad contacts and scratches, (n,)."""
    n_clicks = 1 + generator.poisson(CLICKS_PER_SECOND * n / rate)
    impulses = np.zeros(n)
    impulses[generator.integers(n, size=n_clicks)] = generator.normal(size=n_clicks)
    burst = np.exp(-np.arange(8) / 3) * generator.normal(size=8)
    return np.convolve(impulses, burst)[:n]


NOISES = {
    "white": make_white,
    "pink": make_pink,
    "babble": make_babble,
    "hum": make_hum,
    "clicks": make_clicks,
}


def mix(clean: Any, noise: Floats, level: float, n_spoken: int) -> Floats:
    """Add noise to speech, so that speech is `level` decibels louder.

    Parameters
    ----------
    clean, noise : ndarray of shape (n,)
        The two; silence follows on the first `n_spoken` samples of `clean`.
    level : float
        Ratio of their power in decibels; that of the speech is its mean while it lasts.
    n_spoken : int
        Number of samples of speech.

    Returns
    -------
    ndarray of shape (n,)
    """
    speech_power = np.sum(np.square(clean, dtype=np.float64)) / n_spoken
    gain = np.sqrt(speech_power / np.mean(noise**2) / 10 ** (level / 10))
    return clean + gain * noise
