"""Coverage: choose rows that represent the pool, together with the labeled rows."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import Interval, StrOptions
from skactive._utils.constraints import (
    NONNEGATIVE_REAL,
    POSITIVE_INT_OR_NONE,
    POSITIVE_REAL_OR_NONE,
    SCORE_STRATEGY_OR_NONE,
)
from skactive.selectors._coverage import (
    facility_location,
    facility_location_gains,
    max_coverage,
    max_coverage_gains,
    purity_radius,
    smallest_distance,
    targeted_coverage,
    targeted_coverage_gains,
)
from skactive.strategies._base import ScoreStrategy, ScoringStrategy
from skactive.strategies._hybrid import HybridStrategy, shift_to_nonnegative
from skactive.strategies._pool_rows import labeled_embedding
from skactive.strategies._uncertainty import Margin

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = [
    "FacilityLocation",
    "FacilityLocationMutualInformation",
    "MaxHerding",
    "ProbCover",
    "UHerding",
    "coverage_weights",
]


class MaxHerding(ScoringStrategy):
    r"""Choose rows that are jointly most similar to all rows of the pool.

    .. math:: \max_S \sum_i \max_{s \in L \cup S} k(z_i, z_s), \qquad
        k(z, z') = \exp(-\lVert z - z' \rVert^2 / \sigma^2)

    greedily, one row at a time, with L the labeled rows.

    **When:** few labels or none, and meaningful embeddings. Unlike :class:`ProbCover` it depends
    little on its bandwidth, and unlike :class:`KCenterGreedy` it avoids outliers as long as dense
    regions are left to cover; with many labels only far rows are. Time grows with
    n_rows x n_reference. Needs an embedding only.

    Parameters
    ----------
    bandwidth : float, default=None
        :math:`\sigma`. None uses the root mean square distance of the rows from their mean; for
        unit vectors in all directions that is the paper's 1.
    max_reference : int, default=5_000
        If the pool has more rows, coverage is measured on a sample of this size, or of ten rows
        per pick if these are more; every row is still a candidate. None measures it on all rows,
        which takes n squared similarities.

    References
    ----------
    Bae, Noh and Sutherland, "Generalized coverage for more robust low-budget active learning",
    ECCV 2024, :doi:`10.48550/arXiv.2407.12212`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import MaxHerding
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(), MaxHerding(bandwidth=1.0), random_state=0)
    >>> sorted(y[learner.query(X, batch_size=3)].tolist())  # before any row is labeled
    [0, 1, 2]
    """

    needs = frozenset({"embedding"})
    score_name = "added coverage"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "bandwidth": POSITIVE_REAL_OR_NONE,
        "max_reference": POSITIVE_INT_OR_NONE,
    }

    def __init__(
        self, *, bandwidth: float | None = None, max_reference: int | None = 5_000
    ) -> None:
        self.bandwidth = bandwidth
        self.max_reference = max_reference

    def _pose(self, pool: PoolView, batch_size: int) -> dict[str, Any]:
        return {
            "labeled": labeled_embedding(pool),
            "bandwidth": self.bandwidth,
            "max_reference": _sample_size(self.max_reference, batch_size),
            "random_state": pool.random_state,
        }

    def score(self, pool: PoolView) -> Floats:
        """Score the rows by the coverage that each alone adds, shape (n_rows,)."""
        return max_coverage_gains(pool.embedding, **self._pose(pool, 1))

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each the one that adds the most coverage."""
        return max_coverage(pool.embedding, batch_size, **self._pose(pool, batch_size))


