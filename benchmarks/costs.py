"""Measure what knowing the costs of labels is worth: prices that differ tenfold, recorded times.

How much money it takes to reach a level:

Prices lie between 1 and 10, evenly on the scale of logarithms: drawn for each row alone, or by the
order of the rows along the first principal component of the standardized features. Standardized
rows, at most 2,000 per set, logistic regression; 20 initial labels drawn at random (some 80 of
money), then 10 at a time until the money is spent; all strategies have the same splits and initial
labels. The level is the median score of Random once three quarters of the money are spent.

How well times are foreseen: those of CIFAR-10N, seconds for ten pictures by one of 747 people.
CostModel learns from a share of the records, drawn at random, and predicts the others; 20 draws.
Beside it, the constant of the least error: the median or the mean of the records learned from.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skactive.comparison import compare_strategies
from skactive.costs import CostModel
from skactive.metrics import labels_to_reach
from skactive.strategies import Margin, PerCost, Random

STRATEGIES = {
    "Random": Random(),
    "Margin": Margin(),
    "PerCost(Margin)": PerCost(Margin()),
    "PerCost, exponent=0.5": PerCost(Margin(), exponent=0.5),
}
SETS = {"digits": None, "spambase": "sets/spambase.npz", "optdigits": "multiclass/optdigits.npz"}
MODEL = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
MAX_ROWS = 2000
TIMES = "crowd/cifar10n.npz"
N_DRAWS = 20


def load(name, folder):
    """Return the rows and labels of a set, at most 2,000 drawn at random."""
    if SETS[name] is None:
        X, y = load_digits(return_X_y=True)
    else:
        with np.load(folder / SETS[name]) as data:
            X, y = data["X"], data["y"]
    rows = np.random.RandomState(0).permutation(len(X))[:MAX_ROWS]
    return X[rows], y[rows]


def draw_prices(X):
    """Return prices that do not depend on the rows."""
    return 10 ** np.random.RandomState(1).uniform(size=len(X))


def order_prices(X):
    """Return prices that rise along the direction in which the rows vary most."""
    along = PCA(1, random_state=0).fit_transform(StandardScaler().fit_transform(X))[:, 0]
    return 10 ** (along.argsort().argsort() / (len(X) - 1))


PRICES = {"independent": draw_prices, "along the features": order_prices}


def play(X, y, prices, options):
    """Return the money spent and the scores of each campaign, by strategy and seed."""
    comparison = compare_strategies(
        MODEL,
        STRATEGIES,
        X,
        y,
        costs=prices,
        budget=options.money,
        n_initial=20,
        n_repeats=options.seeds,
        random_state=0,
    )
    curves = {name: [] for name in STRATEGIES}
    for run in comparison.runs:
        curves[run.strategy].append((run.costs, run.scores))
    return curves


def find_level(curves, money):
    """Return the median score after that much money, of the last round that it pays."""
    return float(np.median([scores[spent <= money][-1] for spent, scores in curves]))


def describe(curves, money):
    """Return the cells of a row: the level, and by strategy the money and how often it is less."""
    level, needed = find_level(curves["Random"], 0.75 * money), {}
    cells = [f"{level:.3f}"]
    for name, runs in curves.items():
        needed[name] = np.array([labels_to_reach(spent, scores, level) for spent, scores in runs])
        rivals = [rival for rival in ("Random", "Margin") if name not in ("Random", rival)]
        shares = [f"{np.mean(needed[name] < needed[rival]):.0%}" for rival in rivals]
        cells.append(f"{np.median(needed[name]):.0f}" + f" ({', '.join(shares)})" * bool(shares))
    return cells


def print_times(folder):
    """Print, by the share of the records learned from, the errors of CostModel and constants."""
    with np.load(folder / TIMES) as data:
        seconds = data["side_seconds"].ravel().astype(np.float64)
        people = data["side_worker"].ravel()
    names = ["CostModel", "median", "mean"]
    print(f"| learned from | {' | '.join(names)} | less than the better constant |")
    print("|---" * (len(names) + 2) + "|")
    for share in (0.02, 0.1, 0.5, 0.9):
        errors = np.array([find_errors(seconds, people, share, seed) for seed in range(N_DRAWS)])
        saved = 1 - errors[:, 0] / errors[:, 1:].min(axis=1)
        cells = [f"{error:.2f} s" for error in errors.mean(axis=0)]
        print(
            f"| {round(share * len(seconds)):,} of {len(seconds):,} | {' | '.join(cells)} | "
            f"{saved.mean():.0%} ({saved.min():.0%} to {saved.max():.0%}) |"
        )


def find_errors(seconds, people, share, seed):
    """Return the median absolute errors of CostModel, the median and the mean of one draw."""
    order = np.random.RandomState(seed).permutation(len(seconds))
    known, new = np.split(order, [round(share * len(order))])
    model = CostModel().fit(None, seconds[known], annotator=people[known])
    guesses = (
        model.predict(len(new), annotator=people[new]),
        np.median(seconds[known]),
        np.mean(seconds[known]),
    )
    return [np.median(np.abs(guess - seconds[new])) for guess in guesses]


def main(arguments=None):
    """Print the median money until the level is reached, and the errors of foreseen times.

    The money by set and kind of price; in brackets the share of the seeds in which it is less than
    that of Random, and of Margin.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with sets/, multiclass/ and crowd/")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=SETS)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--money", type=float, default=400.0)
    options = parser.parse_args(arguments)
    if options.data is None and set(options.sets) != {"digits"}:
        parser.error("--data is needed for all sets but digits: add it, or --sets digits")
    began = time.process_time()
    header = ["set", "prices", "level", *STRATEGIES]
    print(f"| {' | '.join(header)} |\n{'|---' * len(header)}|")
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for name in options.sets:
            X, y = load(name, options.data)
            for kind, price in PRICES.items():
                cells = describe(play(X, y, price(X), options), options.money)
                print(f"| {' | '.join([name, kind, *cells])} |", flush=True)
    if options.data is not None and (options.data / TIMES).exists():
        print()
        print_times(options.data)
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
