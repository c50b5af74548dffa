"""Adapters for pipelines, searches, frozen estimators and Gaussian processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted, validate_data

from skactive._utils.array_types import Floats
from skactive._utils.seeding import seeded_clone
from skactive.adapters._base import FantasizedLogits, ModelAdapter, adapt, register
from skactive.exceptions import CapabilityError

__all__: list[str] = []


class WrapperAdapter(ModelAdapter):
    """Base of adapters for a model that wraps the model that predicts: delegates to its adapter."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.inner = adapt(self.inner_model)
        self.frozen = self.inner.frozen
        self.fixed_columns = self.inner.fixed_columns
        self.codes_only, self.code_type = self.inner.codes_only, self.inner.code_type
        self.joint_samples = self.inner.joint_samples

    @property
    def inner_model(self) -> Any:
        """The wrapped model, which predicts."""
        raise NotImplementedError

    @property
    def estimator_type(self) -> str | None:
        return self.inner.estimator_type

    @property
    def element(self) -> str | None:  # type: ignore[override]
        return self.inner.element

    @property
    def label_classes(self) -> list[NDArray[Any]] | None:
        return self.inner.label_classes

    @property
    def classes(self) -> NDArray[Any] | None:
        return self.inner.classes

    def provides(self, reading: str) -> bool:
        return self.inner.provides(reading)

    def prepare(self, X: Any) -> Any:
        return self.inner.prepare(X)

    def prepare_cold(self, X: Any, seed: int = 0) -> Callable[[Any], Any]:
        return self.inner.prepare_cold(X, seed)

    def proba(self, Z: Any) -> Floats:
        return self.inner.proba(Z)

    def decision(self, Z: Any) -> Floats:
        return self.inner.decision(Z)

    def prediction(self, Z: Any) -> NDArray[Any]:
        return self.inner.prediction(Z)

    def features(self, Z: Any) -> Any:
        return self.inner.features(Z)

    def n_draws(self, n_samples: int | None) -> int:
        return self.inner.n_draws(n_samples)

    def proba_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        return self.inner.proba_samples(Z, n_samples, seed)

    def prediction_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        return self.inner.prediction_samples(Z, n_samples, seed)

    def std(self, Z: Any, seed: int) -> Floats:
        return self.inner.std(Z, seed)

    @property
    def yields_draws(self) -> bool:  # type: ignore[override]
        return self.inner.yields_draws

    def iter_draws(self, Z: Any, n_samples: int | None, seed: int) -> Iterator[Any]:
        draw = getattr(self.inner, "iter_draws", self.inner.proba_samples)
        return iter(draw(Z, n_samples, seed))

    def read_elements(self, reading: str, Z: Any, n_samples: int | None, seed: int) -> Any:
        return self.inner.read_elements(reading, Z, n_samples, seed)

    def fitting(self, seed: int | None) -> AbstractContextManager[None]:
        return self.inner.fitting(seed)


@register(Pipeline)
class PipelineAdapter(WrapperAdapter):
    """A pipeline: its last step predicts, on the rows as the earlier steps transform them."""

    @property
    def inner_model(self) -> Any:
        return self.model.steps[-1][1]

    def transformers(self) -> list[Any]:
        """Return the steps before the last, without those that pass rows through."""
        steps = [step for _, step in self.model.steps[:-1]]
        return [step for step in steps if hasattr(step, "transform")]

    def prepare(self, X: Any) -> Any:
        for transformer in self.transformers():
            X = transformer.transform(X)
        return self.inner.prepare(X)

    def fantasized_logits(self, Z: Any, y: Any, rows: Any, targets: Any) -> FantasizedLogits | None:
        # A refit would also fit the other transformers to the new row.
        if not all(isinstance(step, FrozenEstimator) for step in self.transformers()):
            return None
        return self.inner.fantasized_logits(Z, y, rows, targets)

    def prepare_cold(self, X: Any, seed: int = 0) -> Callable[[Any], Any]:
        fitted = []
        for step in self.transformers():
            transformer = seeded_clone(step, seed)
            try:  # no tag says reliably whether a transformer needs labels
                if not isinstance(transformer, FrozenEstimator):
                    transformer.fit(X)
                X = transformer.transform(X)
            except (TypeError, ValueError) as error:
                raise CapabilityError(
                    f"The pipeline's {type(transformer).__name__} cannot be fitted on unlabeled "
                    f"rows ({error}): pass embedder= to the learner, or fit it on some labels."
                ) from error
            fitted.append(transformer)
        inner_features = self.inner.prepare_cold(X, seed)

        def compute_features(rows: Any) -> Any:
            for transformer in fitted:
                rows = transformer.transform(rows)
            return inner_features(rows)

        return compute_features


