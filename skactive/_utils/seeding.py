"""Random numbers from seeds, never from NumPy's global state."""

from __future__ import annotations

from numbers import Integral
from typing import Any, TypeAlias
from zlib import crc32

import numpy as np
from numpy.random import RandomState
from sklearn.base import clone
from sklearn.utils import check_random_state

__all__ = ["Seed", "derived_seed", "draw_seed", "make_random_state", "seeded_clone"]

Seed: TypeAlias = int | RandomState | None


def make_random_state(seed: Seed) -> RandomState:
    """Return a RandomState; None gives a fresh one (scikit-learn's gives NumPy's global one)."""
    return RandomState() if seed is None else check_random_state(seed)


def draw_seed(random_state: Any) -> int:
    """Draw one seed; None takes fresh entropy, an integer is the seed itself."""
    if isinstance(random_state, RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31 - 1))
    if isinstance(random_state, Integral) and int(random_state) >= 0:
        return int(random_state)
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    raise ValueError(
        f"random_state must be None, an integer >= 0 or a RandomState, got {random_state!r}."
    )


def seeded_clone(estimator: Any, seed: int | None) -> Any:
    """Clone an estimator and set every `random_state` in it that is None; seed=None only clones.

    The estimator itself gets the seed; nested estimators get seeds derived from it, one each, since
    members of a committee with equal seeds would draw equal rows.
    """
    cloned = clone(estimator)
    if seed is None:
        return cloned
    unseeded = {
        name: seed if name == "random_state" else derived_seed(seed, crc32(name.encode()))
        for name, value in cloned.get_params(deep=True).items()
        if (name == "random_state" or name.endswith("__random_state")) and value is None
    }
    if unseeded:  # some home-made models have no set_params
        cloned.set_params(**unseeded)  # does not always return the estimator (FrozenEstimator)
    return cloned


def derived_seed(seed: int, key: int) -> int:
    """Derive the seed of an independent stream, identified by `key`."""
    return int(np.random.SeedSequence([seed, key]).generate_state(1)[0])
