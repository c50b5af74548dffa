"""A policy that buys rows of dense regions only."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from skactive._utils.array_types import Floats
from skactive._utils.constraints import POSITIVE_INT
from skactive.streams._base import Candidate, Memory, PurchasePolicy
from skactive.streams._random import Split

__all__ = ["DensityFilter"]


class DensityFilter(PurchasePolicy):
    """Offer a policy only the rows that are the nearest neighbor of recent rows.

    **When:** the stream has outliers, which are uncertain and not worth a label. Needs an
    embedding in which distances mean something; each row of the window is kept dense.

    Parameters
    ----------
    policy : PurchasePolicy, default=None
        Decides on the rows that pass the filter; None is :class:`Split`.
    window : int, default=100
        Number of last rows among which neighbors are counted.
    n_neighbors : int, default=1
        Number of recent rows of which a row must be the new nearest neighbor to pass.

    Notes
    -----
    The local density of a new row is the number of rows in the window that are nearer to it than
    to any row since they came. The dual-query strategies of Liu et al. are such filters around a
    random, a fixed or a variable policy; their window, which forgets rows by a model of human
    memory and not by age, is not built here.

    References
    ----------
    Ienco, Pfahringer and Zliobaite, "High density-focused uncertainty sampling for active learning
    over evolving stream data", Proceedings of Machine Learning Research 36 (BigMine 2014).

    Liu, Xue, Wu, Zhou, Yang, Li and Cao, "Online active learning for drifting data streams", IEEE
    Transactions on Neural Networks and Learning Systems 34, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.streams import DensityFilter, FixedUncertainty
    >>> buyer = DensityFilter(FixedUncertainty(0.5)).start(budget=1.0)
    >>> rows = np.array([[0.0], [1.0], [9.0], [0.9]])  # the third is an outlier
    >>> [buyer.update(0.6, row).buy for row in rows]
    [False, True, False, True]
    """

    reads_rows = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "window": POSITIVE_INT,
        "n_neighbors": POSITIVE_INT,
    }

    def __init__(
        self, policy: PurchasePolicy | None = None, *, window: int = 100, n_neighbors: int = 1
    ) -> None:
        self.policy = policy
        self.window = window
        self.n_neighbors = n_neighbors

    def parts(self) -> list[Any]:
        """Return the policy for the rows that pass."""
        return [Split() if self.policy is None else self.policy]

    def judge(self, candidate: Candidate, memory: Memory) -> float:
        """Judge by the policy if the row is in a dense region; return infinity if it is not."""
        if self._count_neighbors(candidate.row, memory) < self.n_neighbors:
            return math.inf
        threshold: float = self.parts()[0].judge(candidate, memory.setdefault("inner", {}))
        return threshold

    def _count_neighbors(self, row: Floats | None, memory: Memory) -> int:
        """Count the rows of the window whose nearest neighbor is the new row, and add it."""
        assert row is not None  # the buyer checks it
        if not memory:
            memory["rows"] = np.zeros((self.window, len(row)))
            memory["nearest"] = np.full(self.window, np.inf)  # distance of each to its neighbor
            memory["n_seen"] = 0
        n_known = min(memory["n_seen"], self.window)
        rows, nearest = memory["rows"][:n_known], memory["nearest"][:n_known]
        distances = np.linalg.norm(rows - row, axis=1)  # (n_known,)
        is_nearer = distances < nearest
        np.minimum(nearest, distances, out=nearest)
        position = memory["n_seen"] % self.window  # the oldest row gives way
        memory["rows"][position] = row
        memory["nearest"][position] = distances.min(initial=np.inf)
        memory["n_seen"] += 1
        return int(is_nearer.sum())
