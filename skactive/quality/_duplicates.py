"""Rows that repeat others, within a set and between training and test."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from skactive._utils.array_types import Floats

__all__ = ["DuplicatePairs", "Duplicates", "find_duplicates", "find_leakage"]

_ROUNDING = 1e-9  # of the distance of equal rows


class Duplicates(NamedTuple):
    """Rows that are alike.

    Attributes
    ----------
    groups : list of ndarray
        Positions of rows that are connected by pairs, each sorted; the largest group first.
    pairs : ndarray of shape (n_pairs, 2)
        Positions of two rows that are alike, the smaller first; the most alike pair first.
    distances : ndarray of shape (n_pairs,)
        Cosine distance of each pair.
    """

    groups: list[NDArray[np.intp]]
    pairs: NDArray[np.intp]
    distances: Floats


class DuplicatePairs(NamedTuple):
    """Rows of two sets that are alike.

    Attributes
    ----------
    pairs : ndarray of shape (n_pairs, 2)
        Positions in the first set and in the second; the most alike pair first.
    distances : ndarray of shape (n_pairs,)
        Cosine distance of each pair.
    """

    pairs: NDArray[np.intp]
    distances: Floats


def find_duplicates(X: Any, threshold: float = 0.05) -> Duplicates:
    r"""Find the rows that repeat others, word for word or nearly.

    Parameters
    ----------
    X : list of str, or array-like or sparse matrix of shape (n_rows, n_features)
        Texts, whose groups of 3 to 5 letters within words are counted, whatever their case; or
        features, best an embedding.
    threshold : float, default=0.05
        Largest cosine distance of duplicates, :math:`1 - \cos`; 0: rows that point the same way.

    Returns
    -------
    Duplicates

    Raises
    ------
    ValueError
        If `threshold` is not in [0, 1).

    Notes
    -----
    All pairs are compared, in chunks. Rows of zeros, and texts without a letter, are alike.

    Examples
    --------
    >>> from skactive.quality import find_duplicates
    >>> texts = ["A fox ran home.", "A hen sat.", "A fox ran home!", "Nobody knows."]
    >>> find_duplicates(texts, threshold=0.2).groups
    [array([0, 2])]
    """
    _check_threshold(threshold)
    rows = _read_rows(X)[0]
    near = sp.triu(_compare(rows, rows, threshold), k=1).tocoo()
    pairs, distances = _list_pairs(near)
    _, group = connected_components(near, directed=False)
    members = [np.flatnonzero(group == name) for name in np.flatnonzero(np.bincount(group) > 1)]
    return Duplicates(sorted(members, key=lambda rows: (-len(rows), rows[0])), pairs, distances)


def find_leakage(X_train: Any, X_test: Any, threshold: float = 0.05) -> DuplicatePairs:
    r"""Find the test rows that repeat training rows, so that a score on them promises too much.

    Parameters
    ----------
    X_train, X_test : list of str, or array-likes or sparse matrices
        Texts or features, as in :func:`find_duplicates`.
    threshold : float, default=0.05
        Largest cosine distance of duplicates.

    Returns
    -------
    DuplicatePairs
        Positions in training and test rows.

    Raises
    ------
    ValueError
        If `threshold` is not in [0, 1), or the numbers of features differ.

    Examples
    --------
    >>> from skactive.quality import find_leakage
    >>> find_leakage(["a fox ran", "a hen sat"], ["nobody knows", "a hen sat"]).pairs
    array([[1, 1]])
    """
    _check_threshold(threshold)
    train, test = _read_rows(X_train, X_test)
    return DuplicatePairs(*_list_pairs(_compare(train, test, threshold).tocoo()))


def _check_threshold(threshold: float) -> None:
    if not 0 <= threshold < 1:
        raise ValueError(f"threshold must be a cosine distance in [0, 1), got {threshold!r}.")


def _read_rows(*sets: Any) -> list[Any]:
    """Return each set as rows of length 1, with a last column that marks rows of zeros."""
    from sklearn.feature_extraction.text import CountVectorizer  # late: a tenth of a second

    if all(map(_are_texts, sets)):
        letters = CountVectorizer(preprocessor=_simplify, analyzer="char_wb", ngram_range=(3, 5))
        letters.fit([*(text for rows in sets for text in rows), "a"])  # if no text has a letter
        sets = tuple(letters.transform(rows) for rows in sets)
    widths = {np.shape(rows)[1] if np.ndim(rows) == 2 or sp.issparse(rows) else -1 for rows in sets}
    if len(widths) > 1 or -1 in widths:
        raise ValueError(
            f"The rows must be texts or matrices of the same number of columns, got shapes "
            f"{[np.shape(rows) for rows in sets]}."
        )
    return [_normalize(rows) for rows in sets]


def _simplify(text: str) -> str:
    """Return a text in lower case, with blanks for what is neither letter nor digit."""
    return re.sub(r"[\W_]+", " ", text.casefold())


def _are_texts(rows: Any) -> bool:
    """Return whether rows are a list, an array or a column of texts."""
    if sp.issparse(rows) or getattr(rows, "ndim", 1) != 1:
        return False
    return all(isinstance(row, str) for row in rows)


def _normalize(rows: Any) -> Any:
    from sklearn.preprocessing import normalize  # late: a tenth of a second

    matrix = normalize(rows)
    if sp.issparse(matrix):
        is_zero = np.asarray(abs(matrix).sum(axis=1)).ravel() == 0
        return sp.hstack([matrix, sp.csr_array(is_zero[:, None].astype(float))], format="csr")
    return np.column_stack([matrix, ~matrix.any(axis=1)])


def _compare(rows: Any, others: Any, threshold: float) -> Any:
    """Return the similarity of near pairs, sparse, (n_rows, n_others)."""
    from sklearn.neighbors import NearestNeighbors  # late: a tenth of a second

    index = NearestNeighbors(metric="cosine", algorithm="brute").fit(others)
    graph = index.radius_neighbors_graph(rows, threshold + _ROUNDING, mode="distance")
    graph.data = 1 - graph.data  # similarities, which are not 0: a graph has no edges of 0
    return graph


def _list_pairs(near: Any) -> tuple[NDArray[np.intp], Floats]:
    """Return the pairs of a sparse matrix of similarities and their distances, nearest first."""
    distances = np.maximum(1 - near.data, 0.0)
    order = np.lexsort([near.col, near.row, distances.round(12)])
    pairs = np.stack([near.row, near.col], axis=1).astype(np.intp)
    return pairs[order], distances[order]
