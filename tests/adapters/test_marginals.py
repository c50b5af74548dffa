"""Taggers with marginal probabilities, as dicts or arrays; sklearn-crfsuite's where installed."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skactive import Ragged, reductions, scores
from skactive.adapters import adapt
from skactive.exceptions import InvalidReadingError
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource
from skactive.strategies import Aggregate, Margin
from skactive.testing import parametrize_with_adapter_checks
from skactive.testing._adapter_checks import ADAPTER_CHECKS

WORDS = ["Ada", "Bob", "runs", "sees", "in", "Rome"]
TAGS = {"Ada": "name", "Bob": "name", "Rome": "place"}
RNG = np.random.RandomState(0)
SENTENCES = [RNG.choice(WORDS, size=RNG.randint(0, 5)).tolist() for _ in range(12)] + [[], ["in"]]
X = [[{"word": word, "upper": word.istitle()} for word in words] for words in SENTENCES]
Y = [[TAGS.get(word, "other") for word in words] for words in SENTENCES]


class Tagger(BaseEstimator):
    """Has sklearn-crfsuite's methods: each word has the tags that it had, and one of each more."""

    def __init__(self, form="dicts"):
        self.form = form

    def fit(self, X, y):
        self.classes_ = sorted({tag for tags in y for tag in tags}, reverse=True)
        self.counts_ = {}
        for tokens, tags in zip(X, y, strict=True):
            for token, tag in zip(tokens, tags, strict=True):
                counts = self.counts_.setdefault(token["word"], dict.fromkeys(self.classes_, 1))
                counts[tag] += 1
        return self

    def predict_marginals(self, X):
        rows = [[self.tag(token) for token in tokens] for tokens in X]
        if self.form == "dicts":
            return rows
        return [
            np.array([[p[c] for c in self.classes_] for p in row]).reshape(-1, 3) for row in rows
        ]

    def tag(self, token):
        counts = self.counts_.get(token["word"], dict.fromkeys(self.classes_, 1))
        return {tag: count / sum(counts.values()) for tag, count in counts.items()}

    def predict(self, X):
        rows = [[self.tag(token) for token in tokens] for tokens in X]
        return [[max(p, key=p.get) for p in row] for row in rows]


def make_pool(model, X=X):
    return PoolView(X, ReadingSource(adapter=adapt(model)))


@pytest.mark.parametrize("form", ["dicts", "arrays"])
def test_marginals_are_the_probabilities_of_tokens(form):
    model = Tagger(form).fit(X[:8], Y[:8])
    elements = make_pool(model).elements
    assert elements.classes.tolist() == ["name", "other", "place"]
    marginals = [model.tag(token) for tokens in X for token in tokens]
    expected = [[p[tag] for tag in ("name", "other", "place")] for p in marginals]
    np.testing.assert_array_equal(elements.proba, expected)
    assert elements.prediction.tolist() == [tag for tags in model.predict(X) for tag in tags]
    offsets = Ragged.of(SENTENCES).offsets
    np.testing.assert_array_equal(elements.offsets, offsets)
    found = Aggregate(Margin(), reductions.total).score(make_pool(model))
    np.testing.assert_allclose(found, reductions.total(scores.margin(expected), offsets))


def test_a_tag_that_a_dict_lacks_has_probability_0():
    model = Tagger().fit(X, Y)
    model.tag = lambda token: {"other": 1.0}
    np.testing.assert_array_equal(make_pool(model, X[-1:]).elements.proba, [[0, 1, 0]])


def test_tags_must_be_listed():
    model = Tagger().fit(X, Y)
    model.classes_ = ["name", "place"]
    with pytest.raises(InvalidReadingError, match=r"\['other'\].*not among its classes_"):
        _ = make_pool(model).elements.proba
    model.classes_ = None
    model.tag = lambda token: {"other": 1.0}
    with pytest.raises(InvalidReadingError, match="has no classes_: set it"):
        _ = make_pool(model).elements.proba


@parametrize_with_adapter_checks(
    [(Tagger().fit(X[:8], Y[:8]), X), (Tagger("arrays").fit(X[:8], Y[:8]), X)]
)
def test_taggers_pass_the_checks_of_adapters(model, X, check):
    check(model, X)


@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=lambda check: check.__name__)
def test_conditional_random_fields_pass_the_checks_of_adapters(check):
    crf = pytest.importorskip("sklearn_crfsuite").CRF(max_iterations=5)
    check(crf.fit(X[:8], Y[:8]), X)
