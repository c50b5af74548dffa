"""Contrast: choose rows that differ from their neighbors, the batch or the labeled rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import entr
from sklearn.exceptions import ConvergenceWarning

from skactive import scores
from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import HasMethods
from skactive._utils.constraints import NONNEGATIVE_REAL, POSITIVE_INT, POSITIVE_INT_OR_NONE
from skactive._utils.seeding import draw_seed, seeded_clone
from skactive.selectors import top
from skactive.selectors._engine.neighbors import neighbor_weights
from skactive.selectors._falcun import falcun
from skactive.strategies._base import ScoreStrategy, ScoringStrategy, Selector, Strategy
from skactive.strategies._pool_rows import labeled_embedding, remaining_rows

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["ContrastiveAL", "DiscriminativeAL", "Falcun"]

# Lower bound of probabilities in a logarithm, which is infinite for a class that is ruled out.
_MIN_PROBA = np.finfo(np.float64).eps
# Size of the blocks of rows to score, in double precision, so that a scaler's copy stays small.
_SCORED_BLOCK_BYTES = 2**22
_MIN_SCORED_BLOCK_ROWS = 256
# Rounding may change the scores of equal rows: differences within these shares of the range and of
# the largest magnitude of the scores count as ties.
_TIE_RANGE_SHARE, _TIE_MAGNITUDE_SHARE = 1e-10, 1e-13


class Falcun(Strategy):
    r"""Draw uncertain rows whose predictions differ from those of the rows drawn before.

    .. math:: P(x) \propto \big( \tilde d(x) + u(x) \big)^\gamma, \qquad
        d(x) = \min \Big( u(x), \min_{s \in S} \lVert p(x) - p(s) \rVert_1 \Big)

    with :math:`u` one minus the gap between the two most probable classes, S the rows drawn so far
    and :math:`\tilde d` the distances rescaled to [0, 1]. The first draws follow the uncertainty;
    as the batch grows, distance counts more.

    **When:** large batches from large pools, with models whose features are meaningless or costly:
    distances are measured between probabilities, which are few numbers per row. Needs
    probabilities only. Its diversity is limited to the classes: rows with equal predictions do not
    differ.

    Parameters
    ----------
    gamma : float, default=10.0
        Power of the relevance; 0 draws uniformly, large values choose the most relevant rows.

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
        "gamma": NONNEGATIVE_REAL,
    }

    def __init__(self, *, gamma: float = 10.0) -> None:
        self.gamma = gamma

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Draw rows one by one with probabilities proportional to their relevance."""
        return falcun(
            pool.proba,
            scores.margin(pool.proba),
            batch_size,
            gamma=self.gamma,
            random_state=pool.random_state,
        )


class ContrastiveAL(ScoreStrategy):
    r"""Choose rows whose predictions differ from those of their nearest labeled rows (CAL).

    .. math:: u(x) = \frac{1}{k} \sum_{l \in N_k(x)} \sum_y
        p(y \mid l) \log \frac{p(y \mid l)}{p(y \mid x)}

    with :math:`N_k(x)` the k labeled rows nearest to x in the embedding, whose rows are scaled to
    length 1, as published. Labeled rows that tie for the last ranks share their weight.
    Probabilities in the denominator are clipped at 2.2e-16.

    **When:** the embedding contains more information than the classifier has learned yet, such as
    that of a pretrained net: similar rows with different predictions lie near the decision
    boundary. Needs probabilities and an embedding. It visits all pairs of a labeled row and a row
    of the pool; without labeled rows all scores are 0.

    Parameters
    ----------
    n_neighbors : int, default=10
        Number of labeled rows to compare each row with, at most all of them.
    normalize : bool, default=True
        Whether neighbors are found by the directions of the embedding only. False suits features
        whose lengths matter, such as the columns of a table.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

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
        "n_neighbors": POSITIVE_INT,
        "normalize": ["boolean"],
    }

    def __init__(
        self,
        *,
        n_neighbors: int = 10,
        normalize: bool = True,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(selector=selector)
        self.n_neighbors = n_neighbors
        self.normalize = normalize

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the divergence from their labeled neighbors, shape (n_rows,)."""
        divergence = np.zeros(len(pool))
        if pool.labeled is None:
            return divergence
        labeled_proba, proba = pool.labeled.proba.astype(np.float64), pool.proba
        blocks = neighbor_weights(
            pool.embedding,
            pool.labeled.embedding,
            self.n_neighbors,
            normalize=self.normalize,
        )
        for block, weights in blocks:  # weights: (n_block, n_labeled), sparse
            divergence[block] = _mean_divergence(weights, labeled_proba, proba[block])
        return divergence


def _mean_divergence(
    weights: sparse.csr_array, labeled_proba: Floats, proba: NDArray[Any]
) -> Floats:
    """Average the divergences of the labeled rows from each row, shape (n_block,).

    The cross-entropy is linear in the labeled probabilities, so it needs no table of all pairs.
    """
    log_proba = np.log(np.maximum(proba.astype(np.float64), _MIN_PROBA))
    cross_entropy = -((weights @ labeled_proba) * log_proba).sum(axis=1)
    # Equal probabilities have a divergence of 0, which rounding may turn negative.
    return np.maximum(cross_entropy - weights @ entr(labeled_proba).sum(axis=1), 0.0)


class DiscriminativeAL(ScoringStrategy):
    r"""Choose the rows that a classifier most confidently separates from the labeled ones (DAL).

    .. math:: u(x) = P(\text{unlabeled} \mid z(x))

    with :math:`z` the embedding. The classifier is trained on labeled versus unlabeled rows, both
    with the same total weight. A batch is chosen in parts: the rows of each part count as labeled
    when the classifier is trained for the next part.

    **When:** the labeled rows should become similar to the pool, whatever the task. Needs an
    embedding only. Without labeled rows, the first part is drawn at random. The default classifier
    is linear: it favors the far ends of the embedding, outliers first; a more flexible one follows
    the shape of the pool.

    Parameters
    ----------
    classifier : classifier, default=None
        Has ``decision_function`` or ``predict_proba``; a seeded clone is fitted. None uses a
        logistic regression on scaled features with balanced classes.
    n_sub_batches : int, default=10
        Number of parts in which a batch is chosen; more are slower and more diverse.
    n_unlabeled : int, default=10000
        Maximum number of unlabeled rows to train the classifier on, redrawn for each part; None
        uses all. All rows are scored.

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
        "n_sub_batches": POSITIVE_INT,
        "n_unlabeled": POSITIVE_INT_OR_NONE,
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
        """True with a classifier of the user, which may be random; the default one is not."""
        return self.classifier is not None

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by how unlike the labeled ones they are, shape (n_rows,).

        The values are those of the decision function, rounded and up to a factor; 0 without
        labeled rows.
        """
        labeled, candidates = labeled_embedding(pool), np.arange(len(pool))
        if labeled is None:
            return np.zeros(len(pool))
        return self._score(pool.embedding, labeled, candidates[:0], candidates, pool.random_state)

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows part by part, each unlike all labeled or chosen rows."""
        rng, labeled = pool.random_state, labeled_embedding(pool)
        candidates = np.arange(len(pool))
        chosen = candidates[:0]
        for size in _split_batch(batch_size, self.n_sub_batches):
            if labeled is None and not len(chosen):
                picks = rng.permutation(candidates)[:size]
            else:
                unlikeness = self._score(pool.embedding, labeled, chosen, candidates, rng)
                picks = candidates[top(unlikeness, size, rng)]
            chosen = np.concatenate([chosen, picks])
            candidates = remaining_rows(len(pool), chosen)
        return chosen

    def _score(
        self, X: Any, labeled: Any, chosen: Positions, candidates: Positions, rng: RandomState
    ) -> Floats:
        """Train on labeled and chosen rows versus candidates, and score the candidates."""
        sample = candidates
        if self.n_unlabeled is not None and len(candidates) > self.n_unlabeled:
            sample = np.sort(rng.permutation(candidates)[: self.n_unlabeled])
        parts = [part for part in (labeled, X[chosen], X[sample]) if part is not None]
        rows: Any = (
            np.concatenate(parts) if isinstance(X, np.ndarray) else sparse.vstack(parts, "csr")
        )
        if sparse.issparse(rows) and self.classifier is None:
            # The weights of all other columns stay 0; at least one column must be left.
            used = np.union1d(rows.indices, 0)
            rows, X = rows[:, used], X[:, used]
        is_unlabeled = np.arange(rows.shape[0]) >= rows.shape[0] - len(sample)
        classifier = seeded_clone(self._get_classifier(), draw_seed(rng))
        with warnings.catch_warnings():
            # A classifier that has nearly converged ranks the rows well enough.
            warnings.simplefilter("ignore", category=ConvergenceWarning)
            classifier.fit(rows, is_unlabeled)
        return _quantize(np.concatenate(list(_score_in_blocks(classifier, X, candidates))))

    def _get_classifier(self) -> Any:
        if self.classifier is not None:
            return self.classifier
        # Imported late: it takes a tenth of a second.
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler(with_mean=False)  # so that sparse rows stay sparse
        return make_pipeline(scaler, LogisticRegression(class_weight="balanced"))


def _split_batch(batch_size: int, n_parts: int) -> list[int]:
    """Return the sizes of the parts of a batch, as equal as possible and none of them 0."""
    parts = np.array_split(np.arange(batch_size), max(1, min(n_parts, batch_size)))
    return [len(part) for part in parts if len(part)]


def _score_in_blocks(classifier: Any, X: Any, rows: Positions) -> Iterator[Floats]:
    """Yield decision values or probabilities of the second class, block by block."""
    size = max(_MIN_SCORED_BLOCK_ROWS, _SCORED_BLOCK_BYTES // (8 * X.shape[1]))
    for start in range(0, len(rows), size):
        block = X[rows[start : start + size]]  # (n_block, n_dims)
        if hasattr(classifier, "decision_function"):  # probabilities might all round to 1
            yield np.asarray(classifier.decision_function(block), dtype=np.float64)
        else:
            yield np.asarray(classifier.predict_proba(block), dtype=np.float64)[:, 1]


def _quantize(values: Floats) -> Floats:
    """Round scores to multiples of the size of rounding errors, so that equal rows tie."""
    step = max(_TIE_RANGE_SHARE * np.ptp(values), _TIE_MAGNITUDE_SHARE * np.abs(values).max())
    return np.round(values / step) if step > 0 else values
