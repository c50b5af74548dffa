"""Audio enhancement: its noises, its data, its score, and what its learners ask for."""

import wave
from dataclasses import replace

import numpy as np
import pytest
from application_code import application_code
from numpy.testing import assert_allclose, assert_array_equal

from skactive import ActiveLearner
from skactive.adapters import adapt
from skactive.applications import Task, explain_batch, play
from skactive.datasets import find_bundled
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource
from skactive.strategies import EnergyWeightedVariance, PerCost

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

RATE = 8000


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def code():
    with application_code("enhancement") as load:
        yield {name: load(name) for name in ("noises", "data", "model", "run")}


@pytest.fixture(scope="module")
def task(code):
    return code["data"].read(None)


@pytest.fixture(scope="module")
def net(code, task):
    """A net that has learned 60 pairs."""
    torch.manual_seed(0)
    return code["model"].make_model(task).fit(task.X[:60], task.y[:60])


@pytest.fixture(scope="module")
def small_task(task):
    """A few pairs, for a net that hardly learns."""
    parts = (task.X[:20], task.y[:20], task.X_test[:10], task.y_test[:10])
    return Task(*parts, "few", task.costs[:20], "seconds", details=task.details._replace(n_steps=3))


def save(path, samples, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())


def write_pairs(folder, lengths=(900, 1200, 700, 1000), rate=RATE):
    """Write a noisy and a clean recording of each length; the second is half of the first."""
    for i, length in enumerate(lengths):
        noisy = np.random.default_rng(i).uniform(-0.5, 0.5, length)
        save(folder / "noisy" / f"{i}.wav", noisy, rate)
        save(folder / "clean" / f"{i}.wav", noisy / 2, rate)


# Noises -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["white", "pink", "babble", "hum", "clicks"])
def test_noise_is_added_at_the_level_asked_for(code, task, kind):
    noises = code["noises"]
    generator = np.random.default_rng(0)
    clean = np.zeros(4800)
    clean[:3000] = generator.normal(size=3000)
    noise = noises.NOISES[kind](4800, RATE, generator, list(task.y))
    mixed = noises.mix(clean, noise, level=5.0, n_spoken=3000)
    ratio = np.mean(clean[:3000] ** 2) / np.mean((mixed - clean) ** 2)
    assert 10 * np.log10(ratio) == pytest.approx(5.0)


def test_kinds_of_noise_have_their_spectra(code, task):
    noises, generator = code["noises"], np.random.default_rng(0)
    power = {
        kind: np.abs(np.fft.rfft(make(RATE, RATE, generator, list(task.y)))) ** 2
        for kind, make in noises.NOISES.items()
    }  # by Hz, for a second of noise
    assert power["white"][:2000].sum() == pytest.approx(power["white"][2000:].sum(), rel=0.1)
    octaves = [power["pink"][low : 2 * low].sum() for low in (250, 500, 1000, 2000)]
    assert_allclose(octaves, np.mean(octaves), rtol=0.2)  # 1 / frequency: equal in all octaves
    harmonics = power["hum"][50:1001:50].sum()
    assert harmonics == pytest.approx(power["hum"].sum(), rel=1e-6)
    clicks = noises.make_clicks(RATE, RATE, generator, [])
    assert 0.5 < (np.abs(clicks) < 1e-9).mean() < 1


def test_babble_is_made_of_the_recordings_given(code):
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    babble = code["noises"].make_babble(RATE, RATE, np.random.default_rng(0), [tone] * 5)
    power = np.abs(np.fft.rfft(babble)) ** 2
    assert power[1000] > 0.99 * power.sum()


# Data -------------------------------------------------------------------------------------------


def test_nobody_is_heard_in_training_and_in_testing(code, task):
    data = code["data"]
    speakers = [path.stem.split("_")[1] for path in sorted(find_bundled("fsdd").glob("*.wav"))]
    tested = np.isin(speakers, data.TEST_SPEAKERS)
    assert task.X_test.shape == (tested.sum(), 4800) == (140, 4800)
    assert task.X.shape == task.y.shape == (280, 4800)
    kinds, counts = np.unique(task.details.test_kinds, return_counts=True)
    assert kinds.tolist() == sorted(data.SHARES)
    assert (counts == 28).all()


