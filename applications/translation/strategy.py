"""A strategy of one's own: sentences with phrases that are frequent in the pool, and new."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer
from words import split_words

from skactive.strategies import ScoringStrategy

Floats = NDArray[np.float64]


class PhraseCoverage(ScoringStrategy):
    r"""Choose sentences that cover the phrases of the pool, by what their labels cost.

    .. math:: f(S) = \sum_g \sqrt{n_g} \, \sqrt{c_g(S \cup L)}

    with :math:`n_g` the number of all sentences that have the phrase g, and :math:`c_g` the number
    of those chosen or labeled. Each pick adds most to f per cost. No model is needed.

    Parameters
    ----------
    max_words : int, default=2
        Longest phrases, in words. Phrases that only one sentence has do not count.

    References
    ----------
    Kirchhoff and Bilmes, "Submodularity for data selection in machine translation", EMNLP 2014.
    """

    needs = frozenset({"X"})
    score_name = "added phrases"

    def __init__(self, max_words: int = 2) -> None:
        self.max_words = max_words

    def score(self, pool: Any) -> Floats:
        """Score the rows by what each alone adds per cost, shape (n_rows,)."""
        return self._read(pool).gains() / pool.costs

    def select(self, pool: Any, batch_size: int) -> NDArray[np.intp]:
        """Choose rows one by one, each the one that adds most per cost."""
        phrases, order = self._read(pool), pool.random_state.permutation(len(pool))
        bounds = phrases.gains() / pool.costs  # gains only fall, so that old ones are bounds
        picks: list[int] = []
        while len(picks) < batch_size:
            best = order[bounds[order].argmax()]  # ties are broken by the seed
            gain = phrases.gain_of(best) / pool.costs[best]
            if gain < bounds[best] * (1.0 - 1e-9):
                bounds[best] = gain
                continue
            picks.append(int(best))
            phrases.add(best)
            bounds[best] = -np.inf
        return np.array(picks, dtype=np.intp)

    def _read(self, pool: Any) -> Phrases:
        labeled = [] if pool.labeled is None else list(pool.labeled.X)
        counter = CountVectorizer(
            tokenizer=split_words, token_pattern=None, ngram_range=(1, self.max_words), binary=True
        )
        table = counter.fit_transform([*pool.X, *labeled]).tocsr()  # (n_rows, n_phrases)
        totals = np.asarray(table.sum(axis=0), dtype=np.float64).ravel()
        known = np.asarray(table[len(pool) :].sum(axis=0), dtype=np.float64).ravel()
        return Phrases(table[: len(pool)], np.sqrt(totals) * (totals > 1), known)


class Phrases:
    """Which phrases the rows have, what each phrase is worth, and how often it is covered.

    Parameters
    ----------
    table : csr_matrix of shape (n_rows, n_phrases)
        1 where a row has a phrase.
    worth : ndarray of shape (n_phrases,)
        Weights of the phrases.
    counts : ndarray of shape (n_phrases,)
        How many labeled rows have each phrase.
    """

    def __init__(self, table: sp.csr_matrix, worth: Floats, counts: Floats) -> None:
        self.table, self.worth, self.counts = table, worth, counts

    def gains(self) -> Floats:
        """Return what each row would add, shape (n_rows,)."""
        steps: Floats = self.table @ (self.worth * _step(self.counts))
        return steps

    def gain_of(self, row: int) -> float:
        """Return what a row would add."""
        phrases = self._list(row)
        return float(self.worth[phrases] @ _step(self.counts[phrases]))

    def add(self, row: int) -> None:
        """Choose a row."""
        self.counts[self._list(row)] += 1.0

    def _list(self, row: int) -> NDArray[Any]:
        start, stop = self.table.indptr[row : row + 2]
        return self.table.indices[start:stop]


def _step(counts: Floats) -> Floats:
    """Return what one more row of a phrase adds: less and less."""
    return np.sqrt(counts + 1.0) - np.sqrt(counts)
