"""A small transformer that is built from its settings and trained through skorch: no download.

``pip install transformers``; then ``model=make_transformer_model`` in ``run.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from net import make_net
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from skorch.hf import HuggingfaceTokenizer
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from torch import nn
from transformers import DistilBertConfig, DistilBertForSequenceClassification
from words import learn_word_vectors

from skactive import ActiveLearner
from skactive.applications import Task

MAX_PIECES = 48  # of a text; later ones are left out


class ReviewTransformer(nn.Module):
    """DistilBERT with two layers over pieces of words, whose vectors stay as they are.

    Sanh, Debut, Chaumond and Wolf, "DistilBERT, a distilled version of BERT", 2019,
    https://doi.org/10.48550/arXiv.1910.01108; here built anew, from its settings.

    Parameters
    ----------
    vectors : ndarray of shape (n_pieces, n_dims)
        Vectors of the pieces.
    n_classes : int
        Number of classes.
    """

    def __init__(self, vectors: Any, n_classes: int) -> None:
        super().__init__()
        n_pieces, n_dims = vectors.shape
        config = DistilBertConfig(
            vocab_size=n_pieces,
            dim=n_dims,
            hidden_dim=2 * n_dims,
            n_layers=2,
            n_heads=4,
            max_position_embeddings=MAX_PIECES,
            num_labels=n_classes,
        )
        self.net = DistilBertForSequenceClassification(config)
        pieces = self.net.distilbert.embeddings.word_embeddings
        pieces.weight.data.copy_(torch.as_tensor(vectors))
        pieces.weight.requires_grad_(False)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (n_texts, n_classes)."""
        longest = int(attention_mask.sum(dim=1).max())  # the rest is padding
        part = slice(max(1, longest))
        return self.net(input_ids[:, part], attention_mask=attention_mask[:, part]).logits


def learn_pieces(texts: Sequence[str]) -> HuggingfaceTokenizer:
    """Learn which pieces of words are frequent in the texts."""
    tokenizer = HuggingfaceTokenizer(
        Tokenizer(WordPiece(unk_token="[UNK]")),
        normalizer=BertNormalizer(),
        pre_tokenizer=BertPreTokenizer(),
        trainer__vocab_size=8000,
        trainer__special_tokens=["[PAD]", "[UNK]"],  # [PAD] is number 0
        trainer__show_progress=False,
        max_length=MAX_PIECES,
    )
    return tokenizer.fit(list(texts))


def make_transformer_model(task: Task) -> ActiveLearner:
    """Make the model: vectors of pieces are learned from all texts, the layers from the labels.

    Parameters
    ----------
    task : Task
        The texts.

    Returns
    -------
    ActiveLearner
        A net has a fixed number of outputs, so the classes are declared.
    """
    tokenizer = learn_pieces(task.X)
    numbers = tokenizer.transform(list(task.X))["input_ids"].numpy()
    vectors = learn_word_vectors(numbers, len(tokenizer.vocabulary_) - 1)
    classes = sorted(set(task.y))
    net = make_net(
        ReviewTransformer,
        module__vectors=vectors,
        module__n_classes=len(classes),
        n_steps=200,
        lr=1e-3,
    )
    return ActiveLearner(make_pipeline(FrozenEstimator(tokenizer), net), classes=classes)
