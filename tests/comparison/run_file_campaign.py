"""Flip random bits in a folder of finished campaigns, and count which ones go unnoticed.

    python tests/comparison/run_file_campaign.py [--flips 2000] [--seed 0]

Each flip is made in a run file or in the manifest, one at a time. The comparison is then resumed;
campaigns that it would play again are taken from memory. It prints one JSON line:

noticed    a warning or an error that names the file
harmless   no word, and exactly the runs that were kept (the flip changed no value)
silent     no word, and other runs
raw        any other error
"""

import argparse
import json
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skactive.comparison import compare_strategies
from skactive.exceptions import SkactiveWarning
from skactive.strategies import Margin, Random

X, Y = load_iris(return_X_y=True)
MODELS = {"bayes": GaussianNB(var_smoothing=0.1), "logistic": LogisticRegression(max_iter=500)}
PLAY = "skactive.comparison._campaigns._play"


def run_campaign(n_flips, seed):
    """Return the number of flips of each outcome."""
    random = np.random.RandomState(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = compare(folder, 0)
        paths = [folder / "manifest.json", *sorted((folder / "runs").iterdir())]
        outcomes = Counter(dict.fromkeys(("silent", "raw", "noticed", "harmless"), 0))
        for _ in range(n_flips):
            path = paths[random.randint(len(paths))]
            whole = path.read_bytes()
            path.write_bytes(flip_bit(whole, random.randint(8 * len(whole))))
            # None takes the seed from the manifest
            outcomes[resume(folder, kept, path, [0, None][random.randint(2)])] += 1
            path.write_bytes(whole)
        assert resume(folder, kept, path, 0) == "harmless"
    return dict(outcomes)


def compare(folder, random_state):
    """Return the series of a small comparison, by campaign."""
    comparison = compare_strategies(
        MODELS, [Random(), Margin()], X, Y, budget=25, batch_size=5, n_initial=10, n_repeats=3,
        random_state=random_state, folder=folder,
    )  # fmt: skip
    return {run[1:4]: run for run in comparison.runs}


def flip_bit(content, position):
    """Return bytes with one bit flipped."""
    changed = bytearray(content)
    changed[position // 8] ^= 1 << (position % 8)
    return bytes(changed)


def resume(folder, kept, path, random_state):
    """Resume the comparison, and return the outcome of a flip in a file."""
    replayed = []

    def play(task, data):
        replayed.append(task)
        return kept[task.model, task.strategy, task.repeat]

    with patch(PLAY, play), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            runs = compare(folder, random_state)
        except ValueError as error:
            # differing settings are told with the folder, damage with the file
            return "noticed" if str(folder) in str(error) else "raw"
        except Exception:
            return "raw"
    messages = [str(w.message) for w in caught if issubclass(w.category, SkactiveWarning)]
    if replayed or messages:
        return "noticed" if any(path.name in message for message in messages) else "silent"
    return "harmless" if equal(runs, kept) else "silent"


def equal(runs, kept):
    """Return whether two results have the same campaigns with the same series."""
    return runs.keys() == kept.keys() and all(
        np.array_equal(one, other)
        for name, run in runs.items()
        for one, other in zip(run[4:], kept[name][4:], strict=True)
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flips", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(json.dumps(run_campaign(options.flips, options.seed)))
