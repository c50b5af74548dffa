"""Tools to test strategies: a pool of random readings, and checks for every strategy.

Third parties test their own strategies in three lines::

    from skactive.testing import parametrize_with_strategy_checks

    @parametrize_with_strategy_checks([MyStrategy(), MyStrategy(beta=2)])
    def test_strategy(strategy, check):
        check(strategy)
"""

from __future__ import annotations

import pickle
import random
import warnings
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone

from skactive._needs import can_start_cold
from skactive._utils.array_types import Floats, Positions
from skactive._utils.ragged import Ragged, offsets_of
from skactive._utils.rows import take_rows
from skactive.adapters import ModelAdapter
from skactive.adapters._elements import ELEMENT_READINGS
from skactive.exceptions import RelaxedRuleWarning, TiedScoresWarning
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource
from skactive.strategies import ScoreStrategy, ScoringStrategy

__all__ = ["FakePool", "parametrize_with_strategy_checks", "strategy_checks"]

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
        of :class:`skactive.Ragged` arrays or lists of arrays, the same readings of the elements.

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
            else Ragged.of(table, axis=_row_axis(name))
            for name, table in tables.pop("elements", {}).items()
        }
        user_tables = {name: np.asarray(table, dtype=np.float64) for name, table in tables.items()}
        for name, ragged in elements.items():
            n_rows = len(ragged)
            is_filled = "proba" in name and ragged.values.size  # [] has no other axes
            n_classes = ragged.values.shape[-1] if is_filled else n_classes
            n_draws = len(ragged.values) if ragged.axis else n_draws
        for name, table in user_tables.items():
            n_rows = table.shape[_row_axis(name)]
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
            axis = _row_axis(name)
            for_labeled = readings[name].take(labeled, axis=axis)
            readings[name] = np.concatenate([table, for_labeled], axis=axis)
        of_elements = _draw_element_tables(n_rows + n_labeled, n_classes, n_dims, n_draws, seed)
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
        self._allowed = None if allowed is None else _expand_needs(allowed)
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


def _row_axis(reading: str) -> int:
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
    n_rows: int, n_classes: int, n_dims: int, n_draws: int, seed: int
) -> dict[str, Ragged]:
    """Draw a random table for each reading of elements; some rows have no elements."""
    random_state = np.random.RandomState(seed)
    offsets = offsets_of(random_state.randint(0, 5, size=n_rows))
    n_elements = int(offsets[-1])
    tables = _draw_tables(n_elements, n_classes, n_dims, n_draws, seed + 1)
    tables["decision"] = random_state.normal(size=n_elements)
    tables["boxes"] = np.cumsum(random_state.uniform(size=(n_elements, 4)), axis=1)
    moves = random_state.normal(scale=0.1, size=(n_draws, n_elements, 4))
    tables["box_samples"] = tables["boxes"] + moves
    tables["log_likelihood"] = -random_state.exponential(size=n_elements)
    tables["lengths"] = random_state.randint(1, 20, size=n_elements).astype(np.float64)
    return {
        f"elements.{name}": Ragged(table, offsets, axis=_row_axis(name))
        for name, table in tables.items()
    }


def _expand_needs(needs: Iterable[str]) -> frozenset[str]:
    """Return all readings that `needs` name, with alternatives split; joint samples are samples."""
    options = {option for need in needs for option in need.split("|")}
    if "joint_samples" in options:
        options.add("proba_samples")
    return frozenset(options)


def strategy_checks(strategy: Any) -> Iterator[Callable[[], None]]:
    """Yield the checks that a strategy must pass.

    Parameters
    ----------
    strategy : Strategy
        The strategy to check.

    Yields
    ------
    callable
        A check, a function without arguments that raises if the strategy fails. Its ``__name__``
        says what is checked.

    Examples
    --------
    >>> from skactive.strategies import Margin
    >>> from skactive.testing import strategy_checks
    >>> for check in strategy_checks(Margin()):
    ...     check()
    """
    for check in CHECKS:
        bound = partial(check, strategy)
        bound.__name__ = check.__name__  # type: ignore[attr-defined]
        yield bound


