"""ExampleSelector: which rows become examples, and which of them a prompt shows, in which order."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator

from skactive.annotators import ExampleSelector
from skactive.selectors import facility_location, k_center_greedy

X, Y = load_iris(return_X_y=True)
TEXTS = ["good film", "great film", "dull plot", "bad plot", "great cast", "bad acting"]
LABELS = ["+", "+", "-", "-", "+", "-"]


def test_a_prompt_has_the_prefix_first_and_then_the_nearest_last():
    examples = ExampleSelector(n_examples=20, per_query=7, n_fixed=3).fit(X, Y)
    prompts = examples.choose(X)
    assert prompts.shape == (150, 7)
    assert (prompts[:, :3] == [0, 1, 2]).all()
    distances = np.linalg.norm(X[:, np.newaxis] - examples.rows_[3:], axis=2)  # (150, 17)
    shown = np.take_along_axis(distances, prompts[:, 3:] - 3, axis=1)  # (150, 4)
    np.testing.assert_allclose(shown, np.sort(distances, axis=1)[:, 3::-1])
    np.testing.assert_array_equal(examples.rows_, X[examples.positions_])
    np.testing.assert_array_equal(examples.labels_, Y[examples.positions_])


def test_classes_have_as_many_examples_and_take_turns():
    few = np.r_[0:50, 50:52, 100:150]  # two rows of the second class
    examples = ExampleSelector(k_center_greedy, n_examples=10).fit(X[few], Y[few])
    assert examples.labels_.tolist() == [0, 1, 2, 0, 1, 2, 0, 2, 0, 2]
    firsts = [few[np.flatnonzero(Y[few] == label)] for label in range(3)]
    for rows, position in zip(firsts, examples.positions_[:3], strict=True):
        expected = rows[k_center_greedy(X[rows], 1, random_state=0)[0]]
        assert few[position] == expected
    plain = ExampleSelector(n_examples=10, balance=False).fit(X, Y)
    expected = facility_location(X, 10, random_state=0)
    np.testing.assert_array_equal(plain.positions_, expected)


def test_an_oracle_is_asked_once_for_the_examples_alone():
    asked = []

    def answer(positions):
        asked.extend(positions.tolist())
        return Y[positions]

    examples = ExampleSelector(n_examples=9).fit(X, oracle=answer)
    examples.choose(X)
    assert sorted(asked) == sorted(facility_location(X, 9, random_state=0).tolist())
    assert sorted(examples.positions_.tolist()) == sorted(asked)
    assert len(set(examples.labels_[:3].tolist())) == len(set(examples.labels_.tolist()))
    np.testing.assert_array_equal(examples.labels_, Y[examples.positions_])


def test_equal_input_gives_equal_prompts_whatever_the_chunks_and_copies():
    rows = np.repeat(X, 2, axis=0)  # duplicates, which tie
    examples = ExampleSelector(n_examples=30, per_query=6).fit(rows, np.repeat(Y, 2))
    expected = examples.choose(rows)
    for other in (pickle.loads(pickle.dumps(examples)), clone(examples).fit(rows, np.repeat(Y, 2))):
        np.testing.assert_array_equal(other.choose(rows), expected)
    with config_context(working_memory=0.001):
        np.testing.assert_array_equal(examples.choose(rows), expected)
    one_by_one = np.vstack([examples.choose(row[np.newaxis]) for row in rows])
    np.testing.assert_array_equal(one_by_one, expected)
    in_csr = ExampleSelector(n_examples=30, per_query=6).fit(
        sparse.csr_array(rows), np.repeat(Y, 2)
    )
    np.testing.assert_array_equal(in_csr.choose(sparse.csr_array(rows)), expected)


def test_texts_are_embedded():
    examples = ExampleSelector(n_examples=4, per_query=2, n_fixed=0, embedder=TfidfVectorizer())
    examples.fit(TEXTS, LABELS)
    assert examples.labels_.tolist() == ["+", "-", "+", "-"]
    nearest = [examples.rows_[place] for place in examples.choose(examples.rows_)[:, -1]]
    assert nearest == examples.rows_
    known = TfidfVectorizer().fit(TEXTS)
    frozen = clone(examples).set_params(embedder=FrozenEstimator(known)).fit(TEXTS[:5], LABELS[:5])
    assert frozen.embedder_.vocabulary_ == known.vocabulary_
    assert "acting" in frozen.embedder_.vocabulary_
    with pytest.raises(ValueError, match=r"Pass embedder=.*TfidfVectorizer"):
        ExampleSelector(n_examples=4).fit(TEXTS, LABELS)


def test_fewer_rows_than_examples_are_all_shown():
    examples = ExampleSelector(n_examples=8, per_query=4).fit(X[:3], [0, 1, 0])
    assert sorted(examples.positions_.tolist()) == [0, 1, 2]
    assert examples.choose(X).shape == (150, 3)
    assert examples.choose(X[:0]).shape == (0, 3)
    every = ExampleSelector(n_examples=4, per_query=4, n_fixed=4).fit(X, Y)
    np.testing.assert_array_equal(every.choose(X), np.tile(np.arange(4), (150, 1)))


@pytest.mark.parametrize(
    ("parameters", "arguments", "said"),
    [
        ({}, {}, "y or an oracle that gives them, got neither"),
        ({}, {"y": Y, "oracle": Y.take}, "got both"),
        ({}, {"y": Y[:9]}, "one label for each of the 150 rows"),
        ({}, {"y": [None, *Y[1:]]}, "1 labels are missing"),
        ({}, {"oracle": lambda positions: [0]}, "a label for each of the 8 positions"),
        ({"per_query": 9}, {"y": Y}, "per_query=9 .* more than n_examples=8"),
        ({"n_fixed": 5}, {"y": Y}, "n_fixed=5 .* per_query=4"),
        ({"n_examples": 0}, {"y": Y}, "n_examples"),
        ({"selector": lambda Z, n, random_state: [0] * n}, {"y": Y}, "8 different positions"),
        ({"selector": lambda Z, n, random_state: range(99, 99 + n)}, {"y": Y}, "of the 50 rows"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_wrong_input_is_refused(parameters, arguments, said):
    with pytest.raises(ValueError, match=said):
        ExampleSelector(**parameters).fit(X, **arguments)


def test_it_must_be_fitted_first():
    with pytest.raises(NotFittedError):
        ExampleSelector().choose(X)
    with pytest.raises(ValueError, match="no rows"):
        ExampleSelector().fit(X[:0], Y[:0])
