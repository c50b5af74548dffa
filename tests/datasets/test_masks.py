"""Images and masks in folders: read as they are, and what is not a mask is refused."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skactive.datasets import read_mask_folder

Image = pytest.importorskip("PIL.Image")

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 4, 6, 3), dtype=np.uint8)
MASKS = RNG.integers(0, 3, (3, 4, 6), dtype=np.uint8)


def write(folder, files):
    folder.mkdir(exist_ok=True)
    for name, image in files.items():
        image = image if isinstance(image, Image.Image) else Image.fromarray(image)
        image.save(folder / name)


@pytest.fixture
def folders(tmp_path):
    write(tmp_path / "images", {f"{name}.png": IMAGES[i] for i, name in enumerate("cab")})
    write(tmp_path / "masks", {f"{name}.png": MASKS[i] for i, name in enumerate("cab")})
    return tmp_path / "images", tmp_path / "masks"


def to_palette(mask):
    image = Image.fromarray(mask).convert("P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.frombytes(mask.tobytes())
    return image


def test_images_and_masks_are_paired_by_name(folders):
    (folders[0] / "notes.txt").write_text("no image")
    X, y, names = read_mask_folder(*folders)
    assert names == ["a", "b", "c"]
    assert_array_equal(X, IMAGES[[1, 2, 0]])
    assert_array_equal(y, MASKS[[1, 2, 0]])
    assert (X.dtype, y.dtype) == (np.uint8, np.int64)


def test_suffixes_may_differ_and_gray_images_have_three_equal_channels(folders):
    (folders[0] / "a.png").unlink()
    write(folders[0], {"a.TIFF": IMAGES[1, ..., 0]})
    X = read_mask_folder(*folders).images
    assert_array_equal(X[0], np.repeat(IMAGES[1, ..., :1], 3, axis=2))


def test_palettes_are_read_by_their_places_not_their_colors(folders):
    write(folders[1], {"a.png": to_palette(MASKS[1])})
    with Image.open(folders[1] / "a.png") as stored:
        assert stored.mode == "P"
    assert_array_equal(read_mask_folder(*folders).masks[0], MASKS[1])


def test_a_mask_of_bits_has_classes_0_and_1(folders):
    write(folders[1], {"a.png": Image.fromarray(MASKS[1] > 0)})
    assert_array_equal(read_mask_folder(*folders).masks[0], MASKS[1] > 0)


def test_images_shrink_by_the_mean_of_the_area_and_masks_by_the_nearest_pixel(folders):
    X, y, _ = read_mask_folder(*folders, size=(3, 2))  # width, height
    expected = IMAGES[1].reshape(2, 2, 3, 2, 3).mean(axis=(1, 3))
    assert np.abs(X[0] - expected).max() <= 1
    for i in range(2):
        for j in range(3):
            assert y[0, i, j] in MASKS[1, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]


def test_turned_photographs_are_read_upright(folders):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    turned = Image.fromarray(np.rot90(IMAGES[1]).copy())
    turned.save(folders[0] / "a.png", exif=exif)
    assert_array_equal(read_mask_folder(*folders).images[0], IMAGES[1])


def test_values_become_classes(folders):
    write(
        folders[1], {f"{name}.png": np.where(MASKS[0], 255, 0).astype(np.uint8) for name in "abc"}
    )
    with pytest.raises(ValueError, match=re.escape("pass values={0: 0, 255: 1}")):
        read_mask_folder(*folders)
    y = read_mask_folder(*folders, values={0: 0, 255: 1}).masks
    assert_array_equal(y, np.stack([MASKS[0] > 0] * 3))
    with pytest.raises(ValueError, match=r"a\.png has the value 255, but values= has .*\[0, 1\]"):
        read_mask_folder(*folders, values={0: 0, 1: 1})


def spoil_size(images, masks):
    write(masks, {"b.png": MASKS[0, :3]})


def spoil_sizes(images, masks):
    write(images, {"b.png": IMAGES[0, :3]})
    write(masks, {"b.png": MASKS[0, :3]})


def spoil_pairs(images, masks):
    (masks / "b.png").unlink()


def spoil_images(images, masks):
    (images / "b.png").unlink()


def spoil_names(images, masks):
    write(images, {"b.bmp": IMAGES[0]})


def spoil_colors(images, masks):
    write(masks, {"b.png": IMAGES[0]})


def spoil_loss(images, masks):
    (masks / "b.png").unlink()
    write(masks, {"b.jpg": MASKS[0]})


def spoil_depth(images, masks):
    write(images, {"b.png": IMAGES[0, ..., 0].astype(np.uint16) * 256})


def spoil_deep_mask(images, masks):
    write(masks, {"b.png": MASKS[0].astype(np.uint16)})


def spoil_bytes(images, masks):
    data = (images / "b.png").read_bytes()
    (images / "b.png").write_bytes(data[: len(data) // 2])


def spoil_pages(images, masks):
    pages = [Image.fromarray(image) for image in IMAGES]
    (images / "b.png").unlink()
    pages[0].save(images / "b.tiff", save_all=True, append_images=pages[1:])


def remove_all(images, masks):
    for path in images.iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (spoil_size, ValueError, r"b\.png is of 6 x 4 pixels, its mask .* of 6 x 3"),
        (spoil_sizes, ValueError, r"b\.png is of 6 x 3 pixels, a\.png of 6 x 4: pass size="),
        (spoil_pairs, ValueError, r"1 of 3 files have no mask of the same name .*b\.png"),
        (spoil_images, ValueError, r"1 of 3 files have no image of the same name .*b\.png"),
        (spoil_names, ValueError, r"b\.bmp and b\.png have one name"),
        (spoil_colors, ValueError, r"b\.png has 3 channel\(s\) of mode RGB"),
        (spoil_loss, ValueError, r"b\.jpg is a JPEG, whose compression changes values"),
        (spoil_depth, ValueError, r"b\.png has more than 8 bits"),
        (spoil_deep_mask, ValueError, r"b\.png has 1 channel\(s\) of mode I;16"),
        (spoil_bytes, ValueError, r"b\.png cannot be read as an image"),
        (spoil_pages, ValueError, r"b\.tiff holds 3 images"),
        (remove_all, ValueError, "holds no images"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_would_be_misread_is_refused(folders, spoil, error, message):
    spoil(*folders)
    with pytest.raises(error, match=message):
        read_mask_folder(*folders)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(NotADirectoryError, match="is no folder"):
        read_mask_folder(tmp_path / "images", tmp_path)
