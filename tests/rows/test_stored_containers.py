"""Containers that are not in memory: the loop, simulations, comparisons and sessions on each.

All hold the same rows, and are read in blocks of 16 rows or so: the picks must be those in memory.
"""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearner, SimulatedLearner
from skactive._utils.fingerprint import describe_rows, hash_rows
from skactive._utils.rows import are_stored, collect_rows, n_rows, take_rows
from skactive.comparison import compare_strategies
from skactive.labeling import LabelingSession
from skactive.rows import LoadedRows
from skactive.strategies import BADGE, BALD, EPIG, Auto, KCenterGreedy, Margin

X, Y = load_iris(return_X_y=True)
ORDER = np.random.RandomState(0).permutation(len(X))
X, Y = X[ORDER], Y[ORDER]
NAMES = ["a", "b", "c", "d"]
FEW_ROWS = 2**-8  # MiB of working memory: 32 rows at a time, and less than all rows
START = np.r_[0:12]
EMBEDDER = StandardScaler()


def make_memmap(folder):
    rows = np.lib.format.open_memmap(folder / "rows.npy", "w+", X.dtype, X.shape)
    rows[:] = X
    return np.load(folder / "rows.npy", mmap_mode="r")


def make_zarr(folder):
    zarr = pytest.importorskip("zarr")
    rows = zarr.create_array(str(folder / "rows.zarr"), shape=X.shape, chunks=(11, 4), dtype="f8")
    rows[:] = X
    return rows


def make_h5py(folder):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "rows.h5", "w") as file:
        file["rows"] = X
    return h5py.File(folder / "rows.h5", "r")["rows"]


def make_parquet(folder):
    """Write a folder of two files, of several row groups each."""
    pytest.importorskip("pyarrow")
    from pyarrow import dataset, parquet, table

    (folder / "parts").mkdir()
    for name, rows in (("0", X[:61]), ("1", X[61:])):
        columns = table(dict(zip(NAMES, rows.T, strict=True)))
        parquet.write_table(columns, folder / "parts" / f"{name}.parquet", row_group_size=17)
    return dataset.dataset(folder / "parts")


def make_filtered(folder):
    pytest.importorskip("pyarrow")
    from pyarrow import dataset, table

    rows = np.vstack([X[:70], np.full((5, 4), -1.0), X[70:]])
    everything = dataset.dataset(table(dict(zip(NAMES, rows.T, strict=True))))
    return everything.filter(dataset.field("a") >= 0)


def make_lazy_frame(folder):
    polars = pytest.importorskip("polars")
    polars.DataFrame(X, schema=NAMES).write_parquet(folder / "rows.parquet")
    return polars.scan_parquet(folder / "rows.parquet")


def make_hugging_face(folder):
    datasets = pytest.importorskip("datasets")
    return datasets.Dataset.from_dict(dict(zip(NAMES, X.T.tolist(), strict=True)))


def make_hugging_face_vectors(folder):
    datasets = pytest.importorskip("datasets")
    return datasets.Dataset.from_dict({"vector": X.tolist()})


def make_hugging_face_column(folder):
    return make_hugging_face_vectors(folder)["vector"]


def make_torch_pairs(folder):
    torch = pytest.importorskip("torch")
    return torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))


def make_torch_items(folder):
    torch = pytest.importorskip("torch")

    class Items(torch.utils.data.Dataset):
        def __len__(self):
            return len(X)

        def __getitem__(self, position):
            return X[position].tolist()

    return Items()


def make_paths(folder):
    for position, row in enumerate(X):
        np.save(folder / f"{position}.npy", row)
    return LoadedRows([folder / f"{position}.npy" for position in range(len(X))], np.load)


def make_data_array(folder):
    xarray = pytest.importorskip("xarray")
    return xarray.DataArray(X, dims=("row", "column"))


def make_xarray(folder):
    xarray = pytest.importorskip("xarray")
    return xarray.Dataset({name: ("row", X[:, i]) for i, name in enumerate(NAMES)})


def make_dask_array(folder):
    array = pytest.importorskip("dask.array")
    return array.from_array(X, chunks=(19, 4))


def make_dask_frame(folder):
    frame = pytest.importorskip("dask.dataframe")
    pandas = pytest.importorskip("pandas")
    return frame.from_pandas(pandas.DataFrame(X, columns=NAMES), npartitions=7)


MAKERS = {
    "memmap": make_memmap,
    "zarr": make_zarr,
    "h5py": make_h5py,
    "parquet": make_parquet,
    "filtered": make_filtered,
    "polars": make_lazy_frame,
    "datasets": make_hugging_face,
    "datasets vectors": make_hugging_face_vectors,
    "datasets column": make_hugging_face_column,
    "torch pairs": make_torch_pairs,
    "torch items": make_torch_items,
    "paths": make_paths,
    "xarray": make_data_array,
    "xarray data set": make_xarray,
    "dask": make_dask_array,
    "dask frame": make_dask_frame,
}


def model():
    return make_pipeline(StandardScaler(), LogisticRegression())


