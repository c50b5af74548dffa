"""Pairs of noisy and clean recordings: made from clean ones, or read from two folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from noises import N_VOICES, NOISES, mix
from numpy.typing import NDArray

from skactive.applications import Task
from skactive.datasets import find_bundled, read_sound_folder

FSDD_NAMES = r"(?P<label>\d)_(?P<speaker>[a-z]+)_(?P<take>\d+)"  # 7_theo_32.wav
TEST_SPEAKERS = ("theo", "yweweler")  # nobody who is tested on was heard in training
TEST_SHARE = 0.25  # of pairs that are read
N_TEST = 200  # pairs of FSDD, of each kind of noise equally many
SECONDS = 0.6  # of each digit: cut, or followed by silence
LEVELS = (-5.0, 0.0, 5.0, 10.0)  # of the speech, in decibels over the noise
SHARES = {"white": 0.45, "pink": 0.3, "babble": 0.15, "hum": 0.06, "clicks": 0.04}  # in the pool

Floats32 = NDArray[np.float32]


class Details(NamedTuple):
    """Further facts about the recordings."""

    rate: int
    n_steps: int = 120
    kinds: NDArray[np.str_] | None = None  # of the noise of each row of the pool
    test_kinds: NDArray[np.str_] | None = None


class Pairs(NamedTuple):
    """Noisy and clean recordings, (n_rows, n_samples), and the seconds of speech in each."""

    noisy: Floats32
    clean: Floats32
    seconds: NDArray[np.float64]


def read(folder: Path | None) -> Task:
    """Read or make pairs of recordings to learn from, and others to test on.

    A folder has ``noisy`` and ``clean`` with sounds of the same names (a quarter is for the test),
    or ``train`` and ``test`` with these two in each; or it holds ``fsdd.npz``, or clean digits
    named as those of FSDD (``7_theo_32.wav``), to which noise is added. None is the bundled slice
    of FSDD.
    """
    if folder is not None and ((folder / "noisy").is_dir() or (folder / "train").is_dir()):
        return read_pairs(folder)
    sounds, is_test, rate = read_digits(folder or find_bundled("fsdd"))
    details = Details(rate) if folder else Details(rate, n_steps=90)
    return make_task(sounds, is_test, details, folder.resolve().name if folder else "FSDD")


def make_task(sounds: list[Any], is_test: NDArray[np.bool_], details: Details, name: str) -> Task:
    """Add noise to clean recordings: in the test each kind is heard equally often."""
    generator = np.random.default_rng(0)
    pool, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
    if min(len(pool), len(test)) <= N_VOICES:
        raise ValueError(
            f"{name} has {len(test)} recordings of {' and '.join(TEST_SPEAKERS)}, who are tested "
            f"on, and {len(pool)} of others; babble takes more than {N_VOICES} of each."
        )
    test = generator.permutation(test)[:N_TEST]
    kinds = generator.choice(list(SHARES), len(pool), p=list(SHARES.values()))
    test_kinds = np.resize(list(SHARES), len(test))
    parts = [
        add_noise([sounds[i] for i in rows], row_kinds, details.rate, generator)
        for rows, row_kinds in ((pool, kinds), (test, test_kinds))
    ]
    details = details._replace(kinds=kinds, test_kinds=test_kinds)
    source = f"{name}, {len(pool) + len(test)} spoken digits with {len(SHARES)} kinds of noise"
    return join(*parts, source, details)


def add_noise(
    sounds: list[Any], kinds: NDArray[np.str_], rate: int, generator: np.random.Generator
) -> Pairs:
    """Cut recordings to one length, and add noise of the kinds given, at random levels."""
    n_samples = round(SECONDS * rate)
    clean, lengths = stack(sounds, n_samples)
    levels = generator.choice(LEVELS, len(sounds))
    noisy = np.empty_like(clean)
    for i, kind in enumerate(kinds):
        others = [*sounds[:i], *sounds[i + 1 :]]
        noise = NOISES[kind](n_samples, rate, generator, others)
        noisy[i] = mix(clean[i], noise, levels[i], lengths[i])
    return Pairs(noisy, clean, lengths / rate)


def join(pool: Pairs, test: Pairs, source: str, details: Details) -> Task:
    """Return the task of pairs whose clean recording is paid for, by the second."""
    X, y = equalize(pool)
    X_test, y_test = equalize(test)
    costs, unit = pool.seconds, "seconds"
    return Task(X, y, X_test, y_test, source, costs=costs, unit=unit, details=details)


def equalize(pairs: Pairs) -> tuple[Floats32, Floats32]:
    """Scale each pair so that the mean power of the noisy recording is 1."""
    loudness = np.sqrt(np.mean(pairs.noisy**2, axis=1, keepdims=True))  # (n_rows, 1)
    if not (loudness > 0).all() or not pairs.clean.any(axis=1).all():
        raise ValueError("Some recordings are silent throughout: leave them out.")
    return pairs.noisy / loudness, pairs.clean / loudness


def stack(sounds: list[Any], n_samples: int) -> tuple[Floats32, NDArray[np.intp]]:
    """Cut sounds, or add silence, to (n_sounds, n_samples); return also what is left of each."""
    rows, lengths = np.zeros((len(sounds), n_samples), dtype=np.float32), []
    for row, sound in zip(rows, sounds, strict=True):
        lengths.append(min(len(sound), n_samples))
        row[: lengths[-1]] = sound[:n_samples]
    return rows, np.array(lengths)


# Files ------------------------------------------------------------------------------------------


def read_digits(folder: Path) -> tuple[list[Any], NDArray[np.bool_], int]:
    """Read clean digits, and whether each is of a speaker of the test; and their rate."""
    if (folder / "fsdd.npz").is_file():
        data = np.load(folder / "fsdd.npz")
        sounds = np.split(data["audio"].astype(np.float32) / 2**15, data["offsets"][1:-1])
        speakers, rate = data["speakers"][data["speaker"]], int(data["rate"])
        return sounds, np.isin(speakers, TEST_SPEAKERS), rate
    named = read_sound_folder(folder, FSDD_NAMES)
    return named.sounds, np.isin(named.fields["speaker"], TEST_SPEAKERS), named.rate


def read_pairs(folder: Path) -> Task:
    """Read pairs of one's own, cut or silent behind to the length of the longest."""
    has_parts = (folder / "train").is_dir()
    names = ("train", "test") if has_parts else (".",)
    found = [read_pair_folders(folder / name) for name in names]
    rates = sorted({rate for _, _, rate in found})
    if len(rates) > 1:
        raise ValueError(f"The sounds in {folder} have several rates, {rates}: convert some.")
    n_samples = max(len(sound) for noisy, _, _ in found for sound in noisy)
    parts = [stack_pairs(noisy, clean, n_samples, rates[0]) for noisy, clean, _ in found]
    if not has_parts:
        is_test = np.random.default_rng(0).random(len(parts[0].noisy)) < TEST_SHARE
        parts = [Pairs(*(array[rows] for array in parts[0])) for rows in (~is_test, is_test)]
    n_pairs = sum(len(part.noisy) for part in parts)
    source = f"{folder.resolve().name}, {n_pairs} pairs of recordings"
    return join(*parts, source, Details(rates[0]))


