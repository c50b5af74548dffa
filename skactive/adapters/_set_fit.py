"""SetFit, the fine-tuning of sentence embeddings on few labels, as a scikit-learn classifier."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from numbers import Integral
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from skactive._utils.array_types import Floats
from skactive._utils.compat import HasMethods, Interval
from skactive._utils.labels import read_labels
from skactive._utils.row_texts import list_texts
from skactive._utils.seeding import draw_seed
from skactive.adapters._base import ModelAdapter, register
from skactive.adapters._pretrained import (
    ReadsTexts,
    SharesWeights,
    encode_texts,
    import_extra,
    load_encoder,
)
from skactive.adapters._sentences import SentenceEmbedder

__all__ = ["SetFitClassifier"]


class SetFitClassifier(ReadsTexts, SharesWeights, ClassifierMixin, BaseEstimator):
    """Classify texts by SetFit: a sentence model tuned on pairs of labeled texts, and a head.

    The model learns to give texts of one class similar embeddings; then a classifier is fitted to
    these. Strategies read the tuned embeddings as ``pool.embedding``.

    **When:** a few dozen labels, and a GPU or patience: each fit tunes the model from its
    pretrained weights, so the result does not depend on the order of the labels, but a round takes
    seconds to minutes. **When not:** hundreds of labels or no GPU. A :class:`SentenceEmbedder` with
    logistic regression fits in milliseconds.

    Parameters
    ----------
    model : str or sentence_transformers.SentenceTransformer
        Name or folder of the pretrained model, or the loaded model, which is not changed.
    head : classifier, default=None
        The classifier of embeddings, which is cloned; None: logistic regression.
    n_epochs : int, default=1
        Number of passes over the pairs.
    batch_size : int, default=16
        Number of pairs per step, and of texts per pass.
    training : dict or None, default=None
        Other arguments of ``setfit.TrainingArguments``, such as ``{"max_steps": 100}`` or
        ``{"num_iterations": 20}``. The number of pairs grows with the square of the number of
        labels, so bound it by one of these once there are a hundred labels.
    device : str or None, default=None
        Where it is computed, such as "cpu" or "cuda". None: chosen by sentence-transformers.
    random_state : int, RandomState or None, default=None
        Seed of the batches and of dropout.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    model_ : setfit.SetFitModel
        The tuned model; its labels are the positions in ``classes_``.

    Notes
    -----
    Rows are texts, dictionaries or rows of a frame. One label per text. Needs setfit:
    ``pip install "skactive[setfit]"``. A fit leaves the global random states of Python, NumPy and
    torch as they were, except that other threads that draw meanwhile get seeded numbers.

    References
    ----------
    Tunstall et al., "Efficient few-shot learning without prompts", 2022,
    :doi:`10.48550/arXiv.2209.11055`.

    Examples
    --------
    >>> from skactive.adapters import SetFitClassifier
    >>> SetFitClassifier("all-MiniLM-L6-v2", training={"max_steps": 50})
    SetFitClassifier(model='all-MiniLM-L6-v2', training={'max_steps': 50})
    """

    shared_parameter = "model"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "model": [str, HasMethods(["encode"])],
        "head": [HasMethods(["fit", "predict_proba"]), None],
        "n_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "training": [dict, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        model: Any,
        *,
        head: Any = None,
        n_epochs: int = 1,
        batch_size: int = 16,
        training: dict[str, Any] | None = None,
        device: Any = None,
        random_state: Any = None,
    ) -> None:
        self.model = model
        self.head = head
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.training = training
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Tune a copy of the pretrained model, and fit the head.

        Parameters
        ----------
        X : texts, dictionaries or rows of a frame
            The rows.
        y : array-like of shape (n_rows,)
            Labels, of two classes or more.

        Returns
        -------
        Self

        Raises
        ------
        ImportError
            If setfit is missing.
        ValueError
            If there is no label for each row, or only one class.
        """
        self._validate_params()
        texts, labels = list_texts(X), read_labels(y)
        if len(texts) != len(labels):
            raise ValueError(f"Expected one label per row, got {len(labels)} for {len(texts)}.")
        classes, codes = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"SetFitClassifier needs labels of two classes or more, got {classes.tolist()}."
            )
        model = self._tune(texts, codes.tolist())
        self.model_, self.classes_ = model, classes
        return self

    def _tune(self, texts: list[str], codes: list[int]) -> Any:
        """Return a SetFitModel that learned from texts and the codes of their labels."""
        from sklearn.linear_model import LogisticRegression  # late: a quarter of a second

        setfit = import_extra("setfit", "setfit", "SetFitClassifier")
        head = LogisticRegression() if self.head is None else clone(self.head)
        model = setfit.SetFitModel(model_body=self._copy_body(), model_head=head)
        with TemporaryDirectory() as folder, _keep_random_states(), _mute(setfit.logging):
            arguments = setfit.TrainingArguments(**self._list_arguments(folder))
            trainer = setfit.Trainer(model=model, args=arguments)
            _configure(trainer, shows_progress=arguments.show_progress_bar)
            trainer.train_embeddings(texts, codes, args=arguments)
            trainer.train_classifier(texts, codes, args=arguments)
        return model

    def _list_arguments(self, folder: str) -> dict[str, Any]:
        """Return the arguments of the training; `folder` is for what the trainer writes."""
        return {
            "output_dir": folder,
            "report_to": "none",
            "save_strategy": "no",
            "show_progress_bar": False,
            "num_epochs": self.n_epochs,
            "batch_size": self.batch_size,
            "seed": draw_seed(self.random_state),
        } | (self.training or {})

    def _copy_body(self) -> Any:
        """Return the pretrained model, to be changed."""
        body = load_encoder(self.model, self.device, "SetFitClassifier")
        body = body if isinstance(self.model, str) else deepcopy(body)
        return body if self.device is None else body.to(self.device)

    def embed(self, X: Any) -> NDArray[np.float32]:
        """Embed texts by the tuned model.

        Parameters
        ----------
        X : texts, dictionaries or rows of a frame
            The rows.

        Returns
        -------
        ndarray of shape (n_rows, n_dims)
        """
        check_is_fitted(self)
        return encode_texts(
            self.model_.model_body,
            list_texts(X),
            batch_size=self.batch_size,
            normalize_embeddings=self.model_.normalize_embeddings,
        )

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
        return self._judge(self.embed(X))

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

    def _judge(self, embedding: Any) -> Floats:
        """Return the head's probabilities of embeddings, (n_rows, n_classes)."""
        if not len(embedding):
            return np.zeros((0, len(self.classes_)))
        return self.model_.model_head.predict_proba(embedding)


