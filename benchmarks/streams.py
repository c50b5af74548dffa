r"""Measure streams: the share bought, the accuracy against random purchases, and the speed.

    python benchmarks/streams.py shares                          share bought, by budget and policy
    python benchmarks/streams.py accuracy [--seeds 10]           prequential accuracy, budget 0.1
    python benchmarks/streams.py speed [--rival PYTHON]          offers per second

Rows are offered 20 at a time to an incremental learner (SGDClassifier, 20 initial labels), which is
then taught those that it bought: labels come a little later. `shares` offers 10,000 rows of a
stable stream of two classes. `accuracy` offers three streams, each without and with a drift: a
hyperplane in 10 dimensions that rotates by half a turn, the concepts of SEA (a threshold on the sum
of two of three features, of four different heights, 10 % of the labels flipped), each 2,500 rows
long, and the 1,797 digits, shuffled or with two new classes after every fifth of the stream in
place of two old ones. Each row is predicted before it is offered (prequential accuracy). It prints,
per stream, the mean over seeds for RandomPurchase, and the paired differences to it of the other
policies with their standard errors, in points.

`speed` takes CPU time, rows one at a time, a tenth of the offers bought and taught at once. With
`--rival`, a Python with scikit-activeml runs `streams_rival.py` on the same rows.
"""

from __future__ import annotations

import argparse
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits, make_classification
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skactive import ActiveLearner
from skactive.exceptions import SkactiveWarning
from skactive.streams import (
    DensityFilter,
    FixedUncertainty,
    PageHinkley,
    QuantileFilter,
    RandomPurchase,
    RandomVariableUncertainty,
    Split,
    StreamLearner,
    VariableUncertainty,
)

N_START = 20
BUDGETS = (0.01, 0.05, 0.1, 0.2, 0.4)
POLICIES = {
    "RandomPurchase": RandomPurchase(),
    "FixedUncertainty": FixedUncertainty(),
    "VariableUncertainty": VariableUncertainty(),
    "RandomVariableUncertainty": RandomVariableUncertainty(),
    "Split": Split(),
    "DensityFilter": DensityFilter(),
    "QuantileFilter": QuantileFilter(),
    "Split of QuantileFilter": Split(QuantileFilter()),
}
Rows = tuple[np.ndarray, np.ndarray]


# Streams ------------------------------------------------------------------------------------------


def make_hyperplane(rng: np.random.RandomState, drifts: bool, n: int = 2500) -> Rows:
    X = rng.normal(size=(n, 10))
    start, other = np.linalg.qr(rng.normal(size=(10, 2)))[0].T  # orthogonal unit vectors
    angles = np.linspace(0.0, np.pi, n) if drifts else np.zeros(n)
    normals = np.cos(angles)[:, None] * start + np.sin(angles)[:, None] * other  # (n, 10)
    return X, ((X * normals).sum(axis=1) > 0).astype(int)


