"""``skactive status``: the lines about a store, whole or damaged, which stays as it is."""

import json

import pytest
from label_stores import SETTINGS

from skactive.cli import main
from skactive.cli.projects import _stored_project
from skactive.labeling import SQLiteLabelStore
from skactive.labeling.state._events import Event, new_id


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = SQLiteLabelStore(tmp_path / "labels.db")
    yield store
    store.close()


def add(store, kind, item, annotator, value=None):
    store.append([Event(kind, new_id(), item=item, annotator=annotator, value=value)])


def show(capsys, *arguments):
    assert main(["status", "labels.db", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_skips_are_no_labels(store, capsys):
    for item in ("r1", "r2"):
        add(store, "label", item, "ann", "good")
    add(store, "skip", "r3", "ann")
    add(store, "label", "r4", "ben", "good")
    out = show(capsys)
    assert "People     ann: 2 labels and 1 without\n           ben: 1 label\n" in out
    annotators = json.loads(show(capsys, "--json"))["annotators"]
    assert annotators["ann"] == {"labels": 2, "answers": 3, "seconds": None}


def test_a_router_is_no_person_and_its_promise_is_shown(store, capsys):
    ask = Event("ask", new_id(), value={"items": ["r1", "r2"], "said": ""})
    add(store, "label", "r1", "ann", "good")
    value = {"certificate": "At most 5 % are wrong.", "items": ["r3"], "confidence": [0.9]}
    value |= {"cost": [0.25], "other_cost": 0.5}
    route = Event("route", "route-1", annotator="model", value=value)
    answer = Event("label", new_id(), item="r3", annotator="model", value="good", ticket="route-1")
    store.append([ask, route, answer])
    out = show(capsys)
    assert "People     ann: 1 label\nRouter     model: 1 label\n" in out
    assert "Promise    At most 5 % are wrong.\n" in out
    assert "Audit      1 row of the router's audit to be labeled by people first\n" in out
    assert "Money      0.75: 1 label of people, and 0.75 for answers of the router\n" in out


def test_accuracy_waits_for_audit_rows(store, capsys, monkeypatch):
    assert "Accuracy" not in show(capsys)
    store.set_fact("campaign", SETTINGS | {"path": "data.csv", "classes": []})
    assert "Accuracy   needs 20 audit rows; there are only 0\n" in show(capsys)
    store.set_fact("pool", {"n_rows": 300, "ids": "", "rows": ""})
    assert "Accuracy   after 20 audit rows; 0 so far\n" in show(capsys)
    summarize = _stored_project.StoredProject.summary
    monkeypatch.setattr(
        _stored_project.StoredProject,
        "summary",
        lambda self: summarize(self) | {"n_audited": n_audited, "accuracy": (0.5, 0.1, 0.9)},
    )
    n_audited = 3
    assert "Accuracy   after 20 audit rows; 3 so far\n" in show(capsys)
    n_audited = 20
    assert "Accuracy   50 % on the audit (95 % interval 10 to 90 %)\n" in show(capsys)


def test_output_needs_salvage(store, capsys):
    assert main(["status", "labels.db", "--output", "copy.db"]) == 2
    assert "--output names a copy of what --salvage reads" in capsys.readouterr().err


# Salvage ----------------------------------------------------------------------------------------


@pytest.fixture
def damaged(store):
    """A store of 300 labels with damage in the middle; return its content."""
    store.append(
        Event("label", new_id(), item=f"r{i}", annotator="ann", value="good\x1b")
        for i in range(300)
    )
    store.close()
    content = bytearray(store.path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 5000] = b"\xff" * 5000
    store.path.write_bytes(content)
    return content


def test_what_can_be_read_is_copied(store, damaged, capsys):
    assert main(["status", "labels.db"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("skactive: labels.db")
    assert err.count("\n") == 1
    lines = show(capsys, "--salvage", "--output", "copy.db").splitlines()
    assert 0 < int(lines[0].removeprefix("Readable   ").removesuffix(" events")) < 300
    assert lines[1].startswith("Left out   ")
    assert lines[-3:] == [
        "Original   labels.db, not changed",
        "Copy       copy.db",
        "Continue   skactive label FILE ... --store copy.db, with the options of the start",
    ]
    assert "\x1b" not in "".join(lines)
    assert store.path.read_bytes() == damaged
    assert main(["status", "copy.db"]) == 0
    out = capsys.readouterr().out
    found = json.loads(show(capsys, "--salvage", "--json", "--output", "again.db"))
    assert found["output"] == "again.db"
    assert found["problems"]
    assert f"Labels     {found['n_events']:,} of 0 rows\n" in out


def test_a_copy_with_settings_is_resumed(store, capsys):
    store.set_fact("campaign", SETTINGS)
    add(store, "label", "r1", "ann", "good")
    store.close()
    assert "Continue   skactive label --resume labels-salvaged.db\n" in show(capsys, "--salvage")


def test_a_whole_store_has_nothing_to_leave_out(store, capsys):
    add(store, "label", "r1", "ann", "good")
    store.close()
    assert "Readable   1 event\nLeft out   nothing\n" in show(capsys, "--salvage")
    assert main(["status", "labels-salvaged.db"]) == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["none.db"], "file not found: none.db"),
        (["odd.txt"], "odd.txt"),
        (["labels.db", "--output", "odd.txt"], "odd.txt"),
    ],
)
def test_a_salvage_that_cannot_be(store, tmp_path, capsys, arguments, line):
    add(store, "label", "r1", "ann", "good")
    store.close()
    (tmp_path / "odd.txt").write_text("mine")
    assert main(["status", "--salvage", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert line in err
    assert (tmp_path / "odd.txt").read_text() == "mine"


# Money and hours --------------------------------------------------------------------------------


def test_money_and_hours_are_shown_against_their_budget(store, capsys):
    store.set_fact("pool", {"n_rows": 300, "ids": "", "rows": ""})
    assert "Hours" not in show(capsys)
    store.append(
        Event("label", new_id(), item=f"r{i}", annotator="ann", value="good", seconds=36.0)
        for i in range(100)
    )
    out = show(capsys)
    assert "Hours      1: 100 timed answers\n" in out
    assert "Left       about 2 hours for the rows without a label\n" in out
    assert "Money" not in out
    spending = {"price": 0.5, "price_per_hour": 12, "money": 60, "hours": None}
    store.set_fact("spending 1", spending)
    out = show(capsys)
    assert "Money      62, of 60: 100 labels\n" in out
    assert (
        "Stop?      You may stop now: the budget of 60 is used up: 100 labels and 1 h cost 62"
        in out
    )
    summary = json.loads(show(capsys, "--json"))
    assert summary["spending"] == spending
    assert summary["spent"]["money"] == 62
    assert summary["hours_left"] == 2
