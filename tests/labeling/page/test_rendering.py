"""Rendering: rows of any container as contents, images and sounds by the standard library."""

import base64
import io
import json
import wave
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from skactive.labeling.page import Renderer
from skactive.labeling.page._pixels import encode_png
from skactive.labeling.page._sounds import encode_wav

Image = pytest.importorskip("PIL.Image", reason="reads the images back")
GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20


def data(content, kind):
    head, _, encoded = content["src"].partition(",")
    assert head == f"data:{kind};base64"
    return base64.b64decode(encoded)


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(data(content, "image/png"))))


def sound(content):
    with wave.open(io.BytesIO(data(content, "audio/wav"))) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return frames.reshape(-1, file.getnchannels()), file.getframerate()


def render_row(row, render=None, **params):
    content = Renderer(render, **params)([row], 0)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    return content


# By type ------------------------------------------------------------------------------------------


def test_texts():
    assert render_row("a <b>c</b>") == {"type": "text", "text": "a <b>c</b>"}
    assert render_row(3) == {"type": "text", "text": "3"}
    assert len(render_row("x" * 200_000)["text"]) < 101_000


def test_html_only_if_asked_for():
    made = {"type": "html", "html": "<b>c</b>"}
    assert render_row("<b>c</b>", html=True) == made
    assert render_row("<b>c</b>", "html", html=True) == made
    assert render_row("row", lambda row: made, html=True) == made
    assert render_row("row", lambda row: made) == {"type": "text", "text": "<b>c</b>"}
    with pytest.raises(ValueError, match="html=True"):
        Renderer("html")


@pytest.mark.parametrize(
    ("row", "rows"),
    [
        ({"a": 1, "b": "x"}, [["a", "1"], ["b", "x"]]),
        (np.array([1.0, 0.333333333]), [["0", "1"], ["1", "0.333333"]]),
        ([1, 2], [["0", "1"], ["1", "2"]]),
        (sp.csr_matrix([[0, 5, 0, 7]]), [["1", "5"], ["3", "7"]]),
    ],
    ids=["dict", "array", "list", "sparse"],
)
def test_tables(row, rows):
    assert render_row(row) == {"type": "table", "rows": rows}


def test_long_tables_are_cut():
    rows = render_row(np.zeros(5000))["rows"]
    assert len(rows) == 201
    assert rows[-1] == ["…", "4,800 more"]


@pytest.mark.parametrize("image", [GRAY, np.stack([GRAY] * 3, 2), np.stack([GRAY] * 4, 2)])
def test_bytes_come_back_as_they_were(image):
    content = render_row(image)
    assert content["type"] == "image"
    assert content["alt"]
    np.testing.assert_array_equal(pixels(content), image)


@given(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=9)), st.sampled_from([1, 3, 4])
)
def test_any_png_can_be_read(image, channels):
    image = np.repeat(image[:, :, None], channels, axis=2)
    read = np.asarray(Image.open(io.BytesIO(encode_png(image))))
    np.testing.assert_array_equal(read.reshape(image.shape), image)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]]), [[0, 128, 255]]),
        (np.array([[0.0, 8.0, 16.0]]), [[0, 128, 255]]),  # the digits of scikit-learn
        (np.array([[-1.0, 0.0, 1.0]]), [[0, 128, 255]]),
        (np.array([[0, 1000, 2000]]), [[0, 128, 255]]),
        (np.array([[False, True]]), [[0, 255]]),
        (np.array([[np.nan, 1.0, np.inf]]), [[0, 255, 0]]),
        (np.zeros((1, 2)), [[0, 0]]),
    ],
)
def test_numbers_become_gray(image, expected):
    np.testing.assert_array_equal(pixels(render_row(image)), expected)


def test_channels_first_are_turned_round():
    gray = np.tile(GRAY, (2, 2))
    image = np.stack([gray, gray + 1, gray + 2])
    np.testing.assert_array_equal(pixels(render_row(image)), np.moveaxis(image, 0, 2))


