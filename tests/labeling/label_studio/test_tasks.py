"""Tasks of the pool: one per row, whatever fails."""

import pytest

from skactive.exceptions import BridgeError
from skactive.labeling.label_studio import _tasks

IDS = [f"t{i}" for i in range(12)]


@pytest.mark.parametrize("fault", ["lost", "down", 503])
def test_no_row_becomes_two_tasks_when_an_import_fails(
    session, server, fault, monkeypatch, connect
):
    monkeypatch.setattr(_tasks, "_RETRY_WAIT", 0.0)
    monkeypatch.setattr(_tasks, "_CHUNK_TASKS", 5)
    server.faults = [("POST /api/projects/1/import", fault)] * 2
    assert connect(session, server).push() == 12
    assert server.rows() == sorted(IDS)
    assert not server.faults


def test_an_import_that_fails_for_good_is_an_error_and_can_be_repeated(session, server, connect):
    server.faults = [("POST /api/projects/1/import", 413)]
    with pytest.raises(BridgeError, match="413"):
        connect(session, server).push()
    assert connect(session, server).push() == 12


def test_tasks_that_arrive_late_a_second_time_are_removed(session, server, monkeypatch, connect):
    monkeypatch.setattr(_tasks, "_RETRY_WAIT", 0.0)
    server.faults = [("POST /api/projects/1/import", "late")]
    assert connect(session, server).push() == 12
    assert server.rows() == sorted(IDS)


def test_second_tasks_that_are_worked_on_or_not_ours_stay(
    bridge, server, session, connect, answers_of
):
    ours = server.tasks[server.task_of("t0")]
    kept = server.add_task(ours["data"])
    worked_on = server.add_task(ours["data"], ours["meta"])
    value = {"from_name": "label", "value": {"choices": ["bad"]}}
    server.annotations[99] = {
        "id": 99, "task": worked_on, "completed_by": 2, "result": [value],
        "was_cancelled": False, "updated_at": server.now(),
    }  # fmt: skip
    removed = server.add_task(ours["data"], ours["meta"])
    again = connect(session, server)
    assert again.push() == 0
    assert {kept, worked_on} < server.tasks.keys()
    assert removed not in server.tasks
    assert again.pull().n_labels == 1
    assert answers_of(session) == {"t0": "bad"}
