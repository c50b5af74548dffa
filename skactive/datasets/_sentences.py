"""Sentences whose words have tags: files of CoNLL's shared tasks, and lines of JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from skactive.datasets._lines import iter_json_lines, iter_lines

__all__ = ["TaggedSentences", "read_conll", "read_tagged_json"]

_DOCUMENT_START = "-DOCSTART-"
_N_UNIVERSAL = 10  # columns of CoNLL-U
_NO_WORD = re.compile(r"\d+[-.]\d+")  # number of a multi-word token (3-4) or of an empty one (5.1)


class TaggedSentences(NamedTuple):
    """Sentences whose words have tags.

    Attributes
    ----------
    sentences : list of lists of str
        The words of each sentence.
    tags : list of lists of str
        The tag of each word, as it was written: BIO, BIOES, parts of speech, ...
    """

    sentences: list[list[str]]
    tags: list[list[str]]


def read_conll(
    path: str | Path, *, word: int = 0, tag: int = -1, comment: str | None = None
) -> TaggedSentences:
    r"""Read tagged sentences from a file with a word per line and blank lines between sentences.

    Parameters
    ----------
    path : str or Path
        A file in UTF-8; with ``.gz`` behind it, a compressed one. Columns are apart by tabs if the
        first word's line has one, else by blanks. All lines have equally many.
    word, tag : int, default=0, -1
        Numbers of the columns of the word and its tag, from 0; negative ones count from the last.
        CoNLL-U has words in 1 and parts of speech in 3.
    comment : str, default=None
        Beginning of lines to leave out, such as ``"# id"``. None leaves out lines that begin with
        ``"# "`` where columns are apart by tabs and the line has none. A line that begins with "#"
        may as well be a word.

    Returns
    -------
    TaggedSentences
        The sentences and their tags. Lines of ``-DOCSTART-`` are left out, as are multi-word and
        empty tokens of CoNLL-U.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line has another number of columns than the first, or an empty word or tag; if the file
        has no sentence, or is not in UTF-8. The message names the file and the line.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skactive.datasets import read_conll
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "train.conll")
    ...     _ = path.write_text("Ada\tB-person\nsleeps\tO\n\nRome\tB-location\n")
    ...     sentences, tags = read_conll(path)
    >>> sentences
    [['Ada', 'sleeps'], ['Rome']]
    >>> tags
    [['B-person', 'O'], ['B-location']]
    """
    path = Path(path)
    sentences: list[list[str]] = [[]]
    tags: list[list[str]] = [[]]
    for cells in _iter_cells(path, comment):
        if cells is None:
            if sentences[-1]:
                sentences.append([])
                tags.append([])
            continue
        number, columns = cells
        sentences[-1].append(_take_cell(columns, word, "word", number, path))
        tags[-1].append(_take_cell(columns, tag, "tag", number, path))
    return _finish(sentences, tags, path)


def _iter_cells(path: Path, comment: str | None) -> Iterator[tuple[int, list[str]] | None]:
    """Yield the number and the cells of each word's line, and None between sentences."""
    lines = list(iter_lines(path))
    separator = _find_separator([line for _, line in lines], comment)
    n_columns = 0
    for number, line in lines:
        if not line.strip():
            yield None
            continue
        if _is_comment(line, comment, separator):
            continue
        cells = line.split(separator)
        if cells[0] == _DOCUMENT_START:
            yield None
            continue
        n_columns = n_columns or len(cells)
        if len(cells) != n_columns:
            raise ValueError(
                f"line {number} of {path} must have {n_columns} columns, as the first word has, "
                f"got {len(cells)}: {line[:60]!r}. Lines to leave out are stated by comment=."
            )
        if n_columns != _N_UNIVERSAL or not _NO_WORD.fullmatch(cells[0]):
            yield number, cells


def _find_separator(lines: list[str], comment: str | None) -> str | None:
    """Return a tab if the first line that is surely a word's has one; None for blanks."""
    words = (line for line in lines if line.strip() and not _is_comment(line, comment, "\t"))
    return "\t" if "\t" in next(words, "") else None


def _is_comment(line: str, comment: str | None, separator: str | None) -> bool:
    if comment is not None:
        return line.startswith(comment)
    return separator == "\t" and line.startswith("# ") and "\t" not in line


def _take_cell(cells: list[str], column: int, name: str, number: int, path: Path) -> str:
    if not -len(cells) <= column < len(cells):
        raise ValueError(
            f"{name}={column} is no column of {path}: line {number} has {len(cells)}, from 0."
        )
    if not cells[column].strip():
        raise ValueError(f"the {name} on line {number} of {path} is empty.")
    return cells[column]


def read_tagged_json(
    path: str | Path, *, words: str = "tokens", tags: str = "tags"
) -> TaggedSentences:
    """Read tagged sentences from lines of JSON, each with a list of words and a list of tags.

    Parameters
    ----------
    path : str or Path
        A file in UTF-8 with an object per line; with ``.gz`` behind it, a compressed one.
    words, tags : str, default="tokens", "tags"
        Names of the two lists.

    Returns
    -------
    TaggedSentences
        The sentences and their tags.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line is no object with two lists of equally many texts, or the file has no sentence.
        The message names the file and the line.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skactive.datasets import read_tagged_json
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "train.jsonl")
    ...     _ = path.write_text('{"tokens": ["Ada", "sleeps"], "tags": ["B-person", "O"]}')
    ...     read_tagged_json(path).tags
    [['B-person', 'O']]
    """
    path = Path(path)
    read: tuple[list[list[str]], list[list[str]]] = ([], [])
    for number, lists in iter_json_lines(path, (words, tags)):
        for name, values, rows in zip((words, tags), lists, read, strict=True):
            rows.append(_check_texts(values, name, number, path))
        if len(lists[0]) != len(lists[1]):
            raise ValueError(
                f"line {number} of {path} must have a tag for each word, got {len(lists[0])} words "
                f"and {len(lists[1])} tags."
            )
    return _finish(*read, path)


def _check_texts(values: Any, name: str, number: int, path: Path) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(each, str) and each for each in values):
        raise ValueError(
            f"{name!r} on line {number} of {path} must be a list of texts, none of them empty, got "
            f"{str(values)[:60]}."
        )
    return values


def _finish(sentences: list[list[str]], tags: list[list[str]], path: Path) -> TaggedSentences:
    """Leave out sentences without words, and refuse to return none."""
    full = [i for i, words in enumerate(sentences) if words]
    if not full:
        raise ValueError(f"{path} must have a sentence or more, got none.")
    return TaggedSentences([sentences[i] for i in full], [tags[i] for i in full])
