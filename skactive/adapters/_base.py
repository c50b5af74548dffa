"""The adapter interface, and the dispatch from a model to the adapter that knows its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import singledispatch
from importlib import import_module
from inspect import signature
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive._utils.predictions import flatten_labels, flatten_numbers
from skactive._utils.tags import find_estimator_type
from skactive.adapters._label_classes import find_label_classes

__all__ = ["ModelAdapter", "adapt", "register"]

# Blocks of imagined predictions: rows, column of the imagined label, logits of the targets.
FantasizedLogits = Iterator[tuple[slice, int, Floats]]
Adapter = TypeVar("Adapter", bound="Callable[[Any], ModelAdapter]")


class ModelAdapter:
    """Base class of adapters, which read a model; right for any scikit-learn classifier.

    An adapter is the only code that knows one kind of model. Subclass it, override what this kind
    does differently and :func:`register` the subclass.

    Parameters
    ----------
    model : estimator
        The model to read. If it is not fitted, only `prepare_cold` is called.

    Attributes
    ----------
    frozen : bool
        Whether fitting does not change the model.
    fixed_columns : bool
        Whether the columns of probability are fixed by the model's shape (a net's output layer)
        and not by the classes among the labels.
    codes_only : bool
        Whether fitting takes the labels 0 .. n_classes - 1 only, so that others are encoded.
    code_type : type or None
        The floating-point type that these labels must have; None if they are integers.
    element : str or None
        Kind of the elements that each row has, of which the model predicts each: "label", "token",
        "pixel", "box", "region" or "hypothesis". None if it predicts one label per row.
    joint_samples : bool
        Whether one draw of `proba_samples` is one function of the whole pool, so that the draws
        show how the predictions of two rows depend on each other. Draws that are valid for each
        row alone are enough for BALD but not for EPIG.

    Notes
    -----
    Every method takes rows `Z` as `prepare` returned them, so that work that several readings
    share (the transformers of a pipeline) is done once.
    """

    frozen = False
    fixed_columns = False
    codes_only = False
    code_type: type[np.floating[Any]] | None = None
    element: str | None = None
    joint_samples = False
    yields_draws = False

    def __init__(self, model: Any) -> None:
        self.model = model

    @property
    def estimator_type(self) -> str | None:
        """Type of the model by its tags, such as "classifier" or "regressor"; None if unknown."""
        return find_estimator_type(self.model)

    @property
    def label_classes(self) -> list[NDArray[Any]] | None:
        """Classes of each label, if the fitted model predicts several per row; else None."""
        return find_label_classes(self.model)

    @property
    def classes(self) -> NDArray[Any] | None:
        """Classes of the model, shape (n_model_classes,), one per column; None if it has none."""
        classes = getattr(self.model, "classes_", None)
        return None if classes is None or self.label_classes else np.asarray(classes)

    def provides(self, reading: str) -> bool:
        """Return whether the model provides `reading` (a name that strategies put in `needs`)."""
        if reading in {"proba", "decision"}:
            # A regressor may inherit `predict_proba`, and an outlier detector has a decision: what
            # a model is comes from its tags.
            return self.estimator_type in {"classifier", None} and self._reads_classes(reading)
        if reading == "prediction":
            return hasattr(self.model, "predict")
        if reading == "gradient_factors":
            return self.provides("proba")
        if reading == "joint_samples":
            return self.joint_samples and self.provides("proba_samples")
        if reading == "std":
            return self.provides("prediction_samples")
        return reading in {"X", "embedding", "fantasize"}

    def _reads_classes(self, reading: str) -> bool:
        """Return whether the model has a method that gives a column per class."""
        if reading == "proba":
            return hasattr(self.model, "predict_proba")
        return hasattr(self.model, "decision_function") and not decides_by_pairs(self.model)

    def prepare(self, X: Any) -> Any:
        """Do the work that all readings share, once; by default nothing."""
        return X

    def prepare_cold(self, X: Any, seed: int = 0) -> Callable[[Any], Any]:
        """Return a map from rows to features, learned from unlabeled rows `X` (cold start)."""
        return lambda rows: rows

    def proba(self, Z: Any) -> Floats:
        """Probabilities, shape (n_rows, n_model_classes)."""
        return self.model.predict_proba(Z)

    def decision(self, Z: Any) -> Floats:
        """Values of the decision function, shape (n_rows,) or (n_rows, n_model_classes)."""
        return self.model.decision_function(Z)

    def prediction(self, Z: Any) -> NDArray[Any]:
        """Predictions, shape (n_rows,): labels of a classifier, numbers of a regressor.

        Of several outputs, shape (n_rows, n_outputs).
        """
        predicted = flatten_labels(self.model.predict(Z), self.model)
        return flatten_numbers(predicted) if self.estimator_type == "regressor" else predicted

    def features(self, Z: Any) -> Any:
        """Input of the model's last layer, shape (n_rows, ...): by default the rows."""
        return Z

    def n_draws(self, n_samples: int | None) -> int:
        """Return the number of draws that `proba_samples` returns for `n_samples`."""
        return 20 if n_samples is None else n_samples

    def proba_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        """Draw probabilities from the model's posterior, shape (n_draws, n_rows, n_classes).

        A draw depends on `seed` and on the row, not on which other rows are passed with it.
        """
        raise NotImplementedError

    def prediction_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        """Draw predictions of numbers from the posterior, shape (n_draws, n_rows).

        A model of several outputs gives shape (n_draws, n_rows, n_outputs). As in
        `proba_samples`, a draw depends on `seed` and on the row alone.
        """
        raise NotImplementedError

    def std(self, Z: Any, seed: int) -> Floats:
        """Standard deviation of the predictions of numbers, shape (n_rows,) or (n_rows, n_outputs).

        By default that of `prediction_samples`.
        """
        return np.std(self.prediction_samples(Z, None, seed), axis=0)

    def read_elements(self, reading: str, Z: Any, n_samples: int | None, seed: int) -> Any:
        """Make a reading of the elements of each row; see :class:`StructuredAdapter`."""
        raise NotImplementedError

    def fantasized_logits(self, Z: Any, y: Any, rows: Any, targets: Any) -> FantasizedLogits | None:
        """Predict targets for every imagined label of every row, without a refit.

        For models whose refit on the labeled rows `Z`, with labels `y`, and one more row has an
        exact closed form.

        Returns
        -------
        iterator of (slice, int, ndarray of shape (n_classes, n_block, n_some_targets)), or None
            For each block of rows, each class (its column among the sorted labels in `y`) and
            each block of targets: the slice of rows, the column, and the logarithms of the
            probabilities, up to a constant for each row and target. The caller may change the
            arrays in place. None (the default) if there is no closed form.
        """
        return None

    def fitting(self, seed: int | None) -> AbstractContextManager[None]:
        """Return a context manager to fit the model in, for models that draw from global state."""
        return nullcontext()


