"""Ctrl+C at any time: no traceback, and no label lost."""

import importlib
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from skactive.cli import main
from skactive.cli._interrupts import Interrupts
from skactive.cli.projects._stored_project import read_store

# Says when Python has started, before which nothing can be done.
STARTER = """\
import sys
from skactive.cli import main
print("started", flush=True)
sys.exit(main())
"""
LABEL = ["data.csv", "--text", "body", "--classes", "good,bad", "--store", "labels.db"]
COMMANDS = {
    "status": ["status", "old.db"],
    "export": ["export", "old.db", "out.csv"],
    "label": ["label", *LABEL],
    "serve": ["serve", *LABEL, "--no-browser"],
    "demo": ["demo", "--estimator", "logistic", "--output", "curves.png"],
}
DELAYS = (0.0, 0.01, 0.03, 0.06, 0.1, 0.2, 0.4, 0.8, 1.6)


@pytest.fixture(autouse=True)
def heeded():
    """Interrupts are heeded here and by what is started, even in a shell's background."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"some text of number {i}" for i in range(30)]
    (tmp_path / "data.csv").write_text("\n".join(["body", *lines, ""]))
    return tmp_path


def start(arguments):
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.no_cover
@pytest.mark.parametrize("command", COMMANDS)
def test_an_interrupt_at_any_time(folder, command):
    from skactive.labeling import SQLiteLabelStore

    if command == "serve":
        pytest.importorskip("starlette")
        pytest.importorskip("uvicorn")
    SQLiteLabelStore(folder / "old.db").close()
    for delay in random.Random(command).sample(DELAYS, 2):
        process = start(COMMANDS[command])
        process.stdout.readline()
        if command == "label":
            process.stdin.write("good\nbad\n" * 3)
            process.stdin.flush()
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        lines = [line for line in errors.splitlines() if "comparing" not in line and line.strip()]
        assert process.returncode in {0, 130, -signal.SIGINT}, errors
        assert all(line.startswith("skactive: interrupted") for line in lines), errors
        assert len(lines) <= 1
        if (folder / "labels.db").exists():
            with read_store(folder / "labels.db") as stored:
                labels = [record["label"] for record in stored.iter_records()]
            assert labels == ["good", "bad", "good", "bad", "good", "bad"][: len(labels)]


def test_an_interrupt_is_not_lost_where_it_cannot_be_raised():
    class Closing:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0)  # the exception is raised here, and ignored by Python

    def close():
        closing = Closing()
        del closing
        time.sleep(60)

    former = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), Interrupts(owns_process=False):
        close()
    assert signal.getsignal(signal.SIGINT) is former


def test_an_import_is_finished_first(folder, monkeypatch):
    (folder / "slow_module.py").write_text(
        "import os, signal, time\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "time.sleep(0.1)\n"
        "finished = True\n"
    )
    monkeypatch.syspath_prepend(folder)

    def import_and_wait():
        importlib.import_module("slow_module")
        time.sleep(60)

    with pytest.raises(KeyboardInterrupt), Interrupts(owns_process=False):
        import_and_wait()
    assert sys.modules.pop("slow_module").finished


def test_an_import_that_takes_long_ends_the_process(folder):
    (folder / "endless_module.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n"
    )
    code = (
        "from skactive.cli._interrupts import Interrupts\n"
        "with Interrupts(owns_process=True):\n"
        "    import endless_module"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (130, "skactive: interrupted\n")


def test_interrupts_that_are_ignored_stay_ignored(capsys):
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert main(["status", "none.db"]) == 2
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, former)
