"""Folders of images and sounds: all files are read and shown, or left out with a reason."""

import os
import re
import runpy
import stat
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from skactive.cli._errors import CommandError
from skactive.cli.learners._features import make_image_featurizer, make_sound_featurizer
from skactive.cli.sources._data_source import DataSource
from skactive.cli.sources._folders import read_folder
from skactive.labeling.page import Renderer, _sounds

pytest.importorskip("PIL.Image", reason="builds the images")
MESSY = runpy.run_path(str(Path(__file__).parents[1] / "messy_folders.py"))
MEDIA = {"images": "image", "audio": "audio"}
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="named pipes and links")


@pytest.fixture(scope="module")
def messy(tmp_path_factory):
    root = tmp_path_factory.mktemp("messy") / "files"
    return root, MESSY["build_folder"](root)


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes files into a folder."""

    def write(**files):
        for name, data in files.items():
            (tmp_path / name.replace("__", ".")).write_bytes(data)
        return tmp_path

    return write


@pytest.fixture
def without_soundfile(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)


@pytest.fixture
def without_pillow(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)


PNG, WAV = MESSY["encode"](MESSY["make_photo"](), "PNG"), MESSY["make_wav"]()


# All of a messy folder --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["images", "audio"])
def test_every_file_of_a_messy_folder_is_read_or_its_fault_is_noted(messy, kind):
    root, cases = messy
    source = read_folder(root, kind, None)
    ours = [case for case in cases if case.media == MEDIA[kind]]
    assert source.rows == sorted(case.name for case in ours if case.outcome != "left out")
    assert source.ids == source.rows
    notes = "\n".join(source.notes)
    ours = [case for case in cases if case.media in {MEDIA[kind], "other"}]
    for noun, n in Counter(case.noun for case in ours if case.outcome == "left out").items():
        first, *others = map(re.escape, noun.split()[:3])
        assert re.search(rf"Left out: {n} {' '.join([first + 's?', *others])}", notes), noun
    n_files = sum(case.media != "folder" for case in cases)
    noun = "images" if kind == "images" else "sounds"
    assert source.notes[0] == f"{len(source.rows)} {noun} of {n_files} files"
    counts = [
        int(n) for n, of in re.findall(r"Left out: ([0-9]+) (.*)", notes) if "folder" not in of
    ]
    assert len(source.rows) + sum(counts) == n_files
    assert all(note.isprintable() for note in source.notes)


@pytest.mark.parametrize("kind", ["images", "audio"])
def test_the_page_shows_all_that_the_source_offers(messy, kind):
    root, cases = messy
    rows = read_folder(root, kind, None).rows
    show = Renderer(MEDIA[kind], media_root=root)
    contents = {name: show(rows, position) for position, name in enumerate(rows)}
    broken = {case.name for case in cases if case.outcome == "broken"} & set(rows)
    assert {name for name, content in contents.items() if content["type"] == "problem"} == broken
    for name in broken:
        assert contents[name]["text"].startswith(f"{name} cannot be shown: it is damaged (")
    for content in contents.values():
        assert str(root) not in str(content)
        content["type"] == "problem" or content["src"].encode("ascii")


def test_broken_files_have_the_mean_features_of_the_others(messy):
    root, cases = messy
    rows = read_folder(root, "images", None).rows
    broken = [case.name for case in cases if case.outcome == "broken"]
    with pytest.warns(UserWarning, match=rf"{len(broken)} files cannot be learned from"):
        features = make_image_featurizer(root)(rows)
    is_broken = np.isin(rows, broken)
    assert is_broken.sum() == len(broken) == 4
    expected = features[~is_broken].mean(axis=0)
    np.testing.assert_allclose(features[is_broken], [expected] * len(broken))
    assert (np.ptp(features[~is_broken], axis=0) > 0).all()


def test_sounds_have_features_in_every_format(messy):
    root, _ = messy
    rows = read_folder(root, "audio", None).rows
    features = dict(zip(rows, make_sound_featurizer(root)(rows), strict=True))
    plain = features["16 bit.wav"].reshape(4, 32)
    loudest = plain.mean(axis=0).argmax()
    for name, values in features.items():
        assert np.isfinite(values).all()
        if name != "slow.wav":
            assert values.reshape(4, 32).mean(axis=0).argmax() == loudest, name
    for name in ("24 bit.wav", "32 bit.wav", "six channels.wav", "stereo.wav"):
        np.testing.assert_allclose(
            features[name].reshape(4, 32)[:, loudest], plain[:, loudest], atol=0.01
        )


# Counts and reasons -----------------------------------------------------------------------------


def test_a_clean_folder_has_one_note(folder):
    assert read_folder(folder(a__png=PNG, b__png=PNG), None, None).notes == ["2 images"]
    assert read_folder(folder(), "images", None).files is not None


def test_reasons_name_the_first_files(folder):
    root = folder(a__png=PNG, **{f"{name}__heic": b"1" for name in "bcdef"}, g__wav=WAV)
    assert read_folder(root, "images", None).notes == [
        "1 image of 7 files",
        "Left out: 5 .heic files (b.heic, c.heic, d.heic and 2 more): convert to JPEG or PNG",
        "Left out: 1 sound (g.wav): choose them by --audio",
    ]


def test_pages_and_wrong_suffixes_are_noted(messy):
    notes = read_folder(messy[0], "images", None).notes
    assert "Only the first page is shown of pages.tif" in notes
    assert "Read although the suffix is another: really.jpeg.png (JPEG)" in notes


def test_a_folder_of_both_kinds_needs_a_choice(folder):
    with pytest.raises(CommandError, match="--images or --audio"):
        read_folder(folder(a__png=PNG, b__wav=WAV), None, None)
    assert read_folder(folder(), "audio", None).rows == ["b.wav"]


def test_what_cannot_be_read_decides_no_kind(folder):
    assert read_folder(folder(a__png=PNG, b__wma=WAV, c__mp4=WAV), None, None).kind == "images"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no image that can be read .*; it is empty"),
        (
            {"a__heic": b"1", "b__heic": b"1"},
            r"2 \.heic files \(a\.heic, b\.heic\): convert to JPEG",
        ),
        ({"a__m4a": b"1"}, r"no sound .* 1 \.m4a file \(a\.m4a\): convert to WAV, FLAC or MP3"),
        ({"a__png": b""}, r"1 empty file \(a\.png\)"),
    ],
)
def test_nothing_to_label_is_one_line_that_says_why(folder, files, message):
    with pytest.raises(CommandError, match=message) as caught:
        read_folder(folder(**files), None, None)
    assert "\n" not in str(caught.value)


def test_a_folder_has_no_columns(folder):
    with pytest.raises(CommandError, match="no column 'text'"):
        read_folder(folder(a__png=PNG), None, "text")


def test_the_fingerprint_is_of_names_and_sizes_that_are_read(folder):
    before = read_folder(folder(a__png=PNG, b__png=PNG), None, None).files
    assert read_folder(folder(c__txt=b"1", d__png=b""), None, None).files == before
    assert read_folder(folder(b__png=PNG + b"1"), None, None).files != before


def test_sources_have_notes_of_their_own():
    assert DataSource("text", [], None).notes is not DataSource("text", [], None).notes


# Files that are no files ------------------------------------------------------------------------


def test_a_named_pipe_is_never_opened(folder, monkeypatch):
    root = folder(a__png=PNG)
    os.mkfifo(root / "b.png")
    opened = []
    real_open = Path.open

    def watch(path, *arguments, **options):
        opened.append(path.name)
        return real_open(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", watch)
    assert read_folder(root, None, None).rows == ["a.png"]
    assert set(opened) == {"a.png"}
    content = Renderer("image", media_root=root)(["b.png"], 0)
    assert content == {"type": "problem", "text": "b.png cannot be shown: it is a named pipe."}
    with pytest.warns(UserWarning, match="named pipe"):
        assert make_image_featurizer(root)(["b.png"]).shape == (1, 256)


def deny(monkeypatch, function, name):
    """Make a function of os refuse a path, also to the administrator."""
    real = getattr(os, function)

    def refuse(path, *arguments, **options):
        if os.fspath(path).endswith(name):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, function, refuse)


def test_a_folder_that_cannot_be_opened_is_noted(folder, monkeypatch):
    root = folder(a__png=PNG)
    (root / "private").mkdir()
    deny(monkeypatch, "scandir", "private")
    assert read_folder(root, None, None).notes[1:] == [
        "Left out: 1 folder that cannot be opened (private): Permission denied"
    ]
    deny(monkeypatch, "scandir", root.name)
    with pytest.raises(CommandError, match="cannot be read: Permission denied"):
        read_folder(root, None, None)


def test_a_file_that_cannot_be_opened_is_noted(folder, monkeypatch):
    root = folder(a__png=PNG, b__png=PNG)
    real_open = Path.open

    def refuse(path, *arguments, **options):
        if path.name == "b.png":
            raise PermissionError(13, "Permission denied", path)
        return real_open(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    notes = read_folder(root, None, None).notes
    assert notes[1:] == ["Left out: 1 unreadable file (b.png): Permission denied"]
    text = Renderer("image", media_root=root)(["b.png"], 0)["text"]
    assert text == "b.png cannot be shown: it cannot be opened; Permission denied."


def test_linked_folders_are_read_once_and_loops_end(tmp_path):
    for name in "abc":
        (tmp_path / "root" / name).mkdir(parents=True)
        (tmp_path / "root" / name / "x.png").write_bytes(PNG)
        for other in "abc":
            (tmp_path / "root" / name / f"to {other}").symlink_to(Path("..") / other)
    (tmp_path / "root" / "up").symlink_to(tmp_path)
    source = read_folder(tmp_path / "root", None, None)
    assert source.rows == ["a/x.png", "b/x.png", "c/x.png"]
    assert "9 links to folders that are read anyway" in source.notes[1]
    assert "1 link to a folder around this one (up)" in source.notes[2]


def test_a_link_may_be_the_folder_itself(tmp_path, folder):
    root = folder(a__png=PNG)
    (root / "link").symlink_to(root)
    assert read_folder(root / "link", None, None).rows == ["a.png"]


# Libraries that are missing ---------------------------------------------------------------------


def test_without_soundfile_the_extra_is_named(without_soundfile, folder):
    root = folder(a__wav=WAV, b__mp3=b"ID3" + bytes(99))
    assert read_folder(root, None, None).notes == [
        "1 sound of 2 files",
        'Left out: 1 .mp3 file (b.mp3): pip install --upgrade "skactive[audio]", or convert to '
        "WAV, FLAC or MP3",
    ]


@pytest.mark.filterwarnings("ignore:Chunk", "ignore:Reached EOF")  # of scipy, on the page
@pytest.mark.parametrize(
    "name", ["8 bit", "16 bit", "24 bit", "32 bit", "six channels", "cut", "float"]
)
def test_wav_has_the_same_features_without_soundfile(messy, name, monkeypatch):
    pytest.importorskip("soundfile")
    featurize = make_sound_featurizer(messy[0])
    expected = featurize([f"{name}.wav"])
    monkeypatch.setitem(sys.modules, "soundfile", None)
    np.testing.assert_allclose(featurize([f"{name}.wav"]), expected, atol=1e-6)
    assert Renderer("audio", media_root=messy[0])([f"{name}.wav"], 0)["type"] == "audio"


def test_other_wav_needs_soundfile(messy, without_soundfile):
    if _sounds.find_reader() is None and (messy[0] / "ulaw.wav").exists():
        notes = "\n".join(read_folder(messy[0], "audio", None).notes)
        assert re.search(r"\.wav files \(alaw\.wav, .*skactive\[audio\]", notes)


def test_without_pillow_the_extra_is_named(without_pillow, folder):
    with pytest.raises(CommandError, match=r'pip install --upgrade "skactive\[images\]"'):
        read_folder(folder(a__png=PNG), None, None)


def test_the_messy_folder_has_what_it_is_made_for(messy):
    root, cases = messy
    assert stat.S_ISFIFO((root / "pipe.png").stat().st_mode)
    assert {case.outcome for case in cases} == {"read", "broken", "left out"}
