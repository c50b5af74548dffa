"""Descriptions of settings, models and rows that are the same in every process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import uuid4

import numpy as np

__all__ = ["describe", "describe_model", "describe_rows", "digest"]


def digest(description: Any) -> str:
    """Return a description in 64 characters: equal ones have the same."""
    return sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def describe(value: Any) -> Any:
    """Describe a value in JSON, the same in every process: estimators by all their parameters."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): describe(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [describe(each) for each in value]
    if isinstance(value, type) or (callable(value) and hasattr(value, "__code__")):
        return _qualified(value)
    if hasattr(value, "get_params"):
        return {"type": _qualified(type(value)), **describe(value.get_params(deep=False))}
    return describe_rows(value)


def _qualified(value: Any) -> str:
    """Name a class or function; a function with its code, as lambdas all have one name."""
    name = f"{value.__module__}.{value.__qualname__}"
    code = getattr(value, "__code__", None)
    if code is None:
        return name
    constants = [const for const in code.co_consts if not hasattr(const, "co_code")]
    parts = (code.co_code, code.co_names, constants, value.__defaults__)
    return f"{name} {sha256(repr(parts).encode()).hexdigest()[:16]}"


def describe_model(learner: Any) -> Any:
    """Describe a learner but for its strategy; what a prefit one has learned counts too."""
    params = {k: v for k, v in learner.get_params(deep=False).items() if k != "strategy"}
    fitted = _hash(learner.estimator) if getattr(learner, "prefit", False) else None
    return {"type": _qualified(type(learner)), **describe(params), "fitted": fitted}


def describe_rows(rows: Any) -> str:
    """Describe rows of any container by their values, not by where these lie in memory."""
    if hasattr(rows, "detach"):
        rows = rows.detach().cpu().numpy()
    kind = f"{type(rows).__module__.split('.')[0]}.{type(rows).__name__}"
    if hasattr(rows, "columns"):
        values: Any = [(str(name), _plain(rows[name])) for name in rows.columns]
    elif hasattr(rows, "tocoo"):
        coo = rows.tocoo()
        values = [coo.shape, coo.row, coo.col, coo.data]
    else:
        values = _plain(rows) if hasattr(rows, "__array__") else rows
    shape = tuple(rows.shape) if hasattr(rows, "shape") else len(rows) if _sized(rows) else ""
    return f"{kind} {shape} {_hash(values)}"


def _sized(value: Any) -> bool:
    return hasattr(value, "__len__")


def _plain(values: Any) -> Any:
    """Return a contiguous array, or a list where its elements are objects."""
    array = np.asarray(values)
    return array.tolist() if array.dtype == object else np.ascontiguousarray(array)


def _hash(value: Any) -> str:
    from joblib import hash as joblib_hash  # late: only comparisons and sessions need joblib

    try:
        return str(joblib_hash(value))
    except Exception:  # what cannot be pickled is like nothing else: never taken for finished
        return uuid4().hex
