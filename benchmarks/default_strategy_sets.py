r"""Gather the data sets on which the default strategy is compared, and build others by their kind.

    python benchmarks/default_strategy_sets.py --data DATA --folder SETS

writes files ``NAME.npz`` with ``X`` and ``y``. DATA has folders of tables (``sets``,
``multiclass``, ``imbalanced``: files ``NAME.npz``; ``adult``: CSV), texts (``text``: one JSON
object per line), pictures (``mnist``), spoken digits (``fsdd``) and features of photographs
(``crowd``); what is absent is left out. At most 3,000 rows of each set are kept, drawn with a seed.

Built kinds are data on which active learning is known to have a hard time: `KINDS` has a function
for each, which is called with four sets of parameters. Variants 1 and 3 are for choosing a
strategy, 2 and 4 for judging it; other sets are on the side that the hash of their name decides
(:func:`find_fold`).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import json
import zlib
from pathlib import Path

import numpy as np
from scipy.signal import stft
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

MAX_ROWS = 3000
MAX_WORDS = 1500


def find_fold(name):
    """Return "choose" or "judge", by the number of a built variant or else the hash of the name."""
    is_built = find_kind(name) != "found"
    digit = int(name[-1]) if is_built else hashlib.sha256(name.encode()).digest()[0]
    return "choose" if digit % 2 else "judge"


def find_kind(name):
    """Return the kind of a built set, and "found" for all others."""
    kind = name.rpartition("-")[0]
    return kind if kind in KINDS else "found"


def take_rows(name, X, y):
    """Return at most `MAX_ROWS` rows, drawn with a seed made of the name."""
    rng = np.random.RandomState(zlib.crc32(name.encode()))
    rows = np.sort(rng.permutation(len(y))[:MAX_ROWS])
    return X[rows], np.asarray(y)[rows]


# Sets that exist


def iterate_tables(data):
    """Yield the name, rows and classes of each table."""
    for folder in ("sets", "multiclass", "imbalanced"):
        for path in sorted((data / folder).glob("*.npz")):
            with np.load(path, allow_pickle=False) as file:
                yield path.stem, file["X"].astype(float), file["y"]
    yield "digits", *load_digits(return_X_y=True)
    yield "breast_cancer", *load_breast_cancer(return_X_y=True)
    for path in (data / "adult").glob("adult.train.csv.gz"):
        with gzip.open(path, "rt") as file:
            lines = list(csv.reader(file))[1:]
        table, y = take_rows("adult", np.array(lines), np.array([line[-1] for line in lines]))
        yield "adult", encode_columns(table[:, :-1]), y


def encode_columns(table):
    """Return the numbers of a table of strings, and a column of 0 and 1 for each other value."""
    columns = []
    for column in table.T:
        try:
            columns.append(column.astype(float))
        except ValueError:
            columns.extend((column == value).astype(float) for value in np.unique(column))
    return np.column_stack(columns)


def iterate_texts(data):
    """Yield sets of texts as counts or weights of words."""
    weigh = TfidfVectorizer(max_features=MAX_WORDS, min_df=2, sublinear_tf=True)
    hashed = HashingVectorizer(n_features=MAX_WORDS, alternate_sign=False)
    for name, file, field, label, vectorizer in (
        ("rt_polarity", "rt_polarity", "text", "label", weigh),
        ("sst2", "sst2.train", "text", "label", weigh),
        ("ag_news", "ag_news.train5k", "text", "label", weigh),
        ("ag_news_hashed", "ag_news.test", "text", "label", hashed),
        ("trec", "trec.train", "text", "label", weigh),
        ("trec_hashed", "trec.test", "text", "label", hashed),
        ("newsgroups", "20newsgroups.train", "text", "label", weigh),
        ("newsgroups_subjects", "20newsgroups.test", "subject", "label", weigh),
    ):
        for path in (data / "text").glob(f"{file}.jsonl.gz"):
            with gzip.open(path, "rt") as lines:
                items = [json.loads(line) for line in lines]
            y = np.array([str(item[label]) for item in items])
            texts, y = take_rows(name, np.array([item[field] for item in items], dtype=object), y)
            yield name, vectorizer.fit_transform(texts).toarray(), y


def iterate_signals(data):
    """Yield sets of pictures, photographs' features and sounds."""
    for path in (data / "mnist").glob("mnist.npz"):
        with np.load(path, allow_pickle=False) as file:
            X, y = take_rows("mnist", file["X_test"], file["y_test"])
        yield "mnist", X.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(len(X), -1), y
    for path in (data / "crowd").glob("labelme.npz"):
        with np.load(path, allow_pickle=False) as file:
            yield "labelme", file["X_train"].astype(float), file["y_train"]
    for path in (data / "fsdd").glob("fsdd.npz"):
        with np.load(path, allow_pickle=False) as file:
            audio, y = np.split(file["audio"], file["offsets"][1:-1]), file["y"]
        yield "spoken_digits", np.stack([describe_sound(wave) for wave in audio]), y


