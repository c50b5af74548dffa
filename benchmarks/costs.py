"""Measure how much money it takes to reach a level where labels differ tenfold in price.

Prices lie between 1 and 10, evenly on the scale of logarithms: drawn for each row alone, or by the
order of the rows along the first principal component of the standardized features. Standardized
rows, at most 2,000 per set, logistic regression; 20 initial labels drawn at random (some 80 of
money), then 10 at a time until the money is spent; all strategies have the same splits and initial
labels. The level is the median score of Random once three quarters of the money are spent.
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


def main(arguments=None):
    """Print, by set and kind of price, the median money until the level is reached.

    In brackets: the share of the seeds in which it is less than that of Random, and of Margin.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with sets/ and multiclass/")
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
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
