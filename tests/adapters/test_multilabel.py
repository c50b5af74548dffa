"""Models of several labels per row: each way of scikit-learn gives the same elements."""

import warnings

import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_multilabel_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier, RidgeClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from skorch import NeuralNet, NeuralNetClassifier
from xgboost import XGBClassifier

from skactive import ActiveLearner, reductions
from skactive.adapters import adapt
from skactive.exceptions import CapabilityError, InvalidReadingError
from skactive.multilabel import MissingLabelsClassifier
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource
from skactive.scores import entropy, margin, mutual_information
from skactive.strategies import BALD, MMC, Aggregate, Entropy, KCenterGreedy, Margin

X, Y = make_multilabel_classification(90, n_features=6, n_classes=4, random_state=3)
LEARN, POOL = slice(0, 40), slice(40, 90)
LOGISTIC = LogisticRegression(max_iter=1000)


def present_in_list(model):
    """Probability of the label from a list with an array per label."""
    return np.stack([each[:, 1] for each in model.predict_proba(X[POOL])], axis=1)


def present_in_array(model):
    return model.predict_proba(X[POOL])


def present_by_final(model):
    rows = model.transform(X[POOL])
    return np.stack([each[:, 1] for each in model.final_estimator_.predict_proba(rows)], axis=1)


PROBABLE = {
    "forest": (RandomForestClassifier(5, random_state=0), present_in_list),
    "extra trees": (ExtraTreesClassifier(5, random_state=0), present_in_list),
    "tree": (DecisionTreeClassifier(max_depth=2, random_state=0), present_in_list),
    "neighbors": (KNeighborsClassifier(), present_in_list),
    "radius": (RadiusNeighborsClassifier(50.0), present_in_list),
    "multi-output": (MultiOutputClassifier(LOGISTIC), present_in_list),
    "dummy": (DummyClassifier(), present_in_list),
    "one vs rest": (OneVsRestClassifier(LOGISTIC), present_in_array),
    "chain": (ClassifierChain(LOGISTIC, order=[2, 0, 3, 1]), present_in_array),
    "net": (MLPClassifier((4,), max_iter=5, random_state=0), present_in_array),
    "boosted": (XGBClassifier(n_estimators=3), present_in_array),
    "missing": (MissingLabelsClassifier(LOGISTIC), present_in_array),
    "pipeline": (make_pipeline(StandardScaler(), KNeighborsClassifier()), present_in_list),
    "search": (
        GridSearchCV(RandomForestClassifier(3, random_state=0), {"max_depth": [2, 3]}, cv=2),
        present_in_list,
    ),
    "stack": (
        StackingClassifier(
            [("a", KNeighborsClassifier())], RandomForestClassifier(3, random_state=0), cv=2
        ),
        present_by_final,
    ),
}
DECIDING = {
    "one vs rest": OneVsRestClassifier(LinearSVC()),
    "ridge": RidgeClassifier(),
    "ridge by folds": RidgeClassifierCV(),
    "chain": ClassifierChain(LinearSVC(), order=[2, 0, 3, 1]),
    "multi-output": MultiOutputClassifier(SVC()),
    "missing": MissingLabelsClassifier(LinearSVC()),
    "pipeline": make_pipeline(StandardScaler(), RidgeClassifier()),
}


