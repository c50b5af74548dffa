"""Sentences and cards: true to the numbers, in plain English, and safe with labels of anyone."""

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from skactive.explanation import Explanation, LabeledNeighbor
from skactive.explanation._sentence import write_percent

EXPLANATION = Explanation(
    position=12,
    strategy="Auto",
    is_scored=True,
    parts={"uncertainty": 0.97, "added coverage": 2.0, "score": 1.94},
    ranks={"uncertainty": 0.99, "added coverage": 0.9, "score": 0.98},
    probabilities={3: 0.41, 8: 0.38, 1: 0.1},
    prediction=3,
    nearest=(LabeledNeighbor(4, 1.5, 3), LabeledNeighbor(0, 2.0, 8)),
    distance_rank=0.87,
    density=0.2,
    density_rank=0.6,
)
FAR = "the nearest labeled row (label 3) is farther away than for"


def test_the_largest_part_comes_first():
    hesitates = "the model hesitates between 3 (0.41) and 8 (0.38)"
    far = f"nothing labeled is near: {FAR} 87 % of the pool"
    assert str(EXPLANATION) == f"Asked since {hesitates}, and {far}."
    turned = replace(EXPLANATION, ranks={"uncertainty": 0.8, "added coverage": 0.9, "score": 0.9})
    assert str(turned) == f"Asked since {far}, and {hesitates}."


@pytest.mark.parametrize("shape", [(100,), (2, 3)], ids=str)
def test_labels_that_are_signals_or_maps_are_not_written(shape):
    near = (LabeledNeighbor(4, 1.5, np.ones(shape)),)
    far = "the nearest labeled row is farther away than for 87 % of the pool"
    assert far in str(replace(EXPLANATION, nearest=near))
    few = (LabeledNeighbor(4, 1.5, np.array([0, 1])),)
    assert "(label [0, 1])" in str(replace(EXPLANATION, nearest=few))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"distance_rank": 0.6},  # neither near nor far: the coverage itself
            "Asked since the model hesitates between 3 (0.41) and 8 (0.38), and its label would "
            "cover more of the pool than those of 90 % of the rows.",
        ),
        (
            {"probabilities": {3: 0.8, 8: 0.2}, "ranks": {"uncertainty": 0.99, "score": 0.4}},
            "Asked since its uncertainty is higher than that of 99 % of the pool. The most "
            "probable class is 3 (0.80).",
        ),
        (
            {"ranks": {"distance": 0.6}, "distance_rank": 0.6},
            f"Asked since {FAR} 60 % of the pool. The most probable class is 3 (0.41).",
        ),
        (
            {"ranks": {"score": 0.75}, "probabilities": {}},
            "Asked since its score is higher than that of 75 % of the pool. The model predicts 3.",
        ),
        (
            {"ranks": {"density": 0.75}, "probabilities": {}, "prediction": 2.5, "spread": 0.25},
            "Asked since it is more like the rest of the pool than 75 % of the rows. The model "
            "predicts 2.5, with a spread of 0.25.",
        ),
        (
            {
                "ranks": {"disagreement": 0.2},
                "prediction": None,
                "probabilities": {},
                "has_model": False,
            },
            "By itself, nothing stands out: only 20 % of the pool has a lower disagreement. There "
            f"is no model yet. Nothing labeled is near: {FAR} 87 % of the pool.",
        ),
        (
            {"ranks": {}, "probabilities": {}, "prediction": None, "nearest": ()},
            "Auto chooses without a score for each row. It is more like the rest of the pool than "
            "60 % of the rows.",
        ),
        (
            {"ranks": {"score": 0.0}, "probabilities": {}, "batch_rank": 0.9},
            "By itself, nothing stands out: less than 1 % of the pool has a lower score. The model "
            "predicts 3. It is farther from the rows before it and all labeled ones than 90 % of "
            "the pool.",
        ),
        (
            {"is_scored": False, "ranks": {"uncertainty": 0.9}},
            "It stands out in that the model hesitates between 3 (0.41) and 8 (0.38).",
        ),
    ],
)
def test_sentences_say_what_was_computed(changes, sentence):
    if "ranks" in changes:
        changes["parts"] = dict.fromkeys(changes["ranks"], 1.0)
    if changes.get("nearest") == ():
        changes["distance_rank"] = None
    assert str(replace(EXPLANATION, **changes)) == sentence


def test_shares_are_rounded_down_but_for_rounding_errors():
    assert [write_percent(share) for share in (0.999, 0.29, 0.57, 1.0, 0.0)] == [
        "99 %",
        "29 %",
        "57 %",
        "100 %",
        "0 %",
    ]


class Elements(HTMLParser):
    """Collect the names of elements and the text, and check that elements are closed."""

    def __init__(self):
        super().__init__()
        self.names, self.text, self.open = set(), "", []

    def handle_starttag(self, tag, attrs):
        assert {name for name, _ in attrs} <= {"class", "style"}
        self.names.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + " "


def parse(explanation):
    card = Elements()
    card.feed(explanation._repr_html_())
    assert not card.open
    return card


def test_cards_hold_the_sentence_and_all_numbers():
    text = parse(EXPLANATION).text
    assert str(EXPLANATION) in text
    for part in ("0.41", "0.38", "0.97", "1.94", "above 99 %", "1.5", "row 4", "farther than for"):
        assert part in text
    spread = replace(EXPLANATION, probabilities={}, prediction=2.5, spread=0.25)
    assert "2.5 ± 0.25" in parse(spread).text.replace("  ", " ")


def test_cards_of_little_knowledge_have_no_empty_table():
    assert parse(Explanation(0, "Random")).names == {"div", "strong", "p"}


def test_labels_cannot_break_out_of_card_or_terminal():
    hostile = "<script>alert(1)</script>\x1b[2J\u202etxt" + "x" * 500
    explanation = replace(
        EXPLANATION,
        strategy="<i>",
        parts={hostile: 1.0},
        ranks={hostile: 0.9},
        probabilities={hostile: 0.5, "b": 0.4},
        nearest=(LabeledNeighbor(0, 1.0, hostile),),
        elements={hostile: 1.0},
    )
    for text in (str(explanation), repr(explanation), explanation._repr_html_()):
        assert not {"\x1b", "\u202e"} & set(text)
    tags = {"div", "strong", "p", "table", "caption", "tbody", "tr", "td", "span"}
    assert parse(explanation).names <= tags
    assert hostile[:8] in parse(explanation).text
    label = str(replace(EXPLANATION, probabilities={hostile: 0.5, "b": 0.4}))
    assert len(label) < 300  # a label is shortened
