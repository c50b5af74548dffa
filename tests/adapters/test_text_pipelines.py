"""Pipelines of Hugging Face as classifiers: imitations, and real ones with random weights."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearner, scores
from skactive.adapters import HuggingFaceClassifier, SentenceEmbedder
from skactive.annotators import ModelAnnotator
from skactive.exceptions import FrozenModelWarning
from skactive.strategies import ColdStart, Margin
from skactive.testing._adapter_checks import ADAPTER_CHECKS

STARS = {"1 star": "bad", "4 stars": "good", "5 stars": "good"}
TEXTS = ["bad", "fine film", "good", "great", "", "the best of all films"]


class Imitation:
    """A pipeline: the more letters, the more stars. It sorts by score, as pipelines do."""

    def __init__(self, task="text-classification", names=tuple(STARS), problem_type=None):
        self.task, self.calls = task, []
        id2label = dict(enumerate(names))
        config = SimpleNamespace(id2label=id2label, problem_type=problem_type)
        self.model = SimpleNamespace(config=config)

    def __call__(self, texts, **options):
        self.calls.append(options)
        return [self.judge(text, options.get("candidate_labels")) for text in texts]

    def judge(self, text, candidates):
        assert text or candidates is None
        names = candidates or list(self.model.config.id2label.values())
        weights = np.arange(1, len(names) + 1.0) ** len(text)
        pairs = zip(names, weights / weights.sum(), strict=True)
        ranked = sorted(pairs, key=lambda pair: -pair[1])
        if candidates is None:
            return [{"label": name, "score": score} for name, score in ranked]
        return {"labels": [name for name, _ in ranked], "scores": [score for _, score in ranked]}


@pytest.mark.parametrize("task", ["text-classification", "zero-shot-classification"])
def test_probabilities_stand_in_the_columns_of_sorted_labels(task):
    model = HuggingFaceClassifier(Imitation(task), {"4 stars": "good", "1 star": "bad"})
    model.pipeline.model.config.id2label = {0: "4 stars", 1: "1 star"}
    assert model.classes_.tolist() == ["bad", "good"]
    second = 1 / (1 + 0.5 ** np.array([2, 3]))  # of "1 star", which is "bad"
    expected = np.column_stack([second, 1 - second])
    np.testing.assert_allclose(model.predict_proba(["ab", "abc"]), expected)
    assert model.predict(["ab"]).tolist() == ["bad"]
    assert model.predict_proba([]).shape == (0, 2)
    assert model.predict_proba([""]).shape == (1, 2)


def test_probabilities_of_names_with_one_label_are_added():
    model = HuggingFaceClassifier(Imitation(), STARS)
    weights = np.array([1.0, 2.0**2, 3.0**2])
    expected = [weights[0], weights[1:].sum()] / weights.sum()
    np.testing.assert_allclose(model.predict_proba(["ab"]), [expected])


def test_the_pipeline_is_asked_for_all_names_and_long_texts_are_cut():
    model = HuggingFaceClassifier(Imitation(), STARS, batch_size=7)
    model.predict(["ab"])
    wanted = {"top_k": None, "function_to_apply": "softmax", "truncation": True, "batch_size": 7}
    assert model.pipeline.calls == [wanted]
    zero_shot = HuggingFaceClassifier(
        Imitation("zero-shot-classification"), ["a", "b"], hypothesis="About {}."
    )
    zero_shot.predict(["ab"])
    assert zero_shot.pipeline.calls[0]["hypothesis_template"] == "About {}."
    assert zero_shot.pipeline.calls[0]["candidate_labels"] == ["a", "b"]


@pytest.mark.parametrize(
    ("pipeline", "classes", "error", "message"),
    [
        (Imitation("fill-mask"), None, TypeError, "for 'fill-mask'"),
        (len, None, TypeError, "builtin_function_or_method for None"),
        (Imitation("zero-shot-classification"), None, ValueError, "two names or more"),
        (Imitation(), ["1 star", "4 stars"], ValueError, r"exactly the names .* got \['1 star'"),
        (Imitation(names=["one"]), None, ValueError, "two or more"),
        (Imitation(problem_type="multi_label_classification"), None, ValueError, "several labels"),
        (3, None, ValueError, "'pipeline' parameter of HuggingFaceClassifier"),
    ],
    ids=["task", "function", "no candidates", "missing name", "one name", "several", "number"],
)
def test_what_does_not_fit_is_named(pipeline, classes, error, message):
    with pytest.raises(error, match=message):
        HuggingFaceClassifier(pipeline, classes).predict_proba(TEXTS)


def test_labels_that_the_pipeline_does_not_know_are_refused():
    with pytest.raises(ValueError, match=r"\['1 star'\] are not among"):
        HuggingFaceClassifier(Imitation(), STARS).fit(["a", "b"], ["good", "1 star"])


def test_it_chooses_rows_before_any_label_and_learns_nothing():
    model = HuggingFaceClassifier(Imitation(), STARS)
    learner = ActiveLearner(model, Margin(), prefit=True, random_state=0)
    margins = scores.margin(model.predict_proba(TEXTS))
    assert learner.query(TEXTS).tolist() == [np.argmax(margins)]
    learner.fit(TEXTS[:1], ["bad"])
    with pytest.warns(FrozenModelWarning, match="HuggingFaceClassifier is frozen"):
        learner.teach(TEXTS[1:2], ["good"])
    np.testing.assert_array_equal(learner.score_pool(TEXTS), margins)
    fitted = ActiveLearner(model, Margin(), random_state=0).fit(TEXTS[:2], ["bad", "good"])
    np.testing.assert_array_equal(fitted.score_pool(TEXTS), margins)
    assert fitted.estimator_.pipeline is model.pipeline
    assert clone(model).classes == STARS


def test_classes_that_have_no_label_yet_keep_their_columns():
    names = ["bad", "fine", "good"]
    learner = ActiveLearner(
        HuggingFaceClassifier(Imitation(names=names)), Margin(), classes=names, random_state=0
    )
    learner.fit(TEXTS[:2], ["bad", "good"])
    expected = scores.margin(learner.predict_proba(TEXTS))
    np.testing.assert_array_equal(learner.score_pool(TEXTS), expected)


@pytest.mark.parametrize("wrap", [lambda model: model, FrozenEstimator], ids=["bare", "frozen"])
def test_it_tells_the_classes_apart_for_a_cold_start(wrap):
    class Lengths:
        def encode(self, texts, **options):
            return np.array([[len(text)] for text in texts])

    source = wrap(HuggingFaceClassifier(Imitation(), STARS))
    strategy = ColdStart(source, Margin())
    embedder = SentenceEmbedder(Lengths())
    learner = ActiveLearner(LogisticRegression(), strategy, embedder=embedder, random_state=0)
    assert len(set(learner.query(TEXTS, batch_size=3))) == 3


def test_it_is_an_annotator_without_a_fit():
    model = HuggingFaceClassifier(Imitation(), STARS)
    answers = ModelAnnotator(model, price=2.0).annotate(TEXTS)
    np.testing.assert_array_equal(answers.labels, model.predict(TEXTS))
    np.testing.assert_array_equal(answers.proba, model.predict_proba(TEXTS))


# Real pipelines ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real():
    """Return a text classifier, and a zero-shot classifier, of random weights."""
    transformers = pytest.importorskip("transformers")
    from tiny_texts import make_bert, make_tokenizer

    def make(task, names):
        numbers = {name: number for number, name in enumerate(names)}
        options = {"id2label": dict(enumerate(names)), "label2id": numbers}
        model = make_bert(transformers.BertForSequenceClassification, num_labels=3, **options)
        return transformers.pipeline(task, model=model, tokenizer=make_tokenizer(), device="cpu")

    entailment = ["contradiction", "neutral", "entailment"]
    return {
        "text": HuggingFaceClassifier(make("text-classification", ["low", "high", "mid"])),
        "zero-shot": HuggingFaceClassifier(
            make("zero-shot-classification", entailment), ["positive", "bad, or so"]
        ),
    }


def test_probabilities_are_the_softmax_of_a_real_model(real):
    import torch

    model = real["text"]
    texts = ["good film", "", "bad " * 100]
    inputs = model.pipeline.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        proba = torch.softmax(model.pipeline.model(**inputs).logits, dim=1).numpy()
    assert model.classes_.tolist() == ["high", "low", "mid"]
    np.testing.assert_allclose(model.predict_proba(texts), proba[:, [1, 0, 2]], rtol=1e-4)


def test_candidates_share_the_probability_of_a_real_zero_shot_model(real):
    proba = real["zero-shot"].predict_proba(["good film", "", "bad " * 100])
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-5)
    assert proba.shape == (3, 2)


@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ["text", "zero-shot"])
def test_real_pipelines_pass_the_checks_of_adapters(real, name, check):
    check(real[name], TEXTS)
