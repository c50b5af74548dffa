"""Sentences that the terminal and the page have in common."""

import pytest

from skactive.labeling._messages import describe_accuracy, describe_answer, describe_counts
from skactive.labeling.state._progress import Progress


@pytest.mark.parametrize(
    ("kind", "label", "text"),
    [
        ("label", "a", "labeled a"),
        ("label", ["a", "b"], "labeled a, b"),
        ("label", [], "labeled none"),
        ("label", "", "labeled (empty)"),
        ("skip", None, "skipped"),
        ("unknown", None, "don't know"),
    ],
)
def test_answers(kind, label, text):
    assert describe_answer(kind, label) == text


def test_counts():
    progress = Progress(2000, 1500, 0, 3, 0, 0, 0, annotators={"ann": 7, "ben": 1493})
    assert describe_counts(progress, "ann") == "1,500 of 2,000 labeled · 7 by you · 3 skipped"
    assert describe_counts(progress, None) == "1,500 of 2,000 labeled · 3 skipped"


def make_progress(n_audited, accuracy=None):
    return Progress(100, 50, 0, 0, 0, 40, 4, accuracy=accuracy, n_audited=n_audited)


@pytest.mark.parametrize(
    ("progress", "n_audit_rows", "text"),
    [
        (make_progress(3, (0.0, 0.0, 0.975)), 50, "Accuracy: after 20 audit rows; 3 so far"),
        (make_progress(3), 5, "Accuracy: needs 20 audit rows; there are only 5"),
        (make_progress(0), 0, ""),
        (make_progress(20), 50, ""),  # the next model is measured on them
        (make_progress(25, (0.8, 0.6, 0.95)), 50,
         "Accuracy 80.0 % (95 % interval 60.0 % to 95.0 %)"),
    ],
)  # fmt: skip
def test_accuracy(progress, n_audit_rows, text):
    assert describe_accuracy(progress, n_audit_rows) == text
