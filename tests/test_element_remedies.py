"""Strategies, and strategies around them, with models of several things per row.

Each is served, or refused at the fit with advice that works when it is followed.
"""

import re

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import make_multilabel_classification
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC
from taggers import ElementModel, make_images, make_sentences

from skactive import ActiveLearner, strategies
from skactive.adapters import StructuredAdapter
from skactive.exceptions import CapabilityError
from skactive.strategies import (
    BADGE,
    BALD,
    MNLP,
    SEALS,
    Aggregate,
    AnchorAL,
    Auto,
    ClassBalanced,
    EpsilonGreedy,
    HypothesisEntropy,
    InformationDensity,
    KMeans,
    LeastConfidence,
    Margin,
    Mixture,
    OpenSet,
    PerCost,
    PerGroup,
    Prefilter,
    Product,
    Random,
    RankedBatch,
    Subsample,
    UHerding,
    WeightedSum,
    WithoutDuplicates,
)

RNG = np.random.RandomState(0)


class Given(BaseEstimator):
    """A model without parameters, whose adapter gives readings made of the rows."""

    def __init__(self, adapter):
        self.adapter = adapter

    def fit(self, X, y):
        return self

    def __skactive_adapter__(self):
        return self.adapter(self)


class Detector(StructuredAdapter):
    element = "box"

    def proba(self, Z):
        return [np.exp(row[:, None]) / (1 + np.exp(row[:, None])) * [1, -1] + [0, 1] for row in Z]

    def boxes(self, Z):
        return [np.column_stack([row, row, row + 1, row + 1]) for row in Z]


class Translator(StructuredAdapter):
    element = "hypothesis"

    def log_likelihood(self, Z):
        return [-np.abs(row) for row in Z]

    def lengths(self, Z):
        return [np.ones(len(row)) for row in Z]


class Depth(StructuredAdapter):
    element = "pixel"

    def prediction_samples(self, Z, n_samples, seed):
        return [np.outer([1.0, 2.0, 4.0], row) for row in Z]


def summarize(rows):
    return np.array([[np.sum(row), np.size(row)] for row in rows])


class Parity:
    """Groups of rows, written as the name by which the advice finds it."""

    def __call__(self, X):
        return np.arange(len(X)) % 2

    def __repr__(self):
        return "PARITY"


PARITY = Parity()
X, Y = make_multilabel_classification(n_samples=40, random_state=0)
X = X / X.max()
ROWS = RNG.normal(size=(40, 3))
MODELS = {
    "labels": (KNeighborsClassifier(), X, Y),
    "decisions": (OneVsRestClassifier(LinearSVC()), X, Y),
    "tokens": (ElementModel("token"), *make_sentences(40, RNG)),
    "pixels": (ElementModel("pixel"), *make_images(40, RNG)),
    "boxes": (Given(Detector), ROWS, [{"names": ["cat"] * 3}] * 40),
    "hypotheses": (Given(Translator), ROWS, ["a text"] * 40),
    "depths": (Given(Depth), ROWS, list(ROWS)),
}
WRAPPERS = {
    "Subsample": lambda inner: Subsample(inner, n_candidates=12),
    "Prefilter": lambda inner: Prefilter(inner, Random(), factor=2),
    "Prefilter of KMeans": lambda inner: Prefilter(inner, KMeans(), factor=2),
    "SEALS": lambda inner: SEALS(inner, n_neighbors=3),
    "AnchorAL": lambda inner: AnchorAL(inner, n_anchors=2, n_candidates=12),
    "Mixture": lambda inner: Mixture([("inner", inner), ("random", Random())]),
    "EpsilonGreedy": lambda inner: EpsilonGreedy(inner, epsilon=0.5),
    "ClassBalanced": ClassBalanced,
    "PerGroup": lambda inner: PerGroup(inner, groups=PARITY, max_per_group=2),
    "WithoutDuplicates": WithoutDuplicates,
    "OpenSet": lambda inner: OpenSet(inner, unknown="a text"),
    "PerCost": PerCost,
    "WeightedSum": lambda inner: WeightedSum([("a", inner), ("b", inner)], weights=[1, 2]),
    "Product": lambda inner: Product([("a", inner), ("b", inner)], scale="rank"),
    "Auto": lambda inner: Auto(uncertainty=inner),
    "UHerding": UHerding,
    "InformationDensity": InformationDensity,
    "RankedBatch": RankedBatch,
    "two": lambda inner: Subsample(EpsilonGreedy(inner), n_candidates=12),
}
# Of these only the elements have what the wrapper reads beside the strategy in it.
OF_ROWS = {"PerGroup", "WithoutDuplicates", "OpenSet"}
EMBEDDED = {
    *("Prefilter of KMeans", "SEALS", "AnchorAL", "Auto", "UHerding", "InformationDensity"),
    "RankedBatch",
}
pytestmark = [
    pytest.mark.filterwarnings("ignore:Label .* is present in all training examples"),
    pytest.mark.filterwarnings("ignore::skactive.exceptions.RelaxedRuleWarning"),
    pytest.mark.filterwarnings("ignore::skactive.exceptions.TiedScoresWarning"),
]


