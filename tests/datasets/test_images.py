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
