"""Public functions on arrays take any container of numbers, and say what is wrong with others."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from skactive import metrics, scores, selectors
from skactive.exceptions import SkactiveError

N, D, C, S = 12, 3, 4, 5  # rows, dimensions, classes, draws
RNG = np.random.RandomState(0)
X, LABELED = RNG.normal(size=(N, D)), RNG.normal(size=(2, D))
PROBA, SAMPLES = RNG.dirichlet(np.ones(C), N), RNG.dirichlet(np.ones(C), (S, N))
VECTOR = RNG.uniform(0.1, 0.9, N)
BOXES = np.hstack([X[:, :2], X[:, :2] + 1.0])  # corners

# Right arguments of every parameter that has no default, and of those that are None by default.
RIGHT = {
    "X": X,
    "proba": PROBA,
    "features": X,
    "embedding": X,
    "samples": SAMPLES,
    "target_samples": SAMPLES[:, :3],
    "decision": X,
    "scores": VECTOR,
    "uncertainty": VECTOR,
    "gaps": PROBA.T - PROBA.mean(),
    "prediction": VECTOR,
    "predicted": np.arange(N) % C,
    "labeled_scores": PROBA[:2],
    "labels": np.array([0, 3]),
    "batch_size": 3,
    "k": 3,
    "towards": LABELED,
    "n_chosen": 4,
    "n_clusters": 2,
    "targets": LABELED,
    "labeled": LABELED,
    "weights": VECTOR,
    "quality": VECTOR,
    "candidate_weights": VECTOR,
    "at": LABELED,
    "offsets": np.array([0, 5, 5, N]),
    "boxes": BOXES,
    "others": BOXES[:3],
    "box_samples": BOXES + 0.1 * RNG.normal(size=(S, N, 1)),
    "log_likelihood": -VECTOR,
    "lengths": np.arange(1.0, N + 1),
    "std": VECTOR,
    "presence": PROBA,
    "cost_matrix": 5.0 - 4.0 * np.eye(C),
    "n_present": 2,
    "vectors": (X > 0) * 1.0,
    "n_labels": [10, 20, 30],
    "reference_scores": [0.5, 0.6, 0.7],
    "target": 0.6,
    "random_state": 0,
}
OWN = {
    "galaxy": {"scores": PROBA},
    "bait": {"labeled": (PROBA[:2], LABELED)},
    "gsy": {"targets": VECTOR[:2]},
    "igs": {"targets": VECTOR[:2]},
    "box_entropy": {"features": None},  # boxes or features, and not both
    "entropy_distance": {"others": (X[:4] > 0.5) * 1.0},
    "region_impurity": {"proba": PROBA.reshape(3, 4, C)},
}
# Tested with the scores, and with the measures of decisions: these take labels of any kind.
OF_TEXTS = {"sample_disagreement", "word_error_rate"}
OF_LABELS = {"mean_misclassification_cost", "make_cost_scorer"}


# No curve reaches the target, or there is one cluster.
MAY_BE_INFINITE = (
    metrics.labels_to_reach,
    metrics.data_utilization_rate,
    selectors.purity_radius,
)


def list_functions():
    """Yield a name and a function for every public one, with right arguments by name."""
    for module in (scores, selectors, metrics):
        for name in sorted(set(module.__all__) - OF_TEXTS - OF_LABELS):
            function = getattr(module, name)
            function = function() if inspect.isclass(function) else function
            own = OWN.get(name, {})
            if module is metrics:
                own = {"scores": [0.5, 0.6, 0.8]}
            parameters = inspect.signature(function).parameters
            right = {p: own.get(p, RIGHT[p]) for p in parameters if p in own or p in RIGHT}
            yield f"{module.__name__.rpartition('.')[2]}.{name}", function, right


FUNCTIONS = {name: (function, right) for name, function, right in list_functions()}


def replace_first(values, value, dtype=np.float64):
    values = np.array(values, dtype=dtype)
    values.flat[0] = value
    return values


# What no parameter takes; each is made from a right argument, an array.
WRONG_ARRAYS = {
    "nan": lambda a: replace_first(a, np.nan),
    "one nan of object": lambda a: replace_first(a, None, object),
    "complex": lambda a: np.asarray(a) * 1j,
    "texts": lambda a: np.asarray(a).astype(str),
    "texts of object": lambda a: np.asarray(a).astype(str).astype(object),
    "dates": lambda a: np.asarray(a).astype("i8").astype("datetime64[s]"),
    "an axis more": lambda a: np.asarray(a)[..., np.newaxis, np.newaxis, np.newaxis],
    "scalar": lambda a: 3.0,
    "none in a list": lambda a: [None, *np.asarray(a).tolist()],
    "ragged": lambda a: [[1.0], [1.0, 2.0], 3.0],
    "dict": lambda a: {"a": 1},
    "set": lambda a: {1, 2},
    "text": lambda a: "abc",
    "bytes": lambda a: b"abc",
    "function": lambda a: len,
    "object": lambda a: object(),
    "structured": lambda a: np.zeros(len(a), dtype=[("a", "f8"), ("b", "f8")]),
    "masked": lambda a: np.ma.masked_array(a, mask=np.ones(np.shape(a), bool)),
    "no columns": lambda a: np.asarray(a)[..., :0] if np.ndim(a) > 1 else "abc",
    "frame of texts": lambda a: pd.DataFrame({"a": ["x"] * len(a)}),
}
# Other arrays, which some functions take: no error but one of ours, no answer that is not finite.
ODD_ARRAYS = {
    "inf": lambda a: replace_first(a, np.inf),
    "negative": lambda a: replace_first(a, -1.0),
    "zeros": lambda a: np.zeros(np.shape(a)),
    "huge": lambda a: np.full(np.shape(a), 1e300),
    "tiny": lambda a: np.full(np.shape(a), 1e-320),
    "no rows": lambda a: np.asarray(a)[:0],
    "one row": lambda a: np.asarray(a)[:1],
    "a row fewer": lambda a: np.asarray(a)[1:],
    "a column fewer": lambda a: np.asarray(a)[..., 1:],
    "one column": lambda a: np.asarray(a)[..., :1],
    "flat": lambda a: np.ravel(a),
    "column": lambda a: np.reshape(a, (-1, 1)),
    "bool": lambda a: np.asarray(a) > 0.3,
    "int8": lambda a: np.asarray(a).astype(np.int8),
    "uint64": lambda a: np.abs(np.asarray(a)).astype(np.uint64),
    "half": lambda a: np.asarray(a).astype(np.float16),
    "sparse": lambda a: sparse.coo_array(np.atleast_2d(a)) if np.ndim(a) < 3 else a[0],
    "pair": lambda a: (a, a),
}
# The same numbers in another container: the same answer.
SAME = {
    "lists": lambda a: np.asarray(a).tolist(),
    "tuple": lambda a: tuple(np.asarray(a).tolist()),
    "objects": lambda a: np.asarray(a).astype(object),
    "long doubles": lambda a: np.asarray(a).astype(np.longdouble),
    "columns first": lambda a: np.asfortranarray(a),
    "read only": lambda a: np.frombuffer(np.asarray(a).tobytes(), np.asarray(a).dtype).reshape(
        np.shape(a)
    ),
    "unmasked": lambda a: np.ma.masked_array(a),
    "frame": lambda a: pd.DataFrame(a) if np.ndim(a) == 2 else a,
    "series": lambda a: pd.Series(a) if np.ndim(a) == 1 else a,
    "big endian": lambda a: np.asarray(a).astype(np.asarray(a).dtype.newbyteorder(">")),
}
WRONG_VALUES = [-1, -0.5, np.nan, np.inf, "3", None, [3], 1j, {}, object(), np.array([1, 2]), True]
ODD_VALUES = [0, 0.5, 1, 2.5, 10**6, np.int8(2), np.float32(2), np.array(2)]


def call(function, arguments, **changed):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(**{**arguments, **changed})


def attack(function, arguments, name, value):
    """Return the answer, or the error if it is one of ours; fail for any other."""
    answer: object = None
    try:
        answer = call(function, arguments, **{name: value})
    except (ValueError, TypeError, SkactiveError) as error:
        answer = error
    if isinstance(answer, Exception):
        is_ours = name in str(answer) or isinstance(answer, SkactiveError)
        assert is_ours, f"{name}={value!r}: {type(answer).__name__}: {answer}"
    elif function not in MAY_BE_INFINITE:
        assert np.isfinite(answer).all(), f"{name}={value!r}: {answer}"
    return answer


def check_positions(answer, n_rows):
    assert answer.dtype == np.intp
    assert len(set(answer.tolist())) == len(answer) <= n_rows
    assert ((answer >= 0) & (answer < n_rows)).all()


def is_array(value):
    return isinstance(value, np.ndarray | list)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_containers_of_the_same_numbers_get_the_same_answer(name):
    function, right = FUNCTIONS[name]
    expected = call(function, right)
    for parameter in (p for p, value in right.items() if is_array(value)):
        for kind, convert in SAME.items():
            answer = call(function, right, **{parameter: convert(right[parameter])})
            message = f"{parameter} as {kind}"
            np.testing.assert_allclose(answer, expected, rtol=1e-12, err_msg=message)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_wrong_arrays_are_refused_by_name(name):
    function, right = FUNCTIONS[name]
    for parameter in (p for p, value in right.items() if is_array(value)):
        for kind, spoil in WRONG_ARRAYS.items():
            if (parameter, kind) == ("presence", "no columns"):  # there may be no labels
                continue
            if (name, kind) == ("scores.region_impurity", "an axis more"):  # a map of any axes
                continue
            error = attack(function, right, parameter, spoil(right[parameter]))
            assert isinstance(error, Exception), f"{parameter}: {kind} gave {error}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_odd_arrays_get_a_right_answer_or_an_error_of_ours(name):
    function, right = FUNCTIONS[name]
    for parameter in (p for p, value in right.items() if is_array(value)):
        for spoil in ODD_ARRAYS.values():
            answer = attack(function, right, parameter, spoil(right[parameter]))
            if name.startswith("selectors") and getattr(answer, "dtype", None) == np.intp:
                check_positions(answer, N * D)  # as a column, the points are as many rows


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_of_the_wrong_kind_are_refused_by_name(name):
    function, right = FUNCTIONS[name]
    for parameter, default in inspect.signature(function).parameters.items():
        if is_array(right.get(parameter)) or isinstance(right.get(parameter), tuple):
            continue
        may_be_none = parameter == "random_state" or "None" in str(default)
        for value in WRONG_VALUES:
            error = attack(function, right, parameter, value)
            if isinstance(value, (dict, complex)) or (value is None and not may_be_none):
                assert isinstance(error, Exception), (parameter, value)
        for value in ODD_VALUES:
            attack(function, right, parameter, value)
