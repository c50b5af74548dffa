"""Messy tables: each is read in full, or stops; what is odd is said."""

import re
import runpy
from pathlib import Path

import pytest

from skactive.cli._errors import CommandError
from skactive.cli.reading import read_columns

SCRIPT = runpy.run_path(str(Path(__file__).parents[1] / "messy_tables.py"))
MESSY_TABLES = SCRIPT["MESSY_TABLES"]


@pytest.mark.parametrize("messy", MESSY_TABLES, ids=lambda messy: messy.name)
def test_a_messy_table(tmp_path, messy):
    if messy.needs is not None:
        pytest.importorskip(messy.needs)
    path = messy.write(tmp_path)
    if messy.n_rows is None:
        with pytest.raises(CommandError) as error:
            read_columns(path, **messy.options)
        said = str(error.value)
        assert re.search(messy.said, said), said
        assert len(said.splitlines()) == 1
        assert path.name in said or "encoding" in said or "separated by" in said
        return
    table = read_columns(path, **messy.options)
    assert table.n_rows == messy.n_rows
    assert re.match(rf"{messy.n_rows} rows?\b", table.notes[0])
    assert {len(values) for values in table.columns.values()} == {messy.n_rows}
    assert len(table.lines) in {0, messy.n_rows}
    remarks = table.notes[1:]
    if messy.said:
        assert [note for note in remarks if re.search(messy.said, note)], remarks
    else:
        assert remarks == []


def test_the_names_of_messy_tables_differ():
    names = [messy.name for messy in MESSY_TABLES]
    assert len(set(names)) == len(names) >= 40
