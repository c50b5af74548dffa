"""Images of one object each: data, and a small convolutional net."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from skorch import NeuralNetClassifier
from torch import nn

from skactive import ActiveLearner
from skactive.applications import Task
from skactive.datasets import read_image_folder

N_TEST = 2000  # rows to score on, of the full data


def read_images(folder: Path | None) -> Task:
    """Read images and their classes.

    A folder has ``train`` and ``test``, each with a folder of images per class, or a file
    ``mnist.npz``. Without one, these are the digits of scikit-learn, 8 x 8 pixels.
    """
    if folder is None:
        return read_digits()
    if (folder / "mnist.npz").is_file():
        return read_mnist(folder / "mnist.npz")
    train, test = (read_image_folder(folder / part) for part in ("train", "test"))
    classes, y = np.unique(train.labels, return_inverse=True)
    strange = set(test.labels) - set(classes)
    if strange:
        raise ValueError(f"{folder / 'test'} has classes that train lacks: {sorted(strange)}.")
    y_test = np.searchsorted(classes, test.labels)
    X, X_test = (np.moveaxis(images, 3, 1) for images in (train.images, test.images))
    return Task(
        scale(X),
        y,
        scale(X_test),
        y_test,
        f"{folder.name}, {len(classes)} classes",
        details=classes,
    )


def read_digits() -> Task:
    """Split scikit-learn's digits in two parts."""
    X, y = load_digits(return_X_y=True)
    X = (X.reshape(-1, 1, 8, 8) / 16).astype(np.float32)
    order = np.random.default_rng(0).permutation(len(X))
    train, test = order[:1200], order[1200:]
    return Task(
        X[train], y[train], X[test], y[test], "scikit-learn's digits", details=np.arange(10)
    )


def read_mnist(path: Path) -> Task:
    """Read MNIST, with some of its test images."""
    data = np.load(path)
    X, X_test = (scale(data[f"X_{part}"].reshape(-1, 1, 28, 28)) for part in ("train", "test"))
    y, y_test = (data[f"y_{part}"].astype(np.int64) for part in ("train", "test"))
    return Task(X, y, X_test[:N_TEST], y_test[:N_TEST], "MNIST", details=np.arange(10))


def scale(images: Any) -> Any:
    """Return images of 8 bits as numbers from 0 to 1."""
    return np.asarray(images, dtype=np.float32) / 255


class SmallNet(nn.Module):
    """Two convolutions and two dense layers, with dropout; images of any size.

    The input of the last layer is the embedding that strategies read.
    """

    def __init__(self, n_channels: int, n_classes: int, width: int = 16) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(n_channels, width, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(4),
            nn.Flatten(),
            nn.Dropout(0.25),
            nn.Linear(32 * width, 64),
            nn.ReLU(),
            nn.Dropout(0.5),
        )
        self.last = nn.Linear(64, n_classes)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the logits, (n_rows, n_classes)."""
        return self.last(self.features(X))


class NetOfSteps(NeuralNetClassifier):
    """A net that takes a number of steps, whatever the number of rows.

    A number of epochs would be too few steps for few labels, and too many for many.
    """

    def __init__(self, *args: Any, n_steps: int = 300, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.n_steps = n_steps

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **params: Any) -> Any:
        """Train for as many epochs as the steps take."""
        epochs = ceil(self.n_steps / ceil(len(X) / self.batch_size))
        return super().fit_loop(X, y, epochs=epochs, **params)


def make_model(task: Task) -> ActiveLearner:
    """Make a learner with the net for the images of a task.

    All classes are declared, since the first labels may lack some.
    """
    n_classes = len(task.details)
    net = NetOfSteps(
        SmallNet,
        module__n_channels=task.X.shape[1],
        module__n_classes=n_classes,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=2e-3,
        n_steps=160,
        batch_size=32,
        iterator_train__shuffle=True,
        iterator_valid__batch_size=512,
        train_split=None,
        verbose=0,
    )
    return ActiveLearner(net, classes=np.arange(n_classes))
