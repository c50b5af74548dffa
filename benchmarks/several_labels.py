r"""Measure queries of single labels against queries of whole rows, at the same number of labels.

    python benchmarks/several_labels.py DIR                  both sets, 20 seeds
    python benchmarks/several_labels.py DIR --sets scenes --seeds 5

DIR holds the files of the two sets:

- `camvid/camvid_128x96.npz`: which of 11 things (sky, tree, car, pedestrian ...) cover at least
  one per cent of a street scene, from means and standard deviations of its colors in 4 x 4 fields;
- `multiclass/optdigits.npz`: which of the seven segments of a display are lit for the digit in an
  image of 8 x 8 pixels.

Labels that fewer than 5 or more than 95 per cent of the rows have are left out. Each seed draws a
pool and test rows. A campaign starts with 20 random rows whose labels are all known. Each round
buys as many labels as 5 rows have: those of 5 rows, or as many single labels of any rows. The
model is a support vector machine for each label, on the rows where it is known. Seeds are paired:
all campaigns have the same pool, test rows and first rows.

Print for each campaign the areas under the curves (means over the rounds) of the share of labels
that are predicted right and of the macro F1, times 100; and the difference to random rows, and of
single labels by margin to the others, each with the 95 % interval of the mean over seeds, and on
how many seeds it is above 0.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import t
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from skactive import ActiveLearner
from skactive.multilabel import MissingLabelsClassifier
from skactive.strategies import (
    CVIRS,
    LCI,
    MMC,
    Aggregate,
    Margin,
    Product,
    Random,
    SeparationMargin,
    Strategy,
)

N_START, ROWS_PER_ROUND, N_ROUNDS = 20, 5, 16
MODEL = MissingLabelsClassifier(make_pipeline(StandardScaler(), SVC(C=10.0)))
# The segments of the digits 0 to 9: top, right (two), bottom, left (two), middle.
SEGMENTS = (
    *("1111110", "0110000", "1101101", "1111001", "0110011"),
    *("1011011", "1011111", "1110000", "1111111", "1111011"),
)
ADAPTIVE = Product([("margin", SeparationMargin()), ("cardinality", LCI())], weights=[0.5, 0.5])
# Name -> strategy, whether it asks for single labels.
CAMPAIGNS: dict[str, tuple[Strategy, bool]] = {
    "rows: Random": (Random(), False),
    "rows: Aggregate(Margin)": (Aggregate(Margin()), False),
    "rows: MMC": (MMC(), False),
    "rows: LCI": (LCI(), False),
    "rows: SeparationMargin x LCI": (ADAPTIVE, False),
    "rows: CVIRS": (CVIRS(), False),
    "labels: Random": (Random(), True),
    "labels: Margin": (Aggregate(Margin()), True),
}


class Split(NamedTuple):
    """Pool and test rows of one seed; Y is (n_rows, n_labels), 0 and 1."""

    X: np.ndarray
    Y: np.ndarray
    X_test: np.ndarray
    Y_test: np.ndarray


# Data -------------------------------------------------------------------------------------------


def load_scenes(folder):
    """Return features, (701, 96), and labels of the street scenes."""
    file = np.load(folder / "camvid" / "camvid_128x96.npz")
    images = np.concatenate([file[f"X_{part}"] for part in ("train", "val", "test")])
    masks = np.concatenate([file[f"y_{part}"] for part in ("train", "val", "test")])
    fields = images.reshape(len(images), 4, 24, 4, 32, 3) / 255.0
    moments = [fields.mean(axis=(2, 4)), fields.std(axis=(2, 4))]
    X = np.concatenate([moment.reshape(len(images), -1) for moment in moments], axis=1)
    Y = np.stack([(masks == thing).mean(axis=(1, 2)) >= 0.01 for thing in range(11)], axis=1)
    return X, Y.astype(int)


def load_digits(folder):
    """Return pixels, (5620, 64), and the lit segments of the digits."""
    file = np.load(folder / "multiclass" / "optdigits.npz")
    lit = np.array([[segment == "1" for segment in digit] for digit in SEGMENTS])
    digits = file["classes"].astype(int)[file["y"]]
    return file["X"].astype(np.float64), lit[digits].astype(int)


def split(X, Y, seed):
    """Draw pool and test rows."""
    shares = Y.mean(axis=0)
    Y = Y[:, (shares >= 0.05) & (shares <= 0.95)]
    order = np.random.RandomState(seed).permutation(len(Y))
    n_pool = min(1000, 6 * len(Y) // 10)
    pool, test = order[:n_pool], order[n_pool : n_pool + 1000]
    return Split(X[pool], Y[pool], X[test], Y[test])


# Campaigns --------------------------------------------------------------------------------------


def play_campaign(strategy, single, rows, seed):
    """Return the share of right labels and macro F1 of each round, shape (n_rounds + 1, 2)."""
    Y = np.full(rows.Y.shape, np.nan)
    first = np.random.RandomState(1000 + seed).permutation(len(Y))[:N_START]
    Y[first] = rows.Y[first]
    learner = ActiveLearner(MODEL, strategy, random_state=seed)
    scores = []
    for _ in range(N_ROUNDS + 1):
        started = ~np.isnan(Y).all(axis=1)
        learner.fit(rows.X[started], Y[started])
        scores.append(score(learner, rows))
        asked = choose(learner, rows.X, Y, single)
        Y[asked] = rows.Y[asked]
    return np.array(scores)


def choose(learner, X, Y, single):
    """Return the labels to ask for, as an index of Y."""
    if single:
        n_labels = ROWS_PER_ROUND * Y.shape[1]
        return learner.query_elements(X, n_labels, known=~np.isnan(Y))
    pool = np.flatnonzero(np.isnan(Y).all(axis=1))
    return pool[learner.query(X[pool], ROWS_PER_ROUND)]


def score(learner, rows):
    """Return the share of right labels and macro F1 on the test rows."""
    predicted = learner.predict(rows.X_test)
    f1 = f1_score(rows.Y_test, predicted, average="macro", zero_division=0.0)
    return (predicted == rows.Y_test).mean(), f1


# Report -----------------------------------------------------------------------------------------


def describe_difference(differences):
    """Return the mean with the half-width of its 95 % interval, and the seeds above 0."""
    n = len(differences)
    half = t.ppf(0.975, n - 1) * differences.std(ddof=1) / np.sqrt(n)
    n_above = int((differences > 0).sum())
    return f"{differences.mean():+.2f} +- {half:.2f} ({n_above}/{n})"


def print_table(areas: dict[str, Any]) -> None:
    """Print areas, (n_seeds, 2) each, and differences to the first campaign."""
    baseline = next(iter(areas.values()))
    print("| campaign | labels right | to random rows | macro F1 | to random rows |")
    print("|---|---|---|---|---|")
    for name, area in areas.items():
        cells = [name]
        for measure in range(2):
            cells.append(f"{area[:, measure].mean():.2f}")
            cells.append(describe_difference(area[:, measure] - baseline[:, measure]))
        print("| " + " | ".join(cells) + " |")
    single = areas["labels: Margin"]
    for name, area in areas.items():
        text = [describe_difference(single[:, measure] - area[:, measure]) for measure in range(2)]
        if name != "labels: Margin":
            print(f"labels: Margin less {name}: {text[0]} | {text[1]}")


def main():
    """Play all campaigns and print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="+", default=["scenes", "digits"])
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    for name in options.sets:
        X, Y = {"scenes": load_scenes, "digits": load_digits}[name](options.folder)
        start = time.perf_counter()
        areas: dict[str, list[Any]] = {campaign: [] for campaign in CAMPAIGNS}
        for seed in range(options.seeds):
            rows = split(X, Y, seed)
            for campaign, (strategy, single) in CAMPAIGNS.items():
                areas[campaign].append(
                    100 * play_campaign(strategy, single, rows, seed).mean(axis=0)
                )
        n_pool, n_labels = rows.Y.shape
        seconds = time.perf_counter() - start
        print(
            f"\n{name}: pool of {n_pool}, {n_labels} labels, {options.seeds} seeds, {seconds:.0f} s"
        )
        print_table({campaign: np.array(values) for campaign, values in areas.items()})


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
