import sys

import numpy as np
import pytest
from scipy.io import wavfile

from skactive.datasets import find_bundled, read_sound, read_sound_folder

WAVE = np.sin(np.arange(400) / 5) * 0.5


def write(path, samples=WAVE, rate=8000, dtype=np.int16):
    path.parent.mkdir(parents=True, exist_ok=True)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        middle = (limits.max + limits.min + 1) / 2
        samples = samples * (limits.max - middle) + middle
    wavfile.write(path, rate, samples.astype(dtype))
    return path


@pytest.mark.parametrize("with_soundfile", [True, False])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32])
def test_samples_lie_between_minus_one_and_one(tmp_path, monkeypatch, dtype, with_soundfile):
    if not with_soundfile:
        monkeypatch.setitem(sys.modules, "soundfile", None)
    samples, rate = read_sound(write(tmp_path / "a.wav", dtype=dtype))
    assert (rate, samples.dtype) == (8000, np.float32)
    np.testing.assert_allclose(samples, WAVE, atol=0.02)


def test_channels_are_averaged(tmp_path):
    stereo = np.stack([WAVE, -WAVE], axis=1)
    np.testing.assert_allclose(read_sound(write(tmp_path / "a.wav", stereo))[0], 0.0, atol=1e-4)


def test_folders_are_classes(tmp_path):
    for name in ("dog/2.wav", "cat/1.wav", "dog/1.wav", "dog/.hidden.wav", ".git/3.wav"):
        write(tmp_path / name)
    (tmp_path / "notes.txt").write_text("none")
    found = read_sound_folder(tmp_path)
    assert found.names == ["cat/1.wav", "dog/1.wav", "dog/2.wav"]
    assert found.labels.tolist() == ["cat", "dog", "dog"]


def test_names_hold_label_and_other_fields():
    pattern = r"(?P<label>\d)_(?P<speaker>\w+)_(?P<take>\d+)"
    found = read_sound_folder(find_bundled("fsdd"), pattern)
    assert np.unique(found.labels, return_counts=True)[1].tolist() == [42] * 10
    assert len(set(found.fields["speaker"])) == 6
    assert found.names[0] == "0_george_0.wav"
    assert all(sound.dtype == np.float32 for sound in found.sounds)


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(NotADirectoryError, match="is no folder"):
        read_sound_folder(tmp_path / "none")
    with pytest.raises(ValueError, match=r"has no sounds \(\.aif"):
        read_sound_folder(tmp_path)
    write(tmp_path / "a.wav")
    with pytest.raises(ValueError, match=r"a.wav is in no folder of a class"):
        read_sound_folder(tmp_path)
    with pytest.raises(ValueError, match=r"'a.wav' does not match .* with a group"):
        read_sound_folder(tmp_path, r"(?P<label>\d)")
    write(tmp_path / "x" / "b.wav", rate=16000)
    (tmp_path / "a.wav").rename(tmp_path / "x" / "a.wav")
    with pytest.raises(ValueError, match=r"several rates: 8000 Hz \(a.wav\), 16000 Hz \(b.wav\)"):
        read_sound_folder(tmp_path)
    (tmp_path / "x" / "b.wav").write_bytes(b"RIFF, cut off")
    with pytest.raises(ValueError, match=r"b.wav cannot be read as a sound"):
        read_sound_folder(tmp_path)
    write(tmp_path / "x" / "b.wav", WAVE[:0])
    with pytest.raises(ValueError, match=r"b.wav holds no sound"):
        read_sound_folder(tmp_path)
    with pytest.raises(FileNotFoundError, match="No such file"):
        read_sound(tmp_path / "none.wav")


def test_other_formats_need_soundfile(tmp_path, monkeypatch):
    (tmp_path / "a.flac").write_bytes(b"fLaC")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ValueError, match=r'pip install "skactive\[audio\]"'):
        read_sound(tmp_path / "a.flac")
