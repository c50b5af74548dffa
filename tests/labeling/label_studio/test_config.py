"""Labeling configurations, and the contents that they show."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearner
from skactive.labeling import LabelingSession
from skactive.labeling.label_studio._config import infer_kind, make_config
from skactive.strategies import Random

TEXTS = [f"{word} number {i}" for i, word in enumerate(["good film", "bad film"] * 6)]


def test_frames_are_shown_as_tables(server, connect):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, np.nan], "c": [pd.Timestamp("2026-01-01")] * 2})
    learner = ActiveLearner(LogisticRegression(), Random())
    with LabelingSession(learner, frame, classes=["u", "v"], random_state=0) as session:
        connect(session, server).push()
    assert "<Table" in server.projects[1]["label_config"]
    shown = [task["data"]["table"] for task in server.tasks.values()]
    assert shown == [
        {"a": 1, "b": 0.5, "c": "2026-01-01 00:00:00"},
        {"a": 2, "b": "", "c": "2026-01-01 00:00:00"},
    ]


def test_rows_without_a_look_need_render(server, connect):
    learner = ActiveLearner(LogisticRegression(), Random())
    with LabelingSession(learner, np.eye(3), classes=["u", "v"]) as session:
        with pytest.raises(ValueError, match="pass render="):
            connect(session, server).push()

        def render(row, ident):
            return f"https://example.org/{ident}.png?size=s"

        connect(session, server, render=render).push()
    assert "<Image" in server.projects[1]["label_config"]
    assert server.tasks[server.task_of(2)]["data"] == {
        "id": 2,
        "image": "https://example.org/2.png?size=s",
    }


def test_a_configuration_of_ones_own_takes_fields(server, make_session, connect):
    config = make_config("text", ["good", "bad"], multilabel=False).replace("showInLine", "hotkey")
    with make_session() as session:
        bridge = connect(
            session, server, label_config=config, render=lambda row, i: {"text": row, "more": 1}
        )
        bridge.push()
    assert server.tasks[server.task_of("t0")]["data"] == {"id": "t0", "text": TEXTS[0], "more": 1}


def test_classes_must_be_known(server, make_session, connect):
    with make_session(classes=None) as session, pytest.raises(ValueError, match="pass classes="):
        connect(session, server).push()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("https://example.org/a.PNG?x=1", "image"),
        ("/data/local-files/?d=a.png", "text"),
        ("/data/upload/a.jpg", "image"),
        ("https://example.org/a.mp3", "audio"),
        ("https://example.org/a.png is a picture", "text"),
        ("https://example.org/", "text"),
        ("a.png", "text"),
        ({"a": 1}, "table"),
    ],
)
def test_what_a_content_is_shown_as(content, kind):
    assert infer_kind(content) == kind


def test_names_of_classes_are_quoted():
    from xml.etree import ElementTree

    names = ["\"a\" <b> & 'c'", "ä\nb"]
    view = ElementTree.fromstring(make_config("text", names, multilabel=True))
    assert [choice.get("value") for choice in view.iter("Choice")] == names


def test_texts_that_no_database_holds(server, make_session, connect):
    with make_session(["a\x00b", "\ud800", ""], ["a", "b", "c"]) as session:
        connect(session, server).push()
    assert [task["data"]["text"] for task in server.tasks.values()] == ["a\ufffdb", "?", ""]
