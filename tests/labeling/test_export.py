"""Labels in files, as other programs read them."""

import csv
import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner
from skactive.exceptions import SkactiveWarning
from skactive.labeling import LabelingSession
from skactive.labeling._export import write_content
from skactive.labeling.exporting._content import Answers, make_answers, make_items
from skactive.strategies import Random

RECORDS = [
    {"id": "a", "kind": "label", "label": 'ça va, "très" bien\n', "annotator": "ann@x.org",
     "time": 1.7e9, "seconds": 2.5, "round": 10, "score": 0.25, "ticket": "t"},
    {"id": "a", "kind": "label", "label": ["x", "y"], "annotator": None,
     "time": 1.7e9 + 0.5, "seconds": None, "round": None, "score": None, "ticket": None},
    {"id": "b", "kind": "skip", "label": None, "annotator": "bob",
     "time": 1.7e9 + 1, "seconds": None, "round": None, "score": None, "ticket": None},
]  # fmt: skip
TIME = "2023-11-14T22:13:20+00:00"
TEXTS = [f"message {i} about {'money' if i % 2 else 'parcels'}" for i in range(12)]


def export_answers(records, path, kind=None):
    write_content(make_answers(Answers(records)), path, kind)
    return path


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_jsonl(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def opened(tmp_path):
    """Opens sessions on texts, by default; they are closed after the test."""
    sessions = []

    def open_session(X=TEXTS, model=None, ids=None, **options):
        if model is None:
            model = make_pipeline(CountVectorizer(), LogisticRegression())
        learner = ActiveLearner(model, Random(), random_state=0)
        sessions.append(
            LabelingSession(learner, X, ids=ids, background=False, random_state=0, **options)
        )
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


@pytest.fixture
def answered(opened):
    """A session in which two people answered some rows."""
    session = opened(ids=[f"r{i}" for i in range(12)])
    session.submit({"r3": "spam", "r2": "ham", "r5": "spam"}, annotator="ann")
    session.submit({"r3": "ham", "r2": "ham"}, annotator="bob")
    session.skip(["r7"], annotator="bob")
    session.mark_unknown(["r8"], annotator="ann")
    session.skip(["r8"], annotator="bob")
    return session


# Answers ----------------------------------------------------------------------------------------


def test_answers_in_csv(tmp_path):
    rows = read_csv(export_answers(RECORDS, tmp_path / "out.csv"))
    assert rows[0] == {
        "id": "a", "kind": "label", "label": 'ça va, "très" bien\n', "annotator": "ann@x.org",
        "time": TIME, "seconds": "2.5", "round": "10", "score": "0.25", "ticket": "t",
    }  # fmt: skip
    assert json.loads(rows[1]["label"]) == ["x", "y"]
    assert (rows[2]["kind"], rows[2]["label"]) == ("skip", "")


def test_answers_in_jsonl(tmp_path):
    rows = read_jsonl(export_answers(RECORDS, tmp_path / "out.jsonl"))
    assert rows[0] == RECORDS[0] | {"time": TIME}
    assert rows[1]["label"] == ["x", "y"]


def test_answers_in_parquet(tmp_path):
    records = [record | {"label": str(record["label"])} for record in RECORDS]
    table = pd.read_parquet(export_answers(records, tmp_path / "out.parquet"))
    assert table["id"].tolist() == ["a", "a", "b"]
    assert table["time"].iloc[0] == pd.Timestamp(TIME)


def test_answers_in_label_studio(tmp_path):
    path = export_answers(RECORDS, tmp_path / "out.json")
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
    assert export_answers([], tmp_path / "out.csv").read_text().startswith("id,kind,label")
    assert len(pd.read_parquet(export_answers([], tmp_path / "out.parquet"))) == 0


def test_the_kind_may_be_named(tmp_path):
    path = export_answers(RECORDS[:1], tmp_path / "labels", "jsonl")
    assert json.loads(path.read_text())["id"] == "a"
    with pytest.raises(
        ValueError, match=r"pass a kind, one of csv, jsonl, parquet, label-studio, xlsx"
    ):
        export_answers(RECORDS, tmp_path / "labels.odt")


# Items ------------------------------------------------------------------------------------------


def test_an_item_has_its_text_and_all_about_its_answers(answered, tmp_path):
    rows = read_csv(answered.export(tmp_path / "out.csv"))
    times = [row.pop("time") for row in rows]
    assert [list(row.values()) for row in rows] == [
        ["r2", TEXTS[2], "ham", "labeled", "bob", "ann; bob", "2", "true"],
        ["r3", TEXTS[3], "ham", "labeled", "bob", "ann; bob", "2", "false"],
        ["r5", TEXTS[5], "spam", "labeled", "ann", "ann", "1", ""],
        ["r7", TEXTS[7], "", "skipped", "", "bob", "1", ""],
        ["r8", TEXTS[8], "", "unknown", "", "ann; bob", "2", ""],
    ]
    assert list(rows[0]) == [
        "id", "text", "label", "status", "labeled_by", "annotators", "n_answers", "agree",
    ]  # fmt: skip
    assert all(datetime.fromisoformat(time).tzinfo == UTC for time in times)
    assert times[0] > times[2]  # of the last answer
    rows = read_jsonl(answered.export(tmp_path / "out.jsonl", unlabeled=True))
    assert [row["id"] for row in rows] == answered.ids
    assert rows[0]["status"] == "unlabeled"
    assert (rows[0]["label"], rows[0]["time"], rows[0]["annotators"]) == (None, None, [])
    assert rows[3]["annotators"] == ["ann", "bob"]
    assert (rows[3]["agree"], rows[2]["agree"], rows[5]["agree"]) == (False, True, None)


def test_answers_are_exported_on_request(answered, tmp_path):
    rows = read_jsonl(answered.export(tmp_path / "out.jsonl", rows="answers"))
    assert len(rows) == 8
    assert [row["id"] for row in rows] == [record["id"] for record in answered.records()]
    for options in ({"data": {}}, {"predictions": True}, {"unlabeled": True}):
        with pytest.raises(ValueError, match='need rows="items"'):
            answered.export(tmp_path / "out.csv", rows="answers", **options)
    with pytest.raises(ValueError, match='rows must be "items" or "answers"'):
        answered.export(tmp_path / "out.csv", rows="item")


def test_columns_of_data_that_are_called_like_ours_get_a_prefix(answered, tmp_path):
    data = {"id": answered.ids, "label": ["gold"] * 12, "data_label": ["x"] * 12, 5: range(12)}
    with pytest.warns(SkactiveWarning, match="'label' of the data is written as 'data_data_label'"):
        path = answered.export(tmp_path / "out.csv", data=data)
    row = read_csv(path)[0]
    assert list(row)[:5] == ["id", "data_data_label", "data_label", "5", "label"]
    assert (row["id"], row["data_data_label"], row["label"], row["5"]) == ("r2", "gold", "ham", "2")
    with pytest.warns(SkactiveWarning, match="'id' of the data is written as 'data_id'"):
        path = answered.export(tmp_path / "out.csv", data={"id": list("abcdefghijkl")})
    assert read_csv(path)[0]["data_id"] == "c"


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ({"a": [1, 2]}, ValueError, "each of the 12 rows of the pool, but its column 'a' has 2"),
        ([1, 2], TypeError, "data must be a mapping"),
        ({"a": "twelve texts"}, TypeError, "A column of data must be a list, got str"),
    ],
)
def test_data_that_do_not_fit(answered, tmp_path, data, error, message):
    with pytest.raises(error, match=message):
        answered.export(tmp_path / "out.csv", data=data)
    assert not (tmp_path / "out.csv").exists()


