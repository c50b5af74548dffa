"""Nets that several threads read, fit and predict with at once: each gets what it gets alone."""

from __future__ import annotations

import threading

import numpy as np
import pytest

pytest.importorskip("skorch")

import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

from skactive import ActiveLearner
from skactive.adapters import adapt
from skactive.strategies import (
    BADGE,
    BALD,
    Auto,
    BatchBALD,
    ExpectedErrorReduction,
    ExpectedModelChange,
    KCenterGreedy,
    Margin,
)

RNG = np.random.RandomState(0)
X = RNG.normal(size=(120, 8)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 1)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.norm, self.drop = nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Dropout(0.5)
        self.out = nn.Linear(16, 3)

    def forward(self, X):
        return self.out(self.drop(torch.relu(self.norm(self.hidden(X)))))


def make_learner(strategy, module=Mlp):
    net = NeuralNetClassifier(
        module, criterion=nn.CrossEntropyLoss, max_epochs=2, verbose=0, train_split=None
    )
    return ActiveLearner(net, strategy, random_state=0)


def run_together(*works):
    """Run functions in threads of their own; raise what they raise."""
    errors = []

    def run(work):
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    if errors:
        raise errors[0]


def check_answers_meanwhile(learner, pools, n_queries, strategies=()):
    """Query in three threads while a fourth predicts: all answers are those of one thread."""
    proba, states = learner.predict_proba(X), learner.estimator_.module_.state_dict()
    states = {name: value.clone() for name, value in states.items()}
    alone = [learner.query(pool, 3) for pool in pools]
    done = threading.Event()

    def query(thread):
        for turn in range(n_queries):
            number = (thread + turn) % len(pools)
            np.testing.assert_array_equal(learner.query(pools[number], 3), alone[number])

    def query_all():
        try:
            run_together(*(lambda thread=thread: query(thread) for thread in range(3)))
        finally:
            done.set()

    def predict():
        while not done.is_set():
            np.testing.assert_array_equal(learner.predict_proba(X), proba)

    run_together(query_all, predict)
    after = learner.estimator_.module_.state_dict()
    assert all(torch.equal(states[name], after[name]) for name in states)


