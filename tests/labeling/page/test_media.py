"""Image and sound files: what browsers show is what the file holds."""

import io
import runpy
import struct
import wave
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skactive.labeling.page import Renderer, _images, _rendering, _sounds
from skactive.labeling.page._formats import detect_format, find_format, list_suffixes
from skactive.labeling.page._media import check_media
from skactive.labeling.page._media_files import MediaError, escape_name, is_plain_name
from skactive.labeling.page._pixels import FULL, PREVIEW

Image = pytest.importorskip("PIL.Image", reason="builds the images")
MESSY = runpy.run_path(str(Path(__file__).parents[2] / "cli" / "messy_folders.py"))
GRAY, TONE = MESSY["GRAY"], MESSY["TONE"]
PHOTO = MESSY["make_photo"]()
encode, make_exif, make_wav = MESSY["encode"], MESSY["make_exif"], MESSY["make_wav"]
FILES = {**dict(MESSY["make_readable_images"]()), **dict(MESSY["make_readable_sounds"]())}


@pytest.fixture
def show(tmp_path):
    """Return a function that returns the content of a file with some bytes."""

    def show(name, data=None, full=False):
        data = FILES[name] if data is None else data
        (tmp_path / Path(name).name).write_bytes(data)
        renderer = Renderer(media_root=tmp_path)
        row = [Path(Path(name).name)]
        return renderer.full(row, 0) if full else renderer(row, 0)

    return show


def open_source(content):
    head, _, data = content["src"].partition(";base64,")
    return head.removeprefix("data:"), b64decode(data)


def read_pixels(content, mode="RGB"):
    mime, data = open_source(content)
    assert mime in {f"image/{kind}" for kind in ("png", "jpeg", "gif", "webp", "avif")}
    image = Image.open(io.BytesIO(data))
    assert image.getexif().get(0x0112, 1) == 1 or mime == "image/jpeg"  # which browsers turn
    return np.asarray(image.convert(mode)).astype(int)


def read_samples(content):
    mime, data = open_source(content)
    assert mime == "audio/wav"
    with wave.open(io.BytesIO(data)) as file:
        assert file.getsampwidth() <= 2
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
        return samples.reshape(-1, file.getnchannels()), file.getframerate()


# Images -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FILES if find_format(name).media == "image"])
def test_images_look_as_the_file_does(show, name):
    content = show(name)
    with Image.open(io.BytesIO(FILES[name])) as image:
        is_deep = name.startswith(("deep", "float", "signed"))
        expected = np.asarray(image.convert("F" if is_deep and image.mode != "RGB" else "RGB"))
        turned = "turned" in name and image.getexif().get(0x0112) == 6
    if "deep color" in name:  # Pillow keeps the upper bytes only
        expected = np.asarray(PHOTO)
    if turned:
        expected = np.rot90(expected, -1)
    if name == "turned.jpg":  # sent as it is
        assert (content["width"], content["height"]) == (20, 30)
        return
    if is_deep:
        expected = (expected - expected.min()) / np.ptp(expected) * 255
        expected = expected if expected.ndim == 3 else np.repeat(expected[:, :, None], 3, 2)
    if name == "white is zero.tif":
        expected = 255 - np.repeat(GRAY[:, :, None] / 192 * 255, 3, 2)
    pixels = read_pixels(content)
    assert pixels.shape == expected.shape
    assert np.abs(pixels - expected).mean() <= (2.0 if "deep color" in name else 1.0)
    assert (content["height"], content["width"]) == expected.shape[:2]
    assert not content["reduced"]
    assert content["alt"] == Path(name).name


def test_all_orientations_are_made_upright(show):
    image = Image.fromarray(GRAY)
    turns = [
        np.array, np.fliplr, lambda pixels: np.rot90(pixels, 2), np.flipud, np.transpose,
        lambda pixels: np.rot90(pixels, -1), lambda pixels: np.rot90(pixels.T, 2), np.rot90,
    ]  # fmt: skip
    for orientation, turn in enumerate(turns, 1):
        for kind, suffix in (("PNG", "png"), ("TIFF", "tif")):
            content = show(f"x.{suffix}", encode(image, kind, exif=make_exif(orientation)))
            np.testing.assert_array_equal(read_pixels(content, "L"), turn(GRAY))


