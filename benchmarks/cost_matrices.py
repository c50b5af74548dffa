"""Measure whether choosing rows by expected cost lowers the cost of decisions.

Errors of different costs: of two classes, to overlook the first one costs ten or twenty times as
much as a false alarm; of several, costs from 1 to 20, even on the scale of logarithms. At most
1,000 rows, logistic regression on standardized rows, 20 random labels, then ten at a time up to
120. All decisions, whichever strategy chose the labels, are those of the least expected cost. The
numbers are mean costs of a decision over the labels, lower is better, of paired seeds.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skactive import ActiveLearner
from skactive.comparison import compare_strategies
from skactive.metrics import area_under_learning_curve, make_cost_scorer
from skactive.strategies import LeastConfidence, Margin, Random

BUNDLED = {"breast_cancer": load_breast_cancer, "digits": load_digits}
SETS = {
    "spambase": "sets/spambase.npz",
    "segment": "multiclass/segment.npz",
    "waveform": "multiclass/waveform.npz",
}
COSTS = {"breast_cancer": [[0, 20], [1, 0]], "spambase": [[0, 10], [1, 0]]}
MODEL = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))


def load(name, folder):
    """Return at most 1,000 rows of a set, their labels as numbers from 0, and a cost matrix."""
    if name in BUNDLED:
        X, y = BUNDLED[name](return_X_y=True)
    else:
        with np.load(folder / SETS[name]) as data:
            X, y = data["X"], data["y"]
    rows = np.random.RandomState(1).permutation(len(X))[:1000]
    classes, y = np.unique(y[rows], return_inverse=True)
    n = len(classes)
    drawn = 20 ** np.random.RandomState(0).uniform(size=(n, n)) * (1 - np.eye(n))
    return X[rows], y, np.array(COSTS.get(name, drawn))


def measure(X, y, costs, n_seeds):
    """Return the mean cost over the labels of each run, by strategy, (n_seeds,)."""
    classes = np.arange(len(costs))
    comparison = compare_strategies(
        ActiveLearner(MODEL, classes=classes),
        {
            "Random": Random(),
            "Margin": Margin(),
            "Margin, costs": Margin(cost_matrix=costs),
            "LeastConfidence": LeastConfidence(),
            "LeastConfidence, costs": LeastConfidence(cost_matrix=costs),
        },
        X,
        y,
        scoring=make_cost_scorer(costs, labels=classes),
        budget=120,
        n_initial=20,
        n_repeats=n_seeds,
        random_state=0,
    )
    means = {}
    for run in comparison.runs:
        area = area_under_learning_curve(run.n_labels, run.scores)
        means.setdefault(run.strategy, []).append(-area)
    return {name: np.array(values) for name, values in means.items()}


def main(arguments=None):
    """Print the mean costs by set, and in how many seeds costs in the strategy lower them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with sets/ and multiclass/")
    parser.add_argument("--sets", nargs="*", default=[*BUNDLED, *SETS], choices=[*BUNDLED, *SETS])
    parser.add_argument("--seeds", type=int, default=8)
    options = parser.parse_args(arguments)
    if options.data is None and set(options.sets) - set(BUNDLED):
        parser.error(f"--data is needed for all sets but {' and '.join(BUNDLED)}: add it")
    began = time.process_time()
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in options.sets:
            means = measure(*load(name, options.data), options.seeds)
            if name == options.sets[0]:
                print(f"| set | {' | '.join(means)} |\n{'|---' * (len(means) + 1)}|")
            cells = []
            for strategy, values in means.items():
                plain = means.get(strategy.removesuffix(", costs"), values)
                won = f" ({(values < plain).sum()} of {len(values)})" if values is not plain else ""
                cells.append(f"{values.mean():.3f}{won}")
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
