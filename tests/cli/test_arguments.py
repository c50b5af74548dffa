"""Types of arguments: what they accept at their limits, and what they say was expected."""

from argparse import ArgumentTypeError

import pytest

from skactive.cli import _arguments as arguments
from skactive.cli.reading import TABLE_SUFFIXES


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (arguments.parse_positive_int, "1", 1),
        (arguments.parse_n_jobs, "-1", -1),
        (arguments.parse_seed, "0", 0),
        (arguments.parse_seed, "4294967295", 2**32 - 1),
        (arguments.parse_port, "0", 0),
        (arguments.parse_port, "65535", 65535),
        (arguments.parse_share, "0", 0.0),
        (arguments.parse_share, "0.999", 0.999),
        (arguments.parse_interval, "0.1", 0.1),
        (arguments.parse_class_names, " a, b c,", ("a", "b c")),
        (arguments.parse_class_names, '"yes, please",no', ("yes, please", "no")),
        (arguments.parse_class_names, 'a, "b ""c"" d"', ("a", 'b "c" d')),
        (arguments.parse_class_names, 'a,5" pipe', ("a", '5" pipe')),
        (arguments.parse_class_names, "cafe\u0301,no", ("café", "no")),
        (arguments.parse_columns, 'b, "a, c"', ["b", "a, c"]),
        (arguments.parse_separator, ";", ";"),
        (arguments.parse_separator, "Tab", "\t"),
        (arguments.parse_separator, "\\t", "\t"),
        (arguments.parse_encoding, "Latin-1", "iso8859-1"),
        (arguments.parse_strategies, "Random, Margin", ("Random", "Margin")),
        (arguments.parse_estimators, "svm,svm,forest", ("svm", "forest")),
    ],
)
def test_values_at_the_limits(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (arguments.parse_positive_int, "0", "expected an integer >= 1, got '0'"),
        (arguments.parse_n_jobs, "0", "expected an integer other than 0, got '0'"),
        (arguments.parse_seed, "-1", "expected an integer from 0 to 4294967295, got '-1'"),
        (arguments.parse_port, "65536", "expected a port from 0 to 65535, got '65536'"),
        (arguments.parse_share, "1", "expected a number >= 0 and < 1, got '1'"),
        (arguments.parse_share, "nan", "expected a number >= 0 and < 1, got 'nan'"),
        (arguments.parse_interval, "0.05", "expected seconds >= 0.1 and < 86400, got '0.05'"),
        (arguments.parse_interval, "inf", "expected seconds >= 0.1 and < 86400, got 'inf'"),
        (arguments.parse_class_names, "a,a", "'a' occurs more than once"),
        (arguments.parse_class_names, " , ", "separate class names by commas"),
        (arguments.parse_class_names, "a\u0301,\u00e1", "'\u00e1' occurs more than once"),
        (arguments.parse_class_names, "a,b\ud800", "'b\\ud800' contains unprintable characters"),
        (arguments.parse_class_names, 'a,"b\nc"', "'b\\nc' contains unprintable characters"),
        (arguments.parse_class_names, 'a,"b', "cannot read 'a,\"b' (unexpected end of data)"),
        (arguments.parse_class_names, '"a"b,c', "cannot read"),
        (arguments.parse_class_names, "a\nb,c", "cannot read"),
        (arguments.parse_columns, "a,a", "'a' occurs more than once"),
        (arguments.parse_columns, "", "separate names of columns by commas"),
        (arguments.parse_separator, ";;", "expected one character, such as ';', or one of comma"),
        (arguments.parse_separator, '"', "expected one character"),
        (arguments.parse_separator, "x", "expected one character"),
        (arguments.parse_encoding, "utf-99", "unknown encoding 'utf-99'"),
        (arguments.parse_encoding, "base64", "unknown encoding 'base64'"),
        (arguments.parse_encoding, "a\0b", "unknown encoding"),
        (arguments.parse_strategies, "", "name at least one strategy"),
        (arguments.parse_estimators, "tree", "invalid choice: 'tree'"),
    ],
)
def test_values_beyond_the_limits(parse, text, message):
    with pytest.raises(ArgumentTypeError) as error:
        parse(text)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("names", [["a"], ["a, b", 'c "d"', "e"], [" x", "y z"]])
def test_joined_names_are_read_again(names):
    assert list(arguments.split_names(arguments.join_names(names))) == [n.strip() for n in names]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: write a class on each line"),
        (b"a\nb\na\n", "'a' occurs more than once"),
        (b"a\n\xff\n", "is not in UTF-8"),
        (b"a\nb\x1b\n", "contains unprintable characters"),
    ],
)
def test_a_file_of_classes_that_cannot_be(tmp_path, content, message):
    (tmp_path / "classes.txt").write_bytes(content)
    with pytest.raises(ArgumentTypeError, match=message):
        arguments.read_class_names(tmp_path / "classes.txt")


def test_a_file_of_classes(tmp_path):
    (tmp_path / "classes.txt").write_bytes(b"yes, please\r\n no\r\n\r\n")
    assert arguments.read_class_names(tmp_path / "classes.txt") == ("yes, please", "no")
    with pytest.raises(ArgumentTypeError, match="cannot be read"):
        arguments.read_class_names(tmp_path)


def test_the_formats_in_help_are_those_that_are_read():
    named = {f".{name}" for name in arguments.TABLE_FORMATS.split(", ")}
    assert named == set(TABLE_SUFFIXES) - {".ndjson"}
