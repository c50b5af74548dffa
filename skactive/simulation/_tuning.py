"""Searches over hyper-parameters in a campaign: when to search, and what to fit in between."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone

from skactive._utils.labels import is_structured, read_labels
from skactive._utils.rows import n_rows
from skactive._utils.tags import is_classifier

__all__ = ["Tuner"]


class Tuner:
    """Fit the learner's search after enough new labels, and its best estimator in between."""

    def __init__(self, learner: Any, every: int) -> None:
        if learner.incremental or learner.prefit:
            raise ValueError(
                "retune_every needs a learner that refits: set incremental=False and prefit=False, "
                "or leave retune_every=None."
            )
        self.learner, self.search = learner, learner.estimator
        self.every = every
        self.best = getattr(self.search, "estimator", None)  # until the first search
        self.best_params: dict[str, Any] | None = None
        self.searched_at: int | None = None  # number of labels at the last search
        self.tuned = False  # whether the present round searched

    def fit(self, X: Any, y: Any, **params: Any) -> None:
        """Fit the learner, by a search if one is due and possible."""
        n = n_rows(y)
        due = self.searched_at is None or n - self.searched_at >= self.every
        # Without an estimator to fit instead, run the search and let it raise.
        self.tuned = due and (self.best is None or _can_split(self.search, y))
        if self.tuned:
            self.learner.set_params(estimator=self.search)._fit(X, y, params)
            self.tuned = hasattr(self.learner, "estimator_")  # not if the labels are too few for it
            if self.tuned:
                self._adopt_best(self.learner.estimator_, n)
        else:
            # Only the splits of the search take groups.
            params = {name: value for name, value in params.items() if name != "groups"}
            self.learner.set_params(estimator=self.best)._fit(X, y, params)

    def _adopt_best(self, search: Any, n_labels: int) -> None:
        """Make the best estimator of a fitted search the learner's, until the next search."""
        if not hasattr(search, "best_estimator_"):
            raise ValueError(
                "retune_every needs a learner whose estimator is a search that has best_estimator_ "
                f"after its fit (GridSearchCV with refit=True), got {self.search!r}."
            )
        self.best, self.best_params = clone(search.best_estimator_), search.best_params_
        self.searched_at = n_labels
        # Queries that imagine labels refit the best estimator, not the search.
        self.learner.set_params(estimator=self.best)
        best = search.best_estimator_
        self.learner.estimator_ = search.wrap(best) if hasattr(search, "wrap") else best


def _can_split(search: Any, y: Any) -> bool:
    """Return whether there are enough labels for the folds of a search."""
    from sklearn import model_selection as ms  # late: it takes a tenth of a second

    cv = getattr(search, "cv", 0)
    if not (cv is None or hasattr(cv, "split") or (isinstance(cv, Integral) and int(cv) > 1)):
        return True  # other splits and searches do not say how many labels they need
    labels = read_labels(y, search)
    classifies = is_classifier(search) and labels.ndim < 3 and not is_structured(labels)
    splitter = ms.check_cv(cv, labels, classifier=classifies)
    if isinstance(splitter, ms.BaseShuffleSplit):
        return True  # it may make more splits than there are rows
    cv_params = getattr(splitter, "cvargs", {})  # of repeated splits
    n_folds = int(getattr(splitter, "n_splits", cv_params.get("n_splits", 0)))
    stratified = ms.StratifiedKFold, ms.StratifiedGroupKFold, ms.RepeatedStratifiedKFold
    if not isinstance(splitter, stratified):
        return len(labels) >= n_folds
    return int(np.unique(labels, return_counts=True)[1].max()) >= n_folds
