"""Make explanations: read the model, the labeled rows and the strategy for some rows of a pool."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skactive import scores
from skactive._utils.array_types import Floats, Positions
from skactive.exceptions import CapabilityError, InvalidReadingError
from skactive.explanation._explanation import Explanation, LabeledNeighbor
from skactive.pool import PoolView
from skactive.selectors._engine.nearest_centers import AllDistances
from skactive.selectors._engine.neighbors import find_nearest
from skactive.strategies import ScoringStrategy, Strategy
from skactive.strategies._pool_rows import distances_to_labeled, draw_rows

__all__ = ["explain_rows"]

_N_CLASSES, _N_NEIGHBORS = 3, 3
# In larger pools, the ranks of distances and densities are those among a sample of this size.
_MAX_RANKED = 10_000
_MAX_BATCH = 200  # rows that are compared with those before them
_TIE_ROUNDING = 1e-9  # values within this share of each other tie


def explain_rows(pool: PoolView, strategy: Any, positions: Positions) -> list[Explanation]:
    """Explain some rows of a pool.

    Parameters
    ----------
    pool : PoolView
        The pool, as the strategy reads it.
    strategy : Strategy
        The strategy that chose them.
    positions : ndarray of shape (n,), dtype intp
        Positions in the pool.

    Returns
    -------
    list of n Explanation
    """
    if not len(positions):
        return []
    parts = _read_parts(pool, strategy)
    ranks = {name: _rank(values, positions) for name, values in parts.items()}
    rows = pool.take(positions)
    columns: list[list[dict[str, Any]]] = [
        _describe_predictions(rows),
        _locate_rows(pool, positions),
        _describe_elements(pool, strategy, positions),
    ]
    return [
        Explanation(
            int(position),
            type(strategy).__name__,
            isinstance(strategy, ScoringStrategy),
            {name: float(values[position]) for name, values in parts.items()},
            {name: float(values[i]) for name, values in ranks.items()},
            **{key: value for column in columns for key, value in column[i].items()},
        )
        for i, position in enumerate(positions)
    ]


def _read_parts(pool: PoolView, strategy: Any) -> dict[str, Floats]:
    """Return the parts of the scores; none of a strategy without this method."""
    if not isinstance(strategy, Strategy):
        return {}
    try:
        return strategy.explain(pool)
    except CapabilityError:  # rows without features, before there is a model: queries are random
        return {}


def _rank(values: Floats, positions: Any) -> Floats:
    """Return the share of all values that are lower than those at `positions`, past rounding."""
    levels = values[positions]
    levels = levels - _TIE_ROUNDING * np.abs(levels)
    return np.searchsorted(np.sort(values), levels, side="left") / len(values)


# What the model predicts ------------------------------------------------------------------------


def _describe_predictions(rows: PoolView) -> list[dict[str, Any]]:
    """Return the predictions of some rows, as far as the model has them."""
    columns: dict[str, Any] = {
        "probabilities": _read_if_provided(_read_top_classes, rows),
        "prediction": _read_if_provided(_read_predictions, rows),
        "spread": _read_if_provided(_read_spread, rows),
        "has_model": [rows._source.fitted] * len(rows),
    }
    known = {name: values for name, values in columns.items() if values is not None}
    return [{name: values[i] for name, values in known.items()} for i in range(len(rows))]


def _read_if_provided(read: Any, rows: PoolView) -> Any:
    """Return a reading, or None if there is none: an explanation then goes without."""
    try:
        return read(rows)
    except (CapabilityError, InvalidReadingError):
        return None


def _read_top_classes(rows: PoolView) -> list[dict[Any, float]]:
    proba, labels = rows.proba, [_to_python(label) for label in rows.classes]
    order = np.argsort(-proba, axis=1, kind="stable")[:, :_N_CLASSES]
    return [
        {labels[column]: float(row[column]) for column in columns}
        for row, columns in zip(proba, order, strict=True)
    ]


def _read_predictions(rows: PoolView) -> list[Any] | None:
    if rows.provides("prediction"):
        return [_unwrap(value) for value in rows.prediction]
    if rows.elements.kind != "label":  # there may be many: words, pixels
        return None
    labels = np.split(rows.elements.prediction, rows.elements.offsets[1:-1])
    return [values.tolist() for values in labels]


def _read_spread(rows: PoolView) -> list[float] | None:
    if not rows.provides("std"):
        return None
    return [float(value) for value in np.ravel(getattr(rows, "std", np.empty(0)))]


def _to_python(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _unwrap(value: Any) -> Any:
    """Return a prediction as an object of Python; a column of numbers has one per row."""
    is_column = isinstance(value, np.ndarray) and value.shape == (1,)
    return value.item() if is_column else _to_python(value)


def _describe_elements(pool: PoolView, strategy: Any, positions: Positions) -> list[dict[str, Any]]:
    explain = getattr(strategy, "explain_elements", None)
    elements = None if explain is None else explain(pool, positions)
    return [{"elements": item} for item in elements or [None] * len(positions)]


# Where the row lies -----------------------------------------------------------------------------


class _Ranked(NamedTuple):
    """The rows among which distances and densities are ranked, and the places of others there."""

    view: PoolView
    places: Positions


def _locate_rows(pool: PoolView, positions: Positions) -> list[dict[str, Any]]:
    """Return the nearest labeled rows and the density, in the embedding if there is one."""
    ranked = _find_ranked(pool, positions)
    embedding = _read_if_provided(lambda view: view.embedding, ranked.view)
    if embedding is None:
        return [{}] * len(positions)
    density = scores.information_density(embedding, random_state=pool.random_state)
    density_ranks = _rank(density, ranked.places)
    batch_ranks = _rank_in_batch(ranked)
    facts: list[dict[str, Any]] = [
        {"density": float(density[place]), "density_rank": float(rank), "batch_rank": batch_rank}
        for place, rank, batch_rank in zip(ranked.places, density_ranks, batch_ranks, strict=True)
    ]
    if pool.labeled is not None:
        near = _describe_neighbors(ranked, embedding, pool.labeled)
        facts = [{**fact, **more} for fact, more in zip(facts, near, strict=True)]
    return facts


def _find_ranked(pool: PoolView, positions: Positions) -> _Ranked:
    if len(pool) <= _MAX_RANKED:
        return _Ranked(pool, positions)
    sample = np.union1d(draw_rows(pool, _MAX_RANKED), positions)
    return _Ranked(pool.take(sample), np.searchsorted(sample, positions))


def _rank_in_batch(ranked: _Ranked) -> list[float | None]:
    """Return the share of rows nearer to a labeled row, or to one explained before, than each is.

    It is None for the first row, and for those beyond the size of a batch.
    """
    distances, ranks = ranked.view.labeled_distances(AllDistances), list[float | None]()
    for place in ranked.places[:_MAX_BATCH]:
        ranks.append(float(_rank(distances.bound, place)) if ranks else None)
        distances.add_and_update(int(place))
    return ranks + [None] * (len(ranked.places) - len(ranks))


def _describe_neighbors(ranked: _Ranked, embedding: Any, labeled: PoolView) -> list[dict[str, Any]]:
    distances = distances_to_labeled(ranked.view)
    nearest, gaps = find_nearest(labeled.embedding, embedding[ranked.places], _N_NEIGHBORS)
    distance_ranks = _rank(distances, ranked.places)
    return [
        {
            "nearest": tuple(
                LabeledNeighbor(int(row), float(gap), _to_python(labeled.y[row]))
                for row, gap in zip(rows, row_gaps, strict=True)
            ),
            "distance_rank": float(rank),
        }
        for rows, row_gaps, rank in zip(nearest, gaps, distance_ranks, strict=True)
    ]
