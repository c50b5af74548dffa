"""Parquet, Excel and JSON: values stay what they are."""

import random
import sys
import zipfile
from datetime import UTC, date, datetime, time
from decimal import Decimal

import numpy as np
import pytest

from skactive.cli._errors import CommandError
from skactive.cli.reading import read_columns


@pytest.fixture
def save(tmp_path):
    """Write a workbook; return its path."""
    openpyxl = pytest.importorskip("openpyxl")

    def write(*rows, formats=()):
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        for cell, number_format in formats:
            book.active[cell].number_format = number_format
        book.save(tmp_path / "data.xlsx")
        return tmp_path / "data.xlsx"

    return write


# Parquet -----------------------------------------------------------------------------------------


def test_parquet_of_all_types(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    moment = datetime(2024, 5, 1, 9, 30, tzinfo=UTC)
    table = pa.table(
        {
            "text": pa.array(["a", None, "NA"]).dictionary_encode(),
            "list": [["a"], None, []],
            "object": [{"x": 1}, None, {"x": None}],
            "time": pa.array([moment, None, moment], pa.timestamp("us", "UTC")),
            "day": [date(2024, 5, 1), None, None],
            "bytes": [b"a", b"\xff", None],
            "decimal": [Decimal("1.50"), None, None],
            "whole": pa.array([1, None, 3]),
            "as_float": [1.0, None, 3.0],
            "share": [0.5, float("nan"), None],
        }
    )
    parquet.write_table(table, tmp_path / "data.parquet")
    columns = read_columns(tmp_path / "data.parquet").columns
    assert columns == {
        "text": ["a", None, "NA"],
        "list": [["a"], None, []],
        "object": [{"x": 1}, None, {"x": None}],
        "time": [moment, None, moment],
        "day": [date(2024, 5, 1), None, None],
        "bytes": [b"a", b"\xff", None],
        "decimal": [Decimal("1.50"), None, None],
        "whole": [1, None, 3],
        "as_float": [1, None, 3],
        "share": [0.5, None, None],
    }
    assert [type(value) for value in columns["as_float"]] == [int, type(None), int]


def test_parquet_of_pandas(tmp_path):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(
        {
            "kind": pd.Categorical(["a", "b", "a"]),
            "n": pd.array([1, None, 3], dtype="Int64"),
            "time": [pd.Timestamp("2024-05-01"), None, pd.Timestamp(1)],
        },
        index=[5, 6, 7],
    )
    frame.to_parquet(tmp_path / "data.parquet")
    table = read_columns(tmp_path / "data.parquet")
    assert table.columns["kind"] == ["a", "b", "a"]
    assert table.columns["n"] == [1, None, 3]
    assert table.columns["time"][1] is None
    assert table.columns["__index_level_0__"] == [5, 6, 7]  # no mere numbers of rows


def test_the_name_of_a_folder_adds_no_column(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    (tmp_path / "year=2024").mkdir()
    path = tmp_path / "year=2024" / "data.parquet"
    parquet.write_table(pa.table({"a": ["x"]}), path)
    assert list(read_columns(path).columns) == ["a"]


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    (tmp_path / "data.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CommandError, match=r'needs pyarrow: pip install "skactive\[data\]"'):
        read_columns(tmp_path / "data.parquet")


# Excel -------------------------------------------------------------------------------------------


def test_excel_values_are_those_that_the_sheet_shows(save):
    day = datetime(2024, 5, 1)
    path = save(
        ["id", "code", "day", "moment", "clock", "share", "yes", 2024],
        [1.0, 42, day, day, time(9, 30), 0.25, True, "a_x000D_\nb"],
        [None, 7, None, None, None, 3, None, " 007 "],
        formats=[
            *[(f"B{i}", "00000") for i in (2, 3)],
            ("C2", "yyyy-mm-dd"),
            ("D2", "yyyy-mm-dd hh:mm"),
        ],
    )
    table = read_columns(path)
    assert table.columns == {
        "id": [1, None],
        "code": ["00042", "00007"],
        "day": [date(2024, 5, 1), None],
        "moment": [day, None],
        "clock": [time(9, 30), None],
        "share": [0.25, 3],
        "yes": [True, None],
        "2024": ["a\nb", " 007 "],
    }
    assert isinstance(table.columns["id"][0], int)
    assert table.lines == [2, 3]


def test_excel_rows_beyond_a_wrong_dimension_are_read(save, tmp_path):
    path = save(["t"], *[[f"row {i}"] for i in range(30)])
    wrong = tmp_path / "wrong.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(wrong, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, data.replace(b'ref="A1:A31"', b'ref="A1:A2"'))
    assert b'ref="A1:A2"' in zipfile.ZipFile(wrong).read("xl/worksheets/sheet1.xml")
    assert read_columns(wrong).n_rows == 30


def test_excel_without_openpyxl(save, monkeypatch):
    path = save(["t"], ["a"])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(CommandError, match=r'needs openpyxl: pip install "skactive\[excel\]"'):
        read_columns(path)


# JSON --------------------------------------------------------------------------------------------


def test_json_values_stay_what_they_are(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text('{"id": 1, "t": ["a", {"b": null}]}\n\n{"id": "007", "t": "NA"}\n{"n": 2.0}\n')
    table = read_columns(path)
    assert table.columns["id"] == [1, "007", None]
    assert table.columns["t"] == [["a", {"b": None}], "NA", None]
    assert table.columns["n"] == [None, None, 2]
    assert table.lines == [1, 3, 4]


# Damage ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv.gz", "jsonl", "json", "parquet", "xlsx"])
def test_a_damaged_file_is_one_line_of_error(tmp_path, kind, save):
    """Bytes are changed at random: the file is read, or the error is a single line."""
    path = tmp_path / f"data.{kind}"
    if kind == "xlsx":
        save(["id", "t"], *[[i, f"text {i}"] for i in range(20)])
    elif kind == "csv.gz":
        import gzip

        path.write_bytes(gzip.compress(b"id,t\n" + b"1,a\n" * 50, mtime=0))
    elif kind == "parquet":
        pd = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        pd.DataFrame({"id": np.arange(20), "t": [f"text {i}" for i in range(20)]}).to_parquet(path)
    else:
        rows = ",\n".join(f'{{"id": {i}, "t": ["x"]}}' for i in range(9))
        path.write_text(f"[{rows}]" if kind == "json" else rows.replace(",\n", "\n"))
    sound, draw = path.read_bytes(), random.Random(0)
    n_errors = 0
    for _ in range(60):
        damaged = bytearray(sound)
        for _ in range(draw.choice([1, 3, 20])):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        path.write_bytes(damaged[: draw.choice([len(damaged), draw.randrange(len(damaged))])])
        try:
            read_columns(path)
        except CommandError as error:
            n_errors += 1
            said = str(error)
            assert len(said.splitlines()) == 1, said
    assert n_errors > 10
