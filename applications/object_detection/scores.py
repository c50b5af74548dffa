"""Mean average precision: the score of detectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive.scores import box_overlap

__all__ = [
    "average_precision",
    "match_boxes",
    "mean_average_precision",
    "score_classes",
    "score_detector",
]


def score_detector(model: Any, X: Any, y: Any) -> float:
    """Return the mean average precision of what a model finds in pictures."""
    return mean_average_precision(model.predict(X), y)


def mean_average_precision(found: Any, truth: Any, overlap: float = 0.5) -> float:
    """Return the average precision on average over the classes that occur.

    Parameters
    ----------
    found : list of dict
        For each picture ``boxes`` (n_boxes, 4), ``labels`` and ``scores``.
    truth : list of dict
        For each picture ``boxes`` and ``labels``.
    overlap : float
        A box is right if its intersection over union with a true one of its class is at least this.

    Notes
    -----
    The area below the curve of precision over recall, where precision is the highest at this or a
    higher recall (all points, as in Pascal VOC from 2010 on). Everingham et al. (2010),
    doi:10.1007/s11263-009-0275-4.
    """
    by_class = score_classes(found, truth, overlap)
    return float(np.mean(list(by_class.values()))) if by_class else float("nan")


def score_classes(found: Any, truth: Any, overlap: float = 0.5) -> dict[int, float]:
    """Return the average precision of each class that occurs, by its number.

    The parameters are those of `mean_average_precision`, whose terms these are.
    """
    classes = np.unique(np.concatenate([row["labels"] for row in truth]))
    return {int(label): _score_class(found, truth, label, overlap) for label in classes}


def _score_class(found: Any, truth: Any, label: int, overlap: float) -> float:
    scores, right, n_true = [np.empty(0)], [np.empty(0, bool)], 0
    for guess, row in zip(found, truth, strict=True):
        mine, true = guess["labels"] == label, row["boxes"][row["labels"] == label]
        order = np.argsort(-guess["scores"][mine], kind="stable")
        scores.append(guess["scores"][mine][order])
        right.append(match_boxes(guess["boxes"][mine][order], true, overlap))
        n_true += len(true)
    return average_precision(np.concatenate(scores), np.concatenate(right), n_true)


def match_boxes(boxes: Any, truth: Any, overlap: float) -> NDArray[np.bool_]:
    """Return which boxes, best first, are right: (n_boxes,); a true box is found once."""
    right = np.zeros(len(boxes), dtype=bool)
    if not len(truth) or not len(boxes):
        return right
    overlaps = box_overlap(boxes, truth)  # (n_boxes, n_true)
    for i, row in enumerate(overlaps):
        best = row.argmax()
        right[i] = row[best] >= overlap
        if right[i]:
            overlaps[:, best] = -1.0
    return right


def average_precision(scores: Any, right: Any, n_true: int) -> float:
    """Return the area below the curve of precision over recall.

    Boxes of equal scores count at once: their order decides nothing.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    n_right = np.cumsum(np.asarray(right)[order])
    last = np.flatnonzero(np.diff(np.asarray(scores)[order], append=-np.inf))  # of equal scores
    recall, precision = n_right[last] / n_true, n_right[last] / (last + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * best))
