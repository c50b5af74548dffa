"""The table of models: which kind of strategy each kind of model serves, tried one by one."""

import re

import numpy as np
import pytest
from home_made import HomeMade
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.linear_model import (
    LogisticRegression,
    Perceptron,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.svm import SVC, SVR, LinearSVC, NuSVC
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearner
from skactive.exceptions import CapabilityError
from skactive.strategies import (
    BADGE,
    BALD,
    EPIG,
    IGS,
    Auto,
    Entropy,
    ExpectedErrorReduction,
    KCenterGreedy,
    Margin,
    Random,
    Subsample,
)

N = 60
X, Y = make_classification(
    N, 5, n_informative=4, n_redundant=0, n_classes=3, class_sep=2.0, random_state=1
)
X = X.astype(np.float32)
KNOWN = np.arange(45)

# One strategy for each kind of need, by the letter that stands for it in the table.
STRATEGIES = {
    "r": Random(),  # nothing
    "k": KCenterGreedy(),  # embedding
    "a": Auto(),  # proba|decision|X
    "m": Margin(),  # proba|decision
    "e": Entropy(),  # proba
    "g": BADGE(),  # gradient_factors
    "f": Subsample(ExpectedErrorReduction(), n_candidates=1),  # proba and fantasize
    "b": BALD(),  # proba_samples
    "j": EPIG(n_targets=5),  # joint_samples
    "i": IGS(),  # numbers as predictions
}


class ReturnsNothing(HomeMade):
    """The same, with a `fit` that returns None."""

    def fit(self, X, y):
        super().fit(X, y)


class PredictsOnly(ClassifierMixin, BaseEstimator):
    """A classifier without probabilities or a decision function."""

    def fit(self, X, y):
        self.inner_ = GaussianNB().fit(X, y)
        self.classes_ = self.inner_.classes_
        return self

    def predict(self, X):
        return self.inner_.predict(X)


def pipe(model):
    return make_pipeline(StandardScaler(), model)


PAIR = [("a", LogisticRegression()), ("b", GaussianNB())]
C = {"C": [0.5, 1.0]}
FULL, DRAWS, DECISION, ROWS, NUMBERS = "rkamegf", "rkamegfbj", "rkam", "rka", "rkai"
REGRESSION = r"a regressor has no classes, so use a strategy for regression \(IGS, GSy\)"

# Model, the strategies that it serves, and the advice where it does not serve Entropy (if it
# serves that, BALD; every classifier refuses IGS).
MODELS = {
    "logistic regression": (LogisticRegression(), FULL, r"BaggingClassifier\(LogisticRegression"),
    "SGD hinge": (SGDClassifier(), DECISION, 'set loss="log_loss"'),
    "SGD log loss": (SGDClassifier(loss="log_loss"), FULL, r"BaggingClassifier\(SGDClassifier"),
    "perceptron": (Perceptron(), DECISION, r"CalibratedClassifierCV\(Perceptron\(\)"),
    "ridge": (RidgeClassifier(), DECISION, r"CalibratedClassifierCV\(RidgeClassifier\(\)"),
    "linear SVC": (LinearSVC(), DECISION, r"CalibratedClassifierCV\(LinearSVC\(\)"),
    "SVC": (SVC(), DECISION, r"CalibratedClassifierCV\(SVC\(\)"),
    "SVC by pairs": (SVC(decision_function_shape="ovo"), ROWS, 'Margin with .*shape="ovr"'),
    "NuSVC": (NuSVC(nu=0.1), DECISION, r"CalibratedClassifierCV\(NuSVC\(\)"),
    "LDA": (LinearDiscriminantAnalysis(), FULL, "BaggingClassifier"),
    "QDA": (QuadraticDiscriminantAnalysis(reg_param=0.5), FULL, "BaggingClassifier"),
    "Gaussian NB": (GaussianNB(), FULL, "BaggingClassifier"),
    "Bernoulli NB": (BernoulliNB(), FULL, "BaggingClassifier"),
    "neighbors": (KNeighborsClassifier(3), FULL, "BaggingClassifier"),
    "nearest centroid": (NearestCentroid(), FULL, "BaggingClassifier"),
    "tree": (DecisionTreeClassifier(max_depth=3), FULL, "RandomForestClassifier"),
    "MLP": (MLPClassifier((4,), max_iter=3), FULL, "BaggingClassifier"),
    "Gaussian process": (GaussianProcessClassifier(optimizer=None), FULL + "b", ""),
    "Gaussian process by pairs": (
        GaussianProcessClassifier(optimizer=None, multi_class="one_vs_one"), ROWS,
        'set multi_class="one_vs_rest"'
    ),
    "label spreading": (LabelSpreading(kernel="knn", n_neighbors=3), FULL, "BaggingClassifier"),
    "self-training": (SelfTrainingClassifier(GaussianNB()), FULL, "BaggingClassifier"),
    "forest": (RandomForestClassifier(3), DRAWS, ""),
    "forest of one": (RandomForestClassifier(1), FULL, "set n_estimators=10"),
    "extra trees": (ExtraTreesClassifier(3), DRAWS, ""),
    "bagged SVC": (BaggingClassifier(LinearSVC(), 3), DRAWS, ""),
    "gradient boosting": (GradientBoostingClassifier(n_estimators=2), FULL, "BaggingClassifier"),
    "histogram boosting": (HistGradientBoostingClassifier(max_iter=2), FULL, "BaggingClassifier"),
    "AdaBoost": (AdaBoostClassifier(n_estimators=2), FULL, "BaggingClassifier"),
    "hard voting": (VotingClassifier(PAIR), "rkabj", 'set voting="soft"'),
    "soft voting": (VotingClassifier(PAIR, voting="soft"), DRAWS, ""),
    "stack": (StackingClassifier(PAIR, cv=2), FULL, "BaggingClassifier"),
    "stack on SVC": (StackingClassifier(PAIR, LinearSVC(), cv=2), DECISION, "Calibrated"),
    "calibrated": (CalibratedClassifierCV(LinearSVC(), cv=2), DRAWS, ""),
    "calibrated once": (
        CalibratedClassifierCV(LinearSVC(), cv=2, ensemble=False), FULL, "set ensemble=True"
    ),
    "one against the rest": (OneVsRestClassifier(LinearSVC()), DECISION, "Calibrated"),
    "one against one": (OneVsOneClassifier(LinearSVC()), DECISION, "Calibrated"),
    "output codes": (
        OutputCodeClassifier(LinearSVC()), ROWS, r"BaggingClassifier\(OutputCodeClassifier\(\)\)"
    ),
    "pipeline": (pipe(LogisticRegression()), FULL, "inside the Pipeline"),
    "pipeline with SVC": (pipe(LinearSVC()), DECISION, r"LinearSVC\(\), .*inside the Pipeline"),
    "search": (GridSearchCV(LogisticRegression(), C, cv=2), FULL, "inside the GridSearchCV"),
    "search of a pipeline": (
        RandomizedSearchCV(pipe(SVC()), {"svc__C": [1, 2]}, n_iter=1, cv=2), DECISION,
        "SVC in RandomizedSearchCV .*CalibratedClassifierCV"
    ),
    "search without refit": (
        GridSearchCV(LogisticRegression(), C, cv=2, refit=False), ROWS, "set refit=True"
    ),
    "frozen": (FrozenEstimator(GaussianNB().fit(X, Y)), FULL, "BaggingClassifier"),
    "home-made": (HomeMade(), FULL, r"BaggingClassifier\(HomeMade\(\)\)"),
    "home-made that returns nothing": (
        ReturnsNothing(), FULL, r"BaggingClassifier\(ReturnsNothing\(\)\)"
    ),
    "predicts only": (PredictsOnly(), ROWS, r"BaggingClassifier\(PredictsOnly\(\)\)"),
    "ridge regression": (Ridge(), NUMBERS, REGRESSION),
    "SVR": (SVR(), NUMBERS, REGRESSION),
    "forest of regression trees": (RandomForestRegressor(3), NUMBERS, REGRESSION),
    "process regression": (GaussianProcessRegressor(optimizer=None), NUMBERS, REGRESSION),
    "outliers": (IsolationForest(n_estimators=3), "rkai", "it is no classifier, so use a class"),
}  # fmt: skip


def make_booster(package, name):
    """Return a booster of three trees."""
    params = {"n_estimators": 3, "n_jobs": 1, "verbosity": 0 if package == "xgboost" else -1}
    return getattr(pytest.importorskip(package), name)(**params)


def make_net(kind, n_outputs, **params):
    """Return a skorch net of one hidden layer with dropout."""
    torch, skorch = pytest.importorskip("torch"), pytest.importorskip("skorch")
    torch.set_num_threads(1)
    module = torch.nn.Sequential(
        torch.nn.Linear(5, 4), torch.nn.Dropout(0.2), torch.nn.Linear(4, n_outputs)
    )
    params = {"max_epochs": 1, "train_split": None, "verbose": 0} | params
    return getattr(skorch, kind)(module, **params)


def make_classifying_net():
    torch = pytest.importorskip("torch")
    return make_net("NeuralNetClassifier", 3, criterion=torch.nn.CrossEntropyLoss)


# Of other packages: a function that makes the model, strategies and advice as above, and labels.
OTHERS = {
    "XGBoost": (lambda: make_booster("xgboost", "XGBClassifier"), FULL, "RandomForestClass", Y),
    "XGBoost with gaps": (
        lambda: make_booster("xgboost", "XGBClassifier"), FULL, "RandomForestClass", 3 * Y + 2
    ),
    "XGBoost with text": (
        lambda: make_booster("xgboost", "XGBClassifier"), FULL, "RandomForestClass",
        np.array(["b", "c", "a"])[Y]
    ),
    "LightGBM": (lambda: make_booster("lightgbm", "LGBMClassifier"), FULL, "Bagging", Y + 4),
    "XGBoost regressor": (
        lambda: make_booster("xgboost", "XGBRegressor"), NUMBERS, REGRESSION, Y * 0.5
    ),
    "net": (make_classifying_net, DRAWS, "", Y),
    "net in a pipeline": (lambda: pipe(make_classifying_net()), DRAWS, "", Y),
    "net of regression": (
        lambda: make_net("NeuralNetRegressor", 1), NUMBERS, REGRESSION, X[:, :1] * 2
    ),
    "net of regression in a pipeline": (
        lambda: pipe(make_net("NeuralNetRegressor", 1)), NUMBERS, REGRESSION, X[:, :1] * 2
    ),
}  # fmt: skip


def find_refusal(learner, y):
    """Return the words in which `fit` refuses, None if a loop of two queries runs."""
    try:
        learner.fit(X[KNOWN], y[KNOWN])
    except CapabilityError as error:
        assert not hasattr(learner, "estimator_")
        return str(error)
    pool = np.arange(len(KNOWN), N)
    first = pool[learner.query(X[pool], 1)]
    learner.teach(X[first], y[first])
    rest = np.setdiff1d(pool, first)
    assert len(set(rest[learner.query(X[rest], 2)])) == 2
    assert len(learner.y_labeled_) == len(KNOWN) + 1
    return None


def check_row(model, served, advice, y):
    """Try every strategy with one model."""
    refusals = {
        letter: find_refusal(ActiveLearner(model, strategy, random_state=0), y)
        for letter, strategy in STRATEGIES.items()
    }
    works = "".join(letter for letter, refusal in refusals.items() if refusal is None)
    assert sorted(works) == sorted(served), refusals
    for letter in "eb":
        if letter not in served:
            assert re.search(advice, refusals[letter]), refusals[letter]
            break


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
def test_models_of_scikit_learn(name):
    check_row(*MODELS[name], Y)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OTHERS)
def test_models_of_other_packages(name):
    make_model, served, advice, y = OTHERS[name]
    check_row(make_model(), served, advice, y)
