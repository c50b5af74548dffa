"""The k-means++ of BADGE, drawn with `scipy.stats.rv_discrete` as in the authors' code."""

import numpy as np
import scipy
from scipy.stats import rv_discrete

VERSION = f"SciPy {scipy.__version__}"


def badge(data):
    a, h, rng = data.residual, data.X, np.random.default_rng(0)

    def query():
        a_norms, h_norms = np.square(a).sum(axis=1), np.square(h).sum(axis=1)
        rows, picks, nearest = np.arange(len(a)), [int((a_norms * h_norms).argmax())], None
        while len(picks) < data.k:
            last = picks[-1]
            inner = (a @ a[last]) * (h @ h[last])
            squared = a_norms * h_norms + a_norms[last] * h_norms[last] - 2 * inner
            squared = np.clip(squared, 0, None).astype(np.float64)
            nearest = squared if nearest is None else np.minimum(nearest, squared)
            nearest[picks] = 0
            distribution = rv_discrete(values=(rows, nearest / nearest.sum()))
            picks.append(int(distribution.rvs(size=1, random_state=rng)[0]))
        return picks

    return query


QUERIES = {"badge": badge}
