"""Files of rows, opened with a program of the test."""

import stat

import pytest

from skactive.labeling.terminal._viewer import UnopenedFileError, make_viewer


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Return a function that makes an xdg-open, from the lines of a shell script."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(script):
        path = folder / "xdg-open"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    return make


@pytest.fixture
def viewer(tmp_path):
    (tmp_path / "good.svg").write_text("<svg/>")
    (tmp_path / "bad.png").write_text("no image")
    return make_viewer(tmp_path)


def test_a_file_is_given_to_the_program(tmp_path, program, viewer):
    program('echo "$1" > "$0.log"')
    assert viewer.open(["good.svg"]) == ""
    assert viewer._last.wait(10) == 0
    viewer.check()
    assert (tmp_path / "bin/xdg-open.log").read_text() == f"{tmp_path.resolve()}/good.svg\n"


def test_a_program_that_fails_is_noticed_later(program, viewer):
    program("exit 3")
    viewer.open(["good.svg"])
    viewer._last.wait(10)
    with pytest.raises(UnopenedFileError, match=r"its program failed \(3\)"):
        viewer.check()
    program("exit 0")
    viewer.open(["good.svg"])
    viewer._last.wait(10)
    viewer.check()


@pytest.mark.parametrize(("name", "reason"), [("bad.png", "not an image"), ("none.wav", "exist")])
def test_a_broken_or_missing_file_is_not_opened(program, viewer, name, reason):
    program("exit 0")
    with pytest.raises(UnopenedFileError, match=f"{name} cannot be shown: .*{reason}"):
        viewer.open([name])
    assert viewer._last is None
    viewer.check()


def test_a_file_that_may_not_be_read(tmp_path, program, viewer, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(UnopenedFileError, match=r"good.svg cannot be shown: .*Permission denied\."):
        viewer.open(["good.svg"])


def test_without_a_display_the_person_opens_the_file(program, viewer, monkeypatch):
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    program("exit 1")
    assert "open the file yourself" in viewer.open(["good.svg"])
    viewer.check()
