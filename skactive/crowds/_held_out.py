"""Probabilities by models that have not learned from the labels of the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive._utils.rows import n_rows, take_rows
from skactive._utils.seeding import seeded_clone

__all__ = ["predict_held_out"]

Codes = NDArray[np.intp]


def predict_held_out(
    estimator: Any, X: Any, rows: Codes, codes: Codes, n_classes: int, *, n_folds: int, seed: int
) -> Floats:
    """Predict labeled rows by models that have not learned from them, and others by all of these.

    Parameters
    ----------
    estimator : classifier with ``predict_proba``
        The model; it is cloned.
    X : rows in any container
        All rows.
    rows : ndarray of int of shape (n_labeled,)
        The labeled rows.
    codes : ndarray of int of shape (n_labeled,)
        Codes of their labels.
    n_classes : int
        Number of classes, of which some may have no row.
    n_folds : int
        Number of folds, in which classes are equally frequent.
    seed : int
        Seed of the folds and of the models.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        Of rows without a label, the mean over the models. Where the rest of the labels is of one
        class, the shares of the classes.
    """
    n = n_rows(X)
    others = np.setdiff1d(np.arange(n), rows)
    n_folds = min(n_folds, len(rows))
    fold = _draw_folds(codes, n_folds, seed)
    proba = np.zeros((n, n_classes))
    for k in range(n_folds):
        learned, held = rows[fold != k], rows[fold == k]
        known = codes[fold != k]
        if len(np.unique(known)) < 2:
            shares = (np.bincount(known, minlength=n_classes) + 1 / n_classes) / (len(known) + 1)
            proba[held] = shares
            proba[others] += shares / n_folds
            continue
        model = seeded_clone(estimator, seed)
        model.fit(take_rows(X, learned), known)
        columns = np.asarray(model.classes_, dtype=np.intp)
        both = np.concatenate([held, others])
        predicted = np.zeros((len(both), n_classes))
        predicted[:, columns] = model.predict_proba(take_rows(X, both))
        proba[held] = predicted[: len(held)]
        proba[others] += predicted[len(held) :] / n_folds
    return proba


def _draw_folds(codes: Codes, n_folds: int, seed: int) -> Codes:
    """Draw the fold of each label, so that each class is in all folds alike, (n_labeled,)."""
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(codes)), codes))
    fold = np.empty(len(codes), dtype=np.intp)
    fold[order] = np.arange(len(codes)) % n_folds
    return fold
