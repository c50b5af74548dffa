"""Facts of a store about a project: parts that are added, settings of the first version."""

from skactive.cli._recorded import add_part, complete_settings, read_parts, read_recorded
from skactive.labeling import SQLiteLabelStore


def test_parts_add_up(tmp_path):
    store = SQLiteLabelStore(tmp_path / "labels.db")
    assert read_parts(store, "files") == {}
    add_part(store, "files", {"a": 1, "b": 2})
    add_part(store, "files", {"a": 1, "b": 2})
    assert store.fact("files 2") is None  # nothing was new
    other = SQLiteLabelStore(tmp_path / "labels.db")
    add_part(other, "files", {"b": 3, "c": 4})
    other.close()
    add_part(store, "files", {5: "x"})
    assert read_parts(store, "files") == {"a": 1, "b": 3, "c": 4, 5: "x"}
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
