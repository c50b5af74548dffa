"""ElementView: the elements of rows (labels, tokens, pixels, boxes) as a pool of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.labels import find_missing
from skactive.adapters._elements import ELEMENT_READINGS
from skactive.exceptions import CapabilityError
from skactive.pool._element_readings import ElementReadings, count_in_block, next_length
from skactive.pool._view import PoolView

__all__ = ["ElementView"]

_SAMPLES = frozenset({"box_samples", "joint_samples", "prediction_samples", "proba_samples"})


class ElementView(ElementReadings):
    """The elements of rows, as a strategy sees them through the fitted model.

    It is a pool whose rows are elements: labels, tokens, pixels, boxes, regions or hypotheses. All
    scores and most strategies work on it unchanged. ``pool.elements`` makes it.

    Parameters
    ----------
    rows : PoolView
        The rows.

    Attributes
    ----------
    rows : PoolView
        The rows that the elements belong to.

    See Also
    --------
    skactive.strategies.Aggregate : Scores rows by the scores of their elements.
    skactive.ActiveLearner.query_elements : Chooses elements to label.
    """

    _advice: ClassVar[str] = (
        " Use a strategy that reads predictions of elements, such as Aggregate(Margin())."
    )
    _group: ClassVar[Callable[[ElementView, Any], ElementView]]

    # Which elements, of which rows -------------------------------------------------------------

    @property
    def X(self) -> Any:
        """Elements have no rows of their own: reading them is an error."""
        raise CapabilityError(
            "Elements have no features that could be read as rows: use a strategy that reads the "
            "model's predictions of them, such as Aggregate(Margin())."
        )

    @property
    def elements(self) -> ElementView:
        raise CapabilityError(
            f"These are elements of rows ({self.kind}), which have none in turn: choose rows by "
            "query, or single elements by a strategy that scores each, such as Aggregate(Margin())."
        )

    @property
    def labeled(self) -> ElementView | None:
        """View of the elements of the labeled rows, with their labels as `y` where known.

        None if there are no labeled rows.
        """
        labeled = self._root.labeled
        if labeled is None:
            return None
        return self._whole._cache_once("labeled", lambda: _view_labeled(labeled))

    @property
    def classes(self) -> NDArray[Any]:
        """Classes, shape (n_classes,), one per column of `proba`: the declared or the model's."""
        declared, model_classes = self._source.classes, self._source.adapter.classes
        if declared is not None:
            return declared
        return np.arange(self.proba.shape[1]) if model_classes is None else model_classes

    @property
    def first_class(self) -> Positions:
        """Column of `proba` of the first class of each element, shape (n_elements,).

        0, but for labels of a row that have classes of their own. A label of which one class is
        known has the first class of all labels, unless its class is the first one of another label.
        """
        label_classes = self._source.adapter.label_classes
        if not label_classes:
            return np.zeros(len(self), dtype=np.intp)
        firsts = [classes[0] for classes in label_classes if len(classes) > 1]
        columns = [
            np.searchsorted(self.classes, classes[0])
            if len(classes) > 1 or classes[0] in firsts
            else 0
            for classes in label_classes
        ]
        return np.array(columns, dtype=np.intp)[self.place]

    def provides(self, reading: str) -> bool:
        """Return whether the model provides a reading of elements."""
        return self._source.fitted and self._source.adapter.provides(f"elements.{reading}")

    def _read(self, reading: str, compute: Callable[[], Any], option: Any = None) -> Any:
        self._check_declared(reading)
        if not self.provides(reading) and self._source.fitted:
            order = sorted(name for name in ELEMENT_READINGS if self.provides(name))
            raise CapabilityError(
                f"{type(self._source.adapter.model).__name__} gives no {reading} of elements "
                f"({self.kind}), but {', '.join(order) or 'nothing'}: use a strategy that reads "
                "these, such as Aggregate(Margin()), or choose rows by query."
            )
        return super()._read(reading, compute, option)

    # Readings that rows do not have ------------------------------------------------------------

    @property
    def boxes(self) -> Floats:
        """Corners of boxes, shape (n_boxes, 4), as (left, top, right, bottom)."""
        return self._read("boxes", lambda: self._compute("boxes"))

    def box_samples(self, n_samples: int | None = None) -> Floats:
        """Draw corners of the same boxes, shape (n_draws, n_boxes, 4); None: the model's number."""
        return self._read("box_samples", lambda: self._compute("box_samples", n_samples), n_samples)

    @property
    def log_likelihood(self) -> Floats:
        """Logarithms of the probabilities of hypotheses, shape (n_hypotheses,)."""
        return self._read("log_likelihood", lambda: self._compute("log_likelihood"))

    @property
    def lengths(self) -> Floats:
        """Numbers of tokens of hypotheses, shape (n_hypotheses,)."""
        return self._read("lengths", lambda: self._compute("lengths"))

    # Parts -------------------------------------------------------------------------------------

    def take(self, positions: Positions | slice) -> ElementView:
        """Return a view of some of the elements, which reuses the readings of this one.

        A reading that is not there yet is made of the rows of these elements only.

        Parameters
        ----------
        positions : ndarray of int or slice
            Positions in this view, in 0 .. n_elements - 1.

        Returns
        -------
        ElementView
        """
        part = super().take(positions)
        assert isinstance(part, ElementView)
        part._is_block = False
        if isinstance(positions, slice):
            positions = np.arange(*positions.indices(len(self)))
        part._rank = positions if self._rank is None else self._rank[positions]
        return part

    def at(self, X: Any, *, y: Any = None) -> PoolView:
        """Return the elements of other rows through the same model."""
        return self.rows.at(X, y=y).elements

    def blocks(self, needs: frozenset[str] = frozenset()) -> Iterator[PoolView]:
        """Split the elements into views whose readings are made and dropped one after the other.

        Parameters
        ----------
        needs : frozenset of str
            The readings of each block that will be used.

        Yields
        ------
        ElementView
            Views that cover all elements, in the order of this view.
        """
        if self._rank is None:
            for block in self.row_blocks(needs):
                yield from block._slices(needs)
        elif (np.diff(self._rank) >= 0).all():
            for block in self._part_blocks(needs):
                yield from block._slices(needs)
        else:
            yield from self._slices(needs)

    def row_blocks(self, needs: frozenset[str] = frozenset()) -> Iterator[ElementView]:
        """Split the rows into views of all their elements, a few rows at a time.

        How many depends on how much the readings of the rows before took.

        Parameters
        ----------
        needs : frozenset of str
            The readings that will be used; all but samples are made at once.

        Yields
        ------
        ElementView
            Views of consecutive rows, which cover all of them.
        """
        if self._is_block or any(isinstance(key, tuple) for key in self._cache):
            yield self  # there are readings of all rows
            return
        start, length = 0, 1
        while start < len(self.rows):
            block = self._of_rows(slice(start, min(start + length, len(self.rows))))
            block._is_block = True
            block._preload(needs)
            yield block
            start += length
            n_bytes = sum(map(_count_bytes, block._cache.values()))
            length = next_length(length, n_bytes / len(block.rows))
            block._cache.clear()  # the caller still holds the block while the next one is read

    def _preload(self, needs: frozenset[str]) -> None:
        """Make readings that will be used, so that parts of this view are taken from them."""
        for need in needs:
            reading = next((each for each in need.split("|") if self.provides(each)), None)
            if reading is not None and reading not in _SAMPLES:
                getattr(self, reading)

    def _part_blocks(self, needs: frozenset[str]) -> Iterator[ElementView]:
        """Split a part in ascending order, by blocks of rows; each row is read once."""
        assert self._rank is not None
        rows, first = np.unique(self.owner, return_inverse=True)  # first: among `rows`
        start = 0
        for block in self._whole._of_rows(rows).row_blocks(needs):
            stop = start + len(block.rows)
            inside = slice(*np.searchsorted(first, [start, stop]))
            in_row = self._rank[inside] - self.offsets[rows[first[inside]]]
            yield block.take(block.offsets[first[inside] - start] + in_row)
            start = stop

    def _slices(self, needs: frozenset[str]) -> Iterator[ElementView]:
        """Split into slices of elements, so that a score's temporaries are small beside a map."""
        length = count_in_block(8 * 4 * self._count_columns())
        if not len(self):
            return
        if needs & _SAMPLES or len(self) <= length:
            yield self
            return
        for start in range(0, len(self), length):
            yield self.take(slice(start, min(start + length, len(self))))

    def _count_columns(self) -> int:
        model_classes = self._source.adapter.classes
        return 16 if model_classes is None else len(model_classes)

    def average_members(self, values: Floats) -> Floats:
        """Return values of all elements as they are; of groups, the means over their members.

        Parameters
        ----------
        values : ndarray of shape (n_elements,)
            A value for each element of the rows, such as a score.

        Returns
        -------
        ndarray of shape (n_elements,), or (n_groups,)
            Those of all elements (or groups), also in a view of some of them.
        """
        return values

    def grouped(self, partition: Any) -> ElementView:
        """Return groups of the elements: pixels become regions or superpixels.

        Parameters
        ----------
        partition : list of n_rows arrays, or Ragged
            The group of each element of a row, integers of any shape with one entry per element;
            negative for elements in no group. Numbers need not be consecutive.

        Returns
        -------
        ElementView
            A view of the groups, row after row, in the order of their numbers. Its readings are
            the means over the elements of a group; `Aggregate` reduces the scores of these.
        """
        if self._rank is not None:
            raise CapabilityError("Groups are of all elements of the rows, not of a part of them.")
        return self._group(partition)


def _count_bytes(reading: Any) -> int:
    if isinstance(reading, tuple):
        return sum(map(_count_bytes, reading))
    return int(getattr(reading, "nbytes", 0))


def _view_labeled(labeled: PoolView) -> ElementView:
    """Return the elements of the labeled rows: those with a known label, if labels fit them."""
    elements = labeled.elements
    labels = _flatten_labels(labeled.y, elements.offsets)
    if labels is None:
        return elements
    elements._y = labels
    known = np.flatnonzero(~find_missing(labels))
    return elements if len(known) == len(labels) else elements.take(known)


def _flatten_labels(y: Any, offsets: Positions) -> NDArray[Any] | None:
    """Return the label of each element, or None if there is not one for each."""
    if y is None:
        return None
    y = y.toarray() if hasattr(y, "toarray") else y
    rows = [np.ravel(row) for row in y]
    if [len(row) for row in rows] != np.diff(offsets).tolist():
        return None
    return np.concatenate(rows) if rows else np.empty(0)


PoolView._element_view = ElementView
