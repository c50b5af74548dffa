"""Diversity: farthest-first by brute force, and medoids by the definition of clusters."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skactive import ActiveLearner
from skactive.strategies import KCenterGreedy, KMeans, RobustKCenterGreedy
from skactive.testing import FakePool

# Unit vector 5: rows 0 to 3 are labeled.
FARTHEST = np.array(
    [[0, 0], [0.1, 0.1], [0.2, 0], [0, 0.2], [1, 0], [0.5, 0.5], [3, 3], [2, 0], [0.3, 0.1], [5, 5]]
)
PICKS = np.array([9, 6, 7, 4, 5, 8])
RADII = [6.929646456, 2.828427125, 1.8, 0.8, 0.565685425, 0.141421356]


def farthest_first(rows, centers, batch_size):
    """Positions and radii of greedy k-center, from all pairs of rows at each step."""
    centers, picks, radii = [np.asarray(center) for center in centers], [], []
    for _ in range(batch_size):
        nearest = [min(np.linalg.norm(row - center) for center in centers) for row in rows]
        picks.append(int(np.argmax(nearest)))
        radii.append(nearest[picks[-1]])
        centers.append(rows[picks[-1]])
    return picks, radii


@pytest.mark.parametrize("as_rows", [np.asarray, np.float32, sparse.csr_array])
def test_published_picks(as_rows):
    X = as_rows(FARTHEST)
    learner = ActiveLearner(LogisticRegression(), KCenterGreedy()).fit(X[:4], [0, 1, 0, 1])
    assert_array_equal(learner.query(X[4:], 6), PICKS - 4)


def test_brute_force_has_the_published_radii():
    picks, radii = farthest_first(FARTHEST[4:], FARTHEST[:4], 6)
    assert_array_equal(picks, PICKS - 4)
    assert_allclose(radii, RADII, rtol=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_farthest_first_from_the_labeled_rows(seed):
    pool = FakePool(25, seed=seed)
    expected, _ = farthest_first(pool.embedding, pool.labeled.embedding, 10)
    assert_array_equal(KCenterGreedy().select(pool, 10), expected)


def test_without_labels_the_first_is_the_row_nearest_to_the_mean():
    pool = FakePool(25, n_labeled=0)
    Z = pool.embedding
    first = int(np.argmin(np.linalg.norm(Z - Z.mean(axis=0), axis=1)))
    expected, _ = farthest_first(Z, [Z[first]], 6)
    assert_array_equal(KCenterGreedy().select(pool, 7), [first, *expected])


def test_labels_taught_count_in_the_next_query():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(30, 3))
    learner = ActiveLearner(LogisticRegression(), KCenterGreedy(), random_state=0)
    learner.fit(X[:4], [0, 1, 0, 1])
    one_by_one, pool = [], np.arange(4, 30)
    for _ in range(5):
        picked = pool[learner.query(X[pool])]
        learner.teach(X[picked], [0])
        one_by_one += picked.tolist()
        pool = np.setdiff1d(pool, picked)
    assert_array_equal(np.array(farthest_first(X[4:], X[:4], 5)[0]) + 4, one_by_one)


@pytest.mark.parametrize("through", ["pipeline", "embedder"])
def test_distances_are_those_of_the_embedding(through):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(40, 3)) * [1, 1, 1000]
    scaler = StandardScaler().fit(X[:6])
    model, embedder = LogisticRegression(), None
    if through == "pipeline":
        model = make_pipeline(StandardScaler(), model)
    else:
        embedder = FunctionTransformer(scaler.transform)
    learner = ActiveLearner(model, KCenterGreedy(), embedder=embedder)
    picks = learner.fit(X[:6], [0, 1] * 3).query(X[6:], 8)
    Z = scaler.transform(X)
    assert_array_equal(picks, farthest_first(Z[6:], Z[:6], 8)[0])
    assert picks.tolist() != farthest_first(X[6:], X[:6], 8)[0]


def test_k_means_picks_the_medoid_of_each_cluster_larger_ones_first():
    sizes = [8, 21, 13]
    Z, blob = make_blobs(sizes, centers=[[0, 0], [50, 0], [0, 50]], random_state=0)
    medoids = []
    for number in np.argsort(sizes)[::-1]:
        members = np.flatnonzero(blob == number)
        away = np.linalg.norm(Z[members] - Z[members].mean(axis=0), axis=1)
        medoids.append(members[np.argmin(away)])
    pool = FakePool(embedding=Z)
    for seed in range(5):
        picks = KMeans().select(pool.reordered(np.arange(len(Z)), query_seed=seed), 3)
        assert_array_equal(picks, medoids)


def test_k_means_does_not_look_at_labeled_rows():
    pool = FakePool(20)
    cold = FakePool(embedding=pool.embedding, n_labeled=0)
    assert_array_equal(KMeans().select(pool, 5), KMeans().select(cold, 5))


def test_the_quantile_must_leave_out_the_share_of_rubbish():
    rng = np.random.RandomState(0)
    Z = np.vstack([rng.normal(size=(90, 2)), rng.normal(size=(10, 2)) * 5 + 60])
    pool = FakePool(embedding=Z, n_labeled=6)
    default, tolerant = (
        strategy.select(pool, 20)
        for strategy in (RobustKCenterGreedy(), RobustKCenterGreedy(quantile=0.85))
    )
    assert (default >= 90).sum() >= 8
    assert (tolerant < 90).all()
