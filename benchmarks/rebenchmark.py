"""Reproduce published numbers of active learning with the strategies of this library.

The protocol is that of Lu, Li and Lin, "Re-benchmarking pool-based active learning for binary
classification" (arXiv 2306.08954, 2023): one split per seed, 20 initial labels, one label per round
until the pool is empty, the test accuracy of an RBF-SVM, and the area under the budget curve of
Zhan et al. (IJCAI 2021). The data (``NAME.npz`` with ``X`` and ``y``) and the published numbers are
not part of the project:

    python benchmarks/rebenchmark.py --data DIR --reference CSV --sets appendicitis,sonar --seeds 10

``--reference`` is a CSV file with one number per seed
(``dataset,query_model,task_model,seed,aubc_zhan``) for US-C, uncertainty sampling by margin;
numbers are compared to five decimals. ``--means`` is a file with the paper's table of means over
100 seeds (10 for the three largest sets): one row per data set (``0.8454±0.0333``), one column per
method. With it and the same number of seeds, the mean is compared too, to four decimals. Where a
set has duplicate rows (haberman, mammographic, phishing, spambase), the choice among them decides
the digits, and the numbers of single seeds need not be equal.

QBC draws bags and, among the many rows of equal disagreement, the row. Its mean passes if it lies
within two standard errors of the published one: |a - b| <= 2 sqrt(s_a^2 / n + s_b^2 / n). This test
is generous: the seeds are the published ones, so the splits are paired.
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
RANDOMIZED = {"QBC"}  # methods whose means are compared by their standard errors


class PoolOrder(Strategy):
    """Take rows in the order of the pool, which the protocol has shuffled: its "Uniform"."""

    def select(self, pool, batch_size):
        """Return the first rows."""
        return np.arange(batch_size)


class Method(NamedTuple):
    """A strategy and the model that it queries, which need not be the model that is scored."""

    strategy: Callable[[], Strategy]
    query_model: Callable[[], Any]


def make_task_model():
    """Return the model that is scored; it has no probabilities, so Margin reads its decision."""
    return SVC(kernel="rbf", gamma="auto", C=1.0)


class BaggedClassifier(ClassifierMixin, BaseEstimator):
    """A classifier fitted on a bootstrap sample, redrawn until it holds all classes.

    It has no probabilities, so a committee of it votes. ``BaggingClassifier`` would accept a bag of
    one class. The bag depends on `member`, because a learner gives all members of a committee the
    same seed, and on the number of rows, so each round has new bags.
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
        """Return the predicted classes."""
        return self.model_.predict(X)


def make_committee():
    """Return the four models of the published QBC, each with its own bag."""
    models = {
        "logistic": LogisticRegression(C=1.0),
        "linear": SVC(kernel="linear", C=1.0),
        "rbf": make_task_model(),
        "lda": LinearDiscriminantAnalysis(),
    }
    return VotingClassifier(
        [
            (name, BaggedClassifier(model, member))
            for member, (name, model) in enumerate(models.items())
        ]
    )


METHODS = {
    "Uniform": Method(PoolOrder, make_task_model),
    "US-C": Method(Margin, make_task_model),
    "US-NC": Method(Entropy, lambda: LogisticRegression(C=0.1)),
    "Core-Set": Method(KCenterGreedy, make_task_model),
    "QBC": Method(VoteEntropy, make_committee),
}


# The protocol -----------------------------------------------------------------------------------


def split(n_rows, seed):
    """Return the training rows, of which the first are the initial ones, and the test rows."""
    rows = np.arange(n_rows)
    np.random.default_rng(seed).shuffle(rows)
    n_train = int(n_rows * TRAIN_SHARE)
    train, test = rows[:n_train].copy(), rows[n_train:]
    np.random.default_rng(seed).shuffle(train)  # why: the published code restarts the generator
    return train, test


def compute_accuracies(X, y, seed, method):
    """Return the test accuracy after each query, or None if the initial labels are one class."""
    train, test = split(len(X), seed)
    if len(np.unique(y[train[:N_START]])) < 2:
        return None
    scaler = StandardScaler().fit(X[train])
    X_train, X_test = scaler.transform(X[train]), scaler.transform(X[test])
    learner = ActiveLearner(method.query_model(), method.strategy(), random_state=seed)
    simulation = SimulatedLearner(learner, budget=len(train), batch_size=1, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TiedScoresWarning)  # why: a committee may be unanimous,
        warnings.filterwarnings("ignore", "Variables are collinear")  # and its bags small
        simulation.fit(X_train, y[train], initial=np.arange(N_START))
    if method.query_model is make_task_model:
        return list(simulation.staged_score(X_test, y[test]))[1:]
    return _score_task_model(X_train, y[train], X_test, y[test], simulation.queried_)


