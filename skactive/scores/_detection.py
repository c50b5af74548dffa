"""Scores of boxes, and of images by their boxes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.element_kinds import (
    check_box_samples,
    check_boxes,
    check_cuts,
    match_elements,
)
from skactive._utils.input_kinds import check_flag, check_number, check_table, check_weights
from skactive._utils.public_input import check_input
from skactive._utils.ragged import reduce_rows
from skactive.scores._arithmetic import FloatArray, Scores
from skactive.scores._uncertainty import entropy, margin

__all__ = ["box_entropy", "box_margin", "box_overlap", "localization_instability"]


@check_input(class_weight=check_weights, background=check_flag)
def box_margin(proba: FloatArray, class_weight: Any = None, *, background: bool = False) -> Scores:
    r"""Return the squared margin score of each box, weighted by its predicted class.

    Parameters
    ----------
    proba : ndarray of shape (n_boxes, n_classes), or (n_boxes, n_classes + 1) with background
        Class probabilities of the boxes.
    class_weight : array-like of shape (n_classes,), default=None
        Weights of the classes, at least 0; None weighs all the same.
    background : bool, default=False
        Whether the last column is the background. It counts for the margin, as any class, but has
        no weight: the predicted class of a box is its most probable other one.

    Returns
    -------
    ndarray of shape (n_boxes,)
        Scores from 0 (certain) to the largest weight.

    Notes
    -----
    With :math:`p_1 \ge p_2` the two largest probabilities of a box and :math:`\hat y` its class,

    .. math:: u = w_{\hat y} \bigl(1 - (p_1 - p_2)\bigr)^2

    The source adds them up over the boxes of an image, averages them or takes the largest
    (:mod:`skactive.reductions`). Against imbalance it weighs a class by
    :math:`w_c = (N + C) / (N_c + 1)`, with :math:`N_c` of all N labeled boxes of class c, and C
    classes.

    References
    ----------
    Brust, Käding and Denzler (2019), :doi:`10.5220/0007248601810190`.

    Examples
    --------
    >>> import numpy as np
    >>> proba = np.array([[0.6, 0.4], [0.1, 0.9]])
    >>> box_margin(proba, class_weight=[1.0, 5.0]).round(2)
    array([0.64, 0.2 ])
    """
    scores = margin(proba) ** 2
    if class_weight is None:
        return scores
    n_classes = proba.shape[1] - background
    if len(class_weight) != n_classes:
        raise ValueError(
            f"class_weight must have one weight for each of the {n_classes} classes, got "
            f"{len(class_weight)}."
        )
    predicted = proba[:, :n_classes].argmax(axis=1)
    return scores * np.asarray(class_weight, dtype=np.float64)[predicted]


@check_input(boxes=check_boxes, others=check_boxes)
def box_overlap(boxes: FloatArray, others: FloatArray) -> Floats:
    r"""Return the intersection over union of each box with each of some others.

    Parameters
    ----------
    boxes : ndarray of shape (n_boxes, 4)
        Corners, as (left, top, right, bottom).
    others : ndarray of shape (n_others, 4)
        Corners of the others.

    Returns
    -------
    ndarray of shape (n_boxes, n_others)
        From 0 (apart) to 1 (the same); 0 for boxes without an area.

    Notes
    -----
    .. math:: \mathrm{IoU}(A, B) = |A \cap B| \,/\, |A \cup B|

    References
    ----------
    Jaccard (1912), :doi:`10.1111/j.1469-8137.1912.tb05611.x`.

    Examples
    --------
    >>> import numpy as np
    >>> boxes = np.array([[0.0, 0.0, 2.0, 2.0], [1.0, 0.0, 3.0, 2.0]])
    >>> box_overlap(boxes, boxes).round(4)
    array([[1.    , 0.3333],
           [0.3333, 1.    ]])
    """
    return _overlap(boxes[:, np.newaxis], others)


@check_input(offsets=check_cuts, boxes=check_boxes, features=check_table, threshold=check_number)
def box_entropy(
    proba: FloatArray,
    offsets: Positions,
    *,
    boxes: FloatArray | None = None,
    features: FloatArray | None = None,
    threshold: float = 0.5,
) -> Scores:
    r"""Return the entropy of each box, 0 for boxes that repeat a more uncertain one.

    Parameters
    ----------
    proba : ndarray of shape (n_boxes, n_classes)
        Class probabilities of the boxes of all images, image after image.
    offsets : ndarray of shape (n_images + 1,)
        Image i has the boxes ``offsets[i]:offsets[i + 1]``.
    boxes : ndarray of shape (n_boxes, 4), default=None
        Corners, as (left, top, right, bottom): boxes of one class that overlap are alike.
    features : ndarray of shape (n_boxes, n_dims), default=None
        Features: boxes of one class with similar features are alike. Give boxes or features.
    threshold : float, default=0.5
        Boxes are alike if their intersection over union, or the cosine of their features, is
        above it.

    Returns
    -------
    ndarray of shape (n_boxes,)
        Entropies in nats, from 0 (certain, or left out) to :math:`\log C`.

    Notes
    -----
    In each image, the box of the highest entropy is kept, and all others of its predicted class
    that are alike are left out; then the next of those that remain. The total over the image
    (:func:`skactive.reductions.total`) does not count the same thing twice. The source compares
    features, over the whole image; overlap needs none.

    References
    ----------
    Wu, Chen and Huang (2022), :doi:`10.48550/arXiv.2204.07965`.

    Examples
    --------
    >>> import numpy as np
    >>> proba = np.array([[0.5, 0.5], [0.6, 0.4], [0.9, 0.1]])
    >>> boxes = np.array([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 2.1], [5.0, 5.0, 6.0, 6.0]])
    >>> box_entropy(proba, np.array([0, 3]), boxes=boxes).round(4)
    array([0.6931, 0.    , 0.3251])
    """
    if (boxes is None) == (features is None):
        raise ValueError("Give boxes or features, by which boxes are compared, and not both.")
    given = {"boxes": boxes} if features is None else {"features": features}
    match_elements(offsets, proba=proba, **given)
    compared: Any = boxes if features is None else _normalize_rows(features)
    scores, classes = entropy(proba), proba.argmax(axis=1)
    for first, last in pairwise(offsets.tolist()):
        row, part = slice(first, last), compared[first:last]
        alike = (part @ part.T if boxes is None else box_overlap(part, part)) > threshold
        alike &= classes[row] == classes[row, np.newaxis]
        scores[row][_find_repeated(scores[row], alike)] = 0.0
    return scores


@check_input(boxes=check_boxes, box_samples=check_box_samples, offsets=check_cuts)
def localization_instability(
    proba: FloatArray, boxes: FloatArray, box_samples: FloatArray, offsets: Positions
) -> Scores:
    r"""Return how much the boxes of each image move between draws.

    Parameters
    ----------
    proba : ndarray of shape (n_boxes, n_classes)
        Class probabilities of the boxes of all images, image after image.
    boxes : ndarray of shape (n_boxes, 4)
        Corners, as (left, top, right, bottom).
    box_samples : ndarray of shape (n_samples, n_boxes, 4)
        Corners of the same boxes in each draw: of the image with noise, or with dropout.
    offsets : ndarray of shape (n_images + 1,)
        Image i has the boxes ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of shape (n_images,)
        From 0 (all boxes stay where they are, or there are none) to 1.

    Notes
    -----
    With :math:`b_j^s` box j in draw s, and :math:`p_j` the largest of its class probabilities,

    .. math::
        u = 1 - \sum_j p_j S_j \Big/ \sum_j p_j, \qquad
        S_j = \frac1S \sum_s \mathrm{IoU}(b_j, b_j^s)

    The source subtracts the stability :math:`1 - u` from the largest class uncertainty of the
    image; :class:`~skactive.strategies.WeightedSum` adds scores.

    References
    ----------
    Kao, Lee, Sen and Liu (2018), :doi:`10.48550/arXiv.1801.05124`.

    Examples
    --------
    >>> import numpy as np
    >>> boxes = np.array([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 1.0, 1.0]])
    >>> samples = np.array([[[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 1.0, 2.0]]])  # one moves
    >>> proba = np.array([[0.9, 0.1], [0.6, 0.4]])
    >>> localization_instability(proba, boxes, samples, np.array([0, 1, 2, 2]))
    array([0. , 0.5, 0. ])
    """
    match_elements(offsets, proba=proba, boxes=boxes)
    match_elements(offsets, box_samples=box_samples.swapaxes(0, 1))
    weights = np.asarray(proba.max(axis=1), dtype=np.float64)
    moves = weights * (1.0 - _overlap(box_samples, boxes).mean(axis=0))
    moved, total = (reduce_rows(np.add, values, offsets) for values in (moves, weights))
    return np.divide(moved, total, out=np.zeros_like(moved), where=total > 0)


def _overlap(boxes: FloatArray, others: FloatArray) -> Floats:
    """Return the intersection over union of boxes (..., 4) that are broadcast, (...)."""
    low = np.maximum(boxes[..., :2], others[..., :2])
    high = np.minimum(boxes[..., 2:], others[..., 2:])
    common = np.prod(np.maximum(high - low, 0.0), axis=-1, dtype=np.float64)
    union = _area(boxes) + _area(others) - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def _area(boxes: FloatArray) -> Floats:
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0.0)
    return np.prod(sides, axis=-1, dtype=np.float64)


def _normalize_rows(features: FloatArray) -> Floats:
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(norms > 0, norms, 1.0)


def _find_repeated(scores: Scores, alike: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which boxes of an image are alike to one that is kept, the highest scores first."""
    repeated = np.zeros(len(scores), dtype=bool)
    kept = np.zeros(len(scores), dtype=bool)
    for i in np.argsort(-scores, kind="stable"):
        if not repeated[i]:
            kept[i] = True
            repeated |= alike[i] & ~kept
    return repeated
