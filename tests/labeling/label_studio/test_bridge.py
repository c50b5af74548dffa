"""The order of the session in Label Studio, and the loop."""

import numpy as np
import pytest

from skactive.exceptions import BridgeError, SkactiveWarning
from skactive.labeling.label_studio import _tasks

IDS = [f"t{i}" for i in range(12)]


# The order ----------------------------------------------------------------------------------------


def test_the_order_is_the_sessions_and_older_ones_are_removed(session, server, bridge):
    server.scores["of somebody else"] = {}
    for _ in range(2):
        assert bridge.write_order() == 6
        assert server.order() == session.peek(6)
        assert len(server.scores) == 2
    assert server.projects[1]["sampling"] == "Uncertainty sampling"
    assert sorted(next(reversed(server.scores.values())).values()) == pytest.approx(
        np.arange(1, 7) / 6
    )


def test_skipped_rows_come_last(session, server, bridge):
    first, *others = session.peek(7)
    server.answer(first, skip=True)
    bridge.pull()
    bridge.write_order()
    assert server.order() == others


def test_a_new_order_when_half_is_used_when_rows_go_elsewhere_and_when_there_is_a_model(
    session, server, bridge
):
    rows = session.peek(6)
    bridge.write_order()
    assert not bridge._is_order_due()
    for i in range(3):
        server.answer(rows[i], "good")
        bridge.pull()
        assert not bridge._is_order_due()
    server.answer(rows[3], "good")
    bridge.pull()
    assert bridge._is_order_due()
    bridge.write_order()
    assert not bridge._is_order_due()
    session.submit({session.peek(1)[0]: "bad"})
    assert bridge._is_order_due()


def test_nothing_is_left_to_order(session, server, bridge):
    session.submit(dict.fromkeys(IDS, "good"))
    assert bridge.write_order() == 0
    assert not bridge._is_order_due()
    assert server.scores == {}


# The loop -----------------------------------------------------------------------------------------


def test_the_loop_survives_a_server_that_is_away(session, server, monkeypatch, connect):
    monkeypatch.setattr(_tasks, "_RETRY_WAIT", 0.0)
    lines = []
    bridge = connect(session, server)
    turns = iter(range(100))

    def until(progress):
        turn = next(turns)
        if turn == 1:
            server.faults = [("GET /api/tasks/", "down")] * 3
        elif turn == 5:
            for row in server.order()[:4]:
                server.answer(row, "good" if row in IDS[::2] else "bad")
            server.answer(server.order()[5], "zebra")
        return turn == 8

    bridge.run(0.01, until, lines.append)
    assert lines == [
        "Project 1: 12 rows added as tasks.",
        "6 rows in order.",
        "No response from Label Studio at http://localhost:8080 ([Errno 111] Connection refused). "
        "Check that it is running and that the address is right. Waiting for the server.",
        "4 labels, 0 skipped, 0 changed, 0 undone.",
        lines[4],
        "6 rows in order.",
    ]
    assert lines[4].startswith("Not imported: annotation ")
    assert "'zebra'" in lines[4]
    assert server.order() == session.peek(6)


@pytest.mark.parametrize("fault", ["down", 503])
def test_the_loop_does_not_wait_for_a_server_that_it_never_reached(
    session, server, monkeypatch, connect, fault
):
    bridge = connect(session, server)
    monkeypatch.setattr(bridge._client, "_waits", (0.0,))
    server.faults = [("GET /api/projects/", fault)] * 9
    with pytest.raises(BridgeError) as caught:
        bridge.run(0.01, tell=print)
    assert caught.value.passing


def test_the_loop_ends_when_all_rows_have_answers(session, server, connect):
    bridge = connect(session, server)
    bridge.push()
    for row in IDS:
        server.answer(row, "good")
    assert bridge.run(0.01).n_labeled == 12


def test_the_loop_does_not_wait_for_what_does_not_go_by_itself(session, server, connect):
    server.faults = [("GET /api/users/", 401)]
    with pytest.raises(BridgeError, match="401"):
        connect(session, server).run(0.01)


def test_problems_are_warnings_where_nobody_listens(session, server, connect):
    bridge = connect(session, server)
    bridge.push()
    server.answer("t1", "zebra")
    with pytest.warns(SkactiveWarning, match="Not imported: .*'zebra'"):
        bridge.run(0.01, lambda progress: True)


@pytest.mark.parametrize("options", [{"title": "ab"}, {"title": "x" * 51}, {"n_ordered": 0}])
def test_options_that_cannot_be(session, server, options, connect):
    with pytest.raises(ValueError, match=next(iter(options))):
        connect(session, server, **options)
    with pytest.raises(ValueError, match="poll_seconds"):
        connect(session, server).run(0)
