"""Values of any kind: one rule for missing ones, and one for how they are written."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from skactive._utils.values import dump_json, format_value, is_blank, is_missing

NAN = float("nan")
MISSING = [None, NAN, np.float32("nan"), Decimal("NaN"), Decimal("sNaN"), np.datetime64("NaT")]


@pytest.mark.parametrize("value", MISSING)
def test_missing(value):
    assert is_missing(value)
    assert is_blank(value)
    assert format_value(value) == ""
    assert dump_json({"a": [value]}) == '{"a": [null]}'


@pytest.mark.parametrize("value", ["", " ", "\t\n", "\xa0"])
def test_blank_texts_are_texts(value):
    assert is_blank(value)
    assert not is_missing(value)
    assert format_value(value) == value


@pytest.mark.parametrize(
    "value", [0, 0.0, False, "nan", "None", [], {}, [NAN], np.array([]), b"", np.array(NAN)]
)
def test_present(value):
    assert not is_missing(value)
    assert not is_blank(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" a\n", " a\n"),
        (7, "7"),
        (7.0, "7.0"),
        (-0.25, "-0.25"),
        (float("inf"), "inf"),
        (np.int64(7), "7"),
        (np.array([1, 2]), "[1, 2]"),
        (True, "true"),
        (np.bool_(False), "false"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (date(2024, 5, 1), "2024-05-01"),
        (datetime(2024, 5, 1, 9, 30), "2024-05-01T09:30:00"),
        (datetime(2024, 5, 1, 9, 30, tzinfo=UTC), "2024-05-01T09:30:00+00:00"),
        (time(9, 30), "09:30:00"),
        (timedelta(hours=26), "1 day, 2:00:00"),
        ("né".encode(), "né"),
        (b"\xff\x00", "/wA="),
        (b"\x00", "AA=="),
        (["a", 1, None], '["a", 1, null]'),
        ((), "[]"),
        ({"b": 1, "a": [1.5, date(2024, 5, 1)]}, '{"b": 1, "a": [1.5, "2024-05-01"]}'),
        ([("k", b"\xff", {3})], '[["k", "/w==", [3]]]'),
        ({(1, 2): np.int64(3), "x": np.array([0.5, np.nan])}, '{"[1, 2]": 3, "x": [0.5, null]}'),
        ([float("-inf"), "a\u2028b"], '["-inf", "a\\u2028b"]'),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_texts(value, text):
    assert format_value(value) == text


def test_json_is_json():
    value = {"a": [1, 2.5, True, None, "é\x85", {"b": np.float32(0.5)}], "c": date(2024, 5, 1)}
    assert json.loads(dump_json(value)) == {**value, "c": "2024-05-01"}


def test_values_of_pandas():
    pd = pytest.importorskip("pandas")
    assert is_missing(pd.NA)
    assert is_missing(pd.NaT)
    assert format_value(pd.NA) == format_value(pd.NaT) == ""
    moment = pd.Timestamp("2024-05-01 09:30", tz="Europe/Berlin")
    assert format_value(moment) == "2024-05-01T09:30:00+02:00"
