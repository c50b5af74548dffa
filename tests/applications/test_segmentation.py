"""Segmentation: its data, its score, and what its learners ask for."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import jaccard_score

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")
Image = pytest.importorskip("PIL.Image")

from application_code import application_code  # noqa: E402 (after the skips)

from skactive import ActiveLearner  # noqa: E402
from skactive.applications import Sizes, Task, Variant, explain_batch, play  # noqa: E402

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def code():
    with application_code("segmentation") as load:
        yield {name: load(name) for name in ("data", "model", "run")}


@pytest.fixture(scope="module")
def task(code):
    return code["data"].read(None)


@pytest.fixture(scope="module")
def small_task(task):
    """A few images of the miniature, for a net that hardly learns."""
    costs = {"costs": task.costs[:16], "element_costs": task.element_costs[:16]}
    parts = (task.X[:16], task.y[:16], task.X_test[:8], task.y_test[:8])
    return Task(*parts, "nuclei", unit=task.unit, details=task.details._replace(n_steps=4), **costs)


@pytest.fixture(scope="module")
def net(code, task):
    """A net that has learned 16 images."""
    torch.manual_seed(0)
    return code["model"].make_model(task).fit(task.X[:16], task.y[:16])


class Given:
    """A model that predicts what it is given."""

    def __init__(self, predicted):
        self.predicted = predicted

    def predict(self, X):
        return self.predicted


# Data -------------------------------------------------------------------------------------------


def test_the_miniature_has_images_masks_and_costs_in_pixels(task):
    assert task.X.shape == (120, 64, 64, 3)
    assert task.y_test.shape == (40, 64, 64)
    assert set(np.unique(task.y)) == {0, 1}
    assert (task.costs == 64 * 64).all()
    assert_array_equal(task.element_costs, np.full((120, 16), 16 * 16))


def write_images(folder, n, size=(32, 16), n_classes=3):
    for kind, shape in (("images", (n, size[1], size[0], 3)), ("masks", (n, size[1], size[0]))):
        (folder / kind).mkdir(parents=True)
        for i, pixels in enumerate(RNG.integers(0, n_classes, shape, dtype=np.uint8)):
            Image.fromarray(pixels).save(folder / kind / f"{i}.png")


def test_folders_of_ones_own_are_split_or_come_in_parts(code, tmp_path):
    write_images(tmp_path / "whole", 8)
    task = code["data"].read(tmp_path / "whole")
    assert (len(task.X), len(task.X_test)) == (6, 2)
    assert task.details.classes == ("class 0", "class 1", "class 2")
    write_images(tmp_path / "parts" / "train", 3)
    write_images(tmp_path / "parts" / "test", 2)
    task = code["data"].read(tmp_path / "parts")
    assert (len(task.X), len(task.X_test)) == (3, 2)


def test_a_damaged_folder_is_an_error(code, tmp_path):
    write_images(tmp_path, 4)
    (tmp_path / "masks" / "2.png").unlink()
    with pytest.raises(ValueError, match=r"1 of 4 files have no mask .*2\.png"):
        code["data"].read(tmp_path)
    with pytest.raises(NotADirectoryError, match="images is no folder"):
        code["data"].read(tmp_path / "masks")


def test_archives_are_halved_and_unlabeled_pixels_are_unknown(code, tmp_path):
    X, y = RNG.integers(0, 256, (8, 16, 32, 3), dtype=np.uint8), RNG.integers(0, 12, (8, 16, 32))
    roads = {"X_train": X[:6], "y_train": y[:6], "X_test": X[6:], "y_test": y[6:]}
    np.savez(tmp_path / "camvid_128x96.npz", **roads)
    task = code["data"].read(tmp_path)
    assert len(task.details.classes) == 11
    for i, j in ((0, 0), (3, 7)):
        block = X[2, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].reshape(4, 3)
        assert np.abs(task.X[2, i, j] - block.mean(axis=0)).max() <= 0.5
        label = y[2, 2 * i, 2 * j]
        assert task.y[2, i, j] == (255 if label == 11 else label)
    np.savez(tmp_path / "dsb2018_128.npz", X=X, y=y % 2, ids=np.arange(8).astype(str))
    task = code["data"].read(tmp_path)
    assert (len(task.X), len(task.X_test), len(task.details.classes)) == (6, 2, 2)


@pytest.mark.parametrize("shape", [(32, 48), (20, 40)], ids=str)
def test_regions_are_squares_and_cost_their_pixels(code, shape):
    data = code["data"]
    regions = data.cut_into_regions(np.zeros((2, *shape, 3), dtype=np.uint8))
    assert regions.shape == (2, *shape)
    names = {}  # the numbers of regions, in order of their first pixels
    for i in range(shape[0]):
        for j in range(shape[1]):
            expected = names.setdefault((i // 16, j // 16), len(names))
            assert regions[1, i, j] == expected
    images = data.SegmentedImages(np.zeros((2, *shape, 3)), np.zeros((2, *shape), int), ["a", "b"])
    task = data.make_task(images, images, "images", ("a", "b"))
    assert task.element_costs[0].tolist() == np.bincount(regions[0].ravel()).tolist()
    assert (task.costs == shape[0] * shape[1]).all()


# Model and score --------------------------------------------------------------------------------


def test_the_score_is_the_mean_of_intersections_over_unions(code):
    y, predicted = RNG.integers(0, 4, (5, 6, 7)), RNG.integers(0, 4, (5, 6, 7))
    y[0, :3] = 255
    predicted[predicted == 3] = 2  # a class that is never predicted counts 0
    found = code["model"].mean_iou(Given(predicted), np.zeros(5), y)
    shares = []
    for label in range(4):
        both = either = 0
        for a, b in zip(y.ravel(), predicted.ravel(), strict=True):
            both += a == b == label
            either += a != 255 and label in (a, b)
        shares.append(both / either)
    assert found == pytest.approx(np.mean(shares))
    known = y != 255
    expected = jaccard_score(y[known], predicted[known], average="macro")
    assert found == pytest.approx(expected)


def test_classes_that_nowhere_appear_are_not_scored(code):
    y = np.array([[[0, 3, 255]]])
    assert code["model"].mean_iou(Given(y % 255), np.zeros(1), y) == 1.0


def test_the_net_learns_and_predicts_the_classes_of_highest_probability(code, task, net):
    chance = code["model"].mean_iou(Given(np.zeros_like(task.y_test)), task.X_test, task.y_test)
    assert code["model"].mean_iou(net, task.X_test, task.y_test) > chance + 0.15
    proba = net.predict_proba(task.X_test[:4])
    assert proba.shape == (4, 2, 64, 64)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-5)
    assert_array_equal(net.predict(task.X_test[:4]), proba.argmax(axis=1))


def test_the_loss_is_that_of_the_known_pixels(task, net):
    y = task.y[:3].copy()
    y[:, 10:] = 255
    y[0, 5] = 255
    scores = net.forward(task.X[:3])
    loss = net.get_loss(scores, torch.as_tensor(y)).item()
    proba = net.predict_proba(task.X[:3])
    rows, i, j = np.nonzero(y != 255)
    assert loss == pytest.approx(-np.log(proba[rows, y[rows, i, j], i, j]).mean(), rel=1e-4)


def test_images_of_many_known_pixels_are_drawn_more_often(code):
    class Data:
        y = np.full((3, 4, 4), 255)

        def __len__(self):
            return 3

        def __getitem__(self, i):
            return i

    Data.y[0], Data.y[1, 0] = 0, 0  # 16, 4 and no known pixels
    torch.manual_seed(0)
    drawn = torch.cat(list(code["model"].draw_batches(Data(), 10, 100)))
    assert len(drawn) == 1000
    assert 0.75 < (drawn == 0).float().mean() < 0.85
    assert not (drawn == 2).any()


# The loop ---------------------------------------------------------------------------------------


def test_each_strategy_chooses_images_or_regions(code, small_task, net):
    for name, chosen in code["run"].APPLICATION.strategies.items():
        variant = chosen if isinstance(chosen, Variant) else Variant(chosen)
        learner = ActiveLearner(net, variant.strategy, prefit=True, random_state=0)
        learner.fit(small_task.X[:2], small_task.y[:2])
        pool = small_task.X[2:]
        if variant.oracle is None:
            assert len(set(learner.query(pool, 5).tolist())) == 5, name
        else:
            rows, places = learner.query_elements(pool, 20, groups=variant.oracle.groups(pool))
            assert len(set(zip(rows.tolist(), places.tolist(), strict=True))) == 20, name
            assert places.max() < 16


def test_regions_are_asked_for_by_the_mean_margin_of_their_pixels(small_task, net):
    from skactive.strategies import Aggregate, Margin

    learner = ActiveLearner(net, Aggregate(Margin()), prefit=True, random_state=0)
    learner.fit(small_task.X[:2], small_task.y[:2])
    pool = small_task.X[2:6]
    proba = np.sort(net.predict_proba(pool), axis=1)
    margins = (proba[:, -1] - proba[:, -2]).reshape(4, 4, 16, 4, 16).mean(axis=(2, 4))
    grid = np.repeat(np.repeat(np.arange(16).reshape(4, 4), 16, axis=0), 16, axis=1)
    rows, places = learner.query_elements(pool, 10, groups=[grid] * 4)
    best = np.argsort(margins.ravel())[:10]
    assert set(zip(rows.tolist(), places.tolist(), strict=True)) == {
        divmod(int(each), 16) for each in best
    }


def test_a_small_campaign_spends_pixels_of_images_and_regions(code, small_task):
    application = code["run"].APPLICATION
    sizes = Sizes(n_initial=2, batch_size=2, budget=6 * 64 * 64)
    comparison = play(application, small_task, sizes, n_repeats=1)
    assert comparison.unit == "cost"
    assert not comparison.failures
    assert {run.strategy for run in comparison.runs} == set(application.strategies)
    for run in comparison.runs:
        assert run.n_labels[0] == 2 * 64 * 64
        assert run.n_labels[-1] == 6 * 64 * 64
    batch = explain_batch(application, small_task, sizes)
    assert len(batch.positions) == len(batch.explanations)
