"""Traps that active-learning libraries fell into, each with a test that skactive does not.

A comment that begins with "Trap:" says what went wrong elsewhere. More traps are tested in other
files:

- zero probabilities and NaN scores, duplicate rows, ties broken by position, pools of one row,
  batches of the whole pool, shuffled parts of a pool, readings changed in place, global seeds:
  `skactive.testing`, run by test_common.py
- nets that are in training mode or shuffle rows during a query, logits taken for probabilities,
  dropout that differs between chunks: adapters/test_skorch.py
- BADGE's gradient embedding, k-means++ on squared norms, squared norms of factors, memory:
  selectors/test_distance.py
- density with the sign reversed, means of committees, memory of scores: scores/
- hidden labels that are read, refits in the order of the answers: simulation/test_learner.py
- global random state, changed arrays of the caller, invalid positions: test_learner.py
"""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

import skactive.strategies as all_strategies
from skactive import ActiveLearner
from skactive._needs import reads_elements
from skactive.exceptions import (
    CapabilityError,
    InvalidReadingError,
    SelectionError,
    TiedScoresWarning,
)
from skactive.strategies import (
    BADGE,
    BALD,
    EPIG,
    SEALS,
    AnchorAL,
    ClassBalanced,
    ColdStart,
    ConsensusEntropy,
    Entropy,
    EpsilonGreedy,
    ExpectedErrorReduction,
    FacilityLocationMutualInformation,
    InformationDensity,
    KCenterGreedy,
    KLDivergence,
    KMeans,
    LeastConfidence,
    Margin,
    MarginRatio,
    Mixture,
    OpenSet,
    PerGroup,
    Prefilter,
    Random,
    RankedBatch,
    ScoreStrategy,
    Strategy,
    Subsample,
    VoteEntropy,
    WithoutDuplicates,
)

X, Y = load_iris(return_X_y=True)
ORDER = np.random.RandomState(0).permutation(len(X))
X, Y = X[ORDER], Y[ORDER]

equal = np.testing.assert_array_equal


def fit_learner(strategy, model=None, n=20, **params):
    model = GaussianNB() if model is None else model
    return ActiveLearner(model, strategy, random_state=0, **params).fit(X[:n], Y[:n])


def fit_forest(strategy):
    """Fit a forest: of regression trees where the strategy compares predicted numbers."""
    model = RandomForestRegressor(5) if strategy.regressors_only else forest()
    return fit_learner(strategy, model)


def every_strategy():
    """Return one instance of every strategy for one label per row."""
    inner = {
        Subsample: [Margin()],
        Prefilter: [Margin(), KMeans()],
        SEALS: [Margin()],
        AnchorAL: [Margin()],
        ClassBalanced: [Margin()],
        EpsilonGreedy: [Margin()],
        FacilityLocationMutualInformation: [X[:2]],
        Mixture: [[("a", Margin()), ("b", Random())]],
        ColdStart: [GaussianNB().fit(X, Y).predict_proba],
        OpenSet: [Margin(), 2],
        PerGroup: [Margin(), lambda X: range(len(X))],
        WithoutDuplicates: [Margin()],
    }
    kinds = [getattr(all_strategies, name) for name in all_strategies.__all__]
    made = [kind(*inner.get(kind, [])) for kind in kinds if kind not in (Strategy, ScoreStrategy)]
    return [strategy for strategy in made if not reads_elements(strategy)]


def each_strategy(test):
    return pytest.mark.parametrize(
        "strategy", every_strategy(), ids=lambda strategy: type(strategy).__name__
    )(test)


def forest():
    return RandomForestClassifier(5, max_depth=3)


# Scores that say the opposite --------------------------------------------------------------------


class RowsAsProba(GaussianNB):
    """Returns its rows as the probabilities."""

    def predict_proba(self, X):
        return X[:, :3]


@pytest.mark.parametrize(
    "strategy", [Entropy(), Margin(), LeastConfidence(), MarginRatio()], ids=repr
)
def test_zero_probabilities_do_not_make_the_certain_row_the_most_uncertain(strategy):
    # Trap: 0 log 0 is NaN, and argmax takes NaN.
    rows = np.array([[1.0, 0, 0], [0, 1, 0], [0.5, 0.5, 0], [0.9, 0.1, 0], [0, 0, 1]])
    learner = ActiveLearner(RowsAsProba(), strategy, random_state=0).fit(
        rows[[0, 1, 2, 4]], [0, 1, 1, 2]
    )
    assert learner.query(rows, 1)[0] == 2
    assert np.isfinite(learner.score_pool(rows)).all()


