"""Examples in the prompts of a language model: labeled once, and chosen anew for each row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import pairwise_distances_chunked
from sklearn.utils.validation import check_is_fitted

from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import HasMethods
from skactive._utils.constraints import NONNEGATIVE_INT, POSITIVE_INT
from skactive._utils.labels import find_missing_rows, is_structured, read_labels
from skactive._utils.matrices import to_matrix
from skactive._utils.rows import n_rows, take_rows
from skactive.annotators._oracle import Oracle, make_oracle
from skactive.selectors import facility_location
from skactive.selectors._engine.points import round_to_bits

__all__ = ["ExampleSelector"]

_DISTANCE_BITS = 40  # distances that agree in so many bits tie


class ExampleSelector(BaseEstimator):
    """Labeled examples for the prompts of a language model.

    A few rows are labeled once. The prompt of a row then shows some of them: first a fixed prefix,
    which is the same in all prompts, so that servers that cache prefixes read it once; then those
    nearest to the row, the nearest last, where models heed it most. Equal input gives equal
    prompts, so that answers in a cache are found again.

    Parameters
    ----------
    selector : callable, default=None
        ``selector(embedding, batch_size, random_state=...)`` returns the positions of the rows that
        become examples, best first, as the selectors of points in :mod:`skactive.selectors` do.
        None takes :func:`~skactive.selectors.facility_location`: typical rows.
    n_examples : int, default=8
        Number of examples, which are labeled once.
    per_query : int, default=4
        Number of examples in each prompt.
    balance : bool, default=True
        Whether the classes have equally many examples, as far as there are labels to choose by, and
        take turns in the prefix: models lean towards the labels that they see more often.
    embedder : transformer, default=None
        Computes embeddings of rows, a matrix of shape (n_rows, n_dims): a clone is fitted to the
        rows of :meth:`fit` (wrap one that is fitted already in ``sklearn.frozen.FrozenEstimator``).
        None: the rows are such a matrix.
    n_fixed : int, default=None
        Number of examples in the prefix; None takes half of `per_query`, rounded down.
    random_state : int, default=0
        Seed of the selector, which breaks ties by it.

    Attributes
    ----------
    positions_ : ndarray of shape (n_examples,)
        Positions of the examples among the rows of :meth:`fit`, those of the prefix first. There
        are fewer than `n_examples` if there were fewer rows.
    rows_ : rows in the container of X
        The examples.
    labels_ : ndarray of shape (n_examples,)
        Their labels.
    embedder_ : transformer or None
        The fitted clone of `embedder`.

    References
    ----------
    Su and others, "Selective annotation makes language models better few-shot learners", ICLR 2023,
    :doi:`10.48550/arXiv.2209.01975`, label a diverse few and retrieve the nearest; Liu and others,
    "What makes good in-context examples for GPT-3?", DeeLIO 2022,
    :doi:`10.18653/v1/2022.deelio-1.10`, retrieve; Zhao and others, "Calibrate before use", ICML
    2021, :doi:`10.48550/arXiv.2102.09690`, found the lean towards frequent and late labels.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from skactive.annotators import ExampleSelector
    >>> texts = ["good film", "great film", "dull plot", "bad plot", "great cast", "bad acting"]
    >>> labels = ["+", "+", "-", "-", "+", "-"]
    >>> examples = ExampleSelector(n_examples=4, per_query=3, embedder=TfidfVectorizer())
    >>> examples = examples.fit(texts, labels)
    >>> [examples.rows_[place] for place in examples.choose(["dull acting"])[0]]
    ['great film', 'bad plot', 'bad acting']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "selector": [callable, None],
        "n_examples": POSITIVE_INT,
        "per_query": POSITIVE_INT,
        "balance": ["boolean"],
        "embedder": [HasMethods(["fit", "transform"]), None],
        "n_fixed": [*NONNEGATIVE_INT, None],
        "random_state": NONNEGATIVE_INT,
    }

    def __init__(
        self,
        selector: Callable[..., Positions] | None = None,
        n_examples: int = 8,
        per_query: int = 4,
        balance: bool = True,
        *,
        embedder: Any = None,
        n_fixed: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.selector = selector
        self.n_examples = n_examples
        self.per_query = per_query
        self.balance = balance
        self.embedder = embedder
        self.n_fixed = n_fixed
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, oracle: Oracle | None = None) -> Self:
        """Choose the examples: among labeled rows, or among others, and ask for their labels.

        Parameters
        ----------
        X : rows in any container
            The rows to choose from.
        y : array-like of shape (n_rows,), default=None
            Their labels.
        oracle : callable, default=None
            Instead of `y`: ``oracle(positions)`` returns the labels of the rows at these positions.
            It is asked once, for the examples. As they are chosen without labels, `balance` is then
            about the prefix only.

        Returns
        -------
        Self

        Raises
        ------
        ValueError
            If there are not labels or an oracle, not one label per row, or no rows.
        """
        self._validate_params()
        self._check(X, y, oracle)
        embedder = None if self.embedder is None else clone(self.embedder).fit(X, None)
        embedding = _embed(X, embedder)
        if y is None:
            positions = self._select(embedding, self.n_examples)
            labels = _read(make_oracle(oracle, n_rows(X))(positions), len(positions))
        else:
            known = _read(y, n_rows(X))
            positions = self._select_labeled(embedding, known)
            labels = known[positions]
        if self.balance:
            order = _take_turns(labels)
            positions, labels = positions[order], labels[order]
        self.embedder_, self.positions_, self.labels_ = embedder, positions, labels
        self.rows_, self._embedding = take_rows(X, positions), embedding[positions]
        return self

    def choose(self, X: Any) -> Positions:
        """Choose the examples of the prompt of each row.

        Parameters
        ----------
        X : rows in any container
            The rows that a model is to be asked about.

        Returns
        -------
        ndarray of shape (n_rows, n_shown)
            Positions in `rows_` and `labels_`, in the order of the prompt; n_shown is `per_query`,
            or the number of examples if that is less.
        """
        check_is_fitted(self)
        n_shown = min(self.per_query, len(self.labels_))
        n_fixed = min(self._count_fixed(), n_shown)
        prefix = np.broadcast_to(np.arange(n_fixed), (n_rows(X), n_fixed))
        if not n_rows(X):
            return np.empty((0, n_shown), dtype=np.intp)
        if n_fixed == n_shown:
            return prefix.copy()
        nearest = self._find_nearest(_embed(X, self.embedder_), n_fixed, n_shown - n_fixed)
        return np.hstack([prefix, nearest])

    def _check(self, X: Any, y: Any, oracle: Any) -> None:
        if (y is None) == (oracle is None):
            got = "neither" if y is None else "both"
            raise ValueError(f"fit takes the labels y or an oracle that gives them, got {got}.")
        if not n_rows(X):
            raise ValueError("X has no rows: pass the rows to choose examples from.")
        if self._count_fixed() > self.per_query:
            raise ValueError(
                f"n_fixed={self.n_fixed} examples of the prefix are more than the "
                f"per_query={self.per_query} of a whole prompt."
            )
        if self.per_query > self.n_examples:
            raise ValueError(
                f"per_query={self.per_query} examples per prompt are more than n_examples="
                f"{self.n_examples}: raise n_examples."
            )

    def _count_fixed(self) -> int:
        return self.per_query // 2 if self.n_fixed is None else self.n_fixed

    def _select(self, embedding: Any, n: int) -> Positions:
        select = facility_location if self.selector is None else self.selector
        n_candidates = int(embedding.shape[0])
        n = min(n, n_candidates)
        picks = np.asarray(select(embedding, n, random_state=self.random_state))
        is_right = picks.shape == (n,) and picks.dtype.kind in "iu"
        if not is_right or not set(picks.tolist()) <= set(range(n_candidates)) or _repeat(picks):
            raise ValueError(
                f"selector(embedding, {n}) must return {n} different positions of the "
                f"{n_candidates} rows, got {picks!r}."
            )
        return picks.astype(np.intp)

    def _select_labeled(self, embedding: Any, labels: NDArray[Any]) -> Positions:
        """Select among labeled rows: with `balance`, from each class in turn."""
        if not self.balance:
            return self._select(embedding, self.n_examples)
        members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        chosen = [rows[self._select(embedding[rows], self.n_examples)] for rows in members]
        positions = np.concatenate(chosen)
        return positions[_take_turns(labels[positions])[: self.n_examples]]

    def _find_nearest(self, embedding: Any, first: int, n: int) -> Positions:
        """Return the `n` nearest examples from `first` on, the nearest last, (n_rows, n)."""

        def find(distances: Floats, start: int) -> Positions:
            rounded = round_to_bits(distances, _DISTANCE_BITS)
            order = np.argsort(rounded, axis=1, kind="stable")[:, :n]
            return order[:, ::-1] + first

        others = self._embedding[first:]
        return np.vstack(list(pairwise_distances_chunked(embedding, others, reduce_func=find)))


