"""Rows that are shown: back to answers of an earlier sitting, and undo among others' answers."""

import pytest
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive.labeling import LabelingSession
from skactive.labeling.terminal._rows import Rows


@pytest.fixture
def open_rows(tmp_path):
    """Return a function that opens a session on one store, and the rows of ann."""
    sessions = []

    def make():
        session = LabelingSession(
            ActiveLearner(GaussianNB()), [[i, -i] for i in range(20)], classes=["a", "b"],
            store=tmp_path / "labels.db", background=False, random_state=0,
        )  # fmt: skip
        sessions.append(session)
        return session, Rows(session, "ann", lambda row: row[0])

    yield make
    for session in sessions:
        session.close()


def answer(session, rows, label="a"):
    item = rows.current
    session.submit({item.id: label}, ticket=item.ticket, annotator="ann")
    rows.advance()
    return item.id


def test_back_from_the_first_row_after_a_restart(open_rows):
    session, rows = open_rows()
    rows.advance()
    answered = [answer(session, rows) for _ in range(3)]
    waiting = rows.current.id
    session.close()
    session, rows = open_rows()
    rows.advance()
    assert rows.current.id == waiting
    seen = []
    while rows.go_back():
        seen.append(rows.current.id)
        assert rows.current.answer.value == "a"
    assert seen == answered[::-1]
    rows.advance()
    assert rows.current.id == waiting


def test_undo_takes_back_own_answers_only(open_rows):
    session, rows = open_rows()
    _, other = open_rows()
    rows.advance()
    mine = answer(session, rows, "b")
    other.advance()
    batch = session.next_batch(1, annotator="ben")
    session.submit({batch.ids[0]: "a"}, ticket=batch.ticket, annotator="ben")
    undone = rows.undo()
    assert (undone.item, undone.value, undone.annotator) == (mine, "b", "ann")
    assert rows.current.id == mine
    assert rows.current.answer is None
    assert rows.undo() is None
    assert [record["annotator"] for record in session.records()] == ["ben"]
