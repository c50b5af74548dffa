"""Hooks: the progress bar, and a history that survives what happens to files."""

import csv
import io
import json
import sys
import warnings

import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive.exceptions import SkactiveWarning
from skactive.labeling import LabelingSession, SessionEvent
from skactive.labeling.hooks import HistoryWriter, ProgressBar
from skactive.labeling.hooks._history import FIELDS
from skactive.stopping import Budget

X, Y = load_iris(return_X_y=True)
METRICS = {"n_learned": 10.0, "audit_n": 4.0, "audit_score": 0.75, "gain": 0.5}


def campaign(*hooks, n_rounds=4, **options):
    options = {"background": False, "random_state": 0, "refit_every": 10} | options
    with LabelingSession(ActiveLearner(GaussianNB()), X, hooks=hooks, **options) as session:
        for _ in range(n_rounds):
            batch = session.next_batch(10, "ann")
            answers = {row: int(Y[row]) for row in batch.ids}
            session.submit(answers, ticket=batch.ticket, annotator="ann", seconds=2)
        return session.progress()


def make_event(name, **about):
    return SessionEvent(name, 2, 12, **about)


# -- the bar -----------------------------------------------------------------------------------


def test_the_bar_counts_labels_and_shows_round_and_accuracy():
    pytest.importorskip("tqdm")
    shown = io.StringIO()
    with ProgressBar(150, file=shown) as bar:
        campaign(bar, audit_share=0.2)
    text = shown.getvalue()
    assert bar.n_labels == 40
    assert "labeling:  27%" in text
    assert "40/150" in text
    assert "round 3, accuracy " in text


def test_the_bar_goes_back_and_on_after_what_was_there_before():
    pytest.importorskip("tqdm")
    shown = io.StringIO()
    bar = ProgressBar(file=shown)
    bar.on_labels(SessionEvent("on_labels", 1, 100, (1, 2), labels={1: "a", 2: "b"}))
    assert bar._bar.initial == 98
    bar.on_labels(SessionEvent("on_labels", 1, 99, (2,), labels={2: "a"}))
    assert bar._bar.n == 99
    bar.on_stop(make_event("on_stop", reason="enough"))
    bar.close()
    bar.close()
    assert "99label" in shown.getvalue()
    assert "stop: enough" in shown.getvalue()


def test_the_bar_is_on_standard_error(capfd):
    pytest.importorskip("tqdm")
    with ProgressBar() as bar:
        bar.on_round_end(make_event("on_round_end"))
    out, err = capfd.readouterr()
    assert out == ""
    assert "round 2" in err


def test_without_tqdm_the_bar_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match=r"skactive\[progress\]"):
        ProgressBar()


# -- the history -------------------------------------------------------------------------------


def lines(path):
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(params=[".csv", ".jsonl"])
def path(request, tmp_path):
    return tmp_path / f"history{request.param}"


def test_a_line_a_round(path):
    campaign(HistoryWriter(path), stopping=Budget(20), audit_share=0.2)
    found = lines(path)
    rounds = [line for line in found if line["event"] == "round"]
    assert [int(line["n_labels"]) for line in rounds] == [0, 20, 30]
    assert [int(line["n_learned"]) for line in rounds] == [0, 10, 20]
    assert rounds[0]["audit_n"] == ("" if path.suffix == ".csv" else None)
    assert int(rounds[-1]["audit_n"]) == 6
    assert 0 < float(rounds[-1]["audit_score"]) <= 1
    stops = [line for line in found if line["event"] == "stop"]
    assert len(stops) == 1
    assert "20" in stops[0]["reason"]
    assert tuple(found[0]) == FIELDS


def test_a_line_a_label_if_asked(path):
    campaign(HistoryWriter(path, labels=True), n_rounds=2)
    found = [line for line in lines(path) if line["event"] == "label"]
    assert len(found) == 20
    assert {(line["annotator"], float(line["seconds"])) for line in found} == {("ann", 2.0)}
    assert all(int(line["label"]) == Y[int(line["id"])] for line in found)


def test_labels_of_any_kind_come_back(path):
    labels = {"ä,1": 'a "b",\nc\r', "ö": ["x", "y,z"], 3: True, 4: 0.5}
    writer = HistoryWriter(path, labels=True)
    writer.on_labels(make_event("on_labels", ids=tuple(labels), labels=labels))
    writer.on_round_end(make_event("on_round_end", metrics=METRICS | {"odd": float("inf")}))
    *found, last = lines(path)
    jsonl = path.suffix == ".jsonl"
    assert [line["id"] for line in found] == (list(labels) if jsonl else [str(i) for i in labels])
    if jsonl:
        assert [line["label"] for line in found] == list(labels.values())
    else:
        assert [json.loads(line["label"]) for line in found[:2]] == list(labels.values())[:2]
        assert [line["label"] for line in found[2:]] == ["True", "0.5"]
    readings = last["readings"] if jsonl else json.loads(last["readings"])
    assert readings == {"gain": 0.5, "odd": None}
    assert len(path.read_bytes().split(b"\n")) == 5 + (not jsonl) + 1


def test_a_history_is_continued(path):
    campaign(HistoryWriter(path), n_rounds=2)
    before = path.read_bytes()
    campaign(HistoryWriter(path), n_rounds=3)
    assert path.read_bytes().startswith(before)
    assert [int(line["n_labels"]) for line in lines(path)] == [0, 10, 0, 10, 20]


def test_an_empty_file_is_begun(path):
    path.touch()
    HistoryWriter(path).on_round_end(make_event("on_round_end", metrics=METRICS))
    assert [line["event"] for line in lines(path)] == ["round"]


@pytest.mark.parametrize("content", ["id,label\n1,a\n", '{"a": 1}\n', "[1]\n", "no end", "\xe9\n"])
def test_another_file_is_left_as_it_is(path, content):
    path.write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match="is not a history with the fields"):
        HistoryWriter(path)
    assert path.read_text(encoding="latin-1") == content


def test_a_line_that_was_cut_short_is_taken_away(path):
    writer = HistoryWriter(path)
    for _ in range(2):
        writer.on_round_end(make_event("on_round_end", metrics=METRICS))
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    with pytest.warns(SkactiveWarning, match="was incomplete and has been removed"):
        writer = HistoryWriter(path)
    assert len(lines(path)) == 1
    writer.on_round_end(make_event("on_round_end", metrics=METRICS))
    assert len(lines(path)) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        HistoryWriter(path)


def test_lines_are_on_disk_at_once(path, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", lambda number: synced.append(path.read_bytes()))
    HistoryWriter(path).on_round_end(make_event("on_round_end", metrics=METRICS))
    assert synced[-1].count(b': "round"' if path.suffix == ".jsonl" else b"00,round,") == 1


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a .csv or a .jsonl file, got history.txt"):
        HistoryWriter(tmp_path / "history.txt")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_stops_no_labeling(path):
    writer = HistoryWriter(path, labels=True)
    path.unlink()
    path.mkdir()  # nothing can be written there
    with pytest.warns(SkactiveWarning, match=r"hook HistoryWriter.* failed; labeling continues"):
        assert campaign(writer, n_rounds=1).n_labeled == 10
