"""Tables in several parquet files: a folder or a pattern."""

from pathlib import Path

import pytest

from skactive.cli import main
from skactive.cli._errors import CommandError
from skactive.cli.reading import list_parts, read_columns

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def write(folder, **parts):
    for name, columns in parts.items():
        parquet.write_table(pyarrow.table(columns), folder / f"{name}.parquet")


def test_a_folder_and_a_pattern_are_one_table_in_the_order_of_names(tmp_path):
    write(tmp_path, b={"n": [3.5], "t": ["z"]}, a={"n": [1, 2], "t": ["x", None]})
    (tmp_path / "notes.txt").write_text("nothing")
    for path in (tmp_path, tmp_path / "*.parquet"):
        assert read_columns(path).columns == {"n": [1.0, 2.0, 3.5], "t": ["x", None, "z"]}
    assert read_columns(tmp_path / "a*.parquet").columns["n"] == [1, 2]
    assert list_parts(tmp_path / "a.parquet") == list_parts(Path("none*.parquet")) == []


def test_parts_of_other_columns_are_refused(tmp_path):
    write(tmp_path, a={"n": [1]}, b={"m": [1]})
    with pytest.raises(CommandError, match=r"b\.parquet has the columns m, but a\.parquet has n"):
        read_columns(tmp_path)
    write(tmp_path, b={"n": ["text"]})
    with pytest.raises(CommandError, match=r"'n' is string in b\.parquet, but int64 in"):
        read_columns(tmp_path)
    write(tmp_path, a={"n": [1], "k": ["x"]}, b={"n": pyarrow.nulls(1), "k": ["y"]})
    assert read_columns(tmp_path).columns == {"n": [1, None], "k": ["x", "y"]}


def test_strategies_are_compared_on_a_folder(tmp_path, capsys):
    folder = tmp_path / "parts"
    folder.mkdir()
    for part in range(2):
        n = [float(i + part) for i in range(40)]
        write(folder, **{f"{part}": {"n": n, "y": ["a" if i < 20 else "b" for i in n]}})
    command = ["compare", "--data", str(folder), "--target", "y", "--strategies", "Random,Margin"]
    command += ["--budget", "12", "--initial", "6", "--batch-size", "3", "--repeats", "2"]
    command += ["--estimator", "logistic", "--output", str(tmp_path / "out.html")]
    assert main(command) == 0, capsys.readouterr().err
    assert "read_parquet" in (tmp_path / "out.html").read_text()  # the program that repeats it
    command[2] = str(folder / "*.parquet")
    assert main(command) == 0, capsys.readouterr().err
