"""Evaluation with few labels: coverage and worth of intervals, and labels to find the best model.

    python benchmarks/evaluation.py --data DIR               metrics, on four sets of texts
    python benchmarks/evaluation.py --data DIR --runs 200    fewer runs

A model is trained on few hundred rows; the others are the pool, whose labels it asks for. The worth
of a method is the variance of a plain mean of as many labels of rows drawn uniformly, divided by
that of the method's estimates. With 1,000 runs its standard error is 4 to 5 %. Beside it stands the
worth by the width of the intervals, which has no such noise.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from skactive.estimation import ActiveEvaluation

TEXTS = {  # files with the training rows and the pool, and the number of training rows
    "trec": ("trec.train", "trec.train", 500),
    "ag_news": ("ag_news.train5k", "ag_news.test", 300),
    "sst2": ("sst2.train", "sst2.test", 500),
    "rt_polarity": ("rt_polarity", "rt_polarity", 500),
}


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
    options = parser.parse_args()
    with threadpool_limits(1):
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


if __name__ == "__main__":
    main()
