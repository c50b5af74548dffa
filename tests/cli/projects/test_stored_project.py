"""Stores from their files: odd names, full disks, and reading without writing."""

import os
import subprocess
import sys

import pytest

from skactive.cli import main
from skactive.labeling import SQLiteLabelStore
from skactive.labeling.state._events import Event, new_id

LABEL = ["label", "data.csv", "--text", "body", "--classes", "good,bad", "--store"]
READING = (["status"], ["export"], ["backup"], ["label", "--resume"])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"some text of number {i}" for i in range(30)]
    (tmp_path / "data.csv").write_text("\n".join(["body", *lines, ""]))
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain.db").write_text("no store")
    (tmp_path / "loop.db").symlink_to("loop.db")
    os.mkfifo(tmp_path / "pipe.db")
    return tmp_path


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def run(capsys, *arguments):
    code = main([*arguments, *{"export": ["out.csv"], "backup": ["copy.db"]}.get(arguments[0], [])])
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("skactive: ")
    assert err.count("\n") == 1
    assert "unexpected" not in err
    return code, err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
@pytest.mark.parametrize("command", READING, ids=" ".join)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * 300 + ".db", "file not found: xxx"),
        ("folder", "folder is a folder"),
        ("pipe.db", "pipe.db is not a file but a pipe"),
        ("/dev/null", "/dev/null is not a file but a pipe"),
        ("plain.db", "plain.db is not a store of labels; it was not touched"),
        ("loop.db", "loop.db is a link to a file that does not exist"),
        ("plain.db/labels.db", "file not found: plain.db/labels.db"),
        (":memory:", "file not found: :memory:"),
        ("file:a.db?mode=memory", "file not found: file:a.db?mode=memory"),
    ],
)
def test_a_store_to_read_that_cannot_be(folder, capsys, command, name, said):
    before = files(folder)
    code, err = run(capsys, *command, name)
    assert code == 2
    assert said in err
    assert files(folder) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * 300 + ".db", "File name too long"),
        ("folder", "folder is a folder"),
        ("pipe.db", "pipe.db is not a file"),
        ("/dev/null", "/dev/null is not a file"),
        ("plain.db", "plain.db is not a store of labels"),
        ("loop.db", "loop.db cannot be read"),
        ("none/labels.db", "folder not found: none"),
        (":memory:", ":memory:"),
        ("file:a.db?mode=memory", "file:a.db"),
    ],
)
def test_a_new_store_that_cannot_be(folder, capsys, name, said):
    before = files(folder)
    code, err = run(capsys, *LABEL, name)
    assert code in {1, 2}
    assert said in err
    assert files(folder) == before


@pytest.mark.no_cover
@pytest.mark.skipif(sys.platform != "linux", reason="limits of the size of files")
@pytest.mark.parametrize("kilobytes", [0, 48, 100])
def test_a_disk_that_is_full(folder, kilobytes):
    command = [sys.executable, "-m", "skactive", *LABEL, "new.db"]
    done = subprocess.run(
        ["bash", "-c", f'ulimit -f {kilobytes}; exec "$@"', "bash", *command],
        input="good\nbad\n" * 20,
        capture_output=True,
        text=True,
    )
    assert done.returncode in {0, 1, 2}
    lines = [line for line in done.stderr.splitlines() if "joblib" not in line]  # no shared memory
    assert all(line.startswith("skactive: ") for line in lines)
    assert len(lines) == (done.returncode != 0)
    assert [name for name in files(folder) if "new.db." in name] == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_store_that_is_write_protected_can_be_read(folder, capsys):
    store = SQLiteLabelStore("labels.db")
    store.append([Event("label", new_id(), item="r1", value="good")])
    store.close()
    (folder / "labels.db").chmod(0o444)
    folder.chmod(0o555)
    try:
        assert main(["status", "labels.db"]) == 0
        assert "1 of 0 rows" in capsys.readouterr().out
    finally:
        folder.chmod(0o755)


def test_reading_writes_nothing(folder):
    store = SQLiteLabelStore("labels.db")
    store.append([Event("label", new_id(), item="r1", value="good")])
    store.close()
    before = files(folder), (folder / "labels.db").stat().st_mtime_ns
    assert main(["status", "labels.db"]) == 0
    assert main(["export", "labels.db", "out.csv"]) == 0
    (folder / "out.csv").unlink()
    assert (files(folder), (folder / "labels.db").stat().st_mtime_ns) == before
