"""Measure what OpenSet gains on digits of which some belong to no class.

Standardized digits, logistic regression; digits of n_known and above are unknown. 20 initial labels
drawn at random, 10 rounds of 10; 10 seeds, each with the same split and initial labels for the
plain strategy and for OpenSet around it. Accuracy is that on the known classes of the test rows: of
the learner, which has unknown as a class, and of the same model fitted to the known rows alone.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skactive import ActiveLearner, SimulatedLearner
from skactive.strategies import Auto, Margin, OpenSet, Random

N_SEEDS, UNKNOWN = 10, 10
MODEL = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def load_open_digits(n_known):
    """Return digits and their labels, of which those of `n_known` and above are unknown."""
    X, y = load_digits(return_X_y=True)
    return X, np.where(y < n_known, y, UNKNOWN)


def simulate(strategy, n_known, seed):
    """Return the known rows bought, and both accuracies at the end and in the mean of the curve."""
    X, y = load_open_digits(n_known)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.4, stratify=y, random_state=seed
    )
    X_test, y_test = X_test[y_test != UNKNOWN], y_test[y_test != UNKNOWN]
    learner = ActiveLearner(MODEL, strategy)
    run = SimulatedLearner(learner, budget=120, batch_size=10, n_initial=20, random_state=seed)
    run.fit(X_train, y_train)
    open_scores = list(run.staged_score(X_test, y_test))
    known_scores = [
        score_known(X_train[rows], y_train[rows], X_test, y_test)
        for rows in (run.queried_[:n] for n in run.n_labels_)
    ]
    n_bought = int(np.sum(y_train[run.queried_[20:]] != UNKNOWN))
    # The first score is that of the initial labels, which all strategies share.
    curves = [open_scores[1:], known_scores[1:]]
    return [n_bought, *(value for curve in curves for value in (curve[-1], np.mean(curve)))]


def simulate_seeds(strategy, n_known):
    """Return the figures of `simulate` for each seed, shape (5, n_seeds)."""
    return np.transpose([simulate(strategy, n_known, seed) for seed in range(N_SEEDS)])


def score_known(X, y, X_test, y_test):
    """Score a model that is fitted to the known rows alone."""
    is_known = y != UNKNOWN
    return clone(MODEL).fit(X[is_known], y[is_known]).score(X_test, y_test)


def describe(plain, opened, factor):
    """Return the means of a figure, and the mean paired gain with its standard error."""
    gain = factor * (opened - plain)
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    return f"{plain.mean():.3g} -> {opened.mean():.3g} ({gain.mean():+.1f} ± {error:.1f})"


def main():
    print(
        "| unknown | strategy | strictness | known rows | learner, end | mean | known, end | mean |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for n_known in (7, 5, 4):
        share = np.mean(load_open_digits(n_known)[1] == UNKNOWN)
        for inner in (Random(), Margin(), Auto()):
            plain = simulate_seeds(inner, n_known)
            for strictness in (1.0, 0.5):
                opened = simulate_seeds(OpenSet(inner, UNKNOWN, strictness=strictness), n_known)
                figures = zip(plain, opened, [1, 100, 100, 100, 100], strict=True)
                names = [f"{share:.0%}", type(inner).__name__, f"{strictness:g}"]
                print(f"| {' | '.join([*names, *(describe(*f) for f in figures)])} |", flush=True)


if __name__ == "__main__":
    with threadpool_limits(limits=1):
        main()
