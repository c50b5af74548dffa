"""How often the promise of a router is kept, and how much it leaves to annotators.

    python benchmarks/routing.py --data DIR                     AG News, SST-2 and TREC
    python benchmarks/routing.py --data DIR --picture FILE      and a picture of all runs

Each run draws an audit of 300 rows of one pool, whose labels a logistic regression of TF-IDF
weights is to give; the true labels of all rows say what share is really wrong. The usual rule
accepts answers above the lowest threshold at which the audited answers are right often enough.
"Accepted" is the share of rows whose answers reach the threshold: those of the audit among them
keep their true labels, so that the model labels somewhat fewer.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from skactive.annotators import ModelAnnotator, Router
from skactive.datasets import read_texts

MAX_ERROR, CONFIDENCE, AUDIT = 0.05, 0.9, 300
POOLS = {  # files to learn from and to label; where it is one file, rows to learn from
    "AG News": ("ag_news.train5k", "ag_news.test", None),
    "SST-2": ("sst2.train", None, 3000),
    "TREC": ("trec.train", None, 1500),
}
SETTINGS = {
    "set": {"guarantee": "set"},
    "accepted": {"guarantee": "accepted"},
    "accepted, active": {"guarantee": "accepted", "audit_sampling": "active"},
    "set, betting": {"guarantee": "set", "bound": "betting"},
    "accepted, betting": {"guarantee": "accepted", "bound": "betting"},
}


class Recorded(BaseEstimator):
    """A model whose probabilities are known by position."""

    def __init__(self, proba: Any, classes: Any) -> None:
        self.proba = proba
        self.classes_ = classes

    def predict_proba(self, X: Any) -> Any:
        """Return the probabilities of rows that are positions."""
        return self.proba[np.asarray(X)[:, 0]]


class Pool(NamedTuple):
    """Probabilities and true labels of the rows of a pool."""

    proba: NDArray[np.float64]
    classes: NDArray[Any]
    truth: NDArray[Any]

    def find_wrong(self) -> NDArray[np.bool_]:
        """Return which answers of the model are wrong."""
        return np.asarray(self.classes[self.proba.argmax(axis=1)] != self.truth)


class Run(NamedTuple):
    """The share of accepted rows, that of labels from the model, and that of wrong ones."""

    share: float
    by_model: float
    error: float


def main() -> None:
    parser = argparse.ArgumentParser(description="Promises of routers, and what they accept.")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="folder of the data"
    )
    parser.add_argument("--runs", type=int, default=1000, help="audits of each pool (1,000)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the runs on AG News")
    options = parser.parse_args()
    runs: dict[tuple[str, str], list[Run]] = {}
    print("pool | guarantee | accepted | of the most possible | by the model | broken | usual rule")
    with threadpool_limits(1):
        for name in POOLS:
            pool = read_pool(options.data / "text", name)
            for setting in SETTINGS:
                promise = SETTINGS[setting]["guarantee"]
                found = [play(pool, setting, seed) for seed in range(options.runs)]
                usual = [play_usual(pool, promise, seed) for seed in range(options.runs)]
                runs[name, setting], runs[name, f"usual {promise}"] = found, usual
                most, share = find_most(pool, promise), np.mean([run.share for run in found])
                print(
                    f"{name} | {setting} | {share:.3f} | {share / most:.2f} of {most:.3f} | "
                    f"{np.mean([run.by_model for run in found]):.3f} | "
                    f"{count_broken(found):.3f} | {count_broken(usual):.3f}",
                    flush=True,
                )
    if options.picture is not None:
        draw(runs, options.picture)


def read_pool(folder: Path, name: str) -> Pool:
    """Train a model, and return what it says of the rows of a pool."""
    first, second, n = POOLS[name]
    texts, labels = read_file(folder, first)
    others, truth = read_file(folder, second) if second else (texts[n:], labels[n:])
    model = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2),
        LogisticRegression(C=10, max_iter=500),
    ).fit(texts[:n], labels[:n])
    return Pool(model.predict_proba(others), model.classes_, truth)


def read_file(folder: Path, name: str) -> tuple[list[str], NDArray[Any]]:
    found = read_texts(folder / f"{name}.jsonl.gz", text="text", target="label")
    return list(found.texts), np.array(found.labels)


def play(pool: Pool, setting: str, seed: int) -> Run:
    """Fit a router with one audit, and look at what it accepts."""
    X = np.arange(len(pool.truth))[:, np.newaxis]
    annotator = ModelAnnotator(Recorded(pool.proba, pool.classes))
    router = Router(
        [annotator],
        max_error=MAX_ERROR,
        confidence=CONFIDENCE,
        audit=AUDIT,
        random_state=seed,
        **SETTINGS[setting],
    ).fit(X, oracle=pool.truth)
    passed = pool.proba.max(axis=1) >= router.thresholds_[0]
    return count(pool, passed, router.annotate(X).sources == 0, router.guarantee)


def play_usual(pool: Pool, promise: str, seed: int) -> Run:
    """Accept answers above the lowest threshold whose audited error is small enough."""
    confidences, wrong = pool.proba.max(axis=1), pool.find_wrong()
    drawn = np.random.default_rng(seed).choice(len(wrong), AUDIT, replace=False)
    order = drawn[np.argsort(-confidences[drawn], kind="stable")]
    n_wrong = np.cumsum(wrong[order])
    fits = n_wrong <= MAX_ERROR * (AUDIT if promise == "set" else np.arange(1, AUDIT + 1))
    if not fits.any():
        return Run(0.0, 0.0, 0.0)
    threshold = confidences[order[np.flatnonzero(fits)[-1]]]
    accepted = confidences >= threshold
    return count(pool, accepted, accepted, promise)


def count(pool: Pool, passed: NDArray[np.bool_], by_model: NDArray[np.bool_], promise: str) -> Run:
    n_wrong = (pool.find_wrong() & by_model).sum()
    n = len(passed) if promise == "set" else max(passed.sum(), 1)
    return Run(float(passed.mean()), float(by_model.mean()), float(n_wrong / n))


def find_most(pool: Pool, promise: str) -> float:
    """Return the largest share that a threshold can accept, all true labels being known."""
    n_wrong = np.cumsum(pool.find_wrong()[np.argsort(-pool.proba.max(axis=1), kind="stable")])
    n = len(n_wrong)
    fits = n_wrong <= MAX_ERROR * (n if promise == "set" else np.arange(1, n + 1))
    return float((np.flatnonzero(fits)[-1] + 1) / n) if fits.any() else 0.0


def count_broken(runs: list[Run]) -> float:
    return float(np.mean([run.error > MAX_ERROR for run in runs]))


def draw(runs: dict[tuple[str, str], list[Run]], path: Path) -> None:
    """Draw the error over the accepted share, a dot per run."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    for ax, (setting, label, color) in zip(axes, list_dots(), strict=True):
        found = runs["AG News", setting]
        share, _, error = np.array(found).T
        ax.scatter(share, error, s=9, alpha=0.15, color=color, linewidths=0)
        ax.axhline(MAX_ERROR, color="black", linewidth=1)
        ax.set(xlabel="share of answers that are accepted")
        ax.set_title(f"{label}: {100 * count_broken(found):.0f} % over the line")
    axes[0].set_ylabel("share of wrong labels")
    n = len(runs["AG News", "set"])
    figure.suptitle(f"AG News, {n:,} audits of {AUDIT} rows: at most 5 % wrong labels are promised")
    figure.savefig(path, dpi=120)


def list_dots() -> Iterator[tuple[str, str, str]]:
    yield "usual set", "Lowest threshold that looks right", "tab:orange"
    yield "set", "Router", "tab:blue"


if __name__ == "__main__":
    main()
