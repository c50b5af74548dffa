"""BAIT: choose batches by the Fisher information of the last layer's weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Positions
from skactive._utils.compat import StrOptions
from skactive._utils.constraints import AT_LEAST_ONE, POSITIVE_REAL
from skactive.selectors._design import bait
from skactive.selectors._design_gains import fisher_gains
from skactive.strategies._base import ScoringStrategy

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["BAIT"]


class BAIT(ScoringStrategy):
    r"""Choose rows whose Fisher information minimizes the expected error on all rows.

    .. math:: \min_S \operatorname{tr}\Big[ \Big( \lambda I + \sum_{x \in L} I(x)
        + w \sum_{x \in S} I(x) \Big)^{-1} \sum_{x'} I(x') \Big], \qquad
        I(x) = \big( \operatorname{diag}(p(x)) - p(x) p(x)^\top \big) \otimes h(x) h(x)^\top

    with L the labeled rows, h the input features of the last layer and I the Fisher information of
    its weights; the sum on the right is over the pool and the labeled rows. Rows are added one by
    one up to `oversample` times the batch, then removed one by one.

    **When:** linear models and nets whose features can be trusted; it considers the gain on
    all rows, where :class:`BADGE` and :class:`MaxDet` consider diversity. It supports at most
    5120 = (classes - 1) x features, and pools of at most 2**27 / (classes - 1)**2 rows (1.6
    million for ten classes): put PCA before the model, or wrap it in :class:`Subsample`. Linear in
    the pool, but with ten classes it takes some microseconds per row and step, so minutes for a
    million rows. Needs probabilities and features.

    Parameters
    ----------
    ridge : float, default=1.0
        Lambda: the precision of the prior of the weights, which is 1 / C of a
        :class:`~sklearn.linear_model.LogisticRegression`.
    oversample : float, default=2.0
        Number of rows to add before some are removed, as a multiple of the batch; 1 is the plain
        greedy search.
    weight : float or "batch_size", default=1.0
        w: how many labeled rows a chosen row counts for. With 1 a new label is worth as much as
        an old one. The published code uses the batch size, and a ridge of its ``lamb`` times the
        number of labeled and chosen rows together.
    reference : {"all", "pool"}, default="all"
        The rows whose expected error is minimized: those of the pool and the labeled ones, as
        published, or those of the pool alone.

    References
    ----------
    Ash, Goel, Krishnamurthy and Kakade, "Gone fishing: neural active learning with Fisher
    embeddings", NeurIPS 2021, :doi:`10.48550/arXiv.2106.09675`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import BAIT
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), BAIT(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"gradient_factors", "proba"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "ridge": POSITIVE_REAL,
        "oversample": AT_LEAST_ONE,
        "weight": [*POSITIVE_REAL, StrOptions({"batch_size"})],
        "reference": [StrOptions({"all", "pool"})],
    }

    def __init__(
        self,
        *,
        ridge: float = 1.0,
        oversample: float = 2.0,
        weight: float | Literal["batch_size"] = 1.0,
        reference: Literal["all", "pool"] = "all",
    ) -> None:
        self.ridge = ridge
        self.oversample = oversample
        self.weight = weight
        self.reference = reference

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the reduction of the trace in a batch of one, shape (n_rows,)."""
        weight = 1.0 if self.weight == "batch_size" else self.weight
        return fisher_gains(
            pool.proba,
            pool.gradient_factors[1],
            ridge=self.ridge,
            labeled=self._read_labeled(pool),
            weight=weight,
            average_labeled=self.reference == "all",
        )

    def _read_labeled(self, pool: PoolView) -> tuple[NDArray[Any], Any] | None:
        labeled = pool.labeled
        return None if labeled is None else (labeled.proba, labeled.gradient_factors[1])

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows by a forward pass that adds rows and a backward pass that removes some."""
        return bait(
            pool.proba,
            pool.gradient_factors[1],
            batch_size,
            ridge=self.ridge,
            oversample=self.oversample,
            labeled=self._read_labeled(pool),
            weight=max(1, batch_size) if self.weight == "batch_size" else self.weight,
            reference=self.reference,
            random_state=pool.random_state,
        )