def fit(model, labels=Y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nets that have not converged
        return clone(model).fit(X[LEARN], labels[LEARN])


def view(model):
    return PoolView(X[POOL], ReadingSource(adapt(model)))


# Probabilities and decisions ----------------------------------------------------------------------


@pytest.mark.parametrize("name", PROBABLE)
def test_each_label_is_an_element_with_the_probabilities_of_absence_and_presence(name):
    model, read_present = PROBABLE[name]
    model = fit(model)
    elements, present = view(model).elements, read_present(model)
    np.testing.assert_allclose(elements.proba[:, 1], present.ravel(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(elements.proba.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_array_equal(elements.offsets, np.arange(51) * 4)
    np.testing.assert_array_equal(elements.classes, [0, 1])
    np.testing.assert_array_equal(elements.prediction, model.predict(X[POOL]).ravel())


@pytest.mark.parametrize("name", PROBABLE)
def test_scores_of_rows_are_those_of_their_labels_one_by_one(name):
    model, read_present = PROBABLE[name]
    model = fit(model)
    expected = [
        np.mean([1 - abs(2 * p - 1) for p in row]) for row in read_present(model).astype(float)
    ]
    scores = Aggregate(Margin()).score(view(model))
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-6 if name == "boosted" else 1e-12)
    with config_context(working_memory=0.001):
        np.testing.assert_allclose(Aggregate(Margin()).score(view(model)), scores, rtol=1e-12)


@pytest.mark.parametrize("name", DECIDING)
def test_decision_functions_of_labels_serve_margins(name):
    model = fit(DECIDING[name])
    if name in {"multi-output", "missing"}:
        decision = np.stack([each.decision_function(X[POOL]) for each in model.estimators_], axis=1)
    else:
        decision = model.decision_function(X[POOL])
    elements = view(model).elements
    np.testing.assert_allclose(elements.decision, decision.ravel(), rtol=0, atol=1e-12)
    scores = Aggregate(Margin(), reductions.maximum).score(view(model))
    np.testing.assert_allclose(scores, -np.abs(decision).min(axis=1), rtol=0, atol=1e-12)
    assert not elements.provides("proba")


def test_labels_of_other_numbers_of_classes_keep_their_margins_and_entropies():
    names = np.column_stack([Y[:, 0], Y[:, 1] + Y[:, 2], Y[:, 3] + 1])  # of 2, 3 and 2 classes
    model = fit(MultiOutputClassifier(LOGISTIC), names)
    elements = view(model).elements
    np.testing.assert_array_equal(elements.classes, [0, 1, 2])
    table = elements.proba.reshape(50, 3, 3)
    for label, proba in enumerate(model.predict_proba(X[POOL])):
        np.testing.assert_array_equal(table[:, label, model.classes_[label]], proba)
        np.testing.assert_allclose(margin(table[:, label]), margin(proba), atol=1e-12)
        np.testing.assert_allclose(entropy(table[:, label]), entropy(proba), atol=1e-12)
    assert not elements.provides("decision")


def test_names_of_classes_are_those_of_the_labels():
    names = np.where(Y == 1, "yes", "no")
    model = fit(RandomForestClassifier(3, random_state=0), names)
    elements = view(model).elements
    np.testing.assert_array_equal(elements.classes, ["no", "yes"])
    np.testing.assert_array_equal(elements.proba[:, 1], present_in_list(model).ravel())


@pytest.mark.parametrize("constant", [0, 1])
def test_a_label_of_one_class_is_certain_for_scikit_learn(constant):
    labels = Y.copy()
    labels[:, 0] = constant
    forest = view(fit(RandomForestClassifier(3, random_state=0), labels)).elements
    np.testing.assert_array_equal(forest.proba[::4, constant], np.ones(50))
    with pytest.warns(UserWarning, match="Label"):
        model = OneVsRestClassifier(LinearSVC()).fit(X[LEARN], labels[LEARN])
    # Not 0, which is where a decision function is least certain.
    np.testing.assert_array_equal(view(model).elements.decision[::4], np.full(50, 2 * constant - 1))


def test_wrong_numbers_of_columns_are_an_error():
    class Broken(KNeighborsClassifier):
        def predict_proba(self, X):
            return super().predict_proba(X)[:-1]

    with pytest.raises(InvalidReadingError, match=r"\[2, 2, 2\].*\[2, 2, 2, 2\]"):
        _ = view(fit(Broken())).elements.proba


def test_a_model_of_one_label_per_row_has_no_elements():
    for model in (RandomForestClassifier(3), LOGISTIC, OneVsRestClassifier(LOGISTIC)):
        assert adapt(fit(model, Y[:, 0])).element is None
        assert adapt(model).element is None  # not fitted: nobody knows


# Draws --------------------------------------------------------------------------------------------


def test_draws_of_a_forest_are_its_trees():
    model = fit(RandomForestClassifier(5, random_state=0))
    trees = [
        np.stack([each[:, 1] for each in tree.predict_proba(X[POOL].astype(np.float32))], axis=1)
        for tree in model.estimators_
    ]
    samples = view(model).elements.proba_samples()
    np.testing.assert_array_equal(samples[:, :, 1], np.reshape(trees, (5, 200)))
    assert view(model).elements.proba_samples(3).shape == (3, 200, 2)
    scores = Aggregate(BALD()).score(view(model))
    expected = mutual_information(samples).reshape(50, 4).mean(axis=1)
    np.testing.assert_allclose(scores, expected, atol=1e-12)


@pytest.mark.parametrize("wrap", [MultiOutputClassifier, OneVsRestClassifier])
def test_draws_of_labels_are_those_of_their_models(wrap):
    model = fit(wrap(BaggingClassifier(LOGISTIC, 4, random_state=0)))
    elements = view(model).elements
    assert elements.provides("joint_samples")
    samples = elements.proba_samples().reshape(4, 50, 4, 2)
    for label, bagging in enumerate(model.estimators_):
        for draw, member in enumerate(bagging.estimators_):
            proba = member.predict_proba(X[POOL])
            np.testing.assert_allclose(samples[draw, :, label], proba, atol=1e-12)


def test_draws_valid_for_each_label_alone_are_not_joint():
    elements = view(fit(MultiOutputClassifier(GaussianProcessClassifier()))).elements
    assert elements.provides("proba_samples")
    assert not elements.provides("joint_samples")


def test_a_label_of_one_class_does_not_take_the_draws_from_the_others():
    labels = Y.astype(float)
    labels[:, 0] = 0.0
    model = fit(MissingLabelsClassifier(RandomForestClassifier(3, random_state=0)), labels)
    samples = view(model).elements.proba_samples().reshape(3, 50, 4, 2)
    np.testing.assert_allclose(samples[:, :, 0, 1], 1 / 42)
    assert not view(fit(MultiOutputClassifier(LOGISTIC))).elements.provides("proba_samples")


# Nets ---------------------------------------------------------------------------------------------


class Net(torch.nn.Module):
    def __init__(self, ends_in_sigmoid):
        super().__init__()
        torch.manual_seed(0)
        self.hidden, self.dropout = torch.nn.Linear(6, 8), torch.nn.Dropout(0.5)
        self.last, self.ends_in_sigmoid = torch.nn.Linear(8, 4), ends_in_sigmoid

    def forward(self, X):
        output = self.last(self.dropout(torch.relu(self.hidden(X))))
        return torch.sigmoid(output) if self.ends_in_sigmoid else output


@pytest.mark.parametrize("kind", [NeuralNet, NeuralNetClassifier])
@pytest.mark.parametrize("ends_in_sigmoid", [False, True])
def test_nets_with_binary_cross_entropy_have_a_label_per_output_unit(kind, ends_in_sigmoid):
    criterion = torch.nn.BCELoss if ends_in_sigmoid else torch.nn.BCEWithLogitsLoss
    net = kind(Net(ends_in_sigmoid), criterion=criterion, max_epochs=1, train_split=None, verbose=0)
    rows, labels = X.astype(np.float32), Y.astype(np.float32)
    learner = ActiveLearner(net, Aggregate(BALD()), random_state=0).fit(rows[LEARN], labels[LEARN])
    module = learner.estimator_.module_.eval()
    with torch.no_grad():
        output = module(torch.as_tensor(rows[POOL]))
    present = output if ends_in_sigmoid else torch.sigmoid(output)
    elements = PoolView(rows[POOL], ReadingSource(adapt(learner.estimator_))).elements
    np.testing.assert_allclose(elements.proba[:, 1], present.numpy().ravel(), atol=1e-6)
    np.testing.assert_array_equal(elements.prediction, present.numpy().ravel() > 0.5)
    assert elements.proba_samples(3).shape == (3, 200, 2)
    assert elements.proba_samples(3).std(axis=0).max() > 0.01
    assert len(learner.query(rows[POOL], 5)) == 5


def test_the_nonlinearity_of_the_user_is_kept():
    net = NeuralNet(
        Net(False), criterion=torch.nn.BCEWithLogitsLoss, predict_nonlinearity=torch.sigmoid,
        max_epochs=1, train_split=None, verbose=0,
    )  # fmt: skip
    net.fit(X.astype(np.float32), Y.astype(np.float32))
    elements = PoolView(X.astype(np.float32), ReadingSource(adapt(net))).elements
    proba = net.predict_proba(X.astype(np.float32))
    np.testing.assert_allclose(elements.proba[:, 1], proba.ravel(), atol=1e-6)


# Learners -----------------------------------------------------------------------------------------


def test_single_labels_are_those_of_the_highest_scores():
    learner = ActiveLearner(RandomForestClassifier(9, random_state=0), Aggregate(Entropy()))
    learner.fit(X[LEARN], Y[LEARN])
    scores = entropy(view(learner.estimator_).elements.proba).reshape(50, 4)
    known = np.zeros((50, 4), dtype=bool)
    known[:, 0] = True
    rows, labels = learner.query_elements(X[POOL], 12, known=known)
    assert (labels > 0).all()
    rest = np.delete(scores[:, 1:].ravel(), rows * 3 + labels - 1)
    assert scores[rows, labels].min() >= rest.max()


def test_the_refusal_of_strategies_for_one_label_names_the_way():
    learner = ActiveLearner(RandomForestClassifier(5), Margin())
    with pytest.raises(CapabilityError, match=r"\(40, 4\).*Aggregate\(Margin.*query_elements"):
        learner.fit(X[LEARN], Y[LEARN])
    with pytest.raises(CapabilityError, match=r"Of its labels it gives .*proba.*\(Margin\(\)\)"):
        ActiveLearner(KNeighborsClassifier(), Aggregate(BALD())).fit(X[LEARN], Y[LEARN])
    with pytest.raises(
        CapabilityError, match="one label per row, so use the strategy that is in Aggregate"
    ):
        ActiveLearner(KNeighborsClassifier(), Aggregate(Margin())).fit(X[LEARN], Y[LEARN, 0])
    scores_rows = ActiveLearner(KNeighborsClassifier(), MMC()).fit(X[LEARN], Y[LEARN])
    with pytest.raises(CapabilityError, match=r"labels together.*Aggregate\(Margin"):
        scores_rows.query_elements(X[POOL], 2)


def test_unrecognized_models_of_several_labels_are_refused_with_advice():
    class Unrecognized(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.inner_ = MultiOutputClassifier(LOGISTIC).fit(X, y)
            return self

        def predict_proba(self, X):
            return self.inner_.predict_proba(X)

    with pytest.raises(CapabilityError, match="StructuredAdapter"):
        ActiveLearner(Unrecognized(), Aggregate(Margin())).fit(X[LEARN], Y[LEARN])


def test_rows_of_several_labels_still_have_embeddings():
    learner = ActiveLearner(make_pipeline(StandardScaler(), RidgeClassifier()), KCenterGreedy())
    assert len(learner.fit(X[LEARN], Y[LEARN]).query(X[POOL], 4)) == 4


def test_too_few_rows_for_the_neighbors_of_several_labels_wait():
    learner = ActiveLearner(KNeighborsClassifier(), Aggregate(Margin()), random_state=0)
    with pytest.warns(UserWarning, match="few"):
        learner.fit(X[:3], Y[:3])
    assert len(learner.query(X[POOL], 4)) == 4
    learner.teach(X[3:9], Y[3:9])
    assert learner.predict(X[POOL]).shape == (50, 4)
