"""Labeled texts of tables: .csv, .tsv and .jsonl, also compressed."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive.datasets._lines import parse_json_line

__all__ = ["Texts", "read_split_texts", "read_texts"]

_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
_FORMATS = (*_SEPARATORS, *_JSON_LINES)

# A set's name, and what a file of it is for: "news.train5k" or "test".
_PART = re.compile(r"(?:(.*)[._-])?(train|test|dev|val)(?:\d+k?)?")

Cells = tuple[int, dict[str, Any]]  # number of the line where a row ends, and its cells by column


class Texts(NamedTuple):
    """Labeled texts.

    Attributes
    ----------
    texts : ndarray of str objects, shape (n_texts,)
        The texts, as they were written.
    labels : ndarray of str, shape (n_texts,)
        Their labels; numbers as they are written.
    """

    texts: NDArray[Any]
    labels: NDArray[Any]


def read_texts(
    path: str | Path, *, text: str = "text", target: str = "label", quoted: bool = True
) -> Texts:
    r"""Read labeled texts from a table.

    Parameters
    ----------
    path : str or Path
        A file in UTF-8: ``.csv`` or ``.tsv`` with a header, or ``.jsonl`` with an object per line;
        with ``.gz`` behind it, a compressed one.
    text, target : str, default="text", "label"
        Names of the columns of the texts and of the labels.
    quoted : bool, default=True
        Whether quotation marks around a cell of a .csv or .tsv do not belong to it, so that it may
        contain separators and line breaks.

    Returns
    -------
    Texts
        The texts and their labels. Nothing is left out but empty lines: an empty text is a text.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the format is another one, a column is missing, a line is damaged, or a label is missing.
        The message names the file and the line.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skactive.datasets import read_texts
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "messages.csv")
    ...     _ = path.write_text('text,label\n"Hello, Kim",greeting\nSend it back,return\n')
    ...     read_texts(path).texts.tolist()
    ['Hello, Kim', 'Send it back']
    """
    path = Path(path)
    suffix = _find_suffix(path)
    if suffix not in _FORMATS:
        raise ValueError(
            f"{path} must be one of {', '.join(_FORMATS)}, also with .gz behind it; save the "
            "table as one of them."
        )
    texts, labels = [], []
    with _open(path) as file:
        rows = (
            _read_json_lines(file, path)
            if suffix in _JSON_LINES
            else _read_cells(file, path, _SEPARATORS[suffix], quoted)
        )
        try:
            for line, row in rows:
                _check_columns(row, (text, target), path, line)
                texts.append(_check_text(row[text], text, path, line))
                labels.append(_check_label(row[target], target, path, line))
        except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
            raise ValueError(f"{path} is damaged or not in UTF-8: {error}.") from error
    if not texts:
        raise ValueError(f"{path} must have a row or more below its header, got none.")
    return Texts(np.array(texts, dtype=object), np.array(labels))


def _find_suffix(path: Path) -> str:
    """Return the suffix without that of a compression, in lower case."""
    return Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()


def _open(path: Path) -> IO[str]:
    """Open a file of text, compressed or not; line breaks inside cells are kept."""
    opener: Any = gzip.open if path.suffix.lower() == ".gz" else open
    return opener(path, "rt", encoding="utf-8-sig", newline="")


def _read_json_lines(file: IO[str], path: Path) -> Iterator[Cells]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            yield number, parse_json_line(line, number, path)


def _read_cells(file: IO[str], path: Path, separator: str, quoted: bool) -> Iterator[Cells]:
    """Yield the rows of a table of cells; what may have been misread is an error."""
    quoting: Any = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(file, delimiter=separator, quoting=quoting, strict=True)
    advice = "pass quoted=False if its quotation marks belong to the texts." if quoted else ""
    names: list[str] = []
    try:
        for cells in reader:
            place = f"line {reader.line_num} of {path}"
            if not cells:
                continue
            if not names:
                names = _check_header(cells, place)
                continue
            if len(cells) != len(names):
                raise ValueError(
                    f"{place} must have a cell for each of the {len(names)} columns, got "
                    f"{len(cells)}. {advice}".rstrip()
                )
            if separator == "\t" and any("\t" in cell for cell in cells):
                raise ValueError(
                    f"the cell that ends on {place} contains a tab: two rows may have been joined; "
                    f"{advice}"
                )
            yield reader.line_num, dict(zip(names, cells, strict=True))
    except csv.Error as error:
        message = f"line {reader.line_num} of {path} is damaged: {error}. {advice}"
        raise ValueError(message.rstrip()) from error


def _check_header(names: list[str], place: str) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError(f"{place} must name each column once, got {names}.")
    return names


def _check_columns(row: dict[str, Any], names: tuple[str, ...], path: Path, line: int) -> None:
    if missing := [name for name in names if name not in row]:
        raise ValueError(
            f"line {line} of {path} has no column {', '.join(map(repr, missing))}: its columns are "
            f"{', '.join(map(repr, row))}. Pass text= and target= by these names."
        )


def _check_text(value: Any, name: str, path: Path, line: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name!r} on line {line} of {path} must be a text, got {value!r}.")
    return value


def _check_label(value: Any, name: str, path: Path, line: int) -> str:
    if not isinstance(value, str | int | float) or value == "" or value != value:
        raise ValueError(
            f"{name!r} on line {line} of {path} must be a label, a text or number, got {value!r}; "
            "leave rows without a label out."
        )
    return str(value)


def read_split_texts(
    path: str | Path,
    *,
    text: str = "text",
    target: str = "label",
    quoted: bool = True,
    test_share: float = 0.25,
    random_state: int = 0,
) -> tuple[Texts, Texts]:
    r"""Read labeled texts to learn from, and others to test on.

    Parameters
    ----------
    path : str or Path
        A folder with the files ``train.csv`` and ``test.csv``; or ``FOLDER/news``, for
        ``news.train.csv`` and ``news.test.csv``; or a single file, of which a random share is for
        testing. The formats are those of :func:`read_texts`.
    text, target : str, default="text", "label"
        Names of the columns of the texts and of the labels.
    quoted : bool, default=True
        As in :func:`read_texts`.
    test_share : float, default=0.25
        Share of the rows for testing, of a single file.
    random_state : int, default=0
        Seed of the rows for testing, of a single file.

    Returns
    -------
    train, test : Texts
        The two parts.

    Raises
    ------
    FileNotFoundError
        If there are no such files.
    ValueError
        If a folder has several sets, or a file is damaged.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skactive.datasets import read_split_texts
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "messages.tsv")
    ...     _ = path.write_text("text\tlabel\n" + "Hello\tgreeting\n" * 8)
    ...     train, test = read_split_texts(path)
    >>> len(train.texts), len(test.texts)
    (6, 2)
    """
    columns: dict[str, Any] = {"text": text, "target": target, "quoted": quoted}
    first, *others = _find_parts(Path(path))
    rows = read_texts(first, **columns)
    if others:
        return rows, read_texts(others[0], **columns)
    order = np.random.default_rng(random_state).permutation(len(rows.texts))
    test, train = np.split(order, [round(test_share * len(order))])
    return Texts(*(part[train] for part in rows)), Texts(*(part[test] for part in rows))


def _find_parts(path: Path) -> list[Path]:
    """Find the file to learn from, and the one to test on if they are two."""
    if path.is_file():
        return [path]
    folder, name = (path, None) if path.is_dir() else (path.parent, path.name)
    sets = _list_sets(folder)
    if name is None and len(sets) > 1:
        names = ", ".join(str(folder / found) for found in sets)
        raise ValueError(f"{folder} has several sets of texts: choose one of {names}.")
    files = sets.get(next(iter(sets), "") if name is None else name, [])
    for wanted in (["train", "test"], ["all"]):
        parts = [[file for file, part in files if part == one] for one in wanted]
        if all(len(part) == 1 for part in parts):
            return [part[0] for part in parts]
    raise FileNotFoundError(
        f"{path} must be a table of texts ({', '.join(_FORMATS)}, also with .gz), or have one for "
        f"training and one for testing, such as train.csv and test.csv; found "
        f"{', '.join(file.name for file, _ in files) or 'neither'}."
    )


def _list_sets(folder: Path) -> dict[str, list[tuple[Path, str]]]:
    """Return the files of each set of texts in a folder, and what each is for."""
    sets: dict[str, list[tuple[Path, str]]] = {}
    for path in sorted(folder.glob("*")):
        stem, _, suffix = path.name.removesuffix(".gz").rpartition(".")
        if f".{suffix}" in _FORMATS and path.is_file():
            found = _PART.fullmatch(stem)
            name, part = (found[1] or "", found[2]) if found else (stem, "all")
            sets.setdefault(name, []).append((path, part))
    return sets
