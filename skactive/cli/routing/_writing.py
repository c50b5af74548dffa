"""The table with its labels, and where they come from."""

from __future__ import annotations

from pathlib import Path

from skactive.annotators import Annotations
from skactive.cli._errors import CommandError
from skactive.cli.routing._rows import RoutedTable
from skactive.labeling._export import write_content
from skactive.labeling._router_answers import find_accepted, find_audited
from skactive.labeling.exporting._content import (
    Columns,
    ExportContent,
    describe_renamed,
    name_columns,
)

__all__ = ["count_sources", "make_content", "write_table"]


def make_content(rows: RoutedTable, answers: Annotations) -> ExportContent:
    """Return the content of the file: all cells, then ``label``, ``source`` and ``confidence``.

    Parameters
    ----------
    rows : RoutedTable
        The table.
    answers : Annotations
        What the router answered to the rows without a label, in their order.
    """
    n = rows.table.n_rows
    ours: Columns = {"label": [None] * n, "source": [None] * n, "confidence": [None] * n}
    for place, label in rows.labels.items():
        ours["label"][place], ours["source"][place] = label, "people"
    confidences = answers.list_known_confidences()
    pool = [rows.positions[row] for row in rows.list_pool()]
    labels = [None if label is None else str(label) for label in answers.labels.tolist()]
    for place, answer in zip(pool, labels, strict=True):
        ours["label"][place] = answer
    for number in find_audited(answers).tolist():
        ours["source"][pool[number]] = None if labels[number] is None else "people"
    for number in find_accepted(answers).tolist():
        ours["source"][pool[number]] = "annotator"
        ours["confidence"][pool[number]] = float(confidences[number])
    names = name_columns(rows.table.columns, [], set(ours))
    theirs = {new: rows.table.columns[old] for old, new in names.items()}
    notes = describe_renamed(names)
    return ExportContent({**theirs, **ours}, list(range(n)), {}, notes=notes)


def count_sources(content: ExportContent) -> tuple[int, int, int]:
    """Return the numbers of rows that the model labeled, that people did, and of all others."""
    sources = content.columns["source"]
    return sources.count("annotator"), sources.count("people"), sources.count(None)


def write_table(content: ExportContent, path: Path) -> list[str]:
    """Write the file, completely or not at all, and return remarks.

    Raises
    ------
    CommandError
        If it cannot be written.
    """
    try:
        return write_content(content, path, None)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}") from error
    except (ValueError, ImportError) as error:
        raise CommandError(str(error)) from error
