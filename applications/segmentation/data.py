"""Images and masks: the miniature, the archives of nuclei and CamVid, or folders of your own."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive.applications import Task
from skactive.datasets import SegmentedImages, find_bundled, read_mask_folder

UNKNOWN = 255  # the mark of pixels without a class: they are not learned, and not scored
REGION = 16  # pixels a side of the regions that are labeled at once
NUCLEI = ("background", "nucleus")
ROADS = (
    *("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car"),
    *("pedestrian", "bicyclist"),
)


class Details(NamedTuple):
    """Names of the classes, channels of the net, and steps of its optimizer, for any labels."""

    classes: tuple[str, ...]
    channels: tuple[int, ...] = (16, 32, 64)
    n_steps: int = 200


def read(folder: Path | None) -> Task:
    """Read images and masks from a folder; the miniature if it is None.

    A folder has ``images`` and ``masks`` (a quarter is for the test), or ``train`` and ``test``
    with these two in each, or one of the archives ``dsb2018_128.npz`` and ``camvid_128x96.npz``.
    """
    if folder is None:
        return make_task(*read_parts(find_bundled("nuclei")), Details(NUCLEI, (16, 32), n_steps=60))
    nuclei, roads = folder / "dsb2018_128.npz", folder / "camvid_128x96.npz"
    if nuclei.is_file():
        return make_task(*read_nuclei(nuclei), Details(NUCLEI))
    if roads.is_file():
        return make_task(*read_roads(roads), Details(ROADS, (16, 32, 64, 64), n_steps=300))
    return make_task(*read_parts(folder))


def read_parts(folder: Path) -> tuple[SegmentedImages, SegmentedImages, str]:
    """Return the images to label, those of the test, and their origin, from folders of files."""
    name = f"images of {folder.name}"
    if (folder / "train").is_dir():
        parts = [
            read_mask_folder(folder / part / "images", folder / part / "masks")
            for part in ("train", "test")
        ]
        return parts[0], parts[1], name
    return *split(read_mask_folder(folder / "images", folder / "masks")), name


def read_nuclei(path: Path) -> tuple[SegmentedImages, SegmentedImages, str]:
    """Return nuclei of the Data Science Bowl 2018, at half their size: 64 x 64 pixels."""
    archive = np.load(path)
    images = halve(archive["X"], archive["y"], archive["ids"].tolist())
    return *split(images), "nuclei (Data Science Bowl 2018, CC0)"


def read_roads(path: Path) -> tuple[SegmentedImages, SegmentedImages, str]:
    """Return street scenes of CamVid, at half their size: 64 x 48 pixels."""
    archive = np.load(path)
    parts = []
    for part in ("train", "test"):
        masks = archive[f"y_{part}"]
        masks = np.where(masks == len(ROADS), UNKNOWN, masks)  # 11 is unlabeled
        names = [f"{part} {i}" for i in range(len(masks))]
        parts.append(halve(archive[f"X_{part}"], masks, names))
    return parts[0], parts[1], "street scenes (CamVid)"


def halve(X: NDArray[np.uint8], y: NDArray[np.integer], names: list[str]) -> SegmentedImages:
    """Halve images by the mean of 2 x 2 pixels, and masks by every other pixel."""
    n, height, width, n_channels = X.shape
    blocks = X.reshape(n, height // 2, 2, width // 2, 2, n_channels)
    images = blocks.mean(axis=(2, 4)).round().astype(np.uint8)
    return SegmentedImages(images, y[:, ::2, ::2].astype(np.int64), names)


def split(data: SegmentedImages) -> tuple[SegmentedImages, SegmentedImages]:
    """Split off a quarter of the images for the test, at random."""
    order = np.random.default_rng(0).permutation(len(data.names))
    test, train = np.split(order, [len(order) // 4])
    parts = [
        SegmentedImages(data.images[rows], data.masks[rows], [data.names[i] for i in rows])
        for rows in (train, test)
    ]
    return parts[0], parts[1]


def make_task(
    train: SegmentedImages,
    test: SegmentedImages,
    source: str,
    details: Details | None = None,
) -> Task:
    """Return the task: a label costs as many units as it has pixels, of an image or a region."""
    if details is None:
        known = train.masks[train.masks != UNKNOWN]
        details = Details(tuple(f"class {number}" for number in range(int(known.max()) + 1)))
    sizes = [np.bincount(regions.ravel()) for regions in cut_into_regions(train.images)]
    return Task(
        train.images,
        train.masks,
        test.images,
        test.masks,
        f"{len(train.names) + len(test.names)} {source}",
        costs=np.array([region_sizes.sum() for region_sizes in sizes]),
        unit="pixels",
        element_costs=sizes,
        details=details,
    )


def cut_into_regions(X: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the number of each pixel's region, (n, height, width): squares of a grid."""
    n, height, width = X.shape[:3]
    n_columns = -(-width // REGION)
    rows, columns = np.arange(height) // REGION, np.arange(width) // REGION
    grid = rows[:, np.newaxis] * n_columns + columns
    return np.broadcast_to(grid, (n, height, width))
