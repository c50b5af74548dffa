"""``skactive route``: what is written, what is promised, and who is asked."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from skactive.cli import main
from skactive.cli.routing import _audit

WORDS = {
    "farm": [
        "cow",
        "barn",
        "hay",
        "tractor",
        "field",
        "milk",
        "wheat",
        "plough",
        "goat",
        "fence",
        "stable",
        "harvest",
    ],
    "sea": [
        "ship",
        "sail",
        "wave",
        "harbor",
        "anchor",
        "storm",
        "tide",
        "mast",
        "deck",
        "captain",
        "reef",
        "island",
    ],
}
N, N_LABELED, N_AUDIT = 260, 40, 60


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder: the outputs go there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_texts(seed=0):
    """Return texts and their topics; of every fifth, most words are of the other topic."""
    rng = np.random.default_rng(seed)
    topics = np.array(list(WORDS))[np.arange(N) % 2]
    texts = []
    for i, topic in enumerate(topics):
        other = "sea" if topic == "farm" else "farm"
        n_other = 4 if i % 5 == 0 and i >= N_LABELED else 0
        words = [*rng.choice(WORDS[topic], 6 - n_other), *rng.choice(WORDS[other], n_other)]
        texts.append(" ".join(words))
    return texts, topics


def write_table(path="data.csv", **columns):
    texts, topics = make_texts()
    labels = [topic if i < N_LABELED else "" for i, topic in enumerate(topics)]
    table = {"text": texts, "topic": labels, **columns}
    with Path(path).open("w", newline="") as file:
        csv.writer(file).writerows([table, *zip(*table.values(), strict=True)])
    return texts, topics


def read_rows(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


ROUTE = ["route", "data.csv", "--target", "topic", "--text", "text", "--audit", str(N_AUDIT),
         "--max-error", "0.2"]  # fmt: skip


def test_the_audit_may_come_from_a_column(capsys):
    truth = list(make_texts()[1])
    write_table(truth=truth)
    assert main([*ROUTE, "--audited", "truth"]) == 0
    out = capsys.readouterr().out
    assert "With 90 % confidence, at most 20 % of all labels of this pool are wrong" in out
    rows = read_rows("data-routed.csv")
    assert list(rows[0]) == ["text", "topic", "truth", "label", "source", "confidence"]
    by_model = [row for row in rows if row["source"] == "annotator"]
    by_people = [row for row in rows if row["source"] == "people"]
    left = [row for row in rows if not row["source"]]
    assert (len(by_people), len(rows)) == (N_LABELED + N_AUDIT, N)
    assert len(by_model) > 50
    assert f"{len(by_model)} rows labeled by the model, {len(by_people)} by people" in out
    assert all(row["label"] == row["truth"] for row in by_people)
    assert all(not row["label"] for row in left)
    assert all(0.5 <= float(row["confidence"]) <= 1 for row in by_model)
    assert all(not row["confidence"] for row in [*by_people, *left])
    wrong = sum(row["label"] != row["truth"] for row in by_model)
    assert wrong / (N - N_LABELED) <= 0.2


def test_a_column_that_is_renamed_is_said_once(capsys):
    write_table(truth=list(make_texts()[1]), label=["?"] * N)
    assert main([*ROUTE, "--audited", "truth"]) == 0
    assert capsys.readouterr().out.count("'label' of the data is written as 'data_label'") == 1
    assert read_rows("data-routed.csv")[0]["data_label"] == "?"


def answer_by_text(monkeypatch, n):
    """Let somebody who reads the texts answer n rows, in place of the terminal."""
    known = dict(zip(*make_texts(), strict=True))

    def label_rows(session, annotator, content, **options):
        for _ in range(n):
            batch = session.next_batch(1, annotator)
            label = str(known[content(batch.rows)])
            session.submit({batch.ids[0]: label}, ticket=batch.ticket, annotator=annotator)
        return 0

    monkeypatch.setattr(_audit, "label_rows", label_rows)


def test_the_terminal_asks_for_the_audit_and_no_more(monkeypatch, capsys):
    write_table()
    monkeypatch.setattr("sys.stdin", io.StringIO("sea\n" * (N_AUDIT + 30) + "q\n"))
    assert main([*ROUTE, "--annotator", "ann"]) == 0
    assert "The audit: 60 random rows to be labeled by you\n" in capsys.readouterr().out
    rows = read_rows("data-routed.csv")
    answered = [row for row in rows if row["source"] == "people" and not row["topic"]]
    assert [row["label"] for row in answered] == ["sea"] * N_AUDIT
    assert main(["status", "data-routed-audit.db"]) == 0
    assert "ann: 60 labels" in capsys.readouterr().out


def test_rows_that_nobody_knows_count_as_wrong_and_get_no_label(monkeypatch, capsys):
    write_table()
    monkeypatch.setattr("sys.stdin", io.StringIO("d\n" * N_AUDIT))
    assert main([*ROUTE, "--annotator", "ann", "--guarantee", "accepted"]) == 0
    assert "No answers of annotators can be accepted" in capsys.readouterr().out
    assert sum(row["source"] == "people" for row in read_rows("data-routed.csv")) == N_LABELED


def test_the_audit_may_be_labeled_here_and_continued(monkeypatch, capsys):
    _, topics = write_table()
    answer_by_text(monkeypatch, 25)
    assert main([*ROUTE, "--annotator", "ann"]) == 0
    out = capsys.readouterr().out
    assert out.endswith(
        "35 rows of the audit left; the labels are in data-routed-audit.db. Continue with the "
        "same command.\n"
    )
    assert not Path("data-routed.csv").exists()
    answer_by_text(monkeypatch, 35)
    assert main([*ROUTE, "--annotator", "ann"]) == 0
    written = read_rows("data-routed.csv")
    people = [i for i, row in enumerate(written) if row["source"] == "people"]
    assert [written[i]["label"] for i in people] == topics[people].tolist()
    assert len(people) == N_LABELED + N_AUDIT
    capsys.readouterr()
    answer_by_text(monkeypatch, 1)  # would fail: nothing is left to ask
    assert main([*ROUTE, "--annotator", "ann"]) == 0
    assert read_rows("data-routed.csv") == written


def test_the_labels_are_those_of_the_column_of_true_labels(monkeypatch, capsys):
    write_table(truth=list(make_texts()[1]))
    answer_by_text(monkeypatch, N_AUDIT)
    arguments = [*ROUTE[:2], *ROUTE[2:], "--annotator", "ann"]
    assert main([*arguments, "--output", "here.csv"]) == 0
    assert main([*arguments, "--output", "column.jsonl", "--audited", "truth"]) == 0
    capsys.readouterr()
    lines = [json.loads(line) for line in Path("column.jsonl").read_text().splitlines()]
    assert [line["label"] or "" for line in lines] == [r["label"] for r in read_rows("here.csv")]


def test_tables_are_routed_and_columns_of_our_names_are_kept(capsys):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 2))
    kind = np.where(X[:, 0] + 0.3 * rng.normal(size=N) > 0, "up", "down")
    labels = [name if i < N_LABELED else "" for i, name in enumerate(kind)]
    with Path("data.csv").open("w", newline="") as file:
        rows = zip(X[:, 0], X[:, 1], labels, kind, strict=True)
        csv.writer(file).writerows([["a", "b", "label", "truth"], *rows])
    arguments = ["--target", "label", "--audited", "truth", "--model", "forest", "--audit", "80"]
    assert main(["route", "data.csv", *arguments]) == 0
    assert "The column 'label' of the data is written as 'data_label'" in capsys.readouterr().out
    assert {row["source"] for row in read_rows("data-routed.csv")} == {"people", "annotator", ""}


def test_a_promise_that_cannot_be_kept_leaves_all_rows_to_people(capsys):
    write_table(truth=list(make_texts()[1]))
    assert main([*ROUTE, "--audited", "truth", "--max-error", "0.001"]) == 0
    assert "No answers of annotators can be accepted" in capsys.readouterr().out
    rows = read_rows("data-routed.csv")
    assert {row["source"] for row in rows} == {"people", ""}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--target", "none"], "data.csv has no column 'none'; it has text, topic, few"),
        (["--audited", "topic"], "--target and --audited both name the column 'topic'"),
        (["--audited", "few"], "column 'few' has no label in 60 of the 60 rows of the audit"),
        (["--max-error", "0"], "--max-error must be above 0"),
        (["--output", "data.csv"], "data.csv is the table itself"),
        (["--output", "out.json"], "the table is written as .csv or .jsonl or .parquet or .xlsx"),
        (["--annotator", "a\x1b"], "--annotator: 'a\\x1b' is empty or contains unprintable"),
    ],
    ids=["target", "twice", "audit", "error", "itself", "suffix", "name"],
)
def test_mistakes_are_said_before_anybody_labels(folder, capsys, arguments, said):
    write_table(few=["sea" if i < N_LABELED else "" for i in range(N)])
    before = sorted(folder.iterdir())
    options = [*ROUTE, *arguments]
    assert main(options) == 2
    err = capsys.readouterr().err
    assert err.startswith("skactive: ")
    assert said in err
    assert err.count("\n") == 1
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([""] * N, "column 'topic' holds no label"),
        (["sea"] * 5 + [""] * (N - 5), "holds only the class 'sea'"),
        (["sea", "farm"] * (N // 2), "every row of data.csv has a label"),
    ],
    ids=["none", "one class", "all"],
)
def test_there_must_be_labels_to_learn_from_and_rows_to_route(capsys, labels, said):
    write_table(topic=labels)
    assert main(ROUTE) == 2
    assert said in capsys.readouterr().err


def test_the_store_of_another_audit_is_not_used(monkeypatch, capsys):
    write_table()
    answer_by_text(monkeypatch, 5)
    assert main([*ROUTE, "--annotator", "ann"]) == 0
    assert main([*ROUTE, "--annotator", "ann", "--seed", "7"]) == 2
    assert "data-routed-audit.db holds the audit of other rows" in capsys.readouterr().err
