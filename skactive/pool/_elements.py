"""ElementView: the elements of rows (labels, tokens, pixels, boxes) as a pool of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config

from skactive._utils.array_types import Floats, Positions
from skactive._utils.labels import find_missing
from skactive._utils.ragged import Ragged, offsets_of
from skactive.adapters._elements import ELEMENT_READINGS
from skactive.exceptions import CapabilityError, InvalidReadingError
from skactive.pool._element_forms import to_ragged
from skactive.pool._proba import check_proba, widen_proba
from skactive.pool._view import PoolView

__all__ = ["ElementView"]

# Rows are read together as long as their readings take at most this many bytes: more would not
# be faster, and a dense map of one row may take as much alone.
_BLOCK_BYTES = 2**25
_SAMPLES = frozenset({"box_samples", "joint_samples", "prediction_samples", "proba_samples"})


class ElementView(PoolView):
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
        " Use a strategy that reads the model's predictions of elements, such as Margin."
    )
    _group: ClassVar[Callable[[ElementView, Any], ElementView]]

    def __init__(self, rows: PoolView) -> None:
        super().__init__(np.empty((0, 1)), rows._source)
        self.rows = rows
        self._rank: Positions | None = None  # of a part: positions among the elements of `rows`
        self._is_block = False  # few enough rows to be read at once
        self._root = rows._root

    # Which elements, of which rows -------------------------------------------------------------

    def __len__(self) -> int:
        return int(self.offsets[-1]) if self._rank is None else len(self._rank)

    @property
    def offsets(self) -> Positions:
        """Offsets, shape (n_rows + 1,): row i has the elements ``offsets[i]:offsets[i + 1]``.

        Those of all elements, also in a view of some of them.
        """
        return self._whole._cache_once("offsets", self._whole._find_offsets)

    @property
    def owner(self) -> Positions:
        """Position of the row of each element, shape (n_elements,)."""
        if self._rank is None:
            return np.repeat(np.arange(len(self.rows)), np.diff(self.offsets))
        return np.searchsorted(self.offsets, self._rank, side="right") - 1

    @property
    def place(self) -> Positions:
        """Place of each element among those of its row, shape (n_elements,)."""
        rank = np.arange(len(self)) if self._rank is None else self._rank
        return rank - self.offsets[self.owner]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Axes of the elements of each row, n_rows of them, such as (height, width) of pixels.

        Those of all elements, also in a view of some of them; (n_elements,) if they have one axis.
        """
        whole = self._whole
        if "shapes" not in whole._cache:
            whole._find_offsets()
        return list(whole._cache["shapes"])

    @property
    def X(self) -> Any:
        """Elements have no rows of their own: reading them is an error."""
        raise CapabilityError(
            "Elements have no features that could be read as rows: use a strategy that reads the "
            "model's predictions of them, such as Margin."
        )

    @property
    def elements(self) -> ElementView:
        raise CapabilityError(
            f"These are {self.kind}s, which have no elements in turn: choose rows by query, or "
            "give query_elements a strategy that scores each element, such as Margin."
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
                f"{type(self._source.adapter.model).__name__} gives no {reading} of its "
                f"{self.kind}s, but {', '.join(order) or 'nothing'}: choose rows by query, or give "
                "query_elements a strategy that reads these, such as Margin."
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
        stop = 0
        for block in self._cut(needs):
            start, stop = stop, stop + len(block)
            block._costs = None if self._costs is None else self._costs[start:stop]
            yield block

    def _cut(self, needs: frozenset[str]) -> Iterator[ElementView]:
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
            n_bytes = block._forget()  # the caller still holds the block while the next is read
            length = _next_length(length, n_bytes / len(block.rows))

    def _forget(self) -> int:
        """Drop the readings that are kept here, and return how many bytes they took."""
        n_bytes = sum(map(_count_bytes, self._cache.values()))
        self._cache.clear()
        return n_bytes

    def _of_rows(self, rows: Positions | slice) -> ElementView:
        """Return all elements of some of the rows."""
        return self.rows.take(rows).elements

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
        length = max(1, _BLOCK_BYTES // (8 * 4 * self._count_columns()))
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
            the means over the elements of a group; `Aggregate` scores a group by the scores of
            its elements.
        """
        if self._rank is not None:
            raise CapabilityError("Groups are of all elements of the rows, not of a part of them.")
        return self._group(partition)

    # How readings are made ---------------------------------------------------------------------

    @property
    def _whole(self) -> ElementView:
        """The view of all elements of the rows."""
        view: Any = self
        while view._parent is not None:
            view = view._parent
        return view

    @property
    def kind(self) -> str:
        """Kind of the elements: "label", "token", "pixel", "box", "region" or "hypothesis"."""
        return self._source.adapter.element or "element"

    def _find_offsets(self) -> Positions:
        """Return the offsets, by the first reading that the model provides if there is none yet."""
        order = ("proba", "prediction", *ELEMENT_READINGS)
        reading = next((name for name in order if self.provides(name)), None)
        if reading is None:
            raise CapabilityError("There is no fitted model that reads the elements of rows.")
        if self._look_up((reading, None)) is None:
            self._read_lengths(reading)
        return self._cache["offsets"]

    def _read_lengths(self, reading: str) -> None:
        """Make a reading to learn how many elements rows have; keep it if it is small."""
        blocks: list[Any] = []
        limit = get_config()["working_memory"] * 2**20
        for values in self._read_blocks(reading, None):
            limit -= values.nbytes
            if limit >= 0:
                blocks.append(values)
            else:
                blocks.clear()
        if limit >= 0:
            joined = _join(blocks, int(ELEMENT_READINGS[reading][1]))
            self._cache_once((reading, None), lambda: joined)

    def _compute(self, reading: str, n_samples: int | None = None) -> Any:
        """Make a reading of all elements, or of those of a part."""
        axis = int(ELEMENT_READINGS[reading][1])
        if self._rank is None:
            return _join(list(self._read_blocks(reading, n_samples)), axis)
        rows, first = np.unique(self.owner, return_inverse=True)
        whole = self._whole._of_rows(rows)
        values = whole._compute(reading, n_samples)
        kept = whole.offsets[first] + self.place
        return values[:, kept] if axis else values[kept]

    def _read_blocks(self, reading: str, n_samples: int | None) -> Iterator[Any]:
        """Make a reading block by block; remember how many elements each row has."""
        lengths: list[Positions] = [np.empty(0, dtype=np.intp)]
        shapes: list[tuple[int, ...]] = []
        start, length, n_rows = 0, len(self.rows) if self._is_block else 1, len(self.rows)
        while start < n_rows or len(lengths) == 1:
            rows = slice(start, min(start + length, n_rows))
            block = self if rows == slice(0, n_rows) else self._of_rows(rows)
            ragged = block._read_at_once(reading, n_samples)
            lengths.append(ragged.lengths)
            shapes += block._cache.get("shapes") or [(int(n),) for n in ragged.lengths]
            yield ragged.values
            start += max(length, 1)
            length = _next_length(length, ragged.values.nbytes / max(1, len(ragged)))
        self._check_offsets(reading, offsets_of(np.concatenate(lengths)))
        self._cache_once("shapes", lambda: shapes)

    def _look_up(self, key: tuple[str, Any]) -> Any:
        """Look up a reading in this view, in the view it is part of, and in that of more rows."""
        if key in self._cache or self._parent is not None:
            return super()._look_up(key)
        around = self._rows_around()
        values = None if around is None else around._look_up(key)
        if around is None or values is None or isinstance(values, tuple):
            return None
        axis = int(ELEMENT_READINGS[key[0]][1])
        ragged = Ragged(values, around.offsets, axis=axis).take(self.rows._positions)
        self._cache_once("offsets", lambda: ragged.offsets)
        rows = np.arange(len(around.rows))[self.rows._positions]
        self._cache_once("shapes", lambda: [around.shapes[row] for row in rows])
        return ragged.values

    def _rows_around(self) -> ElementView | None:
        """Return the elements of the rows that these rows were taken from, if they were read."""
        return None if self.rows._parent is None else self.rows._parent._cache.get("elements")

    def _check_offsets(self, reading: str, offsets: Positions) -> None:
        known = self._cache_once("offsets", lambda: offsets)
        if not np.array_equal(known, offsets):
            row = int(np.argmax(np.diff(known) != np.diff(offsets)))
            name = type(self._source.adapter.model).__name__
            raise InvalidReadingError(
                f"{name} gives {np.diff(offsets)[row]} {self.kind}s of row {row} as {reading}, "
                f"but {np.diff(known)[row]} before: all readings must be of the same elements, in "
                "the same order."
            )

    def _read_at_once(self, reading: str, n_samples: int | None) -> Ragged:
        """Make a reading of the elements of all rows by the adapter, and check it."""
        source, (_, draws, n_axes) = self._source, ELEMENT_READINGS[reading]
        if not len(self.rows):
            shape = (0,) * (1 + int(draws) + n_axes)
            self._cache_once("shapes", list)
            return Ragged(np.empty(shape), [0], axis=int(draws))
        Z = self.rows._prepare()
        raw = source.adapter.read_elements(reading, Z, n_samples, source.seed)
        ragged, shapes = to_ragged(raw, len(self.rows), n_axes, draws, reading, source.adapter)
        self._cache_once("shapes", lambda: shapes)
        if reading in {"proba", "proba_samples"}:
            values = self._check_proba_of_elements(ragged.values, 3 if draws else 2)
            return Ragged(values, ragged.offsets, axis=ragged.axis)
        if reading != "prediction" and not np.isfinite(ragged.values).all():
            raise InvalidReadingError(
                f"{type(source.adapter.model).__name__} gives NaN or infinity as {reading} of "
                f"{self.kind}s: check the model and its rows."
            )
        return ragged

    def _check_proba_of_elements(self, proba: NDArray[Any], n_dims: int) -> Floats:
        adapter = self._source.adapter
        if not proba.size:
            classes = adapter.classes if self._source.classes is None else self._source.classes
            n_columns = proba.shape[-1] if classes is None else len(classes)
            return np.empty((*proba.shape[:-1], n_columns))
        proba = check_proba(proba, adapter, n_dims, proba.shape[-2])
        classes = adapter.classes
        if classes is not None and proba.shape[-1] != len(classes):
            raise InvalidReadingError(
                f"{type(adapter.model).__name__} gives {proba.shape[-1]} columns of probability "
                f"for each {self.kind}, but has {len(classes)} classes; expected one per class."
            )
        declared = self._source.classes
        if declared is None or (classes is not None and np.array_equal(classes, declared)):
            return proba
        return widen_proba(proba, adapter, declared, declared)

    def _compute_proba(self) -> Floats:
        return self._compute("proba")

    def _compute_proba_samples(self, n_samples: int | None) -> Floats:
        return self._compute("proba_samples", n_samples)

    def _compute_prediction_samples(self, n_samples: int | None) -> Floats:
        return self._compute("prediction_samples", n_samples)

    def _compute_std(self) -> Floats:
        return self._compute("std")

    def _compute_decision(self) -> Floats:
        return self._compute("decision")

    def _compute_prediction(self) -> NDArray[Any]:
        return self._compute("prediction")

    def _compute_embedding(self) -> Any:
        return self._compute("embedding")

    def _compute_gradient_factors(self) -> tuple[Floats, Any]:
        residual = np.array(self._reuse_or_compute(("proba", None), self._compute_proba))
        residual[np.arange(len(residual)), residual.argmax(axis=1)] -= 1.0
        return residual, self._reuse_or_compute(("embedding", None), self._compute_embedding)


def _join(blocks: list[Any], axis: int) -> Any:
    """Join blocks of a reading; those without elements have no other axes."""
    filled = [block for block in blocks if block.size] or blocks[:1]
    return filled[0] if len(filled) == 1 else np.concatenate(filled, axis=axis)


def _next_length(length: int, bytes_per_row: float) -> int:
    """Return how many rows to read next: up to twice as many, within the bytes of a block."""
    if not bytes_per_row:
        return length
    return int(min(2 * length, max(1, _BLOCK_BYTES // bytes_per_row)))


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
