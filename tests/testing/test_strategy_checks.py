"""Each check of strategies fails for the fault that it is meant to find."""

import pickle
import random

import numpy as np
import pytest

from skactive.exceptions import SelectionError
from skactive.selectors import top
from skactive.strategies import Margin, Random, ScoreStrategy, ScoringStrategy, Strategy
from skactive.testing import _strategy_checks as testing
from skactive.testing import parametrize_with_strategy_checks, strategy_checks
from skactive.testing._strategy_checks import CHECKS


class Sound(ScoreStrategy):
    """Passes every check; each broken strategy below differs from it, or from Drawn, in one way."""

    needs = frozenset({"proba"})
    rowwise = True

    def score(self, pool):
        return 1 - pool.proba.max(axis=1)


class Drawn(Strategy):
    """Passes every check, at random."""

    randomized = True

    def select(self, pool, batch_size):
        return pool.random_state.permutation(len(pool))[:batch_size]


def breaks(check, error=AssertionError, match=None):
    """Record on a strategy which check should catch it, and how."""

    def note(kind):
        BROKEN.append(
            pytest.param(check, kind, error, match, id=f"{check.__name__}-{kind.__name__}")
        )
        return kind

    return note


BROKEN = []


@breaks(testing.check_known_needs, match="frozenset")
class NeedsInASet(Sound):
    needs = {"proba"}  # noqa: RUF012


@breaks(testing.check_known_needs, match="probabilities")
class NeedsWhatDoesNotExist(Sound):
    needs = frozenset({"proba|probabilities"})


@breaks(testing.check_distinct_positions, match="repeat")
class ChoosesTwice(Drawn):
    def select(self, pool, batch_size):
        return pool.random_state.randint(len(pool), size=batch_size)


@breaks(testing.check_distinct_positions, match="array")
class ReturnsAList(Drawn):
    def select(self, pool, batch_size):
        return super().select(pool, batch_size).tolist()


@breaks(testing.check_distinct_positions, match="dtype")
class ReturnsFloats(Drawn):
    def select(self, pool, batch_size):
        return super().select(pool, batch_size).astype(float)


@breaks(testing.check_distinct_positions, match="asked for")
class ReturnsOneMore(Drawn):
    def select(self, pool, batch_size):
        return super().select(pool, batch_size + 1)


@breaks(testing.check_distinct_positions, match="must lie in")
class CountsFromOne(Drawn):
    def select(self, pool, batch_size):
        return super().select(pool, batch_size) + 1


@breaks(testing.check_distinct_positions, match="must lie in")
class CountsFromTheEnd(Drawn):
    def select(self, pool, batch_size):
        return super().select(pool, batch_size) - len(pool)


@breaks(testing.check_repeatable)
class SeedsItself(Drawn):
    def select(self, pool, batch_size):
        return np.random.RandomState().permutation(len(pool))[:batch_size]


@breaks(testing.check_randomized, match="randomized is False")
class DrawsInSecret(Drawn):
    randomized = False


@breaks(testing.check_randomized, match="randomized is True")
class OnlySaysItDraws(Sound):
    randomized = True


@breaks(testing.check_permuted_pool)
class ScoresByPosition(Sound):
    def score(self, pool):
        return np.arange(len(pool)) / len(pool)


@breaks(testing.check_permuted_pool)
class ChoosesByPosition(Strategy):
    def select(self, pool, batch_size):
        return np.arange(batch_size)


@breaks(testing.check_shuffled_part_of_pool)
class LooksAtTheWholePool(Sound):
    def score(self, pool):
        return super().score(pool._root)[: len(pool)]


@breaks(testing.check_shuffled_part_of_pool)
class DoesNotMapRowsBack(Sound):
    needs = frozenset({"proba", "X"})

    def select(self, pool, batch_size):
        return pool.X[super().select(pool, batch_size), 0]


