"""ActiveLearner: a scikit-learn estimator with two more methods, `query` and `teach`."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin

from skactive._few_labels import FittedModel
from skactive._labeled_rows import copy_labeled_rows
from skactive._needs import (
    advise_on_new_classes,
    check_needs,
    check_readings,
)
from skactive._protocols import FollowsProtocols
from skactive._queries import QueriesPools
from skactive._refits import warn_if_frozen
from skactive._utils.delegation import DelegatesPrediction
from skactive._utils.fit_params import can_extend_params
from skactive._utils.labels import is_structured
from skactive._utils.rows import n_rows
from skactive._utils.seeding import draw_seed
from skactive.adapters import adapt
from skactive.strategies import Strategy

__all__ = ["ActiveLearner"]


class ActiveLearner(
    QueriesPools, FollowsProtocols, DelegatesPrediction, MetaEstimatorMixin, BaseEstimator
):
    """Active learning with any scikit-learn estimator: query rows to label, teach their labels.

    The learner is an estimator like the one that it wraps: it predicts, scores, clones, prints and
    works in pipelines and searches. It has two more methods: :meth:`query` chooses the rows of a
    pool to label next, and :meth:`teach` adds labeled rows and refits the model.

    Parameters
    ----------
    estimator : estimator
        The model: anything with ``fit`` and ``predict_proba`` or ``decision_function``, such as
        a classifier, a pipeline or a skorch net. It is cloned, never changed.
    strategy : Strategy, default=None
        The query strategy; see :mod:`skactive.strategies`. None means ``Auto()``.
    embedder : transformer, default=None
        Computes the embedding in which diversity is measured. A fitted transformer is used as it
        is; otherwise a clone is fitted on the pool and the labeled rows at each query. None uses
        the input of the model's last layer: penultimate features of a net, transformed features
        of a pipeline, else the rows themselves.
    classes : array-like of shape (n_classes,), default=None
        All classes, if some may be missing from the first labels. Probabilities then have
        one column per declared class. None: a class that first appears in `teach` is added by
        the refit.
    incremental : bool, default=False
        Whether to teach by ``partial_fit`` on the new rows instead of a refit on all rows.
    prefit : bool, default=False
        Whether `estimator` is already fitted and is used as it is until `teach` is called.
        `fit` then only records the labeled rows that it was fitted on.
    random_state : int, RandomState instance or None, default=None
        Seed of the queries, and of every part of the model whose own `random_state` is None,
        nets included. With an integer, everything is repeatable (except the weights of a torch
        module that is passed as an instance: they were drawn before). A query gives the same
        rows until `teach` is called. Queries never touch the global random state.

    Attributes
    ----------
    estimator_ : estimator
        The fitted model.
    classes_ : ndarray of shape (n_classes,)
        The classes of the fitted model, if it has any.
    X_labeled_ : rows in the container of the first `fit`
        All labeled rows so far.
    y_labeled_ : ndarray of shape (n_labeled,) or (n_labeled, ...)
        Their labels. Of structured ones, a list, array, set or dict per row, this is a vector of
        the objects that were passed.
    waiting_classes_ : ndarray of shape (n_waiting,)
        Classes among these labels that the model was fitted without, since they have too few rows
        for it; all of them while there is no model yet.
    n_features_in_ : int
        Number of features, if the fitted model has it.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if the fitted model has them.
    seed_ : int
        The seed that `fit` drew.

    See Also
    --------
    SimulatedLearner : Runs the whole loop on labeled data, to compare strategies.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import Margin
    >>> X, y = load_digits(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), Margin(), random_state=0)
    >>> learner = learner.fit(X[:20], y[:20])
    >>> pool = np.arange(20, len(X))
    >>> for _ in range(3):
    ...     picked = pool[learner.query(X[pool], batch_size=10)]
    ...     learner = learner.teach(X[picked], y[picked])  # in real life: a person's answers
    ...     pool = np.setdiff1d(pool, picked)
    >>> len(learner.y_labeled_)
    50
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "incremental": ["boolean"],
        "prefit": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any,
        strategy: Strategy | None = None,
        *,
        embedder: Any = None,
        classes: Any = None,
        incremental: bool = False,
        prefit: bool = False,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.strategy = strategy
        self.embedder = embedder
        self.classes = classes
        self.incremental = incremental
        self.prefit = prefit
        self.random_state = random_state

    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Fit the model to labeled rows; earlier ones are forgotten.

        Classes that have too few rows for the model wait: their labels are kept, the model is
        fitted to the others, and a later `teach` fits it to all that have enough. While there are
        not two such classes there is no model: `query` chooses rows without one, and `predict`
        needs one, unless all labels so far are of one class, which it then predicts.

        Parameters
        ----------
        X : rows in any container
            Labeled rows: an array of any dimension, a sparse matrix, a frame, a list of texts, a
            tensor; whatever the model accepts.
        y : array-like of shape (n_rows,) or (n_rows, ...), or list
            Their labels. What has a shape (array, frame, sparse matrix) is what the shape says. A
            list of lists, arrays, sets or dicts (tags per token, boxes, maps of any shapes) is
            kept row by row and passed to the model as a list, and an object vector of them as an
            object vector; except that rows of equally many plain values become a matrix for a
            model that takes several outputs or labels, and those of one value a vector, by
            scikit-learn's tags.
        **params : dict
            Passed to the model's ``fit`` (``sample_weight``, say), by metadata routing if that
            is enabled. Values with one entry per row are kept for the refits.

        Returns
        -------
        self : ActiveLearner

        Raises
        ------
        CapabilityError
            If the model cannot provide what the strategy needs.
        ValueError
            If a label is missing or not among the declared classes, or the model refuses the rows.
        """
        self._fit(X, y, params)
        self._warn_about_waiting()
        return self

    def _fit(self, X: Any, y: Any, params: dict[str, Any], *, tries_readings: bool = True) -> None:
        """Fit the model to labeled rows, without a warning about classes that wait.

        A campaign, which fits in each round, tries the readings of the first model only.
        """
        self._check_parts()
        X, y = self._check_labeled_rows(X, y)
        # The caller may change the rows later, and the model may keep a reference to them.
        X, y, params = copy_labeled_rows(X, y, params)
        seed = draw_seed(self.random_state)
        fitted = self._fit_first_model(X, y, params, self._choose_fit_seed(seed))
        if fitted.model is not None:
            can_refit = can_extend_params(params, n_rows(X)) and not is_structured(y)
            adapter, strategy = adapt(fitted.model), self._get_strategy()
            check_needs(strategy, adapter, refits=can_refit, y=y)
            if tries_readings:
                check_readings(strategy, self._view_first_rows(adapter, X, y))
        self._set_state(fitted, X, y, params, seed)

    def teach(self, X: Any, y: Any, **params: Any) -> Self:
        """Add labeled rows and refit the model; on an unfitted learner, fit it.

        If the rows are refused or the refit fails, the learner is as it was before the call.

        Parameters
        ----------
        X : rows in the container of the first `fit`
            Rows with new labels.
        y : array-like of shape (n_rows,) or (n_rows, ...), or list
            Their labels, of the same kind as in `fit`.
        **params : dict
            Passed to the model's ``fit``. Per-row parameters given to `fit` are required here too.

        Returns
        -------
        self : ActiveLearner

        Raises
        ------
        TeachValueError
            If the rows are refused: other features than the labeled rows have, a label that is
            not declared, or a ValueError of the model. It is a `TeachError` and a `ValueError`.
        TeachError
            If the model could not be refitted for another reason.
        """
        self._teach(X, y, params)
        self._warn_about_waiting()
        return self

    def _teach(self, X: Any, y: Any, params: dict[str, Any]) -> None:
        """Add labeled rows and refit the model, without a warning about classes that wait."""
        if not self._has_model() and not self._is_waiting():
            self._fit(X, y, params)
            return
        self._check_parts()
        try:
            X, y = self._check_new_rows(X, y)
            X_all, y_all, all_params = self._join_labeled_rows(X, y, params)
        except ValueError as error:
            raise self._make_teach_error("These rows cannot be taught", error) from error
        seed = self._choose_fit_seed(self._get_seed())
        try:
            if self.incremental and not self._is_waiting():
                model = deepcopy(self._get_fitted_estimator())
                model = self._partial_fit_model(model, X, y, params, seed)
                fitted = FittedModel(model, np.ones(n_rows(X_all), dtype=bool))
            else:
                fitted = self._fit_model(X_all, y_all, all_params, seed)
        except Exception as error:
            failure = f"The model could not be refitted with {n_rows(X)} more rows"
            advice = advise_on_new_classes(self._get_estimator(), y) if self.incremental else ""
            raise self._make_teach_error(failure, error, advice) from error
        self._set_state(fitted, X_all, y_all, all_params, self._get_seed())
        if fitted.model is not None:
            warn_if_frozen(fitted.model)