# Attributes by which meta-estimators (RFE, stacks, bagging) hold the model that decides.
_DECIDING_MODELS = ("best_estimator_", "estimator_", "final_estimator_")


def decides_by_pairs(model: Any) -> bool:
    """Return whether a decision function has one column per pair of classes, not one per class."""
    if hasattr(model, "decision_function_shape"):
        return bool(model.decision_function_shape == "ovo")
    if hasattr(model, "steps"):  # a pipeline
        return decides_by_pairs(model.steps[-1][1])
    inner = (getattr(model, name, None) for name in _DECIDING_MODELS)
    return any(decides_by_pairs(each) for each in inner if each is not None)


@singledispatch
def _adapt(model: Any) -> ModelAdapter:
    if hasattr(model, "predict_marginals"):
        return import_module("skactive.adapters._marginals").MarginalsAdapter(model)
    if _returns_std(model):
        return import_module("skactive.adapters._regressors").NormalAdapter(model)
    return ModelAdapter(model)


def _returns_std(model: Any) -> bool:
    """Return whether ``predict`` takes ``return_std``, by its signature."""
    try:
        return "return_std" in signature(model.predict).parameters
    except (AttributeError, TypeError, ValueError):  # no such method, or one without a signature
        return False


# Package of a kind of model -> module of its adapter, which is imported with the first such model:
# importing skactive does not import torch, skorch or the parts of scikit-learn that are not used.
_LAZY_ADAPTERS = {
    "skorch": "skactive.adapters._skorch_elements",  # which imports _skorch
    "sklearn.calibration": "skactive.adapters._ensemble",
    "sklearn.compose": "skactive.adapters._regressors",
    "sklearn.ensemble": "skactive.adapters._ensemble",
    "sklearn.frozen": "skactive.adapters._sklearn",
    "sklearn.gaussian_process": "skactive.adapters._regressors",  # which imports _sklearn
    "sklearn.linear_model": "skactive.adapters._regressors",
    "sklearn.model_selection": "skactive.adapters._sklearn",
    "sklearn.multioutput": "skactive.adapters._regressors",
    "sklearn.naive_bayes": "skactive.adapters._naive_bayes",
    "sklearn.pipeline": "skactive.adapters._sklearn",
    "xgboost": "skactive.adapters._xgboost",
}


