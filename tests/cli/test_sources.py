"""Rows to label: texts exactly as the file has them."""

import json

import pytest

from skactive.cli._sources import read_source


def test_texts_are_kept_as_they_are(tmp_path):
    (tmp_path / "data.csv").write_bytes(
        '\ufeffid,body\n007,NA\n8,"two\nlines, and a comma"\n9,\n'.encode()
    )
    source = read_source(tmp_path / "data.csv", None, "body", "id")
    assert source.rows == ["NA", "two\nlines, and a comma", ""]
    assert source.ids == ["007", "8", "9"]


def test_jsonl(tmp_path):
    lines = [{"t": "a", "n": 1}, {"t": None, "n": 2}, {"n": 3, "t": {"x": "é"}}]
    text = "\n".join(map(json.dumps, lines))
    (tmp_path / "data.jsonl").write_text(f"{text}\n\n")
    source = read_source(tmp_path / "data.jsonl", None, "t", "n")
    assert source.rows == ["a", "", '{"x": "é"}']
    assert source.ids == [1, 2, 3]


def test_parquet(tmp_path):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"t": ["a", None, "c"], "n": [4, 5, 6]})
    frame.to_parquet(tmp_path / "data.parquet")
    source = read_source(tmp_path / "data.parquet", None, "t", "n")
    assert (source.rows, source.ids) == (["a", "", "c"], [4, 5, 6])
