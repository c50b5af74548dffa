"""Pictures with boxes: annotations in the JSON of COCO."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

__all__ = ["CocoBoxes", "read_coco"]

_KEYS = {  # that are read, of each entry
    "images": ("id", "file_name", "width", "height"),
    "annotations": ("image_id", "category_id", "bbox"),
    "categories": ("id", "name"),
}
_TOLERANCE = 1.0  # pixels: annotators round, and draw on the border


class CocoBoxes(NamedTuple):
    """Pictures and the boxes in them.

    Attributes
    ----------
    images : ndarray of shape (n_images, height, width, 3), or list of ndarray
        Pictures as uint8 in RGB, in the order of the file; a list where they keep their own sizes.
    targets : list of dict
        For each picture ``boxes`` (n_boxes, 4), the corners (left, top, right, bottom) in pixels of
        `images`, as float32, and ``labels`` (n_boxes,), positions in `classes`.
    classes : list of str
        Names of the categories, by their ids.
    files : list of str
        Names of the files of the pictures.
    """

    images: Any
    targets: list[dict[str, NDArray[Any]]]
    classes: list[str]
    files: list[str]


def read_coco(
    annotations: str | Path,
    folder: str | Path | None = None,
    size: tuple[int, int] | None = None,
    *,
    skip_crowds: bool = False,
) -> CocoBoxes:
    """Read pictures and their boxes from annotations in the JSON of COCO.

    Parameters
    ----------
    annotations : str or Path
        The JSON file, with ``images``, ``annotations`` and ``categories``.
    folder : str or Path, default=None
        Folder of the pictures; None: that of the JSON file.
    size : (int, int), default=None
        Width and height that all pictures are scaled to, with their boxes; None: as they are.
    skip_crowds : bool, default=False
        Whether to leave out annotations of crowds (``iscrowd``), whose box holds many things.

    Returns
    -------
    CocoBoxes

    Raises
    ------
    ImportError
        If Pillow is not installed.
    FileNotFoundError
        If a file is missing.
    ValueError
        If the file is no such JSON, ids are unknown or repeated, a box has no area or leaves its
        picture by more than a pixel, a picture cannot be read or has another size than is written,
        or an annotation is that of a crowd. The message names the entry.

    References
    ----------
    Lin et al., "Microsoft COCO: Common objects in context", ECCV 2014,
    :doi:`10.1007/978-3-319-10602-1_48`.

    Examples
    --------
    >>> from skactive.datasets import find_bundled, read_coco
    >>> folder = find_bundled("bccd")  # blood cells
    >>> cells = read_coco(folder / "test.json", folder / "test", size=(80, 60))
    >>> cells.images.shape, cells.classes
    ((40, 60, 80, 3), ['RBC', 'WBC', 'Platelets'])
    >>> cells.targets[0]["boxes"].shape == (len(cells.targets[0]["labels"]), 4)
    True
    """
    path = Path(annotations)
    _check_size(size)
    document = _load_document(path)
    entries = {entry["id"]: entry for entry in document["images"]}
    categories = sorted(document["categories"], key=lambda entry: entry["id"])
    codes = {entry["id"]: code for code, entry in enumerate(categories)}
    boxes = _collect_boxes(path, document["annotations"], entries, codes, skip_crowds)
    files = [str(entry["file_name"]) for entry in entries.values()]
    paths = [Path(path.parent if folder is None else folder, file) for file in files]
    _check_files(paths)
    images, targets = [], []
    for file, (key, entry) in zip(paths, entries.items(), strict=True):
        images.append(_read_image(file, entry, size))
        scale = np.divide(images[-1].shape[1::-1], (entry["width"], entry["height"]))
        targets.append(_make_target(boxes[key], np.tile(scale, 2)))
    joined = images if size is None else np.array(images, np.uint8).reshape(-1, *size[::-1], 3)
    return CocoBoxes(joined, targets, [str(entry["name"]) for entry in categories], files)


def _check_size(size: Any) -> None:
    is_pair = isinstance(size, tuple | list) and len(size) == 2
    if size is not None and not (is_pair and all(isinstance(n, int) and n > 0 for n in size)):
        raise ValueError(f"size must be a width and a height in pixels, or None, got {size!r}.")


def _load_document(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the content of the file, after checking the entries that are read."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # of JSON, with line and column, or of UTF-8
        raise ValueError(f"{path} is no JSON: {error}.") from error
    if not isinstance(document, dict) or not all(
        isinstance(document.get(name), list) for name in _KEYS
    ):
        got = sorted(document) if isinstance(document, dict) else type(document).__name__
        raise ValueError(
            f"{path} must hold the lists 'images', 'annotations' and 'categories' of COCO, got "
            f"{got}."
        )
    for name, keys in _KEYS.items():
        for i, entry in enumerate(document[name]):
            missing = [key for key in keys if not isinstance(entry, dict) or key not in entry]
            if missing:
                _refuse(path, f"{name}[{i}]", f"has no {', '.join(map(repr, missing))}")
    for name in ("images", "categories"):
        _check_ids(path, name, document[name])
    for i, entry in enumerate(document["images"]):
        sides = (entry["width"], entry["height"])
        if not all(_is_number(side) and side > 0 for side in sides):
            _refuse(path, f"images[{i}]", f"must have a positive width and height, got {sides}")
    return document


def _check_ids(path: Path, name: str, entries: list[dict[str, Any]]) -> None:
    seen = set[int]()
    for i, entry in enumerate(entries):
        if not isinstance(entry["id"], int) or entry["id"] in seen:
            fault = f"must have an id of its own, an integer, got {entry['id']!r}"
            _refuse(path, f"{name}[{i}]", fault)
        seen.add(entry["id"])


def _collect_boxes(
    path: Path,
    annotations: list[dict[str, Any]],
    images: Mapping[int, dict[str, Any]],
    codes: Mapping[int, int],
    skip_crowds: bool,
) -> dict[int, list[tuple[int, list[float]]]]:
    """Return the code and the corners of each box, by the id of its picture."""
    found: dict[int, list[tuple[int, list[float]]]] = {key: [] for key in images}
    for i, entry in enumerate(annotations):
        place = f"annotations[{i}]"
        if entry.get("iscrowd"):
            if skip_crowds:
                continue
            advice = "which is no single box: pass skip_crowds=True to leave these out"
            _refuse(path, place, f"marks a crowd (iscrowd={entry['iscrowd']}), {advice}")
        for name, known in (("image_id", images), ("category_id", codes)):
            if not isinstance(entry[name], int) or entry[name] not in known:
                _refuse(path, place, f"has the unknown {name} {entry[name]!r}")
        corners = _find_corners(path, place, entry["bbox"], images[entry["image_id"]])
        found[entry["image_id"]].append((codes[entry["category_id"]], corners))
    return found


def _find_corners(path: Path, place: str, bbox: Any, image: dict[str, Any]) -> list[float]:
    """Return left, top, right and bottom of a box, (left, top, width, height) in the file."""
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(map(_is_number, bbox)):
        _refuse(path, place, f"must have a bbox [left, top, width, height], got {bbox!r}")
    left, top, width, height = bbox
    if width <= 0 or height <= 0:
        _refuse(path, place, f"has a box without area: width {width}, height {height}")
    corners, sides = [left, top, left + width, top + height], (image["width"], image["height"])
    inside = np.clip(corners, 0, sides * 2)
    if np.abs(inside - corners).max() > _TOLERANCE or (inside[2:] <= inside[:2]).any():
        outside = f"has a box outside of its picture of {sides[0]} x {sides[1]}"
        _refuse(path, place, f"{outside}: left, top, right, bottom = {corners}")
    return inside.tolist()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _refuse(path: Path, place: str, fault: str) -> NoReturn:
    raise ValueError(f"{path}: {place} {fault}.")


def _check_files(paths: list[Path]) -> None:
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(paths)} pictures are missing, the first of them {missing[0]}: "
            "pass the folder that holds them."
        )


def _read_image(path: Path, entry: dict[str, Any], size: tuple[int, int] | None) -> NDArray[Any]:
    """Return the pixels of a picture, (height, width, 3)."""
    try:
        from PIL import Image  # late: an extra
    except ImportError as error:
        raise ImportError(
            'Reading pictures needs Pillow, which is not installed: pip install "skactive[images]".'
        ) from error
    try:
        with Image.open(path) as file:
            image = file.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises any of them
        raise ValueError(f"{path} cannot be read as a picture: {error}.") from error
    if image.size != (entry["width"], entry["height"]):
        raise ValueError(
            f"{path} is {image.size[0]} x {image.size[1]} pixels, but its annotations are for "
            f"{entry['width']} x {entry['height']}: the boxes would not fit."
        )
    if size is not None:
        image = image.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(image)


def _make_target(found: list[tuple[int, list[float]]], scale: NDArray[Any]) -> dict[str, Any]:
    corners = np.array([corners for _, corners in found]).reshape(-1, 4) * scale
    labels = np.array([code for code, _ in found], dtype=np.intp)
    return {"boxes": corners.astype(np.float32), "labels": labels}
