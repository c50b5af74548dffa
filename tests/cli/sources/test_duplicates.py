"""Rows that repeat another row."""

import pytest

from skactive.cli._errors import CommandError
from skactive.cli.projects._recorded import add_part, read_copies
from skactive.cli.sources._duplicates import find_copies, merge_labels, repeat_for_copies
from skactive.labeling import SQLiteLabelStore


def test_copies():
    assert find_copies({0: "a", 2: "b", 3: "a", 7: "a", 8: "b"}) == {3: 0, 7: 0, 8: 2}


def test_labels_of_copies_are_merged_or_refused():
    assert merge_labels({3: "x", 2: "y", 0: "x"}, {3: 0, 7: 0}, []) == {0: "x", 2: "y"}
    with pytest.raises(CommandError, match=r"\('x' and 'y', lines 2, 9\)"):
        merge_labels({0: "x", 1: "y"}, {1: 0}, [2, 9])


def test_every_record_of_a_row_is_repeated():
    records = [{"id": "a", "label": 1}, {"id": "b", "label": 2}, {"id": "a", "label": 3}]
    repeated = repeat_for_copies(records, {"c": "a", 5: "a"})
    assert [(r["id"], r["label"]) for r in repeated] == [
        ("a", 1), ("c", 1), (5, 1), ("b", 2), ("a", 3), ("c", 3), (5, 3)
    ]  # fmt: skip


def test_copies_come_from_the_store(tmp_path):
    store = SQLiteLabelStore(tmp_path / "labels.db")
    add_part(store, "copies", {"c": "a", 5: "a"})
    add_part(store, "copies", {"c": None, 6: "b"})
    assert read_copies(store) == {5: "a", 6: "b"}
    store.close()
