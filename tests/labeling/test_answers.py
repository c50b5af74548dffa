"""The answers of all people in a store, for models of annotators."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from skactive import ActiveLearner
from skactive.crowds import Answers, DawidSkene, MultilabelAnswers
from skactive.exceptions import StoreError
from skactive.labeling import read_answers
from skactive.strategies import Random

STORE = Path(__file__).with_name("stores") / "session_v1.db"


def list_triples(answers):
    """Return the triples of item, annotator and label, sorted."""
    columns = (
        answers.items[answers.item_codes],
        answers.annotators[answers.annotator_codes],
        answers.classes[answers.label_codes],
    )
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_the_answer_of_each_person_that_holds_is_read(open_session, tmp_path):
    session = open_session(classes=["cat", "dog"])
    session.submit({0: "cat", 1: "cat", 2: "dog"}, annotator="ann")
    session.submit({0: "dog", 1: "cat"}, annotator="bob")
    session.submit({1: "dog"})  # nobody's name
    session.relabel({0: "cat"}, annotator="bob")
    session.skip([3], annotator="bob")
    session.mark_unknown([4], annotator="ann")
    session.submit({5: "dog"}, annotator="cyd")
    session.undo("cyd")
    session.rename_class("dog", "wolf")
    expected = [
        *((0, "ann", "cat"), (0, "bob", "cat")),
        *((1, "", "wolf"), (1, "ann", "cat"), (1, "bob", "cat")),
        (2, "ann", "wolf"),
    ]
    for source in (tmp_path / "labels.db", str(tmp_path / "labels.db"), session.store):
        assert list_triples(read_answers(source)) == sorted(expected)
    assert list_triples(Answers.from_records(session.records())) == sorted(expected)
    declared = read_answers(session.store, classes=["cat", "fox", "wolf"])
    assert DawidSkene().fit(declared).classes_.tolist() == ["cat", "fox", "wolf"]
    session.submit({6: "cat"}, annotator="ann")  # the store is open as before


def test_lists_of_labels_are_sets(open_session):
    learner = ActiveLearner(OneVsRestClassifier(LogisticRegression()), Random())
    session = open_session(learner=learner, multilabel=True, classes=["sea", "sky"])
    session.submit({0: ["sea", "sky"], 1: []}, annotator="ann")
    session.submit({0: ["sky"]}, annotator="bob")
    answers = read_answers(session.store)
    assert isinstance(answers, MultilabelAnswers)
    np.testing.assert_array_equal(answers.about("sea").count_votes(), [[1, 1], [1, 0]])
    with pytest.raises(ValueError, match="use MultilabelAnswers"):
        Answers.from_records(session.records())


def test_stores_of_earlier_versions_are_read():
    triples = list_triples(read_answers(STORE))
    assert {name for _, name, _ in triples} == {"ann"}


def test_stores_without_labels_and_files_that_are_none_are_refused(open_session, tmp_path):
    session = open_session()
    session.skip([0], annotator="ann")
    with pytest.raises(ValueError, match="none of the records holds a label"):
        read_answers(session.store)
    with pytest.raises(StoreError):
        read_answers(tmp_path / "missing.db")
    assert not (tmp_path / "missing.db").exists()
