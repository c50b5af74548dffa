"""New rows or second opinions: recorded answers of a crowd, bought one after the other.

    python benchmarks/active_lab.py --data DIR [--seeds N] [--answers N] [--batch-size N]

The crowd is LabelMe (2,547 answers of 59 people about 1,000 images): someone can be asked about a
row only if their answer was recorded. All ways to buy start with the same 100 answers and make the
consensus alike, of the answers and a logistic regression; the score is the share of all 1,000 rows
whose label is right, with the labels of the model where there is no answer.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skactive.crowds import ActiveLab, Answers

N_START = 100
TARGETS = (0.80, 0.82)
WAYS = ("ActiveLab", "any answer at random", "new rows, uncertain", "new rows, at random")


def main() -> None:
    parser = argparse.ArgumentParser(description="New rows or second opinions, on LabelMe.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="has labelme.npz")
    parser.add_argument("--seeds", type=int, default=20, metavar="N")
    parser.add_argument("--answers", type=int, default=500, metavar="N", help="of each campaign")
    parser.add_argument("--batch-size", type=int, default=25, metavar="N")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    data = np.load(options.data / "labelme.npz")
    counts = np.arange(N_START, options.answers + 1, options.batch_size)
    curves = {way: np.empty((options.seeds, len(counts))) for way in WAYS}
    with threadpool_limits(1):
        for seed in range(options.seeds):
            for way in WAYS:
                curves[way][seed] = replay(way, data, len(counts), options.batch_size, seed)
            best = {way: f"{curves[way][seed].max():.3f}" for way in WAYS}
            print(f"seed {seed}: best {best}", flush=True)
    print_table(counts, curves)


def replay(way: str, data: Any, n_rounds: int, batch_size: int, seed: int) -> Any:
    """Return the share of right labels of each round."""
    recorded, truth = data["answers"], data["y_train"]
    rng = np.random.default_rng(seed)
    left = recorded >= 0  # answers that can be bought, (n_rows, n_annotators)
    rows, people = draw_pairs(left, N_START, rng)
    X = StandardScaler().fit_transform(data["X_train"])
    lab = ActiveLab(LogisticRegression(C=0.01, max_iter=500), random_state=seed)
    start = Answers(rows, people, recorded[rows, people], classes=np.unique(truth))
    lab.fit(X, start, annotators=np.arange(recorded.shape[1]))
    scores = []
    while True:
        left[rows, people] = False
        scores.append((lab.labels_ == truth).mean())
        if len(scores) == n_rounds:
            return scores
        rows, people = choose(way, lab, left, batch_size, rng)
        lab.teach(rows, people, recorded[rows, people])


def choose(way: str, lab: ActiveLab, left: Any, n: int, rng: Any) -> tuple[Any, Any]:
    """Return rows and annotators to ask."""
    if way == "ActiveLab":
        return lab.query(n, available=left)
    if way == "any answer at random":
        return draw_pairs(left, n, rng)
    is_new = ~np.isin(np.arange(len(left)), lab.answers_.items)
    doubt = rng.random(len(left))
    if way == "new rows, uncertain":
        doubt = 1 - lab.proba_.max(axis=1)
    order = np.lexsort((rng.random(len(left)), -doubt, ~is_new))
    rows = order[left[order].any(axis=1)][:n]
    return rows, np.where(left[rows], rng.random((n, left.shape[1])), -1).argmax(axis=1)


def draw_pairs(left: Any, n: int, rng: Any) -> tuple[Any, Any]:
    """Draw answers at random."""
    rows, people = np.nonzero(left)
    drawn = rng.permutation(len(rows))[:n]
    return rows[drawn], people[drawn]


def print_table(counts: Any, curves: dict[str, Any]) -> None:
    """Print how many answers reach each target, and the mean score at some counts."""
    shown = [count for count in (200, 300, 400, 500) if count in counts]
    titles = [f"answers to {target:.2f} (ActiveLab needs fewer)" for target in TARGETS]
    print(" | ".join(["way", *titles, *(f"right at {count}" for count in shown)]))
    for way, scores in curves.items():
        cells = [way]
        for target in TARGETS:
            own = find_first(counts, scores, target)
            ours = find_first(counts, curves["ActiveLab"], target)
            missed = int(np.isinf(own).sum())
            note = f", {missed} seeds never" if missed else ""
            wins, ties = int((ours < own).sum()), int((ours == own).sum())
            beaten = "" if way == "ActiveLab" else f" ({wins} of {len(own)}, {ties} ties)"
            cells.append(f"median {np.median(own):.0f}{note}{beaten}")
        for place in np.searchsorted(counts, shown):
            error = scores[:, place].std(ddof=1) / len(scores) ** 0.5
            cells.append(f"{scores[:, place].mean():.3f} ± {error:.3f}")
        print(" | ".join(cells))


def find_first(counts: Any, scores: Any, target: float) -> Any:
    """Return the number of answers at which each seed first reaches a target."""
    reached = scores >= target
    return np.where(reached.any(axis=1), counts[reached.argmax(axis=1)].astype(float), np.inf)


if __name__ == "__main__":
    main()
