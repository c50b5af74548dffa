"""Adapters: the only code that knows one kind of model.

Models that are no scikit-learn estimators become ones here: :class:`SentenceEmbedder` embeds texts
by sentence-transformers, :class:`SetFitClassifier` tunes such a model on few labels, and
:class:`HuggingFaceClassifier` is a pipeline of Hugging Face. Each imports its package when it is
used.
"""

from skactive.adapters._base import ModelAdapter, adapt, register
from skactive.adapters._elements import StructuredAdapter
from skactive.adapters._sentences import SentenceEmbedder
from skactive.adapters._set_fit import SetFitClassifier
from skactive.adapters._text_pipelines import HuggingFaceClassifier

__all__ = [
    "HuggingFaceClassifier",
    "ModelAdapter",
    "SentenceEmbedder",
    "SetFitClassifier",
    "StructuredAdapter",
    "adapt",
    "register",
]
