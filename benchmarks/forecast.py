"""Back-test the intervals of `skactive.estimation`: forecasts and audits.

``python benchmarks/forecast.py backtest``: campaigns of Margin and of Random to 200 labels on the
sets in the folder that SKACTIVE_REFERENCE names (``data/sets/*.npz``, ``data/multiclass/*.npz``:
arrays X and y); forecasts from their first 60 and 100 labels to 120 and 200; how often the 90 %
interval contains the accuracy measured there, and its mean width.

``python benchmarks/forecast.py audit``: campaigns whose audit rows are reserved at random; how
often the 95 % interval contains the accuracy on many new rows. It needs no data.
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
    """Return the rows and labels of a set."""
    for kind in ("sets", "multiclass"):
        file = Path(folder) / "data" / kind / f"{name}.npz"
        if file.exists():
            arrays = np.load(file)
            return arrays["X"], arrays["y"]
    raise FileNotFoundError(f"no {name}.npz in {folder}/data/sets or {folder}/data/multiclass")


def play_campaign(X, y, model, strategy, seed, budget=200):
    """Return the label counts and test scores of one campaign, and the number of test rows."""
    order = np.random.RandomState(seed).permutation(len(X))
    n_pool = min(1000, int(0.65 * len(X)))
    pool, test = order[:n_pool], order[n_pool : n_pool + 2000]
    simulation = SimulatedLearner(
        ActiveLearner(model, strategy), budget=budget, n_initial=20, random_state=seed
    ).fit(X[pool], y[pool])
    return simulation.n_labels_, list(simulation.staged_score(X[test], y[test])), len(test)


def play_campaigns(folder, names=SETS, seeds=(0, 1)):
    """Return the curves of all sets, models, strategies and seeds."""
    curves = []
    for name in names:
        X, y = load(name, folder)
        for model in MODELS:
            for strategy in STRATEGIES:
                for seed in seeds:
                    n_labels, scores, n_test = play_campaign(
                        X, y, MODELS[model], STRATEGIES[strategy], seed
                    )
                    curves.append(Curve(name, model, strategy, n_labels, np.array(scores), n_test))
    return curves


def backtest(curves, pairs=((60, 120), (60, 200), (100, 200)), confidence=0.9):
    """Forecast each curve from its first labels; return one record per forecast."""
    records = []
    for curve in curves:
        for n_known, n_target in pairs:
            if curve.n_labels[-1] < n_target:
                continue
            is_known = curve.n_labels <= n_known
            forecast = forecast_learning_curve(
                curve.n_labels[is_known],
                curve.scores[is_known],
                n_target,
                confidence=confidence,
                random_state=0,
            )
            truth = curve.scores[curve.n_labels == n_target][0]
            low, high = forecast.low[0], forecast.high[0]
            groups = (curve.data, curve.model, curve.strategy, f"{n_known} -> {n_target}")
            error = abs(forecast.median[0] - truth)
            constant_error = abs(curve.scores[is_known][-1] - truth)  # of a constant forecast
            records.append((groups, low <= truth <= high, high - low, error, constant_error))
    return records


def report(records):
    """Print the coverage and width of the intervals and the errors, by group."""
    groups = defaultdict(list)
    for names, *figures in records:
        for name in ("all", *reversed(names)):
            groups[name].append(figures)
    print(f"{'':20} {'n':>5} {'coverage':>8} {'width':>6} {'error':>6} {'error of last score':>19}")
    for name, figures in groups.items():
        coverage, width, error, constant_error = np.mean(figures, axis=0)
        print(
            f"{name:20} {len(figures):5} {coverage:8.1%} {width:6.3f} {error:6.3f} "
            f"{constant_error:19.3f}"
        )


def measure_audit_coverage(n_campaigns=200, n_audit=50, budget=60, confidence=0.95):
    """Return the coverage of audit intervals, and the biases on audit rows and on training rows.

    Each campaign of Margin has its own problem, and audit rows that are reserved at random; the
    truth is the accuracy on 20,000 new rows.
    """
    n_covered, biases, training_biases = 0, [], []
    for seed in range(n_campaigns):
        X, y = make_classification(
            20_600, n_informative=5, n_classes=3, flip_y=0.05, random_state=seed
        )
        rows = np.random.RandomState(seed).permutation(600)
        audit_rows, pool, new_rows = rows[:n_audit], rows[n_audit:], slice(600, None)
        simulation = SimulatedLearner(
            ActiveLearner(GaussianNB(), Margin()), budget=budget, random_state=seed
        ).fit(X[pool], y[pool])
        estimate = audit(simulation, X[audit_rows], y[audit_rows], confidence=confidence)
        truth = simulation.score(X[new_rows], y[new_rows])
        n_covered += estimate.low <= truth <= estimate.high
        biases.append(estimate.value - truth)
        training_rows = pool[simulation.queried_]
        training_biases.append(simulation.score(X[training_rows], y[training_rows]) - truth)
    return n_covered / n_campaigns, np.array(biases), np.array(training_biases)


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
            report(backtest(play_campaigns(folder, args.sets, args.seeds)))
        else:
            coverage, biases, training_biases = measure_audit_coverage()
            print(f"the 95 % interval held the truth in {coverage:.1%} of {len(biases)} campaigns")
            for name, bias in (("audit rows", biases), ("training rows", training_biases)):
                error = bias.std(ddof=1) / np.sqrt(len(bias))
                print(f"bias of the accuracy on {name}: {bias.mean():+.4f} (s.e. {error:.4f})")
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