def _embed(X: Any, embedder: Any) -> Any:
    """Return embeddings of rows, (n_rows, n_dims)."""
    values = X if embedder is None else embedder.transform(X)
    try:
        matrix = to_matrix(values, "embedding")
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"ExampleSelector needs rows of numbers, and got others ({error}). Pass embedder=, a "
            "transformer that turns rows into numbers, such as TfidfVectorizer() for texts."
        ) from error
    if matrix.shape[0] != n_rows(X):
        raise ValueError(
            f"The embedder gives {matrix.shape[0]} rows for {n_rows(X)}: its transform must return "
            "one row of numbers for each."
        )
    return matrix


def _read(y: Any, n: int) -> NDArray[Any]:
    """Return labels, one per row, none missing, (n,)."""
    labels = read_labels(y)
    if labels.shape != (n,) or is_structured(labels):
        raise ValueError(f"There must be one label for each of the {n} rows, got {labels.shape}.")
    if (missing := find_missing_rows(labels)).any():
        raise ValueError(f"{missing.sum()} labels are missing: pass labeled rows only.")
    return labels


def _take_turns(labels: NDArray[Any]) -> Positions:
    """Return an order in which the classes take turns, each in its own order, (n,)."""
    codes = np.unique(labels, return_inverse=True)[1]  # (n,)
    turns = np.empty(len(labels), dtype=np.intp)  # how many of its class come before
    for code in range(codes.max(initial=-1) + 1):
        members = np.flatnonzero(codes == code)
        turns[members] = np.arange(len(members))
    return np.lexsort((codes, turns))


def _repeat(picks: Positions) -> bool:
    """Return whether a position comes twice."""
    return len(np.unique(picks)) < len(picks)
