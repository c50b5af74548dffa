"""SimulatedLearner: the whole loop with known labels, read only as they are bought."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, balanced_accuracy_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.utils._param_validation import InvalidParameterError
from threadpoolctl import threadpool_info, threadpool_limits

from skactive import ActiveLearner, SimulatedLearner
from skactive._utils.compat import HAS_CALLBACKS
from skactive.exceptions import CapabilityError, FrozenModelWarning, TeachError
from skactive.stopping import (
    Budget,
    ClassificationChange,
    ExpectedGain,
    OverallUncertainty,
    Plateau,
    StabilizingPredictions,
    StoppingCriterion,
    TargetReached,
    TimeLimit,
    Verdict,
)
from skactive.strategies import (
    BADGE,
    ExpectedErrorReduction,
    KCenterGreedy,
    KMeans,
    Margin,
    Random,
    Strategy,
    Subsample,
)

X, Y = load_iris(return_X_y=True)
ORDER = np.random.RandomState(0).permutation(len(X))
X, Y = X[ORDER], Y[ORDER]

equal = np.testing.assert_array_equal


def simulated(strategy=None, model=None, *, learner=None, **params):
    """Return an unfitted simulation that is repeatable."""
    if learner is None:
        learner = ActiveLearner(GaussianNB() if model is None else model, strategy)
    return SimulatedLearner(learner, **{"random_state": 0, "budget": 40, **params})


class Spy(ClassifierMixin, BaseEstimator):
    """A model that remembers every lot of rows that it was given."""

    lessons: list = []  # noqa: RUF012

    def fit(self, X, y):
        Spy.lessons.append(("fit", X.copy(), np.array(y)))
        self.classes_ = np.unique(y)
        return self

    def partial_fit(self, X, y, classes=None):
        Spy.lessons.append(("partial_fit", X.copy(), np.array(y)))
        self.classes_ = np.unique(y) if classes is None else classes
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


@pytest.fixture
def lessons():
    Spy.lessons.clear()
    return Spy.lessons


# The budget -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "n_labels"),
    [
        ({"budget": 45, "n_initial": 20, "batch_size": 10}, [20, 30, 40, 45]),
        ({"budget": 40, "n_initial": 20, "batch_size": 10}, [20, 30, 40]),
        ({"budget": 13, "n_initial": 10, "batch_size": 1}, [10, 11, 12, 13]),
        ({"budget": 12, "n_initial": 10, "batch_size": 50}, [10, 12]),
        ({"budget": 20, "n_initial": 20, "batch_size": 10}, [20]),
        ({"budget": 999, "n_initial": 100, "batch_size": 30}, [100, 130, 150]),
        ({"budget": 999, "n_initial": 999}, [150]),
    ],
    ids=str,
)
def test_the_budget_is_spent_to_the_last_label(params, n_labels):
    simulation = simulated(Random(), **params).fit(X, Y)
    equal(simulation.n_labels_, n_labels)
    assert len(simulation.queried_) == n_labels[-1]
    assert len(set(simulation.queried_.tolist())) == n_labels[-1]
    assert len(simulation.estimators_) == len(simulation.history_) == len(n_labels)
    assert len(simulation.learner_.y_labeled_) == n_labels[-1]


def test_a_budget_below_the_start_is_refused():
    with pytest.raises(ValueError, match=r"budget=9 does not cover the 10 initial labels"):
        simulated(budget=9, n_initial=10).fit(X, Y)
    with pytest.raises(ValueError, match="budget=3 does not cover the 4 initial labels"):
        simulated(budget=3).fit(X, Y, initial=[0, 1, 2, 3])


@pytest.mark.parametrize(
    "params",
    [{"budget": 0}, {"batch_size": 0}, {"n_initial": 0}, {"budget": 2.5}, {"random_state": "a"}],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(params):
    (name,) = params
    with pytest.raises(InvalidParameterError, match=name):
        simulated(**params).fit(X, Y)


def test_the_learner_must_be_one():
    with pytest.raises(InvalidParameterError, match="learner"):
        SimulatedLearner(GaussianNB()).fit(X, Y)


# The start --------------------------------------------------------------------------------------

RARE = np.zeros(150, dtype=int)
RARE[[40, 90, 140]] = 1


def test_a_start_of_one_class_is_drawn_on_until_there_are_two_and_the_labels_count():
    for seed in range(3):
        simulation = simulated(Random(), n_initial=2, budget=150, random_state=seed).fit(X, RARE)
        start = simulation.n_labels_[0]
        assert start > 2
        known = RARE[simulation.queried_[:start]]
        assert known[-1] == 1
        assert known[:-1].sum() == 0
        assert len(simulation.queried_) == 150


def test_a_start_that_finds_no_second_class_ends_with_the_budget():
    simulation = simulated(Random(), GaussianNB(), n_initial=2, budget=12)
    assert simulation.fit(X, np.zeros(150, dtype=int)).n_labels_.tolist() == [12]


def test_a_regressors_start_is_not_drawn_on():
    simulation = simulated(Random(), Ridge(), n_initial=3, budget=6, batch_size=3)
    equal(simulation.fit(X, np.zeros(150)).n_labels_, [3, 6])


def test_the_start_may_be_given():
    start = np.r_[np.flatnonzero(Y == 0)[:3], np.flatnonzero(Y == 2)[:3]]
    simulation = simulated(budget=16, batch_size=5).fit(X, Y, initial=start)
    equal(simulation.queried_[:6], start)
    equal(simulation.n_labels_, [6, 11, 16])
    equal(simulation.estimators_[0].classes_, [0, 2])


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        ([], "list of positions"),
        ([0.0, 1.0], "list of positions"),
        ([[0, 1]], "list of positions"),
        (np.arange(150) < 5, "list of positions"),
        ([0, 0], "distinct positions in 0 .. 149"),
        ([-1, 3], "0 .. 149"),
        ([3, 150], "0 .. 149"),
    ],
    ids=str,
)
def test_a_start_that_is_no_set_of_rows_is_refused(initial, message):
    with pytest.raises(ValueError, match=message):
        simulated().fit(X, Y, initial=initial)


def test_a_given_start_of_one_class_is_continued_at_random_until_there_are_two():
    initial = np.flatnonzero(Y == 1)[:5]
    simulation = simulated().fit(X, Y, initial=initial)
    bought = Y[simulation.queried_[: simulation.n_labels_[0]]]
    assert simulation.queried_[:5].tolist() == initial.tolist()
    assert set(bought[:-1]) == {1}
    assert bought[-1] != 1


def test_a_strategy_may_choose_the_start():
    simulation = simulated(n_initial=3, budget=3, initial_strategy=KMeans()).fit(X, Y)
    assert set(Y[simulation.queried_]) == {0, 1, 2}
    farthest = simulated(n_initial=5, budget=5, initial_strategy=KCenterGreedy()).fit(X, Y)
    rows = X[farthest.queried_]
    apart = np.linalg.norm(rows[:, None] - rows, axis=2)[np.triu_indices(5, 1)].min()
    drawn = X[simulated(n_initial=5, budget=5).fit(X, Y).queried_]
    assert apart > np.linalg.norm(drawn[:, None] - drawn, axis=2)[np.triu_indices(5, 1)].min()


def test_a_strategy_that_needs_a_model_cannot_choose_the_start():
    with pytest.raises(NotFittedError, match="KCenterGreedy"):
        simulated(initial_strategy=Margin()).fit(X, Y)


# What the model learns, and when ------------------------------------------------------------------


def test_refits_are_in_the_order_of_the_rows(lessons):
    simulation = simulated(Random(), Spy(), n_initial=5, budget=15, batch_size=5).fit(X, Y)
    for (verb, rows, labels), n_labels in zip(lessons, simulation.n_labels_, strict=True):
        known = np.sort(simulation.queried_[:n_labels])
        assert verb == "fit"
        equal(rows, X[known])
        equal(labels, Y[known])
    assert (np.diff(simulation.queried_) < 0).any()


class Script(Strategy):
    """Chooses rows by number, in the order that it is told."""

    needs = frozenset({"X"})

    def __init__(self, order=()):
        self.order = order

    def select(self, pool, batch_size):
        places = {number: place for place, number in enumerate(pool.X[:, 0].astype(int).tolist())}
        left = [places[number] for number in self.order if number in places]
        return np.array(left[:batch_size])


def test_the_model_does_not_depend_on_the_order_in_which_labels_came():
    numbered = np.column_stack([np.arange(150.0), X])
    start = [0, 1, 2, 3, 4, 5]
    orders = (range(6, 26), range(25, 5, -1))
    models = [
        simulated(Script(order), LogisticRegression(max_iter=3, tol=10), budget=26, batch_size=5)
        .fit(numbered, Y, initial=start)
        .learner_.estimator_
        for order in orders
    ]
    equal(models[0].coef_, models[1].coef_)


def test_an_incremental_learner_is_taught_batch_by_batch(lessons):
    learner = ActiveLearner(Spy(), Random(), incremental=True, classes=[0, 1, 2])
    simulation = simulated(learner=learner, n_initial=5, budget=14, batch_size=5).fit(X, Y)
    assert [verb for verb, _, _ in lessons] == ["partial_fit"] * 3
    edges = [0, *simulation.n_labels_]
    for (_, rows, _), start, stop in zip(lessons, edges[:-1], edges[1:], strict=True):
        equal(rows, X[np.sort(simulation.queried_[start:stop])])
    assert len(simulation.learner_.y_labeled_) == 14


def test_the_models_of_an_incremental_campaign_are_copies():
    learner = ActiveLearner(GaussianNB(), Random(), incremental=True, classes=[0, 1, 2])
    simulation = simulated(learner=learner, budget=40).fit(X, Y)
    totals = [model.class_count_.sum() for model in simulation.estimators_]
    assert totals == [10, 20, 30, 40]


def test_a_frozen_prefit_model_counts_labels_and_stays():
    model = FrozenEstimator(GaussianNB().fit(X[:30], Y[:30]))
    learner = ActiveLearner(model, Margin(), prefit=True)
    with pytest.warns(FrozenModelWarning):
        simulation = simulated(learner=learner, budget=30).fit(X, Y)
    equal(simulation.n_labels_, [10, 20, 30])
    equal(simulation.predict(X), model.predict(X))


def test_a_prefit_learner_can_be_played():
    model = GaussianNB().fit(X[:30], Y[:30])
    learner = ActiveLearner(model, Margin(), prefit=True)
    simulation = simulated(learner=learner, budget=30).fit(X, Y)
    equal(simulation.estimators_[0].predict_proba(X), model.predict_proba(X))


def test_the_learner_that_was_passed_is_not_touched():
    learner = ActiveLearner(GaussianNB(), Margin())
    simulated(learner=learner).fit(X, Y)
    assert not hasattr(learner, "X_labeled_")
    assert learner.random_state is None


def test_each_model_is_a_fit_on_the_labels_of_its_round():
    simulation = simulated().fit(X, Y)
    for model, n_labels in zip(simulation.estimators_, simulation.n_labels_, strict=True):
        known = np.sort(simulation.queried_[:n_labels])
        equal(model.predict_proba(X), GaussianNB().fit(X[known], Y[known]).predict_proba(X))


# Hidden labels ----------------------------------------------------------------------------------


class Oracle:
    """Labels that can only be read one by one, and that remember which were."""

    def __init__(self, labels):
        self.labels, self.read = labels, []

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, position):
        self.read.append(int(position))
        return self.labels[int(position)]


class Watchful(Strategy):
    """Looks, while it chooses, at which labels have been read."""

    needs = frozenset({"X"})
    seen: list = []  # noqa: RUF012
    oracle = None

    def select(self, pool, batch_size):
        Watchful.seen.append(set(Watchful.oracle.read))
        return pool.random_state.permutation(len(pool))[:batch_size]


def test_a_label_is_read_when_it_is_bought_and_not_before(monkeypatch):
    oracle = Oracle(Y)
    monkeypatch.setattr(Watchful, "oracle", oracle)
    monkeypatch.setattr(Watchful, "seen", [])
    simulation = simulated(Watchful(), budget=35).fit(X, oracle)
    assert set(oracle.read) == set(simulation.queried_.tolist())
    assert len(Watchful.seen) == 3
    for seen, n_labels in zip(Watchful.seen, simulation.n_labels_, strict=False):
        assert seen == set(simulation.queried_[:n_labels].tolist())
    for model, plain in zip(
        simulation.estimators_, simulated(Watchful(), budget=35).fit(X, Y).estimators_, strict=True
    ):
        equal(model.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize(
    "strategy",
    [Margin(), BADGE(), KCenterGreedy(), Subsample(Margin(), n_candidates=30)],
    ids=repr,
)
def test_poison_in_the_labels_not_bought_changes_nothing(strategy):
    clean = simulated(strategy).fit(X, Y)
    poisoned = np.full(150, -99)
    poisoned[clean.queried_] = Y[clean.queried_]
    again = simulated(strategy).fit(X, poisoned)
    equal(again.queried_, clean.queried_)
    for one, two in zip(again.estimators_, clean.estimators_, strict=True):
        equal(one.predict_proba(X), two.predict_proba(X))


# What is kept -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scoring", "score"),
    [
        (None, lambda model: accuracy_score(Y, model.predict(X))),
        ("balanced_accuracy", lambda model: balanced_accuracy_score(Y, model.predict(X))),
        (make_scorer(accuracy_score), lambda model: accuracy_score(Y, model.predict(X))),
        (lambda model, X, y: float(len(model.classes_)), lambda model: len(model.classes_)),
    ],
    ids=["None", "string", "scorer", "callable"],
)
def test_staged_score_is_a_score_a_round(scoring, score):
    simulation = simulated(budget=35).fit(X, Y)
    staged = simulation.staged_score(X, Y, scoring)
    assert iter(staged) is staged
    scores = list(staged)
    assert scores == [score(model) for model in simulation.estimators_]
    assert len(scores) == len(simulation.n_labels_) == 4
    assert all(type(each) is float for each in scores)


def test_the_last_of_the_staged_scores_is_the_score():
    simulation = simulated().fit(X, Y)
    scores = list(simulation.staged_score(X, Y))
    assert scores[-1] == simulation.score(X, Y)
    assert scores[-1] > scores[0]


def test_staged_score_before_fit_says_so():
    with pytest.raises(NotFittedError):
        next(simulated().staged_score(X, Y))


def test_history_is_a_record_a_round():
    simulation = simulated(budget=35).fit(X, Y)
    assert [record["n_labels"] for record in simulation.history_] == [10, 20, 30, 35]
    for record in simulation.history_:
        assert set(record) == {"n_labels", "fit_seconds", "query_seconds"}
        assert record["fit_seconds"] > 0
        assert record["query_seconds"] > 0


def test_predictions_are_the_last_models():
    simulation = simulated(model=LogisticRegression(max_iter=1000)).fit(X, Y)
    last = simulation.estimators_[-1]
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        equal(getattr(simulation, method)(X), getattr(last, method)(X))
    equal(simulation.classes_, [0, 1, 2])
    assert simulation.n_features_in_ == 4
    assert is_classifier(simulation)
    assert not hasattr(simulated(), "decision_function")  # GaussianNB has none


def test_before_fit_there_are_no_predictions():
    with pytest.raises(NotFittedError, match="SimulatedLearner"):
        simulated().predict(X)
    assert not hasattr(simulated(), "n_features_in_")


@pytest.mark.parametrize("strategy", [Random(), Margin(), BADGE()], ids=repr)
def test_the_same_seed_plays_the_same_campaign_and_another_seed_another(strategy):
    first, again, other = (simulated(strategy, random_state=s).fit(X, Y) for s in (0, 0, 1))
    equal(first.queried_, again.queried_)
    equal(first.predict_proba(X), clone(first).fit(X, Y).predict_proba(X))
    assert not np.array_equal(first.queried_, other.queried_)
    assert not np.array_equal(np.sort(first.queried_[:10]), np.sort(other.queried_[:10]))


def test_a_random_state_instance_is_drawn_from():
    runs = [simulated(random_state=np.random.RandomState(5)).fit(X, Y).queried_ for _ in range(2)]
    equal(*runs)
    shared = simulated(random_state=np.random.RandomState(5))
    assert not np.array_equal(shared.fit(X, Y).queried_, shared.fit(X, Y).queried_)


def test_strategies_share_the_start_so_that_they_can_be_compared():
    starts = [simulated(strategy).fit(X, Y).queried_[:10] for strategy in (Random(), Margin())]
    equal(*starts)


def test_the_learners_own_seed_is_kept():
    learner = ActiveLearner(GaussianNB(), Random(), random_state=7)
    runs = [simulated(learner=learner, random_state=seed).fit(X, Y) for seed in (0, 1)]
    assert [run.learner_.seed_ for run in runs] == [7, 7]


def test_a_campaign_that_fails_leaves_the_last_one(monkeypatch):
    learner = ActiveLearner(GaussianNB(), Random(), incremental=True)
    simulation = simulated(learner=learner).fit(X, Y)
    before = simulation.queried_
    with pytest.raises(TeachError):  # a class that turns up late cannot be taught
        simulation.fit(
            X, np.where(Y == 2, 1, Y) + 7 * (np.arange(150) > 60), initial=[0, 1, 2, 3, 4]
        )
    equal(simulation.queried_, before)
    simulation.predict(X)


# In a search ------------------------------------------------------------------------------------


def test_a_grid_search_tells_strategies_apart():
    rows, labels = make_classification(
        300, 6, n_informative=2, n_redundant=0, class_sep=0.8, flip_y=0, random_state=3
    )
    learner = ActiveLearner(LogisticRegression(), Margin(), random_state=0)
    simulation = SimulatedLearner(learner, budget=30, batch_size=5, n_initial=5, random_state=0)
    grid = {
        "learner__strategy": [Margin(), Random(), KCenterGreedy()],
        "learner__estimator__C": [1e-6, 1.0],
    }
    search = GridSearchCV(simulation, grid, cv=3).fit(rows, labels)
    scores = search.cv_results_["mean_test_score"]
    assert len({round(score, 6) for score in scores}) > 3
    assert search.best_params_["learner__estimator__C"] == 1.0
    assert isinstance(search.best_params_["learner__strategy"], Strategy)
    assert search.best_estimator_.n_labels_[-1] == 30
    best = {
        type(params["learner__strategy"]).__name__: score
        for params, score in zip(search.cv_results_["params"], scores, strict=True)
        if params["learner__estimator__C"] == 1.0
    }
    assert len(set(best.values())) == 3
    assert search.score(rows, labels) > 0.7


def test_a_grid_search_reaches_parameters_of_strategies():
    learner = ActiveLearner(GaussianNB(), Subsample(Margin()))
    grid = {"learner__strategy__n_candidates": [10, 100], "batch_size": [5]}
    search = GridSearchCV(simulated(learner=learner, budget=30), grid, cv=2).fit(X, Y)
    chosen = search.best_params_["learner__strategy__n_candidates"]
    assert search.best_estimator_.learner_.strategy.n_candidates == chosen
    assert search.best_estimator_.batch_size == 5


# Fit parameters ---------------------------------------------------------------------------------


def test_weights_are_cut_to_the_labeled_rows():
    weight = np.random.RandomState(0).uniform(0.1, 5.0, 150)
    simulation = simulated().fit(X, Y, sample_weight=weight)
    for model, n_labels in zip(simulation.estimators_, simulation.n_labels_, strict=True):
        known = np.sort(simulation.queried_[:n_labels])
        expected = GaussianNB().fit(X[known], Y[known], weight[known])
        equal(model.predict_proba(X), expected.predict_proba(X))


def test_weights_are_cut_to_the_batch_where_teaching_is_incremental():
    weight = np.random.RandomState(0).uniform(0.1, 5.0, 150)
    learner = ActiveLearner(GaussianNB(), Random(), incremental=True, classes=[0, 1, 2])
    simulation = simulated(learner=learner, budget=20).fit(X, Y, sample_weight=weight)
    first, second = np.sort(simulation.queried_[:10]), np.sort(simulation.queried_[10:])
    expected = GaussianNB().partial_fit(X[first], Y[first], [0, 1, 2], weight[first])
    expected.partial_fit(X[second], Y[second], sample_weight=weight[second])
    equal(simulation.predict_proba(X), expected.predict_proba(X))


# Callbacks --------------------------------------------------------------------------------------


class Recorder:
    """A callback of scikit-learn that remembers rounds, and may ask to stop."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.begun, self.scores, self.events = 0, [], []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.begun += context.task_name == "round"

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name != "round":
            return False
        self.scores.append(fitted_estimator.score(X, Y))
        return len(self.scores) == self.stop_after


