"""Agreement of two labelings of the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["cohen_kappa"]


def cohen_kappa(first: NDArray[Any], second: NDArray[Any], *, undefined: float) -> float:
    """Return Cohen's kappa: agreement beyond chance, 1 if both labelings are equal.

    Parameters
    ----------
    first, second : ndarray of shape (n_rows,)
        One label per row from each of the two.
    undefined : float
        Value to return if both labelings use one and the same label throughout, where agreement
        beyond chance cannot be measured.
    """
    from sklearn.metrics import cohen_kappa_score  # late: importing skactive stays light

    classes, codes = np.unique(np.concatenate([first, second]), return_inverse=True)
    if len(classes) == 1:
        return undefined
    return float(cohen_kappa_score(*codes.reshape(2, -1)))