def test_tie_breaking_leaves_the_maximum_a_maximum():
    # Trap: a shuffle that is never undone, or one that turns a minimum into a maximum.
    rows = np.array([[0.9, 0.1, 0.0]] * 20 + [[0.4, 0.35, 0.25]] * 3 + [[1.0, 0.0, 0.0]] * 20)
    for seed in range(10):
        learner = ActiveLearner(RowsAsProba(), Margin(), random_state=seed)
        learner.fit(np.eye(3), [0, 1, 2])
        assert set(learner.query(rows, 3)) == {20, 21, 22}


def test_ties_are_broken_by_the_seed_and_not_by_position():
    # Trap: ties are documented as random, but the first row always wins.
    rows = np.array([[0.9, 0.1, 0.0]] * 20 + [[1.0, 0.0, 0.0]] * 5)
    picks = set()
    for seed in range(20):
        learner = ActiveLearner(RowsAsProba(), Margin(), random_state=seed).fit(
            np.eye(3), [0, 1, 2]
        )
        picks.add(int(learner.query(rows, 1)[0]))
    assert picks <= set(range(20))
    assert len(picks) > 5


def test_density_prefers_the_crowd_to_the_outlier():
    # Trap: density weighting has the sign reversed, so outliers come first.
    rows = np.r_[np.random.RandomState(0).normal(size=(30, 4)) * 0.1 + X.mean(axis=0), X[:1] + 40]
    learner = ActiveLearner(LogisticRegression(), InformationDensity(Margin()), random_state=0)
    learner.fit(np.r_[X[:20], X[:1] + 80], np.r_[Y[:20], Y[0]])
    assert learner.query(rows, 31)[-1] == 30


# A custom strategy ------------------------------------------------------------------------------


class Custom(Strategy):
    needs = frozenset({"X"})
    calls: list = []  # noqa: RUF012

    def __init__(self, answer=None):
        self.answer = answer

    def select(self, pool, batch_size):
        Custom.calls.append(batch_size)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def calls():
    Custom.calls.clear()
    return Custom.calls


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_two_positions_are_two_positions(kind, calls):
    # Trap: an answer of two numbers is taken for (positions, scores).
    equal(fit_learner(Custom(kind([7, 3]))).query(X, 2), [7, 3])
    with pytest.raises(SelectionError, match=r"shape \(2,\)"):
        fit_learner(Custom(kind([7, 3]))).query(X, 1)


@pytest.mark.parametrize("error", [TypeError("mine"), ValueError("mine"), AttributeError("mine")])
def test_an_error_in_a_strategy_is_raised_and_the_strategy_called_once(error, calls):
    # Trap: any exception is swallowed and the strategy called again with other arguments.
    with pytest.raises(type(error), match="mine") as raised:
        fit_learner(Custom(error)).query(X, 2)
    assert raised.value is error
    assert calls == [2]


def test_scores_that_are_no_numbers_are_refused_and_not_replaced():
    # Trap: NaN scores are silently replaced by 0 or 10000.
    class Broken(ScoreStrategy):
        needs = frozenset({"X"})

        def score(self, pool):
            return np.where(np.arange(len(pool)) == 3, np.nan, 1.0)

    with pytest.raises(SelectionError, match="finite numbers; 1 are not"):
        fit_learner(Broken()).score_pool(X)
    with pytest.raises((SelectionError, ValueError), match=r"finite|NaN"):
        fit_learner(Broken()).query(X, 2)


# Which rows -------------------------------------------------------------------------------------


class Highest(ScoreStrategy):
    """Takes the rows whose first feature is highest."""

    needs = frozenset({"X"})

    def score(self, pool):
        return pool.X[:, 0].astype(float)


def test_rows_chosen_in_a_random_part_are_mapped_back():
    # Trap: positions in the part are returned as if they were positions in the pool.
    numbers = np.column_stack([np.random.RandomState(0).permutation(1000), np.zeros(1000)])
    learner = ActiveLearner(
        GaussianNB(), Subsample(Highest(), n_candidates=200), random_state=0
    ).fit(numbers[:20], np.arange(20) % 2)
    chosen = numbers[learner.query(numbers, 10), 0]
    assert (np.diff(chosen) < 0).all()
    assert chosen.min() > 900  # the best ten of 200 drawn evenly