def test_pools_of_several_kinds(opened, tmp_path):
    pl = pytest.importorskip("polars")
    frame = pd.DataFrame({"a": np.arange(6.0), "b": [True, False] * 3})
    for X, columns in (
        (frame, {"a": 1.0, "b": False}),
        (pl.from_pandas(frame), {"a": 1.0, "b": False}),
        (frame.to_numpy(dtype=float), {}),
        (pd.concat([frame, frame[["a"]]], axis=1), {"a": 1.0, "b": False, "a_2": 1.0}),
    ):
        session = opened(X, LogisticRegression())
        session.submit({1: "x"})
        row = read_jsonl(session.export(tmp_path / "out.jsonl"))[0]
        assert {name: row[name] for name in columns} == columns
        assert list(row)[1:-7] == list(columns)


# Predictions ------------------------------------------------------------------------------------


def test_predictions_of_the_rest(answered, tmp_path):
    rows = read_jsonl(answered.export(tmp_path / "out.jsonl", predictions=True))
    assert [row["id"] for row in rows] == answered.ids
    labeled, rest = rows[3], rows[7]
    assert labeled["prediction"] is labeled["probability"] is labeled["probability_ham"] is None
    assert rest["prediction"] == answered.predict([TEXTS[7]])[0]
    proba = answered.learner.predict_proba([TEXTS[7]])[0]
    assert rest["probability"] == pytest.approx(proba.max(), abs=1e-6)
    assert [rest["probability_ham"], rest["probability_spam"]] == pytest.approx(proba, abs=1e-6)
    tasks = json.loads(answered.export(tmp_path / "out.json", predictions=True).read_text())
    assert tasks[7]["data"] == {"id": "r7", "text": TEXTS[7]}
    (prediction,) = tasks[7]["predictions"]
    assert prediction["score"] == rest["probability"]
    assert prediction["result"][0]["value"] == {"choices": [rest["prediction"]]}
    assert "predictions" not in tasks[3]


