"""Oracles: what campaigns buy, rows or single elements, and at what cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.utils._param_validation import InvalidParameterError
from taggers import ElementModel, element_accuracy, make_images, make_sentences

from skactive import ActiveLearner, Ragged, SimulatedLearner
from skactive._utils.labels import hide_elements, read_labels
from skactive.adapters import StructuredAdapter
from skactive.exceptions import CapabilityError
from skactive.metrics import area_under_learning_curve
from skactive.simulation import Elements, Rows
from skactive.stopping import CostBudget
from skactive.strategies import Aggregate, KMeans, Margin, PerCost, Random

X, Y = load_iris(return_X_y=True)
COSTS = np.random.RandomState(0).uniform(0.5, 6.0, size=150)

equal = np.testing.assert_array_equal
close = np.testing.assert_allclose


def simulated(strategy=None, model=None, **params):
    """Return an unfitted simulation that is repeatable."""
    learner = ActiveLearner(GaussianNB() if model is None else model, strategy)
    return SimulatedLearner(learner, **{"random_state": 0, "budget": 100, **params})


# Costs of rows ----------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    budget=st.floats(60, 500),
    batch_size=st.integers(1, 40),
    audit_share=st.sampled_from([0.0, 0.2]),
    seed=st.integers(0, 99),
)
def test_the_budget_is_never_exceeded_and_nothing_that_fits_is_left(
    budget, batch_size, audit_share, seed
):
    params = {"budget": budget, "batch_size": batch_size, "audit_share": audit_share}
    simulation = simulated(Random(), n_initial=5, random_state=seed, **params)
    simulation.fit(X, Y, costs=COSTS)
    spent, audited = COSTS[simulation.queried_].sum(), COSTS[simulation.audited_].sum()
    close(simulation.costs_[-1], spent + audited)
    assert spent + audited <= budget + 1e-6
    assert audited <= audit_share * budget + 1e-6
    others = np.setdiff1d(np.arange(150), np.r_[simulation.queried_, simulation.audited_])
    reserved = COSTS[others].min() if len(others) else np.inf
    assert spent + audited + reserved > budget - audit_share * budget


def test_costs_are_those_of_the_labels_of_each_round():
    simulation = simulated(budget=90.5, batch_size=7).fit(X, Y, costs=COSTS)
    expected = [COSTS[simulation.queried_[:n]].sum() for n in simulation.n_labels_]
    close(simulation.costs_, expected)
    close([record["cost"] for record in simulation.history_], expected)
    equal(np.diff(simulation.n_labels_)[:-1], 7)  # batches count labels; only the last is smaller


def test_equal_costs_change_nothing_but_the_unit():
    plain = simulated(budget=50, audit_share=0.2).fit(X, Y)
    priced = simulated(budget=150.0, audit_share=0.2).fit(X, Y, costs=np.full(150, 3.0))
    equal(priced.queried_, plain.queried_)
    equal(priced.audited_, plain.audited_)
    close(priced.costs_[-1], 3 * plain.costs_[-1])
    equal(plain.costs_, plain.n_bought_)
    assert plain.costs_.dtype.kind == "i"


def test_tenths_add_up_to_the_budget():
    simulation = simulated(Random(), budget=3.0, n_initial=3, batch_size=1)
    assert simulation.fit(X, Y, costs=np.full(150, 0.1)).n_labels_[-1] == 30
    assert simulation.stop_reason_ == "The budget of 3 is spent."


def test_what_does_not_fit_is_passed_over():
    costs = np.ones(150)
    costs[10:] = 50.0
    simulation = simulated(Random(), budget=12, batch_size=4)
    simulation.fit(X, Y, costs=costs, initial=[0, 1])
    equal(np.sort(simulation.queried_), np.arange(10))
    assert simulation.stop_reason_ == (
        "The budget of 12 is spent, but for 2: all other labels cost more than that."
    )


def test_strategies_get_the_costs():
    start = [0, 60, 120]
    model = LogisticRegression(C=0.1, max_iter=1000)
    simulation = simulated(PerCost(Margin(), exponent=20), model, budget=30, batch_size=1)
    simulation.fit(X, Y, costs=COSTS, initial=start)
    equal(simulation.queried_[3:6], np.setdiff1d(np.argsort(COSTS), start, True)[:3])
    first = simulated(PerCost(Margin()), model, budget=60, n_initial=4, initial_strategy=KMeans())
    assert first.fit(X, Y, costs=COSTS).n_labels_[0] == 4


def test_cost_criteria_count_what_was_spent():
    simulation = simulated(budget=300, batch_size=5, stopping=CostBudget(80.0))
    simulation.fit(X, Y, costs=COSTS)
    assert simulation.costs_[-2] < 80 <= simulation.costs_[-1] < 110
    assert "the labels cost" in simulation.stop_reason_


def test_a_start_that_costs_too_much_is_refused():
    with pytest.raises(ValueError, match=r"budget=9.5 .* the 3 initial labels, which cost 12:"):
        simulated(budget=9.5).fit(X, Y, costs=np.full(150, 4.0), initial=[0, 1, 2])
    with pytest.raises(ValueError, match="the 4 initial rows, which have 80 labels"):
        buy_elements(IMAGES, MAPS, ElementModel("pixel"), budget=79)


def test_budgets_without_costs_are_whole_numbers():
    with pytest.raises(InvalidParameterError, match="budget"):
        simulated(budget=9.5).fit(X, Y)


@pytest.mark.parametrize("costs", [np.ones(149), np.zeros(150), np.full(150, np.nan)])
def test_costs_are_checked(costs):
    with pytest.raises(ValueError, match="costs must be 150 positive, finite numbers"):
        simulated().fit(X, Y, costs=costs)


def test_searches_pass_costs_on():
    search = GridSearchCV(simulated(budget=60), {"batch_size": [5, 9]}, cv=2)
    search.fit(X, Y, costs=COSTS)
    assert search.best_estimator_.costs_[-1] <= 60


@pytest.mark.no_cover
def test_scores_per_cost_learn_more_for_the_same_money():
    """Dear rows are as informative as cheap ones: PerCost buys more labels for the same cost."""
    areas = {"Margin": [], "PerCost": []}
    for seed in range(8):
        rows, labels = make_classification(
            500, n_informative=6, n_redundant=0, n_features=10, class_sep=0.8, random_state=seed
        )
        costs = np.random.RandomState(seed).choice([1.0, 10.0], size=500)
        train, test = train_test_split(np.arange(500), test_size=0.4, random_state=seed)
        for name, strategy in (("Margin", Margin()), ("PerCost", PerCost(Margin()))):
            simulation = simulated(
                strategy, LogisticRegression(), budget=250, batch_size=4, random_state=seed
            ).fit(rows[train], labels[train], costs=costs[train])
            scores = list(simulation.staged_score(rows[test], labels[test]))
            areas[name].append(area_under_learning_curve(simulation.costs_, scores))
    gains = np.subtract(areas["PerCost"], areas["Margin"])
    assert gains.mean() > 2 * gains.std(ddof=1) / np.sqrt(len(gains)) > 0


# Elements ---------------------------------------------------------------------------------------

SENTENCES, TAGS = make_sentences(40, np.random.RandomState(0))
IMAGES, MAPS = make_images(20, np.random.RandomState(1))
TABLE = np.random.RandomState(2).normal(size=(60, 4))
MATRIX = (TABLE @ np.random.RandomState(3).normal(size=(4, 3)) > 0).astype(int)


class LabelModel(BaseEstimator):
    """A logistic regression for each label, on the rows where it is known."""

    takes_missing_labels = True

    def fit(self, X, y):
        self.fitted_on_ = y
        known = [~np.isnan(column) for column in y.T]
        pairs = zip(y.T, known, strict=True)
        self.models_ = [LogisticRegression().fit(X[k], column[k]) for column, k in pairs]
        return self

    def predict(self, X):
        return np.column_stack([model.predict(X) for model in self.models_])

    def score(self, X, y):
        return float((self.predict(X) == y).mean())

    def __skactive_adapter__(self):
        return LabelAdapter(self)


class LabelAdapter(StructuredAdapter):
    element = "label"

    def proba(self, Z):
        return np.stack([model.predict_proba(Z) for model in self.model.models_], axis=1)


def buy_elements(X, y, model=None, *, costs=None, unknown=None, groups=None, **params):
    """Return the campaign that buys single elements; 4 rows to start with."""
    strategy = params.pop("strategy", Aggregate(Margin()))
    oracle = Elements(unknown, groups)
    settings = {"oracle": oracle, "batch_size": 6, "budget": 60, "n_initial": 4, **params}
    simulation = simulated(strategy, ElementModel() if model is None else model, **settings)
    return simulation.fit(X, y, costs=costs)


def list_bought(simulation, n=None):
    """Return the pairs of row and element that were bought."""
    return list(
        zip(simulation.queried_.tolist(), simulation.queried_elements_.tolist(), strict=True)
    )[:n]


@pytest.mark.parametrize(
    ("rows", "labels", "model", "unknown"),
    [
        (SENTENCES, TAGS, ElementModel(), None),
        (IMAGES, MAPS, ElementModel("pixel"), None),
        (IMAGES, np.array(MAPS), ElementModel("pixel", ignored=-1), -1),
        (TABLE, MATRIX, LabelModel(), None),
    ],
    ids=["tags", "maps", "maps with a mark", "labels"],
)
def test_each_element_is_bought_once_up_to_the_budget(rows, labels, model, unknown):
    simulation = buy_elements(rows, labels, model, unknown=unknown, budget=103, batch_size=10)
    bought = list_bought(simulation)
    assert len(set(bought)) == len(bought) == 103 == simulation.n_labels_[-1]
    assert all(place < np.size(labels[row]) for row, place in bought)
    equal(np.diff(simulation.n_labels_)[:-1], 10)
    assert simulation.stop_reason_ == "The budget of 103 labels is spent."


def test_the_model_gets_what_was_bought_and_nothing_else():
    simulation = buy_elements(TABLE, MATRIX, LabelModel(), budget=40)
    for model, n_labels in zip(simulation.estimators_, simulation.n_labels_, strict=True):
        expected = np.full(MATRIX.shape, np.nan)
        for row, place in list_bought(simulation, n_labels):
            expected[row, place] = MATRIX[row, place]
        equal(model.fitted_on_, expected[~np.isnan(expected).all(axis=1)])


def test_the_learner_chooses_as_in_a_loop_by_hand():
    simulation = buy_elements(SENTENCES, TAGS, budget=50)
    known = [np.zeros(len(tags), dtype=bool) for tags in TAGS]
    draws = np.random.RandomState(0)
    seed = draws.randint(2**31 - 1)
    learner = ActiveLearner(ElementModel(), Aggregate(Margin()), random_state=seed)
    rows = draws.permutation([i for i in range(40) if TAGS[i]])[:4]
    for row in rows:
        known[row][:] = True
    while (n_known := sum(map(np.sum, known))) < 50:
        started = [i for i in range(40) if known[i].any()]
        tags = [[t if k else None for t, k in zip(TAGS[i], known[i], strict=True)] for i in started]
        learner.fit([SENTENCES[i] for i in started], tags)
        pool = [i for i in range(40) if not known[i].all()]
        asked = learner.query_elements(
            [SENTENCES[i] for i in pool], min(6, 50 - n_known), known=[known[i] for i in pool]
        )
        for row, place in zip(*asked, strict=True):
            known[pool[row]][place] = True
    pairs = [(i, j) for i in range(40) for j in range(len(TAGS[i])) if known[i][j]]
    assert sorted(list_bought(simulation)) == pairs


def test_a_pool_may_be_bought_whole_and_the_model_is_then_that_of_all_labels():
    simulation = buy_elements(SENTENCES, TAGS, budget=10_000, batch_size=50)
    n_elements = sum(map(len, TAGS))
    assert simulation.n_labels_[-1] == n_elements
    assert simulation.stop_reason_ == "The pool is empty: all 40 rows are labeled."
    whole = ElementModel().fit(SENTENCES, TAGS)
    close(simulation.estimators_[-1].model_.coef_, whole.model_.coef_)


def test_elements_cost_what_is_said_and_dear_ones_are_passed_over():
    random_state = np.random.RandomState(5)
    costs = [random_state.uniform(1, 4, size=len(tags)) for tags in TAGS]
    for given_costs in (costs, Ragged.of(costs)):
        simulation = buy_elements(SENTENCES, TAGS, costs=given_costs, budget=120.0)
        spent = sum(costs[row][place] for row, place in list_bought(simulation))
        close(simulation.costs_[-1], spent)
        assert 119.0 <= spent <= 120.0
    with pytest.raises(ValueError, match="costs has 1 entries for row 0"):
        buy_elements(SENTENCES, TAGS, costs=[row[:1] for row in costs])


def test_an_audit_is_of_whole_rows():
    simulation = buy_elements(SENTENCES, TAGS, audit_share=0.3, budget=90)
    assert set(simulation.audited_).isdisjoint(simulation.queried_)
    n_audited = sum(len(TAGS[row]) for row in simulation.audited_)
    assert simulation.costs_[-1] == simulation.n_labels_[-1] + n_audited
    assert 27 - 6 < n_audited <= 27


def test_elements_without_an_answer_cannot_be_bought():
    partly = MATRIX.astype(float)
    partly[:30, 1] = np.nan
    simulation = buy_elements(TABLE, partly, LabelModel(), budget=500)
    assert simulation.n_labels_[-1] == 150
    assert all(not np.isnan(partly[pair]) for pair in list_bought(simulation))
    marked = np.array(MAPS)
    marked[:, 0] = -1  # such pixels are not labeled: 15 of 20 are left
    simulation = buy_elements(
        IMAGES, marked, ElementModel("pixel", ignored=-1), unknown=-1, budget=400, batch_size=60
    )
    assert simulation.n_labels_[-1] == 20 * 15
    assert simulation.queried_elements_.min() == 5
    with pytest.raises(ValueError, match="30 are missing in y"):
        buy_elements(TABLE, partly, LabelModel(), audit_share=0.2)


def name_quarters(rows):
    """Return two groups of pixels of each image: its left part and a frame on the right."""
    groups = np.full((4, 5), 7)
    groups[:, 3:], groups[0] = 2, -1
    return [groups] * len(rows)


def test_groups_are_bought_together():
    simulation = buy_elements(IMAGES, MAPS, ElementModel("pixel"), groups=name_quarters, budget=21)
    assert simulation.n_labels_.tolist() == [8, 14, 20, 21]  # of the first rows, both groups
    bought, partition = list_bought(simulation), name_quarters([0])[0]
    names = {0: 2, 1: 7}  # in the order of their numbers
    known = np.array([[(row, place) in bought for place in (0, 1)] for row in range(20)])
    expected = [
        np.where(np.any([known[i, p] & (partition == names[p]) for p in names], axis=0), m, np.nan)
        for i, m in enumerate(MAPS)
    ]
    found = simulation.learner_.y_labeled_
    started = [m for m in expected if not np.isnan(m).all()]
    for one, other in zip(found, started, strict=True):
        equal(one, other)


def test_single_elements_teach_more_than_whole_rows_for_the_same_labels():
    gains = []
    for seed in range(6):
        rows, tags = make_sentences(160, np.random.RandomState(seed))
        whole = simulated(Random(), ElementModel(), budget=20, n_initial=20, random_state=seed)
        whole.fit(rows[:80], tags[:80])
        n_labels = sum(len(tags[row]) for row in whole.queried_)
        single = buy_elements(rows[:80], tags[:80], budget=n_labels, random_state=seed)
        scores = [element_accuracy(each, rows[80:], tags[80:]) for each in (single, whole)]
        gains.append(scores[0] - scores[1])
    assert np.mean(gains) > 0


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"y": Y[:40]}, ValueError, "one per row"),
        ({"y": [{1, 2}] * 40}, ValueError, "row 0 is a set"),
        ({"y": [[[1], [2]]] * 40}, ValueError, "row 0 is a list of lists"),
        ({"y": MATRIX[:40]}, ValueError, "takes_missing_labels = True"),
        ({"retune_every": 5}, ValueError, "retune_every needs labels of whole rows"),
        ({"model": ElementModel("box")}, CapabilityError, r"own proposals \(box\)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_has_no_elements_to_buy_is_refused(params, error, message):
    y = params.pop("y", TAGS)
    with pytest.raises(error, match=message):
        buy_elements(SENTENCES, y, **params)


@pytest.mark.parametrize("name", ["incremental", "prefit"])
def test_learners_that_do_not_refit_are_refused(name):
    learner = ActiveLearner(ElementModel(), Aggregate(Margin()), **{name: True})
    with pytest.raises(ValueError, match="needs a learner that refits"):
        SimulatedLearner(learner, oracle=Elements()).fit(SENTENCES, TAGS)


def test_the_oracle_of_rows_is_the_default():
    equal(simulated(oracle=Rows()).fit(X, Y).queried_, simulated().fit(X, Y).queried_)
    with pytest.raises(InvalidParameterError, match="oracle"):
        simulated(oracle="rows").fit(X, Y)


# Unknown labels ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "unknown", "expected"),
    [
        (np.array([[1, 2], [3, 4]]), None, [[1.0, np.nan], [np.nan, 4.0]]),
        (np.array([[1, 2], [3, 4]]).T, None, [[1.0, np.nan], [np.nan, 4.0]]),
        (np.array([[1, 2], [3, 4]]), -1, [[1, -1], [-1, 4]]),
        (np.array([["a", "b"], ["c", "d"]]), None, [["a", None], [None, "d"]]),
        ([["a", "b"], ["c", "d"]], "?", [["a", "?"], ["?", "d"]]),
        ([("a", "b"), ("c", "d")], None, [["a", None], [None, "d"]]),
        (
            [np.array([True, False]), np.array([[True], [True]])],
            None,
            [[1, np.nan], [[np.nan], [1]]],
        ),
    ],
    ids=["numbers", "transposed", "a mark", "texts", "lists", "tuples", "arrays"],
)
def test_hidden_labels_are_marked(labels, unknown, expected):
    is_known = np.array([True, False, False, True])
    found = hide_elements(read_labels(labels), is_known, unknown)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_equal(np.asarray(one).tolist(), other)  # NaN equals NaN
