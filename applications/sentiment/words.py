"""Texts as numbers of words, and vectors of words learned from texts without labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import StandardScaler, normalize

TOKEN = re.compile(r"[a-z']+|[!?.,]")


class WordNumbers(TransformerMixin, BaseEstimator):
    """Numbers of the words of each text, in rows of one length; 0 fills them up.

    Parameters
    ----------
    min_count : int, default=2
        Words that are rarer in the texts are left out.
    length : int, default=40
        Number of words per text; later ones are left out.

    Attributes
    ----------
    numbers_ : dict of str to int
        The number of each word, from 1.
    """

    def __init__(self, *, min_count: int = 2, length: int = 40) -> None:
        self.min_count = min_count
        self.length = length

    def fit(self, X: Iterable[str], y: Any = None) -> Self:
        """Learn the words of the texts."""
        counts = Counter(word for text in X for word in split_words(text))
        words = [word for word, count in counts.most_common() if count >= self.min_count]
        self.numbers_ = {word: number for number, word in enumerate(words, start=1)}
        return self

    def transform(self, X: Iterable[str]) -> NDArray[np.int64]:
        """Return the numbers of the words of each text, shape (n_texts, length)."""
        texts = list(X)
        rows = np.zeros((len(texts), self.length), dtype=np.int64)
        for row, text in zip(rows, texts, strict=True):
            known = [self.numbers_[word] for word in split_words(text) if word in self.numbers_]
            row[: len(known)] = known[: self.length]
        return rows


def split_words(text: str) -> list[str]:
    """Split a text into words and marks, in lower case."""
    return TOKEN.findall(text.lower())


class MeanWordVectors(TransformerMixin, BaseEstimator):
    """Means of the vectors of the words of each text, in which frequent words count little.

    A word of frequency p has the weight a / (a + p), as in Arora, Liang and Ma, "A simple but
    tough-to-beat baseline for sentence embeddings", ICLR 2017. The columns have mean 0 and equal
    spread, and rows have a length of about 1, as those of TF-IDF have.

    Parameters
    ----------
    n_dims : int, default=100
        Dimensions of the vectors.
    a : float, default=0.001
        Words of this frequency have half the weight of the rarest.

    Attributes
    ----------
    numbers_ : WordNumbers
        The words.
    vectors_ : ndarray of shape (n_words + 1, n_dims)
        Their vectors, of the first row for no word.
    weights_ : ndarray of shape (n_words + 1,)
        Their weights.
    """

    def __init__(self, *, n_dims: int = 100, a: float = 0.001) -> None:
        self.n_dims = n_dims
        self.a = a

    def fit(self, X: Iterable[str], y: Any = None) -> Self:
        """Learn the words of the texts, their vectors and weights."""
        texts = list(X)
        self.numbers_ = WordNumbers(length=60).fit(texts)
        rows = self.numbers_.transform(texts)
        n_words = len(self.numbers_.numbers_)
        self.vectors_ = learn_word_vectors(rows, n_words, n_dims=self.n_dims)
        counts = np.bincount(rows.ravel(), minlength=n_words + 1)
        self.weights_ = self.a / (self.a + counts / max(1, counts[1:].sum()))
        self.weights_[0] = 0
        self.scaler_ = StandardScaler().fit(self._average(rows))
        return self

    def transform(self, X: Iterable[str]) -> NDArray[np.float64]:
        """Return the means, shape (n_texts, n_dims)."""
        means = self.scaler_.transform(self._average(self.numbers_.transform(X)))
        return means / np.sqrt(means.shape[1])

    def _average(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        weights = self.weights_[rows]
        ends = np.arange(len(rows) + 1) * rows.shape[1]
        cells = sparse.csr_array(
            (weights.ravel(), rows.ravel(), ends), shape=(len(rows), len(self.weights_))
        )
        return (cells @ self.vectors_) / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)


def learn_word_vectors(
    rows: NDArray[np.int64], n_words: int, *, n_dims: int = 100, window: int = 4
) -> NDArray[np.float32]:
    """Learn vectors of words from the words near them: those of alike neighbors are alike.

    They are the singular vectors of the positive pointwise mutual information, as in Levy, Goldberg
    and Dagan, "Improving distributional similarity with lessons learned from word embeddings",
    TACL 2015, https://doi.org/10.1162/tacl_a_00134.

    Parameters
    ----------
    rows : ndarray of shape (n_texts, length)
        Numbers of words, as :class:`WordNumbers` gives them.
    n_words : int
        Number of words.
    n_dims : int, default=100
        Dimensions of the vectors.
    window : int, default=4
        Words up to so far apart are neighbors.

    Returns
    -------
    ndarray of shape (n_words + 1, n_dims)
        Vectors of length 1, the first of 0.
    """
    information = measure_information(count_neighbors(rows, n_words, window))
    svd = TruncatedSVD(min(n_dims, n_words), random_state=0)
    vectors = svd.fit_transform(information) / np.sqrt(svd.singular_values_)
    return normalize(vectors).astype(np.float32)


def count_neighbors(rows: NDArray[np.int64], n_words: int, window: int) -> sparse.csr_array:
    """Count how often two words are neighbors, shape (n_words + 1, n_words + 1)."""
    pairs = [np.empty((2, 0), dtype=np.int64)]
    for distance in range(1, window + 1):
        left, right = rows[:, :-distance].ravel(), rows[:, distance:].ravel()
        both = (left > 0) & (right > 0)
        pairs += [np.stack([left[both], right[both]]), np.stack([right[both], left[both]])]
    places = np.concatenate(pairs, axis=1)
    shape = (n_words + 1, n_words + 1)
    return sparse.coo_array((np.ones(places.shape[1]), tuple(places)), shape=shape).tocsr()


def measure_information(counts: sparse.csr_array) -> sparse.csr_array:
    """Return log p(a, b) / (p(a) q(b)) where it is positive; q is p to the power 3/4, scaled."""
    totals = counts.sum(axis=1)
    context = totals**0.75 / (totals**0.75).sum()
    cells = counts.tocoo()
    values = np.log(cells.data / (totals[cells.row] * context[cells.col]))
    return sparse.csr_array((np.maximum(values, 0), cells.coords), shape=counts.shape)
