"""The examples of the pages on streams run."""

import re
from pathlib import Path

import numpy as np
from sklearn.datasets import make_classification

from skactive.streams import QuantileFilter

DOCS = Path(__file__).parents[2] / "docs"


def find_code(page, marker):
    """Return the block of code on a page that has a marker."""
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), flags=re.DOTALL)
    (block,) = [block for block in blocks if marker in block]
    return block


def test_the_guide_s_stream_runs():
    X, y = make_classification(400, class_sep=2.0, random_state=0)
    names = {"X": X, "y": y}
    exec(find_code("guide.md", "StreamLearner"), names)
    stream = names["stream"]
    assert 25 < stream.n_bought_ <= 0.1 * stream.n_offers_ == 38
    assert stream.score(X, y) > 0.85


def test_a_policy_without_a_learner_runs():
    scores = np.random.RandomState(0).uniform(size=500).tolist()
    names = {"QuantileFilter": QuantileFilter, "scores": scores}
    exec(find_code("streams.md", "for score in scores"), names)
    assert 18 < names["buyer"].spending.n_bought <= 25
