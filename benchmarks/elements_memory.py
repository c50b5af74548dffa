"""Measure memory and time of scoring maps of probabilities that come one by one from an iterator.

500 maps of 512 x 1024 pixels and 19 classes in single precision, 19 GiB together. The peak is that
of the process above what it was before the fit, which reads two maps; the time is also given
without that of making the maps, which the model does as it is asked. "BALD" draws 20 maps of each
row, which an adapter yields one after the other; "BALD at once" gives them in one array, which
takes a gigabyte.

    python benchmarks/elements_memory.py [number of maps [strategy]]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import numpy as np
from sklearn.base import BaseEstimator

from skactive import ActiveLearner, reductions
from skactive.adapters import StructuredAdapter, register
from skactive.strategies import BALD, Aggregate, Entropy, Margin, MeanStd, RegionImpurity

SHAPE = (512, 1024, 19)
STRATEGIES = {
    "Margin": Aggregate(Margin(), reductions.TopMean(0.1)),
    "Entropy": Aggregate(Entropy(), reductions.TopMean(0.1)),
    "RegionImpurity": RegionImpurity(),
    "BALD": Aggregate(BALD()),
    "MeanStd": Aggregate(MeanStd()),
    "BALD at once": Aggregate(BALD()),
}


class Segmenter(BaseEstimator):
    """A model without parameters that counts the seconds in which it makes maps."""

    def __init__(self, at_once=False):
        self.at_once = at_once

    def fit(self, X, y):
        """Start to count."""
        self.seconds_ = 0.0
        return self

    def make_map(self, *seed):
        """Return a random map, (height, width, n_classes)."""
        began = time.perf_counter()
        proba = np.random.default_rng(seed).random(SHAPE, dtype=np.float32)
        proba /= np.einsum("ijk->ij", proba)[..., np.newaxis]  # in place, no other copy
        self.seconds_ += time.perf_counter() - began
        return proba


class SegmenterAdapter(StructuredAdapter):
    """Gives one map after the other."""

    element = "pixel"

    def proba(self, Z):
        """Yield random maps, (height, width, n_classes)."""
        return (self.model.make_map(int(row[0])) for row in Z)


class OneByOneAdapter(SegmenterAdapter):
    """Gives one draw after the other."""

    def iter_draws(self, Z, n_samples, seed):
        """Yield draws of the maps."""
        for draw in range(self.n_draws(n_samples)):
            yield (self.model.make_map(int(row[0]), draw) for row in Z)


class AtOnceAdapter(SegmenterAdapter):
    """Gives all draws of a row in one array."""

    def proba_samples(self, Z, n_samples, seed):
        """Yield draws of the maps, (n_draws, height, width, n_classes)."""
        for row in Z:
            samples = np.empty((self.n_draws(n_samples), *SHAPE), dtype=np.float32)
            for draw in range(len(samples)):
                samples[draw] = self.model.make_map(int(row[0]), draw)
            yield samples


@register(Segmenter)
def adapt_segmenter(model):
    """Return an adapter that yields draws, or gives them at once."""
    return AtOnceAdapter(model) if model.at_once else OneByOneAdapter(model)


def get_peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # MiB


def measure(name, n_maps):
    """Score maps in this process, whose peak is that of this run alone."""
    rows = np.arange(float(n_maps))[:, np.newaxis]
    model = Segmenter(at_once=name.endswith("at once"))
    before = get_peak()  # the fit reads two maps
    learner = ActiveLearner(model, STRATEGIES[name], random_state=0).fit(rows[:1], [0])
    learner.estimator_.seconds_, began = 0.0, time.perf_counter()
    learner.score_pool(rows)
    seconds = time.perf_counter() - began
    own = (seconds - learner.estimator_.seconds_) / n_maps
    print(f"{name:<16} {get_peak() - before:>10.0f} {seconds:>10.0f} {1000 * own:>12.0f}")


def main():
    n_maps = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    one_map = np.prod(SHAPE) * 4 / 2**20
    print(f"{n_maps} maps of {one_map:.0f} MiB")
    print(f"{'strategy':<16} {'peak, MiB':>10} {'seconds':>10} {'ms per map':>12}", flush=True)
    for name in STRATEGIES:
        subprocess.run([sys.executable, __file__, str(n_maps), name], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        measure(sys.argv[2], int(sys.argv[1]))
    else:
        main()
