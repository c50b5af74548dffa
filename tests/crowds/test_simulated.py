import numpy as np
import pytest

from skactive.crowds import DawidSkene, SimulatedAnnotator, simulate_answers

TRUTH = np.random.default_rng(0).integers(3, size=6000)


def test_errors_fall_on_all_other_classes():
    given, _ = SimulatedAnnotator(0.7).answer(TRUTH, 3, random_state=0)
    shares = [((given - TRUTH) % 3 == shift).mean() for shift in range(3)]
    np.testing.assert_allclose(shares, [0.7, 0.15, 0.15], atol=0.02)


def test_answers_follow_the_confusion_matrix():
    confusion = np.array([[0.9, 0.1, 0.0], [0.3, 0.3, 0.4], [0.0, 0.0, 1.0]])
    given, _ = SimulatedAnnotator(confusion=confusion).answer(TRUTH, 3, random_state=0)
    shares = [[(given[t == TRUTH] == k).mean() for k in range(3)] for t in range(3)]
    np.testing.assert_allclose(shares, confusion, atol=0.03)


def test_skill_depends_on_the_row():
    X = np.repeat([0.0, 1.0], 3000)[:, None]
    annotator = SimulatedAnnotator(skill=lambda X: 0.4 + 0.5 * X[:, 0])
    given, _ = annotator.answer(TRUTH, 3, X=X, random_state=0)
    right = given == TRUTH
    np.testing.assert_allclose([right[:3000].mean(), right[3000:].mean()], [0.4, 0.9], atol=0.03)


def test_annotators_tire_towards_guessing():
    annotator = SimulatedAnnotator(1.0, fatigue=0.5)
    right = np.mean(
        [annotator.answer(TRUTH[:300], 3, random_state=i)[0] == TRUTH[:300] for i in range(200)],
        axis=0,
    )
    expected = 0.5 ** np.array([0.5, 1.5, 2.5]) * (1 - 1 / 3) + 1 / 3
    np.testing.assert_allclose(right.reshape(3, 100).mean(axis=1), expected, atol=0.03)
    later, _ = annotator.answer(TRUTH, 3, n_before=10_000, random_state=0)
    assert (later == TRUTH).mean() == pytest.approx(1 / 3, abs=0.03)


def test_times_are_spread_around_their_median():
    _, seconds = SimulatedAnnotator(seconds=8, seconds_spread=0.3).answer(TRUTH, 3, random_state=0)
    assert np.median(seconds) == pytest.approx(8, rel=0.03)
    assert np.log(seconds).std() == pytest.approx(0.3, rel=0.05)


def test_each_row_is_answered_by_different_people():
    crowd = [SimulatedAnnotator(0.9, price=price) for price in (1, 2, 3, 4)]
    answers, seconds, costs = simulate_answers(crowd, TRUTH, n_answers=2, random_state=0)
    pairs = np.stack([answers.item_codes, answers.annotator_codes], axis=1)
    assert len(np.unique(pairs, axis=0)) == len(answers) == len(seconds) == 12_000
    assert (np.bincount(answers.item_codes) == 2).all()
    assert (costs == answers.annotator_codes + 1).all()
    again = simulate_answers(crowd, TRUTH, n_answers=2, random_state=0)
    assert (again.answers.label_codes == answers.label_codes).all()


def test_models_recover_the_accuracies_of_a_crowd():
    accuracies = (0.95, 0.8, 0.6, 0.5)
    crowd = [SimulatedAnnotator(accuracy) for accuracy in accuracies]
    simulated = simulate_answers(crowd, TRUTH, n_answers=3, random_state=1)
    model = DawidSkene().fit(simulated.answers)
    np.testing.assert_allclose(model.annotator_accuracy_, accuracies, atol=0.03)


def test_mistakes_are_refused():
    with pytest.raises(ValueError, match="n_answers must lie between 1 and the 1 annotators"):
        simulate_answers([SimulatedAnnotator()], TRUTH)
    with pytest.raises(ValueError, match="confusion must have shape"):
        SimulatedAnnotator(confusion=np.eye(2)).answer(TRUTH, 3)
    with pytest.raises(ValueError, match="must be probabilities"):
        SimulatedAnnotator(confusion=np.ones((3, 3))).answer(TRUTH, 3)
    with pytest.raises(ValueError, match="skill must return a probability for each"):
        SimulatedAnnotator(skill=lambda X: [2.0]).answer(TRUTH, 3)
    with pytest.raises(ValueError, match="X has 1 rows, but y has 6000 labels"):
        simulate_answers([SimulatedAnnotator()], TRUTH, X=[[0]], n_answers=1)
