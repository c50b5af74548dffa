"""Values as people write them."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from skactive.cli.reading import format_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" a\n", " a\n"),
        (None, ""),
        (float("nan"), ""),
        (Decimal("NaN"), ""),
        (np.float32("nan"), ""),
        (np.datetime64("NaT"), ""),
        (7, "7"),
        (7.0, "7"),
        (-0.25, "-0.25"),
        (1e20, "1e+20"),
        (float("inf"), "inf"),
        (np.int64(7), "7"),
        (np.array([1, 2]), "1, 2"),
        (True, "true"),
        (np.bool_(False), "false"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (date(2024, 5, 1), "2024-05-01"),
        (datetime(2024, 5, 1, 9, 30), "2024-05-01 09:30:00"),
        (datetime(2024, 5, 1, 9, 30, tzinfo=UTC), "2024-05-01 09:30:00+00:00"),
        (time(9, 30), "09:30:00"),
        (timedelta(hours=26), "1 day, 2:00:00"),
        ("né".encode(), "né"),
        (b"\xff\x00", "2 bytes"),
        (b"\x00", "1 byte"),
        (["a", 1, None], "a, 1, "),
        ((), ""),
        ({"b": 1, "a": [1.5, date(2024, 5, 1)]}, '{"b": 1, "a": [1.5, "2024-05-01"]}'),
        ([{"x": "é"}], '[{"x": "é"}]'),
        ([("k", b"\xff")], '[["k", "1 byte"]]'),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_values(value, text):
    assert format_value(value) == text


def test_missing_values_of_pandas():
    pd = pytest.importorskip("pandas")
    assert format_value(pd.NA) == format_value(pd.NaT) == ""
    assert format_value(pd.Timestamp("2024-05-01 09:30", tz="Europe/Berlin")) == (
        "2024-05-01 09:30:00+02:00"
    )
