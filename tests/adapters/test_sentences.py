"""Embeddings of texts as a step of a Pipeline, and as what strategies compare."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner
from skactive.adapters import SentenceEmbedder
from skactive.strategies import KCenterGreedy

TEXTS = ["aa", "ab", "bb", "ba", "b", ""]
LABELS = [0, 0, 1, 1, 1, 0]


class Counts:
    """Counts letters, and what it is asked for."""

    def __init__(self):
        self.options = []

    def encode(self, texts, **options):
        self.options.append(options)
        return np.array([[text.count("a"), text.count("b")] for text in texts])


def test_rows_become_numbers():
    encoder = Counts()
    embedder = SentenceEmbedder(encoder, batch_size=3, normalize=True, prompt="q: ", device="cpu")
    expected = [[2, 0], [1, 1], [0, 2], [1, 1], [0, 1], [0, 0]]
    for X in (TEXTS, np.array(TEXTS), pd.Series(TEXTS), pd.DataFrame({"text": TEXTS})):
        np.testing.assert_array_equal(embedder.transform(X), np.float32(expected))
    assert embedder.transform([]).shape == (0, 2)
    asked = encoder.options[0]
    wanted = {"batch_size": 3, "normalize_embeddings": True, "prompt": "q: ", "device": "cpu"}
    assert asked | wanted == asked


def test_bad_rows_and_parameters_are_named():
    with pytest.raises(TypeError, match="row 1 of X is of the type int"):
        SentenceEmbedder(Counts()).transform(["a", 1])
    with pytest.raises(ValueError, match="Row 0 of X is missing"):
        SentenceEmbedder(Counts()).transform([None])
    with pytest.raises(ValueError, match="'batch_size' parameter of SentenceEmbedder"):
        SentenceEmbedder(Counts(), batch_size=0).fit(TEXTS)
    with pytest.raises(ValueError, match="'model' parameter of SentenceEmbedder"):
        SentenceEmbedder(len).transform(TEXTS)


def test_clones_share_a_loaded_model():
    encoder = Counts()
    embedder = SentenceEmbedder(encoder, batch_size=3)
    assert clone(embedder).model is encoder
    assert clone(make_pipeline(embedder, LogisticRegression()))[0].model is encoder
    assert clone(embedder).batch_size == 3


def test_a_pipeline_learns_from_them_and_strategies_compare_them():
    model = make_pipeline(SentenceEmbedder(Counts()), LogisticRegression())
    learner = ActiveLearner(model, KCenterGreedy(), random_state=0)
    assert TEXTS[learner.query(TEXTS, batch_size=2)[1]] in ("aa", "bb", "")  # a cold start
    learner.fit(["aa", "bb"], [0, 1])
    assert learner.query(["aa", "ab", "aabbbb", "bb"]).tolist() == [2]
    assert learner.predict(["aaa", "bbb"]).tolist() == [0, 1]


def test_an_embedder_serves_beside_a_model_and_needs_no_fit():
    class Fixed(LogisticRegression):
        def fit(self, X, y):
            return super().fit([[len(text)] for text in X], y)

        def predict_proba(self, X):
            return super().predict_proba([[len(text)] for text in X])

    encoder = Counts()
    learner = ActiveLearner(
        Fixed(), KCenterGreedy(), embedder=SentenceEmbedder(encoder), random_state=0
    )
    learner.fit(["aa", "bbb"], [0, 1])
    assert learner.query(["aa", "aabbbb", "bbb"]).tolist() == [1]


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(ImportError, match=r'pip install "skactive\[sentences\]"'):
        SentenceEmbedder("a-name").transform(TEXTS)


def test_a_named_model_is_loaded_once_and_again_after_a_change(tmp_path):
    pytest.importorskip("sentence_transformers")
    from tiny_texts import make_sentence_model

    loaded = make_sentence_model(tmp_path / "parts")
    loaded.save(str(tmp_path / "model"))
    embedder = SentenceEmbedder(str(tmp_path / "model"), device="cpu", normalize=True)
    texts = ["good film", "", "a film of unknown words"]
    expected = loaded.encode(texts, normalize_embeddings=True)
    embedding = embedder.fit(texts).transform(texts)
    assert embedding.dtype == np.float32
    np.testing.assert_allclose(embedding, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose((embedding**2).sum(axis=1), 1.0, rtol=1e-5)
    assert embedder._get_encoder() is embedder._get_encoder()
    copy = pickle.loads(pickle.dumps(embedder))
    assert len(pickle.dumps(embedder)) < 1000
    np.testing.assert_array_equal(copy.transform(texts), embedding)
    with pytest.raises(OSError, match="missing"):
        embedder.set_params(model=str(tmp_path / "missing")).transform(texts)


def test_a_loaded_model_is_used_as_it_is(tmp_path):
    pytest.importorskip("sentence_transformers")
    from tiny_texts import LABELS, TEXTS, make_sentence_model

    loaded = make_sentence_model(tmp_path)
    model = make_pipeline(SentenceEmbedder(loaded), LogisticRegression())
    learner = ActiveLearner(model, KCenterGreedy(), random_state=0).fit(TEXTS[:4], LABELS[:4])
    assert learner.estimator_[0].model is loaded
    assert len(set(learner.query(TEXTS[4:], batch_size=3))) == 3
    with pytest.raises(NotFittedError):
        model.predict(TEXTS)
