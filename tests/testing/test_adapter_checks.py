"""Each check of adapters fails for the fault that it is meant to find."""

import pickle
import random

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skactive.adapters import StructuredAdapter, register
from skactive.adapters._sklearn import PipelineAdapter
from skactive.exceptions import InvalidReadingError
from skactive.testing import _adapter_checks as testing
from skactive.testing import adapter_checks, parametrize_with_adapter_checks
from skactive.testing._adapter_checks import ADAPTER_CHECKS

LENGTHS = [0, 1, 3, 2, 0, 4]
ROWS = np.column_stack([np.arange(6), LENGTHS])  # number of a row, and of its elements


class Tagger(BaseEstimator):
    """Tags as many tokens as the second column says; each of its members has an opinion."""

    def __init__(self, n_members=5):
        self.n_members = n_members

    def fit(self, X=None, y=None):
        self.opinions_ = np.random.RandomState(0).dirichlet(np.ones(3), size=(self.n_members, 99))
        self.classes_ = np.array(["a", "b", "c"])
        return self

    def ask(self, row, members=slice(None)):
        first = 10 * int(row[0])
        return self.opinions_[members, first : first + int(row[1])]  # (n_members, n_tokens, 3)


@register(Tagger)
class TaggerAdapter(StructuredAdapter):
    """Passes every check; each broken adapter below differs from it in one way."""

    element = "token"

    def proba(self, Z):
        return [self.model.ask(row).mean(axis=0) for row in Z]

    def prediction(self, Z):
        return [self.classes[proba.argmax(axis=1)] for proba in self.proba(Z)]

    def n_draws(self, n_samples):
        return self.model.n_members if n_samples is None else min(n_samples, self.model.n_members)

    def proba_samples(self, Z, n_samples, seed):
        order = np.random.RandomState(seed).permutation(self.model.n_members)
        members = order[: self.n_draws(n_samples)]
        return (self.model.ask(row, members) for row in Z)


BROKEN = []


def breaks(check, match, error=AssertionError):
    """Record on an adapter which check should catch it, and how."""

    def note(kind):
        case = (check, kind, match, error)
        BROKEN.append(pytest.param(*case, id=f"{check.__name__}-{kind.__name__}"))
        return kind

    return note


@breaks(testing.check_claims, "'word', not one of")
class HasElementsOfNoKnownKind(TaggerAdapter):
    element = "word"


@breaks(testing.check_claims, "element is None")
class ForgetsItsElement(TaggerAdapter):
    element = None


@breaks(testing.check_claims, "does not exist")
class ProvidesEverything(TaggerAdapter):
    def provides(self, reading):
        return True


@breaks(testing.check_claims, "of which no reading is provided")
class ProvidesNothing(TaggerAdapter):
    def provides(self, reading):
        return False


@breaks(testing.check_claimed_readings, "lengths", error=NotImplementedError)
class ClaimsMoreThanItHas(TaggerAdapter):
    def lengths(self, Z):
        raise NotImplementedError("lengths")


@breaks(testing.check_claimed_readings, "do not sum to 1", error=InvalidReadingError)
class GivesScoresForProbabilities(TaggerAdapter):
    def proba(self, Z):
        return [2 * proba for proba in super().proba(Z)]


@breaks(testing.check_claimed_readings, "before: all readings", error=InvalidReadingError)
class DrawsForOtherElements(TaggerAdapter):
    def proba_samples(self, Z, n_samples, seed):
        return [draws[:, 1:] for draws in super().proba_samples(Z, n_samples, seed)]


@breaks(testing.check_claimed_readings, "of 1 rows for 2 rows", error=InvalidReadingError)
class LeavesOutRows(TaggerAdapter):
    def prediction(self, Z):
        return super().prediction(Z)[: max(1, len(Z) - 1)]


@breaks(testing.check_classes_of_columns, "repeat")
class RepeatsAClass(TaggerAdapter):
    classes = np.array(["a", "b", "b"])


@breaks(testing.check_draws, "5 draws, but n_draws 1")
class IgnoresTheNumberOfDraws(TaggerAdapter):
    def proba_samples(self, Z, n_samples, seed):
        return super().proba_samples(Z, self.model.n_members, seed)

    def n_draws(self, n_samples):
        return 5 if n_samples is None else n_samples


@breaks(testing.check_draws, "same for every seed")
class IgnoresTheSeed(TaggerAdapter):
    def proba_samples(self, Z, n_samples, seed):
        return super().proba_samples(Z, n_samples, 0)


@breaks(testing.check_repeatable_readings, "one time to the next")
class SeedsItself(TaggerAdapter):
    def proba_samples(self, Z, n_samples, seed):
        return super().proba_samples(Z, n_samples, None)


