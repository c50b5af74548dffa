"""Descriptions are equal for equal values only."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skactive._utils.fingerprint import describe, describe_rows
from skactive.strategies import KMeans

X, Y = load_iris(return_X_y=True)


def test_equal_values_are_described_alike_wherever_they_lie():
    assert describe_rows(X) == describe_rows(np.asfortranarray(X)) == describe_rows(X[:])
    assert describe_rows(X) != describe_rows(X[::-1])
    texts = ["".join(["a", str(i)]) for i in range(5)]
    assert describe_rows(texts) == describe_rows([f"a{i}" for i in range(5)])
    assert describe_rows(np.array(texts, object)) == describe_rows(
        np.array([f"a{i}" for i in range(5)], object)
    )
    pd = pytest.importorskip("pandas")
    frames = [pd.DataFrame({"x": [1.0, 2.0], "t": [f"b{i}" for i in range(2)]}) for _ in range(2)]
    assert describe_rows(frames[0]) == describe_rows(frames[1])
    assert describe_rows(frames[0]) != describe_rows(frames[0].rename(columns={"x": "z"}))


def test_what_differs_is_described_differently():
    assert describe(lambda x: x + 1) != describe(lambda x: x + 2)
    assert describe(KMeans()) == describe(KMeans())
    assert describe(make_pipeline(GaussianNB())) != describe(
        make_pipeline(GaussianNB(var_smoothing=0.5))
    )
    assert describe(np.float64(0.5)) == 0.5
    unpicklable = (i for i in range(3))
    assert describe(unpicklable) != describe(unpicklable)  # never taken for finished
