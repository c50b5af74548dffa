"""baal. Its BatchBALD drops the first pick; it returns ranks of all rows."""

import sys
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from types import ModuleType

import numpy as np
import torchmetrics  # noqa: F401, it looks for torchvision, so it comes before the stand-in

# baal asks for torchvision's transforms at import, and the heuristics have no use for them. The
# torchvision that pip finds is built for another torch, so it must not be installed.
transforms = ModuleType("torchvision.transforms")
sys.modules["torchvision"] = ModuleType("torchvision")
sys.modules["torchvision"].transforms = sys.modules["torchvision.transforms"] = transforms
for _name in ("torchvision", "torchvision.transforms"):
    sys.modules[_name].__spec__ = ModuleSpec(_name, None)

from baal.active.heuristics import BALD, BatchBALD, Certainty, Entropy, Margin  # noqa: E402

VERSION = version("baal")


def _by(heuristic):
    return lambda data: lambda: heuristic()(data.proba)[: data.k]


def _by_draws(make):
    def prepare(data):
        samples = np.ascontiguousarray(data.samples.transpose(1, 2, 0))  # draws last
        heuristic = make(data.k)
        return lambda: heuristic(samples)[: data.k]

    return prepare


QUERIES = {
    "margin": _by(Margin),
    "entropy": _by(Entropy),
    "least-confidence": _by(Certainty),
    "bald": _by_draws(lambda _: BALD()),
    "batch-bald": _by_draws(lambda k: BatchBALD(num_samples=k, num_draw=1000)),
}
