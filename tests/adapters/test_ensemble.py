"""Members of an ensemble as draws from the posterior: the right rows, columns and classes."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearner
from skactive.adapters import adapt
from skactive.exceptions import CapabilityError
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource
from skactive.strategies import BALD, EPIG

X, Y = load_iris(return_X_y=True)
ORDER = np.random.RandomState(0).permutation(150)
X, Y = X[ORDER], Y[ORDER]
NAMES = np.array(["virginica", "ant", "setosa"])[Y]
FRAME = pd.DataFrame(X, columns=["a", "b", "c", "d"])
HOLES = np.where(np.random.RandomState(1).uniform(size=X.shape) < 0.2, np.nan, X)

LABELS = {"ints": Y, "strings": NAMES, "negative": Y * 5 - 7, "boolean": Y == 1}
ROWS = {"array": X, "frame": FRAME, "sparse": sp.csr_array(X), "single": X.astype(np.float32)}


@pytest.fixture(params=LABELS)
def y(request):
    return LABELS[request.param]


def draws_of(model, rows, n_samples=None, seed=0):
    adapter = adapt(model)
    return adapter.proba_samples(adapter.prepare(rows), n_samples, seed)


def one_hot(votes, classes):
    return (np.asarray(votes)[:, np.newaxis] == classes).astype(float)


def small(kind, **params):
    return kind(n_estimators=6, random_state=0, **params)


# Forests ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("rows", ROWS)
def test_trees_of_a_forest_average_to_its_probabilities(kind, rows, y):
    model = small(kind, max_depth=2).fit(ROWS[rows], y)
    draws = draws_of(model, ROWS[rows])
    assert draws.shape == (6, 150, len(np.unique(y)))
    assert_allclose(draws.mean(axis=0), model.predict_proba(ROWS[rows]))
    assert draws.std(axis=0).max() > 0.1


def test_each_draw_is_a_tree():
    model = small(RandomForestClassifier, max_depth=2).fit(FRAME, NAMES)
    trees = [tree.predict_proba(X) for tree in model.estimators_]
    assert_array_equal(draws_of(model, FRAME), trees)


def test_forest_reads_missing_values_where_it_was_fitted_on_some():
    model = small(RandomForestClassifier, max_depth=3).fit(HOLES, Y)
    assert_allclose(draws_of(model, HOLES).mean(axis=0), model.predict_proba(HOLES))


def test_forest_refuses_columns_that_it_was_not_fitted_on():
    model = small(RandomForestClassifier).fit(FRAME, Y)
    with pytest.raises(ValueError, match="feature names"):
        draws_of(model, FRAME[["b", "a", "c", "d"]])


def test_subclass_of_a_forest_is_read_as_a_forest():
    model = type("Mine", (RandomForestClassifier,), {})(4, random_state=0).fit(X, NAMES)
    assert_allclose(draws_of(model, X).mean(axis=0), model.predict_proba(X))


# How many draws, and which ----------------------------------------------------------------------


def test_fewer_draws_are_a_seeded_part_of_the_members():
    model = RandomForestClassifier(12, max_depth=2, random_state=0).fit(X, Y)
    every = draws_of(model, X)
    parts = [draws_of(model, X, 4, seed) for seed in range(6)]
    for part, again in zip(parts, (draws_of(model, X, 4, seed) for seed in range(6)), strict=True):
        assert_array_equal(part, again)
        chosen = [[np.array_equal(draw, member) for member in every].index(True) for draw in part]
        assert len(set(chosen)) == 4
    assert any(not np.array_equal(parts[0], part) for part in parts[1:])


def test_more_draws_than_members_are_all_members_whatever_the_seed():
    model = small(RandomForestClassifier).fit(X, Y)
    adapter = adapt(model)
    assert [adapter.n_draws(n) for n in (None, 2, 6, 50)] == [6, 2, 6, 6]
    assert_array_equal(draws_of(model, X, 50, seed=3), draws_of(model, X, None, seed=4))


@pytest.mark.parametrize(
    "model",
    [
        small(RandomForestClassifier),
        small(BaggingClassifier, max_features=0.5),
        VotingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier(random_state=0))]),
        CalibratedClassifierCV(LinearSVC(), cv=3),
    ],
    ids=lambda model: type(model).__name__,
)
def test_one_draw_is_one_function_of_all_rows(model):
    model.fit(X, NAMES)
    some = np.array([140, 3, 3, 77])
    for n_samples in (None, 2):
        draws = draws_of(model, X, n_samples, seed=5)
        assert_allclose(draws_of(model, X[some], n_samples, seed=5), draws[:, some])
    assert adapt(model).joint_samples
    assert adapt(model).provides("joint_samples")


def test_single_or_unfitted_member_gives_no_draws():
    for model in (RandomForestClassifier(), RandomForestClassifier(1).fit(X, Y)):
        assert not adapt(model).provides("proba_samples")
        assert not adapt(model).provides("joint_samples")
    with pytest.raises(CapabilityError, match="BALD needs proba_samples"):
        ActiveLearner(RandomForestClassifier(1), BALD()).fit(X[:30], Y[:30])


# Bagging ----------------------------------------------------------------------------------------


@pytest.mark.no_cover
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("params", [{}, {"max_features": 2}, {"bootstrap_features": True}])
def test_bagged_members_read_their_own_columns(rows, params, y):
    members = DecisionTreeClassifier(max_depth=2)
    model = small(BaggingClassifier, estimator=members, **params).fit(ROWS[rows], y)
    draws = draws_of(model, ROWS[rows])
    assert_allclose(draws.mean(axis=0), model.predict_proba(ROWS[rows]))
    first, columns = model.estimators_[0], model.estimators_features_[0]
    assert_allclose(draws[0], first.predict_proba(X[:, columns]))


def test_bagged_member_that_saw_all_columns_in_another_order():
    model = small(BaggingClassifier, bootstrap=False).fit(X, Y)
    model.estimators_features_ = [np.array([2, 0, 3, 1])] * 6  # as scikit-learn may draw them
    for member in model.estimators_:
        member.fit(X[:, [2, 0, 3, 1]], Y)
    assert_allclose(draws_of(model, X).mean(axis=0), model.predict_proba(X))


# Members that accept no weights are fitted on the few rows that they drew, and miss classes.
MANY = np.arange(150) % 7
MANY_LABELS = {"ints": MANY, "strings": np.array(list("gfedcba"))[MANY], "negative": 3 - MANY * 2}


@pytest.mark.parametrize("labels", MANY_LABELS)
@pytest.mark.parametrize("member", [KNeighborsClassifier(2), make_pipeline(GaussianNB())])
def test_bagged_members_that_lack_classes_put_their_columns_in_the_right_place(labels, member):
    y = MANY_LABELS[labels]
    model = BaggingClassifier(member, 8, max_samples=8, random_state=0).fit(X, y)
    lacking = [7 - len(member.classes_) for member in model.estimators_]
    assert max(lacking) > 0
    draws = draws_of(model, X)
    assert_allclose(draws.mean(axis=0), model.predict_proba(X))
    for draw, member, samples in zip(
        draws, model.estimators_, model.estimators_samples_, strict=True
    ):
        seen = np.isin(model.classes_, y[samples])
        assert_array_equal(draw[:, ~seen], 0.0)
        assert_array_equal(draw[:, seen], member.predict_proba(X))


@pytest.mark.parametrize("labels", MANY_LABELS)
def test_bagged_hard_voters_vote_by_one_hot_rows(labels):
    y, member = MANY_LABELS[labels], make_pipeline(RidgeClassifier())
    model = BaggingClassifier(member, 8, max_samples=8, random_state=0).fit(X, y)
    assert min(len(member.classes_) for member in model.estimators_) < 7
    draws = draws_of(model, X)
    for draw, member in zip(draws, model.estimators_, strict=True):
        assert_array_equal(draw, one_hot(model.classes_[member.predict(X)], model.classes_))
    assert_allclose(draws.mean(axis=0), model.predict_proba(X))


def test_bagged_support_vectors_on_a_part_of_the_columns_serve_bald():
    member = make_pipeline(StandardScaler(), LinearSVC())
    model = BaggingClassifier(member, 5, max_features=2, random_state=0).fit(FRAME, NAMES)
    assert_allclose(draws_of(model, FRAME).mean(axis=0), model.predict_proba(FRAME))
    learner = ActiveLearner(model, BALD(), random_state=0).fit(FRAME[:40], NAMES[:40])
    assert len(learner.query(FRAME[40:], 3)) == 3


def test_bagging_passes_missing_values_to_members_that_know_them():
    member = DecisionTreeClassifier(max_depth=3)
    model = small(BaggingClassifier, estimator=member).fit(HOLES, Y)
    assert_allclose(draws_of(model, HOLES).mean(axis=0), model.predict_proba(HOLES))


# Voting -----------------------------------------------------------------------------------------


def voters(*more, **params):
    members = [("nb", GaussianNB()), ("tree", DecisionTreeClassifier(max_depth=2, random_state=0))]
    return VotingClassifier([*members, *more], **params)


@pytest.mark.parametrize("rows", ["array", "frame"])
def test_soft_voters_average_to_the_probabilities(rows, y):
    model = voters(voting="soft").fit(ROWS[rows], y)
    draws = draws_of(model, ROWS[rows])
    assert_array_equal(draws[0], GaussianNB().fit(X, y).predict_proba(X))
    assert_allclose(draws.mean(axis=0), model.predict_proba(ROWS[rows]))
    assert_array_equal(adapt(model).classes, np.unique(y))


def test_hard_voters_without_probabilities_give_their_votes(y):
    members = [("svc", LinearSVC()), ("ridge", RidgeClassifier())]
    model = VotingClassifier(members, voting="hard").fit(X, y)
    assert not adapt(model).provides("proba")
    assert adapt(model).provides("proba_samples")
    alone = [kind().fit(X, y) for kind in (LinearSVC, RidgeClassifier)]
    wanted = [one_hot(member.predict(X), np.unique(y)) for member in alone]
    assert_array_equal(draws_of(model, X), wanted)


def test_hard_voting_of_members_with_probabilities_gives_these():
    model = voters(("ridge", RidgeClassifier())).fit(X, NAMES)
    draws = draws_of(model, X)
    assert_array_equal(draws[0], GaussianNB().fit(X, NAMES).predict_proba(X))
    assert_array_equal(
        draws[2], one_hot(RidgeClassifier().fit(X, NAMES).predict(X), np.unique(NAMES))
    )


def test_dropped_voter_is_no_member():
    model = voters(("gone", LogisticRegression()), voting="soft")
    model.set_params(gone="drop").fit(X, NAMES)
    assert draws_of(model, X).shape == (2, 150, 3)
    assert_allclose(draws_of(model, X).mean(axis=0), model.predict_proba(X))
    assert not adapt(voters().set_params(tree="drop").fit(X, Y)).provides("proba_samples")


def test_voters_read_texts():
    texts, y = ["a cat", "a dog", "the cat", "dogs bark"], ["x", "y", "x", "y"]
    members = [(str(a), make_pipeline(TfidfVectorizer(), MultinomialNB(alpha=a))) for a in (0.1, 1)]
    model = VotingClassifier(members, voting="soft").fit(texts, y)
    assert_allclose(draws_of(model, texts).mean(axis=0), model.predict_proba(texts))
    learner = ActiveLearner(model, BALD(), random_state=0).fit(texts, y)
    assert len(learner.query(["a bark", "the dog", "cat"], 2)) == 2


@pytest.mark.parametrize("labels", LABELS)
def test_voters_that_were_frozen_keep_the_labels_that_they_learned(labels):
    y = LABELS[labels]
    fitted = [GaussianNB().fit(X[:75], y[:75]), GaussianNB().fit(X[75:], y[75:])]
    members = [(str(i), FrozenEstimator(member)) for i, member in enumerate(fitted)]
    model = VotingClassifier(members, voting="soft").fit(X, y)
    wanted = [member.predict_proba(X) for member in fitted]
    assert_allclose(model.predict_proba(X), np.mean(wanted, axis=0))
    assert_array_equal(draws_of(model, X), wanted)


# Calibration ------------------------------------------------------------------------------------


def test_calibrated_folds_are_the_members(y):
    pipeline = make_pipeline(StandardScaler(), LinearSVC())
    model = CalibratedClassifierCV(pipeline, cv=3).fit(X, y)
    adapter = adapt(model)
    draws = draws_of(model, X)
    assert draws.shape == (3, 150, len(np.unique(y)))
    assert_allclose(draws.mean(axis=0), model.predict_proba(X))
    assert_array_equal(adapter.classes, np.unique(y))
    assert adapter.provides("proba")
    first = model.calibrated_classifiers_[0].estimator
    assert_allclose(adapter.features(adapter.prepare(X)), first[0].transform(X))
    assert np.abs(first[0].mean_ - X.mean(axis=0)).max() > 0  # fitted on a fold


def test_calibration_of_one_model_has_its_features_but_no_draws():
    pipeline = make_pipeline(StandardScaler(), LinearSVC())
    model = CalibratedClassifierCV(pipeline, ensemble=False, cv=3).fit(X, NAMES)
    pool = PoolView(X, ReadingSource(adapt(model)))
    assert not pool.provides("proba_samples")
    assert_allclose(pool.proba, model.predict_proba(X))
    assert_allclose(pool.embedding, StandardScaler().fit_transform(X), atol=1e-12)
    assert_allclose(pool.gradient_factors[1], pool.embedding)


def test_calibration_starts_cold_by_the_pipeline_inside():
    model = CalibratedClassifierCV(make_pipeline(StandardScaler(), LinearSVC()))
    features = adapt(model).prepare_cold(X)(X[:5])
    assert_allclose(features, StandardScaler().fit(X).transform(X[:5]), atol=1e-12)
    assert adapt(CalibratedClassifierCV()).prepare_cold(X)(X) is X


def test_frozen_model_that_is_calibrated_gives_its_features():
    frozen = make_pipeline(StandardScaler(), LinearSVC()).fit(X[:75], NAMES[:75])
    model = CalibratedClassifierCV(FrozenEstimator(frozen)).fit(X[75:], NAMES[75:])
    adapter = adapt(model)
    assert not adapter.frozen
    assert_allclose(adapter.features(adapter.prepare(X)), frozen[0].transform(X))


# In a learner -----------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", [BALD(), EPIG(n_targets=20), BALD(n_samples=3)])
@pytest.mark.parametrize(
    "model",
    [
        small(RandomForestClassifier),
        small(BaggingClassifier),
        voters(voting="soft"),
        CalibratedClassifierCV(LinearSVC(), cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_ensembles_serve_bald_and_epig_on_frames(model, strategy):
    learner = ActiveLearner(model, strategy, random_state=0).fit(FRAME[:40], NAMES[:40])
    picked = learner.query(FRAME[40:], 5)
    assert len(set(picked.tolist())) == 5
    assert_array_equal(learner.query(FRAME[40:], 5), picked)


def test_draws_are_widened_to_the_declared_classes():
    classes = ["ant", "bee", "setosa", "virginica"]
    learner = ActiveLearner(small(RandomForestClassifier), BALD(), classes=classes)
    pool = learner.fit(X[:40], NAMES[:40])._make_view(X[40:])
    draws = pool.proba_samples()
    assert_array_equal(draws[:, :, 1], 0.0)
    assert_allclose(
        draws.mean(axis=0)[:, [0, 2, 3]], learner.estimator_.predict_proba(X[40:]), atol=1e-12
    )


def test_prediction_of_several_outputs_is_refused():
    model = small(RandomForestClassifier).fit(X, np.column_stack([Y, Y]))
    pool = PoolView(X, ReadingSource(adapt(model)))
    for reading in ("proba", "decision"):
        with pytest.raises(CapabilityError, match=reading):
            getattr(pool, reading)
    with pytest.raises(CapabilityError, match="proba_samples"):
        pool.proba_samples()
