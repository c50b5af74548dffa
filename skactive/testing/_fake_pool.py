"""FakePool: a pool without a model, whose readings come from tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.ragged import Ragged, offsets_of
from skactive._utils.rows import take_rows
from skactive.adapters import ModelAdapter
from skactive.adapters._elements import ELEMENT_READINGS
from skactive.pool import PoolView
from skactive.pool._elements import ElementView
from skactive.pool._view import ReadingSource

__all__ = ["READINGS", "FakePool", "expand_needs", "row_axis"]

READINGS = frozenset(
    {
        "X",
        *(f"elements.{reading}" for reading in ELEMENT_READINGS),
        "elements.gradient_factors",
        "elements.joint_samples",
        "decision",
        "embedding",
        "fantasize",
        "gradient_factors",
        "joint_samples",
        "prediction",
        "prediction_samples",
        "proba",
        "proba_samples",
        "std",
    }
)


class FakePool(PoolView):
    """A pool without a model: all readings come from tables, random ones by default.

    Parameters
    ----------
    n_rows : int, default=30
        Number of candidate rows.
    n_classes, n_dims, n_draws : int, default=3, 4, 8
        Sizes of the random tables.
    n_labeled : int, default=6
        Number of labeled rows.
    seed : int, default=0
        Seed of the random tables.
    query_seed : int, default=0
        Seed of the pool's `random_state`.
    allowed : set of str, default=None
        Readings that a strategy may use; any other raises AssertionError. None allows all.
    **tables : arrays
        Readings to use instead of random ones, by name: ``proba`` (n_rows, n_classes),
        ``proba_samples`` (n_draws, n_rows, n_classes), ``embedding`` (n_rows, n_dims),
        ``decision`` (n_rows,) or (n_rows, n_classes), ``prediction`` and ``std`` (n_rows,),
        ``prediction_samples`` (n_draws, n_rows); and ``costs`` (n_rows,). By ``elements``, a dict
        of :class:`skactive.Ragged` arrays or lists of arrays, the same readings of the elements;
        the random ones have as many elements for each row.

    Examples
    --------
    >>> from skactive.strategies import Margin
    >>> from skactive.testing import FakePool
    >>> pool = FakePool(proba=[[0.9, 0.1], [0.5, 0.5], [0.7, 0.3]])
    >>> Margin().select(pool, 2)
    array([1, 2])
    """

    def __init__(
        self,
        n_rows: int = 30,
        *,
        n_classes: int = 3,
        n_dims: int = 4,
        n_draws: int = 8,
        n_labeled: int = 6,
        seed: int = 0,
        query_seed: int = 0,
        allowed: Iterable[str] | None = None,
        **tables: Any,
    ) -> None:
        costs = tables.pop("costs", None)
        elements = {
            f"elements.{name}": table
            if isinstance(table, Ragged)
            else Ragged.of(table, axis=row_axis(name))
            for name, table in tables.pop("elements", {}).items()
        }
        user_tables = {name: np.asarray(table, dtype=np.float64) for name, table in tables.items()}
        for name, ragged in elements.items():
            n_rows = len(ragged)
            is_filled = "proba" in name and ragged.values.size  # [] has no other axes
            n_classes = ragged.values.shape[-1] if is_filled else n_classes
            n_draws = len(ragged.values) if ragged.axis else n_draws
        for name, table in user_tables.items():
            n_rows = table.shape[row_axis(name)]
            if name == "embedding":
                n_dims = table.shape[1]
            elif name in {"proba", "proba_samples", "decision"}:
                n_classes = table.shape[-1] if table.ndim > 1 else 2
            n_draws = len(table) if name.endswith("_samples") else n_draws
        readings: dict[str, Any] = _draw_tables(
            n_rows + n_labeled, n_classes, n_dims, n_draws, seed
        )
        labeled = np.arange(n_rows, n_rows + n_labeled)
        for name, table in user_tables.items():
            axis = row_axis(name)
            for_labeled = readings[name].take(labeled, axis=axis)
            readings[name] = np.concatenate([table, for_labeled], axis=axis)
        lengths = next((ragged.lengths for ragged in elements.values()), None)
        of_elements = _draw_element_tables(
            n_rows, n_labeled, lengths, n_classes, n_dims, n_draws, seed
        )
        for name, ragged in elements.items():
            drawn = of_elements[name].take(labeled)
            of_elements[name] = Ragged.of([*ragged, *drawn], axis=ragged.axis)
        adapter = _TableAdapter(readings | of_elements, np.arange(n_classes))
        source = ReadingSource(
            adapter=adapter,
            seed=query_seed,
            X_labeled=labeled[:, np.newaxis] if n_labeled else None,
            y_labeled=np.arange(n_labeled) % n_classes if n_labeled else None,
            refit=adapter.refit,
        )
        self._allowed = None if allowed is None else expand_needs(allowed)
        super().__init__(
            np.arange(n_rows)[:, np.newaxis],
            source,
            costs=None if costs is None else np.asarray(costs, dtype=np.float64),
        )

    @property
    def y(self) -> Any:
        """Labels of the labeled rows; reading those of candidates raises AssertionError."""
        if self._y is None:
            raise AssertionError("The strategy looked at the labels of unlabeled rows.")
        return self._y

    def provides(self, reading: str) -> bool:
        """Return whether the pool provides `reading`; False for readings that are not allowed."""
        if self._allowed is not None and reading not in self._allowed:
            return False
        return super().provides(reading)

    def predict_changed(self, change: Callable[[Any], Any]) -> Floats:
        """Return `proba` tempered by a linear function of the change of the embedding."""
        self._check_declared("proba")
        embedding, proba = self._compute_features(self._raw()), self._compute_proba()
        directions = np.cos(np.arange(embedding.shape[1] * proba.shape[1]))
        moved = (change(embedding) - embedding) @ directions.reshape(-1, proba.shape[1])
        proba = proba * np.exp(moved - moved.max(axis=1, keepdims=True))
        return proba / proba.sum(axis=1, keepdims=True)

    def _check_declared(self, reading: str) -> None:
        if self._allowed is not None and reading not in self._allowed:
            raise AssertionError(
                f"The strategy read {reading!r}, which its needs do not declare: "
                f"{sorted(self._allowed)}."
            )

    def reordered(self, order: Positions, *, query_seed: int | None = None) -> FakePool:
        """Return an independent pool, not a view, of some of the rows in another order.

        Parameters
        ----------
        order : ndarray of int
            Positions of the rows.
        query_seed : int, default=None
            Seed of the new pool's `random_state`; None keeps the seed.

        Returns
        -------
        FakePool
        """
        other, source = copy(self), self._source
        if query_seed is not None:
            source = replace(source, seed=query_seed)
        PoolView.__init__(other, take_rows(self._raw(), order), source)
        return other


class _FakeElements(ElementView):
    """The elements of a FakePool's rows: what is allowed is the pool's to say."""

    @property
    def labeled(self) -> ElementView | None:
        """View of the elements of the labeled rows, whose labels are made up."""
        labeled = super().labeled
        if labeled is not None and labeled._y is None:
            labeled._y = np.arange(len(labeled)) % len(self.classes)
        return labeled

    def provides(self, reading: str) -> bool:
        """Return whether the pool provides `reading` of elements."""
        return self._root.provides(f"elements.{reading}")

    def _check_declared(self, reading: str) -> None:
        self._root._check_declared(f"elements.{reading}")


FakePool._element_view = _FakeElements


class _FakeModel:
    """A stand-in for the model of a FakePool."""


class _TableAdapter(ModelAdapter):
    """Looks up readings by the row's number, which is its only feature."""

    element = "token"
    joint_samples = True

    def __init__(self, tables: dict[str, Any], classes: NDArray[Any]) -> None:
        super().__init__(_FakeModel())
        self.tables = tables
        self.model.classes_ = classes
        for table in tables.values():  # a strategy must not change its readings
            (table.values if isinstance(table, Ragged) else table).flags.writeable = False

    def provides(self, reading: str) -> bool:
        name = reading.removeprefix("elements.")
        return reading in self.tables or name in {"joint_samples", "gradient_factors"}

    def proba(self, Z: Any) -> Floats:
        return self.tables["proba"][Z[:, 0]]

    def decision(self, Z: Any) -> Floats:
        return self.tables["decision"][Z[:, 0]]

    def prediction(self, Z: Any) -> Floats:
        return self.tables["prediction"][Z[:, 0]]

    def features(self, Z: Any) -> Floats:
        return self.tables["embedding"][Z[:, 0]]

    def n_draws(self, n_samples: int | None) -> int:
        n_draws = len(self.tables["proba_samples"])
        return n_draws if n_samples is None else min(n_samples, n_draws)

    def proba_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        return self.tables["proba_samples"][: self.n_draws(n_samples), Z[:, 0]]

    def prediction_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        return self.tables["prediction_samples"][: self.n_draws(n_samples), Z[:, 0]]

    def std(self, Z: Any, seed: int) -> Floats:
        return self.tables["std"][Z[:, 0]]

    def read_elements(self, reading: str, Z: Any, n_samples: int | None, seed: int) -> Ragged:
        ragged: Ragged = self.tables[f"elements.{reading}"].take(Z[:, 0])
        if ragged.axis == 0:
            return ragged
        return Ragged(ragged.values[: self.n_draws(n_samples)], ragged.offsets, axis=1)

    def refit(self, row: Any, label: Any) -> _TableAdapter:
        """Return tables as if `row` had the label: probabilities near it move towards the label."""
        z, column = self.tables["embedding"], int(np.asarray(label).ravel()[0])
        pull = np.exp(-((z - z[int(row[0, 0])]) ** 2).mean(axis=1))[:, np.newaxis]
        proba = self.tables["proba"] + pull * np.eye(len(self.model.classes_))[column]
        return _TableAdapter(self.tables | {"proba": proba / (1.0 + pull)}, self.model.classes_)


