"""Measure how much money FeatureAcquisition saves where values of features are bought.

Tables of at most 300 labeled rows of which 10 % of the cells are known, drawn at random; further
cells are bought 10 at a time, 10 times, by FeatureAcquisition among 60 candidates each time. A
price per column, from 1 to 10, even on the scale of logarithms and drawn anew with each seed, or 1
for all. The model is logistic regression whose unknown cells are the mean; its accuracy is measured
on complete rows, half of the set. Beside FeatureAcquisition: cells at random, and random cells of
the cheapest columns. All start with the same cells. The cells of the printed table are mean heights
of the accuracy over the money that all have spent.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skactive.features import FeatureAcquisition

BUNDLED = {"wine": load_wine, "breast_cancer": load_breast_cancer}
SETS = {"australian": "sets/australian.npz", "thyroid": "multiclass/thyroid.npz"}
N_BATCHES, BATCH_SIZE, N_CANDIDATES, SHARE_KNOWN = 10, 10, 60, 0.1


def load(name, folder):
    """Return the rows and labels of a set."""
    if name in BUNDLED:
        return BUNDLED[name](return_X_y=True)
    with np.load(folder / SETS[name]) as data:
        return data["X"], data["y"]


def choose_random(table, y, prices, seed):
    """Return unknown cells at random."""
    unknown = np.argwhere(np.isnan(table))
    return unknown[np.random.RandomState(seed).permutation(len(unknown))[:BATCH_SIZE]]


def choose_cheapest(table, y, prices, seed):
    """Return unknown cells of the cheapest columns, at random within a column."""
    unknown = np.argwhere(np.isnan(table))
    unknown = unknown[np.random.RandomState(seed).permutation(len(unknown))]
    return unknown[np.argsort(prices[unknown[:, 1]], kind="stable")[:BATCH_SIZE]]


def choose_by_utility(table, y, prices, seed):
    """Return the cells of the highest expected utility per price."""
    acquisition = FeatureAcquisition(n_candidates=N_CANDIDATES, random_state=seed)
    return acquisition.query_cells(table, y, prices=prices, batch_size=BATCH_SIZE)


CHOOSERS = {
    "random": choose_random,
    "cheapest": choose_cheapest,
    "FeatureAcquisition": choose_by_utility,
}


def score(table, y, X_test, y_test):
    """Return the accuracy of the model that learns from a table."""
    model = make_pipeline(
        SimpleImputer(keep_empty_features=True), StandardScaler(), LogisticRegression(max_iter=1000)
    )
    return model.fit(table, y).score(X_test, y_test)


def play(choose, data, known, prices, seed):
    """Return the money spent and the accuracy after each batch, the start included."""
    X, X_test, y, y_test = data
    table, spent = np.where(known, X, np.nan), [0.0]
    scores = [score(table, y, X_test, y_test)]
    for number in range(N_BATCHES):
        cells = tuple(choose(table, y, prices, 1000 * seed + number).T)
        table[cells] = X[cells]
        spent.append(spent[-1] + prices[cells[1]].sum())
        scores.append(score(table, y, X_test, y_test))
    return np.array(spent), np.array(scores)


def compare(X, y, seed, priced):
    """Return the mean accuracy of each chooser over the money that all have spent, and the end."""
    random_state = np.random.RandomState(seed)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, random_state=seed, stratify=y)
    X, y = X[:300], y[:300]
    known = random_state.uniform(size=X.shape) < SHARE_KNOWN
    prices = 10 ** random_state.uniform(size=X.shape[1]) if priced else np.ones(X.shape[1])
    curves = {
        name: play(choose, (X, X_test, y, y_test), known, prices, seed)
        for name, choose in CHOOSERS.items()
    }
    money = np.linspace(0, min(spent[-1] for spent, _ in curves.values()), 200)
    return {name: np.interp(money, *curve).mean() for name, curve in curves.items()}


def main(arguments=None):
    """Print, by set and prices, the mean accuracies and how often FeatureAcquisition is best."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with sets/ and multiclass/")
    parser.add_argument("--sets", nargs="*", default=[*BUNDLED, *SETS], choices=[*BUNDLED, *SETS])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--prices", nargs="*", default=["1 to 10", "1"], choices=["1 to 10", "1"])
    options = parser.parse_args(arguments)
    if options.data is None and set(options.sets) - set(BUNDLED):
        parser.error(f"--data is needed for all sets but {' and '.join(BUNDLED)}: add it")
    began = time.process_time()
    others = [name for name in CHOOSERS if name != "FeatureAcquisition"]
    header = ["set", "prices", *CHOOSERS, *(f"above {name}" for name in others)]
    print(f"| {' | '.join(header)} |\n{'|---' * len(header)}|")
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in options.sets:
            X, y = load(name, options.data)
            for kind in options.prices:
                runs = [compare(X, y, seed, kind != "1") for seed in range(options.seeds)]
                table = {chooser: np.array([run[chooser] for run in runs]) for chooser in CHOOSERS}
                own = table["FeatureAcquisition"]
                cells = [f"{values.mean():.3f}" for values in table.values()]
                cells += [f"{(own > table[other]).sum()} of {len(own)}" for other in others]
                print(f"| {name} | {kind} | {' | '.join(cells)} |", flush=True)
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
