"""Labels of every kind are read as what they are, and taken, joined and compared row by row."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skactive import ActiveLearner
from skactive._utils.labels import (
    copy_labels,
    describe_labels,
    equal_rows,
    find_missing_rows,
    has_one_label,
    holds_floats,
    is_structured,
    join_labels,
    read_labels,
    row_errors,
    take_labels,
    to_model_labels,
)
from skactive.strategies import Margin, Random

TAGS = [["N", "V"], ["V", "V"], ["N", "N"]]
RAGGED = [["N"], [], ["V", "N"]]
MAPS = [np.zeros((2, 3)), np.ones((4, 1)), np.ones((2, 3))]
BOXES = [{"box": np.array([[0, 1, 2, 3]]), "name": ["cat"]}, {"box": np.empty((0, 4)), "name": []}]
SETS = [{"a", "b"}, set(), {"c"}]
STRUCTURED = {"tags": TAGS, "ragged": RAGGED, "maps": MAPS, "boxes": BOXES, "sets": SETS}
BITS = [[0, 1], [1, 1], [0, 0]]


class Tagger(BaseEstimator):
    pass


class ClassifierTagger(ClassifierMixin, Tagger):
    pass


class TypedTagger(ClassifierMixin, BaseEstimator):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = False
        return tags


def vector(rows):
    """Return rows in an object vector."""
    objects = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        objects[i] = row
    return objects


structured_kinds = pytest.mark.parametrize("y", STRUCTURED.values(), ids=STRUCTURED)


# What y is --------------------------------------------------------------------------------------


@structured_kinds
@pytest.mark.parametrize(
    "contain", [list, tuple, vector, pd.Series], ids=lambda kind: kind.__name__
)
def test_structured_labels_are_kept_as_the_objects_that_they_are(y, contain):
    labels = read_labels(contain(y), Tagger())
    assert labels.shape == (len(y),)
    assert all(label is row for label, row in zip(labels, y, strict=True))
    assert is_structured(labels)
    assert not has_one_label(labels)
    again = read_labels(labels, Tagger())
    assert type(again) is type(labels)
    passed = to_model_labels(labels)
    assert type(passed) is (list if contain in (list, tuple) else np.ndarray)
    assert all(label is row for label, row in zip(passed, y, strict=True))


@pytest.mark.parametrize(
    "model",
    [
        KNeighborsClassifier(),
        MLPClassifier(),
        RandomForestClassifier(),
        MultiOutputClassifier(LogisticRegression()),
        make_pipeline(StandardScaler(), KNeighborsClassifier()),
        GridSearchCV(KNeighborsClassifier(), {}),
        GridSearchCV(Ridge(), {}),
        ActiveLearner(RandomForestClassifier(), Margin()),
        ActiveLearner(RandomForestRegressor(), Random()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_equally_long_lists_of_plain_values_are_a_matrix_for_models_of_several_outputs(model):
    np.testing.assert_array_equal(read_labels(BITS, model), np.array(BITS))
    assert is_structured(read_labels([[0], [1, 1], [0, 0]], model))
    assert is_structured(read_labels(MAPS, model))


@pytest.mark.parametrize("model", [None, Tagger(), TypedTagger(), LogisticRegression()], ids=str)
def test_equally_long_lists_are_no_matrix_for_other_models(model):
    assert is_structured(read_labels(BITS, model))
    assert is_structured(read_labels(TAGS, model))


def test_lists_of_one_value_are_a_column_for_models_of_single_outputs_only():
    column = [["a"], ["b"], ["a"]]
    for model in (LogisticRegression(), LinearSVC(), Ridge(), ActiveLearner(Ridge())):
        np.testing.assert_array_equal(read_labels(column, model), np.array(column))
    nested = GridSearchCV(make_pipeline(LogisticRegression()), {})
    np.testing.assert_array_equal(read_labels(column, nested), np.array(column))
    for model in (None, Tagger(), TypedTagger(), make_pipeline(ClassifierTagger())):
        assert is_structured(read_labels(column, model))


@pytest.mark.parametrize("y", [np.array(BITS), pd.DataFrame(BITS), sp.csr_array(BITS)])
def test_what_has_a_shape_is_what_it_says(y):
    labels = read_labels(y, Tagger())
    assert type(labels) is np.ndarray
    np.testing.assert_array_equal(labels, BITS)
    assert not is_structured(labels)
    assert not has_one_label(labels)


def test_texts_and_numbers_are_one_label_per_row():
    for y in (["a text", "another"], [1.5, 2.0], np.array([True, False]), pd.Series(["a", "b"])):
        assert has_one_label(read_labels(y))
    with pytest.raises(ValueError, match="mixes texts and numbers"):
        read_labels(["a", 1])
    with pytest.raises(ValueError, match="mixes texts and numbers"):
        read_labels([["a", 1], ["b", 2]], RandomForestClassifier())


def test_long_texts_do_not_take_the_memory_of_the_longest():
    texts = ["short"] * 9 + ["long " * 1000]
    labels = read_labels(texts)
    assert has_one_label(labels)
    assert labels.tolist() == texts
    assert labels.nbytes < 1000
    assert join_labels(read_labels(["new"]), labels).tolist() == ["new", *texts]


@pytest.mark.parametrize(
    ("y", "kinds"),
    [
        ([["N"], "N"], "'list', of others 'single label'"),
        ([["N"], {"N": 1}], "'dict', of others 'list'"),
        ([np.ones(2), [1, 2]], "'array', of others 'list'"),
    ],
)
def test_rows_of_several_kinds_are_refused(y, kinds):
    with pytest.raises(ValueError, match=kinds):
        read_labels(y)


def test_an_empty_list_goes_with_any_kind():
    assert is_structured(read_labels([np.ones((1, 4)), [], np.ones((2, 4))]))


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([1.0, 2.0], True),
        ([1, 2], False),
        (np.ones((2, 3)), True),
        ([[0.5], [], [1.5, 2.0]], True),
        ([[0.5], [1]], False),
        ([[], []], False),
        (MAPS, True),
        ([MAPS[0], MAPS[1].astype(int)], False),
        (TAGS, False),
        (BOXES, False),
    ],
    ids=range(10),
)
def test_labels_that_are_all_floating_point_numbers_are_found(y, expected):
    assert holds_floats(read_labels(y)) is expected


# Missing labels ---------------------------------------------------------------------------------


def test_a_row_is_missing_if_it_is_none_or_nan_and_not_if_it_is_empty():
    labels = read_labels([["N"], None, [], np.nan, ["V"]])
    assert is_structured(labels)
    assert find_missing_rows(labels).tolist() == [False, True, False, True, False]
    matrix = np.array([[1.0, np.nan], [1.0, 2.0]])
    assert find_missing_rows(matrix).tolist() == [True, False]
    maps = np.array([[[1.0, np.nan]], [[np.nan, np.nan]]])  # one pixel, and all of them
    assert find_missing_rows(maps).tolist() == [False, True]
    assert find_missing_rows(np.array(["a", None], dtype=object)).tolist() == [False, True]


# Rows -------------------------------------------------------------------------------------------


@structured_kinds
def test_rows_are_taken_copied_and_joined_without_copies_of_their_objects(y):
    labels = read_labels(y)
    for source in (y, labels, vector(y)):
        taken = take_labels(source, np.array([1, 0]))
        assert [id(row) for row in taken] == [id(y[1]), id(y[0])]
    copied = copy_labels(labels)
    copied[0] = "changed"
    assert labels[0] is y[0]
    joined = join_labels(labels, labels[:1])
    assert [id(row) for row in joined] == [id(row) for row in [*y, y[0]]]
    assert type(to_model_labels(joined)) is list


def test_sparse_labels_become_an_array_as_their_rows_are_taken():
    taken = take_labels(sp.csr_matrix(BITS), [2, 1])
    np.testing.assert_array_equal(taken, [[0, 0], [1, 1]])
    assert type(taken) is np.ndarray


def test_labels_join_their_own_kind_only():
    tags, maps, names = read_labels(RAGGED), read_labels(MAPS), np.array(["a", "b"])
    for first, second in ((tags, names), (names, tags), (tags, np.array(BITS))):
        with pytest.raises(ValueError, match="pass labels of one kind"):
            join_labels(first, second)
    with pytest.raises(ValueError, match="'array', of others 'list'"):
        join_labels(tags, maps)
    with pytest.raises(ValueError, match=r"shape \(2,\), the new ones of shape \(3,\)"):
        join_labels(np.ones((4, 2)), np.ones((2, 3)))  # six numbers would make three rows of two
    np.testing.assert_array_equal(join_labels(names, np.array([["c"]])), ["a", "b", "c"])


# Descriptions -----------------------------------------------------------------------------------


@structured_kinds
def test_equal_labels_are_described_alike(y):
    def copy(row):
        if isinstance(row, np.ndarray):
            return np.asfortranarray(row)
        return type(row)(row)

    described = describe_labels(y)
    assert described == describe_labels([copy(row) for row in y])
    assert described != describe_labels(y[::-1])


def test_long_arrays_are_described_by_all_of_their_values():
    changed = np.zeros(5000)
    changed[2500] = 1.0  # where the text of an array is left out
    for nest in (lambda row: row, lambda row: {"a": row}, lambda row: [row, "a"]):
        assert describe_labels([nest(np.zeros(5000))]) != describe_labels([nest(changed)])


def test_descriptions_are_the_same_in_every_process():
    code = (
        "import numpy as np; from skactive._utils.labels import describe_labels as d;"
        "print(d([{'box': np.ones((2, 4)), 'name': ['a']}, {}]), d([{'a', 'b', 'c'}, {'d', 'e'}]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    boxes, names = [{"box": np.ones((2, 4)), "name": ["a"]}, {}], [{"c", "b", "a"}, {"e", "d"}]
    assert run.stdout.split("\n")[0] == f"{describe_labels(boxes)} {describe_labels(names)}"


# Comparison with predictions --------------------------------------------------------------------


@structured_kinds
def test_a_row_is_right_if_all_of_it_is(y):
    labels = read_labels(y)
    assert equal_rows(labels, list(y)).all()
    assert equal_rows(labels, vector(y)).all()
    assert not equal_rows(labels[:2], [y[1], y[0]]).any()


def test_rows_differ_by_length_shape_value_key_and_kind():
    pairs = [
        (["N"], ["N", "N"]),
        (np.ones((1, 2)), np.ones((2, 1))),
        (np.ones(2), np.array([1.0, 2.0])),
        ({"a": 1}, {"b": 1}),
        ({"a": np.ones(2)}, {"a": np.zeros(2)}),
        ([{"a": 1}], [{"a": 2}]),
        (["N"], "N"),
        ({"a"}, ["a"]),
        ([[1], [2, 3]], [[1], [2, 4]]),
    ]
    for label, prediction in pairs:
        for first, second in ((label, prediction), (prediction, label)):
            assert not equal_rows(vector([first]), vector([second])).any()
        assert equal_rows(vector([label]), vector([label])).all()
    assert equal_rows(vector([["N", "V"]]), [np.array(["N", "V"])]).all()


def test_arrays_are_compared_as_before_and_lengths_checked():
    y = np.array(BITS)
    assert equal_rows(y, [[0, 1], [1, 0], [0, 0]]).tolist() == [True, False, True]
    assert equal_rows(y, sp.csr_array(y)).all()
    assert equal_rows(np.array(["a", "b"]), np.array([["a"], ["c"]])).tolist() == [True, False]
    with pytest.raises(ValueError, match="predictions"):
        equal_rows(y, y[:2])
    with pytest.raises(ValueError, match="Got 1 predictions for 3 labeled rows"):
        equal_rows(read_labels(RAGGED), [["N"]])


@pytest.mark.parametrize("power", [1, 2])
def test_errors_of_rows_are_means_over_their_numbers(power):
    rng = np.random.RandomState(0)
    maps = [rng.normal(size=shape) for shape in ((2, 3), (4, 1), (0, 2))]
    predicted = [row + rng.normal(size=row.shape) for row in maps]
    expected = [
        sum(abs(a - b) ** power for a, b in zip(x.ravel(), z.ravel(), strict=True)) / max(x.size, 1)
        for x, z in zip(maps, predicted, strict=True)
    ]
    np.testing.assert_allclose(row_errors(read_labels(maps), predicted, power=power), expected)
    equal_shapes = np.stack([maps[0], maps[0] + 1])
    errors = row_errors(equal_shapes, np.stack([predicted[0]] * 2), power=power)
    np.testing.assert_allclose(
        errors, row_errors(list(equal_shapes), [predicted[0]] * 2, power=power)
    )
    with pytest.raises(ValueError, match=r"shape \(1, 4\), its label \(4, 1\)"):
        row_errors(read_labels(maps[1:2]), [maps[1].T])
