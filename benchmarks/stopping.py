r"""Stopping by stabilizing predictions: labels used and accuracy lost.

    python benchmarks/stopping.py                                   digits alone
    python benchmarks/stopping.py --texts DIR --names trec.train ag_news.train5k

Text sets are files DIR/NAME.jsonl.gz, a JSON object with `text` and `label` a line. Each seed draws
a pool (of digits three quarters of the rows, of texts 2,000) and takes the other rows for the test.
Models: logistic regression on standardized columns, or on TF-IDF. A campaign starts with 20 random
labels and goes on to `--budget`, or until two criteria have said stop: the published one (kappa
0.99 over 3 comparisons of successive rounds), and the same with `growth=0.1`, which compares models
between which the labels grew by a tenth. So both are read off the same campaigns.

Prints a table with a line for each set, strategy, batch size and criterion: on how many seeds it
stopped within the budget, and in the mean over these (smallest and largest in brackets) the labels
at the stop, the accuracy there, the accuracy with the labels of the whole pool, the points lost,
and the accuracy that Random has with as many labels from the same start.
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
POOL = 2000  # rows of a text set: Auto looks at all of them against all of them
CRITERIA = {
    "as published": StabilizingPredictions(0.99, window=3),
    "growth=0.1": StabilizingPredictions(0.99, window=3, growth=0.1),
}
STRATEGIES = {"Auto": Auto(), "Margin": Margin()}


class Data(NamedTuple):
    """Rows with their labels, the model for them, and how many are the pool."""

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
    """Where one criterion stopped one campaign, and what that was worth."""

    n_labels: int
    accuracy: float
    all_labels: float
    random: float


# Data -------------------------------------------------------------------------------------------


def digits():
    """Return the digits of scikit-learn."""
    X, y = load_digits(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return Data(X, y, model, 3 * len(y) // 4)


def texts(path):
    """Return a set of texts."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    X = np.array([row["text"] for row in rows], dtype=object)
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(max_iter=1000))
    return Data(X, np.array([row["label"] for row in rows]), model, min(POOL, 3 * len(X) // 4))


def split(data, seed):
    """Draw the pool of a seed; the other rows are for the test."""
    order = np.random.RandomState(seed).permutation(len(data.y))
    pool, test = np.sort(order[: data.n_pool]), np.sort(order[data.n_pool :])
    return Split(data.X[pool], data.y[pool], data.X[test], data.y[test])


# Campaigns --------------------------------------------------------------------------------------


def campaign(model, strategy, rows, seed, **settings):
    """Play one campaign; the same seed has the same start."""
    learner = ActiveLearner(model, strategy)
    simulation = SimulatedLearner(learner, n_initial=N_START, random_state=seed, **settings)
    return simulation.fit(rows.X, rows.y)


def accuracy(model, rows, known):
    """Score the model fitted on some rows of the pool."""
    known = np.sort(known)
    return clone(model).fit(rows.X[known], rows.y[known]).score(rows.X_test, rows.y_test)


def stops(model, strategy, rows, seed, budget, batch_size):
    """Return where each criterion stopped, None where it did not within the budget."""
    both = CRITERIA["as published"] & CRITERIA["growth=0.1"]
    settings = {"budget": budget, "batch_size": batch_size, "stopping": both}
    played = campaign(model, strategy, rows, seed, **settings)
    scores = dict(
        zip(
            played.n_labels_.tolist(),
            played.staged_score(rows.X_test, rows.y_test),
            strict=True,
        )
    )
    everything = accuracy(model, rows, np.arange(len(rows.y)))
    # One batch to the last label: of random rows the order is all that matters.
    n_most = int(played.n_labels_[-1])
    at_random = campaign(model, Random(), rows, seed, budget=n_most, batch_size=n_most).queried_
    return [
        None
        if monitor.stopped_at is None
        else Stop(
            monitor.stopped_at,
            scores[monitor.stopped_at],
            everything,
            accuracy(model, rows, at_random[: monitor.stopped_at]),
        )
        for monitor in played.stopping_.leaves()
    ]


# The table --------------------------------------------------------------------------------------


def line(name, strategy, batch_size, criterion, found):
    """Format what one criterion did over the seeds."""
    there = [stop for stop in found if stop is not None]
    cells = [name, strategy, batch_size, criterion, f"{len(there)} of {len(found)}"]
    if not there:
        return "| " + " | ".join(map(str, [*cells, *["-"] * 5])) + " |"
    n_labels, at_stop, everything, random = (
        np.array(values) for values in zip(*there, strict=True)
    )
    cells += [
        f"{n_labels.mean():.0f} ({n_labels.min()}-{n_labels.max()})",
        f"{at_stop.mean():.3f}",
        f"{everything.mean():.3f}",
        f"{100 * (everything - at_stop).mean():.1f} ({_ends(100 * (everything - at_stop))})",
        f"{random.mean():.3f}",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def _ends(values):
    return f"{values.min():.1f} to {values.max():.1f}"


def batch_sizes(wanted, n_pool):
    """Return the batch sizes wanted, and one percent of the pool."""
    return sorted({*wanted, n_pool // 100})


def report(name, data, options):
    """Play the campaigns of one set, and print its lines."""
    budget = min(options.budget, data.n_pool)
    splits = {seed: split(data, seed) for seed in range(options.seeds)}
    for strategy, batch_size in [
        (strategy, size)
        for strategy in options.strategies
        for size in batch_sizes(options.batch_sizes, data.n_pool)
    ]:
        found = [
            stops(data.model, STRATEGIES[strategy], rows, seed, budget, batch_size)
            for seed, rows in splits.items()
        ]
        for criterion, each in zip(CRITERIA, zip(*found, strict=True), strict=True):
            print(line(name, strategy, batch_size, criterion, each), flush=True)


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
    sets = {"digits": digits()}
    if options.texts:
        sets |= {name: texts(options.texts / f"{name}.jsonl.gz") for name in options.names}
    began = time.process_time()
    print(
        "| set | strategy | batch | criterion | stopped | labels | accuracy | with all labels "
        "| points lost | Random with as many |"
    )
    print("|" + "---|" * 10)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", SkactiveWarning)
        for name, data in sets.items():
            report(name, data, options)
    for name, data in sets.items():
        print(f"{name}: a pool of {data.n_pool} rows, {len(data.y) - data.n_pool} for the test")
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
