"""The base of adapters for models that predict each element of a row: tokens, pixels, boxes."""

from __future__ import annotations

from typing import Any, ClassVar

from skactive.adapters._base import ModelAdapter

__all__ = ["ELEMENT_READINGS", "StructuredAdapter"]

# Reading of elements -> the adapter's method, whether it draws, and the axes of one element.
ELEMENT_READINGS: dict[str, tuple[str, bool, int]] = {
    "box_samples": ("box_samples", True, 1),
    "boxes": ("boxes", False, 1),
    "decision": ("decision", False, 0),
    "embedding": ("element_features", False, 1),
    "lengths": ("lengths", False, 0),
    "log_likelihood": ("log_likelihood", False, 0),
    "prediction": ("prediction", False, 0),
    "prediction_samples": ("prediction_samples", True, 0),
    "proba": ("proba", False, 1),
    "proba_samples": ("proba_samples", True, 1),
    "std": ("std", False, 0),
}


class StructuredAdapter(ModelAdapter):
    """Base of adapters for models that predict each element of a row.

    Subclass it, set `element`, implement the readings that the model can give, each for its
    elements, and :func:`register` the subclass. A reading may be

    - a :class:`skactive.Ragged`, or a list or iterator with one array per row, such as
      ``(n_elements, n_classes)`` for `proba`; an iterator is read row by row and never stacked;
    - an array with one entry per row, such as ``(n_rows, height, width, n_classes)``, if all rows
      have equally many elements.

    Draws have the axis of draws first, in each array: ``(n_draws, n_elements, n_classes)``.

    Attributes
    ----------
    element : str
        Kind of the elements: "label", "token", "pixel", "box", "region" or "hypothesis".

    See Also
    --------
    skactive.strategies.Aggregate : Scores rows by the scores of their elements.

    Examples
    --------
    A tagger, registered in a few lines:

    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator
    >>> from skactive import ActiveLearner
    >>> from skactive.adapters import StructuredAdapter, register
    >>> from skactive.strategies import Aggregate, Entropy
    >>> class Tagger(BaseEstimator):  # every token is a name with the share seen so far
    ...     def fit(self, X, y):
    ...         self.share_ = np.mean([tag == "name" for tags in y for tag in tags])
    ...         return self
    ...     def predict_marginals(self, X):
    ...         return [np.tile([1 - self.share_, self.share_], (len(tokens), 1)) for tokens in X]
    >>> @register(Tagger)
    ... class TaggerAdapter(StructuredAdapter):
    ...     element = "token"
    ...     def proba(self, Z):
    ...         return self.model.predict_marginals(Z)
    >>> adapter = TaggerAdapter(Tagger().fit([["I", "am", "Ada"]], [["other", "other", "name"]]))
    >>> adapter.provides("elements.proba"), adapter.provides("proba")
    (True, False)
    """

    element: ClassVar[str]  # type: ignore[misc]

    def provides(self, reading: str) -> bool:
        """Return whether the model provides a reading of rows, or of their elements."""
        place, _, name = reading.rpartition(".")
        if place == "elements":
            return self._provides_of_elements(name)
        return reading in {"X", "embedding", "fantasize"}

    def _provides_of_elements(self, reading: str) -> bool:
        if reading == "gradient_factors":
            return all(map(self._provides_of_elements, ("proba", "embedding")))
        if reading == "joint_samples":
            return self.joint_samples and self._provides_of_elements("proba_samples")
        if reading == "std" and self._overrides("prediction_samples"):
            return True
        return reading in ELEMENT_READINGS and self._overrides(ELEMENT_READINGS[reading][0])

    def _overrides(self, method: str) -> bool:
        base = getattr(StructuredAdapter, method)  # that of ModelAdapter, or one that raises
        return getattr(type(self), method) is not base

    def read_elements(self, reading: str, Z: Any, n_samples: int | None, seed: int) -> Any:
        """Make a reading of the elements of each row, in one of the forms above."""
        name, draws, _ = ELEMENT_READINGS[reading]
        method = getattr(self, name)
        if draws:
            return method(Z, n_samples, seed)
        return method(Z, seed) if reading == "std" else method(Z)

    def element_features(self, Z: Any) -> Any:
        """Features of the elements, such as those of regions, each (n_elements, n_dims)."""
        raise NotImplementedError

    def boxes(self, Z: Any) -> Any:
        """Corners of boxes, each (n_boxes, 4), as (left, top, right, bottom)."""
        raise NotImplementedError

    def box_samples(self, Z: Any, n_samples: int | None, seed: int) -> Any:
        """Corners of the same boxes in each draw, each (n_samples, n_boxes, 4)."""
        raise NotImplementedError

    def log_likelihood(self, Z: Any) -> Any:
        """Logarithms of the probabilities of hypotheses, each (n_hypotheses,)."""
        raise NotImplementedError

    def lengths(self, Z: Any) -> Any:
        """Numbers of tokens of hypotheses, each (n_hypotheses,)."""
        raise NotImplementedError