def test_large_images_are_made_smaller():
    image = np.zeros((3000, 1500), dtype=np.uint8)
    image[:, ::2] = 200
    content = render_row(image)
    small = pixels(content)
    assert small.shape == (1000, 500)
    assert set(np.unique(small)) == {67, 133}  # means of 3 columns, not some of them
    assert (content["width"], content["height"], content["reduced"]) == (1500, 3000, True)


def test_images_of_pillow():
    np.testing.assert_array_equal(pixels(render_row(Image.fromarray(GRAY))), GRAY)
    deep = Image.fromarray(GRAY.astype(np.uint16) * 50)
    np.testing.assert_array_equal(pixels(render_row(deep)), np.rint(GRAY * (255 / 220)))
    clear = Image.new("RGBA", (2, 2), (1, 2, 3, 4))
    np.testing.assert_array_equal(pixels(render_row(clear))[0, 0], [1, 2, 3, 4])


@pytest.mark.parametrize("shape", [(2, 3, 5), (0, 4), (2, 2, 2)])
def test_arrays_that_are_no_image(shape):
    content = render_row(np.zeros(shape))
    assert content["type"] == "problem"
    assert str(shape) in content["text"]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.array([0.0, 0.5, -1.0]), [[0], [16384], [-32767]]),
        (np.array([0.0, 4.0]), [[0], [32767]]),
        (np.array([1, -5], dtype=np.int16), [[1], [-5]]),
        (np.array([128, 255, 0], dtype=np.uint8), [[0], [32511], [-32767]]),
        (np.array([[0.5, 0.0]] * 3), [[16384, 0]] * 3),
        (np.array([[0.5] * 3, [0.0] * 3]), [[16384, 0]] * 3),
    ],
)
def test_sounds(samples, expected):
    content = render_row((samples, 8000))
    assert content["type"] == "audio"
    found, rate = sound(content)
    assert rate == 8000
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("samples", "rate"), [([], 8000), ([0.0], 0), ([0.0], float("nan"))])
def test_sounds_that_are_none(samples, rate):
    with pytest.raises(ValueError, match="sound"):
        encode_wav(np.array(samples), rate)


# Files --------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "media"
    (root / "deep").mkdir(parents=True)
    Image.fromarray(GRAY).save(root / "a.png")
    (root / "deep" / "b.wav").write_bytes(encode_wav(np.zeros(4), 8000))
    (root / "notes.txt").write_text("secret")
    (tmp_path / "outside.png").write_bytes(encode_png(GRAY[:, :, None]))
    (root / "link.png").symlink_to(tmp_path / "outside.png")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "c.png").write_bytes(encode_png(GRAY[:, :, None]))
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    return root


def test_paths_are_files(folder):
    content = render_row(folder / "a.png")
    assert content["alt"] == "a.png"
    np.testing.assert_array_equal(pixels(content), GRAY)
    assert render_row(folder / "deep" / "b.wav")["type"] == "audio"


def test_texts_are_files_only_if_said_so(folder):
    name = str(folder / "a.png")
    assert render_row(name)["type"] == "text"
    assert render_row(name, "image")["type"] == "image"
    assert render_row("a.png", media_root=folder)["type"] == "image"
    assert render_row("deep/b.wav", media_root=folder)["type"] == "audio"
    assert render_row("there is no a.png", media_root=folder)["type"] == "text"
    assert render_row("notes.txt", media_root=folder)["type"] == "text"
    assert render_row(f"{'long ' * 99} a.png", media_root=folder)["type"] == "text"
    assert render_row("nul\0a.png", media_root=folder)["type"] == "text"


@pytest.mark.parametrize(
    "name", ["../outside.png", "deep/../../outside.png", "linked/../outside.png"]
)
@pytest.mark.parametrize("render", ["image", None, Path])
def test_files_outside_the_folder_are_refused(folder, name, render):
    content = render_row(name, render, media_root=folder)
    assert content["type"] == "problem"
    assert "not in the folder" in content["text"]
    assert str(folder) not in content["text"]


