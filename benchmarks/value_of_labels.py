"""Measure what stopping by the value of labels costs, against the best stop in hindsight.

Campaigns of up to 500 labels by margin, ten at a time, a quarter of them audited; logistic
regression on standardized rows; half of each set is the test set, and at most 2,500 rows the pool.
Each label costs 1, and a point of accuracy has a value: a campaign that stops after n labels costs
n + value * error. The regret is that cost less that of the best round, as a share of it; criteria
that need an error read the same audits. Each criterion judges the same campaigns.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skactive import ActiveLearner, SimulatedLearner
from skactive.stopping import (
    Budget,
    ExpectedGain,
    Round,
    StoppingCriterion,
    ValueOfLabels,
    Verdict,
)
from skactive.strategies import Margin

SETS = {
    "digits": None,
    "spambase": "sets/spambase.npz",
    "phishing": "sets/phishing.npz",
    "segment": "multiclass/segment.npz",
    "waveform": "multiclass/waveform.npz",
    "winequality_red": "multiclass/winequality_red.npz",
}
VALUES = (300, 1000, 3000, 10000)  # of all errors: of a model that is never right
MODEL = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))


class Record(StoppingCriterion):
    """Never stop, and keep the counts and the audit of each round."""

    def __init__(self, rounds=None):
        self.rounds = rounds

    def judge(self, current, memory):
        """Keep a round."""
        ROUNDS.append(Round(current.n_labels, audit=np.array(current.audit)))
        return Verdict(False, "")

    def limit(self):
        """Return infinity."""
        return np.inf


ROUNDS: list[Round] = []


def load(name, folder):
    """Return the rows and labels of a set."""
    if SETS[name] is None:
        return load_digits(return_X_y=True)
    with np.load(folder / SETS[name]) as data:
        return data["X"], data["y"]


def play(X, y, seed):
    """Return the rounds of a campaign, and the test error of each."""
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, random_state=seed)
    ROUNDS.clear()
    campaign = SimulatedLearner(
        ActiveLearner(MODEL, Margin()),
        budget=500,
        n_initial=20,
        audit_share=0.25,
        stopping=Record(),
        random_state=seed,
    ).fit(X[:2500], y[:2500])
    errors = 1 - np.array([*campaign.staged_score(X_test, y_test)])
    return [*ROUNDS], errors[: len(ROUNDS)]


def list_criteria(value):
    """Return the criteria by name, where all errors together cost `value`."""
    criteria = {
        f"ValueOfLabels, pessimism {p}": ValueOfLabels(value, 1, pessimism=p)
        for p in (0.4, 0.5, 0.75)
    }
    criteria["ExpectedGain, audit, window 5"] = ExpectedGain(value / 100, error="audit")
    criteria["ExpectedGain, audit, window 10"] = ExpectedGain(value / 100, error="audit", window=10)
    return criteria | {f"after {n} labels": Budget(n) for n in (100, 200, 300, 500)}


def find_stop(criterion, rounds):
    """Return the first round in which a criterion stops, or the last one."""
    monitor = criterion.start()
    stops = (i for i, current in enumerate(rounds) if monitor.update(current))
    return next(stops, len(rounds) - 1)


def main(arguments=None):
    """Print the mean regret of each criterion by the value of accuracy, and over all values."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with sets/ and multiclass/")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=SETS)
    parser.add_argument("--seeds", type=int, nargs="*", default=[10, 11])
    options = parser.parse_args(arguments)
    if options.data is None and set(options.sets) != {"digits"}:
        parser.error("--data is needed for all sets but digits: add it, or --sets digits")
    began = time.process_time()
    regrets = {name: {value: [] for value in VALUES} for name in list_criteria(1)}
    best = {value: [] for value in VALUES}
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in options.sets:
            X, y = load(name, options.data)
            for rounds, errors in (play(X, y, seed) for seed in options.seeds):
                spent = np.array([current.n_bought for current in rounds])
                for value in VALUES:
                    costs = spent + value * errors
                    best[value].append(spent[costs.argmin()])
                    for label, criterion in list_criteria(value).items():
                        stop = find_stop(criterion, rounds)
                        regrets[label][value].append(costs[stop] / costs.min() - 1)
    print(f"| criterion | {' | '.join(f'{value:,}' for value in VALUES)} | mean |")
    print("|---" * (len(VALUES) + 2) + "|")
    print(f"| best stop, labels | {' | '.join(f'{np.median(best[v]):.0f}' for v in VALUES)} | |")
    for label, by_value in regrets.items():
        means = [np.mean(by_value[value]) for value in VALUES]
        cells = " | ".join(f"{mean:.0%}" for mean in [*means, np.mean(means)])
        print(f"| {label} | {cells} |")
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
