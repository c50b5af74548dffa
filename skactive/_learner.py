"""ActiveLearner: any scikit-learn estimator, with the two verbs `query` and `teach`."""

from __future__ import annotations

import warnings
from copy import deepcopy
from inspect import isabstract
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skactive import strategies
from skactive._utils.compat import VisualBlock
from skactive._utils.delegation import DelegatesPrediction
from skactive._utils.rows import join_rows, n_rows, take_rows
from skactive._utils.seeding import derived_seed, draw_seed, seeded_clone
from skactive._validation import (
    can_start_cold,
    check_batch_size,
    check_classes,
    check_needs,
    check_rows,
    check_same_features,
    check_selection,
    check_strategy,
    is_per_row,
)
from skactive.adapters import ModelAdapter, adapt
from skactive.exceptions import FrozenModelWarning, TeachError
from skactive.pool._state import PoolIndex
from skactive.pool._view import PoolView, Source
from skactive.strategies import Auto, Strategy

__all__ = ["ActiveLearner"]

Positions = NDArray[np.intp]


def _scores_rows(learner: ActiveLearner) -> bool:
    return hasattr(learner._strategy(), "score_in_chunks")


class ActiveLearner(DelegatesPrediction, MetaEstimatorMixin, BaseEstimator):
    """Active learning around any scikit-learn estimator: ask which rows to label, teach labels.

    The learner is an estimator like the one that it wraps: it predicts, scores, clones, prints and
    goes into pipelines and searches. Besides it has two verbs: :meth:`query` says which rows of a
    pool should be labeled next, and :meth:`teach` adds rows with their labels.

    Parameters
    ----------
    estimator : estimator
        The model: anything with ``fit`` and ``predict_proba`` or ``decision_function``, a
        pipeline or a skorch net among them. It is cloned, never changed.
    strategy : Strategy, default=None
        How rows are chosen; see :mod:`skactive.strategies`. None is ``Auto()``.
    embedder : transformer, default=None
        Turns rows into the embedding on which diversity is measured. One that is fitted is used
        as it is; otherwise a clone is fitted on the pool and the labeled rows at each query.
        None uses what the model's last layer sees: penultimate features of a net, the
        transformed features of a pipeline, else the rows themselves.
    classes : array-like of shape (n_classes,), default=None
        All classes there are, where some may not be among the first labels. Probabilities then
        have a column for each. None: a class that turns up in `teach` joins at the refit.
    incremental : bool, default=False
        Whether to teach by ``partial_fit`` on the new rows instead of a refit on all of them.
    prefit : bool, default=False
        Whether `estimator` is fitted already and to be used as it is until it is taught. Then
        `fit` only records the labeled rows that it was fitted on.
    random_state : int, RandomState instance or None, default=None
        Seed of the queries, and of all in the model that is left unseeded, nets too: with a
        number, everything is repeatable (but for the weights of a torch module that is passed as
        an instance, which were drawn before). A query gives the same rows until `teach` is
        called. Queries never touch global random state.

    Attributes
    ----------
    estimator_ : estimator
        The fitted model.
    classes_ : ndarray of shape (n_classes,)
        The classes of the fitted model, where it has them.
    X_labeled_ : rows in the container of the first `fit`
        All rows taught so far.
    y_labeled_ : ndarray of shape (n_labeled,)
        Their labels.
    n_features_in_ : int
        Number of features, where the fitted model has it.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where the fitted model has them.
    seed_ : int
        The seed that `fit` drew.

    See Also
    --------
    SimulatedLearner : Plays the loop with known labels, to compare strategies.

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

    # The two verbs, and the start --------------------------------------------------------------

    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Forget what was learned and fit the model to these labeled rows.

        Parameters
        ----------
        X : rows in any container
            Labeled rows: an array of any dimension, a sparse matrix, a frame, a list of texts, a
            tensor; whatever the model takes.
        y : array-like of shape (n_rows,)
            Their labels.
        **params : dict
            Passed to the model's ``fit`` (``sample_weight``, say), by metadata routing where that
            is enabled. Values with one entry a row are kept for the refits.

        Returns
        -------
        self : ActiveLearner

        Raises
        ------
        CapabilityError
            If the model cannot give what the strategy reads.
        ValueError
            If a label is not among the declared classes, or the model refuses the rows.
        """
        X, y = self._checked(X, y)
        # Copies, also for the model, which may keep a reference: the caller's rows may change.
        X, y, params = _copied(X, y, params)
        seed = draw_seed(self.random_state)
        model = self._first_model(X, y, params, self._fit_seed(seed))
        check_needs(self._strategy(), adapt(model), refits=_extends(params, n_rows(X)))
        self._keep(model, X, y, params, seed)
        return self

    def query(self, X_pool: Any, batch_size: int = 1) -> Positions:
        """Choose the rows of a pool that should be labeled next.

        Before the first `fit`, strategies that need no model (random and diversity) choose where
        to start. A pipeline's transformers are then fitted on the pool.

        Parameters
        ----------
        X_pool : rows in any container
            Unlabeled rows, of the same features as the labeled ones.
        batch_size : int, default=1
            How many rows to choose.

        Returns
        -------
        ndarray of shape (batch_size,), dtype intp
            Distinct positions in `X_pool`, best first. The same until `teach` is called.

        Raises
        ------
        PoolExhaustedError
            If the pool has fewer rows than `batch_size`.
        NotFittedError
            If the learner is not fitted and the strategy needs a model.
        SelectionError
            If the strategy's answer is not `batch_size` distinct positions.
        """
        return self._query(X_pool, batch_size)

    def _query(self, X_pool: Any, batch_size: int, place: PoolIndex | None = None) -> Positions:
        """Choose rows of a pool of which a campaign may know where they are among its rows."""
        view = self._view(X_pool, place)
        batch_size = check_batch_size(batch_size, len(view))
        strategy = self._strategy()
        positions = strategy.select(view, batch_size)
        return check_selection(positions, batch_size, len(view), strategy)

    def teach(self, X: Any, y: Any, **params: Any) -> Self:
        """Add labeled rows and refit the model; on a learner not yet fitted, the first fit.

        If the refit fails the learner is as it was before the call.

        Parameters
        ----------
        X : rows in the container of the first `fit`
            Rows with new labels.
        y : array-like of shape (n_rows,)
            Their labels.
        **params : dict
            Passed to the model's ``fit``. What `fit` got one value a row of is needed here too.

        Returns
        -------
        self : ActiveLearner

        Raises
        ------
        TeachError
            If the model could not be refitted.
        ValueError
            If the rows do not have the features of those known, or a label is not declared.
        """
        if not self.__sklearn_is_fitted__():
            return self.fit(X, y, **params)
        if y is None:
            raise ValueError("teach needs the labels of the rows, got y=None.")
        X, y = self._checked(X, y)
        X_all, y_all, all_params = self._joined(X, y, params)
        seed = self._fit_seed(self._seed())
        try:
            if self.incremental:
                model = self._increment(deepcopy(self._fitted()), X, y, params, seed)
            else:
                model = self._fitted_clone(X_all, y_all, all_params, seed)
        except Exception as error:
            n_known = 0 if self._labeled() is None else n_rows(self.X_labeled_)
            raise TeachError(
                f"The model could not be refitted with {n_rows(X)} more rows "
                f"({type(error).__name__}: {error}). The learner is as it was before, with "
                f"{n_known} labeled rows."
            ) from error
        _warn_if_frozen(model)
        self._keep(model, X_all, y_all, all_params, self._seed())
        return self

    @available_if(_scores_rows)
    def score_pool(self, X_pool: Any) -> NDArray[np.float64]:
        """Score every row of a pool as the strategy does; where the strategy scores rows.

        Parameters
        ----------
        X_pool : rows in any container
            Unlabeled rows.

        Returns
        -------
        ndarray of shape (n_pool,)
            Higher is more informative.
        """
        return self._strategy().score_in_chunks(self._view(X_pool))

    # scikit-learn's protocols -----------------------------------------------------------------

    def get_metadata_routing(self) -> MetadataRouter:
        """Say where `fit` and `teach` (which is routed under `fit`) send their parameters.

        Returns
        -------
        MetadataRouter
            The routing.
        """
        verb = "partial_fit" if self.incremental else "fit"
        mapping = MethodMapping().add(caller="fit", callee=verb)
        mapping.add(caller="score", callee="score")
        return MetadataRouter(owner=type(self).__name__).add(
            estimator=self.estimator, method_mapping=mapping
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_") or bool(self.prefit)

    def _sk_visual_block_(self) -> Any:
        parts = [("estimator", self.estimator), ("strategy", self._strategy())]
        if self.embedder is not None:
            parts.append(("embedder", self.embedder))
        return VisualBlock(
            "parallel",
            [part for _, part in parts],
            names=[f"{name}: {type(part).__name__}" for name, part in parts],
            name_details=[str(part) for _, part in parts],
        )

    # How it is done ---------------------------------------------------------------------------

    def _strategy(self) -> Any:
        return Auto() if self.strategy is None else self.strategy

    def _wrapped(self) -> Any:
        return getattr(self, "estimator_", self.estimator)

    def _fitted(self) -> Any:
        check_is_fitted(self)
        return self._wrapped()

    def _seed(self) -> int:
        """Return the seed that `fit` drew; before it, what it would draw."""
        if hasattr(self, "seed_"):
            return self.seed_
        if self.random_state is not None:
            return draw_seed(deepcopy(self.random_state))
        if not hasattr(self, "_cold_seed"):  # kept, so that queries repeat until the first lesson
            self._cold_seed = draw_seed(None)
        return self._cold_seed

    def _labeled(self) -> Any:
        return getattr(self, "X_labeled_", None)

    def _checked(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Check labeled rows, and the parts that they will meet."""
        self._check_parts()
        X, y = check_rows(X, y)
        check_classes(self.classes, y)
        return X, y

    def _check_parts(self) -> None:
        self._validate_params()
        check_strategy(self._strategy())
        if self.embedder is not None and not hasattr(self.embedder, "transform"):
            raise TypeError(
                f"embedder must be a transformer, got {self.embedder!r}: wrap a function in "
                "sklearn.preprocessing.FunctionTransformer."
            )

    def _routed(self, params: dict[str, Any], method: str) -> dict[str, Any]:
        """Choose the parameters for the model's `method`: all, or as metadata routing says."""
        if params and get_config()["enable_metadata_routing"]:
            return dict(process_routing(self, "fit", **params).estimator[method])
        return params

    def _fit_seed(self, seed: int) -> int | None:
        """Return the seed of fits; without a `random_state` they are as the model would have it."""
        return None if self.random_state is None else seed

    def _first_model(self, X: Any, y: Any, params: dict[str, Any], seed: int | None) -> Any:
        if self.prefit:
            check_is_fitted(self.estimator)
            return self.estimator
        if self.incremental:
            return self._increment(seeded_clone(self.estimator, seed), X, y, params, seed)
        return self._fitted_clone(X, y, params, seed)

    def _fitted_clone(self, X: Any, y: Any, params: dict[str, Any], seed: int | None) -> Any:
        model = seeded_clone(self.estimator, seed)
        with adapt(model).fitting(seed):
            return model.fit(X, y, **self._routed(params, "fit"))

    def _increment(
        self, model: Any, X: Any, y: Any, params: dict[str, Any], seed: int | None
    ) -> Any:
        """Teach a model more rows by its own ``partial_fit``; it is changed."""
        params = self._routed(params, "partial_fit")
        if is_classifier(model) and not hasattr(model, "classes_"):
            classes = np.unique(np.asarray(y)) if self.classes is None else self.classes
            params = {"classes": np.asarray(classes), **params}
        with adapt(model).fitting(seed):
            return model.partial_fit(X, y, **params)

    def _joined(self, X: Any, y: Any, params: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
        """Join new labeled rows, and their fit parameters, to those known."""
        known = self._labeled()
        if known is not None:
            check_same_features(known, X, ("the labeled rows", "X"))
            joined = _join_params(self._fit_params, n_rows(known), params, n_rows(X))
            return join_rows(known, X), _join_labels(self.y_labeled_, y), joined
        if self.incremental:
            return _copied(X, y, params)
        raise ValueError(
            "This prefit learner does not know the rows that its estimator was fitted on, and a "
            "refit on the new rows alone would forget them. Call fit with those rows first (the "
            "model is kept as it is), or set incremental=True."
        )

    def _keep(self, model: Any, X: Any, y: Any, params: dict[str, Any], seed: int) -> None:
        """Take over a new state, all of it at once, when nothing can fail any more."""
        self.estimator_, self.X_labeled_, self.y_labeled_ = model, X, y
        self._fit_params, self.seed_ = params, seed

    def _view(self, X_pool: Any, place: PoolIndex | None = None) -> PoolView:
        """Return a pool as the strategy may see it."""
        self._check_parts()
        X_pool, _ = check_rows(X_pool)
        known, fitted = self._labeled(), self.__sklearn_is_fitted__()
        if known is not None:
            check_same_features(known, X_pool, ("the labeled rows", "X_pool"))
        if not fitted and not can_start_cold(self._strategy()):
            raise NotFittedError(
                f"{type(self._strategy()).__name__} needs a fitted model. Call fit with some "
                "labeled rows, or choose the first rows by a strategy that can start cold: "
                f"{', '.join(_cold_starters())}."
            )
        n_known = 0 if known is None else n_rows(known)
        adapter = adapt(self._wrapped())
        if fitted:  # the strategy may have been set since
            check_needs(self._strategy(), adapter, refits=self._refits(n_known))
        y = getattr(self, "y_labeled_", None)
        source = Source(
            adapter=adapter,
            seed=derived_seed(self._seed(), n_known),
            run_seed=self._seed(),
            fitted=fitted,
            X_labeled=known,
            y_labeled=y,
            classes=check_classes(self.classes, y),
            embedder=self.embedder,
            refit=self._fantasy if fitted and self._refits(n_known) else None,
            refits_from_scratch=not self.incremental and not getattr(self, "_fit_params", {}),
        )
        return PoolView(X_pool, source, place=place)

    def _refits(self, n_known: int) -> bool:
        """Tell whether the model can be refitted with an imagined label."""
        return n_known > 0 and _extends(self._fit_params, n_known)

    def _fantasy(self, row: Any, label: Any) -> ModelAdapter:
        """Return the adapter of the model as one more labeled row would make it.

        Its fit is part of a query, so it is always seeded.
        """
        params = _extended(self._fit_params, n_rows(self.X_labeled_))
        if self.incremental:
            model = self._increment(deepcopy(self._fitted()), row, label, {}, self._seed())
        else:
            X, y = join_rows(self.X_labeled_, row), _join_labels(self.y_labeled_, label)
            model = self._fitted_clone(X, y, params, self._seed())
        return adapt(model)


def _cold_starters() -> list[str]:
    """Name the strategies that need no model."""
    found = [(name, getattr(strategies, name)) for name in strategies.__all__]
    cold = (
        name
        for name, kind in found
        if isinstance(kind.needs, frozenset) and not isabstract(kind) and can_start_cold(kind)
    )
    return sorted(cold, key=str.lower)


def _warn_if_frozen(model: Any) -> None:
    if adapt(model).frozen:
        warnings.warn(
            f"{type(model).__name__} is frozen: it predicts as before, and the new rows only count "
            "as labeled. Take the model out of its FrozenEstimator to teach it.",
            FrozenModelWarning,
            stacklevel=3,
        )


def _copied(X: Any, y: Any, params: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """Copy labeled rows and what comes with them; labels become an array."""
    n = n_rows(X)
    per_row = {name: np.array(value) for name, value in params.items() if is_per_row(value, n)}
    return take_rows(X, np.arange(n)), None if y is None else np.array(y), params | per_row


def _join_labels(known: Any, new: Any) -> NDArray[Any]:
    """Join labels that came in any container."""
    known, new = np.asarray(known), np.asarray(new)
    kinds = {known.dtype.kind, new.dtype.kind}
    if kinds & set("US") and kinds - set("USO"):
        raise ValueError(
            f"The labels known are of dtype {known.dtype}, the new ones of {new.dtype}: numbers "
            "and texts would make two classes of one. Pass labels of one kind."
        )
    return np.concatenate([known, new.reshape(-1, *known.shape[1:])])  # a column joins a list


def _join_params(
    known: dict[str, Any], n_known: int, new: dict[str, Any], n_new: int
) -> dict[str, Any]:
    """Join fit parameters that have one value a row; of others the newer holds."""
    per_row = {name for name, value in known.items() if is_per_row(value, n_known)}
    new_per_row = {name for name, value in new.items() if is_per_row(value, n_new)}
    for name in per_row ^ new_per_row:
        missing, given = ("teach", "fit") if name in per_row else ("fit", "teach")
        raise ValueError(
            f"{name} was given to {given} with one value a row, but not to {missing}: every "
            f"labeled row needs one. Pass {name} to both."
        )
    return {**known, **new} | {
        name: np.concatenate([np.asarray(known[name]), np.asarray(new[name])]) for name in per_row
    }


def _extends(params: dict[str, Any], n_known: int) -> bool:
    """Tell whether fit parameters have a meaning for one imagined row more."""
    per_row = {name for name, value in params.items() if is_per_row(value, n_known)}
    return per_row <= {"sample_weight"}


def _extended(params: dict[str, Any], n_known: int) -> dict[str, Any]:
    """Extend fit parameters by one imagined row, of weight 1."""
    return {
        name: np.append(np.asarray(value), 1.0) if is_per_row(value, n_known) else value
        for name, value in params.items()
    }
