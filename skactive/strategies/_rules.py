"""Batches with rules: rows that may not be together in a batch, whatever the strategy."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterator
from itertools import chain, count
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy.sparse import issparse

from skactive._utils.array_types import Positions
from skactive._utils.columns import find_column
from skactive._utils.constraints import NONNEGATIVE_REAL, POSITIVE_INT, STRATEGY
from skactive._utils.rows import n_rows, take_rows
from skactive._utils.text import join_lines
from skactive._utils.values import is_missing
from skactive.exceptions import CapabilityError, RelaxedRuleWarning, TiedScoresWarning
from skactive.selectors._engine.nearest_centers import NearestCenters
from skactive.strategies._base import Strategy
from skactive.strategies._pool_rows import remaining_rows

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["PerGroup", "RuleStrategy", "WithoutDuplicates"]


class RuleStrategy(Strategy):
    """Base of the strategies that keep a rule around another one, their parameter `strategy`.

    Attributes
    ----------
    reads : frozenset of str
        The readings that the rule itself uses.
    """

    reads: ClassVar[frozenset[str]]
    strategy: Strategy

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """The readings of the rule, and those of the inner strategy."""
        return self.strategy.needs | self.reads

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """True if the inner strategy is randomized."""
        return self.strategy.randomized

    @property
    def for_elements(self) -> Any:
        """Raise CapabilityError: the rule is one of whole rows."""
        raise CapabilityError(
            f"{type(self).__name__} keeps a rule of whole rows, not of single elements: choose "
            f"rows by query, or set the strategy to the one in it, {join_lines(self.strategy)}."
        )

    def with_inner(self, strategy: Strategy) -> Self:
        """Return the same rule around another strategy."""
        return type(self)(**{**self.get_params(deep=False), "strategy": strategy})


class PerGroup(RuleStrategy):
    """Let a strategy choose, with at most so many rows of a group in each batch.

    Groups are documents, patients, speakers, videos ...: rows of one group are alike, and each
    batch should have rows of many. The strategy is asked for a batch. If it keeps the rule, it is
    the answer; else the further rows of the groups that are full are taken away, and the strategy
    is asked again, if need be for more rows, of which the first that keep the rule are taken. So
    a strategy that looks for diversity knows the whole batch.

    **When:** rows come in groups, and a batch of many groups teaches more, or is shared among
    people by groups. Needs the readings of the inner strategy, and the rows.

    Parameters
    ----------
    strategy : Strategy
        Chooses the rows.
    groups : str, int or callable
        The column of the rows that holds the group: its name (frames, tables, dicts of inputs,
        lists of dicts) or its position. Else a function of the rows: ``groups(X)`` returns a label
        for each row, array-like of shape (n_rows,). A row whose label is missing (None, NaN) is a
        group of its own. A model that should not learn from the column drops it in a Pipeline.
    max_per_group : int, default=1
        Maximum number of rows of a group in one batch, whatever was labeled before. If the pool
        has too few groups to fill a batch, it is raised to the smallest number that is enough,
        with a :class:`~skactive.exceptions.RelaxedRuleWarning`.

    See Also
    --------
    ClassBalanced : Divides a batch among the predicted classes.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import Margin, PerGroup
    >>> X, y = load_digits(return_X_y=True)
    >>> X[:, 0] = np.arange(len(X)) // 500  # the writer, in a column that is empty
    >>> strategy = PerGroup(Margin(), groups=0, max_per_group=2)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), strategy, random_state=0)
    >>> picks = learner.fit(X[:50], y[:50]).query(X[50:], batch_size=7)
    >>> np.bincount(X[50:][picks, 0].astype(int)).max()
    np.int64(2)
    """

    reads = frozenset({"X"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "strategy": STRATEGY,
        "groups": [str, Integral, callable],
        "max_per_group": POSITIVE_INT,
    }

    def __init__(self, strategy: Strategy, groups: Any, *, max_per_group: int = 1) -> None:
        self.strategy = strategy
        self.groups = groups
        self.max_per_group = max_per_group

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Let the strategy choose, with at most `max_per_group` rows of a group."""
        groups = _number_groups(pool.X, self.groups)
        sizes = np.bincount(groups)
        limit = _find_limit(sizes, batch_size, self.max_per_group)
        if limit > self.max_per_group:
            _warn_about_rule(
                f"PerGroup cannot choose {batch_size} rows from {len(sizes)} groups with at most "
                f"{self.max_per_group} of each, so up to {limit} of a group are chosen. Ask for "
                "smaller batches, or raise max_per_group."
            )
        return _choose_by_rule(self.strategy, pool, batch_size, _AtMost(groups, limit))