@breaks(testing.check_reads_what_it_declares, match="embedding")
class ReadsMore(Sound):
    def score(self, pool):
        return super().score(pool) + 0 * pool.embedding[:, 0]


@breaks(testing.check_reads_what_it_declares, match="X")
class ReadsTheRows(Sound):
    def score(self, pool):
        return super().score(pool) + 0 * pool.X[:, 0]


@breaks(testing.check_reads_what_it_declares, match="fantasize")
class RefitsInSecret(Sound):
    def score(self, pool):
        return super().score(pool.fantasize(0, pool.classes[0]))


@breaks(testing.check_reads_what_it_declares, match="proba")
class KnowsOneAlternativeOnly(Sound):
    needs = frozenset({"decision|proba"})


@breaks(testing.check_reads_what_it_declares, match="unlabeled")
class LooksAtHiddenLabels(Sound):
    def score(self, pool):
        return super().score(pool) + 0 * (pool.y is None)


@breaks(testing.check_starts_cold, error=AttributeError)
class CountsOnLabeledRows(Strategy):
    needs = frozenset({"embedding"})

    def select(self, pool, batch_size):
        known = pool.labeled.embedding.mean(axis=0)
        return top(np.abs(pool.embedding - known).sum(axis=1), batch_size, pool.random_state)


@breaks(testing.check_scores, match="finite")
class ScoresNaN(Sound):
    def score(self, pool):
        return np.where(pool.proba[:, 0] > 0.4, np.nan, super().score(pool))


@breaks(testing.check_scores, match="finite")
class ScoresMinusInfinity(Sound):
    def score(self, pool):
        return np.where(pool.proba[:, 0] > 0.4, -np.inf, super().score(pool))


@breaks(testing.check_scores, match="shape")
class ScoresAColumn(Sound):
    def score(self, pool):
        return super().score(pool)[:, np.newaxis]


@breaks(testing.check_scores, match="float64")
class ScoresInSinglePrecision(Sound):
    def score(self, pool):
        return super().score(pool).astype(np.float32)


@breaks(testing.check_scores, match="left out")
class TakesTheLowest(Sound):
    def select(self, pool, batch_size):
        return top(-self.score(pool), batch_size, pool.random_state)


@breaks(testing.check_scores, match="best first")
class BestLast(Sound):
    def select(self, pool, batch_size):
        return super().select(pool, batch_size)[::-1]


@breaks(testing.check_scores, match="not the best")
class StartsWithTheWorst(ScoringStrategy):
    needs = frozenset({"proba"})

    def score(self, pool):
        return 1 - pool.proba.max(axis=1)

    def select(self, pool, batch_size):
        return top(-self.score(pool), batch_size, pool.random_state)


@breaks(testing.check_chunked_equals_whole)
class IsNotRowwise(Sound):
    def score(self, pool):
        return pool.proba[:, 0] - pool.proba[:, 0].mean()


@breaks(testing.check_chunked_equals_whole)
class DrawsInChunks(Drawn):
    def select(self, pool, batch_size):
        n_chunks = len(list(pool.chunks(frozenset({"proba"}))))
        pool.random_state.random_sample(n_chunks)
        return super().select(pool, batch_size)


@breaks(testing.check_pool_not_changed, match="changed in place")
class SortsProbabilities(Sound):
    def score(self, pool):
        pool.proba.sort(axis=1)
        return 1 - pool.proba[:, -1]


@breaks(testing.check_pool_not_changed, match="changed in place")
class CentersTheEmbedding(Sound):
    def score(self, pool):
        z = pool.embedding
        z -= z.mean(axis=0)
        return super().score(pool)


@breaks(testing.check_pool_not_changed, match="changed in place")
class ChangesDraws(Sound):
    def score(self, pool):
        pool.proba_samples()[0] = 0.5
        return super().score(pool)


@breaks(testing.check_pool_not_changed, match="changed in place")
class ChangesTheRows(Sound):
    """Changes the rows in place; in a query these are the caller's own."""

    needs = frozenset({"proba", "X"})

    def score(self, pool):
        scores = super().score(pool)
        pool.X[:] = 0
        return scores


