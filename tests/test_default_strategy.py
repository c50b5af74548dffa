"""The folds and the built kinds of the benchmark of the default strategy."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def modules():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import default_strategy
        import default_strategy_sets
    finally:
        sys.path.remove(str(BENCHMARKS))
    return default_strategy, default_strategy_sets


@pytest.fixture(scope="module")
def built(modules):
    return {name: (X, y) for name, X, y in modules[1].iterate_built()}


def test_each_kind_is_on_both_sides_with_other_parameters(modules, built):
    sets = modules[1]
    for kind, (_, variants) in sets.KINDS.items():
        sides = [sets.find_fold(f"{kind}-{number}") for number in range(1, 5)]
        assert sides == ["choose", "judge", "choose", "judge"]
        assert len(set(variants)) == 4
        assert {sets.find_kind(name) for name in built if name.startswith(kind)} == {kind}
    assert len(built) == 4 * len(sets.KINDS)


def test_the_side_of_a_found_set_is_that_of_its_name_in_every_process(modules):
    find_fold = modules[1].find_fold
    assert [find_fold(name) for name in ("adult", "iris", "digits", "sonar")] == [
        "choose",
        "choose",
        "judge",
        "judge",
    ]


def test_built_sets_are_the_same_each_time(modules, built):
    for name, X, y in modules[1].iterate_built():
        np.testing.assert_array_equal(X, built[name][0])
        np.testing.assert_array_equal(y, built[name][1])


def test_built_sets_are_as_their_kind_says(built):
    for number in range(1, 5):
        X, y = built[f"curved-{number}"]
        assert LogisticRegression().fit(X, y).score(X, y) < 0.9
        shares = np.bincount(built[f"unequal_classes-{number}"][1]) / 2500
        assert shares.max() > 10 * shares.min()
        assert np.bincount(built[f"rare-{number}"][1])[1] < 0.06 * 2500
        assert len(built[f"tiny-{number}"][1]) <= 150
        assert len(set(built[f"short_texts-{number}"][1])) >= 15


def test_words_stay_sparse_and_categories_stay_0_and_1(modules, built, tmp_path):
    load = modules[0].load
    for name in ("short_texts-1", "categories-1", "noisy_labels-1"):
        np.savez(tmp_path / f"{name}.npz", X=built[name][0], y=built[name][1])
    words, _ = load(tmp_path / "short_texts-1.npz")
    assert sparse.issparse(words)
    np.testing.assert_array_equal(words.toarray(), built["short_texts-1"][0])
    categories, _ = load(tmp_path / "categories-1.npz")
    np.testing.assert_array_equal(categories, built["categories-1"][0])
    numbers, _ = load(tmp_path / "noisy_labels-1.npz")
    np.testing.assert_allclose(numbers.std(axis=0), 1.0)
