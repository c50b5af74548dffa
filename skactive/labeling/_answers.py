"""The answers of all people in a store, for models of annotators."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skactive.crowds import Answers, MultilabelAnswers
from skactive.labeling._synced import SyncedState
from skactive.labeling.state._progress import iter_records
from skactive.labeling.state._state import SessionState
from skactive.labeling.stores import LabelStore, SQLiteLabelStore

__all__ = ["read_answers"]


def read_answers(
    store: LabelStore | str | Path, *, classes: Sequence[Any] | None = None
) -> Answers | MultilabelAnswers:
    """Read who said what about which row from the store of a session.

    Parameters
    ----------
    store : LabelStore, str or Path
        A store, or the path of its file, which is opened for reading only. A session may use it
        meanwhile.
    classes : sequence, default=None
        All classes; None: the labels that occur.

    Returns
    -------
    Answers or MultilabelAnswers
        The present answer of each person to each row, with classes under their present names;
        answers without a name are those of the annotator "". Rows that were skipped or marked as
        unknown are left out. If labels are lists, the answers are sets of labels.

    Raises
    ------
    StoreError
        If the file is no store, or it is damaged.
    ValueError
        If it holds no label.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.crowds import MajorityVote
    >>> from skactive.labeling import LabelingSession, read_answers
    >>> X, y = load_iris(return_X_y=True)
    >>> with LabelingSession(ActiveLearner(LogisticRegression(max_iter=500)), X) as session:
    ...     for name in ("ann", "bob", "cyd"):
    ...         labels = {row: int(y[row]) for row in range(0, 150, 3)}
    ...         stored = session.submit(labels, annotator=name)
    ...     answers = read_answers(session.store)
    >>> answers
    Answers(150 answers of 3 annotators on 50 items, 3 classes)
    """
    if isinstance(store, str | Path):
        opened = SQLiteLabelStore(store, read_only=True)
        try:
            return read_answers(opened, classes=classes)
        finally:
            opened.close()
    state = SessionState(None)
    SyncedState(store, state).sync()
    records = list(iter_records(state.iter_answers(), store.get_events))
    has_lists = any(isinstance(record["label"], list) for record in records)
    kind = MultilabelAnswers if has_lists else Answers
    return kind.from_records(records, classes=classes)