@breaks(testing.check_holds_no_state, match="scores_")
class KeepsScores(Sound):
    def score(self, pool):
        self.scores_ = super().score(pool)
        return self.scores_


@breaks(testing.check_holds_no_state, match="n_asked")
class Counts(Drawn):
    def __init__(self, n_asked=0):
        self.n_asked = n_asked

    def select(self, pool, batch_size):
        self.n_asked += 1
        return super().select(pool, batch_size)


@breaks(testing.check_clone_and_pickle, error=(RuntimeError, AssertionError))
class ChangesItsParameters(Sound):
    def __init__(self, *, names=(), selector=None):
        super().__init__(selector=selector)
        self.names = list(names)


@breaks(testing.check_clone_and_pickle, error=(AttributeError, pickle.PicklingError))
class CannotBePickled(Sound):
    def __init__(self, *, selector=None):
        super().__init__(selector=selector)
        self.helper = lambda proba: proba.max(axis=1)


@breaks(testing.check_clone_and_pickle)
class ForgetsWhenCloned(Sound):
    """Has an attribute that is no parameter, so that a clone chooses other rows."""

    lowest = False

    def score(self, pool):
        scores = super().score(pool)
        return -scores if self.lowest else scores

    def __sklearn_clone__(self):
        twin = type(self)()
        twin.lowest = True
        return twin


@breaks(testing.check_clone_and_pickle)
class HasNoName(Sound):
    def __repr__(self):
        return "a strategy"


@breaks(testing.check_ties, match="broken by position")
class TiesByPosition(Sound):
    def select(self, pool, batch_size):
        return np.argsort(-self.score(pool), kind="stable")[:batch_size]


@breaks(testing.check_explained, match="neither the sum nor the product")
class ExplainsByOtherParts(Sound):
    def explain(self, pool):
        return {"one": np.ones(len(pool)), "two": np.ones(len(pool)), "score": self.score(pool)}


@breaks(testing.check_explained, match="must have shape")
class ExplainsByOneNumber(Sound):
    def explain(self, pool):
        return {"score": self.score(pool).max()}


@breaks(testing.check_explained, match="does not declare|did not declare|do not declare")
class ExplainsByWhatItDoesNotDeclare(Sound):
    def explain(self, pool):
        return {"norm": np.linalg.norm(pool.embedding, axis=1), **super().explain(pool)}


class SoundOnElements(Sound):
    """Passes every check, by the elements of rows."""

    needs = frozenset({"elements.proba"})

    def score(self, pool):
        elements = pool.elements
        return np.bincount(elements.owner, 1 - elements.proba.max(axis=1), minlength=len(pool))


@breaks(testing.check_any_number_of_elements, match="finite")
class DividesByTheNumberOfElements(SoundOnElements):
    def score(self, pool):
        with np.errstate(invalid="ignore"):
            return super().score(pool) / np.diff(pool.elements.offsets)


@breaks(testing.check_any_number_of_elements, match="shape")
class ForgetsTheLastRowsWithoutElements(SoundOnElements):
    def score(self, pool):
        return super().score(pool)[: pool.elements.owner.max(initial=0) + 1]


@breaks(testing.check_reads_what_it_declares, match=r"elements\.embedding")
class ReadsMoreOfElements(SoundOnElements):
    def score(self, pool):
        return super().score(pool) + 0 * pool.elements.embedding.sum()


@breaks(testing.check_chunked_equals_whole)
class CountsBlocksOfElements(SoundOnElements):
    def score(self, pool):
        n_blocks = len(list(pool.elements.row_blocks(self.needs)))
        return super().score(pool) * np.cos(n_blocks * np.arange(len(pool)))


@breaks(testing.check_elements_as_rows, error=ValueError)
class TakesRowsForGranted(Sound):
    def score(self, pool):
        return super().score(pool) + np.zeros(30 if len(pool) > 40 else len(pool))


