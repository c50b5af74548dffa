"""Readings and settings of elements in odd forms: read alike, or refused with what was got."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator
from sklearn.datasets import make_multilabel_classification
from sklearn.neighbors import KNeighborsClassifier

from skactive import ActiveLearner, Ragged
from skactive.adapters import StructuredAdapter
from skactive.exceptions import CapabilityError, InvalidReadingError
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource
from skactive.strategies import Aggregate, Entropy, Margin, Random, UHerding

ROWS = [np.random.RandomState(n).dirichlet([1, 1, 1], size=n) for n in (0, 3, 1, 0, 2)]
DRAWS = [np.stack([row, row[:, ::-1]]) for row in ROWS]  # (2, n_elements, 3)
ALL = np.concatenate(ROWS)


class Reader(BaseEstimator):
    """A model that returns a given reading of all rows."""

    def fit(self, X, y):
        return self


class ReaderAdapter(StructuredAdapter):
    element = "token"

    def __init__(self, proba=None, proba_samples=None):
        super().__init__(Reader())
        self.readings = {"proba": proba, "proba_samples": proba_samples}

    def proba(self, Z):
        return self.readings["proba"]

    def proba_samples(self, Z, n_samples, seed):
        return self.readings["proba_samples"]


def read_at_once(reading, values):
    pool = PoolView(np.zeros((len(ROWS), 1)), ReadingSource(ReaderAdapter(**{reading: values})))
    return pool.elements._read_at_once(reading, None)


def fill(rows):
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    return array


FORMS = {
    "object array": fill(ROWS),
    "series": pd.Series(fill(ROWS)),
    "frames": [pd.DataFrame(row) for row in ROWS],
    "sparse": [sp.csr_matrix(row) for row in ROWS],
    "lists": [row.tolist() for row in ROWS],
    "single precision": [row.astype(np.float32) for row in ROWS],
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_may_be_in_any_container(form):
    ragged = read_at_once("proba", FORMS[form])
    np.testing.assert_allclose(ragged.values, ALL, rtol=1e-6)
    assert ragged.lengths.tolist() == [len(row) for row in ROWS]


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_rows_may_be_tensors():
    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(row, requires_grad=True) for row in ROWS]
    for rows in (tensors, torch.nested.nested_tensor([t.detach() for t in tensors])):
        np.testing.assert_array_equal(read_at_once("proba", rows).values, ALL)
    np.testing.assert_array_equal(Ragged.of(tensors).values, ALL)


MASKED = np.ma.masked_equal(np.zeros((5, 2, 3)), 0)


@pytest.mark.parametrize(
    ("reading", "values", "message"),
    [
        ("proba", [*ROWS[:4], None], r"gives proba of shape \(\) for row 4; expected axes for its"),
        ("proba", [*ROWS[:4], np.ones((2, 4)) / 4], r"Row 4 is of shape \(2, 4\), row 1 of shape"),
        ("proba", dict(enumerate(ROWS)), r"gives proba of shape \(\) for 5 rows"),
        ("proba", MASKED, "30 masked values: give a list"),
        ("proba", Ragged.of(DRAWS, axis=1), r"axis=1; expected 2 axes and axis=0"),
        ("proba_samples", Ragged.of(ROWS), "axis=0; expected 3 axes and axis=1"),
        ("proba_samples", [row.swapaxes(0, 1) for row in DRAWS], "differ in axis 1 only"),
        ("proba_samples", [[draw[i] for draw in DRAWS] for i in range(2)], "axis of draws first"),
    ],
    ids=[
        "None",
        "columns",
        "mapping",
        "masked",
        "draws",
        "no draws",
        "draws last",
        "list of draws",
    ],
)
def test_readings_that_do_not_fit_are_refused(reading, values, message):
    with pytest.raises(InvalidReadingError, match=message):
        read_at_once(reading, values)


# Settings of elements -----------------------------------------------------------------------------

X, Y = make_multilabel_classification(40, n_features=5, n_classes=3, random_state=0)
LEARNER = ActiveLearner(KNeighborsClassifier(3), Aggregate(Entropy()), random_state=0)
LEARNER.fit(X[:20], Y[:20])
KNOWN = np.random.RandomState(0).uniform(size=(20, 3)) < 0.5


@pytest.mark.parametrize(
    "known",
    [
        KNOWN.tolist(),
        pd.DataFrame(KNOWN),
        pd.DataFrame(KNOWN).astype("boolean"),
        sp.csr_matrix(KNOWN),
        KNOWN.astype(object),
        Ragged.of(KNOWN),
        Ragged(KNOWN.reshape(1, -1), np.arange(0, 61, 3), axis=1),
        (row for row in KNOWN),
    ],
    ids=["lists", "frame", "nullable", "sparse", "objects", "ragged", "axis 1", "iterator"],
)
def test_known_elements_may_be_in_any_container(known):
    rows, labels = LEARNER.query_elements(X[20:], 9, known=known)
    expected = LEARNER.query_elements(X[20:], 9, known=KNOWN)
    np.testing.assert_array_equal([rows, labels], expected)
    assert not KNOWN[rows, labels].any()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"known": True}, TypeError, "known must be a list of arrays, .* got a bool"),
        ({"known": KNOWN.astype(int)}, TypeError, "of 0 and 1, arrays of bool"),
        ({"known": KNOWN[1:]}, ValueError, "known is of 19 rows for a pool of 20"),
        ({"known": Ragged(np.zeros((60, 2), bool), np.arange(0, 61, 3))}, ValueError, r"\(60, 2\)"),
        ({"costs": 2.0}, TypeError, "costs must be a list of arrays"),
        ({"costs": [["a"] * 3] * 20}, TypeError, "costs must be an array of numbers"),
        ({"costs": [[1, 0, 1]] * 20}, ValueError, "positive, finite"),
        ({"groups": 3}, TypeError, "groups must be a list of arrays"),
        ({"groups": [[[0], [1, 2]]] * 20}, ValueError, "groups of row 0 is no array of values"),
        ({"groups": [[0, 1]] * 20}, InvalidReadingError, "2 entries for a row of 3 labels"),
    ],
    ids=lambda value: "" if isinstance(value, type) else str(value)[:20],
)
def test_settings_that_do_not_fit_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        LEARNER.query_elements(X[20:], 2, **settings)


def test_groups_are_compared_row_by_row():
    groups = [np.zeros(len(row), dtype=int) for row in ROWS]
    groups[1], groups[2] = groups[2], groups[1]  # as many entries in all
    pool = PoolView(np.zeros((5, 1)), ReadingSource(ReaderAdapter(ROWS)))
    with pytest.raises(InvalidReadingError, match="1 entries for a row of 3 tokens"):
        pool.elements.grouped(groups)._read_at_once("proba", None)


def test_what_elements_do_not_have_is_named():
    learner = ActiveLearner(KNeighborsClassifier(), UHerding(Aggregate()), random_state=0)
    with pytest.raises(CapabilityError, match="gives no embedding of its labels, but pred"):
        learner.fit(X[:20], Y[:20]).query_elements(X[20:], 2)
    with pytest.raises(CapabilityError, match=r"is not fitted, .* call fit"):
        ActiveLearner(KNeighborsClassifier(), Random()).query_elements(X, 2)
    learner = ActiveLearner(KNeighborsClassifier(), Margin()).fit(X[:20], Y[:20, 0])
    with pytest.raises(CapabilityError, match="choose rows by query, with a strategy without Agg"):
        learner.query_elements(X[20:], 2)
