"""Annotations become labels: each once, with changes and deletions."""


def test_labels_keep_their_type(server, make_session, connect, answers_of):
    with make_session(ids=list(range(12)), classes=[1, 2]) as session:
        bridge = connect(session, server)
        bridge.push()
        server.answer(3, "2")
        bridge.pull()
        assert answers_of(session) == {3: 2}


def test_several_labels_or_none(server, make_session, connect, answers_of):
    with make_session(classes=["u", "v", "w"], multilabel=True) as session:
        bridge = connect(session, server)
        bridge.push()
        server.answer("t1", "w", "u")
        server.answer("t2")
        assert bridge.pull().n_labels == 2
        assert answers_of(session) == {"t1": ["u", "w"], "t2": []}


def test_one_choice_is_needed(session, server, bridge):
    number = server.answer("t1")
    pulled = bridge.pull()
    assert "got 0" in pulled.problems[number]
    assert pulled.n_new == 0
    server.change(number, "good")
    pulled = bridge.pull()
    assert (pulled.n_labels, pulled.problems) == (1, {})


def test_what_could_not_be_taken_is_forgotten_when_it_is_deleted(server, bridge):
    number = server.answer("t1", "zebra")
    assert list(bridge.pull().problems) == [number]
    server.delete(number)
    assert bridge.pull().problems == {}


def test_a_task_of_no_row_is_told_and_nothing_else(session, server, bridge):
    server.add_task({"id": "elsewhere", "text": "?"})
    number = server.answer("elsewhere", "good")
    assert "'elsewhere'" in bridge.pull().problems[number]
    assert session.records() == []


def test_a_skip_that_is_answered_after_all_and_an_answer_that_is_skipped(
    session, server, bridge, answers_of
):
    first, second = server.answer("t1", skip=True), server.answer("t2", "good")
    bridge.pull()
    server.change(first, "bad")
    server.change(second, skip=True)
    assert bridge.pull().n_changed == 2
    assert answers_of(session) == {"t1": "bad"}


def test_the_last_of_several_annotators_counts_whatever_the_order_of_the_answers(
    session, server, bridge
):
    first = server.answer("t1", "good", by=1)
    server.answer("t1", "bad", by=2)
    server.change(first, "good")
    bridge.pull()
    assert session.progress().classes == {"good": 1}
    assert session.progress().annotators == {"one@example.org": 1, "two@example.org": 1}


def test_an_annotation_deleted_while_nobody_looked_is_taken_back(
    session, server, bridge, connect, answers_of
):
    number = server.answer("t1", "good")
    bridge.pull()
    server.change(number, "bad")
    bridge.pull()
    server.delete(number)
    again = connect(session, server)
    assert again.pull().n_withdrawn == 1
    assert session.records() == []
    assert again.pull().n_new == 0
    assert connect(session, server).pull().n_new == 0
    server.answer("t1", "good")
    assert again.pull().n_labels == 1
    assert answers_of(session) == {"t1": "good"}


def test_labels_of_deleted_tasks_stay(session, server, bridge, connect, answers_of):
    number = server.answer("t1", "good")
    bridge.pull()
    task = server.task_of("t1")
    del server.annotations[number], server.tasks[task]
    again = connect(session, server)
    assert again.pull().n_withdrawn == 0
    assert again.push() == 1
    assert connect(session, server).pull().n_withdrawn == 0
    assert answers_of(session) == {"t1": "good"}


def test_what_another_bridge_took_over_is_known(session, server, bridge, connect):
    server.answer("t1", "good")
    assert connect(session, server).pull().n_labels == 1
    assert bridge.pull().n_labels == 0
    assert len(session.records()) == 1


def test_undoing_in_the_session_holds(session, server, bridge, connect):
    server.answer("t1", "good")
    bridge.pull()
    assert session.undo("one@example.org") == "t1"
    assert bridge.pull().n_new == 0
    assert connect(session, server).pull().n_new == 0
    assert session.records() == []
