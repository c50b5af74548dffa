"""Types of arguments: what they accept at their limits, and what they say was expected."""

from argparse import ArgumentTypeError

import pytest

from skactive.cli import _arguments as arguments


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
        (arguments.parse_strategies, "", "name at least one strategy"),
        (arguments.parse_estimators, "tree", "invalid choice: 'tree'"),
    ],
)
def test_values_beyond_the_limits(parse, text, message):
    with pytest.raises(ArgumentTypeError) as error:
        parse(text)
    assert str(error.value).startswith(message)
