import gzip
import io
import json

import numpy as np
import pytest
from application_code import application_code
from sklearn.metrics import average_precision_score

from skactive import ActiveLearner
from skactive.applications import Sizes, play
from skactive.strategies import Random

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")
Image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def code():
    with application_code("object_detection") as load:
        yield {name: load(name) for name in ("detector", "model", "run", "scores")}


@pytest.fixture(scope="module")
def task(code):
    return code["model"].read(None)


@pytest.fixture(scope="module")
def learner(code, task):
    """A learner of twelve photographs, whose pool is the others."""
    model = code["model"].make_model(task)
    strategy = code["run"].APPLICATION.strategies[code["run"].APPLICATION.chosen]
    learner = ActiveLearner(model, strategy, random_state=0)
    return learner.fit(task.X[:12], task.y[:12])


# The score -----------------------------------------------------------------------------------


def find(boxes, labels=None, scores=None):
    """Return boxes in the form of a prediction."""
    boxes = np.reshape(np.asarray(boxes, dtype=float), (-1, 4))
    labels = np.zeros(len(boxes), int) if labels is None else np.asarray(labels, dtype=int)
    scores = np.arange(len(boxes), 0, -1.0) if scores is None else np.asarray(scores, dtype=float)
    return {"boxes": boxes, "labels": labels, "scores": scores}


A, B, FAR = [0, 0, 4, 4], [10, 0, 14, 4], [20, 20, 24, 24]


@pytest.mark.parametrize(
    ("found", "truth", "expected"),
    [
        ([A, B], [A, B], 1.0),
        ([], [A], 0.0),
        ([A], [A, B], 0.5),  # recall 1/2 at precision 1
        ([FAR, A, B], [A, B], 2 / 3),  # precision 0, 1/2, 2/3: at each recall 2/3 is still to come
        ([A, A, B], [A, B], 0.5 + 0.5 * 2 / 3),  # the second of the same thing is wrong
        ([[0, 0, 4, 2]], [A], 1.0),  # an overlap of exactly one half counts
        ([[0, 0, 4, 1.9]], [A], 0.0),
    ],
)
def test_average_precision_by_hand(code, found, truth, expected):
    score = code["scores"].mean_average_precision([find(found)], [find(truth)])
    assert score == pytest.approx(expected)


def test_boxes_of_another_picture_or_class_find_nothing(code):
    mean_average_precision = code["scores"].mean_average_precision
    assert mean_average_precision([find([]), find([A])], [find([A]), find([])]) == 0.0
    assert mean_average_precision([find([A], [1])], [find([A], [0])]) == 0.0


def test_classes_that_do_not_occur_are_left_out_of_the_mean(code):
    mean_average_precision = code["scores"].mean_average_precision
    truth = [find([A, B], [0, 2])]
    assert mean_average_precision([find([A, FAR], [0, 1])], truth) == 0.5
    assert np.isnan(mean_average_precision([find([A])], [find([])]))


def test_the_order_of_equal_scores_decides_nothing(code):
    rows = [find([A, FAR], scores=[0.5, 0.5]), find([FAR, A], scores=[0.5, 0.5])]
    for found in rows:
        assert code["scores"].mean_average_precision([found], [find([A])]) == 0.5


def average_in_loops(scores, right, n_true):
    """Return the mean over true boxes of the best precision at this or a higher recall."""
    points = []
    for cut in sorted(set(scores)):
        taken = [r for s, r in zip(scores, right, strict=True) if s >= cut]
        points.append((sum(taken) / n_true, sum(taken) / len(taken)))
    steps = [k / n_true for k in range(1, n_true + 1)]
    return np.mean([max([p for r, p in points if r >= step - 1e-9], default=0) for step in steps])


def test_average_precision_is_that_of_plain_loops(code):
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores = rng.integers(0, 6, 12) / 5
        right = rng.random(12) < 0.5
        n_true = right.sum() + rng.integers(1, 4)
        score = code["scores"].average_precision(scores, right, n_true)
        assert score == pytest.approx(average_in_loops(scores, right, n_true))


def test_average_precision_is_at_least_that_without_interpolation(code):
    rng = np.random.default_rng(1)
    scores, right = rng.random(50), rng.random(50) < 0.4
    score = code["scores"].average_precision(scores, right, right.sum())
    plain = average_precision_score(right, scores)
    assert plain <= score <= plain + 0.1


# The detector --------------------------------------------------------------------------------


def overlap_in_loops(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return width * height / (sum(areas) - width * height)


def test_suppression_keeps_the_best_of_each_thing(code):
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 10, (40, 2))
    boxes = np.hstack([corners, corners + rng.integers(2, 9, (40, 2))]).astype(np.float32)
    labels = rng.integers(0, 2, 40)
    kept = []
    for i in range(40):  # best first
        repeated = (
            labels[i] == labels[j] and overlap_in_loops(boxes[i], boxes[j]) > 0.3 for j in kept
        )
        if not any(repeated):
            kept.append(i)
    found = code["detector"].suppress(torch.tensor(boxes), torch.tensor(labels), 0.3)
    assert np.flatnonzero(found).tolist() == kept
    assert 0 < len(kept) < 40


