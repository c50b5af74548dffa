"""Descriptions are equal for equal values only."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skactive._utils.fingerprint import describe, describe_rows, hash_rows
from skactive._utils.inputs import InputList
from skactive._utils.rows import take_rows
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


def test_rows_of_every_container_are_hashed_row_by_row():
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    torch = pytest.importorskip("torch")
    table = pa.table({"a": X[:, 0], "b": X[:, 1]})
    containers = [
        table,
        table.to_batches()[0],
        torch.tensor(X).bfloat16(),
        pd.DataFrame(X[:, :2], columns=["a", "a"]),
        {"a": X, "b": X[:, :1].tolist()},
        InputList([X, table]),
    ]
    for rows in containers:
        hashes = hash_rows(rows)
        assert hashes.shape == (150,)
        order = [3, 1, 2]
        np.testing.assert_array_equal(hash_rows(take_rows(rows, order)), hashes[order])
        assert len(set(hashes.tolist())) > 60
        assert describe_rows(rows) == describe_rows(take_rows(rows, np.arange(150)))
        assert describe_rows(rows) != describe_rows(take_rows(rows, np.arange(149)))


def test_the_order_of_inputs_by_name_does_not_matter_and_their_values_do():
    one, other = {"a": X, "b": Y}, {"b": Y, "a": X}
    assert describe_rows(one) == describe_rows(other)
    np.testing.assert_array_equal(hash_rows(one), hash_rows(other))
    swapped = {"a": Y, "b": X}
    assert describe_rows(swapped) != describe_rows(one)
    assert (hash_rows(swapped) != hash_rows(one)).all()
