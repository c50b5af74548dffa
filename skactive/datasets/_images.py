"""Images, and their labels from folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive.datasets._class_folders import find_labeled_files

__all__ = ["LabeledImages", "read_image_folder"]

_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
_MODES = ("L", "RGB")


class LabeledImages(NamedTuple):
    """Images of one size, and the class of each.

    Attributes
    ----------
    images : ndarray of shape (n, height, width) or (n, height, width, 3), uint8
        The images; one channel with ``mode="L"``.
    labels : ndarray of str, shape (n,)
        The class of each.
    names : list of str
        The files, relative to the folder.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.str_]
    names: list[str]


def read_image_folder(
    folder: str | Path,
    size: tuple[int, int] | None = None,
    mode: str = "RGB",
    *,
    pattern: str | None = None,
) -> LabeledImages:
    r"""Read the images of a folder with their labels.

    Photographs are turned upright, what is transparent becomes white, and of several frames the
    first is read.

    Parameters
    ----------
    folder : str or Path
        A folder with one folder per class (``cat/1.png``); or, with a pattern, any folder.
    size : tuple of int, default=None
        Width and height to resize all to, by the mean of the area; None: as they are, which has to
        be of one size.
    mode : {"RGB", "L"}, default="RGB"
        Colors, or shades of gray.
    pattern : str, default=None
        A regular expression for names without suffix, with a group ``label``:
        ``r"(?P<label>\w+?)_\d+"`` reads ``cat_12.png``.

    Returns
    -------
    LabeledImages
        Sorted by the names of folders and files.

    Raises
    ------
    NotADirectoryError
        If there is no such folder.
    ValueError
        If it has no images, one is damaged or has more than 8 bits per color, sizes differ, or a
        name does not match.
    ImportError
        If Pillow is not installed (the extra ``images``).

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> from skactive.datasets import read_image_folder
    >>> folder = Path(mkdtemp())
    >>> for name in ("cat", "dog"):
    ...     (folder / name).mkdir()
    ...     Image.fromarray(np.zeros((8, 6), dtype=np.uint8)).save(folder / name / "1.png")
    >>> found = read_image_folder(folder, mode="L")
    >>> found.images.shape, found.labels.tolist()
    ((2, 8, 6), ['cat', 'dog'])
    """
    if mode not in _MODES:
        raise ValueError(f"mode must be one of {list(_MODES)}, got {mode!r}.")
    files = find_labeled_files(folder, _SUFFIXES, "images", pattern)
    images = [_read(path, size, mode) for path, _ in files]
    shapes: dict[tuple[int, ...], Path] = {}
    for image, (path, _) in zip(images, files, strict=True):
        shapes.setdefault(image.shape[:2], path)
    if len(shapes) > 1:
        found = ", ".join(f"{w} x {h} ({path.name})" for (h, w), path in shapes.items())
        raise ValueError(f"The images have several sizes: {found}. Pass size=(width, height).")
    labels = np.array([said["label"] for _, said in files])
    names = [path.relative_to(folder).as_posix() for path, _ in files]
    return LabeledImages(np.stack(images), labels, names)


def _read(path: Path, size: tuple[int, int] | None, mode: str) -> NDArray[np.uint8]:
    from PIL import Image  # late: an extra

    try:
        with Image.open(path) as file:
            if file.format == "PNG":
                with Image.open(path) as checked:
                    checked.verify()  # decoders do not look at checksums
            image = _make_opaque(file).convert(mode)
    except Exception as error:  # decoders of damaged files raise errors of any kind
        raise ValueError(f"{path} cannot be read as an image: {error}") from error
    if size is not None:
        image = image.resize(size, Image.Resampling.BOX)
    return np.asarray(image, dtype=np.uint8)


def _make_opaque(file: Any) -> Any:
    """Return an image upright and on white, or raise if its colors would be cut at 255."""
    from PIL import Image, ImageOps  # late: an extra

    if file.mode == "F" or file.mode.startswith("I"):
        raise ValueError(f"mode {file.mode} has more than 8 bits per pixel: scale it to 8")
    image = ImageOps.exif_transpose(file)
    if "A" not in image.mode and "transparency" not in image.info:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
