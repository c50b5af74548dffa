"""The adapter of models that predict several labels per row: each label is an element."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier

from skactive._utils.array_types import Floats
from skactive.adapters._base import ModelAdapter, adapt, decides_by_pairs
from skactive.adapters._elements import StructuredAdapter
from skactive.exceptions import InvalidReadingError
from skactive.multilabel import MissingLabelsClassifier

__all__ = ["MultilabelAdapter"]

# They hold a model per label, each fitted to the rows as they are.
_MODEL_PER_LABEL = (MissingLabelsClassifier, MultiOutputClassifier, OneVsRestClassifier)


class MultilabelAdapter(StructuredAdapter):
    """A model of several labels per row: L elements, each with a column per class.

    Labels may have different classes: there is a column for each class of any label, with
    probability 0 for labels without it, which changes neither margins nor entropies.

    Parameters
    ----------
    row_adapter : ModelAdapter
        The adapter of the model's kind, which prepares rows and knows its members.
    """

    element: ClassVar[str] = "label"  # type: ignore[misc]

    def __init__(self, row_adapter: ModelAdapter) -> None:
        super().__init__(row_adapter.model)
        self.row_adapter = row_adapter
        self.frozen = row_adapter.frozen
        self.fixed_columns = row_adapter.fixed_columns
        self.codes_only, self.code_type = row_adapter.codes_only, row_adapter.code_type
        self._classes_of_labels = row_adapter.label_classes or []
        drawing = [adapt(model) for model in self._list_drawing_models()]
        self.joint_samples = all(each.joint_samples for each in drawing or [row_adapter])

    @property
    def estimator_type(self) -> str | None:
        return self.row_adapter.estimator_type

    @property
    def label_classes(self) -> list[NDArray[Any]]:
        return self._classes_of_labels

    @property
    def classes(self) -> NDArray[Any]:
        """Classes of all labels together, sorted, shape (n_classes,)."""
        return np.unique(np.concatenate(self.label_classes))

    # Rows -------------------------------------------------------------------------------------

    def prepare(self, X: Any) -> Any:
        return self.row_adapter.prepare(X)

    def prepare_cold(self, X: Any, seed: int = 0) -> Callable[[Any], Any]:
        return self.row_adapter.prepare_cold(X, seed)

    def features(self, Z: Any) -> Any:
        return self.row_adapter.features(Z)

    def fitting(self, seed: int | None) -> AbstractContextManager[None]:
        return self.row_adapter.fitting(seed)

    # Labels -----------------------------------------------------------------------------------

    def _provides_of_elements(self, reading: str) -> bool:
        if reading in {"proba", "prediction"}:
            method = "predict_proba" if reading == "proba" else "predict"
            return self._has(method)
        if reading == "decision":
            binary = all(len(classes) <= 2 for classes in self.label_classes)
            by_pairs = any(map(decides_by_pairs, self._list_models()))
            return binary and not by_pairs and self._has("decision_function")
        if reading == "proba_samples":
            return self.row_adapter.provides(reading) or bool(self._list_drawing_models())
        return reading == "joint_samples" and super()._provides_of_elements(reading)

    def _has(self, method: str) -> bool:
        """Return whether the model has a method, or the model of each label."""
        models = self._list_models()
        if models and method != "predict":
            return all(hasattr(model, method) for model in models if not _is_constant(model))
        return hasattr(self.model, method)

    def _list_models(self) -> list[Any]:
        """List the models of the labels, if there is one for each, fitted to the same rows."""
        return list(self.model.estimators_) if isinstance(self.model, _MODEL_PER_LABEL) else []

    def _list_drawing_models(self) -> list[Any]:
        """List the models of labels but constant ones, if all of them give draws."""
        models = [model for model in self._list_models() if not _is_constant(model)]
        draw = all(adapt(model).provides("proba_samples") for model in models)
        return models if draw else []

    def proba(self, Z: Any) -> Floats:
        """Probabilities, shape (n_rows, n_labels, n_classes)."""
        final = getattr(self.model, "final_estimator_", None)
        if final is None:
            return self._arrange(self.row_adapter.proba(Z))
        # Of several labels, a stack returns the probabilities of the first class.
        inner = adapt(final)
        return inner.proba(inner.prepare(self.model.transform(Z)))

    def decision(self, Z: Any) -> Floats:
        """Values of the decision functions, shape (n_rows, n_labels)."""
        models = self._list_models()
        if not models:
            return np.asarray(self.model.decision_function(Z))
        return np.column_stack([_decide(model, Z) for model in models])

    def prediction(self, Z: Any) -> NDArray[Any]:
        """Predicted labels, shape (n_rows, n_labels)."""
        if self.fixed_columns:  # a net's `predict` returns what the net gives
            return self.classes[self.proba(Z).argmax(axis=2)]
        predicted = self.model.predict(Z)
        return np.asarray(predicted.toarray() if hasattr(predicted, "toarray") else predicted)

    def n_draws(self, n_samples: int | None) -> int:
        adapters = [adapt(model) for model in self._list_drawing_models()]
        return min(each.n_draws(n_samples) for each in adapters or [self.row_adapter])

    def proba_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        """Draw probabilities, shape (n_draws, n_rows, n_labels, n_classes)."""
        draws: Iterable[Any]
        if self._list_drawing_models():
            draws = self._draw_by_label(Z, n_samples, seed)
        else:
            draw = getattr(self.row_adapter, "iter_draws", self.row_adapter.proba_samples)
            draws = draw(Z, n_samples, seed)
        return np.stack([self._arrange(raw) for raw in draws])

    def _draw_by_label(self, Z: Any, n_samples: int | None, seed: int) -> Iterable[list[Floats]]:
        """Yield for each draw the probabilities of each label, (n_rows, n_classes_of_label)."""
        n_draws, samples = self.n_draws(n_samples), []
        for model in self._list_models():
            adapter = adapt(model)
            rows = adapter.prepare(Z)
            if _is_constant(model):
                samples.append(np.stack([adapter.proba(rows)] * n_draws))
            else:
                samples.append(adapter.proba_samples(rows, n_draws, seed))
        return ([each[draw] for each in samples] for draw in range(n_draws))

    def _arrange(self, raw: Any) -> Floats:
        """Arrange probabilities in one array, (n_rows, n_labels, n_classes).

        `raw` is a list with an array per label, (n_rows, n_classes_of_label), or one array of the
        probabilities of the second class of each label, (n_rows, n_labels).
        """
        per_label = raw if isinstance(raw, list) else _pair_up(np.asarray(raw))
        expected = [len(classes) for classes in self.label_classes]
        got = [np.shape(values)[-1] for values in per_label]
        if got != expected:
            raise InvalidReadingError(
                f"{type(self.model).__name__} gives {got} columns of probability for its labels, "
                f"which have {expected} classes; expected one per class."
            )
        classes = self.classes
        proba = np.zeros((len(per_label[0]), len(per_label), len(classes)))
        for label, (known, values) in enumerate(zip(self.label_classes, per_label, strict=True)):
            proba[:, label, np.searchsorted(classes, known)] = values
        return proba


def _pair_up(proba: Floats) -> list[Floats]:
    """Return for each label the probabilities of its two classes, from those of the second."""
    return [np.column_stack([1.0 - column, column]) for column in proba.T]


def _is_constant(model: Any) -> bool:
    """Return whether the model of a label knows one class only, and predicts the same for all."""
    return isinstance(model, DummyClassifier) or not hasattr(model, "classes_")


def _decide(model: Any, Z: Any) -> Floats:
    """Return the decision function of a label's model, (n_rows,).

    Of a constant one it is within -1 and 1: OneVsRestClassifier's own would be 0 for a label that
    no row has, which is where models are most uncertain.
    """
    if _is_constant(model):
        return 2.0 * model.predict_proba(Z)[:, 1] - 1.0
    return np.asarray(model.decision_function(Z))
