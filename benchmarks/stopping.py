r"""Measure stopping by stabilizing predictions: labels used and accuracy lost.

    python benchmarks/stopping.py                                   digits only
    python benchmarks/stopping.py --texts DIR --names trec.train ag_news.train5k

Text sets are files DIR/NAME.jsonl.gz with one JSON object with `text` and `label` per line. Each
seed draws a pool (three quarters of the digits, 2,000 texts); the other rows are the test set. The
models are logistic regression on standardized columns or on TF-IDF. A campaign starts with 20
random labels and runs to `--budget`, or until two criteria have stopped: the published one (kappa
0.99 over 3 comparisons of successive rounds), and the same with `growth=0.1`, which compares models
between which the number of labels grew by a tenth. So both are measured on the same campaigns.

Print a table with one line per set, strategy, batch size and criterion: the number of seeds on
which it stopped within the budget, and the means over these (smallest and largest in brackets) of
the labels at the stop, the accuracy there, the accuracy with the labels of the whole pool, the
points lost, and the accuracy of Random with the same number of labels and the same initial labels.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skactive import ActiveLearner, SimulatedLearner
from skactive.exceptions import SkactiveWarning
from skactive.stopping import StabilizingPredictions
from skactive.strategies import Auto, Margin, Random

N_START = 20
POOL = 2000  # rows of a text set; why: Auto compares all pairs of them
CRITERIA = {
    "as published": StabilizingPredictions(0.99, window=3),
    "growth=0.1": StabilizingPredictions(0.99, window=3, growth=0.1),
}
STRATEGIES = {"Auto": Auto(), "Margin": Margin()}


class Data(NamedTuple):
    """Rows and labels of a set, the model for them, and the size of the pool."""

    X: Any
    y: np.ndarray
    model: Any
    n_pool: int


class Split(NamedTuple):
    """Pool and test rows of one seed."""

    X: Any
    y: np.ndarray
    X_test: Any
    y_test: np.ndarray


class Stop(NamedTuple):
    """The stop of one criterion in one campaign, and the accuracies to compare."""

    n_labels: int
    accuracy: float
    full_accuracy: float  # with the labels of the whole pool
    random_accuracy: float  # of Random with `n_labels` labels


# Data -------------------------------------------------------------------------------------------


def load_digits_set():
    """Return the digits of scikit-learn."""
    X, y = load_digits(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return Data(X, y, model, 3 * len(y) // 4)


def load_texts(path):
    """Return a set of texts."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    X = np.array([row["text"] for row in rows], dtype=object)
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(max_iter=1000))
    return Data(X, np.array([row["label"] for row in rows]), model, min(POOL, 3 * len(X) // 4))


def split(data, seed):
    """Draw the pool of a seed; the other rows are the test set."""
    order = np.random.RandomState(seed).permutation(len(data.y))
    pool, test = np.sort(order[: data.n_pool]), np.sort(order[data.n_pool :])
    return Split(data.X[pool], data.y[pool], data.X[test], data.y[test])


# Campaigns --------------------------------------------------------------------------------------


def play_campaign(model, strategy, rows, seed, **settings):
    """Return a simulation; campaigns of the same seed have the same initial labels."""
    learner = ActiveLearner(model, strategy)
    simulation = SimulatedLearner(learner, n_initial=N_START, random_state=seed, **settings)
    return simulation.fit(rows.X, rows.y)


def measure_accuracy(model, rows, labeled):
    """Return the test accuracy of the model fitted on the labeled rows of the pool."""
    labeled = np.sort(labeled)
    return clone(model).fit(rows.X[labeled], rows.y[labeled]).score(rows.X_test, rows.y_test)


def find_stops(model, strategy, rows, seed, budget, batch_size):
    """Return the stop of each criterion, or None if it did not stop within the budget."""
    both = CRITERIA["as published"] & CRITERIA["growth=0.1"]
    settings = {"budget": budget, "batch_size": batch_size, "stopping": both}
    simulation = play_campaign(model, strategy, rows, seed, **settings)
    scores = dict(
        zip(
            simulation.n_labels_.tolist(),
            simulation.staged_score(rows.X_test, rows.y_test),
            strict=True,
        )
    )
    full_accuracy = measure_accuracy(model, rows, np.arange(len(rows.y)))
    # Why one batch: random rows do not depend on the model, so their order is enough.
    n_labels = int(simulation.n_labels_[-1])
    random_rows = play_campaign(
        model, Random(), rows, seed, budget=n_labels, batch_size=n_labels
    ).queried_
    return [
        None
        if monitor.stopped_at is None
        else Stop(
            monitor.stopped_at,
            scores[monitor.stopped_at],
            full_accuracy,
            measure_accuracy(model, rows, random_rows[: monitor.stopped_at]),
        )
        for monitor in simulation.stopping_.leaves()
    ]


# The table --------------------------------------------------------------------------------------


def format_line(name, strategy, batch_size, criterion, stops):
    """Return the line of one criterion; `stops` has one entry per seed."""
    actual_stops = [stop for stop in stops if stop is not None]
    cells = [name, strategy, batch_size, criterion, f"{len(actual_stops)} of {len(stops)}"]
    if not actual_stops:
        return "| " + " | ".join(map(str, [*cells, *["-"] * 5])) + " |"
    n_labels, accuracy, full_accuracy, random_accuracy = (
        np.array(values) for values in zip(*actual_stops, strict=True)
    )
    points_lost = 100 * (full_accuracy - accuracy)
    cells += [
        f"{n_labels.mean():.0f} ({n_labels.min()}-{n_labels.max()})",
        f"{accuracy.mean():.3f}",
        f"{full_accuracy.mean():.3f}",
        f"{points_lost.mean():.1f} ({_format_range(points_lost)})",
        f"{random_accuracy.mean():.3f}",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def _format_range(values):
    return f"{values.min():.1f} to {values.max():.1f}"


def add_relative_size(batch_sizes, n_pool):
    """Return the batch sizes and one percent of the pool, sorted."""
    return sorted({*batch_sizes, n_pool // 100})


def report(name, data, options):
    """Play the campaigns of one set and print its lines."""
    budget = min(options.budget, data.n_pool)
    splits = {seed: split(data, seed) for seed in range(options.seeds)}
    for strategy, batch_size in [
        (strategy, size)
        for strategy in options.strategies
        for size in add_relative_size(options.batch_sizes, data.n_pool)
    ]:
        by_seed = [
            find_stops(data.model, STRATEGIES[strategy], rows, seed, budget, batch_size)
            for seed, rows in splits.items()
        ]
        for criterion, stops in zip(CRITERIA, zip(*by_seed, strict=True), strict=True):
            print(format_line(name, strategy, batch_size, criterion, stops), flush=True)


def main(arguments=None):
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=Path, help="folder of NAME.jsonl.gz")
    parser.add_argument("--names", nargs="*", default=["trec.train", "ag_news.train5k"])
    parser.add_argument("--strategies", nargs="*", default=list(STRATEGIES), choices=STRATEGIES)
    parser.add_argument("--batch-sizes", nargs="*", type=int, default=[10, 20])
    parser.add_argument("--budget", type=int, default=1200)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    sets = {"digits": load_digits_set()}
    if options.texts:
        sets |= {name: load_texts(options.texts / f"{name}.jsonl.gz") for name in options.names}
    began = time.process_time()
    print(
        "| set | strategy | batch | criterion | stopped | labels | accuracy | with all labels "
        "| points lost | Random with as many labels |"
    )
    print("|" + "---|" * 10)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", SkactiveWarning)
        for name, data in sets.items():
            report(name, data, options)
    for name, data in sets.items():
        print(f"{name}: a pool of {data.n_pool} rows, {len(data.y) - data.n_pool} test rows")
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
