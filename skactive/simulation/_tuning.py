"""Searches over hyper-parameters in a campaign: when they are due, and what holds in between."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier

from skactive._utils.rows import n_rows

__all__ = ["Tuner"]


class Tuner:
    """Fits the learner's search when enough labels came, and in between what it found best."""

    def __init__(self, learner: Any, every: int) -> None:
        if learner.incremental or learner.prefit:
            raise ValueError(
                "retune_every needs a learner that refits: set incremental=False and prefit=False, "
                "or leave retune_every=None."
            )
        self.learner, self.search = learner, learner.estimator
        self.every = every
        self.best = getattr(self.search, "estimator", None)  # until there is one that was found
        self.best_params: dict[str, Any] | None = None
        self.searched_at: int | None = None  # labels
        self.tuned = False  # in this round

    def fit(self, X: Any, y: Any, **params: Any) -> None:
        """Fit the learner, by a search if one is due and possible."""
        n = n_rows(y)
        due = self.searched_at is None or n - self.searched_at >= self.every
        # With nothing to fit in its stead the search is tried: it says what it lacks.
        self.tuned = due and (self.best is None or _can_split(self.search, y))
        if self.tuned:
            self.learner.set_params(estimator=self.search).fit(X, y, **params)
            self._keep(self.learner.estimator_, n)
        else:
            params.pop("groups", None)  # is for the search's splits
            self.learner.set_params(estimator=self.best).fit(X, y, **params)

    def _keep(self, found: Any, n: int) -> None:
        if not hasattr(found, "best_estimator_"):
            raise ValueError(
                "retune_every needs a learner whose estimator is a search that has best_estimator_ "
                f"after its fit (GridSearchCV with refit=True), got {self.search!r}."
            )
        self.best, self.best_params = clone(found.best_estimator_), found.best_params_
        self.searched_at = n
        # From here on the learner is one of the model found: queries that imagine labels refit it.
        self.learner.set_params(estimator=self.best)
        self.learner.estimator_ = found.best_estimator_


def _can_split(search: Any, y: Any) -> bool:
    """Tell whether there are labels enough for the folds of a search."""
    from sklearn import model_selection as ms  # late: it takes a tenth of a second

    cv = getattr(search, "cv", 0)
    if not (cv is None or hasattr(cv, "split") or (isinstance(cv, Integral) and int(cv) > 1)):
        return True  # of other splits, and other searches, nothing is known
    splitter, labels = ms.check_cv(cv, y, classifier=is_classifier(search)), np.asarray(y)
    if isinstance(splitter, ms.BaseShuffleSplit):
        return True  # its splits may be more than the rows
    repeated = getattr(splitter, "cvargs", {})
    n_folds = int(getattr(splitter, "n_splits", repeated.get("n_splits", 0)))
    stratified = ms.StratifiedKFold, ms.StratifiedGroupKFold, ms.RepeatedStratifiedKFold
    most = np.unique(labels, return_counts=True)[1].max()
    return int(most if isinstance(splitter, stratified) else len(labels)) >= n_folds
