"""Adapter for taggers that give the marginal probabilities of tags, as sklearn-crfsuite's do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive.adapters._elements import StructuredAdapter
from skactive.exceptions import InvalidReadingError

__all__ = ["MarginalsAdapter"]


class MarginalsAdapter(StructuredAdapter):
    """A tagger with a method ``predict_marginals``: each row is a sequence of tokens.

    The method returns for each row a list with one dict per token, from tags to probabilities, or
    an array (n_tokens, n_classes). The tags are the tagger's ``classes_``; those that a dict lacks
    have probability 0.
    """

    element = "token"

    @property
    def classes(self) -> NDArray[Any] | None:
        """Tags, sorted, shape (n_classes,), one per column; None if the tagger lists none."""
        classes = getattr(self.model, "classes_", None)  # None also before a fit
        return None if classes is None else np.unique(np.asarray(classes))

    def _provides_of_elements(self, reading: str) -> bool:
        if reading == "prediction":
            return hasattr(self.model, "predict")
        return reading == "proba"

    def proba(self, Z: Any) -> Iterator[Floats]:  # type: ignore[override]
        classes = self.classes
        return (self._to_array(row, classes) for row in self.model.predict_marginals(Z))

    def prediction(self, Z: Any) -> Iterator[NDArray[Any]]:  # type: ignore[override]
        return map(np.asarray, self.model.predict(Z))

    def _to_array(self, row: Any, classes: NDArray[Any] | None) -> Floats:
        """Return the probabilities of a row's tokens, (n_tokens, n_classes)."""
        if not len(row) or not isinstance(row[0], dict):
            return self._sort_columns(np.asarray(row, dtype=np.float64), classes)
        if classes is None:
            raise InvalidReadingError(
                f"{type(self.model).__name__} gives dicts of probabilities, but has no classes_: "
                "set it to the list of all tags."
            )
        tags = classes.tolist()
        if unknown := set().union(*row) - set(tags):
            raise InvalidReadingError(
                f"{type(self.model).__name__} gives probabilities of {sorted(unknown)}, which are "
                f"not among its classes_ {tags}: they must list all tags."
            )
        return np.array([[token.get(tag, 0.0) for tag in tags] for token in row])

    def _sort_columns(self, proba: Floats, classes: NDArray[Any] | None) -> Floats:
        """Put the columns of an array, which are in the order of ``classes_``, in sorted order."""
        if classes is None or proba.ndim < 2 or proba.shape[1] != len(classes):
            return proba
        return proba[:, np.argsort(np.asarray(self.model.classes_))]