needs_callbacks = pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn has no callbacks")


@needs_callbacks
@pytest.mark.filterwarnings("ignore:.*experimental")
def test_a_callback_sees_one_task_a_round_and_a_model_that_predicts():
    recorder = Recorder()
    simulation = simulated(budget=35).set_callbacks(recorder).fit(X, Y)
    assert recorder.begun == 4
    assert recorder.scores == list(simulation.staged_score(X, Y))
    assert recorder.events == ["setup", "teardown"]


@needs_callbacks
@pytest.mark.filterwarnings("ignore:.*experimental")
def test_a_callback_that_returns_true_ends_the_campaign():
    simulation = simulated(budget=100).set_callbacks(Recorder(stop_after=3)).fit(X, Y)
    equal(simulation.n_labels_, [10, 20, 30])
    assert len(simulation.queried_) == len(simulation.learner_.y_labeled_) == 30


def test_a_regressor_is_played_with_random():
    target = X @ [1.0, -2.0, 0.5, 3.0]
    simulation = simulated(Random(), Ridge(alpha=1e-6), budget=50).fit(X, target)
    scores = list(simulation.staged_score(X, target))
    assert len(scores) == 5
    assert scores[-1] > 0.99
    assert not is_classifier(simulation)


def test_labels_are_required():
    with pytest.raises(ValueError, match="requires y"):
        simulated().fit(X, None)


