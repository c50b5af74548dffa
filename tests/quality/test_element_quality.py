"""Quality of tags, masks and boxes: against plain loops, and against cleanlab."""

import math

import numpy as np
import pytest

from skactive.quality import rate_boxes, rate_masks, rate_tags
from skactive.reductions import Quantile, SoftMin, mean

SEEDS = pytest.mark.parametrize("seed", range(3))


def make_tags(seed, n_classes=4):
    """Return tags and probabilities of sentences of 1 to 9 tokens."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 10, size=25)
    proba = [rng.dirichlet(np.ones(n_classes), size=length) for length in lengths]
    return [rng.integers(n_classes, size=length) for length in lengths], proba


def make_masks(seed, n=6, n_classes=3):
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.ones(n_classes), size=(n, 8, 5))
    return rng.integers(n_classes, size=(n, 8, 5)), proba


def make_images(seed, n=30, n_classes=3):
    """Return given and predicted boxes that agree, are shifted, swapped, missing or doubled."""
    rng = np.random.default_rng(seed)
    given, predicted = [], []
    for _ in range(n):
        corner = rng.uniform(0, 80, size=(rng.integers(0, 5), 2))
        boxes = np.hstack([corner, corner + rng.uniform(5, 30, size=corner.shape)])
        labels = rng.integers(n_classes, size=len(boxes))
        shift = rng.normal(size=boxes.shape) * rng.choice([0, 1, 6], size=(len(boxes), 1))
        moved = np.sort((boxes + shift).reshape(-1, 2, 2), axis=1).reshape(-1, 4)
        classes = np.where(rng.random(len(boxes)) < 0.2, (labels + 1) % n_classes, labels)
        scores = rng.choice([0.3, 0.5, 0.7, 0.95, 0.97, 0.99], size=len(boxes))
        kept = rng.random(len(boxes)) < 0.8
        double = np.flatnonzero(rng.random(len(boxes)) < 0.1)
        boxes, labels = (
            np.vstack([boxes[kept], boxes[double]]),
            np.append(labels[kept], (labels[double] + 1) % n_classes),
        )
        given.append({"boxes": boxes, "labels": labels})
        predicted.append({"boxes": moved, "labels": classes, "scores": scores})
    return given, predicted


# Plain loops ------------------------------------------------------------------------------------


def soften(values, temperature):
    weights = [math.exp((min(values) - value) / temperature) for value in values]
    return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)


@SEEDS
def test_tags_and_masks_are_those_of_plain_loops(seed):
    tags, proba = make_tags(seed)
    found = rate_tags(tags, proba)
    for row in range(25):
        own = [proba[row][i, tag] for i, tag in enumerate(tags[row])]
        np.testing.assert_array_equal(found.elements[row], own)
        assert found.quality[row] == min(own)
    masks, maps = make_masks(seed)
    found = rate_masks(masks, maps)
    for row in range(len(masks)):
        own = [maps[row, i, j, masks[row, i, j]] for i in range(8) for j in range(5)]
        np.testing.assert_array_equal(found.elements[row].ravel(), own)
        assert found.quality[row] == pytest.approx(soften(own, 0.1), abs=1e-12)


def find_iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def compare(a, b, weight=0.9, scale=10.0):
    steps = [(a[i] + a[i + 2] - b[i] - b[i + 2]) / 2 for i in (0, 1)]
    return weight * find_iou(a, b) + (1 - weight) * math.exp(-math.hypot(*steps) / scale)


def rate_by_loops(given, predicted):
    """Return the quality of each image by plain loops over its boxes."""
    lowest = min(
        compare(a, b)
        for one, other in zip(given, predicted, strict=True)
        for a in one["boxes"]
        for b in other["boxes"]
    )
    results = []
    for one, other in zip(given, predicted, strict=True):
        real = list(zip(one["boxes"], one["labels"], strict=True))
        guessed = list(zip(other["boxes"], other["labels"], other["scores"], strict=True))
        overlooked, location, classes = [], [], []
        for box, label, score in guessed:
            if score >= 0.95 and not any(find_iou(box, a) > 0 for a, _ in real):
                same = [compare(box, a) for a, its in real if its == label]
                overlooked.append(max(same) if same else lowest * (1 - score))
        for box, label in real:
            fits = [
                compare(box, b)
                for b, its, score in guessed
                if its == label and score > 0.5 and find_iou(box, b) > 0
            ]
            location.append(max(fits, default=1.0))
            others = [compare(box, b) for b, its, s in guessed if its != label and s > 0.95]
            double = any(its != label and find_iou(box, a) >= 0.95 for a, its in real)
            sure = max(lowest, 1 - max(others)) if others else 1.0
            classes.append(lowest if double else sure)
        kinds = [soften(part, 0.1) if part else 1.0 for part in (overlooked, location, classes)]
        results.append([*kinds, math.prod(kinds) ** (1 / 3)])
    return np.array(results)


@SEEDS
def test_boxes_are_those_of_plain_loops(seed):
    given, predicted = make_images(seed)
    found = rate_boxes(given, predicted)
    expected = rate_by_loops(given, predicted)
    ours = [found.overlooked.quality, found.location.quality, found.classes.quality, found.quality]
    np.testing.assert_allclose(np.stack(ours, axis=1), expected, atol=1e-9)
    assert (expected < 0.99).any(axis=0).all()  # each kind occurs


# cleanlab ---------------------------------------------------------------------------------------


@SEEDS
def test_tags_are_cleanlabs(seed):
    rank = pytest.importorskip("cleanlab.token_classification.rank")
    tags, proba = make_tags(seed)
    theirs, tokens = rank.get_label_quality_scores(tags, proba)
    ours = rate_tags(tags, proba)
    np.testing.assert_allclose(ours.quality, theirs, atol=1e-9)
    np.testing.assert_allclose(np.concatenate(ours.elements), np.concatenate(tokens), atol=1e-9)
    theirs, _ = rank.get_label_quality_scores(tags, proba, sentence_score_method="softmin")
    ours = rate_tags(tags, proba, reduction=SoftMin(0.05))
    np.testing.assert_allclose(ours.quality, theirs, atol=1e-9)


@SEEDS
def test_masks_are_cleanlabs(seed):
    rank = pytest.importorskip("cleanlab.segmentation.rank")
    masks, maps = make_masks(seed)
    theirs, pixels = rank.get_label_quality_scores(masks, np.moveaxis(maps, -1, 1), verbose=False)
    ours = rate_masks(masks, maps)
    np.testing.assert_allclose(ours.quality, theirs, atol=1e-9)
    np.testing.assert_allclose(np.stack(ours.elements), pixels, atol=1e-9)


@SEEDS
def test_boxes_are_cleanlabs(seed):
    rank = pytest.importorskip("cleanlab.object_detection.rank")
    given, predicted = make_images(seed)
    labels = [{"bboxes": image["boxes"], "labels": image["labels"]} for image in given]
    tables = [
        [np.column_stack([image["boxes"], image["scores"]])[image["labels"] == k] for k in range(3)]
        for image in predicted
    ]
    theirs = rank.get_label_quality_scores(labels, tables, verbose=False)
    np.testing.assert_allclose(rate_boxes(given, predicted).quality, theirs, atol=1e-9)
    located = rank.compute_badloc_box_scores(labels=labels, predictions=tables)
    swapped = rank.compute_swap_box_scores(labels=labels, predictions=tables)
    ours = rate_boxes(given, predicted)
    for mine, their in ((ours.location, located), (ours.classes, swapped)):
        np.testing.assert_allclose(np.concatenate(mine.elements), np.concatenate(their), atol=1e-9)


# What counts, and forms ---------------------------------------------------------------------------


def test_ignored_labels_do_not_count():
    masks, maps = make_masks(0)
    ignored = masks.copy()
    ignored[0], ignored[1, :4] = 255, 255
    found = rate_masks(ignored, maps, reduction=mean, ignore=255)
    assert found.quality[0] == 1.0
    assert np.isnan(found.elements[0]).all()
    assert found.quality[1] == pytest.approx(found.elements[1][4:].mean())
    np.testing.assert_allclose(found.quality[2:], rate_masks(masks, maps, reduction=mean)[0][2:])


def test_empty_rows_are_of_full_quality():
    assert rate_tags([[], [1]], [[], [[0.3, 0.7]]]).quality.tolist() == [1.0, 0.7]
    assert rate_tags([], []).quality.shape == (0,)
    none = {"boxes": [], "labels": [], "scores": []}
    assert rate_boxes([none, none], [none, none]).quality.tolist() == [1.0, 1.0]


def test_images_of_all_forms_and_any_reduction():
    torch = pytest.importorskip("torch")
    given, predicted = make_images(0)
    tensors = [
        [{key: torch.from_numpy(values.copy()) for key, values in image.items()} for image in side]
        for side in (given, predicted)
    ]
    np.testing.assert_array_equal(rate_boxes(*tensors)[0], rate_boxes(given, predicted)[0])
    tags, proba = make_tags(0)
    middle = rate_tags(tags, proba, reduction=Quantile(0.5)).quality
    own = [np.median(p[np.arange(len(t)), t]) for t, p in zip(tags, proba, strict=True)]
    np.testing.assert_allclose(middle, own)


def test_only_the_lowest_similarity_depends_on_other_images():
    given, predicted = make_images(1)
    order = np.random.default_rng(2).permutation(len(given))
    shuffled = [[side[i] for i in order] for side in (given, predicted)]
    np.testing.assert_allclose(
        rate_boxes(*shuffled).quality, rate_boxes(given, predicted).quality[order], rtol=1e-12
    )


@pytest.mark.parametrize(
    ("labels", "proba", "message"),
    [
        ([[0, 1]], [[[0.5, 0.5]]], r"proba of row 0 must be of shape \(2, 'n_classes'\)"),
        ([[0, 2]], [[[0.5, 0.5]] * 2], "labels of row 0 must be integers from 0 to 1.*ignore="),
        ([[0, -1]], [[[0.5, 0.5]] * 2], "from 0 to 1, the columns of proba, got such as"),
        ([["a"]], [[[0.5, 0.5]]], "got such as .*'a'.*: encode them"),
        ([[0]], [[[np.nan, 0.5]]], "proba of row 0 must be finite"),
        ([[0]], [], "one entry per row, got 1 and 0"),
    ],
    ids=["shape", "code", "negative", "text", "nan", "length"],
)
def test_labels_that_do_not_fit_are_refused(labels, proba, message):
    with pytest.raises(ValueError, match=message):
        rate_tags(labels, proba)


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({"scores": [2.0]}, {}, r"predicted\[0\]\['scores'\] must be from 0 to 1"),
        ({"labels": [0, 1]}, {}, r"predicted\[0\]\['labels'\] must have one entry for each"),
        ({"boxes": [[3.0, 0.0, 1.0, 1.0]]}, {}, "is it the width or height"),
        ({}, {"weights": (1, 1, 1)}, "weights must be three numbers of 0 or more that sum to 1"),
        ({}, {"overlap_weight": 2}, "overlap_weight must be from 0 to 1, got 2"),
        ({}, {"distance_scale": 0}, "distance_scale must be above 0"),
        ({}, {"temperature": 0}, "temperature must be a number above 0"),
    ],
    ids=["score", "label", "corner", "weights", "overlap", "scale", "temperature"],
)  # fmt: skip
def test_boxes_that_do_not_fit_are_refused(change, settings, message):
    box = {"boxes": [[0.0, 0.0, 1.0, 1.0]], "labels": [0]}
    with pytest.raises(ValueError, match=message):
        rate_boxes([box], [{**box, "scores": [0.9], **change}], **settings)
    with pytest.raises(ValueError, match=r"predicted\[0\] must have 'scores', got"):
        rate_boxes([box], [box])
    with pytest.raises(ValueError, match="one entry per image, got 1 and 0"):
        rate_boxes([box], [])
