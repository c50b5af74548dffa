"""The command ``skactive label-studio``; it is here for the fake server of this folder."""

import contextlib
from argparse import ArgumentParser

import pytest

from skactive.cli._errors import CommandError
from skactive.cli.commands import _label_studio as _command
from skactive.cli.commands._label_studio import add_label_studio_arguments, run_label_studio
from skactive.labeling import SQLiteLabelStore

LEGACY = "0123456789abcdef0123456789abcdef01234567"
TEXTS = [f"{word} number {i}" for i, word in enumerate(["good film", "bad film"] * 6)]


@pytest.fixture
def run(tmp_path, monkeypatch, web):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", LEGACY)
    table = "text\n" + "".join(f"{text}\n" for text in TEXTS)
    (tmp_path / "films.csv").write_text(table, encoding="utf-8")

    def run(*arguments, new=True):
        parser = ArgumentParser()
        add_label_studio_arguments(parser)
        data = ["films.csv", "--text", "text", "--classes", "good,bad", "--store", "labels.db"]
        data = data if new else ["--resume", "labels.db"]
        run_label_studio(vars(parser.parse_args([*data, "--url", web.url, *arguments])))

    return run


def test_the_command_runs_the_loop_and_goes_on(run, web, server, capsys):
    web.fake = server
    answerer = iter(range(12))

    def people(*request):
        if request[0] == "GET" and request[1].startswith("/api/tasks/") and web.fake.tasks:
            row = next(answerer, None)
            if row is not None:
                web.fake.answer(row, "good" if row % 2 == 0 else "bad")
        return fake(*request)

    fake, web.fake = web.fake, people
    people.tasks, people.answer = fake.tasks, fake.answer
    run("--until", "4", "--poll", "0.1")
    said = capsys.readouterr().out
    assert "Project 1: 12 rows added as tasks." in said
    assert f"continue with: skactive label-studio --resume labels.db --url {web.url}\n" in said
    assert next(iter(fake.projects.values()))["title"] == "films (active learning)"
    run("--poll", "0.1", new=False)
    assert "12 of 12 rows have a label" in capsys.readouterr().out
    assert len(fake.tasks) == 12
    assert {kind for _, _, kind in web.seen} == {f"Token {LEGACY}"}
    with contextlib.closing(SQLiteLabelStore("labels.db")) as store:
        labels = [event for event in store.events() if event.kind == "label"]
    assert {event.annotator for event in labels} == {"one@example.org"}
    assert len(labels) == 12


def test_the_command_knows_the_project_again(run, web, server):
    web.fake = fake = server
    for new, more in ((True, ("--title", "Films of all kinds")), (False, ())):
        with contextlib.suppress(CommandError):
            fake.faults = [("GET /api/users/", 401)]
            run(*more, new=new)
    assert [each["title"] for each in fake.projects.values()] == ["Films of all kinds"]


def test_files_are_shown_by_their_address(run, web, tmp_path):
    from types import SimpleNamespace

    campaign = SimpleNamespace(source=SimpleNamespace(kind="images"))
    for media in ("https://example.org/files", "https://example.org/files/"):
        shown = _command._make_render(campaign, media)("a b/ä.png", 0)
        assert shown == "https://example.org/files/a%20b/%C3%A4.png"
    shown = _command._make_render(campaign, "/data/local-files/?d=")("a.png", 0)
    assert shown == "/data/local-files/?d=a.png"
    with pytest.raises(CommandError, match="by --media URL"):
        _command._make_render(campaign, None)


def test_mistakes_of_the_command(run, web, monkeypatch, tmp_path):
    web.script = [(401, b'{"detail": "Invalid token."}', {})]
    with pytest.raises(CommandError, match=r"401 \(Invalid token\)"):
        run()
    with pytest.raises(CommandError, match="title must have 3 to 50"):
        run("--title", "x", new=False)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    with pytest.raises(CommandError, match="set LABEL_STUDIO_API_KEY"):
        run(new=False)
    for wrong in (["--poll", "0"], ["--poll", "x"], ["--until", "-1"], ["--ordered", "0"]):
        with pytest.raises(SystemExit):
            run(*wrong)
