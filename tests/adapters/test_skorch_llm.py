"""The language models of skorch, which classify without gradients, are models like others."""

import numpy as np
import pytest

pytest.importorskip("transformers")
pytest.importorskip("skorch")

from skorch.llm import FewShotClassifier, ZeroShotClassifier
from tiny_texts import LABELS, TEXTS, make_gpt, make_tokenizer

from skactive import ActiveLearner, scores
from skactive.annotators import ModelAnnotator
from skactive.exceptions import InvalidReadingError
from skactive.strategies import Margin
from skactive.testing._adapter_checks import ADAPTER_CHECKS


class Sharing(FewShotClassifier):
    """A classifier whose clones have one model in common."""

    def __sklearn_clone__(self):
        return type(self)(**self.get_params(deep=False))


@pytest.fixture(scope="module")
def parts():
    return {"model": make_gpt(), "tokenizer": make_tokenizer(marks_ends=False, length=512)}


@pytest.fixture(params=[ZeroShotClassifier, FewShotClassifier, Sharing])
def model(parts, request):
    return request.param(**parts)


@pytest.mark.parametrize("container", [list, np.array])
def test_a_learner_queries_and_teaches_them(model, container):
    X = container(TEXTS)
    learner = ActiveLearner(model, Margin(), random_state=0).fit(X[:4], LABELS[:4])
    pool = X[4:]
    expected = scores.margin(learner.predict_proba(pool))
    np.testing.assert_allclose(learner.score_pool(pool), expected)
    first = learner.query(pool, batch_size=3)
    assert expected[first].min() >= np.delete(expected, first).max()
    learner.teach(X[4:6], LABELS[4:6])
    assert set(learner.predict(pool)) <= set(LABELS)


def test_clones_copy_the_weights_unless_a_subclass_shares_them(parts):
    copying, sharing = (
        ActiveLearner(kind(**parts), Margin(), random_state=0).fit(TEXTS[:4], LABELS[:4])
        for kind in (FewShotClassifier, Sharing)
    )
    assert copying.estimator_.model_ is not parts["model"]
    assert sharing.estimator_.model_ is parts["model"]
    np.testing.assert_array_equal(copying.score_pool(TEXTS), sharing.score_pool(TEXTS))


def test_examples_are_chosen_by_the_seed_of_the_learner(parts):
    def show(seed):
        model = FewShotClassifier(**parts, max_samples=3)
        return ActiveLearner(model, Margin(), random_state=seed).fit(TEXTS, LABELS).estimator_

    assert show(1).examples_ == show(1).examples_
    assert any(show(1).examples_ != show(seed).examples_ for seed in range(2, 6))


def test_classes_may_be_declared_that_have_no_label_yet(model):
    learner = ActiveLearner(model, Margin(), classes=["film", *LABELS[:2]], random_state=0)
    learner.fit(TEXTS[:4], LABELS[:4])
    expected = scores.margin(learner.predict_proba(TEXTS))  # of a third class with probability 0
    np.testing.assert_allclose(learner.score_pool(TEXTS), expected)
    learner.teach(TEXTS[4:5], ["film"])
    assert learner.predict_proba(TEXTS).shape == (len(TEXTS), 3)


def test_probabilities_that_leave_other_words_out_are_refused(parts):
    learner = ActiveLearner(ZeroShotClassifier(**parts, probas_sum_to_1=False), Margin())
    with pytest.raises(InvalidReadingError, match="do not sum to 1"):
        learner.fit(TEXTS[:4], LABELS[:4])


@pytest.mark.parametrize("fitted", [True, False])
def test_they_are_annotators(model, fitted):
    if fitted:
        annotator = ModelAnnotator(model.fit(TEXTS[:4], LABELS[:4]), price=0.1)
    else:
        annotator = ModelAnnotator(model, price=0.1).fit(TEXTS[:4], LABELS[:4])
    answers = annotator.annotate(TEXTS[4:])
    columns = np.searchsorted(annotator.classes_, answers.labels)
    np.testing.assert_array_equal(columns, answers.proba.argmax(axis=1))
    assert answers.cost.sum() == pytest.approx(0.6)


@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", [ZeroShotClassifier, FewShotClassifier])
def test_they_pass_the_checks_of_adapters(parts, kind, check):
    check(kind(**parts).fit(TEXTS[:4], LABELS[:4]), TEXTS)
