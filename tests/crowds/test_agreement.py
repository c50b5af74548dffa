import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from skactive.crowds import Answers, agreement

# Krippendorff (2011), "Computing Krippendorff's alpha-reliability": the example of four observers
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
).T


@pytest.mark.parametrize(
    ("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_the_published_one(level, alpha):
    answers = Answers.from_matrix(PUBLISHED, missing=0)
    assert agreement(answers, level=level).value == pytest.approx(alpha, abs=5e-4)


def test_fleiss_is_the_published_one():
    counts = [  # Fleiss (1971): 10 subjects, 14 raters, 5 categories, in a common excerpt
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    rows = [np.repeat(np.arange(5), row) for row in counts]
    answers = Answers.from_matrix(np.array(rows))
    assert agreement(answers, "fleiss").value == pytest.approx(0.210, abs=5e-4)


def draw(n, seed, n_people=2):
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, p=[0.5, 0.3, 0.2], size=n)
    noise = rng.integers(3, size=(n, n_people))
    return np.where(rng.random((n, n_people)) < 0.7, truth[:, None], noise)


def test_cohen_is_scikit_learns():
    matrix = draw(200, 0)
    ours = agreement(Answers.from_matrix(matrix), "cohen").value
    assert ours == pytest.approx(cohen_kappa_score(*matrix.T), abs=1e-12)


@pytest.mark.parametrize("kind", ["krippendorff", "fleiss", "cohen"])
def test_interval_is_that_of_leaving_out_each_item(kind):
    matrix = draw(30, 1)
    found = agreement(Answers.from_matrix(matrix, items=np.arange(30)), kind)
    left = [
        agreement(Answers.from_matrix(np.delete(matrix, i, axis=0)), kind).value for i in range(30)
    ]
    error = np.sqrt(29 / 30 * np.square(left - np.mean(left)).sum())
    assert (found.value - found.low) / error == pytest.approx(2.0452, abs=1e-3)  # t, 29 degrees
    assert found.n == 30


@pytest.mark.parametrize("kind", ["krippendorff", "fleiss", "cohen"])
def test_intervals_cover_the_agreement_of_many_items(kind):
    truth = agreement(Answers.from_matrix(draw(100_000, 2)), kind).value
    found = [agreement(Answers.from_matrix(draw(80, seed)), kind) for seed in range(100, 400)]
    covered = np.mean([each.low <= truth <= each.high for each in found])
    assert 0.91 <= covered <= 0.985


@pytest.mark.parametrize("kind", ["krippendorff", "fleiss", "cohen"])
def test_perfect_agreement_is_one_and_chance_about_zero(kind):
    same = Answers.from_matrix(np.repeat([[0], [1], [2], [0]], 2, axis=1))
    assert agreement(same, kind).value == pytest.approx(1.0)
    random = np.random.default_rng(0).integers(3, size=(2000, 2))
    assert abs(agreement(Answers.from_matrix(random), kind).value) < 0.05


@pytest.mark.parametrize("kind", ["krippendorff", "fleiss", "cohen"])
def test_one_class_throughout_has_no_agreement_beyond_chance(kind):
    found = agreement(Answers.from_matrix(np.ones((5, 2), dtype=int)), kind)
    assert np.isnan(found.value)


def test_settings_that_do_not_fit_are_refused():
    answers = Answers.from_matrix(draw(9, 0, n_people=3))
    with pytest.raises(ValueError, match="compares two annotators, got"):
        agreement(answers, "cohen")
    assert agreement(answers, "cohen", between=(0, 2)).n == 9
    with pytest.raises(ValueError, match="kind must be one of"):
        agreement(answers, "kappa")
    with pytest.raises(ValueError, match="is for kind='krippendorff' only"):
        agreement(answers, "fleiss", level="ordinal")
    with pytest.raises(ValueError, match="No item has two answers"):
        agreement(Answers([0, 1], ["Ann", "Bob"], [1, 1]))
    with pytest.raises(ValueError, match="needs numbers as labels"):
        agreement(Answers.from_matrix([["a", "b"]]), level="interval")
    with pytest.raises(ValueError, match="answered an item twice"):
        agreement(Answers([0, 0, 0], ["Ann", "Ann", "Bob"], [1, 1, 0]), "cohen")
