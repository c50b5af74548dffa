"""Suggestions of the model in words."""

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import RidgeClassifier

from skactive import ActiveLearner
from skactive.labeling import LabelingSession
from skactive.labeling.terminal._suggestion import describe_suggestion
from skactive.strategies import Random

X = [[i, i % 3] for i in range(12)]


@pytest.fixture
def session():
    """Return a function that makes a session with some labels."""
    sessions = []

    def make(model, labels, **options):
        learner = ActiveLearner(model, Random(), random_state=0)
        sessions.append(
            LabelingSession(learner, X, classes=["a", "b"], background=False, random_state=0,
                            labels=labels, **options)
        )  # fmt: skip
        return sessions[-1]

    yield make
    for each in sessions:
        each.close()


def test_shares_of_classes(session):
    forest = RandomForestClassifier(5, random_state=0)
    made = session(forest, {0: "a", 1: "a", 10: "b", 11: "b"})
    assert describe_suggestion(made, 0) == "The model suggests a 100 %, b 0 %."


def test_a_model_without_probabilities(session):
    labels = {0: "a", 1: "a", 10: "b", 11: "b"}
    assert describe_suggestion(session(RidgeClassifier(), labels), 0) == "The model suggests a."


def test_a_forest_of_several_classes_per_row(session):
    labels = {0: ["a"], 5: ["a", "b"], 11: ["b"]}
    made = session(RandomForestClassifier(5, random_state=0), labels, multilabel=True)
    assert "a 100 %" in describe_suggestion(made, 0)


def test_no_model_yet(session):
    made = session(RidgeClassifier(), {0: "a"})
    assert describe_suggestion(made, 0) == "There is no model yet to suggest a class."


def test_a_model_that_fails(session, monkeypatch):
    made = session(RidgeClassifier(), {0: "a", 11: "b"})

    def fail(*_):
        raise MemoryError("no memory\nleft")

    monkeypatch.setattr("skactive.labeling.terminal._suggestion.suggest_classes", fail)
    assert describe_suggestion(made, 0) == "Problem with the model: MemoryError: no memory"