def test_a_pool_without_rows_is_refused():
    with pytest.raises(ValueError, match="X has no rows"):
        simulated().fit(X[:0], Y[:0])


def test_rows_and_labels_must_be_as_many():
    with pytest.raises(ValueError, match="inconsistent"):
        simulated().fit(X, Y[:-1])


# Threads ----------------------------------------------------------------------------------------


class CountsThreads(GaussianNB):
    """Notes how many threads it is fitted with."""

    def fit(self, X, y):
        self.threads_ = {pool["num_threads"] for pool in threadpool_info()}
        return super().fit(X, y)


@pytest.mark.parametrize("n_threads", [1, 2, None])
def test_threads_are_limited_while_it_plays_and_only_then(n_threads):
    with threadpool_limits(2):
        before = {pool["num_threads"] for pool in threadpool_info()}
        learner = ActiveLearner(CountsThreads(), Margin())
        simulation = simulated(learner=learner, n_threads=n_threads).fit(X, Y)
        assert {pool["num_threads"] for pool in threadpool_info()} == before
    expected = before if n_threads is None else {n_threads}
    assert all(model.threads_ == expected for model in simulation.estimators_)


# Stopping ---------------------------------------------------------------------------------------

# Looks at everything, and never stops.
NEVER = (
    StabilizingPredictions(1.0, window=30)
    & ClassificationChange()
    & OverallUncertainty(0.0)
    & ExpectedGain(1e9)
    & Plateau(window=30)
    & TimeLimit(1e9)
)


