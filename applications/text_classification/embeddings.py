"""Sentence embeddings without torch: a model in the ONNX format, read by onnxruntime.

``pip install "skactive[embeddings]"``, and get a folder with ``model.onnx`` and ``tokenizer.json``;
README.md says how.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from skactive.applications import Task

BATCH = 32


class SentenceEmbedder(TransformerMixin, BaseEstimator):
    """Means of the vectors that a net gives to the pieces of a text, of length 1.

    Texts that it was fitted to are read once: a campaign asks about the same texts again and again.

    Parameters
    ----------
    folder : str or Path
        A folder with ``model.onnx`` and ``tokenizer.json``.
    max_pieces : int, default=128
        Later pieces of a text are left out.

    Attributes
    ----------
    known_ : dict of str to ndarray
        The embeddings of the texts that it was fitted to.
    """

    def __init__(self, folder: str | Path, *, max_pieces: int = 128) -> None:
        self.folder = folder
        self.max_pieces = max_pieces

    def fit(self, X: Iterable[str], y: Any = None) -> Self:
        """Read the texts."""
        texts = sorted(set(X), key=len)  # batches of texts of about one length need least padding
        self.known_ = dict(zip(texts, self._embed(texts), strict=True))
        return self

    def transform(self, X: Iterable[str]) -> NDArray[np.float32]:
        """Return the embeddings of the texts, shape (n_texts, n_dims)."""
        texts = list(X)
        new = sorted(set(texts) - self.known_.keys(), key=len)
        known = self.known_ | dict(zip(new, self._embed(new), strict=True))
        return np.stack([known[text] for text in texts])

    def _embed(self, texts: list[str]) -> list[NDArray[np.float32]]:
        if not texts:
            return []
        tokenizer, session = load_model(Path(self.folder), self.max_pieces)
        parts = range(0, len(texts), BATCH)
        return [row for i in parts for row in embed_batch(tokenizer, session, texts[i : i + BATCH])]


def load_model(folder: Path, max_pieces: int) -> tuple[Any, Any]:
    """Load the tokenizer and the net."""
    from onnxruntime import InferenceSession, SessionOptions  # late: they are an extra
    from tokenizers import Tokenizer

    for name in ("model.onnx", "tokenizer.json"):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"{folder} must have the files model.onnx and tokenizer.json: {name} is missing. "
                "README.md says where to get them."
            )
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(max_pieces)
    tokenizer.enable_padding()
    options = SessionOptions()
    options.intra_op_num_threads = 1
    return tokenizer, InferenceSession(str(folder / "model.onnx"), options)


def embed_batch(tokenizer: Any, session: Any, texts: list[str]) -> NDArray[np.float32]:
    """Return the embeddings of a batch of texts, shape (n_texts, n_dims)."""
    encoded = tokenizer.encode_batch(texts)
    inputs = {
        "input_ids": np.array([text.ids for text in encoded]),
        "attention_mask": np.array([text.attention_mask for text in encoded]),
        "token_type_ids": np.array([text.type_ids for text in encoded]),
    }
    names = {entry.name for entry in session.get_inputs()}
    (pieces, *_) = session.run(None, {name: inputs[name] for name in inputs if name in names})
    mask = inputs["attention_mask"][:, :, None]  # pieces: (n_texts, n_pieces, n_dims)
    means = (pieces * mask).sum(axis=1) / mask.sum(axis=1)
    return (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)


def make_embedding_model(task: Task, *, folder: str | Path) -> Pipeline:
    """Make logistic regression on sentence embeddings.

    Parameters
    ----------
    task : Task
        The texts; all are read once, which takes a second for 70 short ones.
    folder : str or Path
        A folder with ``model.onnx`` and ``tokenizer.json``.

    Returns
    -------
    Pipeline
    """
    texts, _ = task.join()
    embedder = SentenceEmbedder(folder).fit(texts)
    return make_pipeline(FrozenEstimator(embedder), LogisticRegression(C=5, max_iter=1000))
