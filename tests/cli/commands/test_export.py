"""``skactive export``: labels beside the data, which are read again."""

import csv
import io
import json
import subprocess
import sys

import pytest

from skactive.cli import main
from skactive.cli.projects._project import read_project
from skactive.labeling import SQLiteLabelStore

LABEL = ["label", "data.csv", "--text", "body", "--id", "id", "--classes", "good,bad",
         "--store", "labels.db", "--annotator", "ann", "--audit", "0"]  # fmt: skip
TEXTS = ["=1+1", "two\nlines, \"quoted\"", "-1.5", " spaces ", "NA", "é\u2028", "007", "'quoted'",
         "\ttab", "@a"] + [f"some text of number {i}" for i in range(10)]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path / "data.csv")
    return tmp_path


def write_data(path, texts=TEXTS):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "body"])
        writer.writerows([f"r{i}", text] for i, text in enumerate(texts))


@pytest.fixture
def run(folder, monkeypatch, capsys):
    """Runs a command; returns its exit code, its output and its errors."""

    def call(*arguments, typed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main(list(arguments))
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def labeled(run, folder):
    assert run(*LABEL, typed="good\nbad\nskip\ngood\n")[0] == 0
    return folder


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def test_items_stand_beside_the_data(run, labeled):
    assert run("export", "labels.db", "out.csv", "--no-spreadsheet-safe") == (
        0, "4 rows: out.csv\n", "",
    )  # fmt: skip
    rows = read(labeled / "out.csv")
    assert len(rows) == 4
    assert list(next(iter(rows.values())))[:3] == ["id", "body", "label"]
    assert all(row["body"] == TEXTS[int(ident[1:])] for ident, row in rows.items())
    assert sorted(row["status"] for row in rows.values()) == ["labeled"] * 3 + ["skipped"]
    assert sorted(row["label"] for row in rows.values()) == ["", "bad", "good", "good"]
    assert run("export", "labels.db", "a.csv", "--answers")[1] == "4 answers: a.csv\n"
    assert "body" not in next(iter(read(labeled / "a.csv").values()))


def test_an_export_can_be_labeled_again(run, labeled):
    run("export", "labels.db", "out.csv", "--all", "--no-spreadsheet-safe")
    run("export", "labels.db", "safe.csv", "--all")
    again = [*LABEL[:1], "out.csv", *LABEL[2:8], "--store"]
    for name, texts in (
        ("out.csv", TEXTS),
        ("safe.csv", [f"'{text}" if text[0] in "=@\t" else text for text in TEXTS]),
    ):
        again[1] = name
        assert run(*again, f"{name}.db", typed="good\n")[0] == 0
        with read_project({"resume": f"{name}.db"}).open(background=False) as session:
            assert list(session.X) == texts
            assert session.ids == [f"r{i}" for i in range(len(TEXTS))]
    pd = pytest.importorskip("pandas")
    frame = pd.read_csv("out.csv", dtype=str, keep_default_na=False)
    assert frame["body"].tolist() == TEXTS


def test_predictions_of_the_rest(run, labeled):
    assert run("export", "labels.db", "out.jsonl", "--predictions")[0] == 0
    lines = (labeled / "out.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["id"] for row in rows] == [f"r{i}" for i in range(len(TEXTS))]
    for row in rows:
        if row["label"] is None:
            assert row["prediction"] in {"good", "bad"}
            assert row["probability_good"] + row["probability_bad"] == pytest.approx(1, abs=1e-5)
        else:
            assert row["prediction"] is None
    assert run("export", "labels.db", "out.json", "--predictions")[0] == 0
    tasks = json.loads((labeled / "out.json").read_text("utf-8"))
    assert [task["data"]["text"] for task in tasks] == TEXTS
    assert sum("predictions" in task for task in tasks) == len(TEXTS) - 3


def test_too_few_labels_to_predict(run, folder):
    run(*LABEL, typed="good\n")
    code, out, err = run("export", "labels.db", "out.csv", "--predictions")
    assert (code, out) == (2, "")
    assert "1 labels are too few to fit" in err
    assert not (folder / "out.csv").exists()


def test_data_that_are_gone_or_changed_are_left_out(run, labeled):
    (labeled / "data.csv").rename(labeled / "moved.csv")
    code, out, err = run("export", "labels.db", "out.csv", "--all")
    assert (code, err) == (0, "")
    assert "Without the columns of the data and without rows that nobody has answered: " in out
    assert "data not found" in out
    assert out.count("\n") == 2
    rows = read(labeled / "out.csv")
    assert sorted(row["label"] for row in rows.values()) == ["", "bad", "good", "good"]
    assert "body" not in next(iter(rows.values()))
    assert run("export", "labels.db", "out.csv", "--data", "moved.csv")[1] == "4 rows: out.csv\n"
    assert "body" in next(iter(read(labeled / "out.csv").values()))
    write_data(labeled / "data.csv", [*TEXTS[:-1], "another text"])
    out = run("export", "labels.db", "out.csv")[1]
    assert "data.csv does not hold the 20 rows that labels.db was created for" in out
    assert "body" not in next(iter(read(labeled / "out.csv").values()))
    code, _, err = run("export", "labels.db", "new.csv", "--data", "data.csv")
    assert code == 2
    assert "data.csv does not hold the 20 rows" in err
    assert not (labeled / "new.csv").exists()


def test_data_that_have_grown_are_used(run, labeled):
    write_data(labeled / "data.csv", [*TEXTS, "one more"])
    assert run("export", "labels.db", "out.csv", "--all")[1] == "20 rows: out.csv\n"
    assert read(labeled / "out.csv")["r19"]["body"] == TEXTS[-1]


def test_rows_of_numbers(run, folder):
    pytest.importorskip("pandas")
    lines = [f"{i},{i / 4}" for i in range(20)]
    (folder / "n.csv").write_text("\n".join(["key,size", *lines, ""]))
    run("label", "n.csv", "--id", "key", *LABEL[6:], typed="good\nbad\n")
    run("export", "labels.db", "out.jsonl")
    rows = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert len(rows) == 2
    assert all(float(row["size"]) == int(row["id"]) / 4 for row in rows)


def test_a_store_of_a_program_is_exported_without_data(run, folder):
    SQLiteLabelStore(folder / "own.db").close()
    code, out, _ = run("export", "own.db", "out.csv")
    assert code == 0
    assert "own.db was not created by skactive label" in out
    assert "session.export(path, data=...)" in out
    code, _, err = run("export", "own.db", "out.csv", "--data", "data.csv")
    assert code == 2
    assert "own.db was not created by skactive label" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data.csv"], "data.csv is the labeled data: choose another file"),
        (["labels.db", "--kind", "csv"], "labels.db is the store itself"),
        (["x" * 300 + ".csv"], "File name too long"),
        (["none/out.csv"], "folder not found: none; create it first, for out.csv"),
        ([".", "--kind", "csv"], ". cannot be written: Is a directory"),
        (["out.csv", "--answers", "--all"], "--all cannot be combined with --answers"),
        (["out.csv", "--answers", "--predictions"], "--predictions cannot be combined"),
        (["out.csv", "--data", "none.csv"], "none.csv"),
        (["out.odt"], "out.odt has none of the suffixes .csv, .jsonl"),
    ],
)
def test_mistakes(run, labeled, arguments, message):
    before = {path: path.read_bytes() for path in labeled.iterdir()}
    code, out, err = run("export", "labels.db", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert {path: path.read_bytes() for path in labeled.iterdir()} == before


def test_to_standard_output(labeled):
    arguments = ["export", "labels.db", "/dev/stdout", "--kind", "jsonl"]
    done = subprocess.run(
        [sys.executable, "-m", "skactive", *arguments], capture_output=True, cwd=labeled, text=True
    )
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 4
    assert done.stderr == "4 rows: /dev/stdout\n"