def test_audit_rows_are_marked(opened, tmp_path):
    session = opened(audit_share=0.25)
    rows = [i for i in session.ids if i not in session.audit_ids][:4]
    session.submit({i: "spam" if i % 2 else "ham" for i in rows})
    exported = read_jsonl(session.export(tmp_path / "out.jsonl", predictions=True))
    assert {row["id"] for row in exported if row["audit"]} == session.audit_ids
    assert len(session.audit_ids) == 3


@pytest.mark.parametrize(
    "model", [OneVsRestClassifier(LogisticRegression()), RandomForestClassifier(5)]
)
def test_predictions_of_several_classes_per_row(opened, tmp_path, model):
    X = np.random.RandomState(0).randn(20, 2)
    session = opened(X, model, multilabel=True, classes=["a", "b"])
    session.submit({i: [c for c, x in zip("ab", X[i], strict=True) if x > 0] for i in range(12)})
    rows = read_jsonl(session.export(tmp_path / "out.jsonl", predictions=True))
    for row in rows[12:]:
        likely = [c for c in "ab" if row[f"probability_{c}"] > 0.5]
        assert row["prediction"] == likely
        assert "probability" not in row
    assert rows[0]["label"] == [c for c, x in zip("ab", X[0], strict=True) if x > 0]


def test_models_without_probabilities(opened, tmp_path):
    X = np.random.RandomState(0).randn(10, 2)
    for model, labels in ((RidgeClassifier(), "ab"), (LinearRegression(), (0.5, 1.5))):
        session = opened(X, model)
        session.submit({0: labels[0], 1: labels[1]})
        row = read_jsonl(session.export(tmp_path / "out.jsonl", predictions=True))[2]
        assert row["prediction"] == pytest.approx(session.predict(X[2:3]).tolist()[0])
        assert list(row)[-2:] == ["prediction", "audit"]


def test_too_few_labels_to_predict(opened, tmp_path):
    with pytest.raises(ValueError, match="0 labels are too few"):
        opened().export(tmp_path / "out.csv", predictions=True)
    assert not (tmp_path / "out.csv").exists()


# Values -----------------------------------------------------------------------------------------

VALUES = {
    "text": ["é", "", None],
    "int": [1, 2**60, None],
    "float": [0.1, -1e-300, np.nan],
    "infinite": [np.inf, -np.inf, 1.0],
    "bool": [True, False, None],
    "date": [pd.Timestamp("2024-01-02 03:04"), datetime(2024, 1, 2), pd.NaT],
    "list": [[1, 2], [], None],
    "object": [{"a": [1, {"b": None}]}, {"c": 1}, None],
    "mixed": ["a", 1, 2.5],
    "huge": [2**70, 1, None],
    "bytes": [b"\xff", b"", None],
    "numpy": [np.int64(3), np.int64(4), pd.NA],
}


