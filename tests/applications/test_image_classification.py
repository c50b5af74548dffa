from dataclasses import replace

import numpy as np
import pytest
from application_code import application_code

from skactive.applications import explain_batch, play

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")
Image = pytest.importorskip("PIL.Image")

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def code():
    with application_code("image_classification") as load:
        yield load


@pytest.fixture(scope="module")
def digits(code):
    return code("data").read_images(None)


def save(path, side=32, value=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = RNG.integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels if value is None else np.full_like(pixels, value)).save(path)


def test_miniature_is_divided_once(code, digits):
    n = len(digits.X) + len(digits.X_test)
    assert n == 1797
    assert digits.X.dtype == np.float32
    assert digits.X.shape[1:] == (1, 8, 8)
    assert digits.X.min() == 0
    assert digits.X.max() == 1
    again = code("data").read_images(None)
    np.testing.assert_array_equal(digits.X_test, again.X_test)


def test_folders_of_classes_are_divided(code, tmp_path):
    for name in ("cat", "dog"):
        for i in range(12):
            save(tmp_path / name / f"{i}.png", value=51 * (name == "dog"))
    task = code("data").read_images(tmp_path)
    assert len(task.X) + len(task.X_test) == 24
    assert 0 < len(task.X_test) < 12
    assert task.details == ["cat", "dog"]
    assert task.X.shape[1:] == (3, 32, 32)
    np.testing.assert_allclose(task.X[:, 0, 0, 0], task.y * 0.2, atol=1e-6)
    assert tmp_path.name in task.source


def test_folders_train_and_test_are_kept_apart(code, tmp_path):
    save(tmp_path / "train" / "cat" / "1.png", value=0)
    save(tmp_path / "train" / "dog" / "1.png", side=50, value=100)
    save(tmp_path / "test" / "dog" / "1.png", side=20, value=255)
    task = code("data").read_images(tmp_path)
    assert task.y.tolist() == [0, 1]
    assert task.y_test.tolist() == [1]
    assert task.X_test.min() == 1
    assert task.X.max() < 0.5
    save(tmp_path / "test" / "fox" / "1.png")
    with pytest.raises(ValueError, match=r"classes that no other has: \['fox'\]"):
        code("data").read_images(tmp_path)


def test_damaged_images_are_named(code, tmp_path):
    save(tmp_path / "cat" / "1.png")
    (tmp_path / "cat" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ValueError, match=r"2\.png cannot be read as an image"):
        code("data").read_images(tmp_path)


def test_mnist_is_read_from_one_file(code, tmp_path, monkeypatch):
    monkeypatch.setattr(code("data"), "N_TEST", 5)
    X = RNG.integers(0, 256, (20, 784), np.uint8)
    y = np.arange(20, dtype=np.uint8) % 10
    np.savez(tmp_path / "mnist.npz", X_train=X, y_train=y, X_test=X, y_test=y)
    task = code("data").read_images(tmp_path)
    assert task.X.shape == (20, 1, 28, 28)
    np.testing.assert_allclose(task.X[3, 0].ravel() * 255, X[3], atol=1e-4)
    assert len(task.X_test) == 5
    for image, digit in zip(task.X_test, task.y_test, strict=True):
        (row,) = np.flatnonzero((np.abs(image.ravel() * 255 - X) < 0.5).all(axis=1))
        assert y[row] == digit


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (1, 21, 50)])
def test_net_takes_images_of_any_size(code, shape):
    net = code("model").ImageNet(shape[0], 4).eval()
    assert net(torch.zeros(2, *shape)).shape == (2, 4)


def test_training_takes_the_same_steps_for_few_and_many_labels(code):
    for n_rows in (3, 100):
        batches = list(code("model").draw_batches(range(n_rows), 32, 5))
        assert len(batches) == 5
        counts = np.bincount(torch.cat(batches), minlength=n_rows)
        assert counts.max() - counts.min() <= 1  # all take their turn


def test_model_learns_digits(code, digits):
    learner = code("model").make_model(digits).set_params(random_state=0)
    learner.fit(digits.X[::6], digits.y[::6])
    assert learner.score(digits.X_test, digits.y_test) > 0.85


def test_all_strategies_are_played(code, digits, monkeypatch):
    monkeypatch.setattr(code("model"), "N_STEPS", 10)
    application = code("run").APPLICATION
    sizes = replace(application.sizes, batch_size=10, budget=40, n_pool=60)
    comparison = play(application, digits, sizes, n_repeats=1)
    assert not comparison.failures
    assert {run.strategy for run in comparison.runs} == set(application.strategies)
    batch = explain_batch(application, digits, sizes)
    assert len(set(batch.positions)) == 10
