"""The adapter interface, and the dispatch from a model to the adapter that knows its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import singledispatch
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["ModelAdapter", "adapt", "register"]

Rows = NDArray[np.float64]
Futures = Iterator[tuple[slice, int, Rows]]
Adapter = TypeVar("Adapter", bound="type[ModelAdapter]")


class ModelAdapter:
    """How skactive reads a model: the base class, right for any scikit-learn classifier.

    An adapter is the only code that knows one kind of model. Subclass it, override what the kind
    does differently and :func:`register` the subclass.

    Parameters
    ----------
    model : estimator
        The model to read. It may still be unfitted: then only `prepare_cold` is called.

    Attributes
    ----------
    frozen : bool
        Whether fitting leaves the model as it is.
    fixed_columns : bool
        Whether the columns of probability are fixed by the model's shape (a net's output layer)
        and not by the classes among the labels.
    joint_samples : bool
        Whether one draw of `proba_samples` is one function of the whole pool, so that draws tell
        how the predictions of two rows depend on each other. Draws that are right for each row
        alone serve BALD but not EPIG.

    Notes
    -----
    Every method takes the rows that `prepare` gave, so that work that several readings share
    (the transformers of a pipeline) is done once.
    """

    frozen = False
    fixed_columns = False
    joint_samples = False

    def __init__(self, model: Any) -> None:
        self.model = model

    @property
    def classes(self) -> NDArray[Any] | None:
        """The model's classes, one a column of probability, or None for a model without."""
        classes = getattr(self.model, "classes_", None)
        several_outputs = isinstance(classes, list) and any(map(np.ndim, classes))
        return None if classes is None or several_outputs else np.asarray(classes)

    def provides(self, reading: str) -> bool:
        """Tell whether the model can give `reading` (a name that strategies put in `needs`)."""
        if reading == "proba":
            return hasattr(self.model, "predict_proba")
        if reading == "decision":
            # One against one has a column a pair of classes, not one a class.
            pairs = getattr(self.model, "decision_function_shape", "ovr") == "ovo"
            return hasattr(self.model, "decision_function") and not pairs
        if reading == "prediction":
            return hasattr(self.model, "predict")
        if reading == "gradient_factors":
            return self.provides("proba")
        if reading == "joint_samples":
            return self.joint_samples and self.provides("proba_samples")
        return reading in {"X", "embedding", "fantasize"}

    def prepare(self, X: Any) -> Any:
        """Do what all readings share, once: by default nothing."""
        return X

    def prepare_cold(self, X: Any, seed: int = 0) -> Callable[[Any], Any]:
        """Learn, from unlabeled rows `X` alone, the map from rows to features (cold start)."""
        return lambda rows: rows

    def proba(self, Z: Any) -> Rows:
        """Probabilities, shape (n_rows, n_model_classes)."""
        return self.model.predict_proba(Z)

    def decision(self, Z: Any) -> Rows:
        """Values of the decision function, shape (n_rows,) or (n_rows, n_model_classes)."""
        return self.model.decision_function(Z)

    def prediction(self, Z: Any) -> NDArray[Any]:
        """What the model predicts, shape (n_rows,): labels, or numbers of a regressor."""
        return self.model.predict(Z)

    def features(self, Z: Any) -> Any:
        """What the model's last layer sees, shape (n_rows, ...): by default the rows."""
        return Z

    def n_draws(self, n_samples: int | None) -> int:
        """Count the draws that `proba_samples` gives where `n_samples` are asked for."""
        return 20 if n_samples is None else n_samples

    def proba_samples(self, Z: Any, n_samples: int | None, seed: int) -> Rows:
        """Draw probabilities from the model's posterior, shape (n_draws, n_rows, n_classes).

        A draw depends on `seed` and on the row, not on which other rows are asked about.
        """
        raise NotImplementedError

    def fantasized_logits(self, Z: Any, y: Any, rows: Any, targets: Any) -> Futures | None:
        """Predict targets by the model as each row with each label would make it, without a refit.

        For models that one more label changes in closed form, exactly as a refit on the labeled
        rows `Z`, of labels `y`, would.

        Returns
        -------
        iterator of (slice, int, ndarray of shape (n_classes, n_block, n_some_targets)), or None
            For blocks of the rows and of the targets, and for each column of the sorted labels in
            `y`: logarithms of the probabilities, up to a constant for each row and target. Who
            gets an array may change it. None (the default) where only a refit can tell.
        """
        return None

    def fitting(self, seed: int | None) -> AbstractContextManager[None]:
        """Return the context to fit the model in, for models that draw from global state."""
        return nullcontext()


@singledispatch
def _adapt(model: Any) -> ModelAdapter:
    return ModelAdapter(model)


# Where a kind of model comes from, and the module of its adapter, which is imported when the first
# such model is met: to import skactive costs no more than what a program uses.
_LATE = {
    "skorch": "skactive.adapters._skorch",
    "sklearn.calibration": "skactive.adapters._ensemble",
    "sklearn.ensemble": "skactive.adapters._ensemble",
    "sklearn.frozen": "skactive.adapters._sklearn",
    "sklearn.gaussian_process": "skactive.adapters._sklearn",
    "sklearn.model_selection": "skactive.adapters._sklearn",
    "sklearn.naive_bayes": "skactive.adapters._naive_bayes",
    "sklearn.pipeline": "skactive.adapters._sklearn",
}


def adapt(model: Any) -> ModelAdapter:
    """Return the adapter that knows how to read `model`.

    Parameters
    ----------
    model : estimator
        Fitted, except for a cold start.

    Returns
    -------
    ModelAdapter
        What the model's own method ``__skactive_adapter__()`` returns, if it has one; else an
        instance of the adapter registered for its class or the nearest base class; else the
        default, which asks for ``predict_proba`` and ``decision_function``.

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
    own = getattr(type(model), "__skactive_adapter__", None)
    if own is not None:
        return own(model)
    for base in type(model).__mro__:
        for home in _homes(base.__module__):
            if home in _LATE:
                import_module(_LATE[home])
    return _adapt(model)


def _homes(module: str) -> Iterator[str]:
    """Yield the packages that a module is in, from the outermost in, and the module itself."""
    names = module.split(".")
    return (".".join(names[:depth]) for depth in range(1, len(names) + 1))


def register(kind: type) -> Callable[[Adapter], Adapter]:
    """Register an adapter class for models of a kind, as a class decorator.

    Parameters
    ----------
    kind : type
        The class of the models; its subclasses are served too.

    Returns
    -------
    callable
        A decorator for a subclass of :class:`ModelAdapter`.

    Examples
    --------
    A model that keeps its posterior draws, taught to skactive in a few lines:

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
