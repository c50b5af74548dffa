"""Standard streams that are closed, full, or read by nobody."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skactive.cli import _output, main
from skactive.cli._errors import OutputError
from skactive.labeling import SQLiteLabelStore
from skactive.labeling.state._events import Event, new_id

pytestmark = pytest.mark.skipif(os.name != "posix", reason="shell redirections")

FULL = "skactive: standard output cannot be written: No space left on device\n"
CLOSED = "skactive: standard output cannot be written: it is closed\n"
MISSING = "skactive: file not found: none.db\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = SQLiteLabelStore(tmp_path / "labels.db")
    labels = [("日本", "Zoë"), ("a\x1b[31m\u202eb\nc", "x\x07y")]
    store.append(
        Event("label", new_id(), item=f"r{i}", value=value, annotator=name)
        for i, (value, name) in enumerate(labels)
    )
    store.close()
    return tmp_path


def shell(command, **env):
    line = f"set -o pipefail; {command}".replace("skactive", f"{sys.executable} -m skactive")
    done = subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        env={**os.environ, **env},
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("command", "code", "errors"),
    [
        ("skactive status labels.db | true", 141, ""),
        ("skactive status labels.db >/dev/full", 1, FULL),
        ("skactive status labels.db >&-", 1, CLOSED),
        ("skactive status labels.db >&- 2>&-", 1, ""),
        ("skactive --help >/dev/full", 1, FULL),
        ("skactive --version >&-", 1, CLOSED),
        ("skactive status none.db >&-", 2, MISSING),
        ("skactive status none.db 2>/dev/full", 2, ""),
        ("skactive nonsense 2>&-", 2, ""),
    ],
)
def test_streams_that_cannot_be_written(folder, command, code, errors):
    if "/dev/full" in command and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    # Python writes what it holds when it exits: with a buffer, too late for an exception
    unbuffered = "1" if "--help" in command else ""
    assert shell(command, PYTHONUNBUFFERED=unbuffered) == (code, "", errors)


@pytest.mark.no_cover
def test_a_file_never_takes_the_place_of_a_stream(folder):
    assert shell("skactive export labels.db out.csv <&- >&- 2>&-")[0] == 1
    assert (folder / "out.csv").read_text(encoding="utf-8").startswith("id,label,status")
    code, out, errors = shell("skactive export labels.db out.csv 0<&- 2>&-")
    assert (code, out.splitlines()[-1], errors) == (0, "2 rows: out.csv", "")


@pytest.mark.no_cover
def test_labels_are_kept_whatever_happens_to_the_streams(folder):
    (folder / "data.csv").write_text("body\n" + "".join(f"text {i}\n" for i in range(30)))
    label = "skactive label data.csv --text body --classes a,b --store new.db"
    assert shell(f"{label} <&-")[::2] == (0, "")
    code, _, errors = shell(f"yes a | {label} | head -n 3 >/dev/null")
    assert (code, errors) == (129, "")
    code, out, errors = shell("skactive status new.db")
    assert (code, errors) == (0, "")
    assert "of 30 rows" in out


@pytest.mark.no_cover
@pytest.mark.parametrize("env", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "LANG": "C"}])
def test_an_encoding_that_lacks_characters(folder, env):
    code, out, errors = shell("skactive status labels.db", **env)
    assert (code, errors) == (0, "")
    assert ("\\u65e5\\u672c 1" if "PYTHONIOENCODING" in env else "日本 1") in out


def test_nothing_of_a_store_reaches_the_terminal_as_it_is(folder, capsys):
    assert main(["status", "labels.db"]) == 0
    out, err = capsys.readouterr()
    assert "a␛[31m\ufffdb␊c 1" in out
    assert "x␇y: 1 label" in out
    assert main(["status", "labels.db", "--json"]) == 0
    out += capsys.readouterr().out
    (folder / "odd\x1b[2J.db").write_text("no store")
    assert main(["status", "odd\x1b[2J.db"]) == 2
    assert main(["export", "labels.db", "odd\x1b[2J.csv"]) == 0
    lines = capsys.readouterr()
    assert all("odd␛[2J" in line for line in lines)
    assert not {"\x1b", "\x07", "\u202e"} & set(out + err + "".join(lines))


def test_lines_keep_their_ends(capsys):
    _output.print_note("two\nnotes\x1b")
    assert capsys.readouterr().err == "two␊notes␛\n"
    _output.print_line("two\nlines\t\x1b")
    assert capsys.readouterr().out == "two\nlines   ␛\n"


def test_a_stream_of_python_that_is_closed(monkeypatch, tmp_path):
    with (tmp_path / "out").open("w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
    for write in (lambda: _output.print_line("a"), _output.check_written):
        with pytest.raises(OutputError, match="it is closed") as caught:
            write()
        assert caught.value.code == 1
