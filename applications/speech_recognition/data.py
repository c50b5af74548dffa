"""Recordings and what is said in them: strings of spoken digits, or your own, as log-mel frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import stft

from skactive.applications import Task
from skactive.datasets import find_bundled, read_pairs, read_sound, read_sound_folder

FSDD_NAMES = r"(?P<label>\d)_(?P<speaker>[a-z]+)_(?P<take>\d+)"  # 7_theo_32.wav
MOST_DIGITS = 4  # of an utterance
LONGEST_PAUSE = 0.1  # seconds between two digits
MOST_WORDS = 100  # different ones; of more words the net learns the letters
N_MELS = 24
FRAME = 0.016  # seconds from one frame to the next

Frames = NDArray[np.float32]


class Digits(NamedTuple):
    """Recordings of one digit each: samples, digits, speakers, numbers of the takes, and rate."""

    sounds: list[Any]
    digits: NDArray[np.str_]
    speakers: NDArray[np.str_]
    takes: NDArray[np.intp]
    rate: int

    def choose(self, mask: NDArray[np.bool_]) -> Digits:
        """Return the recordings that a mask is true for."""
        sounds = [sound for sound, is_in in zip(self.sounds, mask, strict=True) if is_in]
        return Digits(sounds, self.digits[mask], self.speakers[mask], self.takes[mask], self.rate)


class Utterances(NamedTuple):
    """Sounds, what is said in each, its speaker if that is known, and the rate of all."""

    sounds: list[Any]
    texts: list[str]
    speakers: list[str]
    rate: int


# Reading ----------------------------------------------------------------------------------------


def read(folder: Path | None) -> Task:
    """Read utterances to learn from and to test on; a transcript costs the seconds of its sound.

    The folder has ``train.tsv`` and ``test.tsv``, each with a sound file and what is said in it per
    line; or recordings of single digits, ``fsdd.npz`` or sounds named ``7_theo_32.wav``, of which
    utterances are made. None is the bundled slice of FSDD.
    """
    if folder is not None and (folder / "train.tsv").is_file():
        pool, test = (read_table(folder / f"{part}.tsv") for part in ("train", "test"))
        if pool.rate != test.rate:
            raise ValueError(f"train has {pool.rate} Hz, and test {test.rate} Hz: convert one.")
        name = f"recordings of {folder.resolve().name}"
    else:
        digits = read_digits(folder or find_bundled("fsdd"))
        pool, test = make_utterances(digits, n_pool=160 if folder is None else 800)
        name = "strings of digits of FSDD"
    words = {word for text in pool.texts for word in text.split()}
    details: dict[str, Any] = {"letters": True, "n_steps": 600} if len(words) > MOST_WORDS else {}
    if folder is None:
        details = {"n_steps": 80}
    return Task(
        [make_frames(sound, pool.rate) for sound in pool.sounds],
        pool.texts,
        [make_frames(sound, test.rate) for sound in test.sounds],
        test.texts,
        f"{len(pool.texts)} {name}, tested on {len(test.texts)} others",
        costs=[len(sound) / pool.rate for sound in pool.sounds],
        unit="seconds",
        details=details,
    )


def read_table(path: Path) -> Utterances:
    """Read a table of files, relative to its folder, and transcripts, which are lower-cased."""
    pairs = read_pairs(path)
    found = [read_sound(path.parent / file) for file in pairs.sources]
    rates = sorted({rate for _, rate in found})
    if len(rates) > 1:
        raise ValueError(f"The sounds of {path} have several rates: {rates}. Resample them to one.")
    texts = [" ".join(text.lower().split()) for text in pairs.targets]
    return Utterances([sound for sound, _ in found], texts, [""] * len(texts), rates[0])


def read_digits(folder: Path) -> Digits:
    """Read all recordings of FSDD, from one archive or from its files."""
    if (folder / "fsdd.npz").is_file():
        data = np.load(folder / "fsdd.npz")
        sounds = np.split(data["audio"].astype(np.float32) / 2**15, data["offsets"][1:-1])
        speakers = data["speakers"][data["speaker"]].astype(str)
        takes = data["take"].astype(np.intp)
        return Digits(sounds, data["y"].astype(str), speakers, takes, int(data["rate"]))
    if not folder.is_dir():
        raise NotADirectoryError(f"No such folder: {folder}")
    found = read_sound_folder(folder, FSDD_NAMES)
    takes = found.fields["take"].astype(np.intp)
    return Digits(found.sounds, found.labels, found.fields["speaker"], takes, found.rate)


# Utterances -------------------------------------------------------------------------------------


def make_utterances(
    digits: Digits, n_pool: int, random_state: int = 0
) -> tuple[Utterances, Utterances]:
    """Make a pool in which some speakers are rare, and test utterances, in which none is.

    The first takes of each speaker, a tenth and at least two, are for the test: the official test
    takes of FSDD, 0 to 4 of 50. Each is in one utterance. In the pool, the second speaker has half
    as many utterances as the first, the third a third, and a recording may be in several.
    """
    generator = np.random.default_rng(random_state)
    takes = np.unique(digits.takes)
    in_test = np.isin(digits.takes, takes[: max(2, len(takes) // 10)])
    if in_test.all():
        raise ValueError(
            f"The recordings must have three takes or more, two of which are for the test; got "
            f"{len(takes)}."
        )
    first = digits.choose(in_test)
    test = say(first, *plan_once(first, generator), generator)  # the same, whatever the pool is
    names = generator.permutation(np.unique(digits.speakers))
    shares = 1 / np.arange(1, len(names) + 1)
    speakers = generator.choice(names, n_pool, p=shares / shares.sum())
    lengths = generator.integers(1, MOST_DIGITS + 1, n_pool)
    return say(digits.choose(~in_test), speakers, lengths, generator), test


def plan_once(digits: Digits, generator: np.random.Generator) -> tuple[list[str], list[int]]:
    """Return the speakers and lengths of utterances in which each recording is once."""
    speakers, lengths = [], []
    for name, n_left in zip(*np.unique(digits.speakers, return_counts=True), strict=True):
        while n_left:
            lengths.append(int(min(n_left, generator.integers(1, MOST_DIGITS + 1))))
            speakers.append(str(name))
            n_left -= lengths[-1]
    return speakers, lengths


def say(
    digits: Digits, speakers: Sequence[str], lengths: Sequence[int], generator: np.random.Generator
) -> Utterances:
    """Join recordings of each speaker to utterances of these lengths, with short pauses."""
    queues = {name: draw_forever(digits, name, generator) for name in np.unique(digits.speakers)}
    sounds, texts = [], []
    for speaker, length in zip(speakers, lengths, strict=True):
        rows = [next(queues[speaker]) for _ in range(length)]
        pauses = (generator.uniform(0, LONGEST_PAUSE, length) * digits.rate).astype(int)
        parts = [
            np.pad(digits.sounds[row], (0, pause)) for row, pause in zip(rows, pauses, strict=True)
        ]
        sounds.append(np.concatenate(parts))
        texts.append(" ".join(digits.digits[rows]))
    return Utterances(sounds, texts, list(map(str, speakers)), digits.rate)


def draw_forever(digits: Digits, speaker: str, generator: np.random.Generator) -> Iterator[int]:
    """Yield all recordings of a speaker in random order, and again in another order."""
    while True:
        yield from generator.permutation(np.flatnonzero(digits.speakers == speaker)).tolist()


# Frames -----------------------------------------------------------------------------------------


def make_frames(sound: Any, rate: int) -> Frames:
    """Return log-mel energies of a sound, (n_frames, N_MELS), relative to their mean."""
    width, hop = round(0.03 * rate), round(FRAME * rate)
    n_bins = 2 ** int(np.ceil(np.log2(width)))
    padded = np.pad(sound, (0, max(0, width - len(sound))))
    _, _, spectrum = stft(padded, nperseg=width, noverlap=width - hop, nfft=n_bins)
    power = make_mel_filters(rate, n_bins) @ np.abs(spectrum) ** 2  # (N_MELS, n_frames)
    logarithms = np.log(power + 1e-4 * power.max() + 1e-12).T
    return (logarithms - logarithms.mean()).astype(np.float32) / 3


def make_mel_filters(rate: int, n_bins: int) -> NDArray[np.float64]:
    """Return triangles that are equally wide on the mel scale, (N_MELS, n_bins // 2 + 1)."""
    top = 2595 * np.log10(1 + rate / 2 / 700)  # mel of the highest frequency
    corners = 700 * (10 ** (np.linspace(0, top, N_MELS + 2) / 2595) - 1)  # in Hz
    frequencies = np.fft.rfftfreq(n_bins, 1 / rate)
    left, middle, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (
        (frequencies - left) / (middle - left),
        (right - frequencies) / (right - middle),
    )
    return np.maximum(0, np.minimum(rising, falling))