def parametrize_with_strategy_checks(strategies: Iterable[Any]) -> Callable[..., Any]:
    """Parametrize a pytest test by strategies and the checks that each must pass.

    Parameters
    ----------
    strategies : iterable of Strategy
        The strategies to check.

    Returns
    -------
    decorator
        For a test with the arguments ``strategy`` and ``check`` that calls ``check(strategy)``.

    See Also
    --------
    strategy_checks : The checks without pytest.
    """
    import pytest

    cases = [
        pytest.param(strategy, check, id=f"{strategy!r}-{check.__name__}")
        for strategy in strategies
        for check in CHECKS
    ]
    return pytest.mark.parametrize(("strategy", "check"), cases)


# The checks -----------------------------------------------------------------------------------


def _choose(strategy: Any, pool: PoolView, batch_size: int) -> Positions:
    """Select from a pool and check the type, shape and range of the result."""
    with warnings.catch_warnings():
        for category in (RelaxedRuleWarning, TiedScoresWarning):
            warnings.simplefilter("ignore", category)
        positions = strategy.select(pool, batch_size)
    assert isinstance(positions, np.ndarray), f"select must return an array, got {positions!r}"
    assert positions.dtype == np.intp, f"positions must be of dtype intp, got {positions.dtype}"
    assert positions.shape == (batch_size,), f"asked for {batch_size}, got {positions.shape}"
    assert len(set(positions.tolist())) == batch_size, f"positions repeat: {positions}"
    in_range = not batch_size or (positions.min() >= 0 and positions.max() < len(pool))
    assert in_range, f"positions must lie in 0 .. {len(pool) - 1}: {positions}"
    return positions


def _get_untied(strategy: Any, pool: FakePool, positions: Positions) -> Any:
    """Return the part of a result that ties do not affect: sorted scores, else sorted rows."""
    if isinstance(strategy, ScoreStrategy):
        return np.sort(strategy.score(pool)[positions])
    return np.sort(pool._raw()[positions, 0])


def check_known_needs(strategy: Any) -> None:
    """`needs` is a frozenset of readings that exist."""
    needs = strategy.needs
    assert isinstance(needs, frozenset), f"needs must be a frozenset, got {needs!r}"
    unknown = {option for need in needs for option in need.split("|")} - READINGS
    assert not unknown, f"needs names unknown readings: {sorted(unknown)}"


def check_distinct_positions(strategy: Any) -> None:
    """Distinct positions for 0, 1, 7 and all rows, and for a pool of one row."""
    for batch_size in (0, 1, 7, 30):
        _choose(strategy, FakePool(30), batch_size)
    _choose(strategy, FakePool(1), 1)


