"""Images and the masks of their pixels, from two folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["SegmentedImages", "read_mask_folder"]

_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
_MASK_MODES = {"1", "L", "P"}  # one number from 0 to 255 per pixel; of "P", its place in a palette
_DEEP_MODES = {"F", "I", "I;16", "I;16B", "I;16L"}  # Pillow would cut these off at 255


class SegmentedImages(NamedTuple):
    """Images, and the class of each of their pixels.

    Attributes
    ----------
    images : ndarray of shape (n, height, width, 3), uint8
        The images.
    masks : ndarray of shape (n, height, width), int64
        The class of each pixel.
    names : list of str
        The names of the files, without suffix.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.int64]
    names: list[str]


def read_mask_folder(
    images: str | Path,
    masks: str | Path,
    size: tuple[int, int] | None = None,
    *,
    values: Mapping[int, int] | None = None,
) -> SegmentedImages:
    """Read images, and masks of the same names, from two folders.

    A mask is an image of one channel, in which the value of a pixel is its class; of a palette, the
    place in it. Suffixes may differ: ``images/a.jpg`` goes with ``masks/a.png``.

    Parameters
    ----------
    images, masks : str or Path
        The folders. Files that are no images are left alone.
    size : tuple of int, default=None
        Width and height to resize all to: images by the mean of the area, masks by the nearest
        pixel. None: as they are, which has to be of one size.
    values : mapping of int to int, default=None
        The class for each value of a mask, such as ``{0: 0, 255: 1}`` for black and white. None: a
        value is the class.

    Returns
    -------
    SegmentedImages
        Images, masks and names, in the order of the names.

    Raises
    ------
    NotADirectoryError
        If there is no such folder.
    ValueError
        If a folder has no images, one cannot be read, an image has no mask or a mask no image,
        their sizes differ, a mask has colors or was compressed with a loss, or a value of it is not
        among `values`.
    ImportError
        If Pillow is not installed (the extra ``images``).

    Examples
    --------
    >>> from skactive.datasets import find_bundled, read_mask_folder
    >>> folder = find_bundled("nuclei") / "test"
    >>> X, y, names = read_mask_folder(folder / "images", folder / "masks", size=(32, 32))
    >>> X.shape, y.shape
    ((40, 32, 32, 3), (40, 32, 32))
    """
    image_paths, mask_paths = _list_images(Path(images)), _list_images(Path(masks))
    _check_pairs(image_paths, mask_paths, Path(images), Path(masks))
    names = sorted(image_paths)
    rows = [_read_pair(image_paths[name], mask_paths[name], size) for name in names]
    _check_sizes(rows, [image_paths[name] for name in names])
    X, y = (np.stack(part) for part in zip(*rows, strict=True))
    return SegmentedImages(X, _to_classes(y, values, [mask_paths[name] for name in names]), names)


def _list_images(folder: Path) -> dict[str, Path]:
    """Return the image files of a folder by their names without suffix."""
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in _SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in found:
            raise ValueError(
                f"{found[path.stem]} and {path.name} have one name: images and masks are paired by "
                "their names, so rename or remove one."
            )
        found[path.stem] = path
    if not found:
        raise ValueError(f"{folder} holds no images ({', '.join(sorted(_SUFFIXES))}).")
    return found


def _check_pairs(
    images: dict[str, Path], masks: dict[str, Path], image_folder: Path, mask_folder: Path
) -> None:
    for names, others, kind, folder in (
        (images, masks, "mask", mask_folder),
        (masks, images, "image", image_folder),
    ):
        missing = sorted(names.keys() - others.keys())
        if missing:
            raise ValueError(
                f"{len(missing)} of {len(names)} files have no {kind} of the same name in {folder},"
                f" the first of them {names[missing[0]]}: rename the {kind}s, or move these away."
            )


def _read_pair(
    image_path: Path, mask_path: Path, size: tuple[int, int] | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return an image, (height, width, 3), and its mask, (height, width), as bytes."""
    from PIL import Image, ImageOps  # late: optional

    image, mask = ImageOps.exif_transpose(_open(image_path)), _open(mask_path)
    if image.mode in _DEEP_MODES:
        raise ValueError(f"{image_path} has more than 8 bits per channel: convert it to 8 bits.")
    _check_mask(mask, mask_path)
    if image.size != mask.size:
        raise ValueError(
            f"{image_path} is of {_name(image.size)} pixels, its mask {mask_path} of "
            f"{_name(mask.size)}: they must be of one size."
        )
    image = image.convert("RGB")
    if size is not None:
        image = image.resize(size, Image.Resampling.BOX)
        mask = mask.resize(size, Image.Resampling.NEAREST)
    return np.asarray(image), np.asarray(mask, dtype=np.uint8)


def _open(path: Path) -> Any:
    """Return an image that is read whole; one that cannot be is an error with its path."""
    from PIL import Image, UnidentifiedImageError  # late: optional

    try:
        with Image.open(path) as image:
            n_frames = getattr(image, "n_frames", 1)
            image.load()
    except (OSError, SyntaxError, UnidentifiedImageError) as error:
        raise ValueError(f"{path} cannot be read as an image: {error}") from error
    if n_frames > 1:
        raise ValueError(f"{path} holds {n_frames} images: save each to its own file.")
    return image


def _check_mask(mask: Any, path: Path) -> None:
    if mask.format == "JPEG":
        raise ValueError(
            f"The mask {path} is a JPEG, whose compression changes values: save it as PNG."
        )
    if mask.mode not in _MASK_MODES:
        raise ValueError(
            f"The mask {path} has {len(mask.getbands())} channel(s) of mode {mask.mode}, but the "
            "value of a pixel must be its class, from 0 to 255: convert colors to numbers of "
            "classes, and save one channel of 8 bits or a palette."
        )


def _check_sizes(rows: list[tuple[NDArray[Any], NDArray[Any]]], paths: list[Path]) -> None:
    shape = rows[0][0].shape
    for (image, _), path in zip(rows, paths, strict=True):
        if image.shape != shape:
            raise ValueError(
                f"{path} is of {_name(image.shape[1::-1])} pixels, {paths[0].name} of "
                f"{_name(shape[1::-1])}: pass size=(width, height) to resize all."
            )


def _to_classes(
    y: NDArray[Any], values: Mapping[int, int] | None, paths: list[Path]
) -> NDArray[np.int64]:
    """Return the classes of masks, (n, height, width)."""
    found = np.unique(y)
    if values is None:
        if found.tolist() == [0, 255]:
            raise ValueError(
                f"The masks, {paths[0]} and others, are black and white (0 and 255): pass "
                "values={0: 0, 255: 1} for the classes 0 and 1."
            )
        return y.astype(np.int64)
    unknown = sorted(set(found.tolist()) - set(values))
    if unknown:
        row = int(np.flatnonzero((y == unknown[0]).any(axis=(1, 2)))[0])
        raise ValueError(
            f"The mask {paths[row]} has the value {unknown[0]}, but values= has a class for "
            f"{sorted(values)} only."
        )
    table = np.zeros(256, dtype=np.int64)
    for value, number in values.items():
        table[value] = number
    return table[y]


def _name(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))
