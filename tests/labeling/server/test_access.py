"""Links of persons: the name comes from the link, and the role limits the messages."""

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from skactive.exceptions import StoreError
from skactive.labeling.page import PageBackend
from skactive.labeling.page._protocol import _FIELDS
from skactive.labeling.server import make_app
from skactive.labeling.server._access import _LEAST_ROLE, ROLES, Access, check_people

TOKEN = "the-secret-of-these-tests"
HOST = "127.0.0.1:8000"
JSON = ("content-type", "application/json")
PEOPLE = {"ann": "labels", "bob": "reviews", "eve": "administers"}


@pytest.fixture
def send(session, post):
    """Return a function that sends a message with a person's link."""
    app = make_app(PageBackend(session), token=TOKEN, hosts=[HOST], people=PEOPLE)
    tokens = Access(TOKEN, PEOPLE).tokens

    def send(person, annotator=None, token=None, **message):
        headers = [JSON, ("authorization", f"Bearer {token or tokens[person]}")]
        return post(app, {"annotator": annotator, "message": message}, headers)

    return send


def test_the_name_comes_from_the_link(session, send):
    item = send("ann", do="next", n=1).json()["items"][0]
    about = {"id": item["id"], "ticket": item["ticket"], "label": "pos"}
    assert send("ann", "", do="label", **about, key="k1").json()["ok"]
    for name in ("bob", "Ann", "ann lee"):  # as another, or as nobody there is
        reply = send("ann", name, do="label", **{**about, "label": "neg"}, key="k2")
        assert reply.status == 403
        assert "link of" in reply.json()["error"]
    state = send("ann", " \uff41nn ", do="state").json()["state"]
    assert (state["annotator"], state["role"]) == ("ann", "labels")
    assert [(r["annotator"], r["label"]) for r in session.records()] == [("ann", "pos")]


def test_the_secret_itself_opens_nothing(send, session):
    for token in (TOKEN, "x", Access(TOKEN + "x", PEOPLE).tokens["ann"]):
        assert send("ann", token=token, do="state").status == 401


def test_a_link_tells_whose_it_is(ask, backend, session):
    tokens = Access(TOKEN, PEOPLE).tokens
    personal = make_app(backend, token=TOKEN, hosts=[HOST], people=PEOPLE)
    shared = make_app(backend, token=TOKEN, hosts=[HOST])

    def read(app, token):
        return ask(app, "POST", "/api/link", [("authorization", f"Bearer {token}")])

    assert read(personal, tokens["bob"]).json() == {
        "ok": True, "annotator": "bob", "role": "reviews"
    }  # fmt: skip
    assert read(shared, TOKEN).json() == {"ok": True, "annotator": None, "role": "administers"}
    assert read(personal, TOKEN).status == read(shared, tokens["bob"]).status == 401


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize(
    ("do", "least"),
    [("state", "labels"), ("next", "labels"), ("undo", "labels"), ("add_class", "administers"),
     ("rename_class", "administers"), ("new", "administers")],
)  # fmt: skip
def test_a_role_sends_its_messages_and_those_below(send, session, person, do, least):
    more = {"label": "new"} if do == "add_class" else {}
    reply = send(person, do=do, **more).json()
    role = PEOPLE[person]
    is_refused = not reply["ok"] and "ask somebody" in reply["error"]
    assert is_refused == (ROLES.index(role) < ROLES.index(least))
    if is_refused:
        assert f"who {least}" in reply["error"]
        assert reply["retry"] is False
    assert reply["state"]["role"] == role
    assert reply["state"]["n_rows"] == 40  # the page needs it with any reply
    assert reply["classes"]
    assert ("new" in session.classes) == (do == "add_class" and person == "eve")


def test_who_labels_changes_own_answers_and_who_reviews_all(send, session):
    item = send("ann", do="next", n=1).json()["items"][0]
    about = {"id": item["id"], "label": "pos"}
    send("ann", do="label", **about, ticket=item["ticket"], key="k1")
    assert send("ann", do="relabel", **{**about, "label": "neg"}, key="k2").json()["ok"]
    other = next(ident for ident in session.ids if ident != item["id"])
    for wrong in (other, "no such row", None, [0]):
        reply = send("ann", do="relabel", id=wrong, label="neg", key="k3").json()
        assert not reply["ok"]
        assert "who reviews" in reply["error"]
    assert send("bob", do="relabel", **about, key="k4").json()["ok"]
    assert [(r["annotator"], r["label"]) for r in session.records()] == [
        ("ann", "neg"), ("bob", "pos")
    ]  # fmt: skip


def test_a_malformed_kind_is_answered_by_the_backend(send):
    for do in (None, 7, ["label"], {}):
        reply = send("ann", do=do).json()
        assert not reply["ok"]
        assert "'do' must be" in reply["error"]


