"""Evaluation with few labels: coverage and worth of intervals, and labels to find the best model.

    python benchmarks/evaluation.py --data DIR               metrics, on four sets of texts
    python benchmarks/evaluation.py --data DIR --runs 200    fewer runs
    python benchmarks/evaluation.py --data DIR --models      the best of 33 models, on ten sets

A model is trained on few hundred rows; the others are the pool, whose labels it asks for. The worth
of a method is the variance of a plain mean of as many labels of rows drawn uniformly, divided by
that of the method's estimates. With 1,000 runs its standard error is 4 to 5 %. Beside it stands the
worth by the width of the intervals, which has no such noise.

Models are trained on 300 rows; 2,000 others are the pool. Labels count until the model that is best
by then is, on average over the runs, within 1 % of the best accuracy on the pool from then on; and
in a median run, until that is so for the first time. Uniform labels choose the model that has most
of them right.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from skactive.estimation import ActiveEvaluation, ActiveModelSelection

TEXTS = {  # files with the training rows and the pool, and the number of training rows
    "trec": ("trec.train", "trec.train", 500),
    "ag_news": ("ag_news.train5k", "ag_news.test", 300),
    "sst2": ("sst2.train", "sst2.test", 500),
    "rt_polarity": ("rt_polarity", "rt_polarity", 500),
}

TABLES = (
    *("multiclass/letter", "multiclass/pendigits", "multiclass/optdigits", "multiclass/segment"),
    *("multiclass/texture", "multiclass/waveform", "multiclass/covertype11k"),
    *("multiclass/winequality_white", "sets/spambase", "sets/phishing"),
)
TOLERANCE = 0.01


class Pool(NamedTuple):
    """Labels of the pool, and the probabilities of two models: (n,), (n, K) and (n, K)."""

    y: Any
    proba: Any
    other_proba: Any


def main() -> None:
    parser = argparse.ArgumentParser(description="Evaluation with few labels.")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", required=True, help="folder of the sets"
    )
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--models", action="store_true", help="select models instead")
    parser.add_argument("--model-runs", type=int, default=10)
    parser.add_argument("--model-labels", type=int, default=100, help="labels of each run")
    options = parser.parse_args()
    with threadpool_limits(1):
        if options.models:
            select_models(options.data, options.model_runs, options.model_labels)
            return
        evaluate_texts(options.data / "text", options.runs, options.budget)


def evaluate_texts(folder: Path, n_runs: int, budget: int) -> None:
    """Print a line per set, metric and sampling."""
    print("set | metric | sampling | coverage | anytime | worth | by width | mix | seconds a run")
    for name, pool in read_texts(folder):
        for metric, settings, values in make_metrics(pool):
            for sampling in ("uniform", "auto"):
                row = measure(metric, settings, values, sampling, pool.y, n_runs, budget)
                print(" | ".join([name, metric, sampling, *row]), flush=True)


def read_texts(folder: Path) -> Iterator[tuple[str, Pool]]:
    """Yield the name and the pool of each set."""
    for name, (train_file, pool_file, n_train) in TEXTS.items():
        texts, labels = read_file(folder / f"{train_file}.jsonl.gz")
        order = np.random.RandomState(0).permutation(len(texts))
        train, rest = order[:n_train], order[n_train:]
        models = [
            make_pipeline(
                TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)),
                LogisticRegression(C=10, max_iter=500),
            ),
            make_pipeline(TfidfVectorizer(), MultinomialNB(alpha=0.3)),
        ]
        for model in models:
            model.fit([texts[i] for i in train], labels[train])
        if pool_file == train_file:
            rows, y = [texts[i] for i in rest], labels[rest]
        else:
            rows, y = read_file(folder / f"{pool_file}.jsonl.gz")
        yield name, Pool(y, *(model.predict_proba(rows) for model in models))


def read_file(path: Path) -> tuple[list[str], Any]:
    with gzip.open(path, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    return [row["text"] for row in rows], np.array([row["label"] for row in rows])


def make_metrics(pool: Pool) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield a metric, the settings of its evaluation, and the number of each row."""
    first, second = pool.proba.argmax(axis=1), pool.other_proba.argmax(axis=1)
    right = (first == pool.y).astype(float)
    yield "accuracy", {"proxy": pool.proba.max(axis=1), "predicted": first}, right
    # The chance that either is right, by the mean of both models.
    rows, both = np.arange(len(pool.y)), (pool.proba + pool.other_proba) / 2
    chances = np.stack([both[rows, first], both[rows, second]], axis=1)
    settings = {"proxy": chances, "predicted": np.stack([first, second])}
    yield "difference", settings, right - (second == pool.y)


def measure(
    metric: str,
    settings: dict[str, Any],
    values: Any,
    sampling: str,
    y: Any,
    n_runs: int,
    budget: int,
) -> list[str]:
    """Return coverage at the budget and at all looks, the worth, the mix and the seconds."""
    truth, n = values.mean(), len(values)
    plain = values.var(ddof=1) * (1 / budget - 1 / n)
    found, held, held_always, widths, mixes = [], 0, 0, [], []
    began = time.perf_counter()
    for seed in range(n_runs):
        evaluation = ActiveEvaluation(
            metric,
            **settings,
            sampling=sampling,
            budget=budget,
            target="pool",
            random_state=seed,
        )
        always = True
        while evaluation.stop_reason_ is None:
            rows = evaluation.query(20)
            evaluation.teach(rows, y[rows])
            look = evaluation.estimate(anytime=True)
            always &= look.low <= truth <= look.high
        estimate = evaluation.estimate_
        found.append(estimate.value)
        held += estimate.low <= truth <= estimate.high
        held_always += always
        widths.append(estimate.high - estimate.low)
        mixes.append(evaluation.mix_)
    seconds = (time.perf_counter() - began) / n_runs
    width = 2 * norm.ppf(0.975) * np.sqrt(plain)
    return [
        f"{held / n_runs:.3f}",
        f"{held_always / n_runs:.3f}",
        f"{plain / np.mean((np.array(found) - truth) ** 2):.2f}",
        f"{(width / np.mean(widths)) ** 2:.2f}",
        f"{np.mean(mixes):.2f}",
        f"{seconds:.3f}",
    ]


