"""LabelingWidget: the page's messages in a kernel, and its script before a model of a notebook."""

import json

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression

from skactive import ActiveLearner
from skactive.labeling import LabelingSession

pytest.importorskip("anywidget", reason="needs anywidget")
from skactive.labeling.widget import LabelingWidget

X, Y = load_iris(return_X_y=True)


@pytest.fixture
def session():
    with LabelingSession(
        ActiveLearner(LogisticRegression(max_iter=500)), X, classes=["a", "b", "c"], random_state=0
    ) as opened:
        yield opened


@pytest.fixture
def widget(session):
    """Return a widget whose replies are kept, as JSON brings them."""
    made = LabelingWidget(session, annotator="ann", title="Irises")
    made.replies = []
    made.send = lambda content, buffers=None: made.replies.append(json.loads(json.dumps(content)))
    yield made
    made.close()


def say(widget, content):
    widget._handle_custom_msg(content, [])
    return widget.replies


def test_messages_get_a_reply_with_their_number(widget):
    (reply,) = say(widget, {"id": "v-1", "message": {"do": "next", "n": 2}})
    assert reply["reply_to"] == "v-1"
    assert len(reply["reply"]["items"]) == 2
    assert reply["reply"]["state"]["title"] == "Irises"


def test_answers_are_stored_under_the_annotator(widget, session):
    given = say(widget, {"id": "v-1", "message": {"do": "next"}})[0]["reply"]["items"][0]
    answer = {"do": "label", "id": given["id"], "ticket": given["ticket"], "label": "b", "key": "k"}
    for number in range(3):  # sent again
        say(widget, {"id": f"v-{number}", "message": answer})
    (record,) = session.records()
    assert (record["id"], record["label"], record["annotator"]) == (given["id"], "b", "ann")


@pytest.mark.parametrize("content", [None, 3, "x", [], {}, {"id": 3}, {"message": {"do": "next"}}])
def test_what_is_not_of_the_page_is_left_alone(widget, content):
    assert say(widget, content) == []


@pytest.mark.parametrize(
    "message", [None, [], {"do": "drop"}, {"do": "label", "id": 0, "label": 9}]
)
def test_wrong_messages_never_raise_in_the_kernel(widget, session, message):
    (reply,) = say(widget, {"id": "v-1", "message": message})
    assert reply["reply"]["ok"] is False
    assert session.records() == []


def test_a_closed_session_never_raises_in_the_kernel(widget, session):
    session.close()
    (reply,) = say(widget, {"id": "v-1", "message": {"do": "next"}})
    assert reply["reply"]["ok"] is False


MODEL = """
const hearers = new Set();
window.model = {
  sent: [],
  on: (type, hear) => type === "msg:custom" && hearers.add(hear),
  off: (type, hear) => hearers.delete(hear),
  send: (content) => { model.sent.push(content); window.kernel(JSON.stringify(content)); },
  hear: (content) => [...hearers].forEach((hear) => hear(content)),
};
"""


@pytest.fixture
def page(tab, widget):
    """Return a page with two views of the widget; what they send goes to the real one."""

    def kernel(content):
        before = len(widget.replies)
        say(widget, json.loads(content))
        for reply in widget.replies[before:]:
            tab.evaluate("(reply) => model.hear(reply)", reply)

    later = []
    tab.expose_function("kernel", lambda content: later.append(content))
    tab.set_content("<!doctype html><html><body><div id='one'></div><div id='two'></div>")
    tab.add_style_tag(content=widget._css)
    tab.add_script_tag(content=MODEL)
    script = widget._esm.replace("export default", "const widget =")
    views = "".join(
        f"window.stop_{name} = widget.render({{ model, el: document.getElementById('{name}') }});"
        for name in ("one", "two")
    )
    tab.add_script_tag(content=f"{script}\n{views}", type="module")

    def pump(until):
        """Let the kernel answer, until something holds in the page."""
        for _ in range(300):
            while later:
                kernel(later.pop(0))
            if tab.evaluate(until):
                return
            tab.wait_for_timeout(10)
        raise AssertionError(f"never came: {until}")

    tab.pump = pump
    return tab


SHOWN = "document.querySelector('#{} .ska-table') !== null"


def test_two_views_of_one_widget(page, session):
    page.pump(SHOWN.format("one"))
    page.pump(SHOWN.format("two"))
    page.locator("#one").get_by_role("button", name="b", exact=True).click()
    page.locator("#two .ska-title").click()
    page.keyboard.press("c")
    page.pump("document.querySelector('#two .ska-status').textContent === 'Saved'")
    page.pump("document.querySelector('#one .ska-status').textContent === 'Saved'")
    records = session.records()
    assert sorted(record["label"] for record in records) == ["b", "c"]
    assert len({record["id"] for record in records}) == 2


def test_a_view_that_goes_gives_back_its_rows(page, session):
    page.pump(SHOWN.format("one"))
    page.pump(SHOWN.format("two"))
    before = session.progress().n_in_flight
    page.evaluate("stop_one()")
    page.pump("model.sent.some(({ message }) => message.do === 'release')")
    assert 0 < session.progress().n_in_flight < before
    assert page.locator("#one .ska").inner_html() == ""


def test_a_regressor_is_labeled_with_numbers():
    learner = ActiveLearner(LinearRegression())
    with LabelingSession(learner, X, value_range=(0, 10), random_state=0) as session:
        widget = LabelingWidget(session, annotator="ann")
        widget.replies = []
        widget.send = lambda content, buffers=None: widget.replies.append(content)
        for number in (3.7, 11, "4"):
            answer = {"do": "label", "id": 5, "label": number}
            say(widget, {"id": "v", "message": answer})
        assert [reply["reply"]["ok"] for reply in widget.replies] == [True, False, False]
        assert [record["label"] for record in session.records()] == [3.7]
        widget.close()
