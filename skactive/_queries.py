"""The queries of a learner: its strategy chooses, scores or explains rows and their elements."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from skactive._needs import (
    can_start_cold,
    check_needs,
    check_partial_fit,
    check_scores_rows,
    choose_for_elements,
    list_cold_starters,
)
from skactive._refits import FitsModels
from skactive._utils.array_types import Floats, Positions
from skactive._utils.delegation import available_where
from skactive._utils.rows import n_rows, take_rows
from skactive._utils.seeding import derived_seed
from skactive._validation import (
    check_batch_size,
    check_classes,
    check_costs,
    check_estimator_like,
    check_positions,
    check_rows,
    check_same_features,
    check_selection,
    check_strategy,
)
from skactive.adapters import ModelAdapter, adapt
from skactive.exceptions import CapabilityError
from skactive.explanation import Explanation
from skactive.explanation._making import explain_rows
from skactive.pool import PoolView
from skactive.pool._candidates import view_elements
from skactive.pool._state import PoolIndex
from skactive.pool._view import ReadingSource
from skactive.strategies import Auto, Random

__all__ = ["QueriesPools"]


class QueriesPools(FitsModels):
    """A mixin that lets the learner's strategy read pools through its model."""

    strategy: Any
    embedder: Any
    _validate_params: Any

    def query(self, X_pool: Any, batch_size: int = 1, *, costs: Any = None) -> Positions:
        """Choose the rows of a pool to label next.

        Before the first `fit`, strategies that need no model (random and diversity) can choose
        the first rows. The transformers of a pipeline are then fitted on the pool. While the labels
        are too few for a model, other strategies give way to :class:`~skactive.strategies.Auto`,
        which chooses rows unlike the labeled ones.

        Parameters
        ----------
        X_pool : rows in any container
            Unlabeled rows, with the same features as the labeled ones.
        batch_size : int, default=1
            Number of rows to choose.
        costs : array-like of shape (n_pool,), default=None
            What the label of each row costs, positive, for strategies that read costs, such as
            :class:`~skactive.strategies.PerCost`. None: all the same.

        Returns
        -------
        ndarray of shape (batch_size,), dtype intp
            Distinct positions in `X_pool`, best first; the same until `teach` is called.

        Raises
        ------
        PoolExhaustedError
            If the pool has fewer rows than `batch_size`.
        NotFittedError
            If the learner is not fitted and the strategy needs a model.
        SelectionError
            If the strategy does not return `batch_size` distinct positions.
        """
        return self._query(X_pool, batch_size, costs=costs)

    def _query(
        self,
        X_pool: Any,
        batch_size: int,
        pool_index: PoolIndex | None = None,
        costs: Any = None,
    ) -> Positions:
        """Choose rows of a pool; `pool_index` says where they are among a campaign's rows."""
        view = self._make_view(X_pool, pool_index, costs)
        batch_size = check_batch_size(batch_size, len(view))
        strategy = self._choose_strategy()
        try:
            positions = strategy.select(view, batch_size)
        except CapabilityError:
            if not self._is_waiting():
                raise
            positions = self._select_at_random(view, batch_size)
        return check_selection(positions, batch_size, len(view), strategy)

    def query_elements(
        self,
        X_pool: Any,
        batch_size: int = 1,
        *,
        known: Any = None,
        groups: Any = None,
        costs: Any = None,
    ) -> tuple[Positions, Positions]:
        """Choose single elements to label: labels, tokens, boxes, or regions of pixels.

        For models that predict several things per row. The strategy chooses among all elements of
        the pool, as it would among rows; of an :class:`~skactive.strategies.Aggregate`, which
        scores rows, it is the strategy in it.

        Parameters
        ----------
        X_pool : rows in any container
            Rows of which elements are unlabeled.
        batch_size : int, default=1
            Number of elements to choose.
        known : array of bool of shape (n_pool, ...), or list with an array per row, default=None
            Which elements have a label already, and are not chosen. None: no one.
        groups : list with an array of int per row, default=None
            The group of each element, such as the superpixel of each pixel; negative for elements
            in none. Then groups are chosen.
        costs : list with an array per row, or array of shape (n_pool, ...), default=None
            What the label of each element (or group) costs, positive.

        Returns
        -------
        rows : ndarray of shape (batch_size,), dtype intp
            Positions in `X_pool`, of the best element first.
        elements : ndarray of shape (batch_size,), dtype intp
            The place of each among the elements (or groups) of its row.

        Raises
        ------
        CapabilityError
            If the model predicts one label per row, or does not give what the strategy needs.
        NotFittedError
            If there is no model yet.
        PoolExhaustedError
            If there are fewer elements than `batch_size`.

        Examples
        --------
        >>> from sklearn.datasets import make_multilabel_classification
        >>> from sklearn.neighbors import KNeighborsClassifier
        >>> from skactive import ActiveLearner
        >>> from skactive.strategies import Aggregate, Entropy
        >>> X, Y = make_multilabel_classification(random_state=0)
        >>> learner = ActiveLearner(KNeighborsClassifier(), Aggregate(Entropy()), random_state=0)
        >>> rows, labels = learner.fit(X[:20], Y[:20]).query_elements(X[20:], batch_size=4)
        >>> len(set(zip(rows.tolist(), labels.tolist())))
        4
        """
        if self._is_waiting():
            raise NotFittedError(f"There is no model to find elements by. {self._waiting_text}")
        elements = view_elements(self._make_view(X_pool), known=known, groups=groups, costs=costs)
        batch_size = check_batch_size(batch_size, len(elements), "elements")
        strategy = choose_for_elements(self._choose_strategy(), elements)
        picks = strategy.select(elements, batch_size)
        chosen = elements.take(check_selection(picks, batch_size, len(elements), strategy))
        return chosen.owner, chosen.place

    def _select_at_random(self, view: PoolView, batch_size: int) -> Positions:
        """Choose rows without a model and features; rules that need neither hold."""
        try:
            return _replace_chooser(self._get_strategy(), Random()).select(view, batch_size)
        except CapabilityError:
            return Random().select(view, batch_size)

    def _choose_strategy(self) -> Any:
        """Return the strategy, or while it has to wait for a model, one that needs none."""
        strategy = self._get_strategy()
        if self._is_waiting() and not can_start_cold(strategy):
            return _replace_chooser(strategy, Auto())
        return strategy

    @available_where(lambda learner: check_scores_rows(learner._get_strategy()))
    def score_pool(self, X_pool: Any) -> Floats:
        """Score every row of a pool; only with strategies that score rows.

        Parameters
        ----------
        X_pool : rows in any container
            Unlabeled rows.

        Returns
        -------
        ndarray of shape (n_pool,)
            Higher is more informative.

        Raises
        ------
        NotFittedError
            If the strategy needs a model, and the labels are too few for one.
        """
        if self._is_waiting() and not can_start_cold(self._get_strategy()):
            raise NotFittedError(f"There is no model to score rows by. {self._waiting_text}")
        return self._get_strategy().score_in_chunks(self._make_view(X_pool))

    def explain(self, X_pool: Any, positions: Any) -> list[Explanation]:
        """Explain why rows were asked for: the parts of their score, and the labeled rows nearby.

        Parameters
        ----------
        X_pool : rows in any container
            The pool that was passed to `query`.
        positions : array-like of int, shape (n,)
            Positions that `query` returned; any others are explained too.

        Returns
        -------
        list of n Explanation
            Print one for a sentence; notebooks show a card. Scores are those for the first row of a
            batch; `batch_rank` compares each row with those before it. In pools of more than
            10,000 rows, distances and densities are ranked among a sample of so many. It takes a
            little longer than `score_pool`.

        Raises
        ------
        NotFittedError
            If the learner is not fitted and the strategy needs a model.
        ValueError
            If a position is not that of a row of the pool.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skactive import ActiveLearner
        >>> from skactive.strategies import Margin
        >>> X, y = load_digits(return_X_y=True)
        >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), Margin(), random_state=0)
        >>> learner = learner.fit(X[:50], y[:50])
        >>> print(learner.explain(X[50:], learner.query(X[50:]))[0])
        Asked since the model hesitates between ... (0.4...) and ... (0.4...).
        """
        view = self._make_view(X_pool)
        return explain_rows(view, self._choose_strategy(), check_positions(positions, len(view)))

    # Internals ---------------------------------------------------------------------------------

    def _get_strategy(self) -> Any:
        return Auto() if self.strategy is None else self.strategy

    def _check_parts(self) -> None:
        """Check the hyper-parameters, those of the strategy included."""
        self._validate_params()
        check_estimator_like(self.estimator)
        check_strategy(self._get_strategy())
        if self.incremental:
            check_partial_fit(self.estimator)
        if self.embedder is not None and not hasattr(self.embedder, "transform"):
            raise TypeError(
                f"embedder must be a transformer, got {self.embedder!r}: wrap a function in "
                "sklearn.preprocessing.FunctionTransformer."
            )

    def _make_view(
        self, X_pool: Any, pool_index: PoolIndex | None = None, costs: Any = None
    ) -> PoolView:
        """Check a pool and return the view of it that the strategy reads."""
        self._check_parts()
        X_labeled, fitted = self._get_labeled_rows(), self._has_model()
        X_pool, _ = check_rows(X_pool, like=X_labeled, name="X_pool")
        if X_labeled is not None:
            check_same_features(X_labeled, X_pool, "X_pool")
        strategy = self._get_strategy()
        if not fitted and X_labeled is None and not can_start_cold(strategy):
            raise NotFittedError(
                f"{type(strategy).__name__} needs a fitted model. Call fit with some labeled rows, "
                "or choose the first rows with a strategy that can start cold: "
                f"{', '.join(list_cold_starters())}."
            )
        n_labeled = 0 if X_labeled is None else n_rows(X_labeled)
        adapter, can_refit = adapt(self._get_estimator()), self._can_refit(n_labeled)
        if fitted:  # again, since the strategy may have been replaced after `fit`
            check_needs(strategy, adapter, refits=can_refit, y=getattr(self, "y_labeled_", None))
        y, waiting = self._get_label_vector(), getattr(self, "waiting_classes_", ())
        classes = check_classes(self.classes, y)
        if fitted and len(waiting) and classes is None and y is not None:
            classes = np.unique(y)  # those that wait have probability 0
        source = ReadingSource(
            adapter=adapter,
            seed=derived_seed(self._get_seed(), n_labeled),
            run_seed=self._get_seed(),
            fitted=fitted,
            X_labeled=X_labeled,
            y_labeled=y,
            classes=classes,
            embedder=self.embedder,
            refit=self._fantasize if fitted and can_refit else None,
            refits_from_scratch=not (
                self.incremental or len(waiting) or getattr(self, "_fit_params", {})
            ),
        )
        return PoolView(
            X_pool, source, pool_index=pool_index, costs=check_costs(costs, n_rows(X_pool))
        )

    def _view_first_rows(self, adapter: ModelAdapter, X: Any, y: Any) -> PoolView:
        """Return a view of two labeled rows: two, since some models drop the axis of a lone row."""
        rows = take_rows(X, np.arange(2) % n_rows(X))
        declared = check_classes(self.classes, y)
        return PoolView(rows, ReadingSource(adapter=adapter, y_labeled=y, classes=declared))


def _replace_chooser(strategy: Any, other: Any) -> Any:
    """Return another strategy, within the rules for batches that a strategy has around its own."""
    if not hasattr(strategy, "with_inner"):
        return other
    return strategy.with_inner(_replace_chooser(strategy.strategy, other))