def adapt(model: Any) -> ModelAdapter:
    """Return the adapter that knows how to read `model`.

    Parameters
    ----------
    model : estimator
        The model, fitted except for a cold start.

    Returns
    -------
    ModelAdapter
        The result of the model's own method ``__skactive_adapter__()``, if it has one; else an
        instance of the adapter registered for its class or the nearest base class; else the
        default, which calls ``predict_proba`` and ``decision_function``. Of a fitted model that
        predicts several labels per row, an adapter whose elements are the labels.

    See Also
    --------
    register : Teach skactive a new kind of model.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive.adapters import adapt
    >>> X, y = load_iris(return_X_y=True)
    >>> adapter = adapt(RandomForestClassifier(n_estimators=7, random_state=0).fit(X, y))
    >>> adapter.proba_samples(adapter.prepare(X), None, seed=0).shape
    (7, 150, 3)
    """
    make_adapter = getattr(type(model), "__skactive_adapter__", None)
    if make_adapter is not None:
        return make_adapter(model)
    for base in type(model).__mro__:
        for package in _iter_packages(base.__module__):
            if package in _LAZY_ADAPTERS:
                import_module(_LAZY_ADAPTERS[package])
    adapter = _adapt(model)
    if adapter.element is None and adapter.label_classes is not None:
        # Late, since it is made of adapters.
        multilabel = import_module("skactive.adapters._multilabel")
        return multilabel.MultilabelAdapter(adapter)
    return adapter


def _iter_packages(module: str) -> Iterator[str]:
    """Yield the packages that contain a module, outermost first, and the module itself."""
    names = module.split(".")
    return (".".join(names[:depth]) for depth in range(1, len(names) + 1))


def register(kind: type) -> Callable[[Adapter], Adapter]:
    """Register an adapter class for models of a kind, as a class decorator.

    Parameters
    ----------
    kind : type
        The class of the models; its subclasses are included.

    Returns
    -------
    callable
        A decorator for a subclass of :class:`ModelAdapter`, or for a function that chooses one:
        it takes the model and returns the adapter.

    Examples
    --------
    A model with posterior draws of its own, registered in a few lines:

    >>> import numpy as np
    >>> from sklearn.base import ClassifierMixin, BaseEstimator
    >>> from skactive.adapters import ModelAdapter, adapt, register
    >>> class Sampler(ClassifierMixin, BaseEstimator):
    ...     def draw(self, X, n, seed):
    ...         p = np.random.RandomState(seed).uniform(size=(n, 1, 1))
    ...         return np.concatenate([p, 1 - p], axis=2).repeat(len(X), axis=1)
    >>> @register(Sampler)
    ... class SamplerAdapter(ModelAdapter):
    ...     joint_samples = True
    ...     def provides(self, reading):
    ...         return reading == "proba_samples" or super().provides(reading)
    ...     def proba_samples(self, Z, n_samples, seed):
    ...         return self.model.draw(Z, self.n_draws(n_samples), seed)
    >>> adapt(Sampler()).proba_samples(np.zeros((5, 3)), 4, seed=0).shape
    (4, 5, 2)
    """

    def decorator(adapter: Adapter) -> Adapter:
        _adapt.register(kind, adapter)
        return adapter

    return decorator


def list_registered() -> dict[type, Any]:
    """Return the adapters that were registered elsewhere, by kind, for other processes."""
    return {
        kind: adapter
        for kind, adapter in _adapt.registry.items()
        if not adapter.__module__.startswith("skactive.")
    }
