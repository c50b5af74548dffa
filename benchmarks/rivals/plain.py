"""Plain versions of the published algorithms: each pick updates all rows."""

import numpy as np

VERSION = f"NumPy {np.__version__}"


def _squared_distances(row, a, h, norms):
    """Return the squared distances of all gradients (outer products of a and h) to one of them."""
    return norms + norms[row] - 2 * (a @ a[row]) * (h @ h[row])


def k_center(data):
    def query():
        norms = np.einsum("ij,ij->i", data.X, data.X)
        nearest, picks = np.full(len(data.X), np.inf, dtype=np.float32), []
        for row in data.labeled:
            np.minimum(nearest, norms + row @ row - 2 * (data.X @ row), out=nearest)
        for _ in range(data.k):
            pick = nearest.argmax()
            picks.append(pick)
            np.minimum(nearest, norms + norms[pick] - 2 * (data.X @ data.X[pick]), out=nearest)
        return picks

    return query


def badge(data):
    a, h, rng = data.residual, data.X, np.random.default_rng(0)

    def query():
        norms = np.einsum("ij,ij->i", a, a) * np.einsum("ij,ij->i", h, h)
        picks = [int(norms.argmax())]
        nearest = np.maximum(_squared_distances(picks[0], a, h, norms), 0)
        while len(picks) < data.k:
            total = nearest.cumsum(dtype=np.float64)
            picks.append(int(np.searchsorted(total, rng.random() * total[-1], side="right")))
            nearest = np.minimum(nearest, np.maximum(_squared_distances(picks[-1], a, h, norms), 0))
            nearest[picks] = 0
        return picks

    return query


def k_means(data):
    """Return the query: k-means of scikit-learn, and the row nearest to each center."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import pairwise_distances_argmin

    def query():
        fitted = KMeans(data.k, n_init=1, random_state=0).fit(data.X)
        return pairwise_distances_argmin(fitted.cluster_centers_, data.X)

    return query


def prob_cover(data, radius=10.0, block=500):
    """Return the query: in the graph of pairs within the radius, picks remove covered rows."""
    from scipy.spatial.distance import cdist

    def query():
        rows = np.concatenate([data.X, data.labeled]).astype(np.float64)
        sources, targets = [], []
        for start in range(0, len(rows), block):
            is_near = cdist(rows[start : start + block], data.X) <= radius
            source, target = np.nonzero(is_near)
            sources.append((source + start).astype(np.int32))
            targets.append(target.astype(np.int32))
        source, target = np.concatenate(sources), np.concatenate(targets)
        # The labeled rows cover first.
        picks, new_rows = [], np.arange(len(data.X), len(rows))
        while len(picks) < data.k:
            covered = np.zeros(len(data.X), dtype=bool)
            covered[target[np.isin(source, new_rows)]] = True
            is_edge = ~covered[target] & (source < len(data.X))
            source, target = source[is_edge], target[is_edge]
            picks.append(int(np.bincount(source, minlength=len(data.X)).argmax()))
            new_rows = picks[-1:]
        return picks

    return query


def typiclust(data, n_neighbors=20):
    """Return the query: mini-batch k-means, then nearest neighbors in one cluster after another."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.neighbors import NearestNeighbors

    def query():
        rows = np.concatenate([data.X, data.labeled])
        n_clusters = min(len(data.labeled) + data.k, 500)
        labels = MiniBatchKMeans(n_clusters, batch_size=5000, n_init=1, random_state=0).fit_predict(
            rows
        )
        n_labeled = np.bincount(labels[len(data.X) :], minlength=n_clusters)
        sizes = np.bincount(labels, minlength=n_clusters)
        order = np.lexsort((-sizes, n_labeled))
        order = order[sizes[order] > 5]
        picks = []
        for cluster in order[np.arange(data.k) % len(order)]:
            members = np.setdiff1d(np.flatnonzero(labels[: len(data.X)] == cluster), picks)
            if not len(members):
                continue
            k = min(n_neighbors, len(members) // 2)
            tree = NearestNeighbors(n_neighbors=k + 1).fit(rows[members])
            distances = tree.kneighbors(rows[members])[0]
            picks.append(int(members[np.square(distances).mean(axis=1).argmin()]))
        return picks

    return query


QUERIES = {
    "k-center": k_center,
    "badge": badge,
    "k-means": k_means,
    "prob-cover": prob_cover,
    "typiclust": typiclust,
}
