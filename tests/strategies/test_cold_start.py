"""ColdStart: classes by zero-shot probabilities, their calibration, and who takes over when."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import softmax
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive.annotators import FunctionAnnotator, ModelAnnotator
from skactive.exceptions import CapabilityError
from skactive.strategies import BALD, Auto, ColdStart, EpsilonGreedy, Margin
from skactive.strategies._zero_shot import _measure_loss, calibrate, read_zero_shot
from skactive.testing import FakePool

X, Y = load_iris(return_X_y=True)
MODEL = GaussianNB().fit(X[::3], Y[::3])


def guess_by_place(X):
    """Return probabilities by which rows 0 to 29 of a FakePool are of class 0, then 6, then 4."""
    classes = np.searchsorted([30, 36], np.ravel(X), side="right")
    return 0.1 + 0.7 * np.eye(3)[classes]


def test_each_class_gets_as_many_rows_and_they_cover_it():
    pool = FakePool(40, n_labeled=0)
    picks = ColdStart(guess_by_place).select(pool, 12)
    assert np.bincount(guess_by_place(picks).argmax(axis=1)).tolist() == [4, 4, 4]
    cover = Auto(uncertainty=Margin()).select(
        FakePool(proba=np.full((30, 3), 1 / 3), embedding=pool.embedding[:30], n_labeled=0), 4
    )
    assert [pick for pick in picks if pick < 30] == cover.tolist()
    many = ColdStart(guess_by_place).select(FakePool(40, n_labeled=0), 30)
    assert np.bincount(guess_by_place(many).argmax(axis=1)).tolist() == [20, 6, 4]


def test_labels_that_are_there_count_for_their_class():
    pool = FakePool(40, n_labeled=4)  # of classes 0, 1, 2, 0, but all in the places of class 2
    rows = pool.labeled.X[:, 0]

    def guess(X):
        is_labeled = np.isin(np.ravel(X), rows)
        return np.where(
            is_labeled[:, np.newaxis], np.eye(3)[np.ravel(X) % 40 % 3], guess_by_place(X)
        )

    picks = ColdStart(guess).select(pool, 8)
    assert np.bincount(guess(picks).argmax(axis=1)).tolist() == [2, 3, 3]


def test_the_strategy_chooses_from_n_labels_on_and_the_source_is_not_asked_any_more():
    def fail(X):
        raise AssertionError("asked")

    pool = FakePool(40, n_labeled=30)
    expected = Margin().select(FakePool(40, n_labeled=30), 7)
    for n_labels in (None, 1, 30):  # None: ten for each of three classes
        picks = ColdStart(fail, Margin(), n_labels=n_labels).select(pool, 7)
        np.testing.assert_array_equal(picks, expected)
    with pytest.raises(AssertionError, match="asked"):
        ColdStart(fail, Margin(), n_labels=31).select(pool, 7)
    with pytest.raises(AssertionError, match="asked"):
        ColdStart(fail, Margin()).select(FakePool(40, n_labeled=29), 7)


def test_a_model_that_the_strategy_cannot_read_is_refused_at_the_fit():
    strategy = ColdStart(MODEL.predict_proba, BALD())
    for outer in (strategy, EpsilonGreedy(strategy)):
        learner = ActiveLearner(LogisticRegression(), outer, random_state=0)
        with pytest.raises(CapabilityError, match="proba_samples"):
            learner.fit(X[::10], Y[::10])
    learner = ActiveLearner(RidgeClassifier(), ColdStart(MODEL.predict_proba, Margin()))
    assert learner.fit(X[::10], Y[::10]).query(X, batch_size=3).shape == (3,)


# Sources ------------------------------------------------------------------------------------------


def test_all_kinds_of_sources_give_the_same_rows():
    sources = [
        MODEL.predict_proba,
        FrozenEstimator(MODEL),
        ModelAnnotator(FrozenEstimator(MODEL)),
    ]
    queries = []
    for source in sources:
        learner = ActiveLearner(LogisticRegression(), ColdStart(source), random_state=0)
        start = learner.query(X, batch_size=5)
        learner.fit(X[::10], Y[::10])
        queries.append([*start, *learner.query(X, batch_size=5)])
    assert queries[0] == queries[1] == queries[2]


def test_rows_that_an_annotator_leaves_to_people_have_even_odds():
    annotator = FunctionAnnotator(lambda X: ["a"] * len(X))
    with pytest.raises(ValueError, match="labels without probabilities"):
        read_zero_shot(annotator, X)

    class Abstaining(ModelAnnotator):
        def _answer(self, X):
            labels, proba = super()._answer(X)
            proba[::2] = np.nan
            return labels, proba

    proba = read_zero_shot(Abstaining(MODEL), X)
    np.testing.assert_array_equal(proba[::2], np.full((75, 3), 1 / 3))
    np.testing.assert_allclose(proba[1::2], MODEL.predict_proba(X[1::2]))


@pytest.mark.parametrize(
    ("proba", "said"),
    [
        (np.ones((10, 3)) / 3, "got shape .10, 3.: it is called with the rows of the pool"),
        (np.ones(150), "got shape"),
        (np.ones((150, 3)), "150 rows do not, the first: .1. 1. 1.*softmax"),
        (np.full((150, 3), np.nan), "150 rows do not"),
        (np.tile([1.5, -0.5], (150, 1)), "150 rows do not"),
        ([["a"]] * 150, "array of numbers"),
    ],
    ids=["another pool", "a column", "no sum", "nan", "negative", "texts"],
)
def test_what_is_no_probability_is_refused(proba, said):
    with pytest.raises(ValueError, match=said):
        read_zero_shot(lambda X: proba, X)


# Calibration --------------------------------------------------------------------------------------


def test_calibration_is_the_most_probable_one():
    rng = np.random.RandomState(0)
    known, columns = rng.dirichlet(np.ones(3), 40), rng.randint(3, size=40)
    logs = np.log(known)
    for point in rng.normal(size=(5, 4)):
        numeric = approx_fprime(point, lambda x: _measure_loss(x, logs, columns)[0], 1e-7)
        analytic = _measure_loss(point, logs, columns)[1]
        np.testing.assert_allclose(analytic, numeric, rtol=1e-4, atol=1e-4)

    def posterior(point):  # the definition, by the formula of the docstring
        proba = known ** np.exp(point[0]) * np.exp(point[1:])
        proba /= proba.sum(axis=1, keepdims=True)
        return -np.log(proba[np.arange(40), columns]).sum() + np.square(point).sum() / 2

    best = minimize(posterior, np.zeros(4), method="Nelder-Mead", options={"maxiter": 4000}).x
    expected = softmax(np.exp(best[0]) * logs + best[1:], axis=1)
    np.testing.assert_allclose(calibrate(known, known, columns), expected, atol=1e-3)


def test_labels_teach_how_far_the_source_can_be_trusted():
    rng = np.random.RandomState(0)
    labels = rng.randint(3, size=200)
    right = softmax(6.0 * np.eye(3)[labels], axis=1)
    wrong = softmax(6.0 * np.eye(3)[rng.randint(3, size=200)], axis=1)
    assert calibrate(right, right, labels).max(axis=1).mean() > 0.99
    assert calibrate(wrong, wrong, labels).max(axis=1).mean() < 0.5
    np.testing.assert_array_equal(calibrate(wrong, wrong[:0], labels[:0]), wrong)
    # A source that says class 0 of everything, a little less of the others, is heard all the same.
    biased = softmax(2.0 * np.eye(3)[labels] + [4.0, 0.0, 0.0], axis=1)
    assert (biased.argmax(axis=1) == labels).mean() < 0.5
    assert (calibrate(biased, biased, labels).argmax(axis=1) == labels).mean() == 1.0


def test_columns_are_named_by_classes_by_the_source_or_by_the_learner():
    names = np.array(["setosa", "versicolor", "virginica"])
    y, turned = names[Y], MODEL.predict_proba(X)[:, ::-1]

    def look_up(rows):
        return turned[[np.flatnonzero((row == X).all(axis=1))[0] for row in rows]]

    def explain(source, y, **options):
        strategy = ColdStart(source, n_labels=1000, **options)
        learner = ActiveLearner(LogisticRegression(), strategy, random_state=0)
        learner.fit(X[::10], y[::10])
        return [each.parts["added coverage"] for each in learner.explain(X, [71, 98, 127, 133])]

    by_source = explain(FrozenEstimator(MODEL), Y)
    np.testing.assert_allclose(explain(look_up, y, classes=names[::-1]), by_source, rtol=1e-5)
    np.testing.assert_allclose(explain(MODEL.predict_proba, y), by_source, rtol=1e-5)
    assert not np.allclose(explain(look_up, y), by_source)
    with pytest.raises(ValueError, match="None of the 15 labels, such as 'setosa', is a class"):
        explain(FrozenEstimator(MODEL), y)
    with pytest.raises(ValueError, match="classes has 2 entries, but proba gives 3 columns"):
        explain(MODEL.predict_proba, y, classes=["setosa", "other"])
