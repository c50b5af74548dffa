"""``skactive label --numbers`` and its kin: columns of numbers, from the file to the export."""

import csv
import io
import json

import numpy as np
import pytest

from skactive.cli import main
from skactive.cli._errors import CommandError
from skactive.cli.learners._models import REGRESSORS
from skactive.cli.projects._project import read_project
from skactive.cli.sources._file_labels import read_labels
from skactive.cli.sources._file_numbers import read_numbers
from skactive.strategies import LCMD, PredictiveStd

N = 60
LABEL = ["label", "homes.csv", "--label", "price", "--store", "labels.db", "--annotator", "ann"]


def price_of(row):
    return round(3.0 * row["area"] - row["age"] + 0.5, 2)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in a folder with a table of homes, of which 25 have a price, and one of texts."""
    monkeypatch.chdir(tmp_path)
    random = np.random.RandomState(0)
    rows = [{"area": a, "age": b} for a, b in random.randint(1, 100, (N, 2)).tolist()]
    with (tmp_path / "homes.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["area", "age", "price"])
        writer.writeheader()
        for i, row in enumerate(rows):
            writer.writerow({**row, "price": price_of(row) if i < 25 else ""})
    texts = [f"{i % 7} stars, said guest {i}" for i in range(30)]
    (tmp_path / "texts.csv").write_text("\n".join(["body", *(f'"{t}"' for t in texts), ""]))
    return tmp_path


def run(monkeypatch, capsys, arguments, lines=""):
    """Return the exit code, the output and the error of a command that reads lines."""
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_numbers_from_the_file_to_the_export(folder, monkeypatch, capsys):
    lines = "12.5\n5 kg\n12,345\nundo\n-3\nskip\n1e2\n"
    code, out, err = run(monkeypatch, capsys, [*LABEL, "--numbers"], lines)
    assert (code, err) == (0, "")
    assert "25 of 60 rows have a number (column 'price')" in out
    assert "'5 kg' is not a number" in " ".join(out.split())
    assert "12,345 may mean 12345 or 12.345" in " ".join(out.split())
    assert "Undone: labeled 12.5." in out
    code, out, _ = run(monkeypatch, capsys, ["status", "labels.db"])
    assert "Labels     27 of 60 rows, 1 skipped" in out
    assert "Classes" not in out
    assert "Mean error" in out
    assert "Accuracy" not in out
    code, out, _ = run(monkeypatch, capsys, ["export", "labels.db", "out.jsonl", "--predictions"])
    rows = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [row["label"] for row in rows[:25]] == [float(row["price"]) for row in rows[:25]]
    given = [row["label"] for row in rows[25:] if row["label"] is not None]
    assert sorted(given) == [-3, 100]
    predicted = [row["prediction"] for row in rows if row["label"] is None]
    assert len(predicted) == 33
    assert all(isinstance(number, float) for number in predicted)
    main(["export", "labels.db", "tasks.json"])
    task = json.loads((folder / "tasks.json").read_text())[0]
    assert task["annotations"][0]["result"][0]["type"] == "number"


def test_a_project_is_continued_with_its_numbers(folder, monkeypatch, capsys):
    run(monkeypatch, capsys, [*LABEL, "--numbers", "--min", "-200", "--max", "400"], "5\n")
    code, out, _ = run(monkeypatch, capsys, ["label", "--resume", "labels.db"], "401\n6\n")
    assert code == 0
    assert "0-9 number from -200 to 400" in out
    assert "401 is out of range" in " ".join(out.split())
    assert "27 labels are in labels.db" in out
    code, _, err = run(monkeypatch, capsys, [*LABEL, "--numbers"], "5\n")
    assert code == 2
    assert "labels.db was created with min -200, max 400: continue with" in err
    code, _, err = run(monkeypatch, capsys, ["label", "--resume", "labels.db", "--numbers"])
    assert "--numbers cannot be combined with --resume" in err


def test_the_status_is_the_error_of_the_session(folder, capsys):
    options = {"file": "homes.csv", "label": "price", "store": "labels.db", "numbers": True}
    with read_project({**options, "audit": 0.4}).open(background=False) as session:
        for _ in range(4):
            ids = session.next_batch(8, "ann").ids
            answers = {i: price_of(session.X.iloc[i]) for i in ids}
            session.submit(answers, annotator="ann")
        session.peek()
        error, n_audited = session.progress().error, session.rounds[-1]["n_audited"]
    assert n_audited >= 20
    assert main(["status", "labels.db"]) == 0
    mean, low, high = (f"{value:.3g}" for value in error)
    out = capsys.readouterr().out
    assert f"Mean error {mean} on the audit (95 % interval {low} to {high})\n" in out
    main(["status", "labels.db", "--json"])
    summary = json.loads(capsys.readouterr().out)
    assert summary["error"] == list(error)
    assert (summary["has_classes"], summary["classes"]) == (False, {})


def test_the_status_of_classes_has_the_accuracy_too(folder, capsys):
    options = {"file": "homes.csv", "store": "labels.db", "classes": ("old", "new"), "audit": 0.5,
               "columns": ["area", "age"]}  # fmt: skip
    with read_project(options).open(background=False) as session:
        for _ in range(7):
            ids = session.next_batch(8, "ann").ids
            session.submit({i: "old" if session.X.iloc[i]["age"] > 50 else "new" for i in ids})
        session.peek()
        share, low, high = session.progress().accuracy
    main(["status", "labels.db"])
    words = (
        f"{100 * share:.0f} % on the audit (95 % interval {100 * low:.0f} to {100 * high:.0f} %)"
    )
    assert f"Accuracy   {words}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "column 'price' holds numbers, such as"),
        ([], "pass --numbers to label with numbers, or declare them as classes by --classes A,B"),
        (["--numbers", "--classes", "a,b"], "--classes is for classes, and --numbers"),
        (["--numbers", "--multilabel"], "--multilabel is for classes, and --numbers"),
        (["--numbers", "--classes-file", "c.txt"], "--classes-file is for classes"),
        (["--numbers", "--model", "svm"], "with --numbers use forest or ridge"),
        (["--classes", "a,b", "--model", "ridge"], "--model ridge predicts numbers: add --numbers"),
        (["--classes", "a,b", "--min", "0"], "--min limits numbers: add --numbers"),
        (["--numbers", "--min", "5", "--max", "5"], "--min must be below --max, got 5 and 5"),
        (["--numbers", "--max", "10"], "column 'price' holds cells that cannot be labels:"),
        (["--numbers", "--strategy", "Margin"], "Margin cannot be used with --model forest"),
        (["--numbers", "--strategy", "Margin"], "such as PredictiveStd"),
    ],
)
def test_mistakes(folder, monkeypatch, capsys, arguments, said):
    code, out, err = run(monkeypatch, capsys, [*LABEL, *arguments])
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not (folder / "labels.db").exists()


@pytest.mark.parametrize("limit", ["nan", "inf", "ten", "1,5"])
def test_limits_are_numbers(folder, capsys, limit):
    with pytest.raises(SystemExit):
        main([*LABEL, "--numbers", "--min", limit])
    assert "expected a number, such as 0.5" in capsys.readouterr().err


def test_without_classes_and_numbers_both_are_advised(folder, capsys):
    assert main(["label", "texts.csv", "--text", "body", "--store", "labels.db"]) == 2
    assert "or label with numbers: --numbers" in capsys.readouterr().err


@pytest.mark.parametrize("strategy", ["Auto", "PredictiveStd", "LCMD", "Random"])
def test_texts_are_labeled_with_numbers(folder, strategy):
    options = {"file": "texts.csv", "text": "body", "store": "labels.db", "numbers": True}
    with read_project({**options, "strategy": strategy}).open(background=False) as session:
        for _ in range(3):
            ids = session.next_batch(10).ids
            session.submit({i: int(session.X[i][0]) for i in ids})
        session.peek()
        assert session.progress().problem == ""
        assert session.labels_are_numbers
        predicted = session.predict(session.X)
    assert np.corrcoef(predicted, [int(t[0]) for t in session.X])[0, 1] > 0.5


def test_models_of_numbers_serve_strategies_that_need_a_deviation():
    X, y = np.random.RandomState(0).normal(size=(20, 3)), np.arange(20.0)
    for make in REGRESSORS.values():
        from skactive.cli.learners._models import serves

        fitted = make().fit(X, y)
        assert all(serves(fitted, strategy) for strategy in (PredictiveStd(), LCMD()))


def test_a_column_of_targets_is_advised_as_labels(folder, capsys):
    rows = [f"{i},{i % 7},{i / 7:.3f}" for i in range(40)]
    (folder / "t.csv").write_text("\n".join(["a,b,target", *rows, ""]))
    assert main(["label", "t.csv", "--numbers", "--store", "labels.db"]) == 2
    assert "--label target" in capsys.readouterr().err


# Columns ------------------------------------------------------------------------------------------


def classes_of(values):
    return read_labels("y", dict(enumerate(values)), [], None, False).classes


@pytest.mark.parametrize(
    "values",
    [
        ["1.5", "2", "2", "2"],
        [0.5, None, 0.5, 1.5],
        ["120", "95", "300"],
        [1, 2, 3, 4],
        ["7", *map(str, range(15))],  # most are there once
    ],
    ids=["halves", "floats", "unrepeated", "integers", "many"],
)
def test_numbers_are_not_taken_for_classes(values):
    with pytest.raises(CommandError, match="holds numbers, such as"):
        classes_of(values)


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["0", "1", "1"], ["0", "1"]),
        (["1.0", "0.0", "1.0", ""], ["0", "1"]),
        ([str(i % 10) for i in range(25)], [str(i) for i in range(10)]),
        (["007", "008", "009"], ["007", "008", "009"]),
        (["1", "2"], ["1", "2"]),
        (["1.5", "2.5", "x"], ["1.5", "2.5", "x"]),
    ],
)
def test_whole_numbers_that_repeat_are_classes(values, classes):
    assert classes_of(values) == classes


def test_declared_numbers_are_classes():
    assert read_labels("y", {0: "1.5", 1: "2.5"}, [], ["1.5", "2.5"], False).labels == {
        0: "1.5", 1: "2.5"
    }  # fmt: skip


def test_cells_of_numbers():
    values = ["3.7", 2.0, np.float64(0.25), 7, "", None, float("nan"), "NA", " n/a ", "3,5", "1e3"]
    found = read_numbers("y", dict(enumerate(values)), [], (None, None))
    assert found.labels == {0: 3.7, 1: 2, 2: 0.25, 3: 7, 9: 3.5, 10: 1000}
    assert found.classes == []
    assert found.notes == ["6 of 11 rows have a number (column 'y')"]


@pytest.mark.parametrize("value", ["high", "1,234", "5 kg", True, "true", "inf", "-", [1], "1_000"])
def test_cells_that_are_no_numbers(value):
    with pytest.raises(
        CommandError, match=r"column 'y' holds cells .* \(row 2\); correct or empty"
    ):
        read_numbers("y", {0: 1.5, 1: value}, [], (None, None))
