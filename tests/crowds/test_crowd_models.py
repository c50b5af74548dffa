import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.base import clone

from skactive.crowds import GLAD, MACE, Answers, DawidSkene, MajorityVote, OneCoin
from skactive.crowds._glad import _compute_loss
from skactive.crowds._votes import collect_votes
from skactive.exceptions import SkactiveWarning

MODELS = [MajorityVote(), DawidSkene(), OneCoin(), GLAD(), MACE(random_state=0)]
EM_MODELS = MODELS[1:]
MAXIMUM_LIKELIHOOD = MODELS[1:3]


def simulate(n_items=200, n_classes=3, accuracies=(0.9, 0.8, 0.6, 0.5), share=0.8, seed=0):
    """Return true labels and answers of people with these accuracies."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n_items)
    items, people, labels = [], [], []
    for person, accuracy in enumerate(accuracies):
        for item in np.flatnonzero(rng.random(n_items) < share):
            is_right = rng.random() < accuracy
            other = (truth[item] + rng.integers(1, n_classes)) % n_classes
            items.append(item)
            people.append(person)
            labels.append(truth[item] if is_right else other)
    return truth, Answers(items, people, labels, all_items=np.arange(n_items))


def select(answers, rows):
    """Return some of the answers."""
    codes = (answers.item_codes, answers.annotator_codes, answers.label_codes)
    return Answers(*(values[rows] for values in codes))


@pytest.fixture(params=MODELS, ids=lambda model: type(model).__name__)
def model(request):
    return clone(request.param)


# Models of annotators --------------------------------------------------------------------------


def dawid_skene_by_loops(answers, smoothing, n_iter):
    """Return probabilities after some iterations, in plain loops."""
    n, n_people, n_classes = len(answers.items), len(answers.annotators), len(answers.classes)
    triples = list(
        zip(answers.item_codes, answers.annotator_codes, answers.label_codes, strict=True)
    )
    proba = answers.count_votes() / answers.count_votes().sum(axis=1, keepdims=True)
    for _ in range(n_iter):
        confusion = np.full((n_people, n_classes, n_classes), smoothing)
        for i, a, k in triples:
            for t in range(n_classes):
                confusion[a, t, k] += proba[i, t]
        confusion /= confusion.sum(axis=2, keepdims=True)
        weights = proba.sum(axis=0) + 0.5 / n_classes
        weights /= weights.sum()
        proba = np.tile(weights, (n, 1))
        for i, a, k in triples:
            proba[i] *= confusion[a, :, k]
        proba /= proba.sum(axis=1, keepdims=True)
    return proba


@pytest.mark.parametrize("n_iter", [1, 2, 5])
@pytest.mark.filterwarnings("ignore:.*has not converged")
def test_dawid_skene_is_that_of_plain_loops(n_iter):
    _, answers = simulate(n_items=30, share=1.0)
    model = DawidSkene(smoothing=0.1, max_iter=n_iter, tol=1e-12).fit(answers)
    np.testing.assert_allclose(model.proba_, dawid_skene_by_loops(answers, 0.1, n_iter), atol=1e-12)


def test_one_coin_weighs_answers_by_the_log_odds_of_their_annotators():
    _, answers = simulate(n_items=60)
    model = OneCoin(smoothing=1e-9, tol=1e-12, max_iter=10_000).fit(answers)
    accuracy = model.annotator_accuracy_
    votes = np.zeros((60, 3))
    triples = (answers.item_codes, answers.annotator_codes, answers.label_codes)
    for i, a, k in zip(*triples, strict=True):
        votes[i] += np.log((1 - accuracy[a]) / 2)
        votes[i, k] += np.log(accuracy[a]) - np.log((1 - accuracy[a]) / 2)
    proba = np.exp(votes - votes.max(axis=1, keepdims=True))
    np.testing.assert_allclose(model.proba_, proba / proba.sum(axis=1, keepdims=True), atol=1e-3)


@pytest.mark.parametrize("model", MAXIMUM_LIKELIHOOD, ids=lambda model: type(model).__name__)
@pytest.mark.filterwarnings("ignore:.*has not converged")
def test_each_iteration_raises_the_density_of_the_parameters(model):
    _, answers = simulate(seed=3)
    likelihoods = [
        clone(model).set_params(max_iter=n, tol=1e-15, smoothing=1e-9).fit(answers).log_likelihood_
        for n in range(1, 12)
    ]
    assert (np.diff(likelihoods) > -1e-6).all()
    assert likelihoods[-1] > likelihoods[0]


@pytest.mark.parametrize("model", EM_MODELS, ids=lambda model: type(model).__name__)
def test_skills_are_found_and_good_annotators_outvote_bad_ones(model):
    truth, answers = simulate(n_items=600, accuracies=(0.95, 0.9, 0.4, 0.4, 0.4))
    fitted = clone(model).fit(answers)
    np.testing.assert_allclose(fitted.annotator_accuracy_, (0.95, 0.9, 0.4, 0.4, 0.4), atol=0.06)
    by_votes = MajorityVote().fit(answers)
    assert (fitted.labels_ == truth).mean() > (by_votes.labels_ == truth).mean() + 0.05


def test_an_annotator_who_swaps_two_classes_is_understood():
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=300)
    swapped = np.array([1, 0, 2])[truth]
    matrix = np.stack([truth, truth, swapped], axis=1)
    matrix[rng.random((300, 3)) < 0.2] = -1
    answers = Answers.from_matrix(matrix, missing=-1)
    model = DawidSkene().fit(answers)
    answered = (matrix >= 0).any(axis=1)
    assert (model.labels_ == truth)[answered].mean() > 0.97
    np.testing.assert_allclose(model.confusion_[2], np.eye(3)[[1, 0, 2]], atol=0.1)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.filterwarnings("ignore:.*has not converged")
def test_classes_are_not_switched_by_weak_annotators(model):
    """The likelihood is the same if classes change places: the start from the votes decides."""
    for seed in range(5):
        truth, answers = simulate(
            n_items=300, n_classes=4, accuracies=(0.6, 0.6, 0.5, 0.5, 0.45), seed=seed
        )
        labels = clone(model).fit(answers).labels_
        for true_class in range(4):
            counts = np.bincount(labels[truth == true_class], minlength=4)
            assert counts.argmax() == true_class


@pytest.mark.filterwarnings("ignore:On the 150 items of known truth")
def test_gold_items_tell_that_the_majority_switches_two_classes():
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=300)
    switched = np.array([1, 0, 2])[truth]
    matrix = np.stack([switched, switched, truth], axis=1)
    noise = rng.random(matrix.shape) < 0.1
    matrix = np.where(noise, (matrix + 1) % 3, matrix)
    answers = Answers.from_matrix(matrix)
    misled = DawidSkene().fit(answers)
    told = DawidSkene().fit(answers, gold={item: truth[item] for item in range(150)})
    assert (misled.labels_ == truth)[150:].mean() < 0.5
    assert (told.labels_ == truth)[150:].mean() > 0.9


def test_glad_climbs_along_the_gradient_of_its_density():
    _, answers = simulate(n_items=20)
    votes = collect_votes(answers, None)
    right = np.random.default_rng(0).random(len(votes.items))
    at = np.random.default_rng(1).normal(size=votes.n_annotators + votes.n_items)

    def loss(x):
        return _compute_loss(x, votes, right)[0]

    numeric = approx_fprime(at, loss, 1e-6)
    np.testing.assert_allclose(_compute_loss(at, votes, right)[1], numeric, atol=1e-4)


def test_glad_finds_hard_items():
    rng = np.random.default_rng(0)
    truth, is_hard = rng.integers(2, size=200), np.arange(200) < 60
    right = rng.random((200, 8)) < np.where(is_hard, 0.55, 0.95)[:, None]
    model = GLAD().fit(Answers.from_matrix(np.where(right, truth[:, None], 1 - truth[:, None])))
    assert np.median(model.easiness_[is_hard]) < 0.7 * np.median(model.easiness_[~is_hard])


def test_mace_is_that_of_plain_loops():
    _, answers = simulate(n_items=40)
    model = MACE(random_state=0).fit(answers)
    proba = np.ones((40, 3))
    triples = (answers.item_codes, answers.annotator_codes, answers.label_codes)
    for i, a, k in zip(*triples, strict=True):
        blind = (1 - model.trust_[a]) * model.blind_answers_[a, k]
        proba[i] *= blind + model.trust_[a] * (np.arange(3) == k)
    proba /= proba.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.proba_, proba, atol=1e-12)


def test_mace_finds_who_answers_blindly():
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=300)
    blind = rng.choice(3, size=(300, 2), p=[0.8, 0.1, 0.1])
    answers = Answers.from_matrix(np.column_stack([truth, truth, blind]))
    model = MACE(random_state=0).fit(answers)
    assert (model.labels_ == truth).mean() > 0.99
    assert model.trust_[:2].min() > 0.9 > 0.2 > model.trust_[2:].max()
    np.testing.assert_allclose(model.blind_answers_[2], [0.8, 0.1, 0.1], atol=0.1)


# All models ------------------------------------------------------------------------------------


def test_order_of_answers_and_names_do_not_matter(model):
    _, answers = simulate()
    order = np.random.default_rng(1).permutation(len(answers))
    new_items = np.random.default_rng(2).permutation(len(answers.items))
    new_people = np.array([7, 2, 9, 4])
    permuted = Answers(
        new_items[answers.item_codes[order]],
        new_people[answers.annotator_codes[order]],
        answers.label_codes[order],
        all_items=np.arange(len(answers.items)),
    )
    first, second = clone(model).fit(answers), clone(model).fit(permuted)
    np.testing.assert_allclose(second.proba_[new_items], first.proba_, atol=1e-9)
    assert (second.labels_[new_items] == first.labels_).all()
    np.testing.assert_allclose(
        second.annotator_accuracy_[np.argsort(np.argsort(new_people))], first.annotator_accuracy_
    )


def test_names_of_classes_do_not_matter(model):
    _, answers = simulate()
    swapped = Answers(answers.item_codes, answers.annotator_codes, 2 - answers.label_codes)
    first = clone(model).fit(
        Answers(answers.item_codes, answers.annotator_codes, answers.label_codes)
    )
    np.testing.assert_allclose(clone(model).fit(swapped).proba_[:, ::-1], first.proba_, atol=1e-9)


def test_probabilities_sum_to_one_and_labels_are_their_best(model):
    _, answers = simulate(share=0.3)
    model.fit(answers)
    np.testing.assert_allclose(model.proba_.sum(axis=1), 1.0)
    best = model.proba_.max(axis=1)
    np.testing.assert_allclose(model.proba_[np.arange(200), model.labels_], best)


def test_one_annotator_is_believed(model):
    answers = Answers(range(6), ["Ann"] * 6, list("aababb"))
    assert model.fit(answers).labels_.tolist() == list("aababb")


def test_one_class_is_certain(model):
    model.fit(Answers([0, 0, 1], ["Ann", "Bob", "Ann"], ["yes"] * 3))
    assert model.proba_.tolist() == [[1.0], [1.0]]
    assert model.annotator_accuracy_.tolist() == [1.0, 1.0]


def test_a_person_with_one_answer_changes_little(model):
    _, answers = simulate()
    joined = answers.join(Answers([0], [99], [answers.classes[0]]))
    before, after = clone(model).fit(answers), clone(model).fit(joined)
    assert np.abs(after.proba_[1:] - before.proba_[1:]).max() < 0.05


def test_items_without_answers_have_the_shares_of_the_classes(model):
    answers = Answers.from_matrix([["a", "a"], ["b", "b"], ["a", "a"], [None, None]])
    model.fit(answers)
    is_estimated = isinstance(model, MajorityVote | DawidSkene)  # else all classes are alike
    expected = [2 / 3, 1 / 3] if is_estimated else [0.5, 0.5]
    np.testing.assert_allclose(model.proba_[3], expected, atol=0.05)


@pytest.mark.filterwarnings("ignore:On the 100 items of known truth")
def test_gold_items_keep_their_labels_and_teach_who_is_right(model):
    truth, answers = simulate(accuracies=(0.9, 0.3, 0.3))
    model.fit(answers, gold={item: truth[item] for item in range(100)})
    assert (model.labels_[:100] == truth[:100]).all()
    if not isinstance(model, MajorityVote):
        votes = MajorityVote().fit(answers)
        assert (model.labels_ == truth)[100:].mean() > (votes.labels_ == truth)[100:].mean()


@pytest.mark.filterwarnings("ignore:On the 40 items of known truth")
def test_if_all_is_gold_nothing_is_left_to_estimate(model):
    truth, answers = simulate(n_items=40, accuracies=(0.9, 0.8))
    model.fit(answers, gold=truth)
    assert (model.proba_.max(axis=1) == 1.0).all()
    right = answers.label_codes == truth[answers.item_codes]
    expected = [right[answers.annotator_codes == person].mean() for person in range(2)]
    np.testing.assert_allclose(model.annotator_accuracy_, expected)


def test_ties_go_to_the_rarer_class():
    answers = Answers.from_matrix([["a", "b"], ["a", "a"], ["a", "a"], ["b", "b"]])
    assert MajorityVote().fit(answers).labels_.tolist() == ["b", "a", "a", "b"]


@pytest.mark.parametrize("model", [OneCoin, GLAD])
def test_class_prior_counts_where_answers_are_few(model):
    truth, answers = simulate(n_items=200, accuracies=(0.7, 0.7, 0.7))
    rare = truth != 2
    few = select(answers, rare[answers.item_codes] | (answers.item_codes % 10 == 0))
    share = [
        model(class_prior=prior).fit(few).proba_[:, 2].mean() for prior in ("estimate", "uniform")
    ]
    assert share[0] < share[1]


def test_gold_in_an_array_is_that_of_a_mapping(model):
    truth, answers = simulate(n_items=50)
    array = [int(label) if item < 10 else None for item, label in enumerate(truth)]
    first = clone(model).fit(answers, gold=array)
    second = clone(model).fit(answers, gold={item: truth[item] for item in range(10)})
    np.testing.assert_array_equal(first.proba_, second.proba_)


def test_a_model_below_the_votes_on_gold_items_is_warned_of():
    # Two people who agree with each other and are wrong: a model trusts them, votes do not.
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=100)
    wrong = rng.integers(2, size=100)
    matrix = np.stack([truth, truth, truth, wrong, wrong], axis=1)
    noise = rng.random((100, 5)) < np.array([0.25, 0.25, 0.25, 0.0, 0.0])
    matrix = np.where(noise, 1 - matrix, matrix)
    answers = Answers.from_matrix(matrix)
    with pytest.warns(SkactiveWarning, match="of known truth DawidSkene is right .* the votes"):
        DawidSkene().fit(answers, gold=truth)


def test_a_good_model_is_one_more_annotator(model):
    truth, answers = simulate(n_items=300, accuracies=(0.6, 0.6), n_classes=3)
    rng = np.random.default_rng(0)
    predicted = np.where(rng.random(300) < 0.9, truth, (truth + 1) % 3)
    proba = np.full((300, 3), 0.05)
    proba[np.arange(300), predicted] = 0.9
    alone, helped = clone(model).fit(answers), clone(model).fit(answers, proba=proba)
    assert (helped.labels_ == truth).mean() > (alone.labels_ == truth).mean() + 0.05
    assert helped.model_accuracy_ > helped.annotator_accuracy_.max()
    assert np.isnan(alone.model_accuracy_)
    assert len(helped.annotator_accuracy_) == 2


def test_certain_probabilities_count_as_answers(model):
    _, answers = simulate(n_items=50, share=1.0)
    labels = np.random.default_rng(0).integers(3, size=50)
    person = answers.join(Answers(np.arange(50), np.full(50, 9), labels))
    first = clone(model).fit(answers, proba=np.eye(3)[labels])
    np.testing.assert_allclose(first.proba_, clone(model).fit(person).proba_, atol=1e-12)


@pytest.mark.parametrize("model", EM_MODELS, ids=lambda model: type(model).__name__)
def test_partial_fit_reaches_what_fit_reaches(model):
    _, answers = simulate(n_items=300)
    half = answers.item_codes < 150
    parts = [
        Answers(
            *(
                codes[rows]
                for codes in (answers.item_codes, answers.annotator_codes, answers.label_codes)
            )
        )
        for rows in (half, ~half)
    ]
    whole = clone(model).set_params(tol=1e-10).fit(parts[0].join(parts[1]))
    grown = clone(model).set_params(tol=1e-10)
    for part in parts:
        grown.partial_fit(part)
    assert (grown.items_ == whole.items_).all()
    np.testing.assert_allclose(grown.proba_, whole.proba_, atol=0.02)


def test_bad_gold_and_probabilities_are_refused(model):
    answers = Answers([0, 1], ["Ann", "Bob"], ["a", "b"])
    with pytest.raises(ValueError, match="gold has the item 7, which has no answers"):
        model.fit(answers, gold={7: "a"})
    with pytest.raises(ValueError, match="label 'c', which nobody gave: pass classes="):
        model.fit(answers, gold={0: "c"})
    with pytest.raises(ValueError, match="gold must have one entry for each of the 2 items"):
        model.fit(answers, gold=["a"])
    with pytest.raises(ValueError, match=r"proba must have shape \(2, 2\)"):
        model.fit(answers, proba=[[0.5, 0.5]])
    with pytest.raises(ValueError, match="must be probabilities"):
        model.fit(answers, proba=[[2.0, 1.0], [0.5, 0.5]])
    assert not hasattr(model, "labels_")
