"""Cells to buy: expected utilities by brute force, what prices do, and what is refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skactive.exceptions import CapabilityError, PoolExhaustedError
from skactive.features import FeatureAcquisition

MODEL = make_pipeline(SimpleImputer(keep_empty_features=True), GaussianNB())


def make_table(n=40, share=0.4, seed=0):
    """Return a table whose first column tells the classes apart, its labels and all its values."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    values = np.column_stack([2.0 * y + rng.normal(size=n), rng.normal(size=(n, 2))])
    return np.where(rng.random(values.shape) < share, np.nan, values), y, values


def likelihood(model, X, y):
    proba = clone(model).fit(X, y).predict_proba(X)
    return np.mean([np.log(p[label]) for p, label in zip(proba, y, strict=True)])


def test_utilities_are_gains_of_refitted_models_over_values_that_are_known():
    table, y, _ = make_table()
    acquisition = FeatureAcquisition(MODEL, n_values=2)
    cells = np.argwhere(np.isnan(table))[::3]
    values = acquisition._imagine_values(table, y, cells)
    expected = []
    for (row, column), guesses in zip(cells, values, strict=True):
        assert set(guesses) <= set(table[:, column])
        gains = []
        for guess in guesses:
            changed = table.copy()
            changed[row, column] = guess
            gains.append(likelihood(MODEL, changed, y) - likelihood(MODEL, table, y))
        expected.append(np.mean(gains))
    assert_allclose(acquisition.score_cells(table, y, cells), expected, atol=1e-13)
    assert np.isnan(table[tuple(cells.T)]).all()  # the table is as it was


def test_values_are_foretold_by_the_class_and_the_other_columns():
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1], 100)
    other = rng.normal(size=200)
    column = 10.0 * y + 3.0 * other + 0.1 * rng.normal(size=200)
    table = np.column_stack([column, other])
    cells = np.array([[row, 0] for row in range(0, 200, 20)])
    table[cells[:, 0], 0] = np.nan
    guesses = FeatureAcquisition(n_values=5)._imagine_values(table, y, cells)
    assert (np.diff(guesses, axis=1) >= 0).all()
    assert np.abs(guesses[:, 2] - column[cells[:, 0]]).max() < 1.0
    table[:, 0] = np.where(np.arange(200) == 7, 4.0, np.nan)  # one known value says too little
    assert np.isnan(FeatureAcquisition()._imagine_values(table, y, cells)).all()


def test_the_best_of_all_cells_come_first_and_prices_divide_what_they_promise():
    table, y, _ = make_table()
    acquisition = FeatureAcquisition(MODEL, n_candidates=None, random_state=0)
    unknown = np.argwhere(np.isnan(table))
    for prices in (None, [1, 20, 3], np.random.default_rng(3).uniform(1, 9, table.shape)):
        scores = acquisition.score_cells(table, y, unknown, prices=prices)
        cells = acquisition.query_cells(table, y, prices=prices, batch_size=6)
        assert (cells.shape, cells.dtype) == ((6, 2), np.intp)
        assert_allclose(
            acquisition.score_cells(table, y, cells, prices=prices), np.sort(scores)[::-1][:6]
        )
    gains = acquisition.score_cells(table, y, unknown)
    priced = acquisition.score_cells(table, y, unknown, prices=[4, 4, 4])
    assert_allclose(priced, np.where(gains > 0, gains / 4, gains * 4))


def test_the_same_cells_are_chosen_in_any_order_of_the_rows():
    table, y, _ = make_table()
    order = np.random.default_rng(2).permutation(len(y))
    acquisition = FeatureAcquisition(n_candidates=None, random_state=0)
    cells = acquisition.query_cells(table, y, batch_size=4)
    permuted = acquisition.query_cells(table[order], y[order], batch_size=4)
    assert {(order[row], column) for row, column in permuted} == {*map(tuple, cells)}


