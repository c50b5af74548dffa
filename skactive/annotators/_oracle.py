"""Who is asked for true labels, by position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Oracle", "make_oracle"]

Oracle = Callable[[NDArray[np.intp]], Any]


def make_oracle(oracle: Any, n: int) -> Oracle:
    """Return a function that checks what an oracle returns."""
    if not callable(oracle):
        known = np.asarray(oracle)
        if known.shape != (n,):
            raise ValueError(
                f"oracle must be a function of positions, or have a label for each of the {n} "
                f"rows, got shape {known.shape}."
            )
        return lambda positions: known[positions]

    def ask(positions: NDArray[np.intp]) -> NDArray[Any]:
        labels = np.asarray(oracle(positions)) if len(positions) else np.empty(0, dtype=object)
        if labels.shape != (len(positions),):
            raise ValueError(
                f"oracle(positions) must return a label for each of the {len(positions)} "
                f"positions, got shape {labels.shape}."
            )
        return labels

    return ask
