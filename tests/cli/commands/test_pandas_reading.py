"""The lines of a program that read a table: the same numbers and classes, or no lines."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from skactive.cli.commands._pandas_reading import write_reading
from skactive.cli.commands._tables import read_table

pd = pytest.importorskip("pandas")

ROWS = [f"{i / 7},{-i}.25,{'ab'[i % 2]}" for i in range(8)]
TEXT = "\n".join(["u,v,y", *ROWS]) + "\n"
SEMICOLONS = TEXT.replace(",", ";")
NUMBERED = "\n".join([",u,v,y", *(f"{i},{row}" for i, row in enumerate(ROWS))])
OBJECTS = ",\n".join(f'{{"u": {i / 7}, "v": {-i}, "y": "{"ab"[i % 2]}"}}' for i in range(8))


def run(path, target="y"):
    """Return the lines, X and y that they give, and the table as the command reads it."""
    table = read_table(path, target)
    lines = write_reading(path, target, table.names, table.X, table.y)
    if lines is None:
        return None, None, None, table
    namespace = {"np": np, "pd": pd}
    exec("\n".join(lines), namespace)
    return lines, namespace["X"], namespace["y"], table


@pytest.mark.parametrize(
    ("name", "data", "needed"),
    [
        ("plain.csv", TEXT, ""),
        ("tabs.tsv", TEXT.replace(",", "\t"), r"sep='\t'"),
        ("semicolons.csv", SEMICOLONS, "sep=';'"),
        ("hint.csv", f"sep=;\n{SEMICOLONS}", "sep=';', skiprows=1"),
        ("numbered.csv", NUMBERED, "usecols="),
        ("empty.csv", TEXT.replace("\n", "\n\n", 3), ""),
        ("gaps.csv", TEXT.replace("-3.25", "NA"), ""),
        ("wide.csv", TEXT.encode("utf-16"), "encoding='utf-16'"),
        ("packed.csv.gz", gzip.compress(TEXT.encode(), mtime=0), ""),
        ("list.json", f"[{OBJECTS}]", ""),
        ("lines.jsonl", OBJECTS.replace(",\n", "\n"), "lines=True"),
        ("lines.json", OBJECTS.replace(",\n", "\n"), "lines=True"),
    ],
)
def test_the_lines_give_what_the_command_read(tmp_path, name, data, needed):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    lines, X, y, table = run(path)
    assert needed in lines[0]
    np.testing.assert_allclose(X, table.X, rtol=1e-14)
    np.testing.assert_array_equal(np.unique(y, return_inverse=True)[1], table.y)


@pytest.mark.parametrize("kind", ["parquet", "excel"])
def test_files_with_types(tmp_path, kind):
    pytest.importorskip("pyarrow" if kind == "parquet" else "openpyxl")
    path = tmp_path / ("a.parquet" if kind == "parquet" else "a.xlsx")
    frame = pd.DataFrame({"u": [i / 7 for i in range(8)], "v": range(8), "y": list("abababab")})
    getattr(frame, f"to_{kind}")(path, index=False)
    lines, X, _, table = run(path)
    assert f"read_{kind}" in lines[0]
    np.testing.assert_allclose(X, table.X, rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("none.csv", TEXT.replace(",a\n", ",None\n")),  # a class here, a missing value for pandas
        ("spaces.csv", TEXT.replace("u,v,y\n", "u,v,y\n , , \n")),  # an empty row
        ("dashes.csv", TEXT.replace("u,v,y", "u, v ,y")),  # another name
    ],
)
def test_no_lines_where_pandas_reads_otherwise(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    assert run(path)[0] is None


def test_an_npz_file(tmp_path):
    path = Path(tmp_path) / "a.npz"
    np.savez(path, rows=np.arange(16.0).reshape(8, 2), y=np.arange(8) % 2)
    _, X, _, table = run(path)
    np.testing.assert_allclose(X, table.X, rtol=1e-14)