class WithoutDuplicates(RuleStrategy):
    r"""Let a strategy choose, without rows near each other or near a labeled row.

    No two rows of a batch, and no row of it and a labeled row, have an Euclidean distance of
    `threshold` or less in the embedding. Rows near labeled ones are taken away before the strategy
    is asked. If its batch has rows near each other, only the first of them are kept, the rows near
    those are taken away as well, and the strategy is asked again, if need be for more rows.

    If no other row may join the batch, the strategy fills it with the best of the rest, with a
    :class:`~skactive.exceptions.RelaxedRuleWarning`.

    **When:** the pool has copies or near copies (frames of a video, quoted texts), which cost a
    label each and teach nothing new. Needs an embedding and the readings of the inner strategy.

    Parameters
    ----------
    strategy : Strategy
        Chooses the rows.
    threshold : float, default=0.0
        Largest distance of duplicates in the embedding; 0 means equal rows only. In an embedding
        of rows of length 1 (TF-IDF, most sentence encoders) a cosine similarity of s is a distance
        of :math:`\sqrt{2 - 2 s}`: 0.32 for 0.95.

    See Also
    --------
    KCenterGreedy : Rows as far from each other as possible.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import Margin, WithoutDuplicates
    >>> X, y = load_digits(return_X_y=True)
    >>> pool = np.repeat(X[50:], 2, axis=0)  # each row twice
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), Margin(), random_state=0)
    >>> learner = learner.fit(X[:50], y[:50])
    >>> len(set(learner.query(pool, batch_size=10) // 2))
    5
    >>> learner = learner.set_params(strategy=WithoutDuplicates(Margin()))
    >>> len(set(learner.query(pool, batch_size=10) // 2))
    10
    """

    reads = frozenset({"embedding"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "strategy": STRATEGY,
        "threshold": NONNEGATIVE_REAL,
    }

    def __init__(self, strategy: Strategy, *, threshold: float = 0.0) -> None:
        self.strategy = strategy
        self.threshold = threshold

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Let the strategy choose rows apart, and then fill the batch with the best of the rest."""
        kept = _choose_by_rule(self.strategy, pool, batch_size, _Apart(pool, self.threshold))
        n_missing = batch_size - len(kept)
        if not n_missing:
            return kept
        _warn_about_rule(
            f"WithoutDuplicates found {len(kept)} of {batch_size} rows that are farther than "
            f"{self.threshold} from each other and from the labeled rows; {n_missing} nearer ones "
            "fill the batch. Ask for smaller batches, lower the threshold, or stop labeling."
        )
        rest = remaining_rows(len(pool), kept)
        return np.concatenate([kept, rest[_select_from(self.strategy, pool, rest, n_missing)]])


# -- rules, and batches that keep them ---------------------------------------------------------


class _Rule(ABC):
    """Which rows may be together in a batch."""

    @abstractmethod
    def keep(self, picks: Positions) -> Positions:
        """Return the picks that may be in one batch, each with those kept before it."""

    @abstractmethod
    def exclude(self, kept: Positions) -> Positions:
        """Return the rows that may not be added to those kept, and perhaps some of those kept."""


def _choose_by_rule(strategy: Strategy, pool: PoolView, batch_size: int, rule: _Rule) -> Positions:
    """Choose rows that keep a rule: fewer than `batch_size` only if no other row may join them.

    All rows are from the last answer of the strategy, so that it knows the whole batch. It is asked
    for a batch twice, then for more: at most 3 + log2(n_rows / batch_size) times.
    """
    kept = np.empty(0, dtype=np.intp)
    is_kept = np.zeros(len(pool), dtype=bool)  # by any answer; two such rows may be together
    for n_asked in chain([batch_size], (batch_size << k for k in count())):
        is_candidate = np.ones(len(pool), dtype=bool)
        is_candidate[rule.exclude(kept)] = False
        candidates = np.flatnonzero(is_candidate | is_kept)
        n_asked = min(n_asked, len(candidates))
        picks = candidates[_select_from(strategy, pool, candidates, n_asked)]
        kept = rule.keep(picks)[:batch_size]
        if len(kept) == batch_size or n_asked == len(candidates):
            break
        is_kept[kept] = True
    return kept


def _select_from(
    strategy: Strategy, pool: PoolView, candidates: Positions, batch_size: int
) -> Positions:
    """Let a strategy choose among some rows, and return their places in `candidates`."""
    if len(candidates) == len(pool):
        return strategy.select(pool, batch_size)  # the pool itself caches its readings
    if not batch_size:
        return np.empty(0, dtype=np.intp)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TiedScoresWarning)  # a few rows may well tie
        return strategy.select(pool.take(candidates), batch_size)


def _warn_about_rule(message: str) -> None:
    warnings.warn(message, RelaxedRuleWarning, stacklevel=3)


class _AtMost(_Rule):
    """At most `limit` rows of each group; `groups` numbers the groups of the rows, (n_rows,)."""

    def __init__(self, groups: Positions, limit: int) -> None:
        self._groups, self._limit = groups, limit

    def keep(self, picks: Positions) -> Positions:
        groups = self._groups[picks]
        order = np.argsort(groups, kind="stable")
        ranks = np.empty(len(picks), dtype=np.intp)  # of each pick among those of its group
        ranks[order] = np.arange(len(picks)) - np.searchsorted(groups[order], groups[order])
        return picks[ranks < self._limit]

    def exclude(self, kept: Positions) -> Positions:
        n_kept = np.bincount(self._groups[kept], minlength=self._groups.max(initial=0) + 1)
        return np.flatnonzero((n_kept >= self._limit)[self._groups])


class _Apart(_Rule):
    """Distances above a threshold, to each other and to the labeled rows, in the embedding."""

    def __init__(self, pool: PoolView, threshold: float) -> None:
        self._embedding, self._threshold = pool.embedding, threshold
        self._distances: NearestCenters = pool.labeled_distances()
        self._centers = np.empty(0, dtype=np.intp)

    def keep(self, picks: Positions) -> Positions:
        distances = NearestCenters(take_rows(self._embedding, picks))
        is_open, kept = np.ones(len(picks), dtype=bool), []
        while is_open.any():
            kept.append(int(is_open.argmax()))
            distances.add_all(kept[-1:])
            is_open[distances.find_within(self._threshold)] = False
        return picks[kept]

    def exclude(self, kept: Positions) -> Positions:
        new = np.setdiff1d(kept, self._centers)
        self._distances.add_all(new)
        self._centers = np.concatenate([self._centers, new])
        return self._distances.find_within(self._threshold)


# -- groups ------------------------------------------------------------------------------------


def _number_groups(X: Any, groups: Any) -> Positions:
    """Return the number of the group of each row, shape (n_rows,)."""
    labels = groups(X) if callable(groups) else find_column(X, groups)
    if isinstance(labels, Iterator) or issparse(labels):
        labels = list(labels) if isinstance(labels, Iterator) else labels.toarray()
    if not isinstance(labels, list):
        labels = np.asarray(labels)
        labels = labels.ravel() if labels.shape[1:] == (1,) else labels
    if isinstance(labels, np.ndarray) and not labels.ndim:
        raise ValueError(
            f"groups must give one label for each of the {n_rows(X)} rows, got {labels.item()!r}: "
            "return a list or an array from the function."
        )
    if len(labels) != n_rows(X):
        raise ValueError(
            f"groups must give one label for each of the {n_rows(X)} rows, got {len(labels)}: a "
            "function must use the rows that it is passed, which are those of the pool."
        )
    if isinstance(labels, np.ndarray):
        if labels.dtype.kind in "biu" and labels.ndim == 1:
            return np.unique(labels, return_inverse=True)[1]
        labels = labels.tolist()
    return _number_labels(labels)


def _number_labels(labels: list[Any]) -> Positions:
    """Return a number for each label, the same for equal ones, but its own for a missing one."""
    numbers: dict[Any, int] = {}
    keys = (("row", row) if is_missing(label) else label for row, label in enumerate(labels))
    try:
        return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.intp)
    except TypeError:
        raise ValueError(
            "groups must give one label per row that can be a key, such as a number or a text, "
            f"got {labels[0]!r} for the first row."
        ) from None


def _find_limit(sizes: Positions, batch_size: int, max_per_group: int) -> int:
    """Return the smallest maximum per group, at least the given one, that can fill a batch."""
    limits = range(max_per_group, max(max_per_group, int(sizes.max(initial=0))) + 1)
    place = bisect_left(limits, batch_size, key=lambda limit: int(np.minimum(sizes, limit).sum()))
    return limits[place]
