"""Whatever goes wrong on the way to an embedding ends in one error that names embedder=."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner
from skactive.exceptions import InvalidReadingError, SkactiveWarning
from skactive.pool._embedding import make_embedding
from skactive.strategies import KCenterGreedy, Margin

X = np.random.RandomState(0).normal(size=(30, 4))
Y = np.arange(30) % 2


class Broken(TransformerMixin, BaseEstimator):
    """An embedder that does what it is told to do wrong."""

    def __init__(self, how=None):
        self.how = how

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return self.how(X)


def fail(error):
    def transform(X):
        raise error

    return transform


WAYS = {
    "KeyError": fail(KeyError("column")),
    "TypeError": fail(TypeError("no")),
    "RuntimeError": fail(RuntimeError("no")),
    "too short": lambda X: X[:-1],
    "one number": lambda X: np.float64(3.0),
    "NaN": lambda X: np.where(X > 0, np.nan, X),
    "texts": lambda X: ["text"] * len(X),
    "None": lambda X: None,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("cold", [True, False], ids=["cold", "fitted"])
def test_a_broken_embedder_is_named_and_the_default_goes_on_without(way, cold):
    embedder = Broken(WAYS[way])
    learner = ActiveLearner(GaussianNB(), KCenterGreedy(), embedder=embedder, random_state=0)
    default = ActiveLearner(GaussianNB(), embedder=embedder, random_state=0)
    if not cold:
        learner.fit(X[:6], Y[:6])
        default.fit(X[:6], Y[:6])
    with pytest.raises(InvalidReadingError, match="embedder=Broken makes no embedding") as caught:
        learner.query(X, 3)
    assert way not in {"KeyError", "TypeError", "RuntimeError"} or way in str(caught.value)
    with pytest.warns(SkactiveWarning, match="at random" if cold else "by margin alone"):
        picks = default.query(X, 3)
    if not cold:
        margin = ActiveLearner(GaussianNB(), Margin(), random_state=0).fit(X[:6], Y[:6])
        np.testing.assert_array_equal(picks, margin.query(X, 3))


def test_the_cause_is_kept():
    with pytest.raises(InvalidReadingError) as caught:
        make_embedding(X, WAYS["KeyError"])
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt()], ids=repr)
def test_memory_and_interrupts_are_not_about_the_rows(error):
    with pytest.raises(type(error)):
        make_embedding(X, fail(error))


def test_the_rows_are_named_by_their_kind():
    for rows, kind in (([{"a": 1}], "list of dict"), ({"u": X, "t": ["a"] * 30}, "list of str")):
        with pytest.raises(InvalidReadingError, match=f"{kind}.*Pass embedder="):
            make_embedding(rows, lambda rows: rows)


def test_a_step_that_fails_on_unlabeled_rows_is_about_the_embedding():
    model = make_pipeline(Broken(WAYS["KeyError"]), GaussianNB())
    with pytest.raises(InvalidReadingError, match=r"KeyError.*Pass embedder="):
        ActiveLearner(model, KCenterGreedy(), random_state=0).query(X, 3)


@pytest.mark.parametrize("remedy", ["embedder", "pipeline"])
def test_the_remedies_work(remedy):
    from sklearn.preprocessing import FunctionTransformer

    texts = [f"{'x' * i} {i}" for i in range(30)]
    measure = FunctionTransformer(lambda texts: [[float(len(text))] for text in texts])
    pipeline = make_pipeline(measure, GaussianNB())
    with pytest.raises(InvalidReadingError, match=r"embedder.*Pipeline"):
        ActiveLearner(GaussianNB(), KCenterGreedy(), random_state=0).query(texts, 3)
    learner = (
        ActiveLearner(pipeline, KCenterGreedy(), random_state=0)
        if remedy == "pipeline"
        else ActiveLearner(pipeline, KCenterGreedy(), embedder=measure, random_state=0)
    )
    assert len(learner.query(texts, 3)) == 3


def test_an_embedder_is_fitted_on_rows_of_one_form():
    import scipy.sparse as sp

    embedder = PCA(2, svd_solver="full")  # refuses sparse rows
    learner = ActiveLearner(GaussianNB(), KCenterGreedy(), embedder=embedder, random_state=0)
    expected = learner.fit(X[:6], Y[:6]).query(X[6:], 3)

    class Dense(GaussianNB):
        def fit(self, X, y):
            return super().fit(X.toarray() if sp.issparse(X) else X, y)

    learner.set_params(estimator=Dense()).fit(sp.csr_array(X[:6]), Y[:6])
    np.testing.assert_array_equal(learner.query(X[6:], 3), expected)
