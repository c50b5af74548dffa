"""csv, tsv and txt: the reading is exact, or there is none."""

import csv
import io
import os
import socket
import tracemalloc

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from skactive.cli._errors import CommandError
from skactive.cli.reading import read_columns

CELLS = st.text(
    st.sampled_from(list("ab1 ,;\t|\"'\n\r\\-é\u2028")) | st.characters(exclude_categories=["Cs"]),
    max_size=8,
).filter(lambda text: "\0" not in text)


def write(folder, content, name="data.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@st.composite
def tables(draw):
    width = draw(st.integers(1, 4))
    return draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6))


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@given(tables(), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
@example([["a,b", 'c"d'], ["e\nf", "g\r\nh"]], ",", "\r\n", False)
@example([['"', '"\n1,"'], ["2", '"']], ",", "\n", True)
def test_what_a_program_wrote_is_read_exactly_or_refused(shared, rows, separator, end, all_quoted):
    # Python's writer leaves such a cell without quotes: its end becomes a part of the line end
    assume(all_quoted or end != "\n" or not any(row[-1].endswith("\r") for row in rows))
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting)
    names = [f"name{number}" for number in range(len(rows[0]))]
    writer.writerows([names, *rows])
    path = write(shared, text.getvalue())
    expected = [row for row in rows if any(cell.strip() for cell in row)]
    try:
        table = read_columns(path, separator=separator)
    except CommandError:
        return
    found = [list(row) for row in zip(*table.columns.values(), strict=True)]
    if list(table.columns) == names:
        assert found == expected
    else:  # the row numbers of pandas have no name: these have one
        pytest.fail("a name was lost")


@given(st.lists(st.sampled_from(["a", "1", ",", '"', "\n", "\r", " ", ";", "\t"]), max_size=40))
def test_no_character_is_lost_but_quotes_and_ends(shared, characters):
    """All letters and digits of a file are in the names and cells, or it is refused."""
    content = "".join(characters)
    try:
        table = read_columns(write(shared, content))
    except CommandError:
        return
    cells = [cell for values in table.columns.values() for cell in values]
    found = "".join([*table.columns, *cells])
    if not any("left out" in note for note in table.notes):
        assert sorted(c for c in found if c in "a1") == sorted(c for c in content if c in "a1")


def test_lines_are_those_of_the_file(tmp_path):
    path = write(tmp_path, 'id,text\n\n1,"a\n\nb"\n2,c\n')
    assert read_columns(path).lines == [3, 6]


def test_codes_and_words_for_missing_values_stay_texts(tmp_path):
    path = write(tmp_path, "id,text\n007,NA\n1,nan\n,null\n1e3, x \n")
    columns = read_columns(path).columns
    assert columns == {"id": ["007", "1", "", "1e3"], "text": ["NA", "nan", "null", " x "]}


def test_a_text_about_rows_is_no_stray_quote(tmp_path):
    text = '"Dear Sir,\nHello, yes\n2 items, please"'
    rows = "".join(f"{i},{text}\n" for i in range(30))
    table = read_columns(write(tmp_path, f"id,text\n{rows}"))
    assert table.n_rows == 30
    assert table.notes[1:] == ["30 cells span several lines, up to 3 (line 2)"]


@pytest.mark.parametrize("start", range(2, 20, 3))
@pytest.mark.parametrize("length", [2, 5, 40])
@pytest.mark.parametrize(
    "row", ["{i},text {i}", "a{i},x y,{k}", "{k},x y {i}", "2024-01-{i:02},x,0.{i}"]
)
def test_stray_quotes_are_found_wherever_they_are(tmp_path, start, length, row):
    """A quote before the last but one column and one at a line's end swallow the rows between."""
    width = row.count(",") + 1
    lines = [row.format(i=i, k="pn"[i % 2]) for i in range(60)]
    cells = lines[start].split(",")
    cells[-1] = f'"{cells[-1]}'
    lines[start] = ",".join(cells)
    lines[start + length] += '"'
    names = ",".join("abc"[:width])
    path = write(tmp_path, "\n".join([names, *lines, ""]))
    with pytest.raises(CommandError, match=rf"line {start + 2} of .* look like rows"):
        read_columns(path)


@pytest.mark.parametrize(
    ("names", "row"),
    [
        ("text,label", '"Dear Sir,\nbye",{k}'),
        ("text,label", '"Dear Sir\nbye",{k}'),
        ("label,text", '{k},"Hello, you\nn, p"'),
        ("id,text", '{i},"In total\n10,000 people"'),
        ("id,text", '{i},"In total\n500,000 people"'),
        ("id,text,label", '{i},"See\npage 3, or 4",{k}'),
        ("id,text", '{i},"a\n\nb\n"'),
    ],
)
def test_texts_over_lines_are_no_rows(tmp_path, names, row):
    rows = [row.format(i=i, k="pn"[i % 2]) for i in range(30)]
    assert read_columns(write(tmp_path, "\n".join([names, *rows]))).n_rows == 30


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(CommandError, match=r"pipe\.csv is not a file but a pipe"):
        read_columns(tmp_path / "pipe.csv")


def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.csv")
        with pytest.raises(CommandError, match="a socket or a device"):
            read_columns(tmp_path / "s.csv")


def test_a_link_to_nothing(tmp_path):
    (tmp_path / "data.csv").symlink_to("gone.csv")
    with pytest.raises(CommandError, match="is a link to a file that does not exist"):
        read_columns(tmp_path / "data.csv")


def test_columns_are_made_chunk_by_chunk(tmp_path):
    """More rows than fit one chunk are kept in order; rows are not all held as lists."""
    n_rows = 50_000
    path = write(tmp_path, "id,text,kind\n" + "".join(f"{i},x{i},\n" for i in range(n_rows)))
    tracemalloc.start()
    table = read_columns(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert table.columns["id"] == [str(i) for i in range(n_rows)]
    assert peak < 250 * n_rows