def check_repeatable(strategy: Any) -> None:
    """The same seed gives the same result."""
    first, second = (_choose(strategy, FakePool(query_seed=7), 7) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def check_randomized(strategy: Any) -> None:
    """The seed matters if and only if the strategy is `randomized`."""
    pools = [FakePool(query_seed=seed) for seed in range(8)]
    values = [_get_untied(strategy, pool, _choose(strategy, pool, 3)) for pool in pools]
    differ = any(not np.array_equal(values[0], value) for value in values[1:])
    assert differ == strategy.randomized, f"randomized is {strategy.randomized}"


def check_permuted_pool(strategy: Any) -> None:
    """A permuted pool gives the permuted result."""
    pool, order = FakePool(), np.random.RandomState(1).permutation(30)
    permuted = pool.reordered(order)
    if isinstance(strategy, ScoreStrategy) and not strategy.randomized:
        np.testing.assert_allclose(strategy.score(permuted), strategy.score(pool)[order], 1e-9)
    if not strategy.randomized:
        first, second = _choose(strategy, pool, 7), _choose(strategy, permuted, 7)
        values = (
            _get_untied(strategy, pool, first),
            _get_untied(strategy, permuted, second),
        )
        np.testing.assert_allclose(*values, rtol=1e-9)


def check_shuffled_part_of_pool(strategy: Any) -> None:
    """A shuffled part of a pool gives the same result as a pool of these rows alone."""
    order = np.random.RandomState(2).permutation(30)[:17]
    view, pool = FakePool().take(order), FakePool().reordered(order)
    np.testing.assert_array_equal(_choose(strategy, view, 5), _choose(strategy, pool, 5))


def check_reads_what_it_declares(strategy: Any) -> None:
    """It reads nothing but its `needs`, of which any one of the alternatives is enough."""
    options = [need.split("|") for need in sorted(strategy.needs)]
    for choice in range(max((len(alternatives) for alternatives in options), default=1)):
        allowed = {alternatives[min(choice, len(alternatives) - 1)] for alternatives in options}
        _choose(strategy, FakePool(allowed=allowed), 5)


def check_starts_cold(strategy: Any) -> None:
    """A strategy that needs no model chooses rows before any row is labeled."""
    if can_start_cold(strategy):
        allowed = {"X", "embedding"} & _expand_needs(strategy.needs)
        _choose(strategy, FakePool(n_labeled=0, allowed=allowed), 5)


def check_scores(strategy: Any) -> None:
    """Scores are finite, one per row; the highest are chosen, and the very highest comes first."""
    if not isinstance(strategy, ScoringStrategy):
        return
    scores = strategy.score(FakePool())
    assert scores.shape == (30,), f"score must have shape (30,), got {scores.shape}"
    assert scores.dtype == np.float64, f"scores must be of dtype float64, got {scores.dtype}"
    assert np.isfinite(scores).all(), f"scores must be finite: {scores}"
    if strategy.randomized or strategy.draws_scores:
        return
    chosen = _choose(strategy, FakePool(), 7)
    if not isinstance(strategy, ScoreStrategy):  # it makes a choice of its own
        np.testing.assert_allclose(scores[chosen[0]], scores.max(), 1e-9, err_msg="not the best")
    else:
        rest = np.setdiff1d(np.arange(30), chosen)
        assert scores[chosen].min() >= scores[rest].max(), "a higher score was left out"
        assert (np.diff(scores[chosen]) <= 0).all(), "positions must come best first"


def check_explained(strategy: Any) -> None:
    """The parts of an explanation are finite numbers, one per row, that make up the score."""
    allowed = _expand_needs(strategy.needs)
    parts = strategy.explain(FakePool(allowed=allowed)) if hasattr(strategy, "explain") else {}
    for name, values in parts.items():
        assert np.shape(values) == (30,), f"{name!r} must have shape (30,), got {np.shape(values)}"
        assert np.isfinite(values).all(), f"{name!r} must be finite: {values}"
    if not isinstance(strategy, ScoringStrategy):
        return
    *rest, last = parts.items()
    np.testing.assert_allclose(last[1], strategy.score(FakePool(allowed=allowed)), 1e-9)
    if rest and last[0] == "score":
        terms = np.array([values for _, values in rest])  # (n_parts, n_rows)
        made = any(np.allclose(made, last[1]) for made in (terms.sum(axis=0), terms.prod(axis=0)))
        assert made, f"the score is neither the sum nor the product of {[name for name, _ in rest]}"


def check_chunked_equals_whole(strategy: Any) -> None:
    """The size of the chunks does not change the result."""
    expected = _choose(strategy, FakePool(), 7)
    with config_context(working_memory=0.002):  # about 20 rows of three probabilities
        np.testing.assert_array_equal(_choose(strategy, FakePool(), 7), expected)
    if isinstance(strategy, ScoreStrategy) and strategy.rowwise:
        pool = FakePool()
        parts = [strategy.score(pool.take(slice(start, start + 7))) for start in range(0, 30, 7)]
        np.testing.assert_allclose(np.concatenate(parts), strategy.score(pool), rtol=1e-12)


def check_pool_not_changed(strategy: Any) -> None:
    """Readings, which are shared, are not changed in place."""
    pool = FakePool()
    readings = [pool.proba, pool.decision, pool.embedding, pool.proba_samples(), pool.classes]
    readings += [*pool.gradient_factors, pool.X]
    if pool.labeled is not None:
        readings += [pool.labeled.X, pool.labeled.y, pool.labeled.embedding]
    copies = [reading.copy() for reading in readings]
    _choose(strategy, pool, 7)
    for reading, before in zip(readings, copies, strict=True):
        np.testing.assert_array_equal(reading, before, "a reading was changed in place")


def check_holds_no_state(strategy: Any) -> None:
    """Selecting neither adds nor changes attributes: a strategy is its hyper-parameters."""
    before = dict(vars(strategy))
    _choose(strategy, FakePool(), 3)
    after = vars(strategy)
    assert before.keys() == after.keys(), f"new attributes: {sorted(after.keys() - before.keys())}"
    changed = [name for name, value in before.items() if after[name] is not value]
    assert not changed, f"changed attributes: {changed}"


def check_clone_and_pickle(strategy: Any) -> None:
    """Clones and pickles choose the same rows; ``__init__`` only assigns hyper-parameters."""
    expected = _choose(strategy, FakePool(), 5)
    for copied in (clone(strategy), pickle.loads(pickle.dumps(strategy))):
        np.testing.assert_array_equal(_choose(copied, FakePool(), 5), expected)
    assert type(strategy).__name__ in repr(strategy)
    for name, value in strategy.get_params(deep=False).items():
        assert getattr(strategy, name, value) is value, f"__init__ must only assign {name}"


def check_ties(strategy: Any) -> None:
    """If all rows are alike, rows are chosen at random, not by position."""
    equal_rows: dict[str, Any] = {
        "proba": np.full((30, 3), 1 / 3),
        "proba_samples": np.full((8, 30, 3), 1 / 3),
        "decision": np.zeros((30, 3)),
        "prediction": np.zeros(30),
        "prediction_samples": np.zeros((8, 30)),
        "std": np.ones(30),
        "embedding": np.ones((30, 4)),
    }
    of_elements = {
        "boxes": np.tile([0.0, 0.0, 2.0, 2.0], (30, 1)),
        "box_samples": np.tile([0.0, 0.0, 2.0, 1.0], (8, 30, 1)),
        "lengths": np.ones(30),
        "log_likelihood": np.zeros(30),
    }
    two = 2 * np.arange(31)  # each row has two elements
    equal_rows["elements"] = {
        name: Ragged(np.repeat(table, 2, axis=_row_axis(name)), two, axis=_row_axis(name))
        for name, table in (equal_rows | of_elements).items()
        if name != "decision"
    }
    chosen = {
        tuple(_choose(strategy, FakePool(n_labeled=0, query_seed=seed, **equal_rows), 3).tolist())
        for seed in range(8)
    }
    assert len(chosen) > 1, f"ties are broken by position: always {chosen}"


def check_certain_model(strategy: Any) -> None:
    """Probabilities of exactly 0 and 1 give finite scores."""
    certain = np.eye(3)[np.arange(30) % 3]
    pool = FakePool(proba=certain, proba_samples=np.stack([certain] * 4))
    _choose(strategy, pool, 7)
    if isinstance(strategy, ScoringStrategy):
        assert np.isfinite(strategy.score(pool)).all(), "zero probabilities give non-finite scores"


def check_duplicate_rows(strategy: Any) -> None:
    """A pool of duplicates, with fewer distinct rows than the batch."""
    pool = FakePool(30).reordered(np.repeat([4, 9, 17], 10))
    _choose(strategy, pool, 7)
    _choose(strategy, pool, 30)


def check_one_class(strategy: Any) -> None:
    """A model with a single class."""
    _choose(strategy, FakePool(n_classes=1), 7)


def check_two_classes(strategy: Any) -> None:
    """Two classes: the decision function has one value per row."""
    _choose(strategy, FakePool(n_classes=2), 7)


def check_global_random_state(strategy: Any) -> None:
    """NumPy's and Python's global random states do not change."""
    before, python_before = np.random.get_state(legacy=False), random.getstate()
    _choose(strategy, FakePool(), 7)
    after = np.random.get_state(legacy=False)
    np.testing.assert_equal(after, before)
    assert random.getstate() == python_before, "Python's global random state changed"


CHECKS: tuple[Callable[[Any], None], ...] = (
    check_known_needs,
    check_distinct_positions,
    check_repeatable,
    check_randomized,
    check_permuted_pool,
    check_shuffled_part_of_pool,
    check_reads_what_it_declares,
    check_starts_cold,
    check_scores,
    check_explained,
    check_chunked_equals_whole,
    check_pool_not_changed,
    check_holds_no_state,
    check_clone_and_pickle,
    check_ties,
    check_certain_model,
    check_duplicate_rows,
    check_one_class,
    check_two_classes,
    check_global_random_state,
)