def test_transparency_is_kept(show):
    for name in ("alpha.png", "alpha.tif"):
        np.testing.assert_array_equal(read_pixels(show(name), "RGBA")[:, :, 3], GRAY)


@pytest.mark.parametrize("name", ["moving.gif", "moving.webp", "moving.png"])
def test_animations_stay_as_they_are(show, name):
    for full in (False, True):
        assert open_source(show(name, full=full))[1] == FILES[name]


def test_large_animations_stay_animated_up_to_a_limit(show, monkeypatch):
    frames = [Image.effect_noise((1100, 1100), 99), Image.effect_noise((1100, 1100), 99)]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert len(data) > PREVIEW.whole_bytes
    assert open_source(show("x.gif", data))[1] == data
    monkeypatch.setattr(_images, "_MAX_WHOLE_BYTES", 100_000)
    content = show("x.gif", data)
    assert content["note"] == "the first frame of an animation"
    assert read_pixels(content).shape == (1024, 1024, 3)


def test_of_several_pages_the_first_is_shown(show):
    content = show("pages.tif")
    assert content["note"] == "page 1 of 3"
    np.testing.assert_array_equal(read_pixels(content), np.asarray(PHOTO))
    assert "note" not in show("packed.tif")


def test_missing_values_and_infinities_do_not_hide_the_others(show):
    values = (GRAY * 3.0).astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    pixels = read_pixels(show("x.tif", encode(Image.fromarray(values), "TIFF")))[:, :, 0]
    assert pixels[0, :3].tolist() == [0, 255, 0]
    np.testing.assert_allclose(pixels[1:], (values[1:] - 12) * 255 / (588 - 12) + 5, atol=6)


def test_constant_deep_images_are_shown(show):
    for dtype in (np.uint16, np.float32):
        image = Image.fromarray(np.full((4, 4), 5, dtype=dtype))
        assert read_pixels(show("x.tif", encode(image, "TIFF"))).max() == 0


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # of Pillow
def test_broken_exif_data_do_not_hide_an_image(show):
    data = encode(PHOTO, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x09")
    assert show("x.jpg", data)["type"] == "image"


def test_color_profiles_are_kept(show):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    _, data = open_source(show("x.tif", encode(PHOTO, "TIFF", icc_profile=profile)))
    assert Image.open(io.BytesIO(data)).info["icc_profile"] == profile


# Sizes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((30, 3000), (30, 3000)),
        ((3000, 30), (3000, 30)),
        ((300, 3000), (256, 2560)),
        ((20, 8192), (10, 4096)),
        ((1, 20_000), (1, 4096)),
        ((2048, 1024), (1024, 512)),
        ((900, 900), (900, 900)),
    ],
)
@pytest.mark.parametrize("suffix", ["png", "bmp"])
def test_previews_are_reduced_but_not_made_thin(show, size, shown, suffix):
    content = show(f"x.{suffix}", encode(Image.new("RGB", size), suffix.upper()))
    assert read_pixels(content).shape[1::-1] == shown
    assert (content["width"], content["height"]) == size
    assert content["reduced"] == (shown != size)
    full = show(f"x.{suffix}", full=True, data=encode(Image.new("RGB", size), suffix.upper()))
    assert read_pixels(full).shape[1::-1] == size
    assert not full["reduced"]


@given(width=st.integers(1, 100_000), height=st.integers(1, 100_000))
def test_previews_keep_their_limits(width, height):
    scale = PREVIEW.fit(width, height)
    short, long = sorted((width * scale, height * scale))
    assert long <= PREVIEW.long_side + 0.01
    assert long <= PREVIEW.side + 0.01 or short <= PREVIEW.thin_side + 0.01
    assert scale == 1 or long >= PREVIEW.side - 0.01  # not smaller than needed
    assert FULL.fit(width, height) >= scale


def test_the_full_image_is_the_file_if_browsers_show_it(show):
    noise = np.random.RandomState(0).randint(0, 255, (1200, 1500, 3), dtype=np.uint8)
    data = encode(Image.fromarray(noise), "JPEG")
    assert open_source(show("x.jpg", data, full=True))[1] == data
    assert read_pixels(show("x.jpg", data)).shape == (819, 1024, 3)


