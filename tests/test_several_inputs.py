"""Models of several inputs take dicts and lists of arrays, wherever rows are taken."""

from collections import UserDict

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearner, SimulatedLearner
from skactive._utils.rows import n_rows
from skactive.comparison import compare_strategies
from skactive.labeling import LabelingSession
from skactive.stopping import StabilizingPredictions
from skactive.strategies import (
    GALAXY,
    DiscriminativeAL,
    ExpectedErrorReduction,
    FacilityLocationMutualInformation,
    KCenterGreedy,
    Margin,
    Random,
    TypiClust,
)

N = 60
RNG = np.random.RandomState(0)
U, V = RNG.normal(size=(2, N, 3))
JOINED = np.c_[U, V]
Y = (U[:, 0] > V[:, 0]).astype(int)


def to_matrix(X):
    """Put the inputs side by side, dense."""
    parts = X.values() if hasattr(X, "values") else X
    return np.hstack([part.toarray() if sp.issparse(part) else np.asarray(part) for part in parts])


class OfTwo(ClassifierMixin, BaseEstimator):
    """A model of two inputs that refuses any other container than it was promised."""

    def __init__(self, kind=dict):
        self.kind = kind

    def _read(self, X):
        assert isinstance(X, self.kind), type(X)
        assert len(list(X)) == 2
        return to_matrix(X)

    def fit(self, X, y):
        self.model_ = LogisticRegression().fit(self._read(X), y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(self._read(X))

    def predict_proba(self, X):
        return self.model_.predict_proba(self._read(X))


KINDS = {  # the kind that the model gets, and how to take rows of it
    "dict": (dict, lambda rows: {"u": U[rows], "v": V[rows]}),
    "UserDict": (UserDict, lambda rows: UserDict(u=U[rows], v=V[rows])),
    "list": (list, lambda rows: [U[rows], V[rows]]),
    "tuple": (list, lambda rows: (U[rows], V[rows])),
    "frame and sparse": (
        dict,
        lambda rows: {"u": pd.DataFrame(U[rows]), "v": sp.coo_array(V[rows])},
    ),
}
STRATEGIES = [
    None,
    Random(),
    Margin(),
    KCenterGreedy(),
    TypiClust(),
    DiscriminativeAL(),
    GALAXY(),
    ExpectedErrorReduction(),
]


def play(model, take, strategy):
    """Fit, query, teach, query; return the rows queried and the learner."""
    learner = ActiveLearner(model, strategy, random_state=0).fit(take(np.arange(12)), Y[:12])
    first = 12 + learner.query(take(np.arange(12, N)), 3)
    learner.teach(take(first), Y[first])
    rest = np.setdiff1d(np.arange(12, N), first)
    return [*first, *rest[learner.query(take(rest), 3)]], learner


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: type(strategy).__name__)
def test_inputs_are_chosen_as_if_they_were_columns_of_one_array(strategy):
    class OfMatrix(OfTwo):
        def _read(self, X):
            return X

    expected, _ = play(OfMatrix(), lambda rows: JOINED[rows], strategy)
    picked, _ = play(OfTwo(), KINDS["dict"][1], strategy)
    assert picked == expected


@pytest.mark.parametrize("name", KINDS)
def test_the_kind_of_container_changes_nothing_and_is_kept(name):
    kind, take = KINDS[name]
    picked, learner = play(OfTwo(kind), take, KCenterGreedy())
    assert picked == play(OfTwo(), KINDS["dict"][1], KCenterGreedy())[0]
    assert isinstance(learner.X_labeled_, kind)
    assert n_rows(learner.X_labeled_) == 15
    known = np.r_[:12, picked[:3]]
    assert_array_equal(to_matrix(learner.X_labeled_), JOINED[known])


@pytest.mark.parametrize("name", ["dict", "list"])
def test_targets_have_several_inputs_too(name):
    kind, take = KINDS[name]
    plain = FacilityLocationMutualInformation(targets=JOINED[:9])
    expected = ActiveLearner(LogisticRegression(), plain, random_state=0).fit(JOINED[:12], Y[:12])
    strategy = FacilityLocationMutualInformation(targets=take(slice(0, 9)))
    learner = ActiveLearner(OfTwo(kind), strategy, random_state=0)
    learner.fit(take(np.arange(12)), Y[:12])
    assert_array_equal(learner.query(take(np.arange(12, N)), 3), expected.query(JOINED[12:], 3))


