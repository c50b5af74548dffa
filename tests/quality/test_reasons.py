import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from skactive.quality import LabelQuality, find_outliers


def make_rows(seed):
    """Return rows of two classes: 0 to 9 with the wrong label, 10 to 19 between, 20 to 25 far."""
    rng = np.random.default_rng(seed)
    y = np.arange(600) % 2
    X = rng.normal(size=(600, 4))
    X[:, 0] += 6.0 * y
    X[10:20, 0] = 3.0
    X[20:26, 1:] = 12.0 * rng.choice([-1, 1], size=(6, 3)) * rng.uniform(1, 2, size=(6, 3))
    given = y.copy()
    given[:10] = 1 - y[:10]
    X[20:26, 0], given[20:26] = 7.0, 0  # far, and on the other side than their labels
    return X, given


@pytest.mark.parametrize("seed", range(3))
def test_each_kind_of_row_is_told_apart(seed):
    X, given = make_rows(seed)
    quality = LabelQuality(LogisticRegression()).fit(X, given)
    kinds = quality.diagnose(X, max_odds=3.0)
    assert set(kinds[:10]) == {"wrong label"}
    assert (kinds[10:20] == "ambiguous").sum() >= 8
    assert set(kinds[20:26]) == {"outlier"}
    assert (kinds[26:] == "").mean() > 0.97
    without = quality.diagnose(max_odds=3.0)
    assert "outlier" not in without
    assert (without == kinds)[kinds != "outlier"].all()


def test_odds_up_to_the_bound_are_ambiguous():
    proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.35, 0.65], [0.5, 0.5], [1.0, 0.0]])
    quality = LabelQuality().fit(None, [0, 0, 0, 1, 1], proba=proba)
    np.testing.assert_allclose(quality.odds_, [1 / 9, 1 / 4, 13 / 7, 1.0, np.inf])
    quality = LabelQuality().fit(None, [0, 0, 0, 1], proba=proba[:4])
    assert quality.suspects_.tolist() == [2]
    assert quality.diagnose(max_odds=1.9).tolist() == ["", "", "ambiguous", "ambiguous"]
    assert quality.diagnose(max_odds=1.8).tolist() == ["", "", "wrong label", "ambiguous"]


def test_odds_as_quality_spare_rows_that_nobody_knows():
    proba = [[0.3, 0.1, 0.6], [0.25, 0.375, 0.375], [0.0, 0.0, 0.0], [0.2, 0.3, 0.5]]
    quality = LabelQuality(method="odds").fit(None, [0, 0, 1, 2], proba=proba).quality_
    np.testing.assert_allclose(quality, [1 / 3, 0.4, 0.5, 5 / 8])


def test_sure_odds_add_suspects_below_the_mean_of_a_class():
    proba = [[0.97, 0.03], [0.92, 0.08], [0.02, 0.98], [0.08, 0.92], [0.12, 0.88]]
    given = [0, 0, 1, 0, 0]
    assert LabelQuality().fit(None, given, proba=proba).suspects_.tolist() == []
    found = LabelQuality(sure_odds=9.0).fit(None, given, proba=proba)
    assert found.suspects_.tolist() == [3]
    assert found.diagnose().tolist() == ["", "", "", "wrong label", ""]
    with pytest.raises(ValueError, match="'sure_odds' parameter"):
        LabelQuality(sure_odds=0.5).fit(None, given, proba=proba)


def test_a_suspect_whose_label_is_the_most_probable_is_ambiguous():
    proba = [[0.98, 0.02], [0.98, 0.02], [0.75, 0.25], [0.8, 0.2], [0.7, 0.3]]
    quality = LabelQuality().fit(None, [0, 0, 0, 1, 1], proba=proba)
    assert quality.suspects_.tolist() == [2]
    assert quality.diagnose()[2] == "ambiguous"


def test_distances_are_those_of_plain_loops():
    X = np.random.default_rng(0).normal(size=(40, 3))
    X[5] = X[6]
    found = find_outliers(X, n_neighbors=4)
    for row in range(40):
        others = sorted(np.linalg.norm(X[row] - X[i]) for i in range(40) if i != row)
        assert found.distances[row] == pytest.approx(np.mean(others[:4]))


def test_texts_of_other_words_are_outliers_by_their_cosine():
    rng = np.random.default_rng(0)
    counts = rng.poisson(1.0, size=(300, 40)).astype(float)
    counts[:, 30:] *= rng.random((300, 10)) < 0.02
    counts[7], counts[9] = 0.0, 0.0
    counts[7, 30:36] = 5.0
    counts[9, 3], counts[9, 36:] = 1.0, 5.0
    found = find_outliers(sparse.csr_array(counts), metric="cosine")
    assert set(found.positions) == {7, 9}
    np.testing.assert_allclose(find_outliers(3 * counts, metric="cosine").fence, found.fence)


def test_outliers_do_not_depend_on_order_or_form():
    X, _ = make_rows(0)
    found = find_outliers(X)
    order = np.random.default_rng(1).permutation(len(X))
    assert set(order[find_outliers(X[order]).positions]) == set(found.positions)
    assert set(find_outliers(sparse.csr_array(X)).positions) == set(found.positions)
    assert set(range(20, 26)) <= set(found.positions)
    assert len(found.positions) < 20
    assert (np.diff(found.distances[found.positions]) <= 0).all()


def test_rows_that_repeat_others_are_no_outliers():
    assert not len(find_outliers(np.zeros((20, 2))).positions)
    X = np.repeat(np.eye(3), 30, axis=0)
    assert not len(find_outliers(np.vstack([X, [[0.5, 0.5, 0.0]]])).positions)  # the one distance


def test_mistakes_are_refused():
    quality = LabelQuality().fit(None, [0, 1], proba=[[0.6, 0.4], [0.4, 0.6]])
    with pytest.raises(ValueError, match="max_odds must be at least 1"):
        quality.diagnose(max_odds=0.5)
    with pytest.raises(ValueError, match="X must be the 2 rows that were fitted, got 3"):
        quality.diagnose(np.zeros((3, 1)))
    with pytest.raises(ValueError, match="n_neighbors must be at least 1"):
        find_outliers([[0.0], [1.0]], n_neighbors=0)
    with pytest.raises(ValueError, match="metric must be one of"):
        find_outliers([[0.0], [1.0]], metric="odd")
    with pytest.raises(ValueError, match="pass two or more"):
        find_outliers([[0.0]])
