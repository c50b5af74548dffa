"""PageBackend of a session of numbers: whatever comes, only numbers in range are stored."""

import json
import re

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import Ridge

from skactive import ActiveLearner
from skactive.labeling import LabelingSession
from skactive.labeling.page import PageBackend
from skactive.strategies import Random

X, Y = load_diabetes(return_X_y=True)
X, Y = X[:150], Y[:150]
FOREST = RandomForestRegressor(20)
PROCESS = GaussianProcessRegressor(RBF(0.1, "fixed"), alpha=0.1, normalize_y=True)


@pytest.fixture
def open_backend():
    """Return a function that opens the backend of a session of numbers."""
    sessions = []

    def make(model=None, **options):
        learner = ActiveLearner(Ridge() if model is None else model, Random())
        options = {"background": False, "random_state": 0, **options}
        sessions.append(LabelingSession(learner, X, **options))
        return PageBackend(sessions[-1], title="Progression")

    yield make
    for session in sessions:
        session.close()


def ask(backend, do, annotator="ann", **about):
    """Return the reply to a message that has been through JSON, as a browser's has."""
    message = json.loads(json.dumps({"do": do, **about}))
    return json.loads(json.dumps(backend.handle(message, annotator), allow_nan=False))


def label(backend, number, ident=None, **about):
    if ident is None:
        given = ask(backend, "next", n=1)["items"][0]
        about |= {"id": given["id"], "ticket": given["ticket"]}
    else:
        about |= {"id": ident}
    return ask(backend, about.pop("do", "label"), label=number, **about)


def labels_of(backend):
    return [r["label"] for r in backend.session.records() if r["kind"] == "label"]


def test_the_state_says_that_labels_are_numbers(open_backend):
    reply = ask(open_backend(), "state")
    assert reply["state"]["numbers"] == {"low": None, "high": None, "range": ""}
    assert reply["classes"] == []
    assert reply["keys"]["classes"] == []
    state = ask(open_backend(value_range=(0, 346.5)), "state")["state"]
    assert state["numbers"] == {"low": 0, "high": 346.5, "range": "from 0 to 346.5"}


@pytest.mark.parametrize("number", [3.7, 0, -2, 1e300, 5e-324, 2**60, 10**20])
def test_numbers_are_stored(open_backend, number):
    backend = open_backend()
    reply = label(backend, number)
    assert (reply["ok"], reply["stored"]) == (True, 1)
    assert labels_of(backend) == [number]
    assert ask(backend, "history")["items"][0]["label"] == number


def test_minus_zero_is_zero(open_backend):
    backend = open_backend()
    label(backend, -0.0)
    assert str(labels_of(backend)[0]) == "0.0"


@pytest.mark.parametrize(
    "sent",
    ["3.7", "", None, True, [3], {"a": 1}, float("nan"), float("inf"), 10**400, "9" * 400, -1, 101],
    ids=lambda sent: f"{type(sent).__name__}-{str(sent)[:5]}",
)
@pytest.mark.parametrize("do", ["label", "relabel"])
def test_anything_else_is_refused(open_backend, do, sent):
    backend = open_backend(value_range=(0, 100))
    given = ask(backend, "next", n=1)["items"][0]
    reply = backend.handle({"do": do, "id": given["id"], "label": sent}, "ann")
    assert (reply["ok"], reply["retry"]) == (False, False)
    assert "Nothing was stored." in reply["error"]
    assert len(reply["error"]) < 300
    assert labels_of(backend) == []


def test_classes_can_neither_be_added_nor_renamed(open_backend):
    backend = open_backend()
    label(backend, 3)
    for reply in (
        ask(backend, "add_class", label=3),
        ask(backend, "rename_class", old=3, new=4),
    ):
        assert "labels of this session are numbers" in reply["error"]
    assert labels_of(backend) == [3]


def test_undo_history_and_relabel_have_the_numbers(open_backend):
    backend = open_backend()
    for number in (1.5, 2.5):
        label(backend, number)
    items = ask(backend, "history")["items"]
    assert [item["label"] for item in items] == [2.5, 1.5]
    undone = ask(backend, "undo")["item"]
    assert (undone["kind"], undone["label"]) == ("label", 2.5)
    label(backend, 2.5, undone["id"])  # the same number again
    label(backend, 7, items[1]["id"], do="relabel")
    assert sorted(labels_of(backend)) == [2.5, 7]
    assert ask(backend, "show", id=items[1]["id"])["item"]["label"] == 7


def test_a_repeated_message_stores_once_and_equal_numbers_of_two_rows_are_two_labels(open_backend):
    backend = open_backend()
    given = ask(backend, "next", n=1)["items"][0]
    about = {"id": given["id"], "ticket": given["ticket"], "label": 4, "key": "k1"}
    assert [ask(backend, "label", **about)["stored"] for _ in range(2)] == [1, 0]
    assert label(backend, 4)["stored"] == 1
    assert labels_of(backend) == [4, 4]


def test_two_people_see_the_numbers_that_count(open_backend):
    backend = open_backend()
    given = ask(backend, "next", n=1)["items"][0]
    ask(backend, "label", "ann", id=given["id"], label=4)
    ask(backend, "label", "bob", id=given["id"], label=5.5)
    history = backend.handle({"do": "history", "differ": True}, "cy", reviews=True)["items"]
    assert [(a["annotator"], a["label"]) for a in history[0]["answers"]] == [
        ("bob", 5.5),
        ("ann", 4),
    ]


@pytest.mark.parametrize("model", [FOREST, PROCESS], ids=["forest", "process"])
def test_a_suggestion_has_the_deviation_of_the_model(open_backend, model):
    backend = open_backend(model)
    assert ask(backend, "suggest", id=0)["suggestion"] is None
    for ident in range(12):
        label(backend, float(Y[ident]), ident)
    ask(backend, "next")
    said = ask(backend, "suggest", id=40)["suggestion"]
    written = re.fullmatch(r"The model predicts (\S+) \(standard deviation (\S+)\)\.", said)
    number, deviation = map(float, written.groups())
    learner = backend.session.latest_model[1]
    inner = learner.estimator_
    spread = (
        np.std([tree.predict(X[40:41]) for tree in inner.estimators_])
        if isinstance(inner, RandomForestRegressor)
        else inner.predict(X[40:41], return_std=True)[1][0]
    )
    assert number == pytest.approx(learner.predict(X[40:41])[0], abs=1)
    assert deviation == pytest.approx(spread, rel=0.05)


def test_a_model_without_a_deviation_predicts_a_number_alone(open_backend):
    backend = open_backend()
    for ident in range(12):
        label(backend, float(Y[ident]), ident)
    ask(backend, "next")
    number = backend.session.latest_model[1].predict(X[40:41])[0]
    assert ask(backend, "suggest", id=40)["suggestion"] == f"The model predicts {number:.6g}."


def test_the_audit_is_a_mean_error_and_a_curve(open_backend):
    backend = open_backend(audit_share=0.5)
    for _ in range(6):
        given = backend.session.next_batch(15).ids
        backend.session.submit({ident: float(Y[ident]) for ident in given})
    backend.session.peek()
    state = ask(backend, "state")["state"]
    rounds = [r for r in backend.session.rounds if r["n_audited"] >= 20]
    assert state["curve"] == [[r["n_labels"], r["audit_error"][0]] for r in rounds]
    assert len(rounds) >= 2
    assert state["accuracy_text"].startswith(f"Mean error {rounds[-1]['audit_error'][0]:.3g} (95 %")
    assert state["accuracy"] is None
    assert state["counts"] == []
