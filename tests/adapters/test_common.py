"""Models of every kind pass the checks of `skactive.testing.adapter_checks`."""

from functools import cache

import numpy as np
import pytest
from home_made import HomeMade
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from skactive.testing._adapter_checks import ADAPTER_CHECKS

X, Y = make_classification(
    60, 5, n_informative=4, n_redundant=0, n_classes=3, class_sep=2.0, random_state=1
)
X = X.astype(np.float32)
POOL = X[45:]
PAIR = [("a", LogisticRegression()), ("b", GaussianNB())]

MODELS = {
    "logistic regression": lambda: LogisticRegression(),
    "SGD": lambda: SGDClassifier(random_state=0),
    "SVC": lambda: SVC(),
    "naive Bayes": lambda: GaussianNB(),
    "neighbors": lambda: KNeighborsClassifier(3),
    "MLP": lambda: MLPClassifier((4,), max_iter=3, random_state=0),
    "Gaussian process": lambda: GaussianProcessClassifier(),
    "forest": lambda: RandomForestClassifier(4, random_state=0),
    "bagging": lambda: BaggingClassifier(LinearSVC(), 3, max_features=3, random_state=0),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=2),
    "voting": lambda: VotingClassifier(PAIR, voting="soft"),
    "calibrated": lambda: CalibratedClassifierCV(LinearSVC(), cv=2),
    "pipeline": lambda: make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=0)),
    "search": lambda: GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-8]}, cv=2),
    "frozen": lambda: FrozenEstimator(GaussianNB().fit(X, Y)),
    "home-made": lambda: HomeMade(),
    "ridge regression": lambda: Ridge(),
    "forest of regression trees": lambda: RandomForestRegressor(3, random_state=0),
    "process regression": lambda: GaussianProcessRegressor(),
    "XGBoost": lambda: pytest.importorskip("xgboost").XGBClassifier(n_estimators=2, n_jobs=1),
    "words": lambda: make_pipeline(MultinomialNB()),
}


@cache
def fit(name):
    """Fit a model, and return it with rows to read."""
    if name == "words":
        counts = np.round(np.abs(X))
        return MODELS[name]().fit(counts[:45], Y[:45]), counts[45:]
    return MODELS[name]().fit(X[:45], Y[:45]), POOL


@pytest.mark.filterwarnings("ignore:.*did not converge:")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", MODELS)
def test_models_of_one_label_per_row(name, check):
    check(*fit(name))
