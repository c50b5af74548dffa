"""LoadedRows: paths and a function that loads one row."""

import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner, SimulatedLearner
from skactive._utils.fingerprint import describe_rows
from skactive._utils.rows import collect_rows, take_rows
from skactive.labeling import LabelingSession
from skactive.labeling.exporting._data import read_pool
from skactive.labeling.page._rendering import Renderer
from skactive.rows import LoadedRows
from skactive.strategies import Margin

N_DIMS = 16
PATHS = [f"row-{i}.npy" for i in range(60)]


def load(path):
    """Return a row that depends on the number in the name of the file."""
    return np.full(N_DIMS, float(path.split("-")[1].removesuffix(".npy")) % 1000)


def test_memory_is_flat_in_a_million_paths():
    contents = [np.full(N_DIMS, i / 500 - 1) for i in range(1000)]
    files = {f"{i}.npy": contents[i % 1000] for i in range(1_000_000)}
    paths = list(files)
    learner = ActiveLearner(LogisticRegression(), Margin(), random_state=0)
    learner.fit([contents[0], contents[999]], [0, 1])
    with config_context(working_memory=8):  # MiB
        tracemalloc.start()
        picks = learner.query(LoadedRows(paths, files.__getitem__), 5)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert set(picks % 1000) <= {499, 500}
    assert peak < 40e6  # all rows would be 128 MB; a score per row and its order are 16 MB


def test_a_query_loads_each_row_once():
    loaded = []

    def load_noted(path):
        loaded.append(path)
        return load(path)

    learner = ActiveLearner(LogisticRegression(), Margin(), random_state=0)
    learner.fit([load("row-0"), load("row-59")], [0, 1])
    with config_context(working_memory=2**-9):
        learner.query(LoadedRows(PATHS, load_noted), 5)
    assert loaded == [PATHS[0], *PATHS]  # the first also tells what rows are like


def test_rows_are_loaded_in_threads_in_their_order():
    names = set()

    def load_noted(path):
        names.add(threading.current_thread().name)
        return load(path)

    rows = LoadedRows(PATHS, load_noted, n_threads=3)
    assert_array_equal(collect_rows(rows)[:, 0], np.arange(60.0))
    assert_array_equal(take_rows(rows, [7, 3, 3])[:, 0], [7, 3, 3])
    assert threading.main_thread().name not in names


def test_texts_and_several_inputs_are_rows_too():
    texts = LoadedRows(range(40), lambda i: "good day" if i % 2 else "bad night")
    model = make_pipeline(CountVectorizer(), LogisticRegression())
    with config_context(working_memory=1e-4):
        simulation = SimulatedLearner(ActiveLearner(model), budget=20, random_state=0)
        simulation.fit(texts, np.arange(40) % 2)
        assert simulation.score(texts, np.arange(40) % 2) == 1.0
    both = LoadedRows(range(40), lambda i: {"a": [i, 1.0], "b": "text"})
    taken = take_rows(both, [4, 2])
    assert_array_equal(taken["a"], [[4, 1], [2, 1]])
    assert taken["b"] == ["text", "text"]


def test_rows_of_different_shapes_stay_a_list():
    taken = collect_rows(LoadedRows([2, 2, 3], np.zeros))
    assert [len(row) for row in taken] == [2, 2, 3]


def test_whole_and_broken_numbers_are_not_truncated():
    assert collect_rows(LoadedRows([1, 2.5, 3], lambda x: x)).tolist() == [1.0, 2.5, 3.0]


def test_a_selection_is_loaded_later():
    rows = LoadedRows(PATHS, load)
    assert len(rows[10:20]) == 10
    assert_array_equal(collect_rows(rows[[5, 1]]), [load(PATHS[5]), load(PATHS[1])])
    assert_array_equal(rows[-1], load(PATHS[-1]))
    with pytest.raises(IndexError):
        rows[60]


def test_the_pool_of_a_session_is_known_by_its_paths_without_loading():
    def refuse(path):
        raise AssertionError(path)

    assert describe_rows(LoadedRows(PATHS, refuse)) == describe_rows(LoadedRows(PATHS, load))
    assert describe_rows(LoadedRows(PATHS[:-1], load)) != describe_rows(LoadedRows(PATHS, load))
    as_paths = LoadedRows([Path(path) for path in PATHS], refuse)
    assert describe_rows(as_paths) == describe_rows(LoadedRows(PATHS, refuse))


def test_people_see_the_file_and_its_name_is_exported():
    learner = ActiveLearner(GaussianNB(), Margin(), random_state=0)
    with LabelingSession(learner, LoadedRows(PATHS, load), classes=[0, 1], background=False) as s:
        assert Renderer(render="text")(s.X, 3)["text"] == PATHS[3]
        assert read_pool(s.X) == {"file": PATHS}
        assert len(s.next_batch(2).rows) == 2


def test_a_loader_that_fails_names_the_path():
    def load_or_fail(path):
        return [1.0] if path == "there" else Path(path).read_bytes()

    rows = LoadedRows(["there", "gone"], load_or_fail)
    learner = ActiveLearner(GaussianNB(), Margin(), random_state=0).fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(FileNotFoundError) as caught:
        learner.query(rows, 1)
    assert "'gone'" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("folder", load), "paths must be a list"),
        ((iter(PATHS), load), "paths must be a list"),
        ((PATHS, "load"), "load must be a function"),
    ],
    ids=["one path", "iterator", "no function"],
)
def test_what_is_no_list_of_paths_is_refused(arguments, message):
    with pytest.raises(TypeError, match=message):
        LoadedRows(*arguments)
    with pytest.raises(ValueError, match="n_threads"):
        LoadedRows(PATHS, load, n_threads=0)