@pytest.mark.parametrize("n_channels", [1, 3, 4])
def test_full_images_fit_into_a_message(show, monkeypatch, n_channels):
    limits = FULL._replace(whole_bytes=100_000, max_bytes=100_000)
    monkeypatch.setattr(_rendering, "FULL", limits)
    noise = np.random.RandomState(0).randint(0, 255, (600, 600, n_channels), dtype=np.uint8)
    image = Image.fromarray(noise if n_channels > 1 else noise[:, :, 0])
    of_file = show("x.png", encode(image, "PNG", compress_level=1), full=True)
    for content, least in ((of_file, 40_000), (Renderer().full([noise], 0), 10_000)):
        assert least < len(open_source(content)[1]) <= 100_000
        assert (content["width"], content["height"], content["reduced"]) == (600, 600, True)


def test_full_arrays_are_whole():
    image = np.zeros((3000, 1500), dtype=np.uint8)
    image[:, ::2] = 200
    content = Renderer().full([image], 0)
    assert not content["reduced"]
    np.testing.assert_array_equal(read_pixels(content, "L"), image)
    assert Renderer().full(["text"], 0) == {"type": "text", "text": "text"}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_huge_photographs_are_decoded_at_half_size(show, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40_000)
    content = show("x.jpg", encode(Image.new("RGB", (300, 200), "red"), "JPEG"), full=True)
    assert read_pixels(content).shape == (100, 150, 3)
    assert content["reduced"]
    assert (content["width"], content["height"]) == (300, 200)
    for name, size in (("x.jpg", (400, 300)), ("x.png", (300, 200))):
        kind = "JPEG" if name == "x.jpg" else "PNG"
        text = show(name, encode(Image.new("RGB", size), kind))["text"]
        assert text.startswith(f"{name} cannot be shown: it is too large")


# Sounds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FILES if find_format(name).media == "audio"])
def test_sounds_are_played_as_the_file_is(show, name):
    content = show(name)
    assert content["type"] == "audio"
    mime, data = open_source(content)
    if mime != "audio/wav" or data == FILES[name]:
        assert data == FILES[name]
        assert name.split(".")[-1] in {"wav", "mp3", "flac", "ogg", "opus"}
        return
    samples, rate = read_samples(content)
    if name == "slow.wav":
        assert (rate, len(samples)) == (8000, 64_000)
        np.testing.assert_allclose(samples[800:-800:8, 0], TONE[100:-100], atol=0.03)
    else:
        assert samples.shape[1] <= 2
        atol = 0.05 if "adpcm" in name else 0.03 if "law" in name else 0.001
        n = min(len(samples), len(TONE))  # ADPCM holds whole blocks, and needs a start
        np.testing.assert_allclose(samples[9:n, 0], TONE[9:n], atol=atol)
        assert len(samples) == pytest.approx(8000, abs=1100)


def test_integers_of_16_bits_are_sent_as_they_are(show):
    for name in ("8 bit.wav", "16 bit.wav", "stereo.wav"):
        assert open_source(show(name))[1] == FILES[name]
    for name in ("24 bit.wav", "six channels.wav"):
        assert open_source(show(name))[1] != FILES[name]


def test_long_sounds_are_cut_and_say_so(show, monkeypatch):
    monkeypatch.setattr(_sounds, "_MAX_BYTES", 8000)
    for n_channels in (1, 2):
        content = show("x.wav", make_wav(n_channels=n_channels))
        samples, rate = read_samples(content)
        assert (rate, samples.shape) == (8000, (4000, 1))
        np.testing.assert_allclose(samples[:, 0], TONE[:4000], atol=0.001)
        assert content["reduced"]
        assert content["note"] == "the first 0.5 of 1.0 seconds"
    assert "too large" in show("x.m4a", b"\0\0\0\x18ftypM4A " + bytes(9000))["text"]


def test_files_of_browsers_alone_are_sent(show):
    for name, data in (("x.m4a", b"\0\0\0\x18ftypM4A " + bytes(99)), ("x.svg", b"<svg/>")):
        assert open_source(show(name, data))[1] == data


# Files that cannot be shown ---------------------------------------------------------------------


@pytest.mark.parametrize(("name", "noun", "data"), [
    *MESSY["make_left_out_images"](), *MESSY["make_left_out_sounds"](),
    *((name, "", data) for name, data in MESSY["make_broken_images"]()),
])  # fmt: skip
def test_what_cannot_be_shown_is_a_sentence_with_the_name(show, name, noun, data):
    if noun in {"hidden file", "file with control characters"} or name[-4:] in {
        ".svg",
        ".m4a",
        ".aac",
    }:
        return  # shown: the folder leaves these out for other reasons
    content = show(name, data)
    assert content["type"] == "problem"
    assert content["text"].startswith(f"{name} cannot be shown: it ")
    assert content["text"].isprintable()


