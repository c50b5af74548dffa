"""A small convolutional net over vectors of words, which knows their order.

``pip install "skactive[torch]"``; then ``from net import make_net_model`` and
``model=make_net_model`` in ``run.py``.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetClassifier
from torch import nn
from words import WordNumbers, learn_word_vectors

from skactive import ActiveLearner
from skactive.applications import Task

WIDTHS = (1, 2, 3)  # words that a filter sees


class WordNet(nn.Module):
    """Filters over one, two and three words each, and the highest response of each to a text.

    Kim, "Convolutional neural networks for sentence classification", EMNLP 2014,
    https://doi.org/10.3115/v1/D14-1181. The vectors of the words stay as they are: few labels
    would spoil them.

    Parameters
    ----------
    vectors : ndarray of shape (n_words + 1, n_dims)
        Vectors of the words; the first is of no word.
    n_classes : int
        Number of classes.
    n_filters : int, default=60
        Filters per width.
    dropout : float, default=0.5
        Share of the responses that are hidden in training.
    """

    def __init__(
        self,
        vectors: NDArray[np.float32],
        n_classes: int,
        n_filters: int = 60,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        scaled = torch.as_tensor(vectors) * 3  # longer vectors let the filters learn faster
        self.words = nn.Embedding.from_pretrained(scaled, freeze=True, padding_idx=0)
        n_dims = vectors.shape[1]
        self.filters = nn.ModuleList(nn.Linear(width * n_dims, n_filters) for width in WIDTHS)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(3 * n_filters, n_classes)

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (n_texts, n_classes), of numbers of words, (n_texts, length)."""
        longest = int((numbers > 0).sum(dim=1).max())  # the rest is padding
        words = self.words(numbers[:, : max(1, longest)])  # (n_texts, length, n_dims)
        words = nn.functional.pad(words, (0, 0, 2, 2))
        responses = []
        for width, layer in zip(WIDTHS, self.filters, strict=True):
            windows = words.unfold(1, width, 1).flatten(start_dim=2)  # (n_texts, ., width * n_dims)
            responses.append(layer(windows).relu().amax(dim=1))
        return self.output(self.dropout(torch.cat(responses, dim=1)))


class SteppedNet(NeuralNetClassifier):
    """A net that makes the same number of steps, however few rows there are.

    Parameters
    ----------
    module : class of torch.nn.Module
        The net.
    n_steps : int, default=100
        Number of steps; whole epochs are made, so it may be a little more.
    **settings
        Those of skorch.
    """

    def __init__(self, module: Any, *args: Any, n_steps: int = 100, **settings: Any) -> None:
        super().__init__(module, *args, **settings)
        self.n_steps = n_steps

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **fit_params: Any) -> Any:
        """Fit as many epochs as make `n_steps` steps."""
        steps_per_epoch = ceil(len(y) / self.batch_size)
        return super().fit_loop(X, y, ceil(self.n_steps / steps_per_epoch), **fit_params)


def make_net(module: Any, **settings: Any) -> SteppedNet:
    """Make a net of a module that gives logits, with settings for few labels."""
    defaults = {
        "criterion": nn.CrossEntropyLoss,
        "optimizer": torch.optim.AdamW,
        "lr": 4e-3,
        "optimizer__weight_decay": 1e-3,
        "batch_size": 32,
        "iterator_train__shuffle": True,
        "iterator_valid__batch_size": 1024,
        "train_split": None,
        "verbose": 0,
    }
    return SteppedNet(module, **{**defaults, **settings})


def make_net_model(task: Task) -> ActiveLearner:
    """Make the model: vectors of words are learned from all texts, the net from the labels.

    Parameters
    ----------
    task : Task
        The texts.

    Returns
    -------
    ActiveLearner
        A net has a fixed number of outputs, so the classes are declared.
    """
    numbers = WordNumbers().fit(task.X)
    vectors = learn_word_vectors(numbers.transform(task.X), len(numbers.numbers_))
    classes = sorted(set(task.y))
    net = make_net(WordNet, module__vectors=vectors, module__n_classes=len(classes))
    return ActiveLearner(make_pipeline(FrozenEstimator(numbers), net), classes=classes)
