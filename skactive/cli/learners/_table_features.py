"""Features of mixed tables: numbers, booleans, dates and categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skactive._utils.array_types import Floats
from skactive.cli.sources._columns import parse_date

__all__ = ["make_table_features"]

# A category of one row relates it to no other; very many make distances meaningless.
_MIN_ROWS, _MAX_ENCODED = 2, 50


def make_table_features(rows: Any, kinds: Mapping[str, str]) -> FrozenEstimator:
    """Return a transformer of a mixed table, fitted to the pool.

    It is frozen, as features of the pool do not depend on labels.

    Parameters
    ----------
    rows : DataFrame of shape (n_rows, n_columns)
        The pool.
    kinds : mapping of str to str
        Kind of each column: "number", "boolean", "date" or "category".
    """
    scale = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    encode = OneHotEncoder(
        handle_unknown="ignore",
        sparse_output=False,
        min_frequency=_MIN_ROWS,
        max_categories=_MAX_ENCODED,
    )
    impute = SimpleImputer(keep_empty_features=True)
    steps = {
        "number": scale,
        "boolean": make_pipeline(FunctionTransformer(_to_binary), impute),
        "date": make_pipeline(FunctionTransformer(_count_days), scale),
        "category": encode,
    }
    names = {kind: [name for name in rows.columns if kinds[name] == kind] for kind in steps}
    transformers = [(kind, step, names[kind]) for kind, step in steps.items() if names[kind]]
    return FrozenEstimator(ColumnTransformer(transformers).fit(rows))


def _count_days(dates: Any) -> Floats:
    """Return dates as days since 1970, (n_rows, n_columns)."""
    return np.array([[parse_date(cell) for cell in row] for row in np.asarray(dates)], dtype=float)


def _to_binary(texts: Any) -> Floats:
    """Return 1 for "true", 0 for "false" and NaN for missing, (n_rows, n_columns)."""
    texts = np.asarray(texts, dtype=str)
    return np.where(texts == "", np.nan, texts == "true")
