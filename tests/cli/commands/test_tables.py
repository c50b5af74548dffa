"""Labeled tables: one clear line for each file that cannot be used."""

import sys

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from skactive.cli.commands._tables import read_table

X, Y = make_blobs(n_samples=120, centers=3, n_features=2, cluster_std=3.0, random_state=0)


def npz(folder, **arrays):
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def csv(folder, frame):
    path = folder / "data.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", ["none.csv", "none.npz", "none"])
def test_a_missing_file(mistake, name):
    assert mistake("--data", name) == f"skactive: file not found: {name}\n"


def test_a_folder_is_no_file(folder, mistake):
    (folder / "inner.csv").mkdir()
    assert "file not found" in mistake("--data", "inner.csv")


@pytest.mark.parametrize("name", ["data.ods", "data"])
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
    assert "data.npz is not an npz file" in mistake("--data", broken(folder, how))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_broken_table(folder, mistake, kind):
    pytest.importorskip("pandas")
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    path = folder / f"data.{kind}"
    path.write_text("a,kind\n1,2\n1,2,3,4\n")
    said = {"csv": "line 3 of data.csv has 4 cells", "parquet": "data.parquet cannot be read"}
    assert said[kind] in mistake("--data", path, "--target", "kind")


def test_an_empty_csv(folder, mistake):
    pytest.importorskip("pandas")
    (folder / "data.csv").write_text("")
    assert "data.csv is empty" in mistake("--data", "data.csv", "--target", "kind")


def test_a_table_without_target_lists_its_columns(folder, mistake, frame):
    line = mistake("--data", csv(folder, frame))
    assert "--target" in line
    assert "a, b, kind" in line


def test_a_target_that_is_no_column_lists_the_columns(folder, mistake, frame):
    line = mistake("--data", csv(folder, frame), "--target", "sort")
    assert line == "skactive: data.csv has no column 'sort'; it has a, b, kind\n"


def test_a_target_that_is_no_array_lists_the_arrays(folder, mistake):
    path = npz(folder, rows=X, labels=Y)
    assert mistake("--data", path) == "skactive: data.npz has no array 'y'; it has rows, labels\n"
    line = mistake("--data", path, "--target", "kind")
    assert line == "skactive: data.npz has no array 'kind'; it has rows, labels\n"


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
    assert "expected numbers, but 'X' of data.npz holds" in line


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
    assert line == "skactive: data.csv has no kind in 2 rows: fill in or drop such rows\n"


def test_missing_labels_of_an_npz(folder, mistake):
    labels = np.where(np.arange(120) == 3, np.nan, Y)
    assert "data.npz has no y in 1 row:" in mistake("--data", npz(folder, X=X, y=labels))


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


def test_what_is_left_out_is_said(folder, capsys, frame):
    path = csv(folder, frame)
    path.write_text(path.read_text().replace("\n", "\n\n", 1))
    X = read_table(path, "kind").X
    assert len(X) == 120
    said = capsys.readouterr().err
    assert said == "data.csv: 1 empty line left out (line 2)\n"


def test_a_table_without_pandas(folder, mistake, monkeypatch):
    (folder / "data.csv").write_text("a,kind\n1,2\n")
    monkeypatch.setitem(sys.modules, "pandas", None)
    line = mistake("--data", "data.csv", "--target", "kind")
    assert 'pip install "skactive[data]"' in line