@pytest.mark.parametrize("name", ["link.png", "linked/c.png", "deep/../a.png", "./a.png"])
@pytest.mark.parametrize("render", ["image", None, Path])
def test_links_in_the_folder_are_followed(folder, name, render):
    np.testing.assert_array_equal(pixels(render_row(name, render, media_root=folder)), GRAY)
    assert render_row(folder / name, media_root=folder)["type"] == "image"


def test_absolute_names_are_refused(folder):
    content = render_row(str(folder.parent / "outside.png"), "image", media_root=folder)
    assert content["type"] == "problem"


@pytest.mark.parametrize("name", ["notes.txt", "gone.png", "deep"])
def test_files_that_cannot_be_shown(folder, name):
    assert render_row(folder / name)["type"] == "problem"
    assert render_row(name, "image", media_root=folder)["type"] == "problem"
    assert render_row("a.png", "audio", media_root=folder)["type"] == "problem"


def test_large_photographs_are_made_smaller(tmp_path):
    noise = np.random.RandomState(0).randint(0, 255, (1500, 2000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg", quality=95)
    content = render_row(tmp_path / "a.jpg")
    assert Image.open(io.BytesIO(data(content, "image/jpeg"))).size == (1024, 768)
    Image.fromarray(noise).convert("RGBA").save(tmp_path / "a.png")
    content = render_row(tmp_path / "a.png")
    assert Image.open(io.BytesIO(data(content, "image/png"))).mode == "RGBA"


# Functions and containers -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        ("text", "text"), (GRAY, "image"), ((np.zeros(9), 8000), "audio"), ({"a": 1}, "table"),
        ({"type": "text", "text": "x"}, "text"), ({"type": "cat", "age": 3}, "table"),
        ({"type": "table", "rows": [["a", "b"]]}, "table"),
        ({"type": "table", "rows": [["a", 1]]}, "problem"),
        ({"type": "text", "text": 1}, "problem"),
        ({"type": "image", "src": "https://example.org/a.png"}, "problem"),
        ({"type": "audio", "src": "javascript:alert(1)"}, "problem"),
        ({"type": "image", "src": "data:image/png;base64,AAAA", "alt": "x"}, "image"),
    ],
)  # fmt: skip
def test_functions_return_anything_that_can_be_shown(made, kind):
    assert render_row("row", lambda row: made)["type"] == kind


def test_a_row_of_data_is_not_taken_for_a_content():
    assert render_row({"type": "image", "src": "https://example.org/a.png"})["type"] == "table"


def test_rows_of_all_containers():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    rows = [["n", "5"], ["s", "x"]]
    frame = pandas.DataFrame({"n": [4, 5], "s": ["w", "x"]}, index=[7, 1])
    assert Renderer()(frame, 1)["rows"] == rows
    assert Renderer()(polars.from_pandas(frame.reset_index(drop=True)), 1)["rows"] == rows
    assert Renderer()(frame["s"], 1) == {"type": "text", "text": "x"}
    assert Renderer()(polars.Series(["w", "x"]), 1) == {"type": "text", "text": "x"}
    assert Renderer()(np.eye(2), 1)["rows"] == [["0", "0"], ["1", "1"]]
    for kind in (sp.csr_matrix, sp.csc_matrix, sp.csr_array, sp.coo_matrix):
        assert Renderer()(kind(np.eye(2)), 1)["rows"] == [["1", "1"]]
    assert Renderer()(np.array(["w", "x"]), 1) == {"type": "text", "text": "x"}
    assert Renderer()(np.stack([GRAY, GRAY]), 1)["type"] == "image"
    assert Renderer("text")(frame[["s"]], 1) == {"type": "text", "text": "x"}
    assert Renderer("text")(frame, 1) == {"type": "text", "text": "n: 5\ns: x"}
    assert Renderer(lambda row: row["s"])(frame, 1) == {"type": "text", "text": "x"}


def test_rows_of_tensors():
    torch = pytest.importorskip("torch")
    assert Renderer()(torch.ones(2, 3, 4, 4, requires_grad=True), 1)["type"] == "image"


def test_wrong_names():
    with pytest.raises(ValueError, match="'video'"):
        Renderer("video")
