"""Checks that every strategy must pass."""

from __future__ import annotations

import pickle
import random
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
from sklearn import config_context
from sklearn.base import clone

from skactive._needs import can_start_cold
from skactive._utils.array_types import Positions
from skactive._utils.ragged import Ragged, offsets_of
from skactive.exceptions import RelaxedRuleWarning, TiedScoresWarning
from skactive.pool import PoolView
from skactive.pool import _element_readings as elements_module
from skactive.strategies import ScoreStrategy, ScoringStrategy
from skactive.testing._fake_pool import READINGS, FakePool, expand_needs, row_axis

__all__ = ["CHECKS", "parametrize_with_strategy_checks", "strategy_checks"]


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
        pytest.param(strategy, check, id=f"{_name(strategy)}-{check.__name__}")
        for strategy in strategies
        for check in CHECKS
    ]
    return pytest.mark.parametrize(("strategy", "check"), cases)


def _name(strategy: Any) -> str:
    """Name a strategy the same in every process: functions among its parameters without address."""
    return re.sub(r"<function (\S+) at 0x[0-9a-f]+>", r"\1", repr(strategy))


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
        allowed = {"X", "embedding"} & expand_needs(strategy.needs)
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
    allowed = expand_needs(strategy.needs)
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
    in_chunks = config_context(working_memory=0.002)  # about 20 rows of three probabilities
    with in_chunks, patch.object(elements_module, "_BLOCK_BYTES", 100):
        np.testing.assert_array_equal(_choose(strategy, FakePool(), 7), expected)
    if isinstance(strategy, ScoreStrategy) and strategy.rowwise:
        pool = FakePool()
        parts = [strategy.score(pool.take(slice(start, start + 7))) for start in range(0, 30, 7)]
        np.testing.assert_allclose(np.concatenate(parts), strategy.score(pool), rtol=1e-12)


def check_any_number_of_elements(strategy: Any) -> None:
    """Rows may have no element, one or many, and all of them may have none."""
    if not any(need.startswith("elements.") for need in strategy.needs):
        return
    for lengths in (np.zeros(30), np.ones(30), np.arange(30) % 4 * 3, np.arange(30) == 7):
        pool = _make_pool_of_elements(lengths.astype(np.intp))
        if isinstance(strategy, ScoringStrategy):
            scores = strategy.score(pool)
            assert scores.shape == (30,), f"score must have shape (30,), got {scores.shape}"
            assert np.isfinite(scores).all(), f"scores must be finite: {scores}"
        _choose(strategy, pool, 7)


def _make_pool_of_elements(lengths: Positions) -> FakePool:
    proba = np.random.RandomState(0).dirichlet(np.ones(3), size=int(lengths.sum()))
    return FakePool(elements={"proba": Ragged(proba, offsets_of(lengths))})


def check_elements_as_rows(strategy: Any) -> None:
    """A strategy of rows chooses among elements, whose readings are those of a pool."""
    options = [need.split("|") for need in strategy.needs]
    if not all(any(FakePool().elements.provides(o) for o in each) for each in options):
        return
    elements = FakePool().elements
    if isinstance(strategy, ScoringStrategy):
        scores = strategy.score(elements)
        assert scores.shape == (len(elements),), "there must be a score for each element"
        assert np.isfinite(scores).all(), f"scores must be finite: {scores}"
    expected = _choose(strategy, FakePool().elements, 7)
    with patch.object(elements_module, "_BLOCK_BYTES", 100):
        np.testing.assert_array_equal(_choose(strategy, FakePool().elements, 7), expected)


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
        name: Ragged(np.repeat(table, 2, axis=row_axis(name)), two, axis=row_axis(name))
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
    check_any_number_of_elements,
    check_elements_as_rows,
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
