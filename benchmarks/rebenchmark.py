"""Published numbers of active learning, reproduced with the library's own strategies.

The protocol is that of Lu, Li and Lin, "Re-benchmarking pool-based active learning for binary
classification" (arXiv 2306.08954, 2023): a split by seed, 20 labels to start with, one label a
round until the pool is empty, an RBF-SVM that is scored, and the area under the budget curve of
Zhan et al. (IJCAI 2021). Data (``NAME.npz`` with ``X`` and ``y``) and published numbers lie outside
of the project:

    python benchmarks/rebenchmark.py --data DIR --reference CSV --sets appendicitis,sonar --seeds 10

``--reference`` holds numbers seed by seed (``dataset,query_model,task_model,seed,aubc_zhan``) for
US-C, uncertainty sampling by margin: equal is to five decimals. ``--means`` is a file with the
paper's table of means over 100 seeds (10 for the three largest sets), a row a data set
(``0.8454±0.0333``) under the names of the methods: with it and as many seeds the mean is compared
too, to four decimals. Where rows of a set are duplicates of each other (haberman, mammographic,
phishing, spambase) the choice among them decides the digits, and numbers of a seed need not be
equal.

QBC draws bags and, among the many rows of equal disagreement, the row. Its mean is right if it lies
within two standard errors of the published one: |a - b| <= 2 sqrt(s_a^2 / n + s_b^2 / n). The seeds
are those that were published, so the splits are paired, and this is generous.
"""

from __future__ import annotations

import argparse
import csv
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from skactive import ActiveLearner, SimulatedLearner
from skactive.exceptions import TiedScoresWarning
from skactive.metrics import zhan_area
from skactive.strategies import Entropy, KCenterGreedy, Margin, Strategy, VoteEntropy

N_START, TRAIN_SHARE = 20, 0.6
N_PUBLISHED = {"spambase": 10, "ringnorm": 10, "phishing": 10}  # seeds of a mean; others: 100
DRAWN = {"QBC"}  # methods whose means are compared by their standard errors


class InOrder(Strategy):
    """Takes rows in the order of the pool, which the protocol has shuffled: its "Uniform"."""

    def select(self, pool, batch_size):
        """Take the first rows."""
        return np.arange(batch_size)


class Method(NamedTuple):
    """How rows are chosen: a strategy, and the model it asks, which need not be the one scored."""

    strategy: Callable[[], Strategy]
    query_model: Callable[[], Any]


def task_model():
    """Make the model that is scored: without probabilities, so Margin reads its decision."""
    return SVC(kernel="rbf", gamma="auto", C=1.0)


class Bagged(ClassifierMixin, BaseEstimator):
    """A model fitted on a bag: as many rows as given, drawn anew until all classes are in it.

    It has no probabilities, so that it votes. ``BaggingClassifier`` takes a bag of one class as it
    comes. The rows drawn depend on `member`, as a learner seeds all of a committee alike, and on
    the number of rows, so that each round has fresh bags.
    """

    def __init__(self, model, member=0, random_state=None):
        self.model = model
        self.member = member
        self.random_state = random_state

    def fit(self, X, y):
        """Fit a clone of the model on a bag."""
        rng = np.random.default_rng([self.random_state, self.member, len(X)])
        self.classes_, bag = np.unique(y), np.zeros(len(X), dtype=int)
        while len(np.unique(y[bag])) < len(self.classes_):
            bag = rng.integers(len(X), size=len(X))
        self.model_ = clone(self.model).fit(X[bag], y[bag])
        return self

    def predict(self, X):
        """Vote."""
        return self.model_.predict(X)


def committee():
    """Make the four models of the published QBC, each with a bag of its own."""
    models = {
        "logistic": LogisticRegression(C=1.0),
        "linear": SVC(kernel="linear", C=1.0),
        "rbf": task_model(),
        "lda": LinearDiscriminantAnalysis(),
    }
    return VotingClassifier(
        [(name, Bagged(model, member)) for member, (name, model) in enumerate(models.items())]
    )


METHODS = {
    "Uniform": Method(InOrder, task_model),
    "US-C": Method(Margin, task_model),
    "US-NC": Method(Entropy, lambda: LogisticRegression(C=0.1)),
    "Core-Set": Method(KCenterGreedy, task_model),
    "QBC": Method(VoteEntropy, committee),
}


# The protocol -----------------------------------------------------------------------------------


def split(n_rows, seed):
    """Return the training rows, whose first are the start, and the test rows."""
    rows = np.arange(n_rows)
    np.random.default_rng(seed).shuffle(rows)
    n_train = int(n_rows * TRAIN_SHARE)
    train, test = rows[:n_train].copy(), rows[n_train:]
    np.random.default_rng(seed).shuffle(train)  # a fresh generator, as published
    return train, test


def accuracies(X, y, seed, method):
    """Return the test accuracy after each query, or None where the start holds one class only."""
    train, test = split(len(X), seed)
    if len(np.unique(y[train[:N_START]])) < 2:
        return None
    scaler = StandardScaler().fit(X[train])
    X_train, X_test = scaler.transform(X[train]), scaler.transform(X[test])
    learner = ActiveLearner(method.query_model(), method.strategy(), random_state=seed)
    simulation = SimulatedLearner(learner, budget=len(train), batch_size=1, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TiedScoresWarning)  # a committee may be unanimous,
        warnings.filterwarnings("ignore", "Variables are collinear")  # and its bags small
        simulation.fit(X_train, y[train], initial=np.arange(N_START))
    if method.query_model is task_model:
        return list(simulation.staged_score(X_test, y[test]))[1:]
    return _scored_apart(X_train, y[train], X_test, y[test], simulation.queried_)