def test_a_pair_is_one_recording_with_noise_and_costs_its_seconds(code, task):
    data = code["data"]
    sounds, is_test, rate = data.read_digits(find_bundled("fsdd"))
    pool = [sound for sound, tested in zip(sounds, is_test, strict=True) if not tested]
    assert_allclose(task.costs, [min(len(sound) / rate, data.SECONDS) for sound in pool])
    for i in (0, 100, 279):
        n_samples = min(len(pool[i]), 4800)
        spoken = pool[i][:n_samples]
        scale = task.y[i, :n_samples] @ spoken / (spoken @ spoken)
        assert_allclose(task.y[i, :n_samples], scale * spoken, atol=1e-5)
        assert not task.y[i, n_samples:].any()
    assert_allclose(np.mean(task.X**2, axis=1), 1.0, rtol=1e-4)
    noise = np.mean((task.X - task.y) ** 2, axis=1)
    speech = np.sum(task.y**2, axis=1) / (task.costs * rate)
    levels = 10 * np.log10(speech / noise)
    assert set(np.round(levels, 2)) == set(data.LEVELS)


def test_reading_twice_gives_the_same(code, task):
    assert_array_equal(code["data"].read(None).X, task.X)


def test_archive_holds_the_same_as_the_files(code, task, tmp_path):
    sounds, is_test, rate = code["data"].read_digits(find_bundled("fsdd"))
    np.savez(
        tmp_path / "fsdd.npz",
        audio=np.concatenate([np.round(sound * 2**15) for sound in sounds]).astype(np.int16),
        offsets=np.cumsum([0, *map(len, sounds)]),
        speaker=is_test.astype(int),
        speakers=["lucas", "theo"],
        rate=rate,
    )
    full = code["data"].read(tmp_path)
    assert_array_equal(full.X, task.X)
    assert_array_equal(full.y_test, task.y_test)


def test_digits_of_nobody_to_test_on_are_refused(code, tmp_path):
    for i in range(6):
        save(tmp_path / f"7_lucas_{i}.wav", np.random.default_rng(i).uniform(-0.5, 0.5, 900))
    with pytest.raises(ValueError, match=r"0 recordings of theo and yweweler, .* and 6 of others"):
        code["data"].read(tmp_path)


def test_pairs_of_ones_own_are_divided_or_come_in_parts(code, tmp_path):
    write_pairs(tmp_path / "whole", [800 + i for i in range(12)])
    whole = code["data"].read(tmp_path / "whole")
    assert whole.X.shape[1] == 811
    assert len(whole.X) + len(whole.X_test) == 12
    assert 0 < len(whole.X_test) < 12
    assert_allclose(whole.y, whole.X / 2, atol=1e-3)
    write_pairs(tmp_path / "parts" / "train")
    write_pairs(tmp_path / "parts" / "test", [1500])
    parts = code["data"].read(tmp_path / "parts")
    assert parts.X.shape == (4, 1500)
    assert len(parts.X_test) == 1
    assert_allclose(parts.costs, np.array([900, 1200, 700, 1000]) / RATE)


def test_pairs_that_do_not_fit_are_refused(code, tmp_path):
    read = code["data"].read
    write_pairs(tmp_path)
    save(tmp_path / "clean" / "1.wav", np.ones(1199))
    with pytest.raises(ValueError, match=r"1\.wav has 1200 noisy and 1199 clean samples"):
        read(tmp_path)
    (tmp_path / "clean" / "1.wav").unlink()
    with pytest.raises(ValueError, match=r"1 sounds of .* are in only one of .*: .*'1'"):
        read(tmp_path)
    write_pairs(tmp_path)
    for i in range(4):
        save(tmp_path / "clean" / f"{i}.wav", np.ones(900), rate=16000)
    with pytest.raises(ValueError, match="noisy has 8000 Hz and clean 16000 Hz"):
        read(tmp_path)
    write_pairs(tmp_path)
    for i in range(4):
        save(tmp_path / "clean" / f"{i}.wav", np.zeros([900, 1200, 700, 1000][i]))
    with pytest.raises(ValueError, match="silent throughout"):
        read(tmp_path)


# Model and score --------------------------------------------------------------------------------


def test_spectra_are_inverted(code):
    sounds = torch.randn(3, 4800, generator=torch.Generator().manual_seed(0))
    spectra = code["model"].transform(sounds, 256)
    assert spectra.shape == (3, 129, 38)
    assert_allclose(code["model"].invert(spectra, 256, 4800), sounds, atol=1e-5)


def test_si_sdr_is_that_of_a_plain_loop(code):
    generator = np.random.default_rng(0)
    targets = generator.normal(size=(5, 40))
    estimates = targets * [[0.1], [1], [2], [-3], [4]] + generator.normal(size=(5, 40))
    expected = []
    for estimate, target in zip(estimates.tolist(), targets.tolist(), strict=True):
        alpha = sum(a * b for a, b in zip(estimate, target, strict=True)) / sum(
            b * b for b in target
        )
        signal = sum((alpha * b) ** 2 for b in target)
        error = sum((alpha * b - a) ** 2 for a, b in zip(estimate, target, strict=True))
        expected.append(10 * np.log10(signal / error))
    si_sdr = code["model"].si_sdr
    assert_allclose(si_sdr(estimates, targets), expected)
    assert_allclose(si_sdr(7 * estimates, targets), expected)  # loudness does not matter
    assert_allclose(si_sdr(estimates, 0.2 * targets), expected)


