"""The command line: what goes right, and one clear line for each thing that does not."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_blobs

import skactive
from skactive import strategies
from skactive._needs import reads_elements
from skactive.cli import _arguments, _main, main
from skactive.cli.commands import _compare as _report
from skactive.cli.commands import _demo
from skactive.cli.learners import _models as _choices

# Eighths have few decimals and no rounding: a csv holds them exactly.
X, Y = make_blobs(n_samples=120, centers=3, n_features=2, cluster_std=3.0, random_state=0)
X = np.round(X * 8) / 8

pytestmark = pytest.mark.usefixtures("folder")

SMALL = ["--estimator", "logistic", "--seeds", "1", "--budget", "30", "--strategies", "Random"]


def npz(folder, **arrays):
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def csv(folder, frame):
    path = folder / "data.csv"
    frame.to_csv(path, index=False)
    return path


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# The command itself -----------------------------------------------------------------------------


def python_m(*arguments):
    command = [sys.executable, "-m", "skactive", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_version():
    done = python_m("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"skactive {skactive.__version__}\n"


def test_help():
    done = python_m("demo", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for option in ("data", "target", "strategies", "estimator", "budget", "batch-size", "initial"):
        assert f"--{option} " in done.stdout
    assert "--seeds N" in done.stdout
    assert "(220)" in done.stdout  # defaults are told
    assert "(learning_curves.png)" in done.stdout


def test_parsing_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from skactive.cli import _main\n"
        "for name in _main._COMMANDS:\n"
        "    assert 'usage: skactive ' + name in _main._make_parser([name])._subparsers"
        "._group_actions[0].choices[name].format_help()\n"
        "print(*{'numpy', 'scipy', 'sklearn', 'pandas', 'starlette'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("\n", "")


def test_kinds_of_export_are_those_that_there_are():
    from skactive.cli.commands import _export
    from skactive.labeling._export import EXPORT_KINDS

    assert set(_export._KINDS) == set(EXPORT_KINDS)


def test_help_names_all_commands():
    done = python_m("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name in _main._COMMANDS:
        assert re.search(rf"^    {name}( |$)", done.stdout, re.MULTILINE)


def test_the_exit_code_reaches_the_shell(folder):
    done = python_m("demo", "--data", "none.csv")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "skactive: file not found: none.csv\n"


def test_a_run_exits_with_0_and_draws_where_it_says(folder, capsys):
    pytest.importorskip("matplotlib")
    assert main(["demo", *SMALL, "--data", str(npz(folder, X=X, y=Y))]) == 0
    out, err = capsys.readouterr()
    assert "Learning curves: learning_curves.png" in out
    assert (folder / "learning_curves.png").stat().st_size > 1000
    assert "skactive:" not in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seeds", "0"], "--seeds: expected an integer >= 1, got '0'"),
        (["--seeds", "-1"], "--seeds: expected an integer >= 1, got '-1'"),
        (["--budget", "many"], "--budget: expected an integer >= 1, got 'many'"),
        (["--batch-size", "1.5"], "--batch-size: expected an integer"),
        (["--initial", "0"], "--initial: expected an integer"),
        (["--strategies", " , "], "--strategies: name at least one strategy"),
        (["--estimator", "tree"], "--estimator: invalid choice: 'tree'"),
        (["--color", "red"], "unrecognized arguments: --color red"),
    ],
)
def test_arguments_that_cannot_be(folder, capsys, arguments, said):
    with pytest.raises(SystemExit) as stopped:
        main(["demo", *arguments])
    out, err = capsys.readouterr()
    assert stopped.value.code == 2
    assert out == ""
    usage, line = err.rstrip("\n").rsplit("\n", 1)
    assert usage.startswith("usage: skactive")
    assert re.match(r"skactive( demo)?: error: ", line)
    assert said in line
    assert contents(folder) == {}


def test_an_unknown_estimator_lists_the_known(capsys):
    with pytest.raises(SystemExit):
        main(["demo", "--estimator", "tree"])
    line = capsys.readouterr().err.splitlines()[-1]
    assert all(name in line for name in _choices.ESTIMATORS)


def test_the_estimators_named_are_those_that_there_are():
    assert set(_arguments.ESTIMATOR_NAMES) == set(_choices.ESTIMATORS)


@pytest.mark.parametrize("arguments", [[], ["play"]])
def test_a_command_is_needed(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "skactive: error: " in capsys.readouterr().err.splitlines()[-1]


def test_interruption_exits_with_130(folder, capsys, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(skactive.SimulatedLearner, "fit", interrupted)
    path = npz(folder, X=X, y=Y)
    assert main(["demo", *SMALL, "--data", str(path)]) == 130
    assert capsys.readouterr().err.endswith("\nskactive: interrupted\n")
    assert list(contents(folder)) == [path]


@pytest.fixture
def settings_of(monkeypatch):
    """Run a command up to its settings; return them."""

    def run(command, *arguments):
        caught = []
        monkeypatch.setattr(_demo, "play_demo", caught.append)
        monkeypatch.setattr(_report, "play_comparison", caught.append)
        assert main([command, *arguments]) == 0
        return caught[0]

    return run


def test_each_option_of_demo_reaches_its_setting(settings_of):
    options = "--data a.csv --target kind --strategies Random,Margin --estimator svm --budget 9"
    options += " --batch-size 2 --initial 3 --seeds 4 --output a.png"
    assert settings_of("demo", *options.split()) == _demo.DemoSettings(
        data=Path("a.csv"),
        target="kind",
        strategies=("Random", "Margin"),
        estimator="svm",
        budget=9,
        batch_size=2,
        n_initial=3,
        n_seeds=4,
        output=Path("a.png"),
    )


def test_each_option_of_compare_reaches_its_setting(settings_of):
    options = "--data a.csv --target kind --strategies Random,Margin --estimator svm,forest"
    options += " --budget 9 --batch-size 2 --initial 3 --repeats 4 --jobs -1 --scoring f1_macro"
    options += " --folder kept --output a.html --seed 5"
    assert settings_of("compare", *options.split()) == _report.CompareSettings(
        data=Path("a.csv"),
        target="kind",
        strategies=("Random", "Margin"),
        estimators=("svm", "forest"),
        budget=9,
        batch_size=2,
        n_initial=3,
        n_repeats=4,
        n_jobs=-1,
        scoring="f1_macro",
        folder=Path("kept"),
        output=Path("a.html"),
        seed=5,
    )


def test_defaults_of_the_command_line_are_those_of_the_settings(settings_of):
    assert settings_of("demo") == _demo.DemoSettings()
    data = Path("a.csv")
    assert settings_of("compare", "--data", "a.csv") == _report.CompareSettings(data)


# Settings that do not go ------------------------------------------------------------------------


def test_budget_below_the_start(mistake):
    line = mistake("--budget", "19", "--initial", "20")
    assert "19" in line
    assert "20" in line
    assert "--budget" in line


def test_a_budget_too_small_for_two_classes(folder, late_mistake):
    late_mistake("--data", npz(folder, X=X, y=Y), "--budget", "1", "--initial", "1")


@pytest.mark.parametrize("name", ["Margins", "margin", "Prefilter", "ScoreStrategy", "__all__"])
def test_an_unknown_strategy_lists_the_known(mistake, name):
    line = mistake("--strategies", f"Random,{name}")
    said, known = line.split("; ")
    assert repr(name) in said
    without_arguments = set(strategies.__all__) - {
        *("AnchorAL", "ClassBalanced", "ColdStart", "EpsilonGreedy"),
        *("FacilityLocationMutualInformation",),
        *("Mixture", "OpenSet", "PerGroup", "Prefilter", "SEALS", "ScoreStrategy", "Strategy"),
        *("Subsample", "WithoutDuplicates"),
    }
    without_arguments -= {
        name for name in without_arguments if reads_elements(getattr(strategies, name)())
    }
    assert {"Aggregate", "MNLP"}.isdisjoint(without_arguments)
    assert set(known.strip().removeprefix("known: ").split(", ")) == without_arguments


def test_a_strategy_that_the_estimator_cannot_serve(mistake):
    line = mistake("--strategies", "Random,BALD", "--estimator", "logistic")
    assert line == (
        "skactive: BALD cannot be used with --estimator logistic: BALD needs proba_samples, which "
        "that model does not provide; use --estimator forest, or another strategy, such as Margin\n"
    )
    assert main(["demo", *SMALL, "--strategies", "Random,BALD", "--estimator", "forest"]) == 0


def test_the_models_advised_can_be_chosen():
    from skactive.cli.projects._project_options import CLASS_MODELS

    assert {"--estimator": set(_choices.ESTIMATORS), "--model": set(CLASS_MODELS)} == {
        option: set(names) for option, names in _choices._CHOICES.items()
    }


def test_rows_that_no_model_can_learn_from(folder, mistake):
    line = mistake("--data", npz(folder, X=X * 1e300, y=Y))
    assert "--estimator logistic cannot learn from these rows: Input X contains" in line


# Output that does not go ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "output",
    [
        "no/such/folder/curves.png",
        "data.npz/curves.png",  # a file is no folder
        "curves.xyz",  # no kind of picture
        "inner",  # a folder
    ],
)
def test_a_picture_that_cannot_be_written(folder, late_mistake, output):
    pytest.importorskip("matplotlib")
    (folder / "inner").mkdir()
    line = late_mistake("--data", npz(folder, X=X, y=Y), "--output", output)
    assert output.removesuffix("/curves.png") in line


# skactive compare -------------------------------------------------------------------------------

PAIR = ["--strategies", "Random,Margin", "--budget", "30", "--initial", "10", "--repeats", "2"]


@pytest.fixture
def compare_mistake(folder, capsys, monkeypatch):
    """Run a mistaken ``skactive compare``; return the one line that it says about it."""

    def played(*args, **kwargs):
        raise AssertionError("it was played")

    def run(*arguments):
        before = contents(folder)
        with monkeypatch.context() as patch:
            patch.setattr(_report, "compare_strategies", played)
            code = main(["compare", *PAIR, *map(str, arguments)])
        out, err = capsys.readouterr()
        assert (code, out) == (2, "")
        assert err.startswith("skactive: ")
        assert err.count("\n") == 1
        assert contents(folder) == before
        return err

    return run


def test_help_of_compare():
    done = python_m("compare", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for option in ("target", "strategies", "estimator", "budget", "batch-size", "initial"):
        assert f"--{option} " in done.stdout
    for option in ("repeats", "jobs", "scoring", "folder", "output", "seed"):
        assert f"--{option} " in done.stdout
    assert "(comparison.html)" in done.stdout
    assert "compare" in python_m("--help").stdout


@pytest.mark.no_cover
def test_compare_end_to_end_and_resumed(folder, capsys, frame):
    pytest.importorskip("matplotlib")
    arguments = ["compare", "--data", str(csv(folder, frame)), "--target", "kind", *PAIR]
    arguments += ["--folder", "kept", "--output", "report.html"]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    sentence, place = out.rstrip("\n").rsplit("\n", 1)
    assert "Random" in sentence
    assert place == "Report: report.html"
    assert "comparing" in err  # progress
    assert "skactive:" not in err
    kept = sorted((folder / "kept" / "runs").iterdir())
    assert len(kept) == 4
    times = [path.stat().st_mtime_ns for path in kept]
    first = (folder / "report.html").read_text()
    assert sentence.splitlines()[0] in first

    kept[1].unlink()
    (folder / "report.html").unlink()
    assert main(arguments) == 0
    assert capsys.readouterr().out == out
    again = [path.stat().st_mtime_ns for path in kept]
    assert [one == other for one, other in zip(times, again, strict=True)] == [1, 0, 1, 1]
    assert (folder / "report.html").stat().st_size > 10_000

    assert main([*arguments, "--repeats", "3"]) == 0  # two more are played
    assert len(list((folder / "kept" / "runs").iterdir())) == 6


def test_compare_gives_the_same_with_two_jobs(folder, capsys):
    pytest.importorskip("matplotlib")
    arguments = ["compare", "--data", str(npz(folder, X=X, y=Y)), *PAIR]
    assert main(arguments) == 0
    alone = capsys.readouterr().out
    assert main([*arguments, "--jobs", "2"]) == 0
    assert capsys.readouterr().out == alone


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: --data"),
        (["--data", "x.csv", "--estimator", "tree"], "invalid choice: 'tree' (choose from forest,"),
        (["--data", "x.csv", "--estimator", "svm,tree"], "invalid choice: 'tree' (choose from"),
        (["--data", "x.csv", "--estimator", ","], "invalid choice: ','"),
        (["--data", "x.csv", "--repeats", "0"], "--repeats: expected an integer >= 1"),
        (["--data", "x.csv", "--jobs", "0"], "--jobs: expected an integer other than 0"),
        (["--data", "x.csv", "--jobs", "all"], "--jobs: expected an integer other than 0"),
        (["--data", "x.csv", "--seed", "-1"], "--seed: expected an integer from 0 to"),
        (
            ["--data", "x.csv", "--seed", "4294967296"],
            "--seed: expected an integer from 0 to 4294967295, got",
        ),
    ],
)
def test_arguments_of_compare_that_cannot_be(folder, capsys, arguments, said):
    with pytest.raises(SystemExit) as stopped:
        main(["compare", *arguments])
    out, err = capsys.readouterr()
    assert (stopped.value.code, out) == (2, "")
    assert said in err.splitlines()[-1]
    assert contents(folder) == {}


def test_compare_an_unknown_strategy(folder, compare_mistake):
    line = compare_mistake("--data", npz(folder, X=X, y=Y), "--strategies", "Random,Margins")
    assert "unknown strategy 'Margins'; known: " in line


def test_compare_one_strategy(folder, compare_mistake):
    line = compare_mistake("--data", npz(folder, X=X, y=Y), "--strategies", "Random,Random")
    assert "two strategies or more, got Random" in line


def test_compare_a_strategy_that_one_estimator_cannot_serve(folder, compare_mistake):
    arguments = ["--strategies", "Random,BALD", "--estimator", "forest,logistic"]
    line = compare_mistake("--data", npz(folder, X=X, y=Y), *arguments)
    assert line.startswith("skactive: BALD cannot be used with --estimator logistic: ")


def test_compare_a_missing_column(folder, compare_mistake, frame):
    line = compare_mistake("--data", csv(folder, frame), "--target", "sort")
    assert line == "skactive: data.csv has no column 'sort'; it has a, b, kind\n"


def test_compare_a_missing_file(compare_mistake):
    assert compare_mistake("--data", "none.npz") == "skactive: file not found: none.npz\n"


@pytest.mark.parametrize("budget", ["9", "10"])
def test_compare_a_budget_too_small(folder, compare_mistake, budget):
    line = compare_mistake("--data", npz(folder, X=X, y=Y), "--budget", budget)
    assert f"a budget of {budget} labels leaves nothing to choose after the 10" in line


def test_compare_a_start_of_all_rows(folder, compare_mistake):
    sizes = ["--initial", "90", "--budget", "100"]
    line = compare_mistake("--data", npz(folder, X=X, y=Y), *sizes)
    assert "has 90 training rows" in line
    assert "--initial" in line


@pytest.mark.parametrize(
    ("scoring", "said"),
    [("acc", "unknown scoring 'acc'; scikit-learn has accuracy, "), ("f1", "f1 cannot be used")],
)
def test_compare_a_scoring_that_cannot_be(folder, compare_mistake, scoring, said):
    assert said in compare_mistake("--data", npz(folder, X=X, y=Y), "--scoring", scoring)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("no/such/folder/report.html", "folder not found: no/such/folder"),
        ("data.npz/report.html", "folder not found: data.npz"),
        ("report.png", "the report is written as .html or .htm, not report.png"),
        ("inner", "inner is a folder"),
    ],
)
def test_compare_a_report_that_cannot_be_written(folder, compare_mistake, output, said):
    (folder / "inner").mkdir()
    assert said in compare_mistake("--data", npz(folder, X=X, y=Y), "--output", output)


def test_compare_a_folder_that_is_a_file(folder, compare_mistake):
    path = npz(folder, X=X, y=Y)
    assert "--folder needs a folder" in compare_mistake("--data", path, "--folder", path)


def test_compare_a_folder_of_another_comparison(folder, capsys):
    pytest.importorskip("matplotlib")
    arguments = ["compare", "--data", str(npz(folder, X=X, y=Y)), *PAIR, "--folder", "kept"]
    assert main(arguments) == 0
    before = contents(folder)
    capsys.readouterr()
    assert main([*arguments, "--seed", "5"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("skactive: The folder kept holds campaigns of another comparison. What")
    assert "random_state (0 there, 5 here)" in err
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["--folder", "kept"], "finished campaigns are kept in kept: the same command continues"),
        ([], "nothing is kept; with --folder DIR"),
    ],
)
def test_an_interrupted_comparison_says_how_to_go_on(
    folder, capsys, monkeypatch, arguments, advice
):
    pytest.importorskip("matplotlib")
    chosen = strategies.Margin.select

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(strategies.Margin, "select", interrupted)
    arguments = ["compare", "--data", str(npz(folder, X=X, y=Y)), *PAIR, *arguments]
    assert main(arguments) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert re.split(r"[\r\n]+", err.strip())[-1].startswith(f"skactive: interrupted: {advice}")
    assert not (folder / "comparison.html").exists()
    if "--folder" in arguments:
        assert len(list((folder / "kept" / "runs").glob("*.json"))) == 1  # Random's
        monkeypatch.setattr(strategies.Margin, "select", chosen)
        assert main(arguments) == 0
        assert (folder / "comparison.html").exists()


# Labeling ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", ["label", "serve", "label-studio", "export", "status", "backup"]
)
def test_help_of_the_commands_for_labels(capsys, command):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: skactive {command} ")
    if command in {"label", "serve", "label-studio"}:
        for option in ("text", "classes", "store", "resume", "strategy", "audit"):
            assert f"--{option} " in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--classes", ","], "--classes: separate class names by commas"),
        (["--classes", "a,b,a"], "--classes: 'a' occurs more than once"),
        (["--classes", "a,b\x1b"], "--classes: 'b\\x1b' contains unprintable characters"),
        (["--batch", "0"], "--batch: expected an integer >= 1, got '0'"),
        (["--audit", "1"], "--audit: expected a number >= 0 and < 1, got '1'"),
        (["--audit", "x"], "--audit: expected a number >= 0 and < 1, got 'x'"),
        (["--model", "tree"], "--model: invalid choice: 'tree'"),
    ],
)
def test_arguments_of_label_that_cannot_be(folder, capsys, arguments, said):
    with pytest.raises(SystemExit) as end:
        main(["label", "data.csv", *arguments])
    assert end.value.code == 2
    assert said in capsys.readouterr().err
    assert contents(folder) == {}
