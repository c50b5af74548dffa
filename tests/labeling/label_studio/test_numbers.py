"""Sessions of numbers in Label Studio: a field for a number, and predictions that are numbers."""

import json

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner
from skactive.exceptions import BridgeError
from skactive.labeling import LabelingSession
from skactive.labeling.label_studio._config import make_config, make_number_config
from skactive.strategies import Random

TEXTS = [f"a flat of {i} rooms" for i in range(12)]
IDS = [f"t{i}" for i in range(12)]


@pytest.fixture
def open_numbers():
    """Return a function that opens a session of numbers."""
    sessions = []

    def make(**options):
        learner = ActiveLearner(make_pipeline(TfidfVectorizer(), Ridge()), Random())
        options = {"refit_every": 2, "background": False, "random_state": 0, **options}
        sessions.append(LabelingSession(learner, TEXTS, ids=IDS, **options))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


@pytest.mark.parametrize(
    ("value_range", "limits"),
    [(None, ""), ((0, None), ' min="0"'), ((-0.5, 10), ' min="-0.5" max="10"')],
    ids=["any", "above", "between"],
)
def test_a_project_asks_for_a_number(open_numbers, server, connect, value_range, limits):
    connect(open_numbers(value_range=value_range), server).push()
    config = server.projects[1]["label_config"]
    assert f'<Number name="label" toName="item"{limits} required="true"/>' in config
    assert "step" not in config  # Label Studio refuses what is between two steps
    assert "Choices" not in config


def test_numbers_are_read_back_changed_and_withdrawn(open_numbers, server, connect, answers_of):
    session = open_numbers()
    bridge = connect(session, server)
    bridge.push()
    first = server.answer_number("t0", 3.7)
    server.answer_number("t1", -2)
    server.answer("t2", skip=True)
    result = bridge.pull()
    assert (result.n_labels, result.n_skips, result.problems) == (2, 1, {})
    assert answers_of(session) == {"t0": 3.7, "t1": -2}
    assert session.records()[0]["annotator"] == "one@example.org"
    server.change(first)
    server.annotations[first]["result"] = [
        {"from_name": "label", "type": "number", "value": {"number": 4}}
    ]
    assert bridge.pull().n_changed == 1
    assert answers_of(session)["t0"] == 4
    server.delete(first)
    assert bridge.pull().n_withdrawn == 1
    assert answers_of(session) == {"t1": -2}


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([], "expected one number, got 0"),
        ([1, 2], "expected one number, got 2"),
        ([101], "out of range"),
        (["7"], "'7' is a string"),
        ([True], "True is a boolean"),
        ([float("nan")], "finite"),
        ([None], "got None"),
    ],
)
def test_what_is_no_number_is_reported(open_numbers, server, connect, numbers, words):
    session = open_numbers(value_range=(0, 100))
    bridge = connect(session, server)
    bridge.push()
    server.answer_number("t0", *numbers)
    server.answer_number("t1", 5)
    result = bridge.pull()
    assert result.n_labels == 1
    (problem,) = result.problems.values()
    assert words in problem


def test_predictions_are_numbers_and_the_score_is_the_rank(open_numbers, server, connect):
    session = open_numbers()
    bridge = connect(session, server)
    bridge.push()
    assert bridge.write_order() == 6
    assert all(result == [] for result in server.predicted.values())  # no model yet
    session.submit({"t0": 0.0, "t4": 4.0})
    bridge.write_order()
    rows = session.peek(6)
    assert server.order() == rows
    scores = next(reversed(server.scores.values()))
    assert sorted(scores.values()) == pytest.approx(np.arange(1, 7) / 6)
    expected = session.predict([TEXTS[IDS.index(row)] for row in rows])
    for row, number in zip(rows, expected, strict=True):
        assert server.predicted[server.task_of(row)] == [
            {"from_name": "label", "to_name": "item", "type": "number", "value": {"number": number}}
        ]
    json.dumps(server.predicted, allow_nan=False)
    assert server.projects[1]["show_collab_predictions"] is False


def test_another_range_is_written_to_the_project(open_numbers, server, connect):
    connect(open_numbers(value_range=(0, 5)), server).push()
    connect(open_numbers(value_range=(0, 50)), server).push()
    assert list(server.projects) == [1]
    assert 'max="50"' in server.projects[1]["label_config"]


def test_a_project_of_classes_is_refused_and_one_of_ones_own_is_kept(open_numbers, server, connect):
    config = make_config("text", ["a", "b"], multilabel=False)
    with pytest.raises(BridgeError, match="has no number"):
        connect(open_numbers(), server, label_config=config, title="of classes").push()
    own = make_number_config("text", (0, 1)).replace("required", 'slider="true" required')
    connect(open_numbers(), server, label_config=own, title="of mine").push()
    assert own in [project["label_config"] for project in server.projects.values()]


def test_exports_for_label_studio_have_numbers(open_numbers, tmp_path):
    session = open_numbers()
    session.submit({"t0": 0.5, "t4": 4})
    session.export(tmp_path / "tasks.json", predictions=True)
    tasks = {t["data"]["id"]: t for t in json.loads((tmp_path / "tasks.json").read_text())}
    (result,) = tasks["t0"]["annotations"][0]["result"]
    assert result == {
        "from_name": "label", "to_name": "item", "type": "number", "value": {"number": 0.5}
    }  # fmt: skip
    (predicted,) = tasks["t1"]["predictions"][0]["result"]
    assert predicted["type"] == "number"
    assert isinstance(predicted["value"]["number"], float)
