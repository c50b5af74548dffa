"""A model for each label, on the rows where it is known."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skactive import ActiveLearner
from skactive.exceptions import CapabilityError
from skactive.multilabel import MissingLabelsClassifier
from skactive.strategies import Aggregate, Margin

X, Y = make_multilabel_classification(60, n_features=6, n_classes=3, random_state=2)
X = StandardScaler().fit_transform(X)
PARTLY = np.where(np.random.RandomState(0).uniform(size=Y.shape) < 0.4, np.nan, Y)
MODEL = MissingLabelsClassifier(LogisticRegression())


def test_each_label_is_learned_from_the_rows_that_have_it():
    model = MODEL.fit(X, PARTLY)
    for j in range(3):
        known = ~np.isnan(PARTLY[:, j])
        alone = LogisticRegression().fit(X[known], Y[known, j])
        np.testing.assert_allclose(model.predict_proba(X)[:, j], alone.predict_proba(X)[:, 1])
        np.testing.assert_array_equal(model.predict(X)[:, j], alone.predict(X))


def test_with_all_labels_known_it_is_a_model_of_several_outputs():
    model, other = MODEL.fit(X, Y), MultiOutputClassifier(LogisticRegression()).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), other.predict(X))
    assert model.score(X, Y) == other.score(X, Y)
    np.testing.assert_array_equal(model.classes_, other.classes_)


@pytest.mark.parametrize(
    "labels",
    [
        np.where(np.isnan(PARTLY), None, PARTLY),
        pd.DataFrame(PARTLY),
        pd.DataFrame(PARTLY).astype("Int64"),
        PARTLY.tolist(),
        np.ma.masked_array(Y, np.isnan(PARTLY)),
    ],
    ids=["None", "frame", "NA", "list", "masked"],
)
def test_unknown_labels_come_in_any_form(labels):
    expected = MODEL.fit(X, PARTLY).predict_proba(X)
    np.testing.assert_array_equal(MODEL.fit(X, labels).predict_proba(X), expected)
    assert MODEL.score(X, labels) == MODEL.score(X, PARTLY)


def test_names_of_classes_are_kept_and_zeros_of_sparse_labels_are_known():
    names = np.where(np.isnan(PARTLY), None, np.where(Y == 1, "yes", "no"))
    model = MissingLabelsClassifier(LinearSVC()).fit(X, names)
    assert set(model.predict(X).ravel().tolist()) == {"yes", "no"}
    assert not hasattr(model, "predict_proba")
    sparse = MissingLabelsClassifier(LogisticRegression()).fit(X, sp.csr_array(Y))
    np.testing.assert_array_equal(sparse.predict(X), MODEL.fit(X, Y).predict(X))


def test_labels_of_one_class_follow_the_rule_of_succession():
    labels = np.full(Y.shape, np.nan)
    labels[:20, 0], labels[:5, 1] = Y[:20, 0], 1.0
    model = MissingLabelsClassifier(LogisticRegression()).fit(X, labels)
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba[:, 1], 6 / 7)
    np.testing.assert_allclose(proba[:, 2], 1 / 2)
    assert (model.predict(X)[:, 1] == 1).all()
    assert model.predict(X).dtype.kind == "i"
    first = MissingLabelsClassifier(LogisticRegression()).fit(X[:2], np.zeros((2, 3)))
    np.testing.assert_allclose(first.predict_proba(X), 1 / 4)


def test_weights_go_with_their_rows():
    weights = np.random.RandomState(1).uniform(size=60)
    model = MissingLabelsClassifier(LogisticRegression()).fit(X, PARTLY, sample_weight=weights)
    known = ~np.isnan(PARTLY[:, 2])
    alone = LogisticRegression().fit(X[known], Y[known, 2], sample_weight=weights[known])
    np.testing.assert_allclose(model.predict_proba(X)[:, 2], alone.predict_proba(X)[:, 1])
    with pytest.raises(ValueError, match="60 rows"):
        model.fit(X, PARTLY, sample_weight=weights[:9])


def test_the_score_leaves_unknown_labels_out():
    predicted = MODEL.fit(X, PARTLY).predict(X)
    expected = np.mean(
        [
            all(p == y for p, y in zip(*pair, strict=True) if y == y)
            for pair in zip(predicted.tolist(), PARTLY.tolist(), strict=True)
        ]
    )
    assert MODEL.score(X, PARTLY) == pytest.approx(expected)


def test_one_label_per_row_may_be_unknown_too():
    labels = np.array(["a", "b", "c"], dtype=object)[np.arange(60) % 3]
    labels[::4] = None
    model = MissingLabelsClassifier(LogisticRegression()).fit(X, labels)
    known = labels != None  # noqa: E711
    alone = LogisticRegression().fit(X[known], labels[known].astype(str))
    np.testing.assert_allclose(model.predict_proba(X), alone.predict_proba(X))
    np.testing.assert_array_equal(model.predict(X), alone.predict(X))


def test_bad_labels_are_refused_with_advice():
    with pytest.raises(ValueError, match=r"3: \[0, 1, 2\].*MultiOutputClassifier"):
        MODEL.fit(X, Y + np.arange(60)[:, np.newaxis] % 2)
    with pytest.raises(ValueError, match="1: "):
        MODEL.fit(X, np.full(Y.shape, "yes"))
    with pytest.raises(ValueError, match="60 rows"):
        MODEL.fit(X, Y[:9])


# In a learner -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        MODEL,
        make_pipeline(StandardScaler(), MODEL),
        GridSearchCV(MODEL, {"estimator__C": [0.1, 1.0]}, cv=KFold(2)),
        MissingLabelsClassifier(LinearSVC()),
    ],
    ids=["alone", "pipeline", "search", "decision"],
)
def test_a_campaign_of_single_labels(model):
    labels = np.full(Y.shape, np.nan)
    labels[:12] = Y[:12]
    learner = ActiveLearner(model, Aggregate(Margin()), random_state=0)
    for round_number in range(3):
        started = ~np.isnan(labels).all(axis=1)
        learner.fit(X[started], labels[started])
        rows, asked = learner.query_elements(X, 6, known=~np.isnan(labels))
        assert np.isnan(labels[rows, asked]).all()
        labels[rows, asked] = Y[rows, asked]
        assert (~np.isnan(labels)).sum() == 36 + 6 * (round_number + 1)
    learner.teach(X[:2], labels[:2])
    assert learner.predict(X).shape == (60, 3)


def test_declared_classes_go_with_missing_labels():
    learner = ActiveLearner(MODEL, Aggregate(Margin()), classes=[0, 1]).fit(X, PARTLY)
    assert len(learner.query_elements(X, 3)[0]) == 3
    with pytest.raises(ValueError, match="declare"):
        ActiveLearner(MODEL, Aggregate(Margin()), classes=[1, 2]).fit(X, PARTLY)


def test_other_models_still_refuse_missing_labels():
    with pytest.raises(ValueError, match="missing"):
        ActiveLearner(MultiOutputClassifier(LogisticRegression()), Aggregate()).fit(X, PARTLY)
    with pytest.raises(CapabilityError, match="several labels per row"):
        ActiveLearner(MODEL, Margin()).fit(X, PARTLY)


def test_the_code_of_the_page_runs():
    page = Path(__file__).parents[1] / "docs" / "several_labels.md"
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for block in blocks:
        exec(compile(block, page.name, "exec"), names)
    assert len(blocks) == 2
    assert (~np.isnan(names["known"])).sum() == 10 * 5 + 5 * 20
