"""Facts of a store about a project: parts that are added, settings of the first version."""

from contextlib import closing

import pytest

from skactive.cli._errors import CommandError
from skactive.cli.projects._recorded import add_part, complete_settings, read_parts, read_recorded
from skactive.cli.projects._stored_project import read_store
from skactive.labeling import SQLiteLabelStore
from skactive.labeling.state._events import Event


def test_parts_add_up(tmp_path):
    store = SQLiteLabelStore(tmp_path / "labels.db")
    assert read_parts(store, "files") == {}
    add_part(store, "files", {"a": 1, "b": 2})
    add_part(store, "files", {"a": 1, "b": 2})
    assert store.fact("files 2") is None  # nothing was new
    other = SQLiteLabelStore(tmp_path / "labels.db")
    add_part(other, "files", {"b": 3, "c": 4})
    other.close()
    add_part(store, "files", {5: 9})
    assert read_parts(store, "files") == {"a": 1, "b": 3, "c": 4, 5: 9}
    store.close()


def test_a_store_of_a_program_has_no_settings(tmp_path):
    SQLiteLabelStore(tmp_path / "labels.db").close()
    recorded = read_recorded(tmp_path / "labels.db")
    assert (recorded.settings, recorded.n_rows, recorded.sizes) == (None, 0, {})


def test_settings_of_the_first_version_are_completed():
    settings = complete_settings({"text": "body"})
    assert settings["reading"] == 1
    assert settings["group_duplicates"] is False
    assert complete_settings({"reading": 2, "label": "y"})["label"] == "y"


SETTINGS = {
    "kind": "text", "text": "body", "id": None, "label": "y", "classes": ["a", "b"], "batch": 10,
    "multilabel": False, "model": "logistic", "strategy": "Auto", "audit": 0.1, "files": None,
    "path": "/data.csv", "beside": "data.csv",
}  # fmt: skip


def make_labeled(tmp_path, *events):
    store = SQLiteLabelStore(tmp_path / "labels.db")
    store.set_fact("campaign", SETTINGS)
    store.append(events)
    store.close()
    return read_recorded(tmp_path / "labels.db")


def test_rows_that_had_an_answer_are_known(tmp_path):
    recorded = make_labeled(
        tmp_path,
        Event("label", "1", item="r1", value="a"),
        Event("skip", "2", item=7),
        Event("undo", "3", item="r1", target="1"),
        Event("class", "4", value="c"),
    )
    assert recorded.items == {"r1", 7}
    assert recorded.classes == ["a", "b", "c"]


def test_renamed_classes_are_followed(tmp_path):
    renames = [("a", "x"), ("x", "b"), ("c", "d"), ("d", "c")]
    events = [Event("class", "c", value="c")]
    events += [
        Event("rename", f"{old}{new}", value={"old": old, "new": new}) for old, new in renames
    ]
    recorded = make_labeled(tmp_path, *events)
    assert recorded.renamed == {"a": "b", "x": "b", "d": "c"}
    assert set(recorded.classes) == {"a", "b", "c", "d", "x"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("classes", [1]), ("path", None), ("audit", "all"), ("batch", True), ("kinds", [])],
)
def test_settings_that_nobody_stores(tmp_path, name, value):
    with closing(SQLiteLabelStore(tmp_path / "labels.db")) as store:
        store.set_fact("campaign", SETTINGS | {name: value})
    with pytest.raises(CommandError, match="fact campaign of the store has a content that no"):
        read_recorded(tmp_path / "labels.db")
    with pytest.raises(CommandError, match="fact campaign"), read_store(tmp_path / "labels.db"):
        pass


@pytest.mark.parametrize("part", [5, [["n"]], [["n", "x"]], [[[], 1]], {"n": 1}, ["nn"]])
def test_parts_that_nobody_stores(tmp_path, part):
    with closing(SQLiteLabelStore(tmp_path / "labels.db")) as store:
        store.set_fact("rows 1", part)
    with pytest.raises(CommandError, match="fact rows 1 of the store has a content that no"):
        read_recorded(tmp_path / "labels.db")


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("separator", ";;", "The setting separator of the store cannot be used"),
        ("encoding", "no-such", "The setting encoding of the store cannot be used"),
        ("audit", 7.0, "The fact campaign of the store has a content that no session stores"),
    ],
)
def test_settings_that_cannot_be_used_are_an_error(tmp_path, name, value, match):
    path = tmp_path / "labels.db"
    with closing(SQLiteLabelStore(path)) as store:
        store.set_fact("campaign", SETTINGS | {name: value})
    with pytest.raises(CommandError, match=match):
        read_recorded(path)