def read_pair_folders(folder: Path) -> tuple[list[Any], list[Any], int]:
    """Read the sounds of ``noisy`` and ``clean``, in the same order, and their rate."""
    noisy, clean = (
        read_sound_folder(folder / name, r"(?P<label>.+)") for name in ("noisy", "clean")
    )
    alone = sorted(set(noisy.labels) ^ set(clean.labels))
    if alone:
        raise ValueError(
            f"{len(alone)} sounds of {folder} are in only one of noisy and clean: {alone[:3]}."
        )
    if noisy.rate != clean.rate:
        raise ValueError(
            f"noisy has {noisy.rate} Hz and clean {clean.rate} Hz in {folder}: convert one."
        )
    for name, one, other in zip(noisy.names, noisy.sounds, clean.sounds, strict=True):
        if len(one) != len(other):
            raise ValueError(
                f"{name} has {len(one)} noisy and {len(other)} clean samples in {folder}: both "
                "must be the same recording, sample by sample."
            )
    return noisy.sounds, clean.sounds, noisy.rate


def stack_pairs(noisy: list[Any], clean: list[Any], n_samples: int, rate: int) -> Pairs:
    """Bring pairs to one length; a second of them costs as much whether noisy or clean."""
    rows, lengths = stack(noisy, n_samples)
    return Pairs(rows, stack(clean, n_samples)[0], lengths / rate)
