"""Pairs of texts, such as sentences and their translations."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from skactive.datasets._lines import is_json_lines, iter_json_lines, iter_lines

__all__ = ["TextPairs", "read_pairs"]


class TextPairs(NamedTuple):
    """Pairs of texts.

    Attributes
    ----------
    sources, targets : list of str
        The first text of each pair, and the second.
    """

    sources: list[str]
    targets: list[str]


def read_pairs(
    path: str | Path,
    target_path: str | Path | None = None,
    *,
    columns: tuple[Any, Any] | None = None,
) -> TextPairs:
    r"""Read pairs of texts: from one file with a pair per line, or from two parallel files.

    Parameters
    ----------
    path : str or Path
        A file in UTF-8, with ``.gz`` behind its name a compressed one: ``.jsonl`` with an object
        per line, or any other with tabs between columns and no header. With `target_path`, the
        first texts, one per line.
    target_path : str or Path, default=None
        The second texts, one per line.
    columns : pair, default=None
        Names of the two columns of JSON, such as ``("en", "de")``; or the numbers of the two
        columns, from 0, of which None means the first and second.

    Returns
    -------
    TextPairs
        The pairs, without white space around the texts. Pairs of two empty texts are left out.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If one of two files is longer, a line lacks a column, one text of a pair is empty, or there
        are no pairs. The message names the file and the line.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skactive.datasets import read_pairs
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "train.tsv")
    ...     _ = path.write_text("a dog sleeps\tein Hund schläft\n", encoding="utf-8")
    ...     read_pairs(path)
    TextPairs(sources=['a dog sleeps'], targets=['ein Hund schläft'])
    """
    path = Path(path)
    if target_path is not None:
        pairs = _read_parallel(path, Path(target_path))
    elif is_json_lines(path):
        pairs = _read_json(path, columns)
    else:
        pairs = _read_table(path, (0, 1) if columns is None else columns)
    found = TextPairs([], [])
    for number, texts in pairs:
        source, target = (text.strip() for text in texts)
        if not source and not target:
            continue
        if not source or not target:
            name = "target" if source else "source"
            raise ValueError(
                f"the {name} on line {number} of {path} is empty: leave the pair out of the data."
            )
        found.sources.append(source)
        found.targets.append(target)
    if not found.sources:
        raise ValueError(f"{path} must have a pair of texts or more, got none.")
    return found


def _read_parallel(path: Path, target_path: Path) -> list[tuple[int, tuple[str, str]]]:
    """Read lines of two files; the numbers of those that one lacks are in the error."""
    lines = list(zip_longest(iter_lines(path), iter_lines(target_path)))
    n_lines = [sum(line[side] is not None for line in lines) for side in (0, 1)]
    if n_lines[0] != n_lines[1]:
        raise ValueError(
            f"{path} has {n_lines[0]} lines and {target_path} has {n_lines[1]}: line i of the one "
            "must be the translation of line i of the other."
        )
    return [(source[0], (source[1], target[1])) for source, target in lines]


def _read_json(path: Path, columns: tuple[Any, Any] | None) -> list[tuple[int, tuple[str, str]]]:
    if columns is None:
        raise ValueError(f"{path} has named columns: pass columns=, such as ('en', 'de').")
    pairs = []
    for number, texts in iter_json_lines(path, columns):
        for name, text in zip(columns, texts, strict=True):
            if not isinstance(text, str):
                raise ValueError(f"{name!r} on line {number} of {path} must be a text, got {text}.")
        pairs.append((number, (texts[0], texts[1])))
    return pairs


def _read_table(path: Path, columns: tuple[Any, Any]) -> list[tuple[int, tuple[str, str]]]:
    """Read columns between tabs; all lines must have as many as the first."""
    pairs, n_columns = [], 0
    for number, line in iter_lines(path):
        if not line.strip():
            continue
        cells = line.split("\t")
        n_columns = n_columns or len(cells)
        if len(cells) != n_columns or len(cells) <= max(columns):
            raise ValueError(
                f"line {number} of {path} must have {max(n_columns, max(columns) + 1)} columns "
                f"between tabs, got {len(cells)}: {line[:60]!r}."
            )
        pairs.append((number, (cells[columns[0]], cells[columns[1]])))
    return pairs
