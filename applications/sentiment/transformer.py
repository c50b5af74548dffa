"""A small transformer that is built from its settings: nothing is downloaded.

``pip install transformers``; in ``run.py``, ``model=make_transformer_model``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from net import make_net
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from torch import nn
from transformers import DistilBertConfig, DistilBertForSequenceClassification
from words import WordNumbers, learn_word_vectors

from skactive import ActiveLearner
from skactive.applications import Task


class ReviewTransformer(nn.Module):
    """A transformer of two layers over words, whose vectors are set and stay as they are.

    Parameters
    ----------
    vectors : ndarray of shape (n_words + 1, n_dims)
        Vectors of the words; the first is of no word.
    n_classes : int
        Number of classes.
    """

    def __init__(self, vectors: Any, n_classes: int) -> None:
        super().__init__()
        config = DistilBertConfig(
            vocab_size=len(vectors),
            dim=vectors.shape[1],
            hidden_dim=2 * vectors.shape[1],
            n_layers=2,
            n_heads=4,
            max_position_embeddings=64,
            num_labels=n_classes,
        )
        self.net = DistilBertForSequenceClassification(config)
        words = self.net.distilbert.embeddings.word_embeddings
        words.weight.data.copy_(torch.as_tensor(vectors))
        words.weight.requires_grad_(False)

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (n_texts, n_classes), of numbers of words, (n_texts, length)."""
        return self.net(input_ids=numbers, attention_mask=(numbers > 0).long()).logits
