"""Quality of the labels of elements, of tags and masks, and of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive._utils.matrices import tensor_to_array
from skactive._utils.ragged import offsets_of
from skactive.reductions import Reduction, SoftMin, minimum

__all__ = ["ElementQuality", "rate_masks", "rate_tags", "reduce_quality"]


class ElementQuality(NamedTuple):
    """Quality of the labels of rows and of their elements, from 0 to 1; the lowest is the worst.

    Attributes
    ----------
    quality : ndarray of shape (n_rows,)
        Quality of each row; 1 for rows of which no element counts.
    elements : list of ndarray
        Quality of the elements of each row, in the shape of its labels; NaN for those that do not
        count.
    """

    quality: Floats
    elements: list[Floats]


def rate_tags(
    labels: Any, proba: Any, *, reduction: Reduction | None = None, ignore: int | None = None
) -> ElementQuality:
    r"""Rate the tags of sequences by their probabilities, and sequences by their worst tag.

    Parameters
    ----------
    labels : list of array-like of int, of shape (n_tokens,) each
        Given tags, as columns of `proba`.
    proba : list of array-like, of shape (n_tokens, n_classes) each
        Probabilities of a model that has not learned from these rows.
    reduction : callable, default=None
        From the quality of tags to that of their sequence (:mod:`skactive.reductions`); None takes
        the minimum, which found more errors than means in the source [1]_.
    ignore : int, default=None
        Value of `labels` for tokens that do not count.

    Returns
    -------
    ElementQuality

    Raises
    ------
    ValueError
        If lengths differ, a label is not among the classes, or a probability is negative or not
        finite.

    References
    ----------
    .. [1] W.-C. Wang and J. Mueller (2022). "Detecting label errors in token classification data."
       :doi:`10.48550/arXiv.2210.03920`

    Examples
    --------
    The second sentence has a tag that the model finds improbable:

    >>> from skactive.quality import rate_tags
    >>> proba = [[[0.9, 0.1], [0.2, 0.8]], [[0.1, 0.9]]]
    >>> rate_tags([[0, 1], [0]], proba).quality
    array([0.8, 0.1])
    """
    return _rate(labels, proba, minimum if reduction is None else reduction, ignore)


def rate_masks(
    labels: Any, proba: Any, *, reduction: Reduction | None = None, ignore: int | None = None
) -> ElementQuality:
    r"""Rate the pixels of masks by the probabilities of their classes, and masks by their pixels.

    Parameters
    ----------
    labels : array-like of int of shape (n_rows, height, width), or list of one map per row
        Given classes of the pixels, as columns of `proba`.
    proba : array-like of shape (n_rows, height, width, n_classes), or list of one map per row
        Probabilities of a model that has not learned from these rows, classes last.
    reduction : callable, default=None
        From the quality of pixels to that of their mask (:mod:`skactive.reductions`); None takes
        ``SoftMin(0.1)``, that of the source [1]_.
    ignore : int, default=None
        Value of `labels` for pixels that do not count, often 255.

    Returns
    -------
    ElementQuality

    Raises
    ------
    ValueError
        As :func:`rate_tags` does.

    References
    ----------
    .. [1] V. Lad and J. Mueller (2023). "Estimating label quality and errors in semantic
       segmentation data via any model." :doi:`10.48550/arXiv.2307.05080`

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.quality import rate_masks
    >>> proba = np.full((2, 2, 2, 2), 0.5)
    >>> proba[0] = [0.9, 0.1]
    >>> masks = np.zeros((2, 2, 2), dtype=int)
    >>> masks[0, 0, 1] = 1  # the model finds 0 here
    >>> rate_masks(masks, proba).quality.round(3)
    array([0.101, 0.5  ])
    """
    return _rate(labels, proba, SoftMin() if reduction is None else reduction, ignore)


def reduce_quality(elements: Sequence[Floats], reduction: Reduction) -> ElementQuality:
    """Return the quality of rows from that of their elements, of which NaN do not count."""
    counted = [row[~np.isnan(row)] for row in elements]
    lengths = np.array([len(row) for row in counted], dtype=np.intp)
    joined = np.concatenate(counted) if counted else np.empty(0)
    reduced = reduction(joined, offsets_of(lengths))
    return ElementQuality(np.where(lengths > 0, reduced, 1.0), list(elements))


def _rate(labels: Any, proba: Any, reduction: Reduction, ignore: int | None) -> ElementQuality:
    if len(labels) != len(proba):
        raise ValueError(
            f"labels and proba must have one entry per row, got {len(labels)} and {len(proba)}."
        )
    pairs = enumerate(zip(labels, proba, strict=True))
    return reduce_quality([_rate_row(i, *pair, ignore) for i, pair in pairs], reduction)


def _rate_row(row: int, labels: Any, proba: Any, ignore: int | None) -> Floats:
    """Return the probability of each label of a row, in their shape."""
    codes = np.asarray(tensor_to_array(labels))
    table = np.asarray(tensor_to_array(proba), dtype=np.float64)
    if not codes.size and not table.size:
        return np.empty(codes.shape)
    if table.ndim != codes.ndim + 1 or table.shape[:-1] != codes.shape:
        raise ValueError(
            f"proba of row {row} must be of shape {(*codes.shape, 'n_classes')}, classes last, for "
            f"labels of shape {codes.shape}; got {table.shape}."
        )
    is_counted = np.ones(codes.shape, dtype=bool) if ignore is None else codes != ignore
    _check_row(row, codes[is_counted], table)
    found = np.take_along_axis(table, np.where(is_counted, codes, 0)[..., np.newaxis], axis=-1)
    return np.where(is_counted, found[..., 0], np.nan)


def _check_row(row: int, codes: NDArray[Any], table: Floats) -> None:
    n_classes = table.shape[-1]
    if codes.dtype.kind not in "iu" or (
        codes.size and not 0 <= codes.min() <= codes.max() < n_classes
    ):
        found = np.unique(codes).tolist()[:5]
        raise ValueError(
            f"labels of row {row} must be integers from 0 to {n_classes - 1}, the columns of "
            f"proba, got such as {found}: encode them, or pass ignore= for labels that do not "
            "count."
        )
    if not np.isfinite(table).all() or (table < 0).any():
        raise ValueError(f"proba of row {row} must be finite and not negative.")
