"""Training and test rows of each repeat, and its seeds."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.rows import n_rows

__all__ = ["Split", "repeat_seeds", "splits_of"]

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


def repeat_seeds(seed: int, repeat: int) -> tuple[int, int]:
    """Return the seeds of the split and of the campaigns of a repeat."""
    split, campaign = np.random.SeedSequence([seed, repeat]).generate_state(2).tolist()
    return split, campaign


def splits_of(
    X: Any,
    y: Any,
    groups: Any,
    cv: Any,
    test_size: Any,
    seed: int,
    n_repeats: int,
    stratify: bool,
) -> list[Split]:
    """Return training and test rows of each repeat."""
    if cv is None:
        seeds = (repeat_seeds(seed, repeat)[0] for repeat in range(n_repeats))
        return [_shuffled(y, groups, test_size, stratify, each) for each in seeds]
    from sklearn.model_selection import check_cv  # late: it takes a quarter of a second

    cv = copy(check_cv(cv, np.asarray(y), classifier=stratify))
    if getattr(cv, "random_state", 0) is None:  # else it would draw from global state
        cv.random_state = repeat_seeds(seed, 0)[0]
    folds = [(np.asarray(train), np.asarray(test)) for train, test in cv.split(X, y, groups)]
    if not folds:
        raise ValueError(f"cv={cv!r} has no folds: there is nothing to repeat.")
    return folds


def _shuffled(y: Any, groups: Any, test_size: Any, stratify: bool, seed: int) -> Split:
    from sklearn.model_selection import (  # late: it takes a quarter of a second
        GroupShuffleSplit,
        ShuffleSplit,
        StratifiedShuffleSplit,
    )

    rows, labels = np.zeros(n_rows(y)), np.asarray(y)
    if groups is not None:
        splitter = GroupShuffleSplit(1, test_size=test_size, random_state=seed)
        return next(splitter.split(rows, labels, groups))
    if stratify:
        try:
            splitter = StratifiedShuffleSplit(1, test_size=test_size, random_state=seed)
            return next(splitter.split(rows, labels))
        except ValueError:  # a class with one row, say; what else is wrong the next line will tell
            pass
    return next(ShuffleSplit(1, test_size=test_size, random_state=seed).split(rows))
