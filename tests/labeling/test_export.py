"""Answers in files, as other programs read them."""

import csv
import json

import pandas as pd
import pytest

from skactive.labeling._export import export

RECORDS = [
    {"id": "a", "kind": "label", "label": 'ça va, "très" bien\n', "annotator": "ann@x.org",
     "time": 1.7e9, "seconds": 2.5, "round": 10, "score": 0.25, "ticket": "t"},
    {"id": "a", "kind": "label", "label": ["x", "y"], "annotator": None,
     "time": 1.7e9 + 0.5, "seconds": None, "round": None, "score": None, "ticket": None},
    {"id": "b", "kind": "skip", "label": None, "annotator": "bob",
     "time": 1.7e9 + 1, "seconds": None, "round": None, "score": None, "ticket": None},
]  # fmt: skip
TIME = "2023-11-14T22:13:20+00:00"


def test_csv(tmp_path):
    path = export(RECORDS, tmp_path / "out.csv", None)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "id": "a", "kind": "label", "label": 'ça va, "très" bien\n', "annotator": "ann@x.org",
        "time": TIME, "seconds": "2.5", "round": "10", "score": "0.25", "ticket": "t",
    }  # fmt: skip
    assert json.loads(rows[1]["label"]) == ["x", "y"]
    assert (rows[2]["kind"], rows[2]["label"]) == ("skip", "")


def test_jsonl(tmp_path):
    path = export(RECORDS, tmp_path / "out.jsonl", None)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert rows[0] == RECORDS[0] | {"time": TIME}
    assert rows[1]["label"] == ["x", "y"]


def test_parquet(tmp_path):
    records = [record | {"label": str(record["label"])} for record in RECORDS]
    table = pd.read_parquet(export(records, tmp_path / "out.parquet", None))
    assert table["id"].tolist() == ["a", "a", "b"]
    assert table["time"].iloc[0] == pd.Timestamp(TIME)


def test_label_studio(tmp_path):
    path = export(RECORDS, tmp_path / "out.json", None)
    first, second = json.loads(path.read_text(encoding="utf-8"))
    assert first["data"] == {"id": "a"}
    one, two = first["annotations"]
    assert one["result"][0]["value"] == {"choices": ['ça va, "très" bien\n']}
    assert one["result"][0]["type"] == "choices"
    assert (one["was_cancelled"], one["lead_time"], one["created_at"]) == (False, 2.5, TIME)
    assert one["completed_by"] == {"email": "ann@x.org"}
    assert two["result"][0]["value"] == {"choices": ["x", "y"]}
    assert second["annotations"][0]["result"] == []
    assert second["annotations"][0]["was_cancelled"]


def test_nothing_to_export(tmp_path):
    assert export([], tmp_path / "out.csv", None).read_text().startswith("id,kind,label")
    assert len(pd.read_parquet(export([], tmp_path / "out.parquet", None))) == 0


def test_the_kind_may_be_named(tmp_path):
    path = export(RECORDS[:1], tmp_path / "labels", "jsonl")
    assert json.loads(path.read_text())["id"] == "a"
    with pytest.raises(ValueError, match=r"csv, jsonl, parquet, label-studio, got kind=None"):
        export(RECORDS, tmp_path / "labels.xlsx", None)


def test_an_older_file_stays_if_writing_fails(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("before")
    with pytest.raises(TypeError):
        export([RECORDS[0] | {"label": object()}], path, None)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]
