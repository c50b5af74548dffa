"""How the readings of elements are made: a few rows at a time, or draw by draw, and checked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config

from skactive._utils.array_types import Floats, Positions
from skactive._utils.ragged import Ragged, offsets_of
from skactive.adapters._elements import ELEMENT_READINGS
from skactive.exceptions import CapabilityError, InvalidReadingError
from skactive.pool._element_forms import to_ragged
from skactive.pool._proba import check_proba, widen_proba
from skactive.pool._view import PoolView

if TYPE_CHECKING:
    from skactive.pool._elements import ElementView

__all__ = ["ElementReadings", "count_in_block", "next_length"]

# Rows are read together as long as their readings take at most this many bytes: more would not
# be faster, and a dense map of one row may take as much alone.
_BLOCK_BYTES = 2**25


class ElementReadings(PoolView):
    """Base of the view of elements: which elements rows have, and their readings.

    Parameters
    ----------
    rows : PoolView
        The rows.
    """

    def __init__(self, rows: PoolView) -> None:
        super().__init__(np.empty((0, 1)), rows._source)
        self.rows = rows
        self._rank: Positions | None = None  # of a part: positions among the elements of `rows`
        self._is_block = False  # few enough rows to be read at once
        self._root = rows._root

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

    def _of_rows(self, rows: Positions | slice) -> ElementView:
        """Return all elements of some of the rows."""
        return self.rows.take(rows).elements

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
        n_samples = 1 if reading == "proba_samples" and self.yields_draws else None
        if self._look_up((reading, n_samples)) is None:
            self._read_lengths(reading, n_samples)
        return self._cache["offsets"]

    def _read_lengths(self, reading: str, n_samples: int | None) -> None:
        """Make a reading to learn how many elements rows have; keep it if it is small."""
        blocks: list[Any] = []
        limit = get_config()["working_memory"] * 2**20
        for values in self._read_blocks(reading, n_samples):
            limit -= values.nbytes
            if limit >= 0:
                blocks.append(values)
            else:
                blocks.clear()
        if limit >= 0:
            joined = _join(blocks, int(ELEMENT_READINGS[reading][1]))
            self._cache_once((reading, n_samples), lambda: joined)

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
            length = next_length(length, ragged.values.nbytes / max(1, len(ragged)))
        self._check_offsets(reading, offsets_of(np.concatenate(lengths)))
        self._cache_once("shapes", lambda: shapes)

    @property
    def yields_draws(self) -> bool:
        """Whether draws of probabilities are made one after the other, and not held at once."""
        return self.provides("proba_samples") and self._source.adapter.yields_draws

    def iter_draws(self, n_samples: int | None = None) -> Iterator[Floats]:
        """Yield the draws of `proba_samples`, each (n_elements, n_classes).

        If the adapter yields them, no two are held at once.

        Parameters
        ----------
        n_samples : int, default=None
            Number of draws; None leaves it to the model.

        Yields
        ------
        ndarray of shape (n_elements, n_classes)
        """
        if not self.yields_draws or self._look_up(("proba_samples", n_samples)) is not None:
            return iter(self.proba_samples(n_samples))
        self._check_declared("proba_samples")
        if self._rank is None:
            return map(attrgetter("values"), self._iter_ragged_draws(n_samples))
        rows, first = np.unique(self.owner, return_inverse=True)
        whole = self._whole if len(rows) == len(self.rows) else self._whole._of_rows(rows)
        kept = whole.offsets[first] + self.place
        return map(partial(_take_values, kept), whole._iter_ragged_draws(n_samples))

    def _iter_ragged_draws(self, n_samples: int | None) -> Iterator[Ragged]:
        """Return the draws of probabilities of the elements of all rows, checked."""
        source = self._source
        draws = source.adapter.iter_draws(self.rows._prepare(), n_samples, source.seed)  # type: ignore[attr-defined]
        return map(self._check_draw, draws)

    def _check_draw(self, raw: Any) -> Ragged:
        ragged, shapes = to_ragged(raw, len(self.rows), 1, False, "a draw", self._source.adapter)
        self._cache_once("shapes", lambda: shapes)
        self._check_offsets("a draw", ragged.offsets)
        return Ragged(self._check_proba_of_elements(ragged.values, 2), ragged.offsets)

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
        if reading == "proba_samples" and self.yields_draws:
            drawn = list(self._iter_ragged_draws(n_samples))
            return Ragged(np.stack([each.values for each in drawn]), drawn[0].offsets, axis=1)
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


def _take_values(positions: Positions, ragged: Ragged) -> Any:
    return ragged.values[positions]


def _join(blocks: list[Any], axis: int) -> Any:
    """Join blocks of a reading; those without elements have no other axes."""
    filled = [block for block in blocks if block.size] or blocks[:1]
    return filled[0] if len(filled) == 1 else np.concatenate(filled, axis=axis)


def count_in_block(bytes_of_each: float) -> int:
    """Return how many of some things make a block, 1 or more."""
    return int(max(1, _BLOCK_BYTES // bytes_of_each))


def next_length(length: int, bytes_per_row: float) -> int:
    """Return how many rows to read next: up to twice as many, within the bytes of a block."""
    if not bytes_per_row:
        return length
    return min(2 * length, count_in_block(bytes_per_row))
