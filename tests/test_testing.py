"""Each check of `skactive.testing` fails for the fault that it is meant to find; FakePool."""

import pickle
import random

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skactive import testing
from skactive.exceptions import CapabilityError, SelectionError
from skactive.selectors import top
from skactive.strategies import Margin, Random, ScoreStrategy, ScoringStrategy, Strategy
from skactive.testing import (
    CHECKS,
    FakePool,
    parametrize_with_strategy_checks,
    strategy_checks,
)


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


@parametrize_with_strategy_checks([Sound(), Drawn()])
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


# -- FakePool ----------------------------------------------------------------------------------


def test_fake_pool_makes_up_tables_that_fit_together():
    pool = FakePool(12, n_classes=4, n_dims=3, n_draws=5, n_labeled=7)
    assert len(pool) == 12
    assert_array_equal(pool.classes, range(4))
    assert pool.proba.shape == (12, 4)
    assert pool.decision.shape == (12, 4)
    assert pool.embedding.shape == (12, 3)
    assert pool.proba_samples().shape == (5, 12, 4)
    assert pool.proba_samples(2).shape == (2, 12, 4)
    assert len(pool.labeled) == 7
    assert pool.labeled.embedding.shape == (7, 3)
    assert_array_equal(pool.labeled.y, [0, 1, 2, 3, 0, 1, 2])
    assert_allclose(pool.proba_samples().mean(axis=0), pool.proba)
    assert_allclose(pool.proba.sum(axis=1), 1)


def test_fake_pool_of_two_classes_has_one_decision_a_row():
    assert FakePool(9, n_classes=2).decision.shape == (9,)


def test_fake_pool_depends_on_its_seeds():
    same, other = FakePool(seed=3), FakePool(seed=4)
    assert_array_equal(FakePool(seed=3).proba, same.proba)
    assert (other.proba != same.proba).all()
    draws = [FakePool(query_seed=seed).random_state.random_sample() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize("n_labeled", [0, 6])
def test_fake_pool_gives_the_tables_that_it_is_given(n_labeled):
    tables = {
        "proba": np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]]),
        "decision": np.array([1.0, -2.0, 3.0]),
        "embedding": np.arange(15.0).reshape(3, 5),
        "proba_samples": np.random.default_rng(0).dirichlet([1, 1], size=(4, 3)),
    }
    pool = FakePool(n_labeled=n_labeled, **tables)
    assert len(pool) == 3
    for name in ("proba", "decision", "embedding"):
        assert_array_equal(getattr(pool, name), tables[name])
    assert_array_equal(pool.proba_samples(), tables["proba_samples"])
    assert_array_equal(pool.take(np.array([2, 0])).proba, tables["proba"][[2, 0]])
    assert (pool.labeled is None) == (n_labeled == 0)
    if n_labeled:
        assert pool.labeled.embedding.shape == (6, 5)


def test_fake_pool_does_not_take_over_the_tables_themselves():
    table = np.array([[0.2, 0.8], [0.5, 0.5]])
    FakePool(proba=table).proba[:] = 0
    table[0] = [1, 0]  # still the caller's to change
    assert_array_equal(table[1], [0.5, 0.5])


def test_fake_pool_allows_only_what_it_is_told():
    readings = {
        "X": lambda pool: pool.X,
        "proba": lambda pool: pool.proba,
        "decision": lambda pool: pool.decision,
        "embedding": lambda pool: pool.embedding,
        "gradient_factors": lambda pool: pool.gradient_factors,
        "proba_samples": lambda pool: pool.proba_samples(),
        "fantasize": lambda pool: pool.fantasize(0, 1),
    }
    for allowed in readings:
        pool = FakePool(allowed={allowed})
        for view in (pool, pool.take(np.arange(3)), pool.labeled):
            for name, read in readings.items():
                if name == allowed:
                    read(view)
                    assert view.provides(name)
                else:
                    assert not view.provides(name)
                    with pytest.raises(AssertionError, match=f"read '{name}'"):
                        read(view)
    for read in readings.values():
        read(FakePool())  # without a list everything is allowed


def test_fake_pool_reads_alternatives_and_joint_samples_as_needs_mean_them():
    either = FakePool(allowed={"proba|decision"})
    assert either.provides("proba")
    assert either.provides("decision")
    assert FakePool(allowed={"joint_samples"}).proba_samples().shape == (8, 30, 3)
    only = FakePool(allowed={"decision"})
    assert_allclose(Margin().score(only), np.diff(np.sort(only.decision))[:, -1] * -1)


def test_fake_pool_poisons_the_labels_of_candidates():
    pool = FakePool()
    for view in (pool, pool.take(np.arange(4)), pool.reordered(np.arange(4)), pool.fantasize(0, 1)):
        with pytest.raises(AssertionError, match="unlabeled"):
            _ = view.y
    assert_array_equal(pool.labeled.take(np.array([4, 1])).y, [1, 1])


def test_fake_pool_reordered_is_a_pool_of_its_own():
    pool, order = FakePool(), np.array([7, 3, 3, 20])
    pool.random_state.random_sample(5)
    other = pool.reordered(order)
    assert_array_equal(other.proba, pool.proba[order])
    assert_array_equal(other.proba_samples(), pool.proba_samples()[:, order])
    assert_array_equal(other.X, pool.X[order])
    assert_array_equal(other.labeled.embedding, pool.labeled.embedding)
    fresh = FakePool().random_state.random_sample()
    assert other.random_state.random_sample() == fresh  # not the numbers after the pool's
    seeded = pool.reordered(order, query_seed=5).random_state.random_sample()
    assert seeded == np.random.RandomState(5).random_sample()
    with pytest.raises(AssertionError):
        _ = FakePool(allowed={"proba"}).reordered(order).embedding


def test_fake_pool_taken_shares_the_random_numbers():
    pool = FakePool()
    assert pool.take(np.arange(3)).random_state is pool.random_state
    assert pool.labeled.random_state is pool.random_state


def test_fake_pool_fantasizes_a_model_that_leans_towards_the_label():
    pool = FakePool(20)
    future = pool.fantasize(4, 2)
    assert len(future) == 20
    assert_allclose(future.proba.sum(axis=1), 1)
    rises = future.proba[:, 2] - pool.proba[:, 2]
    assert (rises > 0).all()
    assert_allclose(future.proba[4], (pool.proba[4] + [0, 0, 1]) / 2)
    away = ((pool.embedding - pool.embedding[4]) ** 2).mean(axis=1)
    pull = np.exp(-away)[:, None]
    assert_allclose(future.proba, (pool.proba + pull * [0, 0, 1]) / (1 + pull))
    assert_array_equal(future.embedding, pool.embedding)
    assert_array_equal(future.labeled.y, [*pool.labeled.y, 2])
    assert_array_equal(future.labeled.embedding[-1], pool.embedding[4])
    assert len(pool.labeled) == 6  # the pool itself is as it was
    assert_allclose(pool.take(np.array([9, 4])).fantasize(1, 2).proba, future.proba[[9, 4]])
    with pytest.raises(CapabilityError):
        future.fantasize(0, 1)


def test_fake_pool_fantasizes_where_nothing_is_labeled():
    future = FakePool(n_labeled=0).fantasize(3, 1)
    assert_array_equal(future.labeled.y, [1])
