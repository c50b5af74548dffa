"""Selectors turn scores or embeddings into the positions of a batch.

Every selector is pure: arrays in, distinct positions (``intp``, best first) out. Selectors of
scores are callables ``(scores, batch_size, random_state=None)``; selectors of points take an
embedding first. ``random_state`` is None (fresh entropy), an int or a
:class:`numpy.random.RandomState`; NumPy's global state is never used. A batch larger than the pool
is cut to the whole pool.
"""

from skactive.selectors._bandwidth import effective_bandwidth
from skactive.selectors._batch_bald import batch_bald
from skactive.selectors._clusters import cluster_margin, kmeans_medoids, typiclust
from skactive.selectors._coverage import (
    facility_location,
    max_coverage,
    purity_radius,
    targeted_coverage,
)
from skactive.selectors._design import bait, d_optimal, dpp_map, v_optimal
from skactive.selectors._distance import (
    k_center_greedy,
    kmeans_plusplus,
    lcmd,
    ranked_batch,
    robust_k_center_greedy,
)
from skactive.selectors._emcm import emcm
from skactive.selectors._falcun import falcun
from skactive.selectors._galaxy import galaxy
from skactive.selectors._regression import gsy, igs
from skactive.selectors._top import PowerTop, SoftmaxTop, SoftrankTop, top
from skactive.selectors._training_set import select_training_set

__all__ = [
    "PowerTop",
    "SoftmaxTop",
    "SoftrankTop",
    "bait",
    "batch_bald",
    "cluster_margin",
    "d_optimal",
    "dpp_map",
    "effective_bandwidth",
    "emcm",
    "facility_location",
    "falcun",
    "galaxy",
    "gsy",
    "igs",
    "k_center_greedy",
    "kmeans_medoids",
    "kmeans_plusplus",
    "lcmd",
    "max_coverage",
    "purity_radius",
    "ranked_batch",
    "robust_k_center_greedy",
    "select_training_set",
    "targeted_coverage",
    "top",
    "typiclust",
    "v_optimal",
]