def test_advice_is_part_of_the_sentence(show):
    assert show("x.heic", b"\0\0\0\x18ftypheic")["text"] == (
        "x.heic cannot be shown: it has a format that cannot be read here (HEIC); convert to JPEG "
        "or PNG."
    )


def test_names_are_shown_in_plain_characters(show):
    name = "a\u202e\x1b[31m\udce9.png"
    assert show(name, b"")["text"].startswith(
        r"a\u202e\x1b[31m\udce9.png cannot be shown: it is empty"
    )
    content = show(name, FILES["plain.png"])
    assert content["alt"] == r"a\u202e\x1b[31m\udce9.png"


@given(st.text(max_size=20))
@settings(max_examples=50)
def test_escaped_names_are_plain(name):
    assert is_plain_name(escape_name(name))
    escape_name(name).encode()
    assert escape_name(name) == name or not is_plain_name(name)


# Formats ----------------------------------------------------------------------------------------


def test_formats_are_found_by_content():
    for name, data in FILES.items():
        expected = {"really.jpeg.png": "x.jpg", "really flac.mp3": "x.flac"}.get(name, name)
        assert detect_format(data[:4096]) == find_format(expected), name


@given(st.binary(max_size=64))
def test_any_bytes_have_a_format_or_none(head):
    detect_format(head)


def test_other_contents_are_no_media():
    others = [
        b"",
        b"text",
        b"<html>",
        b"%PDF-1.7",
        b"PK\x03\x04",
        struct.pack("<I", 7),
        b"\xff\xfe<\0",
    ]
    for head in others:
        found = detect_format(head)
        assert found is None or found.media not in {"image", "audio"}


def test_each_suffix_has_one_format():
    suffixes = [suffix for media in ("image", "audio", "video") for suffix in list_suffixes(media)]
    assert len(suffixes) == len(set(suffixes))
    assert all(
        find_format(f"X{suffix.upper()}") is find_format(f"x{suffix}") for suffix in suffixes
    )


# Check ------------------------------------------------------------------------------------------


@pytest.fixture
def check(tmp_path):
    """Return a function that returns the fault of a file with some bytes; "" if there is none."""

    def check(name, data=None):
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        try:
            check_media(path)
        except MediaError as error:
            return str(error)
        return ""

    return check


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".bmp", ".webp", ".tif"])
def test_images_whole_cut_and_overwritten(check, suffix):
    noise = Image.effect_noise((64, 64), 50).convert("RGB")
    file = io.BytesIO()
    noise.save(file, Image.registered_extensions()[suffix])
    data = file.getvalue()
    assert check(f"a{suffix}", data) == ""
    assert "is damaged" in check(f"cut{suffix}", data[: len(data) // 2])
    assert "is not an image" in check(f"text{suffix}", b"not an image at all" * 20)
    assert "it is empty" in check(f"empty{suffix}", b"")
    assert check("other.png", data) == ""  # under a name of another format


def test_a_file_that_only_this_page_cannot_show_is_whole(check, monkeypatch):
    bomb = MESSY["make_bomb"]()
    assert check("large.png", bomb) == ""
    assert check("a.heic", b"anything") == check("a.svg", b"<svg/>") == check("a.raw", b"x") == ""
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    assert check("a.png", b"\x89PNG\r\n\x1a\n rest") == ""
    assert "is not an image" in check("b.png", b"<html>")


def test_sounds_begin_as_they_should(check):
    assert check("a.wav", make_wav()) == ""
    for name, data in (("a.mp3", b"\xff\xfb\x90\x00"), ("b.mp3", b"ID3\x04"), ("a.ogg", b"OggS")):
        assert check(name, data) == ""
    assert "is not a sound" in check("b.wav", b"hello, this is no sound")


def test_files_that_are_gone_or_of_other_kinds(tmp_path, check):
    assert "does not exist" in check("none.png")
    (tmp_path / "folder.png").mkdir()
    assert "is a folder" in check("folder.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "gone.png")
    assert "does not exist" in check("link.png")
    assert check("notes.txt", b"a") == ""