@pytest.mark.parametrize("strategy", [Random(), Margin(), BADGE()], ids=repr)
def test_looking_does_not_change_what_is_queried(strategy):
    plain = simulated(strategy, budget=60).fit(X, Y)
    watched = simulated(strategy, budget=60, stopping=NEVER).fit(X, Y)
    equal(watched.queried_, plain.queried_)
    equal(watched.predict_proba(X), plain.predict_proba(X))
    equal(watched.n_labels_, plain.n_labels_)


class Looks(StoppingCriterion):
    """Keeps the rounds that it is shown, and stops after some."""

    rounds: list = []  # noqa: RUF012

    def __init__(self, *, stop_after=99):
        self.stop_after = stop_after

    def judge(self, current, memory):
        Looks.rounds.append((current, current.learner.predict(X)))
        return Verdict(len(Looks.rounds) == self.stop_after, "seen enough", len(Looks.rounds))

    def limit(self):
        return float(self.stop_after)


def test_a_criterion_ends_the_campaign_and_says_why(monkeypatch):
    monkeypatch.setattr(Looks, "rounds", [])
    plain = simulated(budget=100).fit(X, Y)
    simulation = simulated(budget=100, stopping=Looks(stop_after=3)).fit(X, Y)
    equal(simulation.n_labels_, [10, 20, 30])
    equal(simulation.queried_, plain.queried_[:30])
    equal(simulation.predict(X), plain.estimators_[2].predict(X))
    assert simulation.stop_reason_ == "Stopped at 30 labels: seen enough."
    assert simulation.stopping_.stopped_at == 30
    assert simulation.stopping_.history == [(10, 1.0), (20, 2.0), (30, 3.0)]
    name = "Looks(stop_after=3)"
    assert [record["stopping"] for record in simulation.history_] == [
        {name: 1.0},
        {name: 2.0},
        {name: 3.0},
    ]


