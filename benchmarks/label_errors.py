"""Wrong labels found: precision at the number of errors, beside cleanlab on equal probabilities.

    python benchmarks/label_errors.py --data DIR      AG News (TF-IDF), MNIST; digits without it

Labels of some rows are changed to another class at random. The model predicts each row in five
folds; rows are ranked by the quality of their labels, and of the worst, as many as there are
errors, the share is counted that are errors. cleanlab ranks the same probabilities.
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
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skactive.quality import LabelQuality

SHARES = (0.05, 0.1, 0.2)
METHODS = {  # cleanlab's, and ours
    "self_confidence": "self_confidence",
    "normalized_margin": "margin",
    "confidence_weighted_entropy": None,
    "odds": "odds",
}
THEIR_METHODS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")


class DataSet(NamedTuple):
    """Rows, true labels, and a model."""

    name: str
    X: Any
    y: Any
    model: Any


def main() -> None:
    parser = argparse.ArgumentParser(description="Wrong labels found, beside cleanlab.")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with text/ and mnist/")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    columns = ["data", "errors", "method", "ours", "cleanlab"]
    columns += [f"suspects ({who}): precision, recall" for who in ("ours", "odds of 9", "cleanlab")]
    print(" | ".join(columns))
    with threadpool_limits(1):
        for data in read_sets(options.data):
            start = time.perf_counter()
            for share in SHARES:
                runs = [measure(data, share, seed) for seed in range(options.seeds)]
                print_rows(data.name, share, runs)
            print(f"({data.name}: {time.perf_counter() - start:.0f} s)", flush=True)


def read_sets(folder: Path | None) -> Iterator[DataSet]:
    """Yield the sets that there are."""
    X, y = load_digits(return_X_y=True)
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    yield DataSet("digits", X, y, logistic)
    if folder is None:
        return
    with gzip.open(folder / "text" / "ag_news.train5k.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    texts = TfidfVectorizer(sublinear_tf=True, min_df=2).fit_transform([r["text"] for r in rows])
    yield DataSet("AG News", texts, np.array([int(r["label"]) for r in rows]),
                  LogisticRegression(C=10.0, max_iter=500))  # fmt: skip
    mnist = np.load(folder / "mnist" / "mnist.npz")
    pixels = mnist["X_train"][:3000] / 255.0
    yield DataSet("MNIST, 3,000", pixels, mnist["y_train"][:3000].astype(np.intp),
                  LogisticRegression(C=0.05, max_iter=100))  # fmt: skip


def measure(data: DataSet, share: float, seed: int) -> dict[str, dict[str, float]]:
    """Return precision at the number of errors by method, and that of the suspects."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    given, is_wrong = change_labels(data.y, share, seed)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    found = LabelQuality(data.model, cv=folds).fit(data.X, given)
    results = {}
    for theirs, ours in METHODS.items():
        row = {}
        if theirs in THEIR_METHODS:
            scores = get_label_quality_scores(given, found.proba_, method=theirs)
            row["cleanlab"] = find_precision(scores, is_wrong)
        if ours is not None:
            mine = LabelQuality(method=ours).fit(None, given, proba=found.proba_)
            row["ours"] = find_precision(mine.quality_, is_wrong)
        results[theirs] = row
    issues = np.flatnonzero(find_label_issues(given, found.proba_))
    sure = LabelQuality(sure_odds=9.0).fit(None, given, proba=found.proba_)
    sets = {"ours": found.suspects_, "odds of 9": sure.suspects_, "cleanlab": issues}
    for name, rows in sets.items():
        right = is_wrong[rows].sum()
        results["self_confidence"][f"{name} precision"] = right / len(rows)
        results["self_confidence"][f"{name} recall"] = right / is_wrong.sum()
    return results


def change_labels(y: Any, share: float, seed: int) -> tuple[Any, Any]:
    """Return labels of which a share is changed to another class, and which were changed."""
    rng = np.random.default_rng(seed)
    classes, codes = np.unique(y, return_inverse=True)
    is_wrong = np.zeros(len(y), dtype=bool)
    is_wrong[rng.choice(len(y), round(share * len(y)), replace=False)] = True
    steps = np.where(is_wrong, rng.integers(1, len(classes), size=len(y)), 0)
    return classes[(codes + steps) % len(classes)], is_wrong


def find_precision(quality: Any, is_wrong: Any) -> float:
    """Return the share of errors among the worst rows, as many as there are errors."""
    worst = np.argsort(quality, kind="stable")[: is_wrong.sum()]
    return float(is_wrong[worst].mean())


def print_rows(name: str, share: float, runs: list[dict[str, dict[str, float]]]) -> None:
    """Print a line per method: means, and the standard error of those of ours."""
    for method in METHODS:
        rows = [run[method] for run in runs]
        cells = [name, f"{100 * share:.0f} %", method]
        cells.append(describe(rows, "ours", with_error=True))
        cells.append(describe(rows, "cleanlab"))
        for who in ("ours", "odds of 9", "cleanlab"):
            pair = [describe(rows, f"{who} {measure}") for measure in ("precision", "recall")]
            cells.append(", ".join(figure for figure in pair if figure))
        print(" | ".join(cells), flush=True)


def describe(rows: list[dict[str, float]], key: str, *, with_error: bool = False) -> str:
    """Return the mean of a figure over the seeds."""
    values = np.array([row[key] for row in rows if key in row])
    if not len(values):
        return ""
    error = f" +- {values.std(ddof=1) / np.sqrt(len(values)):.3f}" if with_error else ""
    return f"{values.mean():.3f}{error}"


if __name__ == "__main__":
    main()
