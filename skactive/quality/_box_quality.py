"""Quality of labeled boxes: overlooked, badly located, and of the wrong class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive._utils.element_kinds import check_boxes
from skactive._utils.matrices import tensor_to_array
from skactive.quality._element_quality import ElementQuality, reduce_quality
from skactive.reductions import SoftMin
from skactive.scores import box_overlap

__all__ = ["BoxQuality", "rate_boxes"]

_MIN_LOCATING = 0.5  # confidence of predictions that may say where a box should be
_MIN_SURE = 0.95  # and of those that may say that one is missing, or of another class
_SAME_PLACE = 0.95  # overlap of two given boxes that contradict each other
_TINY = 1e-100  # the logarithm of a quality of 0 is finite


class BoxQuality(NamedTuple):
    """Quality of the boxes of images, from 0 to 1; the lowest is the worst.

    Attributes
    ----------
    quality : ndarray of shape (n_images,)
        The geometric mean of the three kinds, weighted.
    overlooked : ElementQuality
        Of each *predicted* box that no given box touches: the lower, the likelier is an object
        without a box. NaN for the other predicted boxes.
    location : ElementQuality
        Of each given box: how well it fits a predicted box of its class that overlaps it.
    classes : ElementQuality
        Of each given box: the lower, the likelier is another class.
    """

    quality: Floats
    overlooked: ElementQuality
    location: ElementQuality
    classes: ElementQuality


class _Image(NamedTuple):
    """Given and predicted boxes of an image, and how they compare."""

    given: Floats  # (n_given, 4)
    labels: NDArray[Any]  # (n_given,)
    predicted: NDArray[Any]  # (n_predicted,), their classes
    confidence: Floats  # (n_predicted,)
    overlap: Floats  # (n_given, n_predicted), intersection over union
    similarity: Floats  # (n_given, n_predicted)


def rate_boxes(
    given: Sequence[Mapping[str, Any]],
    predicted: Sequence[Mapping[str, Any]],
    *,
    overlap_weight: float = 0.9,
    distance_scale: float = 10.0,
    temperature: float = 0.1,
    weights: Sequence[float] = (1 / 3, 1 / 3, 1 / 3),
) -> BoxQuality:
    r"""Rate the labeled boxes of images by the boxes that a detector finds.

    Parameters
    ----------
    given : sequence of mapping
        Of each image: ``boxes``, (n_boxes, 4), the corners (left, top, right, bottom), and
        ``labels``, (n_boxes,).
    predicted : sequence of mapping
        The same of the boxes that a detector finds, which has not learned from these images, and
        ``scores``, (n_boxes,), the confidence in each from 0 to 1: what detectors of torchvision
        return. Boxes of low confidence belong to it.
    overlap_weight : float, default=0.9
        Weight of the overlap in the similarity of two boxes, from 0 to 1; the rest is that of the
        distance of their centers.
    distance_scale : float, default=10.0
        Distance of two centers, in the unit of the corners, at which they are alike by 1 / e.
    temperature : float, default=0.1
        Temperature of :class:`~skactive.reductions.SoftMin`, from boxes to images.
    weights : sequence of three float, default=(1/3, 1/3, 1/3)
        Weights of overlooked objects, locations and classes; they sum to 1.

    Returns
    -------
    BoxQuality

    Raises
    ------
    ValueError
        If lengths or shapes do not fit, or a parameter is out of its range.

    Notes
    -----
    The method is that of ObjectLab [1]_. With IoU the intersection over union of two boxes and
    :math:`\delta` the distance of their centers, their similarity is

    .. math:: s = w\,\mathrm{IoU} + (1 - w)\,e^{-\delta / \mathrm{scale}}

    - *Overlooked*: a sure prediction (0.95) that overlaps no given box has the similarity of the
      nearest given box of its class; without any, the lowest similarity of all images times one
      minus its confidence.
    - *Location*: the highest similarity to predictions (above 0.5) of the same class that overlap;
      1 without any.
    - *Class*: 1 minus the highest similarity to sure predictions of other classes, at least the
      lowest similarity of all images, which also is the quality of two boxes of different classes
      in one place (IoU of 0.95 or more).

    The lowest similarity is that above 0 of all images: only with it does the quality of an image
    depend on the others.

    References
    ----------
    .. [1] U. Tkachenko, A. Thyagarajan and J. Mueller (2023). "ObjectLab: automated diagnosis of
       mislabeled images in object detection data." :doi:`10.48550/arXiv.2309.00832`

    Examples
    --------
    A box of the wrong class, and an object that nobody marked:

    >>> from skactive.quality import rate_boxes
    >>> box, other = [0.0, 0.0, 20.0, 20.0], [60.0, 60.0, 80.0, 80.0]
    >>> given = [{"boxes": [box], "labels": ["dog"]}, {"boxes": [box], "labels": ["cat"]}]
    >>> predicted = [
    ...     {"boxes": [box], "labels": ["cat"], "scores": [0.99]},
    ...     {"boxes": [box, other], "labels": ["cat", "cat"], "scores": [0.99, 0.97]},
    ... ]
    >>> found = rate_boxes(given, predicted)
    >>> [boxes.round(6) for boxes in found.classes.elements]
    [array([2.1e-05]), array([1.])]
    >>> found.overlooked.elements[1].round(6)
    array([     nan, 2.1e-05])
    """
    _check_parameters(overlap_weight, distance_scale, weights)
    if len(given) != len(predicted):
        raise ValueError(
            f"given and predicted must have one entry per image, got {len(given)} and "
            f"{len(predicted)}."
        )
    images = [
        _compare_image(i, *pair, overlap_weight, distance_scale)
        for i, pair in enumerate(zip(given, predicted, strict=True))
    ]
    positive = [image.similarity[image.similarity > 0] for image in images]
    lowest = min((float(part.min()) for part in positive if len(part)), default=1.0)
    kinds = [
        reduce_quality([rate(image, lowest) for image in images], SoftMin(temperature))
        for rate in (_rate_overlooked, _rate_location, _rate_classes)
    ]
    logs = [np.log(kind.quality + _TINY) for kind in kinds]  # (n_images,) each
    return BoxQuality(np.exp(np.tensordot(np.asarray(weights, float), logs, axes=1)), *kinds)


def _check_parameters(overlap_weight: float, distance_scale: float, weights: Any) -> None:
    if not 0 <= overlap_weight <= 1:
        raise ValueError(f"overlap_weight must be from 0 to 1, got {overlap_weight!r}.")
    if not distance_scale > 0:
        raise ValueError(f"distance_scale must be above 0, got {distance_scale!r}.")
    if len(weights) != 3 or min(weights) < 0 or not np.isclose(sum(weights), 1.0):
        raise ValueError(
            "weights must be three numbers of 0 or more that sum to 1, of overlooked objects, "
            f"locations and classes; got {weights!r}."
        )


# One image ----------------------------------------------------------------------------------------


def _compare_image(
    row: int, given: Any, predicted: Any, overlap_weight: float, distance_scale: float
) -> _Image:
    boxes, labels = _read_boxes(f"given[{row}]", given, ("labels",))
    others, classes, scores = _read_boxes(f"predicted[{row}]", predicted, ("labels", "scores"))
    confidence = scores.astype(np.float64)
    if len(confidence) and not (confidence.min() >= 0 and confidence.max() <= 1):
        raise ValueError(f"predicted[{row}]['scores'] must be from 0 to 1.")
    overlap = box_overlap(boxes, others)
    steps = _find_centers(boxes)[:, np.newaxis] - _find_centers(others)
    closeness = np.exp(-np.sqrt((steps**2).sum(axis=-1)) / distance_scale)
    similarity = overlap_weight * overlap + (1 - overlap_weight) * closeness
    return _Image(boxes, labels, classes, confidence, overlap, similarity)


def _read_boxes(name: str, image: Any, keys: tuple[str, ...]) -> tuple[NDArray[Any], ...]:
    """Return the boxes of an image, (n_boxes, 4), and one value per box of each of some keys."""
    missing = [key for key in ("boxes", *keys) if key not in image]
    if missing:
        raise ValueError(f"{name} must have {missing[0]!r}, got {sorted(map(str, image))}.")
    boxes = np.asarray(tensor_to_array(image["boxes"]))
    boxes = check_boxes(f"{name}['boxes']", boxes if boxes.size else boxes.reshape(0, 4))
    if (boxes[:, :2] > boxes[:, 2:]).any():
        raise ValueError(
            f"{name}['boxes'] must be (left, top, right, bottom), but a right or bottom is below "
            "its left or top: is it the width or height? Then add the left or top."
        )
    arrays = [np.asarray(tensor_to_array(image[key])) for key in keys]
    for key, array in zip(keys, arrays, strict=True):
        if array.shape != (len(boxes),):
            raise ValueError(
                f"{name}[{key!r}] must have one entry for each of the {len(boxes)} boxes, got "
                f"shape {array.shape}."
            )
    return boxes.astype(np.float64), *arrays


def _find_centers(boxes: Floats) -> Floats:
    """Return the centers of boxes, (n_boxes, 2)."""
    centers: Floats = (boxes[:, :2] + boxes[:, 2:]) / 2
    return centers


def _rate_overlooked(image: _Image, lowest: float) -> Floats:
    """Return the quality of each predicted box, (n_predicted,); NaN where it does not count."""
    is_apart = ~(image.overlap > 0).any(axis=0) & (image.confidence >= _MIN_SURE)
    same = image.labels[:, np.newaxis] == image.predicted  # (n_given, n_predicted)
    nearest = np.where(same, image.similarity, -np.inf).max(axis=0, initial=-np.inf)
    quality = np.where(same.any(axis=0), nearest, lowest * (1 - image.confidence))
    return np.where(is_apart, quality, np.nan)


def _rate_location(image: _Image, lowest: float) -> Floats:
    """Return the quality of the place of each given box, (n_given,)."""
    fits = (image.labels[:, np.newaxis] == image.predicted) & (image.overlap > 0)
    fits &= image.confidence > _MIN_LOCATING
    best = np.where(fits, image.similarity, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(fits.any(axis=1), best, 1.0)


def _rate_classes(image: _Image, lowest: float) -> Floats:
    """Return the quality of the class of each given box, (n_given,)."""
    contradicts = image.labels[:, np.newaxis] != image.predicted
    contradicts &= image.confidence > _MIN_SURE
    nearest = np.where(contradicts, image.similarity, -np.inf).max(axis=1, initial=-np.inf)
    quality = np.where(contradicts.any(axis=1), np.maximum(lowest, 1 - nearest), 1.0)
    in_place = box_overlap(image.given, image.given) >= _SAME_PLACE
    is_double = (in_place & (image.labels[:, np.newaxis] != image.labels)).any(axis=1)
    return np.where(is_double, lowest, quality)