def fit(kind, strategy):
    model, rows, y = MODELS[kind]
    embedder = FunctionTransformer(summarize)
    return ActiveLearner(model, strategy, embedder=embedder, random_state=0).fit(rows[:20], y[:20])


def get_pool(kind):
    return MODELS[kind][1][20:]


def choose_rows(kind, strategy):
    picks = fit(kind, strategy).query(get_pool(kind), 4)
    assert len(set(picks.tolist())) == 4


def choose_elements(kind, strategy):
    rows, places = fit(kind, strategy).query_elements(get_pool(kind), 4)
    assert len(set(zip(rows.tolist(), places.tolist(), strict=True))) == 4


def make(code):
    return eval(code, {**vars(strategies), "PARITY": PARITY})


def follow(kind, message):
    """Do all that the message of a refused fit recommends."""
    advice = re.search(
        r"use (\S.*), which scores rows by their (\w+) in query"
        r"(?: and chooses single \w+ in query_elements|, and (.*) in query_elements), or a",
        message,
    )
    assert advice[2] in {"labels", "tokens", "pixels", "boxes", "hypotheses"}
    choose_rows(kind, make(advice[1]))
    choose_elements(kind, make(advice[3] or advice[1]))
    for strategy in ("KCenterGreedy()", "Random()"):
        choose_rows(kind, make(strategy))
    return make(advice[1])


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize(
    "strategy", [Auto(), Margin(), BALD(), BADGE(), PerCost(), WeightedSum(), UHerding()], ids=repr
)
def test_the_advice_for_a_strategy_of_one_label_per_row_works(kind, strategy):
    if kind == "hypotheses" and isinstance(strategy, Auto):
        choose_rows(kind, strategy)  # one text per row, and rows that can be covered
        return
    with pytest.raises(CapabilityError) as refusal:
        fit(kind, strategy)
    assert "query_elements" in str(refusal.value)
    follow(kind, str(refusal.value))


@pytest.mark.parametrize("kind", ["labels", "tokens", "pixels", "boxes"])
def test_the_default_is_advised_to_aggregate_its_uncertainty(kind):
    for default in (None, Auto()):
        with pytest.raises(CapabilityError) as refusal:
            fit(kind, default)
        assert repr(follow(kind, str(refusal.value))) == repr(Auto(uncertainty=Aggregate(Margin())))


@pytest.mark.parametrize("kind", ["labels", "decisions", "tokens", "pixels"])
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_strategy_around_one_for_single_labels_is_refused_at_the_fit(kind, wrapper):
    with pytest.raises(CapabilityError) as refusal:
        fit(kind, WRAPPERS[wrapper](Margin()))
    follow(kind, str(refusal.value))


