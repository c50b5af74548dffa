"""Prices, hours and budgets of sessions: what counts, what is said, and what a store remembers."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

from skactive.exceptions import StoreError
from skactive.labeling import Spending, Spent, SQLiteLabelStore
from skactive.labeling._hours import forecast_hours
from skactive.stopping import CostBudget, ValueOfLabels


def answer(session, n, annotator="ann", seconds=None, label="a"):
    batch = session.next_batch(n, annotator)
    session.submit(
        dict.fromkeys(batch.ids, label),
        ticket=batch.ticket,
        annotator=annotator,
        seconds=seconds,
    )
    return batch.ids


def test_each_label_of_a_person_is_paid_once_and_all_time_counts(open_session):
    session = open_session(labels={0: "a", 1: "b"}, spending=Spending(0.5, 36.0))
    assert session.spent == Spent()  # labels to begin with came from nobody
    first, *others = answer(session, 5, seconds=10.0)
    assert session.spent == Spent(5 * 0.5 + 36 * 50 / 3600, 50 / 3600, 5, 5, 0)
    session.relabel({first: "b"}, annotator="ann", seconds=20.0)  # corrected: time, no price
    session.submit({first: "b"}, annotator="ben", seconds=30.0)  # by another person: both
    session.skip([9], annotator="ben")  # refused: no price, and nobody knows how long it took
    session.submit({others[0]: "b"}, annotator="ben")
    session.undo("ben")
    assert session.spent.n_labels == 7
    assert (session.spent.n_timed, session.spent.n_untimed) == (7, 2)
    assert session.spent.hours == pytest.approx(100 / 3600)
    assert session.spent.money == pytest.approx(3.5 + 1.0)
    assert session.progress().stop_reason == ""


def test_rows_may_have_prices_of_their_own(open_session):
    prices = {i: float(i) for i in range(150)}
    session = open_session(spending=Spending(prices))
    ids = answer(session, 4) + answer(session, 3, "ben")
    assert session.spent.money == sum(ids)


def test_a_budget_that_is_used_up_is_said_and_labeling_may_continue(open_session):
    session = open_session(spending=Spending(price=2.0, money=9.0, hours=0.5))
    answer(session, 4, seconds=1.0)
    assert session.progress().stop_reason == ""
    answer(session, 1, seconds=1.0)
    reason = "the budget of 9 is used up: 5 labels cost 10"
    assert session.progress().stop_reason == reason
    answer(session, 1, seconds=1799.0)
    assert session.progress().stop_reason.startswith("the budget of 9 is")
    other = open_session(spending=Spending(hours=0.5))
    hours = "the budget of 0.5 hours is used up: 6 answers took 0.501"
    assert other.progress().stop_reason == hours


def test_criteria_are_told_the_money(open_session):
    session = open_session(
        spending=Spending(price=2.0), stopping=CostBudget(30), refit_every=5, labels={149: "b"}
    )
    for label in "ab":
        answer(session, 10, label=label)
        session.wait()
    assert session.progress().stop_reason == "the labels cost 40, of 30"
    plain = open_session(stopping=CostBudget(30), store=None, refit_every=5, labels={149: "b"})
    for label in "ab":
        answer(plain, 10, label=label)
        plain.wait()
    assert plain.progress().stop_reason == ""


def test_labels_are_worth_their_price_or_not(open_session):
    y = load_iris().target
    criterion = ValueOfLabels(value_per_error=0.01, rows_in_use=100, n_rounds=3)
    session = open_session(
        spending=Spending(price=2.0), stopping=criterion, audit_share=0.3, refit_every=10
    )
    for _ in range(6):
        batch = session.next_batch(14, "ann")
        answers = {row: int(y[row]) for row in batch.ids}
        session.submit(answers, ticket=batch.ticket, annotator="ann")
        session.wait()
    assert "labels are expected to gain" in session.progress().stop_reason
    assert "less than their cost of 28" in session.progress().stop_reason  # audit rows included


def test_a_store_keeps_the_spending_that_was_set_last(open_session):
    first = open_session(spending=Spending(dict.fromkeys(range(150), 0.25), money=5.0))
    answer(first, 8)
    again = open_session()
    assert again.spending == first.spending
    assert again.spent.money == first.spent.money == 2.0
    raised = open_session(spending=Spending(price=0.5, money=7.0))
    assert raised.spent.money == 4.0
    assert open_session().spending == Spending(price=0.5, money=7.0)


@pytest.mark.parametrize(
    "fact",
    [
        3,
        {"price": -1.0, "price_per_hour": 0.0, "money": None, "hours": None},
        {"price": [["a"]], "price_per_hour": 0.0, "money": None, "hours": None},
        {"price": 0.0, "price_per_hour": 0.0, "money": 5.0, "hours": None},
        {"price": 0.0, "price_per_hour": 0.0, "money": None, "hours": True},
    ],
)
def test_a_spending_that_no_session_stores_is_an_error(open_session, tmp_path, fact):
    store = SQLiteLabelStore(tmp_path / "labels.db")
    store.set_fact("spending 1", fact)
    store.close()
    with pytest.raises(StoreError, match="fact spending of the store has a content"):
        open_session()


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"price": -1}, ValueError, "price must be finite and at least 0, got -1"),
        ({"price": {"a": np.nan}}, ValueError, "the price of row 'a' must be finite"),
        ({"price": "1"}, TypeError, "price must be a number, got '1'"),
        ({"price": [1, 2]}, TypeError, "price must be a number"),
        ({"price_per_hour": np.inf}, ValueError, "price_per_hour must be finite"),
        ({"hours": 0}, ValueError, "hours must be finite and above 0"),
        ({"money": 5}, ValueError, "money=5 limits what nothing is spent of: set price"),
        ({"money": True, "price": 1}, TypeError, "money must be a number"),
    ],
)
def test_wrong_prices_are_refused(params, error, message):
    with pytest.raises(error, match=message):
        Spending(**params)


# -- forecasts of hours ------------------------------------------------------------------------


def make_times(seed=0, n=400):
    """Return texts of 2 to 60 words, and records of the first half: two seconds a word.

    Bob takes twice as long.
    """
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 61, size=n)
    people = rng.choice(["ann", "bob"], size=n)
    seconds = 2.0 * lengths * np.where(people == "bob", 2, 1) * rng.lognormal(sigma=0.3, size=n)
    records = [
        {"id": i, "annotator": str(people[i]), "seconds": float(seconds[i]), "kind": "label"}
        for i in range(n // 2)
    ]
    return ["word " * length for length in lengths], records, seconds


def test_hours_are_forecast_by_the_length_of_the_rows_left():
    texts, records, seconds = make_times()
    positions = {i: i for i in range(400)}
    rest = range(200, 400)
    forecast = forecast_hours(records, texts, positions, rest)
    true = seconds[200:].sum() / 3600
    assert forecast.hours == pytest.approx(true, rel=0.08)
    assert forecast.low < forecast.hours < forecast.high
    assert (forecast.n_rows, forecast.n_timed) == (200, 200)
    short = [i for i in rest if len(texts[i]) < 100]
    told = forecast_hours(records, texts, positions, short)
    assert told.hours == pytest.approx(seconds[short].sum() / 3600, rel=0.15)
    assert told.hours < 0.6 * forecast.hours * len(short) / 200
    half = forecast_hours(records, texts, positions, rest, 100)
    assert half.hours == pytest.approx(forecast.hours / 2)
    nothing = forecast_hours(records, texts, positions, [])
    assert nothing.hours == nothing.n_rows == 0


@pytest.mark.parametrize(
    "X",
    [np.zeros((400, 8, 8)), np.zeros((400, 3)), [["a"]] * 400],
    ids=["pictures", "numbers", "lists"],
)
def test_hours_of_other_rows_are_those_of_the_people(X):
    _, records, seconds = make_times()
    forecast = forecast_hours(records, X, {i: i for i in range(400)}, range(200, 400))
    assert forecast.hours == pytest.approx(seconds[:200].sum() / 3600, rel=0.05)


def test_sessions_forecast_the_rows_without_a_label(open_session):
    texts, *_ = make_times()
    session = open_session(texts, model=make_pipeline(CountVectorizer(), MultinomialNB()))
    answer(session, 5, seconds=30.0)
    with pytest.raises(ValueError, match="needs 20 answers whose time was recorded, got 5"):
        session.forecast_hours()
    for label in "ab":
        answer(session, 10, seconds=30.0, label=label)
    forecast = session.forecast_hours()
    assert forecast.n_rows == 375
    assert forecast.hours == pytest.approx(375 * 30 / 3600, rel=1e-6)
    assert session.forecast_hours(75).hours == pytest.approx(75 * 30 / 3600, rel=1e-6)
    with pytest.raises(ValueError, match="at most the 375 rows that are left, got 376"):
        session.forecast_hours(376)
