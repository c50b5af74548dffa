"""Clusters against blobs that are known, and against plain loops over the definitions."""

import tracemalloc
import warnings
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pairwise import parametrize_pairs
from runs import parametrize_runs
from scipy import sparse
from scipy.stats import chisquare
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from skactive.selectors import _clusters, kmeans_medoids
from skactive.selectors._clusters import cluster_margin, typiclust
from skactive.selectors._engine import clustering
from skactive.selectors._engine.points import canonical

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
    def fit(self, X, sample_weight=None):
        warnings.warn("something else", ConvergenceWarning, stacklevel=1)
        self.labels_ = np.zeros(len(X), dtype=int)
        return self

    monkeypatch.setattr(KMeans, "fit", fit)
    with pytest.warns(ConvergenceWarning, match="something else"):
        kmeans_medoids(np.ones((4, 1)), 2)


def test_the_whole_pool_comes_in_random_order():
    X = np.arange(10.0)[:, None]
    orders = {tuple(kmeans_medoids(X, 10, random_state=seed)) for seed in range(20)}
    assert len(orders) == 20


# -- weights -----------------------------------------------------------------------------------


@pytest.mark.no_cover
@parametrize_pairs(as_rows=KINDS, dtype=[np.float32, np.float64], lloyd_rows=[20_000, 10])
def test_weighted_medoids_are_nearest_to_the_weighted_mean(as_rows, dtype, lloyd_rows, monkeypatch):
    monkeypatch.setattr(clustering, "_LLOYD_ROWS", lloyd_rows)
    monkeypatch.setattr(clustering, "_CENTER_BLOCK_BYTES", 100)
    X, blob = blobs(dtype)
    weights = np.random.default_rng(1).exponential(size=25)
    expected = {}
    for b in range(3):
        members = np.flatnonzero(blob == b)
        mean = np.average(X[members].astype(float), axis=0, weights=weights[members])
        nearest = members[np.linalg.norm(X[members] - mean, axis=1).argmin()]
        expected[nearest] = weights[members].sum()
    by_weight = sorted(expected, key=expected.get, reverse=True)
    plain = kmeans_medoids(as_rows(X), 3, random_state=0)
    assert set(by_weight) != set(plain)  # or the weights would show nothing
    found = [kmeans_medoids(as_rows(X), 3, weights=weights, random_state=s) for s in range(10)]
    assert sum(picks.tolist() == by_weight for picks in found) >= 5  # a start may miss the blobs


def test_weights_that_are_all_alike_or_all_zero_are_none():
    X = np.random.default_rng(0).normal(size=(60, 3))
    plain = kmeans_medoids(X, 9, random_state=4)
    assert_array_equal(kmeans_medoids(X, 9, weights=np.zeros(60), random_state=4), plain)
    assert_array_equal(kmeans_medoids(X, 9, weights=np.full(60, 0.3), random_state=4), plain)


@pytest.mark.parametrize("lloyd_rows", [20_000, 10])
def test_rows_that_weigh_nothing_come_last(lloyd_rows, monkeypatch):
    monkeypatch.setattr(clustering, "_LLOYD_ROWS", lloyd_rows)
    X = np.concatenate([np.arange(5.0), 100 + np.arange(60.0)])[:, None]
    weights = np.repeat([1.0, 0.0], [5, 60])
    for seed in range(5):
        assert set(kmeans_medoids(X, 5, weights=weights, random_state=seed)) == set(range(5))
        last = kmeans_medoids(X[:10], 6, weights=weights[:10], random_state=seed)[-1]
        assert last == 7  # in the middle of those that weigh nothing
        picks = kmeans_medoids(X, 9, weights=weights, random_state=seed)
        assert set(picks[:5]) == set(range(5))
        assert len(set(picks)) == 9


def test_weights_of_any_magnitude():
    X = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    weights = 10.0 ** np.linspace(-300, 0, 50)
    for scale in (1e-8, 1.0, 1e300):
        picks = kmeans_medoids(X, 6, weights=weights * scale, random_state=0)
        assert len(set(picks)) == 6
        assert 49 in picks


# -- mini-batches ------------------------------------------------------------------------------