def test_a_cold_start_and_chunks_see_rows_and_not_inputs():
    from sklearn import config_context

    X = KINDS["dict"][1](slice(None))
    cold = ActiveLearner(OfTwo(), random_state=0).query(X, 20)
    assert_array_equal(cold, ActiveLearner(LogisticRegression(), random_state=0).query(JOINED, 20))
    learner = ActiveLearner(OfTwo(), Margin()).fit(X, Y)
    whole = learner.score_pool(X)
    with config_context(working_memory=0.002):
        np.testing.assert_allclose(learner.score_pool(X), whole, atol=1e-12)


@pytest.mark.parametrize("name", ["dict", "list"])
def test_simulations_and_comparisons_take_several_inputs(name):
    kind, take = KINDS[name]
    simulation = SimulatedLearner(
        ActiveLearner(OfTwo(kind), Margin()),
        budget=40,
        random_state=0,
        audit_share=0.2,
        stopping=StabilizingPredictions(),
    ).fit(take(slice(None)), Y)
    assert len(set(simulation.queried_.tolist())) == len(simulation.queried_) > 10
    runs = compare_strategies(
        ActiveLearner(OfTwo(kind)),
        {"margin": Margin(), "random": Random()},
        take(slice(None)),
        Y,
        budget=20,
        n_repeats=2,
        random_state=0,
    )
    assert set(runs.strategies) == {"margin", "random"}


@pytest.mark.parametrize("name", ["dict", "list"])
def test_sessions_take_several_inputs_and_know_them_again(name, tmp_path):
    kind, take = KINDS[name]
    ids = [f"row {i}" for i in range(N)]
    rows = take(slice(None))
    for n_known in (0, 20):
        learner = ActiveLearner(OfTwo(kind), random_state=0)
        with LabelingSession(learner, rows, store=tmp_path / "s.db", ids=ids) as session:
            assert len(session.labels) == n_known
            for _ in range(20):
                (ident,) = session.next_batch(1).ids
                session.submit({ident: int(Y[session.positions[ident]])})
            assert isinstance(session.learner.X_labeled_, kind)


def test_lists_of_equal_images_are_still_rows():
    class OfImages(OfTwo):
        def _read(self, X):
            return np.asarray(X).reshape(len(X), -1)

    images = list(RNG.normal(size=(N, 5, 5)))
    learner = ActiveLearner(OfImages(list), random_state=0)
    cold = learner.query(images, 3)
    assert max(learner.query(images, 20)) > 5
    learner.fit(images[:12], Y[:12]).teach(images[12:14], Y[12:14])
    assert len(learner.X_labeled_) == 14
    assert len(set(learner.query(images, 40))) == 40
    assert_array_equal(cold, ActiveLearner(OfImages(), random_state=0).query(np.stack(images), 3))


def test_nets_of_two_inputs_are_read_in_full():
    skorch, torch = pytest.importorskip("skorch"), pytest.importorskip("torch")
    from skorch.helper import SliceDict

    from skactive.strategies import BADGE, BALD

    class Two(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.last = torch.nn.Linear(6, 8), torch.nn.Linear(8, 2)
            self.dropout = torch.nn.Dropout(0.3)

        def forward(self, u, v):
            return self.last(self.dropout(torch.relu(self.hidden(torch.cat([u, v], 1)))))

    net = skorch.NeuralNetClassifier(
        Two, criterion=torch.nn.CrossEntropyLoss, max_epochs=2, verbose=0, train_split=None
    )
    u, v = U.astype(np.float32), V.astype(np.float32)
    kinds = [
        lambda rows: SliceDict(u=u[rows], v=v[rows]),
        lambda rows: {"u": torch.as_tensor(u[rows]), "v": torch.as_tensor(v[rows])},
        lambda rows: {"u": u[rows], "v": v[rows]},
    ]
    for strategy in (None, BADGE(), BALD(), KCenterGreedy()):
        picks = [play(net, take, strategy)[0] for take in kinds]
        assert picks[0] == picks[1] == picks[2]
        assert len(set(picks[0])) == 6
