"""A small convolutional net for spectrograms."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from data import N_FRAMES, N_MELS
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, RandomSampler

from skactive import ActiveLearner
from skactive.applications import Task

N_STEPS = 100  # of training: few labels get as many as many do
MAX_RATE = 0.005


class Masks(nn.Module):
    """Hide a random band and a random span of each spectrogram in training.

    References
    ----------
    Park et al., "SpecAugment", Interspeech 2019, :doi:`10.21437/Interspeech.2019-2680`.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the spectrograms, (n_rows, 1, n_mels, n_frames)."""
        if not self.training:
            return X
        in_band, in_span = (self.draw(len(X), n) for n in X.shape[2:])
        hidden = in_band[:, None, :, None] | in_span[:, None, None, :]
        return X.masked_fill(hidden, 0.0)

    def draw(self, n_rows: int, n: int) -> torch.Tensor:
        """Draw which of `n` positions to hide in each row, (n_rows, n)."""
        start = torch.randint(n - self.size + 1, (n_rows, 1))
        distance = torch.arange(n) - start
        return (distance >= 0) & (distance < self.size)


class SoundNet(nn.Sequential):
    """Two convolutions and two dense layers, with dropout.

    The input of the last layer is the embedding that strategies read, and dropout makes the draws
    of BALD.
    """

    def __init__(self, n_classes: int, width: int = 12) -> None:
        super().__init__(
            Masks(3),
            nn.Conv2d(1, width, 5, stride=2, padding=2),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(2 * width * (N_MELS // 4) * (N_FRAMES // 4), 64),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(64, n_classes),
        )


def draw_batches(dataset: Any, batch_size: int, n_steps: int) -> DataLoader[Any]:
    """Return `n_steps` batches, in which all rows take their turn."""
    sampler = RandomSampler(dataset, num_samples=n_steps * batch_size)
    return DataLoader(dataset, batch_size, sampler=sampler)


def make_model(task: Task) -> ActiveLearner:
    """Make a learner with a net for the spectrograms of a task, with all classes declared."""
    n_classes = len(task.details)
    net = NeuralNetClassifier(
        SoundNet,
        module__n_classes=n_classes,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        batch_size=32,
        max_epochs=1,  # of N_STEPS batches
        iterator_train=draw_batches,
        iterator_train__n_steps=N_STEPS,
        iterator_valid__batch_size=512,
        callbacks=[
            LRScheduler(OneCycleLR, max_lr=MAX_RATE, total_steps=N_STEPS + 1, step_every="batch")
        ],
        train_split=None,
        verbose=0,
    )
    return ActiveLearner(net, classes=np.arange(n_classes))