@pytest.mark.no_cover
@kinds
@pytest.mark.parametrize("shift", [0.0, 3e4])
def test_mini_batches_find_the_blobs(as_rows, shift, monkeypatch):
    monkeypatch.setattr(clustering, "_LLOYD_ROWS", 10)
    monkeypatch.setattr(clustering, "_CENTER_BLOCK_BYTES", 100)
    X, blob = blobs()
    X = (X + shift).astype(np.float64 if shift and as_rows is not np.asarray else np.float32)
    expected = []
    for b in range(3):
        members = np.flatnonzero(blob == b)
        offsets = X[members] - X[members].mean(axis=0, dtype=float)
        expected.append(members[np.linalg.norm(offsets, axis=1).argmin()])
    found = [kmeans_medoids(as_rows(X), 3, random_state=seed) for seed in range(10)]
    assert sum(picks.tolist() == expected for picks in found) >= 5


@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array])
def test_mini_batch_labels_are_the_nearest_centers(as_rows, monkeypatch):
    monkeypatch.setattr(clustering, "_CENTER_BLOCK_BYTES", 1000)
    X = np.random.default_rng(0).normal(size=(500, 3))
    parts = [as_rows(X[:450]), as_rows(X[450:])]
    labels, centers = clustering._run_mini_batches(parts, 12, np.random.RandomState(0))
    if as_rows is not np.asarray:
        centers = centers.toarray()
    differences = X[:, None] - centers[None]
    if as_rows is np.asarray:  # the centers are known up to a shift: that of their own blobs
        means = np.array([X[labels == c].mean(axis=0) for c in range(12)])
        differences -= (means - centers).mean(axis=0)
    squared = np.square(differences).sum(axis=2)
    assert labels.shape == (500,)
    assert np.mean(squared.argmin(axis=1) == labels) > (0.9 if as_rows is np.asarray else 0.9999)


def test_mini_batches_are_nearly_as_good_as_all_rows():
    X = np.random.default_rng(0).normal(size=(4000, 5))
    labels, _ = clustering._run_mini_batches([X], 40, np.random.RandomState(0))
    means = np.array([X[labels == c].mean(axis=0) for c in range(40)])
    inertia = np.square(X - means[labels]).sum()
    assert inertia < 1.1 * KMeans(40, n_init=1, random_state=0).fit(X).inertia_


def test_draws_are_in_proportion_to_the_weights():
    weights, rng = np.array([0.0, 1.0, 5.0, 0.0, 2.0, 0.0]), np.random.RandomState(0)
    draws = clustering._draw_rows([weights], 8000, np.cumsum(weights), rng)
    counts = np.bincount(draws, minlength=6)
    assert not counts[weights == 0].any()
    assert chisquare(counts[weights > 0], [1000, 5000, 2000]).pvalue > 1e-3


# -- typicality --------------------------------------------------------------------------------


def clusters_of(X, labeled, n_clusters, seed):
    rows = np.concatenate([X, labeled])
    rng = np.random.RandomState(seed)
    return KMeans(n_clusters, n_init=1, random_state=rng).fit(rows).labels_


def assert_typical(picks, X, labeled, labels, n_neighbors, min_cluster_size=5):
    """Check pick by pick: the cluster of fewest known rows, largest first; the most typical row.

    Clusters of few rows, absolutely and beside the mean one, come last.
    """
    rows = np.concatenate([X, labeled])
    sizes = np.bincount(labels)
    small = (sizes <= min_cluster_size) & (2 * sizes <= len(rows) / len(sizes))
    known = np.bincount(labels[len(X) :], minlength=len(sizes))
    left = set(range(len(X)))
    for pick in picks:
        open_clusters = {labels[row] for row in left}
        best = min((small[c], known[c], -sizes[c]) for c in open_clusters)
        mine = labels[pick]
        assert (small[mine], known[mine], -sizes[mine]) == best
        means = {}
        for row in left:
            if labels[row] == mine:
                others = [r for r in range(len(rows)) if labels[r] == mine and r != row]
                distances = sorted(np.linalg.norm(rows[others] - rows[row], axis=1))
                means[row] = np.mean(distances[:n_neighbors]) if others else 0.0
        assert means[pick] <= min(means.values()) * (1 + 1e-7)
        left.remove(pick)
        known[mine] += 1


