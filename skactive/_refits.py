"""The fits of a learner: of its first model, of refits, and of refits with an imagined label."""

from __future__ import annotations

import warnings
from copy import deepcopy
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.exceptions import NotFittedError
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import check_is_fitted

from skactive._few_labels import FittedModel, fit_to_enough, list_known_classes
from skactive._fitting import fit_encoded, partial_fit_encoded
from skactive._labeled_rows import KeepsLabeledRows
from skactive._only_class import OnlyClass
from skactive._utils.fit_params import FitParams, can_extend_params, extend_params, take_params
from skactive._utils.labels import is_structured, join_labels
from skactive._utils.rows import join_rows, n_rows, take_rows
from skactive._utils.seeding import seeded_clone
from skactive.adapters import ModelAdapter, adapt
from skactive.exceptions import FrozenModelWarning

__all__ = ["FitsModels", "warn_if_frozen"]


class FitsModels(KeepsLabeledRows):
    """A mixin that fits clones of the learner's model to labeled rows."""

    def _get_estimator(self) -> Any:
        return getattr(self, "estimator_", self.estimator)

    def _get_fitted_estimator(self) -> Any:
        if self._is_waiting():
            if not self._knows_one_class():
                raise NotFittedError(self._waiting_text)
            return OnlyClass(self.waiting_classes_, self._waiting_text)
        check_is_fitted(self)
        return self._get_estimator()

    def _route_params(self, params: FitParams, method: str) -> FitParams:
        """Return the parameters for the model's `method`: all, or those that are routed to it."""
        if params and get_config()["enable_metadata_routing"]:
            return dict(process_routing(self, "fit", **params).estimator[method])
        return params

    def _choose_fit_seed(self, seed: int) -> int | None:
        """Return the seed of fits, or None (the model's own randomness) without `random_state`."""
        return None if self.random_state is None else seed

    def _fit_first_model(self, X: Any, y: Any, params: FitParams, seed: int | None) -> FittedModel:
        if self.prefit:
            check_is_fitted(self.estimator)
            return FittedModel(self.estimator, np.ones(n_rows(X), dtype=bool))
        return self._fit_model(X, y, params, seed)

    def _fit_model(self, X: Any, y: Any, params: FitParams, seed: int | None) -> FittedModel:
        """Fit a clone of the model to the labeled rows, or to those of which there are enough."""
        return fit_to_enough(
            lambda X, y, params: self._fit_clone(X, y, params, seed),
            X,
            y,
            params,
            classifies=self._classifies(),
            known=list_known_classes(self.estimator, self._get_declared_classes()),
        )

    def _fit_clone(self, X: Any, y: Any, params: FitParams, seed: int | None) -> Any:
        model = seeded_clone(self.estimator, seed)
        if self.incremental:
            return self._partial_fit_model(model, X, y, params, seed)
        with adapt(model).fitting(seed):
            return fit_encoded(
                model, X, y, self._route_params(params, "fit"), self._get_declared_classes()
            )

    def _partial_fit_model(
        self, model: Any, X: Any, y: Any, params: FitParams, seed: int | None
    ) -> Any:
        """Fit `model` to more rows by its own ``partial_fit``, in place."""
        params = self._route_params(params, "partial_fit")
        with adapt(model).fitting(seed):
            return partial_fit_encoded(model, X, y, params, self._get_declared_classes())

    def _can_refit(self, n_labeled: int) -> bool:
        """Return whether the model can be refitted with one imagined label."""
        if n_labeled == 0 or is_structured(self.y_labeled_):
            return False
        return can_extend_params(self._fit_params, n_labeled)

    def _fantasize(self, row: Any, label: Any) -> ModelAdapter:
        """Return the adapter of the model refitted with one more labeled row.

        The fit is part of a query, so it is always seeded.
        """
        seed = self._get_seed()
        if self.incremental:
            fitted = deepcopy(self._get_fitted_estimator())
            return adapt(self._partial_fit_model(fitted, row, label, {}, seed))
        used = np.flatnonzero(self._is_used)  # the label does not make others enough
        X = join_rows(take_rows(self.X_labeled_, used), row)
        y = join_labels(self.y_labeled_[used], label)
        params = take_params(self._fit_params, n_rows(self.X_labeled_), used)
        params = extend_params(params, len(used))
        try:
            return adapt(self._fit_clone(X, y, params, seed))
        except Exception:  # perhaps a class of this label alone, which then waits as in `teach`
            if (model := self._fit_model(X, y, params, seed).model) is None:
                raise
            return adapt(model)


def warn_if_frozen(model: Any) -> None:
    if adapt(model).frozen:
        warnings.warn(
            f"{type(model).__name__} is frozen: it predicts as before, and the new rows only count "
            "as labeled. To teach a model that is in a FrozenEstimator, take it out of there.",
            FrozenModelWarning,
            stacklevel=4,
        )
