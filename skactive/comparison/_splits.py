"""Training and test rows of each repeat, and its seeds."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.labels import is_structured
from skactive._utils.rows import n_rows

__all__ = ["Split", "draw_repeat_seeds", "draw_splits"]

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


def draw_repeat_seeds(seed: int, repeat: int) -> tuple[int, int]:
    """Return the seeds of the split and of the campaigns of a repeat."""
    split, campaign = np.random.SeedSequence([seed, repeat]).generate_state(2).tolist()
    return split, campaign


def draw_splits(
    X: Any,
    y: Any,
    groups: Any,
    cv: Any,
    test_size: Any,
    seed: int,
    n_repeats: int,
    stratify: bool,
) -> list[Split]:
    """Return training and test rows of each repeat.

    `y` are labels that were read. Structured ones and maps have no classes to stratify by.
    """
    stratify = stratify and y.ndim < 3 and not is_structured(y)
    if cv is None:
        seeds = (draw_repeat_seeds(seed, repeat)[0] for repeat in range(n_repeats))
        return [_draw_split(y, groups, test_size, stratify, split_seed) for split_seed in seeds]
    from sklearn.model_selection import check_cv  # late: it takes a quarter of a second

    cv = copy(check_cv(cv, y, classifier=stratify))
    if getattr(cv, "random_state", 0) is None:  # else it would draw from global state
        cv.random_state = draw_repeat_seeds(seed, 0)[0]
    folds = [(np.asarray(train), np.asarray(test)) for train, test in cv.split(X, y, groups)]
    if not folds:
        raise ValueError(f"cv={cv!r} has no folds: pass a splitter that yields at least one.")
    return folds


def _draw_split(y: Any, groups: Any, test_size: Any, stratify: bool, seed: int) -> Split:
    from sklearn.model_selection import (  # late: it takes a quarter of a second
        GroupShuffleSplit,
        ShuffleSplit,
        StratifiedShuffleSplit,
    )

    rows = np.zeros(n_rows(y))
    if groups is not None:
        splitter = GroupShuffleSplit(1, test_size=test_size, random_state=seed)
        return next(splitter.split(rows, groups=groups))
    if stratify:
        try:
            splitter = StratifiedShuffleSplit(1, test_size=test_size, random_state=seed)
            return next(splitter.split(rows, y))
        except ValueError:  # a class with one row, say; the next line raises whatever else is wrong
            pass
    return next(ShuffleSplit(1, test_size=test_size, random_state=seed).split(rows))
