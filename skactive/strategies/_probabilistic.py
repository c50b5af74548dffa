"""Probabilistic active learning: the expected gain of labels, given how many are near."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive._utils.compat import StrOptions
from skactive._utils.constraints import (
    POSITIVE_INT,
    POSITIVE_INT_OR_NONE,
    POSITIVE_REAL,
    POSITIVE_REAL_OR_NONE,
)
from skactive.selectors._engine.neighbors import kernel_sums
from skactive.selectors._engine.points import PointSet, slices
from skactive.strategies._base import ScoreStrategy, Selector
from skactive.strategies._pool_rows import draw_rows

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["McPAL"]

# Delta of the mean criterion: the smallest kernel value that counts, times the square root of 2.
_MIN_KERNEL = math.sqrt(2.0) * 1e-6
_BLOCK_ROWS = 4096  # rows whose gains are computed together: a few of their columns fit the cache


class McPAL(ScoreStrategy):
    r"""Choose rows whose labels are expected to raise the accuracy around them most (McPAL).

    .. math:: u(x) = \rho(x) \max_{1 \le m \le M} \frac{1}{m} \Big(
        \mathbb{E}_{\ell} \max_y \frac{a_y + \ell_y}{A + m} - \max_y \frac{a_y}{A} \Big),
        \qquad a_y = \epsilon + k_y(x), \quad A = \sum_y a_y

    with :math:`k_y(x)` the number of labels of class y around x, estimated by a Gaussian kernel on
    the labeled rows, :math:`\ell` the counts of m further labels, drawn from the probabilities
    that the counts so far leave (Dirichlet-multinomial with parameters a), and :math:`\rho` the
    kernel density of the pool. So two rows with the same probabilities differ: the one with few
    labels around it gains more.

    **When:** few labels, few classes and an embedding in which near rows are alike: it weighs
    what is uncertain for lack of labels, and leaves what stays uncertain whatever the labels. In
    wide embeddings few labels are near anything, and it follows the density. Needs an embedding
    and, unless `posterior` is "kernel", probabilities. Without labeled rows it chooses the densest
    rows. Time grows with :math:`n C^M` for C classes.

    Parameters
    ----------
    max_labels : int, default=2
        M: the largest number of labels to look ahead.
    prior : float, default=0.001
        Epsilon: labels of each class that are assumed everywhere, above 0.
    posterior : {"model", "kernel"}, default="model"
        Where the shares of the classes come from: the number of labels around a row times the
        model's probabilities, or the kernel estimate itself (a Parzen window classifier, whatever
        the model).
    bandwidth : float, default=None
        Standard deviation of the kernel; None uses the mean criterion, which grows with the
        distances between the rows of the pool.
    density : bool, default=True
        Whether gains are multiplied by the density, as published.
    max_reference : int, default=1_000
        In larger pools, the density is that of a sample of so many rows. None uses all rows, in
        quadratic time.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Kottke, Krempl, Lang, Teschner and Spiliopoulou, "Multi-class probabilistic active learning",
    ECAI 2016, :doi:`10.3233/978-1-61499-672-9-586`.

    Chaudhuri, Kakde, Sadek, Gonzalez and Kong, "The mean and median criteria for kernel bandwidth
    selection for support vector data description", ICDM Workshops 2017,
    :doi:`10.1109/ICDMW.2017.116`, for the bandwidth.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import McPAL
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), McPAL(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "max_labels": POSITIVE_INT,
        "prior": POSITIVE_REAL,
        "posterior": [StrOptions({"model", "kernel"})],
        "bandwidth": POSITIVE_REAL_OR_NONE,
        "density": ["boolean"],
        "max_reference": POSITIVE_INT_OR_NONE,
    }

    def __init__(
        self,
        *,
        max_labels: int = 2,
        prior: float = 1e-3,
        posterior: Literal["model", "kernel"] = "model",
        bandwidth: float | None = None,
        density: bool = True,
        max_reference: int | None = 1_000,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(selector=selector)
        self.max_labels = max_labels
        self.prior = prior
        self.posterior = posterior
        self.bandwidth = bandwidth
        self.density = density
        self.max_reference = max_reference

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """The embedding, and the probabilities if they give the shares of the classes."""
        return frozenset({"embedding"} | ({"proba"} if self.posterior == "model" else set()))

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the expected gain of accuracy around them, shape (n_rows,)."""
        return self.explain(pool)["score"]

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return the expected gain of labels around each row, the density, and their product."""
        bandwidth = self.bandwidth or _choose_bandwidth(pool.embedding)
        counts = self._count_labels(pool, bandwidth) + self.prior  # (n_rows, n_classes)
        gains = np.empty(len(pool))
        for block in slices(len(pool), _BLOCK_ROWS):
            gains[block] = expected_gain(counts[block], self.max_labels)
        if not self.density:
            return {"expected gain": gains, "score": gains}
        density = self._estimate_density(pool, bandwidth)
        return {"expected gain": gains, "density": density, "score": gains * density}

    def _count_labels(self, pool: PoolView, bandwidth: float) -> Floats:
        """Estimate the number of labels of each class around each row, (n_rows, n_classes)."""
        classes, labeled = pool.classes, pool.labeled
        if labeled is None:
            return np.zeros((len(pool), max(2, len(classes))))
        if self.posterior == "model":
            ones = np.ones((len(labeled), 1))
            return kernel_sums(pool.embedding, labeled.embedding, ones, bandwidth) * pool.proba
        one_hot = (np.asarray(labeled.y)[:, np.newaxis] == classes).astype(np.float64)
        return kernel_sums(pool.embedding, labeled.embedding, one_hot, bandwidth)

    def _estimate_density(self, pool: PoolView, bandwidth: float) -> Floats:
        """Estimate the mean kernel of each row with the rows of the pool, (n_rows,)."""
        rows = pool.embedding
        if self.max_reference is not None and len(pool) > self.max_reference:
            rows = rows[draw_rows(pool, self.max_reference)]
        weights = np.full((rows.shape[0], 1), 1 / rows.shape[0])
        return kernel_sums(pool.embedding, rows, weights, bandwidth)[:, 0]


def _choose_bandwidth(embedding: Any) -> float:
    """Choose the bandwidth by the mean criterion; 1 for rows that coincide."""
    n_rows = embedding.shape[0]
    total = float(PointSet(embedding).squared_distances_to_mean().sum())
    if n_rows < 2 or total <= 0.0:
        return 1.0
    mean_squared_distance = 2 * total / (n_rows - 1)  # of two distinct rows
    return math.sqrt(mean_squared_distance / math.log((n_rows - 1) / _MIN_KERNEL**2))


def expected_gain(counts: Floats, max_labels: int) -> Floats:
    """Return the largest expected gain of accuracy per label, of 1 to `max_labels` labels.

    Without new labels the accuracy of the most probable class is unchanged on average, so the gain
    is what another class has over it afterwards: 0, exactly, where no label can change the class.

    Parameters
    ----------
    counts : ndarray of shape (n_rows, n_classes)
        Labels of each class, those of the prior included: all above 0.
    max_labels : int
        Largest number of new labels.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    a = np.asfortranarray(-np.sort(-counts, axis=1))  # the most probable class comes first
    total, best = a.sum(axis=1), np.zeros(len(a))
    if a.shape[1] == 1:
        return best
    normalizer = np.ones(len(a))  # of the probabilities of m labels: A (A + 1) .. (A + m - 1)
    for m in range(1, max_labels + 1):
        normalizer = normalizer * (total + m - 1)
        gain = np.zeros(len(a))
        for labels in combinations_with_replacement(range(a.shape[1]), m):
            _add_gain(gain, a, Counter(labels))
        np.maximum(best, gain / (normalizer * (total + m) * m), out=best)
    return best


def _add_gain(gain: Floats, a: Floats, labels: Counter[int]) -> None:
    """Add the probability of counts of new labels times what another class leads by, in place."""
    lead = a[:, 0] + labels[0]
    highest = np.max([a[:, y] + n for y, n in labels.items()], axis=0) - lead
    np.maximum(highest, 0.0, out=highest)
    n_orders = math.factorial(labels.total())
    for y, n in labels.items():
        n_orders //= math.factorial(n)
        for step in range(n):
            highest *= a[:, y] + step
    gain += n_orders * highest