def test_a_criterion_sees_each_round_after_its_fit(monkeypatch):
    monkeypatch.setattr(Looks, "rounds", [])
    simulation = simulated(budget=35, stopping=Looks()).fit(X, Y)
    assert len(Looks.rounds) == 4
    for (seen, predicted), model, n in zip(
        Looks.rounds, simulation.estimators_, simulation.n_labels_, strict=True
    ):
        assert seen.n_labels == seen.n_bought == n
        equal(predicted, model.predict(X))
        equal(seen.X, X)
        equal(seen.pool, np.setdiff1d(np.arange(150), simulation.queried_[:n]))
        assert seen.audit is None
    seconds = [seen.seconds for seen, _ in Looks.rounds]
    assert 0 < seconds[0] < seconds[1] < seconds[2] < seconds[3]
    assert len({seen.seed for seen, _ in Looks.rounds}) == 1


def test_one_criterion_serves_several_campaigns():
    criterion = StabilizingPredictions(0.8, window=2)
    first, again = (simulated(budget=150, stopping=criterion).fit(X, Y) for _ in range(2))
    assert first.n_labels_[-1] < 150
    equal(first.n_labels_, again.n_labels_)
    assert first.stop_reason_ == again.stop_reason_
    assert "by a mean kappa of" in first.stop_reason_


