"""Readings of a round: of which models, of which rows, and how many at a time."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LinearRegression
from sklearn.svm import LinearSVC

from skactive import ActiveLearner
from skactive.exceptions import CapabilityError, InvalidReadingError
from skactive.stopping import (
    ClassificationChange,
    ExpectedGain,
    OverallUncertainty,
    Plateau,
    Round,
    StabilizingPredictions,
    TargetReached,
    _evaluation,
)


def numbered(n):
    return np.arange(float(n))[:, None]


class Watched(ClassifierMixin, BaseEstimator):
    """Predicts, for row i of X (which holds its number), its answer; notes what it was asked."""

    asked: list = []  # noqa: RUF012

    def __init__(self, answers=()):
        self.answers = answers

    def predict(self, X):
        rows = X[:, 0].astype(int)
        Watched.asked.append(rows)
        return np.asarray(self.answers)[rows]


@pytest.mark.parametrize(
    "criterion", [StabilizingPredictions(), ClassificationChange(), Plateau()], ids=str
)
def test_regressors_are_refused_where_classes_are_compared(criterion):
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    with pytest.raises(CapabilityError, match=r"LinearRegression is not a classifier.*Plateau"):
        criterion.start().update(Round(2, model, numbered(5)))


@pytest.mark.parametrize("criterion", [OverallUncertainty(), ExpectedGain(1)], ids=str)
def test_models_without_probabilities_are_refused_where_these_are_read(criterion):
    model = LinearSVC().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(CapabilityError, match=r"LinearSVC does not have.*CalibratedClassifierCV"):
        criterion.start().update(Round(2, model, numbered(5)))
    with pytest.raises(CapabilityError, match="not a classifier"):
        criterion.start().update(Round(2, LinearRegression(), numbered(5)))


def test_the_model_is_named_and_not_the_learner_around_it():
    learner = ActiveLearner(LinearSVC()).fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(CapabilityError, match="LinearSVC does not have"):
        OverallUncertainty().start().update(Round(2, learner, numbered(5)))


def test_what_are_no_probabilities_is_refused(doubting):
    with pytest.raises(InvalidReadingError, match="sum to 1"):
        OverallUncertainty().start().update(doubting([[2.0, -3.0]]))


def test_several_labels_a_row_are_refused(told):
    with pytest.raises(CapabilityError, match="one label per row"):
        StabilizingPredictions().start().update(told([[0, 1], [1, 1]]))


def test_the_stop_set_is_random_fixed_and_of_its_size(monkeypatch, play):
    def rows(seed):
        monkeypatch.setattr(Watched, "asked", [])
        model = Watched(np.arange(500) % 2)
        shown = [Round(n, model, numbered(500), np.arange(n, 500), seed) for n in (10, 20, 30)]
        play(StabilizingPredictions(stop_set_size=40), shown)
        first, *others = Watched.asked
        for other in others:
            np.testing.assert_array_equal(first, other)
        assert len(set(first.tolist())) == 40
        return first.tolist()

    assert rows(0) == rows(0) != rows(1)
    assert np.ptp(rows(2)) > 250


def test_a_pool_is_read_in_batches(monkeypatch, play):
    monkeypatch.setattr(_evaluation, "_ROWS_AT_ONCE", 7)
    monkeypatch.setattr(Watched, "asked", [])
    answers = np.random.RandomState(0).randint(3, size=30)
    rounds = [Round(5, Watched(answers), numbered(30), np.arange(3, 30))] * 2
    assert play(ClassificationChange(), rounds)[1][1]
    assert [len(each) for each in Watched.asked] == [7, 7, 7, 6] * 2


@pytest.mark.parametrize(
    "criterion", [TargetReached(0.9), Plateau("audit"), ExpectedGain(1, error="audit")], ids=str
)
def test_where_there_is_no_audit_the_error_says_how_to_get_one(criterion):
    with pytest.raises(ValueError, match=r"reads an audit sample.*audit_share="):
        criterion.start().update(Round(10))


@pytest.mark.parametrize("criterion", [TargetReached(0.9), ExpectedGain(1, error="audit")], ids=str)
def test_scores_that_are_not_right_or_wrong_are_no_target(criterion):
    with pytest.raises(CapabilityError, match=r"score -0.5: for such scores use Plateau"):
        criterion.start().update(Round(10, audit=np.array([1.0, -0.5])))
