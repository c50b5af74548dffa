"""Adapters for regressors that know their uncertainty: Gaussian processes, Bayesian linear models.

And for those that wrap them: several outputs, and transformed targets.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import ARDRegression, BayesianRidge, LinearRegression
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils.validation import check_is_fitted, validate_data

from skactive._utils.array_types import Floats
from skactive._utils.compat import get_target_scale
from skactive._utils.predictions import flatten_numbers
from skactive.adapters._base import ModelAdapter, adapt, register
from skactive.adapters._sklearn import WrapperAdapter

__all__ = ["NormalAdapter"]


class NormalAdapter(ModelAdapter):
    """A regressor with ``predict(X, return_std=True)``: normal draws, for each row alone.

    Draws of two rows share their random numbers, so they do not show how the rows depend on each
    other: the joint posterior of n rows would need an n x n matrix.
    """

    def provides(self, reading: str) -> bool:
        if reading == "prediction_samples":
            return self.estimator_type in {"regressor", None} and self._is_fitted()
        return super().provides(reading)

    def _is_fitted(self) -> bool:
        try:
            check_is_fitted(self.model)
        except NotFittedError:
            return False
        return True

    def prediction(self, Z: Any) -> NDArray[Any]:
        return flatten_numbers(self.model.predict(Z))

    def n_draws(self, n_samples: int | None) -> int:
        return 100 if n_samples is None else n_samples

    def std(self, Z: Any, seed: int) -> Floats:
        return flatten_numbers(self.model.predict(Z, return_std=True)[1])

    def prediction_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        mean, std = self.prediction(Z), self.std(Z, seed)
        z = _draw_normal(self.n_draws(n_samples), mean.shape[1:], seed)
        return mean + z[:, np.newaxis] * std  # (n_draws, n_rows) or (n_draws, n_rows, n_outputs)


def _draw_normal(n_draws: int, shape: tuple[int, ...], seed: int) -> Floats:
    """Draw normal numbers, (n_draws, *shape), one in each part of equal probability.

    They follow the same law as independent numbers, with less noise.
    """
    random_state = np.random.RandomState(seed)
    columns = []
    for _ in range(int(np.prod(shape))):
        strata = random_state.permutation(n_draws)
        columns.append(ndtri((strata + random_state.uniform(1e-9, 1.0, n_draws)) / n_draws))
    return np.stack(columns, axis=1).reshape(n_draws, *shape)


@register(GaussianProcessRegressor)
class GaussianProcessRegressorAdapter(NormalAdapter):
    """A Gaussian process; its deviation is that of the function, without the noise of labels.

    The noise of a ``WhiteKernel`` is part of the deviation that ``predict`` returns. It is the
    same for all rows, and no label reduces it.
    """

    def _is_fitted(self) -> bool:
        return hasattr(self.model, "X_train_")  # without it, the prior predicts

    def std(self, Z: Any, seed: int) -> Floats:
        with warnings.catch_warnings():  # rounding at labeled rows
            warnings.filterwarnings("ignore", message="Predicted variances smaller than 0")
            std = super().std(Z, seed)
        kernel, row = self.model.kernel_, self.model.X_train_[:1]
        # White noise is on the diagonal only, which a kernel of two sets of rows does not have.
        noise = (kernel.diag(row) - kernel(row, row)[0]) * np.square(get_target_scale(self.model))
        return np.sqrt(np.maximum(np.square(std) - noise, 0.0))


@register(ARDRegression)
@register(BayesianRidge)
class BayesianLinearAdapter(NormalAdapter):
    """A Bayesian linear model: joint draws of its coefficients, without the noise of labels.

    The intercept is fixed where the columns have their means, as in the model's own deviation.
    """

    joint_samples = True

    def std(self, Z: Any, seed: int) -> Floats:
        return np.linalg.norm(self._center(Z) @ self._root(), axis=1)

    def prediction_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        root = self._root()
        z = np.random.RandomState(seed).normal(size=(self.n_draws(n_samples), root.shape[1]))
        return self.prediction(Z) + z @ (self._center(Z) @ root).T  # (n_draws, n_rows)

    def _center(self, Z: Any) -> Floats:
        """Return the columns that have coefficients, less their means, (n_rows, n_kept)."""
        model = self.model
        centered = validate_data(model, Z, reset=False) - model.X_offset_
        if isinstance(model, ARDRegression):
            centered = centered[:, model.lambda_ < model.threshold_lambda]
        return centered

    def _root(self) -> Floats:
        """Return a root of the covariance of the coefficients, (n_kept, n_kept)."""
        eigenvalues, vectors = np.linalg.eigh(self.model.sigma_)
        return vectors * np.sqrt(np.maximum(eigenvalues, 0.0))


@register(TransformedTargetRegressor)
class TransformedTargetAdapter(WrapperAdapter):
    """A regressor of transformed targets: its draws are transformed back."""

    @property
    def inner_model(self) -> Any:
        model = self.model
        regressor = LinearRegression() if model.regressor is None else model.regressor
        return getattr(model, "regressor_", regressor)

    def prediction(self, Z: Any) -> NDArray[Any]:
        return self._invert(self.inner.prediction(Z))

    def provides(self, reading: str) -> bool:
        if reading == "std":  # not the deviation of the transformed target
            return self.provides("prediction_samples")
        return super().provides(reading)

    def prediction_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        return np.stack(
            [self._invert(draw) for draw in self.inner.prediction_samples(Z, n_samples, seed)]
        )

    std = ModelAdapter.std

    def _invert(self, numbers: Any) -> Floats:
        numbers = np.asarray(numbers)
        columns = numbers[:, np.newaxis] if numbers.ndim == 1 else numbers
        return flatten_numbers(self.model.transformer_.inverse_transform(columns))


@register(MultiOutputRegressor)
class MultiOutputAdapter(ModelAdapter):
    """A regressor per output, on the same rows."""

    def provides(self, reading: str) -> bool:
        if reading in {"std", "prediction_samples"}:
            adapters = self._adapters()
            return bool(adapters) and all(each.provides(reading) for each in adapters)
        return super().provides(reading)

    def _adapters(self) -> list[ModelAdapter]:
        return [adapt(member) for member in getattr(self.model, "estimators_", [])]

    def n_draws(self, n_samples: int | None) -> int:
        return min((each.n_draws(n_samples) for each in self._adapters()), default=0)

    def std(self, Z: Any, seed: int) -> Floats:
        outputs = [each.std(each.prepare(Z), seed) for each in self._adapters()]
        return np.stack(outputs, axis=-1)  # (n_rows, n_outputs)

    def prediction_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        draw = partial(self._draw_output, Z, self.n_draws(n_samples))
        seeds = np.random.RandomState(seed).randint(2**31, size=len(self.model.estimators_))
        outputs = [draw(*pair) for pair in zip(self._adapters(), seeds.tolist(), strict=True)]
        return np.stack(outputs, axis=-1)  # (n_draws, n_rows, n_outputs)

    def _draw_output(self, Z: Any, n_draws: int, adapter: ModelAdapter, seed: int) -> Floats:
        return adapter.prediction_samples(adapter.prepare(Z), n_draws, seed)