def make_sea(rng: np.random.RandomState, drifts: bool, n: int = 2500) -> Rows:
    X = rng.uniform(0.0, 10.0, size=(n, 3))
    heights = np.repeat([8.0, 9.0, 7.0, 9.5], -(-n // 4))[:n] if drifts else np.full(n, 8.0)
    y = (X[:, 0] + X[:, 1] <= heights) ^ (rng.uniform(size=n) < 0.1)
    return (X - 5.0) / 2.9, y.astype(int)


def make_digits(rng: np.random.RandomState, drifts: bool) -> Rows:
    X, y = load_digits(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    order = rng.permutation(len(y))
    if drifts:  # digit d belongs to the fifths d // 2 and d // 2 + 1, the first with the last
        first = rng.uniform(size=len(y)) < 0.5
        fifth = (rng.permutation(10)[y] // 2 + first) % 5
        order = order[np.argsort(fifth[order], kind="stable")]
    return X[order], y[order]


STREAMS: dict[str, Callable[[np.random.RandomState, bool], Rows]] = {
    "hyperplane": make_hyperplane,
    "SEA": make_sea,
    "digits": make_digits,
}


# Runs ---------------------------------------------------------------------------------------------


def start(X: np.ndarray, y: np.ndarray, policy: Any, seed: int, **params: Any) -> StreamLearner:
    model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.05)
    learner = ActiveLearner(model, incremental=True, classes=np.unique(y))
    stream = StreamLearner(learner, policy, random_state=seed, window=200, **params)
    return stream.fit(X[:N_START], y[:N_START])


def play(stream: StreamLearner, X: np.ndarray, y: np.ndarray, block: int = 20) -> Iterator[float]:
    """Offer all rows but the first, and teach what is bought; yield the accuracy in each row."""
    for first in range(N_START, len(y), block):
        rows = np.arange(first, min(first + block, len(y)))
        yield from (stream.predict(X[rows]) == y[rows]).tolist()
        bought = rows[stream.offer(X[rows]).buy]
        if len(bought):
            stream.teach(X[bought], y[bought])


def play_one_by_one(stream: StreamLearner, X: np.ndarray, y: np.ndarray) -> None:
    """Offer rows one at a time, and teach each at once."""
    for i in range(N_START, len(y)):
        if stream.offer(X[i : i + 1]):
            stream.teach(X[i : i + 1], y[i : i + 1])


def measure_accuracy(stream: StreamLearner, X: np.ndarray, y: np.ndarray) -> float:
    """Measure the prequential accuracy: each row is predicted by the model that it meets."""
    return float(np.mean(list(play(stream, X, y))))


def measure_share(stream: StreamLearner, X: np.ndarray, y: np.ndarray) -> float:
    """Measure the share of the offers that is bought."""
    for _ in play(stream, X, y):
        pass
    return stream.n_bought_ / stream.n_offers_


def print_shares() -> None:
    X, y = make_classification(10_000 + N_START, 20, class_sep=1.5, flip_y=0.05, random_state=0)
    print("| policy |" + "".join(f" {budget:g} |" for budget in BUDGETS))
    for name, policy in POLICIES.items():
        shares = [measure_share(start(X, y, policy, 0, budget=budget), X, y) for budget in BUDGETS]
        print(f"| {name} |" + "".join(f" {share:.4f} |" for share in shares), flush=True)


def print_accuracy(n_seeds: int, streams: list[str]) -> None:
    settings: dict[str, dict[str, Any]] = {name: {"policy": p} for name, p in POLICIES.items()}
    settings["QuantileFilter, PageHinkley"] = {"policy": QuantileFilter(), "drift": PageHinkley()}
    for stream in streams:
        make = STREAMS[stream]
        for drifts in (False, True):
            scores: dict[str, list[float]] = {name: [] for name in settings}
            for seed in range(n_seeds):
                X, y = make(np.random.RandomState(seed), drifts)
                for name, params in settings.items():
                    learner = start(X, y, seed=seed, budget=0.1, **params)
                    scores[name].append(100.0 * measure_accuracy(learner, X, y))
            _print_scores(f"{stream}, {'drift' if drifts else 'stable'}", scores)


def _print_scores(stream: str, scores: dict[str, list[float]]) -> None:
    base = np.array(scores.pop("RandomPurchase"))
    print(f"{stream}: RandomPurchase {base.mean():.1f}")
    for name, values in scores.items():
        gains = np.array(values) - base
        error = gains.std(ddof=1) / np.sqrt(len(gains))
        print(f"    {name:28} {gains.mean():+5.1f} ({error:.1f})", flush=True)


def print_speed(rival: str | None) -> None:
    X, y = make_classification(3000 + N_START, 20, random_state=0)
    model = SGDClassifier(loss="log_loss").fit(X[:N_START], y[:N_START])
    seconds = time_of(lambda: [model.predict_proba(X[i : i + 1]) for i in range(3000)])
    print(f"predict_proba of one row alone: {3000 / seconds:.0f} per second")
    for name in ("QuantileFilter", "VariableUncertainty", "Split", "DensityFilter"):
        for drift in (None, PageHinkley()):
            stream = start(X, y, POLICIES[name], 0, budget=0.1, drift=drift)
            seconds = time_of(lambda stream=stream: play_one_by_one(stream, X, y))
            print(f"{name}, drift={drift}: {3000 / seconds:.0f} offers per second", flush=True)
    if rival is not None:
        script = Path(__file__).with_name("streams_rival.py")
        subprocess.run([rival, str(script)], check=True)


def time_of(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["shares", "accuracy", "speed"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--streams", nargs="+", choices=STREAMS, default=list(STREAMS))
    parser.add_argument("--rival", default=None)
    options = parser.parse_args()
    warnings.simplefilter("ignore", SkactiveWarning)
    with threadpool_limits(1):
        if options.part == "shares":
            print_shares()
        elif options.part == "accuracy":
            print_accuracy(options.seeds, options.streams)
        else:
            print_speed(options.rival)
