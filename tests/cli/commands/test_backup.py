"""``skactive backup``: a copy that was read back, or none."""

import errno
import os

import pytest
from label_stores import SETTINGS

from skactive.cli import main
from skactive.cli.projects import _stored_project
from skactive.cli.projects._stored_project import read_store
from skactive.labeling import SQLiteLabelStore
from skactive.labeling.state._events import Event, new_id


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store of three labels, which others have open."""
    monkeypatch.chdir(tmp_path)
    store = SQLiteLabelStore(tmp_path / "labels.db")
    store.set_fact("campaign", SETTINGS)
    store.append(Event("label", new_id(), item=f"r{i}", value="good") for i in range(3))
    store.append([Event("skip", new_id(), item="r5")])
    yield store
    store.close()


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_copy_holds_everything_and_is_a_store(store, tmp_path, capsys):
    assert main(["backup", "labels.db", "copy.db"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out == "copy.db holds 3 labels, in 4 events; each was read back and is intact\n"
    with read_store(tmp_path / "copy.db") as copy, read_store(store.path) as original:
        assert list(copy.iter_records()) == list(original.iter_records())
        assert copy.settings == original.settings == SETTINGS
    assert [name for name in files(tmp_path) if "skactive" in name] == []
    store.append([Event("label", new_id(), item="r7", value="bad")])
    assert main(["backup", "copy.db", "again.db"]) == 0
    assert "3 labels" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["labels.db", "taken.txt"], "taken.txt exists already: name a new file for the copy"),
        (["labels.db", "labels.db"], "labels.db exists already: name a new file for the copy"),
        (["labels.db", "dangling.db"], "dangling.db exists already: name a new file for the copy"),
        (["labels.db", "no/copy.db"], "folder not found: no; create it first, for copy.db"),
        (["none.db", "copy.db"], "file not found: none.db"),
        (["taken.txt", "copy.db"], "taken.txt is not a store of labels; it was not touched. Pass "
         "another file, or a new one."),
    ],
)  # fmt: skip
def test_mistakes(store, tmp_path, capsys, arguments, line):
    (tmp_path / "taken.txt").write_text("mine")
    (tmp_path / "dangling.db").symlink_to("nowhere")
    before = files(tmp_path)
    assert main(["backup", *arguments]) == 2
    assert capsys.readouterr() == ("", f"skactive: {line}\n")
    assert files(tmp_path) == before
    assert (tmp_path / "taken.txt").read_text() == "mine"


def test_a_copy_that_cannot_be_read_back_is_removed(store, tmp_path, capsys, monkeypatch):
    def write_half(self, path):
        path.write_bytes(self.path.read_bytes()[:5000])

    monkeypatch.setattr(SQLiteLabelStore, "backup", write_half)
    before = files(tmp_path)
    assert main(["backup", "labels.db", "copy.db"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert files(tmp_path) == before


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_appears_meanwhile_is_kept(store, tmp_path, capsys, monkeypatch, has_links):
    def write_and_lose_the_race(path):
        (tmp_path / "copy.db").write_text("mine")
        return read_store(path)  # the original

    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(_stored_project, "read_store", write_and_lose_the_race)
    assert main(["backup", "labels.db", "copy.db"]) == 2
    assert "copy.db exists already" in capsys.readouterr().err
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_file_system_without_links(store, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert main(["backup", "labels.db", "copy.db"]) == 0
    with read_store(tmp_path / "copy.db") as copy:
        assert len(list(copy.iter_records())) == 4


def test_an_interrupted_copy_is_removed(store, tmp_path, monkeypatch):
    def interrupt(path):
        raise KeyboardInterrupt

    before = files(tmp_path)
    monkeypatch.setattr(_stored_project, "read_store", interrupt)
    assert main(["backup", "labels.db", "copy.db"]) == 130
    assert files(tmp_path) == before
