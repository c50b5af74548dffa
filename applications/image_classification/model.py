"""A small convolutional net for images of any size."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, RandomSampler

from skactive import ActiveLearner
from skactive.applications import Task

N_STEPS = 100  # of training: few labels get as many as many do
MAX_RATE = 0.005


class ImageNet(nn.Sequential):
    """Two convolutions, a grid of 4 x 4 cells, and two dense layers, with dropout.

    The input of the last layer is the embedding that strategies read, and dropout makes the draws
    of BALD.
    """

    def __init__(self, n_channels: int, n_classes: int, width: int = 16) -> None:
        super().__init__(
            nn.Conv2d(n_channels, width, 5, padding=2),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(4),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(32 * width, 64),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(64, n_classes),
        )


def draw_batches(dataset: Any, batch_size: int, n_steps: int) -> DataLoader[Any]:
    """Return `n_steps` batches, in which all rows take their turn."""
    sampler = RandomSampler(dataset, num_samples=n_steps * batch_size)
    return DataLoader(dataset, batch_size, sampler=sampler)


def make_model(task: Task) -> ActiveLearner:
    """Make a learner with a net for the images of a task, with all classes declared."""
    n_classes = len(task.details)
    net = NeuralNetClassifier(
        ImageNet,
        module__n_channels=task.X.shape[1],
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
