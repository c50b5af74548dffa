import numpy as np
import pytest

from skactive.datasets import read_image_folder

Image = pytest.importorskip("PIL.Image")


def write(path, shape=(8, 6), value=7):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(shape, value, dtype=np.uint8)).save(path)


def test_folders_are_classes(tmp_path):
    write(tmp_path / "dog" / "1.png")
    write(tmp_path / "cat" / "2.png", value=200)
    write(tmp_path / "cat" / "sub" / "1.png")
    (tmp_path / "cat" / "notes.txt").write_text("none")
    found = read_image_folder(tmp_path, mode="L")
    assert found.names == ["cat/2.png", "cat/sub/1.png", "dog/1.png"]
    assert found.labels.tolist() == ["cat", "cat", "dog"]
    assert found.images.shape == (3, 8, 6)
    assert found.images[:, 0, 0].tolist() == [200, 7, 7]


def test_images_are_resized_by_the_mean_of_the_area(tmp_path):
    checks = np.kron([[0, 255], [255, 0]], np.ones((4, 4)))
    (tmp_path / "a").mkdir()
    Image.fromarray(checks.astype(np.uint8)).save(tmp_path / "a" / "1.png")
    found = read_image_folder(tmp_path, size=(2, 2))
    assert found.images.shape == (1, 2, 2, 3)
    assert found.images[0, :, :, 0].tolist() == [[0, 255], [255, 0]]
    assert read_image_folder(tmp_path, size=(1, 1)).images[0, 0, 0, 0] in (127, 128)


def test_names_may_hold_the_class(tmp_path):
    write(tmp_path / "cat_12.png")
    found = read_image_folder(tmp_path, pattern=r"(?P<label>\w+?)_\d+")
    assert found.labels.tolist() == ["cat"]


def test_what_cannot_be_read_is_named(tmp_path):
    write(tmp_path / "a" / "1.png")
    write(tmp_path / "a" / "2.png", shape=(4, 4))
    with pytest.raises(ValueError, match=r"several sizes: 6 x 8 \(1.png\), 4 x 4 \(2.png\)"):
        read_image_folder(tmp_path)
    (tmp_path / "a" / "2.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"2.png cannot be read as an image"):
        read_image_folder(tmp_path)
    with pytest.raises(ValueError, match="mode must be one of"):
        read_image_folder(tmp_path, mode="CMYK")


PIXELS = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)


def save(path, pixels=PIXELS, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def test_photographs_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn to the right makes it upright
    save(tmp_path / "a" / "1.png", exif=exif)
    np.testing.assert_array_equal(read_image_folder(tmp_path).images[0], np.rot90(PIXELS, -1))


def test_transparent_pixels_are_white(tmp_path):
    opacity = np.repeat([255, 0], 12).reshape(4, 6, 1).astype(np.uint8)
    save(tmp_path / "a" / "1.png", np.concatenate([PIXELS, opacity], axis=2))
    (image,) = read_image_folder(tmp_path).images
    np.testing.assert_array_equal(image[:2], PIXELS[:2])
    assert (image[2:] == 255).all()


def test_deep_images_are_refused_not_cut(tmp_path):
    save(tmp_path / "a" / "1.png", PIXELS[..., 0].astype(np.uint16) * 257)
    with pytest.raises(ValueError, match=r"1\.png .*more than 8 bits per pixel: scale it to 8"):
        read_image_folder(tmp_path, mode="L")


def cut_off(data):
    return data[:-20]


def change_pixel(data):
    return data[:60] + bytes([data[60] ^ 1]) + data[61:]


@pytest.mark.parametrize("damage", [cut_off, change_pixel])
def test_damaged_images_are_not_read(tmp_path, damage):
    path = save(tmp_path / "a" / "1.png")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"1\.png cannot be read as an image"):
        read_image_folder(tmp_path)