@parametrize_pairs(
    sizes=[(0, 6), (5, 7), (5, 40), (90, 3), (60, 40)],
    n_dims=[1, 3],
    n_neighbors=[1, 3, 20],
    block_rows=[1024, 4],
)
def test_typiclust_is_the_plain_loop(sizes, n_dims, n_neighbors, block_rows, monkeypatch):
    n_labeled, batch_size = sizes
    monkeypatch.setattr(clustering, "_NEIGHBOR_BLOCK_ROWS", block_rows)
    rng = np.random.default_rng(n_labeled + batch_size)
    X, labeled = rng.normal(size=(40, n_dims)), rng.normal(size=(n_labeled, n_dims))
    for max_clusters in (500, 6, 1):
        n_clusters = min(n_labeled + batch_size, max_clusters)
        picks = typiclust(
            X,
            batch_size,
            labeled=labeled,
            max_clusters=max_clusters,
            n_neighbors=n_neighbors,
            random_state=3,
        )
        assert len(set(picks)) == batch_size
        labels = clusters_of(X, labeled, n_clusters, seed=3)
        assert_typical(picks, X, labeled, labels, n_neighbors)


@kinds
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_typiclust_visits_the_blobs_without_labels_largest_first(as_rows, dtype):
    X, blob = blobs(dtype)
    labeled = X[blob == 1][:2] + np.array(0.5, dtype)
    for seed in range(20):
        found = typiclust(
            as_rows(X), 3, labeled=as_rows(labeled), max_clusters=3, random_state=seed
        )
        if blob[found].tolist() == [0, 2, 0]:  # blob 1 has two labels
            break
    else:
        pytest.fail("no start finds the blobs")
    for position, b in zip(found[:2], (0, 2), strict=True):
        members = np.flatnonzero(blob == b)
        apart = np.linalg.norm(X[members][:, None] - X[members], axis=2).mean(axis=1)
        assert position == members[apart.argmin()]


@pytest.mark.no_cover
@pytest.mark.parametrize("rounds", [1, 3])
def test_duplicates_are_the_most_typical_rows_at_random(rounds):
    X = np.concatenate([np.random.default_rng(0).normal(size=(30, 2)), np.full((4, 2), 0.7)])
    firsts = np.zeros(34)
    for seed in range(200):
        picks = typiclust(X, rounds, max_clusters=1, n_neighbors=3, random_state=seed)
        assert set(picks) <= {30, 31, 32, 33}
        firsts[picks[0]] += 1
    assert chisquare(firsts[30:]).pvalue > 1e-3


@pytest.mark.no_cover
def test_rounding_does_not_choose_among_duplicates():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(20, 30)), np.repeat(rng.normal(size=(4, 30)), 4, axis=0)])
    firsts = np.zeros(36)
    for seed in range(320):
        firsts[typiclust(X, 1, n_neighbors=3, random_state=seed)] += 1
    assert not firsts[:20].any()
    assert chisquare(firsts[20:]).pvalue > 1e-3


@pytest.mark.no_cover
@parametrize_runs("n_seeds", 180, 360)
def test_rounding_does_not_choose_among_rows_that_are_equally_typical(n_seeds):
    angles = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    X = np.column_stack([np.cos(angles) + 0.3, np.sin(angles) + 7.7])
    firsts = [typiclust(X, 1, n_neighbors=4, random_state=seed)[0] for seed in range(n_seeds)]
    assert chisquare(np.bincount(firsts, minlength=36)).pvalue > 1e-3


@parametrize_runs("n_seeds", 100, 600)
def test_the_two_rows_of_a_cluster_are_equally_typical(n_seeds):
    X = np.array([[0.1, 7.0], [0.4, 7.3]])
    firsts = np.bincount([typiclust(X, 1, random_state=seed)[0] for seed in range(n_seeds)])
    assert chisquare(firsts).pvalue > 1e-3