@pytest.mark.parametrize("kind", ["labels", "tokens", "pixels", "boxes"])
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_strategy_around_aggregate_serves_rows_and_elements_or_says_why_not(kind, wrapper):
    strategy = WRAPPERS[wrapper](Aggregate(LeastConfidence()))
    if wrapper in {"ClassBalanced", "OpenSet"}:  # they read one label of each row
        with pytest.raises(CapabilityError) as refusal:
            fit(kind, strategy)
        assert repr(follow(kind, str(refusal.value))) == repr(Aggregate(LeastConfidence()))
        return
    choose_rows(kind, strategy)
    if wrapper not in OF_ROWS | EMBEDDED:
        choose_elements(kind, strategy)
        return
    reason = "keeps a rule of whole rows" if wrapper in OF_ROWS else "gives no embedding of its"
    with pytest.raises(CapabilityError, match=reason) as refusal:
        choose_elements(kind, strategy)
    advised = re.search(r"set the strategy to (?:the one in it, )?(.*)\.$", str(refusal.value))
    choose_elements(kind, make(advised[1]))


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_strategy_around_one_for_single_labels_serves_a_classifier(wrapper):
    strategy = WRAPPERS[wrapper](Margin())
    learner = ActiveLearner(KNeighborsClassifier(), strategy, random_state=0)
    labels = np.where(X[:, 0] > np.median(X[:, 0]), "a text", "none")
    assert len(set(learner.fit(X[:20], labels[:20]).query(X[20:], 4))) == 4
    with pytest.raises(CapabilityError, match="one label per row, so that rows have no elements"):
        learner.query_elements(X[20:], 4)


def test_elements_are_chosen_within_the_wrapper():
    learner = fit("tokens", Mixture([("a", Aggregate(Margin())), ("b", Random())], shares=[1, 0]))
    alone = fit("tokens", Aggregate(Margin()))
    mixed, expected = (each.query_elements(get_pool("tokens"), 5) for each in (learner, alone))
    np.testing.assert_array_equal(mixed, expected)
    few = fit("tokens", Subsample(Aggregate(Margin()), n_candidates=1))
    pairs = zip(*few.query_elements(get_pool("tokens"), 1), strict=True)
    assert list(pairs) != list(zip(*(each[:1] for each in expected), strict=True))


@pytest.mark.parametrize(
    ("kind", "strategy"), [("tokens", MNLP()), ("hypotheses", HypothesisEntropy())], ids=str
)
def test_scores_of_all_elements_together_choose_no_single_ones(kind, strategy):
    choose_rows(kind, strategy)
    words = rf"{type(strategy).__name__} cannot choose single {kind}: it scores rows by all"
    with pytest.raises(CapabilityError, match=words) as refusal:
        choose_elements(kind, strategy)
    choose_elements(kind, make(re.search(r"set the strategy to (.*)\.$", str(refusal.value))[1]))


def test_costs_of_negative_margins_are_refused_at_the_fit():
    with pytest.raises(CapabilityError, match=r"use Aggregate\(Margin\(\)\), which"):
        fit("decisions", PerCost(Aggregate(Margin())))


class EmbeddedDetector(Detector):
    def element_features(self, Z):
        return [np.column_stack([row, row**2]) for row in Z]


@pytest.mark.parametrize("wrapper", sorted(EMBEDDED))
def test_elements_with_an_embedding_serve_the_strategies_that_read_it(wrapper):
    learner = ActiveLearner(Given(EmbeddedDetector), WRAPPERS[wrapper](Aggregate(Margin())))
    learner.fit(ROWS[:20], MODELS["boxes"][2][:20])  # boxes that match no predicted ones
    rows, places = learner.query_elements(ROWS[20:], 4)
    assert len(set(zip(rows.tolist(), places.tolist(), strict=True))) == 4