@pytest.mark.parametrize("level", [-5.0, 0.0, 12.0])
def test_si_sdr_of_orthogonal_noise_is_its_level(code, level):
    target, noise = np.array([[3.0, 0.0, 4.0]]), np.array([[0.0, 5.0, 0.0]])
    estimate = target + noise / 10 ** (level / 20)
    assert_allclose(code["model"].si_sdr(estimate, target), level)


def test_a_mask_of_ones_changes_nothing(code, task, net):
    class Given:
        module_ = net.module_

        def predict(self, X):
            return code["model"].compress(code["model"].transform(torch.as_tensor(X), 256)).numpy()

    X, y = task.X_test[:20], task.y_test[:20]
    assert_allclose(code["model"].enhance(Given(), X), X, atol=1e-4)
    assert code["model"].mean_improvement(Given(), X, y) == pytest.approx(0.0, abs=1e-3)


def test_the_net_learns_and_its_mask_lies_between_0_and_1(code, task, net):
    model = code["model"]
    noisy = model.compress(model.transform(torch.as_tensor(task.X_test), 256)).numpy()
    predicted = net.predict(task.X_test)
    assert predicted.shape == (140, 129, 38)
    assert (predicted >= 0).all()
    assert (predicted <= noisy + 1e-6).all()
    gains = model.si_sdr(model.enhance(net, task.X_test), task.y_test) - model.si_sdr(
        task.X_test, task.y_test
    )
    assert gains.mean() > 3
    assert model.mean_improvement(net, task.X_test, task.y_test) == pytest.approx(gains.mean())


def test_the_loss_compares_compressed_magnitudes(code, task, net):
    transform = code["model"].transform
    enhanced, clean = net.forward(task.X[:3]), torch.as_tensor(task.y[:3])
    expected = np.mean((enhanced.numpy() - np.sqrt(np.abs(transform(clean, 256).numpy()))) ** 2)
    assert net.get_loss(enhanced, clean).item() == pytest.approx(expected, rel=1e-4)


def test_rows_are_scored_by_the_draws_of_their_cells(task, net):
    view = PoolView(task.X[60:64], ReadingSource(adapt(net), seed=1))
    scores = EnergyWeightedVariance().score(view)
    samples = view.elements.prediction_samples().reshape(20, 4, 129 * 38)
    predicted = net.predict(task.X[60:64]).reshape(4, -1)
    for score, draws, magnitudes in zip(scores, samples.swapaxes(0, 1), predicted, strict=True):
        variances = [np.var(cell.tolist()) for cell in draws.T]
        energy = sum(float(m) ** 2 * v for m, v in zip(magnitudes, variances, strict=True))
        assert score == pytest.approx(energy / sum(float(m) ** 2 for m in magnitudes), rel=1e-3)
    assert len(np.unique(scores)) == 4


# The loop ---------------------------------------------------------------------------------------


def test_each_strategy_chooses_recordings(code, small_task, net):
    learner = ActiveLearner(net, prefit=True, random_state=0)
    for name, strategy in code["run"].APPLICATION.strategies.items():
        learner.set_params(strategy=strategy).fit(small_task.X[:4], small_task.y[:4])
        positions = learner.query(small_task.X[4:], 5, costs=small_task.costs[4:])
        assert len(set(positions.tolist())) == 5, name


def test_short_recordings_come_first_if_seconds_are_paid(small_task, net):
    strategy = PerCost(EnergyWeightedVariance())
    learner = ActiveLearner(net, strategy, prefit=True, random_state=0)
    learner.fit(small_task.X[:4], small_task.y[:4])
    pool, costs = small_task.X[[4] * 2 + [5] * 2], [2.0, 1.0, 2.0, 1.0]
    assert set(learner.query(pool, 2, costs=costs)) == {1, 3}


def test_all_strategies_are_played_over_the_seconds(code, small_task):
    application = code["run"].APPLICATION
    sizes = replace(application.sizes, n_initial=4, batch_size=5, budget=4, n_pool=15)
    comparison = play(application, small_task, sizes, n_repeats=1)
    assert not comparison.failures
    assert {run.strategy for run in comparison.runs} == set(application.strategies)
    for run in comparison.runs:
        assert 2 < run.n_labels[-1] <= 4
    batch = explain_batch(application, small_task, sizes)
    assert len(set(batch.positions)) == 5
