"""Folds of the check: rows of a group stay together, unless a class would be lost."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive.cli.checking._findings import make_folds, predict_folds


def test_rows_of_a_group_are_in_one_fold():
    labels = np.array(["a", "b"] * 30)
    groups = np.arange(60) // 3
    folds = make_folds(labels, groups, 5, 0)
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(60))
    for fold in folds:
        assert not set(groups[fold.train]) & set(groups[fold.test])
        assert set(labels[fold.train]) == {"a", "b"}


@pytest.mark.parametrize(
    "groups",
    [np.where(np.arange(60) % 3 == 0, 0, np.arange(60)), np.arange(60) % 2, np.zeros(60, int)],
    ids=["a class is one group", "two groups", "one group"],
)
def test_groups_give_way_to_classes(groups):
    labels = np.array(["a", "b", "c"] * 20)
    folds = make_folds(labels, groups, 5, 0)
    assert len(folds) == 5
    assert all(set(labels[fold.train]) == {"a", "b", "c"} for fold in folds)
    assert all(len(fold.test) for fold in folds)


def test_each_row_is_predicted_without_its_label():
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(60, 2)), np.array(["a", "b", "c"] * 20)
    folds = make_folds(labels, np.arange(60), 4, 1)
    proba = predict_folds(LogisticRegression(), X, labels, folds)
    changed = labels.copy()
    test = folds[2].test
    changed[test] = np.roll(labels, 1)[test]
    again = predict_folds(LogisticRegression(), X, changed, folds)
    np.testing.assert_array_equal(again[test], proba[test])
    assert (np.delete(again, test, axis=0) != np.delete(proba, test, axis=0)).any()
