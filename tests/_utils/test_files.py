"""Files are written completely or not at all, and with the right mode."""

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from skactive._utils.files import publish_file, remove_leftovers, write_atomically


def write(path, content=b"new", **options):
    write_atomically(path, lambda file: file.write(content), **options)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def umask():
    before = os.umask(0o027)
    yield
    os.umask(before)


def test_modes(tmp_path, umask):
    new, private, kept = tmp_path / "new", tmp_path / "private", tmp_path / "kept"
    kept.touch(0o644)
    kept.chmod(0o606)
    write(new)
    write(private, private=True)
    write(kept)
    assert [oct(path.stat().st_mode & 0o777) for path in (new, private, kept)] == [
        "0o640", "0o600", "0o606",
    ]  # fmt: skip
    write(kept, private=True)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_error_leaves_the_older_file(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(file):
        file.write(b"half")
        raise error

    for target in (path, tmp_path / "new"):
        with pytest.raises(error):
            write_atomically(target, fail)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_full_disk_leaves_the_older_file(tmp_path, monkeypatch):
    def fail(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write(path)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_links_are_followed(tmp_path):
    (tmp_path / "sub").mkdir()
    target, link = tmp_path / "sub" / "target", tmp_path / "link"
    link.symlink_to("sub/target")
    for content in (b"one", b"two"):  # dangling at first
        write(link, content)
        assert link.is_symlink()
        assert target.read_bytes() == content
    assert names(tmp_path / "sub") == ["target"]
    link.unlink()
    link.symlink_to("link")
    with pytest.raises(OSError, match=r"link"):
        write(link)
    assert link.is_symlink()


def test_long_names(tmp_path):
    path = tmp_path / ("x" * 255)
    write(path)
    assert path.read_bytes() == b"new"
    with pytest.raises(OSError, match="too long"):
        write(tmp_path / ("x" * 256))


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        write(tmp_path / "none" / "file")
    assert caught.value.filename == str(tmp_path / "none" / "file")
    with pytest.raises(IsADirectoryError):
        write(tmp_path)
    if Path("/dev/full").exists():
        (tmp_path / "full").symlink_to("/dev/full")
        with pytest.raises(OSError, match="No space left"):
            write(tmp_path / "full")


def test_a_file_that_is_write_protected_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everything
    with pytest.raises(PermissionError):
        write(path)
    assert path.read_bytes() == b"old"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_stays_a_pipe(tmp_path):
    path, read = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    write(path)
    reader.join(30)
    assert read == [b"new"]
    assert path.is_fifo()


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no /dev/stdout")
@pytest.mark.parametrize("to_file", [False, True])
def test_standard_output_is_written_in_order(tmp_path, to_file):
    program = (
        "from pathlib import Path; from skactive._utils.files import write_atomically as write\n"
        "print('before'); write(Path('/dev/stdout'), lambda file: file.write(b'new\\n'))\n"
        "print('after')"
    )
    with (tmp_path / "out").open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=file if to_file else subprocess.PIPE, check=True
        )
    written = (tmp_path / "out").read_bytes() if to_file else done.stdout
    assert written.split() == [b"before", b"new", b"after"]


def test_leftovers_of_killed_programs_are_removed(tmp_path):
    old, recent, other = (
        tmp_path / name
        for name in (f".skactive-{'0' * 32}.tmp", f".skactive-{'1' * 32}.tmp", ".skactive-x.tmp")
    )
    for path in (old, recent, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (time.time() - 1e5,) * 2)
    remove_leftovers(tmp_path)
    assert names(tmp_path) == sorted([recent.name, other.name])
    remove_leftovers(tmp_path / "none")


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_gets_a_name_that_is_free(tmp_path, monkeypatch, has_links):
    if not has_links:

        def refuse(*_):
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "link", refuse)
    temporary, path = tmp_path / "temporary", tmp_path / "named"
    temporary.write_bytes(b"new")
    publish_file(temporary, path)
    assert path.read_bytes() == b"new"
    temporary.unlink(missing_ok=True)
    temporary.write_bytes(b"newer")
    with pytest.raises(FileExistsError):
        publish_file(temporary, path)
    assert path.read_bytes() == b"new"
