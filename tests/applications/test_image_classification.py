from dataclasses import replace

import numpy as np
import pytest
from application_code import application_code

from skactive.applications import Sizes, play

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def code():
    with application_code("image_classification") as load:
        yield load


def write_images(folder, classes, n=3, size=(12, 10)):
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i in range(n):
            pixels = rng.integers(256, size=(*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")


def test_digits_are_split(code):
    task = code("model").read_images(None)
    assert task.X.shape == (1200, 1, 8, 8)
    assert (task.X.min(), task.X.max()) == (0.0, 1.0)
    assert len(task.X_test) == 597


def test_folders_of_classes_are_read(code, tmp_path):
    write_images(tmp_path / "train", ["cat", "dog"])
    write_images(tmp_path / "test", ["dog"], n=2)
    task = code("model").read_images(tmp_path)
    assert task.X.shape == (6, 3, 12, 10)
    assert (task.y.tolist(), task.y_test.tolist()) == ([0, 0, 0, 1, 1, 1], [1, 1])
    write_images(tmp_path / "test", ["eel"])
    with pytest.raises(ValueError, match=r"test has classes that train lacks: .*eel"):
        code("model").read_images(tmp_path)


def test_mnist_is_read(code, tmp_path):
    X, y = np.zeros((5, 784), dtype=np.uint8), np.arange(5)
    X[0, 28] = 255
    np.savez(tmp_path / "mnist.npz", X_train=X, y_train=y, X_test=X, y_test=y)
    task = code("model").read_images(tmp_path)
    assert task.X.shape == (5, 1, 28, 28)
    assert task.X[0, 0, 1, 0] == 1.0


def test_the_net_learns_and_takes_its_number_of_steps(code):
    task = code("model").read_images(None)
    learner = code("model").make_model(task).set_params(random_state=0)
    learner.fit(task.X[:150], task.y[:150])
    assert learner.score(task.X_test, task.y_test) > 0.75
    assert len(learner.estimator_.history) == 32  # 160 steps in epochs of 5


def make_quick_model(code):
    """Return a function that makes the model with few steps of training."""
    return lambda task: code("model").make_model(task).set_params(estimator__n_steps=8)


def test_all_strategies_are_played(code):
    application = replace(code("run").APPLICATION, model=make_quick_model(code))
    task = application.read(None)
    sizes = Sizes(n_initial=20, batch_size=5, budget=25, n_pool=60)
    comparison = play(application, task, sizes, n_repeats=1)
    assert set(comparison.strategies) == {"Random", "Margin", "BALD", "BADGE", "Auto"}
    assert not comparison.failures
