"""Reading by single sources, and their errors; test_stored_containers.py has the loop on each."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner
from skactive._utils.rows import are_stored, collect_rows, select_rows, take_rows
from skactive._utils.stored_rows import open_rows
from skactive.annotators import ModelAnnotator
from skactive.estimation import audit
from skactive.labeling.exporting._data import read_pool
from skactive.labeling.page._rendering import take_row
from skactive.quality import LabelQuality
from skactive.strategies import Margin

X = np.arange(200.0).reshape(50, 4)


def test_a_small_memory_map_is_an_array_and_a_large_one_is_not(tmp_path):
    np.save(tmp_path / "rows.npy", X)
    rows = np.load(tmp_path / "rows.npy", mmap_mode="r")
    assert not are_stored(rows)
    with config_context(working_memory=2**-10):
        assert are_stored(rows)
        assert not are_stored(take_rows(rows, [1, 2]))
        assert np.shares_memory(take_rows(rows, slice(2, 40)), rows)


def test_only_row_groups_with_wanted_rows_are_read(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import dataset, parquet

    path = tmp_path / "rows.parquet"
    parquet.write_table(pyarrow.table({"a": X[:, 0], "b": X[:, 1]}), path, row_group_size=10)
    rows = open_rows(dataset.dataset(path))
    read = []

    class Piece:
        def __init__(self, number, piece):
            self.number, self.piece = number, piece

        def to_table(self, **options):
            read.append(self.number)
            return self.piece.to_table(**options)

    assert rows.source._offsets.tolist() == [0, 10, 20, 30, 40, 50]
    rows.source._pieces[:] = [Piece(*pair) for pair in enumerate(rows.source._pieces)]
    assert take_rows(rows, [49, 11, 19])["a"].to_pylist() == X[[49, 11, 19], 0].tolist()
    assert read == [1, 4]
    assert pickle.loads(pickle.dumps(rows)).source.count() == 50


def test_a_data_set_of_an_open_file_is_opened_again_in_other_processes(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["deep/rows"], file["texts"] = X, ["ä", "b", "c"]
    with h5py.File(tmp_path / "rows.h5", "r") as file:
        pickled = pickle.dumps(select_rows(file["deep/rows"], [4, 2, 40]))
        assert collect_rows(file["texts"]).tolist() == ["ä", "b", "c"]
    assert_array_equal(collect_rows(pickle.loads(pickled)), X[[4, 2, 40]])


def test_texts_of_hugging_face_go_into_a_vectorizer():
    datasets = pytest.importorskip("datasets")
    texts = [f"{'good' if i % 2 else 'bad'} day {i}" for i in range(40)]
    rows = datasets.Dataset.from_dict({"text": texts, "n": list(range(40))})
    model = make_pipeline(CountVectorizer(), LogisticRegression())
    learner = ActiveLearner(model, Margin(), random_state=0)
    learner.fit(rows.select_columns("text").select(range(8)), np.arange(8) % 2)
    picks = learner.query(rows["text"], 3)
    assert_array_equal(picks, learner.query(texts, 3))
    frame = take_rows(rows, [3, 1])
    assert frame.to_dict("list") == {"text": [texts[3], texts[1]], "n": [3, 1]}
    assert take_row(open_rows(rows), 2).to_dict() == {"text": texts[2], "n": 2}
    assert read_pool(open_rows(rows)) == {"text": texts, "n": list(range(40))}


def test_pictures_and_formats_of_hugging_face_are_decoded_by_it():
    datasets = pytest.importorskip("datasets")
    image = pytest.importorskip("PIL.Image")
    pixels = np.arange(96, dtype=np.uint8).reshape(2, 4, 4, 3)
    features = datasets.Features({"picture": datasets.Image()})
    pictures = [image.fromarray(rows) for rows in pixels]
    rows = datasets.Dataset.from_dict({"picture": pictures}, features=features)
    assert_array_equal(collect_rows(rows), pixels)
    vectors = datasets.Dataset.from_dict({"v": X.tolist(), "w": X.tolist()})
    both = take_rows(vectors.with_format("torch"), [1, 0])
    assert_array_equal(both["w"], X[[1, 0]])


def test_dicts_of_torch_are_several_inputs():
    torch = pytest.importorskip("torch")

    class Pairs(torch.utils.data.Dataset):
        def __len__(self):
            return 50

        def __getitem__(self, position):
            return {"a": torch.from_numpy(X[position]), "b": float(position)}, 1

    taken = take_rows(Pairs(), [7, 3])
    assert_array_equal(taken["a"], X[[7, 3]])
    assert taken["b"].tolist() == [7.0, 3.0]


def test_stored_inputs_stay_stored_in_a_dict_of_inputs():
    array = pytest.importorskip("dask.array")
    rows = {"a": array.from_array(X), "b": X[:, 0]}
    selected = select_rows(rows, [4, 2])
    assert are_stored(selected)
    collected = collect_rows(selected)
    assert_array_equal(collected["a"], X[[4, 2]])
    assert_array_equal(collected["b"], X[[4, 2], 0])
    assert take_row(rows | {"a": open_rows(rows["a"])}, 3)["a"].tolist() == X[3].tolist()


def test_lengths_that_dask_does_not_know_are_computed():
    array = pytest.importorskip("dask.array")
    rows = array.from_array(X, chunks=(7, 4))
    rows = rows[rows[:, 0] > 20]
    assert_array_equal(collect_rows(rows), X[6:])
    assert np.isnan(rows.shape[0])  # the user's stays as it is


def test_variables_of_several_dimensions_are_inputs():
    xarray = pytest.importorskip("xarray")
    rows = xarray.Dataset({"a": (("row", "x"), X), "b": ("row", X[:, 0])})
    taken = take_rows(rows, [9, 8])
    assert_array_equal(taken["a"], X[[9, 8]])
    with pytest.raises(ValueError, match="same first dimension"):
        take_rows(rows.assign(c=("other", [1.0, 2.0])), [0])


def test_rows_without_positions_are_refused():
    torch = pytest.importorskip("torch")

    class Endless(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(X)

    class Triples(torch.utils.data.Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, position):
            return X[0], 1, 2

    learner = ActiveLearner(LogisticRegression(), Margin()).fit(X[:2], [0, 1])
    with pytest.raises(TypeError, match="whose rows have no positions"):
        learner.query(Endless())
    with pytest.raises(TypeError, match="3 parts: expected a row, or a pair"):
        learner.query(Triples())


def test_an_array_in_memory_imports_no_library_of_containers():
    program = (
        "import sys, numpy as np\n"
        "from sklearn.linear_model import LogisticRegression as Model\n"
        "X = np.eye(4)\n"
        "Model().fit(X, [0, 1, 0, 1])\n"  # scikit-learn imports some of them itself
        "before = set(sys.modules)\n"
        "import skactive.rows\n"
        "from skactive import ActiveLearner\n"
        "ActiveLearner(Model()).fit(X, [0, 1, 0, 1]).query(X)\n"
        "heavy = {'zarr', 'h5py', 'pyarrow', 'polars', 'datasets', 'torch', 'xarray', 'dask'}\n"
        "print(sorted(heavy & set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout.strip() == "[]", ran.stderr


def test_audits_qualities_and_annotators_read_stored_rows():
    array = pytest.importorskip("dask.array")
    y = np.arange(50) % 2
    rows, model = array.from_array(X, chunks=(7, 4)), LogisticRegression(max_iter=500).fit(X, y)
    assert audit(model, rows, y).value == audit(model, X, y).value
    qualities = [LabelQuality(model).fit(each, y).quality_ for each in (rows, X)]
    assert_array_equal(*qualities)
    assert_array_equal(*(ModelAnnotator(model).annotate(each).labels for each in (rows, X)))
