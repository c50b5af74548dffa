"""Several labels per item, from the answers of several people."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from skactive.crowds import Answers, DawidSkene, MajorityVote, MultilabelAnswers, MultilabelCrowd

NAMES = np.array(["cat", "mouse", "sea"])
equal = np.testing.assert_array_equal
close = np.testing.assert_allclose


def simulate(n=300, seed=0):
    """Return true labels, and answers of people who find each label with a skill of its own."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < [0.5, 0.1, 0.3]
    skills = np.array([[0.95, 0.6, 0.9], [0.6, 0.95, 0.9], [0.95, 0.9, 0.6], [0.6, 0.6, 0.6]])
    items, people, given = [], [], []
    for person, skill in enumerate(skills):
        rows = np.flatnonzero(rng.random(n) < 0.9)
        right = rng.random((len(rows), 3)) < skill
        items += rows.tolist()
        people += [f"person {person}"] * len(rows)
        given += (truth[rows] == right).tolist()
    return truth, skills, np.array(items), np.array(people), np.array(given)


TRUTH, SKILLS, ITEMS, PEOPLE, GIVEN = simulate()
SETS = [set(NAMES[row].tolist()) for row in GIVEN]


def test_sets_and_matrices_of_all_kinds_are_read_alike():
    matrix = GIVEN.astype(int)
    kinds = [
        (SETS, None),
        ([sorted(row) for row in SETS], NAMES),
        (matrix, NAMES),
        (GIVEN, NAMES),
        (sp.csr_array(matrix), NAMES),
        (pd.DataFrame(matrix, columns=NAMES), None),
    ]
    first = MultilabelAnswers(ITEMS, PEOPLE, SETS)
    assert first.classes.tolist() == NAMES.tolist()
    for labels, classes in kinds:
        answers = MultilabelAnswers(ITEMS, PEOPLE, labels, classes=classes)
        for name in NAMES:
            equal(answers.about(name).count_votes(), first.about(name).count_votes())
    assert MultilabelAnswers(ITEMS, PEOPLE, matrix).classes.tolist() == [0, 1, 2]


@pytest.mark.parametrize("model", [MajorityVote(), DawidSkene()], ids=["votes", "dawid-skene"])
def test_each_label_is_a_question_of_its_own(model):
    crowd = MultilabelCrowd(model).fit(MultilabelAnswers(ITEMS, PEOPLE, SETS))
    for k in range(3):
        alone = clone(model).fit(Answers(ITEMS, PEOPLE, GIVEN[:, k].astype(int)))
        close(crowd.proba_[:, k], alone.proba_[:, 1])
        equal(crowd.labels_[:, k], alone.labels_)
        close(crowd.annotator_accuracy_[:, k], alone.annotator_accuracy_)


def test_people_are_believed_about_the_labels_that_they_know():
    crowd = MultilabelCrowd().fit(MultilabelAnswers(ITEMS, PEOPLE, SETS))
    votes = MultilabelCrowd(MajorityVote()).fit(MultilabelAnswers(ITEMS, PEOPLE, SETS))
    truth = TRUTH[crowd.items_]
    assert (crowd.labels_ == truth).mean() > (votes.labels_ == truth).mean() + 0.03
    close(crowd.annotator_accuracy_, SKILLS, atol=0.1)


def test_order_of_answers_people_and_labels_does_not_matter():
    order = np.random.default_rng(1).permutation(len(ITEMS))
    swapped = [2, 0, 1]
    first = MultilabelCrowd().fit(MultilabelAnswers(ITEMS, PEOPLE, GIVEN))
    other = MultilabelCrowd().fit(
        MultilabelAnswers(ITEMS[order], PEOPLE[order], GIVEN[order][:, swapped])
    )
    close(other.proba_, first.proba_[:, swapped], atol=1e-9)


def test_gold_and_a_model_help():
    answers = MultilabelAnswers(ITEMS, PEOPLE, SETS)
    rng = np.random.default_rng(0)
    known = {item: set(NAMES[TRUTH[item]].tolist()) for item in range(100)}
    crowd = MultilabelCrowd().fit(answers, gold=known)
    equal(crowd.labels_[np.isin(crowd.items_, range(100))], TRUTH[crowd.items_][:100])
    table = np.full((len(answers.items), 3), np.nan)
    table[:100] = TRUTH[answers.items[:100]]
    equal(MultilabelCrowd().fit(answers, gold=table).proba_, crowd.proba_)
    right = rng.random(TRUTH.shape) < 0.95
    proba = np.where(right == TRUTH, 0.9, 0.1)[answers.items]
    alone, helped = MultilabelCrowd().fit(answers), MultilabelCrowd().fit(answers, proba=proba)
    truth = TRUTH[answers.items]
    assert (helped.labels_ == truth).mean() > (alone.labels_ == truth).mean()


def test_labels_that_nobody_gave_have_none_of_the_items():
    answers = MultilabelAnswers([0, 1], ["a", "a"], [set(), set()], classes=["cat"])
    crowd = MultilabelCrowd().fit(answers)
    assert crowd.labels_.tolist() == [[0], [0]]


@pytest.mark.parametrize(
    ("labels", "classes", "sentence"),
    [
        (["cat", "sea"], None, r"labels\[0\] must be a set or a list .* use Answers"),
        ([{"cat"}, None], None, r"labels\[1\] must be .* got missing"),
        ([{"cat"}, {"cat", None}], None, r"labels\[1\] holds a missing value"),
        ([{"cat"}, {1}], None, "labels mix values that cannot be sorted"),
        ([{"cat"}, {"dog"}], ["cat"], "labels has 'dog', which is not in classes"),
        ([set(), set()], None, "all answers are empty"),
        (np.array([[0, 1], [2, 0]]), None, "must hold 0 and 1 only, got"),
        (np.array([[0, np.nan], [1, 0]]), None, "must hold 0 and 1 only, got"),
        (np.array([[0, 1], [1, 0]]), ["cat"], "classes must be 2 different names"),
        ([{"cat"}], None, "must have one length"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_answers_that_are_no_sets_are_refused(labels, classes, sentence):
    with pytest.raises(ValueError, match=sentence):
        MultilabelAnswers([0, 1], ["Ann", "Bob"], labels, classes=classes)


def test_bad_gold_and_probabilities_are_refused():
    answers = MultilabelAnswers([0, 1], ["Ann", "Bob"], [{"cat"}, {"sea"}])
    crowd = MultilabelCrowd()
    with pytest.raises(ValueError, match="gold has the item 7"):
        crowd.fit(answers, gold={7: {"cat"}})
    with pytest.raises(ValueError, match="gold has the label 'dog', which nobody gave"):
        crowd.fit(answers, gold={0: {"dog"}})
    with pytest.raises(ValueError, match="a matrix of shape"):
        crowd.fit(answers, gold=[[1, 2], [0, 1]])
    with pytest.raises(ValueError, match=r"proba must have shape \(2, 2\)"):
        crowd.fit(answers, proba=[0.5, 0.5])
    with pytest.raises(ValueError, match="'dog' is not among the labels"):
        answers.about("dog")
    with pytest.raises(TypeError, match="must be MultilabelAnswers, got Answers"):
        crowd.fit(Answers([0], ["Ann"], [1]))
    assert not hasattr(crowd, "labels_")
