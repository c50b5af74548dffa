"""StreamLearner: an active learner that decides on each row when it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils.validation import check_is_fitted

from skactive._utils.compat import HasMethods, Interval
from skactive._utils.constraints import POSITIVE_INT, POSITIVE_INT_OR_NONE, POSITIVE_REAL_OR_NONE
from skactive._utils.delegation import DelegatesPrediction
from skactive._utils.row_checks import check_rows, check_same_features
from skactive._utils.rows import n_rows, take_rows
from skactive._utils.seeding import derived_seed, draw_seed, seeded_clone
from skactive.pool import PoolView
from skactive.strategies import Margin
from skactive.streams._base import Offer, check_policy, join_offers
from skactive.streams._drift import Drift, check_hooks, clone_detector, notify, watch
from skactive.streams._lessons import (
    check_not_prefit,
    check_scoring,
    embed_rows,
    has_no_rows,
    is_incremental,
    make_lesson_error,
    measure_errors,
    reads_labeled_rows,
    refit_to_kept_rows,
    teach_copy,
)
from skactive.streams._lock import CopiedLock
from skactive.streams._recent import RecentRows, take_last_rows
from skactive.streams._thresholds import QuantileFilter

__all__ = ["StreamLearner"]


class StreamLearner(DelegatesPrediction, MetaEstimatorMixin, BaseEstimator):
    """Active learning from a stream: each row is bought or passed when it is offered.

    :meth:`offer` scores a row by the strategy of the learner, and a policy decides whether its
    label is worth its share of the budget. :meth:`teach` learns from the labels that were bought,
    at once, later or never: the budget counts purchases, not labels.

    Parameters
    ----------
    learner : ActiveLearner
        The learner; a clone is fitted. Its strategy has to score rows; without one, it is
        :class:`~skactive.strategies.Margin`. A strategy that compares the rows of a pool sees only
        those that are offered together. With ``incremental=True`` it is taught each lesson by
        ``partial_fit``; otherwise it is refitted on the labeled rows that are kept.
    policy : PurchasePolicy, default=None
        Decides which rows to buy; see :mod:`skactive.streams`. None is
        :class:`~skactive.streams.QuantileFilter`.
    budget : float, default=0.1
        Largest share of the offers to buy. Of the first n offers at most ``budget * n`` are bought,
        for every n, whatever is offered. The rows of `fit` do not count.
    budget_window : float, default=None
        Number of offers after which a purchase is all but forgotten: of any n offers in a row at
        most ``budget * (n + budget_window)`` are bought. None: ``100 / budget``. See
        :class:`~skactive.streams.Spending`.
    window : int, default=None
        Number of last labeled rows that are kept, to refit the model and for strategies that read
        labeled rows; a refit is to the whole lesson, however large. None keeps all.
    drift : detector, default=None
        Test for drift, which reads the error of each bought row before it is taught: 0 or 1 for
        classifiers, the absolute error for regressors. It has ``update(x)`` and ``drift_detected``:
        :class:`~skactive.streams.PageHinkley`, :class:`~skactive.streams.DDM` or a detector of
        river. It is copied, never changed. None does not test.
    n_recent : int, default=50
        Number of last labeled rows that are kept upon a drift; a new model is fitted to them.
    hooks : sequence of callables, default=()
        Each is called with every :class:`~skactive.streams.Drift`; its errors become warnings.
    random_state : int, RandomState instance or None, default=None
        Seed of the policy, and of every part of the learner that has none.

    Attributes
    ----------
    learner_ : ActiveLearner
        The fitted learner, which predicts.
    n_offers_, n_bought_ : int
        Number of rows offered and bought since `fit`.
    n_taught_ : int
        Number of labels learned from since `fit`, those of `fit` included.
    X_labeled_, y_labeled_ : rows and ndarray of shape (n_labeled,)
        The labeled rows that are kept, with their labels.
    drifts_ : list of Drift
        The drifts that were detected.
    buyer_ : Buyer
        State of the policy.
    classes_ : ndarray of shape (n_classes,)
        Classes of the model, if it has any.
    n_features_in_ : int
        Number of features, if the model has it.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if the model has them.

    See Also
    --------
    skactive.ActiveLearner : Chooses rows of a pool.

    Notes
    -----
    An offer costs one prediction of the row, and some 0.1 ms. A lesson of an incremental learner
    costs a copy of the model and its ``partial_fit``, whatever has been learned before.

    Labels that come later are taught when they come; their error is that of the model at that time.
    While the labels are too few for a model, rows are bought whenever the budget has room.

    Several threads may offer rows, teach and predict at once; they decide and learn one by one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import SGDClassifier
    >>> from skactive import ActiveLearner
    >>> from skactive.streams import PageHinkley, StreamLearner, VariableUncertainty
    >>> X, y = make_classification(2000, class_sep=2.0, random_state=0)
    >>> model = SGDClassifier(loss="log_loss")
    >>> learner = ActiveLearner(model, incremental=True)
    >>> stream = StreamLearner(
    ...     learner, VariableUncertainty(), budget=0.1, drift=PageHinkley(), random_state=0
    ... )
    >>> stream = stream.fit(X[:20], y[:20])
    >>> for i in range(20, 2000):
    ...     if stream.offer(X[[i]]):
    ...         stream = stream.teach(X[[i]], y[[i]])  # in real life: a person's answer
    >>> stream.n_bought_ <= 0.1 * stream.n_offers_
    True
    >>> stream.score(X, y) > 0.8
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "learner": [HasMethods(["fit", "query", "teach"])],
        "budget": [Interval(Real, 0, 1, closed="right")],
        "budget_window": POSITIVE_REAL_OR_NONE,
        "window": POSITIVE_INT_OR_NONE,
        "drift": [HasMethods(["update"]), None],
        "n_recent": POSITIVE_INT,
        "hooks": [list, tuple],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        learner: Any,
        policy: Any = None,
        *,
        budget: float = 0.1,
        budget_window: float | None = None,
        window: int | None = None,
        drift: Any = None,
        n_recent: int = 50,
        hooks: Sequence[Any] = (),
        random_state: Any = None,
    ) -> None:
        self.learner = learner
        self.policy = policy
        self.budget = budget
        self.budget_window = budget_window
        self.window = window
        self.drift = drift
        self.n_recent = n_recent
        self.hooks = hooks
        self.random_state = random_state

    # Fit, offer, teach --------------------------------------------------------------------------

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the model to the first labeled rows, and begin a stream; the last one is forgotten.

        Parameters
        ----------
        X : rows in any container
            Labeled rows.
        y : array-like of shape (n_rows,)
            Their labels.

        Returns
        -------
        self : StreamLearner

        Raises
        ------
        CapabilityError
            If the strategy does not score rows, or the model cannot provide what it needs.
        ValueError
            If the budget has no room for a label in its window, or the model refuses the rows.
        """
        self._validate_params()
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        seed = draw_seed(self.random_state)
        policy = QuantileFilter() if self.policy is None else self.policy
        check_policy(policy)
        buyer = policy.start(
            self.budget, window=self.budget_window, random_state=derived_seed(seed, 1)
        )
        check_hooks(self.hooks)
        detector = None if self.drift is None else clone_detector(self.drift)
        model_seed = None if self.random_state is None else seed
        learner = self._make_learner(model_seed).fit(X, y)
        self._model_seed = model_seed
        self._detector, self._lock = detector, CopiedLock()
        self.buyer_, self.n_taught_ = buyer, len(learner.y_labeled_)
        self.drifts_: list[Drift] = []
        self._set_learner(learner, RecentRows(learner.X_labeled_, learner.y_labeled_, self.window))
        return self

    def offer(self, X: Any) -> Offer:
        """Decide which rows to buy, one after the other.

        Parameters
        ----------
        X : rows in the container of `fit`
            One row or more. Rows that are offered together are scored by the same model.

        Returns
        -------
        Offer
            Whether to buy, the utility and the threshold; arrays for several rows.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If the rows have other features, or the policy cannot compare their utilities. Nothing
            is counted then.
        """
        if not hasattr(self, "learner_"):  # scikit-learn's check costs as much as the prediction
            check_is_fitted(self, "learner_")
        with self._lock:
            return self._decide(self._check_offered(X))

    def _decide(self, X: Any) -> Offer:
        buyer, n = self.buyer_, n_rows(X)
        if not hasattr(self.learner_, "estimator_"):  # the labels so far are too few for a model
            offers = [buyer.update_unscored() for _ in range(n)]
        else:
            scored = self._score(X)
            for utility, row in scored:
                buyer.check(utility, row)
            offers = [buyer.update(utility, row) for utility, row in scored]
        return offers[0] if n == 1 else join_offers(offers)

    def teach(self, X: Any, y: Any) -> Self:
        """Learn from labels that were bought, now or earlier; on an unfitted learner, fit it.

        If the lesson fails, everything is as it was before the call.

        Parameters
        ----------
        X : rows in the container of `fit`
            Rows with new labels; without any, nothing is learned.
        y : array-like of shape (n_rows,)
            Their labels.

        Returns
        -------
        self : StreamLearner

        Raises
        ------
        TeachValueError
            If the rows are refused. It is a `TeachError` and a `ValueError`.
        TeachError
            If the model could not be fitted for another reason.
        """
        if not hasattr(self, "learner_"):
            return self.fit(X, y)
        if not has_no_rows(X, y):  # of rows offered together, none may have been bought
            with self._lock:
                self._learn(X, y)
        return self

    def _learn(self, X: Any, y: Any) -> None:
        """Learn from new labels, or leave everything as it was."""
        try:
            learner = teach_copy(self.learner_, X, y, self.window)
            X, y = take_last_rows(learner.X_labeled_, learner.y_labeled_, n_rows(X))
            errors = () if self._detector is None else measure_errors(self.learner_, X, y)
            detector, has_drifted = watch(self._detector, errors)
            if has_drifted:
                learner = self._restart(learner, X, y)
        except Exception as error:
            raise make_lesson_error(error, self.learner_, y, self.n_taught_) from error
        self.n_taught_ += len(y)
        self._detector = clone_detector(self.drift) if has_drifted else detector
        if has_drifted:
            kept = learner.X_labeled_, learner.y_labeled_
            self._set_learner(learner, RecentRows(*kept, self.window))
            self.drifts_.append(Drift(self.n_offers_, self.n_taught_, len(kept[1])))
            notify(self.hooks, self.drifts_[-1])
            return
        if learner.incremental:
            self._recent.append(X, y)
        self._set_learner(learner, self._recent)

    @property
    def n_offers_(self) -> int:
        """Number of rows offered since `fit`."""
        return self.buyer_.spending.n_offers

    @property
    def n_bought_(self) -> int:
        """Number of rows bought since `fit`."""
        return self.buyer_.spending.n_bought

    @property
    def X_labeled_(self) -> Any:
        """The labeled rows that are kept."""
        return self._get_labeled_rows()[0]

    @property
    def y_labeled_(self) -> Any:
        """Their labels, shape (n_labeled,)."""
        return self._get_labeled_rows()[1]

    # scikit-learn's protocols -----------------------------------------------------------------

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "learner_") and self.learner_.__sklearn_is_fitted__()

    def _get_estimator(self) -> Any:
        return getattr(self, "learner_", self.learner)

    def _get_fitted_estimator(self) -> Any:
        check_is_fitted(self, "learner_")
        return self.learner_

    # Internals ---------------------------------------------------------------------------------

    def _make_learner(self, seed: int | None) -> Any:
        """Return an unfitted learner whose strategy scores rows."""
        check_not_prefit(self.learner)
        learner = seeded_clone(self.learner, seed)
        if learner.strategy is None:
            learner.set_params(strategy=Margin())
        check_scoring(learner.strategy)
        return learner

    def _get_labeled_rows(self) -> tuple[Any, Any]:
        if self.learner_.incremental:
            return self._recent.join()
        return self.learner_.X_labeled_, self.learner_.y_labeled_

    def _set_learner(self, learner: Any, recent: RecentRows) -> None:
        """Set the fitted learner, with as few labeled rows in it as its strategy and fits need."""
        self._recent = recent
        if is_incremental(learner) and reads_labeled_rows(learner.strategy):
            learner.X_labeled_, learner.y_labeled_ = recent.join()
        self.learner_ = learner
        self._view: PoolView | None = None

    def _check_offered(self, X: Any) -> Any:
        """Check the rows, cheaply if they are like those that the view was made for."""
        if (
            type(X) is np.ndarray
            and self._view is not None
            and (X.shape[1:], X.dtype) == self._known_form
            and len(X)
        ):
            return X
        labeled = self.learner_.X_labeled_
        X, _ = check_rows(X, like=labeled)
        check_same_features(labeled, X, "X")
        if n_rows(X):
            return X
        raise ValueError("X has no rows: offer at least one.")

    def _score(self, X: Any) -> list[tuple[float, Any]]:
        """Return the utility of each row, and its embedding if the policy reads it."""
        if self._view is None:  # once per lesson: a view costs as much as a prediction
            self._view = self.learner_._make_view(take_rows(X, np.arange(1)))
            self._known_form = getattr(X, "shape", (0,))[1:], getattr(X, "dtype", None)
        view = self._view.at(X)
        utilities = self.learner_.strategy.score_in_chunks(view)
        rows = embed_rows(view) if self.buyer_.policy.reads_rows else [None] * n_rows(X)
        return list(zip(utilities.tolist(), rows, strict=True))

    def _restart(self, learner: Any, X: Any, y: Any) -> Any:
        """Return a new learner fitted to the last rows, those of the lesson included."""
        if not learner.incremental:
            recent = learner.X_labeled_, learner.y_labeled_
        else:
            rows = RecentRows(*self._recent.join(), None)
            rows.append(X, y)
            recent = rows.join()
        X, y = take_last_rows(*recent, self.n_recent)
        return refit_to_kept_rows(self._make_learner(self._model_seed), learner, X, y)
