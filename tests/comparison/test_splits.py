"""Splits: stratified, by folds, by groups."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from sklearn.naive_bayes import GaussianNB

from skactive.comparison import compare_strategies
from skactive.strategies import Random

X, Y = load_iris(return_X_y=True)
SMALL = {"budget": 20, "batch_size": 5, "n_initial": 5, "n_repeats": 3, "random_state": 0}


def test_splits_are_stratified_where_that_is_possible(noted):
    rows, labels = np.arange(300.0).reshape(150, 2), np.repeat([0, 1], [140, 10])
    params = {**SMALL, "n_repeats": 5, "test_size": 15}
    compare_strategies(noted(var_smoothing=0.1), [Random()], rows, labels, **params)
    tests = [lot[:, 0] for verb, lot in noted.notes if verb == "score"]
    assert len(tests) > 5
    assert {(lot >= 280).sum() for lot in tests} == {1}


def test_a_class_with_one_row_is_no_obstacle():
    labels = np.repeat([0, 1, 2], [100, 49, 1])
    comparison = compare_strategies(GaussianNB(), [Random()], X, labels, **SMALL)
    assert len(comparison.runs) == 3


def test_folds_may_be_the_repeats(compared, scores_of):
    folds = list(KFold(5, shuffle=True, random_state=1).split(X))
    by_splitter = compared(cv=KFold(5, shuffle=True, random_state=1))
    assert len(by_splitter.areas()["Random()"]) == 5
    assert scores_of(by_splitter) == scores_of(compared(cv=folds))
    assert scores_of(by_splitter) == scores_of(compared(cv=iter(folds)))
    assert by_splitter.settings["n_repeats"] == 5


def test_a_splitter_without_a_seed_gets_one_and_is_left_as_it_is(compared, scores_of):
    splitter = ShuffleSplit(2, test_size=0.3)
    assert scores_of(compared(cv=splitter)) == scores_of(compared(cv=splitter))
    assert splitter.random_state is None


@pytest.mark.parametrize("cv", [None, GroupKFold(3)], ids=["shuffled", "folds"])
def test_groups_are_not_split(cv, noted):
    rows = np.arange(300.0).reshape(150, 2)
    groups = np.random.RandomState(0).permutation(150) % 15
    params = {**SMALL, "budget": 90, "batch_size": 85}
    compare_strategies(
        noted(var_smoothing=0.1), [Random()], rows, Y, groups=groups, cv=cv, **params
    )
    seen = [set(groups[lot[:, 0].astype(int) // 2].tolist()) for _, lot in noted.notes]
    campaigns = [seen[i : i + 4] for i in range(0, 12, 4)]  # two fits, two scores
    assert [verb for verb, _ in noted.notes] == ["fit", "fit", "score", "score"] * 3
    assert len({tuple(sorted(test)) for *_, test in campaigns}) == 3
    for start, trained, test, _ in campaigns:
        assert start <= trained
        assert not trained & test
        assert len(trained | test) == 15