def _score_task_model(X, y, X_test, y_test, queried):
    """Score the task model on the rows that another model queried, sorted by position."""
    labeled = (np.sort(queried[:n]) for n in range(N_START + 1, len(queried) + 1))
    return [make_task_model().fit(X[rows], y[rows]).score(X_test, y_test) for rows in labeled]


def compute_area(X, y, seed, method):
    """Return the area, rounded to five decimals as published; None for a skipped seed."""
    curve = compute_accuracies(X, y, seed, method)
    return None if curve is None else round(zhan_area(curve), 5)


# The published numbers, and the comparison ------------------------------------------------------


def load(folder, name):
    """Return the rows and labels of a data set; labels are -1 and +1."""
    with np.load(Path(folder) / f"{name}.npz", allow_pickle=False) as data:
        X, y = data["X"], data["y"]
    return X, np.where(y == y.max(), 1, -1)


def read_areas(path, name):
    """Return the published US-C areas by seed, for an SVM as query model and task model."""
    with Path(path).open(newline="") as file:
        return {
            int(row["seed"]): float(row["aubc_zhan"])
            for row in csv.DictReader(file)
            if (row["dataset"], row["query_model"], row["task_model"]) == (name, "RBFSVM", "RBFSVM")
        }


def read_mean(path, name, method):
    """Return a mean and its standard deviation from the paper's table, or None if it has none."""
    header: list[str] = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "data set":
            header = cells
        elif cells[0] == name and method in header:
            mean, deviation = cells[header.index(method)].split("±")
            return float(mean), float(deviation)
    return None


def are_equal(published, ours, decimals):
    """Return whether two numbers are equal after rounding to `decimals`."""
    return abs(round(published, decimals) - round(ours, decimals)) < 10**-decimals / 2


def count_standard_errors(published, deviation, areas):
    """Return how many standard errors the mean lies above a published mean of as many areas."""
    variance = np.var(areas, ddof=1) + deviation**2
    return (float(np.mean(areas)) - published) / np.sqrt(variance / len(areas))


def report(name, method, options):
    """Print one line per seed, and the mean; return the number of lines that disagree."""
    X, y = load(options.data, name)
    published = (
        read_areas(options.reference, name) if method == "US-C" and options.reference else {}
    )
    areas, n_wrong = [], 0
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        area = compute_area(X, y, seed, METHODS[method])
        if area is None:
            print(f"{name:<14} {method:<9} {seed:>6} {'one class: skipped':>28}")
            continue
        areas.append(area)
        n_wrong += _print_line(name, method, seed, published.get(seed), area, 5)
    return n_wrong + (_print_mean(name, method, areas, options) if areas else 0)


def _print_mean(name, method, areas, options):
    """Print the line of the mean; a published mean is compared only if all its seeds were run."""
    comparable = options.means and options.first_seed == 0
    comparable = comparable and options.seeds == N_PUBLISHED.get(name, 100)
    published = read_mean(options.means, name, method) if comparable else None
    ours = float(np.mean(areas))
    if published is None or method not in RANDOMIZED:
        return _print_line(name, method, "mean", published[0] if published else None, ours, 4)
    n_errors = count_standard_errors(*published, areas)
    verdict = "yes" if abs(n_errors) <= 2 else "NO"
    _print_cells(name, method, "mean", f"{published[0]:.4f}", f"{ours:.4f}", verdict)
    print(
        f"{name:<14} {method:<9} deviation {np.std(areas, ddof=1):.4f}, "
        f"{n_errors:+.2f} standard errors"
    )
    return int(verdict == "NO")


def _print_line(name, method, seed, published, ours, decimals):
    """Print one line of the table; return 1 if the numbers disagree, else 0."""
    text, verdict = "-", "-"
    if published is not None:
        text = f"{published:.{decimals}f}"
        verdict = "yes" if are_equal(published, ours, decimals) else "NO"
    _print_cells(name, method, seed, text, f"{ours:.{decimals}f}", verdict)
    return int(verdict == "NO")


def _print_cells(name, method, seed, published, ours, verdict):
    print(f"{name:<14} {method:<9} {seed:>6} {published:>10} {ours:>10} {verdict:>6}")


def parse_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="folder of NAME.npz files")
    parser.add_argument("--reference", help="CSV of published areas, one row per seed")
    parser.add_argument("--means", help="text file with the published table of means")
    parser.add_argument("--sets", default="appendicitis,sonar", help="names, separated by commas")
    parser.add_argument("--method", default="US-C", choices=[*METHODS, "all"])
    parser.add_argument("--seeds", type=int, default=10, help="number of seeds")
    parser.add_argument("--first-seed", type=int, default=0)
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse_options(arguments)
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