def test_rows_that_pass_a_filter_are_mapped_back():
    numbers = np.column_stack([np.random.RandomState(0).permutation(100), np.zeros(100)])
    strategy = Prefilter(Highest(), Highest(), factor=3)
    learner = ActiveLearner(GaussianNB(), strategy, random_state=0)
    learner.fit(numbers[:20], np.arange(20) % 2)
    equal(numbers[learner.query(numbers, 4), 0], [99, 98, 97, 96])


def test_the_parts_of_a_mixture_choose_among_what_is_left():
    numbers = np.column_stack([np.random.RandomState(0).permutation(100), np.zeros(100)])
    strategy = Mixture([("a", Highest()), ("b", Highest())])
    learner = ActiveLearner(GaussianNB(), strategy, random_state=0)
    learner.fit(numbers[:20], np.arange(20) % 2)
    assert sorted(numbers[learner.query(numbers, 6), 0]) == [94, 95, 96, 97, 98, 99]


@pytest.mark.parametrize(
    "strategy",
    [Margin(), Entropy(), KCenterGreedy(), RankedBatch(), InformationDensity()],
    ids=repr,
)
def test_a_pool_that_shrinks_and_is_shuffled_between_queries(strategy):
    # Trap: caches and maps of positions outlive the pool that they were made for.
    learner = fit_learner(strategy)
    learner.query(X[20:], 5)
    part = np.random.RandomState(3).permutation(np.arange(20, 150))[:60]
    picked = learner.query(X[part], 5)
    equal(X[part][picked], X[part][fit_learner(strategy).query(X[part], 5)])
    learner.query(X, 5)  # and one that grows
    equal(learner.query(X[part], 5), picked)


@pytest.mark.no_cover
@each_strategy
def test_the_pool_shrinks_to_its_last_row(strategy):
    # Trap: a crash where the pool has one row, or where the batch is the whole pool.
    learner = fit_forest(strategy)
    assert sorted(learner.query(X[20:26], 6)) == list(range(6))
    equal(learner.query(X[20:21], 1), [0])


@pytest.mark.no_cover
@each_strategy
def test_exactly_as_many_rows_as_were_asked_for(strategy):
    # Trap: lightweight core-set returns another number; the last partial block is dropped.
    if isinstance(strategy, ExpectedErrorReduction):
        strategy.set_params(n_targets=3)
    learner = fit_forest(strategy)
    for batch_size in (1, 2, 5):
        assert len(set(learner.query(X[20:33], batch_size).tolist())) == batch_size


@pytest.mark.parametrize("strategy", [Margin(), BALD(), KCenterGreedy()], ids=repr)
def test_the_first_pick_is_not_dropped(strategy):
    # Trap: one row too many is picked, and the first, the best, is dropped.
    learner = fit_learner(strategy, forest() if isinstance(strategy, BALD) else None)
    one, many = learner.query(X[20:], 1), learner.query(X[20:], 10)
    if isinstance(strategy, ScoreStrategy):
        scores = learner.score_pool(X[20:])
        assert scores[one[0]] == scores[many[0]] == scores.max()
    else:
        assert one[0] == many[0]


def test_a_cold_ranked_batch_is_distinct():
    # Trap: a cold-start ranked batch returns duplicates.
    learner = ActiveLearner(GaussianNB(), RankedBatch(), random_state=0)
    learner.fit(np.repeat(X[:3], 2, axis=0), [0, 0, 1, 1, 2, 2])
    assert len(set(learner.query(np.repeat(X[20:24], 5, axis=0), 12).tolist())) == 12


@pytest.mark.parametrize("strategy", [BADGE(), KCenterGreedy(), KMeans(), RankedBatch()], ids=repr)
def test_duplicates_neither_crash_nor_stop_nor_divide_by_zero(strategy):
    # Trap: 0 / 0 in k-means++, a left-over debugger call, a crash with fewer clusters than rows
    # in the batch.
    pool = np.repeat(X[20:22], 20, axis=0)
    picked = fit_learner(strategy, LogisticRegression(max_iter=500)).query(pool, 10)
    assert len(set(picked.tolist())) == 10
    assert {int(position) // 20 for position in picked[:2]} == {0, 1} or isinstance(
        strategy, RankedBatch
    )