def test_columns_of_which_nothing_is_known_come_first_by_their_prices():
    table, y, _ = make_table()
    table[:, 1:] = np.nan
    acquisition = FeatureAcquisition(MODEL, n_candidates=None, random_state=0)
    cells = acquisition.query_cells(table, y, prices=[1, 9, 4], batch_size=81)
    assert_array_equal(cells[:, 1], [2] * 40 + [1] * 40 + [0])


def test_candidates_are_drawn_by_the_seed_and_change_with_the_table():
    table, y, values = make_table(200)
    acquisition = FeatureAcquisition(MODEL, n_candidates=5, random_state=0)
    first = acquisition.query_cells(table, y, batch_size=5)
    assert_array_equal(acquisition.query_cells(table, y, batch_size=5), first)
    table[tuple(first.T)] = values[tuple(first.T)]
    assert not {*map(tuple, first)} & {*map(tuple, acquisition.query_cells(table, y, batch_size=5))}
    assert len(acquisition.query_cells(table, y, batch_size=9)) == 9  # more than n_candidates


def test_it_buys_what_tells_classes_apart():
    table, y, _ = make_table(120, share=0.6)
    cells = FeatureAcquisition(n_candidates=60, random_state=0).query_cells(table, y, batch_size=10)
    assert (cells[:, 1] == 0).all()


def test_texts_as_labels_and_trees_that_take_unknown_values():
    X, y = load_wine(return_X_y=True)
    X[np.random.RandomState(0).uniform(size=X.shape) < 0.5] = np.nan
    names = np.array(["red", "white", "rose"])[y]
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    acquisition = FeatureAcquisition(tree, n_candidates=10, random_state=0)
    assert acquisition.query_cells(X, names, batch_size=3).shape == (3, 2)


TABLE, Y, _ = make_table()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": [["a", "b"]] * 40}, "X must be a table of numbers, NaN where a value is unknown"),
        ({"X": TABLE[:, 0]}, r"X must have shape \(n_rows, n_columns\), got \(40,\)"),
        ({"X": np.where(TABLE > 1, np.inf, TABLE)}, "X must not be infinite"),
        ({"y": Y[1:]}, r"y must have a label for each of the 40 rows, got \(39,\)"),
        ({"y": np.zeros(40)}, "labels of two classes or more"),
        ({"y": np.where(Y, 1.0, np.nan)}, "none of them NaN"),
        ({"prices": [1, 2]}, r"one price per column, \(3,\), or per cell, \(40, 3\), got \(2,\)"),
        ({"prices": [1, 0, 2]}, "prices must be finite and above 0"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
    ],
)
def test_wrong_tables_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        FeatureAcquisition(MODEL).query_cells(**{"X": TABLE, "y": Y} | change)


def test_wrong_cells_and_models_are_refused():
    acquisition = FeatureAcquisition(MODEL)
    known = np.argwhere(~np.isnan(TABLE))[:1]
    with pytest.raises(ValueError, match="cells must be unknown"):
        acquisition.score_cells(TABLE, Y, known)
    with pytest.raises(ValueError, match="cells must lie in a table of shape"):
        acquisition.score_cells(TABLE, Y, [[40, 0]])
    with pytest.raises(ValueError, match="pairs of row and column"):
        acquisition.score_cells(TABLE, Y, [0, 1])
    with pytest.raises(PoolExhaustedError, match="batch_size=200 is more than the"):
        acquisition.query_cells(TABLE, Y, batch_size=200)
    with pytest.raises(CapabilityError, match="predict_proba, which Pipeline does not have"):
        FeatureAcquisition(make_pipeline(SimpleImputer(), RidgeClassifier())).query_cells(TABLE, Y)
    with pytest.raises(ValueError, match="n_values"):
        FeatureAcquisition(n_values=0).query_cells(TABLE, Y)
    with pytest.raises(ValueError, match="NaN"):  # a model that takes no unknown cells says so
        FeatureAcquisition(LogisticRegression()).query_cells(TABLE, Y)
