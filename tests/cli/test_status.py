"""``skactive status``: the lines about a store, whole or damaged, which stays as it is."""

import json
from typing import NamedTuple

import pytest

from skactive.cli import _stored_project, main
from skactive.exceptions import StoreError
from skactive.labeling import SQLiteLabelStore, stores
from skactive.labeling.state._events import Event, new_id

PLAN = {"ids": ["r8"], "scores": [0.5], "fit_seconds": 1, "query_seconds": 1, "stop": "",
        "stopping": {}, "n_labels": 2, "upto": 2, "by": "new", "audit": None}  # fmt: skip


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = SQLiteLabelStore(tmp_path / "labels.db")
    store.set_fact("pool", {"n_rows": 9})
    yield store
    store.close()


def add(store, kind, item, annotator, value=None):
    store.append([Event(kind, new_id(), item=item, annotator=annotator, value=value)])


def add_plan(store, **changes):
    store.append([Event("plan", new_id(), value=PLAN | changes)])


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


def test_plans_of_other_settings_do_not_count(store, capsys):
    for number, by in enumerate(["new", "old", "new", "old", "new"]):
        add(store, "label", f"r{number}", "ann", "good")
        add_plan(store, by=by, upto=number, n_labels=number)
    summary = json.loads(show(capsys, "--json"))
    assert (summary["n_rounds"], summary["n_learned"]) == (3, 4)
    project = _stored_project.read_store(store.path)
    assert project.n_events == 10
    assert all(plan.value["ids"] == [] for plan in project.state.rounds)


def test_accuracy_waits_for_audit_rows(store, capsys, monkeypatch):
    assert "Accuracy" not in show(capsys)
    store.set_fact("campaign", {"audit": 0.1, "path": "data.csv", "classes": []})
    assert "Accuracy   after 20 audit rows; 0 so far\n" in show(capsys)
    summarize = _stored_project.StoredProject.summary
    monkeypatch.setattr(
        _stored_project.StoredProject,
        "summary",
        lambda self: summarize(self) | {"n_audited": 3, "min_audited": 20, "accuracy": None},
    )
    assert "Accuracy   after 20 audit rows; 3 so far\n" in show(capsys)


def test_output_needs_salvage(store, capsys):
    assert main(["status", "labels.db", "--output", "copy.db"]) == 2
    assert "--output names a copy of what --salvage reads" in capsys.readouterr().err


# Salvage ----------------------------------------------------------------------------------------


class Salvage(NamedTuple):
    """What a damaged store still holds, as a store reports it."""

    n_events: int
    problems: list
    output: object


@pytest.fixture
def salvaged(store, monkeypatch):
    """Let every store have the same damage; return the arguments of the calls."""
    calls = []

    def salvage_store(path, output=None):
        calls.append((path.name, None if output is None else output.name))
        return Salvage(7, ["page 3: damaged", "event 5: odd \x1b[31m checksum"], output)

    monkeypatch.setattr(stores, "salvage_store", salvage_store, raising=False)
    return calls


def test_salvage_shows_what_can_be_read(salvaged, capsys):
    assert show(capsys, "--salvage").splitlines() == [
        "Readable   7 events",
        "Left out   page 3: damaged",
        "           event 5: odd ␛[31m checksum",
        "Original   labels.db, not changed",
        "Copy       none; --output COPY writes what can be read to a new store",
    ]
    assert show(capsys, "--salvage", "--output", "copy.db").splitlines()[-2:] == [
        "Copy       copy.db",
        "Continue   skactive label --resume copy.db",
    ]
    assert salvaged == [("labels.db", None), ("labels.db", "copy.db")]


def test_salvage_as_json(salvaged, capsys):
    found = json.loads(show(capsys, "--salvage", "--json", "--output", "copy.db"))
    assert (found["n_events"], len(found["problems"]), found["output"]) == (7, 2, "copy.db")


def test_a_store_of_which_nothing_can_be_read(store, capsys, monkeypatch):
    def refuse(path, output=None):
        raise StoreError(f"{path} is not a store of labels.")

    monkeypatch.setattr(stores, "salvage_store", refuse, raising=False)
    assert main(["status", "labels.db", "--salvage"]) == 2
    assert capsys.readouterr().err == "skactive: labels.db is not a store of labels.\n"
    assert main(["status", "none.db", "--salvage"]) == 2
    assert capsys.readouterr().err == "skactive: file not found: none.db\n"


@pytest.mark.skipif(not hasattr(stores, "salvage_store"), reason="needs salvage_store")
def test_a_damaged_store_is_salvaged(store, tmp_path, capsys):
    for number in range(300):
        add(store, "label", f"r{number}", "ann", "good")
    store.close()
    content = bytearray(store.path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = b"\xff" * 200
    store.path.write_bytes(content)
    assert main(["status", "labels.db"]) == 2
    capsys.readouterr()
    out = show(capsys, "--salvage", "--output", "copy.db")
    assert "Continue   skactive label --resume copy.db" in out
    assert store.path.read_bytes() == content
    n_labels = json.loads(show(capsys, "--salvage", "--json"))["n_events"]
    assert 0 < n_labels <= 300
    assert main(["status", "copy.db"]) == 0
