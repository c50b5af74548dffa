"""Images of one object each, read in the forms that people have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from skactive.applications import Task
from skactive.datasets import read_image_folder

SIDE = 32  # pixels to which the images of a folder are scaled
N_TEST = 2000  # images to test on, at most
TEST_SHARE = 0.25  # of the images, where no folders divide them

Images = NDArray[np.float32]


def read_images(folder: Path | None) -> Task:
    """Read images and their classes.

    The folder holds ``mnist.npz``, or a folder of images per class, perhaps below ``train`` and
    ``test``. None is scikit-learn's digits, 8 x 8 pixels.
    """
    if folder is None:
        return read_digits()
    if (folder / "mnist.npz").is_file():
        return read_mnist(folder / "mnist.npz")
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        return read_parts(folder)
    X, labels = read_folder(folder)
    return divide(X, labels, folder.resolve().name)


def read_digits() -> Task:
    """Read the digits that come with scikit-learn."""
    digits = load_digits()
    X = (digits.images[:, np.newaxis] / 16).astype(np.float32)
    return divide(X, digits.target, "scikit-learn's digits")


def read_mnist(path: Path) -> Task:
    """Read MNIST from one file."""
    data = np.load(path)
    X, X_test = (
        scale(data[f"X_{part}"].reshape(-1, 28, 28)[:, np.newaxis]) for part in ("train", "test")
    )
    return make_task(X, data["y_train"], X_test, data["y_test"], "MNIST")


def read_parts(folder: Path) -> Task:
    """Read the folders ``train`` and ``test``, each with a folder per class."""
    X, labels = read_folder(folder / "train")
    X_test, test_labels = read_folder(folder / "test")
    return make_task(X, labels, X_test, test_labels, folder.resolve().name)


def read_folder(folder: Path) -> tuple[Images, NDArray[Any]]:
    """Return images of one size, (n_images, 3, SIDE, SIDE), and their labels."""
    found = read_image_folder(folder, (SIDE, SIDE))
    return scale(found.images.transpose(0, 3, 1, 2)), found.labels


def scale(images: NDArray[np.uint8]) -> Images:
    """Return images of 8 bits as numbers from 0 to 1."""
    return np.divide(images, 255, dtype=np.float32)


def divide(X: Images, labels: NDArray[Any], name: str) -> Task:
    """Draw the images to test on."""
    is_test = np.random.default_rng(0).random(len(X)) < TEST_SHARE
    return make_task(X[~is_test], labels[~is_test], X[is_test], labels[is_test], name)


def make_task(
    X: Images, labels: NDArray[Any], X_test: Images, test_labels: NDArray[Any], name: str
) -> Task:
    """Number the classes, and draw at most N_TEST images to test on."""
    classes, y = np.unique(labels, return_inverse=True)
    unseen = set(test_labels) - set(labels)
    if unseen:
        raise ValueError(
            f"The images for testing have classes that no other has: {sorted(map(str, unseen))}."
        )
    drawn = np.random.default_rng(0).permutation(len(X_test))[:N_TEST]
    source = f"{name}, {len(X)} images of {len(classes)} classes"
    return Task(
        X,
        y,
        X_test[drawn],
        np.searchsorted(classes, test_labels[drawn]),
        source,
        unit="images",
        details=classes.tolist(),
    )
