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
from skactive.cli import _compare as _report
from skactive.cli import _demo, _main, main
from skactive.cli import _models as _choices

# Eighths have few decimals and no rounding: a csv holds them exactly.
X, Y = make_blobs(n_samples=120, centers=3, n_features=2, cluster_std=3.0, random_state=0)
X = np.round(X * 8) / 8

SMALL = ["--estimator", "logistic", "--seeds", "1", "--budget", "30", "--strategies", "Random"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder: the default picture goes there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def frame():
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(X, columns=["a", "b"]).assign(kind=np.array(["u", "v", "w"])[Y])


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


@pytest.fixture
def mistake(folder, capsys):
    """Run a mistaken ``skactive demo``; return the one line that it says about it."""

    def run(*arguments):
        before = contents(folder)
        code = main(["demo", *SMALL, *map(str, arguments)])
        out, err = capsys.readouterr()
        assert code == 2
        assert out == ""
        assert err.startswith("skactive: ")
        assert err.endswith("\n")
        assert err.count("\n") == 1
        assert contents(folder) == before
        return err

    return run


@pytest.fixture
def late_mistake(folder, capsys):
    """Like `mistake`, where the run may have begun before it was noticed."""

    def run(*arguments):
        before = contents(folder)
        code = main(["demo", *SMALL, *map(str, arguments)])
        err = re.split(r"[\r\n]+", capsys.readouterr().err.strip())
        assert code == 2
        assert err[-1].startswith("skactive: ")
        assert sum(line.startswith("skactive: ") for line in err) == 1
        assert contents(folder) == before
        return err[-1]

    return run


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


def test_the_exit_code_reaches_the_shell(folder):
    done = python_m("demo", "--data", "none.csv")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "skactive: there is no file none.csv\n"


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
        (["--seeds", "0"], "--seeds: a whole number of at least 1 is needed, got '0'"),
        (["--seeds", "-1"], "--seeds: a whole number of at least 1 is needed, got '-1'"),
        (["--budget", "many"], "--budget: a whole number of at least 1 is needed, got 'many'"),
        (["--batch-size", "1.5"], "--batch-size: a whole number"),
        (["--initial", "0"], "--initial: a whole number"),
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
    assert set(_main.ESTIMATORS) == set(_choices.ESTIMATORS)


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
        module = {"demo": _demo, "compare": _report}[command]
        monkeypatch.setattr(module, f"run_{command}", caught.append)
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
        *("AnchorAL", "ClassBalanced", "EpsilonGreedy", "FacilityLocationMutualInformation"),
        *("Mixture", "Prefilter", "SEALS", "ScoreStrategy", "Strategy", "Subsample"),
    }
    assert set(known.strip().removeprefix("there are ").split(", ")) == without_arguments


def test_a_strategy_that_the_estimator_cannot_serve(mistake):
    line = mistake("--strategies", "Random,BALD", "--estimator", "logistic")
    assert "BALD" in line
    assert "proba_samples" in line
    assert "RandomForestClassifier" in line  # what to use instead


# Data that do not go ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["none.csv", "none.npz", "none"])
def test_a_missing_file(mistake, name):
    assert mistake("--data", name) == f"skactive: there is no file {name}\n"


def test_a_folder_is_no_file(folder, mistake):
    (folder / "inner.csv").mkdir()
    assert "there is no file" in mistake("--data", "inner.csv")


@pytest.mark.parametrize("name", ["data.xlsx", "data"])
def test_a_file_of_unknown_kind(folder, mistake, name):
    (folder / name).write_text("a,b\n1,2\n")
    line = mistake("--data", name)
    assert name in line
    assert all(kind in line for kind in (".npz", ".csv", ".parquet"))


def broken(folder, how):
    """Write a file that is no archive of arrays, though its name says so."""
    path = npz(folder, X=X, y=Y)
    sound = path.read_bytes()
    if how == "text":
        path.write_text("a,b\n1,2\n")
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "cut short":
        path.write_bytes(sound[:600])
    elif how == "damaged":
        path.write_bytes(sound[:400] + b"\0" * 60 + sound[460:])
    elif how == "npy":
        with path.open("wb") as file:
            np.save(file, X)
    return path


