import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from application_code import application_code

from skactive import ActiveLearner
from skactive.applications import Sizes, Task, explain_batch, make_record, play


@pytest.fixture(scope="module")
def code():
    with application_code("text_classification") as load:
        yield SimpleNamespace(
            **{name: load(name) for name in ("grammar", "model", "run", "embeddings")}
        )


@pytest.fixture(scope="module")
def task(code):
    whole = code.model.read(None)
    return replace(
        whole,
        X=whole.X[:300],
        y=whole.y[:300],
        X_test=whole.X_test[:300],
        y_test=whole.y_test[:300],
    )


def test_grammar_is_seeded_and_every_story_is_of_its_topic(code):
    texts, topics = code.grammar.write_news(400, 0)
    assert (texts, topics) == code.grammar.write_news(400, 0)
    assert set(topics) == set(code.grammar.KINDS) == {"business", "politics", "science", "sports"}
    for text, topic in zip(texts, topics, strict=True):
        places = [place for kind in code.grammar.KINDS[topic] for place in kind]
        assert any(word in text.lower() for place in places for word in place)
    kinds = [kind for kinds in code.grammar.KINDS.values() for kind in kinds]
    assert [len(kind) for kind in kinds] == [3] * 24  # who, does, what


def test_miniature_is_learned_well_but_not_completely(code, task):
    model = code.model.make_model(task)
    few = model.fit(task.X[:40], task.y[:40]).score(task.X_test, task.y_test)
    many = model.fit(task.X, task.y).score(task.X_test, task.y_test)
    assert 0.4 < few < many < 0.97  # chance is .25


def test_tables_are_read_with_their_own_labels(code, tmp_path):
    for part, n in (("train", 3), ("test", 1)):
        lines = [f"text {i},{'ab'[i % 2]}" for i in range(n)]
        (tmp_path / f"{part}.csv").write_text("\n".join(["text,label", *lines]))
    task = code.model.read(tmp_path)
    assert task.X.tolist() == ["text 0", "text 1", "text 2"]
    assert task.y.tolist() == ["a", "b", "a"]
    assert task.X_test.tolist() == ["text 0"]
    assert "3 texts, 2 classes" in task.source


def test_a_table_without_the_column_is_refused(code, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,topic\none,1\n")
    with pytest.raises(ValueError, match=r"line 2 of .* has no column 'label'"):
        code.model.read(path)


def test_words_are_learned_from_texts_without_labels(code, task):
    model = code.model.make_model(task).fit(task.X[:20], task.y[:20])
    words = model[0].estimator.named_steps["tfidfvectorizer"]
    labeled = {word for text in task.X[:20] for word in words.build_analyzer()(text)}
    assert len(set(words.vocabulary_) - labeled) > 100
    refitted = model.fit(task.X[20:40], task.y[20:40])
    assert refitted[0].estimator.named_steps["tfidfvectorizer"].vocabulary_ == words.vocabulary_


@pytest.mark.parametrize("name", ["Random", "Margin", "BADGE", "Auto"])
def test_each_strategy_asks_for_distinct_texts(code, task, name):
    learner = ActiveLearner(
        code.model.make_model(task), code.run.APPLICATION.strategies[name], random_state=0
    ).fit(task.X[:20], task.y[:20])
    picked = learner.query(task.X[20:], batch_size=10)
    assert len(set(picked.tolist())) == 10


def test_the_first_texts_are_chosen_without_labels(code, task):
    learner = ActiveLearner(code.model.make_model(task), random_state=0)
    picked = learner.query(task.X, batch_size=10)
    assert len(set(picked.tolist())) == 10
    taught = learner.teach([task.X[i] for i in picked], [task.y[i] for i in picked])
    assert len(taught.query(task.X, batch_size=3)) == 3


def test_a_small_campaign_is_recorded_and_explained(code, task):
    application, sizes = code.run.APPLICATION, Sizes(20, 20, 40, n_pool=80)
    record = make_record(
        application, task, sizes, play(application, task, sizes, n_repeats=2, random_state=0)
    )
    assert {row["name"] for row in record["strategies"]} == set(application.strategies)
    assert all(0.3 < row["final_score"] <= 1 for row in record["strategies"])
    batch = explain_batch(application, task, sizes)
    assert "the model hesitates between" in " ".join(map(str, batch.explanations))


class FakeTokenizer:
    """Letters as pieces: 1 for a, 2 for b, ..."""

    def encode_batch(self, texts):
        length = max(map(len, texts))
        return [
            SimpleNamespace(
                ids=[ord(c) - 96 for c in text] + [0] * (length - len(text)),
                attention_mask=[1] * len(text) + [0] * (length - len(text)),
                type_ids=[0] * length,
            )
            for text in texts
        ]


class FakeSession:
    """One-hot vectors of the pieces, and nothing but padding where they are masked."""

    def __init__(self):
        self.n_texts = 0

    def get_inputs(self):
        return [SimpleNamespace(name=name) for name in ("input_ids", "attention_mask")]

    def run(self, _, inputs):
        assert set(inputs) == {"input_ids", "attention_mask"}
        self.n_texts += len(inputs["input_ids"])
        return [np.eye(27)[inputs["input_ids"]]]


def test_embeddings_are_means_of_pieces_and_each_text_is_read_once(code, monkeypatch, tmp_path):
    session = FakeSession()
    monkeypatch.setattr(code.embeddings, "load_model", lambda *_: (FakeTokenizer(), session))
    texts = ["a", "aab", "abcd", "ab", "a"] * 20
    task = Task(texts, ["x", "y", "x", "y", "x"] * 20, texts[:5], ["x", "y", "x", "y", "x"], "")
    model = code.embeddings.make_embedding_model(task, folder=tmp_path)
    assert session.n_texts == 4
    rows = model[0].transform(texts[:4])
    expected = np.zeros((4, 27))
    for row, text in zip(expected, texts, strict=False):
        for letter in text:
            row[ord(letter) - 96] += 1 / len(text)
        row /= np.sqrt((row**2).sum())
    np.testing.assert_allclose(rows, expected, atol=1e-6)
    assert session.n_texts == 4
    learner = ActiveLearner(model, random_state=0).fit(texts[:4], task.y[:4])
    assert len(learner.query(texts, batch_size=2)) == 2
    assert session.n_texts == 4
    assert model[0].transform(["c"]).argmax() == 3  # a new text is read


def test_a_folder_without_a_model_is_refused(code, monkeypatch, tmp_path):
    for name, attribute in (("onnxruntime", "InferenceSession"), ("tokenizers", "Tokenizer")):
        module = ModuleType(name)
        setattr(module, attribute, None)
        module.SessionOptions = None
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(FileNotFoundError, match=r"model\.onnx is missing"):
        code.embeddings.SentenceEmbedder(tmp_path).fit(["a"])