def test_every_message_of_the_page_has_a_role():
    assert _FIELDS.keys() == _LEAST_ROLE.keys()


@pytest.mark.parametrize("do", ["label", "skip", "dont_know", "relabel"])
def test_who_labels_answers_only_rows_that_they_got(send, session, do):
    label = {"label": "neg"} if "label" in do else {}
    mine, _ = send("ann", do="next", n=2).json()["items"]
    theirs = send("bob", do="next", n=1).json()["items"][0]
    nobody_s = next(i for i in session.ids if i not in session.next_batch(5, "eve").ids)
    send("bob", do="label", id=theirs["id"], ticket=theirs["ticket"], label="pos")
    before = session.records()
    for ident, ticket in [
        (theirs["id"], theirs["ticket"]),  # labeled by bob
        (theirs["id"], mine["ticket"]),
        (theirs["id"], None),
        (nobody_s, None),
        (nobody_s, "no ticket"),
        (mine["id"], theirs["ticket"]),
        (mine["id"], None),
        (str(mine["id"]), mine["ticket"]),
        (True, mine["ticket"]),
        ([mine["id"]], mine["ticket"]),
        (mine["id"], [mine["ticket"]]),
        (mine["id"], f"key:{mine['ticket']}"),
    ]:
        reply = send("ann", do=do, id=ident, ticket=ticket, **label).json()
        assert not reply["ok"], (ident, ticket)
        assert "handed to them" in reply["error"]
        assert "who reviews. Nothing was stored." in reply["error"]
        assert reply["retry"] is False
    assert session.records() == before
    assert send("ann", do=do, id=mine["id"], ticket=mine["ticket"], key="k", **label).json()["ok"]
    assert send("ann", do=do, id=mine["id"], **label).json()["ok"]  # answered before
    assert send("ann", do="undo").json()["item"]["id"] == mine["id"]
    assert send("ann", do=do, id=mine["id"], **label).json()["ok"]  # undone, and answered again
    assert send("bob", do=do, id=nobody_s, **label).json()["ok"]  # bob reviews


def test_a_row_that_was_labeled_meanwhile_may_still_be_answered(send, session):
    item = send("ann", do="next", n=1).json()["items"][0]
    session.submit({item["id"]: "pos"}, annotator="bob")
    about = {"id": item["id"], "ticket": item["ticket"], "label": "neg"}
    assert send("ann", do="label", **about, key="k").json()["stored"] == 1
    assert send("ann", do="label", **about, key="k").json()["ok"]  # the reply was lost


def test_a_shared_link_answers_any_row(session, post):
    app = make_app(PageBackend(session), token=TOKEN, hosts=[HOST])
    headers = [JSON, ("authorization", f"Bearer {TOKEN}")]
    message = {"do": "label", "id": session.ids[7], "label": "pos"}
    assert post(app, {"annotator": "ann", "message": message}, headers).json()["ok"]


def test_who_reviews_sees_the_answers_of_others(send, session):
    item = send("ann", do="next", n=1).json()["items"][0]
    send("ann", do="label", id=item["id"], ticket=item["ticket"], label="pos")
    for person in ("bob", "eve"):
        (found,) = send(person, do="history").json()["items"]
        assert [(a["annotator"], a["label"]) for a in found["answers"]] == [("ann", "pos")]
        assert "answers" in send(person, do="show", id=item["id"]).json()["item"]
    assert "'answers'" not in str(send("ann", do="history").json())
    assert "'answers'" not in str(send("ann", do="show", id=item["id"]).json())


def test_a_store_that_cannot_be_read_is_asked_again(send, session, monkeypatch):
    def fail(*_):
        raise StoreError("The disk is away.")

    monkeypatch.setattr(session, "has_answered", fail)
    reply = send("ann", do="skip", id=session.ids[0]).json()
    assert (reply["ok"], reply["error"], reply["retry"]) == (False, "The disk is away.", True)


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ({}, "nobody|empty"),
        ({"ann": "boss"}, "one of labels, reviews, administers"),
        ({"ann": "labels", "Ann": "labels"}, "look like one person"),
        ({"ann": "labels", "\uff41nn": "labels"}, "look like one person"),
        ({"": "labels"}, "empty"),
    ],
)
def test_people_that_cannot_be_are_refused(people, message):
    with pytest.raises(ValueError, match=message):
        check_people(people)
    with pytest.raises(ValueError, match=message):
        Access(TOKEN, people)


def test_tokens_depend_on_secret_and_name_alone():
    tokens = Access(TOKEN, PEOPLE).tokens
    assert tokens == Access(TOKEN, dict.fromkeys(PEOPLE, "labels")).tokens
    assert len({*tokens.values(), *Access(TOKEN + "x", PEOPLE).tokens.values()}) == 6
    assert all(len(token) >= 43 for token in tokens.values())
