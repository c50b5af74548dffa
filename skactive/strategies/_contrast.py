"""Contrast: rows that the model tells apart from others that are near, alike or labeled."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import entr
from sklearn.exceptions import ConvergenceWarning

from skactive import scores
from skactive._utils.compat import HasMethods, Interval
from skactive._utils.seeding import draw_seed, seeded_clone
from skactive.selectors import top
from skactive.selectors._engine.neighbors import neighbor_weights
from skactive.selectors._falcun import falcun
from skactive.strategies._base import POSITIVE_INT, Positions, ScoreStrategy, Selector, Strategy
from skactive.strategies._diversity import labeled_embedding
from skactive.strategies._mixture import rest_of

if TYPE_CHECKING:
    from skactive.pool._view import PoolView

__all__ = ["ContrastiveAL", "DiscriminativeAL", "Falcun"]

# The least probability in a logarithm: a class that the model rules out would make it infinite.
_FLOOR = np.finfo(np.float64).eps
# Bytes of rows scored at a time, in double precision, so that a scaler's copy stays small.
_BLOCK_BYTES = 2**22
_MIN_BLOCK_ROWS = 256
# Equal rows may score differently by rounding: within these shares of the range and of the size of
# the scores they tie.
_TIE, _ROUNDING = 1e-10, 1e-13


class Falcun(Strategy):
    r"""Draw rows that are uncertain and predicted unlike the rows drawn before.

    .. math:: P(x) \propto \big( \tilde d(x) + u(x) \big)^\gamma, \qquad
        d(x) = \min \Big( u(x), \min_{s \in S} \lVert p(x) - p(s) \rVert_1 \Big)

    with :math:`u` one minus the gap between the two likeliest classes, S the rows drawn so far and
    :math:`\tilde d` the distances stretched to reach from 0 to 1. The first draws follow
    uncertainty; as the batch grows, distance counts more.

    **When:** large batches from large pools, with models whose features mean little or are costly:
    distances are taken between probabilities, which are few numbers a row. Needs probabilities
    only. Its variety is that of the classes: rows of one prediction are all alike to it.

    Parameters
    ----------
    gamma : float, default=10.0
        Power of the relevance; 0 draws uniformly, large values take the most relevant rows.

    References
    ----------
    Gilhuber, Beer, Ma and Seidl, "FALCUN: a simple and efficient deep active learning strategy",
    ECML PKDD 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import Falcun
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), Falcun(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"proba"})
    randomized = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "gamma": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, *, gamma: float = 10.0) -> None:
        self.gamma = gamma

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Draw rows one by one in proportion to their relevance."""
        return falcun(
            pool.proba,
            scores.margin(pool.proba),
            batch_size,
            gamma=self.gamma,
            random_state=pool.random_state,
        )


class ContrastiveAL(ScoreStrategy):
    r"""Choose rows that are predicted unlike the labeled rows nearest to them (CAL).

    .. math:: u(x) = \frac{1}{k} \sum_{l \in N_k(x)} \sum_y
        p(y \mid l) \log \frac{p(y \mid l)}{p(y \mid x)}

    with :math:`N_k(x)` the k labeled rows nearest to x in the embedding. Labeled rows that tie
    for the last places share them. Probabilities in the denominator count as at least 2.2e-16.

    **When:** the embedding knows more than the classifier does yet, as that of a pretrained net:
    rows that look alike and are predicted differently lie near the decision boundary. Needs
    probabilities and an embedding. It visits all pairs of a labeled row and a row of the pool;
    without labeled rows all scores are 0.

    Parameters
    ----------
    n_neighbors : int, default=10
        How many labeled rows a row is compared with; all of them where there are fewer.
    selector : callable, default=None
        How rows are taken by their scores; None takes the highest.

    References
    ----------
    Margatina, Vernikos, Barrault and Aletras, "Active learning by acquiring contrastive examples",
    EMNLP 2021, :doi:`10.48550/arXiv.2109.03764`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import ContrastiveAL
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), ContrastiveAL(n_neighbors=3))
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"proba", "embedding"})
    rowwise = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, n_neighbors: int = 10, selector: Selector | None = None) -> None:
        super().__init__(selector=selector)
        self.n_neighbors = n_neighbors

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the divergence from their labeled neighbors, shape (n_rows,)."""
        divergence = np.zeros(len(pool))
        if pool.labeled is None:
            return divergence
        known, proba = pool.labeled.proba.astype(np.float64), pool.proba
        pairs = neighbor_weights(pool.embedding, pool.labeled.embedding, self.n_neighbors)
        for block, weights in pairs:
            divergence[block] = _mean_divergence(weights, known, proba[block])
        return divergence


def _mean_divergence(
    weights: sparse.csr_array, known: NDArray[np.float64], proba: NDArray[Any]
) -> NDArray[np.float64]:
    """Average the divergences of known rows from each row, without a table of all pairs."""
    log_proba = np.log(np.maximum(proba.astype(np.float64), _FLOOR))
    cross = -((weights @ known) * log_proba).sum(axis=1)
    # Rounding can leave the zero of equal probabilities just below zero.
    return np.maximum(cross - weights @ entr(known).sum(axis=1), 0.0)


class DiscriminativeAL(Strategy):
    r"""Choose the rows that a classifier tells most surely from the labeled ones (DAL).

    .. math:: u(x) = P(\text{unlabeled} \mid z(x))

    with :math:`z` the embedding. The classifier is trained on labeled against unlabeled rows,
    both sides weighing the same. A batch is taken in parts: the rows of each part count as
    labeled when the classifier is trained for the next.

    **When:** the labeled rows shall come to look like the pool, whatever the task. Needs an
    embedding only. Where nothing is labeled, the first part is drawn at random. The default
    classifier is linear: it goes for the far ends of the embedding, outliers first; a more
    flexible one follows the pool's shape.

    Parameters
    ----------
    classifier : classifier, default=None
        Has ``decision_function`` or ``predict_proba``; a seeded clone is fitted. None is a
        logistic regression on scaled features with balanced classes.
    n_sub_batches : int, default=10
        In how many parts a batch is taken; more make it more varied, and slower.
    n_unlabeled : int, default=10000
        How many unlabeled rows it is trained on at most, drawn anew for each part; None takes
        all. All rows are scored.

    References
    ----------
    Gissin and Shalev-Shwartz, "Discriminative active learning", 2019,
    :doi:`10.48550/arXiv.1907.06347`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import DiscriminativeAL
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), DiscriminativeAL())
    >>> learner.fit(X[:60:10], y[:60:10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"embedding"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "classifier": [HasMethods(["fit", "predict"]), None],
        "n_sub_batches": [Interval(Integral, 1, None, closed="left")],
        "n_unlabeled": POSITIVE_INT,
    }

    def __init__(
        self,
        classifier: Any = None,
        *,
        n_sub_batches: int = 10,
        n_unlabeled: int | None = 10_000,
    ) -> None:
        self.classifier = classifier
        self.n_sub_batches = n_sub_batches
        self.n_unlabeled = n_unlabeled

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """Whether the classifier may draw; the default one does not."""
        return self.classifier is not None

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows part by part, each unlike all that are labeled or chosen."""
        rng, known, left = pool.random_state, labeled_embedding(pool), np.arange(len(pool))
        chosen = left[:0]
        for size in _part_sizes(batch_size, self.n_sub_batches):
            if known is None and not len(chosen):
                picked = rng.permutation(left)[:size]
            else:
                strangeness = self._strangeness(pool.embedding, known, chosen, left, rng)
                picked = left[top(strangeness, size, rng)]
            chosen = np.concatenate([chosen, picked])
            left = rest_of(len(pool), chosen)
        return chosen

    def _strangeness(
        self, X: Any, known: Any, chosen: Positions, left: Positions, rng: RandomState
    ) -> NDArray[np.float64]:
        """Train on what is known or chosen against what is left, and score what is left."""
        sample = left
        if self.n_unlabeled is not None and len(left) > self.n_unlabeled:
            sample = np.sort(rng.permutation(left)[: self.n_unlabeled])
        parts = [part for part in (known, X[chosen], X[sample]) if part is not None]
        rows = np.concatenate(parts) if isinstance(X, np.ndarray) else sparse.vstack(parts, "csr")
        unlabeled = np.arange(rows.shape[0]) >= rows.shape[0] - len(sample)
        classifier = seeded_clone(self._classifier(), draw_seed(rng))
        with warnings.catch_warnings():
            # A classifier that has nearly converged ranks the rows well enough.
            warnings.simplefilter("ignore", category=ConvergenceWarning)
            classifier.fit(rows, unlabeled)
        return _leveled(np.concatenate(list(_surely(classifier, X, left))))

    def _classifier(self) -> Any:
        if self.classifier is not None:
            return self.classifier
        from sklearn.linear_model import LogisticRegression  # late: it takes a tenth of a second
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler(with_mean=False)  # so that sparse rows stay sparse
        return make_pipeline(scaler, LogisticRegression(class_weight="balanced"))


def _part_sizes(batch_size: int, n_parts: int) -> list[int]:
    """Cut a batch into parts as equal as can be, none of them empty."""
    parts = np.array_split(np.arange(batch_size), max(1, min(n_parts, batch_size)))
    return [len(part) for part in parts if len(part)]


def _surely(classifier: Any, X: Any, rows: Positions) -> Iterator[NDArray[np.float64]]:
    """Yield how surely rows are of the second class, some thousand rows at a time."""
    size = max(_MIN_BLOCK_ROWS, _BLOCK_BYTES // (8 * X.shape[1]))
    for start in range(0, len(rows), size):
        points = X[rows[start : start + size]]
        if hasattr(classifier, "decision_function"):  # probabilities would all round to 1
            yield np.asarray(classifier.decision_function(points), dtype=np.float64)
        else:
            yield np.asarray(classifier.predict_proba(points), dtype=np.float64)[:, 1]


def _leveled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round away differences that are no more than rounding, so that equal rows tie."""
    step = max(_TIE * np.ptp(values), _ROUNDING * np.abs(values).max())
    return np.round(values / step) if step > 0 else values
