"""Queries of baal, which returns a ranking of all rows. Its BatchBALD drops the first pick."""

import sys
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from types import ModuleType

import numpy as np
import torchmetrics  # noqa: F401, why here: it looks for torchvision, before the stub below

# Why a stub: baal imports the transforms of torchvision, which the heuristics do not use, and the
# torchvision that pip finds is built for another torch, so it must not be installed.
transforms = ModuleType("torchvision.transforms")
sys.modules["torchvision"] = ModuleType("torchvision")
sys.modules["torchvision"].transforms = sys.modules["torchvision.transforms"] = transforms
for _name in ("torchvision", "torchvision.transforms"):
    sys.modules[_name].__spec__ = ModuleSpec(_name, None)

from baal.active.heuristics import BALD, BatchBALD, Certainty, Entropy, Margin  # noqa: E402

VERSION = version("baal")


def _make_uncertainty(heuristic):
    return lambda data: lambda: heuristic()(data.proba)[: data.k]


def _make_bayesian(make):
    def prepare(data):
        # (n_draws, n_rows, n_classes) to (n_rows, n_classes, n_draws)
        samples = np.ascontiguousarray(data.samples.transpose(1, 2, 0))
        heuristic = make(data.k)
        return lambda: heuristic(samples)[: data.k]

    return prepare


QUERIES = {
    "margin": _make_uncertainty(Margin),
    "entropy": _make_uncertainty(Entropy),
    "least-confidence": _make_uncertainty(Certainty),
    "bald": _make_bayesian(lambda _: BALD()),
    "batch-bald": _make_bayesian(lambda k: BatchBALD(num_samples=k, num_draw=1000)),
}