def test_each_way_to_end_has_its_sentence():
    assert simulated(budget=40).fit(X, Y).stop_reason_ == "The budget of 40 labels is spent."
    whole = simulated(budget=999, batch_size=70).fit(X, Y)
    assert whole.stop_reason_ == "The pool is empty: all 150 rows are labeled."
    assert whole.stopping_ is None
    both = simulated(budget=40, stopping=Budget(40)).fit(X, Y)
    assert both.stop_reason_ == "Stopped at 40 labels: 40 labels were bought, of 40."


@needs_callbacks
@pytest.mark.filterwarnings("ignore:.*experimental")
def test_a_callback_that_ends_the_campaign_is_named():
    simulation = simulated(budget=100).set_callbacks(Recorder(stop_after=2)).fit(X, Y)
    assert simulation.stop_reason_ == "Stopped at 20 labels: a callback requested it."


def test_what_is_no_criterion_is_refused():
    with pytest.raises(InvalidParameterError, match="stopping"):
        simulated(stopping=40).fit(X, Y)
    with pytest.raises(InvalidParameterError, match="n_labels"):
        simulated(stopping=Budget(0)).fit(X, Y)


def test_criteria_of_classes_refuse_a_regressor():
    with pytest.raises(CapabilityError, match="Ridge is not a classifier"):
        simulated(Random(), Ridge(), stopping=StabilizingPredictions()).fit(X, Y)


def test_a_search_reaches_parameters_of_criteria():
    simulation = simulated(budget=50, stopping=Budget(20))
    search = GridSearchCV(simulation, {"stopping__n_labels": [20, 30]}, cv=2).fit(X, Y)
    chosen = search.best_params_["stopping__n_labels"]
    assert search.best_estimator_.n_labels_[-1] == chosen


# The audit --------------------------------------------------------------------------------------


def test_no_audit_is_no_change():
    simulation = simulated().fit(X, Y)
    assert simulation.audited_.shape == (0,)
    equal(simulation.n_bought_, simulation.n_labels_)


@pytest.mark.no_cover
@pytest.mark.parametrize("share", [0.05, 0.2, 0.37, 0.5, 0.9])
@pytest.mark.parametrize("budget", [60, 97, 999])
def test_the_audits_share_is_kept_in_every_round(share, budget):
    sizes = {"budget": budget, "batch_size": 3, "n_initial": 4}
    simulation = simulated(Random(), audit_share=share, **sizes).fit(X, Y)
    audit = [record["audit_n"] for record in simulation.history_]
    equal(simulation.n_bought_, simulation.n_labels_ + audit)
    assert audit == [round(share * bought) for bought in simulation.n_bought_.tolist()]
    assert simulation.n_bought_[-1] == min(budget, 150)
    assert (np.diff(simulation.n_labels_)[:-1] == 3).all()
    assert len(simulation.audited_) == audit[-1]


def test_audited_rows_are_neither_offered_nor_learned_from():
    simulation = simulated(Random(), audit_share=0.3, budget=150).fit(X, Y)
    assert len(simulation.audited_) == 45
    assert set(simulation.audited_).isdisjoint(simulation.queried_)
    assert set(simulation.audited_) | set(simulation.queried_) == set(range(150))
    equal(simulation.learner_.X_labeled_, X[np.sort(simulation.queried_)])
    for model, n_labels in zip(simulation.estimators_, simulation.n_labels_, strict=True):
        known = np.sort(simulation.queried_[:n_labels])
        equal(model.predict_proba(X), GaussianNB().fit(X[known], Y[known]).predict_proba(X))


@pytest.mark.parametrize("strategy", [Margin(), BADGE(), KCenterGreedy()], ids=repr)
def test_an_audited_campaign_is_one_on_the_other_rows(strategy):
    audited = simulated(strategy, audit_share=0.2, budget=50, random_state=3).fit(X, Y)
    # All that were reserved are read in the end, and a campaign without them chooses the same.
    rest = np.setdiff1d(np.arange(150), audited.audited_)
    plain = simulated(strategy, budget=40, random_state=3).fit(X[rest], Y[rest])
    equal(audited.queried_, rest[plain.queried_])


def test_the_audits_score_is_that_of_the_rounds_model():
    simulation = simulated(Random(), audit_share=0.4, budget=100).fit(X, Y)
    for record, model in zip(simulation.history_, simulation.estimators_, strict=True):
        rows = simulation.audited_[: record["audit_n"]]
        assert record["audit_score"] == accuracy_score(Y[rows], model.predict(X[rows]))
    assert len({record["audit_score"] for record in simulation.history_}) > 1


