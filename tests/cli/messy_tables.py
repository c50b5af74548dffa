r"""Messy tables, and what must be said about each: a note, or the error that stops.

    python tests/cli/messy_tables.py FOLDER

writes them to a folder, reads each, and prints what is said.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["MESSY_TABLES", "MessyTable"]


class MessyTable(NamedTuple):
    """A file, and what its reading must say."""

    name: str
    content: bytes | Callable[[Path], None]  # or what writes it
    n_rows: int | None  # None: it cannot be read
    said: str  # regular expression of a note, or of the error; "" if there is nothing to say
    options: dict[str, str] = {}  # noqa: RUF012 (never changed)
    needs: str | None = None  # an optional library

    def write(self, folder: Path) -> Path:
        """Write the file and return its path."""
        path = folder / self.name
        if isinstance(self.content, bytes):
            path.write_bytes(self.content)
        else:
            self.content(path)
        return path


def _lines(*lines: str, end: str = "\n", encoding: str = "utf-8") -> bytes:
    return "".join(line + end for line in lines).encode(encoding)


def _spam(n_rows: int = 20, **changes: str) -> bytes:
    """Return a table of ids and texts, with other lines at some numbers: line7="..."."""
    lines = [
        "id,text",
        *(f"{i},message {i} about {'money' if i % 2 else 'parcels'}" for i in range(n_rows)),
    ]
    for line, text in changes.items():
        lines[int(line.removeprefix("line")) - 1] = text
    return _lines(*lines)


# Texts with separators ---------------------------------------------------------------------------

_CELLS = [
    MessyTable("plain.csv", _spam(), 20, ""),
    MessyTable(
        "unquoted_commas.csv",
        _lines("id,text", *(f"{i},message {i}, but NOT the rest" for i in range(5))),
        None,
        r"line 2 of .* has 3 cells, .* names 2 columns \(id, text\).* 4 other lines are like it",
    ),
    MessyTable("one_comma_too_many.csv", _spam(line9="7,well, yes"), None, "line 9 .* 3 cells"),
    MessyTable("comma_at_a_texts_end.csv", _spam(line4="2,hello,"), None, "line 4 .* 3 cells"),
    MessyTable(
        "comma_at_every_end.csv",
        _lines("id,text", "1,a,", "2,b,"),
        2,
        "an empty cell at the end of every row left out",
    ),
    MessyTable("broken_line.csv", _spam(line9="7,first\nsecond"), None, "line 10 .* 1 cell, sep"),
    MessyTable(
        "broken_line_of_three.csv",
        _lines("id,text,note", "1,a,", "2,b", "c,", "3,d,x"),
        None,
        "line 3 .* has 2 cells",
    ),
    MessyTable(
        "short_rows_of_a_spreadsheet.csv",
        _lines("id,text,x,y", "1,a,,", "2,b", "3,c,,9"),
        3,
        r"1 row without the last cells, read as empty \(line 3\)",
    ),
    MessyTable(
        "short_rows_where_others_are_full.csv",
        _lines("id,text,x,y", "1,a,5,6", "2,b", "3,c,7,9"),
        None,
        "line 3 .* has 2 cells",
    ),
    MessyTable("title_line.csv", b"Export of May\nid,text\n1,a\n", None, "line 2 .* 2 cells"),
    MessyTable("row_names_of_r.csv", _lines("text,y", "1,a,0", "2,b,1"), None, "3 cells"),
    MessyTable(
        "index_of_pandas.csv",
        _lines(",text", "0,a", "1,b"),
        2,
        "column 1, which only numbers the rows, left out",
    ),
    MessyTable(
        "empty_columns_at_the_end.csv",
        _lines("id,text,,", "1,a,,", "2,b,,"),
        2,
        "2 empty columns without a name at the end of the rows left out",
    ),
    MessyTable("unnamed_column.csv", b"id,,text\n1,x,a\n", None, "no name for column 2 of 3"),
    MessyTable(
        "same_name.csv",
        b"id,text,text\n1,a,b\n",
        None,
        "columns 2 and 3 of .* have the same name, 'text': rename them",
    ),
    MessyTable("same_name_but_spaces.csv", b"text, text\na,b\n", None, "columns 1 and 2 .* same"),
    MessyTable("spaces_in_names.csv", b"id, text\n1, a\n", 1, "spaces around the names"),
    MessyTable(
        "empty_lines.csv",
        b"id,text\n\n1,a\n\n2,b\n",
        2,
        r"2 empty lines left out \(lines 2 and 4\)",
    ),
    MessyTable(
        "empty_cells.csv", b"id,text\n1,a\n, \n2,\n", 2, r"1 empty line left out \(line 3\)"
    ),
    MessyTable("leading_empty_lines.csv", b"\n,\nid,text\n1,a\n", 1, "2 empty lines left out"),
    MessyTable("names_only.csv", b"id,text\n", None, "has no rows: only its first line"),
    MessyTable("nothing.csv", b"", None, "is empty: its first line must name the columns"),
    MessyTable("line_ends_only.csv", b"\n\n \n", None, "is empty: its first line"),
    MessyTable("names_as_numbers.csv", b"1,2\n3,4\n", 1, "they are only numbers"),
    MessyTable(
        "no_names.csv", b"good film,pos\nbad film,neg\nok film,pos\n", 2, "'pos' is also a value"
    ),
    MessyTable(
        "names_repeated.csv", b"id,text\n1,a\nid,text\n2,b\n", 2, r"repeated, .* \(line 3\)"
    ),
    MessyTable("one_column.csv", b"text\na\nb\n", 2, ""),
    MessyTable("one_column_with_commas.csv", b"text\na, b\nc\n", None, "line 2 .* 2 cells"),
    MessyTable("semicolons.csv", b"id;text\n1;a, b\n2;c\n", 2, "separated by semicolons"),
    MessyTable("tabs.csv", b"id\ttext\n1\ta, b\n", 1, "separated by tabs"),
    MessyTable("pipes.txt", b"id|text\n1|a, b\n", 1, "separated by pipes"),
    MessyTable("sep_line.csv", b"sep=;\nid;text\n1;a,b\n", 1, "semicolons, as line 1 says"),
    MessyTable(
        "two_separators.txt", b"a,b;c\n1,2;3\n", None, "comma or semicolon: choose by --sep"
    ),
    MessyTable("named_separator.txt", b"a,b;c\n1,2;3\n", 1, "", {"separator": ","}),
    MessyTable("wrong_separator.csv", b"a;b\n1;2\n", 1, "no pipe: one column", {"separator": "|"}),
    MessyTable(
        "sentences.txt", b"I came, I saw\nHe, who won, left\nNo\n", 2, "no separator was found"
    ),
    MessyTable("lines_in_quotes.csv", b'"id,text"\n"1,a"\n', 1, "each line in quotes as a whole"),
    MessyTable("line_of_dashes.csv", b"id,text\n--,----\n1,a\n", 2, "consists of dashes"),
    MessyTable("footer.csv", b"id,text\n1,a\n(1 rows affected)\n", None, "line 3 .* has 1 cell"),
    MessyTable("two_tables.csv", b"id,text\n1,a\n\nid,text,y\n1,a,b\n", None, "line 4 .* 3 cells"),
    MessyTable("markdown.txt", b"| id | text |\n|----|------|\n| 1 | a |\n", None, "no name for"),
    MessyTable("typographic_quotes.csv", "id,text\n1,“a, b”\n".encode(), None, "line 2 .* 3 cells"),
    MessyTable("apostrophes.csv", b"id,text\n1,'a, b'\n", None, "line 2 .* 3 cells"),
    MessyTable("apostrophes_as_text.csv", b"id,text\n1,'a'\n", 1, ""),
]

# Quotes ------------------------------------------------------------------------------------------

_EMAIL = '"Dear Sir,\nHello, I have 2 questions:\n1, where?\n2, when, and why?\n\nYours, A"'
_QUOTES = [
    MessyTable(
        "several_lines.csv",
        _spam(line3='1,"a\nb"', line5=f"3,{_EMAIL}"),
        20,
        r"2 cells span several lines, up to 6 \(line 6\)",
    ),
    MessyTable("quote_never_closed.csv", _spam(line6='4,"message'), None, "line 6 .* never closed"),
    MessyTable(
        "stray_quotes.csv",
        _spam(line6='4,"message', line15='13,message"'),
        None,
        "line 6 .* closes only 9 lines later, and the lines between look like rows",
    ),
    MessyTable(
        "stray_quotes_beside_classes.csv",
        _lines("text,kind", *["good,pos", "bad,neg"] * 3, 'fine,"pos', *["bad,neg"] * 3, 'ok,pos"'),
        None,
        "line 8 .* look like rows",
    ),
    MessyTable(
        "stray_quote_before_quoted.csv",
        _spam(line6='4,"message', line9='7,"a, b"'),
        None,
        "line 6 .* goes on after its closing quote",
    ),
    MessyTable("quote_in_a_cell.csv", _spam(line6='4,so "message'), None, "line 6 .* opens inside"),
    MessyTable(
        "pair_in_a_cell.csv", _spam(line6='4,so "called" x'), 20, r"read as they are \(line 6\)"
    ),
    MessyTable("inches.csv", _spam(line6='4,a 5" screen'), 20, r"read as they are \(line 6\)"),
    MessyTable(
        "space_before_quote.csv", _spam(line6='4, "a"'), None, "line 6 .* space stands before"
    ),
    MessyTable("backslash.csv", b'id,text\n1,"he \\"said\\""\n', None, "line 2 .* goes on after"),
    MessyTable("backslash_as_text.csv", b"id,text\n1,C:\\new\\table\n", 1, ""),
    MessyTable("doubled.csv", b'id,text\n1,"he ""said"", yes"\n', 1, ""),
    MessyTable("quoted_name.csv", b'id,"long\nname"\n1,a\n', None, "column 2 .* several lines"),
    MessyTable("unclosed_name.csv", b'id,"text\n1,a\n', None, "line 1 .* never closed"),
    MessyTable(
        "quotes_in.tsv",
        b'id\ttext\n1\t"Hello" he said\n2\ta\n3\t"so\n',
        3,
        r"quotes read as characters: .* \(lines 2 and 4\)",
    ),
    MessyTable("stray_among_quoted.tsv", b'a\tb\n1\t"x"\n2\t"y"\n3\t"z\n', None, "line 4 .* never"),
]

# Bytes -------------------------------------------------------------------------------------------

_ROW = "id,text\n1,Grüße aus Köln – „schön“\n"  # noqa: RUF001 (the dash is meant)
_RUSSIAN = "id,text\n1,привет, мир\n".replace(", ", " ")
_BYTES = [
    MessyTable("mark.csv", _ROW.encode("utf-8-sig"), 1, ""),
    MessyTable("mark16.csv", _ROW.encode("utf-16"), 1, "read as UTF-16"),
    MessyTable("mark32.csv", _ROW.encode("utf-32"), 1, "read as UTF-32"),
    MessyTable(
        "cp1252.csv",
        b"id,text\n0,x\n" + _ROW.encode("cp1252")[8:],
        None,
        "byte 0xfc in line 3; it looks like cp1252 .*Grüße.*: pass --encoding cp1252",
    ),
    MessyTable(
        "two_encodings.csv",
        _ROW.encode() + "2,Grüße\n".encode("cp1252"),
        None,
        "byte 0xfc in line 3; the rest mostly is: write the text there again",
    ),
    MessyTable("cp1252_named.csv", _ROW.encode("cp1252"), 1, "", {"encoding": "cp1252"}),
    MessyTable("cp1251.csv", _RUSSIAN.encode("cp1251"), None, "looks like cp1251 .*привет"),
    MessyTable(
        "japanese.csv", "t\nこれは日本語です。\n".encode("shift_jis"), None, "like shift_jis"
    ),
    MessyTable("chinese.csv", "t\n这是我们的中文文本\n".encode("gb18030"), None, "like gb18030"),
    MessyTable("korean.csv", "t\n안녕하세요 세계\n".encode("euc_kr"), None, "looks like euc_kr"),
    MessyTable(
        "noise.csv", b"t\n\xff\xc1\x81\x8d\x8f\xfe\x90\x9d\n", None, "find out its encoding"
    ),
    MessyTable("no_mark16.csv", _ROW.encode("utf-16-le"), None, "utf-16-le|NUL"),
    MessyTable("no_mark16_named.csv", _ROW.encode("utf-16-le"), 1, "", {"encoding": "utf-16-le"}),
    MessyTable(
        "utf8_as_latin1.csv",
        _ROW.encode(),
        1,
        "also valid UTF-8, which has 'Grüße' instead of 'GrÃ¼Ã",
        {"encoding": "latin-1"},
    ),
    MessyTable(
        "mark_denied.csv", _ROW.encode("utf-8-sig"), None, "mark of UTF-8", {"encoding": "cp1252"}
    ),
    MessyTable(
        "no_encoding.csv", b"t\na\n", None, "unknown encoding 'klingon'", {"encoding": "klingon"}
    ),
    MessyTable("no_text_codec.csv", b"t\na\n", None, "unknown encoding 'hex'", {"encoding": "hex"}),
    MessyTable("zeros.csv", _spam(line4="2,a\0b"), None, "line 4 .* NUL character"),
    MessyTable(
        "windows.csv", _lines("id,text", "1,a", '2,"b\nc"', end="\r\n"), 2, "1 cell spans 2 lines"
    ),
    MessyTable("old_mac.csv", _lines("id,text", "1,a", "2,b", end="\r"), 2, ""),
    MessyTable(
        "doubled_ends.csv", _lines("id,text", "1,a", "2,b", end="\r\r\n"), 2, "3 empty lines"
    ),
    MessyTable(
        "return_in_a_text.csv", b"text\na\rb\nc\n", None, "different line ends.* see line 2"
    ),
    MessyTable(
        "return_in_a_row.csv", b"id,text\n1,a\r2,b\n3,c\n4,d\n", None, "line ends.* see line 2"
    ),
    MessyTable("return_in_quotes.csv", b'id,text\n1,"a\rb"\n2,c\n', 2, "1 cell spans 2 lines"),
    MessyTable("no_last_end.csv", b"id,text\n1,a", 1, ""),
    MessyTable(
        "damaged_before.csv", "id,text\n1,cafÃ©\n".encode(), 1, r"damaged .* \(line 2: 'cafÃ©'\)"
    ),
    MessyTable(
        "lost_characters.csv", "id,text\n1,stra\ufffde\n".encode(), 1, "damaged by an earlier"
    ),
    MessyTable(
        "cut_by_a_spreadsheet.csv", _lines("id,text", "1," + "x" * 32767), 1, "probably cut"
    ),
    MessyTable("packed.csv.gz", gzip.compress(_spam(), mtime=0), 20, ""),
    MessyTable("packed.jsonl.gz", gzip.compress(b'{"a": 1}\n', mtime=0), 1, ""),
    MessyTable(
        "cut_short.csv.gz", gzip.compress(_spam(), mtime=0)[:-12], None, "cut short or damaged"
    ),
    MessyTable("not_packed.csv.gz", _spam(), None, "not compressed by gzip"),
    MessyTable(
        "packed_twice.csv.gz",
        gzip.compress(gzip.compress(_spam(), mtime=0), mtime=0),
        None,
        "by gzip",
    ),
    MessyTable(
        "packed.csv",
        gzip.compress(_spam(), mtime=0),
        None,
        "not a .csv file but compressed by gzip",
    ),
    MessyTable("workbook.csv", b"PK\x03\x04" + bytes(99), None, "zip archive, such as an .xlsx"),
    MessyTable("page.csv", b"<!DOCTYPE html>\n<html>,\n", None, "web page"),
    MessyTable(
        "pointer.csv", b"version https://git-lfs.github.com/spec/v1\n", None, "git lfs pull"
    ),
    MessyTable("data.xls", b"\xd0\xcf\x11\xe0", None, "save it as .xlsx"),
    MessyTable("data.ods", b"PK\x03\x04", None, "save it as .xlsx"),
    MessyTable("data.zip", b"PK\x03\x04", None, "unpack it first"),
    MessyTable("data.doc", b"a,b\n", None, "cannot read data.doc: expected one of .csv, .tsv"),
    MessyTable("data", b"a,b\n1,2\n", None, "expected one of .csv, .tsv"),
    MessyTable("sheet.csv", b"a,b\n1,2\n", None, "--sheet is of no use", {"sheet": "A"}),
]

# JSON --------------------------------------------------------------------------------------------

_JSON = [
    MessyTable("list.json", b'[{"id": 1, "text": "a"}, {"id": 2, "text": "b"}]', 2, ""),
    MessyTable("lists.json", b'{"id": [1, 2], "text": ["a", "b"]}', 2, "an object of lists"),
    MessyTable("nested_lists.json", b'{"id": [1], "meta": [{"a": 2}]}', 1, "an object of lists"),
    MessyTable("mixed_inside.json", b'{"data": [{"a": 1}, 3]}', None, "element 2 .* not an object"),
    MessyTable("uneven.json", b'{"id": [1, 2], "text": ["a"]}', None, "lengths: id 2, text 1"),
    MessyTable("inside.json", b'{"v": 1, "data": [{"a": 1}]}', 1, "rows are in 'data'; v left out"),
    MessyTable("two_inside.json", b'{"a": [{"x": 1}], "b": [{"x": 1}]}', None, r"lists .*\(a, b\)"),
    MessyTable("pandas.json", b'{"t": {"0": "a", "1": "b"}}', 2, "an object of columns"),
    MessyTable("pandas_rows.json", b'{"0": {"t": "a"}, "1": {"t": "b"}}', 2, "an object of rows"),
    MessyTable(
        "pandas_split.json", b'{"columns": ["t"], "index": [0], "data": [["a"]]}', 1, "in 'data'"
    ),
    MessyTable(
        "one_object.json", b'{"id": 1, "text": "a"}', None, "holds one object, with id, text"
    ),
    MessyTable("strings.json", b'["a", "b"]', None, "element 1 .* is not an object but 'a'"),
    MessyTable("number.json", b"3", None, "holds 3: expected a list of objects"),
    MessyTable("cut_short.json", b'[{"id": 1},\n{"id"', None, "not valid JSON: .* in line 2"),
    MessyTable("jsonl.json", b'{"a": 1}\n{"a": 2}\n', 2, "read as one object per line"),
    MessyTable("empty.json", b"[]", None, "has no rows"),
    MessyTable("nan.json", b'[{"a": NaN}, {"a": 2.0}]', 1, "read as missing, in 1 value"),
    MessyTable("twice.json", b'[{"a": 1, "a": 2}]', None, "key 'a' occurs twice"),
    MessyTable("deep.json", b'[{"a": ' + b"[" * 200_000, None, "nested too deeply"),
    MessyTable("half.json", rb'[{"a": "x"}, {"a": "\ud83d"}]', None, "row 2 .* half a character"),
    MessyTable("not_an_object.jsonl", b'{"a": 1}\n[1]\n', None, "line 2 .* is not a JSON object"),
    MessyTable("cut_short.jsonl", b'{"a": 1}\n{"a"', None, "line 2 .* is not a JSON object: Exp"),
    MessyTable("twice.jsonl", b'{"a": 1}\n{"a": 1, "a": 2}\n', None, "line 2 .* 'a' occurs twice"),
    MessyTable("keys.jsonl", b'{"a": 1}\n{"a": 2, "b": 3}\n', 2, r"'b' is not in 1 row \(line 1\)"),
    MessyTable("nan.jsonl", b'{"a": 1, "b": NaN}\n', 1, r"read as missing \(line 1\)"),
    MessyTable("blank.jsonl", b'{"a": 1}\n\n{}\n{"a": ""}\n', 1, "3 empty lines left out"),
    MessyTable("half.jsonl", b'{"a": "x"}\n{"a": "\\ud83d 1"}\n', None, "line 2 .* half a char"),
    MessyTable("half_inside.ndjson", b'{"a": ["\\udc00"]}\n', None, "line 1 .* half a character"),
    MessyTable("half_name.jsonl", b'{"\\ud83d": 1}\n', None, "a name .* half a character"),
    MessyTable("document.jsonl", b'[\n{"a": 1}\n]\n', None, "line 1 .* rename it to .json"),
    MessyTable("latin.jsonl", '{"a": "é"}\n'.encode("latin-1"), None, "looks like cp1252"),
    MessyTable("empty.jsonl", b"\n", None, "has no rows"),
    MessyTable("no_name.jsonl", b'{"": 1}\n', None, "no name for column 1"),
]


# Parquet and Excel -------------------------------------------------------------------------------


def _parquet(**columns: Any) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.table(columns), path)

    return write


def _excel(*rows: list[Any], change: Callable[[Any], None] | None = None) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        import openpyxl

        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        if change is not None:
            change(book)
        book.save(path)

    return write


def _merge(book: Any) -> None:
    book.active.merge_cells("A2:A3")


def _hide(book: Any) -> None:
    book.active.row_dimensions[2].hidden = True


def _add_sheet(book: Any) -> None:
    book.create_sheet("Other").append(["text"])
    book["Other"].append(["here"])


def _chart_only(book: Any) -> None:
    from openpyxl.chart import BarChart

    book.create_chartsheet("Chart").add_chart(BarChart())
    del book["Sheet"]


_TYPED = [
    MessyTable("plain.parquet", _parquet(t=["a", "b"], n=[1, 2]), 2, "", needs="pyarrow"),
    MessyTable(
        "empty_row.parquet",
        _parquet(t=["a", None]),
        1,
        r"1 empty row left out \(row 2\)",
        needs="pyarrow",
    ),
    MessyTable("no_rows.parquet", _parquet(t=[]), None, "has no rows", needs="pyarrow"),
    MessyTable(
        "index.parquet",
        _parquet(t=["a", "b"], __index_level_0__=[0, 1]),
        2,
        "column 2, which only numbers the rows, left out",
        needs="pyarrow",
    ),
    MessyTable(
        "text.parquet", b"a,b\n", None, "is not a .parquet file, or is damaged", needs="pyarrow"
    ),
    MessyTable("damaged.parquet", b"PAR1" + bytes(60), None, "cannot be read", needs="pyarrow"),
    MessyTable("plain.xlsx", _excel(["id", "text"], [1, "a"]), 1, "", needs="openpyxl"),
    MessyTable(
        "sheets.xlsx",
        _excel(["id"], [1], change=_add_sheet),
        1,
        "read from sheet 'Sheet'; other sheets left out: Other",
        needs="openpyxl",
    ),
    MessyTable(
        "sheet.xlsx", _excel(change=_add_sheet), 1, "", {"sheet": "Other"}, needs="openpyxl"
    ),
    MessyTable(
        "no_sheet.xlsx",
        _excel(["id"], change=_add_sheet),
        None,
        "no sheet 'Third'; it has Sheet, Other",
        {"sheet": "Third"},
        needs="openpyxl",
    ),
    MessyTable(
        "chart.xlsx", _excel(change=_chart_only), None, "no sheet with cells", needs="openpyxl"
    ),
    MessyTable(
        "formulas.xlsx",
        _excel(["id", "text"], [1, '=CONCATENATE("a", "b")'], [2, "=A2&A3"]),
        2,
        r"2 formulas \(B2, B3\) without a stored value",
        needs="openpyxl",
    ),
    MessyTable(
        "errors.xlsx",
        _excel(["id", "text"], [1, "#N/A"]),
        1,
        r"1 cell \(B2\) has an error",
        needs="openpyxl",
    ),
    MessyTable(
        "merged.xlsx",
        _excel(["id", "text"], ["x", "a"], [None, "b"], change=_merge),
        2,
        r"merged cells \(A2:A3\) have their value in the first cell only",
        needs="openpyxl",
    ),
    MessyTable(
        "hidden.xlsx",
        _excel(["t"], ["a"], ["b"], change=_hide),
        2,
        "1 hidden row read",
        needs="openpyxl",
    ),
    MessyTable(
        "gaps.xlsx",
        _excel(["t"], ["a"], [None], ["b"], [None]),
        2,
        r"1 empty row left out \(row 3\)",
        needs="openpyxl",
    ),
    MessyTable("empty_columns.xlsx", _excel(["t", None], ["a", ""]), 1, "", needs="openpyxl"),
    MessyTable(
        "unnamed.xlsx",
        _excel(["t", None], ["a", "b"]),
        None,
        "no name for column 2",
        needs="openpyxl",
    ),
    MessyTable(
        "same_name.xlsx", _excel(["t", "t"], ["a", "b"]), None, "the same name", needs="openpyxl"
    ),
    MessyTable("names_only.xlsx", _excel(["t"]), None, "only a first row", needs="openpyxl"),
    MessyTable("wrapped_name.xlsx", _excel(["a\nb"], ["x"]), 1, "", needs="openpyxl"),
    MessyTable("nothing.xlsx", _excel(), None, "sheet 'Sheet' is empty", needs="openpyxl"),
    MessyTable(
        "long_numbers.xlsx",
        _excel(["id", "t"], [12345678901234567, "a"]),
        1,
        "more than 15 digits",
        needs="openpyxl",
    ),
    MessyTable(
        "text.xlsx", b"a,b\n", None, "is not an .xlsx file, or is damaged", needs="openpyxl"
    ),
    MessyTable("protected.xlsx", b"\xd0\xcf\x11\xe0", None, "without a password", needs="openpyxl"),
    MessyTable(
        "damaged.xlsx", b"PK\x03\x04" + bytes(60), None, "damaged, or no Excel", needs="openpyxl"
    ),
    MessyTable(
        "dates.xlsx",
        _excel(["id", "day"], [1, date(2024, 5, 1)], [2, datetime(2024, 5, 1, 12)]),
        2,
        "",
        needs="openpyxl",
    ),
]

MESSY_TABLES = [*_CELLS, *_QUOTES, *_BYTES, *_JSON, *_TYPED]


def _describe(folder: Path) -> Iterator[dict[str, Any]]:
    from skactive.cli._errors import CommandError
    from skactive.cli.reading import read_columns

    for messy in MESSY_TABLES:
        try:
            said = read_columns(messy.write(folder), **messy.options).notes
        except CommandError as error:
            said = [f"STOPS: {error}"]
        yield {"file": messy.name, **messy.options, "said": said}


def main(folder: Path) -> None:
    """Write the tables to a folder, and print what is said about each."""
    folder.mkdir(parents=True, exist_ok=True)
    for line in _describe(folder):
        print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
