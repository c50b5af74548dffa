"""The most recent labeled rows of a stream, kept without a copy per lesson."""

from __future__ import annotations

from collections import deque
from functools import reduce
from typing import Any

import numpy as np

from skactive._utils.labels import join_labels
from skactive._utils.rows import join_rows, n_rows, take_rows

__all__ = ["RecentRows", "take_last_rows"]


class RecentRows:
    """The last labeled rows, in lessons that are joined when they are read.

    Parameters
    ----------
    X : rows in any container
        The first labeled rows.
    y : ndarray of shape (n_rows,)
        Their labels.
    max_rows : int or None
        Number of rows to keep; None keeps all.
    """

    def __init__(self, X: Any, y: Any, max_rows: int | None) -> None:
        self._max_rows = max_rows
        self._lessons: deque[tuple[Any, Any]] = deque([(X, y)])
        self._n = n_rows(X)

    def append(self, X: Any, y: Any) -> None:
        """Add the rows of a lesson, and drop the lessons that are too old."""
        self._lessons.append((X, y))
        self._n += n_rows(X)
        while self._max_rows is not None and self._n - len(self._lessons[0][1]) >= self._max_rows:
            self._n -= len(self._lessons.popleft()[1])

    def join(self) -> tuple[Any, Any]:
        """Return the rows and their labels, each in one container."""
        # By pairs: each row is copied as often as the number of lessons can be halved.
        lessons = list(self._lessons)
        while len(lessons) > 1:
            pairs = [lessons[i : i + 2] for i in range(0, len(lessons), 2)]
            lessons = [reduce(_join_lessons, pair) for pair in pairs]
        X, y = lessons[0] if self._max_rows is None else take_last_rows(*lessons[0], self._max_rows)
        self._lessons, self._n = deque([(X, y)]), len(y)
        return X, y


def take_last_rows(X: Any, y: Any, n: int) -> tuple[Any, Any]:
    """Take the last n labeled rows, or all if there are fewer."""
    if len(y) <= n:
        return X, y
    last = np.arange(len(y) - n, len(y))
    return take_rows(X, last), y[last]


def _join_lessons(first: tuple[Any, Any], second: tuple[Any, Any]) -> tuple[Any, Any]:
    return join_rows(first[0], second[0]), join_labels(first[1], second[1])
