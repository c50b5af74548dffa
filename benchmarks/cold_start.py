"""Measure what zero-shot probabilities and distilling add to 200 labels of people, on AG News.

    python benchmarks/cold_start.py FOLDER    # with ag_news.train5k.jsonl.gz, ag_news.test.jsonl.gz

The pool is the 5,000 training texts, and accuracy is that on half of the test texts. The source of
zero-shot probabilities is a stand-in for a language model: the same kind of small model, fitted to
a few texts of the other half of the test texts, which nobody else sees. So it is a source of a
known strength, in truth one that has seen labels. All models are logistic regressions on 100
dimensions of latent semantic analysis. Each arm buys 200 labels in batches of 20; arms are paired
by seed, which draws the source's texts and all else.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from pathlib import Path

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from threadpoolctl import threadpool_limits

from skactive import ActiveLearner, SimulatedLearner
from skactive.annotators import ModelAnnotator, distill
from skactive.scores import margin
from skactive.strategies import Auto, ColdStart, Margin, Random, ScoreStrategy

BUDGET, FEW, BATCH, N_DIMS = 200, 40, 20, 100
MODEL = LogisticRegression(C=10.0, max_iter=2000)


class Doubt(ScoreStrategy):
    """Score rows by the margin of the source: the obvious choice, to compare with."""

    needs = frozenset({"X"})

    def __init__(self, source):
        super().__init__()
        self.source = source

    def score(self, pool):
        """Return 1 minus the margin, (n_rows,)."""
        return margin(self.source.predict_proba(pool.X))


def read_texts(path):
    """Return texts and their labels."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row["text"] for row in rows], np.array([row["label"] for row in rows])


def embed(pool, others):
    """Return both as points, by latent semantic analysis of the pool, without labels."""
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, stop_words="english")
    embedder = make_pipeline(words, TruncatedSVD(N_DIMS, random_state=0), Normalizer())
    return embedder.fit_transform(pool), embedder.transform(others)


def simulate(strategy, X, y, seed):
    """Return the positions of the labels that were bought."""
    run = SimulatedLearner(
        ActiveLearner(MODEL, strategy),
        budget=BUDGET,
        batch_size=BATCH,
        n_initial=BATCH,
        initial_strategy=Random() if isinstance(strategy, Margin) else strategy,
        random_state=seed,
    )
    return run.fit(X, y).queried_


def score_arms(X, y, X_test, y_test, source, seed):
    """Return the accuracy of each arm, by name."""
    strategies = {
        "random": Random(),
        "auto": Auto(),
        "margin": Margin(),
        "doubt of the source": Auto(uncertainty=Doubt(FrozenEstimator(source))),
        "cold start, auto": ColdStart(FrozenEstimator(source)),
        "cold start, margin": ColdStart(FrozenEstimator(source), Margin()),
    }
    scores = {"source alone": source.score(X_test, y_test)}
    for name, strategy in strategies.items():
        bought = simulate(strategy, X, y, seed)
        for n in (BATCH, FEW, BUDGET):
            model = MODEL.fit(X[bought[:n]], y[bought[:n]])
            scores[name if n == BUDGET else f"{name}, {n} labels"] = model.score(X_test, y_test)
        if name in {"random", "auto", "cold start, auto"}:
            distilled = distill_with(source, X, y, bought)
            scores[f"{name} + distilled"] = distilled.score(X_test, y_test)
    return scores


def distill_with(source, X, y, bought):
    """Return a model of the labels that were bought, and of the source's answers to the rest."""
    rest, annotator = np.setdiff1d(np.arange(len(X)), bought), ModelAnnotator(source)
    return distill(
        MODEL,
        X[rest],
        annotator.annotate(X[rest]),
        X_labeled=X[bought],
        y_labeled=y[bought],
        labeled_answers=annotator.annotate(X[bought]),
        random_state=0,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source-rows", type=int, nargs="+", default=[40, 400, 3800])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    texts, y = read_texts(options.folder / "ag_news.train5k.jsonl.gz")
    test_texts, test_labels = read_texts(options.folder / "ag_news.test.jsonl.gz")
    X, X_others = embed(texts, test_texts)
    for n_rows in options.source_rows:
        began, found = time.perf_counter(), []
        for seed in range(options.seeds):
            order = np.random.RandomState(seed).permutation(len(X_others))
            taught, test = order[:n_rows], order[len(order) // 2 :]
            source = LogisticRegression(C=10.0, max_iter=2000)
            source.fit(X_others[taught], test_labels[taught])
            found.append(score_arms(X, y, X_others[test], test_labels[test], source, seed))
        print(f"source fitted to {n_rows} texts; {time.perf_counter() - began:.0f} s")
        for name in found[0]:
            values = np.array([scores[name] for scores in found])
            few = name.rpartition(", ")[2] if name.endswith("labels") else None
            rival = "random" if few is None else f"random, {few}"
            gains = values - [scores[rival] for scores in found]
            print(
                f"  {name:31} {values.mean():.3f}   to random {gains.mean():+.3f}, "
                f"better in {np.sum(gains > 0)} of {len(gains)}"
            )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
