"""distill: what each answer weighs, and how far the answers are trusted."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skactive.annotators import Annotations, FunctionAnnotator, ModelAnnotator, distill
from skactive.annotators._distilling import weigh_answers

X, NUMBERS = make_classification(2000, n_informative=8, n_classes=3, random_state=0)
Y = np.array(["a", "b", "c"])[NUMBERS]
FEW, REST, TEST = np.arange(100), np.arange(100, 1000), np.arange(1000, 2000)
MODEL = LogisticRegression(max_iter=2000)


def make_answers(labels, proba=None, *, sources=None):
    labels = np.array(labels, dtype=object)
    n, abstained = len(labels), np.array([label is None for label in labels])
    sources = np.zeros(n, np.intp) if sources is None else np.array(sources)
    return Annotations(labels, proba, np.zeros(n), np.zeros(n), abstained, sources)


def answer_wrongly(rows):
    """Return answers that are right but for "b", which is always called "c"."""
    return make_answers(np.where(Y[rows] == "b", "c", Y[rows]))


def test_an_answer_weighs_what_it_is_better_than_a_guess():
    proba = np.array([[1.0, 0.0, 0.0], [0.5, 0.3, 0.2], [0.34, 0.33, 0.33], [np.nan] * 3])
    answers = make_answers(["a", "a", "a", None], proba)
    weights = weigh_answers(answers, None, None)
    np.testing.assert_allclose(weights, [1.0, 0.25, 0.01, 0.0], atol=1e-9)
    of_people = make_answers(["a", "b", None, "c"], sources=[-1, 0, -1, 0])
    known = np.array(["a"] * 50 + ["b"] * 50 + ["c"] * 50)
    right = np.where(np.arange(150) % 3 == 0, "x", known)  # two in three are right
    weights = weigh_answers(of_people, known, make_answers(right))
    np.testing.assert_allclose(weights, [1.0, 0.5, 0.0, 0.5], atol=0.02)


def test_the_fit_is_that_of_the_model_to_weighted_rows():
    teacher = ModelAnnotator(LogisticRegression().fit(X[FEW], Y[FEW]))
    answers = teacher.annotate(X[REST])
    model = distill(MODEL, X[REST], answers, X_labeled=X[FEW], y_labeled=Y[FEW], trust=0.3)
    weights = 0.3 * (1.5 * answers.proba.max(axis=1) - 0.5)
    expected = LogisticRegression(max_iter=2000).fit(
        np.vstack([X[REST], X[FEW]]),
        np.r_[answers.labels.astype(str), Y[FEW]],
        np.r_[weights, np.ones(100)],
    )
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-6)
    assert model.trust_ == 0.3
    in_steps = distill(
        make_pipeline(StandardScaler(with_mean=False), MODEL),
        sparse.csr_array(X[REST]),
        answers,
        X_labeled=sparse.csr_array(X[FEW]),
        y_labeled=Y[FEW],
        random_state=0,
    )
    assert in_steps.predict(sparse.csr_array(X)).shape == (2000,)
    assert not hasattr(MODEL, "coef_")


def test_good_answers_are_trusted_and_bad_ones_are_not():
    def learn(answers, labeled_answers):
        return distill(
            MODEL,
            X[REST],
            answers,
            X_labeled=X[FEW],
            y_labeled=Y[FEW],
            labeled_answers=labeled_answers,
            random_state=0,
        )

    alone = MODEL.fit(X[FEW], Y[FEW]).score(X[TEST], Y[TEST])
    del MODEL.coef_
    good = learn(make_answers(Y[REST]), make_answers(Y[FEW]))
    assert good.trust_ >= 0.1
    assert good.score(X[TEST], Y[TEST]) > alone + 0.03
    bad = learn(answer_wrongly(REST), answer_wrongly(FEW))
    assert bad.trust_ <= 0.1
    assert bad.score(X[TEST], Y[TEST]) > alone - 0.03
    trusted = distill(
        MODEL, X[REST], answer_wrongly(REST), X_labeled=X[FEW], y_labeled=Y[FEW], trust=1.0
    )
    assert trusted.score(X[TEST], Y[TEST]) < alone - 0.05


def test_without_labels_of_people_all_answers_count_and_rules_may_abstain():
    rule = FunctionAnnotator(lambda row: None if row[0] > 0 else "a")
    answers = rule.annotate(X[REST])
    with pytest.raises(ValueError, match="class"):  # the model's own: it knows one class only
        distill(MODEL, X[REST], answers)
    model = distill(MODEL, X[REST], answers, X_labeled=X[FEW], y_labeled=Y[FEW], random_state=0)
    assert model.trust_ < 1.0
    assert distill(LinearSVC(), X[REST], answer_wrongly(REST)).trust_ == 1.0
    by_errors = distill(
        LinearSVC(), X[REST], make_answers(Y[REST]), X_labeled=X[FEW], y_labeled=Y[FEW]
    )
    assert by_errors.predict(X[:2]).shape == (2,)


@pytest.mark.parametrize(
    ("model", "changed", "said"),
    [
        (KNeighborsClassifier(), {}, "KNeighborsClassifier takes no sample_weight"),
        (MODEL, {"X": X[:9]}, "answers has 900 entries for the 9 rows"),
        (MODEL, {"X_labeled": X[:9]}, "X_labeled and y_labeled go together"),
        (MODEL, {"labeled_answers": make_answers(["a"])}, "labeled_answers is about labeled rows"),
        (MODEL, {"X_labeled": X[:9], "y_labeled": Y[:8]}, r"as many entries, got \[9, 8\]"),
        (MODEL, {"trust": 2.0}, "trust must lie in 0 .. 1"),
        (MODEL, {"trust": 0.0}, "nothing to learn from"),
        (MODEL, {"answers": make_answers([None] * 900)}, "nothing to learn from"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_wrong_input_is_refused(model, changed, said):
    arguments = {"X": X[REST], "answers": make_answers(Y[REST])} | changed
    with pytest.raises(ValueError, match=said):
        distill(model, **arguments)
