"""Columns that look like ids, labels or texts stop, and the advice works."""

import random
import shlex
from pathlib import Path

import pytest

from skactive.cli._arguments import parse_columns
from skactive.cli._errors import CommandError
from skactive.cli.sources._columns import Column
from skactive.cli.sources._data_source import ReadingOptions
from skactive.cli.sources._read import read_source
from skactive.cli.sources._suspects import check_features, check_named_features

N = 40
RANDOM = random.Random(0)
FRACTIONS = [f"{RANDOM.random():.4f}" for _ in range(N)]
COUNTS = [str(RANDOM.randrange(9)) for _ in range(N)]
IN_ORDER = [str(i) for i in range(N)]


def check(columns, classes=None, given=()):
    check_features(
        [Column(name, values) for name, values in columns.items()],
        Path("t.csv"),
        [],
        classes=classes,
        given=given,
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"a": FRACTIONS, "b": FRACTIONS[::-1]},
        {"a": COUNTS, "b": FRACTIONS},
        {"x": FRACTIONS, "y": FRACTIONS[::-1]},
        {"index_of_refraction": FRACTIONS, "humid": COUNTS, "valid": COUNTS, "class_size": COUNTS},
        {"city": ["Rome", "Oslo"] * 20, "ok": ["true", ""] * 20, "when": ["2024-01-01"] * N},
    ],
)
def test_plain_tables_need_no_options(columns):
    check(columns, classes=["good", "bad"])


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("id", FRACTIONS, "'id' looks like an id .by its name."),
        ("ID", COUNTS, "by its name"),
        ("user_id", COUNTS, "by its name"),
        ("userId", COUNTS, "by its name"),
        ("CustomerID", COUNTS, "by its name"),
        ("index", COUNTS, "by its name"),
        ("Unnamed: 0", COUNTS, "by its name"),
        ("k", IN_ORDER, "whole numbers in order"),
        ("k", [f"{i}.0" for i in range(1, N + 1)], "whole numbers in order"),
        ("k", RANDOM.sample(IN_ORDER, N), "whole numbers, all different"),
        ("k", [i * 10.0 for i in range(N)], "whole numbers, all different"),
        ("k", [f"r{i}" for i in range(N)], "texts, all different"),
        ("label", COUNTS, "'label' looks like labels .by its name."),
        ("Target", FRACTIONS, "looks like labels"),
        ("gold_label", COUNTS, "looks like labels"),
        ("trueLabel", COUNTS, "looks like labels"),
        ("class", COUNTS, "looks like labels"),
        ("y", COUNTS, "looks like labels"),
        ("y", FRACTIONS, "looks like labels"),
        ("category", ["u", "v"] * 20, "looks like labels"),
        ("z", ["good", "bad"] * 20, "its values are classes"),
        ("z", ["good", "", None, ""] * 10, "its values are classes"),
        ("body", [f"some words, {i}" for i in range(N)], "'body' is text .40 different values."),
        ("age", [*map(str, range(N - 1)), "?"], r"holds numbers, but also '\?' in row 40"),
    ],
)
def test_what_looks_wrong_stops(name, values, said):
    with pytest.raises(CommandError, match=said) as error:
        check({"a": FRACTIONS, name: values, "b": COUNTS}, classes=["good", "bad"])
    assert error.value.args[0].endswith("--columns a,b")


def test_numbers_may_be_classes():
    with pytest.raises(CommandError, match="'flag' looks like labels"):
        check({"a": FRACTIONS, "flag": [1.0, 0.0] * 20}, classes=["0", "1"])


def test_labels_of_other_classes_are_not_advised_as_labels():
    with pytest.raises(CommandError) as error:
        check({"a": FRACTIONS, "label": ["u", "v"] * 20}, classes=["good", "bad"])
    assert "--label" not in error.value.args[0]


def write_table(path, columns):
    lines = [",".join(columns), *map(",".join, zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("column", ["nr", "my id"])
def test_the_advice_works(tmp_path, column):
    pytest.importorskip("pandas")
    path = tmp_path / "t.csv"
    write_table(path, {column: IN_ORDER, "a b": FRACTIONS, "c": COUNTS, "label": ["u", "v"] * 20})
    with pytest.raises(CommandError) as error:
        read_source(path, ReadingOptions())
    passed, _, named = (
        error.value.args[0].partition("Pass ")[2].partition(", or name the features: ")
    )
    _, ident, _, label = shlex.split(passed)
    source = read_source(path, ReadingOptions(id=ident, label=label))
    assert list(source.rows.columns) == ["a b", "c"]
    assert source.classes == ["u", "v"]
    columns = parse_columns(shlex.split(named)[1])
    assert list(read_source(path, ReadingOptions(columns=columns)).rows.columns) == ["a b", "c"]


def test_the_advice_for_texts_works(tmp_path):
    path = tmp_path / "t.csv"
    write_table(path, {"id": IN_ORDER, "body": [f"some words {i}" for i in range(N)]})
    with pytest.raises(CommandError, match=r"pass --text body --id id$"):
        read_source(path, ReadingOptions())
    assert len(read_source(path, ReadingOptions(text="body", id="id")).rows) == N


def test_columns_that_are_named_are_features_unless_they_are_texts():
    named = {"id": IN_ORDER, "label": COUNTS, "city": ["Rome", "Oslo"] * 20}
    check_named_features([Column(n, values) for n, values in named.items()], Path("t.csv"), [])
    for values, said in (
        ([f"some words {i}" for i in range(N)], "is text"),
        ([*map(str, range(N - 1)), "?"], "holds numbers, but also"),
        ([""] * N, "is empty"),
    ):
        with pytest.raises(CommandError, match=said):
            check_named_features([Column("x", values)], Path("t.csv"), [])
