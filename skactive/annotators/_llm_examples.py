"""Labeled rows for a language model: their labels, and which of them are shown as examples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.labels import find_missing, read_labels

__all__ = ["draw_examples", "find_positions"]


def find_positions(y: Any, classes: NDArray[Any], n_rows: int) -> NDArray[np.intp]:
    """Return the positions of labels among the classes, (n_rows,); -1 where they are missing.

    Raises
    ------
    ValueError
        If there are more or fewer, or one is not among the classes.
    """
    if y is None:
        return np.full(n_rows, -1, dtype=np.intp)
    labels = read_labels(y)
    if labels.shape != (n_rows,):
        raise ValueError(f"y must have a label for each of the {n_rows} rows, got {labels.shape}.")
    position = {label: k for k, label in enumerate(classes.tolist())}
    values = [None if m else v for v, m in zip(labels.tolist(), find_missing(labels), strict=True)]
    unknown = sorted({str(v) for v in values if v is not None and v not in position})
    if unknown:
        raise ValueError(
            f"y has labels {unknown[:5]} that are not among the classes {list(position)}: add "
            "them to classes, or leave these rows out."
        )
    return np.array([position.get(value, -1) for value in values], dtype=np.intp)


def draw_examples(labels: NDArray[np.intp], n_examples: int, seed: int) -> NDArray[np.intp]:
    """Draw labeled rows, as many of each class as there are, in random order.

    Parameters
    ----------
    labels : ndarray of shape (n_rows,)
        Positions of classes; -1 where they are missing.
    n_examples : int
        How many rows.
    seed : int
        Seed of the draw.

    Returns
    -------
    ndarray of shape (n_examples,)
        Positions of rows.
    """
    known = np.flatnonzero(labels >= 0)
    if n_examples > len(known):
        raise ValueError(
            f"examples={n_examples} needs as many labeled rows, got {len(known)}: pass more rows "
            "with their labels to fit."
        )
    rng = np.random.RandomState(seed)
    order = rng.permutation(known)
    rank = np.empty(len(order), dtype=np.intp)  # among the rows of its class
    for label in np.unique(labels[order]):
        is_member = labels[order] == label
        rank[is_member] = np.arange(is_member.sum())
    return rng.permutation(order[np.argsort(rank, kind="stable")[:n_examples]])