def test_equally_large_clusters_come_in_random_order():
    X = np.array([[0.0], [1.0], [100.0], [101.0], [200.0], [201.0]])
    orders = {tuple(typiclust(X, 3, random_state=seed) // 2) for seed in range(60)}
    assert len(orders) == 6
    labels, rng = np.repeat([0, 1, 2], 2), np.random.RandomState(0)
    orders = {
        tuple(_clusters._schedule_visits(labels, 6, np.zeros(3, bool), 3, rng)) for _ in range(60)
    }
    assert len(orders) == 6


def test_a_sample_of_all_is_no_approximation(monkeypatch):
    X = np.random.default_rng(0).normal(size=(80, 2))
    exact = typiclust(X, 5, max_clusters=1, n_neighbors=6, random_state=0)
    monkeypatch.setattr(clustering, "_ALL_PAIRS_ROWS", 40)
    monkeypatch.setattr(clustering, "_SAMPLE_ROWS", 80)
    assert_array_equal(typiclust(X, 5, max_clusters=1, n_neighbors=6, random_state=0), exact)


def test_large_clusters_are_searched_where_a_sample_is_dense(monkeypatch):
    monkeypatch.setattr(clustering, "_ALL_PAIRS_ROWS", 500)
    monkeypatch.setattr(clustering, "_SAMPLE_ROWS", 200)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 2))
    X[rng.choice(2000, 300, replace=False)] /= 10
    means = np.sort(np.linalg.norm(X[:, None] - X, axis=2), axis=1)[:, 1:21].mean(axis=1)
    for seed in range(5):
        picks = typiclust(X, 1500, max_clusters=1, random_state=seed)
        assert len(set(picks)) == 1500
        assert (means < means[picks[0]]).sum() < 20  # among the best percent
        first = picks[:200]  # those compared exactly
        assert (np.diff(means[first]) > -1e-9).all()


def test_small_clusters_come_after_all_rows_of_the_others():
    rng = np.random.default_rng(0)
    blob, strays = rng.normal(size=(60, 2)), 1000.0 * (1 + np.arange(5))[:, None] ** 2
    X = np.concatenate([blob, np.repeat(strays, 2, axis=1)])
    for seed in range(3):
        picks = typiclust(X, 62, max_clusters=6, random_state=seed)
        assert set(picks[:60]) == set(range(60))
        alike = typiclust(X, 6, max_clusters=6, min_cluster_size=0, random_state=seed)
        assert set(alike[1:]) == set(range(60, 65))


def test_clusters_are_small_beside_the_mean_one_only():
    for sizes, limit, expected in (
        ([1, 5, 6, 60], 5, [1, 1, 0, 0]),
        ([1, 2, 3, 2], 5, [1, 0, 0, 0]),  # of two rows in the mean
        ([1, 1, 1, 1], 5, [0, 0, 0, 0]),
        ([1, 5, 6, 60], 0, [0, 0, 0, 0]),
    ):
        labels = np.repeat(np.arange(4), sizes)
        assert_array_equal(_clusters._find_small_clusters(labels, 4, limit), expected)


def test_typiclust_far_from_the_origin():
    X = np.random.default_rng(0).normal(size=(50, 2))
    plain = typiclust(X, 2, max_clusters=1, random_state=0)
    assert_array_equal(typiclust(X + 1e6, 2, max_clusters=1, random_state=0), plain)


# -- the hierarchy -----------------------------------------------------------------------------


def average_linkage(X, *, epsilon=0.0, n_clusters=1):
    """Join the two clusters of the smallest mean distance, again and again."""
    clusters = [[row] for row in range(len(X))]
    apart = np.linalg.norm(X[:, None] - X, axis=2)
    while len(clusters) > n_clusters:
        pairs = [(i, j) for i in range(len(clusters)) for j in range(i)]
        mean = [apart[np.ix_(clusters[i], clusters[j])].mean() for i, j in pairs]
        if epsilon and min(mean) > epsilon:
            break
        i, j = pairs[int(np.argmin(mean))]
        clusters[j] += clusters.pop(i)
    return {frozenset(cluster) for cluster in clusters}


@kinds
def test_the_hierarchy_is_that_of_the_plain_loop(as_rows):
    X = np.random.default_rng(0).normal(size=(30, 2))
    rows, rng = canonical(as_rows(X)), np.random.RandomState(0)
    for epsilon, n_clusters in ((None, 1), (None, 7), (None, 30), (0.5, 3), (1.5, 3)):
        labels = clustering.cluster_by_linkage(rows, n_clusters, epsilon, rng)
        found = {frozenset(np.flatnonzero(labels == c)) for c in np.unique(labels)}
        stop = {"n_clusters": n_clusters} if epsilon is None else {"epsilon": epsilon}
        assert found == average_linkage(X, **stop)


def test_large_pools_are_joined_by_micro_clusters(monkeypatch):
    monkeypatch.setattr(clustering, "_HIERARCHY_ROWS", 20)
    monkeypatch.setattr(clustering, "_MICRO_CLUSTERS", 10)
    X, blob = blobs()
    for n_clusters, epsilon in ((3, None), (9, 20.0)):
        rng = np.random.RandomState(0)
        labels = clustering.cluster_by_linkage(X, n_clusters, epsilon, rng)
        assert len(set(zip(labels, blob, strict=True))) == 3 == len(set(labels))


