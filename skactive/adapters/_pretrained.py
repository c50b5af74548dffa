"""Parts of estimators around pretrained models: late imports, and weights that clones share."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

__all__ = ["ReadsTexts", "SharesWeights", "encode_texts", "import_extra", "load_encoder"]


class SharesWeights:
    """Mixin of estimators whose fit does not change the pretrained model that they are given.

    ``sklearn.base.clone`` copies parameters deeply, and each fit of a learner clones: the weights
    would be in memory once per fit.

    Attributes
    ----------
    shared_parameter : str
        Name of the parameter that clones have in common: the pretrained model.
    """

    shared_parameter: str

    def __sklearn_clone__(self) -> Self:
        params: dict[str, Any] = self.get_params(deep=False)  # type: ignore[attr-defined]
        return type(self)(
            **{
                name: value if name == self.shared_parameter else clone(value, safe=False)
                for name, value in params.items()
            }
        )


class ReadsTexts:
    """Mixin of estimators whose rows are texts, dictionaries or rows of a frame."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        return tags


def import_extra(package: str, extra: str, user: str) -> Any:
    """Import a package that an extra of skactive installs.

    Parameters
    ----------
    package : str
        Name of the package to import.
    extra : str
        Name of the extra.
    user : str
        Name of the class that needs it, for the error.

    Raises
    ------
    ImportError
        If it is missing; the message has the command that installs it.
    """
    try:
        return import_module(package)
    except ImportError as error:
        name = package.replace("_", "-")
        raise ImportError(
            f'{user} needs {name} ({error}): pip install "skactive[{extra}]"'
        ) from error


def load_encoder(model: Any, device: Any, user: str) -> Any:
    """Return a SentenceTransformer: the one that is given, or the one of a name or folder."""
    if not isinstance(model, str):
        return model
    package = import_extra("sentence_transformers", "sentences", user)
    return package.SentenceTransformer(model, device=device)


def encode_texts(encoder: Any, texts: list[str], **options: Any) -> NDArray[np.float32]:
    """Return the embeddings of texts by a SentenceTransformer, (n_texts, n_dims)."""
    embedding = encoder.encode(
        texts or [""],  # of no text the number of dimensions would not be known
        show_progress_bar=False,
        convert_to_numpy=True,
        **options,
    )
    return np.asarray(embedding, dtype=np.float32)[: len(texts)]
