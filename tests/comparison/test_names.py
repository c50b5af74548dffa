"""Names of what is compared: the baseline and the score."""

import pytest
from sklearn.metrics import make_scorer, matthews_corrcoef

from skactive.strategies import Entropy, Margin, Random

RANDOM = [0.5, 0.6, 0.7, 0.8, 0.9]


def test_baseline_is_random_or_the_first(compared, toy):
    assert compared([Margin(), Random()]).baseline == "Random()"
    assert compared({"m": Margin(), "chance": Random()}).baseline == "chance"
    assert compared([Margin(), Entropy()]).baseline == "Margin()"
    assert toy({"a": RANDOM, "random pick": RANDOM}).baseline == "random pick"


@pytest.mark.parametrize(
    ("scoring", "name"),
    [
        (None, "accuracy"),
        ("balanced_accuracy", "balanced_accuracy"),
        (lambda model, X, y: 0.5, "<lambda>"),
        (make_scorer(matthews_corrcoef), "score"),
    ],
    ids=["own", "string", "callable", "scorer"],
)
def test_scores_have_a_name(scoring, name, compared):
    comparison = compared(scoring=scoring, n_repeats=1)
    assert comparison.scoring == name
    assert (comparison.runs[0].scores[-1] == 0.5) == (name == "<lambda>")