def describe_sound(wave):
    """Return the logarithm of the energy in 20 bands and 6 parts of the time, shape (120,)."""
    wave = np.pad(wave / max(np.abs(wave).max(), 1), (0, max(0, 1600 - len(wave))))
    power = np.abs(stft(wave, nperseg=256)[2]) ** 2
    bands = [band.mean(axis=0) for band in np.array_split(power[1:], 20)]
    parts = [[part.mean() for part in np.array_split(band, 6)] for band in bands]
    return np.log(np.array(parts).ravel() + 1e-8)


# Sets that are built


def build_noisy_labels(rng, n_classes, n_dims, noise):
    """Return clusters of which a share of the labels is another class by chance."""
    y = rng.randint(n_classes, size=2000)
    X = 2.2 * rng.normal(size=(n_classes, n_dims))[y] + rng.normal(size=(2000, n_dims))
    flipped = rng.uniform(size=2000) < noise
    return X, np.where(flipped, rng.randint(n_classes, size=2000), y)


def build_unequal_classes(rng, n_classes, n_dims, ratio):
    """Return overlapping classes, each `ratio` times the size of the one before."""
    shares = ratio ** np.arange(n_classes)
    y = rng.choice(n_classes, size=2500, p=shares / shares.sum())
    centers = 1.5 * rng.normal(size=(n_classes, n_dims))
    return centers[y] + rng.normal(size=(2500, n_dims)) * rng.uniform(0.6, 1.4, n_dims), y


def build_curved(rng, n_waves, noise, n_rows):
    """Return two dimensions with a boundary that waves, which no linear model can follow."""
    X = rng.uniform(-1, 1, size=(n_rows, 2))
    edge = 0.6 * np.sin(n_waves * np.pi * X[:, 0]) + noise * rng.normal(size=n_rows)
    return X, (X[:, 1] > edge).astype(int)


def build_rings(rng, radius, noise, n_rows):
    """Return a disk within another class, in two dimensions."""
    X = rng.normal(size=(n_rows, 2))
    distance = np.linalg.norm(X, axis=1) + noise * rng.normal(size=n_rows)
    return X, (distance > radius).astype(int)


def build_rare(rng, share, n_dims, n_groups):
    """Return a large class around some small, dense groups of a rare one."""
    n_rows = 2500
    y = (rng.uniform(size=n_rows) < share).astype(int)
    X, group = rng.normal(size=(n_rows, n_dims)), rng.randint(n_groups, size=n_rows)
    centers = 1.7 * rng.normal(size=(n_groups, n_dims))
    return np.where(y[:, None] == 1, centers[group] + 0.4 * X, 1.2 * X), y


def build_noisy_columns(rng, n_informative, n_noisy, n_classes):
    """Return clusters in a few columns, beside many columns of noise."""
    y = rng.randint(n_classes, size=1500)
    centers = 2 * rng.normal(size=(n_classes, n_informative))
    X = np.hstack([centers[y], np.zeros((1500, n_noisy))])
    return X + rng.normal(size=X.shape), y