@pytest.mark.no_cover
@pytest.mark.parametrize("batch_size", [1, 2, 5, 11, 30])
@pytest.mark.parametrize("factor", [1.0, 1.15, 3.0])
@pytest.mark.parametrize("epsilon", [None, 0.6])
def test_cluster_margin_takes_turns_small_clusters_first(batch_size, factor, epsilon):
    rng = np.random.default_rng(0)
    X, scores = rng.normal(size=(30, 2)), rng.permutation(30) / 30
    stop = {"n_clusters": batch_size} if epsilon is None else {"epsilon": epsilon}
    candidates = np.argsort(-scores)[: int(factor * batch_size + 1e-9)]
    cluster_of = {row: c for c in average_linkage(X, **stop) for row in c}
    picks = cluster_margin(
        X, scores, batch_size, factor=factor, epsilon=epsilon, random_state=0
    ).tolist()
    assert len(set(picks)) == batch_size
    assert set(picks) <= set(candidates)
    queues = {}
    for row in candidates:
        queues.setdefault(cluster_of[row], []).append(row)
    turn, taken = 0, dict.fromkeys(queues, 0)
    while turn < batch_size:
        waiting = sorted(len(queues[c]) for c in queues if taken[c] < len(queues[c]))
        round_picks = picks[turn : turn + len(waiting)]
        visited = [cluster_of[row] for row in round_picks]
        assert len(set(visited)) == len(visited)
        assert [len(queues[c]) for c in visited] == waiting[: len(visited)]
        for c in visited:
            taken[c] += 1
        turn += len(visited)


def test_cluster_margin_draws_the_row_of_a_cluster():
    X, scores = np.array([[0.0], [0.1], [0.2], [50.0]]), np.array([0.3, 0.2, 0.1, 0.4])
    counts = np.zeros(4)
    for seed in range(600):
        counts[cluster_margin(X, scores, 2, epsilon=1.0, random_state=seed)] += 1
    assert counts[3] == 600
    assert chisquare(counts[:3]).pvalue > 1e-3


# -- sparse rows ------------------------------------------------------------------------------


def texts(n_rows=400, n_dims=3000, dtype=float, seed=0):
    """Rows of about 12 words, most of them frequent ones, on one of five topics; some are equal."""
    rng = np.random.default_rng(seed)
    words = np.minimum(rng.pareto(1.0, size=(n_rows, 12)) * 15, n_dims - 600).astype(int)
    words[:, :4] = (
        2400 + 100 * rng.integers(5, size=(n_rows, 1)) + rng.integers(8, size=(n_rows, 4))
    )
    X = np.zeros((n_rows, n_dims), dtype)
    np.put_along_axis(X, words, rng.uniform(1, 5, size=words.shape).astype(dtype), axis=1)
    X[1:4] = X[0]
    return X


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("lloyd_rows", [20_000, 10])
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_and_dense_rows_have_the_same_clusters(dtype, lloyd_rows, weighted, monkeypatch):
    monkeypatch.setattr(clustering, "_LLOYD_ROWS", lloyd_rows)
    monkeypatch.setattr(clustering, "_MINI_BATCH_ROWS", 100)
    monkeypatch.setattr(clustering, "_MINI_BATCH_STEPS", 8)
    weights = np.random.default_rng(1).exponential(size=400) if weighted else None
    X = texts(dtype=dtype)
    found = []
    for rows in (X, sparse.csr_array(X)):
        rng = np.random.RandomState(4)
        found.append(clustering.cluster_by_kmeans([rows], 12, rng, weights))
    # Rounding decides a few ties: a row between two centers may move one or two others.
    assert np.mean(found[0] == found[1]) > 0.97


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool])
def test_sparse_rows_of_whole_numbers_are_clustered_as_those_of_real_ones(dtype):
    X = sparse.csr_array(texts().astype(dtype))
    found = [
        clustering.cluster_by_kmeans([rows], 12, np.random.RandomState(0), None)
        for rows in (X, X.astype(np.float64))
    ]
    assert np.mean(found[0] == found[1]) > (0.999 if dtype is np.int64 else 0.8)  # float32: ties