def row_axis(reading: str) -> int:
    """Return the axis of a reading that counts rows."""
    return 1 if reading.endswith("_samples") else 0


def _draw_tables(
    n_rows: int, n_classes: int, n_dims: int, n_draws: int, seed: int
) -> dict[str, Any]:
    """Draw a random table for each reading."""
    random_state = np.random.RandomState(seed)
    samples = random_state.dirichlet(np.ones(n_classes), size=(n_draws, n_rows))
    decision = random_state.normal(size=(n_rows, n_classes))
    tables = {
        "proba_samples": samples,
        "proba": samples.mean(axis=0),
        "embedding": random_state.normal(size=(n_rows, n_dims)),
        "decision": decision if n_classes > 2 else decision[:, 0],
        "prediction": random_state.normal(size=n_rows),
    }
    numbers = random_state.normal(size=(n_draws, n_rows))
    return tables | {"prediction_samples": numbers, "std": numbers.std(axis=0)}


def _draw_element_tables(
    n_rows: int, n_labeled: int, lengths: Any, n_classes: int, n_dims: int, n_draws: int, seed: int
) -> dict[str, Ragged]:
    """Draw a random table for each reading of elements.

    Candidates have as many elements as `lengths` says; by default, some have none.
    """
    random_state = np.random.RandomState(seed)
    drawn = random_state.randint(0, 5, size=n_rows + n_labeled)
    if lengths is not None:
        drawn[:n_rows] = lengths
    offsets = offsets_of(drawn)
    n_elements = int(offsets[-1])
    tables = _draw_tables(n_elements, n_classes, n_dims, n_draws, seed + 1)
    tables["decision"] = random_state.normal(size=n_elements)
    tables["boxes"] = np.cumsum(random_state.uniform(size=(n_elements, 4)), axis=1)
    moves = random_state.normal(scale=0.1, size=(n_draws, n_elements, 4))
    tables["box_samples"] = tables["boxes"] + moves
    tables["log_likelihood"] = -random_state.exponential(size=n_elements)
    tables["lengths"] = random_state.randint(1, 20, size=n_elements).astype(np.float64)
    return {
        f"elements.{name}": Ragged(table, offsets, axis=row_axis(name))
        for name, table in tables.items()
    }


def expand_needs(needs: Iterable[str]) -> frozenset[str]:
    """Return all readings that `needs` name, with alternatives split; joint samples are samples."""
    options = {option for need in needs for option in need.split("|")}
    joint = {option for option in options if option.endswith("joint_samples")}
    return frozenset(options | {each.replace("joint", "proba") for each in joint})