class UHerding(HybridStrategy, ScoringStrategy):
    r"""Choose rows that are jointly most similar to the uncertain rows of the pool.

    .. math:: \max_S \sum_i \phi(x_i) \max_{s \in L \cup S} k(z_i, z_s), \qquad
        k(z, z') = \exp(-\lVert z - z' \rVert^2 / \sigma^2)

    greedily, one row at a time, with :math:`\phi` an uncertainty and L the labeled rows. In the
    paper, rows are scaled to length 1, :math:`\sigma` is the smallest distance between two labeled
    rows (``bandwidth="labeled"``), and the probabilities are calibrated on held-out labeled rows,
    which can be had by a calibrated model.

    **When:** one strategy for few labels and for many: while the model is uncertain about all rows
    it covers the pool as :class:`MaxHerding` does, later the uncertain rows. Needs an embedding
    and the readings of the uncertainty; with a model that is not fitted, start with
    :class:`MaxHerding`.

    Parameters
    ----------
    uncertainty : ScoreStrategy, default=None
        Scores the rows; None uses :class:`Margin`. Negative scores are shifted to start at 0.
    bandwidth : float or "labeled", default=None
        :math:`\sigma`. None uses the root mean square distance of the rows from their mean.
        "labeled" uses the smallest distance above 0 between two labeled rows, as published: it
        shrinks as labels are added, so that :math:`\phi` decides more and more. As long as no two
        labeled rows differ, it is that of None.
    max_reference : int, default=5_000
        If the pool has more rows, coverage is measured on a sample of this size, or of ten rows
        per pick if these are more, drawn in proportion to the uncertainty; every row is still a
        candidate. None measures it on all rows, which takes n squared similarities.

    References
    ----------
    Bae, Oliveira and Sutherland, "Uncertainty herding: one active learning method for all label
    budgets", ICLR 2025, :doi:`10.48550/arXiv.2412.20644`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import UHerding
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), UHerding(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    score_name = "added coverage"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "uncertainty": SCORE_STRATEGY_OR_NONE,
        "bandwidth": [*POSITIVE_REAL_OR_NONE, StrOptions({"labeled"})],
        "max_reference": POSITIVE_INT_OR_NONE,
    }
    _default_uncertainty = Margin

    def __init__(
        self,
        uncertainty: ScoreStrategy | None = None,
        *,
        bandwidth: float | str | None = None,
        max_reference: int | None = 5_000,
    ) -> None:
        self.uncertainty = uncertainty
        self.bandwidth = bandwidth
        self.max_reference = max_reference

    def _pose(self, pool: PoolView, batch_size: int) -> dict[str, Any]:
        labeled, bandwidth = labeled_embedding(pool), self.bandwidth
        if isinstance(bandwidth, str):
            bandwidth = None if labeled is None else smallest_distance(labeled)
        return {
            "labeled": labeled,
            "weights": coverage_weights(self.score_uncertainty(pool)),
            "bandwidth": bandwidth,
            "max_reference": _sample_size(self.max_reference, batch_size),
            "random_state": pool.random_state,
        }

    def score(self, pool: PoolView) -> Floats:
        """Score the rows by the coverage of uncertain rows that each alone adds, (n_rows,)."""
        return self.explain(pool)[self.score_name]

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return the uncertainty of each row, and the coverage of uncertain rows that it adds."""
        pose = self._pose(pool, 1)
        return {
            "uncertainty": pose["weights"],
            self.score_name: max_coverage_gains(pool.embedding, **pose),
        }

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each the one that adds the most coverage of uncertain rows."""
        return max_coverage(pool.embedding, batch_size, **self._pose(pool, batch_size))


def _sample_size(max_reference: int | None, batch_size: int) -> int | None:
    """Return the size of the sample on which a batch is chosen, large enough for its picks.

    Picks fit a sample better than the pool if there are only a few rows of it for each of them.
    """
    return None if max_reference is None else max(max_reference, 10 * batch_size)


def coverage_weights(uncertainty: Floats) -> Floats:
    """Return nonnegative weights that are proportional to the uncertainty, or all 1 if it is 0."""
    weights = shift_to_nonnegative(uncertainty)
    # A model that is certain about every row gives no guidance, so the whole pool is covered.
    return weights if weights.any() else np.ones_like(weights)


class FacilityLocation(ScoringStrategy):
    r"""Choose rows such that every row of the pool is close to a labeled or chosen one.

    .. math:: \min_S \sum_i \min_{s \in L \cup S} \lVert z_i - z_s \rVert

    greedily, one row at a time, with L the labeled rows. Without labeled rows, the first row is
    the medoid of the pool.

    **When:** batches that represent the whole pool in proportion to its density; it is k-medoids
    that takes the labeled rows into account. Time grows with n_rows x n_reference. Needs an
    embedding only.

    Parameters
    ----------
    max_reference : int, default=10_000
        If the pool has more rows, the sum is estimated on a sample of this size; every row is
        still a candidate. None uses all rows, which takes n squared distances.

    References
    ----------
    Wei, Iyer and Bilmes, "Submodularity in data subset selection and active learning", ICML 2015.

    Nemhauser, Wolsey and Fisher, "An analysis of approximations for maximizing submodular set
    functions", Mathematical Programming 14, 1978, :doi:`10.1007/BF01588971`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import FacilityLocation
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(), FacilityLocation(), random_state=0)
    >>> sorted(y[learner.query(X, batch_size=3)].tolist())  # before any row is labeled
    [0, 1, 2]
    """

    needs = frozenset({"embedding"})
    score_name = "added coverage"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"max_reference": POSITIVE_INT_OR_NONE}

    def __init__(self, *, max_reference: int | None = 10_000) -> None:
        self.max_reference = max_reference

    def _pose(self, pool: PoolView) -> dict[str, Any]:
        return {
            "labeled": labeled_embedding(pool),
            "max_reference": self.max_reference,
            "random_state": pool.random_state,
        }

    def score(self, pool: PoolView) -> Floats:
        """Score the rows by how much each alone reduces the sum of the distances, (n_rows,).

        Without labeled rows, all distances are at first those to a point farther than any row.
        """
        return facility_location_gains(pool.embedding, **self._pose(pool))

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each the one that reduces the distances most."""
        return facility_location(pool.embedding, batch_size, **self._pose(pool))