def test_badge_stays_away_from_what_it_has_and_from_nothing_else():
    # Trap: rows are weighted by min(squared norm, squared distance): the origin acts as a center.
    # The model is sure of 95 rows, whose gradients are near the origin; none of them should be the
    # first pick, but once one of the five others is in, the far side of the origin counts.
    sure = np.tile([0.999, 0.001, 0.0], (95, 1))
    rows = np.r_[sure, np.random.RandomState(0).dirichlet([3, 3, 3], 5)]
    learner = ActiveLearner(RowsAsProba(), BADGE(), random_state=0).fit(np.eye(3), [0, 1, 2])
    chosen = [fit_query(learner, rows, seed) for seed in range(20)]
    assert np.mean([first >= 95 for first, _ in chosen]) > 0.9


def fit_query(learner, rows, seed):
    learner.set_params(random_state=seed).fit(np.eye(3), [0, 1, 2])
    return learner.query(rows, 2).tolist()


# Labels and classes -----------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [[-1, 1], [5, 2], ["no", "yes"]], ids=str)
def test_expected_error_reduction_imagines_labels_and_not_their_positions(labels):
    # Trap: with labels {-1, 1} the column 0 is imagined as a label, a third class.
    taught = []

    class Watched(GaussianNB):
        def fit(self, X, y, sample_weight=None):
            taught.append(set(np.asarray(y).tolist()))
            return super().fit(X, y, sample_weight)

    two = np.flatnonzero(Y != 0)
    rows, y = X[two], np.array(labels)[(Y[two] == 2).astype(int)]
    learner = ActiveLearner(Watched(), ExpectedErrorReduction(), random_state=0)
    learner.fit(rows[:12], y[:12]).query(rows[12:18], 2)
    assert len(taught) > 6
    assert all(each == set(labels) for each in taught)


def test_expected_error_reduction_counts_the_pool_only():
    # Trap: labeled rows count in the expected error; hidden labels are read.
    learner = fit_learner(ExpectedErrorReduction(loss="zero_one"), n=10)
    pool, now = X[20:25], learner.predict_proba(X[20:25])
    expected = np.zeros(5)
    for row in range(5):
        for column, label in enumerate(learner.classes_):
            model = GaussianNB().fit(np.r_[X[:10], pool[[row]]], np.r_[Y[:10], label])
            expected[row] -= now[row, column] * (1 - model.predict_proba(pool).max(axis=1)).mean()
    np.testing.assert_allclose(learner.score_pool(pool), expected)


class Unweighted(DecisionTreeClassifier):
    """A tree without sample weights, so that each member of a bagging sees its own rows only."""

    def fit(self, X, y):
        return super().fit(X, y)


COMMITTEES = [VoteEntropy(), ConsensusEntropy(), KLDivergence(), BALD(), EPIG()]


@pytest.mark.no_cover
@pytest.mark.parametrize("strategy", COMMITTEES, ids=lambda strategy: type(strategy).__name__)
@pytest.mark.parametrize("names", [[0, 1, 2], [-4, 10, 3], ["a", "bb", "c"]], ids=str)
@pytest.mark.parametrize("member", [KNeighborsClassifier(2), Unweighted()], ids=repr)
def test_a_member_that_lacks_a_class_has_the_others_in_their_columns(strategy, names, member):
    # Trap: columns are mixed up if members saw fewer classes, or labels are not 0 .. C-1.
    rare = np.r_[np.flatnonzero(Y == 0)[:8], np.flatnonzero(Y == 1)[:8], np.flatnonzero(Y == 2)[:2]]
    model = BaggingClassifier(member, 6, max_samples=5, random_state=3)
    learner = ActiveLearner(model, strategy, random_state=0)
    learner.fit(X[rare], np.array(names)[Y[rare]])
    sizes = {len(inner.classes_) for inner in learner.estimator_.estimators_}
    assert min(sizes) < 3
    samples = learner._make_view(X).proba_samples()
    np.testing.assert_allclose(samples.mean(axis=0), learner.predict_proba(X), atol=1e-12)
    codes = ActiveLearner(model, strategy, random_state=0)
    codes.fit(X[rare], np.searchsorted(np.unique(names), np.array(names)[Y[rare]]))
    equal(learner.query(X, 5), codes.query(X, 5))


