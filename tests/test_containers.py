"""Rows and labels in every container, end to end: fit, query, teach, query."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import config_context
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skactive import ActiveLearner, SimulatedLearner
from skactive._utils.rows import n_rows, take_rows
from skactive.exceptions import InvalidReadingError, PoolExhaustedError, TeachValueError
from skactive.strategies import (
    BADGE,
    Auto,
    DiscriminativeAL,
    Entropy,
    ExpectedErrorReduction,
    FacilityLocationMutualInformation,
    KCenterGreedy,
    KMeans,
    Margin,
    Mixture,
    Random,
    Subsample,
    TypiClust,
    UHerding,
)

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")

NUMBERS, Y = load_iris(return_X_y=True)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # NumPy discourages it
    MATRIX = np.asmatrix(NUMBERS[:30])
ORDER = np.random.RandomState(0).permutation(len(NUMBERS))
NUMBERS, Y = NUMBERS[ORDER], Y[ORDER]
COLORS = np.array(["red", "green", "blue"])[(Y + np.arange(150) % 7 // 6) % 3]
TEXTS = [
    f"{color} flower {'long' if x > 1 else 'short'}"
    for color, x in zip(COLORS, NUMBERS[:, 3], strict=True)
]
COLUMNS = {"length": NUMBERS[:, 2], "width": NUMBERS[:, 3], "color": COLORS}

equal = np.testing.assert_array_equal


def plain():
    return LogisticRegression(max_iter=1000)


def by_column():
    columns = make_column_transformer(
        (StandardScaler(), ["length", "width"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["color"]),
    )
    return make_pipeline(columns, plain())


def of_texts():
    return make_pipeline(TfidfVectorizer(), plain())


def by_list(rows, positions):
    return [rows[position] for position in positions]


def by_array(rows, positions):
    return rows[positions]


def by_iloc(rows, positions):
    return rows.iloc[positions]


def frame():
    """A pandas frame whose index does not count from zero."""
    return pandas.DataFrame(COLUMNS, index=np.arange(150)[::-1] * 3)


def table():
    """A pyarrow table whose columns are in several pieces."""
    return pyarrow.concat_tables(
        [pyarrow.table(COLUMNS).slice(0, 60), pyarrow.table(COLUMNS).slice(60)]
    )


def by_take(rows, positions):
    return rows.take(pyarrow.array(np.asarray(positions)))


CONTAINERS = {
    "floats": (NUMBERS, by_array, plain),
    "single precision": (NUMBERS.astype(np.float32), by_array, plain),
    "lists of lists": (NUMBERS.tolist(), by_list, plain),
    "csr matrix": (sp.csr_matrix(NUMBERS), by_array, plain),
    "csr array": (sp.csr_array(NUMBERS), by_array, plain),
    "pandas": (frame(), by_iloc, by_column),
    "polars": (polars.DataFrame(COLUMNS), by_array, by_column),
    "pyarrow": (table(), by_take, by_column),
    "list of texts": (TEXTS, by_list, of_texts),
    "array of texts": (np.array(TEXTS, dtype=object), by_array, of_texts),
    "pandas texts": (frame().assign(text=TEXTS)["text"], by_iloc, of_texts),
    "polars texts": (polars.Series("text", TEXTS), by_array, of_texts),
}

STRATEGIES = [
    Random(),
    Margin(),
    KCenterGreedy(),
    BADGE(),
    Subsample(Entropy(), n_candidates=40),
    Mixture([("uncertainty", Margin()), ("cover", KCenterGreedy())]),
]


def loop(rows, take, model, strategy, y=Y):
    """Play two rounds; return the learner and the rows queried."""
    known = np.arange(15)
    learner = ActiveLearner(model, strategy, random_state=0).fit(take(rows, known), y[known])
    pool, queried = np.arange(15, 150), []
    for _ in range(2):
        picked = pool[learner.query(take(rows, pool), 6)]
        learner.teach(take(rows, picked), y[picked])
        pool = np.setdiff1d(pool, picked)
        queried.extend(picked.tolist())
    return learner, queried


@pytest.mark.no_cover
@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: type(strategy).__name__)
@pytest.mark.parametrize("name", CONTAINERS)
def test_the_loop_runs_in_this_container(name, strategy):
    rows, take, make = CONTAINERS[name]
    learner, queried = loop(rows, take, make(), strategy)
    assert len(set(queried)) == 12
    assert type(learner.X_labeled_) is type(rows)
    known = np.r_[np.arange(15), queried]
    expected = make().fit(take(rows, known), Y[known])
    np.testing.assert_allclose(
        learner.predict_proba(rows), expected.predict_proba(rows), atol=1e-12
    )


@pytest.mark.parametrize("strategy", [Margin(), KCenterGreedy()], ids=repr)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("floats", "csr matrix"),
        ("floats", "csr array"),
        ("floats", "lists of lists"),
        ("pandas", "polars"),
        ("pandas", "pyarrow"),
        ("list of texts", "pandas texts"),
        ("list of texts", "polars texts"),
    ],
)
def test_the_container_does_not_change_the_answer(one, other, strategy):
    answers = []
    for name in (one, other):
        rows, take, make = CONTAINERS[name]
        learner = ActiveLearner(make(), strategy, random_state=0).fit(take(rows, range(15)), Y[:15])
        scores = learner.query(take(rows, range(15, 150)), 5)
        answers.append(NUMBERS[15:][scores] if "text" not in name else by_list(TEXTS[15:], scores))
    assert np.array_equal(np.sort(answers[0], axis=0), np.sort(answers[1], axis=0))


@pytest.mark.parametrize("name", CONTAINERS)
def test_pools_are_cut_into_chunks_in_this_container(name):
    rows, take, make = CONTAINERS[name]
    learner = ActiveLearner(make(), Margin(), random_state=0).fit(take(rows, range(15)), Y[:15])
    whole = learner.score_pool(rows)
    with config_context(working_memory=0.002):
        np.testing.assert_allclose(learner.score_pool(rows), whole, atol=1e-12)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", CONTAINERS)
def test_rows_are_imagined_in_this_container(name):
    rows, take, make = CONTAINERS[name]
    strategy = Subsample(ExpectedErrorReduction(), n_candidates=2)
    learner = ActiveLearner(make(), strategy, random_state=0).fit(take(rows, range(15)), Y[:15])
    assert len(learner.query(take(rows, range(15, 150)), 1)) == 1


@pytest.mark.parametrize("name", CONTAINERS)
def test_campaigns_are_played_in_this_container(name):
    rows, take, make = CONTAINERS[name]
    learner = ActiveLearner(make(), Margin())
    simulation = SimulatedLearner(learner, budget=20, batch_size=5, random_state=0).fit(rows, Y)
    known = np.sort(simulation.queried_)
    expected = make().fit(take(rows, known), Y[known])
    equal(simulation.predict(rows), expected.predict(rows))


# Labels -----------------------------------------------------------------------------------------

LABELS = {
    "strings": np.array(["setosa", "versicolor", "virginica"])[Y],
    "objects": np.array(["a", "bb", "ccc"], dtype=object)[Y],
    "negative numbers": np.array([-1, 1, -5])[Y],
    "two signs": np.where(Y == 0, -1, 1),
    "booleans": Y == 0,
    "a gap": np.array([0, 7, 9])[Y],
}


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("strategy", [Margin(), BADGE(), Entropy()], ids=repr)
def test_labels_of_this_kind_are_taught(name, strategy):
    labels = LABELS[name]
    learner, queried = loop(NUMBERS, by_array, GaussianNB(), strategy, labels)
    known = np.r_[np.arange(15), queried]
    expected = GaussianNB().fit(NUMBERS[known], labels[known])
    equal(learner.predict(NUMBERS), expected.predict(NUMBERS))
    equal(learner.classes_, np.unique(labels))
    assert learner.y_labeled_.dtype == labels.dtype


@pytest.mark.parametrize("name", LABELS)
def test_the_kind_of_label_does_not_change_the_answer(name):
    labels = LABELS[name]
    codes = np.searchsorted(np.unique(labels), labels)  # the same classes in the same order
    one, other = (loop(NUMBERS, by_array, GaussianNB(), Margin(), y)[1] for y in (labels, codes))
    assert one == other


@pytest.mark.parametrize("name", LABELS)
def test_labels_of_this_kind_are_imagined(name):
    labels = LABELS[name]
    codes = np.searchsorted(np.unique(labels), labels)
    scores = [
        ActiveLearner(GaussianNB(), ExpectedErrorReduction(), random_state=0)
        .fit(NUMBERS[:15], y[:15])
        .score_pool(NUMBERS[15:21])
        for y in (labels, codes)
    ]
    np.testing.assert_allclose(*scores, rtol=1e-9)


CLASSES = ["a", "bb", "ccc"]
KINDS = {"list": list, "array": np.array, "pandas": pandas.Series, "polars": polars.Series}


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("then", ["list", "array"])
def test_answers_join_labels_that_came_in_another_container(first, then):
    labels = [CLASSES[label] for label in Y]
    learner = ActiveLearner(GaussianNB(), random_state=0)
    learner.fit(NUMBERS[:15], KINDS[first](labels[:15]))
    learner.teach(NUMBERS[15:20], KINDS[then](labels[15:20]))
    assert list(learner.y_labeled_) == labels[:20]


@pytest.mark.parametrize("kind", KINDS)
def test_labels_in_this_container_can_be_imagined(kind):
    labels = [CLASSES[label] for label in Y[:15]]
    learner = ActiveLearner(GaussianNB(), ExpectedErrorReduction(), random_state=0)
    learner.fit(NUMBERS[:15], KINDS[kind](labels))
    expected = ActiveLearner(GaussianNB(), ExpectedErrorReduction(), random_state=0)
    expected.fit(NUMBERS[:15], np.array(labels))
    equal(learner.score_pool(NUMBERS[15:18]), expected.score_pool(NUMBERS[15:18]))


def test_longer_strings_are_not_cut():
    learner = ActiveLearner(GaussianNB(), random_state=0)
    two = np.flatnonzero(Y < 2)[:20]
    learner.fit(NUMBERS[two], np.array(["a", "b"])[Y[two]])
    learner.teach(NUMBERS[Y == 2][:5], np.array(["a longer one"] * 5))
    equal(learner.classes_, ["a", "a longer one", "b"])


def test_numbers_and_strings_do_not_mix_in_silence():
    learner = ActiveLearner(GaussianNB(), random_state=0).fit(NUMBERS[:15], Y[:15])
    with pytest.raises((TypeError, ValueError), match="label"):
        learner.teach(NUMBERS[15:17], ["0", "1"])
    assert learner.y_labeled_.dtype == Y.dtype


# Containers that do not go together ---------------------------------------------------------------


def test_a_frame_and_an_array_cannot_be_joined_and_nothing_changes():
    rows = frame()[["length", "width"]]
    learner = ActiveLearner(GaussianNB(), random_state=0).fit(rows[:15], Y[:15])
    with pytest.raises(TypeError, match=r"ndarray.*DataFrame.*same kind of container"):
        learner.teach(rows[15:20].to_numpy(), Y[15:20])
    assert len(learner.X_labeled_) == 15


def test_sparse_matrices_of_any_format_are_rows():
    rows = {kind: sp.csr_array(NUMBERS).asformat(kind) for kind in ("csr", "csc", "coo")}
    answers = [
        ActiveLearner(plain(), Margin(), random_state=0)
        .fit(rows["csr"][:15], Y[:15])
        .teach(matrix.tocsr()[15:20].asformat(kind), Y[15:20])
        .query(matrix, 5)
        for kind, matrix in rows.items()
    ]
    equal(answers[0], answers[1])
    equal(answers[0], answers[2])


def test_names_of_columns_are_the_models():
    learner = ActiveLearner(by_column(), random_state=0).fit(frame()[:15], Y[:15])
    equal(learner.feature_names_in_, list(COLUMNS))
    assert learner.n_features_in_ == 3


# Tensors and rows of more dimensions ------------------------------------------------------------


def net(n_inputs):
    pytest.importorskip("skorch")
    import torch
    from skorch import NeuralNetClassifier
    from torch import nn

    with torch.random.fork_rng([]):  # some weights leave no unit alive: all rows are the same then
        torch.manual_seed(0)
        module = nn.Sequential(nn.Flatten(), nn.Linear(n_inputs, 8), nn.ReLU(), nn.Linear(8, 3))
    return NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        max_epochs=3,
        train_split=None,
        verbose=0,
    )


@pytest.mark.no_cover
@pytest.mark.parametrize("shape", [(4,), (2, 2), (1, 2, 2)], ids=str)
@pytest.mark.parametrize("tensors", [False, True], ids=["arrays", "tensors"])
@pytest.mark.parametrize("strategy", [Margin(), KCenterGreedy(), BADGE()], ids=repr)
def test_nets_take_rows_of_any_shape(shape, tensors, strategy):
    rows = NUMBERS.astype(np.float32).reshape(-1, *shape)
    model = net(4)
    if tensors:
        import torch

        rows = torch.as_tensor(rows)
    learner, queried = loop(rows, by_array, model, strategy)
    assert len(set(queried)) == 12
    assert type(learner.X_labeled_) is type(rows)
    assert tuple(learner.X_labeled_.shape) == (27, *shape)
    np.testing.assert_allclose(learner.predict_proba(rows).sum(axis=1), 1.0, rtol=1e-5)


def test_images_of_another_size_are_refused():
    rows = NUMBERS.astype(np.float32).reshape(-1, 1, 2, 2)
    learner = ActiveLearner(net(4), random_state=0).fit(rows[:15], Y[:15])
    with pytest.raises(ValueError, match=r"rows of shape \(2, 2, 1\).*have shape \(1, 2, 2\)"):
        learner.query(rows.transpose(0, 2, 3, 1), 1)


def test_a_cold_start_on_images_flattens_them():
    rows = NUMBERS.astype(np.float32).reshape(-1, 1, 2, 2)
    flat, images = (
        ActiveLearner(net(4), KCenterGreedy(), random_state=0).query(each, 5)
        for each in (NUMBERS.astype(np.float32), rows)
    )
    equal(flat, images)


# Dense and sparse rows together -----------------------------------------------------------------

HOLES = np.where(np.abs(NUMBERS - NUMBERS.mean(axis=0)) < 0.3, 0.0, NUMBERS)


def untidy(rows):
    """Return a CSR matrix of `rows` whose entries are unsorted, in two parts, and partly zero."""
    full = np.repeat(rows, 2, axis=1) * np.tile([0.25, 0.75], rows.shape[1])  # in two parts
    columns = np.repeat(np.arange(rows.shape[1]), 2)[::-1]
    indptr = np.arange(len(rows) + 1) * len(columns)
    return sp.csr_matrix(
        (full[:, ::-1].ravel(), np.tile(columns, len(rows)), indptr), shape=rows.shape
    )


FORMS = {
    "dense": np.asarray,
    "lists": np.ndarray.tolist,
    "csr": sp.csr_matrix,
    "csc": sp.csc_array,
    "coo": sp.coo_array,
    "untidy": untidy,
}


@pytest.mark.parametrize(
    "strategy",
    [Auto, Margin, KCenterGreedy, KMeans, TypiClust, UHerding, DiscriminativeAL, BADGE],
)
def test_the_form_of_the_labeled_rows_does_not_change_the_answer(strategy):
    for pool_form in ("dense", "csr"):
        pool = FORMS[pool_form](HOLES[15:])
        answers = [
            ActiveLearner(plain(), strategy(), random_state=0).fit(form(HOLES[:15]), Y[:15])
            for form in FORMS.values()
        ]
        for learner in answers:
            equal(learner.query(pool, 4), answers[pool_form == "csr" and 2].query(pool, 4))


@pytest.mark.parametrize("strategy", [Auto(), KCenterGreedy(), KMeans()], ids=repr)
def test_the_form_of_a_sparse_pool_does_not_change_the_answer(strategy):
    learner = ActiveLearner(plain(), strategy, random_state=0).fit(HOLES[:15], Y[:15])
    answers = [learner.query(FORMS[f](HOLES[15:]), 4) for f in ("csr", "csc", "coo", "untidy")]
    for answer in answers:
        equal(answer, answers[0])


def test_targets_of_any_form_give_the_same_answer():
    for pool_form in ("dense", "csr"):
        answers = []
        for form in FORMS.values():
            strategy = FacilityLocationMutualInformation(targets=form(HOLES[:9]))
            learner = ActiveLearner(plain(), strategy, random_state=0).fit(HOLES[:15], Y[:15])
            answers.append(learner.query(FORMS[pool_form](HOLES[15:]), 4))
        for answer in answers:
            equal(answer, answers[0])


def test_labeled_rows_take_the_precision_of_the_pool():
    for one, other in ((np.float32, np.float64), (np.float64, np.float32)):
        learner = ActiveLearner(plain(), KCenterGreedy(), random_state=0)
        mixed = learner.fit(NUMBERS[:15].astype(one), Y[:15]).query(NUMBERS[15:].astype(other), 9)
        same = learner.fit(NUMBERS[:15].astype(other), Y[:15]).query(NUMBERS[15:].astype(other), 9)
        equal(mixed, same)


@pytest.mark.parametrize(("first", "then"), [("csr", "dense"), ("dense", "csr")])
def test_rows_of_the_other_form_are_taught(first, then):
    learner = ActiveLearner(plain(), KCenterGreedy(), random_state=0)
    learner.fit(FORMS[first](HOLES[:15]), Y[:15]).teach(FORMS[then](HOLES[15:17]), Y[15:17])
    assert n_rows(learner.X_labeled_) == 17
    expected = plain().fit(HOLES[:17], Y[:17])
    np.testing.assert_allclose(
        learner.predict_proba(HOLES), expected.predict_proba(HOLES), atol=1e-4
    )


# Odd rows ---------------------------------------------------------------------------------------


class OfAnything(GaussianNB):
    """A model that reads nothing of a row but its place."""

    def fit(self, X, y):
        return super().fit(np.arange(n_rows(X))[:, np.newaxis], y)

    def predict_proba(self, X):
        return super().predict_proba(np.arange(n_rows(X))[:, np.newaxis])


class OnDisk:
    """A data set that is read in pieces: ascending positions only, as in HDF5 files."""

    def __init__(self, rows):
        self.rows, self.shape, self.dtype = rows, rows.shape, rows.dtype

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, key):
        if not isinstance(key, slice) and np.any(np.diff(key) <= 0):
            raise TypeError("Positions must ascend.")
        return self.rows[key]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.rows, dtype)


def make_odd_pools():
    """Make pools of 30 rows, and whether they make an embedding."""
    from decimal import Decimal
    from pathlib import Path

    days, ones = pandas.date_range("2020", periods=30), np.ones(30)
    records = np.zeros(30, [("a", "f8"), ("b", "i4")])
    return {
        "on disk": (OnDisk(NUMBERS[:30]), True),
        "paths": ([Path(f"{i}.png") for i in range(30)], False),
        "records": ([{"a": i} for i in range(30)], False),
        "objects": ([object() for _ in range(30)], False),
        "none": ([None] * 30, False),
        "decimals": ([Decimal(i) for i in range(30)], True),
        "huge numbers": ([10**400 + i for i in range(30)], False),
        "ragged lists": ([[0.0] * (i % 3 + 1) for i in range(30)], False),
        "dates": (list(days), False),
        "durations": (days.to_numpy() - days.to_numpy()[0], False),
        "complex": (NUMBERS[:30] + 1j, False),
        "infinity": (np.full((30, 2), np.inf), False),
        "1e200": (NUMBERS[:30] * 1e200, False),
        "1e-200": (NUMBERS[:30] * 1e-200, True),
        "no columns": (np.zeros((30, 0)), False),
        "structured": (records, True),
        "record array": (records.view(np.recarray), True),
        "masked": (np.ma.array(NUMBERS[:30], mask=NUMBERS[:30] > 6), False),
        "matrix": (MATRIX, True),
        "bytes": (np.array([b"a", b"b"] * 15), False),
        "periods": (pandas.DataFrame({"t": days.to_period("D"), "x": ones}), False),
        "intervals": (pandas.DataFrame({"t": pandas.interval_range(0, 30)}), False),
        "categories": (pandas.DataFrame({"t": pandas.Categorical(["a", "b"] * 15)}), False),
        "missing": (pandas.DataFrame({"t": pandas.array([1, None] * 15, dtype="Int64")}), False),
        "equal names": (pandas.DataFrame(NUMBERS[:30, :2], columns=["a", "a"]), True),
        "index": (pandas.Index(range(30)), True),
        "multi-index": (pandas.MultiIndex.from_arrays([range(30), range(30)]), False),
        "extension array": (pandas.array(range(30)), True),
        "polars dates": (polars.DataFrame({"t": days.to_numpy()}), False),
        "polars structs": (polars.DataFrame({"t": [{"a": 1}] * 30}), False),
        "arrow dates": (pyarrow.table({"t": days}), False),
        "arrow batch": (pyarrow.table({"a": NUMBERS[:30, 0]}).to_batches()[0], True),
        "arrow array": (pyarrow.array(NUMBERS[:30, 0]), True),
        "range": (range(30), True),
        "key to value": (sp.dok_matrix(NUMBERS[:30]), True),
        "no entries": (sp.csr_matrix((30, 4)), True),
        "complex sparse": (sp.csr_matrix(NUMBERS[:30] + 1j), False),
        "inputs of texts": ({"text": ["a"] * 30, "x": ones}, False),
    }


ODD_POOLS = make_odd_pools()


@pytest.mark.parametrize("name", ODD_POOLS)
@pytest.mark.parametrize("cold", [True, False], ids=["cold", "fitted"])
@pytest.mark.filterwarnings("ignore::skactive.exceptions.SkactiveWarning")
def test_odd_rows_end_in_picks_or_in_an_error_that_names_embedder(name, cold):
    pool, has_embedding = ODD_POOLS[name]
    for strategy in (Random(), Auto(), KCenterGreedy(), KMeans()):
        learner = ActiveLearner(OfAnything(), strategy, random_state=0)
        if not cold:
            learner.fit(take_rows(pool, [2, 0, 1]), [0, 1, 1]).teach(
                take_rows(pool, [3, 4]), [0, 1]
            )
        if has_embedding or isinstance(strategy, Random | Auto):
            assert len(set(learner.query(pool, 3).tolist())) == 3
        else:
            with pytest.raises(InvalidReadingError, match="embedder="):
                learner.query(pool, 3)


def test_odd_tensors_are_rows():
    torch = pytest.importorskip("torch")
    rows = torch.tensor(NUMBERS)
    expected = ActiveLearner(OfAnything(), KCenterGreedy(), random_state=0).query(rows.float(), 5)
    for X in (rows.bfloat16(), rows.half(), rows.to_sparse(), rows.requires_grad_()):
        picks = ActiveLearner(OfAnything(), KCenterGreedy(), random_state=0).query(X, 5)
        assert len(set(picks.tolist())) == 5
        assert X.dtype == torch.bfloat16 or X.dtype == torch.half or np.array_equal(picks, expected)


@pytest.mark.parametrize("pool", [[], np.zeros((0, 4)), sp.csr_matrix((0, 4)), frame()[:0]])
def test_an_empty_pool_is_exhausted(pool):
    with pytest.raises(PoolExhaustedError, match="0 left"):
        ActiveLearner(plain(), random_state=0).query(pool, 1)


def test_one_row_is_taught_as_the_error_advises():
    learner = ActiveLearner(plain(), random_state=0).fit(NUMBERS[:15], Y[:15])
    for label in (Y[15], [Y[15]]):
        with pytest.raises(TeachValueError, match=r"pass X\[\[i\]\]"):
            learner.teach(NUMBERS[15], label)
    with pytest.raises(ValueError, match=r"pass X_pool\[\[i\]\]"):
        learner.query(NUMBERS[15])
    i = 15
    assert len(learner.teach(NUMBERS[[i]], [Y[i]]).y_labeled_) == 16
    assert learner.query(NUMBERS[[i]]).tolist() == [0]


def test_a_memory_map_is_read_without_a_copy_of_it(tmp_path):
    import tracemalloc

    shape = (100_000, 20)
    rows = np.lib.format.open_memmap(tmp_path / "rows.npy", "w+", np.float64, shape)  # 16 MB
    rows[:] = np.random.RandomState(0).normal(size=shape)
    learner = ActiveLearner(GaussianNB(), Random(), random_state=0).fit(rows[:15], Y[:15])
    tracemalloc.start()
    learner.query(rows, 5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < rows.nbytes / 4
