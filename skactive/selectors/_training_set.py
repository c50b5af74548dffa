"""Rows to train on: good ones, unlike each other, near a target, and not too many of one group."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import row_norms

from skactive._utils.array_types import Floats, Positions
from skactive._utils.input_kinds import check_count, check_number, check_some_points
from skactive._utils.matrices import match_form
from skactive._utils.public_input import check_input
from skactive._utils.seeding import Seed, make_random_state
from skactive.exceptions import SkactiveWarning
from skactive.selectors._engine.nearest_centers import NearestCenters, draw_one
from skactive.selectors._engine.points import Matrix, products, slices

__all__ = ["select_training_set"]

_UNIT_TOLERANCE = 1e-6  # rows whose lengths miss 1 by less are not copied
_LEAST_SQUARED = 1e-12  # squared distances below it are those of copies that were rounded
_LARGEST_SQUARED = 4.0  # of two rows of length 1; all rows are as far while nothing is chosen
_TIE_TOLERANCE = 1e-12
_LEAST_WIDTH = 256  # rows that are looked at together, at least
_MAX_SHARE = 1 / 8  # of the rows that are looked at before the bounds of all are lowered
_PRODUCTS_AT_ONCE = 2**21


def _pass_on(name: str, value: Any) -> Any:
    return value


@check_input(
    k=partial(check_count, low=0),
    towards=check_some_points,
    groups=_pass_on,
    per_group=_pass_on,
    near_duplicates=partial(check_number, low=0.0, high=1.0, above=True),
)
def select_training_set(
    embedding: Matrix,
    k: int,
    *,
    quality: NDArray[Any] | None = None,
    towards: Matrix | None = None,
    groups: Any = None,
    per_group: int | Mapping[Any, int] | None = None,
    near_duplicates: float = 0.97,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows to train on: good ones, near a target, and unlike those selected before.

    Parameters
    ----------
    embedding : ndarray or sparse matrix of shape (n_rows, n_dims)
        Embedding of the rows. Only directions count; rows of zeros have none, and are left out.
    k : int
        Number of rows to select.
    quality : ndarray of shape (n_rows,), default=None
        How good each row is, at least 0: a score of a judge, a probability that the label is
        right. Rows of quality 0 are left out. None: all are as good.
    towards : ndarray or sparse matrix of shape (n_targets, n_dims), default=None
        Rows like those that the model is for. None: no row is preferred.
    groups : array-like of shape (n_rows,), default=None
        The group of each row: its source, its class, its author.
    per_group : int or mapping of groups to int, default=None
        At most as many rows are selected of each group; a mapping names all groups. None: no
        limit. Goes with `groups`.
    near_duplicates : float, default=0.97
        Rows whose cosine with a selected row is at least this are not selected, above 0 and at
        most 1. At 1 only copies are left out.
    random_state : int, RandomState or None, default=None
        Breaks ties: among them, without `quality` and `towards`, the first row.

    Returns
    -------
    ndarray of shape (n_selected,)
        Positions, best first. There are fewer than `k`, with a warning, if no others are left.

    Raises
    ------
    ValueError
        If sizes do not agree, or `groups` and `per_group` do not go together.

    Notes
    -----
    Each pick is the row of the greatest

    .. math:: q_i \; \max_{t} [\cos(z_i, z_t)]_+ \; \bigl(1 - \max_{s \in S} \cos(z_i, z_s)\bigr)

    with S the rows selected before, q the quality, and t the targets. The last factor is the same
    for all rows while nothing is selected. Without quality and targets it is farthest-first
    traversal. Since products only fall while rows are selected, few of them are computed again for
    each pick; the picks are those of a plain search. Memory grows with the number of rows.

    Do compare with a random selection: it is hard to beat by diversity alone where data are
    plentiful, and similarity to a target is what helps most (Ivison and others).

    References
    ----------
    Liu, Zeng, He, Jiang and He, "What makes good data for alignment? A comprehensive study of
    automatic data selection in instruction tuning", ICLR 2024, :doi:`10.48550/arXiv.2312.15685`,
    take rows by falling quality and leave out near duplicates. Ivison, Zhang, Brahman, Koh and
    Dasigi, "Large-scale data selection for instruction tuning", 2025,
    :doi:`10.48550/arXiv.2503.01807`.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.selectors import select_training_set
    >>> Z = np.array([[1.0, 0.0], [0.99, 0.05], [0.8, 0.6], [0.0, 1.0]])
    >>> select_training_set(Z, 3, quality=np.array([0.9, 0.8, 0.5, 0.7]))
    array([0, 3, 2])
    >>> select_training_set(Z, 1, towards=np.array([[0.6, 0.8]]))
    array([2])
    """
    room, codes = _read_quotas(groups, per_group, embedding.shape[0])
    unit, has_direction = _normalize(embedding)
    weights = has_direction * (1.0 if quality is None else quality)  # (n_rows,)
    if towards is not None:
        weights = weights * _measure_relevance(unit, towards)
    limit = max(2.0 * (1.0 - near_duplicates), _LEAST_SQUARED)
    search = _Search(unit, weights, codes, room, limit, make_random_state(random_state))
    picks = search.run(min(k, len(weights)))
    if len(picks) < k:
        _warn_about_the_rest(k, picks, weights, search)
    return np.array(picks, dtype=np.intp)


