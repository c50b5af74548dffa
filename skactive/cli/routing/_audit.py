"""The true labels of the audit: from a column of the table, or from a person in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skactive._learner import ActiveLearner
from skactive._utils.text import pluralize
from skactive.cli._errors import CommandError
from skactive.cli._output import print_line
from skactive.cli._terminal import check_annotator, label_rows, make_content, raise_signal
from skactive.cli.routing._rows import RoutedTable, RouteSettings
from skactive.cli.sources._cells import format_rows
from skactive.exceptions import PoolChangedError, StoreError
from skactive.labeling._session import LabelingSession
from skactive.strategies import Random

__all__ = ["ask_for_audit", "name_store", "read_audit"]

_NEVER = 10**9  # labels after which a model would be fitted: people see no model here


def read_audit(rows: RoutedTable, audited: Sequence[int], column: str) -> dict[int, str | None]:
    """Return the true labels of the audited rows, by position, from a column.

    Raises
    ------
    CommandError
        If the column lacks one.
    """
    places = [rows.positions[row] for row in audited]
    missing = sorted(place for place in places if place not in rows.audited)
    if missing:
        lines = format_rows(missing, rows.table.lines)
        raise CommandError(
            f"column {column!r} has no label in {len(missing):,} of the {len(places):,} rows of "
            f"the audit ({lines}): fill them in, or leave out --audited to label them here"
        )
    return {row: rows.audited[rows.positions[row]] for row in audited}


def name_store(settings: RouteSettings) -> Path:
    """Return the file that keeps the labels of the audit."""
    if settings.store is not None:
        return settings.store
    return settings.output.with_name(f"{settings.output.stem}-audit.db")


def ask_for_audit(
    rows: RoutedTable, audited: Sequence[int], estimator: Any, settings: RouteSettings
) -> dict[int, str | None] | None:
    """Let a person label the audited rows in the terminal, and return their labels by position.

    Each answer is on disk at once, so that the same command continues where the last one was left.
    A row that the person does not know has the label None.

    Returns
    -------
    dict of int to str or None
        None if rows are left.

    Raises
    ------
    CommandError
        If the store cannot be used, or was made for other rows.
    KeyboardInterrupt, SystemExit
        If a signal ended the labeling.
    """
    annotator, store = check_annotator(settings.annotator), name_store(settings)
    ids = [rows.positions[row] for row in audited]
    try:
        session = LabelingSession(
            ActiveLearner(estimator, Random()),
            rows.take(audited),
            ids=ids,
            store=store,
            classes=rows.source.classes,
            refit_every=_NEVER,
            background=False,
            random_state=settings.seed,
        )
    except PoolChangedError as error:
        raise CommandError(
            f"{store} holds the audit of other rows: name another file by --store"
        ) from error
    except StoreError as error:
        raise CommandError(str(error)) from error
    with session:
        number = 0 if _read_answers(session) else _ask(session, annotator, rows, settings)
        answers = _read_answers(session)
        n_left = len(ids) - len(_list_answered(session))
    if number or answers is None:
        left = f"{pluralize(n_left, 'row')} of the audit left; the labels are in {store}. Continue"
        raise_signal(number, f"{left} with the same command.")
    return answers and {row: answers[rows.positions[row]] for row in audited}


def _ask(
    session: LabelingSession, annotator: str, rows: RoutedTable, settings: RouteSettings
) -> int:
    notes = [f"The audit: {pluralize(len(session.ids), 'random row')} to be labeled by you"]
    print_line(notes[0])
    return label_rows(
        session,
        annotator,
        make_content(rows.source.kind, settings.file),
        declared=rows.source.classes,
        title=f"{settings.file.name} · {annotator}",
        notes=notes,
    )


def _list_answered(session: LabelingSession) -> dict[Any, str | None]:
    """Return the answers that settle a row: labels, and None where it is unknown."""
    kept = [record for record in session.records() if record["kind"] != "skip"]
    return {record["id"]: record["label"] for record in kept}


def _read_answers(session: LabelingSession) -> dict[Any, str | None] | None:
    """Return the answers about all rows; None while some are left."""
    answered = _list_answered(session)
    return answered if len(answered) == len(session.ids) else None