def make_grid(code, classes=3, rows=4, columns=5, stride=4):
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    centers = (torch.stack([x, y], -1).reshape(-1, 2) + 0.5) * stride
    n = len(centers)
    return code["detector"].Grid(torch.zeros(1, n, classes + 1), torch.zeros(1, n, 4), centers)


def test_cells_belong_to_the_smallest_box_whose_middle_they_are_in(code):
    grid = make_grid(code)
    target = torch.tensor([[[1, 0, 0, 20, 16], [2, 5, 5, 7, 7], [-1, 0, 0, 20, 16.0]]])
    owner, labels = code["detector"].assign_cells(grid, target)
    for cell, (x, y) in enumerate(grid.centers.tolist()):
        inside = [abs(x - 6) <= 2 and abs(y - 6) <= 2, abs(x - 10) <= 5 and abs(y - 8) <= 4]
        expected = [2, 1][inside.index(True)] if any(inside) else 3  # the background
        assert labels[0, cell] == expected
        assert not any(inside) or target[0, owner[0, cell], 0] == expected
    assert (labels == 2).sum() >= 1  # a thing smaller than a cell has one, too


def test_a_box_as_drawn_costs_nothing_and_a_moved_one_its_share(code):
    corners = torch.tensor([[2.0, 2, 10, 6]])
    measure = code["detector"].measure_distance
    size = torch.tensor([8.0, 4.0]).log()
    assert measure(torch.tensor([[6.0, 4, *size]]), corners).item() == pytest.approx(0.0)
    assert measure(torch.tensor([[8.0, 5, *size]]), corners).item() == pytest.approx(0.5)
    grown = torch.tensor([[6.0, 4, size[0] + 1.0, size[1]]])
    assert measure(grown, corners).item() == pytest.approx(1.0)


def test_boxes_are_turned_over_with_their_pictures(code):
    """A picture that is dark but in its boxes is so again after it was turned."""
    image = np.zeros((12, 16, 3), np.uint8)
    boxes = np.array([[1, 2, 5, 4], [8, 6, 15, 12]], np.float32)
    for left, top, right, bottom in boxes.astype(int):
        image[top:bottom, left:right] = 255
    row = (image, {"boxes": boxes, "labels": np.array([0, 1])})
    images, targets = code["detector"].collate([row] * 16)
    assert len({image.numpy().tobytes() for image in images}) == 4
    for turned, target in zip(images, targets, strict=True):
        expected = np.zeros_like(image)
        for label, left, top, right, bottom in target.int().tolist():
            assert (right - left, bottom - top) == ((4, 2) if label == 0 else (7, 6))
            expected[top:bottom, left:right] = 255
        np.testing.assert_array_equal(turned, expected)


def test_batches_are_padded_and_pictures_may_have_no_boxes(code):
    empty = {"boxes": np.empty((0, 4), np.float32), "labels": np.empty(0, int)}
    one = {"boxes": np.array([[1, 1, 3, 3]], np.float32), "labels": np.array([2])}
    image = np.zeros((8, 8, 3), np.uint8)
    _, targets = code["detector"].collate([(image, empty), (image, one)])
    assert targets[:, 0, 0].tolist() == [-1, 2]
    module = code["detector"].CellDetector(3).train()
    _, targets = code["detector"].collate([(image, empty)] * 2)
    loss = code["detector"].BoxLoss()(module(torch.zeros(2, 8, 8, 3)), targets)
    assert torch.isfinite(loss)


def test_the_net_learns_for_its_steps_however_few_pictures_there_are(code, task):
    net = code["model"].make_model(task).set_params(n_steps=7).initialize()
    dataset = code["detector"].Pictures(task.X[:3], task.y[:3])
    batches = list(net.get_iterator(dataset, training=True))
    assert [len(images) for images, _ in batches] == [4] * 7


def test_the_learning_rate_falls_to_nothing(code, task):
    task.details["n_steps"], before = 6, task.details["n_steps"]
    net = code["model"].make_model(task)
    task.details["n_steps"] = before
    rates = []
    net.set_params(callbacks=[*net.callbacks, ("watch", watch_rate(rates))])
    net.fit(task.X[:3], task.y[:3])
    assert max(rates) == pytest.approx(code["model"].MAX_RATE, rel=0.3)
    assert rates[-1] < 1e-3 * max(rates)


def watch_rate(rates):
    from skorch.callbacks import Callback  # an extra

    class Watch(Callback):
        def on_batch_end(self, net, training=False, **kwargs):
            rates.append(net.optimizer_.param_groups[0]["lr"])

    return Watch()


# The data ------------------------------------------------------------------------------------


def test_the_miniature_is_read(code, task):
    width, height = code["model"].SIZE
    assert task.X.shape == (110, height, width, 3)
    assert len(task.y_test) == 40
    np.testing.assert_array_equal(task.costs, [len(row["labels"]) for row in task.y])
    for row in [*task.y, *task.y_test]:
        assert (row["boxes"][:, 2:] > row["boxes"][:, :2]).all()
        assert row["boxes"].min() >= 0
        assert (row["boxes"] <= [width, height] * 2).all()