class _Search:
    """The rows whose weight times distance is greatest, one after the other.

    Upper bounds of all rows are kept; those that could still win are made exact. In contrast to
    farthest-first traversal each row has a weight, and rows leave for good, as near duplicates or
    with their group.

    Parameters
    ----------
    unit : ndarray or sparse matrix of shape (n_rows, n_dims)
        Rows of length 1.
    weights : ndarray of shape (n_rows,)
        Factors of the squared distances; rows of weight 0 are left out.
    codes : ndarray of shape (n_rows,)
        The group of each row.
    room : ndarray of shape (n_groups,)
        How many rows of each group may still be picked.
    limit : float
        Rows at most this far from a pick, as a squared distance, are left out.
    rng : RandomState
        Breaks ties.
    """

    def __init__(
        self,
        unit: Matrix,
        weights: Floats,
        codes: Positions,
        room: Positions,
        limit: float,
        rng: RandomState,
    ) -> None:
        self._state, self._weights = NearestCenters(unit), weights.copy()
        self._codes, self._room, self._limit, self._rng = codes, room.copy(), limit, rng
        self._n_lowered = 0  # picks that the bounds of all rows take into account

    def run(self, k: int) -> list[int]:
        """Pick up to `k` rows."""
        picks: list[int] = []
        while len(picks) < k:
            rows, threshold = self._find_contenders(max(_LEAST_WIDTH, 2 * (k - len(picks))))
            if not len(rows):
                break
            if len(rows) > self._state.max_contenders(k) or not self._state.n_centers:
                picks.append(self._pick(rows, self._get_squared(rows)))
            else:
                picks += self._traverse(rows, threshold, k - len(picks))
        return picks

    def count_full(self) -> int:
        """Return the number of groups of which no more rows may be picked."""
        return int(np.count_nonzero(self._room == 0))

    def _find_contenders(self, width: int) -> tuple[Positions, float]:
        """Return rows that include the best, and what no other row exceeds; none if none is left.

        Near duplicates among those that are looked at lose their weight.
        """
        while True:
            is_open = (self._weights > 0.0) & (self._room[self._codes] > 0)
            rows, threshold = np.flatnonzero(is_open), -np.inf
            if len(rows) > width:
                far = np.minimum(self._state.raise_bounds()[rows], _LARGEST_SQUARED)
                bounds = self._weights[rows] * far
                order = np.argpartition(bounds, len(rows) - width - 1)
                threshold = float(bounds[order[len(rows) - width - 1]])
                rows = np.sort(rows[order[len(rows) - width :]])
            squared = self._get_squared(rows)
            rows, squared = self._drop_duplicates(rows, squared)
            gains = self._weights[rows] * squared
            if threshold < 0.0 or (len(rows) and gains.max() - self._max_error(rows) > threshold):
                return rows[gains > threshold], threshold
            if width > _MAX_SHARE * len(is_open) and self._n_lowered < self._state.n_centers:
                self._state.lower_all()
                self._n_lowered = self._state.n_centers
            else:
                width *= 2

    def _get_squared(self, rows: Positions) -> Floats:
        """Return exact squared distances to the nearest pick, (n_rows,)."""
        return np.minimum(self._state.refresh(rows), _LARGEST_SQUARED)

    def _drop_duplicates(self, rows: Positions, squared: Floats) -> tuple[Positions, Floats]:
        near = squared <= self._limit
        self._weights[rows[near]] = 0.0
        return rows[~near], squared[~near]

    def _max_error(self, rows: Positions) -> float:
        """Return the largest error of weighted distances, from products of rows."""
        return float(self._weights[rows].max() * self._state.max_error(rows))

    def _traverse(self, rows: Positions, threshold: float, n_picks: int) -> list[int]:
        """Pick rows among contenders while the best surely exceeds the threshold."""
        picks: list[int] = []
        block, squared = self._state.copy_rows(rows), self._get_squared(rows)
        while len(picks) < n_picks and len(rows):
            gains = self._weights[rows] * squared
            if gains.max() - self._max_error(rows) <= threshold:
                break
            picks.append(self._pick(rows, squared))
            self._state.update_by_last(block, rows, squared)
            near, is_full = squared <= self._limit, self._room[self._codes[rows]] == 0
            self._weights[rows[near]] = 0.0
            keep = ~near & ~is_full & (self._weights[rows] * squared > threshold)
            if not keep.all():
                rows, squared = rows[keep], squared[keep]
                block = tuple(factor[keep] for factor in block)
        return picks

    def _pick(self, rows: Positions, squared: Floats) -> int:
        """Make the best row a pick, ties broken at random, and return its position."""
        gains = self._weights[rows] * squared
        close = np.flatnonzero(gains >= gains.max() - self._max_error(rows))
        if len(close) > 1 and self._state.n_centers:  # too close for distances from products
            exact = self._weights[rows[close]] * self._state.make_exact(rows[close])
            close = close[exact >= exact.max() * (1.0 - _TIE_TOLERANCE)]
        elif len(close) > 1:
            close = close[gains[close] >= gains.max() * (1.0 - _TIE_TOLERANCE)]
        pick = draw_one(rows[close], self._rng)
        self._state.add(pick)
        self._weights[pick] = 0.0
        self._room[self._codes[pick]] -= 1
        return pick


