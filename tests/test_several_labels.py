"""Several labels per row through the learner: labels, fits, scores and advice of any kind."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearner, SimulatedLearner, reductions, scores
from skactive.adapters import ModelAdapter, register
from skactive.adapters._base import list_registered
from skactive.exceptions import (
    CapabilityError,
    SelectionError,
    WaitingClassesWarning,
)
from skactive.multilabel import MissingLabelsClassifier
from skactive.strategies import (
    CVIRS,
    LCI,
    MMC,
    Aggregate,
    AnchorAL,
    Entropy,
    Margin,
    PerCost,
    Random,
    SeparationMargin,
)

X, Y = make_multilabel_classification(80, n_features=6, n_classes=4, n_labels=2, random_state=1)
TEXT = np.array(["no", "yes"])[Y]
LOGISTIC = LogisticRegression(max_iter=500)


@pytest.mark.parametrize(
    "model",
    [
        MultiOutputClassifier(LOGISTIC),
        ClassifierChain(LOGISTIC),
        make_pipeline(StandardScaler(), MultiOutputClassifier(LOGISTIC)),
    ],
    ids=["outputs", "chain", "pipeline"],
)
@pytest.mark.parametrize("labels", [Y[:, :1], Y[:, :1].tolist(), pd.DataFrame(Y[:, :1])])
def test_a_column_stays_one_for_models_of_several_labels_only(model, labels):
    learner = ActiveLearner(model, Aggregate(Margin()), random_state=0).fit(X[:30], labels[:30])
    proba = np.stack(learner.predict_proba(X[50:]))[..., -1].ravel()
    np.testing.assert_allclose(learner.score_pool(X[50:]), 1 - np.abs(2 * proba - 1))
    rows, places = learner.teach(X[30:50], labels[30:50]).query_elements(X[50:], 3)
    assert places.tolist() == [0, 0, 0]
    assert len(set(rows.tolist())) == 3


@pytest.mark.parametrize(
    ("model", "labels"),
    [
        (MultiOutputClassifier(SGDClassifier(loss="log_loss", random_state=0)), Y),
        (MultiOutputClassifier(GaussianNB()), TEXT),
        (MLPClassifier((5,), random_state=0), Y),
    ],
    ids=["outputs", "texts", "net"],
)
def test_models_of_several_labels_learn_incrementally(model, labels):
    learner = ActiveLearner(model, Aggregate(Entropy()), incremental=True, random_state=0)
    learner.fit(X[:30], labels[:30]).teach(X[30:50], labels[30:50])
    proba = np.asarray(learner.predict_proba(X[50:]))
    present = proba[..., 1].T if proba.ndim == 3 else proba
    expected = [scores.entropy(np.c_[1 - p, p]) for p in present]
    np.testing.assert_allclose(learner.score_pool(X[50:]), np.mean(expected, axis=1), atol=1e-9)


def test_a_label_that_was_not_present_yet_is_learned_incrementally():
    model = MultiOutputClassifier(SGDClassifier(random_state=0))
    learner = ActiveLearner(model, Aggregate(), incremental=True, random_state=0)
    learner.fit(X[:10], np.zeros((10, 4), dtype=int)).teach(X[10:50], Y[10:50])
    assert learner.predict(X).any()


def test_an_incremental_model_of_one_label_only_is_refused_with_advice():
    learner = ActiveLearner(
        OneVsRestClassifier(SGDClassifier()), Aggregate(), incremental=True, random_state=0
    )
    with pytest.raises(CapabilityError, match="use MultiOutputClassifier"):
        learner.fit(X[:30], Y[:30])


def test_the_advice_on_missing_labels_works():
    Y_partly = Y.astype(float)
    Y_partly[::3, 1] = np.nan
    learner = ActiveLearner(KNeighborsClassifier(), Aggregate(), random_state=0)
    with pytest.raises(ValueError, match=r"27 of 320 labels are missing.*any\(axis=1\)"):
        learner.fit(X, Y_partly)
    known = ~pd.isna(Y_partly).any(axis=1)
    learner.fit(X[known], Y_partly[known])
    learner.set_params(estimator=MissingLabelsClassifier(LOGISTIC)).fit(X, Y_partly)
    with pytest.raises(ValueError, match=r"27 of 320 labels are missing.*y\[known\]\.$"):
        ActiveLearner(LinearRegression(), Random()).fit(X, Y_partly)


@pytest.mark.parametrize("strategy", [MMC(), LCI(), CVIRS(), SeparationMargin()])
def test_each_label_may_have_classes_of_its_own(strategy):
    named = np.column_stack([TEXT[:, 0], np.array(["absent", "present"])[Y[:, 1]]])
    learner = ActiveLearner(KNeighborsClassifier(), strategy, random_state=0)
    expected = learner.fit(X[:30], Y[:30, :2]).score_pool(X[30:])
    np.testing.assert_allclose(learner.fit(X[:30], named[:30]).score_pool(X[30:]), expected)


@pytest.mark.parametrize("labels", [Y, TEXT], ids=["numbers", "texts"])
def test_labels_of_one_class_are_present_or_absent(labels):
    absent, present = np.unique(labels)
    labels = labels[:30].copy()
    labels[:, 1], labels[:, 2] = absent, present
    learner = ActiveLearner(RandomForestClassifier(5, random_state=0), MMC(2), random_state=0)
    learner.fit(X[:30], labels)
    first, _, _, last = learner.predict_proba(X[30:])
    presence = np.column_stack([first[:, 1], 0 * first[:, 0], 0 * first[:, 0] + 1, last[:, 1]])
    np.testing.assert_allclose(learner.score_pool(X[30:]), scores.hamming_risk(presence, 2))
    lci = learner.set_params(strategy=LCI()).score_pool(X[30:])
    cardinality = (labels == present).sum(axis=1).mean()
    np.testing.assert_allclose(lci, np.abs((presence > 0.5).sum(axis=1) - cardinality))


def test_a_search_that_was_not_refitted_is_named():
    search = GridSearchCV(KNeighborsClassifier(), {}, cv=2, refit=False)
    with pytest.raises(CapabilityError, match="Set refit=True of the GridSearchCV"):
        ActiveLearner(search, Aggregate()).fit(X[:30], Y[:30])


def test_while_labels_are_too_few_there_are_no_elements():
    learner = ActiveLearner(MultiOutputClassifier(LOGISTIC), Aggregate(), random_state=0)
    with pytest.warns(WaitingClassesWarning):
        learner.fit(X[:3], 0 * Y[:3])
    with pytest.raises(NotFittedError, match=r"no model to find elements by.*only one class"):
        learner.query_elements(X[3:], 2)
    assert len(learner.teach(X[3:30], Y[3:30]).query_elements(X[30:], 2)[0]) == 2


@pytest.mark.parametrize("labels", [Y, TEXT], ids=["numbers", "texts"])
def test_anchors_are_drawn_in_each_class_of_each_label(labels):
    strategy = AnchorAL(Aggregate(Margin()), n_anchors=1, n_neighbors=2)
    learner = ActiveLearner(KNeighborsClassifier(), strategy, random_state=0)
    positions = learner.fit(X[:30], labels[:30]).query(X[30:], 3)
    assert len(set(positions.tolist())) == 3
    view = learner._make_view(X[30:])
    anchors = strategy._draw_anchors(
        view.labeled.embedding, view.labeled.y, np.random.RandomState(0)
    )
    drawn = Y[:30][anchors]
    assert (drawn.any(axis=0) & ~drawn.all(axis=0)).all()  # of each label, present and absent
    assert len(anchors) <= 8  # two classes of four labels


@pytest.mark.parametrize("labels", [TEXT, TEXT.tolist(), Y + (Y.cumsum(axis=0) % 2)])
def test_accuracy_counts_rows_of_labels_of_any_classes(labels):
    model = RandomForestClassifier(3, random_state=0)
    learner = ActiveLearner(model, Aggregate(), random_state=0).fit(X[:40], labels[:40])
    correct = (learner.predict(X[40:]) == np.asarray(labels)[40:]).all(axis=1)
    weights = np.arange(1.0, 41.0)
    assert learner.score(X[40:], labels[40:]) == correct.mean()
    weighted = learner.score(X[40:], labels[40:], sample_weight=weights)
    assert weighted == pytest.approx(np.average(correct, weights=weights))
    simulation = SimulatedLearner(learner, budget=20, random_state=0).fit(X[:40], labels[:40])
    last = list(simulation.staged_score(X[40:], labels[40:]))[-1]
    assert last == simulation.score(X[40:], labels[40:])


@pytest.mark.parametrize(
    ("strategy", "error", "message"),
    [
        (Aggregate(reduction=reductions.TopMean), TypeError, r"pass an instance, TopMean\(\)"),
        (Aggregate(MMC()), TypeError, "MMC reads the elements of rows itself: use it without"),
        (Aggregate(reduction=np.mean), TypeError, "must return one score per row"),
        (Aggregate(reduction=lambda s, o: s), SelectionError, r"shape \(4,\) for 1 rows"),
        (Aggregate(reduction=lambda s, o: 1.0), SelectionError, r"shape \(\) for 1 rows"),
    ],
    ids=["class", "labels", "numpy", "elements", "number"],
)
def test_reductions_that_do_not_fit_are_refused(strategy, error, message):
    learner = ActiveLearner(KNeighborsClassifier(), strategy, random_state=0)
    with pytest.raises(error, match=message):
        learner.fit(X[:30], Y[:30]).query(X[30:], 2)


@pytest.mark.parametrize("strategy", [MMC(), PerCost(Aggregate())])
def test_explanations_name_the_predicted_labels(strategy):
    learner = ActiveLearner(KNeighborsClassifier(), strategy, random_state=0).fit(X[:30], Y[:30])
    explanation = learner.explain(X[30:], [4])[0]
    assert explanation.prediction == learner.predict(X[34:35])[0].tolist()
    assert "no model" not in str(explanation)


def test_adapters_that_were_registered_reach_other_processes():
    class Kind(BaseEstimator):
        pass

    @register(Kind)
    class KindAdapter(ModelAdapter):
        pass

    registered = list_registered()
    assert registered[Kind] is KindAdapter
    assert not any(each.__module__.startswith("skactive") for each in registered.values())
