r"""Compare the default strategy with others in paired campaigns on many data sets.

The data are a folder of files ``NAME.npz`` with ``X`` and ``y``, as `default_strategy_sets.py`
gathers and builds them:

    python benchmarks/default_strategy_sets.py --data DATA --folder SETS
    python benchmarks/default_strategy.py --data SETS --folder RESULTS --fold judge \
        --regimes low,batch --models logistic,svm --repeats 30 --jobs 2

A change of the default strategy is chosen on the sets of ``--fold choose`` and judged on those of
``--fold judge``; which set is on which side has nothing to do with results.

Each repeat has a split (40 % test rows, at most 2,000; a pool of at most ``--pool`` rows), random
initial labels and a seed, the same for all strategies. Columns are standardized over all rows,
which needs no labels; columns of two values become 0 and 1, and counts of words stay as they are.
Classes with fewer than four rows are left out. Finished campaigns are stored in ``--folder``;
another call resumes from them.

Regimes: ``low`` is 5 to 60 labels by 5, ``batch`` 20 to 200 by 10, ``one`` 5 labels to the whole
pool one by one (sets of up to 400 rows), ``large`` 20 to 520 by 50.

Print for each regime and model, over the sets: the mean area under the learning curve minus those
of Margin and Random, with the standard errors over sets; the share of sets on which it beats
Random; and the three sets on which it is worst compared with the better of Margin and Random. A
second table has the difference from the better of the two for each kind of built sets.
``--details FILE`` writes one row per set and strategy.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from pathlib import Path

import numpy as np
from default_strategy_sets import find_fold, find_kind
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from skactive.comparison import compare_strategies
from skactive.strategies import (
    BADGE,
    Auto,
    KCenterGreedy,
    Margin,
    MaxHerding,
    Random,
    TypiClust,
    UHerding,
)

REGIMES = {
    "low": {"n_initial": 5, "budget": 60, "batch_size": 5},
    "batch": {"n_initial": 20, "budget": 200, "batch_size": 10},
    "one": {"n_initial": 5, "budget": 10**6, "batch_size": 1},
    "large": {"n_initial": 20, "budget": 520, "batch_size": 50},
}
MAX_ROWS_ONE_BY_ONE = 400  # of a set whose whole pool is labeled one by one
MODELS = {
    "logistic": LogisticRegression(max_iter=300),
    "svm": SVC(),
    "forest": RandomForestClassifier(50),
    "mlp": MLPClassifier((50,), max_iter=150),
}
STRATEGIES = {
    "Random": Random(),
    "Margin": Margin(),
    "Auto": Auto(),
    "UHerding": UHerding(),
    "MaxHerding": MaxHerding(),
    "TypiClust": TypiClust(),
    "BADGE": BADGE(),
    "KCenterGreedy": KCenterGreedy(),
}
N_TEST = 2000
MIN_ZEROS = 0.95  # share of zeros above which columns are counts of words


def load(path):
    """Return standardized rows and their classes, without classes of fewer than four rows.

    Counts of words (rows that are mostly zeros) are returned as they are, as a sparse matrix:
    standardized, the rarest words would outweigh all others. So would rare categories: columns of
    two values become 0 and 1.
    """
    with np.load(path, allow_pickle=False) as file:
        X, y = file["X"].astype(np.float64), np.unique(file["y"], return_inverse=True)[1]
    is_frequent = np.bincount(y)[y] >= 4
    X, y = X[is_frequent], np.unique(y[is_frequent], return_inverse=True)[1]
    if np.mean(X == 0) > MIN_ZEROS:
        return sparse.csr_matrix(X), y
    low, high = X.min(axis=0), X.max(axis=0)
    is_binary = ((low == X) | (high == X)).all(axis=0)
    center = np.where(is_binary, low, X.mean(axis=0))
    scale = np.where(is_binary, high - low, X.std(axis=0))
    return (X - center) / np.where(scale > 0, scale, 1.0), y


def make_splits(X, y, n_repeats, n_pool):
    """Return one split per repeat, the same for every strategy, model and regime."""
    splits = []
    for repeat in range(n_repeats):
        splitter = StratifiedShuffleSplit(1, test_size=0.4, random_state=repeat)
        pool, test = next(splitter.split(X, y))
        splits.append((np.sort(pool[:n_pool]), np.sort(test[:N_TEST])))
    return splits


def compute_areas(path, regime, model, strategies, options):
    """Return the areas under the learning curve, by strategy, one per repeat."""
    X, y = load(path)
    if regime == "one" and len(y) > MAX_ROWS_ONE_BY_ONE:
        return None
    comparison = compare_strategies(
        MODELS[model],
        {name: STRATEGIES[name] for name in strategies},
        X,
        y,
        cv=make_splits(X, y, options.repeats, options.pool),
        n_jobs=options.jobs,
        random_state=0,
        folder=Path(options.folder) / f"{regime}-{model}-{path.stem}-{options.repeats}",
        **REGIMES[regime],
    )
    if comparison.failures:
        n, first = len(comparison.failures), comparison.failures[0]
        print(f"{path.stem}, {model}: {n} campaigns failed; the first: {first.message}")
    return comparison.areas()


def print_summary(regime, model, areas_by_set):
    """Print one table with one line per strategy, and one with the built kinds."""
    means = {
        name: {strategy: np.mean(areas) for strategy, areas in by_strategy.items()}
        for name, by_strategy in areas_by_set.items()
    }
    kinds = [find_kind(name) for name in means]
    print(f"\n{regime}, {model}: {len(means)} sets")
    print("| strategy | - Margin | - Random | beats Random | worst sets, - the better |")
    print("|---|---|---|---|---|")
    for strategy in next(iter(means.values())):
        minus_margin, minus_random, minus_better = compute_differences(means, strategy)
        worst = ", ".join(
            f"{list(means)[i]} {minus_better[i]:+.3f}" for i in minus_better.argsort()[:3]
        )
        print(
            f"| {strategy} | {format_mean(minus_margin)} | {format_mean(minus_random)} | "
            f"{np.mean(minus_random > 0):.0%} | {worst} |"
        )
    print_kinds(means, kinds)


def compute_differences(means, strategy):
    """Return the areas minus those of Margin, Random and the better of them, one per set."""
    area, margin, random = (
        np.array([mean[name] for mean in means.values()]) for name in (strategy, "Margin", "Random")
    )
    return area - margin, area - random, area - np.maximum(margin, random)


def format_mean(values):
    """Return the mean and its standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return f"{values.mean():+.4f} ± {error:.4f}"