def test_a_regressors_audit_scores_minus_the_squared_error():
    target = X @ [1.0, -2.0, 0.5, 3.0]
    for y in (target, target[:, None], np.column_stack([target, -2 * target])):
        simulation = simulated(Random(), Ridge(), audit_share=0.4).fit(X, y)
        rows, record = simulation.audited_, simulation.history_[-1]
        errors = simulation.predict(X[rows]).reshape(len(rows), -1) - y[rows].reshape(len(rows), -1)
        assert record["audit_score"] == pytest.approx(-np.mean(errors**2))


def test_an_audit_of_nothing_yet_has_no_score():
    simulation = simulated(Random(), audit_share=0.04, budget=50).fit(X, Y)
    assert simulation.history_[0]["audit_n"] == 0
    assert np.isnan(simulation.history_[0]["audit_score"])
    assert simulation.history_[-1]["audit_n"] == 2


def test_labels_of_the_audit_are_read_when_they_are_bought(monkeypatch):
    oracle = Oracle(Y)
    monkeypatch.setattr(Watchful, "oracle", oracle)
    monkeypatch.setattr(Watchful, "seen", [])
    simulation = simulated(Watchful(), budget=60, audit_share=0.25).fit(X, oracle)
    assert len(Watchful.seen) == len(simulation.n_labels_) - 1 == 4
    for seen, n_labels, record in zip(
        Watchful.seen, simulation.n_labels_, simulation.history_, strict=False
    ):
        audited = simulation.audited_[: record["audit_n"]]
        assert seen == set(simulation.queried_[:n_labels]) | set(audited)


@pytest.mark.no_cover
def test_the_audit_is_a_simple_random_sample():
    counts = np.zeros(150)
    starts = []
    for seed in range(200):
        simulation = simulated(
            Margin(), audit_share=0.5, budget=40, n_initial=20, random_state=seed
        ).fit(X, Y)
        counts[simulation.audited_] += 1
        starts.append(simulation.audited_[:2].tolist())
    # 20 of 150 rows each time: chi squared of 149 degrees, less the draws without replacement.
    expected = 200 * 20 / 150
    chi_squared = np.sum((counts - expected) ** 2) / (expected * (1 - 20 / 150))
    assert chi_squared < 210  # one in a thousand exceeds it
    assert len({tuple(each) for each in starts}) > 190


def test_rows_given_at_the_start_are_not_audited():
    start = np.r_[np.flatnonzero(Y == 0)[:20], np.flatnonzero(Y == 2)[:20]]
    for seed in range(5):
        simulation = simulated(Random(), budget=150, audit_share=0.6, random_state=seed)
        simulation.fit(X, Y, initial=start)
        equal(simulation.queried_[:40], start)
        assert set(simulation.audited_).isdisjoint(start)
        assert len(simulation.audited_) == 90


def test_weights_find_their_rows_beside_an_audit():
    weight = np.random.RandomState(0).uniform(0.1, 5.0, 150)
    simulation = simulated(audit_share=0.3).fit(X, Y, sample_weight=weight)
    known = np.sort(simulation.queried_)
    expected = GaussianNB().fit(X[known], Y[known], weight[known])
    equal(simulation.predict_proba(X), expected.predict_proba(X))


def test_a_budget_that_does_not_cover_start_and_audit_is_refused():
    message = r"budget=20 does not cover the 12 initial labels and the 10 of the audit"
    with pytest.raises(ValueError, match=message):
        simulated(budget=20, n_initial=12, audit_share=0.5).fit(X, Y)


@pytest.mark.parametrize("share", [-0.1, 1.0, 1])
def test_a_share_that_cannot_be_is_refused(share):
    with pytest.raises(InvalidParameterError, match="audit_share"):
        simulated(audit_share=share).fit(X, Y)


def test_stopping_reads_the_audit(monkeypatch):
    monkeypatch.setattr(Looks, "rounds", [])
    simulation = simulated(Random(), audit_share=0.5, budget=80, stopping=Looks()).fit(X, Y)
    for (seen, _), record in zip(Looks.rounds, simulation.history_, strict=True):
        assert len(seen.audit) == record["audit_n"]
        assert seen.audit.mean() == record["audit_score"]
        assert set(seen.audit) <= {0.0, 1.0}
        assert len(seen.X) == 110
    reached = simulated(Random(), audit_share=0.5, budget=150, stopping=TargetReached(0.7)).fit(
        X, Y
    )
    assert "audited rows are right" in reached.stop_reason_
    assert len(reached.audited_) == reached.n_labels_[-1] < 75
    with pytest.raises(ValueError, match="audit_share="):
        simulated(stopping=TargetReached(0.7)).fit(X, Y)


# Searches, now and then -------------------------------------------------------------------------


class Counting(GaussianNB):
    """A model of which a search can find the best, and that counts the fits."""

    fits = 0

    def fit(self, X, y, sample_weight=None):
        Counting.fits += 1
        return super().fit(X, y, sample_weight)


