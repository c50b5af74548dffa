import numpy as np
import pytest

from skactive.crowds import Answers, score_opinions
from skactive.crowds._opinions import _find_temperature


def draw(seed, n=150, n_people=5, n_classes=3, share=0.5):
    """Return answers, -1 for none, and probabilities of answered and new rows."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n + 40)
    right = rng.random((n, n_people)) < rng.uniform(0.6, 0.95, n_people)
    matrix = np.where(right, truth[:n, None], rng.integers(n_classes, size=(n, n_people)))
    matrix[rng.random((n, n_people)) > share] = -1
    matrix[np.arange(n), rng.integers(n_people, size=n)] = truth[:n]
    proba = rng.dirichlet(np.ones(n_classes), n + 40) + 0.8 * np.eye(n_classes)[truth]
    proba /= proba.sum(axis=1, keepdims=True)
    return matrix, proba[:n], proba[n:]


@pytest.mark.parametrize("seed", range(4))
def test_scores_are_cleanlabs_at_the_same_temperature(seed, monkeypatch):
    cleanlab = pytest.importorskip("cleanlab.multiannotator")
    matrix, proba, new = draw(seed, n_classes=2 + seed, share=0.2 + 0.2 * seed)
    monkeypatch.setattr(cleanlab, "find_best_temp_scaler", lambda labels, proba: 0.7)
    ours = score_opinions.__globals__
    monkeypatch.setitem(ours, "_find_temperature", lambda counts, proba: 0.7)
    theirs, theirs_new = cleanlab.get_active_learning_scores(
        np.where(matrix < 0, np.nan, matrix), proba, new
    )
    answers = Answers.from_matrix(matrix, missing=-1, classes=np.arange(2 + seed))
    ours = score_opinions(answers, proba, new)
    np.testing.assert_allclose(ours.new, 1 - theirs_new, atol=1e-9)
    # Theirs is the quality of a first consensus, which is seldom not the best of the last one.
    same = np.abs(ours.answered - (1 - theirs)) < 1e-9
    assert same.mean() > 0.97
    assert (ours.answered <= 1 - theirs + 1e-9).all()


def test_temperature_makes_the_answers_most_probable():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.ones(3), 4000)
    labels = (rng.random((4000, 1)) < proba.cumsum(axis=1)).argmax(axis=1)
    sharp = proba**3 / (proba**3).sum(axis=1, keepdims=True)
    counts = np.eye(3)[labels]
    assert _find_temperature(counts, proba) == pytest.approx(1.0, abs=0.05)
    assert _find_temperature(counts, sharp) == pytest.approx(3.0, abs=0.15)


def test_with_single_answers_the_model_decides():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.ones(3), 30)
    labels = rng.integers(3, size=30)
    scores = score_opinions(Answers(range(30), ["Ann"] * 30, labels), proba, proba[:4])
    own = proba[np.arange(30), labels]
    np.testing.assert_allclose(scores.answered, 1 - (2 * own + 1 / 3) / 3)
    np.testing.assert_allclose(scores.new, 1 - (proba[:4].max(axis=1) + 1 / 3) / 2)


def test_more_good_answers_leave_less_to_ask():
    matrix, proba, _ = draw(0)
    matrix[0], proba[0] = [1, -1, -1, -1, -1], [0.2, 0.6, 0.2]
    answers = [Answers.from_matrix(matrix, missing=-1)]
    matrix = matrix.copy()
    matrix[0] = 1
    answers.append(Answers.from_matrix(matrix, missing=-1))
    before, after = (score_opinions(each, proba).answered[0] for each in answers)
    assert after < before


def test_without_new_rows_there_are_no_scores_of_them():
    matrix, proba, _ = draw(0)
    assert score_opinions(Answers.from_matrix(matrix, missing=-1), proba).new.shape == (0,)


def test_shapes_that_do_not_fit_are_refused():
    matrix, proba, new = draw(0)
    answers = Answers.from_matrix(matrix, missing=-1)
    with pytest.raises(ValueError, match=r"proba must have shape \(150, 3\)"):
        score_opinions(answers, proba[:9])
    with pytest.raises(ValueError, match="proba_new must have 3 columns"):
        score_opinions(answers, proba, new[:, :2])
