"""Labels that a file holds already."""

import numpy as np
import pytest

from skactive.cli._errors import CommandError
from skactive.cli.sources._file_labels import read_labels


def read(values, classes=None, multilabel=False):
    return read_labels("y", dict(enumerate(values)), [], classes, multilabel)


@pytest.mark.parametrize(
    ("values", "classes", "labels"),
    [
        (["a", "", None, float("nan"), " ", "b"], ["a", "b"], {0: "a", 5: "b"}),
        ([" a ", "b"], ["a", "b"], {0: "a", 1: "b"}),
        (["1.0", "", "0.0"], ["0", "1"], {0: "1", 2: "0"}),
        (["1.0", "2"], ["1.0", "2"], {0: "1.0", 1: "2"}),
        ([1, 0.0, None], ["0", "1"], {0: "1", 1: "0"}),
        ([True, False], ["true", "false"], {0: "true", 1: "false"}),
        (["cafe\u0301"], ["café", "bar"], {0: "café"}),
        (["none", "a"], ["a", "none"], {0: "none", 1: "a"}),
        (["yes, please", "no"], ["yes, please", "no"], {0: "yes, please", 1: "no"}),
    ],
)
def test_labels(values, classes, labels):
    assert read(values, classes).labels == labels


def test_classes_of_the_column():
    found = read(["b", "a", "", "b"])
    assert found.classes == ["a", "b"]
    assert "Classes of column 'y': a, b" in found.notes
    assert "3 of 4 rows have a label (column 'y')" in found.notes
    assert read(["a", "a"], ["c", "b", "a"]).classes == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("values", "classes", "labels", "said"),
    [
        (["a; b", "b", "", "a;b;"], None, {0: ["a", "b"], 1: ["b"], 3: ["a", "b"]}, "';'"),
        (["a, b", "b"], None, {0: ["a", "b"], 1: ["b"]}, "','"),
        (["x, y; z", "z"], None, {0: ["x, y", "z"], 1: ["z"]}, "';'"),
        (["x, y", "z"], ["x, y", "z"], {0: ["x, y"], 1: ["z"]}, None),
        ([["a", "b"], [], None, "b"], None, {0: ["a", "b"], 1: [], 3: ["b"]}, None),
        (['["a", "b"]', "[]"], None, {0: ["a", "b"], 1: []}, None),
        ([np.array(["a", "b"]), np.array([])], None, {0: ["a", "b"], 1: []}, None),
    ],
)
def test_several_classes(values, classes, labels, said):
    found = read(values, classes, multilabel=True)
    assert found.labels == labels
    separated = [note for note in found.notes if "separated by" in note]
    assert (said is None) == (separated == [])
    assert said is None or said in separated[0]


@pytest.mark.parametrize(
    ("values", "classes", "said"),
    [
        (
            ["a", "c", "A", "c"],
            ["a", "b"],
            r"'c' \(rows 2, 4\), 'A' \(row 3\); .* --classes a,b,c,A",
        ),
        (["a", "b\x1b"], ["a", "b"], r"'b\\x1b' \(row 2\); correct or empty these cells$"),
        (["a", "b\x1b"], None, "values with unprintable characters"),
        (["a", "nan", "b"], None, r"holds 'nan' \(row 2\): if this is no class, empty"),
        (["a", "?", "b"], None, "if this is no class"),
        (["a", "a"], None, "holds only one class, 'a': declare all classes"),
        (["", None], None, "holds no label"),
        ([f"v{i}" for i in range(60)], None, "60 different values"),
        ([["a", "b"], ["a"]], ["a", "b"], r"lists of classes \(row 1\): pass --multilabel"),
        ([["a", "b"], []], None, "pass --multilabel"),
    ],
)
def test_values_that_are_no_labels(values, classes, said):
    with pytest.raises(CommandError, match=said):
        read(values, classes)


def test_many_unknown_values_are_not_all_named():
    with pytest.raises(CommandError, match=r"and 55 more; correct or empty these cells$"):
        read([f"v{i}" for i in range(60)], ["a", "b"])
