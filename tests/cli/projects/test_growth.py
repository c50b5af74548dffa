"""Rows that came, changed or went since a store was opened last."""

import pytest

from skactive.cli._errors import CommandError
from skactive.cli.projects._growth import check_files, get_sizes, note_new_rows
from skactive.cli.projects._recorded import Recorded
from skactive.cli.sources._data_source import DataSource


@pytest.fixture
def source(tmp_path):
    for name, size in (("a.png", 3), ("b.png", 5), ("c.png", 7)):
        (tmp_path / name).write_bytes(b"x" * size)
    names = ["a.png", "b.png", "c.png"]
    return DataSource("images", names, list(names))


def check(tmp_path, source, sizes, accept_changes=False):
    recorded = Recorded({"files": "digest"}, 3, sizes)
    check_files(tmp_path, source, tmp_path / "l.db", recorded, accept_changes=accept_changes)


def test_sizes_are_those_of_a_folder(tmp_path, source):
    assert get_sizes(tmp_path, source) == {"a.png": 3, "b.png": 5, "c.png": 7}
    assert get_sizes(tmp_path, DataSource("text", ["a.png"], None)) == {}


def test_new_files_are_accepted(tmp_path, source):
    check(tmp_path, source, {"a.png": 3, "b.png": 5})


def test_files_that_are_gone_are_named(tmp_path, source):
    sizes = {f"{i}.png": 1 for i in range(8)}
    with pytest.raises(CommandError, match=r"gone from .*: 0.png, .*, 4.png and 3 more; restore"):
        check(tmp_path, source, sizes, accept_changes=True)


def test_files_that_changed_are_named_or_accepted(tmp_path, source):
    sizes = {"a.png": 4, "b.png": 5, "c.png": 7}
    with pytest.raises(CommandError, match=r": a.png; restore them, or accept .* --accept-changes"):
        check(tmp_path, source, sizes)
    check(tmp_path, source, sizes, accept_changes=True)


def test_a_fingerprint_alone_allows_no_change(tmp_path, source):
    with pytest.raises(CommandError, match="some have another name or size"):
        check(tmp_path, source, {})


@pytest.mark.parametrize(("n_known", "said"), [(0, []), (3, []), (2, ["1 new row"])])
def test_new_rows_are_counted(source, n_known, said):
    assert note_new_rows(source, Recorded({}, n_known)) == said
    big = DataSource("text", ["x"] * 1002, None)
    assert note_new_rows(big, Recorded({}, 2)) == ["1,000 new rows"]