@pytest.fixture
def of_values(opened, tmp_path):
    """Exports a session of three rows with values of many types."""

    def export(name, **options):
        session = opened(["one", "two", "three"])
        session.submit({0: "x"})
        return session.export(tmp_path / name, data=VALUES, unlabeled=True, **options)

    return export


def test_types_are_kept_in_jsonl(of_values):
    first, second, third = read_jsonl(of_values("out.jsonl"))
    for name in ("text", "int", "float", "bool", "list", "object", "mixed", "huge", "numpy"):
        assert [first[name], second[name]] == VALUES[name][:2]
    assert first["infinite"] == "inf"
    assert first["date"] == "2024-01-02T03:04:00"
    assert all(third[name] is None for name in ("text", "int", "float", "date", "numpy"))


def test_types_are_kept_in_parquet(of_values):
    with pytest.warns(SkactiveWarning, match="no type for the values of '(object|mixed|huge)'"):
        path = of_values("out.parquet")
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    types = {name: str(table.schema.field(name).type) for name in VALUES}
    assert types["int"] == types["numpy"] == "int64"
    assert types["float"] == types["infinite"] == "double"
    assert (types["bool"], types["text"]) == ("bool", "string")
    assert types["date"].startswith("timestamp")
    assert types["bytes"] == "binary"
    columns = table.to_pydict()
    assert columns["int"] == VALUES["int"]
    assert columns["float"] == [0.1, -1e-300, None]
    assert columns["list"] == VALUES["list"]
    assert columns["mixed"] == ["a", "1", "2.5"]
    assert json.loads(columns["object"][0]) == VALUES["object"][0]
    assert columns["huge"] == [str(2**70), "1", None]


def test_values_are_as_people_write_them_in_csv(of_values):
    first, second, third = read_csv(of_values("out.csv"))
    assert first | {"time": ""} == {
        "id": "0", "text": "é", "int": "1", "float": "0.1", "infinite": "inf", "bool": "true",
        "date": "2024-01-02T03:04:00", "list": "[1, 2]", "object": '{"a": [1, {"b": null}]}',
        "mixed": "a", "huge": str(2**70), "bytes": "/w==", "numpy": "3", "label": "x",
        "status": "labeled", "labeled_by": "", "annotators": "", "n_answers": "1", "agree": "",
        "time": "",
    }  # fmt: skip
    assert (second["float"], second["infinite"]) == ("-1e-300", "-inf")  # numbers stay numbers
    assert third["numpy"] == third["float"] == third["date"] == ""


def test_types_are_kept_in_excel(of_values):
    openpyxl = pytest.importorskip("openpyxl")
    sheet = openpyxl.load_workbook(of_values("out.xlsx")).active
    header, first, second, _ = sheet.iter_rows(values_only=True)
    one, two = dict(zip(header, first, strict=True)), dict(zip(header, second, strict=True))
    assert (one["int"], two["int"], one["float"], one["bool"]) == (1, str(2**60), 0.1, True)
    assert one["date"] == datetime(2024, 1, 2, 3, 4)
    assert one["infinite"] == "inf"