@pytest.mark.parametrize("n_distinct", [3, 9])
def test_sparse_rows_of_fewer_points_than_clusters(n_distinct):
    X = np.repeat(np.diag(1.0 + np.arange(n_distinct)), 5, axis=0)
    labels = clustering.cluster_by_kmeans(
        [sparse.csr_array(X)], 7, np.random.RandomState(0), None
    ).reshape(n_distinct, 5)
    assert (labels == labels[:, :1]).all()
    assert len(np.unique(labels)) == min(7, n_distinct)


@pytest.mark.parametrize("select", [kmeans_medoids, typiclust])
def test_sparse_and_dense_rows_are_chosen_alike(select, monkeypatch):
    monkeypatch.setattr(clustering, "_ALL_PAIRS_ROWS", 60)
    monkeypatch.setattr(clustering, "_SAMPLE_ROWS", 50)
    X = texts(dtype=float)[3:]
    same = [
        np.array_equal(select(X, 8, random_state=s), select(sparse.csr_array(X), 8, random_state=s))
        for s in range(6)
    ]
    assert sum(same) >= 5


@pytest.mark.no_cover
@pytest.mark.parametrize("n_dims", [50_000, 2**20])
def test_memory_of_sparse_rows_is_that_of_their_entries(n_dims):
    rng = np.random.default_rng(0)
    n_rows, n_words = 4000, 30
    words = np.minimum(rng.pareto(1.0, size=n_rows * n_words) * 20, n_dims - 1).astype(np.int32)
    indptr = np.arange(n_rows + 1) * n_words
    X = canonical(sparse.csr_array((rng.random(len(words)), words, indptr), (n_rows, n_dims)))
    for select in (kmeans_medoids, typiclust, scored):
        select(X[:200], 3)  # what is imported late stays
        tracemalloc.start()
        select(X, 40, random_state=0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 100 * 2**20  # dense centers of 2**20 numbers are 335 MB


# -- what all must do --------------------------------------------------------------------------


def scored(X, batch_size, *, random_state=None):
    scores = np.random.default_rng(0).random(X.shape[0])
    return cluster_margin(X, scores, batch_size, random_state=random_state)


def weighted(X, batch_size, *, random_state=None):
    weights = np.random.default_rng(0).random(X.shape[0])
    return kmeans_medoids(X, batch_size, weights=weights, random_state=random_state)


REPEATED = np.repeat(np.eye(3), 4, axis=0)
SELECTORS = [scored, weighted, typiclust, partial(typiclust, max_clusters=2)]
selectors = pytest.mark.parametrize("select", SELECTORS)


@pytest.mark.no_cover
@parametrize_pairs(
    select=SELECTORS,
    X=[np.zeros((12, 1)), np.full((12, 2), 0.1), np.repeat(np.eye(3), 4, 0)],
    batch_size=[1, 2, 12],
    limit=[None, 3],
)
def test_rows_that_coincide(select, X, batch_size, limit, monkeypatch):
    names = ("_LLOYD_ROWS", "_HIERARCHY_ROWS", "_ALL_PAIRS_ROWS", "_SAMPLE_ROWS")
    for name in names if limit else ():
        monkeypatch.setattr(clustering, name, limit)
    monkeypatch.setattr(clustering, "_MICRO_CLUSTERS", 5)
    monkeypatch.setattr(clustering, "_MINI_BATCH_STEPS", 3)
    for as_rows in (np.asarray, sparse.csr_array):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = [select(as_rows(X), batch_size, random_state=seed) for seed in range(12)]
        assert all(len(np.unique(picks)) == batch_size for picks in found)
        assert len({tuple(picks) for picks in found}) > 1


@pytest.mark.no_cover
@pytest.mark.parametrize("select", [kmeans_medoids, *SELECTORS])
def test_memory_is_a_few_numbers_a_row(select, monkeypatch):
    monkeypatch.setattr(clustering, "_MICRO_CLUSTERS", 50)
    monkeypatch.setattr(clustering, "_CENTER_BLOCK_BYTES", 2**20)
    monkeypatch.setattr(clustering, "_NEIGHBOR_BLOCK_ROWS", 256)
    X = np.random.default_rng(0).normal(size=(30_000, 100)).astype(np.float32)
    select(X[:200], 3)  # what is imported late stays
    tracemalloc.start()
    select(X, 20, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < X.nbytes  # a copy is 12 MB, in float64 24; n x batch is 5; n x n is 7 GB