@pytest.mark.filterwarnings("ignore::skactive.exceptions.TiedScoresWarning")
def test_a_committee_of_voters_without_probabilities():
    members = [("knn", KNeighborsClassifier(1)), ("tree", DecisionTreeClassifier(random_state=0))]
    names = np.array(["x", "y", "z"])[Y]
    learner = ActiveLearner(VotingClassifier(members), VoteEntropy(), random_state=0)
    learner.fit(X[:30], names[:30])
    votes = [model.predict(X) for model in learner.estimator_.estimators_]
    equal(learner.score_pool(X) > 0, votes[0] != votes[1])


def test_several_outputs_are_refused_and_not_made_to_sum_to_one():
    # Trap: sigmoid outputs of several labels are silently normalized by softmax.
    class Sigmoid(GaussianNB):
        def predict_proba(self, X):
            return np.tile([0.9, 0.8, 0.1], (len(X), 1))

    with pytest.raises(InvalidReadingError, match=r"do not sum to 1"):
        fit_learner(Entropy(), Sigmoid()).query(X, 1)
    several = ActiveLearner(MultiOutputClassifier(GaussianNB()), Entropy(), random_state=0)
    with pytest.raises(CapabilityError, match="one label per row"):
        several.fit(X[:20], np.column_stack([Y[:20], Y[:20] > 0]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.5], ids=str)
def test_probabilities_that_are_none_are_refused(bad):
    class Broken(GaussianNB):
        def predict_proba(self, X):
            proba = super().predict_proba(X)
            proba[3:4] = [bad, 0.0, 0.0]
            return proba

    with pytest.raises(InvalidReadingError, match="1 rows"):
        fit_learner(Entropy(), Broken()).query(X, 1)


@pytest.mark.parametrize("model", [DecisionTreeClassifier(), KNeighborsClassifier(1)], ids=repr)
@pytest.mark.parametrize("strategy", [Margin(), Entropy(), LeastConfidence()], ids=repr)
def test_a_model_of_zeros_and_ones_ties_all_rows_and_says_so(model, strategy):
    # Trap: all scores tie and the first rows are taken silently.
    learner = fit_learner(strategy, model)
    with pytest.warns(TiedScoresWarning, match=rf"{type(strategy).__name__} .*all 130 rows"):
        picked = learner.query(X[20:], 5)
    assert len(set(picked.tolist())) == 5
    assert sorted(picked.tolist()) != [0, 1, 2, 3, 4]


def test_the_whole_pool_is_no_choice_and_needs_no_warning():
    fit_learner(Margin(), DecisionTreeClassifier()).query(X[20:25], 5)


def test_a_model_without_a_committee_is_told_so():
    with pytest.raises(CapabilityError, match="BaggingClassifier"):
        fit_learner(VoteEntropy(), GaussianNB())


# Side effects -----------------------------------------------------------------------------------


@pytest.mark.no_cover
@each_strategy
def test_no_file_is_written_and_the_model_is_not_changed_by_asking(strategy, tmp_path, monkeypatch):
    # Trap: files are left in the working directory; scoring changes the model or the pool.
    if isinstance(strategy, ExpectedErrorReduction):
        strategy.set_params(n_targets=3)
    monkeypatch.chdir(tmp_path)
    learner = fit_forest(strategy)
    model, predicted, pool = learner.estimator_, learner.predict(X), X[20:40].copy()
    pool.flags.writeable = False
    learner.query(pool, 4)
    assert list(tmp_path.iterdir()) == []
    assert learner.estimator_ is model
    equal(learner.predict(X), predicted)
    equal(pool, X[20:40])


@pytest.mark.parametrize(
    "strategy", [Entropy(), BADGE(), Prefilter(Margin(), BADGE()), RankedBatch()], ids=repr
)
def test_a_pool_is_read_once_and_not_copied(strategy):
    # Trap: the pool is deep-copied, or predicted again, at each access.
    asked = []

    class Counting(GaussianNB):
        def predict_proba(self, X):
            asked.append(X)
            return super().predict_proba(X)

    pool = X[20:]
    learner = fit_learner(strategy, Counting())
    assert all(len(rows) < 3 for rows in asked)  # whether the model can predict
    asked.clear()
    learner.query(pool, 9)
    assert [len(rows) for rows in asked] == [len(pool)]
    assert np.shares_memory(asked[0], pool)