class ProbCover(ScoringStrategy):
    r"""Choose rows whose balls cover as much of the pool as possible.

    .. math:: x_{t+1} = \arg\max_x \#\{i : \lVert z_i - z(x) \rVert \le \delta,\ i \text{ in no
        ball of } L \cup \{x_1 .. x_t\}\}

    with L the labeled rows. Once all rows are covered, the rest of the batch is drawn at random.

    **When:** very few labels and self-supervised embeddings in which the classes are well
    separated. It is sensitive to the radius; :class:`MaxHerding` is a smooth version of it. Time
    grows with n_rows x n_reference. Needs an embedding only.

    Parameters
    ----------
    delta : float, default=None
        Radius of the balls. None uses the largest radius at which a share `purity` of the balls
        contains rows of one k-means cluster only.
    n_clusters : int, default=None
        Number of these clusters. None uses the number of classes, or 10 while fewer than two
        classes are known.
    purity : float, default=0.95
        Share of the balls that must be pure, from 0 to below 1.
    max_reference : int, default=10_000
        If the pool has more rows, coverage is measured on a sample of this size; every row is
        still a candidate. None measures it on all rows, which takes n squared distances.

    References
    ----------
    Yehuda, Dekel, Hacohen and Weinshall, "Active learning through a covering lens", NeurIPS 2022,
    :doi:`10.48550/arXiv.2205.11320`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import ProbCover
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(), ProbCover(n_clusters=3), random_state=0)
    >>> learner.query(X, batch_size=3).shape  # before any row is labeled
    (3,)
    """

    needs = frozenset({"embedding"})
    randomized = True  # by k-means; and numbers of covered rows often tie
    score_name = "added coverage"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "delta": POSITIVE_REAL_OR_NONE,
        "n_clusters": [Interval(Integral, 2, None, closed="left"), None],
        "purity": [Interval(Real, 0, 1, closed="left")],
        "max_reference": POSITIVE_INT_OR_NONE,
    }

    def __init__(
        self,
        *,
        delta: float | None = None,
        n_clusters: int | None = None,
        purity: float = 0.95,
        max_reference: int | None = 10_000,
    ) -> None:
        self.delta = delta
        self.n_clusters = n_clusters
        self.purity = purity
        self.max_reference = max_reference

    def _get_radius(self, pool: PoolView) -> float:
        if self.delta is not None:
            return self.delta
        n_classes = len(pool.classes)
        n_clusters = self.n_clusters or (n_classes if n_classes > 1 else 10)
        return purity_radius(
            pool.embedding, n_clusters, purity=self.purity, random_state=pool.random_state
        )

    @property
    def draws_scores(self) -> bool:  # type: ignore[override]
        """True if the radius depends on k-means, which starts at random."""
        return self.delta is None

    def _pose(self, pool: PoolView) -> dict[str, Any]:
        return {
            "labeled": labeled_embedding(pool),
            "kernel": "tophat",
            "bandwidth": self._get_radius(pool),
            "max_reference": self.max_reference,
            "random_state": pool.random_state,
        }

    def score(self, pool: PoolView) -> Floats:
        """Score the rows by the number of uncovered rows in the ball of each, shape (n_rows,)."""
        return max_coverage_gains(pool.embedding, **self._pose(pool))

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each the one whose ball covers the most uncovered rows."""
        return max_coverage(pool.embedding, batch_size, **self._pose(pool))


class FacilityLocationMutualInformation(ScoringStrategy):
    r"""Choose rows similar to given target rows, which they jointly cover.

    .. math:: \max_S \sum_{t \in T} \max_{s \in L \cup S} k(z_t, z_s)
        + \eta \sum_{s \in S} \max_{t \in T} k(z_s, z_t), \qquad
        k(z, z') = \exp(-\lVert z - z' \rVert^2 / \sigma^2)

    greedily, one row at a time, with T the targets and L the labeled rows: the submodular mutual
    information of facility location between batch and targets ("FLQMI").

    **When:** a few examples show which rows are wanted (a rare class, cases in which a model
    fails, rows of another domain) and the pool is searched for more of them. Time grows with
    n_rows x n_targets. Needs an embedding only.

    Parameters
    ----------
    targets : rows in the container of the pool
        Examples of the rows that are wanted.
    eta : float, default=1.0
        Weight of the similarity of each chosen row to the targets. At 0 one row per target is
        enough, and if the targets themselves are in the pool, the rest of the batch is drawn at
        random.
    bandwidth : float, default=None
        :math:`\sigma`. None uses the root mean square distance of the rows from their mean.

    References
    ----------
    Kothawade, Kaushal, Ramakrishnan, Bilmes and Iyer, "PRISM: a rich class of parameterized
    submodular information measures for guided data subset selection", AAAI 2022,
    :doi:`10.48550/arXiv.2103.00128`.

    Kothawade, Beck, Killamsetty and Iyer, "SIMILAR: submodular information measures based active
    learning in realistic scenarios", NeurIPS 2021, :doi:`10.48550/arXiv.2107.00717`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import FacilityLocationMutualInformation
    >>> X, y = load_digits(return_X_y=True)
    >>> strategy = FacilityLocationMutualInformation(X[y == 7][:5])
    >>> learner = ActiveLearner(LogisticRegression(), strategy, random_state=0)
    >>> y[500:][learner.query(X[500:], batch_size=5)]
    array([7, 7, 7, 7, 7])
    """

    needs = frozenset({"embedding"})
    score_name = "similarity to the targets"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "eta": NONNEGATIVE_REAL,
        "bandwidth": POSITIVE_REAL_OR_NONE,
    }

    def __init__(self, targets: Any, *, eta: float = 1.0, bandwidth: float | None = None) -> None:
        self.targets = targets
        self.eta = eta
        self.bandwidth = bandwidth

    def _pose(self, pool: PoolView) -> dict[str, Any]:
        return {
            "targets": pool.at(self.targets).embedding,
            "eta": self.eta,
            "labeled": labeled_embedding(pool),
            "bandwidth": self.bandwidth,
            "random_state": pool.random_state,
        }

    def score(self, pool: PoolView) -> Floats:
        """Score the rows by the similarity to the targets that each alone adds, (n_rows,)."""
        return targeted_coverage_gains(pool.embedding, **self._pose(pool))

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each the one that adds the most similarity to the targets."""
        return targeted_coverage(pool.embedding, batch_size=batch_size, **self._pose(pool))
