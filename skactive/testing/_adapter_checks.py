"""Checks that every model must pass as its adapter reads it."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any
from unittest.mock import patch

import joblib
import numpy as np
from sklearn import config_context
from sklearn.pipeline import Pipeline

from skactive._utils.array_types import Positions
from skactive._utils.ragged import Ragged
from skactive._utils.rows import n_rows, take_rows
from skactive.adapters import ModelAdapter, adapt
from skactive.adapters._elements import ELEMENT_READINGS
from skactive.pool import PoolView
from skactive.pool import _element_readings as elements_module
from skactive.pool._view import ReadingSource
from skactive.testing._fake_pool import READINGS, row_axis

__all__ = ["ADAPTER_CHECKS", "adapter_checks", "parametrize_with_adapter_checks"]

KINDS = frozenset({"box", "hypothesis", "label", "pixel", "region", "token"})
_OF_ROWS = ("decision", "embedding", "prediction", "proba", "proba_samples")
_NUMBERS = ("prediction_samples", "std")


def adapter_checks(model: Any, X: Any) -> Iterator[Callable[[], None]]:
    """Yield the checks that a model must pass as its adapter reads it.

    Parameters
    ----------
    model : estimator or ModelAdapter
        A fitted model, which :func:`skactive.adapters.adapt` knows how to read, or an adapter of
        one.
    X : rows in any container
        Five rows or more to read. For a model of elements, some rows should have no element, some
        one and some several.

    Yields
    ------
    callable
        A check, a function without arguments that raises if the adapter fails. Its ``__name__``
        says what is checked.

    See Also
    --------
    parametrize_with_adapter_checks : The checks as tests of pytest.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive.testing import adapter_checks
    >>> X, y = load_iris(return_X_y=True)
    >>> model = RandomForestClassifier(n_estimators=3, random_state=0).fit(X, y)
    >>> for check in adapter_checks(model, X[::10]):
    ...     check()
    """
    for check in ADAPTER_CHECKS:
        bound = partial(check, model, X)
        bound.__name__ = check.__name__  # type: ignore[attr-defined]
        yield bound


def parametrize_with_adapter_checks(models: Iterable[tuple[Any, Any]]) -> Callable[..., Any]:
    """Parametrize a pytest test by models, their rows, and the checks that each must pass.

    Parameters
    ----------
    models : iterable of (estimator or ModelAdapter, rows)
        Fitted models, or adapters, and rows that they read, as for :func:`adapter_checks`.

    Returns
    -------
    decorator
        For a test with the arguments ``model``, ``X`` and ``check`` that calls ``check(model, X)``.

    See Also
    --------
    adapter_checks : The checks without pytest.
    """
    import pytest

    cases = [
        pytest.param(model, X, check, id=f"{type(model).__name__}-{check.__name__}")
        for model, X in models
        for check in ADAPTER_CHECKS
    ]
    return pytest.mark.parametrize(("model", "X", "check"), cases)


# Reading ----------------------------------------------------------------------------------------


def _make_pool(model: Any, X: Any, seed: int = 0) -> PoolView:
    adapter, classes = _get_adapter(model), None
    if adapter.classes is None and adapter.provides("proba"):
        row = adapter.prepare(take_rows(X, np.arange(1)))
        classes = np.arange(np.shape(adapter.proba(row))[-1])  # a learner takes those of the labels
    return PoolView(X, ReadingSource(adapter=adapter, seed=seed, classes=classes))


def _get_adapter(model: Any) -> ModelAdapter:
    return model if isinstance(model, ModelAdapter) else adapt(model)


def _list_readings(pool: PoolView) -> list[str]:
    """List the readings that a model claims, of rows and of elements."""
    adapter = pool._source.adapter
    names = [name for name in (*_OF_ROWS, *_NUMBERS) if adapter.provides(name)]
    if "embedding" in names and adapter.features(Z := pool._prepare()) is Z:
        names.remove("embedding")  # the rows themselves, which need not be numbers
    of_elements = (f"elements.{name}" for name in ELEMENT_READINGS)
    return names + [name for name in of_elements if adapter.provides(name)]


def _read(pool: PoolView, reading: str, n_samples: int | None = None) -> Any:
    """Return a reading of rows, or of their elements as a ragged array."""
    place, _, name = reading.rpartition(".")
    view = pool.elements if place else pool
    values = getattr(view, name)
    values = values(n_samples) if _draws(reading) else values
    if not place:
        return values.toarray() if hasattr(values, "toarray") else values
    return Ragged(values, pool.elements.offsets, axis=row_axis(name))


def _draws(reading: str) -> bool:
    return reading.endswith("_samples")


def _read_all(model: Any, X: Any) -> dict[str, Any]:
    pool = _make_pool(model, X)
    return {reading: _read(pool, reading) for reading in _list_readings(pool)}


def _take(reading: str, values: Any, rows: Positions) -> Any:
    if isinstance(values, Ragged):
        return values.take(rows)
    return np.take(values, rows, axis=row_axis(reading))


def _compare(found: dict[str, Any], expected: dict[str, Any], message: str) -> None:
    """Check that readings are equal, but for rounding."""
    assert found.keys() == expected.keys(), f"{message}: {sorted(found)}, not {sorted(expected)}"
    for reading, values in expected.items():
        got, text = found[reading], f"{reading} {message}"
        if isinstance(values, Ragged):
            np.testing.assert_array_equal(got.offsets, values.offsets, f"offsets of {text}")
            if not values.offsets[-1]:
                continue  # without elements, a list of rows has no other axes
            got, values = got.values, values.values
        got, values = np.asarray(got), np.asarray(values)
        if values.dtype.kind != "f" or not values.size:
            np.testing.assert_array_equal(got, values, text)
            continue
        tolerance = 1e-4 if values.dtype.itemsize < 8 else 1e-7
        size = tolerance * np.abs(values).max()
        np.testing.assert_allclose(got, values, rtol=tolerance, atol=size, err_msg=text)


def _choose_single_rows(model: Any, X: Any) -> list[int]:
    """Return the first row, and one with each small number of elements."""
    adapter = _get_adapter(model)
    names = [name for name in ELEMENT_READINGS if adapter.provides(f"elements.{name}")]
    if not names:
        return [0]
    lengths = _read(_make_pool(model, X), f"elements.{names[0]}").lengths.tolist()
    return sorted({lengths.index(n) for n in (0, 1, lengths[0], max(lengths)) if n in lengths})


# The checks -------------------------------------------------------------------------------------


def check_claims(model: Any, X: Any) -> None:
    """`provides` answers for every reading, and `element` is a known kind or None."""
    adapter = _get_adapter(model)
    kind = adapter.element
    assert kind is None or kind in KINDS, f"element is {kind!r}, not one of {sorted(KINDS)}"
    answers = {reading: adapter.provides(reading) for reading in READINGS}
    for reading, answer in answers.items():
        assert isinstance(answer, bool | np.bool_), f"provides({reading!r}) returns {answer!r}"
    assert not adapter.provides("no such reading"), "provides a reading that does not exist"
    given = sorted(name for name, answer in answers.items() if answer and "elements." in name)
    if kind is None:
        assert not given, f"provides {given}, but element is None"
    else:
        assert given, f"rows have {kind}s, of which no reading is provided"


def check_claimed_readings(model: Any, X: Any) -> None:
    """Each claimed reading exists, is finite, and has an entry per row or element."""
    pool, n = _make_pool(model, X), n_rows(X)
    for reading in _list_readings(pool):
        values = _read(pool, reading)
        if isinstance(values, Ragged):
            assert len(values) == n, f"{reading} is of {len(values)} rows, not {n}"
            continue
        length = np.shape(values)[row_axis(reading)]
        assert length == n, f"{reading} has {length} entries for {n} rows"
        if np.asarray(values).dtype.kind == "f":
            assert np.isfinite(values).all(), f"{reading} is not finite"


def check_classes_of_columns(model: Any, X: Any) -> None:
    """The classes are distinct, and there is one for each column of probability."""
    pool, classes = _make_pool(model, X), _get_adapter(model).classes
    if classes is None:
        return
    assert len(set(classes.tolist())) == len(classes), f"classes repeat: {classes}"
    names = {name for name in _list_readings(pool) if "proba" in name and "." not in name}
    for reading in names:
        n_columns = np.shape(_read(pool, reading))[-1]
        assert n_columns == len(classes), f"{reading} has {n_columns} columns, not {len(classes)}"


def check_draws(model: Any, X: Any) -> None:
    """Draws come first among the axes, as many as `n_draws` says, and the seed decides them."""
    pool, adapter = _make_pool(model, X), _get_adapter(model)
    for reading in filter(_draws, _list_readings(pool)):
        for n_samples in (None, 1, 3):
            values = _get_values(_read(_make_pool(model, X), reading, n_samples))
            n_draws = adapter.n_draws(n_samples)
            assert len(values) == n_draws, (
                f"{reading} of {n_samples} samples gives {len(values)} draws, but n_draws {n_draws}"
            )
            if reading == "elements.proba_samples":
                one_by_one = list(_make_pool(model, X).elements.iter_draws(n_samples))
                same = np.allclose(one_by_one, values, rtol=1e-4, atol=1e-5)  # of other batches
                assert same, f"{reading} of {n_samples} samples are not those of iter_draws"
        all_draws = _get_values(_read(pool, reading))
        if (all_draws == all_draws[:1]).all():
            continue  # nothing to choose from
        # Of a few of many draws, one at least depends on the seed.
        differ = any(_differ_by_seed(model, X, reading, n_samples) for n_samples in (1, 3))
        assert differ, f"{reading} is the same for every seed"


def _differ_by_seed(model: Any, X: Any, reading: str, n_samples: int) -> bool:
    pools = (_make_pool(model, X, seed) for seed in range(12))
    draws = [_get_values(_read(pool, reading, n_samples)) for pool in pools]
    return any(not np.array_equal(draws[0], each) for each in draws[1:])


def _get_values(values: Any) -> Any:
    return values.values if isinstance(values, Ragged) else values


def check_repeatable_readings(model: Any, X: Any) -> None:
    """The same rows and the same seed give the same readings."""
    _compare(_read_all(model, X), _read_all(model, X), "differs from one time to the next")


def check_rows_alone(model: Any, X: Any) -> None:
    """A reading of a row does not depend on the other rows, or on their order."""
    whole = _read_all(model, X)
    order = np.random.RandomState(0).permutation(n_rows(X))
    for rows in (order, order[: (len(order) + 1) // 2]):
        expected = {name: _take(name, values, rows) for name, values in whole.items()}
        found = _read_all(model, take_rows(X, rows))
        _compare(found, expected, "depends on the other rows")


def check_single_rows(model: Any, X: Any) -> None:
    """A row can be read alone, also one without elements."""
    whole = _read_all(model, X)
    for row in _choose_single_rows(model, X):
        rows = np.array([row])
        expected = {name: _take(name, values, rows) for name, values in whole.items()}
        _compare(_read_all(model, take_rows(X, rows)), expected, f"differs for row {row} alone")


def check_chunked_readings(model: Any, X: Any) -> None:
    """The size of the chunks does not change a reading."""
    whole = _read_all(model, X)
    with config_context(working_memory=0.0), patch.object(elements_module, "_BLOCK_BYTES", 1):
        _compare(_read_all(model, X), whole, "depends on the size of the chunks")


def check_nothing_changed(model: Any, X: Any) -> None:
    """Readings change neither the model nor the rows."""
    inner = _get_adapter(model).model
    before, rows_before = _describe_attributes(inner), joblib.hash(X)
    _read_all(model, X)
    after = _describe_attributes(inner)
    assert joblib.hash(X) == rows_before, "the rows were changed"
    assert after.keys() == before.keys(), f"attributes changed: {after.keys() ^ before.keys()}"
    for name, value in before.items():
        np.testing.assert_equal(after[name], value, f"the model's {name} was changed")


def _describe_attributes(model: Any) -> dict[str, Any]:
    """Describe the attributes of a model by what is in arrays and torch modules, else by id.

    Not its private ones: in them it may keep what it has made for a prediction.
    """
    public = {name: value for name, value in vars(model).items() if not name.startswith("_")}
    return {name: _describe_value(value) for name, value in public.items()}


def _describe_value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if hasattr(value, "state_dict") and hasattr(value, "modules") and not isinstance(value, type):
        weights = {name: part.numpy(force=True).copy() for name, part in value.state_dict().items()}
        return weights, [part.training for part in value.modules()]
    return id(value)


def check_global_state(model: Any, X: Any) -> None:
    """NumPy's and Python's global random states do not change."""
    before, python_before = np.random.get_state(legacy=False), random.getstate()
    _read_all(model, X)
    np.testing.assert_equal(np.random.get_state(legacy=False), before)
    assert random.getstate() == python_before, "Python's global random state changed"


def check_pickles(model: Any, X: Any) -> None:
    """Models and their adapters survive pickling, and give the same readings."""
    expected = _read_all(model, X)
    for original in (model, _get_adapter(model)):
        copied = pickle.loads(pickle.dumps(original))
        _compare(_read_all(copied, X), expected, "differs after pickling")


def check_end_of_pipeline(model: Any, X: Any) -> None:
    """The model at the end of a pipeline gives the same readings."""
    if isinstance(model, ModelAdapter):
        return
    pipeline = Pipeline([("nothing", "passthrough"), ("model", model)])
    _compare(_read_all(pipeline, X), _read_all(model, X), "differs at the end of a pipeline")


ADAPTER_CHECKS: tuple[Callable[[Any, Any], None], ...] = (
    check_claims,
    check_claimed_readings,
    check_classes_of_columns,
    check_draws,
    check_repeatable_readings,
    check_rows_alone,
    check_single_rows,
    check_chunked_readings,
    check_nothing_changed,
    check_global_state,
    check_pickles,
    check_end_of_pipeline,
)
