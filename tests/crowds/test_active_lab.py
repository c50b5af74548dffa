"""ActiveLab: which answers to buy, from whom."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from skactive.crowds import ActiveLab, Answers, DawidSkene, OneCoin
from skactive.crowds._held_out import predict_held_out
from skactive.crowds._purchases import choose_pairs, measure_information
from skactive.exceptions import PoolExhaustedError

X, Y = make_blobs(200, centers=3, cluster_std=3.0, random_state=0)
PEOPLE = ["ann", "bob", "cyd", "dan"]
ACCURACY = np.array([0.95, 0.85, 0.85, 1 / 3])
MODEL = LogisticRegression()

equal = np.testing.assert_array_equal
close = np.testing.assert_allclose


def draw_answers(seed=0):
    """Return the answer of each person to each row, (n_rows, n_people)."""
    rng = np.random.default_rng(seed)
    right = rng.random((200, 4)) < ACCURACY
    return np.where(right, Y[:, None], (Y[:, None] + rng.integers(1, 3, size=(200, 4))) % 3)


RECORDED = draw_answers()


def start(n=60, *, names=PEOPLE, **params):
    """Return a lab with two answers about each of the first rows; each person gave as many."""
    rows = np.repeat(np.arange(n), 2)
    people = (rows + np.tile([0, 1], n) * (1 + rows // 4 % 3)) % 4
    answers = Answers(rows, np.array(names)[people], RECORDED[rows, people])
    lab = ActiveLab(MODEL, **{"random_state": 0, **params})
    return lab.fit(X, answers, annotators=names)


def test_information_is_that_of_the_joint_distribution():
    proba = np.random.default_rng(0).dirichlet(np.ones(4), 10)
    for accuracy in (0.25, 0.6, 0.999):
        confusion = np.full((4, 4), (1 - accuracy) / 3)
        np.fill_diagonal(confusion, accuracy)
        joint = proba[:, :, None] * confusion  # (row, class, answer)
        independent = proba[:, :, None] * joint.sum(axis=1)[:, None, :]
        expected = (joint * np.log(joint / independent)).sum(axis=(1, 2))
        close(measure_information(proba, accuracy), expected, atol=1e-12)
    close(measure_information(proba, 0.25), 0, atol=1e-12)  # someone who guesses


def test_the_best_answer_of_each_row_is_chosen_and_ties_are_drawn():
    worth = np.array([[1.0, 2.0], [5.0, 9.0], [3.0, 3.0]])
    is_open = np.array([[True, True], [True, False], [True, True]])
    seen = set()
    for seed in range(20):
        rows, people = choose_pairs(worth, is_open, 3, np.random.default_rng(seed))
        assert rows.tolist() == [1, 2, 0]
        assert people[[0, 2]].tolist() == [0, 1]
        seen.add(int(people[1]))
    assert seen == {0, 1}


def test_held_out_predictions_come_from_models_that_saw_other_labels():
    rows, codes = np.arange(90), Y[:90]
    proba = predict_held_out(MODEL, X, rows, codes, 4, n_folds=5, seed=0)
    equal(proba[:, 3], 0)  # of the fourth class there is no row
    close(proba.sum(axis=1), 1)
    changed = codes.copy()
    changed[7] = (codes[7] + 1) % 3
    again = predict_held_out(MODEL, X, rows, changed, 4, n_folds=90, seed=0)
    alone = predict_held_out(MODEL, X, rows, codes, 4, n_folds=90, seed=0)
    close(again[7], alone[7])  # by a model of all others
    assert np.abs(again[8] - alone[8]).max() > 1e-6
    other = MODEL.fit(np.delete(X[:90], 7, axis=0), np.delete(codes, 7))
    close(alone[7, :3], other.predict_proba(X[[7]])[0])


def test_the_consensus_is_that_of_the_crowd_model_with_the_held_out_model():
    lab = start()
    held_out = predict_held_out(
        MODEL, X, np.arange(60), _vote_codes(lab.answers_), 3, n_folds=5, seed=0
    )
    expected = OneCoin(smoothing=1.0).fit(lab.answers_, proba=held_out[:60])
    close(lab.proba_[:60], expected.proba_)
    close(lab.proba_[60:], held_out[60:])
    equal(lab.labels_[:60], expected.labels_)
    equal(lab.labels_[60:], held_out[60:].argmax(axis=1))
    close(lab.predict_proba(X), clone(MODEL).fit(X[:60], expected.labels_).predict_proba(X))
    other = start(crowd=DawidSkene(smoothing=1.0))
    assert isinstance(other.crowd_, DawidSkene)
    assert other.get_params()["crowd"] is not other.crowd_


def _vote_codes(answers):
    """Return the labels of answers without a model."""
    return OneCoin(smoothing=1.0).fit(answers).labels_


def test_skills_are_learned_from_agreement_and_people_who_guess_are_not_asked():
    lab = start(200)
    close(lab.annotator_accuracy_, ACCURACY, atol=0.12)
    _, names = start().query(40)
    assert "dan" not in names
    assert names.tolist().count("ann") > 20


def test_cheap_people_are_asked_if_they_are_as_good():
    prices = {"ann": 50.0, "bob": 1.0, "cyd": 1.1, "dan": 1.0}
    lab = start(prices=prices)
    _, names = lab.query(30)
    assert set(names) <= {"bob", "cyd"}
    rows, names = lab.query(3)
    lab.teach(rows, names, Y[rows])
    assert lab.cost_ == pytest.approx(sum(prices[name] for name in names))


def test_rows_in_doubt_come_first_whether_they_are_new_or_not():
    lab = start()
    rows, _ = lab.query(10)
    doubt = 1 - lab.proba_.max(axis=1)
    assert doubt[rows].min() > np.median(doubt)
    certain = ActiveLab(MODEL, random_state=0).fit(X, Answers(*_three_answers(Y)))
    assert (certain.query(5, available=["dan"])[0] >= 60).all()
    disputed = np.where(np.arange(3)[:, None] == 0, Y, (Y + 1 + np.arange(3)[:, None] % 2) % 3)
    doubted = ActiveLab(MODEL, random_state=0).fit(X, Answers(*_three_answers(Y, disputed)))
    worth = doubted._measure_worth()[:, 3]
    assert worth[:3].min() > worth[3:60].max()
    assert worth[60:].min() < worth[:3].min() < worth[60:].max()  # one ranking
    assert set(range(3)) < set(doubted.query(140, available=["dan"])[0].tolist())


def _three_answers(truth, disputed=None):
    """Return answers of three people to the first 60 rows, and one of a fourth."""
    labels = np.tile(truth[:60], (3, 1))
    if disputed is not None:
        labels[:, :3] = disputed[:, :3]
    rows = np.tile(np.arange(60), 3)
    return (
        np.append(rows, 59),
        np.append(np.repeat(PEOPLE[:3], 60), "dan"),
        np.append(labels.ravel(), truth[59]),
    )


def test_nobody_is_asked_twice_nor_while_they_are_away():
    lab = start()
    given = set(zip(lab.answers_.item_codes, lab.answers_.annotator_codes, strict=True))
    rows, names = lab.query(200 * 4 - 120)
    pairs = list(zip(rows, np.searchsorted(PEOPLE, names), strict=True))
    assert len(set(pairs)) == 680
    assert given.isdisjoint(pairs)
    equal(np.sort(rows[:200]), np.arange(200))  # each row once, as long as there are others
    with pytest.raises(PoolExhaustedError, match="681 answers were asked for, but 680 are left"):
        lab.query(681)
    assert set(lab.query(50, available=["cyd", "dan"])[1]) <= {"cyd", "dan"}
    assert set(lab.query(50, available=["dan"])[1]) == {"dan"}
    allowed = np.zeros((200, 4), dtype=bool)
    allowed[100:120, 2] = True
    for available in (allowed, sp.csr_array(allowed)):
        rows, names = lab.query(20, available=available)
        equal(np.sort(rows), np.arange(100, 120))
        assert set(names) == {"cyd"}
    with pytest.raises(PoolExhaustedError):
        lab.query(21, available=allowed)


def test_names_and_order_of_people_do_not_matter():
    names = ["zoe", "yan", "xia", "will"]
    first, second = start(), start(names=names)
    close(second.proba_, first.proba_)
    worth = first._measure_worth(), second._measure_worth()
    close(worth[1][:, ::-1], worth[0])
    equal(first.query(10)[0], first.query(10)[0])


def test_it_starts_from_nothing():
    lab = ActiveLab(MODEL, random_state=1).fit(X, annotators=PEOPLE)
    assert lab.answers_ is None
    rows, names = lab.query(30)
    assert len(set(rows)) == 30
    with pytest.raises(NotFittedError, match="no model yet"):
        lab.predict(X)
    same = rows[Y[rows] == 0]
    lab.teach(same, names[: len(same)], np.zeros(len(same), dtype=int))
    assert not np.isin(lab.query(30)[0], same).any()  # while there is no model, new rows
    others = rows[Y[rows] != 0]
    lab.teach(others, names[: len(others)], Y[others])
    assert lab.score(X, Y) == (lab.predict(X) == Y).mean() > 0.5
    assert lab.query(5)[0].shape == (5,)


def test_one_annotator_gives_one_answer_about_each_row():
    lab = ActiveLab(MODEL, random_state=0).fit(X, annotators=["ann"])
    for _ in range(4):
        rows, names = lab.query(50)
        lab.teach(rows, names, Y[rows])
    assert len(lab.answers_) == 200
    assert (lab.labels_ == Y).mean() > 0.75  # the model is a second annotator
    with pytest.raises(PoolExhaustedError):
        lab.query()


@pytest.mark.no_cover
def test_fewer_answers_are_needed_than_at_random():
    gains = []
    for seed in range(5):
        recorded = draw_answers(seed)
        scores = {}
        for way in ("lab", "random"):
            rng = np.random.default_rng(seed)
            lab = ActiveLab(MODEL, random_state=seed).fit(X, annotators=range(4))
            for _ in range(12):
                rows, people = lab.query(20)
                if way == "random":
                    left = np.ones((200, 4), dtype=bool)
                    if lab.answers_ is not None:
                        given = lab.answers_
                        left[
                            given.items[given.item_codes], given.annotators[given.annotator_codes]
                        ] = False
                    pairs = np.argwhere(left)
                    rows, people = pairs[rng.permutation(len(pairs))[:20]].T
                lab.teach(rows, people, recorded[rows, people])
            scores[way] = (lab.labels_ == Y).mean()
        gains.append(scores["lab"] - scores["random"])
    assert np.mean(gains) > 0.02


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([0], ["eve"], [1]), "'eve' is not among the annotators"),
        (([200], ["ann"], [1]), "positions of rows, 0 to 199, got"),
        ((["a"], ["ann"], [1]), "positions of rows, 0 to 199, got"),
        (([0], ["ann"], [1]), "'ann' has answered row 0 before"),
        (([199, 199], ["ann", "ann"], [1, 2]), "'ann' has answered row 199 before"),
        (([100, 101], ["ann"], [1]), "must have one length"),
        (([100], ["ann"], [None]), "labels has a missing value"),
    ],
    ids=["stranger", "row", "text", "again", "twice", "lengths", "missing"],
)
def test_answers_that_do_not_fit_change_nothing(arguments, sentence):
    lab = start()
    before, proba = lab.answers_, lab.proba_
    with pytest.raises(ValueError, match=sentence):
        lab.teach(*arguments)
    assert lab.answers_ is before
    assert lab.proba_ is proba
    assert lab.cost_ == 0


def test_settings_that_do_not_fit_are_refused():
    answers = Answers([0, 1], ["ann", "bob"], [0, 1])
    with pytest.raises(ValueError, match="Nobody can be asked"):
        ActiveLab(MODEL).fit(X)
    with pytest.raises(ValueError, match="prices has no price of 'bob'"):
        ActiveLab(MODEL, prices={"ann": 1}).fit(X, answers)
    with pytest.raises(ValueError, match="prices must be positive"):
        ActiveLab(MODEL, prices={"ann": 0.0}).fit(X)
    with pytest.raises(ValueError, match="mix texts and numbers"):
        ActiveLab(MODEL).fit(X, answers, annotators=[1, 2])
    with pytest.raises(ValueError, match="positions of rows"):
        ActiveLab(MODEL).fit(X[:1], answers)
    with pytest.raises(ValueError, match="available must be a list of annotators, or a matrix"):
        start().query(available=np.ones((200, 3), dtype=bool))
    with pytest.raises(ValueError, match="'eve' is not among the annotators"):
        start().query(available=["eve"])
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        start().query(0)
    with pytest.raises(NotFittedError):
        ActiveLab(MODEL).query()
