from dataclasses import replace

import numpy as np
import pytest
from application_code import application_code
from scipy.io import wavfile

from skactive.applications import Sizes, play

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def code():
    with application_code("audio_classification") as load:
        yield load


def test_speakers_are_kept_apart(code):
    task = code("model").read_sounds(None)
    assert task.X.shape == (280, 1, 32, 40)
    assert len(task.X_test) == 140
    assert np.bincount(task.y).tolist() == [28] * 10


def test_a_tone_lights_the_filters_around_its_frequency(code):
    model = code("model")
    filters = model.make_mel_filters(8000)
    assert filters.shape == (32, 257)
    assert (filters.max(axis=1) > 0.5).all()
    tone = np.sin(2 * np.pi * 1000 * np.arange(4000) / 8000)
    _, _, spectrum = model.stft(tone, nperseg=200, noverlap=100, nfft=512)
    loudest = (filters @ np.abs(spectrum) ** 2).mean(axis=1).argmax()
    middles = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 4000 / 700), 34) / 2595) - 1)
    assert abs(middles[loudest + 1] - 1000) < 100


def test_loudness_and_pace_are_taken_away(code):
    model = code("model")
    rng = np.random.default_rng(0)
    sound = rng.normal(size=3000) * np.sin(np.arange(3000) / 300)
    first, loud = model.make_spectrograms([sound, 5 * sound], 8000)
    np.testing.assert_allclose(first, loud, atol=1e-3)
    assert abs(first.mean()) < 0.1


def test_folders_of_classes_are_read(code, tmp_path):
    for name in ("train/bell/1", "train/dog/1", "test/dog/2"):
        path = tmp_path / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        wavfile.write(path, 8000, np.random.default_rng(0).normal(size=900).astype(np.float32))
    task = code("model").read_sounds(tmp_path)
    assert (task.y.tolist(), task.y_test.tolist()) == ([0, 1], [1])
    wavfile.write(path, 16000, np.ones(900, dtype=np.float32))
    with pytest.raises(ValueError, match="Training sounds have 8000 Hz, test sounds 16000"):
        code("model").read_sounds(tmp_path)


def test_the_whole_set_is_read(code, tmp_path):
    np.savez(
        tmp_path / "fsdd.npz",
        audio=np.arange(3000, dtype=np.int16),
        offsets=[0, 1000, 3000],
        y=np.array([3, 7]),
        speaker=np.array([0, 1]),
        speakers=np.array(["george", "lucas"]),
        rate=8000,
    )
    task = code("model").read_sounds(tmp_path)
    assert (task.y.tolist(), task.y_test.tolist()) == ([3], [7])


def test_the_net_learns(code):
    task = code("model").read_sounds(None)
    learner = code("model").make_model(task).set_params(random_state=0)
    learner.fit(task.X, task.y)
    assert learner.score(task.X_test, task.y_test) > 0.3  # by chance .1


def make_quick_model(code):
    """Return a function that makes the model with few steps of training."""
    return lambda task: code("model").make_model(task).set_params(estimator__n_steps=8)


def test_all_strategies_are_played(code):
    application = replace(code("run").APPLICATION, model=make_quick_model(code))
    sizes = Sizes(n_initial=20, batch_size=5, budget=25, n_pool=60)
    comparison = play(application, application.read(None), sizes, n_repeats=1)
    assert set(comparison.strategies) == {"Random", "Margin", "BALD", "BADGE", "Auto"}
    assert not comparison.failures
