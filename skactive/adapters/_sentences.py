"""Embeddings of texts by models of sentence-transformers."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from skactive._utils.compat import HasMethods, Interval
from skactive._utils.row_texts import list_texts
from skactive.adapters._pretrained import ReadsTexts, SharesWeights, encode_texts, load_encoder

__all__ = ["SentenceEmbedder"]


class SentenceEmbedder(ReadsTexts, SharesWeights, TransformerMixin, BaseEstimator):
    """Embed texts by a pretrained model of sentence-transformers, as a step of a Pipeline.

    It learns nothing from rows or labels, so it needs no fit. Nothing of the texts is kept: a
    Pipeline embeds them at each fit and query. To embed a large pool once, transform it first and
    give the learner the embeddings as its rows.

    **As a step of a Pipeline**, the embedding is what the classifier learns from, and what
    strategies compare. **As** ``ActiveLearner(..., embedder=)``, it serves a model that reads the
    texts itself, such as a language model.

    Parameters
    ----------
    model : str or sentence_transformers.SentenceTransformer
        Name or folder of the model, which is loaded when it is first used; or the loaded model.
        Clones share a loaded model, and load one that is named again: give the loaded model to a
        Pipeline that is fitted often.
    batch_size : int, default=32
        Number of texts per pass.
    device : str or None, default=None
        Where it is computed, such as "cpu" or "cuda". None: on the device of a loaded model; that
        of a named one is chosen by sentence-transformers.
    normalize : bool, default=False
        Whether embeddings get the length 1, so that their distances rank as cosines do.
    prompt : str or None, default=None
        Put before each text, for models that were trained so ("query: ").

    Notes
    -----
    Rows are texts, dictionaries or rows of a frame; of several columns, each is a line
    ``name: value``. Needs sentence-transformers: ``pip install "skactive[sentences]"``.

    Raises
    ------
    ImportError
        When a named model is first used, if sentence-transformers is missing.

    Examples
    --------
    Any object with the method ``encode`` of sentence-transformers serves; this one counts letters:

    >>> import numpy as np
    >>> from skactive.adapters import SentenceEmbedder
    >>> class Letters:
    ...     def encode(self, texts, **options):
    ...         return np.array([[text.count(letter) for letter in "abc"] for text in texts])
    >>> SentenceEmbedder(Letters()).transform(["a cab", "bob"])
    array([[2., 1., 1.],
           [0., 2., 0.]], dtype=float32)

    A model of sentence-transformers is named: ``SentenceEmbedder("all-MiniLM-L6-v2")``.
    """

    shared_parameter = "model"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "model": [str, HasMethods(["encode"])],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "normalize": ["boolean"],
        "prompt": [str, None],
    }

    def __init__(
        self,
        model: Any,
        *,
        batch_size: int = 32,
        device: Any = None,
        normalize: bool = False,
        prompt: str | None = None,
    ) -> None:
        self.model = model
        self.batch_size = batch_size
        self.device = device
        self.normalize = normalize
        self.prompt = prompt

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters; nothing is learned.

        Parameters
        ----------
        X, y : rows and labels
            Not used.

        Returns
        -------
        Self
        """
        self._validate_params()
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Embed texts.

        Parameters
        ----------
        X : texts, dictionaries or rows of a frame
            The rows.

        Returns
        -------
        ndarray of shape (n_rows, n_dims)
        """
        self._validate_params()
        return encode_texts(
            self._get_encoder(),
            list_texts(X),
            batch_size=self.batch_size,
            device=self.device,
            normalize_embeddings=self.normalize,
            prompt=self.prompt,
        )

    def _get_encoder(self) -> Any:
        """Return the model, loaded once for a name and a device."""
        key = (self.model, self.device)
        if getattr(self, "_loaded", (None, None))[0] != key:
            self._loaded = (key, load_encoder(self.model, self.device, "SentenceEmbedder"))
        return self._loaded[1]

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        # What is loaded again by its name, or a parameter anyway.
        return {name: value for name, value in state.items() if name != "_loaded"}

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags
