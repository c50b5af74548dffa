"""A small U-Net, its training, and its score."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from data import UNKNOWN
from numpy.typing import NDArray
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, WeightedRandomSampler

from skactive.applications import Task

MAX_RATE = 0.02  # the learning rate rises to it, and falls to nothing


class UNet(nn.Module):
    """A U-Net for images of 8 bits, (n, height, width, 3), of sides that 8 divides.

    It works at half the resolution: 2 x 2 pixels are one place with the channels of all four, and
    each place predicts the classes of its four pixels, which is four times as fast.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    channels : tuple of int
        Number of channels at each level; each level halves the resolution.
    dropout : float
        Share of the channels that are dropped before the last layers, also for BALD.
    """

    element = "pixel"  # skactive reads a prediction for each pixel

    def __init__(self, n_classes: int, channels: tuple[int, ...], dropout: float = 0.2) -> None:
        super().__init__()
        pairs = zip((24, *channels), channels, strict=False)
        self.down = nn.ModuleList([make_block(n_in, n_out) for n_in, n_out in pairs])
        pairs = zip(channels[:0:-1], channels[-2::-1], strict=True)
        self.up = nn.ModuleList([make_block(n_in + n_out, n_out) for n_in, n_out in pairs])
        self.drop = nn.Dropout2d(dropout)
        self.out = nn.Conv2d(channels[0], 4 * n_classes, 1)

    def forward(self, X: Tensor) -> Tensor:
        """Return the scores of the classes, (n, n_classes, height, width)."""
        maps, skipped = functional.pixel_unshuffle(normalize(X), 2), []
        for block in self.down[:-1]:
            skipped.append(block(maps))
            maps = functional.max_pool2d(skipped[-1], 2)
        maps = self.drop(self.down[-1](maps))
        for block in self.up:
            maps = functional.interpolate(maps, scale_factor=2.0)
            maps = block(torch.cat([maps, skipped.pop()], dim=1))
        return functional.pixel_shuffle(self.out(self.drop(maps)), 2)


def make_block(n_in: int, n_out: int) -> nn.Sequential:
    """Return a convolution, normalization and a ReLU."""
    convolution = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(n_out), nn.ReLU())


def normalize(X: Tensor) -> Tensor:
    """Return how far each image is from its median color, (n, 6, height, width).

    Exposure and stain vary: nuclei shine on black, or are dark on white. Three channels have the
    sign of the difference, three do not.
    """
    images = X.movedim(-1, 1).float()
    median = images.flatten(2).median(dim=2).values[:, :, None, None]
    difference = images - median
    difference = difference / (difference.std(dim=(1, 2, 3), keepdim=True) + 1.0)
    return torch.cat([difference, difference.abs()], dim=1)


def draw_batches(dataset: Any, batch_size: int, n_steps: int) -> DataLoader[Any]:
    """Return so many batches of images, drawn at random, one of many known pixels more often."""
    n_known = (np.asarray(dataset.y) != UNKNOWN).sum(axis=(1, 2))
    sampler = WeightedRandomSampler(n_known.tolist(), n_steps * batch_size)
    return DataLoader(dataset, batch_size=batch_size, sampler=sampler)


def make_model(task: Task) -> NeuralNetClassifier:
    """Return the net, which learns from the pixels whose class is known."""
    n_classes, n_steps = len(task.details.classes), task.details.n_steps
    return NeuralNetClassifier(
        UNet,
        module__n_classes=n_classes,
        module__channels=task.details.channels,
        classes=list(range(n_classes)),
        criterion=nn.CrossEntropyLoss,
        criterion__ignore_index=UNKNOWN,
        predict_nonlinearity=nn.Softmax(dim=1),  # skorch's own is over the last axis
        optimizer=torch.optim.AdamW,
        batch_size=8,
        max_epochs=1,
        iterator_train=draw_batches,
        iterator_train__n_steps=n_steps,
        callbacks=[
            LRScheduler(OneCycleLR, max_lr=MAX_RATE, total_steps=n_steps, step_every="batch")
        ],
        train_split=None,
        verbose=0,
    )


def mean_iou(model: Any, X: NDArray[np.uint8], y: NDArray[np.integer]) -> float:
    """Return the intersection over union of each class on average, over all pixels with a class."""
    known = y != UNKNOWN
    true, predicted = y[known], model.predict(X)[known]
    n_classes = int(max(true.max(), predicted.max())) + 1
    counts = np.bincount(true * n_classes + predicted, minlength=n_classes**2)
    confusion = counts.reshape(n_classes, n_classes)
    both, either = np.diag(confusion), confusion.sum(axis=0) + confusion.sum(axis=1)
    present = either > 0
    return float((both[present] / (either - both)[present]).mean())
