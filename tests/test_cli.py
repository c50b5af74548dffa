"""The command line: what goes right, and one clear line for each thing that does not."""

import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import make_blobs

import skactive
from skactive import _demo, strategies
from skactive.cli import main

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
        (["--colour", "red"], "unrecognized arguments: --colour red"),
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
    assert all(name in line for name in _demo.ESTIMATORS)


@pytest.mark.parametrize("arguments", [[], ["play"]])
def test_a_command_is_needed(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "skactive: error: " in capsys.readouterr().err.splitlines()[-1]


def test_interruption_exits_with_130(folder, capsys, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(_demo.SimulatedLearner, "fit", interrupted)
    path = npz(folder, X=X, y=Y)
    assert main(["demo", *SMALL, "--data", str(path)]) == 130
    assert capsys.readouterr().err.endswith("\nskactive: interrupted\n")
    assert list(contents(folder)) == [path]


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
    frame.insert(0, "colour", "red")
    frame.insert(2, "shape", "round")
    line = mistake("--data", csv(folder, frame), "--target", "kind")
    assert "text or dates: colour, shape;" in line
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
