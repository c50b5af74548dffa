"""k-means medoids against clusters that are known."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from scipy.stats import chisquare
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from skactive.selectors import kmeans_medoids

KINDS = [np.asarray, sparse.csr_array, sparse.csr_matrix, sparse.coo_array]
kinds = pytest.mark.parametrize("as_rows", KINDS, ids=lambda kind: kind.__name__)


def blobs(dtype=float):
    """Three far blobs of 12, 8 and 5 rows, shuffled, and which blob each row is of."""
    rng = np.random.default_rng(0)
    blob = rng.permutation(np.repeat([0, 1, 2], [12, 8, 5]))
    X = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 90.0]])[blob] + rng.normal(size=(25, 2))
    return X.astype(dtype), blob


@kinds
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_medoids_are_the_rows_nearest_their_blobs_mean_larger_blobs_first(as_rows, dtype):
    X, blob = blobs(dtype)
    expected = []
    for b in range(3):
        members = np.flatnonzero(blob == b)
        offsets = X[members] - X[members].mean(axis=0)
        expected.append(members[np.linalg.norm(offsets, axis=1).argmin()])
    for seed in range(100):
        # A single start may miss the blobs; the seeds where it does say nothing here.
        if len(np.unique(KMeans(3, n_init=1, random_state=seed).fit_predict(X)[blob == 0])) == 1:
            break
    assert_array_equal(kmeans_medoids(as_rows(X), 3, random_state=seed), expected)


def test_each_medoid_is_a_member_of_its_own_cluster():
    X = np.random.default_rng(0).normal(size=(60, 3))
    labels = KMeans(9, n_init=1, random_state=np.random.RandomState(4)).fit(X).labels_
    picks = kmeans_medoids(X, 9, random_state=4)
    assert len(np.unique(labels[picks])) == 9
    sizes = np.bincount(labels)[labels[picks]]
    assert (np.diff(sizes) <= 0).all()


def test_the_two_rows_of_a_cluster_are_chosen_alike():
    X = np.array([[0.1], [0.4], [100.0]])
    counts = np.zeros(3)
    for seed in range(600):
        counts[kmeans_medoids(X, 2, random_state=seed)] += 1
    assert counts[2] == 600
    assert chisquare(counts[:2]).pvalue > 1e-3


@kinds
def test_duplicates_are_one_cluster_and_the_rest_is_drawn_without_a_warning(as_rows):
    X = as_rows(np.repeat([[1.0, 0.0], [0.0, 5.0]], 10, axis=0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picks = [kmeans_medoids(X, 5, random_state=seed) for seed in range(30)]
    for pick in picks:
        assert len(np.unique(pick)) == 5
        assert set(pick[:2] // 10) == {0, 1}
    assert len({tuple(pick[2:]) for pick in picks}) > 20


def test_other_warnings_of_k_means_are_heard(monkeypatch):
    def fit(self, X):
        warnings.warn("something else", ConvergenceWarning, stacklevel=1)
        self.labels_ = np.zeros(len(X), dtype=int)
        return self

    monkeypatch.setattr(KMeans, "fit", fit)
    with pytest.warns(ConvergenceWarning, match="something else"):
        kmeans_medoids(np.ones((4, 1)), 2)


@kinds
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_size", [0, 1, 7, 25, 30])
def test_common(as_rows, dtype, batch_size):
    X = as_rows(blobs(dtype)[0])
    for array in (X.data, getattr(X, "indices", None)) if sparse.issparse(X) else (X,):
        if array is not None:
            array.flags.writeable = False
    before = np.random.get_state()[1].tolist()
    picks = kmeans_medoids(X, batch_size, random_state=3)
    assert picks.dtype == np.intp
    assert len(np.unique(picks)) == len(picks) == min(batch_size, 25)
    assert_array_equal(picks, kmeans_medoids(X, batch_size, random_state=np.random.RandomState(3)))
    kmeans_medoids(X, batch_size)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize("batch_size", [1, 2, 6])
@pytest.mark.parametrize("X", [np.zeros((6, 1)), np.full((6, 2), 0.1)])
def test_constant_rows(X, batch_size):
    picks = kmeans_medoids(X, batch_size, random_state=0)
    assert len(np.unique(picks)) == len(picks) == batch_size


def test_the_whole_pool_comes_in_random_order():
    X = np.arange(10.0)[:, None]
    orders = {tuple(kmeans_medoids(X, 10, random_state=seed)) for seed in range(20)}
    assert len(orders) == 20
