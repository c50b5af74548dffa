"""Random numbers: only ever from a seed, never from NumPy's global state."""

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
    """Return a generator; None gives a fresh one, where scikit-learn gives NumPy's global one."""
    return RandomState() if seed is None else check_random_state(seed)


def draw_seed(random_state: Any) -> int:
    """Draw one seed; None takes fresh entropy, a number is the seed itself."""
    if isinstance(random_state, RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31 - 1))
    if isinstance(random_state, Integral) and int(random_state) >= 0:
        return int(random_state)
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    raise ValueError(
        "random_state must be None, a whole number of at least 0 or a RandomState, got "
        f"{random_state!r}."
    )


def seeded_clone(estimator: Any, seed: int | None) -> Any:
    """Clone an estimator, and seed what in it is unseeded; None leaves that to global state.

    The estimator itself gets the seed, each one nested in it a seed of its own: members of a
    committee with one and the same would draw the same rows.
    """
    twin = clone(estimator)
    if seed is None:
        return twin
    unseeded = {
        name: seed if name == "random_state" else derived_seed(seed, crc32(name.encode()))
        for name, value in twin.get_params(deep=True).items()
        if (name == "random_state" or name.endswith("__random_state")) and value is None
    }
    twin.set_params(**unseeded)  # what it returns is not always the estimator (FrozenEstimator)
    return twin


def derived_seed(seed: int, key: int) -> int:
    """Return a seed that follows from another, for a stream of its own."""
    return int(np.random.SeedSequence([seed, key]).generate_state(1)[0])
