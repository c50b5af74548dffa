"""Adapter for naive Bayes, whose refit with one more label has a closed form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from scipy import sparse
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.preprocessing import binarize
from sklearn.utils.validation import validate_data

from skactive._utils.array_types import Floats
from skactive.adapters._base import FantasizedLogits, ModelAdapter, register

__all__: list[str] = []

# The logits of a block of rows and targets stay in a core's cache, and so does, beside them, the
# block of targets that the matrix products read.
_LOGIT_BYTES, _TARGET_BYTES = 2**19, 2**22
_MIN_ALPHA = 1e-10  # below it scikit-learn warns, changes alpha or takes the logarithm of 0


@register(GaussianNB)
@register(MultinomialNB)
@register(BernoulliNB)
class NaiveBayesAdapter(ModelAdapter):
    """Naive Bayes, which fits each class by itself: a label changes the sums of one class only.

    In Gaussian naive Bayes a label also changes the smoothing term of all variances, a share of
    the largest variance of any feature.
    """

    def fantasized_logits(self, Z: Any, y: Any, rows: Any, targets: Any) -> FantasizedLogits | None:
        fit_class = _FITS.get(type(self.model))  # a subclass may fit in another way
        if fit_class is None or np.ndim(y) != 1:
            return None
        sparse_format = False if type(self.model) is GaussianNB else "csr"
        checks = {"reset": False, "dtype": np.float64, "accept_sparse": sparse_format}
        Z, rows, targets = (validate_data(self.model, X, **checks) for X in (Z, rows, targets))
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            fit = fit_class(self.model, Z, np.asarray(y))
            is_exact = fit.is_exact_for(rows, targets)
        return fit.fantasize(rows, targets) if is_exact else None


class _Fit(Protocol):
    """Naive Bayes fitted on the labeled rows, and on these and one more row."""

    def __init__(self, model: Any, X: Any, y: Any) -> None: ...

    def is_exact_for(self, rows: Any, targets: Any) -> bool:
        """Return whether the closed form holds: valid priors, finite logits; if not, refit."""

    def fantasize(self, rows: Any, targets: Any) -> FantasizedLogits:
        """Yield logits of the targets, (n_classes, n_block, n_some_targets), block by block."""


class _GaussianFit:
    """Gaussian naive Bayes fitted on the labeled rows, and on these and one more row.

    Squares are expanded around the mean of each class before the new label. The mean after it is at
    most one new standard deviation away, so nothing cancels, however narrow a class is.

    Parameters
    ----------
    model : GaussianNB
        Provides the hyper-parameters.
    X, y : ndarray
        The labeled rows.
    """

    def __init__(self, model: GaussianNB, X: Floats, y: Any) -> None:
        classes = [X[y == label] for label in np.unique(y)]
        # Of each class: (n_classes,), and twice (n_classes, n_dims).
        self._counts = np.array([len(members) for members in classes])
        self._means = np.array([members.mean(axis=0) for members in classes])
        self._variances = np.array([members.var(axis=0) for members in classes])
        # Of all labeled rows: (n_dims,) each.
        self._n, self._mean, self._variance = len(X), X.mean(axis=0), X.var(axis=0)
        self._smoothing = model.var_smoothing
        # Without and with one more label; counts are enough, since logits are up to a constant.
        priors = (self._counts, self._counts + 1) if model.priors is None else [model.priors] * 2
        self._priors = [np.asarray(prior, dtype=np.float64) for prior in priors]

    def is_exact_for(self, rows: Floats, targets: Floats) -> bool:
        if not _are_valid_priors(self._priors[0], self._counts):
            return False
        # Bounds the largest squared distance over the smallest variance in any logit.
        spread = sum(np.abs(part - self._mean).max() for part in (self._means, rows, targets))
        return bool(np.isfinite(spread**2 * targets.shape[1] / self._compute_smoothing(rows).min()))

    def fantasize(self, rows: Floats, targets: Floats) -> FantasizedLogits:
        n_classes, n_dims = self._means.shape
        n_targets = max(1, _TARGET_BYTES // (8 * n_classes * (2 * n_dims + 1)))
        for target_block in _iter_slices(len(targets), n_targets):
            terms = self._compute_terms(targets[target_block])
            n_rows = max(1, _LOGIT_BYTES // (8 * n_classes * terms.shape[2]))
            for block in _iter_slices(len(rows), n_rows):
                yield from _iter_labels(block, *self._compute_logits(rows[block], terms))

    def _compute_smoothing(self, rows: Floats) -> Floats:
        """Return the smoothing of the variances once each row is labeled, (n_rows,)."""
        # Variance of the n rows and one more: n / (n + 1) * (variance + (row - mean)^2 / (n + 1)).
        variances = np.square(rows - self._mean) / (self._n + 1)  # (n_rows, n_dims)
        variances += self._variance
        return self._smoothing * variances.max(axis=1) * self._n / (self._n + 1)

    def _compute_terms(self, targets: Floats) -> Floats:
        """Return the terms that logits are linear in, (n_classes, 2 n_dims + 1, n_targets).

        They are a constant, the squared distances to the class mean and the signed distances.
        """
        n_classes, n_dims = self._means.shape
        terms = np.ones((n_classes, 2 * n_dims + 1, len(targets)))
        np.subtract(targets.T, self._means[:, :, np.newaxis], out=terms[:, n_dims + 1 :])
        np.square(terms[:, n_dims + 1 :], out=terms[:, 1 : n_dims + 1])
        return terms

    def _compute_logits(self, rows: Floats, terms: Floats) -> tuple[Floats, Floats]:
        """Return logits without and with the new label, (n_classes, n_rows, n_targets) each."""
        n_dims, smoothing = rows.shape[1], self._compute_smoothing(rows)[:, np.newaxis]
        before, after = np.empty((2, len(terms), len(rows), terms.shape[2]))
        for column, (count, mean, variance) in enumerate(
            zip(self._counts, self._means, self._variances, strict=True)
        ):
            prior, new_prior = (np.log(priors[column]) for priors in self._priors)
            offset = rows - mean  # (n_rows, n_dims)
            step = offset / (count + 1)  # from the old mean to the new one
            new_variance = (variance + step * offset) * (count / (count + 1))
            # Without the new label the mean stays: the signed distances have weight 0.
            weights = _compute_gaussian_weights(np.zeros_like(step), variance + smoothing, prior)
            np.matmul(weights[:, : n_dims + 1], terms[column, : n_dims + 1], out=before[column])
            new_weights = _compute_gaussian_weights(step, new_variance + smoothing, new_prior)
            np.matmul(new_weights, terms[column], out=after[column])
        return before, after


def _compute_gaussian_weights(step: Floats, variance: Floats, prior: float) -> Floats:
    """Return the weights of the terms in the logit of a Gaussian, (n_rows, 2 n_dims + 1).

    `step`, (n_rows, n_dims), leads from the old mean, where squares are expanded, to the new one.
    """
    # With d = x - old mean and v = variance, the exponent is linear in the terms 1, d^2 and d:
    # -(d - step)^2 / (2 v) = -step^2 / (2 v) - d^2 / (2 v) + d step / v.
    precision = 1.0 / variance  # (n_rows, n_dims)
    constant = prior - 0.5 * (np.log(variance) + np.square(step) * precision).sum(axis=1)
    return np.column_stack([constant, -0.5 * precision, step * precision])


class _CountFit(ABC):
    """Naive Bayes whose logits are linear in the row, with weights that depend on sums.

    Parameters
    ----------
    model : MultinomialNB or BernoulliNB
        Provides the hyper-parameters.
    X, y : ndarray or CSR matrix, ndarray
        The labeled rows.
    """

    def __init__(self, model: Any, X: Any, y: Any) -> None:
        self._model, self._alpha = model, np.asarray(model.alpha, dtype=np.float64)
        classes = [self._preprocess(X[y == label]) for label in np.unique(y)]
        # (n_classes,) and (n_classes, n_dims)
        self._counts = np.array([members.shape[0] for members in classes])
        self._sums = np.array([np.asarray(members.sum(axis=0)).ravel() for members in classes])
        if model.class_prior is not None:
            priors = [model.class_prior] * 2
        elif model.fit_prior:
            priors = [self._counts, self._counts + 1]
        else:
            priors = [np.ones(len(classes))] * 2
        self._priors = [np.asarray(prior, dtype=np.float64) for prior in priors]

    def is_exact_for(self, rows: Any, targets: Any) -> bool:
        return (
            _are_valid_priors(self._priors[0], self._counts)
            and self._alpha.min() >= _MIN_ALPHA
            and rows.min() >= 0
        )

    def fantasize(self, rows: Any, targets: Any) -> FantasizedLogits:
        n_classes, n_dims = self._sums.shape
        n_targets = max(1, _LOGIT_BYTES // (32 * n_classes))
        for target_block in _iter_slices(targets.shape[0], n_targets):
            block_targets = self._preprocess(targets[target_block])
            # (n_classes, n_targets): the same for all rows
            before = self._compute_logits(self._sums, self._counts, self._priors[0], block_targets)
            n_rows = _LOGIT_BYTES // (8 * n_classes * block_targets.shape[0])
            n_rows = max(1, min(n_rows, _TARGET_BYTES // (8 * n_dims)))
            for block in _iter_slices(rows.shape[0], n_rows):
                new_rows = self._preprocess(rows[block])
                new_rows = new_rows.toarray() if sparse.issparse(new_rows) else new_rows
                # One set of sums per row: a list of (n_rows, n_targets), one per class.
                after = [
                    self._compute_logits(sums + new_rows, count + 1, prior, block_targets)
                    for sums, count, prior in zip(
                        self._sums, self._counts, self._priors[1], strict=True
                    )
                ]
                shape = n_classes, len(new_rows), block_targets.shape[0]
                yield from _iter_labels(
                    block, np.broadcast_to(before[:, np.newaxis], shape), np.array(after)
                )

    def _compute_logits(self, sums: Floats, counts: Any, priors: Any, targets: Any) -> Floats:
        """Return logits, (n_sets, n_targets), by `sums` of shape (n_sets, n_dims)."""
        weights, constants = self._compute_weights(sums, np.asarray(counts, dtype=np.float64))
        constants = constants + np.log(priors)
        logits: Floats = (targets @ weights.T).T
        return logits + constants[:, np.newaxis]

    def _preprocess(self, X: Any) -> Any:
        """Return rows as the model counts them."""
        return X

    @abstractmethod
    def _compute_weights(self, sums: Floats, counts: Floats) -> tuple[Floats, Floats]:
        """Return weights of the features, (n_sets, n_dims), and constants, (n_sets,)."""


class _MultinomialFit(_CountFit):
    def _compute_weights(self, sums: Floats, counts: Floats) -> tuple[Floats, Floats]:
        # log theta, where theta = smooth / total is the share of a feature in its class
        smooth = sums + self._alpha
        return np.log(smooth) - np.log(smooth.sum(axis=1, keepdims=True)), np.zeros(len(sums))


class _BernoulliFit(_CountFit):
    def is_exact_for(self, rows: Any, targets: Any) -> bool:
        # One alpha for all features; rows that are not binarized may hold any numbers.
        is_supported = self._alpha.ndim == 0 and self._model.binarize is not None
        return is_supported and super().is_exact_for(self._preprocess(rows), targets)

    def _preprocess(self, X: Any) -> Any:
        threshold = self._model.binarize
        return X if threshold is None else binarize(X, threshold=threshold)

    def _compute_weights(self, sums: Floats, counts: Floats) -> tuple[Floats, Floats]:
        counts = counts.reshape(-1, 1)
        # x log p + (1 - x) log(1 - p) = x (log p - log(1 - p)) + log(1 - p); the denominator of p
        # cancels in the weights.
        absent = np.log(counts - sums + self._alpha)
        constants = (absent - np.log(counts + 2 * self._alpha)).sum(axis=1)
        return np.log(sums + self._alpha) - absent, constants


_FITS: dict[type, type[_Fit]] = {
    GaussianNB: _GaussianFit,
    MultinomialNB: _MultinomialFit,
    BernoulliNB: _BernoulliFit,
}


def _are_valid_priors(priors: Floats, counts: Floats) -> bool:
    return priors.shape == counts.shape and bool((priors > 0).all())


def _iter_labels(block: slice, before: Floats, after: Floats) -> FantasizedLogits:
    """Yield the logits for each imagined label, which changes those of its own class only."""
    for column in range(len(before)):
        logits = before.copy()
        logits[column] = after[column]
        yield block, column, logits


def _iter_slices(n_rows: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, n_rows, size))
