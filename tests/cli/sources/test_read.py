"""Rows to label: texts as the file has them, what is left out and said, ids, copies."""

import json

import pytest

from skactive.cli._errors import CommandError
from skactive.cli.sources._data_source import ReadingOptions
from skactive.cli.sources._read import read_source


def read(path, **options):
    return read_source(path, ReadingOptions(**options))


@pytest.fixture
def write(tmp_path):
    """Write records to a jsonl file; return its path."""

    def write_records(*records):
        path = tmp_path / "data.jsonl"
        path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
        return path

    return write_records


def has_note(source, *parts):
    return any(all(part in note for part in parts) for note in source.notes)


# Texts ------------------------------------------------------------------------------------------


def test_texts_are_kept_as_they_are(tmp_path):
    (tmp_path / "data.csv").write_bytes(
        '\ufeffid,body\n007,NA\n8,"two\nlines, and a comma"\n9,null\n'.encode()
    )
    source = read(tmp_path / "data.csv", text="body", id="id")
    assert source.rows == ["NA", "two\nlines, and a comma", "null"]
    assert source.ids == ["007", "8", "9"]
    assert source.columns == {"id": source.ids, "body": source.rows}


def test_parquet(tmp_path):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"t": ["a", None, "c"], "n": [4, 5, 6]})
    frame.to_parquet(tmp_path / "data.parquet")
    source = read(tmp_path / "data.parquet", text="t", id="n")
    assert (source.rows, source.ids) == (["a", "c"], [4, 6])


def test_rows_without_text_are_left_out_and_said(write):
    path = write({"t": "a", "n": 1}, {"t": None, "n": 2}, {"n": 3}, {"t": " \n", "n": 4},
                 {"t": "b", "n": 5})  # fmt: skip
    source = read(path, text="t")
    assert source.rows == ["a", "b"]
    assert source.ids == [0, 4]  # the numbers of the rows in the file
    assert source.columns["n"] == [1, 5]
    assert has_note(source, "3 rows without text left out")


def test_missing_rows_at_the_end_leave_the_numbers_alone(write):
    assert read(write({"t": "a"}, {"t": "b"}, {"t": ""}), text="t").ids is None


def test_a_file_without_texts_is_refused(write):
    with pytest.raises(CommandError, match="has no rows with content"):
        read(write({"t": "", "n": 1}, {"t": None, "n": 2}), text="t")


def test_texts_of_several_columns_are_joined(write):
    path = write({"t": "a", "b": "c"}, {"t": "", "b": "d"}, {"t": None, "b": " "})
    assert read(path, text="t,b").rows == ["a\n\nc", "d"]
    for names, missing in (("t,x", "'x'"), ('t,"b', "'t,\"b'")):
        with pytest.raises(CommandError, match=f"has no column {missing}"):
            read(path, text=names)


def test_a_column_whose_name_has_a_comma(write):
    assert read(write({"t,b": "a", "t": "x"}, {"t,b": "c", "t": "x"}), text="t,b").rows == [
        "a",
        "c",
    ]


def test_characters_that_cannot_be_shown_are_replaced_and_said(tmp_path):
    (tmp_path / "data.csv").write_text("t\nred \x1b[31m\nplain\ttab\n")
    source = read(tmp_path / "data.csv", text="t")
    assert source.rows == ["red \ufffd[31m", "plain\ttab"]
    assert has_note(source, "Control characters", " 2" if "line" in source.notes[0] else " 1")


@pytest.mark.parametrize("name", ["n\ud83d", "n\x1b"])
def test_names_that_cannot_be_shown_are_refused(write, name):
    with pytest.raises(CommandError, match=r"rename it|half a character"):
        read(write({"t": "a", name: 1}, {"t": "b", name: 2}), text="t")


# Copies -----------------------------------------------------------------------------------------


def make_copies():
    return [{"id": f"r{i}", "t": f"text {i % 3}", "y": "a" if i == 4 else None} for i in range(7)]


def test_copies_are_said(write):
    source = read(write(*make_copies()), text="t", id="id")
    assert len(source.rows) == 7
    assert has_note(source, "4 rows repeat another row's text", "--group-duplicates")


