"""Features of mixed tables: fitted to the pool, and what they learn."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive.cli.learners._table_features import make_table_features

pd = pytest.importorskip("pandas")
KINDS = {"age": "number", "city": "category", "when": "date", "ok": "boolean"}


def make_rows(n=40):
    random = np.random.RandomState(0)
    rows = pd.DataFrame({
        "age": random.randn(n),
        "city": pd.Series(random.choice(["Rome", "Oslo", ""], n), dtype=object),
        "when": pd.Series([f"2024-01-{i % 28 + 1:02}" for i in range(n)], dtype=object),
        "ok": pd.Series(["true", "false"] * (n // 2), dtype=object),
    })  # fmt: skip
    rows.loc[0, ["age", "when"]] = [np.nan, ""]
    rows.loc[1, "city"] = "Bonn"
    return rows


def test_features_are_finite_and_of_few_columns():
    rows = make_rows()
    features = make_table_features(rows, KINDS).transform(rows)
    assert features.shape == (40, 1 + 1 + 1 + 4)  # Bonn is rare
    assert np.isfinite(features).all()


def test_values_that_the_pool_lacks_are_no_error():
    rows = make_rows()
    features = make_table_features(rows, KINDS)
    other = rows.iloc[:2].assign(city=["Paris", "Rome"], ok=["", "true"])
    assert np.isfinite(features.transform(other)).all()


def test_a_model_learns_from_each_kind():
    rows = make_rows(80)
    for truth in (rows["city"] == "Rome", rows["when"] > "2024-01-14", rows["ok"] == "true"):
        model = make_pipeline(make_table_features(rows, KINDS), LogisticRegression())
        half = np.arange(80) % 3 > 0
        assert clone(model).fit(rows[half], truth[half]).score(rows[~half], truth[~half]) > 0.9