@pytest.mark.parametrize("how", ["text", "empty", "cut short", "damaged", "npy"])
def test_a_broken_npz(folder, mistake, how):
    assert "data.npz is no npz file" in mistake("--data", broken(folder, how))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_broken_table(folder, mistake, kind):
    pytest.importorskip("pandas")
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    path = folder / f"data.{kind}"
    path.write_text("a,kind\n1,2\n1,2,3,4\n")
    assert f"data.{kind} cannot be read" in mistake("--data", path, "--target", "kind")


def test_an_empty_csv(folder, mistake):
    pytest.importorskip("pandas")
    (folder / "data.csv").write_text("")
    assert "data.csv cannot be read" in mistake("--data", "data.csv", "--target", "kind")


def test_a_table_without_target_lists_its_columns(folder, mistake, frame):
    line = mistake("--data", csv(folder, frame))
    assert "--target" in line
    assert "a, b, kind" in line


def test_a_target_that_is_no_column_lists_the_columns(folder, mistake, frame):
    line = mistake("--data", csv(folder, frame), "--target", "sort")
    assert line == "skactive: data.csv has no 'sort'; it has a, b, kind\n"


def test_a_target_that_is_no_array_lists_the_arrays(folder, mistake):
    path = npz(folder, rows=X, labels=Y)
    assert mistake("--data", path) == "skactive: data.npz has no 'y'; it has rows, labels\n"
    line = mistake("--data", path, "--target", "kind")
    assert line == "skactive: data.npz has no 'kind'; it has rows, labels\n"


def test_an_npz_without_rows_for_the_target(folder, mistake):
    assert "120 rows" in mistake("--data", npz(folder, X=X[:50], y=Y))


def test_columns_of_text_are_named(folder, mistake, frame):
    frame.insert(0, "color", "red")
    frame.insert(2, "shape", "round")
    line = mistake("--data", csv(folder, frame), "--target", "kind")
    assert "text or dates: color, shape;" in line
    assert "encode or drop them" in line


@pytest.mark.parametrize("dtype", [str, "S3"])
def test_rows_of_text_in_an_npz(folder, mistake, dtype):
    line = mistake("--data", npz(folder, X=X.astype(dtype), y=Y))
    assert "numbers are needed, but 'X' of data.npz holds" in line


def test_rows_of_objects_in_an_npz_are_not_unpickled(folder, mistake):
    mistake("--data", npz(folder, X=X.astype(object), y=Y))


@pytest.mark.parametrize("kind", ["csv", "npz"])
def test_a_target_that_is_no_class(folder, mistake, frame, kind):
    frame["kind"] = values = np.linspace(0, 1, len(frame))
    path = csv(folder, frame) if kind == "csv" else npz(folder, X=X, kind=values)
    line = mistake("--data", path, "--target", "kind")
    assert "120 distinct values in 120 rows" in line


@pytest.mark.parametrize("kind", ["csv", "npz"])
def test_one_class_only(folder, mistake, frame, kind):
    frame["kind"] = "u"
    path = csv(folder, frame) if kind == "csv" else npz(folder, X=X, kind=np.zeros(120))
    assert "1 distinct value" in mistake("--data", path, "--target", "kind")


def test_missing_labels_of_a_table(folder, mistake, frame):
    frame.loc[[3, 5], "kind"] = None
    line = mistake("--data", csv(folder, frame), "--target", "kind")
    assert line == "skactive: 2 rows of data.csv have no kind\n"


def test_missing_labels_of_an_npz(folder, mistake):
    labels = np.where(np.arange(120) == 3, np.nan, Y)
    assert "1 rows of data.npz have no y" in mistake("--data", npz(folder, X=X, y=labels))


def test_a_target_of_several_columns(folder, mistake):
    mistake("--data", npz(folder, X=X, y=np.column_stack([Y, Y])))


def test_a_target_that_is_one_number(folder, mistake):
    mistake("--data", npz(folder, X=X, y=np.array(3)))


def test_infinite_values(folder, late_mistake):
    late_mistake("--data", npz(folder, X=np.where(X > 0, np.inf, X), y=Y))


