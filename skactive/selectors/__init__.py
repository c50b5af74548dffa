"""Selectors turn scores or embeddings into the positions of a batch.

Every selector is pure: arrays in, distinct positions (``intp``, best first) out. Selectors of
scores are callables ``(scores, batch_size, random_state=None)``; selectors of points take an
embedding first. ``random_state`` is None (fresh entropy), an int or a
:class:`numpy.random.RandomState`; NumPy's global state is never used. A batch larger than the pool
is cut to the whole pool.
"""

from skactive.selectors._clusters import kmeans_medoids
from skactive.selectors._distance import k_center_greedy, kmeans_plusplus, ranked_batch
from skactive.selectors._top import PowerTop, SoftmaxTop, SoftrankTop, top

__all__ = [
    "PowerTop",
    "SoftmaxTop",
    "SoftrankTop",
    "k_center_greedy",
    "kmeans_medoids",
    "kmeans_plusplus",
    "ranked_batch",
    "top",
]