@register(SetFitClassifier)
class SetFitAdapter(ModelAdapter):
    """A tuned sentence model and its head: texts are embedded once for all readings."""

    def prepare(self, X: Any) -> Any:
        return self.model.embed(X)

    def prepare_cold(self, X: Any, seed: int = 0) -> Callable[[Any], Any]:
        params = self.model.get_params(deep=False)
        names = ("model", "batch_size", "device")
        return SentenceEmbedder(**{name: params[name] for name in names}).transform

    def proba(self, Z: Any) -> Floats:
        return self.model._judge(Z)

    def prediction(self, Z: Any) -> NDArray[Any]:
        return self.model.classes_[self.proba(Z).argmax(axis=1)]


def _configure(trainer: Any, *, shows_progress: bool) -> None:
    """Pass on to the inner trainer what setfit does not: no bars, and no pinned memory for CPUs."""
    import torch  # late: it comes with setfit
    from transformers import PrinterCallback, ProgressCallback

    trainer.st_trainer.args.dataloader_pin_memory = torch.cuda.is_available()
    if not shows_progress:
        for callback in (ProgressCallback, PrinterCallback):
            trainer.remove_callback(callback)


@contextmanager
def _mute(logging: Any) -> Iterator[None]:
    """Let a package's log show warnings and errors only."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity_warning()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


@contextmanager
def _keep_random_states() -> Iterator[None]:
    """Put the global random states back, which the trainer seeds."""
    import torch  # late: it comes with setfit

    python, numpy = random.getstate(), np.random.get_state()
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
