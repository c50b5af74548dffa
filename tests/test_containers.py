"""Rows and labels in every container, end to end: fit, query, teach, query."""

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
from skactive.strategies import (
    BADGE,
    Entropy,
    ExpectedErrorReduction,
    KCenterGreedy,
    Margin,
    Mixture,
    Random,
    Subsample,
)

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")

NUMBERS, Y = load_iris(return_X_y=True)
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


CONTAINERS = {
    "floats": (NUMBERS, by_array, plain),
    "single precision": (NUMBERS.astype(np.float32), by_array, plain),
    "lists of lists": (NUMBERS.tolist(), by_list, plain),
    "csr matrix": (sp.csr_matrix(NUMBERS), by_array, plain),
    "csr array": (sp.csr_array(NUMBERS), by_array, plain),
    "pandas": (frame(), by_iloc, by_column),
    "polars": (polars.DataFrame(COLUMNS), by_array, by_column),
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