@pytest.mark.parametrize(
    "strategy",
    [
        BALD(n_samples=5),
        BADGE(),
        Auto(),
        BatchBALD(n_samples=5),
        ExpectedModelChange(),
        KCenterGreedy(),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_queries_and_predictions_in_threads_are_those_of_each_alone(strategy):
    learner = make_learner(strategy).fit(X[:40], Y[:40])
    check_answers_meanwhile(learner, [X[40:], X[60:]], 8)


def test_refits_of_a_query_are_the_same_in_threads():
    learner = make_learner(ExpectedErrorReduction()).fit(X[:20], Y[:20])
    check_answers_meanwhile(learner, [X[40:44], X[60:64]], 3)


def test_two_strategies_on_one_model():
    learner = make_learner(BALD(n_samples=5)).fit(X[:40], Y[:40])
    other = ActiveLearner(learner.estimator_, BADGE(), prefit=True, random_state=0)
    other.fit(X[:40], Y[:40])
    alone = [one.query(X[40:], 5) for one in (learner, other)]

    def query(one, expected):
        for _ in range(8):
            np.testing.assert_array_equal(one.query(X[40:], 5), expected)

    run_together(*(lambda i=i: query((learner, other)[i % 2], alone[i % 2]) for i in range(4)))


def test_seeded_fits_in_threads_are_those_of_each_alone():
    def fit(seed):
        learner = make_learner(Margin()).set_params(random_state=seed)
        return learner.fit(X, Y).estimator_.module_.state_dict()

    alone, fitted = [fit(seed) for seed in range(3)], {}
    before = torch.get_rng_state()
    run_together(*(lambda seed=seed: fitted.update({seed: fit(seed)}) for seed in range(3)))
    assert torch.equal(before, torch.get_rng_state())
    for seed, weights in enumerate(alone):
        for name, weight in weights.items():
            assert torch.equal(weight, fitted[seed][name]), name


def test_a_plain_training_beside_readings_is_that_of_alone():
    def train():
        torch.manual_seed(5)
        net = make_learner(Margin()).estimator.set_params(max_epochs=10)
        return net.fit(X, Y).module_.out.weight.detach()

    with torch.random.fork_rng([]):
        alone, done = train(), threading.Event()
        adapter = adapt(make_learner(Margin()).fit(X[:40], Y[:40]).estimator_)
        trained = []

        def train_and_stop():
            trained.append(train())
            done.set()

        def read():
            while not done.is_set():
                adapter.proba(X), adapter.prediction(X), adapter.features(X)
                adapter.proba_samples(X, 2, 0)

        run_together(train_and_stop, read)
    assert torch.equal(trained[0], alone)


def test_a_reading_does_not_show_while_it_runs():
    """Inside a reading, the user's module has its modes, its hooks and its state."""
    seen = []

    class Curious(Mlp):
        original = None

        def forward(self, X):
            if Curious.original is not None:
                modules = list(Curious.original.modules())
                seen.append([part.training for part in modules])
                assert self is not Curious.original
                assert not any(part._forward_hooks or part._forward_pre_hooks for part in modules)
                self.cache = X
            return super().forward(X)

    learner = make_learner(Margin(), Curious).fit(X[:40], Y[:40])
    learner.estimator_.module_.train()
    Curious.original, adapter = learner.estimator_.module_, adapt(learner.estimator_)
    adapter.proba(X), adapter.prediction(X), adapter.features(X), adapter.proba_samples(X, 2, 0)
    assert len(seen) == 5
    assert np.all(seen)
    assert not hasattr(Curious.original, "cache")


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_nets_that_draw_in_evaluation_are_read_alike_by_all(in_pipeline):
    class Noisy(Mlp):
        def forward(self, X):
            noise = nn.functional.dropout(torch.ones(16), 0.5, training=True)
            return self.out(self.drop(torch.relu(self.hidden(X)) * noise) + torch.rand(16))

    learner = make_learner(BALD(n_samples=5), Noisy)
    if in_pipeline:
        learner.estimator = make_pipeline(StandardScaler(), learner.estimator)
    learner.fit(X[:40], Y[:40])
    before = torch.get_rng_state()
    alone = learner.query(X[40:], 3)
    run_together(*[lambda: np.testing.assert_array_equal(learner.query(X[40:], 3), alone)] * 3)
    np.testing.assert_array_equal(before, torch.get_rng_state())
    draws = learner._make_view(X).proba_samples(4)
    assert (np.abs(draws - draws[[1, 2, 3, 0]]).max(axis=(1, 2)) > 1e-3).all()


def test_a_cold_learner_has_one_seed_for_all_threads():
    picks = []
    learner = ActiveLearner(make_learner(Margin()).estimator, KCenterGreedy())
    run_together(*[lambda: picks.append(tuple(learner.query(X, 3)))] * 8)
    assert len(set(picks)) == 1


def test_the_net_itself_may_hold_what_cannot_be_pickled():
    class Locked(NeuralNetClassifier):
        def initialize(self):
            super().initialize()
            self.lock_ = threading.Lock()
            return self

        def predict_proba(self, X):
            with self.lock_:
                self.last_ = X
                return super().predict_proba(X)

    net = Locked(Mlp, criterion=nn.CrossEntropyLoss, max_epochs=1, verbose=0, train_split=None)
    net.fit(X, Y)
    np.testing.assert_array_equal(adapt(net).proba(X), net.predict_proba(X))
    del net.last_
    assert adapt(net).features(X).shape == (120, 16)
    assert adapt(net).proba_samples(X, 2, 0).shape == (2, 120, 3)
    assert not hasattr(net, "last_")
