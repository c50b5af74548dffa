"""Labels from the answers of several people: accuracy and speed on public crowds, beside crowd-kit.

    python benchmarks/crowds.py --data DIR                  dog, face_sentiment, labelme, cifar10n
    python benchmarks/crowds.py --data DIR --rival FOLDER   and crowd-kit, installed there by
                                                            pip install --target FOLDER
    python benchmarks/crowds.py --million                   1e6 items with three answers

Seconds are the best of three runs, with one thread.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skactive.crowds import GLAD, MACE, Answers, CrowdLab, DawidSkene, MajorityVote, OneCoin

MODELS = {
    "MajorityVote": MajorityVote(),
    "DawidSkene": DawidSkene(),
    "OneCoin": OneCoin(),
    "GLAD": GLAD(),
    "MACE": MACE(random_state=0),
}
THEIR_NAMES = {"OneCoin": "OneCoinDawidSkene"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Models of annotators on public crowds.")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the crowds")
    parser.add_argument("--rival", metavar="FOLDER", help="folder with crowd-kit")
    parser.add_argument("--million", action="store_true", help="1e6 items with three answers")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        if options.million:
            measure_million()
        if options.data is not None:
            if options.rival is not None:
                sys.path.append(options.rival)
            compare_models(options.data, options.rival is not None)


def compare_models(folder: Path, with_rival: bool) -> None:
    """Print a line per crowd and model."""
    print("crowd | answers | model | right | s | crowd-kit: right | s | times faster")
    for name, answers, truth in read_crowds(folder):
        for label, model in MODELS.items():
            seconds, fitted = time_best(partial(model.fit, answers))
            right = (fitted.labels_ == truth[fitted.items_]).mean()
            cells = [name, f"{len(answers):,}", label, f"{right:.4f}", f"{seconds:.4f}"]
            if with_rival:
                theirs, their_right = run_rival(THEIR_NAMES.get(label, label), answers, truth)
                cells += [f"{their_right:.4f}", f"{theirs:.2f}", f"{theirs / seconds:.0f}"]
            print(" | ".join(cells), flush=True)
    measure_crowd_lab(folder)


def read_crowds(folder: Path) -> Iterator[tuple[str, Answers, Any]]:
    """Yield name, answers and truth of each crowd."""
    for name in ("dog", "face_sentiment"):
        data = np.load(folder / f"{name}.npz")
        yield name, Answers(data["item"], data["worker"], data["answer"]), data["truth"]
    data = np.load(folder / "labelme.npz")
    yield "labelme", Answers.from_matrix(data["answers"], missing=-1), data["y_train"]
    data = np.load(folder / "cifar10n.npz")
    columns = np.stack([data[f"random_label{i}"] for i in (1, 2, 3)], axis=1)
    yield "cifar10n", Answers.from_matrix(columns), data["clean_label"]


def run_rival(name: str, answers: Answers, truth: Any) -> tuple[float, float]:
    """Return seconds and share of right labels of crowd-kit's model, one run."""
    import crowdkit.aggregation
    import pandas as pd

    frame = pd.DataFrame(
        {
            "task": answers.items[answers.item_codes],
            "worker": answers.annotators[answers.annotator_codes],
            "label": answers.classes[answers.label_codes],
        }
    )
    model = getattr(crowdkit.aggregation, name)()
    began = time.perf_counter()
    labels = model.fit_predict(frame)
    seconds = time.perf_counter() - began
    return seconds, float((labels.to_numpy() == truth[labels.index.to_numpy()]).mean())


def measure_crowd_lab(folder: Path) -> None:
    """Print the consensus on LabelMe with a model as one more annotator."""
    data = np.load(folder / "labelme.npz")
    answers, truth = Answers.from_matrix(data["answers"], missing=-1), data["y_train"]
    labels = DawidSkene().fit(answers).labels_
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    proba = cross_val_predict(classifier, data["X_train"], labels, cv=5, method="predict_proba")
    print(f"labelme: the model alone {(proba.argmax(axis=1) == truth).mean():.3f}", end="")
    for name, model in (MODELS | {"CrowdLab": CrowdLab()}).items():
        found = model.fit(answers, proba=proba).labels_
        print(f"; {name} with it {(found == truth).mean():.3f}", end="")
    print()


def measure_million() -> None:
    """Print time and memory of 20 iterations on 1e6 items with three answers each."""
    rng, n = np.random.default_rng(0), 10**6
    truth = rng.integers(10, size=n)
    items, people = np.repeat(np.arange(n), 3), rng.integers(1000, size=3 * n)
    right = rng.random(3 * n) < 0.8
    labels = np.where(right, truth[items], rng.integers(10, size=3 * n))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    model = DawidSkene(max_iter=20, tol=1e-12).fit(Answers(items, people, labels))
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    share = (model.labels_ == truth).mean()
    print(
        f"1e6 items, 3e6 answers, 1,000 annotators, 10 classes: {model.n_iter_} iterations in "
        f"{seconds:.1f} s, peak {peak:.0f} MiB ({before:.0f} before), {share:.4f} right"
    )


def time_best(run: Callable[[], Any], n: int = 3) -> tuple[float, Any]:
    best, result = np.inf, None
    for _ in range(n):
        began = time.perf_counter()
        result = run()
        best = min(best, time.perf_counter() - began)
    return best, result


if __name__ == "__main__":
    main()
