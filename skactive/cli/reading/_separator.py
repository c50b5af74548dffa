"""Characters that separate the cells of a line."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from skactive.cli._arguments import SEPARATOR_NAMES
from skactive.cli._errors import CommandError

__all__ = ["choose_separator", "name_separator"]

_USUAL_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_MIN_FIT = 0.5  # of the lines of a .txt must have as many cells as its first line


def name_separator(separator: str) -> str:
    """Return the name of a separator: "comma"; that of a rare one is the character itself."""
    return SEPARATOR_NAMES.get(separator, repr(separator))


def choose_separator(lines: Sequence[str], suffix: str, file_name: str) -> tuple[str, list[str]]:
    """Return the separator that fits the first lines of a file best, and notes about it.

    Parameters
    ----------
    lines : sequence of str
        The first lines, of which the first names the columns.
    suffix : str
        The format: .csv and .tsv prefer their own separator, .txt has none.
    file_name : str
        For messages.

    Raises
    ------
    CommandError
        If two separators fit a .txt file equally well.
    """
    usual = _USUAL_SEPARATORS.get(suffix)
    fits = {
        separator: fit
        for separator in SEPARATOR_NAMES
        if (fit := _measure_fit(lines, separator)) is not None
    }
    if usual is None:
        fits = {separator: fit for separator, fit in fits.items() if fit >= _MIN_FIT}
    if usual in fits and fits[usual] == 1:
        return usual, []
    if not fits:  # one column
        note = f"no separator was found: one column, named {lines[0].strip()!r}"
        return usual or "\t", [] if usual else [note]
    best = max(fits, key=lambda separator: (fits[separator], separator == usual))
    rivals = [SEPARATOR_NAMES[separator] for separator in fits if fits[separator] == fits[best]]
    if usual is None and len(rivals) > 1:
        raise CommandError(
            f"the cells of {file_name} may be separated by {' or '.join(rivals)}: choose by "
            f"--separator {rivals[0]}"
        )
    plain = best == usual or (suffix == ".tsv" and best == "\t")
    return best, [] if plain else [f"cells are separated by {SEPARATOR_NAMES[best]}s"]


def _measure_fit(lines: Sequence[str], separator: str) -> float | None:
    """Return the share of lines with as many cells as the first; None if that has one cell."""
    counts = [len(row) for row in csv.reader(lines, delimiter=separator) if row]
    if not counts or counts[0] < 2:
        return None
    rows = counts[1:]
    return sum(count == counts[0] for count in rows) / len(rows) if rows else 1.0
