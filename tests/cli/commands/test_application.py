"""``skactive demo --application``: it runs the code of an application as Python would."""

import sys

import pytest

from skactive.cli import main
from skactive.cli.commands import _application

SCRIPT = """
import sys
from model import NUMBER
if __name__ == "__main__":
    print(NUMBER, sys.argv[1:])
"""


@pytest.fixture
def application(tmp_path, monkeypatch):
    """Return a function that installs an application of one script."""

    def install(script):
        folder = tmp_path / "toy_net"
        folder.mkdir()
        (folder / "run.py").write_text(script)
        (folder / "model.py").write_text("NUMBER = 7\n")
        monkeypatch.setattr(_application, "find_applications", lambda: {"toy_net": folder})
        return folder

    return install


def test_the_script_runs_with_its_options_and_its_own_modules(application, capsys):
    application(SCRIPT)
    options = ["--data", "d", "--seeds", "2", "--budget", "9"]
    options += ["--batch-size", "3", "--initial", "4"]
    before = list(sys.path), list(sys.argv)
    assert main(["demo", "--application", "toy-net", *options, "--output", "a.png"]) == 0
    assert capsys.readouterr().out == f"7 {[*options, '--picture', 'a.png']}\n"
    assert (sys.path, sys.argv) == before
    assert "model" not in sys.modules


def test_options_that_are_not_given_are_left_to_the_application(application, capsys):
    application(SCRIPT)
    assert main(["demo", "--application", "toy_net"]) == 0
    assert capsys.readouterr().out == "7 []\n"


def test_unknown_names_list_those_that_exist(application, capsys):
    application(SCRIPT)
    assert main(["demo", "--application", "toys"]) == 2
    assert "no application named 'toys': choose one of toy_net" in capsys.readouterr().err


def test_options_of_tables_are_refused(application, capsys):
    application(SCRIPT)
    assert main(["demo", "--application", "toy_net", "--estimator", "svm"]) == 2
    assert "--estimator cannot be used with --application" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("import a_library_that_is_missing", "toy_net needs a_library_that_is_missing, which is"),
        ("raise FileNotFoundError(2, 'No such file', 'words.tsv')", "No such file: 'words.tsv'"),
        ("raise ValueError('line 3 has no label')", "line 3 has no label"),
    ],
)
def test_mistakes_are_one_line(application, capsys, script, sentence):
    application(script)
    assert main(["demo", "--application", "toy_net"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert sentence in line
