"""Audited rows of a router, and what annotators say of them when they are asked again."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from skactive._utils.array_types import Floats

__all__ = ["Audit", "Recheck", "share_evenly", "sort_labels"]


class Audit(NamedTuple):
    """Audited rows: positions, true labels, and what the annotators say, (n_audited, J)."""

    positions: NDArray[np.intp]
    truth: NDArray[Any]
    labels: NDArray[Any]
    confidences: Floats

    def find_wrong(self) -> NDArray[np.bool_]:
        """Return which answers are wrong; those of annotators that abstained are."""
        return np.asarray(self.labels != self.truth[:, np.newaxis], dtype=bool)

    def take(self, rows: NDArray[np.intp]) -> Audit:
        """Return some of the rows."""
        return Audit(
            self.positions[rows], self.truth[rows], self.labels[rows], self.confidences[rows]
        )


class Recheck(NamedTuple):
    """Answers of an annotator to rows for which it was asked before.

    Attributes
    ----------
    n_asked : int
        Rows that it was asked for again.
    n_changed : int
        Answers that changed: another label, or accepted then and not now, or the other way round.
    n_wrong_before, n_wrong : int
        Answers that were wrong, and that are wrong now.
    p_value : float
        Of the hypothesis that the share of changed answers is at most `max_error` of the router.
    """

    n_asked: int
    n_changed: int
    n_wrong_before: int
    n_wrong: int
    p_value: float

    @classmethod
    def compare(
        cls,
        before: tuple[NDArray[Any], NDArray[np.bool_]],
        now: tuple[NDArray[Any], NDArray[np.bool_]],
        truth: NDArray[Any],
        max_error: float,
    ) -> Recheck:
        """Compare labels, and whether they are accepted, with what they were before."""
        (old, was_accepted), (new, is_accepted) = before, now
        n_changed = int(np.sum((old != new) | (was_accepted != is_accepted)))
        p_value = float(binom.sf(n_changed - 1, len(truth), max_error))
        n_wrong_before, n_wrong = int(np.sum(old != truth)), int(np.sum(new != truth))
        return cls(len(truth), n_changed, n_wrong_before, n_wrong, p_value)


def sort_labels(labels: NDArray[Any]) -> NDArray[Any]:
    """Return the distinct labels, sorted; None is not one."""
    kept = [label for label in labels if label is not None]
    return np.unique(np.array(kept)) if kept else np.empty(0, dtype=object)


def share_evenly(n: int, sizes: list[int]) -> list[int]:
    """Share n among groups as evenly as their sizes allow."""
    shares = [0] * len(sizes)
    for place, group in enumerate(np.argsort(sizes, kind="stable")):
        even = (n - sum(shares)) // (len(sizes) - place)
        shares[group] = min(even, sizes[group])
    return shares