def _normalize(embedding: Matrix) -> tuple[Matrix, NDArray[np.bool_]]:
    """Return rows of length 1, and which rows have a direction, (n_rows,)."""
    lengths = row_norms(embedding)
    has_direction = lengths > 0.0
    if embedding.dtype.kind == "f" and (np.abs(lengths - 1.0) <= _UNIT_TOLERANCE).all():
        return embedding, has_direction
    return normalize(embedding), has_direction


def _measure_relevance(unit: Matrix, towards: Matrix) -> Floats:
    """Return the cosine of each row with the nearest target, at least 0, (n_rows,)."""
    if towards.shape[1] != unit.shape[1]:
        raise ValueError(
            f"towards must have the columns of embedding, got {towards.shape[1]} for "
            f"{unit.shape[1]}: embed both with the same model."
        )
    targets = normalize(match_form(towards, unit))
    relevance = np.zeros(unit.shape[0])
    for rows in slices(unit.shape[0], max(16, _PRODUCTS_AT_ONCE // targets.shape[0])):
        relevance[rows] = products((unit[rows],), (targets,)).max(axis=1)
    return np.maximum(relevance, 0.0)


def _read_quotas(groups: Any, per_group: Any, n_rows: int) -> tuple[Positions, Positions]:
    """Return how many rows of each group may be picked, and the group of each row, (n_rows,)."""
    if groups is None and per_group is None:
        return np.array([n_rows]), np.zeros(n_rows, dtype=np.intp)
    if groups is None or per_group is None:
        raise ValueError(
            f"groups and per_group go together, got {'no groups' if groups is None else 'groups'} "
            f"and per_group={per_group!r}: pass the group of each row, and the most rows of one."
        )
    labels, codes = np.unique(np.asarray(groups), return_inverse=True)
    if np.shape(groups) != (n_rows,):
        raise ValueError(
            f"groups must hold one group for each of the {n_rows} rows, got shape "
            f"{np.shape(groups)}."
        )
    if not isinstance(per_group, Mapping):
        return np.full(len(labels), check_count("per_group", per_group, low=0)), codes
    missing = [label for label in labels.tolist() if label not in per_group]
    if missing:
        raise ValueError(f"per_group names no number for the groups {missing[:5]}: add them.")
    room = [check_count(f"per_group[{g!r}]", per_group[g], low=0) for g in labels.tolist()]
    return np.array(room, dtype=np.intp), codes


def _warn_about_the_rest(k: int, picks: list[int], weights: Floats, search: _Search) -> None:
    n_useless, n_full = int(np.count_nonzero(weights <= 0.0)), search.count_full()
    warnings.warn(
        f"Only {len(picks)} rows of the {k} asked for can be selected: of the {len(weights)} rows, "
        f"{n_useless} have no quality, relevance or direction, {n_full} groups are full, and the "
        "others are near duplicates of selected ones. Raise near_duplicates or per_group, or ask "
        "for fewer.",
        SkactiveWarning,
        stacklevel=3,
    )