def print_kinds(means, kinds):
    """Print the mean difference from the better of Margin and Random for each kind of sets."""
    names = sorted(set(kinds))
    print("\n| - the better | " + " | ".join(name.replace("_", " ") for name in names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for strategy in next(iter(means.values())):
        differences = compute_differences(means, strategy)[2]
        cells = [f"{differences[np.array(kinds) == name].mean():+.3f}" for name in names]
        print(f"| {strategy} | " + " | ".join(cells) + " |")


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--fold", choices=["choose", "judge", "all"], default="all")
    parser.add_argument("--sets", default="all")
    parser.add_argument("--pool", type=int, default=1200, help="rows of a pool at most")
    parser.add_argument("--regimes", default="low,batch")
    parser.add_argument("--models", default="logistic,svm")
    parser.add_argument("--strategies", default="Random,Margin,Auto")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--details", type=Path)
    options = parser.parse_args(argv)
    paths = sorted(options.data.glob("*.npz"))
    if options.fold != "all":
        paths = [path for path in paths if find_fold(path.stem) == options.fold]
    if options.sets != "all":
        paths = [path for path in paths if path.stem in options.sets.split(",")]
    warnings.simplefilter("ignore")  # small nets and logistic models that do not converge
    rows = []
    for regime in options.regimes.split(","):
        for model in options.models.split(","):
            names = options.strategies.split(",")
            by_set = {
                path.stem: areas
                for path in paths
                if (areas := compute_areas(path, regime, model, names, options)) is not None
            }
            print_summary(regime, model, by_set)
            rows += [
                (regime, model, name, strategy, f"{np.mean(a):.4f}", f"{np.std(a, ddof=1):.4f}")
                for name, by_strategy in by_set.items()
                for strategy, a in by_strategy.items()
            ]
    if options.details:
        with options.details.open("w", newline="") as file:
            csv.writer(file).writerows(
                [("regime", "model", "set", "strategy", "mean area", "deviation"), *rows]
            )


if __name__ == "__main__":
    main()
