import numpy as np
import pytest

from skactive.crowds import Answers, CrowdLab


def draw(seed, n=120, n_people=5, n_classes=3, share=0.6):
    """Return answers, -1 for none, and probabilities of a model."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n)
    right = rng.random((n, n_people)) < rng.uniform(0.5, 0.95, n_people)
    matrix = np.where(right, truth[:, None], rng.integers(n_classes, size=(n, n_people)))
    matrix[rng.random((n, n_people)) > share] = -1
    matrix[np.arange(n), rng.integers(n_people, size=n)] = truth  # an answer or more each
    proba = rng.dirichlet(np.ones(n_classes), n) + 0.8 * np.eye(n_classes)[truth]
    return matrix, proba / proba.sum(axis=1, keepdims=True), truth


def weigh_by_loops(matrix, proba, labels):
    """Return the formulas of the paper in plain loops: probabilities and weights."""
    n, n_people = matrix.shape
    n_classes = proba.shape[1]
    given = [[j for j in range(n_people) if matrix[i, j] >= 0] for i in range(n)]
    several = [i for i in range(n) if len(given[i]) > 1]
    agreement = np.mean([np.mean([matrix[i, j] == labels[i] for j in given[i]]) for i in several])
    most = np.bincount([labels[i] for i in several]).argmax()
    baseline = np.mean([labels[i] != most for i in several])
    weights = np.zeros(n_people)
    for j in range(n_people):
        same = [
            matrix[i, j] == matrix[i, k]
            for i in several
            for k in given[i]
            if j in given[i] and k != j
        ]
        weights[j] = max(1 - (1 - np.mean(same)) / baseline, 1e-6)
    error = np.mean([proba[i].argmax() != labels[i] for i in several])
    model = max(1 - error / baseline, 1e-6) * np.sqrt(np.mean([len(row) for row in given]))
    result = np.zeros((n, n_classes))
    for i in range(n):
        for k in range(n_classes):
            total = model * proba[i, k]
            for j in given[i]:
                right = agreement if matrix[i, j] == k else (1 - agreement) / (n_classes - 1)
                total += weights[j] * right
            result[i, k] = total / (model + sum(weights[j] for j in given[i]))
    return result, weights, model


@pytest.mark.parametrize("seed", range(3))
def test_probabilities_are_those_of_plain_loops(seed):
    matrix, proba, _ = draw(seed)
    answers = Answers.from_matrix(matrix, missing=-1, classes=[0, 1, 2])
    model = CrowdLab().fit(answers, proba=proba)
    counts = answers.count_votes()
    is_best = counts == counts.max(axis=1, keepdims=True)
    votes = np.where(is_best, proba, 0.0).argmax(axis=1)  # ties: the model decides
    consensus = weigh_by_loops(matrix, proba, votes)[0].argmax(axis=1)
    expected, weights, model_weight = weigh_by_loops(matrix, proba, consensus)
    np.testing.assert_allclose(model.proba_, expected, atol=1e-12)
    np.testing.assert_allclose(model.annotator_weight_, weights, atol=1e-12)
    assert model.model_weight_ == pytest.approx(model_weight)


@pytest.mark.parametrize("seed", range(6))
def test_probabilities_are_those_of_cleanlab(seed):
    cleanlab = pytest.importorskip("cleanlab.multiannotator")
    n_classes = 2 + seed % 4
    matrix, proba, _ = draw(seed, n=60 + 30 * seed, n_classes=n_classes, share=0.2 + 0.1 * seed)
    theirs = cleanlab.get_label_quality_multiannotator(
        np.where(matrix < 0, np.nan, matrix), proba, verbose=False, return_weights=True
    )
    answers = Answers.from_matrix(matrix, missing=-1, classes=np.arange(n_classes))
    ours = CrowdLab().fit(answers, proba=proba)
    labels = theirs["label_quality"]["consensus_label"].to_numpy()
    quality = theirs["label_quality"]["consensus_quality_score"].to_numpy()
    np.testing.assert_allclose(ours.proba_[np.arange(len(labels)), labels], quality, atol=1e-9)
    np.testing.assert_allclose(ours.annotator_weight_, theirs["annotator_weight"], atol=1e-9)
    assert ours.model_weight_ == pytest.approx(theirs["model_weight"], abs=1e-9)


def test_order_of_items_and_people_does_not_matter():
    matrix, proba, _ = draw(0)
    rows, columns = np.random.default_rng(1).permutation(120), np.array([3, 0, 4, 2, 1])
    first = CrowdLab().fit(Answers.from_matrix(matrix, missing=-1), proba=proba)
    permuted = Answers.from_matrix(matrix[rows][:, columns], missing=-1)
    second = CrowdLab().fit(permuted, proba=proba[rows])
    np.testing.assert_allclose(second.proba_, first.proba_[rows], atol=1e-12)


def test_gold_items_keep_their_labels():
    matrix, proba, truth = draw(0)
    answers = Answers.from_matrix(matrix, missing=-1)
    model = CrowdLab().fit(answers, proba=proba, gold={0: (truth[0] + 1) % 3})
    assert model.labels_[0] == (truth[0] + 1) % 3
    assert model.proba_[0].max() == 1.0


def test_items_without_answers_have_the_probabilities_of_the_model():
    matrix, proba, _ = draw(0)
    matrix[7] = -1
    model = CrowdLab().fit(Answers.from_matrix(matrix, missing=-1), proba=proba)
    np.testing.assert_allclose(model.proba_[7], proba[7])


def test_what_it_cannot_do_without_is_asked_for():
    answers = Answers.from_matrix([[0, 1], [1, 1]])
    with pytest.raises(ValueError, match="needs the probabilities of a model for all items"):
        CrowdLab().fit(answers)
    single = Answers([0, 1], ["Ann", "Bob"], [0, 1])
    with pytest.raises(ValueError, match="no item has two answers"):
        CrowdLab().fit(single, proba=[[0.5, 0.5], [0.1, 0.9]])


def test_a_person_with_one_answer_changes_little():
    matrix, proba, _ = draw(0)
    wider = np.column_stack([matrix, np.full(len(matrix), -1)])
    wider[3, -1] = matrix[3].max()
    before = CrowdLab().fit(Answers.from_matrix(matrix, missing=-1), proba=proba)
    after = CrowdLab().fit(Answers.from_matrix(wider, missing=-1), proba=proba)
    others = np.arange(len(matrix)) != 3
    assert np.abs(after.proba_ - before.proba_)[others].max() < 0.03
