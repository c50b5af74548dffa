"""Adapter for naive Bayes, which one more label changes in closed form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from scipy import sparse
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.preprocessing import binarize
from sklearn.utils.validation import validate_data

from skactive.adapters._base import Futures, ModelAdapter, Rows, register

__all__: list[str] = []

# Logits of a block of rows and targets stay in a core's cache; so do the targets as the matrix
# products take them, beside it.
_LOGIT_BYTES, _TARGET_BYTES = 2**19, 2**22
_LEAST_ALPHA = 1e-10  # below it scikit-learn warns, changes it or takes the logarithm of 0


@register(GaussianNB)
@register(MultinomialNB)
@register(BernoulliNB)
class NaiveBayesAdapter(ModelAdapter):
    """Naive Bayes fits each class apart, so that a label moves the sums of one class only.

    In Gaussian naive Bayes it also moves what is added to all variances, a share of the largest
    variance of all rows.
    """

    def fantasized_logits(self, Z: Any, y: Any, rows: Any, targets: Any) -> Futures | None:
        kind = _FITS.get(type(self.model))  # a subclass may fit in another way
        if kind is None or np.ndim(y) != 1:
            return None
        accepts = False if type(self.model) is GaussianNB else "csr"
        Z, rows, targets = (
            validate_data(self.model, part, reset=False, dtype=np.float64, accept_sparse=accepts)
            for part in (Z, rows, targets)
        )
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            fit = kind(self.model, Z, np.asarray(y))
            holds = fit.holds_for(rows, targets)
        return fit.futures(rows, targets) if holds else None


class _Fit(Protocol):
    """Naive Bayes on its labeled rows, and on these and one more."""

    def __init__(self, model: Any, X: Any, y: Any) -> None: ...

    def holds_for(self, rows: Any, targets: Any) -> bool:
        """Tell whether all is finite; where not, the refit shall say what it makes of it."""

    def futures(self, rows: Any, targets: Any) -> Futures:
        """Yield logits of the targets, (n_classes, n_block, n_targets), block by block."""


class _GaussianFit:
    """Gaussian naive Bayes on its labeled rows, and on these and one more.

    Squares are expanded around each class's mean before the new label. It is at most one new
    deviation away from the mean after it, so nothing cancels, however narrow a class is.

    Parameters
    ----------
    model : GaussianNB
        Has the hyper-parameters.
    X, y : ndarray
        The labeled rows.
    """

    def __init__(self, model: GaussianNB, X: Rows, y: Any) -> None:
        labels = np.unique(y)
        classes = [X[y == label] for label in labels]
        self._counts = np.array([len(members) for members in classes])
        self._means = np.array([members.mean(axis=0) for members in classes])
        self._variances = np.array([members.var(axis=0) for members in classes])
        self._n, self._mean, self._variance = len(X), X.mean(axis=0), X.var(axis=0)
        self._smoothing = model.var_smoothing
        priors = (self._counts, self._counts + 1) if model.priors is None else [model.priors] * 2
        self._priors = [np.asarray(prior, dtype=np.float64) for prior in priors]

    def holds_for(self, rows: Rows, targets: Rows) -> bool:
        if not _are_priors(self._priors[0], self._counts):
            return False
        reach = sum(np.abs(part - self._mean).max() for part in (self._means, rows, targets))
        return bool(np.isfinite(reach**2 * targets.shape[1] / self._added(rows).min()))

    def futures(self, rows: Rows, targets: Rows) -> Futures:
        n_classes, n_dims = self._means.shape
        n_targets = max(1, _TARGET_BYTES // (8 * n_classes * (2 * n_dims + 1)))
        for some in _blocks(len(targets), n_targets):
            parts = self._parts(targets[some])
            size = max(1, _LOGIT_BYTES // (8 * n_classes * parts.shape[2]))
            for block in _blocks(len(rows), size):
                yield from _each_label(block, *self._logits(rows[block], parts))

    def _added(self, rows: Rows) -> Rows:
        """Return what is added to the variances once each row is labeled, (n_rows,)."""
        moved = np.square(rows - self._mean) / (self._n + 1)
        moved += self._variance
        return self._smoothing * moved.max(axis=1) * self._n / (self._n + 1)

    def _parts(self, targets: Rows) -> Rows:
        """What logits are linear in: constant, squares, distances; (classes, parts, targets)."""
        n_classes, n_dims = self._means.shape
        parts = np.ones((n_classes, 2 * n_dims + 1, len(targets)))
        np.subtract(targets.T, self._means[:, :, np.newaxis], out=parts[:, n_dims + 1 :])
        np.square(parts[:, n_dims + 1 :], out=parts[:, 1 : n_dims + 1])
        return parts

    def _logits(self, rows: Rows, parts: Rows) -> tuple[Rows, Rows]:
        """Logits of each class, (n_classes, n_rows, n_targets), without and with the new label."""
        n_dims, added = rows.shape[1], self._added(rows)[:, np.newaxis]
        before, after = np.empty((2, len(parts), len(rows), parts.shape[2]))
        for column, (count, mean, variance) in enumerate(
            zip(self._counts, self._means, self._variances, strict=True)
        ):
            prior, new_prior = (np.log(priors[column]) for priors in self._priors)
            way = rows - mean
            step = way / (count + 1)
            narrowed = (variance + step * way) * (count / (count + 1))
            weights = _weights(np.zeros_like(step), variance + added, prior)[:, : n_dims + 1]
            np.matmul(weights, parts[column, : n_dims + 1], out=before[column])
            new_weights = _weights(step, narrowed + added, new_prior)
            np.matmul(new_weights, parts[column], out=after[column])
        return before, after


def _weights(step: Rows, variance: Rows, prior: float) -> Rows:
    """Return weights of the parts in the logit of a Gaussian that is a step off the old mean."""
    precision = 1.0 / variance
    constant = prior - 0.5 * (np.log(variance) + np.square(step) * precision).sum(axis=1)
    return np.column_stack([constant, -0.5 * precision, step * precision])


class _CountFit(ABC):
    """Naive Bayes whose logits are linear in the row, with weights that are made of sums.

    Parameters
    ----------
    model : MultinomialNB or BernoulliNB
        Has the hyper-parameters.
    X, y : ndarray or CSR matrix, ndarray
        The labeled rows.
    """

    def __init__(self, model: Any, X: Any, y: Any) -> None:
        self._model, self._alpha = model, np.asarray(model.alpha, dtype=np.float64)
        classes = [self._seen(X[y == label]) for label in np.unique(y)]
        self._counts = np.array([members.shape[0] for members in classes])
        self._sums = np.array([np.asarray(part.sum(axis=0)).ravel() for part in classes])
        if model.class_prior is not None:
            priors = [model.class_prior] * 2
        elif model.fit_prior:
            priors = [self._counts, self._counts + 1]
        else:
            priors = [np.ones(len(classes))] * 2
        self._priors = [np.asarray(prior, dtype=np.float64) for prior in priors]

    def holds_for(self, rows: Any, targets: Any) -> bool:
        return (
            _are_priors(self._priors[0], self._counts)
            and self._alpha.min() >= _LEAST_ALPHA
            and rows.min() >= 0
        )

    def futures(self, rows: Any, targets: Any) -> Futures:
        n_classes, n_dims = self._sums.shape
        for some in _blocks(targets.shape[0], max(1, _LOGIT_BYTES // (32 * n_classes))):
            parts = self._seen(targets[some])
            before = self._logits(self._sums, self._counts, self._priors[0], parts)
            size = _LOGIT_BYTES // (8 * n_classes * parts.shape[0])
            for block in _blocks(rows.shape[0], max(1, min(size, _TARGET_BYTES // (8 * n_dims)))):
                new = self._seen(rows[block])
                new = new.toarray() if sparse.issparse(new) else new
                after = [
                    self._logits(sums + new, count + 1, prior, parts)
                    for sums, count, prior in zip(
                        self._sums, self._counts, self._priors[1], strict=True
                    )
                ]
                shape = n_classes, len(new), parts.shape[0]
                yield from _each_label(
                    block, np.broadcast_to(before[:, np.newaxis], shape), np.array(after)
                )

    def _logits(self, sums: Rows, counts: Any, priors: Any, targets: Any) -> Rows:
        """Logits by some sums, one set a row, (n_rows, n_targets)."""
        weights, constants = self._weights(sums, np.asarray(counts, dtype=np.float64))
        constants = constants + np.log(priors)
        logits: Rows = (targets @ weights.T).T
        return logits + constants[:, np.newaxis]

    def _seen(self, X: Any) -> Any:
        """Return what the model sees of rows."""
        return X

    @abstractmethod
    def _weights(self, sums: Rows, counts: Rows) -> tuple[Rows, Rows]:
        """Return the weights of the features, and what does not depend on them."""


class _MultinomialFit(_CountFit):
    def _weights(self, sums: Rows, counts: Rows) -> tuple[Rows, Rows]:
        smooth = sums + self._alpha
        return np.log(smooth) - np.log(smooth.sum(axis=1, keepdims=True)), np.zeros(len(sums))


class _BernoulliFit(_CountFit):
    def holds_for(self, rows: Any, targets: Any) -> bool:
        # One smoothing for all features; numbers that are not made binary may be anything.
        simple = self._alpha.ndim == 0 and self._model.binarize is not None
        return simple and super().holds_for(self._seen(rows), targets)

    def _seen(self, X: Any) -> Any:
        threshold = self._model.binarize
        return X if threshold is None else binarize(X, threshold=threshold)

    def _weights(self, sums: Rows, counts: Rows) -> tuple[Rows, Rows]:
        counts = counts.reshape(-1, 1)
        absent = np.log(counts - sums + self._alpha)
        constants = (absent - np.log(counts + 2 * self._alpha)).sum(axis=1)
        return np.log(sums + self._alpha) - absent, constants


_FITS: dict[type, type[_Fit]] = {
    GaussianNB: _GaussianFit,
    MultinomialNB: _MultinomialFit,
    BernoulliNB: _BernoulliFit,
}


def _are_priors(priors: Rows, counts: Rows) -> bool:
    return priors.shape == counts.shape and bool((priors > 0).all())


def _each_label(block: slice, before: Rows, after: Rows) -> Futures:
    """Yield the logits for each label, of which each changes its own class's."""
    for column in range(len(before)):
        logits = before.copy()
        logits[column] = after[column]
        yield block, column, logits


def _blocks(n_rows: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, n_rows, size))
