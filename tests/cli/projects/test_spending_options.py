"""Options of prices and budgets: what they change, and what a project's session and store get."""

import pytest

from skactive.cli import main
from skactive.cli._errors import CommandError
from skactive.cli.projects._project import read_project
from skactive.cli.projects._spending_options import resolve_spending
from skactive.labeling import Spending


def test_options_change_what_was_recorded_and_none_change_nothing():
    recorded = Spending(price=0.5, money=20.0)
    assert resolve_spending({}, recorded) is None
    assert resolve_spending({"price": 0.5}, None) == Spending(price=0.5)
    raised = resolve_spending({"money": 40, "hours": 3}, recorded)
    assert raised == Spending(price=0.5, money=40, hours=3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"price": -1}, "--price must be finite and at least 0, got -1"),
        ({"price_per_hour": -1}, "--price-per-hour must be finite and at least 0"),
        ({"hours": 0}, "--budget-hours must be finite and above 0"),
        ({"money": 5}, "--budget=5 limits what nothing is spent of: set price"),
    ],
)
def test_wrong_options_are_named(given, message):
    with pytest.raises(CommandError, match=message):
        resolve_spending(given, None)


def test_a_project_remembers_them_from_start_to_start(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts.csv").write_text("text\n" + "".join(f"text {i}\n" for i in range(40)))
    options = {"file": "texts.csv", "text": "text", "classes": ("a", "b"), "store": "labels.db"}
    with read_project(options | {"price": 0.25, "money": 1}).open() as session:
        batch = session.next_batch(4, "ann")
        answers = dict(zip(batch.ids, "abab", strict=True))
        session.submit(answers, ticket=batch.ticket, annotator="ann", seconds=9.0)
        assert session.progress().stop_reason == "the budget of 1 is used up: 4 labels cost 1"
    with read_project({"resume": "labels.db"}).open() as session:
        assert session.spending == Spending(price=0.25, money=1)
    with read_project({"resume": "labels.db", "money": 10}).open() as session:
        assert (session.spent.money, session.progress().stop_reason) == (1.0, "")
    assert main(["status", "labels.db"]) == 0
    out = capsys.readouterr().out
    assert "Hours      0.01: 4 timed answers\nMoney      1, of 10: 4 labels\n" in out