def select_models(folder: Path, n_runs: int, n_labels: int) -> None:
    """Print a line per set, and the medians over the sets."""
    print(
        "set | models within 1 % | uniform: on average | first | ours: on average | first | "
        "at the stop: labels | within 1 % | seconds a label"
    )
    rows = []
    for name in TABLES:
        votes, y = predict_table(folder / f"{name}.npz")
        accuracies = (votes == y).mean(axis=1)
        uniform = np.array([play_uniform(votes, y, seed) for seed in range(200)])
        began = time.perf_counter()
        played = [play_selection(votes, y, seed, n_labels) for seed in range(n_runs)]
        seconds = (time.perf_counter() - began) / (n_runs * n_labels)
        gaps = np.array([gap for gap, _ in played])
        stops = np.array([stop for _, stop in played])
        near = (gaps[np.arange(n_runs), stops] <= TOLERANCE).mean()
        counts = [*count_labels(uniform), *count_labels(gaps), float(np.median(stops)), float(near)]
        rows.append(counts)
        n_near = (accuracies >= accuracies.max() - TOLERANCE).sum()
        cells = [f"{count:.0f}" for count in counts[:-1]]
        print(
            " | ".join(
                [name, f"{n_near} of {len(votes)}", *cells, f"{near:.2f}", f"{seconds:.2f}"]
            ),
            flush=True,
        )
    print("median | |", " | ".join(f"{value:.4g}" for value in np.median(rows, axis=0)))


def make_models() -> list[Any]:
    """Return 33 classifiers of many kinds, good and bad."""
    seeded = {"random_state": 0}
    return [
        *(LogisticRegression(C=C, max_iter=300) for C in (0.001, 0.1, 10)),
        *(GaussianNB(), BernoulliNB(), NearestCentroid(), RidgeClassifier(), Perceptron(**seeded)),
        LinearDiscriminantAnalysis(),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5),
        *(SGDClassifier(**seeded), SGDClassifier(loss="log_loss", alpha=0.01, **seeded)),
        *(KNeighborsClassifier(k) for k in (1, 3, 9, 25)),
        *(DecisionTreeClassifier(max_depth=depth, **seeded) for depth in (2, 4, 8, None)),
        *(RandomForestClassifier(n, **seeded) for n in (10, 50)),
        RandomForestClassifier(50, max_depth=3, **seeded),
        *(ExtraTreesClassifier(50, **seeded), AdaBoostClassifier(n_estimators=30, **seeded)),
        *(BaggingClassifier(**seeded), MLPClassifier((30,), max_iter=100, **seeded)),
        *(SVC(C=C) for C in (0.1, 1, 10)),
        *(SVC(gamma=0.3), SVC(kernel="linear", C=0.1), SVC(kernel="poly", degree=2)),
    ]


def predict_table(path: Path) -> tuple[Any, Any]:
    """Return the predictions of each model for 2,000 rows, (n_models, n_rows), and their labels."""
    data = np.load(path)
    X, y = data["X"].astype(float), np.unique(data["y"], return_inverse=True)[1]
    order = np.random.RandomState(0).permutation(len(y))
    train, pool = order[:300], order[300:2300]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few steps and rows
        models = [make_pipeline(StandardScaler(), model) for model in make_models()]
        votes = [model.fit(X[train], y[train]).predict(X[pool]) for model in models]
    return np.array(votes), y[pool]


def play_uniform(votes: Any, y: Any, seed: int, n_labels: int = 600) -> Any:
    """Return how far the choice is from the best after each label, (n_labels + 1,)."""
    rng = np.random.RandomState(seed)
    accuracies = (votes == y).mean(axis=1)
    right = (votes == y)[:, rng.permutation(len(y))[:n_labels]].cumsum(axis=1)
    counts = np.column_stack([np.zeros(len(votes)), right]) + rng.rand(len(votes), 1) / 2  # ties
    return accuracies.max() - accuracies[counts.argmax(axis=0)]


def play_selection(votes: Any, y: Any, seed: int, n_labels: int) -> tuple[Any, int]:
    """Return how far the choice is from the best after each label, and when it would stop."""
    accuracies = (votes == y).mean(axis=1)
    selection, stop = ActiveModelSelection(votes, random_state=seed), n_labels
    gaps = [accuracies.max() - accuracies[selection.best_]]
    for n in range(1, n_labels + 1):
        rows = selection.query()
        selection.teach(rows, y[rows])
        gaps.append(accuracies.max() - accuracies[selection.best_])
        if stop == n_labels and selection.stop_reason_ is not None:
            stop = n
    return np.array(gaps), stop


def count_labels(gaps: Any) -> tuple[float, float]:
    """Return from when on the mean gap is small, and when it first is in a median run."""
    large = np.flatnonzero(gaps.mean(axis=0) > TOLERANCE)
    near = gaps <= TOLERANCE
    first = np.where(near.any(axis=1), near.argmax(axis=1), gaps.shape[1])
    return float(large[-1] + 1 if len(large) else 0), float(np.median(first))


if __name__ == "__main__":
    main()
