"""Measures of a learning curve: what labels bought."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["labels_to_reach"]


def labels_to_reach(n_labels: Any, scores: Any, target: float) -> float:
    """Count the labels after which a learning curve first reaches a score.

    Parameters
    ----------
    n_labels : array-like of shape (n_rounds,)
        Labels known in each round, ascending.
    scores : array-like of shape (n_rounds,)
        Score of each round.
    target : float
        The score to reach.

    Returns
    -------
    float
        The number of labels of the first round whose score is at least `target`; infinity if none
        is.

    Examples
    --------
    >>> from skactive.metrics import labels_to_reach
    >>> labels_to_reach([20, 40, 60], [0.5, 0.8, 0.9], target=0.75)
    40.0
    """
    reached = np.flatnonzero(np.asarray(scores) >= target)
    return float(np.asarray(n_labels)[reached[0]]) if len(reached) else np.inf
