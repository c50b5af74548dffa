"""Scores of rows by their elements against plain loops, and published values."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from probabilities import dirichlet, h

from skactive import scores
from skactive._utils.ragged import offsets_of
from skactive.scores import _generation

some_lengths = st.lists(st.integers(0, 5), max_size=7)
seeds = st.integers(0, 10**6)


def cut(values, offsets):
    return [values[offsets[i] : offsets[i + 1]] for i in range(len(offsets) - 1)]


def draw_boxes(n, seed=0):
    rng = np.random.default_rng(seed)
    corners, sides = rng.uniform(0, 4, (n, 2)), rng.uniform(0.5, 4, (n, 2))
    return np.hstack([corners, corners + sides])


# -- detection ---------------------------------------------------------------------------------


def overlap_by_loop(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


def test_overlap_of_boxes_is_that_of_a_loop():
    boxes, others = draw_boxes(9), draw_boxes(7, seed=1)
    expected = [[overlap_by_loop(a, b) for b in others] for a in boxes]
    assert_allclose(scores.box_overlap(boxes, others), expected, rtol=1e-12)
    assert (np.asarray(expected) > 0).any()
    assert (np.asarray(expected) == 0).any()


def test_overlap_of_integers_and_of_boxes_without_area():
    boxes = np.array([[0, 0, 2, 2], [1, 1, 1, 1], [5, 5, 3, 3]], dtype=np.uint8)
    assert_array_equal(scores.box_overlap(boxes, boxes), np.diag([1.0, 0.0, 0.0]))


def test_a_box_margin_is_squared_and_weighted_by_its_class():
    proba, weight = dirichlet(40, 3), [1.0, 0.0, 4.0]
    expected = []
    for p in proba:
        first, second = sorted(p, reverse=True)[:2]
        expected.append(weight[int(np.argmax(p))] * (1 - (first - second)) ** 2)
    assert_allclose(scores.box_margin(proba, weight), expected, rtol=1e-12, atol=1e-15)
    assert_allclose(scores.box_margin(proba), scores.margin(proba) ** 2)
    with pytest.raises(ValueError, match="one weight for each of the 3 classes, got 2"):
        scores.box_margin(proba, [1.0, 2.0])


def test_the_background_has_no_weight_but_counts_for_the_margin():
    proba, weight = dirichlet(40, 4), [1.0, 5.0, 20.0]
    expected = []
    for p in proba:
        first, second = sorted(p, reverse=True)[:2]
        expected.append(weight[int(np.argmax(p[:3]))] * (1 - (first - second)) ** 2)
    assert (proba.argmax(axis=1) == 3).any()
    found = scores.box_margin(proba, weight, background=True)
    assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    assert_allclose(scores.box_margin(proba, background=True), scores.box_margin(proba))
    with pytest.raises(ValueError, match="one weight for each of the 3 classes, got 4"):
        scores.box_margin(proba, np.ones(4), background=True)
    with pytest.raises(TypeError, match="background must be True or False, got 1"):
        scores.box_margin(proba, weight, background=1)


def suppress_by_loop(entropies, classes, alike):
    """Take the most uncertain box that is left, and drop those of its class that are alike."""
    result, left = [0.0] * len(entropies), set(range(len(entropies)))
    while left:
        best = max(left, key=lambda i: (entropies[i], -i))
        result[best] = entropies[best]
        left -= {i for i in left if classes[i] == classes[best] and alike(i, best)} | {best}
    return result


@given(some_lengths, seeds, st.sampled_from([0.1, 0.5]), st.booleans())
@settings(deadline=None, max_examples=60)
def test_box_entropy_leaves_out_what_repeats_a_more_uncertain_box(lengths, seed, threshold, by_box):
    offsets, n = offsets_of(lengths), sum(lengths)
    proba, boxes = dirichlet(n, 2, seed=seed), draw_boxes(n, seed=seed)
    features = np.random.default_rng(seed).normal(size=(n, 2))
    compared = {"boxes": boxes} if by_box else {"features": features}
    expected = []
    for p, b, f in zip(*(cut(x, offsets) for x in (proba, boxes, features)), strict=True):

        def alike(i, j, b=b, f=f):
            cosine = f[i] @ f[j] / (np.linalg.norm(f[i]) * np.linalg.norm(f[j]))
            return (overlap_by_loop(b[i], b[j]) if by_box else cosine) > threshold

        expected += suppress_by_loop([h(q) for q in p], p.argmax(axis=1), alike)
    result = scores.box_entropy(proba, offsets, threshold=threshold, **compared)
    assert_allclose(result, expected, rtol=1e-12, atol=1e-15)


def test_no_box_is_alike_above_a_threshold_of_one():
    proba, offsets = dirichlet(8, 3), np.array([0, 3, 8])
    boxes = np.tile([0.0, 0.0, 1.0, 1.0], (8, 1))
    whole = scores.box_entropy(proba, offsets, boxes=boxes, threshold=1.0)
    assert_array_equal(whole, scores.entropy(proba))


def test_boxes_are_compared_by_one_thing():
    proba, offsets, boxes = dirichlet(2, 3), [0, 2], draw_boxes(2)
    for given_too_much in ({}, {"boxes": boxes, "features": boxes}):
        with pytest.raises(ValueError, match="Give boxes or features"):
            scores.box_entropy(proba, offsets, **given_too_much)


@given(some_lengths, seeds)
@settings(deadline=None, max_examples=40)
def test_instability_is_that_of_a_loop(lengths, seed):
    offsets, n = offsets_of(lengths), sum(lengths)
    proba, boxes = dirichlet(n, 3, seed=seed), draw_boxes(n, seed=seed)
    samples = np.array([draw_boxes(n, seed=seed + s) for s in (0, 1, 2)])
    expected = []
    for i in range(len(lengths)):
        rows = range(offsets[i], offsets[i + 1])
        stable = [np.mean([overlap_by_loop(boxes[j], s[j]) for s in samples]) for j in rows]
        weights = [proba[j].max() for j in rows]
        moved = 1 - np.dot(weights, stable) / sum(weights) if len(rows) else 0.0
        expected.append(moved)
    result = scores.localization_instability(proba, boxes, samples, offsets)
    assert_allclose(result, expected, rtol=1e-9, atol=1e-12)


# -- segmentation ------------------------------------------------------------------------------


def impurity_by_loop(proba, radius):
    height, width, n_classes = proba.shape
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            region = proba[
                max(0, i - radius) : i + radius + 1, max(0, j - radius) : j + radius + 1
            ].reshape(-1, n_classes)
            votes = np.bincount(region.argmax(axis=1), minlength=n_classes) / len(region)
            result[i, j] = h(votes) * np.mean([h(p) for p in region])
    return result


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 3), seeds)
@settings(deadline=None, max_examples=30)
def test_region_impurity_is_that_of_a_loop(height, width, radius, seed):
    proba = dirichlet(height, width, 3, seed=seed)
    result = scores.region_impurity(proba, radius)
    assert_allclose(result, impurity_by_loop(proba, radius), rtol=1e-9, atol=1e-12)


def test_region_impurity_along_one_axis_and_three():
    line = dirichlet(6, 3)
    assert_allclose(scores.region_impurity(line), scores.region_impurity(line[np.newaxis])[0])
    volume = np.broadcast_to(line, (4, 5, 6, 3))
    assert_allclose(scores.region_impurity(volume)[2, 3], scores.region_impurity(line))


def test_a_region_of_one_class_is_pure():
    proba = np.broadcast_to([0.6, 0.3, 0.1], (5, 8, 3))
    assert_array_equal(scores.region_impurity(proba, 2), np.zeros((5, 8)))


# -- sequences and hypotheses ------------------------------------------------------------------


@given(some_lengths, seeds)
@settings(deadline=None, max_examples=40)
def test_mnlp_is_the_loss_of_the_best_of_all_tag_sequences(lengths, seed):
    offsets = offsets_of(lengths)
    proba = dirichlet(sum(lengths), 2, seed=seed)
    expected = []
    for p in cut(proba, offsets):
        best = 1.0
        for token in p:
            best *= max(token)  # tokens are independent: the best sequence has the best tags
        expected.append(-math.log(best) / len(p) if len(p) else 0.0)
    assert_allclose(scores.mnlp(proba, offsets), expected, rtol=1e-9, atol=1e-12)


@given(some_lengths, seeds)
@settings(deadline=None, max_examples=40)
def test_scores_of_hypotheses_are_those_of_loops(lengths, seed):
    offsets, rng = offsets_of(lengths), np.random.default_rng(seed)
    loss = rng.exponential(5.0, size=sum(lengths))
    tokens = rng.integers(1, 9, size=sum(lengths))
    normalized, entropies, margins = [], [], []
    for row, n in zip(cut(loss, offsets), cut(tokens, offsets), strict=True):
        share = np.exp(-row) / np.exp(-row).sum()
        normalized.append(min((a / b**0.5 for a, b in zip(row, n, strict=True)), default=0.0))
        entropies.append(h(share))
        first, *rest = sorted(share, reverse=True) if len(row) else [1.0]
        margins.append(1 - (first - max(rest, default=0.0)))
    result = scores.length_normalized_loss(-loss, tokens, offsets, alpha=0.5)
    assert_allclose(result, normalized, rtol=1e-9)
    assert_allclose(scores.n_best_entropy(-loss, offsets), entropies, rtol=1e-9, atol=1e-12)
    assert_allclose(scores.n_best_margin(-loss, offsets), margins, rtol=1e-9, atol=1e-12)


def test_improbable_hypotheses_do_not_underflow():
    losses = np.array([-5000.0, -5000.0, -5001.0])
    assert_allclose(scores.n_best_entropy(losses, [0, 2, 3]), [math.log(2), 0.0])
    assert_allclose(scores.n_best_margin(losses, [0, 0, 2, 3]), [0.0, 1.0, 0.0])
    share = 1 / (1 + math.exp(-1))
    assert_allclose(scores.n_best_margin(losses[1:], [0, 2]), [1 - (2 * share - 1)])


# -- generated texts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "hypothesis", "rate"),
    [
        ("kitten sits", "kitten sits", 0.0),
        ("k i t t e n", "s i t t i n g", 3 / 6),  # the example of the edit distance
        ("s u n d a y", "s a t u r d a y", 3 / 6),
        ("one two three", "", 1.0),
        ("", "one two", 2.0),
        ("", "", 0.0),
        ("a b c d", "b c d e", 2 / 4),
    ],
)
def test_word_error_rate_of_known_texts(reference, hypothesis, rate):
    assert scores.word_error_rate(reference, hypothesis) == pytest.approx(rate)


def edits_by_recursion(a, b):
    if not a or not b:
        return len(a) + len(b)
    return min(
        edits_by_recursion(a[1:], b) + 1,
        edits_by_recursion(a, b[1:]) + 1,
        edits_by_recursion(a[1:], b[1:]) + (a[0] != b[0]),
    )


words = st.lists(st.sampled_from("ab"), max_size=4)


@given(words, words)
@settings(deadline=None, max_examples=60)
def test_word_errors_are_the_fewest_edits(a, b):
    expected = edits_by_recursion(a, b) / max(1, len(a))
    assert scores.word_error_rate(" ".join(a), " ".join(b)) == pytest.approx(expected)


def test_disagreement_is_the_mean_over_ordered_pairs():
    texts = ["a b c", "a b", "x", "same", "same"]
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    expected = np.mean([scores.word_error_rate(texts[i], texts[j]) for i, j in pairs])
    result = scores.sample_disagreement(texts, [0, 3, 3, 5])
    assert_allclose(result, [expected, 0.0, 0.0])
    lengths = scores.sample_disagreement(texts, [0, 3, 5], lambda a, b: abs(len(a) - len(b)))
    assert_allclose(lengths, [(2 + 4 + 2) * 2 / 6, 0.0])


def test_word_error_rate_is_that_of_jiwer():
    jiwer = pytest.importorskip("jiwer")
    rng = np.random.default_rng(0)
    for _ in range(30):
        a, b = (" ".join(rng.choice(list("abcd"), rng.integers(1, 9))) for _ in range(2))
        assert scores.word_error_rate(a, b) == pytest.approx(jiwer.wer(a, b))


def test_bleu_is_that_of_sacrebleu():
    sacrebleu = pytest.importorskip("sacrebleu")
    texts = ["the cat sat on the mat today", "a cat sat on the mat", "dogs bark loudly at night"]
    bleu = [
        sacrebleu.sentence_bleu(texts[j], [texts[i]]).score / 100
        for i in range(3)
        for j in range(3)
        if i != j
    ]
    expected = np.mean([(1 - b) ** 2 for b in bleu])
    assert 0 < expected < 1
    assert_allclose(scores.sample_disagreement(texts, [0, 3], "bleu"), [expected])


def test_bleu_without_sacrebleu_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(ImportError, match=r'pip install "skactive\[text\]"'):
        _generation.find_measure("bleu")
    with pytest.raises(ValueError, match="'word_error_rate', 'bleu' or a function"):
        scores.sample_disagreement(["a"], [0, 1], "meteor")


# -- numbers -----------------------------------------------------------------------------------


@given(some_lengths, seeds)
@settings(deadline=None, max_examples=40)
def test_energy_weighs_the_variance(lengths, seed):
    offsets, rng = offsets_of(lengths), np.random.default_rng(seed)
    std, prediction = rng.random(sum(lengths)), rng.integers(-1, 2, size=sum(lengths)) * 1.0
    expected = []
    for s, y in zip(cut(std, offsets), cut(prediction, offsets), strict=True):
        weights = y**2 if (y**2).sum() > 0 else np.ones(len(y))
        expected.append((weights * s**2).sum() / weights.sum() if len(y) else 0.0)
    assert_allclose(scores.energy_weighted_variance(std, prediction, offsets), expected)


# -- what does not fit -------------------------------------------------------------------------

P, B, S = dirichlet(3, 2), draw_boxes(3), draw_boxes(3)[np.newaxis]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scores.mnlp(P, [0, 2]), "proba has 3 entries, but offsets end at 2"),
        (lambda: scores.mnlp(P, [1, 3]), "offsets must start at 0"),
        (lambda: scores.mnlp(P[:, 0], [0, 3]), r"shape \(n_rows, n_classes\)"),
        (lambda: scores.box_overlap(B[:, :3], B), r"boxes must be of shape \(n_boxes, 4\)"),
        (lambda: scores.box_overlap(B * np.nan, B), "boxes must be finite"),
        (lambda: scores.localization_instability(P, B, S[:0], [0, 3]), "at least one draw"),
        (lambda: scores.localization_instability(P, B, S[:, :2], [0, 3]), "box_samples has 2"),
        (lambda: scores.localization_instability(P, B[:2], S, [0, 3]), "boxes has 2 entries"),
        (
            lambda: scores.length_normalized_loss([-1.0], [0.0], [0, 1]),
            "lengths must be at least 1",
        ),
        (lambda: scores.n_best_entropy([-np.inf], [0, 1]), "log_likelihood must be finite"),
        (lambda: scores.region_impurity(P[0]), r"proba must be of shape \(height, width"),
        (lambda: scores.region_impurity(P, -1), "radius must be at least 0"),
        (lambda: scores.region_impurity(-P), "proba must be at least 0"),
        (lambda: scores.energy_weighted_variance([1.0], [1.0, 2.0], [0, 1]), "prediction has 2"),
        (lambda: scores.sample_disagreement(["a", "b"], [0, 1]), "texts has 2 entries"),
    ],
    ids=range(15),
)
def test_arguments_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_one_text_is_not_a_list_of_texts():
    with pytest.raises(TypeError, match="list of texts, got one text"):
        scores.sample_disagreement("a b", [0, 3])