def build_categories(rng, n_columns, n_levels, n_classes):
    """Return columns of categories of very different frequency, one column of 0 and 1 for each."""
    n_rows, logits, columns = 2000, 0.0, []
    shares = 1.0 / np.arange(1, n_levels + 1)
    for _ in range(n_columns):
        level = rng.choice(n_levels, size=n_rows, p=shares / shares.sum())
        columns.append(np.eye(n_levels)[level])
        logits = logits + 1.5 * rng.normal(size=(n_levels, n_classes))[level]
    y = (logits + rng.gumbel(size=(n_rows, n_classes))).argmax(axis=1)
    return np.hstack(columns), y


def build_tiny(rng, n_rows, n_dims, n_classes):
    """Return so few rows that a budget of 60 labels is most of the pool."""
    y = rng.randint(n_classes, size=n_rows)
    centers = 2 * rng.normal(size=(n_classes, n_dims))
    return centers[y] + 1.3 * rng.normal(size=(n_rows, n_dims)), y


def build_short_texts(rng, n_classes, n_words, length):
    """Return counts of words in short texts; a third of the words belongs to the class."""
    n_rows = 2500
    frequency = 1.0 / (np.arange(n_words) + 5)
    y = rng.randint(n_classes, size=n_rows)
    topics = [rng.dirichlet(0.02 * n_words * frequency / frequency.sum()) for _ in range(n_classes)]
    shares = 0.67 * frequency / frequency.sum() + 0.33 * np.stack(topics)
    counts = [rng.multinomial(1 + rng.poisson(length), shares[label]) for label in y]
    return np.array(counts, dtype=float), y


# For each kind its function, and the parameters of four variants in the order of its arguments.
KINDS = {
    "noisy_labels": (
        build_noisy_labels,
        [(3, 4, 0.2), (2, 6, 0.15), (5, 8, 0.3), (4, 3, 0.25)],
    ),
    "unequal_classes": (
        build_unequal_classes,
        [(10, 4, 1.6), (10, 6, 1.5), (8, 3, 1.8), (10, 3, 1.7)],
    ),
    "curved": (
        build_curved,
        [(1.0, 0.1, 1500), (1.5, 0.2, 1500), (2.0, 0.0, 1000), (1.0, 0.3, 1000)],
    ),
    "rings": (
        build_rings,
        [(1.2, 0.1, 1500), (1.0, 0.2, 1500), (1.5, 0.3, 1000), (1.3, 0.0, 1000)],
    ),
    "rare": (build_rare, [(0.02, 4, 2), (0.03, 5, 3), (0.05, 8, 3), (0.04, 3, 1)]),
    "noisy_columns": (build_noisy_columns, [(4, 40, 3), (5, 60, 4), (3, 100, 2), (6, 120, 5)]),
    "categories": (build_categories, [(6, 8, 2), (8, 10, 3), (5, 20, 3), (10, 12, 2)]),
    "tiny": (build_tiny, [(110, 4, 3), (130, 5, 4), (150, 10, 2), (120, 3, 5)]),
    "short_texts": (
        build_short_texts,
        [(20, 800, 7), (20, 1000, 8), (20, 1200, 12), (15, 600, 6)],
    ),
}


def iterate_built():
    """Yield the sets of each kind."""
    for kind, (build, variants) in KINDS.items():
        for number, parameters in enumerate(variants, 1):
            name = f"{kind}-{number}"
            yield name, *build(np.random.RandomState(zlib.crc32(name.encode())), *parameters)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args(argv)
    options.folder.mkdir(parents=True, exist_ok=True)
    gathered = [iterate_built()]
    if options.data:
        gathered += [
            make(options.data) for make in (iterate_tables, iterate_texts, iterate_signals)
        ]
    for sets in gathered:
        for name, X, y in sets:
            X, y = take_rows(name, X, y)
            np.savez_compressed(options.folder / f"{name}.npz", X=X, y=y)
            print(f"{find_fold(name)}  {name}: {X.shape[0]} x {X.shape[1]}, {len(set(y))} classes")


if __name__ == "__main__":
    main()
