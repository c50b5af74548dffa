"""Random probabilities that tests share."""

import math

import numpy as np


def dirichlet(*shape, seed=0, concentration=1.0):
    """Random probabilities over the last axis, some of them exactly 0 and some rows one-hot."""
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.full(shape[-1], concentration), size=shape[:-1])
    proba[rng.random(shape) < 0.2] = 0.0
    lost = proba.sum(axis=-1) == 0
    proba[lost, 0] = 1.0
    return freeze(proba / proba.sum(axis=-1, keepdims=True))


def freeze(array):
    array.flags.writeable = False
    return array


def h(p):
    """Entropy in nats, in a plain loop."""
    return -sum(x * math.log(x) for x in p if x > 0)
