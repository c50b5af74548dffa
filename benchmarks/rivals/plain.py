"""The published algorithms as one would write them first: an update of all rows a pick."""

import numpy as np

VERSION = f"NumPy {np.__version__}"


def _to(row, a, h, norms):
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
        nearest = np.maximum(_to(picks[0], a, h, norms), 0)
        while len(picks) < data.k:
            total = nearest.cumsum(dtype=np.float64)
            picks.append(int(np.searchsorted(total, rng.random() * total[-1], side="right")))
            nearest = np.minimum(nearest, np.maximum(_to(picks[-1], a, h, norms), 0))
            nearest[picks] = 0
        return picks

    return query


def k_means(data):
    """scikit-learn's k-means, and the row nearest to each centre."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import pairwise_distances_argmin

    def query():
        fitted = KMeans(data.k, n_init=1, random_state=0).fit(data.X)
        return pairwise_distances_argmin(fitted.cluster_centers_, data.X)

    return query


QUERIES = {"k-center": k_center, "badge": badge, "k-means": k_means}