def test_copies_are_grouped_on_request(write):
    path = write(*make_copies())
    source = read(path, text="t", id="id", label="y", classes=["a", "b"], group_duplicates=True)
    assert source.rows == ["text 0", "text 1", "text 2"]
    assert source.ids == ["r0", "r1", "r2"]
    assert source.copies == {"r3": "r0", "r4": "r1", "r5": "r2", "r6": "r0"}
    assert source.labels == {"r1": "a"}  # that of a copy
    assert source.copy_columns["id"] == ["r3", "r4", "r5", "r6"]


def test_copies_of_rows_of_a_table(write):
    pytest.importorskip("pandas")
    path = write(*({"a": i % 4 + 0.5, "b": None if i % 4 else 1} for i in range(8)))
    source = read(path, group_duplicates=True)
    assert len(source.rows) == 4
    assert source.copies == {4: 0, 5: 1, 6: 2, 7: 3}


# Ids --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["a", "", "c"], "rows without an id: "),
        (["a", None, "c"], "rows without an id: "),
        (["a", "b", "a"], "'a' occurs more than once"),
        ([1, 1.5, 2], "strings or integers, got 1.5"),
        ([1, True, 2], "strings or integers, got True"),
        (["a", "b\x1b", "c"], r"the id 'b\\x1b' .* contains unprintable characters"),
        (["a", "b\nb", "c"], "contains unprintable characters"),
        (["a", "b\u2028", "c"], "contains unprintable characters"),
    ],
)
def test_ids_that_cannot_be(write, ids, said):
    path = write(*({"id": ident, "t": f"text {i}"} for i, ident in enumerate(ids)))
    with pytest.raises(CommandError, match=said):
        read(path, text="t", id="id")
    assert read(path, text="t").ids is None  # as the messages advise


def test_an_id_may_be_of_any_script(write):
    path = write({"id": "ж\u00a01", "t": "x"}, {"id": "一\u30002", "t": "y"})
    assert read(path, text="t", id="id").ids == ["ж\u00a01", "一\u30002"]


# Options ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"text": "t", "columns": ["n"]}, "--text and --columns cannot be combined"),
        ({"text": "t", "label": "t"}, "--label names 't', which is the column of ids or texts"),
        ({"text": "t", "id": "n", "label": "n"}, "--label names 'n'"),
        ({"text": "t", "label": "none"}, "has no column 'none'"),
        ({"columns": ["none"]}, "has no column 'none'"),
        ({"columns": ["n"], "id": "n"}, "--columns names 'n', which holds the ids or labels"),
        ({"kind": "images"}, "--images needs a folder"),
    ],
)
def test_options_that_do_not_fit(write, options, said):
    with pytest.raises(CommandError, match=said):
        read(write({"t": "a", "n": 1}, {"t": "b", "n": 2}), **options)


@pytest.mark.parametrize(
    "options", [{"label": "y"}, {"columns": ["a"]}, {"separator": ";"}, {"group_duplicates": True}]
)
def test_a_folder_has_no_columns(tmp_path, options):
    with pytest.raises(CommandError, match=f"--{next(iter(options)).replace('_', '-')} is for"):
        read(tmp_path, **options)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n", "a.png is an image: .* name their folder, .*"),
        ("b.WAV", b"RIFF", "b.WAV is a sound: .* name their folder, .*"),
        (
            "labels.db",
            b"SQLite format 3\0",
            "no rows to label: continue .* by --resume .*labels.db",
        ),
        ("notes.doc", b"notes", "cannot read notes.doc: expected one of .csv"),
    ],
)
def test_a_file_that_is_labeled_otherwise(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(CommandError, match=said):
        read(tmp_path / name, text="a")


def test_values_of_other_types_are_texts(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    path = tmp_path / "data.parquet"
    days = pandas.to_datetime(["2024-05-01", "2024-05-02"]).date
    frame = pandas.DataFrame({"day": days, "said": [b"yes", b"no"], "both": [["a"], ["b", "c"]]})
    frame.to_parquet(path)
    assert read(path, text="day").rows == ["2024-05-01", "2024-05-02"]
    assert read(path, text="said").rows == ["yes", "no"]
    assert read(path, text="both").rows == ['["a"]', '["b", "c"]']


def test_unused_labels_are_said(write):
    path = write(*({"t": f"text {i}", "gold y": "ab"[i % 2]} for i in range(8)))
    assert has_note(read(path, text="t", classes=["a", "b"]), "--label 'gold y'")
    for options in ({"classes": ["c", "d"]}, {"is_new": False}, {"label": "gold y"}):
        assert not has_note(read(path, text="t", **options), "is not used")
