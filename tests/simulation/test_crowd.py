"""The crowd as an oracle: labels that several people, who may be wrong, agree on."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner, SimulatedLearner
from skactive.comparison import compare_strategies
from skactive.crowds import DawidSkene, MajorityVote, OneCoin, SimulatedAnnotator
from skactive.simulation import Crowd
from skactive.strategies import Margin, PerCost, Random

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["blue", "green", "red"])[Y]
PEOPLE = [SimulatedAnnotator(accuracy, price=0.5) for accuracy in (0.95, 0.9, 0.6, 0.5)]

equal = np.testing.assert_array_equal


def simulate(people=PEOPLE, strategy=None, y=Y, model=None, n_answers=3, **params):
    """Return a campaign that bought its labels from people."""
    settings = {"budget": 60.0, "batch_size": 7, "random_state": 0, **params}
    learner = ActiveLearner(GaussianNB(), Random() if strategy is None else strategy)
    oracle = Crowd(people, model, n_answers)
    return SimulatedLearner(learner, oracle=oracle, **settings).fit(X, y)


def list_answers(simulation):
    """Return {(row, person): label}."""
    given = simulation.crowd_.answers_
    return dict(
        zip(
            zip(given.items[given.item_codes], given.annotator_codes, strict=True),
            given.classes[given.label_codes],
            strict=True,
        )
    )


@pytest.mark.parametrize("y", [Y, NAMES, list(NAMES)], ids=["numbers", "texts", "a list"])
def test_people_who_are_never_wrong_are_an_ordinary_oracle(y):
    plain = SimulatedLearner(
        ActiveLearner(GaussianNB(), Margin()), budget=40, batch_size=7, random_state=0
    ).fit(X, y)
    crowd = simulate([SimulatedAnnotator(1.0)] * 2, Margin(), y, n_answers=2, budget=80)
    equal(crowd.queried_, plain.queried_)
    equal(crowd.costs_, 2 * plain.costs_)
    equal(crowd.predict(X), plain.predict(X))
    assert {record["consensus_accuracy"] for record in crowd.history_} == {1.0}


def test_the_learner_is_fitted_to_the_consensus_of_all_answers():
    simulation = simulate(model=DawidSkene())
    model = DawidSkene().fit(simulation.crowd_.answers_)
    rows = np.sort(simulation.queried_)
    equal(model.items_, rows)
    expected = GaussianNB().fit(X[rows], model.labels_)
    np.testing.assert_allclose(simulation.predict_proba(X), expected.predict_proba(X))
    right = (model.labels_ == Y[rows]).mean()
    assert simulation.history_[-1]["consensus_accuracy"] == pytest.approx(right)
    assert 0.6 < right < 1


def test_each_row_is_answered_by_different_people_and_their_prices_are_spent():
    people = [SimulatedAnnotator(0.9, price=price) for price in (0.5, 1.0, 2.5)]
    simulation = simulate(people, n_answers=2, budget=50.0, audit_share=0.2)
    answers = simulation.crowd_.answers_
    assert (np.bincount(answers.item_codes) == 2).all()
    assert len(list_answers(simulation)) == len(answers) == simulation.history_[-1]["n_answers"]
    prices = np.array([0.5, 1.0, 2.5])[answers.annotator_codes].sum()
    assert simulation.costs_[-1] <= 50
    assert simulation.costs_[-1] - prices <= 0.2 * 50  # the audit's
    assert set(simulation.audited_).isdisjoint(simulation.queried_)


def test_people_answer_alike_whatever_is_asked_and_in_whatever_order():
    """Strategies that are compared meet the same people: their answers to a pair are equal."""
    first, second = simulate(batch_size=1), simulate(strategy=Margin(), batch_size=9)
    given, others = list_answers(first), list_answers(second)
    common = given.keys() & others.keys()
    assert len(common) > 30
    assert all(given[pair] == others[pair] for pair in common)
    assert list_answers(simulate(random_state=1)) != given


def test_skills_are_those_of_the_rows():
    knows = SimulatedAnnotator(skill=lambda rows: (rows[:, 0] < 5.8).astype(float))
    simulation = simulate([knows], n_answers=1, budget=150, batch_size=50)
    labels = {row: label for (row, _), label in list_answers(simulation).items()}
    wrong = [row for row, label in labels.items() if label != Y[row]]
    assert sorted(wrong) == np.flatnonzero(X[:, 0] >= 5.8).tolist()


def test_people_tire_and_take_time_while_they_answer():
    rested, tired = (
        simulate([SimulatedAnnotator(1.0, fatigue=f, seconds=4, price=0.1)], n_answers=1, budget=15)
        for f in (0.0, 0.9)
    )
    accuracy = [record["consensus_accuracy"] for record in tired.history_]
    assert accuracy[-1] < accuracy[0] < 1.01
    assert rested.history_[-1]["consensus_accuracy"] == 1
    seconds = [record["answer_seconds"] for record in rested.history_]
    assert (np.diff(seconds) > 0).all()
    assert seconds[-1] == pytest.approx(150 * 4 * np.exp(0.125), rel=0.2)


def test_strategies_get_the_prices_of_the_people_who_would_be_asked():
    people = [SimulatedAnnotator(1.0, price=price) for price in (1, 9)]
    simulation = simulate(people, PerCost(Margin(), exponent=30), n_answers=1, budget=120)
    later = simulation.queried_[10:]
    by_price = dict.fromkeys(range(2), 0)
    for row, person in list_answers(simulation):
        by_price[person] += row in later
    assert by_price[1] == 0 < by_price[0]


def test_one_coin_is_the_default_and_models_may_be_passed():
    assert isinstance(simulate().crowd_, OneCoin)
    oracle = Crowd(PEOPLE, MajorityVote())
    assert clone(oracle).get_params()["model"].get_params() == MajorityVote().get_params()
    assert not hasattr(oracle.model, "answers_")
    assert simulate(y=NAMES).crowd_.labels_.dtype.kind == "U"
    assert SimulatedLearner(ActiveLearner(GaussianNB()), budget=20).fit(X, Y).crowd_ is None


def test_comparisons_are_over_the_prices_of_answers(tmp_path):
    strategies = {"random": Random(), "margin": Margin()}
    settings = {
        "oracle": Crowd([SimulatedAnnotator(0.8, price=0.05)] * 3),
        "budget": 4.5,
        "n_repeats": 2,
        "random_state": 0,
        "folder": tmp_path,
    }
    learner = ActiveLearner(GaussianNB())
    first = compare_strategies(learner, strategies, X, Y, **settings)
    assert all(run.costs[-1] == pytest.approx(4.5) for run in first.runs)
    assert all(run.n_labels[-1] == 30 for run in first.runs)
    again = compare_strategies(learner, strategies, X, Y, **settings)
    for one, other in zip(first.by_cost().runs, again.by_cost().runs, strict=True):
        equal(one.scores, other.scores)


@pytest.mark.parametrize(
    ("oracle", "change", "sentence"),
    [
        (Crowd(PEOPLE, n_answers=5), {}, "5 different people .* there are 4 annotators"),
        (Crowd([SimulatedAnnotator(price=0)], n_answers=1), {}, "a price above 0"),
        (Crowd(PEOPLE), {"costs": np.ones(150)}, "leave costs out"),
        (Crowd(PEOPLE), {"incremental": True}, "oracle=Crowd.* needs a learner that refits"),
        (Crowd(PEOPLE), {"estimator": Ridge()}, "needs a classifier and one class per row"),
        (Crowd(PEOPLE), {"y": np.eye(3)[Y]}, "one class per row as y, got .* shape"),
        (Crowd(PEOPLE), {"y": np.where(Y == 1, np.nan, Y)}, "50 true labels are missing in y"),
        (Crowd(["Ann", "Bob", "Cid"]), {}, "must be SimulatedAnnotator objects, got 'Ann'"),
    ],
    ids=lambda value: None if isinstance(value, Crowd) else str(next(iter(value), None))[:20],
)
def test_what_people_cannot_answer_is_refused(oracle, change, sentence):
    change = {"y": Y, "costs": None, "estimator": LogisticRegression(), **change}
    y, costs = change.pop("y"), change.pop("costs")
    simulation = SimulatedLearner(ActiveLearner(**change), oracle=oracle)
    with pytest.raises((ValueError, TypeError), match=sentence):
        simulation.fit(X, y, costs=costs)
