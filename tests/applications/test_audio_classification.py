import wave
from dataclasses import replace

import numpy as np
import pytest
from application_code import application_code

from skactive.applications import explain_batch, play
from skactive.datasets import find_bundled

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

RATE = 8000
NOISE = np.random.default_rng(0).normal(size=2400) * 0.1


@pytest.fixture(scope="module")
def code():
    with application_code("audio_classification") as load:
        yield load


@pytest.fixture(scope="module")
def digits(code):
    return code("data").read_sounds(None)


def save(path, samples=NOISE, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())


def test_nobody_is_heard_in_training_and_in_testing(code, digits):
    data = code("data")
    names = sorted(path.stem for path in find_bundled("fsdd").glob("*.wav"))
    tested = [name.split("_")[1] in data.TEST_SPEAKERS for name in names]
    assert len(digits.X_test) == sum(tested) == 140
    assert len(digits.X) == 280
    digit = np.array([int(name[0]) for name in names])
    np.testing.assert_array_equal(digits.y_test, digit[tested])
    assert digits.details == list("0123456789")


def test_archive_holds_the_same_as_the_files(code, digits, tmp_path):
    found = code("data").find_sounds(find_bundled("fsdd"))
    speakers = np.where(found.is_test, "theo", "lucas")
    names, speaker = np.unique(speakers, return_inverse=True)
    np.savez(
        tmp_path / "fsdd.npz",
        audio=np.concatenate([np.round(sound * 2**15) for sound in found.sounds]).astype(np.int16),
        offsets=np.cumsum([0, *map(len, found.sounds)]),
        y=found.labels.astype(np.uint8),
        speaker=speaker,
        speakers=names,
        rate=found.rate,
    )
    task = code("data").read_sounds(tmp_path)
    np.testing.assert_array_equal(task.X, digits.X)
    np.testing.assert_array_equal(task.y_test, digits.y_test)


def test_folders_of_classes_are_divided(code, tmp_path):
    for name in ("dog", "rain"):
        for i in range(12):
            save(tmp_path / name / f"{i}.wav")
    task = code("data").read_sounds(tmp_path)
    assert len(task.X) + len(task.X_test) == 24
    assert 0 < len(task.X_test) < 12
    assert task.details == ["dog", "rain"]


def test_folders_train_and_test_are_kept_apart(code, tmp_path):
    save(tmp_path / "train" / "dog" / "1.wav")
    save(tmp_path / "train" / "rain" / "1.wav")
    save(tmp_path / "test" / "rain" / "1.wav")
    task = code("data").read_sounds(tmp_path)
    assert task.y.tolist() == [0, 1]
    assert task.y_test.tolist() == [1]
    save(tmp_path / "test" / "wind" / "1.wav")
    with pytest.raises(ValueError, match=r"classes that no other has: .*'wind'"):
        code("data").read_sounds(tmp_path)
    save(tmp_path / "train" / "rain" / "1.wav", rate=16000)
    save(tmp_path / "train" / "dog" / "1.wav", rate=16000)
    with pytest.raises(ValueError, match="train has 16000 Hz, and test 8000 Hz: convert one"):
        code("data").read_sounds(tmp_path)


def test_damaged_and_misnamed_sounds_are_named(code, tmp_path):
    save(tmp_path / "7_theo_1.wav")
    save(tmp_path / "seven.wav")
    with pytest.raises(ValueError, match=r"seven\.wav.* does not match"):
        code("data").read_sounds(tmp_path)
    (tmp_path / "seven.wav").unlink()
    (tmp_path / "7_lucas_1.wav").write_bytes(b"RIFF")
    with pytest.raises(ValueError, match=r"7_lucas_1\.wav cannot be read as a sound"):
        code("data").read_sounds(tmp_path)


def test_filters_are_triangles_between_their_neighbors(code):
    data = code("data")
    filters = data.make_mel_filters(RATE, 256)
    frequencies = np.fft.rfftfreq(256, 1 / RATE)
    mels = 2595 * np.log10(1 + frequencies / 700)
    step = 2595 * np.log10(1 + 4000 / 700) / (data.N_MELS + 1)
    for i, row in enumerate(filters):
        assert (mels[row > 0] > i * step).all()
        assert (mels[row > 0] < (i + 2) * step).all()
    inside = (mels > step) & (mels < data.N_MELS * step)
    np.testing.assert_allclose(filters.sum(axis=0)[inside], 1.0)  # neighbors add up to 1


@pytest.mark.parametrize("frequency", [300, 1000, 3000])
def test_tones_are_loudest_in_their_band(code, frequency):
    data = code("data")
    tone = np.sin(2 * np.pi * frequency * np.arange(4000) / RATE).astype(np.float32)
    (spectrogram,) = data.make_spectrograms([tone], RATE)
    weights = data.make_mel_filters(RATE, 256)[:, round(frequency * 256 / RATE)]
    assert spectrogram[0, :, 5:-5].mean(axis=1).argmax() == weights.argmax()


def test_loudness_does_not_matter(code):
    make = code("data").make_spectrograms
    chirp = np.sin(np.arange(4000) ** 2 / 8000).astype(np.float32)
    plain, quiet = make([chirp, chirp / 100], RATE)
    np.testing.assert_allclose(plain, quiet, atol=1e-3)


def test_spectrograms_are_stretched_to_one_length(code):
    quiet, loud = np.zeros(4000), NOISE[:2000]
    late = np.concatenate([quiet, loud, loud]).astype(np.float32)
    later = np.concatenate([quiet, quiet, loud, loud, loud, loud]).astype(np.float32)
    levels = code("data").make_spectrograms([late, later], RATE).mean(axis=(1, 2))
    onsets = (np.diff(levels, axis=1)).argmax(axis=1)
    assert abs(onsets - 15).max() <= 1  # half of 32 frames


def test_very_short_sounds_and_silence_have_spectrograms(code):
    spectrograms = code("data").make_spectrograms([NOISE[:5], np.zeros(900)], RATE)
    assert np.isfinite(spectrograms).all()


def test_masks_hide_one_band_and_one_span_in_training_only(code):
    masks = code("model").Masks(3)
    X = torch.ones(50, 1, 12, 10)
    assert (masks.eval()(X) == 1).all()
    hidden = masks.train()(X)[:, 0] == 0
    bands, spans = hidden.all(dim=2), hidden.all(dim=1)  # whole rows and columns
    assert (bands.sum(dim=1) == 3).all()
    assert (spans.sum(dim=1) == 3).all()
    assert (hidden == bands[:, :, None] | spans[:, None, :]).all()
    assert bands.any(dim=0).all()
    assert spans.any(dim=0).all()


def test_model_knows_digits_of_unheard_speakers(code, digits):
    learner = code("model").make_model(digits).set_params(random_state=0)
    learner.fit(digits.X, digits.y)
    assert learner.score(digits.X_test, digits.y_test) > 0.7  # 0.1 by chance


def test_all_strategies_are_played(code, digits, monkeypatch):
    monkeypatch.setattr(code("model"), "N_STEPS", 10)
    application = code("run").APPLICATION
    sizes = replace(application.sizes, batch_size=10, budget=40, n_pool=60)
    comparison = play(application, digits, sizes, n_repeats=1)
    assert not comparison.failures
    assert {run.strategy for run in comparison.runs} == set(application.strategies)
    batch = explain_batch(application, digits, sizes)
    assert len(set(batch.positions)) == 10