def searching(every, *, cv=3, strategy=None, grid=(1e-9, 1e-1), **params):
    search = GridSearchCV(Counting(), {"var_smoothing": list(grid)}, cv=cv)
    start = np.concatenate([np.flatnonzero(label == Y)[:6] for label in range(3)])
    learner = ActiveLearner(search, strategy or Random())
    simulation = simulated(learner=learner, retune_every=every, **{"budget": 68, **params})
    return simulation.fit(X, Y, initial=start)


def fits(*args, **params):
    Counting.fits = 0
    return searching(*args, **params), Counting.fits


@pytest.mark.parametrize("every", [21, 25, 30])
def test_a_search_is_rerun_when_enough_labels_came(every):
    simulation, n_fits = fits(every)
    equal(simulation.n_labels_, [18, 28, 38, 48, 58, 68])
    tuned = [record["tuned"] for record in simulation.history_]
    assert tuned == [True, False, False, True, False, False]  # at 48, 30 labels after the first
    assert n_fits == 2 * (2 * 3 + 1) + 4


def test_without_retune_every_round_searches():
    simulation, n_fits = fits(None)
    assert [record["tuned"] for record in simulation.history_] == [True] * 6
    assert n_fits == 6 * 7
    for record, model in zip(simulation.history_, simulation.estimators_, strict=True):
        assert record["best_params"] == model.best_params_


def test_retuning_after_every_label_is_a_search_each_round():
    always, each_round = searching(1), searching(None)
    equal(always.queried_, each_round.queried_)
    for one, other in zip(always.estimators_, each_round.estimators_, strict=True):
        assert type(one) is Counting
        equal(one.predict_proba(X), other.predict_proba(X))


def test_in_between_the_best_of_the_last_search_is_refitted_on_all_labels():
    simulation = searching(25)
    last = None
    for record, model, n_labels in zip(
        simulation.history_, simulation.estimators_, simulation.n_labels_, strict=True
    ):
        known = np.sort(simulation.queried_[:n_labels])
        if record["tuned"]:
            search = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-1]}, cv=3)
            last = search.fit(X[known], Y[known]).best_params_
        assert record["best_params"] == last
        expected = GaussianNB(**last).fit(X[known], Y[known])
        equal(model.predict_proba(X), expected.predict_proba(X))


def test_the_learner_that_results_predicts_and_can_be_taught():
    simulation = searching(1000)
    learner = simulation.learner_
    equal(learner.predict(X), simulation.estimators_[-1].predict(X))
    assert isinstance(learner.estimator, GridSearchCV)
    left = np.setdiff1d(np.arange(150), simulation.queried_)
    learner.teach(X[left[:20]], Y[left[:20]])
    assert isinstance(learner.estimator_, GridSearchCV)
    assert len(learner.y_labeled_) == 88
    assert learner.query(X[left], 3).shape == (3,)


def test_imagined_labels_refit_what_was_found_and_do_not_search():
    strategy = Subsample(ExpectedErrorReduction(), n_candidates=4)
    sizes = {"budget": 30, "batch_size": 1, "strategy": strategy}
    simulation, n_fits = fits(1000, **sizes)
    n_queries = len(simulation.n_labels_) - 1
    assert n_queries == 12
    # A search, refits, and at each query one fit for each of 4 rows with each of 3 labels.
    assert n_fits == 7 + n_queries + n_queries * 4 * 3


def test_a_search_without_labels_enough_for_its_folds_waits():
    folds = [8, StratifiedKFold(8), RepeatedStratifiedKFold(n_splits=8, n_repeats=2)]
    for cv in folds:
        simulation = searching(1, cv=cv, budget=48, grid=(1e-9, 0.5))
        for record, n_labels in zip(simulation.history_, simulation.n_labels_, strict=True):
            counts = np.bincount(Y[simulation.queried_[:n_labels]])
            assert record["tuned"] == (counts.max() >= 8)
        assert simulation.history_[0]["tuned"] is False
        assert simulation.history_[0]["best_params"] is None
        equal(
            simulation.estimators_[0].predict_proba(X),
            GaussianNB().fit(*sorted_start(simulation)).predict_proba(X),
        )
        assert simulation.history_[-1]["tuned"] is True


def sorted_start(simulation):
    known = np.sort(simulation.queried_[: simulation.n_labels_[0]])
    return X[known], Y[known]


def test_groups_are_for_the_searches_only():
    search = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 0.1]}, cv=GroupKFold(3))
    simulation = simulated(learner=ActiveLearner(search, Random()), retune_every=15, budget=50)
    simulation.fit(X, Y, groups=np.arange(150) % 5)
    assert [record["tuned"] for record in simulation.history_] == [True, False, True, False, True]


@pytest.mark.parametrize("model", [GaussianNB(), GridSearchCV(GaussianNB(), {}, refit=False, cv=2)])
def test_retuning_takes_a_search(model):
    learner = ActiveLearner(model, Random())
    with pytest.raises(
        ValueError, match="retune_every needs a learner whose estimator is a search"
    ):
        simulated(learner=learner, retune_every=10, n_initial=40).fit(X, Y)


def test_retuning_takes_refits():
    learner = ActiveLearner(GaussianNB(), Random(), incremental=True)
    with pytest.raises(ValueError, match="incremental=False"):
        simulated(learner=learner, retune_every=10).fit(X, Y)


def test_history_of_a_model_that_is_no_search_says_nothing_of_tuning():
    assert "tuned" not in simulated().fit(X, Y).history_[0]
