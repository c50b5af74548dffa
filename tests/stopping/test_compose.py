"""Composed criteria: their truth table, their reasons, and what cannot be composed."""

import pickle

import numpy as np
import pytest

from skactive.stopping import AllOf, AnyOf, Budget, Round, StoppingCriterion, Verdict


class Says(StoppingCriterion):
    """Says what it was told to, round by round."""

    def __init__(self, *, stops="", name=""):
        self.stops = stops
        self.name = name

    def judge(self, current, memory):
        n = memory["n"] = memory.get("n", -1) + 1
        return Verdict(self.stops[n] == "1", f"{self.name}{n}", float(n))

    def limit(self):
        return 1.0


A, B, C = Says(stops="0011", name="a"), Says(stops="0101", name="b"), Says(stops="1010", name="c")
FOUR = [Round(n) for n in range(4)]


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        (A & B, "0001"),
        (A | B, "0111"),
        (A & B & C, "0000"),
        (A | B | C, "1111"),
        (A & (B | C), "0011"),
        (A & B | C, "1011"),
        ((A | B) & (A | C), "0011"),
        (AllOf([A]), "0011"),
        (AnyOf((B,)), "0101"),
    ],
    ids=str,
)
def test_compositions_by_their_truth_table(criterion, expected, play):
    _, verdicts = play(criterion, FOUR)
    assert "".join(str(int(verdict.stop)) for verdict in verdicts) == expected


def test_several_of_one_kind_stand_side_by_side():
    assert [part.name for part in (A & B & C).criteria] == ["a", "b", "c"]
    assert [part.name for part in (A & (B & C)).criteria] == ["a", "b", "c"]
    assert [type(part).__name__ for part in (A | B & C).criteria] == ["Says", "AllOf"]
    assert [type(part).__name__ for part in ((A | B) & C).criteria] == ["AnyOf", "Says"]


def test_composing_does_not_change_what_is_composed():
    both = A & B
    both & C
    assert len(both.criteria) == 2


def test_reasons_are_those_that_decided(play):
    _, verdicts = play(A & B, FOUR)
    assert [verdict.reason for verdict in verdicts] == ["a0; b0", "a1", "b2", "a3; b3"]
    _, verdicts = play(A | B, FOUR)
    assert [verdict.reason for verdict in verdicts] == ["a0; b0", "b1", "a2", "a3; b3"]
    _, verdicts = play(A & (B | C), FOUR)
    assert [verdict.reason for verdict in verdicts] == ["a0", "a1", "a2; c2", "a3; b3"]


def test_every_part_sees_every_round(play):
    monitor, _ = play(A & (B | C), FOUR)
    leaves = list(monitor.leaves())
    assert [leaf.criterion.name for leaf in leaves] == ["a", "b", "c"]
    assert [leaf.history for leaf in leaves] == [[(n, float(n)) for n in range(4)]] * 3
    assert [leaf.stopped_at for leaf in leaves] == [2, 1, 0]
    assert monitor.stopped_at == 2
    assert monitor.values() == dict.fromkeys(map(str, (A, B, C)), 3.0)
    assert np.isnan(monitor.limit)


class Most(StoppingCriterion):
    """Stops where more than half of its parts do."""

    def __init__(self, criteria):
        self.criteria = criteria

    def parts(self):
        return self.criteria

    def judge(self, current, memory):
        stops = [part.update(current).stop for part in memory["parts"]]
        return Verdict(
            2 * sum(stops) > len(stops), f"{sum(stops)} of {len(stops)} stop", sum(stops)
        )

    def limit(self):
        return len(self.criteria) / 2


def test_parts_may_be_joined_in_other_ways(play):
    monitor, verdicts = play(Most([A, B, A & C]), FOUR)
    assert [verdict.stop for verdict in verdicts] == [False, False, True, True]
    assert [value for _, value in monitor.history] == [0, 1, 2, 2]
    assert monitor.limit == 1.5
    assert [leaf.criterion.name for leaf in monitor.leaves()] == ["a", "b", "a", "c"]


def test_a_monitor_of_parts_remembers_them_when_it_is_pickled():
    monitor = (A & (B | C)).start()
    monitor.update(FOUR[0])
    twin = pickle.loads(pickle.dumps(monitor))
    assert twin.update(FOUR[1]).reason == "a1"
    assert [leaf.history for leaf in twin.leaves()] == [[(0, 0.0), (1, 1.0)]] * 3
    assert [leaf.history for leaf in monitor.leaves()] == [[(0, 0.0)]] * 3


@pytest.mark.parametrize(
    "mistaken",
    [lambda: A and B, lambda: A or B, lambda: not A, lambda: A & B and C, lambda: bool(A | B)],
)
def test_a_criterion_is_neither_true_nor_false(mistaken):
    with pytest.raises(TypeError, match=r"neither true nor false: combine criteria with & and \|"):
        mistaken()


def test_what_is_no_criterion_cannot_be_composed():
    with pytest.raises(TypeError, match="unsupported operand"):
        Budget(10) & 3
    with pytest.raises(TypeError, match="unsupported operand"):
        Budget(10) | Budget
    with pytest.raises(TypeError, match=r"AllOf combines stopping criteria, got 3"):
        AllOf([Budget(10), 3]).start()
    with pytest.raises(ValueError, match="AnyOf needs at least one"):
        AnyOf([]).start()
