r"""Is the default strategy near the best everywhere? Paired campaigns on many data sets.

Data lie outside of the project, a folder of ``NAME.npz`` with ``X`` and ``y`` each:

    python benchmarks/default_strategy.py --data DIR --folder RESULTS --regimes low,batch \
        --models logistic,svm --repeats 30 --jobs 2

Every repeat is a split (40 % test rows, at most 2,000; a pool of at most 1,200 rows), a start drawn
at random and a seed, the same for all strategies. Columns are standardized over all rows, which
takes no label, but not those of words. Classes with fewer than four rows are left out. Finished
campaigns are kept in ``--folder``; a further call goes on.

Regimes: ``low`` is 5 to 60 labels by 5, ``batch`` 20 to 200 by 10, ``one`` 5 labels to the whole
pool one by one (sets of up to 400 rows), ``large`` 20 to 520 by 50.

For each regime and model, over the sets: mean area under the learning curve minus Margin's and
Random's, with the standard error over sets; on how many sets it beats Random; and the set on which
it is worst against the better of Margin and Random. ``--details FILE`` writes a row a set.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from pathlib import Path

import numpy as np
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
SMALL = 400  # rows of a set whose pool is bought whole, one by one
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
POOL, TEST = 1200, 2000
WORDS = 0.95  # share of zeros from which columns are words


def load(path):
    """Rows in standard units, and their classes, without those of fewer than four rows.

    Rows that are mostly zeros, counts of words, stay as they are: in standard units the rarest
    words would outweigh all others.
    """
    with np.load(path, allow_pickle=False) as file:
        X, y = file["X"].astype(np.float64), np.unique(file["y"], return_inverse=True)[1]
    kept = np.bincount(y)[y] >= 4
    X, y = X[kept], np.unique(y[kept], return_inverse=True)[1]
    if np.mean(X == 0) > WORDS:
        return X, y
    spread = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0), y


def splits(X, y, n_repeats):
    """The same rows for every strategy, model and regime."""
    found = []
    for repeat in range(n_repeats):
        cut = StratifiedShuffleSplit(1, test_size=0.4, random_state=repeat)
        pool, test = next(cut.split(X, y))
        found.append((np.sort(pool[:POOL]), np.sort(test[:TEST])))
    return found


def areas(path, regime, model, strategies, arguments):
    """Area under the learning curve, by strategy, for each repeat."""
    X, y = load(path)
    if regime == "one" and len(y) > SMALL:
        return None
    comparison = compare_strategies(
        MODELS[model],
        {name: STRATEGIES[name] for name in strategies},
        X,
        y,
        cv=splits(X, y, arguments.repeats),
        n_jobs=arguments.jobs,
        random_state=0,
        folder=Path(arguments.folder) / f"{regime}-{model}-{path.stem}-{arguments.repeats}",
        **REGIMES[regime],
    )
    if comparison.failures:
        n, first = len(comparison.failures), comparison.failures[0]
        print(f"{path.stem}, {model}: {n} campaigns failed; the first: {first.message}")
    return comparison.areas()


def summary(regime, model, found):
    """Print one table: how each strategy did over the sets."""
    print(f"\n{regime}, {model}: {len(found)} sets")
    print("| strategy | - Margin | - Random | beats Random | worst set | by |")
    print("|---|---|---|---|---|---|")
    means = {name: {s: np.mean(a) for s, a in sets.items()} for name, sets in found.items()}
    for strategy in next(iter(means.values())):
        to_margin, to_random, to_better = (
            np.array([mean[strategy] - other(mean) for mean in means.values()])
            for other in (
                lambda mean: mean["Margin"],
                lambda mean: mean["Random"],
                lambda mean: max(mean["Margin"], mean["Random"]),
            )
        )
        error = to_margin.std(ddof=1) / np.sqrt(len(to_margin)) if len(to_margin) > 1 else np.nan
        worst = list(means)[int(to_better.argmin())]
        print(
            f"| {strategy} | {to_margin.mean():+.4f} ± {error:.4f} | {to_random.mean():+.4f} | "
            f"{np.mean(to_random > 0):.0%} | {worst} | {to_better.min():+.4f} |"
        )


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--sets", default="all")
    parser.add_argument("--regimes", default="low,batch")
    parser.add_argument("--models", default="logistic,svm")
    parser.add_argument("--strategies", default="Random,Margin,Auto")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--details", type=Path)
    arguments = parser.parse_args(argv)
    paths = sorted(arguments.data.glob("*.npz"))
    if arguments.sets != "all":
        paths = [path for path in paths if path.stem in arguments.sets.split(",")]
    warnings.simplefilter("ignore")  # small nets and logistic models that do not converge
    rows = []
    for regime in arguments.regimes.split(","):
        for model in arguments.models.split(","):
            names = arguments.strategies.split(",")
            every = {path.stem: areas(path, regime, model, names, arguments) for path in paths}
            found = {name: sets for name, sets in every.items() if sets is not None}
            summary(regime, model, found)
            rows += [
                (regime, model, name, strategy, f"{np.mean(a):.4f}", f"{np.std(a, ddof=1):.4f}")
                for name, sets in found.items()
                for strategy, a in sets.items()
            ]
    if arguments.details:
        with arguments.details.open("w", newline="") as file:
            csv.writer(file).writerows(
                [("regime", "model", "set", "strategy", "mean area", "deviation"), *rows]
            )


if __name__ == "__main__":
    main()
