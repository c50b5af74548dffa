"""How right a small language model is as an annotator, by its examples and its calibration.

    python benchmarks/language_model.py --data DIR --server http://127.0.0.1:8080/v1
    python benchmarks/language_model.py --data DIR --server URL --rows 100 --only "AG News: clear"

Sentiment of sentences (SST-2) and topics of news (AG News), on a server that is running. Each line
asks about the same random rows of the test set. Replies are kept in a file (--cache), so that the
calibrations of a line share them, and a run that was stopped goes on where it was.

Accuracy counts rows without an answer as wrong. The area is that under the ROC curve, the mean over
the classes if there are several. The calibration error compares the probability of the answer with
how often it is right, in ten bins of equally many rows.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score

from skactive.annotators import Annotations, ExampleSelector, LLMAnnotator
from skactive.datasets import read_texts

N_LABELED, N_RANDOM, N_CANDIDATES = 50, 8, 200
MODEL = "SmolLM2-135M-Instruct"


class Task(NamedTuple):
    """A data set, and the words for it."""

    train: str
    test: str
    classes: dict[Any, str]
    prompt: str
    question: str
    examples: list[tuple[str, int]]  # written for the purpose: short and clear


TASKS = {
    "SST-2": Task(
        "sst2.train",
        "sst2.test",
        {0: "negative", 1: "positive"},
        "Sentence: {text}\nSentiment:",
        "Is the sentiment of this sentence from a film review negative or positive?",
        [
            ("boring and badly made .", 0),
            ("i loved every minute of it .", 1),
            ("a terrible movie .", 0),
            ("a great movie .", 1),
            ("a boring waste of time .", 0),
            ("the acting is superb and the story is moving .", 1),
            ("a dull and pointless mess .", 0),
            ("an excellent , touching film .", 1),
        ],
    ),
    "AG News": Task(
        "ag_news.train5k",
        "ag_news.test",
        {0: "World", 1: "Sports", 2: "Business", 3: "Technology"},
        "Article: {text}\nTopic:",
        "What is the topic of this piece of news?",
        [
            (
                "The president met foreign leaders for peace talks after the attack in the "
                "capital.",
                0,
            ),
            ("The team won the final game of the season with a late goal.", 1),
            ("Shares of the company fell after it reported lower quarterly profits.", 2),
            ("The new software lets users search the web from a mobile phone.", 3),
        ],
    ),
}


class Rows(NamedTuple):
    """Texts and their labels."""

    texts: list[str]
    labels: NDArray[Any]

    def take(self, positions: NDArray[np.intp]) -> Rows:
        """Return the rows at some positions."""
        return Rows([self.texts[i] for i in positions], self.labels[positions])


def main() -> None:
    parser = argparse.ArgumentParser(description="A small language model as an annotator.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of data")
    parser.add_argument("--server", required=True, metavar="URL", help="such as http://host/v1")
    parser.add_argument("--rows", type=int, default=500, help="rows of each task (500)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the rows (0)")
    parser.add_argument("--only", action="append", metavar="LINE", help="lines of the table")
    parser.add_argument("--cache", metavar="FILE", help="a file for replies")
    options = parser.parse_args()
    print("task: examples | calibration | accuracy | area | error | no answer | requests | seconds")
    for name, task in TASKS.items():
        train, test = (read_rows(options.data / "text", file) for file in (task.train, task.test))
        rng = np.random.RandomState(options.seed)
        rows = test.take(rng.permutation(len(test.texts))[: options.rows])
        labeled = train.take(rng.permutation(len(train.texts))[:N_CANDIDATES])
        for line, params in list_lines(task).items():
            label = f"{name}: {line}"
            if options.only is None or label in options.only:
                common = {"base_url": options.server, "cache": options.cache, "max_concurrency": 1}
                compare_calibrations(label, task, rows, labeled, {**common, **params})


def list_lines(task: Task) -> dict[str, dict[str, Any]]:
    """Return the settings of an annotator by the line of the table."""
    complete = {"endpoint": "completions", "prompt": task.prompt}
    chosen = ExampleSelector(n_examples=24, per_query=4, n_fixed=0, embedder=TfidfVectorizer())
    fixed = ExampleSelector(n_examples=8, per_query=8, n_fixed=8, embedder=TfidfVectorizer())
    return {
        "clear": {**complete, "examples": task.examples},
        "none, chat": {"instructions": task.question},
        "clear, chat": {"instructions": task.question, "examples": task.examples},
        "none": {**complete, "instructions": task.question},
        f"{N_RANDOM} random": {**complete, "examples": N_RANDOM},
        "8 typical": {**complete, "examples": fixed},
        "4 nearest of 24": {**complete, "examples": chosen},
    }


def compare_calibrations(
    label: str, task: Task, rows: Rows, labeled: Rows, params: dict[str, Any]
) -> None:
    """Print a line of the table for each calibration."""
    for calibration, n in list_calibrations(params.get("examples", 0)).items():
        calibrate = "labels" if "labels" in calibration else calibration
        annotator = LLMAnnotator(
            MODEL,
            classes=task.classes,
            calibrate=None if calibrate == "none" else calibrate,
            price_in=1.0,
            **params,
        )
        began = time.perf_counter()
        if n and not learn(annotator, labeled.take(np.arange(n))):
            print(f"{label} | {calibration} | too few rows have answers", flush=True)
            continue
        n_paid = n if annotator.spent_ else 0
        answers = annotator.annotate(rows.texts)
        seconds, n_paid = time.perf_counter() - began, n_paid + int((answers.cost > 0).sum())
        figures = " | ".join(f"{figure:.3f}" for figure in judge(answers, rows.labels))
        print(f"{label} | {calibration} | {figures} | {n_paid} | {seconds:.0f}", flush=True)


def learn(annotator: LLMAnnotator, labeled: Rows) -> bool:
    """Fit an annotator, and return whether enough rows had answers."""
    try:
        annotator.fit(labeled.texts, labeled.labels)
    except ValueError as error:
        if "the rows with answers" not in str(error):
            raise
        return False
    return True


def list_calibrations(examples: Any) -> dict[str, int]:
    """Return numbers of labeled rows by the calibration that they serve.

    Examples that are drawn or selected among labeled rows are the same in all calibrations; those
    that a selector leaves are too many to calibrate on.
    """
    if isinstance(examples, ExampleSelector):
        return {"none": N_CANDIDATES, "batch": N_CANDIDATES}
    if isinstance(examples, int) and examples:
        n = examples + N_LABELED
        return {"none": n, "batch": n, f"{N_LABELED} labels": n}
    return {"none": 0, "batch": 0, "10 labels": 10, f"{N_LABELED} labels": N_LABELED}


def judge(answers: Annotations, truth: NDArray[Any]) -> tuple[float, float, float, float]:
    """Return accuracy, area under the ROC curve, calibration error, and the share of no answer."""
    assert answers.proba is not None
    proba, n_classes = answers.proba, answers.proba.shape[1]
    answered = ~answers.abstained
    right = answers.labels == truth
    filled = np.where(answered[:, np.newaxis], proba, 1 / n_classes)
    scores = filled[:, 1] if n_classes == 2 else filled
    area = roc_auc_score(truth, scores, multi_class="ovr")
    error = find_calibration_error(proba[answered].max(axis=1), right[answered])
    return float(right.mean()), float(area), error, float(answers.abstained.mean())


def find_calibration_error(confidence: NDArray[Any], right: NDArray[Any]) -> float:
    """Return the mean gap between confidence and accuracy, in ten bins of as many rows."""
    order = np.argsort(confidence, kind="stable")
    if not len(order):
        return float("nan")
    bins = np.array_split(order, min(10, len(order)))
    gaps = [abs(confidence[rows].mean() - right[rows].mean()) * len(rows) for rows in bins]
    return float(sum(gaps) / len(order))


def read_rows(folder: Path, name: str) -> Rows:
    """Read texts and labels."""
    texts, labels = read_texts(folder / f"{name}.jsonl.gz")[:2]
    return Rows(list(texts), np.asarray(labels).astype(int))


if __name__ == "__main__":
    main()
