"""Images and sounds: what is broken, and what only looks unusual."""

import wave

import pytest

from skactive.labeling.terminal._media import find_fault


@pytest.fixture
def write(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".bmp", ".webp", ".tif"])
def test_images_whole_cut_and_overwritten(tmp_path, write, suffix):
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / f"a{suffix}"
    noise = image.effect_noise((64, 64), 50).convert("RGB")
    noise.save(path)
    assert find_fault(path) == ""
    data = path.read_bytes()
    assert "broken" in find_fault(write(f"cut{suffix}", data[: len(data) // 2]))
    assert "not an image" in find_fault(write(f"text{suffix}", b"not an image at all" * 20))
    assert find_fault(write(f"empty{suffix}", b"")) == "it is empty"
    assert find_fault(write("other.png", data)) == ""  # under a name of another format


def test_images_without_pillow(write, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    assert find_fault(write("a.png", b"\x89PNG\r\n\x1a\n rest")) == ""
    assert "not an image" in find_fault(write("b.png", b"<html>"))


def test_sounds(tmp_path, write):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(100))
    assert find_fault(path) == ""
    for name, data in (("a.mp3", b"\xff\xfb\x90\x00"), ("b.mp3", b"ID3\x04"), ("a.ogg", b"OggS")):
        assert find_fault(write(name, data)) == ""
    assert "not a sound" in find_fault(write("b.wav", b"hello, this is no sound"))


def test_files_that_are_gone_or_of_other_kinds(tmp_path, write):
    assert "does not exist" in find_fault(tmp_path / "none.png")
    (tmp_path / "folder.png").mkdir()
    assert "not a file" in find_fault(tmp_path / "folder.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "gone.png")
    assert "does not exist" in find_fault(tmp_path / "link.png")
    assert find_fault(write("a.svg", b"<svg/>")) == ""
    assert find_fault(write("a.heic", b"anything")) == ""