@breaks(testing.check_rows_alone, "depends on the other rows")
class DrawsForOneRowAfterTheOther(TaggerAdapter):
    def proba_samples(self, Z, n_samples, seed):
        return [
            next(iter(super(DrawsForOneRowAfterTheOther, self).proba_samples([row], n_samples, i)))
            for i, row in enumerate(Z)
        ]

    def n_draws(self, n_samples):
        return 3 if n_samples is None else min(n_samples, 3)


@breaks(testing.check_single_rows, "needs two")
class CannotReadOneRow(TaggerAdapter):
    def prediction(self, Z):
        assert len(Z) > 1, "needs two"
        return super().prediction(Z)


@breaks(testing.check_single_rows, "needs tokens")
class CannotReadRowsWithoutElements(TaggerAdapter):
    def prediction(self, Z):
        assert any(row[1] for row in Z), "needs tokens"
        return super().prediction(Z)


@breaks(testing.check_chunked_readings, "size of the chunks")
class SmoothsOverABatch(TaggerAdapter):
    def proba(self, Z):
        weight = 0.1 * len(Z)
        return [(proba + weight / 3) / (1 + weight) for proba in super().proba(Z)]


@breaks(testing.check_nothing_changed, "opinions_ was changed")
class LearnsWhileItReads(TaggerAdapter):
    def proba(self, Z):
        proba = super().proba(Z)
        self.model.opinions_[0, 98] = 0.5
        return proba


@breaks(testing.check_nothing_changed, "attributes changed")
class CachesOnTheModel(TaggerAdapter):
    def proba(self, Z):
        self.model.last_ = super().proba(Z)
        return self.model.last_


@breaks(testing.check_nothing_changed, "rows were changed")
class ChangesTheRows(TaggerAdapter):
    def proba(self, Z):
        proba = super().proba(Z)
        Z[:, 0] = 0
        return proba


@breaks(testing.check_global_state, "not equal")
class DrawsFromNumPy(TaggerAdapter):
    def proba(self, Z):
        np.random.random_sample()
        return super().proba(Z)


@breaks(testing.check_global_state, "Python's")
class DrawsFromPython(TaggerAdapter):
    def proba(self, Z):
        random.random()
        return super().proba(Z)


@breaks(testing.check_pickles, "lambda|local object", error=(AttributeError, pickle.PicklingError))
class CannotBePickled(TaggerAdapter):
    def __init__(self, model):
        super().__init__(model)
        self.helper = lambda proba: proba


@pytest.fixture
def _random_states_as_before():
    numpy_state, python_state = np.random.get_state(), random.getstate()
    yield
    np.random.set_state(numpy_state)
    random.setstate(python_state)


@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("wrap", [TaggerAdapter, lambda model: model], ids=["adapter", "model"])
def test_the_sound_one_passes_every_check(wrap, check):
    check(wrap(Tagger().fit()), ROWS.copy())


@pytest.mark.usefixtures("_random_states_as_before")
@pytest.mark.parametrize(("check", "kind", "match", "error"), BROKEN)
def test_the_check_catches_the_fault(check, kind, match, error):
    with pytest.raises(error, match=match):
        check(kind(Tagger().fit()), ROWS.copy())


def test_a_pipeline_that_reads_other_rows_is_caught(monkeypatch):
    monkeypatch.setattr(PipelineAdapter, "prepare", lambda self, X: X[::-1])
    with pytest.raises(AssertionError, match="end of a pipeline"):
        testing.check_end_of_pipeline(Tagger().fit(), ROWS)


def test_every_check_is_known_to_be_able_to_fail():
    known = {case.values[0] for case in BROKEN} | {testing.check_end_of_pipeline}
    assert known == set(ADAPTER_CHECKS)


def test_every_check_has_a_name_and_says_what_it_checks():
    assert len({check.__name__ for check in ADAPTER_CHECKS}) == len(ADAPTER_CHECKS)
    for check in ADAPTER_CHECKS:
        assert check.__name__.startswith("check_")
        assert check.__doc__.endswith(".")


def test_adapter_checks_yields_named_functions_without_arguments():
    checks = list(adapter_checks(IgnoresTheSeed(Tagger().fit()), ROWS.copy()))
    assert [check.__name__ for check in checks] == [check.__name__ for check in ADAPTER_CHECKS]
    fails = []
    for check in checks:
        try:
            check()
        except AssertionError:
            fails.append(check.__name__)
    assert fails == ["check_draws"]


def test_parametrize_makes_a_case_of_each_model_and_check():
    model = Tagger().fit()

    @parametrize_with_adapter_checks(iter([(model, ROWS), (TaggerAdapter(model), ROWS)]))
    def a_test(model, X, check):
        """Does nothing."""

    (mark,) = a_test.pytestmark
    names, cases = mark.args
    assert names == ("model", "X", "check")
    assert [case.values[2] for case in cases] == [*ADAPTER_CHECKS, *ADAPTER_CHECKS]
    assert cases[0].id == "Tagger-check_claims"
    assert len({case.id for case in cases}) == len(cases)
