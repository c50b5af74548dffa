"""The command ``skactive serve``: its options, its mistakes, and its end."""

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import wave

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from skactive.cli._errors import CommandError
from skactive.cli.commands._serve import add_serve_arguments, run_serve
from skactive.labeling import server
from skactive.labeling.server import _serve

TOKEN = "the-secret-of-these-tests"


def command(*arguments):
    """Run the command with these arguments."""
    parser = argparse.ArgumentParser()
    add_serve_arguments(parser)
    run_serve(vars(parser.parse_args([str(argument) for argument in arguments])))


def interrupt_when_announced(monkeypatch):
    """Send SIGINT soon after the links are reported."""
    describe_links = _serve._describe_links

    def describe_and_interrupt(*arguments):
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        return describe_links(*arguments)

    monkeypatch.setattr(_serve, "_describe_links", describe_and_interrupt)


@pytest.fixture
def alone():
    """Let a server run in this thread, where signals come: a browser may have a loop in it."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("n,text\n" + "".join(f"{n},row {n}\n" for n in range(20)), encoding="utf-8")
    return path


@pytest.fixture
def served(monkeypatch):
    """Return what the command would serve, instead of serving it."""
    served = {}

    def note(backend, **options):
        content = backend.handle({"do": "next", "n": 1}, "ann")["items"][0]["content"]
        served.update(options, backend=backend, content=content)

    monkeypatch.setattr(_serve, "serve", note)
    return served


@pytest.mark.usefixtures("alone")
def test_the_command_serves_a_table_until_it_is_stopped(table, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SKACTIVE_TOKEN", TOKEN)
    store = tmp_path / "labels.db"
    interrupt_when_announced(monkeypatch)
    command(table, "--text", "text", "--classes", "a,b", "--store", store, "--no-browser")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "20 rows of 21 lines, 2 columns: n, text"
    assert lines[1].startswith("Label at http://127.0.0.1:")
    assert lines[1].endswith(f"/#token={TOKEN}")
    assert lines[-1].endswith(f"skactive serve --resume {store}")


def test_the_command_hands_its_options_on(table, tmp_path, served):
    common = [table, "--text", "text", "--classes", "a,b", "--store", tmp_path / "labels.db"]
    command(*common)
    assert (served["host"], served["port"]) == ("127.0.0.1", 0)
    assert (served["token"], served["open_browser"]) == (None, True)
    assert served["content"]["type"] == "text"
    assert served["backend"].title == "rows.csv"
    more = ["--title", "T", "--html", "--host", "::1", "--port", 81, "--no-browser"]
    command("--resume", tmp_path / "labels.db", *more, "--allowed-host", "x.example")
    assert (served["host"], served["port"]) == ("::1", 81)
    assert (served["open_browser"], served["allowed_hosts"]) == (False, ["x.example"])
    assert (served["backend"].title, served["content"]["type"]) == ("T", "html")


def test_the_command_plays_sounds(tmp_path, served):
    folder = tmp_path / "sounds"
    folder.mkdir()
    for n in range(4):
        with wave.open(str(folder / f"{n}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(range(256)) * 16)
    command(folder, "--classes", "a,b", "--store", tmp_path / "labels.db")
    assert served["content"]["type"] == "audio"
    assert served["content"]["src"].startswith("data:audio/")


@pytest.mark.usefixtures("alone")
def test_each_person_has_a_link_that_outlives_the_server(table, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SKACTIVE_TOKEN", TOKEN)
    interrupt_when_announced(monkeypatch)
    store, links = tmp_path / "labels.db", []
    for _ in range(2):
        people = ["--person", "Ann  Lee", "--person", "bob:reviews", "--person", "a:b:administers"]
        command(table, "--text", "text", "--classes", "a,b", "--store", store, *people)
        _, *lines = capsys.readouterr().out.splitlines()  # the first counts the rows
        starts = ["Ann Lee (labels): http://", "bob (reviews): ", "a:b (administers): "]
        assert [line.startswith(start) for line, start in zip(lines, starts, strict=False)] == [
            True
        ] * 3
        links.append([line.split("#")[1] for line in lines[:3]])
    assert links[0] == links[1]
    assert len({*links[0], f"token={TOKEN}"}) == 4


@pytest.mark.parametrize(
    ("people", "message"),
    [
        (["ann:boss"], "administers"),
        (["ann", "ann:reviews"], "ann"),
        (["ann", " \uff41nn"], "look like one person"),
        (["Ann", "ann"], "look like one person"),
        ([":labels"], "empty"),
        ([""], "empty"),
        (["ann\u200b"], "U\\+200B"),
    ],
)
def test_people_that_cannot_be_are_told_before_the_store_is_made(
    table, tmp_path, people, message, served
):
    store = tmp_path / "labels.db"
    options = [option for person in people for option in ("--person", person)]
    with pytest.raises(CommandError, match=message) as error:
        command(table, "--text", "text", "--classes", "a,b", "--store", store, *options)
    assert "\n" not in str(error.value)
    assert not store.exists()
    assert served == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv", "--text", "text", "--classes", "a,b", "--store", "x.db"], "file not found"),
        (["rows.csv", "--text", "none", "--classes", "a,b", "--store", "x.db"], "no column"),
        (["rows.csv", "--text", "text", "--store", "x.db"], "--classes"),
        (["rows.csv", "--text", "text", "--classes", "a,b"], "--store"),
        (["--resume", "rows.csv"], "not a store"),
        (["--resume", "none.db"], "file not found"),
        ([], "--resume"),
    ],
)
def test_mistakes_in_the_command_are_told(table, monkeypatch, served, arguments, message):
    monkeypatch.chdir(table.parent)
    with pytest.raises(CommandError, match=message):
        command(*arguments)
    assert served == {}


@pytest.mark.parametrize("port", ["-1", "65536", "x", "1.5"])
def test_a_port_is_a_number(table, port, capsys):
    with pytest.raises(SystemExit):
        command(table, "--port", port)
    assert "port" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--host", "no.such.host.invalid"],
        ["--host", "192.0.2.1"],
        ["--host", "127.0.0.1:8000"],
        ["--host", "http://localhost"],
        ["--host", "a..b"],
        ["--host", "a" * 300],
        ["--host", "2001:db8::1"],
        ["--allowed-host", "https://labels.example"],
    ],
)
def test_a_host_that_cannot_be_is_told_in_a_line(table, tmp_path, options):
    common = [table, "--text", "text", "--classes", "a,b", "--store", tmp_path / "labels.db"]
    with pytest.raises(CommandError, match="host") as error:
        command(*common, "--no-browser", *options)
    assert "\n" not in str(error.value)


def test_a_port_or_token_that_cannot_be_is_told(table, tmp_path, monkeypatch):
    common = [table, "--text", "text", "--classes", "a,b", "--store", tmp_path / "labels.db"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CommandError, match=f"port {port}"):
            command(*common, "--port", port, "--no-browser")
    monkeypatch.setenv("SKACTIVE_TOKEN", "short")
    with pytest.raises(CommandError, match="16"):
        command(*common, "--no-browser")


def test_without_the_extra_it_is_named(tmp_path):
    """The options are read without the web framework; what needs it says what to install."""
    script = """
import argparse, sys
sys.modules["starlette"] = sys.modules["uvicorn"] = None
from skactive.cli._errors import CommandError
from skactive.cli.commands._serve import add_serve_arguments, run_serve
parser = argparse.ArgumentParser()
add_serve_arguments(parser)
try:
    run_serve(vars(parser.parse_args(["x.csv"])))
except CommandError as error:
    print(error)
import skactive.labeling.server as server
for name in server.__all__:
    try:
        getattr(server, name)
    except ImportError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.count('pip install "skactive[serve]"') == 3, done.stderr
    with pytest.raises(AttributeError, match="nothing"):
        _ = server.nothing
