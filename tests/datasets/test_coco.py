import json
from copy import deepcopy

import numpy as np
import pytest

from skactive.datasets import find_bundled, read_coco

Image = pytest.importorskip("PIL.Image")

DOCUMENT = {
    "images": [
        {"id": 7, "file_name": "a.png", "width": 8, "height": 4},
        {"id": 3, "file_name": "b.png", "width": 4, "height": 4},
    ],
    "annotations": [
        {"id": 1, "image_id": 3, "category_id": 9, "bbox": [1, 0, 2, 3], "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 5, "bbox": [0.5, 1, 7, 2]},
        {"id": 3, "image_id": 3, "category_id": 5, "bbox": [0, 0, 4, 4]},
    ],
    "categories": [{"id": 9, "name": "dog"}, {"id": 5, "name": "cat"}],
}


@pytest.fixture
def write(tmp_path):
    """Write a document and its pictures, and return the path of the JSON file."""

    def write_document(document=DOCUMENT):
        rng = np.random.default_rng(0)
        for name, width in (("a.png", 8), ("b.png", 4)):
            pixels = rng.integers(0, 256, (4, width, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name)
        path = tmp_path / "boxes.json"
        path.write_text(json.dumps(document))
        return path

    return write_document


def change(place, **values):
    """Return the document with some values of one entry changed, or left out if None."""
    document = deepcopy(DOCUMENT)
    name, i = place
    document[name][i] |= values
    for key in [key for key, value in values.items() if value is None]:
        del document[name][i][key]
    return document


def test_pictures_keep_their_sizes_and_pixels(write, tmp_path):
    found = read_coco(write())
    assert found.files == ["a.png", "b.png"]
    assert found.classes == ["cat", "dog"]  # by their ids
    for image, file in zip(found.images, found.files, strict=True):
        np.testing.assert_array_equal(image, np.asarray(Image.open(tmp_path / file)))
    first, second = found.targets
    np.testing.assert_array_equal(first["boxes"], [[0.5, 1, 7.5, 3]])
    np.testing.assert_array_equal(second["boxes"], [[1, 0, 3, 3], [0, 0, 4, 4]])
    assert [target["labels"].tolist() for target in found.targets] == [[0], [1, 0]]


def test_boxes_are_scaled_with_the_pictures(write):
    found = read_coco(write(), size=(16, 12))
    assert found.images.shape == (2, 12, 16, 3)
    assert found.images.dtype == np.uint8
    np.testing.assert_array_equal(found.targets[0]["boxes"], [[1, 3, 15, 9]])
    np.testing.assert_array_equal(found.targets[1]["boxes"], [[4, 0, 12, 9], [0, 0, 16, 12]])


def test_pictures_without_boxes_and_files_without_pictures_are_read(write):
    found = read_coco(write(DOCUMENT | {"annotations": []}))
    assert [target["boxes"].shape for target in found.targets] == [(0, 4), (0, 4)]
    empty = read_coco(write({key: [] for key in DOCUMENT}), size=(6, 5))
    assert empty.images.shape == (0, 5, 6, 3)
    assert empty.targets == []


def test_pictures_may_lie_in_another_folder(write, tmp_path):
    path = write()
    moved = tmp_path / "elsewhere.d"
    moved.mkdir()
    path.rename(moved / path.name)
    with pytest.raises(FileNotFoundError, match=r"2 of 2 pictures are missing.*a\.png"):
        read_coco(moved / path.name)
    assert len(read_coco(moved / path.name, tmp_path).images) == 2


def test_boxes_that_leave_their_picture_by_rounding_are_cut(write):
    document = change(("annotations", 1), bbox=[-0.4, 1, 9.0, 2])
    np.testing.assert_array_equal(read_coco(write(document)).targets[0]["boxes"], [[0, 1, 8, 3]])


def test_crowds_are_left_out_on_demand_only(write):
    path = write(change(("annotations", 0), iscrowd=1))
    with pytest.raises(ValueError, match=r"annotations\[0\] marks a crowd .*skip_crowds=True"):
        read_coco(path)
    assert [len(t["labels"]) for t in read_coco(path, skip_crowds=True).targets] == [1, 1]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            change(("annotations", 1), bbox=[2, 1, 7.5, 2]),
            r"annotations\[1\] .* outside of .*8 x 4",
        ),
        (change(("annotations", 1), bbox=[8.5, 1, 0.4, 2]), "outside of its picture"),
        (change(("annotations", 0), bbox=[3, 0, -2, 3]), r"without area: width -2, height 3"),
        (change(("annotations", 0), bbox=[1, 0, 2, 0]), "without area"),
        (change(("annotations", 0), bbox=[1, 0, 2]), r"bbox \[left, .* got \[1, 0, 2\]"),
        (change(("annotations", 0), bbox=[1, 0, 2, float("nan")]), "bbox .*got .*nan"),
        (
            change(("annotations", 2), category_id=4),
            r"annotations\[2\] has the unknown category_id 4",
        ),
        (change(("annotations", 2), image_id=[3]), r"unknown image_id \[3\]"),
        (change(("annotations", 2), bbox=None), r"annotations\[2\] has no 'bbox'"),
        (change(("images", 1), id=7), r"images\[1\] must have an id of its own, .* got 7"),
        (change(("categories", 0), id="9"), r"categories\[0\] must have .* an integer, got '9'"),
        (change(("images", 0), width=0), r"images\[0\] must have a positive width and height"),
        (change(("images", 0), height=9), r"a\.png is 8 x 4 .*annotations are for 8 x 9"),
        ([], "must hold the lists .* got list"),
        ({"images": []}, r"got \['images'\]"),
    ],
)
def test_damaged_annotations_are_refused_by_name(write, document, message):
    with pytest.raises(ValueError, match=message):
        read_coco(write(document))


def test_broken_files_are_refused_by_name(write):
    path = write()
    picture = path.parent / "b.png"
    picture.write_bytes(picture.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"b\.png cannot be read as a picture"):
        read_coco(path)
    path.write_text('{"images": [\n{]}')
    with pytest.raises(ValueError, match=r"boxes\.json is no JSON: .*line 2"):
        read_coco(path)


@pytest.mark.parametrize("size", [(0, 4), 8, (4.0, 4), (3, 3, 3)])
def test_sizes_are_checked(write, size):
    with pytest.raises(ValueError, match="size must be a width and a height"):
        read_coco(write(), size=size)


def test_the_bundled_slice_is_complete():
    folder = find_bundled("bccd")
    parts = [read_coco(folder / f"{part}.json", folder / part) for part in ("train", "test")]
    assert [len(part.images) for part in parts] == [110, 40]
    assert all(image.shape == (240, 320, 3) for part in parts for image in part.images)
    assert [sum(len(t["labels"]) for t in part.targets) for part in parts] == [1433, 525]
    assert parts[0].classes == parts[1].classes == ["RBC", "WBC", "Platelets"]
    assert not set(parts[0].files) & set(parts[1].files)
