"""The content of rows, and what is said about it."""

import pytest

from skactive.cli.reading import read_columns
from skactive.cli.sources._contents import read_features
from skactive.cli.sources._data_source import ReadingOptions

pytest.importorskip("pandas")


def test_the_description_counts_kinds_and_values(tmp_path):
    path = tmp_path / "a.csv"
    rows = [
        f"{i}.5,{('Rome', 'Oslo', '')[i % 3]},2024-01-{i + 1:02},{i % 2 == 0}" for i in range(9)
    ]
    path.write_text("\n".join(["age,city,when,ok", *rows]))
    table = read_columns(path)
    content = read_features(table, path, ReadingOptions(columns=["age", "city", "when", "ok"]))
    assert content.notes == [
        "Features: 1 number (imputed, scaled), 1 true/false column (0 or 1), 1 date (as numbers), "
        "1 category (one-hot, 3 values)"
    ]
