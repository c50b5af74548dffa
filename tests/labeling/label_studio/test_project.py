"""Projects of Label Studio: found again, read page by page, with their users."""

import pytest

from skactive.exceptions import SkactiveWarning
from skactive.labeling.label_studio import _project

TEXTS = [f"{word} number {i}" for i, word in enumerate(["good film", "bad film"] * 6)]
IDS = [f"t{i}" for i in range(12)]


def test_a_project_whose_creation_was_not_answered_is_found(session, server, connect):
    server.faults = [("POST /api/projects/", "lost")]
    connect(session, server).push()
    assert len(server.projects) == 1


def test_other_pools_and_titles_have_projects_of_their_own(session, server, make_session, connect):
    connect(session, server).push()
    connect(session, server, title="Second").push()
    with make_session(TEXTS[::-1]) as other:
        connect(other, server).push()
    assert len(server.projects) == 3
    connect(session, server).push()
    assert len(server.projects) == 3


def test_a_first_pull_goes_through_all_pages(session, server, bridge, monkeypatch, connect):
    monkeypatch.setattr(_project, "_PAGE_SIZE", 5)
    monkeypatch.setattr(_project, "_ANNOTATED_PAGE_SIZE", 2)
    for row in IDS[:7]:
        server.answer(row, "good", skip=row == "t3")
    moment = server.now()
    for row in IDS[:7]:  # as an action on many tasks leaves them
        server.tasks[server.task_of(row)]["updated_at"] = moment
    again = connect(session, server)
    assert again.push() == 0
    pulled = again.pull()
    assert (pulled.n_labels, pulled.n_skips) == (6, 1)
    assert again.pull().n_new == 0


def test_a_project_that_is_there_keeps_its_configuration(server, make_session, connect, answers_of):
    config = (
        '<View><Text name="t" value="$body"/><Choices name="label" toName="t">'
        '<Choice value="good"/><Choice value="bad"/></Choices></View>'
    )
    settings = {"title": "Mine", "description": None, "label_config": config}
    number = server.respond("POST", ["projects"], settings, {})[1]["id"]
    server.add_task({"id": "3", "body": "there already"})
    with make_session(ids=list(range(12))) as session:
        bridge = connect(session, server, project=number)
        assert bridge.project_id == number
        assert bridge.push() == 11
        assert server.tasks[server.task_of(0)]["data"] == {"id": 0, "body": TEXTS[0]}
        server.answer("3", "good")
        bridge.pull()
        assert answers_of(session) == {3: "good"}
        session.add_class("ugly")
        with pytest.warns(SkactiveWarning, match="does not offer \\['ugly'\\]"):
            bridge.write_order()
    assert server.projects[number]["label_config"] == config


def test_annotators_without_an_address(session, server, bridge):
    server.answer("t1", "good", by=7)
    server.answer("t2", "good", by=None)
    server.answer("t3", "good", by={"id": 3, "email": "three@example.org"})
    server.answer("t4", "good", lead_time=None)
    bridge.pull()
    named = {r["id"]: (r["annotator"], r["seconds"]) for r in session.records()}
    assert named == {
        "t1": ("user 7", 2.0),
        "t2": (None, 2.0),
        "t3": ("three@example.org", 2.0),
        "t4": ("one@example.org", None),
    }


def test_users_that_may_not_be_seen_have_numbers(session, server, connect):
    server.faults = [("GET /api/users/", 403)]
    bridge = connect(session, server)
    bridge.push()
    server.faults = [("GET /api/users/", 403)]
    server.answer("t1", "good")
    bridge.pull()
    assert session.records()[0]["annotator"] == "user 1"