@breaks(testing.check_elements_as_rows)
class CountsBlocks(Sound):
    def score(self, pool):
        n_blocks = len(list(pool.blocks(self.needs)))
        n_blocks = n_blocks if len(pool) > 40 else 1
        return super().score(pool) * np.cos(n_blocks * np.arange(len(pool)))


@breaks(testing.check_certain_model, error=(AssertionError, SelectionError), match="finite")
class NaNForZeroProbabilities(Sound):
    def score(self, pool):
        with np.errstate(divide="ignore", invalid="ignore"):
            return -(pool.proba * np.log(pool.proba)).sum(axis=1)


@breaks(testing.check_duplicate_rows, match="asked for")
class DropsDuplicates(Sound):
    needs = frozenset({"embedding"})

    def select(self, pool, batch_size):
        _, first = np.unique(pool.embedding, axis=0, return_index=True)
        return first[:batch_size]


@breaks(testing.check_one_class, error=(IndexError, ValueError))
class NeedsTwoClasses(Sound):
    def score(self, pool):
        return np.partition(pool.proba, -2, axis=1)[:, -2]


@breaks(testing.check_two_classes, error=IndexError)
class NeedsColumnsOfDecisions(Sound):
    needs = frozenset({"decision"})

    def score(self, pool):
        ordered = np.sort(pool.decision, axis=1)
        return ordered[:, -2] - ordered[:, -1]


@breaks(testing.check_global_random_state)
class DrawsFromNumPy(Drawn):
    def select(self, pool, batch_size):
        return np.random.permutation(len(pool))[:batch_size]


@breaks(testing.check_global_random_state)
class SeedsNumPy(Drawn):
    def select(self, pool, batch_size):
        np.random.seed(0)
        return super().select(pool, batch_size)


@breaks(testing.check_global_random_state, match="Python's")
class DrawsFromPython(Drawn):
    def select(self, pool, batch_size):
        random.shuffle(list(range(len(pool))))
        return super().select(pool, batch_size)


@parametrize_with_strategy_checks([Sound(), Drawn(), SoundOnElements()])
def test_the_sound_ones_pass_every_check(strategy, check):
    check(strategy)


@pytest.fixture
def _random_states_as_before():
    numpy_state, python_state = np.random.get_state(), random.getstate()
    yield
    np.random.set_state(numpy_state)
    random.setstate(python_state)


@pytest.mark.usefixtures("_random_states_as_before")
@pytest.mark.parametrize(("check", "kind", "error", "match"), BROKEN)
def test_the_check_catches_the_fault(check, kind, error, match):
    with pytest.raises(error, match=match):
        check(kind())


def test_every_check_is_known_to_be_able_to_fail():
    assert {case.values[0] for case in BROKEN} == set(CHECKS)


def test_every_check_has_a_name_and_says_what_it_checks():
    assert len({check.__name__ for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert check.__name__.startswith("check_")
        assert check.__doc__.endswith(".")


def test_strategy_checks_yields_named_functions_without_arguments():
    checks = list(strategy_checks(ChoosesByPosition()))
    assert [check.__name__ for check in checks] == [check.__name__ for check in CHECKS]
    fails = []
    for check in checks:
        try:
            check()
        except AssertionError:
            fails.append(check.__name__)
    assert fails == ["check_permuted_pool", "check_ties"]


def test_parametrize_makes_a_case_of_each_strategy_and_check():
    @parametrize_with_strategy_checks(iter([Margin(), Random()]))
    def a_test(strategy, check):
        """Does nothing."""

    (mark,) = a_test.pytestmark
    names, cases = mark.args
    assert names == ("strategy", "check")
    assert len(cases) == 2 * len(CHECKS)
    assert [case.values[1] for case in cases] == [*CHECKS, *CHECKS]
    assert cases[0].id == "Margin()-check_known_needs"
    assert len({case.id for case in cases}) == len(cases)
