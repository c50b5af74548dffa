"""register_rows: containers of third parties."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner, SimulatedLearner
from skactive._utils.fingerprint import describe_rows, hash_rows
from skactive._utils.rows import join_rows, n_rows, take_rows
from skactive.rows import register_rows
from skactive.strategies import Entropy

X = np.random.RandomState(0).normal(size=(90, 3))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


class Shards:
    """Rows in several pieces; `reads` are the numbers of rows that were read at once."""

    def __init__(self, pieces):
        self.pieces, self.reads = pieces, []


def take_from_shards(shards, positions):
    assert (np.diff(positions) > 0).all()
    shards.reads.append(len(positions))
    return np.concatenate(shards.pieces)[positions].tolist()


def register_shards(**operations):
    defaults = {
        "count": lambda shards: sum(map(len, shards.pieces)),
        "take": take_from_shards,
        "to_model": np.asarray,
    }
    register_rows(Shards, **(defaults | operations))


def test_a_registered_container_is_read_block_by_block():
    register_shards()
    shards = Shards([X[:40], X[40:]])

    def simulate(rows):
        simulation = SimulatedLearner(
            ActiveLearner(GaussianNB(), Entropy()), budget=30, random_state=0
        )
        return simulation.fit(rows, Y).queried_

    expected = simulate(X)
    with config_context(working_memory=2**-10):  # 1 kiB, 11 rows
        assert_array_equal(simulate(shards), expected)
    assert max(shards.reads) <= 30  # the labeled rows


def test_a_digest_saves_reading():
    register_shards()
    by_contents = hash_rows(Shards([X]))
    register_shards(digest=lambda shards, positions: positions + 7)
    shards = Shards([X])
    assert hash_rows(shards).tolist() == list(range(7, 97))
    assert describe_rows(shards) != describe_rows(Shards([X[:-1]]))
    assert not shards.reads
    assert_array_equal(by_contents, hash_rows(X))
    register_shards(digest=lambda shards, positions: ["a"] * len(positions))
    with pytest.raises(ValueError, match="an integer for each of 90 rows"):
        hash_rows(Shards([X]))


class Columns:
    """A container in memory that a model takes as it is."""

    def __init__(self, *columns):
        self.columns_ = columns

    def __array__(self, dtype=None, copy=None):
        return np.column_stack(self.columns_)


def take_columns(rows, positions):
    return Columns(*(column[positions] for column in rows.columns_))


def test_labeled_rows_of_a_container_are_joined_as_it_says():
    def join(first, second):
        return Columns(*map(np.concatenate, zip(first.columns_, second.columns_, strict=True)))

    def count(rows):
        return len(rows.columns_[0])

    register_rows(Columns, count=count, take=take_columns, join=join)
    rows = Columns(*X.T)
    assert n_rows(rows) == 90
    joined = join_rows(take_rows(rows, [3, 1]), take_rows(rows, [5]))
    assert isinstance(joined, Columns)
    assert_array_equal(np.asarray(joined), X[[3, 1, 5]])

    class Model(GaussianNB):
        def fit(self, X, y):
            assert isinstance(X, Columns)
            return super().fit(np.asarray(X), y)

    learner = ActiveLearner(Model(), Entropy(), random_state=0)
    learner.fit(take_rows(rows, np.arange(9)), Y[:9])
    learner.teach(take_rows(rows, [20, 21]), Y[[20, 21]])
    assert isinstance(learner.X_labeled_, Columns)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": Shards([]), "take": take_from_shards}, "kind must be a class"),
        ({"kind": Shards, "take": None}, "take must be a function, got None"),
        ({"kind": Shards, "take": list, "join": 3}, "join must be a function or None, got 3"),
    ],
    ids=["object", "no take", "no function"],
)
def test_what_is_no_registration_is_refused(arguments, message):
    with pytest.raises(TypeError, match=message):
        register_rows(**arguments)
