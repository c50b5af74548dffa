"""Models and strategies that people name on the command line."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from inspect import isabstract, signature
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skactive import strategies
from skactive._learner import ActiveLearner
from skactive._utils.rows import n_rows, take_rows
from skactive._validation import check_needs
from skactive.adapters import adapt
from skactive.cli._errors import CommandError
from skactive.cli._features import (
    PoolFeatures,
    image_features,
    sound_features,
    text_features,
    topic_features,
)
from skactive.cli._sources import Source
from skactive.exceptions import CapabilityError

__all__ = [
    "ESTIMATORS",
    "check_serves",
    "few_rows",
    "has_torch",
    "make_estimator",
    "make_strategy",
    "serves",
]

# Models -----------------------------------------------------------------------------------------


def _logistic(n_features: int, n_classes: int) -> Any:
    return LogisticRegression(max_iter=1000)


def _forest(n_features: int, n_classes: int) -> Any:
    return RandomForestClassifier(n_estimators=50)


def _svm(n_features: int, n_classes: int) -> Any:
    return SVC()


def _mlp(n_features: int, n_classes: int) -> Any:
    if not has_torch():
        raise CommandError(
            'the estimator mlp needs torch and skorch: pip install "skactive[torch]"'
        )
    import torch
    from skorch import NeuralNetClassifier

    torch.set_num_threads(1)  # nets this small lose time to threads
    net = NeuralNetClassifier(
        _mlp_module,  # built in the fit, from the fit's seed
        module__n_features=n_features,
        module__n_classes=n_classes,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.005,
        max_epochs=40,
        batch_size=32,
        iterator_valid__batch_size=1024,  # dropout draws pass over the pool many times
        train_split=None,
        verbose=0,
    )
    return make_pipeline(FunctionTransformer(_single_precision), net)


def _mlp_module(n_features: int, n_classes: int) -> Any:
    from torch import nn

    return nn.Sequential(
        nn.Linear(n_features, 128), nn.ReLU(), nn.Dropout(0.25), nn.Linear(128, n_classes)
    )


def _single_precision(X: NDArray[np.float64]) -> NDArray[np.float32]:
    return X.astype(np.float32)


def has_torch() -> bool:
    """Tell whether nets can be made."""
    return find_spec("torch") is not None and find_spec("skorch") is not None


ESTIMATORS: dict[str, Callable[[int, int], Any]] = {
    "forest": _forest,
    "logistic": _logistic,
    "mlp": _mlp,
    "svm": _svm,
}


def make_estimator(name: str, X: Any, y: Any) -> Any:
    """Return the pipeline of a model for rows of numbers, and classes 0 .. n_classes - 1."""
    model = ESTIMATORS[name](X.shape[1], int(y.max()) + 1)
    return make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), model)


def few_rows(X: Any, y: Any) -> tuple[Any, Any]:
    """Return two rows of each class: enough to see what the fitted model can do."""
    rows = np.concatenate([np.flatnonzero(y == label)[:2] for label in np.unique(y)])
    return X[rows], y[rows]


# Strategies -------------------------------------------------------------------------------------


def make_strategy(name: str) -> Any:
    """Make a strategy that can be made from its name alone."""
    known = _plain_strategies()
    if name not in known:
        raise CommandError(f"there is no strategy {name!r}; there are {', '.join(sorted(known))}")
    return known[name]()


def _plain_strategies() -> dict[str, Any]:
    """Return the strategies that can be made from their name alone."""
    kinds = {name: getattr(strategies, name) for name in strategies.__all__}
    return {
        name: kind
        for name, kind in kinds.items()
        if not isabstract(kind)
        and all(p.default is not p.empty for p in signature(kind).parameters.values())
    }


def check_serves(name: str, strategy: Any, fitted: Any) -> None:
    """Refuse a strategy that asks for more than the model can tell."""
    if (lack := _lack(fitted, strategy)) is not None:
        raise CommandError(f"{name} does not go with this estimator: {lack}") from lack


def serves(fitted: Any, strategy: Any) -> bool:
    """Tell whether a model tells what a strategy asks for."""
    return _lack(fitted, strategy) is None


def _lack(fitted: Any, strategy: Any) -> CapabilityError | None:
    """Return what a model lacks to serve a strategy, as the error that says it."""
    try:
        check_needs(strategy, adapt(fitted), refits=True)
    except CapabilityError as error:
        return error
    return None


_TEXT_C = 30.0  # TF-IDF has unit length: with the usual 1, few labels teach next to nothing


def make_learner(
    source: Source, folder: Path, model: str, strategy: str, classes: Sequence[str], several: bool
) -> ActiveLearner:
    """Return a learner for rows of a source.

    Parameters
    ----------
    source : Source
        The pool.
    folder : Path
        Where it is; of a folder, the files.
    model : str
        "forest", "logistic" or "svm".
    strategy : str
        The name of a strategy, in any case of letters.
    classes : sequence of str
        The classes there are at the beginning.
    several : bool
        Whether a row may have several classes.

    Raises
    ------
    CommandError
        If there is no such strategy, or the model cannot serve it.
    """
    if n_rows(source.rows) < 2:
        raise CommandError("there is only one row: nothing is to be chosen")
    steps, embedder = _features(source, folder)
    last = _model(model, source, len(classes))
    estimator = make_pipeline(*steps, OneVsRestClassifier(last) if several else last)
    name = _strategy_name(strategy, several)
    chosen = make_strategy(name)
    if several:
        _check_for_several(name, chosen)
    else:
        _check_serves(name, chosen, estimator, source.rows)
    return ActiveLearner(estimator, chosen, embedder=embedder)


def _features(source: Source, folder: Path) -> tuple[list[Any], Any]:
    """Return the steps before the model, and an embedder where they are not enough."""
    if source.kind == "table":
        return [SimpleImputer(keep_empty_features=True), StandardScaler()], None
    if source.kind == "text":
        features = PoolFeatures("text", source.rows, text_features(source.rows))
        topics = topic_features(source.rows, features.transform)
        return [features], topics and PoolFeatures("topics", source.rows, topics)
    make = image_features if source.kind == "images" else sound_features
    return [PoolFeatures(source.kind, source.rows, make(folder)), StandardScaler()], None


def _model(name: str, source: Source, n_classes: int) -> Any:
    if name == "logistic" and source.kind == "text":
        return LogisticRegression(C=_TEXT_C, max_iter=1000)
    return ESTIMATORS[name](1, n_classes)  # none of them must know how many features there are


def _strategy_name(name: str, several: bool) -> str:
    """Return the name of a strategy as it is written."""
    if several and name.lower() == "auto":
        return "MaxHerding"  # covers the pool: it reads no probabilities that sum to 1
    return next((each for each in strategies.__all__ if each.lower() == name.lower()), name)


def _check_for_several(name: str, strategy: Any) -> None:
    if not strategy.needs <= {"embedding"}:
        raise CommandError(
            f"{name} does not go with --multilabel: it reads probabilities that sum to 1; use one "
            "that reads features alone, such as MaxHerding, TypiClust or Random"
        )


def _check_serves(name: str, strategy: Any, estimator: Any, rows: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two rows nothing can be learned
        fitted = clone(estimator).fit(take_rows(rows, [0, 1]), np.array(["a", "b"]))
    check_serves(name, strategy, fitted)
