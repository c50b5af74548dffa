"""Pipelines of Hugging Face that classify texts, as classifiers that nothing is taught."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from skactive._utils.array_types import Floats
from skactive._utils.compat import Interval
from skactive._utils.labels import read_labels
from skactive._utils.row_texts import list_texts
from skactive.adapters._base import ModelAdapter, register
from skactive.adapters._pretrained import ReadsTexts, SharesWeights

__all__ = ["HuggingFaceClassifier"]

_TASKS = ("text-classification", "zero-shot-classification")


class HuggingFaceClassifier(ReadsTexts, SharesWeights, ClassifierMixin, BaseEstimator):
    """Classify texts by a pipeline of Hugging Face, which is used as it is.

    **When:** somebody else's model knows the classes: as an annotator
    (``ModelAnnotator(classifier)``) whose answers a :class:`skactive.annotators.Router` accepts as
    far as an audit allows, as the source of :class:`skactive.strategies.ColdStart`, or as the model
    whose doubts choose the rows to label (``ActiveLearner(classifier, prefit=True)``).
    **When not:** the model shall learn from your labels, which this one does not;
    :class:`SetFitClassifier` does.

    Parameters
    ----------
    pipeline : transformers.Pipeline
        Made by ``transformers.pipeline("text-classification", ...)`` or
        ``transformers.pipeline("zero-shot-classification", ...)``.
    classes : dict, sequence or None, default=None
        Names of the pipeline and the class of each: a dictionary from name to label, such as
        ``{"LABEL_0": "bad", "LABEL_1": "good"}``, or a sequence of names that are the labels. Of
        several names with the same label, such as numbers of stars, the probabilities are added.
        For text classification all names of the model must be among them; None takes these names.
        For zero-shot classification these are the candidates, which must be given.
    hypothesis : str or None, default=None
        The sentence that a zero-shot model judges, with a place for the name, such as "This text is
        about {}."; None takes that of the pipeline.
    batch_size : int, default=32
        Number of texts per pass.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; known without a fit.

    Raises
    ------
    TypeError, ValueError
        When it is used: if the pipeline is of another task or predicts several labels per text, or
        if `classes` does not fit it.

    Notes
    -----
    The probabilities of text classification are a softmax of the model's outputs. A zero-shot model
    reads each text once per candidate. Texts longer than the model's context are cut.

    Examples
    --------
    The pipeline here is an imitation, so that the example needs no model:

    >>> from skactive.adapters import HuggingFaceClassifier
    >>> class Stars:
    ...     task = "zero-shot-classification"
    ...     def __call__(self, texts, candidate_labels, **options):
    ...         found = {"labels": ["5 stars", "1 star", "4 stars"], "scores": [0.5, 0.3, 0.2]}
    ...         return [found for text in texts]
    >>> classes = {"1 star": "bad", "4 stars": "good", "5 stars": "good"}
    >>> model = HuggingFaceClassifier(Stars(), classes)
    >>> model.classes_
    array(['bad', 'good'], dtype='<U4')
    >>> model.predict_proba(["A fine film."])
    array([[0.3, 0.7]])
    >>> model.predict(["A fine film."])
    array(['good'], dtype='<U4')
    """

    shared_parameter = "pipeline"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "pipeline": [callable],
        "classes": [dict, "array-like", None],
        "hypothesis": [str, None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        pipeline: Any,
        classes: Any = None,
        *,
        hypothesis: str | None = None,
        batch_size: int = 32,
    ) -> None:
        self.pipeline = pipeline
        self.classes = classes
        self.hypothesis = hypothesis
        self.batch_size = batch_size

    def fit(self, X: Any, y: Any) -> Self:
        """Check that the labels are among the classes; nothing is learned.

        Parameters
        ----------
        X : rows
            Not used.
        y : array-like of shape (n_rows,)
            Labels.

        Returns
        -------
        Self

        Raises
        ------
        ValueError
            If a label is not among the classes.
        """
        unknown = np.setdiff1d(np.asarray(y), self.classes_)
        if len(unknown):
            raise ValueError(
                f"The labels {unknown.tolist()} are not among the classes of the pipeline, "
                f"{self.classes_.tolist()}: give the label of each of its names, "
                "classes={name: label, ...}."
            )
        return self

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, sorted."""
        return np.unique(read_labels(list(self._map_names().values())))

    def predict_proba(self, X: Any) -> Floats:
        """Predict probabilities.

        Parameters
        ----------
        X : texts, dictionaries or rows of a frame
            The rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            A column for each of ``classes_``.
        """
        texts, columns = list_texts(X), self._locate_names()
        proba = np.zeros((len(texts), 1 + max(columns.values())))
        for row, scores in enumerate(self._ask(texts) if texts else []):
            for name, score in scores:
                proba[row, columns[name]] += score
        return proba

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict the most probable labels.

        Parameters
        ----------
        X : texts, dictionaries or rows of a frame
            The rows.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _ask(self, texts: list[str]) -> list[list[tuple[str, float]]]:
        """Return the pipeline's names and their scores for each text."""
        if self.pipeline.task == _TASKS[0]:
            options = {"top_k": None, "function_to_apply": "softmax", "truncation": True}
            answers = self.pipeline(texts, batch_size=self.batch_size, **options)
            return [[(each["label"], each["score"]) for each in answer] for answer in answers]
        options = {} if self.hypothesis is None else {"hypothesis_template": self.hypothesis}
        answers = self.pipeline(
            [text or " " for text in texts],  # it takes no text of length 0
            candidate_labels=list(self._map_names()),
            batch_size=self.batch_size,
            **options,
        )
        return [list(zip(each["labels"], each["scores"], strict=True)) for each in answers]

    def _locate_names(self) -> dict[str, int]:
        """Return the column of each name: several may have the same."""
        classes, names = self.classes_.tolist(), self._map_names()
        return {name: classes.index(label) for name, label in names.items()}

    def _map_names(self) -> dict[str, Any]:
        """Return the label of each name of the pipeline."""
        self._validate_params()
        task = getattr(self.pipeline, "task", None)
        if task not in _TASKS:
            raise TypeError(
                f"pipeline must be one of transformers.pipeline for {' or '.join(_TASKS)}, got "
                f"{type(self.pipeline).__name__} for {task!r}."
            )
        names = self._name_labels()
        if task == _TASKS[0]:
            self._check_model(names)
        elif len(names) < 2:
            raise ValueError(
                "For zero-shot classification classes= must have two names or more, such as "
                f"['sport', 'politics'], got {self.classes!r}."
            )
        return names

    def _name_labels(self) -> dict[str, Any]:
        if self.classes is None:
            return {name: name for name in self._list_outputs()}
        if isinstance(self.classes, Mapping):
            return dict(self.classes)
        return {name: name for name in np.asarray(self.classes).tolist()}

    def _list_outputs(self) -> list[str]:
        """List the names of a model's outputs; a zero-shot model has none of its own."""
        if self.pipeline.task != _TASKS[0]:
            return []
        return list(self.pipeline.model.config.id2label.values())

    def _check_model(self, names: dict[str, Any]) -> None:
        """Check that a text classifier predicts one of several names, which are all known."""
        outputs = self._list_outputs()
        if self.pipeline.model.config.problem_type == "multi_label_classification":
            raise ValueError(
                "The pipeline's model predicts several labels per text; HuggingFaceClassifier is "
                "for one label per text."
            )
        if len(outputs) < 2 or set(outputs) != set(names):
            raise ValueError(
                f"classes= must have exactly the names of the model's outputs, {outputs}, of which "
                f"there must be two or more; got {list(names)}. Give the label of each: "
                "classes={name: label, ...}."
            )

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


@register(HuggingFaceClassifier)
class HuggingFaceAdapter(ModelAdapter):
    """A classifier that no fit changes."""

    frozen = True