@pytest.fixture(params=MAKERS)
def rows(request, tmp_path):
    with config_context(working_memory=FEW_ROWS), warnings.catch_warnings():
        if request.param.startswith("datasets"):  # its own, of fork and of names it will drop
            warnings.simplefilter("ignore")
        made = MAKERS[request.param](tmp_path)
        assert are_stored(made)
        yield made


@pytest.fixture(scope="module")
def in_memory():
    """Return what `play` and `simulate` pick among the rows in memory, by their arguments."""
    answers = {}

    def look_up(function, *args):
        key = (function.__name__, repr(args))
        if key not in answers:
            answers[key] = function(X, *args)
        return answers[key]

    return look_up


def play(rows, strategy, embedder=None, estimator=None):
    """Play two rounds; the pool is the whole container."""
    estimator = model() if estimator is None else estimator
    learner = ActiveLearner(estimator, strategy, embedder=embedder, random_state=0)
    learner.fit(take_rows(rows, START), Y[START])
    picks = []
    for _ in range(2):
        picks.append(learner.query(rows, 5))
        learner.teach(take_rows(rows, picks[-1]), Y[picks[-1]])
    return np.concatenate(picks)


def simulate(rows, strategy, embedder=None, estimator=None):
    estimator = model() if estimator is None else estimator
    learner = ActiveLearner(estimator, strategy, embedder=embedder)
    simulation = SimulatedLearner(
        learner, budget=40, batch_size=6, audit_share=0.2, random_state=0
    ).fit(rows, Y)
    return simulation.queried_


def test_picks_are_those_in_memory(rows, in_memory):
    for strategy in (Margin(), KCenterGreedy()):
        assert_array_equal(play(rows, strategy), in_memory(play, strategy))
        assert_array_equal(simulate(rows, strategy), in_memory(simulate, strategy))


@pytest.mark.parametrize(
    "strategy", [Auto(), BADGE(), EPIG(), BALD()], ids=lambda s: type(s).__name__
)
def test_each_reading_is_made_block_by_block(strategy, in_memory, tmp_path):
    estimator = RandomForestClassifier(5, random_state=0)
    expected = in_memory(play, strategy, None, estimator)
    with config_context(working_memory=FEW_ROWS):
        assert_array_equal(play(make_memmap(tmp_path), strategy, None, estimator), expected)


@pytest.mark.parametrize("estimator", [model(), LogisticRegression()], ids=["pipeline", "plain"])
def test_an_embedder_is_fitted_to_rows_that_are_stored(estimator, in_memory, tmp_path):
    arguments = KCenterGreedy(), EMBEDDER, estimator
    with config_context(working_memory=FEW_ROWS):
        for play_out in (play, simulate):
            picks = play_out(make_memmap(tmp_path), *arguments)
            assert_array_equal(picks, in_memory(play_out, *arguments))


def test_rows_are_taken_in_any_order(rows):
    assert n_rows(rows) == len(X)
    for positions in ([149, 3, 3, 60, 61], [], np.arange(150)[::-1], np.arange(150) % 7 == 3):
        taken = take_rows(rows, positions)
        assert_array_equal(np.asarray(taken, dtype=float).reshape(-1, 4), X[positions])


def test_predictions_and_scores_are_those_in_memory(rows):
    learner = ActiveLearner(model(), random_state=0).fit(take_rows(rows, np.arange(60)), Y[:60])
    whole = collect_rows(rows)
    assert_array_equal(learner.predict(rows), learner.predict(whole))
    np.testing.assert_allclose(learner.predict_proba(rows), learner.predict_proba(whole))
    assert learner.score(rows, Y) == learner.score(whole, Y) > 0.8
    assert len(learner.explain(rows, [3, 140])) == 2


def test_digests_are_of_the_contents(rows):
    assert describe_rows(rows) == describe_rows(rows)
    assert len(set(hash_rows(rows).tolist())) == len(set(map(tuple, X.tolist()))) or isinstance(
        rows, LoadedRows
    )
    assert describe_rows(take_rows(rows, [0, 1])) != describe_rows(take_rows(rows, [0, 2]))


def test_a_session_asks_about_stored_rows_and_resumes(rows, tmp_path):
    store = tmp_path / "labels.db"

    def open_session():
        learner = ActiveLearner(model(), Margin(), random_state=0)
        return LabelingSession(
            learner,
            rows,
            classes=[0, 1, 2],
            store=store,
            refit_every=4,
            background=False,
            random_state=0,
        )

    with open_session() as session:
        for _ in range(9):
            batch = session.next_batch()
            assert_array_equal(
                np.asarray(batch.rows, dtype=float).reshape(1, -1), X[[batch.ids[0]]]
            )
            session.submit({ident: int(Y[ident]) for ident in batch.ids})
        assert session.rounds
    with open_session() as session:
        assert len(session.labels) == 9


def test_strategies_are_compared_on_stored_rows(rows):
    def compare(X):
        learner = ActiveLearner(model())
        return compare_strategies(
            learner,
            {"margin": Margin()},
            X,
            Y,
            budget=20,
            batch_size=5,
            n_initial=10,
            n_repeats=1,
            random_state=0,
        )

    runs = [compare(data).runs[0].scores for data in (rows, X)]
    np.testing.assert_allclose(*runs)
