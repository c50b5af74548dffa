"""Kinds of columns, and their values as features."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from skactive.cli.sources._columns import Column, parse_date, parse_number


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2.5", "-3e4", " 4 ", "", "NA", "NaN", None], "number"),
        ([1, 2.5, Decimal("3"), None, float("nan")], "number"),
        (["1", "inf"], "number"),
        (["001", "002", "001"], "category"),
        (["0", "0.5", "-0.5"], "number"),
        (["1", "2", "?"] * 4, "category"),
        (["1_000", "2_000"] * 4, "category"),
        (["true", "False", "", "TRUE"], "boolean"),
        ([True, False, None], "boolean"),
        (["2024-01-31", "2024-02-01T10:00:00Z", ""], "date"),
        ([date(2024, 1, 31), datetime(2024, 1, 31, 5), None], "date"),
        (["2024-13-41", "2024-01-01"] * 2, "category"),
        (["20240131", "20240201"], "number"),
        (["a", "b", "a", None], "category"),
        (["NA", "EU", "NA"], "category"),
        (["one", "two", "three"], "text"),
        ([f"v{i}" for i in range(11)] + ["v0"] * 5, "text"),
        ([f"v{i}" for i in range(11)] * 2, "category"),
        (["a sentence that is much longer than the name of a category", "b"] * 9, "category"),
        (["a sentence that is much longer than the name of a category " * 2, "b"] * 9, "text"),
        (["", None, float("nan")], "empty"),
        (["NA", "nan"], "empty"),
    ],
)
def test_kind(values, kind):
    assert Column("x", values).kind == kind


def test_missing_numbers_of_libraries():
    pd = pytest.importorskip("pandas")
    assert Column("x", [pd.NA, 1, pd.NaT]).kind == "number"
    assert Column("x", [pd.NA, pd.NaT]).kind == "empty"
    assert Column("x", [pd.Timestamp("2024-01-01"), pd.NaT]).kind == "date"


def test_numbers():
    assert parse_number("1e3") == 1000
    assert math.isnan(parse_number(" null "))
    for text in ("٣", "1,5", "1_0", "0x1", "007", "five", "1.2.3"):
        assert parse_number(text) is None


def test_dates_are_days():
    assert parse_date("1970-01-02") == 1
    assert parse_date("1970-01-02 12:00") == 1.5
    east = timezone(timedelta(hours=12))
    assert parse_date(datetime(1970, 1, 2, 12, tzinfo=east)) == parse_date("1970-01-02T00:00Z")
    assert parse_date(datetime(1970, 1, 2, tzinfo=UTC)) == 1
    assert math.isnan(parse_date(None))
    assert parse_date("02.01.1970") is None


@pytest.mark.parametrize(
    ("values", "kind", "parsed"),
    [
        (["true", "FALSE", None], "boolean", ["true", "false", ""]),
        ([" a ", None, 3, ["x"]], "category", ["a", "", "3", '["x"]']),
        (["2024-01-31 ", date(2024, 2, 1), None], "date", ["2024-01-31", "2024-02-01", ""]),
    ],
)
def test_features(values, kind, parsed):
    assert Column("x", values).parse(kind) == parsed


def test_cells_of_another_kind_are_found():
    assert Column("x", ["1", "", "two", "3"]).find_others("number") == [2]
    assert Column("x", ["2024-01-01", "soon"]).find_others("date") == [1]


@pytest.mark.parametrize(
    ("values", "is_whole", "is_unrepeated"),
    [
        (["3", "1", "2", ""], True, True),
        (["3.0", "1.0", "1"], True, False),
        (["0.5", "1", "2"], False, True),
        (["a", "b", "c"], False, True),
        (["1", "2"], True, False),  # two rows show nothing
    ],
)
def test_signs_of_ids(values, is_whole, is_unrepeated):
    column = Column("x", values)
    assert (column.is_whole, column.is_unrepeated) == (is_whole, is_unrepeated)
