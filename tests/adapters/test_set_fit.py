"""SetFit as a classifier, with a sentence model of random weights."""

import pickle
import random
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearner
from skactive.adapters import SetFitClassifier, adapt
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource
from skactive.strategies import BADGE, KCenterGreedy
from skactive.testing._adapter_checks import ADAPTER_CHECKS


def test_parameters_and_labels_are_checked_before_anything_is_loaded():
    for y, message in ((["a"], "one label per row, got 1 for 2"), (["a", "a"], "two classes")):
        with pytest.raises(ValueError, match=message):
            SetFitClassifier("a-name").fit(["x", "y"], y)
    with pytest.raises(ValueError, match="'n_epochs' parameter of SetFitClassifier"):
        SetFitClassifier("a-name", n_epochs=0).fit(["x", "y"], ["a", "b"])


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "setfit", None)
    with pytest.raises(ImportError, match=r'pip install "skactive\[setfit\]"'):
        SetFitClassifier("a-name").fit(["x", "y"], ["a", "b"])


def test_clones_share_the_model_and_not_the_head():
    class Encoder:
        def encode(self, texts):
            raise AssertionError

    model = SetFitClassifier(Encoder(), head=LogisticRegression(C=3.0), training={"max_steps": 2})
    copy = clone(model)
    assert copy.model is model.model
    assert copy.head is not model.head
    assert copy.set_params(head__C=1.0).head.C == 1.0
    assert model.head.C == 3.0


@pytest.fixture(scope="module")
def sentence_model(tmp_path_factory):
    pytest.importorskip("setfit")
    from tiny_texts import make_sentence_model

    return make_sentence_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def texts(sentence_model):
    from tiny_texts import LABELS, TEXTS

    return TEXTS, LABELS


@pytest.fixture(scope="module")
def classifier(sentence_model, texts):
    return SetFitClassifier(sentence_model, batch_size=4, random_state=0).fit(*texts)


def test_it_learns_from_its_pretrained_weights_each_time(sentence_model, texts, capfd):
    weights = [weight.detach().clone() for weight in sentence_model.parameters()]
    X, y = texts
    model = SetFitClassifier(sentence_model, batch_size=4, n_epochs=5, random_state=0)
    model.set_params(training={"body_learning_rate": (1e-2, 1e-2)})
    once = model.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), once)
    assert model.score(X, y) == 1.0
    assert all(
        (old == new).all() for old, new in zip(weights, sentence_model.parameters(), strict=True)
    )
    tuned = model.model_.model_body.parameters()
    assert any((old != new).any() for old, new in zip(weights, tuned, strict=True))
    shown = capfd.readouterr()
    assert "Running training" not in shown.err
    assert "loss" not in shown.out


def test_the_seed_decides_and_global_random_states_stay(sentence_model, texts):
    import torch

    def read_states():
        states = random.getstate(), np.random.get_state()[1].tolist()
        return *states, torch.get_rng_state().tolist()

    before = read_states()
    first, again, other = (
        SetFitClassifier(sentence_model, batch_size=4, random_state=seed)
        .fit(*texts)
        .predict_proba(texts[0])
        for seed in (0, 0, 1)
    )
    assert read_states() == before
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_readings_are_those_of_the_tuned_model(classifier, texts):
    pool = PoolView(texts[0], ReadingSource(adapter=adapt(classifier)))
    embedding = classifier.model_.encode(texts[0], show_progress_bar=False)
    np.testing.assert_allclose(pool.embedding, embedding, rtol=1e-5)
    head = classifier.model_.model_head
    np.testing.assert_allclose(pool.proba, head.predict_proba(embedding), rtol=1e-5)
    np.testing.assert_array_equal(pool.prediction, classifier.predict(texts[0]))
    assert classifier.classes_.tolist() == ["negative", "positive"]
    assert classifier.predict_proba([]).shape == (0, 2)
    copy = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_allclose(copy.predict_proba(texts[0]), pool.proba, rtol=1e-5)


def test_a_learner_starts_cold_and_learns(sentence_model, texts):
    X, y = texts
    model = SetFitClassifier(sentence_model, batch_size=4, training={"max_steps": 2})
    cold = ActiveLearner(model, KCenterGreedy(), random_state=0)
    embedding = sentence_model.encode(X, show_progress_bar=False)
    first, second = cold.query(X, batch_size=2)
    assert second == np.argmax(((embedding - embedding[first]) ** 2).sum(axis=1))
    learner = ActiveLearner(model, BADGE(), random_state=0).fit(X[:2], y[:2])
    picked = learner.query(X[2:], batch_size=2) + 2
    learner.teach([X[i] for i in picked], [y[i] for i in picked])
    assert learner.estimator_.model_.model_body is not sentence_model
    assert len(set(learner.query(X, batch_size=3))) == 3


@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=lambda check: check.__name__)
def test_it_passes_the_checks_of_adapters(classifier, texts, check):
    check(classifier, texts[0])