def test_a_table_of_nothing_but_the_target(folder, late_mistake, frame):
    late_mistake("--data", csv(folder, frame[["kind"]]), "--target", "kind")


def test_too_few_rows_to_test_on(folder, late_mistake):
    """Ten rows of five classes: the test rows cannot hold all of them."""
    late_mistake("--data", npz(folder, X=X[:10], y=np.arange(10) // 2), "--initial", "4")


def test_a_table_without_pandas(folder, mistake, monkeypatch):
    (folder / "data.csv").write_text("a,kind\n1,2\n")
    monkeypatch.setitem(sys.modules, "pandas", None)
    line = mistake("--data", "data.csv", "--target", "kind")
    assert 'pip install "skactive[data]"' in line


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
        (["--data", "x.csv", "--repeats", "0"], "--repeats: a whole number of at least 1"),
        (["--data", "x.csv", "--jobs", "0"], "--jobs: a whole number other than 0 is needed"),
        (["--data", "x.csv", "--jobs", "all"], "--jobs: a whole number other than 0 is needed"),
        (["--data", "x.csv", "--seed", "-1"], "--seed: a whole number from 0 is needed"),
        (["--data", "x.csv", "--seed", "4294967296"], "--seed: a whole number from 0"),
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
    assert "there is no strategy 'Margins'; there are " in line


def test_compare_one_strategy(folder, compare_mistake):
    line = compare_mistake("--data", npz(folder, X=X, y=Y), "--strategies", "Random,Random")
    assert "two strategies or more, got Random" in line


def test_compare_a_strategy_that_one_estimator_cannot_serve(folder, compare_mistake):
    arguments = ["--strategies", "Random,BALD", "--estimator", "forest,logistic"]
    line = compare_mistake("--data", npz(folder, X=X, y=Y), *arguments)
    assert line.startswith("skactive: BALD does not go with this estimator")


def test_compare_a_missing_column(folder, compare_mistake, frame):
    line = compare_mistake("--data", csv(folder, frame), "--target", "sort")
    assert line == "skactive: data.csv has no 'sort'; it has a, b, kind\n"


def test_compare_a_missing_file(compare_mistake):
    assert compare_mistake("--data", "none.npz") == "skactive: there is no file none.npz\n"


@pytest.mark.parametrize("budget", ["9", "10"])
def test_compare_a_budget_too_small(folder, compare_mistake, budget):
    line = compare_mistake("--data", npz(folder, X=X, y=Y), "--budget", budget)
    assert f"a budget of {budget} labels leaves nothing to choose after the 10" in line


def test_compare_a_start_of_all_rows(folder, compare_mistake):
    sizes = ["--initial", "90", "--budget", "100"]
    line = compare_mistake("--data", npz(folder, X=X, y=Y), *sizes)
    assert "has 90 rows to learn from" in line
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
        ("no/such/folder/report.html", "there is no folder no/such/folder"),
        ("data.npz/report.html", "there is no folder data.npz"),
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
        (["--folder", "kept"], "finished campaigns are kept in kept: the same command goes on"),
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


@pytest.mark.parametrize("command", ["label", "serve", "label-studio", "export", "status"])
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
        (["--classes", ","], "--classes: name the classes, parted by commas"),
        (["--classes", "a,b,a"], "--classes: 'a' is named twice"),
        (["--classes", "a,b\x1b"], "--classes: 'b\\x1b' cannot be shown"),
        (["--batch", "0"], "--batch: a whole number of at least 1 is needed, got '0'"),
        (["--audit", "1"], "--audit: a share from 0 to below 1 is needed, got '1'"),
        (["--audit", "x"], "--audit: a share from 0 to below 1 is needed, got 'x'"),
        (["--model", "tree"], "--model: invalid choice: 'tree'"),
    ],
)
def test_arguments_of_label_that_cannot_be(folder, capsys, arguments, said):
    with pytest.raises(SystemExit) as end:
        main(["label", "data.csv", *arguments])
    assert end.value.code == 2
    assert said in capsys.readouterr().err
    assert contents(folder) == {}
