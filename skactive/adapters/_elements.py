"""The base of adapters for models that predict each element of a row: tokens, pixels, boxes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from skactive._utils.ragged import Ragged
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

    - a list or an iterator with one array per row, such as (n_elements, n_classes) for `proba`; an
      iterator is read row by row, a few rows at a time, so that large maps are never all there;
    - a :class:`skactive.Ragged`;
    - an array with one entry per row, such as (n_rows, height, width, n_classes), if all rows have
      equally many elements. Padding is no element: cut it off, row by row, as shown below.

    Draws have the axis of draws first, in each array: (n_draws, n_elements, n_classes); or
    `iter_draws` yields them, for maps of which several take too much memory. All readings are of
    the same elements, in the same order; rows may have none.

    Attributes
    ----------
    element : str
        Kind of the elements: "label", "token", "pixel", "box", "region" or "hypothesis".

    Notes
    -----
    These need no adapter of their own:

    - taggers with a method ``predict_marginals`` (sklearn-crfsuite), which gives for each row a
      list with a dict per token, from tags to probabilities, or an array;
    - nets of skorch that say what they predict, by an attribute ``element`` of the net's class or
      of its module: ``"pixel"`` (segmentation, maps of numbers), ``"token"`` or ``"box"``.

    A net's output is (n, n_classes, ...) for pixels, (n, ..., n_classes) for tokens, unless the
    loss is torch's own CrossEntropyLoss or NLLLoss and gets it as it is, with classes in axis 1, or
    the module has an attribute ``class_axis``. Dropout gives draws. Tokens that are padding are
    hidden by entries of rows that are dicts: ``attention_mask`` (0 hides), ``special_tokens_mask``
    (1 hides), ``word_ids`` (the first piece of each word is the element; a fast tokenizer of
    Hugging Face in a pipeline, as ``skorch.hf`` has it, tells them), ``lengths``; and any elements
    by a second output of truth values, False for those to hide. A detector gives a list of dicts
    with ``boxes``, ``labels`` and ``scores``, as torchvision's do: a score alone has two columns,
    wrong and right; for the margin of the two best classes, give ``proba`` (n_boxes, n_classes).

    See Also
    --------
    skactive.strategies.Aggregate : Scores rows by the scores of their elements.
    skactive.testing.adapter_checks : Checks of an adapter of your own.

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
    ...     def predict_tokens(self, X):
    ...         return [np.tile([1 - self.share_, self.share_], (len(tokens), 1)) for tokens in X]
    >>> @register(Tagger)
    ... class TaggerAdapter(StructuredAdapter):
    ...     element = "token"
    ...     def proba(self, Z):
    ...         return self.model.predict_tokens(Z)
    >>> adapter = TaggerAdapter(Tagger().fit([["I", "am", "Ada"]], [["other", "other", "name"]]))
    >>> adapter.provides("elements.proba"), adapter.provides("proba")
    (True, False)

    Any function of rows, here one that gives padded arrays and lengths, needs a class with a `fit`
    around it:

    >>> def tag(sentences):  # (n_sentences, 4, 2), and the number of tokens of each
    ...     padded = np.zeros((len(sentences), 4, 2))
    ...     for i, tokens in enumerate(sentences):
    ...         for j, token in enumerate(tokens):
    ...             padded[i, j] = [0.1, 0.9] if token.istitle() else [0.7, 0.3]
    ...     return padded, [len(tokens) for tokens in sentences]
    >>> class Model(BaseEstimator):
    ...     def __init__(self, function):
    ...         self.function = function
    ...     def fit(self, X, y):
    ...         return self
    >>> @register(Model)
    ... class FunctionAdapter(StructuredAdapter):
    ...     element = "token"
    ...     def proba(self, Z):
    ...         padded, lengths = self.model.function(Z)
    ...         return [proba[:length] for proba, length in zip(padded, lengths)]
    >>> pool = [["Ada", "in", "Rome"], [], ["Rome", "sleeps"]]
    >>> learner = ActiveLearner(Model(tag), Aggregate(Entropy()), prefit=True, random_state=0)
    >>> learner.query(pool, batch_size=2)
    array([2, 0])
    >>> rows, tokens = learner.query_elements(pool, batch_size=2)  # the words in lower case
    >>> sorted(zip(rows.tolist(), tokens.tolist()))
    [(0, 1), (2, 1)]
    """

    element: str

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
        if reading == "proba_samples" and self.yields_draws:
            return True
        return reading in ELEMENT_READINGS and self._overrides(ELEMENT_READINGS[reading][0])

    @property
    def yields_draws(self) -> bool:  # type: ignore[override]
        """Whether there is an `iter_draws`, by which large maps are drawn one after the other."""
        return self._overrides("iter_draws")

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

    def iter_draws(self, Z: Any, n_samples: int | None, seed: int) -> Iterator[Any]:
        """Yield draws of probabilities one after the other, each in a form that `proba` may have.

        Instead of `proba_samples`, where all draws of a row would take too much memory: scores that
        need only sums over draws, such as that of ``Aggregate(BALD())``, then hold one at a time.
        """
        raise NotImplementedError

    def std(self, Z: Any, seed: int) -> Any:
        """Deviations of predicted numbers, each (n_elements,); by default those of draws."""
        samples = self.prediction_samples(Z, None, seed)
        if isinstance(samples, Ragged):
            return Ragged(np.std(samples.values, axis=0), samples.offsets)
        if isinstance(samples, np.ndarray) and samples.dtype != object:
            return np.std(samples, axis=0)
        return [np.std(row, axis=0) for row in samples]

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