def _scored_apart(X, y, X_test, y_test, queried):
    """Score the task model on what another model asked for, in the order of the rows."""
    known = (np.sort(queried[:n]) for n in range(N_START + 1, len(queried) + 1))
    return [task_model().fit(X[rows], y[rows]).score(X_test, y_test) for rows in known]


def published_area(X, y, seed, method):
    """Return the area as published, to five decimals; None for a seed that is skipped."""
    curve = accuracies(X, y, seed, method)
    return None if curve is None else round(zhan_area(curve), 5)


# What is published, and what is compared --------------------------------------------------------


def load(folder, name):
    """Read a data set; labels are -1 and +1."""
    with np.load(Path(folder) / f"{name}.npz", allow_pickle=False) as data:
        X, y = data["X"], data["y"]
    return X, np.where(y == y.max(), 1, -1)


def read_areas(path, name):
    """Read the published US-C areas of a data set: seed to area, where one SVM does both."""
    with Path(path).open(newline="") as file:
        return {
            int(row["seed"]): float(row["aubc_zhan"])
            for row in csv.DictReader(file)
            if (row["dataset"], row["query_model"], row["task_model"]) == (name, "RBFSVM", "RBFSVM")
        }


def read_mean(path, name, method):
    """Read a mean and its standard deviation out of the paper's table; None where there is none."""
    header: list[str] = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "data set":
            header = cells
        elif cells[0] == name and method in header:
            mean, deviation = cells[header.index(method)].split("±")
            return float(mean), float(deviation)
    return None


def same(published, ours, decimals):
    """Whether numbers agree to so many decimals."""
    return abs(round(published, decimals) - round(ours, decimals)) < 10**-decimals / 2


def standard_errors(published, deviation, areas):
    """Return by how many standard errors the mean exceeds a published one of as many areas."""
    variance = np.var(areas, ddof=1) + deviation**2
    return (float(np.mean(areas)) - published) / np.sqrt(variance / len(areas))


def report(name, method, options):
    """Print one line a seed, and the mean; return how many lines disagree."""
    X, y = load(options.data, name)
    known = read_areas(options.reference, name) if method == "US-C" and options.reference else {}
    ours, n_wrong = [], 0
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        area = published_area(X, y, seed, METHODS[method])
        if area is None:
            print(f"{name:<14} {method:<9} {seed:>6} {'one class: skipped':>28}")
            continue
        ours.append(area)
        n_wrong += _line(name, method, seed, known.get(seed), area, 5)
    return n_wrong + (_mean_line(name, method, ours, options) if ours else 0)


def _mean_line(name, method, areas, options):
    """Print the line of the mean, which is published for all seeds only."""
    comparable = options.means and options.first_seed == 0
    comparable = comparable and options.seeds == N_PUBLISHED.get(name, 100)
    known = read_mean(options.means, name, method) if comparable else None
    ours = float(np.mean(areas))
    if known is None or method not in DRAWN:
        return _line(name, method, "mean", known[0] if known else None, ours, 4)
    away = standard_errors(*known, areas)
    verdict = "yes" if abs(away) <= 2 else "NO"
    _print(name, method, "mean", f"{known[0]:.4f}", f"{ours:.4f}", verdict)
    print(
        f"{name:<14} {method:<9} deviation {np.std(areas, ddof=1):.4f}, {away:+.2f} standard errors"
    )
    return int(verdict == "NO")


def _line(name, method, seed, published, ours, decimals):
    """Print a line of the table; return 1 where it is wrong."""
    shown, verdict = "-", "-"
    if published is not None:
        shown = f"{published:.{decimals}f}"
        verdict = "yes" if same(published, ours, decimals) else "NO"
    _print(name, method, seed, shown, f"{ours:.{decimals}f}", verdict)
    return int(verdict == "NO")


def _print(name, method, seed, published, ours, verdict):
    print(f"{name:<14} {method:<9} {seed:>6} {published:>10} {ours:>10} {verdict:>6}")


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="folder of NAME.npz files")
    parser.add_argument("--reference", help="CSV of published areas, seed by seed")
    parser.add_argument("--means", help="text file with the published table of means")
    parser.add_argument("--sets", default="appendicitis,sonar", help="names, joined by commas")
    parser.add_argument("--method", default="US-C", choices=[*METHODS, "all"])
    parser.add_argument("--seeds", type=int, default=10, help="how many")
    parser.add_argument("--first-seed", type=int, default=0)
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse(arguments)
    methods = METHODS if options.method == "all" else [options.method]
    print(f"{'set':<14} {'method':<9} {'seed':>6} {'published':>10} {'ours':>10} {'equal?':>6}")
    n_wrong, began = 0, time.perf_counter()
    with threadpool_limits(limits=1):
        for name in options.sets.split(","):
            n_wrong += sum(report(name, method, options) for method in methods)
    print(f"{n_wrong} unequal; {time.perf_counter() - began:.0f} s")
    return int(n_wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