def write_coco(folder, categories=("cell", "dust")):
    """Write two parts in the form of COCO: three pictures to learn from, two to test on."""
    entries = [{"id": i + 1, "name": name} for i, name in enumerate(categories)]
    for part, n in (("train", 3), ("test", 2)):
        (folder / part).mkdir()
        for i in range(n):
            Image.new("RGB", (24, 18), (i, 0, 0)).save(folder / part / f"{i}.png")
        images = [{"id": i, "file_name": f"{i}.png", "width": 24, "height": 18} for i in range(n)]
        boxes = [{"image_id": 1, "category_id": k, "bbox": [2, 3, 10, 9]} for k in (1, 2)]
        document = {"images": images, "annotations": boxes, "categories": entries}
        (folder / f"{part}.json").write_text(json.dumps(document))


def test_folders_of_coco_are_read(code, tmp_path):
    write_coco(tmp_path)
    task = code["model"].read(tmp_path)
    assert task.details["classes"] == ["cell", "dust"]
    assert (len(task.X), len(task.X_test)) == (3, 2)
    assert task.costs.tolist() == [1, 2, 1]  # a look costs something where nothing is drawn
    np.testing.assert_allclose(task.y[1]["boxes"], [[40 / 3, 20, 80, 80]] * 2)


def test_parts_of_other_categories_are_refused(code, tmp_path):
    write_coco(tmp_path)
    document = json.loads((tmp_path / "test.json").read_text())
    document["categories"][1]["name"] = "hair"
    (tmp_path / "test.json").write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"\['cell', 'dust'\], test.json \['cell', 'hair'\]"):
        code["model"].read(tmp_path)


def test_a_folder_without_annotations_is_refused(code, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train\.json"):
        code["model"].read(tmp_path)


def write_archive(folder, names=("0.jpg", "1.jpg", "2.jpg")):
    """Write three pictures of 24 x 18 pixels as an archive, the last of which tests."""
    contents = []
    for i in range(3):
        buffer = io.BytesIO()
        Image.new("RGB", (24, 18), (80 * i, 0, 0)).save(buffer, "jpeg")
        contents.append(np.frombuffer(buffer.getvalue(), np.uint8))
    offsets = np.cumsum([0, *map(len, contents)])
    files = np.array(["0.jpg", "1.jpg", "2.jpg"])
    np.savez(
        folder / "images_jpeg.npz", jpeg=np.concatenate(contents), offsets=offsets, files=files
    )
    with gzip.open(folder / "annotations.jsonl.gz", "wt") as file:
        for name, split in zip(names, ("train", "val", "test"), strict=True):
            row = {"file": name, "width": 24, "height": 18, "split": split}
            row["boxes"] = [{"name": "cell", "box": [2, 3, 12, 12]}]
            file.write(json.dumps(row) + "\n")


def test_archives_are_read(code, tmp_path):
    write_archive(tmp_path)
    task = code["model"].read(tmp_path)
    assert [image[0, 0, 0] // 70 for image in (*task.X, *task.X_test)] == [0, 1, 2]
    np.testing.assert_allclose(task.y_test[0]["boxes"], [[40 / 3, 20, 80, 80]])


def test_archives_in_another_order_are_refused(code, tmp_path):
    write_archive(tmp_path, names=("1.jpg", "0.jpg", "2.jpg"))
    with pytest.raises(ValueError, match="the same photographs, in one order"):
        code["model"].read(tmp_path)


# Learning ------------------------------------------------------------------------------------


def test_the_detector_learns(code, task, learner):
    score = code["scores"].score_detector(learner, task.X_test, task.y_test)
    untrained = code["model"].make_model(task).initialize()
    assert code["scores"].score_detector(untrained, task.X_test, task.y_test) < 0.05
    assert score > 0.4


def test_boxes_are_read_with_a_probability_per_class_and_the_background(learner, task):
    found = learner.predict(task.X_test[:5])
    for row in found:
        np.testing.assert_allclose(row["proba"].sum(axis=1), 1.0, rtol=1e-5)
        np.testing.assert_array_equal(row["proba"][:, :-1].argmax(axis=1), row["labels"])
        np.testing.assert_array_equal(row["proba"][:, :-1].max(axis=1), row["scores"])
        assert (np.diff(row["scores"]) <= 0).all()


def test_every_strategy_asks(code, task, learner):
    for name, strategy in code["run"].APPLICATION.strategies.items():
        learner.set_params(strategy=strategy)
        picked = learner.query(task.X[12:36], batch_size=4)
        assert len(set(picked.tolist())) == 4, name


def test_a_campaign_pays_for_boxes(code, task):
    application = code["run"].APPLICATION
    task.details["n_steps"] = 5
    played = {"Random": Random(), application.chosen: application.strategies[application.chosen]}
    small = type(application)(**{**vars(application), "strategies": played})
    comparison = play(small, task, Sizes(4, 4, budget=100, n_pool=30), n_repeats=1)
    assert comparison.unit == "cost"
    for run in comparison.runs:
        assert 50 < run.n_labels[-1] <= 100
        assert np.isfinite(run.scores).all()
