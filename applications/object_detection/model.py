"""Blood cells in photographs: the data, and a detector for them."""

from __future__ import annotations

import gzip
import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from detector import BoxLoss, CellDetector, DetectorNet
from PIL import Image
from skorch.callbacks import LRScheduler
from torch.optim.lr_scheduler import OneCycleLR

from skactive.applications import Task
from skactive.datasets import CocoBoxes, find_bundled, read_coco

__all__ = ["make_model", "read"]

SIZE = (160, 120)  # width and height that photographs are scaled to
N_STEPS = {"miniature": 80, "full": 120}  # of training
MAX_RATE = 0.02  # the learning rate rises to it, and falls to nothing


def read(folder: Path | None) -> Task:
    """Read photographs with boxes around the things in them.

    Parameters
    ----------
    folder : Path or None
        COCO's form: ``train.json`` and ``test.json``, and the photographs in ``train/`` and
        ``test/``; or ``annotations.jsonl.gz`` and ``images_jpeg.npz``. None: the miniature.

    Returns
    -------
    Task
        Rows are arrays (height, width, 3) of uint8; labels are dicts with ``boxes`` and ``labels``.
        The label of a photograph costs as many boxes as there are to draw, 1 if there are none.
    """
    root = find_bundled("bccd") if folder is None else folder
    if (root / "annotations.jsonl.gz").is_file():
        train, test = read_archive(root)
    else:
        train, test = (read_coco(root / f"{p}.json", root / p, SIZE) for p in ("train", "test"))
    if train.classes != test.classes:
        raise ValueError(
            f"{root}: train.json has the categories {train.classes}, test.json {test.classes}; "
            "they must be the same, and in the same order."
        )
    name = "BCCD, a slice" if folder is None else root.name
    return Task(
        train.images,
        train.targets,
        test.images,
        test.targets,
        f"{name}: {len(train.files)} photographs to label, {len(test.files)} to test",
        costs=np.maximum([len(target["labels"]) for target in train.targets], 1),
        unit="boxes",
        details={"classes": train.classes, "n_steps": N_STEPS["full" if folder else "miniature"]},
    )


def make_model(task: Task) -> DetectorNet:
    """Return a detector for the classes of a task."""
    n_steps = task.details["n_steps"]
    return DetectorNet(
        CellDetector,
        criterion=BoxLoss,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=0.05,
        batch_size=4,
        n_steps=n_steps,
        max_epochs=1,
        train_split=None,
        verbose=0,
        iterator_valid__batch_size=64,
        module__n_classes=len(task.details["classes"]),
        callbacks=[
            LRScheduler(OneCycleLR, max_lr=MAX_RATE, total_steps=n_steps + 1, step_every="batch")
        ],
    )


def read_archive(folder: Path) -> tuple[CocoBoxes, CocoBoxes]:
    """Read photographs from ``images_jpeg.npz``, and boxes from a line of JSON for each.

    A line has ``file``, ``width``, ``height``, ``split`` ("test" for test rows), and in ``boxes``
    the ``name`` and the corners, ``box``, of each thing.
    """
    with gzip.open(folder / "annotations.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    with np.load(folder / "images_jpeg.npz") as archive:
        content, offsets, files = archive["jpeg"], archive["offsets"], archive["files"].tolist()
    if files != [row["file"] for row in rows]:
        raise ValueError(f"{folder}: the two files must have the same photographs, in one order.")
    classes = list(dict.fromkeys(box["name"] for row in rows for box in row["boxes"]))
    images = [_shrink(content[start:stop].tobytes()) for start, stop in itertools.pairwise(offsets)]
    targets = [_make_target(row, classes) for row in rows]
    is_test = [row["split"] == "test" for row in rows]
    parts = (np.flatnonzero(np.equal(is_test, part)) for part in (False, True))
    train, test = (
        CocoBoxes(
            np.stack([images[i] for i in part]),
            [targets[i] for i in part],
            classes,
            [files[i] for i in part],
        )
        for part in parts
    )
    return train, test


def _shrink(jpeg: bytes) -> Any:
    with Image.open(io.BytesIO(jpeg)) as image:
        return np.asarray(image.convert("RGB").resize(SIZE, Image.Resampling.BILINEAR))


def _make_target(row: dict[str, Any], classes: list[str]) -> dict[str, Any]:
    scale = np.tile(np.divide(SIZE, (row["width"], row["height"])), 2)
    corners = np.array([box["box"] for box in row["boxes"]]).reshape(-1, 4) * scale
    labels = np.array([classes.index(box["name"]) for box in row["boxes"]], dtype=np.intp)
    return {"boxes": corners.astype(np.float32), "labels": labels}