def test_excel_holds_texts_as_texts(opened, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    texts = ["=1+1", "\x00\x1b", "007", "x" * 32_767]
    session = opened(texts)
    session.submit(dict.fromkeys(range(4), "=2"))
    sheet = openpyxl.load_workbook(session.export(tmp_path / "o.xlsx")).active
    cells = [row[1] for row in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == ["=1+1", "\\x00\\x1b", "007", "x" * 32_767]
    assert {cell.data_type for cell in cells} == {"s"}
    session = opened(["x" * 32_768])
    session.submit({0: "a"})
    with pytest.raises(ValueError, match=r"32,767 characters, not 32,768 .* write csv or parquet"):
        session.export(tmp_path / "new.xlsx")
    assert not (tmp_path / "new.xlsx").exists()


@settings(max_examples=25)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_texts_come_back_from_every_format(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("out")
    ids = [str(i) for i in range(len(texts))]
    content = make_items(Answers([]), ids, {"body": texts}, text="body", unlabeled=True)
    for name in ("o.csv", "o.jsonl", "o.parquet", "o.json"):
        write_content(content, folder / name, None, spreadsheet_safe=False)
    assert [row["body"] for row in read_csv(folder / "o.csv")] == texts
    assert [row["body"] for row in read_jsonl(folder / "o.jsonl")] == texts
    assert pd.read_parquet(folder / "o.parquet")["body"].tolist() == texts
    tasks = json.loads((folder / "o.json").read_text(encoding="utf-8"))
    assert [task["data"]["text"] for task in tasks] == texts
    readable = [text for text in texts if "\0" not in text]  # pandas ends a cell there
    if readable == texts:
        frame = pd.read_csv(folder / "o.csv", dtype=str, keep_default_na=False)
        assert frame["body"].tolist() == texts


# Formulas ---------------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+SUM(1)", "-2+3", "@A1", "\t=1", "\r=1", "\n=1", "\uff1d1", "\0=1",
            "\ufeff=1", "-", "+49 30 1"]  # fmt: skip
HARMLESS = ["-1.5", "+3", "-1e-5", "1=1", "'=1", "a-b", "", " ", "é", "-.5", "\u200b"]


def test_texts_that_spreadsheets_would_run_are_quoted(opened, tmp_path):
    texts = [*FORMULAS, *HARMLESS]
    session = opened(texts, ids=[f"={i}" for i in range(len(texts))])
    session.submit(dict.fromkeys(session.ids, "=class"), annotator="@ann")
    data = {"=column": texts}
    rows = read_csv(session.export(tmp_path / "out.csv", data=data))
    assert [row["'=column"] for row in rows] == [*(f"'{text}" for text in FORMULAS), *HARMLESS]
    ours = ("label", "labeled_by", "annotators")
    assert {tuple(row[name] for name in ours) for row in rows} == {("'=class", "'@ann", "'@ann")}
    assert rows[1]["id"] == "'=1"
    rows = read_csv(session.export(tmp_path / "o.csv", data=data, spreadsheet_safe=False))
    assert [row["=column"] for row in rows] == texts
    rows = read_csv(session.export(tmp_path / "o.csv", rows="answers"))
    assert {(row["label"], row["annotator"]) for row in rows} == {("'=class", "'@ann")}
    for name in ("o.jsonl", "o.parquet", "o.json"):
        assert b"'=" not in session.export(tmp_path / name, rows="answers").read_bytes()


def test_bytes_that_are_texts_are_quoted_like_texts(opened, tmp_path):
    session = opened(["a", "b", "c"])
    session.submit(dict.fromkeys(session.ids, "x"))
    rows = read_csv(session.export(tmp_path / "o.csv", data={"raw": [b"=1+1", b"ok", b"\xff"]}))
    assert [row["raw"] for row in rows] == ["'=1+1", "ok", "/w=="]


# Broken texts -----------------------------------------------------------------------------------


def test_halves_of_characters_are_escaped_and_reported(tmp_path):
    records = [
        RECORDS[0] | {"id": "x\ud83d", "label": ["\udfff"], "annotator": "\ud83d"},
        RECORDS[2],
    ]
    answers = Answers(records)
    content = make_items(answers, data={"\ud800": [{"\ud801": "\ud802"}, 0]}, ids=["x\ud83d", "b"])
    for name in ("o.csv", "o.jsonl", "o.json", "o.parquet", "o.xlsx"):
        if name == "o.xlsx":
            pytest.importorskip("openpyxl")
        for each in (content, make_answers(answers)):
            notes = write_content(each, tmp_path / name, None)
            assert any("lone surrogates" in note for note in notes), name
    content_text = (tmp_path / "o.jsonl").read_text(encoding="utf-8")
    assert json.loads(content_text.splitlines()[0])["id"] == "x\\ud83d"
    assert read_csv(tmp_path / "o.csv")[0]["annotator"] == "\\ud83d"


def test_an_older_file_stays_if_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "out.jsonl"
    path.write_text("before")

    def fail(*arguments, **options):
        raise ValueError("in the middle")

    monkeypatch.setattr("skactive.labeling.exporting._tables.dump_json", fail)
    with pytest.raises(ValueError, match="in the middle"):
        export_answers(RECORDS, path)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]
