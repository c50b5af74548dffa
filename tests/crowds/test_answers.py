import numpy as np
import pandas as pd
import pytest

from skactive.crowds import Answers


def test_matrices_and_lists_are_read_alike():
    matrix = Answers.from_matrix([["a", None], ["b", "a"]], annotators=["Ann", "Bob"])
    listed = Answers([1, 0, 1], ["Bob", "Ann", "Ann"], ["a", "a", "b"])
    np.testing.assert_array_equal(matrix.count_votes(), listed.count_votes())
    assert matrix.annotators.tolist() == ["Ann", "Bob"]


def test_rows_without_answers_remain_items():
    answers = Answers.from_matrix([[np.nan, np.nan], [1.0, np.nan]])
    assert answers.items.tolist() == [0, 1]
    assert answers.classes.tolist() == [1]
    assert answers.count_votes().tolist() == [[0.0], [1.0]]


def test_frames_name_items_and_annotators():
    frame = pd.DataFrame({"Ann": [1, None], "Bob": [0, 1]}, index=["x", "y"])
    answers = Answers.from_matrix(frame)
    assert (answers.items.tolist(), answers.annotators.tolist()) == (["x", "y"], ["Ann", "Bob"])
    long = pd.DataFrame({"task": ["x", "x"], "who": ["Bob", "Ann"], "said": [0, 1]})
    answers = Answers.from_frame(long, item="task", annotator="who", label="said")
    assert answers.count_votes().tolist() == [[1.0, 1.0]]
    with pytest.raises(ValueError, match="no column 'item', 'annotator', 'label', but"):
        Answers.from_frame(long)


def test_repeated_answers_all_count():
    assert Answers([0, 0], ["Ann", "Ann"], [1, 1]).count_votes().tolist() == [[2.0]]


def test_join_keeps_all_items_people_and_classes():
    joined = Answers(["x"], ["Ann"], ["a"]).join(Answers(["w"], ["Bob"], ["b"]))
    assert joined.items.tolist() == ["w", "x"]
    assert joined.count_votes().tolist() == [[0.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (([0, 1], ["Ann"], [1, 1]), "must have one length, got {'items': 2, 'annotators': 1"),
        (([], [], []), "No answers"),
        (([0, 1], ["Ann", "Bob"], ["a", None]), "labels has a missing value at position 1"),
        (([0], ["Ann"], [[1]]), "labels must have one entry per answer, got shape"),
        (([0, 1], ["Ann", 3.5], [[1], [1]]), "labels must have one entry per answer"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns, sentence):
    with pytest.raises(ValueError, match=sentence):
        Answers(*columns)


def test_values_that_cannot_be_sorted_are_refused():
    labels = np.array(["a", 1], dtype=object)
    with pytest.raises(ValueError, match="labels mix values that cannot be sorted"):
        Answers([0, 1], ["Ann", "Bob"], labels)


def test_labels_that_are_not_declared_are_refused():
    with pytest.raises(ValueError, match="labels has 'c', which is not in classes"):
        Answers([0], ["Ann"], ["c"], classes=["a", "b"])
    with pytest.raises(ValueError, match="items has 5, which is not in all_items"):
        Answers([5], ["Ann"], ["c"], all_items=[0, 1])


def test_a_vector_is_no_matrix():
    with pytest.raises(ValueError, match="a row per item and a column per annotator, got shape"):
        Answers.from_matrix([0, 1])