@register(GridSearchCV.__bases__[0])  # the base class of all searches is not public
class SearchAdapter(WrapperAdapter):
    """A search: its best estimator predicts; before the fit, the estimator to be tuned is read.

    With ``refit=False`` no fitted estimator is left: its features are the rows themselves.
    """

    @property
    def inner_model(self) -> Any:
        return getattr(self.model, "best_estimator_", self.model.estimator)

    def provides(self, reading: str) -> bool:
        if not self.model.refit:
            return reading in {"X", "embedding", "fantasize"}
        return self.inner.provides(reading)

    def prepare(self, X: Any) -> Any:
        return self.inner.prepare(X) if self.model.refit else X

    def features(self, Z: Any) -> Any:
        return self.inner.features(Z) if self.model.refit else Z


@register(FrozenEstimator)
class FrozenAdapter(WrapperAdapter):
    """A frozen estimator: the estimator in it predicts, and no fit changes it."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.frozen, self.codes_only = True, False

    @property
    def inner_model(self) -> Any:
        return self.model.estimator

    def prepare_cold(self, X: Any, seed: int = 0) -> Callable[[Any], Any]:
        try:
            check_is_fitted(self.model.estimator)
        except NotFittedError:
            return super().prepare_cold(X, seed)
        return lambda rows: self.inner.features(self.inner.prepare(rows))


@register(GaussianProcessClassifier)
class GaussianProcessAdapter(ModelAdapter):
    """A Gaussian process classifier: draws from its Laplace posterior, for each row alone.

    The draws of one row follow the posterior of its latent value. Draws of two rows share their
    random numbers, so they do not show how the rows depend on each other: the joint posterior of
    n rows would need an n x n matrix.
    """

    def provides(self, reading: str) -> bool:
        if reading == "proba_samples":
            return bool(self._list_binaries())
        if reading == "proba":
            return not self._votes_by_pairs()
        return super().provides(reading)

    def _votes_by_pairs(self) -> bool:
        """Return whether one against one decides: that combines decisions, not probabilities."""
        base = getattr(self.model, "base_estimator_", None)  # of three classes and more
        return hasattr(base, "estimators_") and self.model.multi_class != "one_vs_rest"

    def _list_binaries(self) -> list[Any]:
        """Return the binary processes: one, or one per class (one against the rest)."""
        if self._votes_by_pairs():
            return []
        base = getattr(self.model, "base_estimator_", None)
        binaries = getattr(base, "estimators_", [base])
        # Without a fit there is no posterior (no pi_).
        return binaries if all(hasattr(binary, "pi_") for binary in binaries) else []

    def n_draws(self, n_samples: int | None) -> int:
        return 100 if n_samples is None else n_samples

    def proba_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        random_state = np.random.RandomState(seed)
        n_draws = self.n_draws(n_samples)
        if self.model.kernel is None or self.model.kernel.requires_vector_input:
            Z = validate_data(self.model, Z, reset=False)
        # Evenly spaced quantiles follow the same law as random numbers, with less noise.
        quantiles = ndtri((np.arange(n_draws) + 0.5) / n_draws)
        draws = []
        for binary in self._list_binaries():
            mean, variance = _predict_latent(binary, Z)
            # Rounding may make the variance of a labeled row negative.
            deviation = np.sqrt(np.maximum(variance, 0.0))
            z = random_state.permutation(quantiles)
            draws.append(expit(mean + z[:, np.newaxis] * deviation))  # (n_draws, n_rows)
        if len(draws) == 1:
            return np.stack([1.0 - draws[0], draws[0]], axis=2)
        # One against the rest: (n_draws, n_rows, n_classes), normalized over the classes.
        samples = np.stack(draws, axis=2)
        return samples / samples.sum(axis=2, keepdims=True)


def _predict_latent(binary: Any, X: Any) -> tuple[Floats, Floats]:
    """Return mean and variance of the latent value, each (n_rows,) (GPML, algorithm 3.2)."""
    covariance = binary.kernel_(binary.X_train_, X)  # (n_labeled, n_rows)
    mean = covariance.T @ (binary.y_train_ - binary.pi_)
    # v as in GPML, (n_labeled, n_rows): the variance is k(x, x) - v^T v.
    v = np.linalg.solve(binary.L_, binary.W_sr_[:, np.newaxis] * covariance)
    return mean, binary.kernel_.diag(X) - np.einsum("ij,ij->j", v, v)
