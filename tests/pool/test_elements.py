"""Elements of rows: read in any form, whole or in parts, they are the same."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skactive import ActiveLearner, Ragged, reductions, scores
from skactive.adapters import StructuredAdapter
from skactive.exceptions import CapabilityError, InvalidReadingError, PoolExhaustedError
from skactive.pool import PoolView
from skactive.pool import _element_readings as elements_module
from skactive.pool._view import ReadingSource
from skactive.strategies import BALD, LCMD, Aggregate, Entropy, KCenterGreedy, Margin, Random

N_ROWS, N_CLASSES, N_DRAWS = 40, 3, 5


def draw_row(row, n_draws=None):
    """Return the probabilities of a row, which has as many elements as its number mod 4."""
    random_state = np.random.RandomState(row)
    shape = row % 4 if n_draws is None else (n_draws, row % 4)
    return random_state.dirichlet(np.ones(N_CLASSES), size=shape)


class Tagger(BaseEstimator):
    """A model whose rows are numbers; it gives probabilities in several forms."""

    def __init__(self, form="iterator"):
        self.form = form

    def fit(self, X, y):
        return self

    def __skactive_adapter__(self):
        return TaggerAdapter(self)


class TaggerAdapter(StructuredAdapter):
    element = "token"

    def __init__(self, model):
        super().__init__(model)
        self.rows_read = []

    def proba(self, Z):
        self.rows_read.append(len(Z))
        rows = (draw_row(int(row)) for row in Z[:, 0])
        if self.model.form == "iterator":
            return rows
        return list(rows) if self.model.form == "list" else Ragged.of(rows)

    def proba_samples(self, Z, n_samples, seed):
        return [draw_row(int(row), n_samples or N_DRAWS) for row in Z[:, 0]]

    def element_features(self, Z):
        return [draw_row(int(row)) for row in Z[:, 0]]


ROWS = np.arange(N_ROWS)[:, np.newaxis]
PROBA = [draw_row(row) for row in range(N_ROWS)]
ALL = np.concatenate(PROBA)


def make_pool(form="iterator", rows=ROWS, adapter=None):
    adapter = TaggerAdapter(Tagger(form)) if adapter is None else adapter
    return PoolView(rows, ReadingSource(adapter=adapter))


@pytest.mark.parametrize("form", ["iterator", "list", "ragged"])
def test_elements_are_the_rows_of_another_pool(form):
    elements = make_pool(form).elements
    np.testing.assert_array_equal(elements.proba, ALL)
    np.testing.assert_array_equal(np.diff(elements.offsets), [len(p) for p in PROBA])
    owners = [(i, j) for i, p in enumerate(PROBA) for j in range(len(p))]
    assert list(zip(elements.owner, elements.place, strict=True)) == owners
    assert len(elements) == len(ALL)


@pytest.mark.parametrize(
    ("reduction", "brute_force"),
    [(reductions.total, np.sum), (reductions.mean, np.mean), (reductions.maximum, np.max)],
)
def test_aggregate_is_the_reduction_of_the_scores_of_a_row(reduction, brute_force):
    strategy = Aggregate(Entropy(), reduction, empty=-1.0)
    expected = [brute_force(scores.entropy(p)) if len(p) else -1.0 for p in PROBA]
    np.testing.assert_allclose(strategy.score(make_pool()), expected, rtol=1e-12)


def test_scores_of_draws_are_aggregated():
    expected = [
        scores.mutual_information(draw_row(i, N_DRAWS)).mean() if i % 4 else 0.0
        for i in range(N_ROWS)
    ]
    np.testing.assert_allclose(Aggregate(BALD()).score(make_pool()), expected, rtol=1e-9)


@pytest.mark.parametrize("block_bytes", [1, 200, 2**25])
def test_blocks_of_any_size_give_the_same(monkeypatch, block_bytes):
    expected = Aggregate(Margin()).score(make_pool())
    part = np.array([3, 0, 25, 11])
    monkeypatch.setattr(elements_module, "_BLOCK_BYTES", block_bytes)
    np.testing.assert_allclose(Aggregate(Margin()).score(make_pool()), expected, rtol=1e-12)
    np.testing.assert_array_equal(make_pool().elements.proba, ALL)
    np.testing.assert_array_equal(make_pool().elements.take(part).proba, ALL[part])
    chosen = np.arange(7, 50, 2)
    for positions in (chosen, chosen[::-1]):
        found = Margin().score_in_chunks(make_pool().elements.take(positions))
        np.testing.assert_allclose(found, scores.margin(ALL[positions]), rtol=1e-12)


def test_a_part_of_the_elements_reads_their_rows_only():
    pool = make_pool()
    offsets = pool.elements.offsets
    adapter = pool._source.adapter
    pool = make_pool(adapter=adapter)
    elements = pool.elements
    elements._cache_once("offsets", lambda: offsets)
    adapter.rows_read.clear()
    np.testing.assert_array_equal(elements.take(np.array([50, 51])).proba, ALL[[50, 51]])
    assert sum(adapter.rows_read) <= 2


def test_rows_taken_from_a_pool_reuse_its_elements():
    pool = make_pool()
    _ = pool.elements.proba
    pool._source.adapter.rows_read.clear()
    rows = np.array([9, 3, 17])
    taken = pool.take(rows).elements
    np.testing.assert_array_equal(taken.proba, np.concatenate([PROBA[i] for i in rows]))
    assert pool._source.adapter.rows_read == []


def test_groups_average_readings_and_their_members_are_aggregated():
    partition = [np.array([5, -1, 5][: i % 4]) for i in range(N_ROWS)]  # one group, or none
    groups = make_pool().elements.grouped(partition)
    filled = [i for i in range(N_ROWS) if i % 4]
    np.testing.assert_array_equal(groups.owner, filled)
    members = [PROBA[i][partition[i] == 5] for i in filled]
    np.testing.assert_allclose(groups.proba, [m.mean(axis=0) for m in members])
    found = Aggregate(Margin(), reductions.maximum).score(groups)
    np.testing.assert_allclose(found, [scores.margin(m).max() for m in members])
    part = groups.take(np.array([4, 1]))
    np.testing.assert_allclose(part.proba, groups.proba[[4, 1]])


@pytest.mark.parametrize("strategy", [Margin(), KCenterGreedy(), LCMD(), Random()])
def test_strategies_choose_elements_as_they_choose_rows(strategy):
    if not isinstance(strategy, Random | KCenterGreedy | LCMD):
        strategy = Aggregate(strategy)
    learner = ActiveLearner(Tagger(), strategy, random_state=0).fit(ROWS[:4], np.arange(4))
    known = [np.arange(i % 4) == 0 for i in range(N_ROWS)]  # the first of each row
    rows, places = learner.query_elements(ROWS, 12, known=known)
    assert len(set(zip(rows.tolist(), places.tolist(), strict=True))) == 12
    assert (places > 0).all()
    if isinstance(strategy, Aggregate):
        unknown = np.concatenate([p[1:] for p in PROBA])
        best = np.sort(scores.margin(unknown))[::-1][:12]
        found = [float(scores.margin(PROBA[i][[j]])[0]) for i, j in zip(rows, places, strict=True)]
        np.testing.assert_allclose(found, best)


def test_equal_numbers_of_elements_may_come_as_one_array():
    class Maps(StructuredAdapter):
        element = "pixel"

        def proba(self, Z):
            return np.random.RandomState(0).dirichlet(np.ones(2), size=(len(Z), 3, 5))

    elements = make_pool(adapter=Maps(Tagger()), rows=ROWS[:1]).elements
    assert elements.proba.shape == (15, 2)
    assert elements.offsets.tolist() == [0, 15]


def adapter_that_gives(*values, **attributes):
    """Return an adapter whose readings of the first rows are these."""

    class Given(StructuredAdapter):
        element = "token"

        def proba(self, Z):
            return [values[int(row)] for row in Z[:, 0]]

    model = Tagger()
    for name, value in attributes.items():
        setattr(model, name, value)
    return Given(model)


@pytest.mark.parametrize(
    ("values", "attributes", "message"),
    [
        ([[[0.5, 0.5]], [[np.nan, 0.5]]], {}, "not finite"),
        ([[[0.5, 0.5]], [[0.9, 0.5]]], {}, "do not sum to 1"),
        ([[[0.5, 0.5]]], {"classes_": np.arange(3)}, "2 columns of probability for each token"),
    ],
)
def test_bad_readings_of_elements_are_refused(values, attributes, message):
    pool = make_pool(adapter=adapter_that_gives(*values, **attributes), rows=ROWS[: len(values)])
    with pytest.raises(InvalidReadingError, match=message):
        Aggregate(Margin()).score(pool)


@pytest.mark.parametrize(("declared", "columns"), [("abcd", [1, 0, 2]), ("abc", [1, 0, 2])])
def test_declared_classes_have_their_columns(declared, columns):
    adapter = adapter_that_gives([[0.5, 0.2, 0.3]], classes_=np.array(["b", "a", "c"]))
    source = ReadingSource(adapter=adapter, classes=np.array(list(declared)))
    elements = PoolView(ROWS[:1], source).elements
    expected = np.zeros((1, len(declared)))
    expected[0, columns] = [0.5, 0.2, 0.3]
    np.testing.assert_array_equal(elements.proba, expected)
    assert elements.classes.tolist() == list(declared)


def test_a_model_without_classes_must_have_as_many_columns_as_are_declared():
    adapter = adapter_that_gives([[0.5, 0.5]])
    source = ReadingSource(adapter=adapter, classes=np.arange(3))
    with pytest.raises(InvalidReadingError, match="2 columns of probability, but 3 classes are"):
        _ = PoolView(ROWS[:1], source).elements.proba


def test_rows_may_all_be_without_elements():
    pool = make_pool(adapter=adapter_that_gives([], []), rows=ROWS[:2])
    assert Aggregate(Margin(), empty=0.25).score(pool).tolist() == [0.25, 0.25]
    assert len(pool.elements) == 0
    adapter = adapter_that_gives([], classes_=np.arange(3))
    assert make_pool(adapter=adapter, rows=ROWS[:1]).elements.proba.shape == (0, 3)


def test_errors_say_what_to_do():
    learner = ActiveLearner(Tagger(), Aggregate(Margin()), random_state=0)
    learner.fit(ROWS[:4], np.arange(4))
    with pytest.raises(PoolExhaustedError, match="elements of a pool that has 6 left"):
        learner.query_elements(ROWS[:4], 7)
    with pytest.raises(ValueError, match="known has 1 entries for row 0, which has 0 elements"):
        learner.query_elements(ROWS[:4], 1, known=np.zeros((4, 1), dtype=bool))
    with pytest.raises(TypeError, match="isnan"):
        learner.query_elements(ROWS[:4], 1, known=[np.zeros(i) for i in range(4)])
    with pytest.raises(CapabilityError, match=r"Aggregate.*query_elements"):
        ActiveLearner(Tagger(), Margin()).fit(ROWS[:4], np.arange(4))


@pytest.mark.parametrize("form", ["iterator", "list", "ragged", "array"])
def test_deviations_are_those_of_the_draws_of_numbers_in_any_form(form):
    class Depth(StructuredAdapter):
        element = "pixel"

        def prediction_samples(self, Z, n_samples, seed):
            if form == "array":
                return np.stack([np.full((len(Z), 3), draw) for draw in (1.0, 5.0)])
            rows = (np.outer([1.0, 4.0], np.arange(row % 3)) for row in Z[:, 0])
            return {"iterator": iter, "list": list, "ragged": lambda r: Ragged.of(r, axis=1)}[form](
                rows
            )

    rows = ROWS[4:6]  # as many as draws, with which they could be confused
    expected = [[2.0] * 3] * 2 if form == "array" else [1.5 * np.arange(row % 3) for row in (4, 5)]
    std = make_pool(rows=rows, adapter=Depth(Tagger())).elements.std
    np.testing.assert_allclose(std, np.concatenate(expected))


def test_explanations_name_the_elements_of_the_highest_scores():
    learner = ActiveLearner(Tagger(), Aggregate(Entropy()), random_state=0)
    learner.fit(ROWS[:4], np.arange(4))
    (explanation,) = learner.explain(ROWS, [7])
    values = scores.entropy(PROBA[7])
    order = np.argsort(-values)
    assert list(explanation.elements) == [f"token {place}" for place in order]
    np.testing.assert_allclose(list(explanation.elements.values()), values[order])
    assert "token" in str(explanation)


def test_labeled_elements_have_the_labels_of_their_rows():
    tags = [np.arange(row % 4) % N_CLASSES for row in range(N_ROWS)]
    learner = ActiveLearner(Tagger(), Aggregate(Margin()), random_state=0)
    learner.fit(ROWS[:9], tags[:9]).teach(ROWS[9:12], tags[9:12])
    labeled = learner._make_view(ROWS).elements.labeled
    np.testing.assert_array_equal(labeled.y, np.concatenate(tags[:12]))
    np.testing.assert_array_equal(labeled.proba, np.concatenate(PROBA[:12]))
