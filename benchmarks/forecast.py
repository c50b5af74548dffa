"""How often do the intervals of `skactive.estimation` hold? Forecasts and audits, back-tested.

``python benchmarks/forecast.py backtest``: campaigns of Margin and of Random to 200 labels on the
sets in the folder that SKACTIVE_REFERENCE names (``data/sets/*.npz``, ``data/multiclass/*.npz``:
arrays X and y); forecasts from their first 60 and 100 labels to 120 and 200; how often the 90 %
interval holds the accuracy measured there, and how wide it is in the mean.

``python benchmarks/forecast.py audit``: campaigns whose audit rows are reserved at random; how
often the 95 % interval holds the accuracy on many fresh rows. It needs no data.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from skactive import ActiveLearner, SimulatedLearner
from skactive.estimation import audit, forecast_learning_curve
from skactive.exceptions import TiedScoresWarning
from skactive.strategies import Margin, Random

TWO_CLASSES = [
    *("australian", "checkerboard", "gcloudb", "ionosphere", "phishing"),
    *("ringnorm", "spambase", "tic", "wdbc"),
]
MORE_CLASSES = [
    *("covertype11k", "d31", "letter", "libras", "optdigits", "pendigits"),
    *("segment", "texture", "thyroid_ann", "waveform", "winequality_red"),
]
SETS = [*TWO_CLASSES, *MORE_CLASSES]
MODELS = {
    "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)),
    "svc": make_pipeline(StandardScaler(), SVC()),
}
STRATEGIES = {"margin": Margin(), "random": Random()}


class Curve(NamedTuple):
    """The measured learning curve of one campaign."""

    data: str
    model: str
    strategy: str
    n_labels: np.ndarray  # (n_rounds,)
    scores: np.ndarray  # (n_rounds,): accuracy on the test rows
    n_test: int


def load(name, folder):
    """Rows and labels of a set by its name."""
    for kind in ("sets", "multiclass"):
        file = Path(folder) / "data" / kind / f"{name}.npz"
        if file.exists():
            arrays = np.load(file)
            return arrays["X"], arrays["y"]
    raise FileNotFoundError(f"no {name}.npz in {folder}/data/sets or {folder}/data/multiclass")


def campaign(X, y, model, strategy, seed, budget=200):
    """Play one campaign; return its label counts, its test scores and the number of test rows."""
    order = np.random.RandomState(seed).permutation(len(X))
    n_pool = min(1000, int(0.65 * len(X)))
    pool, test = order[:n_pool], order[n_pool : n_pool + 2000]
    simulation = SimulatedLearner(
        ActiveLearner(model, strategy), budget=budget, n_initial=20, random_state=seed
    ).fit(X[pool], y[pool])
    return simulation.n_labels_, list(simulation.staged_score(X[test], y[test])), len(test)


def campaigns(folder, names=SETS, seeds=(0, 1)):
    """Play all campaigns."""
    curves = []
    for name in names:
        X, y = load(name, folder)
        for model in MODELS:
            for strategy in STRATEGIES:
                for seed in seeds:
                    n, scores, n_test = campaign(X, y, MODELS[model], STRATEGIES[strategy], seed)
                    curves.append(Curve(name, model, strategy, n, np.array(scores), n_test))
    return curves


def backtest(curves, pairs=((60, 120), (60, 200), (100, 200)), confidence=0.9):
    """Forecast each curve from its first labels; return one record for each forecast."""
    records = []
    for curve in curves:
        for known, at in pairs:
            if curve.n_labels[-1] < at:
                continue
            part = curve.n_labels <= known
            forecast = forecast_learning_curve(
                curve.n_labels[part],
                curve.scores[part],
                at,
                confidence=confidence,
                random_state=0,
            )
            truth = curve.scores[curve.n_labels == at][0]
            low, high = forecast.low[0], forecast.high[0]
            groups = (curve.data, curve.model, curve.strategy, f"{known} -> {at}")
            error = abs(forecast.median[0] - truth)
            last = abs(curve.scores[part][-1] - truth)  # what "it stays as it is" is wrong by
            records.append((groups, low <= truth <= high, high - low, error, last))
    return records


def report(records):
    """Print how often the interval held, its width and the error of the median, by group."""
    groups = defaultdict(list)
    for names, *figures in records:
        for name in ("all", *reversed(names)):
            groups[name].append(figures)
    print(f"{'':20} {'n':>5} {'held':>6} {'width':>6} {'error':>6} {'error of the last score':>24}")
    for name, figures in groups.items():
        held, width, error, last = np.mean(figures, axis=0)
        print(f"{name:20} {len(figures):5} {held:6.1%} {width:6.3f} {error:6.3f} {last:24.3f}")


def audit_coverage(n_campaigns=200, n_audit=50, budget=60, confidence=0.95):
    """Play campaigns of Margin whose audit rows are reserved at random; count intervals that hold.

    Each campaign has a problem of its own; the truth is the accuracy on 20,000 fresh rows.
    """
    held, biases, active_biases = 0, [], []
    for seed in range(n_campaigns):
        X, y = make_classification(
            20_600, n_informative=5, n_classes=3, flip_y=0.05, random_state=seed
        )
        rows = np.random.RandomState(seed).permutation(600)
        audited, pool, fresh = rows[:n_audit], rows[n_audit:], slice(600, None)
        simulation = SimulatedLearner(
            ActiveLearner(GaussianNB(), Margin()), budget=budget, random_state=seed
        ).fit(X[pool], y[pool])
        estimate = audit(simulation, X[audited], y[audited], confidence=confidence)
        truth = simulation.score(X[fresh], y[fresh])
        held += estimate.low <= truth <= estimate.high
        biases.append(estimate.value - truth)
        bought = pool[simulation.queried_]
        active_biases.append(simulation.score(X[bought], y[bought]) - truth)
    return held / n_campaigns, np.array(biases), np.array(active_biases)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["backtest", "audit"])
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    args = parser.parse_args()
    began = time.process_time()
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", TiedScoresWarning)
        warnings.filterwarnings("ignore", message="The number of unique classes")
        if args.what == "backtest":
            folder = os.environ.get("SKACTIVE_REFERENCE")
            if folder is None:
                parser.error("set SKACTIVE_REFERENCE to the folder that has data/sets/*.npz")
            report(backtest(campaigns(folder, args.sets, args.seeds)))
        else:
            share, biases, active = audit_coverage()
            print(f"the 95 % interval held the truth in {share:.1%} of {len(biases)} campaigns")
            for name, bias in (("audit rows", biases), ("training rows", active)):
                error = bias.std(ddof=1) / np.sqrt(len(bias))
                print(f"bias of the accuracy on {name}: {bias.mean():+.4f} (s.e. {error:.4f})")
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
